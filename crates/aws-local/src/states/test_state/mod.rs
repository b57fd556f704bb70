//! `TestState`: one state, tried alone, with a mock in place of its service or with the service itself.
//!
//! The request is read and checked here, together with its mock ([`mock`]), what the mock has to look like ([`crate::models`]) and a
//! given context object ([`context`]). What the state does is `asl`'s business ([`asl::trial`]); what comes out is written in
//! AWS's words ([`answer`]).
//!
//! Source: API reference, `TestState`; recorded answers.

mod answer;
mod context;
mod mock;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use asl::model::Kind;
use asl::trial::{Progress, Report, Running, Setup, Trial};
use asl::{Data, Env, Failure, Identity, Pattern, Resource, TaskRequest};
use engine::{TaskOutcome, TaskRun, TaskRunner as _};
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::answer::Level;
use self::mock::{Mock, MockMember, Outcome};
use super::executions::execution_input;
use super::validate::{ARN, Check, DEFINITION, NAME, PAYLOAD};
use super::{Answer, StepFunctions, arn, definition, error};
use crate::map_run::dataset;
use crate::protocol::json::JsonError;

/// A trial runs no longer.
const LONGEST: Duration = Duration::from_secs(300);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestState {
    definition: Option<String>,
    role_arn: Option<String>,
    input: Option<String>,
    inspection_level: Option<String>,
    reveal_secrets: Option<bool>,
    variables: Option<String>,
    state_name: Option<String>,
    mock: Option<MockMember>,
    context: Option<String>,
    state_configuration: Option<ConfigurationMember>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfigurationMember {
    retrier_retry_count: Option<i64>,
    error_caused_by_state: Option<String>,
    map_iteration_failure_count: Option<i64>,
    map_item_reader_data: Option<String>,
}

/// A request whose members are as they must be.
struct Asked {
    definition: String,
    state_name: Option<String>,
    role_arn: Option<String>,
    input: Data,
    variables: BTreeMap<Arc<str>, Data>,
    level: Level,
    reveal_secrets: bool,
    mock: Option<Mock>,
    context: Option<String>,
    configuration: Configuration,
}

/// `stateConfiguration`
#[derive(Debug, Default)]
struct Configuration {
    retries: u32,
    error_caused_by: Option<String>,
    failed_iterations: u64,
    reader_data: Option<String>,
}

impl TestState {
    fn check(self) -> Result<Asked, JsonError> {
        let mut check = Check::default();
        let definition = check.required("definition", self.definition, DEFINITION);
        let role_arn = check.text("roleArn", self.role_arn, ARN);
        let input = check.text("input", self.input, PAYLOAD);
        let level = check.word(
            "inspectionLevel",
            self.inspection_level,
            Level::read,
            "INFO, TRACE, DEBUG",
        );
        let variables = check.text("variables", self.variables, PAYLOAD);
        let state_name = check.text("stateName", self.state_name, NAME);
        let mock = self.mock.map(|mock| mock.check(&mut check));
        let context = check.text("context", self.context, PAYLOAD);
        let given = self.state_configuration.unwrap_or_default();
        let most = i64::from(i32::MAX);
        let mut number = |member: &str, value| {
            let place = format!("stateConfiguration.{member}");
            let number = check.number(&place, value, 0, most).unwrap_or(0);
            u32::try_from(number).unwrap_or_default()
        };
        let retries = number("retrierRetryCount", given.retrier_retry_count);
        let failed = number(
            "mapIterationFailureCount",
            given.map_iteration_failure_count,
        );
        let error_caused_by = check.text(
            "stateConfiguration.errorCausedByState",
            given.error_caused_by_state,
            NAME,
        );
        let reader_data = check.text(
            "stateConfiguration.mapItemReaderData",
            given.map_item_reader_data,
            PAYLOAD,
        );
        check.done()?;
        if let Some(role) = &role_arn {
            arn::role(role)?;
        }
        let input = execution_input(input)?;
        Ok(Asked {
            definition,
            state_name,
            role_arn,
            input,
            variables: read_variables(variables)?,
            level: level.unwrap_or_default(),
            reveal_secrets: self.reveal_secrets.unwrap_or_default(),
            mock: mock.map(Mock::read).transpose()?,
            context,
            configuration: Configuration {
                retries,
                error_caused_by,
                failed_iterations: failed.into(),
                reader_data,
            },
        })
    }
}

fn read_variables(text: Option<String>) -> Result<BTreeMap<Arc<str>, Data>, JsonError> {
    let Some(text) = text else {
        return Ok(BTreeMap::new());
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(members)) => Ok(members
            .into_iter()
            .map(|(name, value)| (name.into(), Data::new(value)))
            .collect()),
        _ => Err(error::validation("Variables must be a valid JSON object.")),
    }
}

impl StepFunctions {
    pub(super) async fn test_state(&self, request: TestState) -> Answer {
        let asked = request.check()?;
        let trial = asked.trial()?;
        asked.check_state(&trial)?;
        let context = match &asked.context {
            None => None,
            Some(text) => Some(context::read(text, trial.state())?),
        };
        let setup = Setup {
            identity: self.identity(&asked),
            input: asked.input.clone(),
            variables: asked.variables.clone(),
            context,
            reader_data: asked.reader_data(&trial)?,
        };
        let progress = trial.begin(setup, &env()).map_err(corrupt)?;
        let report = match progress {
            Progress::Over(report) => *report,
            Progress::Wait(running, due) => {
                let wait = u64::try_from(due - now()).unwrap_or_default();
                wait_for(running, Duration::from_millis(wait)).await?
            }
            Progress::Branches(running) => asked.end(*running)?,
            Progress::Task(running, _) if asked.mock.is_some() => asked.end(*running)?,
            Progress::Task(running, task) => self.call(*running, *task).await?,
        };
        answer::write(report, asked.level)
    }

    /// An Express execution of a state machine that nobody sees.
    fn identity(&self, asked: &Asked) -> Identity {
        let (region, account) = (self.engine.region(), self.engine.account());
        let (machine, name) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
        let place = format!("arn:aws:states:{region}:{account}");
        let role = format!("arn:aws:iam::{account}:role/{machine}");
        Identity {
            execution_arn: format!("{place}:express:{machine}:{name}"),
            name,
            role_arn: asked.role_arn.clone().unwrap_or(role),
            state_machine_arn: format!("{place}:stateMachine:{machine}"),
            state_machine_name: machine,
            version_arn: None,
            alias_arn: None,
            key: 0,
        }
    }

    /// Lets the service do what the state asks for.
    async fn call(&self, running: Running<'_>, request: TaskRequest) -> Result<Report, JsonError> {
        let Some(runner) = self.tasks.get() else {
            return Err(JsonError::internal());
        };
        let timeout = request.timeout.map_or(LONGEST, Duration::from_secs);
        let cancelled = CancellationToken::new();
        let _cancel_at_the_end = cancelled.clone().drop_guard();
        let run = TaskRun {
            execution_arn: running.identity().execution_arn.clone(),
            state_machine_arn: running.identity().state_machine_arn.clone(),
            request,
            cancelled,
            submission: engine::Submission::default(),
        };
        let outcome = tokio::time::timeout(timeout.min(LONGEST), runner.run(run)).await;
        let failure = match outcome {
            Ok(TaskOutcome::Succeeded(result)) => {
                return running.succeeded(&result, &env()).map_err(corrupt);
            }
            Ok(TaskOutcome::Failed { error, cause } | TaskOutcome::JobFailed { error, cause }) => {
                Failure::new(error, cause)
            }
            Ok(TaskOutcome::TimedOut(_)) | Err(_) => Failure::named("States.Timeout"),
            // Only tasks that wait answer so, and those need a mock.
            Ok(TaskOutcome::Submitted(_) | TaskOutcome::Offered) => {
                return Err(JsonError::internal());
            }
        };
        running.failed(failure, 0, &env()).map_err(corrupt)
    }
}

async fn wait_for(running: Box<Running<'_>>, time: Duration) -> Result<Report, JsonError> {
    tokio::time::sleep(time.min(LONGEST)).await;
    if time > LONGEST {
        let failure = Failure::named("States.Timeout");
        return running.failed(failure, 0, &env()).map_err(corrupt);
    }
    running.waited(&env()).map_err(corrupt)
}

impl Asked {
    fn trial(&self) -> Result<Trial, JsonError> {
        let invalid =
            |found: Vec<asl::Diagnostic>| error::invalid_definition(definition::errors(&found));
        let Some(name) = &self.state_name else {
            return Trial::of_state(&self.definition).map_err(invalid);
        };
        let trial = Trial::of_machine(&self.definition, name).map_err(invalid)?;
        trial.ok_or_else(|| {
            error::validation(format!(
                "State '{name}' not found in the state machine definition"
            ))
        })
    }

    /// Whether the request's other members fit the state.
    fn check_state(&self, trial: &Trial) -> Result<(), JsonError> {
        let state = trial.state();
        let kind = state.state_kind().name();
        let refuse = |message: &str| Err(error::validation(message));
        let Some(mock) = &self.mock else {
            return match state.kind() {
                Kind::Map(_) | Kind::Parallel(_) => Err(error::definition_not_testable(
                    "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]",
                )),
                _ if self.context.is_some() => {
                    refuse("A Context object can only be specified when a mock is specified.")
                }
                Kind::Task(task) => match &task.resource {
                    Resource::Activity { .. } => Err(error::definition_not_testable(
                        "TestState API does not support Activity tasks when a mock is not specified.",
                    )),
                    Resource::Integration { pattern, .. }
                        if *pattern != Pattern::RequestResponse =>
                    {
                        Err(error::definition_not_testable(
                            "TestState API does not support '.sync' or '.waitForTaskToken' service integration patterns when a mock is not specified.",
                        ))
                    }
                    _ if self.role_arn.is_none() => {
                        refuse("RoleArn must be specified when testing a Task state")
                    }
                    _ => Ok(()),
                },
                _ => Ok(()),
            };
        };
        if !matches!(
            state.kind(),
            Kind::Task(_) | Kind::Map(_) | Kind::Parallel(_)
        ) {
            return refuse(&format!(
                "State type '{kind}' is not supported when a mock is specified"
            ));
        }
        if self.reveal_secrets {
            return refuse("TestState does not support RevealSecrets when a mock is specified.");
        }
        if let Some(name) = &self.configuration.error_caused_by
            && !trial.has_inside(name)
        {
            return refuse(&format!(
                "The state '{name}' specified in ErrorCausedByState is not a state inside the tested state."
            ));
        }
        mock.check_result(trial)
    }

    /// What a Map's ItemReader has read.
    fn reader_data(&self, trial: &Trial) -> Result<Option<Data>, JsonError> {
        let Kind::Map(map) = trial.state().kind() else {
            return Ok(None);
        };
        let reader = map.distributed.as_ref().and_then(|it| it.reader.as_ref());
        let (Some(reader), Some(text)) = (reader, &self.configuration.reader_data) else {
            return Ok(None);
        };
        let items = dataset::parse(text, &reader.format, "STATE_DATA").map_err(|reason| {
            error::validation(format!("Map item reader data could not be read: {reason}"))
        })?;
        let items = items.iter().map(|item| item.input().value().clone());
        Ok(Some(Data::new(items.collect())))
    }

    /// Ends the trial as the mock says.
    fn end(&self, running: Running<'_>) -> Result<Report, JsonError> {
        let failed = self.configuration.failed_iterations;
        if let Some(items) = running.items()
            && failed > items as u64
        {
            return Err(error::validation(
                "Map iteration failure count must be less than or equal to the number of Map iterations",
            ));
        }
        let ended = match (
            running.exceeded(failed),
            self.mock.as_ref().map(Mock::outcome),
        ) {
            (Some(failure), _) => running.failed(failure, self.configuration.retries, &env()),
            (None, Some(Outcome::Result(result))) => running.succeeded(result, &env()),
            (None, Some(Outcome::Error(failure))) => {
                running.failed(failure.clone(), self.configuration.retries, &env())
            }
            (None, None) => return Err(JsonError::internal()),
        };
        ended.map_err(corrupt)
    }
}

fn env() -> Env {
    let mut seed = [0; 32];
    let (first, second) = seed.split_at_mut(16);
    first.copy_from_slice(Uuid::new_v4().as_bytes());
    second.copy_from_slice(Uuid::new_v4().as_bytes());
    Env { now: now(), seed }
}

fn now() -> asl::Millis {
    jiff::Timestamp::now().as_millisecond()
}

/// The interpreter met a state that it had just made itself, and did not know it.
fn corrupt(refusal: asl::Refusal) -> JsonError {
    super::unnamed(&refusal)
}
