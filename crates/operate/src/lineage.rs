//! Which visit of which state a history event belongs to.
//!
//! AWS names the state only in `…StateEntered` and `…StateExited`. The rest follows from `previousEventId`: an event belongs
//! where the event before it belongs, except where branches begin, join, or are redriven. A state that is entered twice
//! has two visits.

use std::collections::HashMap;

use crate::events::Event;

/// One stay in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The state's name.
    pub name: String,
    /// `Task`, `Parallel`, …
    pub kind: String,
    /// Place of the entered event among the events.
    pub entered: usize,
    /// The visit of the Parallel or Map around it.
    pub parent: Option<usize>,
    /// Which sequence of states it is in: the first visit of the branch or iteration, or of the execution.
    pub line: usize,
    /// It has not been left.
    pub is_open: bool,
}

/// Visits in order, and for each event the visit it belongs to.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    /// Every stay in a state, in the order in which they began.
    pub visits: Vec<Visit>,
    /// For each event the place of its visit among them.
    pub of: Vec<Option<usize>>,
}

/// Fills [`Event::state`] where AWS left it out.
pub fn name_states(events: &mut [Event]) {
    let lineage = Lineage::trace(events);
    for (event, visit) in events.iter_mut().zip(&lineage.of) {
        if event.state.is_none() {
            event.state = visit.map(|v| lineage.visits[v].name.clone());
        }
    }
}

impl Lineage {
    /// `events` is a whole history, oldest first.
    pub fn trace(events: &[Event]) -> Lineage {
        let place: HashMap<i64, usize> =
            events.iter().enumerate().map(|(i, e)| (e.id, i)).collect();
        let mut lineage = Lineage::default();
        let mut claimed = Vec::new();
        let mut aborted = Vec::new();
        for (i, event) in events.iter().enumerate() {
            let previous = place.get(&event.previous_id).copied().filter(|p| *p < i);
            if event.kind == "ExecutionRedriven" {
                claimed.clear();
                aborted.clear();
            }
            let visit = if let Some(kind) = event.kind.strip_suffix("StateEntered") {
                Some(lineage.enter(events, i, previous, kind))
            } else if names_its_state(&event.kind) {
                lineage.named(event, previous)
            } else if let Some(kind) = event.kind.strip_suffix("StateAborted") {
                lineage.aborted(kind, previous, &mut aborted)
            } else if previous.is_some_and(|p| events[p].kind == "ExecutionRedriven") {
                lineage.redriven(events, event, &mut claimed)
            } else {
                lineage.follow(events, event, previous)
            };
            if let Some(visit) = visit
                && event.kind.ends_with("StateExited")
            {
                lineage.visits[visit].is_open = false;
            }
            lineage.of.push(visit);
        }
        lineage
    }

    fn enter(&mut self, events: &[Event], at: usize, previous: Option<usize>, kind: &str) -> usize {
        let visit = self.visits.len();
        let before = previous.and_then(|p| self.of[p]);
        let begins = previous.is_some_and(|p| {
            matches!(
                events[p].kind.as_str(),
                "ParallelStateStarted" | "MapIterationStarted"
            )
        });
        let (parent, line) = match before {
            Some(around) if begins => (Some(around), visit),
            Some(sibling) => (self.visits[sibling].parent, self.visits[sibling].line),
            None => (None, 0),
        };
        self.visits.push(Visit {
            name: events[at].state.clone().unwrap_or_default(),
            kind: kind.to_owned(),
            entered: at,
            parent,
            line,
            is_open: true,
        });
        visit
    }

    /// An event that names its state: the stay in it that its predecessor is part of, or the last one that is open.
    fn named(&self, event: &Event, previous: Option<usize>) -> Option<usize> {
        let name = event.state.as_deref();
        let mut near = previous.and_then(|p| self.of[p]);
        while let Some(visit) = near {
            if Some(self.visits[visit].name.as_str()) == name {
                return Some(visit);
            }
            near = self.visits[visit].parent;
        }
        let same = |v: &Visit| Some(v.name.as_str()) == name;
        self.visits
            .iter()
            .rposition(|v| same(v) && v.is_open)
            .or_else(|| self.visits.iter().rposition(same))
    }

    /// What is ended from outside follows the event that is to blame, which may be in another branch: the state of this
    /// kind around that event, or else the last one of this kind that is open.
    fn aborted(
        &self,
        kind: &str,
        previous: Option<usize>,
        aborted: &mut Vec<usize>,
    ) -> Option<usize> {
        let fits = |v: &usize| {
            let visit = &self.visits[*v];
            visit.kind == kind && visit.is_open && !aborted.contains(v)
        };
        let blamed = previous.and_then(|p| self.of[p]);
        let mut around = std::iter::successors(blamed, |v| self.visits[*v].parent);
        let found = around
            .find(fits)
            .or_else(|| (0..self.visits.len()).rev().find(fits))
            .or(blamed)?;
        aborted.push(found);
        Some(found)
    }

    /// The first thing that a redriven state does again: the open state that did the same before and has not begun yet.
    fn redriven(&self, events: &[Event], event: &Event, claimed: &mut Vec<usize>) -> Option<usize> {
        let waiting = |v: usize| {
            let visit = &self.visits[v];
            visit.is_open && !is_fork(&visit.kind) && !claimed.contains(&v)
        };
        let did_the_same = |v: usize| {
            let mut own = events
                .iter()
                .zip(&self.of)
                .filter(|(_, of)| **of == Some(v));
            event.resource.is_some() && own.any(|(e, _)| e.resource == event.resource)
        };
        let all = 0..self.visits.len();
        let found = all
            .clone()
            .find(|v| waiting(*v) && did_the_same(*v))
            .or_else(|| all.clone().find(|v| waiting(*v)))?;
        claimed.push(found);
        Some(found)
    }

    fn follow(&self, events: &[Event], event: &Event, previous: Option<usize>) -> Option<usize> {
        let before = previous.and_then(|p| self.of[p])?;
        if let Some((kind, is_end)) = of_a_fork(&event.kind) {
            // What ended inside is where it joins; a fork that begins again follows what failed in it.
            let has_joined = previous
                .and_then(|p| of_a_fork(&events[p].kind))
                .is_some_and(|(_, is_end)| is_end);
            let from = if is_end && has_joined {
                self.visits[before].parent
            } else {
                Some(before)
            };
            let fits = |v: &usize| self.visits[*v].kind == kind && self.visits[*v].is_open;
            let found = std::iter::successors(from, |v| self.visits[*v].parent).find(fits);
            return found.or(self.visits[before].parent).or(Some(before));
        }
        // What happens to an execution as a whole belongs to no state.
        (!event.kind.starts_with("Execution")).then_some(before)
    }
}

/// An event of a Parallel or a Map itself: which of both, and whether it is an end of what is inside.
fn of_a_fork(kind: &str) -> Option<(&'static str, bool)> {
    Some(match kind {
        "ParallelStateStarted" => ("Parallel", false),
        "ParallelStateSucceeded" | "ParallelStateFailed" => ("Parallel", true),
        "MapStateStarted" => ("Map", false),
        "MapStateSucceeded" | "MapStateFailed" => ("Map", true),
        _ => return None,
    })
}

/// Whether AWS writes the state's name into events of this type.
fn names_its_state(kind: &str) -> bool {
    kind.ends_with("StateExited") || kind.starts_with("MapIteration") || kind == "EvaluationFailed"
}

/// Whether states of this kind have states inside.
pub fn is_fork(kind: &str) -> bool {
    matches!(kind, "Parallel" | "Map")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `id previous type [state]`, one event a line.
    fn events(text: &str) -> Vec<Event> {
        let event = |line: &str| {
            let mut words = line.split_whitespace();
            Event {
                id: words.next().unwrap().parse().unwrap(),
                previous_id: words.next().unwrap().parse().unwrap(),
                kind: words.next().unwrap().to_owned(),
                state: words.next().map(str::to_owned),
                ..Event::default()
            }
        };
        text.trim().lines().map(event).collect()
    }

    fn check(text: &str, expected: &str) {
        let mut all = events(text);
        name_states(&mut all);
        let told: Vec<_> = all
            .iter()
            .map(|e| e.state.as_deref().unwrap_or("-"))
            .collect();
        assert_eq!(told.join(" "), expected);
    }

    #[test]
    fn a_task_s_events_belong_to_its_state() {
        check(
            "1 0 ExecutionStarted\n2 0 TaskStateEntered A\n3 2 TaskScheduled\n4 3 TaskFailed\n5 4 TaskScheduled\n6 5 TaskSucceeded\n7 6 TaskStateExited A\n8 7 PassStateEntered B\n9 8 PassStateExited B\n10 9 ExecutionSucceeded",
            "- A A A A A A B B -",
        );
    }

    #[test]
    fn branches_keep_apart_and_join_in_their_parallel() {
        check(
            "1 0 ExecutionStarted\n2 0 ParallelStateEntered P\n3 2 ParallelStateStarted\n4 3 TaskStateEntered A\n5 3 TaskStateEntered B\n6 4 TaskScheduled\n7 5 TaskScheduled\n8 7 TaskSucceeded\n9 6 TaskSucceeded\n10 9 TaskStateExited A\n11 8 TaskStateExited B\n12 11 ParallelStateSucceeded\n13 12 ParallelStateExited P",
            "- P P A B A B B A A B P P",
        );
    }

    #[test]
    fn what_is_ended_from_outside_is_told_by_its_kind() {
        check(
            "1 0 ExecutionStarted\n2 0 ParallelStateEntered P\n3 2 ParallelStateStarted\n4 3 WaitStateEntered W\n5 3 MapStateEntered M\n6 5 MapStateStarted\n7 6 MapIterationStarted M\n8 7 ChoiceStateEntered C\n9 8 MapStateAborted\n10 8 WaitStateAborted\n11 8 ExecutionFailed",
            "- P P W M M M C M W -",
        );
    }

    #[test]
    fn a_parallel_that_begins_again_keeps_its_branches() {
        check(
            "1 0 ExecutionStarted\n2 0 ParallelStateEntered P\n3 2 ParallelStateStarted\n4 3 MapStateEntered M\n5 4 MapStateStarted\n6 5 MapIterationStarted M\n7 6 FailStateEntered F\n8 7 MapIterationFailed M\n9 7 MapStateFailed\n10 9 MapStateAborted\n11 9 ParallelStateStarted\n12 11 MapStateEntered M\n13 12 MapStateStarted\n14 13 MapIterationStarted M\n15 14 FailStateEntered F\n16 15 MapIterationFailed M\n17 15 MapStateFailed\n18 17 MapStateAborted\n19 17 ParallelStateFailed\n20 19 ParallelStateExited P",
            "- P P M M M F M M M P M M M F M M M P P",
        );
    }

    #[test]
    fn a_redriven_task_goes_on_in_the_state_that_was_open() {
        check(
            "1 0 ExecutionStarted\n2 0 TaskStateEntered A\n3 2 TaskScheduled\n4 3 TaskFailed\n5 4 ExecutionFailed\n6 5 ExecutionRedriven\n7 6 TaskScheduled\n8 7 TaskSucceeded\n9 8 TaskStateExited A",
            "- A A A - - A A A",
        );
    }
}
