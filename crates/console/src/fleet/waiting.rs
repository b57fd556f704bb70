//! Asking what running executions wait for: for pages that are about it, and for lists that tell parked from running.

use std::sync::Arc;
use std::time::{Duration, Instant};

use operate::error::OperateError;

use super::waits::Everything;
use super::{CLOSELY, FIRST, Fleet, PATIENCE, read};

impl Fleet {
    /// Everything that waits for somebody outside, as of now where histories can be read soon.
    ///
    /// # Errors
    /// Nothing is known yet, and the endpoint does not answer or refuses.
    pub(crate) async fn waiting(self: &Arc<Self>) -> Result<Arc<Everything>, Arc<OperateError>> {
        let is_first = self.state().histories.began.is_none();
        self.look_at_waits(if is_first { FIRST } else { CLOSELY })
            .await
    }

    /// Makes sure that parked executions are told from running ones, where that is a matter of a moment.
    pub(crate) async fn glance(self: &Arc<Self>) {
        // What goes wrong is told by the list itself.
        let _ = self.look_at_waits(PATIENCE).await;
    }

    async fn look_at_waits(
        self: &Arc<Self>,
        patience: Duration,
    ) -> Result<Arc<Everything>, Arc<OperateError>> {
        self.drive();
        let every = self.pace.every;
        let (read, has_problem) = {
            let state = self.state();
            (state.histories.ended, state.problem.is_some())
        };
        if has_problem || read.is_none_or(|at| at.elapsed() >= every) {
            let fleet = self.clone();
            let mut reading = tokio::spawn(async move {
                fleet.read(false).await?;
                fleet.read_waits().await
            });
            if let Ok(Ok(Err(error))) = tokio::time::timeout(patience, &mut reading).await {
                if self.state().histories.began.is_none() {
                    return Err(error);
                }
                return Ok(Arc::new(Everything {
                    problem: Some(error.to_string()),
                    ..Everything::clone(&self.everything())
                }));
            }
        }
        Ok(self.everything().clone())
    }

    /// Looks at the histories of a few running executions.
    pub(super) async fn read_waits(&self) -> Result<(), Arc<OperateError>> {
        let asked = Instant::now();
        let _turn = self.waits_turn.lock().await;
        if let Some(shared) = self.state().histories.serves(asked) {
            return shared;
        }
        let began = Instant::now();
        let running: Vec<Arc<str>> = {
            let index = self.index();
            index.all_running().map(|item| item.arn.clone()).collect()
        };
        let due = self.waits().begin(&running, self.pace.histories);
        let result = read::waits(&self.at, self, due, self.pace.histories).await;
        let (news, unread) = {
            let mut waits = self.waits();
            (waits.news(), waits.problem())
        };
        let problem = result
            .as_ref()
            .err()
            .map_or(unread, |e| Some(e.to_string()));
        {
            let mut everything = self.everything();
            if news.is_some() || everything.problem != problem {
                let news = news.unwrap_or_else(|| Everything::clone(&everything));
                *everything = Arc::new(Everything { problem, ..news });
            }
        }
        let result = self.state().histories.end(began, result);
        if result? {
            self.tell();
        }
        Ok(())
    }
}
