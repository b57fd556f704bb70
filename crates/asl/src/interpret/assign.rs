//! `Assign`: variables of a scope. Source: "Passing data between states with variables".

use std::sync::Arc;

use super::fault::Outcome;
use super::lens::Lens;
use crate::Data;
use crate::model::Assignments;

/// Variables and their new values.
pub(super) type Assigned = Vec<(Arc<str>, Data)>;

/// Every expression sees the variables as they were before.
pub(super) fn evaluate(lens: &Lens<'_>, assign: &Assignments) -> Outcome<Assigned> {
    assign
        .iter()
        .map(|(name, template)| {
            Ok((
                name.clone(),
                lens.template(template, &field(name, template))?,
            ))
        })
        .collect()
}

fn field(name: &str, template: &crate::model::Template) -> String {
    use crate::model::{Dynamic, Template};
    match template {
        Template::Dynamic(Dynamic::Path(_)) => format!("{name}.$"),
        _ => format!("Assign/{name}"),
    }
}
