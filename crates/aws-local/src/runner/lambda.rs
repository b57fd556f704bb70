//! Functions as tasks: hands them to the Lambda service (see `lambda/task.rs` for what outputs and errors look like).

use asl::Resource;
use engine::{TaskOutcome, TaskRun};
use futures::{FutureExt, future::BoxFuture};

use super::Integration;
use crate::lambda::Lambda;

impl Integration for Lambda {
    fn run(&self, task: TaskRun) -> BoxFuture<'static, TaskOutcome> {
        let lambda = self.clone();
        async move { lambda.run_task(task).await }.boxed()
    }

    fn supports(&self, resource: &Resource) -> Result<(), String> {
        match resource {
            Resource::Lambda { .. } => Ok(()),
            _ => super::only(resource, "invoke", super::AT_ONCE),
        }
    }
}
