//! A definition as a picture: what the states are and how they lead to each other, placed by [`layered`], drawn by
//! [`svg`]. Parallel and Map states are boxes with their own states inside.

pub(crate) mod layered;
mod svg;

use std::collections::BTreeMap;

use asl::model::{Definition, Kind, Next, ScopeId, State, StateId};
use layered::{Edge as LayeredEdge, Point, Route, layered};

pub(crate) use svg::{Mark, Paint, draw};

/// A placed definition; coordinates of its shapes are absolute.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chart {
    pub nodes: Vec<Node>,
    /// What surrounds the states inside a state; outer ones first.
    pub frames: Vec<Frame>,
    pub edges: Vec<Edge>,
    pub size: Point,
}

/// A state, or the dot where an execution begins or ends.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub name: String,
    pub shape: Shape,
    /// Under the name: what it calls, or its kind.
    pub detail: String,
    /// How often it tries again, if it does.
    pub retry: Option<String>,
    /// Top left.
    pub at: Point,
    pub size: Point,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Start,
    End,
    Box,
    Choice,
    /// Succeed and Fail.
    Pill,
    /// Has states inside.
    Group,
}

/// The border of a branch or a Map's processor.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub at: Point,
    pub size: Point,
}

/// A transition.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    /// States' names; empty for the dots.
    pub from: String,
    pub to: String,
    pub kind: EdgeKind,
    /// Shortened for the picture.
    pub label: String,
    /// The whole of it.
    pub title: String,
    pub route: Route,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EdgeKind {
    Next,
    Choice,
    Catch,
}

/// Longest name and label in a picture, in characters.
const NAME: usize = 30;
const LABEL: usize = 26;
const PAD: f64 = 10.0;
const HEAD: f64 = 40.0;
const DOT: Point = (16.0, 16.0);

/// Places a definition.
pub(crate) fn chart(definition: &Definition) -> Chart {
    scope(definition, definition.root())
}

/// A transition before it is placed; `None` is the dot of the start or the end.
struct Way {
    from: usize,
    to: usize,
    kind: EdgeKind,
    title: String,
}

fn scope(definition: &Definition, id: ScopeId) -> Chart {
    let scope = definition.scope(id);
    let is_root = id == definition.root();
    let insides: Vec<(StateId, &State, Option<Chart>)> = scope
        .states()
        .iter()
        .map(|id| {
            let state = definition.state(*id);
            (*id, state, inside(definition, state))
        })
        .collect();
    let place: BTreeMap<StateId, usize> = insides
        .iter()
        .enumerate()
        .map(|(i, (id, ..))| (*id, i))
        .collect();
    let mut nodes: Vec<Node> = insides
        .iter()
        .map(|(_, state, chart)| node(state, chart.as_ref()))
        .collect();
    let mut ways = Vec::new();
    for (from, (_, state, _)) in insides.iter().enumerate() {
        ways.extend(leaving(state, from, &place));
    }
    let mut start = place.get(&scope.start_at()).copied().unwrap_or(0);
    if is_root {
        let next = |from, to| Way {
            from,
            to,
            kind: EdgeKind::Next,
            title: String::new(),
        };
        let ending: Vec<usize> = insides
            .iter()
            .enumerate()
            .filter(|(_, (_, state, _))| {
                state.next() == Next::End && !matches!(state.kind(), Kind::Succeed)
            })
            .map(|(i, _)| i)
            .collect();
        nodes.push(dot(Shape::Start));
        ways.insert(0, next(nodes.len() - 1, start));
        start = nodes.len() - 1;
        if !ending.is_empty() {
            nodes.push(dot(Shape::End));
            ways.extend(ending.into_iter().map(|from| next(from, nodes.len() - 1)));
        }
    }
    place_all(
        nodes,
        insides.into_iter().map(|(_, _, chart)| chart),
        ways,
        start,
    )
}

/// Puts nodes and transitions where the layers say, and what is inside of nodes into them.
fn place_all(
    mut nodes: Vec<Node>,
    insides: impl Iterator<Item = Option<Chart>>,
    ways: Vec<Way>,
    start: usize,
) -> Chart {
    let sizes: Vec<Point> = nodes.iter().map(|node| node.size).collect();
    let labels: Vec<String> = ways
        .iter()
        .map(|way| label(way, &nodes[way.to].name))
        .collect();
    let edges: Vec<LayeredEdge> = ways
        .iter()
        .zip(&labels)
        .map(|(way, label)| LayeredEdge {
            from: way.from,
            to: way.to,
            label: if label.is_empty() {
                0.0
            } else {
                width(label, 6.2) + 10.0
            },
            weight: match way.kind {
                EdgeKind::Next => 4.0,
                EdgeKind::Choice => 2.0,
                EdgeKind::Catch => 0.5,
            },
        })
        .collect();
    let layout = layered(&sizes, &edges, start);
    for (node, centre) in nodes.iter_mut().zip(&layout.nodes) {
        node.at = (centre.0 - node.size.0 / 2.0, centre.1 - node.size.1 / 2.0);
    }
    let mut chart = Chart {
        size: layout.size,
        ..Chart::default()
    };
    for ((way, route), label) in ways.into_iter().zip(layout.routes).zip(labels) {
        let name = |i: usize| nodes[i].name.clone();
        chart.edges.push(Edge {
            from: name(way.from),
            to: name(way.to),
            kind: way.kind,
            label,
            title: way.title,
            route,
        });
    }
    let mut inner = Vec::new();
    for (node, inside) in nodes.iter().zip(insides) {
        if let Some(inside) = inside {
            inner.push(inside.moved((node.at.0 + PAD, node.at.1 + HEAD)));
        }
    }
    chart.nodes = nodes;
    for inside in inner {
        chart.nodes.extend(inside.nodes);
        chart.frames.extend(inside.frames);
        chart.edges.extend(inside.edges);
    }
    chart
}

/// The branches of a Parallel beside each other, or a Map's processor.
fn inside(definition: &Definition, state: &State) -> Option<Chart> {
    if state.scopes().is_empty() {
        return None;
    }
    let mut all = Chart::default();
    let mut left = 0.0;
    for inner in state.scopes() {
        let chart = scope(definition, *inner);
        let size = (chart.size.0 + 2.0 * PAD, chart.size.1 + 2.0 * PAD);
        let chart = chart.moved((left + PAD, PAD));
        all.frames.push(Frame {
            at: (left, 0.0),
            size,
        });
        all.frames.extend(chart.frames);
        all.nodes.extend(chart.nodes);
        all.edges.extend(chart.edges);
        left += size.0 + PAD;
        all.size.1 = all.size.1.max(size.1);
    }
    all.size.0 = left - PAD;
    Some(all)
}

impl Chart {
    fn moved(mut self, (x, y): Point) -> Chart {
        let shift = |point: &mut Point| *point = (point.0 + x, point.1 + y);
        self.nodes.iter_mut().for_each(|node| shift(&mut node.at));
        self.frames
            .iter_mut()
            .for_each(|frame| shift(&mut frame.at));
        for edge in &mut self.edges {
            edge.route.points.iter_mut().for_each(shift);
            edge.route.label.iter_mut().for_each(shift);
        }
        self
    }
}

fn dot(shape: Shape) -> Node {
    Node {
        name: String::new(),
        shape,
        detail: String::new(),
        retry: None,
        at: (0.0, 0.0),
        size: DOT,
    }
}

fn node(state: &State, inside: Option<&Chart>) -> Node {
    let (shape, detail) = match state.kind() {
        Kind::Task(task) => (
            Shape::Box,
            operate::ahead::calls(&task.resource, state.flow()),
        ),
        Kind::Choice(_) => (Shape::Choice, "Choice".to_owned()),
        Kind::Succeed => (Shape::Pill, "Succeed".to_owned()),
        Kind::Fail(_) => (Shape::Pill, "Fail".to_owned()),
        Kind::Pass(_) => (Shape::Box, "Pass".to_owned()),
        Kind::Wait(_) => (Shape::Box, "Wait".to_owned()),
        Kind::Parallel(_) => (Shape::Group, "Parallel".to_owned()),
        Kind::Map(_) => (Shape::Group, "Map".to_owned()),
    };
    let detail = detail
        .replace("lambda:invoke", "λ")
        .replace("sqs:sendMessage", "sqs")
        .replace("sns:publish", "sns")
        .replace(".waitForTaskToken", " token");
    let tries: u32 = state
        .retriers()
        .iter()
        .map(|r| r.max_attempts)
        .max()
        .unwrap_or(0);
    let retry = (tries > 0).then(|| format!("↻{tries}"));
    let name = shorten(state.name(), NAME);
    let detail_short = shorten(&detail, NAME + 6);
    let text =
        width(&name, 7.9).max(width(&detail_short, 6.3) + if retry.is_some() { 30.0 } else { 0.0 });
    let mut size = ((text + 44.0).max(104.0), 44.0);
    if let Some(inside) = inside {
        size = (
            size.0.max(inside.size.0 + 2.0 * PAD),
            inside.size.1 + HEAD + PAD,
        );
    }
    Node {
        name: state.name().to_owned(),
        shape,
        detail: detail_short,
        retry,
        at: (0.0, 0.0),
        size,
    }
}

/// The transitions that leave a state; those of one kind to one state are one.
fn leaving(state: &State, from: usize, place: &BTreeMap<StateId, usize>) -> Vec<Way> {
    let mut ways: Vec<Way> = Vec::new();
    let mut add = |to: StateId, kind, title: String| {
        let Some(to) = place.get(&to).copied() else {
            return;
        };
        match ways.iter_mut().find(|way| way.to == to && way.kind == kind) {
            Some(way) => {
                way.title.push_str(" · ");
                way.title.push_str(&title);
            }
            None => ways.push(Way {
                from,
                to,
                kind,
                title,
            }),
        }
    };
    if let Next::State(next) = state.next() {
        add(next, EdgeKind::Next, String::new());
    }
    if let Kind::Choice(choice) = state.kind() {
        for rule in &choice.choices {
            add(rule.next, EdgeKind::Choice, rule.condition.to_string());
        }
        if let Some(default) = choice.default {
            add(default, EdgeKind::Choice, "otherwise".to_owned());
        }
    }
    for catcher in state.catchers() {
        add(
            catcher.next,
            EdgeKind::Catch,
            catcher.error_equals.join(", "),
        );
    }
    ways
}

/// What stands beside a transition: the condition without its obvious parts, the errors unless it is any. A condition
/// that names the state it leads to says nothing new.
fn label(way: &Way, to: &str) -> String {
    match way.kind {
        EdgeKind::Next => String::new(),
        EdgeKind::Catch if way.title == "States.ALL" => String::new(),
        EdgeKind::Catch => shorten(&way.title, LABEL),
        EdgeKind::Choice if way.title.contains(&format!("'{to}'")) => String::new(),
        EdgeKind::Choice => shorten(
            &way.title.replace("$states.input.", "").replace("$.", ""),
            LABEL,
        ),
    }
}

/// About how wide a text is; wide letters (Korean, Chinese, Japanese) are twice as wide.
fn width(text: &str, letter: f64) -> f64 {
    text.chars()
        .map(|c| if c >= '\u{1100}' { 2.0 } else { 1.0 } * letter)
        .sum()
}

fn shorten(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        text.to_owned()
    } else {
        text.chars().take(longest - 1).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Chart {
        chart(&asl::parse(text).definition.unwrap())
    }

    const PARALLEL: &str = r#"{"StartAt": "P", "States": {
        "P": {"Type": "Parallel", "Next": "C", "Catch": [{"ErrorEquals": ["E"], "Next": "F"}], "Branches": [
            {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "End": true}}},
            {"StartAt": "D", "States": {"D": {"Type": "Wait", "Seconds": 1, "End": true}}}]},
        "C": {"Type": "Choice", "Choices": [{"Variable": "$.again", "BooleanEquals": true, "Next": "P"}], "Default": "S"},
        "S": {"Type": "Succeed"},
        "F": {"Type": "Fail", "Error": "E"}}}"#;

    #[test]
    fn what_is_inside_a_state_lies_inside_it() {
        let chart = of(PARALLEL);
        let find = |name: &str| chart.nodes.iter().find(|n| n.name == name).unwrap();
        let around = find("P");
        for name in ["A", "B", "D"] {
            let inner = find(name);
            assert!(inner.at.0 > around.at.0 && inner.at.1 > around.at.1);
            assert!(
                inner.at.0 + inner.size.0 < around.at.0 + around.size.0,
                "{name}"
            );
            assert!(
                inner.at.1 + inner.size.1 < around.at.1 + around.size.1,
                "{name}"
            );
        }
        assert_eq!(chart.frames.len(), 2);
        assert!(find("C").at.1 > around.at.1 + around.size.1);
    }

    #[test]
    fn transitions_are_told_apart() {
        let chart = of(PARALLEL);
        let told: Vec<String> = chart
            .edges
            .iter()
            .map(|e| {
                let back = if e.route.is_back { " back" } else { "" };
                format!("{}>{} {:?} {}{back}", e.from, e.to, e.kind, e.label)
            })
            .collect();
        assert_eq!(
            told,
            [
                ">P Next ",
                "P>C Next ",
                "P>F Catch E",
                "C>P Choice again BooleanEquals true back",
                "C>S Choice otherwise",
                "A>B Next ",
            ]
        );
    }
}
