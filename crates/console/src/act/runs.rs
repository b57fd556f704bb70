//! Work under way: a list of pieces, done a few at a time in the background, with a result for each.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::response::{IntoResponse, Redirect, Response};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use operate::{AT_ONCE, clear};
use rand::RngExt;
use tokio::sync::watch;

use super::audit::{Line, Outcome};
use super::form::Who;
use super::work::{Done, Work};
use crate::app::App;

/// Runs whose results are kept; the audit keeps all.
const KEPT: usize = 200;
/// How long the answer to a form waits for the work, so that a short one is finished on the page that follows.
const PATIENCE: Duration = Duration::from_secs(2);

/// The runs of this process, newest last.
#[derive(Debug, Default)]
pub(crate) struct Runs(Mutex<VecDeque<Arc<Run>>>);

/// A list of pieces of work.
#[derive(Debug)]
pub(crate) struct Run {
    pub id: String,
    /// `Replay 3 parked tasks`
    pub title: String,
    pub began: Timestamp,
    pub who: Who,
    state: Mutex<Progress>,
    /// Gone when the run has ended.
    changed: Mutex<Option<watch::Sender<u64>>>,
}

/// How far a run is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub steps: Vec<Step>,
    /// What else was done or not: messages cleared.
    pub notes: Vec<String>,
    pub is_over: bool,
}

/// One piece of work, for people.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub label: String,
    pub action: &'static str,
    /// The execution it is done to, until there is a newer one to look at.
    pub execution: Option<String>,
    pub result: Option<Outcome>,
}

impl Progress {
    pub(crate) fn done(&self) -> usize {
        self.steps.iter().filter(|s| s.result.is_some()).count()
    }

    pub(crate) fn failed(&self) -> usize {
        let results = self.steps.iter().filter_map(|s| s.result.as_ref());
        results.filter(|r| !r.ok).count()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What it guards is whole after every step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Runs {
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Run>> {
        locked(&self.0).iter().find(|run| run.id == id).cloned()
    }

    fn keep(&self, run: Arc<Run>) {
        let mut runs = locked(&self.0);
        runs.push_back(run);
        if runs.len() > KEPT {
            runs.pop_front();
        }
    }
}

impl Run {
    pub(crate) fn progress(&self) -> Progress {
        locked(&self.state).clone()
    }

    /// Told of every step, until the run ends.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        match &*locked(&self.changed) {
            Some(sender) => sender.subscribe(),
            // A receiver whose sender is gone: nothing will change.
            None => watch::channel(0).1,
        }
    }

    fn step(&self, place: usize, outcome: Outcome, execution: Option<String>) {
        {
            let mut state = locked(&self.state);
            if let Some(step) = state.steps.get_mut(place) {
                step.result = Some(outcome);
                step.execution = execution.or(step.execution.take());
            }
        }
        self.tell();
    }

    fn tell(&self) {
        if let Some(sender) = &*locked(&self.changed) {
            sender.send_modify(|n| *n += 1);
        }
    }

    fn end(&self, note: Option<String>) {
        {
            let mut state = locked(&self.state);
            state.notes.extend(note);
            state.is_over = true;
        }
        *locked(&self.changed) = None;
    }

    /// Waits until the run ends.
    async fn ended(&self) {
        let mut changes = self.changes();
        while changes.changed().await.is_ok() {}
    }
}

/// Begins to work and answers with the run's page. The work goes on whether or not somebody looks.
pub(crate) async fn begin(app: &Arc<App>, who: Who, title: String, works: Vec<Work>) -> Response {
    let random: [u8; 9] = rand::rng().random();
    let id: String = random.iter().map(|b| format!("{b:02x}")).collect();
    let step = |work: &Work| Step {
        label: work.label(),
        action: work.action(),
        execution: work
            .target()
            .contains(":execution:")
            .then(|| work.target().to_owned()),
        result: None,
    };
    let run = Arc::new(Run {
        id: id.clone(),
        title,
        began: Timestamp::now(),
        who,
        state: Mutex::new(Progress {
            steps: works.iter().map(step).collect(),
            ..Progress::default()
        }),
        changed: Mutex::new(Some(watch::Sender::new(0))),
    });
    app.act.runs.keep(run.clone());
    tokio::spawn(work_through(app.clone(), run.clone(), works));
    // Only for who has no script: the page follows by itself.
    let _ = tokio::time::timeout(PATIENCE, run.ended()).await;
    Redirect::to(&format!("/runs/{id}")).into_response()
}

async fn work_through(app: Arc<App>, run: Arc<Run>, works: Vec<Work>) {
    let works: Arc<[Work]> = works.into();
    let mut results = stream::iter(0..works.len())
        .map(|place| {
            let (app, run, works) = (app.clone(), run.clone(), works.clone());
            async move {
                let (outcome, done) = audited(&app, &run, place, &works[place]).await;
                (place, outcome, done)
            }
        })
        .buffer_unordered(AT_ONCE);
    let mut answered = Vec::new();
    while let Some((place, outcome, done)) = results.next().await {
        if done.is_some() {
            answered.extend(works[place].answers().cloned());
        }
        run.step(place, outcome, done.and_then(|d| d.execution));
    }
    app.changed_here();
    let note = if answered.is_empty() {
        None
    } else {
        cleared(clear::clear(&app.at, &answered).await)
    };
    run.end(note);
}

/// Does one piece between its two lines of the audit.
async fn audited(app: &App, run: &Run, place: usize, work: &Work) -> (Outcome, Option<Done>) {
    let line = Line {
        id: format!("{}-{place}", run.id),
        at: Timestamp::now(),
        who: run.who.clone(),
        action: work.action().to_owned(),
        target: work.target().to_owned(),
        what: work.what(),
        result: None,
    };
    if let Err(error) = app.act.audit.write(line.clone()).await {
        tracing::error!(%error, "the audit cannot be written");
        let said = format!("not done: the audit cannot be written ({error})");
        return (Outcome { ok: false, said }, None);
    }
    let (outcome, done) = match work.perform(&app.at).await {
        Ok(done) => {
            let outcome = Outcome {
                ok: !done.was_stale,
                said: done.said.clone(),
            };
            (outcome, Some(done))
        }
        Err(error) => {
            let said = error.to_string();
            (Outcome { ok: false, said }, None)
        }
    };
    let end = Line {
        at: Timestamp::now(),
        result: Some(outcome.clone()),
        what: serde_json::Value::Null,
        ..line
    };
    if let Err(error) = app.act.audit.write(end).await {
        // The change is made; its first line is on disk.
        tracing::error!(%error, "the audit cannot be written");
    }
    (outcome, done)
}

fn cleared(result: Result<clear::Cleared, operate::OperateError>) -> Option<String> {
    match result {
        Ok(cleared) if cleared.missing > 0 => Some(format!(
            "{} message(s) were not in their queue just now; the next replay or discard clears them",
            cleared.missing
        )),
        Ok(cleared) if cleared.stale > 0 => Some(format!(
            "also cleared {} message(s) that nobody waited for any more",
            cleared.stale
        )),
        Ok(_) => None,
        Err(error) => Some(format!(
            "the answers are given, but their messages are still in the queue: {error}"
        )),
    }
}
