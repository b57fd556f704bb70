//! `aws-sdk:SERVICE:ACTION`: any action of the services in one table, with parameters and results in Pascal case.
//!
//! A call is made as the service's own clients make it: the protocol's module writes the request, [`call`] signs it and brings it to
//! the service that is here, without a network, or to the endpoint that [`Endpoints`] names, over plain HTTP. A definition that
//! calls anything else is refused when it is made.
//!
//! Start at [`services`] for what can be called, at [`rest`] for how.
//!
//! Source: developer guide, "Learning to use AWS service SDK integrations"; names of errors from recorded histories.

mod call;
mod endpoints;
mod failure;
mod json;
mod query;
mod rest;
mod services;
mod sign;
mod value;
mod xml;

use std::sync::Arc;

use asl::{Pattern, Resource};
use axum::Router;
use engine::{TaskOutcome, TaskRun};
use futures::{FutureExt, future::BoxFuture};
use http::Uri;
use serde_json::Value;

use self::call::{Answer, Call, Carrier};
pub use self::endpoints::{BadEndpoint, Endpoints};
use self::services::{Protocol, SERVICES, Service};
use super::states::pascal_case;
use super::{Integration, called, failed, not_startable};
use crate::models::wire::{Action, Model, has_json_action};

/// Calls services for Task states as their SDK would.
pub struct AwsSdk {
    carrier: Arc<Carrier>,
}

impl AwsSdk {
    /// Over the services that are here, and those that are elsewhere. An endpoint goes before a service here. `public` is where
    /// clients reach this endpoint.
    pub fn new(here: Router, public: Uri, endpoints: Endpoints, region: String) -> AwsSdk {
        AwsSdk {
            carrier: Arc::new(Carrier::new(here, public, endpoints, region)),
        }
    }
}

impl Integration for AwsSdk {
    fn run(&self, task: TaskRun) -> BoxFuture<'static, TaskOutcome> {
        let carrier = Arc::clone(&self.carrier);
        async move {
            let outcome = tokio::select! {
                outcome = run(&carrier, &task) => outcome,
                // Nobody hears this; the request is dropped, and the task's place is free.
                () = task.cancelled.cancelled() => Err(failed("States.TaskFailed", "Cancelled.")),
            };
            outcome.unwrap_or_else(|failure| failure)
        }
        .boxed()
    }

    fn supports(&self, resource: &Resource) -> Result<(), String> {
        Target::of(&self.carrier, resource).map(|_| ())
    }
}

/// What a resource calls.
struct Target {
    service: &'static Service,
    /// In Pascal case, as the service names it.
    name: String,
    how: How,
    /// Whether the task waits for its token.
    waits: bool,
}

/// How the action looks on the wire.
enum How {
    Json {
        target: &'static str,
        version: &'static str,
        camel: bool,
        maps: &'static [&'static str],
        texts: &'static [&'static str],
    },
    Query(&'static str, Model, Action),
    Rest(rest::Form, Model, Action),
}

impl Target {
    fn of(carrier: &Carrier, resource: &Resource) -> Result<Target, String> {
        let Resource::Integration {
            service,
            action,
            pattern,
            ..
        } = resource
        else {
            return Err("Use arn:aws:states:::aws-sdk:SERVICE:ACTION.".to_owned());
        };
        let waits = match pattern {
            Pattern::RequestResponse => false,
            Pattern::WaitForTaskToken => true,
            Pattern::Sync | Pattern::Sync2 => {
                return Err("SDK integrations have no '.sync' pattern.".to_owned());
            }
        };
        let name = service.strip_prefix("aws-sdk:").unwrap_or(service);
        let service = services::find(name).ok_or_else(|| {
            let known: Vec<&str> = SERVICES.iter().map(|service| service.name).collect();
            format!("This endpoint can call {} with aws-sdk.", known.join(", "))
        })?;
        let action = pascal_case(action);
        let unknown = || format!("{name} has no action {action} that tasks can call.");
        let modelled = || {
            let model = Model::of(name)?;
            Some((model, model.action(&action)?))
        };
        let how = match service.protocol {
            Protocol::Json {
                target,
                version,
                camel,
                maps,
                texts,
            } => {
                if !has_json_action(name, &action) {
                    return Err(unknown());
                }
                How::Json {
                    target,
                    version,
                    camel,
                    maps,
                    texts,
                }
            }
            Protocol::Query { version } => {
                let (model, action) = modelled().ok_or_else(unknown)?;
                How::Query(version, model, action)
            }
            Protocol::RestJson | Protocol::RestXml => {
                let (model, action) = modelled().ok_or_else(unknown)?;
                let form = match service.protocol {
                    Protocol::RestXml => rest::Form::Xml,
                    _ => rest::Form::Json,
                };
                How::Rest(form, model, action)
            }
        };
        if !carrier.reaches(service, &action) {
            let here = match service.here {
                [] => format!("{name} is not here."),
                here => format!("Of {name} this endpoint has {}.", here.join(", ")),
            };
            let variable = service.variable;
            return Err(format!(
                "{here} Set AWS_ENDPOINT_URL_{variable} to where the service is reached."
            ));
        }
        Ok(Target {
            service,
            name: action,
            how,
            waits,
        })
    }

    fn request(&self, parameters: &Value) -> Result<Call, String> {
        match self.how {
            How::Json {
                target,
                version,
                camel,
                maps,
                texts,
            } => {
                let names = json::Names { camel, maps };
                json::request(target, version, names, texts, &self.name, parameters)
            }
            How::Query(version, model, action) => {
                query::request(model, version, &self.name, action, parameters)
            }
            How::Rest(form, model, action) => rest::request(model, form, action, parameters),
        }
    }

    fn result(&self, answer: &Answer) -> Value {
        match self.how {
            How::Json { camel, maps, .. } => {
                let names = json::Names { camel, maps };
                json::result(self.service.name, names, &self.name, answer)
            }
            How::Query(_, model, action) => query::result(model, &self.name, action, answer),
            How::Rest(form, model, action) => rest::result(model, form, action, answer),
        }
    }

    fn failure(&self, answer: &Answer) -> TaskOutcome {
        let action = match self.how {
            How::Json { .. } => None,
            How::Query(_, _, action) | How::Rest(_, _, action) => Some(action),
        };
        failure::outcome(self.service, action, answer)
    }
}

async fn run(carrier: &Carrier, task: &TaskRun) -> Result<TaskOutcome, TaskOutcome> {
    let target = Target::of(carrier, &task.request.resource)
        .map_err(|reason| failed("States.Runtime", reason))?;
    let call = target
        .request(task.request.parameters.value())
        .map_err(|reason| not_startable(task, &reason))?;
    let answer = carrier.carry(target.service, call).await.map_err(|cause| {
        failed(
            format!("{}.SdkClientException", target.service.prefix),
            cause,
        )
    })?;
    match answer.status().is_success() {
        true => Ok(called(target.result(&answer), target.waits)),
        false => Err(target.failure(&answer)),
    }
}
