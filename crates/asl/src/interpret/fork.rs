//! What evolve does for Parallel and Map: branches are made, joined and dropped.

use std::collections::{BTreeMap, VecDeque};

use super::evolve::{IllegalEntry, illegal};
use crate::Data;
use crate::entry::{BranchId, Recorded};
use crate::event::Event;
use crate::execution::{Branch, Execution, Fork, Parent, Phase, Position};
use crate::model::{Definition, Kind, ScopeId};

/// A Parallel state's branches, ready to start.
pub(super) fn prepare_parallel(
    definition: &Definition,
    execution: &mut Execution,
    id: BranchId,
    input: &Data,
) -> Result<(), IllegalEntry> {
    let state = execution.active_mut(id)?.state;
    let Kind::Parallel(parallel) = &definition.state(state).kind else {
        return illegal("branches of a state that is not Parallel");
    };
    let mut running = BTreeMap::new();
    for (index, scope) in (0..).zip(&parallel.branches) {
        running.insert(
            index,
            add_child(definition, execution, id, *scope, index, None, input),
        );
    }
    let results = vec![None; parallel.branches.len()];
    let fork = Fork {
        running,
        stopped: BTreeMap::new(),
        results,
        pending: VecDeque::new(),
        limit: 0,
        failed: 0,
        tolerated: 0,
        joined: 0,
    };
    execution.active_mut(id)?.phase = Phase::Fork(Box::new(fork));
    Ok(())
}

/// A Map state's items.
pub(super) fn prepare_map(
    execution: &mut Execution,
    id: BranchId,
    items: &[Data],
    limit: u32,
    tolerated: u32,
) -> Result<(), IllegalEntry> {
    let fork = Fork {
        running: BTreeMap::new(),
        stopped: BTreeMap::new(),
        results: vec![None; items.len()],
        pending: (0..).zip(items.iter().cloned()).collect(),
        limit,
        failed: 0,
        tolerated,
        joined: 0,
    };
    execution.active_mut(id)?.phase = Phase::Fork(Box::new(fork));
    if !items.is_empty() {
        execution.runnable.insert(id);
    }
    Ok(())
}

/// The next iteration of a Map.
pub(super) fn add_iteration(
    definition: &Definition,
    execution: &mut Execution,
    id: BranchId,
    index: u32,
    input: &Data,
) -> Result<(), IllegalEntry> {
    let state = execution.active_mut(id)?.state;
    let Kind::Map(map) = &definition.state(state).kind else {
        return illegal("an iteration of a state that is not a Map");
    };
    let fork = execution.fork_mut(id)?;
    let item = match fork.pending.pop_front() {
        Some((next, item)) if next == index => item,
        _ => return illegal(format!("iteration {index} is not the next one")),
    };
    let joined = fork.joined;
    let child = add_child(
        definition,
        execution,
        id,
        map.processor,
        index,
        Some(item),
        input,
    );
    execution.branch_mut(child)?.previous = joined;
    let fork = execution.fork_mut(id)?;
    fork.running.insert(index, child);
    let more = fork.wants_to_start();
    if !more {
        execution.runnable.remove(&id);
    }
    Ok(())
}

fn add_child(
    definition: &Definition,
    execution: &mut Execution,
    parent: BranchId,
    scope: ScopeId,
    index: u32,
    item: Option<Data>,
    input: &Data,
) -> BranchId {
    let previous = execution
        .branches
        .get(&parent)
        .map_or(0, |branch| branch.previous);
    execution.add_branch(Branch {
        parent: Some(Parent {
            branch: parent,
            index,
            item,
        }),
        scope,
        previous,
        variables: BTreeMap::new(),
        position: Position::Ready {
            state: definition.scope(scope).start_at,
            input: input.clone(),
        },
        timer: None,
    })
}

/// The state's `…Started` event: what its branches begin from.
pub(super) fn begin(
    execution: &mut Execution,
    id: BranchId,
    event: u64,
) -> Result<(), IllegalEntry> {
    let fork = execution.fork_mut(id)?;
    fork.joined = event;
    let children: Vec<BranchId> = fork.running.values().copied().collect();
    for child in children {
        execution.branch_mut(child)?.previous = event;
    }
    Ok(())
}

/// An iteration ended; `recorded.branch` is the iteration's branch.
pub(super) fn iteration_ended(
    execution: &mut Execution,
    child: BranchId,
    recorded: &Recorded,
) -> Result<(), IllegalEntry> {
    let succeeded = matches!(recorded.event, Event::MapIterationSucceeded { .. });
    // What comes after a success follows it; what comes after a failure follows what failed.
    let join_after = if succeeded {
        recorded.id
    } else {
        recorded.previous
    };
    join(
        execution,
        child,
        recorded.previous,
        Some(join_after),
        succeeded,
    )
}

/// Whether the branch has just come to its end and belongs to a Parallel state.
pub(super) fn ends_parallel_branch(
    definition: &Definition,
    execution: &Execution,
    id: BranchId,
) -> bool {
    let Some(branch) = execution.branches.get(&id) else {
        return false;
    };
    let (Position::Done { .. }, Some(parent)) = (&branch.position, &branch.parent) else {
        return false;
    };
    let above = execution
        .active(parent.branch)
        .map(|active| &definition.state(active.state).kind);
    matches!(above, Some(Kind::Parallel(_)))
}

/// A branch or iteration ended: its result goes to its parent. `follow` is what the next sibling follows, `join` what the
/// joining event of the parent follows.
pub(super) fn join(
    execution: &mut Execution,
    child: BranchId,
    follow: u64,
    join: Option<u64>,
    succeeded: bool,
) -> Result<(), IllegalEntry> {
    let branch = execution.branch_mut(child)?;
    let output = match &branch.position {
        Position::Done { output } if succeeded => Some(output.clone()),
        _ => None,
    };
    let Some(Parent {
        branch: parent,
        index,
        ..
    }) = branch.parent.clone()
    else {
        return illegal("the top level has nothing to join");
    };
    let fork = execution.fork_mut(parent)?;
    fork.joined = follow;
    fork.running.remove(&index);
    if succeeded {
        match fork.results.get_mut(index as usize) {
            Some(place) => *place = output,
            None => return illegal(format!("no place for the result of iteration {index}")),
        }
    } else {
        fork.failed += 1;
        fork.stopped.insert(index, child);
    }
    let more = fork.wants_to_start();
    if succeeded {
        execution.branches.remove(&child);
    } else {
        stop(execution, child);
    }
    if let Some(join) = join {
        execution.branch_mut(parent)?.previous = join;
    }
    if more {
        execution.runnable.insert(parent);
    }
    Ok(())
}

/// A branch with all below it stays where it is, waiting for nothing.
fn stop(execution: &mut Execution, id: BranchId) {
    execution.close_branch(id);
    let below: Vec<BranchId> = match execution.fork(id) {
        Some(fork) => fork.running.values().copied().collect(),
        None => Vec::new(),
    };
    for child in below {
        stop(execution, child);
    }
}

/// Forgets the branches of a state that is left or tried again.
pub(super) fn drop_children(execution: &mut Execution, id: BranchId) {
    let Ok(fork) = execution.fork_mut(id) else {
        return;
    };
    let running = std::mem::take(&mut fork.running);
    let stopped = std::mem::take(&mut fork.stopped);
    let children: Vec<BranchId> = running.into_values().chain(stopped.into_values()).collect();
    fork.pending.clear();
    for child in children {
        drop_children(execution, child);
        execution.close_branch(child);
        execution.branches.remove(&child);
    }
    execution.runnable.remove(&id);
}

impl Fork {
    /// Whether another iteration may start now.
    pub(crate) fn wants_to_start(&self) -> bool {
        !self.pending.is_empty() && (self.limit == 0 || self.running.len() < self.limit as usize)
    }

    /// Whether every branch or iteration has its result.
    pub(crate) fn is_complete(&self) -> bool {
        self.results.iter().all(Option::is_some)
    }

    /// Whether everything has ended.
    pub(crate) fn is_joined(&self) -> bool {
        self.running.is_empty() && self.pending.is_empty()
    }
}

impl Execution {
    pub(crate) fn fork_mut(&mut self, id: BranchId) -> Result<&mut Fork, IllegalEntry> {
        match &mut self.active_mut(id)?.phase {
            Phase::Fork(fork) => Ok(fork),
            _ => illegal(format!("branch {} has no branches of its own", id.0)),
        }
    }

    pub(crate) fn fork(&self, id: BranchId) -> Option<&Fork> {
        match &self.active(id)?.phase {
            Phase::Fork(fork) => Some(fork),
            _ => None,
        }
    }
}
