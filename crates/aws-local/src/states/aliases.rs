//! `CreateStateMachineAlias`, `UpdateStateMachineAlias`, `DescribeStateMachineAlias`, `ListStateMachineAliases`,
//! `DeleteStateMachineAlias`: names that route executions to one or two versions.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::arn::{MachineArn, Qualifier};
use super::page::Asked;
use super::validate::{ALIAS_NAME, ARN, Check, DESCRIPTION, PAGE_TOKEN};
use super::{Answer, StepFunctions, error, seconds};
use crate::protocol::json::{JsonError, answer, no_content};

/// The documents: machine ARN and name → alias.
const DOCUMENTS: &str = "states.alias";

/// The most aliases a state machine can have.
const MOST: usize = 100;

/// An alias.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Alias {
    pub(super) name: String,
    description: Option<String>,
    routes: Vec<Route>,
    created: asl::Millis,
    updated: asl::Millis,
}

/// `RoutingConfigurationListItem`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Route {
    state_machine_version_arn: String,
    weight: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RouteMember {
    state_machine_version_arn: Option<String>,
    weight: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateStateMachineAlias {
    description: Option<String>,
    name: Option<String>,
    routing_configuration: Option<Vec<RouteMember>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    creation_date: f64,
    state_machine_alias_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateStateMachineAlias {
    state_machine_alias_arn: Option<String>,
    description: Option<String>,
    routing_configuration: Option<Vec<RouteMember>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Updated {
    update_date: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NamedAlias {
    state_machine_alias_arn: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    creation_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    name: String,
    routing_configuration: Vec<Route>,
    state_machine_alias_arn: String,
    update_date: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListStateMachineAliases {
    state_machine_arn: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AliasList {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    state_machine_aliases: Vec<Listed>,
}

impl Alias {
    pub(super) fn routes_to(&self, version: &str) -> bool {
        self.routes
            .iter()
            .any(|route| route.state_machine_version_arn == version)
    }

    /// The version that takes an execution; `draw` is any number.
    pub(super) fn choose(&self, draw: u128) -> Option<&str> {
        let mut left = i64::try_from(draw % 100).unwrap_or_default();
        for route in &self.routes {
            left -= route.weight;
            if left < 0 {
                return Some(&route.state_machine_version_arn);
            }
        }
        None
    }

    fn listed(&self, machine: &str) -> Listed {
        Listed {
            creation_date: seconds(self.created),
            state_machine_alias_arn: format!("{machine}:{}", self.name),
        }
    }
}

fn key(machine: &str, name: &str) -> String {
    format!("{machine}:{name}")
}

/// Checks each route by itself.
fn check_routes(check: &mut Check, members: Vec<RouteMember>) -> Vec<Route> {
    let mut routes = Vec::new();
    let count = members.len();
    let mut shown = String::new();
    for (place, member) in (1..).zip(members) {
        let at = |name: &str| format!("routingConfiguration.{place}.member.{name}");
        let arn = check.required(
            &at("stateMachineVersionArn"),
            member.state_machine_version_arn,
            ARN,
        );
        if member.weight.is_none() {
            check.missing(&at("weight"));
        }
        let weight = check
            .number(&at("weight"), member.weight, 0, 100)
            .unwrap_or_default();
        let comma = if place == 1 { "" } else { ", " };
        // Writing to a text cannot fail.
        let _ = write!(
            shown,
            "{comma}RoutingConfigurationListItem(stateMachineVersionArn={arn}, weight={weight})"
        );
        routes.push(Route {
            state_machine_version_arn: arn,
            weight,
        });
    }
    check.count(
        "routingConfiguration",
        format_args!("[{shown}]"),
        count,
        1,
        2,
    );
    routes
}

/// Rules between routes. Returns the state machine whose versions they name.
fn check_rules(routes: &[Route]) -> Result<String, JsonError> {
    let arns: Vec<&str> = routes
        .iter()
        .map(|route| route.state_machine_version_arn.as_str())
        .collect();
    let received = format!("Received: [{}]", arns.join(", "));
    let mut machines = Vec::new();
    for arn in &arns {
        let arn = MachineArn::parse(arn)?;
        if !matches!(arn.qualifier, Qualifier::Version(_)) {
            return Err(error::invalid_routing(format!(
                "Routing configuration must contain state machine version ARNs. {received}"
            )));
        }
        machines.push(arn.machine);
    }
    if arns.len() == 2 && arns[0] == arns[1] {
        return Err(error::invalid_routing(format!(
            "Routing configuration must contain distinct state machine version ARNs. {received}"
        )));
    }
    if machines.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(error::invalid_routing(format!(
            "Routing configuration must contain versions of the same state machine. {received}"
        )));
    }
    let weights: Vec<String> = routes
        .iter()
        .map(|route| route.weight.to_string())
        .collect();
    if routes.iter().map(|route| route.weight).sum::<i64>() != 100 {
        return Err(error::invalid_routing(format!(
            "Sum of routing configuration weights must equal 100. Received: [{}]",
            weights.join(", ")
        )));
    }
    machines
        .into_iter()
        .next()
        .ok_or_else(error::resource_not_found)
}

impl StepFunctions {
    pub(super) async fn create_state_machine_alias(
        &self,
        request: CreateStateMachineAlias,
    ) -> Answer {
        let mut check = Check::default();
        let name = check.required("name", request.name, ALIAS_NAME);
        let description = check.text("description", request.description, DESCRIPTION);
        if request.routing_configuration.is_none() {
            check.missing("routingConfiguration");
        }
        let routes = request
            .routing_configuration
            .map(|members| check_routes(&mut check, members))
            .unwrap_or_default();
        check.done()?;
        let machine = check_rules(&routes)?;
        let _alone = self.administration.lock().await;
        self.check_versions_exist(&routes).await?;
        let aliases = self.aliases(&machine).await?;
        if let Some(alias) = aliases.iter().find(|alias| alias.name == name) {
            if alias.description == description && alias.routes == routes {
                return answer(&alias.listed(&machine));
            }
            return Err(error::conflict(
                "Failed to create alias because an alias with the same name and a different routing configuration already exists.",
            ));
        }
        if aliases.len() >= MOST {
            return Err(error::service_quota_exceeded(format!(
                "The maximum number of aliases of a state machine is {MOST}; delete one that is not used"
            )));
        }
        let now = self.engine.now();
        let alias = Alias {
            name,
            description,
            routes,
            created: now,
            updated: now,
        };
        self.change(vec![super::put(
            DOCUMENTS,
            &key(&machine, &alias.name),
            &alias,
        )?])
        .await?;
        answer(&alias.listed(&machine))
    }

    pub(super) async fn update_state_machine_alias(
        &self,
        request: UpdateStateMachineAlias,
    ) -> Answer {
        let mut check = Check::default();
        let arn = check.required("stateMachineAliasArn", request.state_machine_alias_arn, ARN);
        let description = check.text("description", request.description, DESCRIPTION);
        let routes = request
            .routing_configuration
            .map(|members| check_routes(&mut check, members));
        check.done()?;
        if description.is_none() && routes.is_none() {
            return Err(error::unfit(
                "MISSING_REQUIRED_PARAMETER",
                "Either the description or the routing configuration must be specified",
            ));
        }
        let (machine, name) = alias_arn(&arn)?;
        let _alone = self.administration.lock().await;
        let mut alias = self.existing_alias(&machine, &name).await?;
        if let Some(routes) = routes {
            if check_rules(&routes)? != machine {
                return Err(error::invalid_routing(
                    "Routing configuration must contain versions of the alias's own state machine.",
                ));
            }
            self.check_versions_exist(&routes).await?;
            alias.routes = routes;
        }
        if let Some(description) = description {
            alias.description = Some(description);
        }
        alias.updated = self.engine.now();
        self.change(vec![super::put(
            DOCUMENTS,
            &key(&machine, &alias.name),
            &alias,
        )?])
        .await?;
        answer(&Updated {
            update_date: seconds(alias.updated),
        })
    }

    pub(super) async fn describe_state_machine_alias(&self, request: NamedAlias) -> Answer {
        let (machine, name) = request.check()?;
        let alias = self.existing_alias(&machine, &name).await?;
        answer(&Described {
            creation_date: seconds(alias.created),
            description: alias.description,
            routing_configuration: alias.routes,
            state_machine_alias_arn: format!("{machine}:{name}"),
            update_date: seconds(alias.updated),
            name,
        })
    }

    pub(super) async fn delete_state_machine_alias(&self, request: NamedAlias) -> Answer {
        let (machine, name) = request.check()?;
        let _alone = self.administration.lock().await;
        self.existing_alias(&machine, &name).await?;
        self.change(vec![engine::Change::delete(
            DOCUMENTS,
            &key(&machine, &name),
        )])
        .await?;
        no_content()
    }

    pub(super) async fn list_state_machine_aliases(
        &self,
        request: ListStateMachineAliases,
    ) -> Answer {
        let mut check = Check::default();
        let arn = check.required("stateMachineArn", request.state_machine_arn, ARN);
        let asked = Asked::check(
            &mut check,
            request.max_results,
            request.next_token,
            PAGE_TOKEN,
        );
        check.done()?;
        let page = asked.of(&["ListStateMachineAliases", &arn])?;
        let arn = MachineArn::parse(&arn)?;
        self.machine(&arn.machine)?;
        let mut aliases = self.aliases(&arn.machine).await?;
        match &arn.qualifier {
            Qualifier::None => {}
            Qualifier::Version(_) => aliases.retain(|alias| alias.routes_to(&arn.text)),
            Qualifier::Alias(_) => return Err(error::state_machine_does_not_exist(&arn.text)),
        }
        let (aliases, next_token) = page.cut(aliases, |alias| alias.name.clone());
        answer(&AliasList {
            next_token,
            state_machine_aliases: aliases
                .iter()
                .map(|alias| alias.listed(&arn.machine))
                .collect(),
        })
    }

    /// The aliases of a machine, by name.
    pub(super) async fn aliases(&self, machine: &str) -> Result<Vec<Alias>, JsonError> {
        self.documents_of(DOCUMENTS, machine).await
    }

    /// One alias of a machine.
    pub(super) async fn alias(
        &self,
        machine: &str,
        name: &str,
    ) -> Result<Option<Alias>, JsonError> {
        self.document(DOCUMENTS, &key(machine, name)).await
    }

    /// The steps that forget all aliases of a machine.
    pub(super) async fn forget_aliases(
        &self,
        machine: &str,
    ) -> Result<Vec<engine::Change>, JsonError> {
        let aliases = self.aliases(machine).await?;
        Ok(aliases
            .iter()
            .map(|alias| engine::Change::delete(DOCUMENTS, &key(machine, &alias.name)))
            .collect())
    }

    async fn existing_alias(&self, machine: &str, name: &str) -> Result<Alias, JsonError> {
        self.alias(machine, name)
            .await?
            .ok_or_else(error::resource_not_found)
    }

    async fn check_versions_exist(&self, routes: &[Route]) -> Result<(), JsonError> {
        for route in routes {
            let arn = MachineArn::parse(&route.state_machine_version_arn)?;
            let Qualifier::Version(number) = arn.qualifier else {
                return Err(error::resource_not_found());
            };
            if self.version(&arn.machine, number).await?.is_none() {
                return Err(error::resource_not_found());
            }
        }
        Ok(())
    }
}

impl NamedAlias {
    fn check(self) -> Result<(String, String), JsonError> {
        let mut check = Check::default();
        let arn = check.required("stateMachineAliasArn", self.state_machine_alias_arn, ARN);
        check.done()?;
        alias_arn(&arn)
    }
}

/// Machine and name in the ARN of an alias.
fn alias_arn(text: &str) -> Result<(String, String), JsonError> {
    let arn = MachineArn::parse(text)?;
    match arn.qualifier {
        Qualifier::Alias(name) => Ok((arn.machine, name)),
        _ => Err(error::resource_not_found()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_falls_by_the_weights() {
        let route = |arn: &str, weight| Route {
            state_machine_version_arn: arn.into(),
            weight,
        };
        let alias = Alias {
            name: "live".into(),
            description: None,
            routes: vec![route("m:1", 90), route("m:2", 10)],
            created: 0,
            updated: 0,
        };
        let chosen: Vec<_> = (0..100).map(|draw| alias.choose(draw)).collect();
        assert_eq!(chosen.iter().filter(|arn| **arn == Some("m:1")).count(), 90);
        assert_eq!(chosen.iter().filter(|arn| **arn == Some("m:2")).count(), 10);
    }
}
