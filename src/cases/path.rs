//! The way a run took, as cases write it, and all the ways there are.

use asl::model::{Kind, Next};
use operate::events::Event;
use operate::lineage::{Lineage, Visit};
use serde_json::{Value, json};

/// States in the order in which they were entered; what ran inside a Parallel or a Map is inside it here too.
pub(crate) fn path(events: &[Event]) -> Vec<Value> {
    let visits = Lineage::trace(events).visits;
    line(&visits, None, 0)
}

fn line(visits: &[Visit], parent: Option<usize>, line: usize) -> Vec<Value> {
    let here = (0..visits.len()).filter(|v| visits[*v].parent == parent && visits[*v].line == line);
    here.map(|visit| {
        let lines = visits
            .iter()
            .enumerate()
            .filter(|(i, v)| v.parent == Some(visit) && v.line == *i);
        let inside: Vec<Value> = lines
            .map(|(first, _)| self::line(visits, Some(visit), first).into())
            .collect();
        let name = &visits[visit].name;
        if inside.is_empty() {
            json!(name)
        } else {
            json!({ name: inside })
        }
    })
    .collect()
}

/// From one state to the next, by name. Two rules of a Choice that lead to one state are one transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transition {
    pub from: String,
    pub to: String,
    /// By a Catch, not in the usual way.
    pub caught: bool,
}

impl std::fmt::Display for Transition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = if self.caught { " (Catch)" } else { "" };
        write!(f, "{} → {}{how}", self.from, self.to)
    }
}

/// Every change from one state to the next.
pub(crate) fn transitions(events: &[Event]) -> Vec<Transition> {
    let Lineage { visits, of } = Lineage::trace(events);
    // A state that is left by its Catch has failed last.
    let failed = |visit: usize| {
        let own = events.iter().zip(&of).filter(|(_, of)| **of == Some(visit));
        let last = own
            .map(|(event, _)| event.kind.as_str())
            .rfind(|kind| !kind.ends_with("StateExited"));
        last.is_some_and(|kind| kind.ends_with("Failed") || kind.ends_with("TimedOut"))
    };
    let mut made = Vec::new();
    for (i, visit) in visits.iter().enumerate() {
        let before = (0..i)
            .rev()
            .find(|v| visits[*v].parent == visit.parent && visits[*v].line == visit.line);
        if let Some(before) = before {
            made.push(Transition {
                from: visits[before].name.clone(),
                to: visit.name.clone(),
                caught: failed(before),
            });
        }
    }
    made
}

/// Every change from one state to the next that a definition allows.
pub(crate) fn all_transitions(definition: &asl::Definition) -> Vec<Transition> {
    let mut all = Vec::new();
    for (_, state) in definition.states() {
        let mut to = Vec::new();
        if let Next::State(next) = state.next() {
            to.push((next, false));
        }
        if let Kind::Choice(choice) = state.kind() {
            let rules = choice.choices.iter().map(|rule| rule.next);
            to.extend(rules.chain(choice.default).map(|next| (next, false)));
        }
        to.extend(state.catchers().iter().map(|catcher| (catcher.next, true)));
        all.extend(to.into_iter().map(|(next, caught)| Transition {
            from: state.name().to_owned(),
            to: definition.state(next).name().to_owned(),
            caught,
        }));
    }
    all
}
