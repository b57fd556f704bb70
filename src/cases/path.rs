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

/// Every change from one state to the next.
pub(crate) fn transitions(events: &[Event]) -> Vec<(String, String)> {
    let visits = Lineage::trace(events).visits;
    let mut made = Vec::new();
    for (i, visit) in visits.iter().enumerate() {
        let before = visits[..i]
            .iter()
            .rev()
            .find(|v| v.parent == visit.parent && v.line == visit.line);
        if let Some(before) = before {
            made.push((before.name.clone(), visit.name.clone()));
        }
    }
    made
}

/// Every change from one state to the next that a definition allows.
pub(crate) fn all_transitions(definition: &asl::Definition) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (_, state) in definition.states() {
        let mut to = Vec::new();
        if let Next::State(next) = state.next() {
            to.push(next);
        }
        if let Kind::Choice(choice) = state.kind() {
            to.extend(
                choice
                    .choices
                    .iter()
                    .map(|rule| rule.next)
                    .chain(choice.default),
            );
        }
        to.extend(state.catchers().iter().map(|catcher| catcher.next));
        all.extend(to.into_iter().map(|next| {
            (
                state.name().to_owned(),
                definition.state(next).name().to_owned(),
            )
        }));
    }
    all
}
