//! What all pages share: head, navigation, the place they look at, and a few small parts.

use maud::{DOCTYPE, Markup, html};

use crate::app::{App, Place};
use crate::assets;

/// The entry of the navigation a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tab {
    Overview,
    Executions,
    Workflows,
    Queues,
    Callbacks,
    Shop,
    Mail,
    Audit,
    /// The pages outside the navigation: errors, login.
    None,
}

/// The navigation, in its order. A page that is added here gets its key on the keyboard with it (`g` and the letter).
const TABS: [(Tab, &str, &str, &str); 8] = [
    (Tab::Overview, "/", "Overview", "o"),
    (Tab::Executions, "/executions", "Executions", "e"),
    (Tab::Workflows, "/workflows", "Workflows", "w"),
    (Tab::Queues, "/queues", "Queues", "q"),
    (Tab::Callbacks, "/callbacks", "Callbacks", "c"),
    (Tab::Shop, "/shop", "Shop", "s"),
    (Tab::Mail, "/mail", "Mail", "m"),
    (Tab::Audit, "/audit", "Audit", "a"),
];

/// One page. Its body's elements with `id` and `data-live` are replaced as the server tells of changes.
#[derive(Clone, Debug)]
pub(crate) struct Page<'a> {
    title: &'a str,
    tab: Tab,
    live: Option<String>,
}

impl<'a> Page<'a> {
    pub(crate) fn new(title: &'a str, tab: Tab) -> Page<'a> {
        Page {
            title,
            tab,
            live: None,
        }
    }

    /// The path of the event stream that says when this page has changed.
    pub(crate) fn live(mut self, path: impl Into<String>) -> Page<'a> {
        self.live = Some(path.into());
        self
    }

    pub(crate) fn render(self, app: &App, body: Markup) -> Markup {
        let [style, script, icon] = assets::paths();
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="same-origin";
                    title { (self.title) " · restock" }
                    link rel="icon" href=(icon) type="image/svg+xml";
                    link rel="stylesheet" href=(style);
                    script src=(script) defer {}
                }
                body data-events=[self.live.as_deref()] {
                    a .skip href="#main" { "Skip to content" }
                    div .frame {
                        header .side {
                            a .brand href="/" { img src=(icon) alt="" width="22" height="22"; "restock" }
                            nav aria-label="Pages" {
                                @for (tab, path, name, key) in TABS {
                                    a href=(path) data-key=(key) aria-current=[(tab == self.tab).then_some("page")] { (name) }
                                }
                            }
                            (place(app))
                        }
                        main #main tabindex="-1" { (body) }
                    }
                    div #announce .quiet role="status" aria-live="polite" {}
                    (help())
                }
            }
        }
    }
}

/// What this console looks at, so that nobody takes AWS for their own machine.
fn place(app: &App) -> Markup {
    html! {
        div .place {
            @match &app.place {
                Place::Endpoint(url) => {
                    span .chip { "local" }
                    span .where { (url.trim_start_matches("http://")) " " br; (app.region()) }
                }
                Place::Aws { profile } => {
                    span .chip.aws { "AWS" }
                    span .where { (profile) " " br; (app.region()) }
                }
            }
            span #pulse .pulse hidden { "live" }
            @if app.login.is_needed() {
                form method="post" action="/logout" { button .link type="submit" { "Log out" } }
            }
        }
    }
}

/// The keys; the script shows it on `?`.
fn help() -> Markup {
    html! {
        dialog #help aria-labelledby="help-title" {
            h2 #help-title { "Keys" }
            dl .keys {
                dt { kbd { "/" } } dd { "search" }
                dt { kbd { "j" } " " kbd { "k" } } dd { "next, previous row" }
                dt { kbd { "Enter" } } dd { "open the row" }
                dt { kbd { "n" } " " kbd { "p" } } dd { "next, previous page" }
                @for (_, _, name, key) in TABS {
                    dt { kbd { "g" } " " kbd { (key) } } dd { (name) }
                }
                dt { kbd { "?" } } dd { "this help" }
                dt { kbd { "Esc" } } dd { "close, leave a field" }
            }
            form method="dialog" { button { "Close" } }
        }
    }
}

/// A page or a part without anything in it: what that means, and what to do.
pub(crate) fn empty(title: &str, what_to_do: Markup) -> Markup {
    html! {
        section .empty {
            h2 { (title) }
            p { (what_to_do) }
        }
    }
}

/// A status or an outcome: colour, shape and word, so that none has to be told from colour alone.
pub(crate) fn status(word: &str) -> Markup {
    let (class, shape) = match word {
        "SUCCEEDED" | "succeeded" => ("ok", "✓"),
        "FAILED" | "failed" => ("bad", "✕"),
        "TIMED_OUT" | "timed out" => ("bad", "◷"),
        "ABORTED" | "aborted" => ("off", "■"),
        "RUNNING" | "running" => ("run", "●"),
        "retrying" => ("warn", "↻"),
        "caught" => ("warn", "⤵"),
        "PARKED" | "parked" => ("warn", "‖"),
        "waiting" => ("run", "◔"),
        _ => ("off", "○"),
    };
    let shown = word.to_lowercase().replace('_', " ");
    html! { span class={ "status " (class) } { span .shape aria-hidden="true" { (shape) } (shown) } }
}
