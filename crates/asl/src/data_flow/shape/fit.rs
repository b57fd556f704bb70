//! Whether what is given can be what a contract wants.

use std::collections::BTreeSet;

use super::{Array, Others, Shape};

impl Shape {
    /// Every way in which a value of this shape can never be what a contract wants: where (`.a.b`), and what.
    pub(in crate::data_flow) fn misfits(&self, wanted: &Self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.compare(wanted, String::new(), &mut found);
        found
    }

    fn compare(&self, wanted: &Self, at: String, found: &mut Vec<(String, String)>) {
        let (Self::Known(given), Self::Known(wanted)) = (self, wanted) else {
            return;
        };
        let (is, wants) = (given.types(), wanted.types());
        if !is.is_empty() && is.is_disjoint(&wants) {
            let list = |types: BTreeSet<_>| types.into_iter().collect::<Vec<_>>().join(" or ");
            found.push((at, format!("is {}, not {}", list(is), list(wants))));
            return;
        }
        if let (Some(given), Some(wanted)) = (&given.object, &wanted.object) {
            for name in &wanted.required {
                if !given.members.contains_key(name) && given.others != Others::Possible {
                    found.push((format!("{at}.{name}"), "is missing".to_owned()));
                }
            }
            for (name, member) in &given.members {
                match wanted.members.get(name) {
                    Some(wanted) => member.compare(wanted, format!("{at}.{name}"), found),
                    None if wanted.others == Others::Refused => {
                        found.push((format!("{at}.{name}"), "is not known there".to_owned()));
                    }
                    None => {}
                }
            }
        }
        if let (Some(given), Some(wanted)) = (&given.array, &wanted.array)
            && let Array::Of(wanted) = &**wanted
        {
            for element in given.elements() {
                element.compare(wanted, format!("{at}[]"), found);
            }
        }
    }
}
