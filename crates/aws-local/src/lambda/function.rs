//! One function: invocations meet processes here. Invocations wait in order; the process that was used last is used first, so
//! that the ones nobody needs idle out.
//!
//! Every lock in here is held for a few instructions and never across an await. Lock order: the queue, then a sandbox.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    config::{FunctionConfig, LambdaOptions},
    invocation::{Event, FunctionError, Invocation, Outcome},
    locked,
    logs::FunctionLog,
    sandbox::{self, Sandbox},
};

/// The longest pause between two starts that failed.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// A registered function and its processes.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) config: FunctionConfig,
    /// Without a qualifier.
    pub(super) arn: Arc<str>,
    pub(super) region: String,
    pub(super) init_timeout: Duration,
    pub(super) log: Arc<FunctionLog>,
    /// When the function came or was last changed.
    pub(super) modified: jiff::Timestamp,
    /// Names the code and settings: changes with them.
    pub(super) revision: uuid::Uuid,
    /// Cancelled when the service stops: every process ends at once.
    pub(super) stopping: CancellationToken,
    supervisors: TaskTracker,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Invocation>,
    idle: Vec<Idle>,
    /// Processes that exist, starting ones included.
    live: usize,
    starting: usize,
    /// Processes that have answered and will ask for work in a moment.
    returning: usize,
    failed_starts: u32,
    /// After a failed start: when the next may be tried.
    not_before: Option<Instant>,
    /// Replaced by a newer registration: serve what waits, then end.
    retired: bool,
}

/// A process that asked for work when there was none.
#[derive(Debug)]
struct Idle {
    sandbox: Arc<Sandbox>,
    hand: oneshot::Sender<Event>,
}

/// The answer to a process that asks for work.
pub(super) enum Next {
    Now(Event),
    Later(oneshot::Receiver<Event>),
    /// It has not answered its last invocation.
    Refused,
}

impl Function {
    pub(super) fn new(
        config: FunctionConfig,
        options: &LambdaOptions,
        log: Arc<FunctionLog>,
        stopping: CancellationToken,
        supervisors: TaskTracker,
    ) -> Function {
        let arn = format!(
            "arn:aws:lambda:{}:{}:function:{}",
            options.region, options.account, config.name
        );
        Function {
            init_timeout: options.init_timeout.max(config.timeout),
            arn: arn.into(),
            region: options.region.clone(),
            config,
            log,
            modified: jiff::Timestamp::now(),
            revision: uuid::Uuid::new_v4(),
            stopping,
            supervisors,
            queue: Mutex::default(),
        }
    }

    /// Gives the invocation to a process that waits for one, or makes it wait, starting a process if there may be one more.
    pub(super) fn submit(self: &Arc<Self>, mut invocation: Invocation) {
        let mut queue = locked(&self.queue);
        while let Some(idle) = queue.idle.pop() {
            let event = idle.sandbox.begin(invocation);
            match idle.hand.send(event) {
                Ok(()) => return,
                // The process has gone away; its supervisor will notice.
                Err(event) => match idle.sandbox.take_back(event) {
                    Some(back) => invocation = back,
                    None => return,
                },
            }
        }
        queue.waiting.push_back(invocation);
        self.start_processes(&mut queue);
    }

    /// Takes an invocation back that no process has got yet. Whether there was one.
    pub(super) fn withdraw(&self, request_id: &str) -> bool {
        let mut queue = locked(&self.queue);
        let found = queue
            .waiting
            .iter()
            .position(|i| &*i.event.request_id == request_id);
        found.is_some_and(|place| queue.waiting.remove(place).is_some())
    }

    /// A process asks for work.
    pub(super) fn next(&self, sandbox: &Arc<Sandbox>) -> Next {
        let mut queue = locked(&self.queue);
        match sandbox.ready() {
            sandbox::Ready::Refused => return Next::Refused,
            sandbox::Ready::First => {
                queue.starting = queue.starting.saturating_sub(1);
                queue.failed_starts = 0;
                queue.not_before = None;
            }
            sandbox::Ready::Returned => queue.returning = queue.returning.saturating_sub(1),
            // An earlier poll of this process may still be listed, if its connection broke.
            sandbox::Ready::Again => queue
                .idle
                .retain(|idle| !Arc::ptr_eq(&idle.sandbox, sandbox)),
        }
        while let Some(invocation) = queue.waiting.pop_front() {
            if !invocation.reply.is_abandoned() {
                return Next::Now(sandbox.begin(invocation));
            }
        }
        let (hand, event) = oneshot::channel();
        if queue.retired {
            sandbox.end.cancel();
            return Next::Later(event);
        }
        queue.idle.push(Idle {
            sandbox: sandbox.clone(),
            hand,
        });
        Next::Later(event)
    }

    /// A process answers an invocation. Whether it had it.
    pub(super) fn answered(&self, sandbox: &Sandbox, request_id: &str, outcome: Outcome) -> bool {
        // What it wrote before it answered lies in the pipe by now: it belongs to this invocation.
        sandbox.read_output();
        let running = {
            let mut queue = locked(&self.queue);
            let Some(running) = sandbox.take_answered(request_id) else {
                return false;
            };
            queue.returning += 1;
            running
        };
        sandbox.answer(running, outcome);
        true
    }

    /// A process has answered and then not asked for work: somebody else must do what waits.
    pub(super) fn do_without(self: &Arc<Self>, sandbox: &Sandbox) {
        let mut queue = locked(&self.queue);
        if sandbox.give_up_waiting() {
            queue.returning = queue.returning.saturating_sub(1);
            self.start_processes(&mut queue);
        }
    }

    /// Whether this process had nothing to do for long enough; if so it gets nothing any more.
    pub(super) fn retire_if_idle(&self, sandbox: &Arc<Sandbox>, now: Instant) -> bool {
        let mut queue = locked(&self.queue);
        let idle = sandbox.idle_until().is_some_and(|until| until <= now);
        if idle {
            queue
                .idle
                .retain(|other| !Arc::ptr_eq(&other.sandbox, sandbox));
        }
        idle
    }

    /// A process has ended after it had come up.
    pub(super) fn ended(self: &Arc<Self>, sandbox: &Arc<Sandbox>, was: sandbox::Was) {
        let mut queue = locked(&self.queue);
        if was == sandbox::Was::Returning {
            queue.returning = queue.returning.saturating_sub(1);
        }
        queue
            .idle
            .retain(|idle| !Arc::ptr_eq(&idle.sandbox, sandbox));
        queue.live = queue.live.saturating_sub(1);
        self.start_processes(&mut queue);
    }

    /// A process did not come up. One waiting invocation gets the error, or all of them if no process is left that could serve
    /// them: the next start would most likely fail alike.
    pub(super) fn start_failed(self: &Arc<Self>, error: impl Fn(&str) -> FunctionError) {
        let mut queue = locked(&self.queue);
        queue.live = queue.live.saturating_sub(1);
        queue.starting = queue.starting.saturating_sub(1);
        let pause = Duration::from_millis(100) * 2u32.saturating_pow(queue.failed_starts.min(10));
        queue.failed_starts += 1;
        queue.not_before = Some(Instant::now() + pause.min(MAX_BACKOFF));
        let failed = if queue.live == queue.starting {
            queue.waiting.len()
        } else {
            1.min(queue.waiting.len())
        };
        for invocation in queue.waiting.drain(..failed) {
            let outcome = Outcome::Failed(error(&invocation.event.request_id));
            invocation.reply.send(outcome, None);
        }
        self.start_processes(&mut queue);
    }

    /// A newer registration has taken the name: what waits is served, then the processes end.
    pub(super) fn retire(&self) {
        let mut queue = locked(&self.queue);
        queue.retired = true;
        for idle in queue.idle.drain(..) {
            idle.sandbox.end.cancel();
        }
    }

    /// How many processes exist.
    pub(super) fn processes(&self) -> usize {
        locked(&self.queue).live
    }

    fn start_processes(self: &Arc<Self>, queue: &mut Queue) {
        while queue
            .waiting
            .front()
            .is_some_and(|first| first.reply.is_abandoned())
        {
            queue.waiting.pop_front();
        }
        if self.stopping.is_cancelled() {
            for invocation in queue.waiting.drain(..) {
                invocation.reply.send(Outcome::Stopped, None);
            }
            return;
        }
        while queue.starting + queue.returning < queue.waiting.len()
            && queue.live < self.config.max_concurrency
        {
            queue.live += 1;
            queue.starting += 1;
            self.supervisors
                .spawn(sandbox::supervise(self.clone(), queue.not_before));
        }
    }
}
