//! Moves the places of each layer towards their neighbours above and below, as near as their order and widths allow.

use super::{BESIDE, LANE, Piece, Place};

const SWEEPS: usize = 24;

/// Of each place the places it is joined with on one side, and how strongly.
type Neighbours = Vec<Vec<(usize, f64)>>;

/// Centres from left to right; the leftmost border is 0.
pub(super) fn xs(places: &[Place], pieces: &[Piece], layers: &[Vec<usize>]) -> Vec<f64> {
    let mut xs = vec![0.0; places.len()];
    for layer in layers {
        let mut left = 0.0;
        for (i, place) in layer.iter().enumerate() {
            if i > 0 {
                left += between(places, layer[i - 1], *place);
            }
            xs[*place] = left;
        }
        // Around a common middle.
        let middle = left / 2.0;
        for place in layer {
            xs[*place] -= middle;
        }
    }
    let mut above: Neighbours = vec![Vec::new(); places.len()];
    let mut below = above.clone();
    for piece in pieces {
        above[piece.down].push((piece.up, piece.weight));
        below[piece.up].push((piece.down, piece.weight));
    }
    for sweep in 0..SWEEPS {
        let count = layers.len();
        for i in 0..count {
            // Down, up, and then by both at once.
            let (layer, sides): (usize, &[&Neighbours]) = match sweep % 3 {
                0 => (i, &[&above]),
                1 => (count - 1 - i, &[&below]),
                _ => (i, &[&above, &below]),
            };
            settle(places, &layers[layer], sides, &mut xs);
        }
    }
    let left = (0..places.len())
        .map(|i| xs[i] - places[i].size.0 / 2.0)
        .fold(f64::INFINITY, f64::min);
    for x in &mut xs {
        *x -= left;
    }
    xs
}

/// Least distance of the centres of two that lie beside each other.
fn between(places: &[Place], left: usize, right: usize) -> f64 {
    let (a, b) = (&places[left], &places[right]);
    let gap = if a.is_lane && b.is_lane {
        LANE / 2.0
    } else {
        BESIDE
    };
    (a.size.0 + b.size.0) / 2.0 + gap
}

/// The places of a layer as near as possible to where their neighbours want them, in their order and apart: without
/// the widths this is a regression to a sequence that does not fall, solved by joining neighbours that want to pass
/// each other.
fn settle(places: &[Place], layer: &[usize], sides: &[&Neighbours], xs: &mut [f64]) {
    struct Group {
        sum: f64,
        weight: f64,
        count: usize,
    }
    let mut offsets = Vec::with_capacity(layer.len());
    let mut groups: Vec<Group> = Vec::new();
    let mut offset = 0.0;
    for (i, place) in layer.iter().enumerate() {
        if i > 0 {
            offset += between(places, layer[i - 1], *place);
        }
        offsets.push(offset);
        let (mut sum, mut weight) = (0.0, 0.0);
        for (neighbour, w) in sides.iter().flat_map(|side| &side[*place]) {
            sum += xs[*neighbour] * w;
            weight += w;
        }
        if weight == 0.0 {
            // Nobody wants it anywhere: it stays, and gives way.
            (sum, weight) = (xs[*place] * 0.05, 0.05);
        }
        groups.push(Group {
            sum: sum - offset * weight,
            weight,
            count: 1,
        });
        while let [.., before, last] = groups.as_mut_slice()
            && before.sum / before.weight > last.sum / last.weight
        {
            before.sum += last.sum;
            before.weight += last.weight;
            before.count += last.count;
            groups.pop();
        }
    }
    let mut i = 0;
    for group in groups {
        for _ in 0..group.count {
            xs[layer[i]] = group.sum / group.weight + offsets[i];
            i += 1;
        }
    }
}
