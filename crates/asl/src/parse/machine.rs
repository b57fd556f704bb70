//! A scope: `StartAt` and `States`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::Builder;
use super::fields::Fields;
use crate::Code;
use crate::model::{Kind, Next, QueryLanguage, Scope, ScopeId, State, StateId};

/// The most characters in a state's name.
const LONGEST_NAME: usize = 80;

/// What a state needs to know of its scope.
pub(super) struct Surroundings<'s> {
    pub(super) scope: ScopeId,
    pub(super) by_name: &'s BTreeMap<Arc<str>, StateId>,
    pub(super) language: QueryLanguage,
}

impl Builder<'_> {
    /// Reads a scope and the states in it; the fields of its owner are the caller's affair.
    pub(super) fn scope(&mut self, fields: &Fields<'_>, language: QueryLanguage) -> ScopeId {
        let id = ScopeId(u32::try_from(self.scopes.len()).unwrap_or(u32::MAX));
        self.scopes.push(None);
        self.require(fields, &["States", "StartAt"]);
        let start_at = self.string(fields, "StartAt");
        let states = fields
            .get("States")
            .and_then(|states| self.fields(states, &fields.at("States")));
        let (Some(states), start_at) = (states, start_at) else {
            return id;
        };
        if states.map.is_empty() {
            self.schema(&states.pointer, "States must not be empty");
        }
        let mut by_name = BTreeMap::new();
        let mut ids = Vec::with_capacity(states.map.len());
        for name in states.map.keys() {
            if name.is_empty() || name.chars().count() > LONGEST_NAME {
                self.error(
                    Code::InvalidStateName,
                    &states.at(name),
                    format!("State name must have between 1 and {LONGEST_NAME} characters"),
                    None,
                );
            }
            let state = StateId(u32::try_from(self.states.len()).unwrap_or(u32::MAX));
            self.states.push(None);
            by_name.insert(Arc::from(name.as_str()), state);
            ids.push(state);
        }
        for ((name, value), state) in states.map.iter().zip(&ids) {
            let surroundings = Surroundings {
                scope: id,
                by_name: &by_name,
                language,
            };
            self.states[state.0 as usize] =
                self.state(name, value, &states.at(name), &surroundings);
        }
        let Some(start_at) = start_at else { return id };
        match by_name.get(start_at).copied() {
            Some(start_at) => {
                self.check_reachable(start_at, &ids, &states);
                self.scopes[id.0 as usize] = Some(Scope {
                    start_at,
                    states: ids,
                    by_name,
                });
            }
            None => self.missing_target(&fields.at("StartAt"), "StartAt", start_at),
        }
        id
    }

    fn missing_target(&mut self, pointer: &str, field: &str, target: &str) {
        let help = "Name a state of the same States object; transitions cannot leave it.";
        self.error(
            Code::MissingTransitionTarget,
            pointer,
            format!("Missing '{field}' target: {target}"),
            Some(help),
        );
    }

    /// The state that a field names.
    pub(super) fn target(
        &mut self,
        fields: &Fields<'_>,
        field: &str,
        around: &Surroundings<'_>,
    ) -> Option<StateId> {
        let name = self.string(fields, field)?;
        let target = around.by_name.get(name).copied();
        if target.is_none() {
            self.missing_target(&fields.at(field), field, name);
        }
        target
    }

    /// `Next` or `End`.
    pub(super) fn next(&mut self, fields: &Fields<'_>, around: &Surroundings<'_>) -> Option<Next> {
        let end = self.boolean(fields, "End");
        match (fields.has("Next"), end) {
            (true, Some(true)) => {
                self.schema(&fields.pointer, "'Next' and 'End' cannot both be used");
                None
            }
            (true, _) => self.target(fields, "Next", around).map(Next::State),
            (false, Some(true)) => Some(Next::End),
            (false, _) => {
                self.schema(&fields.pointer, "These fields are required: [Next or End]");
                None
            }
        }
    }

    fn check_reachable(&mut self, start_at: StateId, ids: &[StateId], states: &Fields<'_>) {
        let mut reached = BTreeSet::new();
        let mut open = vec![start_at];
        while let Some(id) = open.pop() {
            if !reached.insert(id) {
                continue;
            }
            match self.states.get(id.0 as usize) {
                Some(Some(state)) => open.extend(targets(state)),
                // A state with mistakes of its own may lead anywhere.
                _ => return,
            }
        }
        for (id, name) in ids.iter().zip(states.map.keys()) {
            if !reached.contains(id) {
                let help = "Lead a transition to it, or remove it.";
                self.error(
                    Code::MissingTransitionTarget,
                    &states.at(name),
                    format!("State \"{name}\" is not reachable."),
                    Some(help),
                );
            }
        }
    }
}

/// Everywhere a state can go.
fn targets(state: &State) -> impl Iterator<Item = StateId> {
    let next = match state.next {
        Next::State(next) => Some(next),
        Next::End | Next::Nowhere => None,
    };
    let chosen: Vec<StateId> = match &state.kind {
        Kind::Choice(choice) => choice
            .choices
            .iter()
            .map(|rule| rule.next)
            .chain(choice.default)
            .collect(),
        _ => Vec::new(),
    };
    next.into_iter()
        .chain(chosen)
        .chain(state.catch.iter().map(|catcher| catcher.next))
}

/// A list of objects, each with its place.
pub(super) fn elements<'v>(
    builder: &mut Builder<'_>,
    fields: &Fields<'v>,
    field: &str,
) -> Vec<Fields<'v>> {
    let elements: &'v [Value] = builder.array(fields, field).unwrap_or_default();
    let pointer = fields.at(field);
    elements
        .iter()
        .enumerate()
        .filter_map(|(i, element)| builder.fields(element, &format!("{pointer}[{i}]")))
        .collect()
}
