//! What happens next: [`decide`].
//!
//! A signal is looked up ([`signals`]), the branch it concerns goes on until it waits for something ([`run`]), each state kind
//! has its own file, and what failed goes through `Retry` and `Catch` ([`recovery`]). Everything that happens is written down with
//! [`Run::event`] and [`Run::note`], which apply the entry at once through [`evolve`]: a decision sees its own consequences.

mod assign;
mod choice;
mod compare;
mod context;
mod evolve;
mod exit;
mod fail;
mod fault;
mod fork;
mod lens;
mod map;
mod map_run;
mod parallel;
mod pass;
mod paths;
mod recovery;
mod redrive;
mod run;
mod signals;
mod succeed;
mod task;
pub mod trial;
mod wait;

pub(crate) use context::iso;
pub use evolve::{IllegalEntry, evolve};
pub use map_run::{map_run_children, map_run_label};
pub(crate) use wait::parse_timestamp;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::entry::{BranchId, Entry, Kind, Note, Recorded};
use crate::event::Event;
use crate::execution::Execution;
use crate::{Command, Decision, Definition, Env, Refusal, Signal, Status};

/// A decision goes on until it made this many entries …
const ENTRY_BOUND: usize = 256;
/// … or entries with this many bytes of payload; the rest is left to the next decision.
const BYTE_BOUND: usize = 1 << 20;

/// Takes a signal: what happens, and what the outside is asked to do.
///
/// The execution is changed only through [`evolve`], by exactly the entries that are returned.
///
/// # Errors
/// A [`Refusal`]; the execution is then untouched. [`Refusal::Corrupt`] alone means that execution and definition do not belong
/// together, and that the execution must be made anew from its journal.
pub fn decide(
    definition: &Definition,
    execution: &mut Execution,
    signal: Signal,
    env: &Env,
) -> Result<Decision, Refusal> {
    let mut run = Run::new(definition, execution, env);
    run.take(signal)?;
    run.go_on()?;
    let more = run.execution.next_due().is_some_and(|due| due <= env.now);
    Ok(Decision {
        entries: run.entries,
        commands: run.commands,
        more,
    })
}

/// A decision in the making.
struct Run<'a> {
    definition: &'a Definition,
    execution: &'a mut Execution,
    env: &'a Env,
    random: ChaCha8Rng,
    entries: Vec<Entry>,
    commands: Vec<Command>,
    bytes: usize,
    /// The context object, where it is given instead of made: a state that is tried alone.
    context: Option<crate::Data>,
}

/// What interpreting returns: the only error is an entry that does not fit, which no valid pair of definition and journal has.
type Step = Result<(), IllegalEntry>;

impl<'a> Run<'a> {
    fn new(definition: &'a Definition, execution: &'a mut Execution, env: &'a Env) -> Self {
        Self {
            definition,
            execution,
            env,
            random: ChaCha8Rng::from_seed(env.seed),
            entries: Vec::new(),
            commands: Vec::new(),
            bytes: 0,
            context: None,
        }
    }

    /// An event that follows the last one of its branch.
    fn event(&mut self, branch: BranchId, event: Event) -> Result<u64, IllegalEntry> {
        let previous = self
            .execution
            .branches
            .get(&branch)
            .map_or(0, |branch| branch.previous);
        self.event_after(branch, previous, event)
    }

    /// An event that follows another one.
    fn event_after(
        &mut self,
        branch: BranchId,
        previous: u64,
        event: Event,
    ) -> Result<u64, IllegalEntry> {
        let id = self.execution.last_event_id + 1;
        self.bytes += payload(&event);
        self.record(Entry(Kind::Event(Recorded {
            id,
            previous,
            at: self.env.now,
            branch,
            event,
        })))?;
        Ok(id)
    }

    fn note(&mut self, branch: BranchId, note: Note) -> Step {
        self.record(Entry::note(branch, note))
    }

    fn record(&mut self, entry: Entry) -> Step {
        evolve(self.definition, self.execution, &entry)?;
        self.entries.push(entry);
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= ENTRY_BOUND || self.bytes >= BYTE_BOUND
    }

    fn is_over(&self) -> bool {
        self.execution.status != Status::Running
    }
}

/// Bytes of payload in an event; the rest is small.
fn payload(event: &Event) -> usize {
    match event {
        Event::StateEntered { input: data, .. }
        | Event::StateExited { output: data, .. }
        | Event::TaskScheduled {
            parameters: data, ..
        }
        | Event::TaskSubmitted { output: data, .. }
        | Event::TaskSucceeded { output: data, .. } => data.len(),
        _ => 0,
    }
}
