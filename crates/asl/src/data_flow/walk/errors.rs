//! The names of errors: which a scope may end with, and which a state waits for although nothing has them.

use std::collections::BTreeSet;

use super::Walk;
use crate::model::{Kind, ScopeId, State, Text};

impl Walk<'_> {
    /// Every error that the states of these scopes may end with; none where one is not known.
    pub(super) fn errors_inside(&self, scopes: &[ScopeId]) -> Option<BTreeSet<String>> {
        let mut all = BTreeSet::new();
        for scope in scopes {
            for id in self.definition.scope(*scope).states() {
                let state = self.definition.state(*id);
                match state.kind() {
                    Kind::Task(_) => all.extend((self.contracts.task)(state)?.errors?),
                    Kind::Fail(fail) => match &fail.error {
                        Some(Text::Literal(name)) => all.extend([name.clone()]),
                        Some(Text::Dynamic(_)) => return None,
                        None => {}
                    },
                    Kind::Parallel(_) | Kind::Map(_) => {
                        all.extend(self.errors_inside(state.scopes())?);
                    }
                    _ => {}
                }
            }
        }
        Some(all)
    }

    /// Names in Retry and Catch that nothing fails with.
    pub(super) fn names(&mut self, state: &State, errors: Option<&BTreeSet<String>>) {
        let Some(errors) = errors else { return };
        let is_known = |name: &str| {
            name.starts_with("States.")
                || errors.iter().any(|known| match known.strip_suffix('*') {
                    Some(beginning) => name.starts_with(beginning),
                    None => name == known,
                })
        };
        let retry = state.retriers().iter().map(|it| &it.error_equals);
        let catch = state.catchers().iter().map(|it| &it.error_equals);
        let named = retry
            .enumerate()
            .map(|(i, names)| (format!("/Retry[{i}]"), names))
            .chain(
                catch
                    .enumerate()
                    .map(|(i, names)| (format!("/Catch[{i}]"), names)),
            );
        for (at, names) in named {
            for (i, name) in names.iter().enumerate() {
                if !is_known(name) {
                    let declared: Vec<_> = errors.iter().map(String::as_str).collect();
                    self.note(
                        state,
                        &format!("{at}/ErrorEquals[{i}]"),
                        format!("Nothing that this state does fails with {name}"),
                        format!("It may fail with {}, or States.….", declared.join(", ")),
                    );
                }
            }
        }
    }
}
