//! Orders the layers so that few edges cross: each node goes to the middle of its neighbours, from above and from below
//! in turn, and the best order that was seen is kept.

use super::{Piece, Place};

const SWEEPS: usize = 12;

/// The places of each layer from left to right.
pub(super) fn layers(places: &[Place], pieces: &[Piece], start: usize) -> Vec<Vec<usize>> {
    let mut above = vec![Vec::new(); places.len()];
    let mut below = vec![Vec::new(); places.len()];
    for piece in pieces {
        above[piece.down].push(piece.up);
        below[piece.up].push(piece.down);
    }
    let mut layers = as_reached(places, &below, start);
    let mut best = layers.clone();
    let mut fewest = crossings(&layers, &below, places.len());
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let count = layers.len();
        for i in 0..count {
            let (layer, beside, neighbours) = if sweep % 2 == 0 {
                (i, i.checked_sub(1), &above)
            } else {
                let layer = count - 1 - i;
                (layer, (layer + 1 < count).then_some(layer + 1), &below)
            };
            if let Some(beside) = beside {
                let order = positions(&layers[beside], places.len());
                sort(&mut layers[layer], neighbours, &order);
            }
        }
        let crossed = crossings(&layers, &below, places.len());
        if crossed < fewest {
            fewest = crossed;
            best.clone_from(&layers);
        }
    }
    best
}

/// The order in which a walk from the start reaches them: what belongs together lies together.
fn as_reached(places: &[Place], below: &[Vec<usize>], start: usize) -> Vec<Vec<usize>> {
    let depth = places.iter().map(|p| p.rank + 1).max().unwrap_or(0);
    let mut layers = vec![Vec::new(); depth];
    let mut seen = vec![false; places.len()];
    for root in std::iter::once(start).chain(0..places.len()) {
        let mut ahead = vec![root];
        while let Some(place) = ahead.pop() {
            if std::mem::replace(&mut seen[place], true) {
                continue;
            }
            layers[places[place].rank].push(place);
            ahead.extend(below[place].iter().rev());
        }
    }
    layers
}

fn positions(layer: &[usize], places: usize) -> Vec<usize> {
    let mut positions = vec![0; places];
    for (i, place) in layer.iter().enumerate() {
        positions[*place] = i;
    }
    positions
}

/// By the mean position of the neighbours; who has none keeps the place.
fn sort(layer: &mut [usize], neighbours: &[Vec<usize>], order: &[usize]) {
    let mut keyed: Vec<(f64, usize)> = layer
        .iter()
        .enumerate()
        .map(|(i, place)| {
            let of = &neighbours[*place];
            let mean = match of.len() {
                0 => i as f64,
                n => of.iter().map(|p| order[*p] as f64).sum::<f64>() / n as f64,
            };
            (mean, *place)
        })
        .collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (slot, (_, place)) in layer.iter_mut().zip(keyed) {
        *slot = place;
    }
}

/// How many pairs of edges cross.
fn crossings(layers: &[Vec<usize>], below: &[Vec<usize>], places: usize) -> usize {
    let mut count = 0;
    for pair in layers.windows(2) {
        let order = positions(&pair[1], places);
        let ends: Vec<(usize, usize)> = pair[0]
            .iter()
            .enumerate()
            .flat_map(|(i, place)| below[*place].iter().map(move |p| (i, *p)))
            .map(|(i, p)| (i, order[p]))
            .collect();
        for (i, (a, b)) in ends.iter().enumerate() {
            count += ends[i + 1..]
                .iter()
                .filter(|(c, d)| (a < c && b > d) || (a > c && b < d))
                .count();
        }
    }
    count
}
