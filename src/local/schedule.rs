//! The stack's schedules (EventBridge Scheduler on AWS): invokes a function at a fixed rate.
//!
//! The first time a whole period after the start, as on AWS, where a rate knows nothing of a start. A sweep at once
//! would find little: it takes what is a minute old, sales that a crash left are published by `up` itself when it
//! starts, and engine and factory go on by themselves. It would cost every start the processes of two functions.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::stack::model::Schedule;

/// Starts one timer for each schedule; dropping `set` ends them.
pub(crate) fn start<'a>(
    set: &mut JoinSet<()>,
    lambda: &aws_sdk_lambda::Client,
    schedules: impl Iterator<Item = (&'a String, &'a Schedule)>,
) {
    for (name, schedule) in schedules {
        let (name, function) = (name.clone(), schedule.function.clone());
        let input = schedule.input.to_string();
        let rate = Duration::from_secs(u64::from(schedule.rate_minutes) * 60);
        let lambda = lambda.clone();
        set.spawn(async move {
            let mut ticks = interval_at(Instant::now() + rate, rate);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let payload = aws_sdk_lambda::primitives::Blob::new(input.clone());
                match lambda
                    .invoke()
                    .function_name(&function)
                    .payload(payload)
                    .send()
                    .await
                {
                    Ok(answer) if answer.function_error.is_none() => {
                        tracing::debug!(name, function, "schedule ran")
                    }
                    Ok(answer) => {
                        let error = answer
                            .payload
                            .map(|p| String::from_utf8_lossy(p.as_ref()).into_owned());
                        tracing::warn!(
                            name,
                            function,
                            error,
                            "a scheduled run failed; the next one follows"
                        );
                    }
                    Err(error) => {
                        tracing::warn!(name, function, ?error, "a scheduled run could not start")
                    }
                }
            }
        });
    }
}
