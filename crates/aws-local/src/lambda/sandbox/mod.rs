//! One process of a function and what it is doing. Start at [`supervise`], which is its life; [`runtime_api`] is what it
//! speaks with us.

mod environment;
mod output;
mod runtime_api;
mod supervisor;

pub(super) use supervisor::supervise;

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use self::output::Output;
use super::{
    function::Function,
    invocation::{Event, Invocation, LATEST, Outcome, Reply},
    locked,
};

/// How much of the log an answer may bring, bytes: AWS's number.
const TAIL: usize = 4096;
/// How soon a process that has answered is expected to ask for work again. Until then nothing is started in its place.
const RETURN: Duration = Duration::from_millis(50);

/// A process, from before it is started until it has ended.
#[derive(Debug)]
pub(super) struct Sandbox {
    pub(super) function: Arc<Function>,
    /// Ends the process when cancelled; it is not doing anything then.
    pub(super) end: CancellationToken,
    /// What the process said of itself with `/init/error`.
    init_error: OnceLock<Bytes>,
    output: OnceLock<Output>,
    pid: OnceLock<u32>,
    state: Mutex<State>,
    /// Wakes the supervisor when something is due earlier than it thinks.
    earlier: Notify,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// When the supervisor will look by itself. Starting an invocation does not wake it as long as this is early enough, so a
    /// busy process costs no timers.
    armed: Instant,
    /// The invocation to which output belongs: the running one, or the last.
    request_id: Option<Arc<str>>,
}

#[derive(Debug)]
enum Phase {
    /// It has not asked for work yet.
    Starting {
        until: Instant,
    },
    /// It has answered and will ask for work at once, unless it is slow.
    Returning {
        until: Instant,
    },
    /// It waits for work.
    Idle {
        until: Instant,
    },
    Busy(Running),
    Ended,
}

#[derive(Debug)]
pub(super) struct Running {
    request_id: Arc<str>,
    reply: Reply,
    started: Instant,
    deadline: Instant,
    log: Option<Vec<u8>>,
}

/// What a process is in when it asks for work.
pub(super) enum Ready {
    First,
    Returned,
    Again,
    Refused,
}

/// What is due at a process.
enum Due {
    Nothing,
    InitTimeout,
    /// The invocation has run out of time; its caller has been told.
    Timeout,
    /// Perhaps idle for too long; the function decides.
    Idle,
    /// Answered, but has not asked for work since.
    Slow,
}

/// What a process was in when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Was {
    Starting,
    Returning,
    Other,
}

impl Sandbox {
    fn new(function: Arc<Function>) -> Sandbox {
        let until = Instant::now() + function.init_timeout;
        Sandbox {
            function,
            end: CancellationToken::new(),
            init_error: OnceLock::new(),
            output: OnceLock::new(),
            pid: OnceLock::new(),
            state: Mutex::new(State {
                phase: Phase::Starting { until },
                armed: until,
                request_id: None,
            }),
            earlier: Notify::new(),
        }
    }

    /// The process asked for work. Called under the function's lock.
    pub(super) fn ready(&self) -> Ready {
        let mut state = locked(&self.state);
        let ready = match state.phase {
            Phase::Starting { .. } => Ready::First,
            Phase::Returning { .. } => Ready::Returned,
            Phase::Idle { .. } => Ready::Again,
            Phase::Busy(_) | Phase::Ended => return Ready::Refused,
        };
        self.rest(&mut state);
        ready
    }

    /// Gives the process this invocation; its time runs from now on. Called under the function's lock.
    pub(super) fn begin(&self, invocation: Invocation) -> Event {
        let Invocation { event, reply } = invocation;
        let started = Instant::now();
        let deadline = started + self.function.config.timeout;
        let log = reply.tail.then(|| {
            format!("START RequestId: {} Version: {LATEST}\n", event.request_id).into_bytes()
        });
        let request_id = event.request_id.clone();
        let mut state = locked(&self.state);
        state.request_id = Some(request_id.clone());
        state.phase = Phase::Busy(Running {
            request_id,
            reply,
            started,
            deadline,
            log,
        });
        self.wake_by(&state, deadline);
        event
    }

    /// Undoes [`Sandbox::begin`] when the process could not be reached.
    pub(super) fn take_back(&self, event: Event) -> Option<Invocation> {
        let mut state = locked(&self.state);
        if !matches!(state.phase, Phase::Busy(_)) {
            return None;
        }
        let phase = std::mem::replace(&mut state.phase, Phase::Ended);
        self.rest(&mut state);
        match phase {
            Phase::Busy(running) => Some(Invocation {
                event,
                reply: running.reply,
            }),
            _ => None,
        }
    }

    pub(super) fn idle_until(&self) -> Option<Instant> {
        match locked(&self.state).phase {
            Phase::Idle { until } => Some(until),
            _ => None,
        }
    }

    /// The process answers this invocation, if it has it. Called under the function's lock.
    pub(super) fn take_answered(&self, request_id: &str) -> Option<Running> {
        let mut state = locked(&self.state);
        if !matches!(&state.phase, Phase::Busy(running) if *running.request_id == *request_id) {
            return None;
        }
        let until = Instant::now() + RETURN;
        let Phase::Busy(running) = std::mem::replace(&mut state.phase, Phase::Returning { until })
        else {
            return None;
        };
        self.wake_by(&state, until);
        Some(running)
    }

    /// It has not come back in time: nobody counts on it any more. Called under the function's lock.
    pub(super) fn give_up_waiting(&self) -> bool {
        let mut state = locked(&self.state);
        let slow = matches!(state.phase, Phase::Returning { .. });
        if slow {
            self.rest(&mut state);
        }
        slow
    }

    /// The process is gone; whoever waits for it gets `outcome`.
    fn close(&self, outcome: impl FnOnce(&str) -> Outcome) -> Was {
        self.read_output();
        let phase = std::mem::replace(&mut locked(&self.state).phase, Phase::Ended);
        match phase {
            Phase::Starting { .. } => Was::Starting,
            Phase::Returning { .. } => Was::Returning,
            Phase::Busy(running) => {
                let outcome = outcome(&running.request_id);
                self.answer(running, outcome);
                Was::Other
            }
            Phase::Idle { .. } | Phase::Ended => Was::Other,
        }
    }

    /// Looks what is due now.
    fn due(&self, now: Instant) -> Due {
        let mut state = locked(&self.state);
        match &state.phase {
            Phase::Starting { until } if *until <= now => Due::InitTimeout,
            Phase::Idle { until } if *until <= now => Due::Idle,
            Phase::Returning { until } if *until <= now => Due::Slow,
            Phase::Busy(running) if running.deadline <= now => {
                let Phase::Busy(running) = std::mem::replace(&mut state.phase, Phase::Ended) else {
                    return Due::Nothing;
                };
                drop(state);
                let error =
                    super::failure::timed_out(&running.request_id, self.function.config.timeout);
                self.read_output();
                self.answer(running, Outcome::Failed(error));
                Due::Timeout
            }
            _ => Due::Nothing,
        }
    }

    /// When the supervisor should look again.
    fn arm(&self) -> Instant {
        let mut state = locked(&self.state);
        state.armed = match &state.phase {
            Phase::Starting { until } | Phase::Returning { until } | Phase::Idle { until } => {
                *until
            }
            Phase::Busy(running) => running.deadline,
            // It only remains to see the process end.
            Phase::Ended => Instant::now() + self.function.config.idle_timeout,
        };
        state.armed
    }

    fn rest(&self, state: &mut State) {
        let until = Instant::now() + self.function.config.idle_timeout;
        state.phase = Phase::Idle { until };
        self.wake_by(state, until);
    }

    fn wake_by(&self, state: &State, due: Instant) {
        if due < state.armed {
            self.earlier.notify_one();
        }
    }

    pub(super) fn answer(&self, running: Running, outcome: Outcome) {
        let tail = running.log.map(|mut log| {
            let id = &running.request_id;
            let took = running
                .started
                .elapsed()
                .min(running.deadline - running.started);
            log.extend_from_slice(
                format!("END RequestId: {id}\n{}\n", self.report(id, took)).as_bytes(),
            );
            log.split_off(log.len().saturating_sub(TAIL))
        });
        running.reply.send(outcome, tail);
    }

    /// AWS's last line about an invocation.
    fn report(&self, request_id: &str, took: Duration) -> String {
        let ms = took.as_secs_f64() * 1000.0;
        let size = self.function.config.memory_mb;
        let used = self
            .pid
            .get()
            .and_then(|pid| environment::peak_memory_mb(*pid))
            .unwrap_or(size.into());
        format!(
            "REPORT RequestId: {request_id}\tDuration: {ms:.2} ms\tBilled Duration: {} ms\tMemory Size: {size} MB\tMax Memory Used: {used} MB",
            ms.ceil()
        )
    }

    /// Takes over what the process has written so far.
    pub(super) fn read_output(&self) {
        if let Some(output) = self.output.get() {
            output.read(|line| self.line(line));
        }
    }

    fn line(&self, line: &str) {
        let mut state = locked(&self.state);
        if let Phase::Busy(Running { log: Some(log), .. }) = &mut state.phase {
            log.extend_from_slice(line.as_bytes());
            log.push(b'\n');
            if log.len() > 2 * TAIL {
                log.drain(..log.len() - TAIL);
            }
        }
        let request_id = state.request_id.clone();
        drop(state);
        self.function.log.write(request_id, line);
    }
}
