//! Places the nodes of a directed graph in layers from top to bottom, with edges routed around nodes (the method of
//! Sugiyama, Tagawa and Toda). Pure numbers: it knows neither states nor SVG. The same graph always lies the same.
//!
//! Steps: turn edges that go back, rank by the longest path, give long edges a place in every layer they cross, order
//! the layers so that few edges cross, and move nodes under their neighbours.

mod order;
mod spread;

/// A point, or a size.
pub(crate) type Point = (f64, f64);

/// Between two nodes of a layer.
const BESIDE: f64 = 20.0;
/// Between two layers.
const BELOW: f64 = 30.0;
/// Room for an edge that crosses a layer.
const LANE: f64 = 12.0;
const LABEL_HEIGHT: f64 = 15.0;

/// An edge; `label` is the width of its label, 0 without one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub from: usize,
    pub to: usize,
    pub label: f64,
    /// How much it wants to be straight.
    pub weight: f64,
}

/// Where everything lies; the top left corner is (0, 0).
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// Centres of the nodes.
    pub nodes: Vec<Point>,
    /// One for each edge.
    pub routes: Vec<Route>,
    pub size: Point,
}

/// How an edge runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Route {
    /// From border to border; empty for an edge to itself.
    pub points: Vec<Point>,
    /// It goes upwards.
    pub is_back: bool,
    /// Centre of its label.
    pub label: Option<Point>,
}

/// A node of a layer: one of the graph's, or a place that an edge passes.
#[derive(Clone, Debug)]
struct Place {
    size: Point,
    rank: usize,
    is_lane: bool,
}

/// A piece of an edge between two neighbouring layers.
#[derive(Clone, Copy, Debug)]
struct Piece {
    up: usize,
    down: usize,
    weight: f64,
}

/// Lays out nodes of these sizes; `start` is at the top.
pub(crate) fn layered(sizes: &[Point], edges: &[Edge], start: usize) -> Layout {
    if sizes.is_empty() {
        return Layout::default();
    }
    let back = back_edges(sizes.len(), edges, start);
    let ranks = ranks(sizes.len(), edges, &back);
    let mut places: Vec<Place> = sizes
        .iter()
        .zip(&ranks)
        .map(|(size, rank)| Place {
            size: *size,
            rank: *rank,
            is_lane: false,
        })
        .collect();
    let mut pieces = Vec::new();
    let chains: Vec<Vec<usize>> = edges
        .iter()
        .zip(&back)
        .map(|(edge, back)| chain(edge, *back, &ranks, &mut places, &mut pieces))
        .collect();
    let layers = order::layers(&places, &pieces, start);
    let xs = spread::xs(&places, &pieces, &layers);
    let spans = spans(&places, &layers);
    let width = (0..places.len())
        .map(|i| xs[i] + places[i].size.0 / 2.0)
        .fold(0.0, f64::max);
    let routes = edges
        .iter()
        .zip(&chains)
        .zip(&back)
        .map(|((edge, chain), back)| route(edge, chain, *back, &places, &xs, &spans))
        .collect();
    Layout {
        nodes: (0..sizes.len())
            .map(|i| (xs[i], spans[ranks[i]].middle()))
            .collect(),
        routes,
        size: (width, spans.last().map_or(0.0, |span| span.bottom)),
    }
}

/// Which edges lead to a node that is on the way to them.
fn back_edges(nodes: usize, edges: &[Edge], start: usize) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Not,
        Above,
        Done,
    }
    let mut back = vec![false; edges.len()];
    let mut seen = vec![Seen::Not; nodes];
    let mut out = vec![Vec::new(); nodes];
    for (i, edge) in edges.iter().enumerate() {
        out[edge.from].push(i);
    }
    for root in std::iter::once(start).chain(0..nodes) {
        if seen[root] != Seen::Not {
            continue;
        }
        let mut way = vec![(root, 0)];
        seen[root] = Seen::Above;
        while let Some((node, next)) = way.last_mut() {
            let Some(edge) = out[*node].get(*next).copied() else {
                seen[*node] = Seen::Done;
                way.pop();
                continue;
            };
            *next += 1;
            let to = edges[edge].to;
            match seen[to] {
                Seen::Above => back[edge] = true,
                Seen::Not => {
                    seen[to] = Seen::Above;
                    way.push((to, 0));
                }
                Seen::Done => {}
            }
        }
    }
    back
}

/// The upper and the lower end of an edge.
fn ends(edge: &Edge, back: bool) -> (usize, usize) {
    if back {
        (edge.to, edge.from)
    } else {
        (edge.from, edge.to)
    }
}

/// The layer of each node: below everything that leads to it.
fn ranks(nodes: usize, edges: &[Edge], back: &[bool]) -> Vec<usize> {
    let mut ranks = vec![0; nodes];
    let mut above = vec![0; nodes];
    let mut out = vec![Vec::new(); nodes];
    for (edge, back) in edges.iter().zip(back) {
        let (up, down) = ends(edge, *back);
        if up != down {
            // A label needs a layer of its own.
            out[up].push((down, if edge.label > 0.0 { 2 } else { 1 }));
            above[down] += 1;
        }
    }
    let mut ready: Vec<usize> = (0..nodes).filter(|n| above[*n] == 0).collect();
    while let Some(node) = ready.pop() {
        for (to, length) in &out[node] {
            ranks[*to] = ranks[*to].max(ranks[node] + length);
            above[*to] -= 1;
            if above[*to] == 0 {
                ready.push(*to);
            }
        }
    }
    ranks
}

/// The places an edge passes, from top to bottom.
fn chain(
    edge: &Edge,
    back: bool,
    ranks: &[usize],
    places: &mut Vec<Place>,
    pieces: &mut Vec<Piece>,
) -> Vec<usize> {
    let (up, down) = ends(edge, back);
    if up == down {
        return Vec::new();
    }
    let mut chain = vec![up];
    for rank in ranks[up] + 1..ranks[down] {
        // The label stands where the edge begins to run on its own.
        let has_label = edge.label > 0.0 && rank == ranks[up] + 1;
        places.push(Place {
            size: if has_label {
                (edge.label, LABEL_HEIGHT)
            } else {
                (LANE, 0.0)
            },
            rank,
            is_lane: true,
        });
        chain.push(places.len() - 1);
    }
    chain.push(down);
    for pair in chain.windows(2) {
        let lanes = pair.iter().filter(|p| places[**p].is_lane).count();
        pieces.push(Piece {
            up: pair[0],
            down: pair[1],
            weight: edge.weight * [1.0, 2.0, 8.0][lanes],
        });
    }
    chain
}

/// A layer from its top to its bottom.
#[derive(Clone, Copy, Debug)]
struct Span {
    top: f64,
    bottom: f64,
}

impl Span {
    fn middle(self) -> f64 {
        f64::midpoint(self.top, self.bottom)
    }
}

/// The layers from top to bottom; as high as their highest node.
fn spans(places: &[Place], layers: &[Vec<usize>]) -> Vec<Span> {
    let mut below = 0.0;
    let mut spans = Vec::with_capacity(layers.len());
    for layer in layers {
        let height = layer.iter().map(|i| places[*i].size.1).fold(0.0, f64::max);
        spans.push(Span {
            top: below,
            bottom: below + height,
        });
        below += height + BELOW;
    }
    spans
}

/// From border to border. Within a layer an edge runs straight down; it bends only between two layers, where no node is.
fn route(
    edge: &Edge,
    chain: &[usize],
    is_back: bool,
    places: &[Place],
    xs: &[f64],
    spans: &[Span],
) -> Route {
    let [up, between @ .., down] = chain else {
        return Route::default();
    };
    let span = |place: usize| spans[places[place].rank];
    let label = (edge.label > 0.0)
        .then(|| between.first().map(|i| (xs[*i], span(*i).middle())))
        .flatten();
    // An edge that goes back meets its nodes on the side its lane is on, else beside the way down.
    let shift = |node: usize, lane: Option<&usize>| match lane {
        Some(lane) if is_back => {
            let reach = places[node].size.0 * 0.42;
            (xs[*lane] - xs[node]).clamp(-reach, reach)
        }
        None if is_back => places[node].size.0 * 0.3,
        _ => 0.0,
    };
    let (from, to) = (
        xs[*up] + shift(*up, between.first()),
        xs[*down] + shift(*down, between.last()),
    );
    let mut points = vec![
        (from, span(*up).middle() + places[*up].size.1 / 2.0),
        (from, span(*up).bottom),
    ];
    for lane in between {
        points.push((xs[*lane], span(*lane).top));
        points.push((xs[*lane], span(*lane).bottom));
    }
    points.push((to, span(*down).top));
    points.push((to, span(*down).middle() - places[*down].size.1 / 2.0));
    points.dedup();
    if is_back {
        points.reverse();
    }
    Route {
        points,
        is_back,
        label,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(nodes: usize, edges: &[(usize, usize)]) -> Layout {
        let sizes = vec![(100.0, 40.0); nodes];
        let edges: Vec<_> = edges
            .iter()
            .map(|(from, to)| Edge {
                from: *from,
                to: *to,
                label: 0.0,
                weight: 1.0,
            })
            .collect();
        layered(&sizes, &edges, 0)
    }

    /// Nodes of a size of 100 by 40 that lie on each other.
    fn overlaps(layout: &Layout) -> usize {
        let nodes = &layout.nodes;
        let pairs = (0..nodes.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
        pairs
            .filter(|(a, b)| {
                (nodes[*a].0 - nodes[*b].0).abs() < 100.0
                    && (nodes[*a].1 - nodes[*b].1).abs() < 40.0
            })
            .count()
    }

    #[test]
    fn a_line_is_straight_and_goes_down() {
        let layout = graph(4, &[(0, 1), (1, 2), (2, 3)]);
        assert!(
            layout
                .nodes
                .windows(2)
                .all(|n| n[0].0 == n[1].0 && n[0].1 < n[1].1)
        );
        assert_eq!(layout.size.0, 100.0);
    }

    #[test]
    fn a_diamond_is_symmetric() {
        let layout = graph(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]);
        let x: Vec<f64> = layout.nodes.iter().map(|n| n.0).collect();
        assert!((x[0] - x[3]).abs() < 1.0, "{x:?}");
        assert!(((x[1] + x[2]) / 2.0 - x[0]).abs() < 1.0, "{x:?}");
        assert_eq!(layout.nodes[1].1, layout.nodes[2].1);
    }

    #[test]
    fn an_edge_back_goes_up_and_the_rest_does_not() {
        let layout = graph(3, &[(0, 1), (1, 2), (2, 0), (1, 1)]);
        let back: Vec<bool> = layout.routes.iter().map(|r| r.is_back).collect();
        assert_eq!(back, [false, false, true, false]);
        let up = &layout.routes[2].points;
        assert!(up.first().unwrap().1 > up.last().unwrap().1);
        assert!(
            layout.routes[3].points.is_empty(),
            "an edge to itself has no way"
        );
    }

    #[test]
    fn long_edges_pass_beside_the_nodes_between() {
        let layout = graph(4, &[(0, 1), (1, 2), (2, 3), (0, 3)]);
        let through = &layout.routes[3].points;
        for node in [1, 2] {
            let (x, y) = layout.nodes[node];
            let at = through.iter().find(|p| (p.1 - y).abs() <= 20.0).unwrap();
            assert!((at.0 - x).abs() > 50.0, "the edge runs through node {node}");
        }
    }

    #[test]
    fn nothing_overlaps_and_all_is_inside() {
        let mut edges = Vec::new();
        for n in 0..40_usize {
            edges.push((n / 2, n));
            edges.push((n, (n * 7 + 3) % 40));
        }
        let layout = graph(40, &edges);
        assert_eq!(overlaps(&layout), 0);
        for (x, y) in &layout.nodes {
            assert!(*x >= 49.9 && *x <= layout.size.0 - 49.9, "{x}");
            assert!(*y >= 19.9 && *y <= layout.size.1 - 19.9, "{y}");
        }
    }

    #[test]
    fn an_empty_graph_is_empty() {
        assert_eq!(layered(&[], &[], 0).size, (0.0, 0.0));
    }
}
