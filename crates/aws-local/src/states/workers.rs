//! `GetActivityTask`: tasks of activities, handed to workers.
//!
//! Offers are in memory only: the engine offers a task again after a restart, until a worker has taken it. Taking is durable
//! before the worker hears of it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use asl::Resource;
use engine::{Documents, TaskOutcome, TaskRun, TokenError};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::validate::{ARN, Check, NAME};
use super::{Answer, StepFunctions, activities, arn, error, tasks};
use crate::protocol::json::answer;
use crate::runner::Integration;

/// How long a worker's question waits for a task. Source: API reference, `GetActivityTask`.
const LONG_POLL: Duration = Duration::from_secs(60);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GetActivityTask {
    activity_arn: Option<String>,
    worker_name: Option<String>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ActivityTask {
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_token: Option<String>,
}

/// Tasks that wait for a worker. Cheap to clone.
#[derive(Clone)]
pub struct Offers {
    documents: Documents,
    by_activity: Arc<Mutex<HashMap<Arc<str>, Arc<Offered>>>>,
}

#[derive(Debug, Default)]
struct Offered {
    waiting: Mutex<VecDeque<Offer>>,
    added: Notify,
}

#[derive(Debug)]
struct Offer {
    token: String,
    input: asl::Data,
}

impl Integration for Offers {
    fn run(&self, task: TaskRun) -> BoxFuture<'static, TaskOutcome> {
        let offers = self.clone();
        async move { offers.offer(task).await }.boxed()
    }
}

impl Offers {
    pub(super) fn new(documents: Documents) -> Offers {
        Offers {
            documents,
            by_activity: Arc::default(),
        }
    }

    /// Takes in the task of an activity. Nobody would ever fetch that of an activity which does not exist.
    async fn offer(&self, run: TaskRun) -> TaskOutcome {
        let (Resource::Activity { arn }, Some(token)) = (&run.request.resource, run.request.token)
        else {
            return TaskOutcome::Failed {
                error: "States.Runtime".to_owned(),
                cause: "The task is not one that workers can take.".to_owned(),
            };
        };
        match activities::exists(&self.documents, arn).await {
            Ok(true) => {}
            Ok(false) => {
                return TaskOutcome::Failed {
                    error: "States.Runtime".to_owned(),
                    cause: format!("Activity Does Not Exist: '{arn}'"),
                };
            }
            // A disk that cannot be read now says nothing of the activity.
            Err(error) => tracing::warn!(%arn, %error, "cannot look for an activity"),
        }
        let offered = self.of(arn);
        offered.waiting().push_back(Offer {
            token,
            input: run.request.parameters,
        });
        offered.added.notify_one();
        TaskOutcome::Offered
    }

    fn of(&self, activity: &str) -> Arc<Offered> {
        let mut by_activity = self
            .by_activity
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(by_activity.entry(activity.into()).or_default())
    }
}

impl Offered {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Offer>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next(&self) -> Offer {
        loop {
            {
                let mut waiting = self.waiting();
                if let Some(offer) = waiting.pop_front() {
                    // One call of `notify_one` may stand for several offers.
                    if !waiting.is_empty() {
                        self.added.notify_one();
                    }
                    return offer;
                }
            }
            self.added.notified().await;
        }
    }
}

impl StepFunctions {
    pub(super) async fn get_activity_task(&self, request: GetActivityTask) -> Answer {
        let mut check = Check::default();
        let arn = check.required("activityArn", request.activity_arn, ARN);
        let worker = check.text("workerName", request.worker_name, NAME);
        check.done()?;
        arn::activity(&arn)?;
        if self.activity(&arn).await?.is_none() {
            return Err(error::activity_does_not_exist(&arn));
        }
        let offered = self.offers.of(&arn);
        let deadline = tokio::time::Instant::now() + LONG_POLL;
        loop {
            let Ok(offer) = tokio::time::timeout_at(deadline, offered.next()).await else {
                return answer(&ActivityTask::default());
            };
            match self
                .engine
                .executions()
                .task_started(&offer.token, worker.clone())
                .await
            {
                Ok(()) => {
                    return answer(&ActivityTask {
                        input: Some(offer.input.text().to_owned()),
                        task_token: Some(offer.token),
                    });
                }
                // It timed out, or its execution ended, before a worker came.
                Err(
                    TokenError::TaskTimedOut
                    | TokenError::TaskDoesNotExist
                    | TokenError::InvalidToken,
                ) => {}
                Err(error) => {
                    // Nobody has it: the next worker may.
                    offered.waiting().push_front(offer);
                    offered.added.notify_one();
                    return Err(tasks::failure(error));
                }
            }
        }
    }
}
