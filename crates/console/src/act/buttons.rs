//! The ways from an execution to what can be done with it.

use form_urlencoded::byte_serialize;
use maud::{Markup, html};
use operate::parked::Parked;

use super::parked;
use crate::fleet::Status;

/// What can be done with an execution that stands so.
pub(crate) fn buttons(arn: &str, machine: &str, status: Status, parked: &[Parked]) -> Markup {
    let arn: String = byte_serialize(arn.as_bytes()).collect();
    let machine: String = byte_serialize(machine.as_bytes()).collect();
    html! {
        span .actions {
            @for p in parked {
                span .soft { (p.state) " is parked:" } (parked::links(p))
            }
            @if status.is_bad() { a .button.primary href={ "/act/redrive?execution=" (arn) } { "Redrive" } }
            a .button href={ "/act/fork?execution=" (arn) } { "Fork" }
            a .button href={ "/act/start?machine=" (machine) "&execution=" (arn) } { "Start again" }
            @if status.is_running() { a .button.danger href={ "/act/stop?execution=" (arn) } { "Stop" } }
        }
    }
}
