//! The ways from an execution to what can be done with it.

use form_urlencoded::byte_serialize;
use maud::{Markup, html};
use operate::parked::Parked;

use super::parked;
use crate::fleet::{Item, Status, Stuck};

/// What can be done with an execution that stands so.
pub(crate) fn buttons(arn: &str, machine: &str, status: Status, parked: &[Parked]) -> Markup {
    let arn: String = byte_serialize(arn.as_bytes()).collect();
    let machine: String = byte_serialize(machine.as_bytes()).collect();
    html! {
        span .actions {
            @for p in parked {
                span .soft { (p.state) " is parked:" } (parked::links(&Stuck::of(p)))
            }
            @if status.is_bad() { a .button.primary href={ "/act/redrive?execution=" (arn) } { "Redrive" } }
            a .button href={ "/act/fork?execution=" (arn) } { "Fork" }
            a .button href={ "/act/start?machine=" (machine) "&execution=" (arn) } { "Start again" }
            @if status.is_running() { a .button.danger href={ "/act/stop?execution=" (arn) } { "Stop" } }
        }
    }
}

/// What can be done with all of these at once, which stand alike: nothing has changed before the next page is confirmed.
pub(crate) fn several(items: &[Item]) -> Markup {
    let ways: &[(&str, &str)] = match items.first().map(|item| item.status) {
        Some(status) if items.iter().any(|item| item.status != status) => &[],
        Some(Status::Parked) => &[("/act/replay", "Replay"), ("/act/discard", "Discard")],
        Some(Status::Running) => &[("/act/stop", "Stop")],
        Some(status) if status.is_bad() => &[("/act/redrive", "Redrive")],
        _ => &[],
    };
    html! {
        @if !ways.is_empty() {
            form .pages.actions method="get" {
                @for item in items { input type="hidden" name="execution" value=(item.arn); }
                @for (address, verb) in ways {
                    button type="submit" formaction=(address) { (verb) " the " (items.len()) " shown …" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str, status: Status) -> Item {
        Item {
            arn: format!("arn:aws:states:us-east-1:000000000000:execution:m:{name}").into(),
            machine: "m".into(),
            status,
            started: 0,
            stopped: None,
            redrives: 0,
            parked: None,
            described: None,
        }
    }

    #[test]
    fn what_stands_alike_is_acted_on_together() {
        for (status, address) in [
            (Status::Failed, Some("/act/redrive")),
            (Status::Aborted, Some("/act/redrive")),
            (Status::Running, Some("/act/stop")),
            (Status::Parked, Some("/act/replay")),
            (Status::Parked, Some("/act/discard")),
            (Status::Succeeded, None),
        ] {
            let form = several(&[item("a", status), item("b", status)]).into_string();
            match address {
                Some(address) => {
                    assert!(
                        form.contains(&format!("formaction=\"{address}\"")),
                        "{form}"
                    );
                    assert!(form.contains(":execution:m:a\"") && form.contains(":execution:m:b\""));
                }
                None => assert_eq!(form, ""),
            }
        }
        let mixed = several(&[item("a", Status::Failed), item("b", Status::Running)]);
        assert_eq!(mixed.into_string(), "");
        assert_eq!(several(&[]).into_string(), "");
    }
}
