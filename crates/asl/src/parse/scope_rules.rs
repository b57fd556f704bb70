//! Rules about variables across scopes: an inner scope may not assign a name that an outer scope assigns.
//! Source: "Passing data between states with variables", "Workflow variable scope".

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Builder;
use crate::model::{Kind, ScopeId, State};

impl Builder<'_> {
    pub(super) fn check_variables(&mut self) {
        let mut assigned: BTreeMap<ScopeId, BTreeSet<Arc<str>>> = BTreeMap::new();
        let mut outer: BTreeMap<ScopeId, ScopeId> = BTreeMap::new();
        for state in self.states.iter().flatten() {
            assigned
                .entry(state.scope)
                .or_default()
                .extend(names(state));
            let inner: &[ScopeId] = match &state.kind {
                Kind::Parallel(parallel) => &parallel.branches,
                Kind::Map(map) => std::slice::from_ref(&map.processor),
                _ => &[],
            };
            outer.extend(inner.iter().map(|scope| (*scope, state.scope)));
        }
        let mut clashes = Vec::new();
        for state in self.states.iter().flatten() {
            let mut at = outer.get(&state.scope);
            while let Some(scope) = at {
                if let Some(known) = assigned.get(scope) {
                    clashes.extend(
                        names(state)
                            .filter(|name| known.contains(name))
                            .map(|name| (format!("{}/Assign/{name}", state.pointer), name)),
                    );
                }
                at = outer.get(scope);
            }
        }
        for (pointer, name) in clashes {
            self.schema(
                &pointer,
                format!("Variable '{name}' is assigned in an outer scope; choose another name"),
            );
        }
    }
}

/// Every variable a state may assign.
fn names(state: &State) -> impl Iterator<Item = Arc<str>> {
    let rules: Vec<Arc<str>> = match &state.kind {
        Kind::Choice(choice) => choice
            .choices
            .iter()
            .flat_map(|rule| &rule.assign)
            .map(|(name, _)| name.clone())
            .collect(),
        _ => Vec::new(),
    };
    let caught = state
        .catch
        .iter()
        .flat_map(|catcher| &catcher.assign)
        .map(|(name, _)| name.clone());
    state
        .flow
        .assign()
        .iter()
        .map(|(name, _)| name.clone())
        .chain(caught)
        .chain(rules)
        .collect::<Vec<_>>()
        .into_iter()
}
