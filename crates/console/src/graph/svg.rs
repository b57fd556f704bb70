//! Draws a placed definition as SVG. Colours, pulsing and line styles are the stylesheet's; shapes and signs say the same
//! without colour.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use maud::{Markup, html};

use super::layered::Point;
use super::{Chart, Edge, EdgeKind, Node, Shape};

/// What became of a state in an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The stylesheet's name of it: `ok`, `bad`, `warn`, `run`, `off`.
    pub class: &'static str,
    /// The same as a sign.
    pub sign: &'static str,
    /// The same in words: `succeeded after 2 attempts`.
    pub told: String,
    /// Stays in it, if it was entered more than once.
    pub visits: usize,
    pub is_current: bool,
    pub is_chosen: bool,
}

/// How a picture is coloured, and where its states lead.
#[derive(Debug, Default)]
pub(crate) struct Paint {
    pub marks: BTreeMap<String, Mark>,
    /// Transitions that were made, by their states' names.
    pub taken: BTreeSet<(String, String)>,
    /// The beginning of every state's link; the encoded name follows.
    pub link: Option<String>,
}

const MARGIN: f64 = 14.0;
const HEAD: f64 = 6.0;
/// From so wide on, a picture may be made smaller to fit, but not so small that nobody can read it.
const WIDE: f64 = 760.0;

/// The picture; `about` says what it is for those who cannot see it.
pub(crate) fn draw(chart: &Chart, paint: &Paint, about: &str) -> Markup {
    let (width, height) = (chart.size.0 + 2.0 * MARGIN, chart.size.1 + 2.0 * MARGIN);
    let has_marks = !paint.marks.is_empty();
    html! {
        svg .graph.traced[has_marks].wide[width > WIDE] xmlns="http://www.w3.org/2000/svg" role="group" aria-label=(about)
            viewBox={ (n(-MARGIN)) " " (n(-MARGIN)) " " (n(width)) " " (n(height)) }
            width=(n(width)) height=(n(height)) {
            @for node in chart.nodes.iter().filter(|node| node.shape == Shape::Group) { (state(node, paint)) }
            @for frame in &chart.frames {
                rect .branch x=(n(frame.at.0)) y=(n(frame.at.1)) width=(n(frame.size.0)) height=(n(frame.size.1)) rx="6" {}
            }
            @for edge in &chart.edges { (line(edge, paint)) }
            @for node in chart.nodes.iter().filter(|node| node.shape != Shape::Group) { (state(node, paint)) }
            @for edge in &chart.edges { (label(edge)) }
        }
    }
}

fn state(node: &Node, paint: &Paint) -> Markup {
    let (x, y) = node.at;
    let (w, h) = node.size;
    let (cx, cy) = (x + w / 2.0, y + h / 2.0);
    match node.shape {
        Shape::Start => {
            return html! { circle .dot cx=(n(cx)) cy=(n(cy)) r="6" { title { "start" } } };
        }
        Shape::End => {
            return html! {
                circle .dot.end cx=(n(cx)) cy=(n(cy)) r="7" { title { "end" } }
                circle .dot cx=(n(cx)) cy=(n(cy)) r="3.5" {}
            };
        }
        _ => {}
    }
    let none = Mark::default();
    let mark = paint.marks.get(&node.name).unwrap_or(&none);
    let shape = html! {
        @if node.shape == Shape::Choice {
            path .shape d=(format!("M{} {}L{} {}H{}L{} {}L{} {}H{}Z",
                n(x), n(cy), n(x + 12.0), n(y), n(x + w - 12.0), n(x + w), n(cy), n(x + w - 12.0), n(y + h), n(x + 12.0))) {}
        } @else {
            rect .shape x=(n(x)) y=(n(y)) width=(n(w)) height=(n(h))
                rx=(match node.shape { Shape::Pill => "22", Shape::Group => "9", _ => "7" }) {}
        }
    };
    // Text of a box begins beside its sign; of a group it stands in its head.
    let left = x + if mark.sign.is_empty() { 16.0 } else { 34.0 };
    let told = match (&paint.link, mark.told.as_str()) {
        (Some(_), "") => "not reached",
        (_, told) => told,
    };
    let inner = html! {
        // The name of the link for whoever does not see it.
        title { (node.name) @if !told.is_empty() { ": " (told) } }
        (shape)
        @if !mark.sign.is_empty() {
            circle .disc cx=(n(x + 19.0)) cy=(n(y + 21.0)) r="8.5" {}
            text .sign x=(n(x + 19.0)) y=(n(y + 25.0)) text-anchor="middle" aria-hidden="true" { (mark.sign) }
        }
        text .name x=(n(left)) y=(n(y + 19.0)) { (super::shorten(&node.name, super::NAME)) }
        text .detail x=(n(left)) y=(n(y + 34.0)) { (node.detail) }
        @if let Some(retry) = &node.retry {
            text .detail.retry x=(n(x + w - 8.0)) y=(n(y + 34.0)) text-anchor="end" { title { "tries again up to " (retry.trim_start_matches('↻')) " times" } (retry) }
        }
        @if mark.visits > 1 {
            // On the border, where no name is so long as to reach it.
            text .visits x=(n(x + w - 10.0)) y=(n(y + 4.0)) text-anchor="end" { "×" (mark.visits) }
        }
    };
    let class = format!(
        "state {} {} {} {}",
        mark.class,
        if node.shape == Shape::Group {
            "group"
        } else {
            ""
        },
        if mark.is_current { "current" } else { "" },
        if mark.is_chosen { "chosen" } else { "" },
    );
    match &paint.link {
        Some(link) => {
            let name: String = form_urlencoded::byte_serialize(node.name.as_bytes()).collect();
            html! {
                a class=(class) href={ (link) (name) "#state" } aria-current=[mark.is_chosen.then_some("true")] { (inner) }
            }
        }
        None => html! { g class=(class) { (inner) } },
    }
}

fn line(edge: &Edge, paint: &Paint) -> Markup {
    let Some((path, head)) = path(&edge.route.points) else {
        return html! {};
    };
    let is_taken = paint.taken.contains(&(edge.from.clone(), edge.to.clone()));
    let class = format!(
        "edge {}{}{}",
        match edge.kind {
            EdgeKind::Next => "next",
            EdgeKind::Choice => "choice",
            EdgeKind::Catch => "catch",
        },
        if edge.route.is_back { " back" } else { "" },
        if is_taken { " taken" } else { "" }
    );
    let title = match edge.kind {
        EdgeKind::Catch => format!("catch {}", edge.title),
        _ => edge.title.clone(),
    };
    html! {
        g class=(class) {
            @if !title.is_empty() { title { (title) } }
            path d=(path) {}
            path .head d=(head) {}
        }
    }
}

fn label(edge: &Edge) -> Markup {
    let Some((x, y)) = edge.route.label.filter(|_| !edge.label.is_empty()) else {
        return html! {};
    };
    html! {
        text .label x=(n(x)) y=(n(y + 4.0)) text-anchor="middle" { title { (edge.title) } (edge.label) }
    }
}

/// The line and its arrow head. Lines leave and reach every point straight up or down.
fn path(points: &[Point]) -> Option<(String, String)> {
    let (first, [.., before, last]) = (points.first()?, points) else {
        return None;
    };
    let down = if last.1 >= before.1 { 1.0 } else { -1.0 };
    let tip = *last;
    let end = (tip.0, tip.1 - HEAD * down);
    let mut line = format!("M{} {}", n(first.0), n(first.1));
    let mut from = *first;
    for point in points[1..points.len() - 1].iter().chain([&end]) {
        if (point.0 - from.0).abs() < 0.5 {
            let _ = write!(line, "L{} {}", n(point.0), n(point.1));
        } else {
            let middle = f64::midpoint(from.1, point.1);
            let _ = write!(
                line,
                "C{} {} {} {} {} {}",
                n(from.0),
                n(middle),
                n(point.0),
                n(middle),
                n(point.0),
                n(point.1)
            );
        }
        from = *point;
    }
    let head = format!(
        "M{} {}L{} {}L{} {}Z",
        n(tip.0),
        n(tip.1),
        n(tip.0 - 4.0),
        n(end.1),
        n(tip.0 + 4.0),
        n(end.1)
    );
    Some((line, head))
}

/// A coordinate with one digit after the point, or none.
fn n(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_says_in_words_what_it_says_in_colours() {
        let text = r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B <x>"}, "B <x>": {"Type": "Succeed"}}}"#;
        let chart = super::super::chart(&asl::parse(text).definition.unwrap());
        let mut paint = Paint {
            link: Some("/e?state=".to_owned()),
            ..Paint::default()
        };
        paint.marks.insert(
            "A".to_owned(),
            Mark {
                class: "bad",
                sign: "✕",
                told: "failed with E".to_owned(),
                is_current: true,
                ..Mark::default()
            },
        );
        paint.taken.insert(("A".to_owned(), "B <x>".to_owned()));
        let drawn = draw(&chart, &paint, "reorder").into_string();
        for part in [
            "<title>A: failed with E</title>",
            r##"href="/e?state=B+%3Cx%3E#state""##,
            "<title>B &lt;x&gt;: not reached</title>",
            "edge next taken",
            ">✕<",
        ] {
            assert!(drawn.contains(part), "{part} is missing in {drawn}");
        }
        assert!(
            !drawn.contains("style="),
            "the policy forbids inline styles"
        );
    }
}
