//! A data directory, a clock that only the test moves, and an engine on them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asl::Data;
use engine::{
    AbandonedTask, Description, Engine, MachineKind, ManualClock, NewMachine, Page, Settings,
    StartRequest, Started, StorageError, TaskOutcome, TaskRun, TaskRunner,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

pub(crate) struct Fixture {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) engine: Engine,
    pub(crate) tasks: Tasks,
    settings: Settings,
}

impl Fixture {
    pub(crate) fn new() -> Fixture {
        Fixture::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Fixture {
        let clock = ManualClock::new(1_700_000_000_000);
        let settings = Settings {
            clock: Arc::new(clock.clone()),
            ..settings
        };
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::open(directory.path(), settings.clone()).unwrap();
        Fixture {
            directory,
            clock,
            engine,
            tasks: Tasks::default(),
            settings,
        }
    }

    /// With executions running.
    pub(crate) fn started() -> Fixture {
        let mut f = Fixture::new();
        f.start();
        f
    }

    pub(crate) fn start(&mut self) {
        let (tasks, runner) = Tasks::new();
        self.tasks = tasks;
        self.engine.start(Arc::new(runner)).unwrap();
    }

    /// As after a crash: the old engine is dropped without a word. Not started again.
    pub(crate) fn reopen(self) -> Fixture {
        self.reopen_after(|_| {})
    }

    /// The same, with something done to `engine.db` in between.
    pub(crate) fn reopen_after(self, damage: impl FnOnce(&Path)) -> Fixture {
        let Fixture {
            directory,
            clock,
            engine,
            settings,
            ..
        } = self;
        drop(engine);
        damage(&directory.path().join("engine.db"));
        let engine = Engine::open(directory.path(), settings.clone()).unwrap();
        Fixture {
            directory,
            clock,
            engine,
            tasks: Tasks::default(),
            settings,
        }
    }

    pub(crate) fn crash(self) -> Fixture {
        let mut f = self.reopen();
        f.start();
        f
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Makes a machine of this name; its ARN.
    pub(crate) async fn machine(&self, name: &str, definition: Value) -> String {
        self.engine
            .machines()
            .create(new_machine(name, &definition))
            .await
            .unwrap()
            .arn
    }

    pub(crate) async fn begin(&self, machine: &str, name: &str, input: Value) -> Started {
        let request = StartRequest {
            name: Some(name.to_owned()),
            ..StartRequest::new(machine, Data::new(input))
        };
        self.engine.executions().start(request).await.unwrap()
    }

    /// The execution, once it has ended.
    pub(crate) async fn end_of(&self, arn: &str) -> Description {
        let mut ended = self.engine.executions().ended();
        loop {
            let described = self.engine.executions().describe(arn).await.unwrap();
            if described.summary.status != asl::Status::Running {
                return described;
            }
            ended.recv().await.unwrap();
        }
    }

    /// The types of the events.
    pub(crate) async fn history(&self, arn: &str) -> Vec<String> {
        let page = Page {
            max: 100_000,
            token: None,
        };
        let history = self
            .engine
            .executions()
            .history(arn, false, page)
            .await
            .unwrap();
        assert_eq!(history.next, None);
        history
            .items
            .iter()
            .map(|entry| entry.history().unwrap().heading().event_type)
            .collect()
    }
}

pub(crate) fn new_machine(name: &str, definition: &Value) -> NewMachine {
    NewMachine {
        name: name.to_owned(),
        definition: definition.to_string(),
        role_arn: "arn:aws:iam::000000000000:role/r".to_owned(),
        kind: MachineKind::Standard,
        settings: json!({}),
    }
}

/// Two Pass states.
pub(crate) fn passes() -> Value {
    json!({"StartAt": "A", "QueryLanguage": "JSONata", "States": {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Pass", "Output": {"got": "{% $states.input %}"}, "End": true},
    }})
}

/// One call of a Lambda function, whose result is the output.
pub(crate) fn call() -> Value {
    json!({"StartAt": "Call", "QueryLanguage": "JSONata", "States": {
        "Call": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "f", "Payload": "{% $states.input %}"},
            "End": true,
        },
    }})
}

/// One call that is answered by token.
pub(crate) fn callback() -> Value {
    json!({"StartAt": "Ask", "QueryLanguage": "JSONata", "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Arguments": {"FunctionName": "f", "Payload": {"token": "{% $states.context.Task.Token %}"}},
            "TimeoutSeconds": 600,
            "End": true,
        },
    }})
}

/// One call whose job the state waits for.
pub(crate) fn job() -> Value {
    json!({"StartAt": "Job", "QueryLanguage": "JSONata", "States": {
        "Job": {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync",
            "Arguments": {"StateMachineArn": "m", "Input": "{% $states.input %}"},
            "End": true,
        },
    }})
}

/// A wait of so many seconds.
pub(crate) fn wait(seconds: u32) -> Value {
    json!({"StartAt": "W", "QueryLanguage": "JSONata", "States": {
        "W": {"Type": "Wait", "Seconds": seconds, "Next": "P"},
        "P": {"Type": "Pass", "End": true},
    }})
}

/// A task that the engine runs, waiting for the test to say how it ends.
pub(crate) struct Call {
    pub(crate) run: TaskRun,
    answer: oneshot::Sender<TaskOutcome>,
}

impl Call {
    pub(crate) fn answer(self, outcome: TaskOutcome) {
        // The engine may have been closed meanwhile.
        let _ = self.answer.send(outcome);
    }

    pub(crate) fn succeed(self, output: Value) {
        self.answer(TaskOutcome::Succeeded(Data::new(output)));
    }

    pub(crate) fn token(&self) -> String {
        self.run.request.token.clone().unwrap()
    }
}

/// The test's end of a runner: every task that is run, in order.
#[derive(Default)]
pub(crate) struct Tasks {
    calls: Option<mpsc::UnboundedReceiver<Call>>,
    abandoned: Option<mpsc::UnboundedReceiver<Abandoned>>,
    /// How often each effect was asked for.
    pub(crate) seen: Arc<Mutex<HashMap<String, u32>>>,
}

/// A job that the engine has ended, waiting for the test to say whether that worked.
type Abandoned = (AbandonedTask, oneshot::Sender<Result<(), StorageError>>);

struct Runner {
    calls: mpsc::UnboundedSender<Call>,
    abandoned: mpsc::UnboundedSender<Abandoned>,
    seen: Arc<Mutex<HashMap<String, u32>>>,
}

impl Tasks {
    fn new() -> (Tasks, Runner) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (abandoned, ending) = mpsc::unbounded_channel();
        let seen = Arc::<Mutex<HashMap<String, u32>>>::default();
        (
            Tasks {
                calls: Some(receiver),
                abandoned: Some(ending),
                seen: Arc::clone(&seen),
            },
            Runner {
                calls: sender,
                abandoned,
                seen,
            },
        )
    }

    pub(crate) async fn next(&mut self) -> Call {
        self.calls.as_mut().unwrap().recv().await.unwrap()
    }

    /// The next job that is ended; how that goes.
    pub(crate) async fn abandoned(&mut self, goes: Result<(), StorageError>) -> AbandonedTask {
        let ending = self.abandoned.as_mut().unwrap().recv().await;
        let (task, answer) = ending.unwrap();
        answer.send(goes).unwrap();
        task
    }

    /// Whether no job is being ended.
    pub(crate) fn none_abandoned(&mut self) -> bool {
        self.abandoned.as_mut().unwrap().is_empty()
    }
}

impl TaskRunner for Runner {
    fn run(&self, run: TaskRun) -> BoxFuture<'static, TaskOutcome> {
        *self.seen.lock().unwrap().entry(run.effect()).or_default() += 1;
        let (answer, outcome) = oneshot::channel();
        self.calls.send(Call { run, answer }).unwrap();
        async move { outcome.await.unwrap() }.boxed()
    }

    fn abandon(&self, task: AbandonedTask) -> BoxFuture<'static, Result<(), StorageError>> {
        let (answer, goes) = oneshot::channel();
        self.abandoned.send((task, answer)).unwrap();
        async move { goes.await.unwrap() }.boxed()
    }
}
