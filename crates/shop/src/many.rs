//! Statements about many rows at once, in few different texts.
//!
//! Each connection keeps its latest hundred statements prepared. A text for every possible number of rows would
//! drive all others out, so rows are counted in powers of two: lists to look for are filled up with their
//! last value, rows to insert are split.

use sqlx::{Any, QueryBuilder};

/// Adds `(?, ?, …)` with these values, to follow an `in`. There must be at least one.
pub(crate) fn push_list(query: &mut QueryBuilder<Any>, values: &[&str]) {
    query.push("(");
    let mut list = query.separated(", ");
    for value in filled(values) {
        list.push_bind((*value).to_owned());
    }
    query.push(")");
}

/// The values, the last one repeated until their number is a power of two.
pub(crate) fn filled<T>(values: &[T]) -> impl Iterator<Item = &T> {
    let missing = values.len().next_power_of_two() - values.len();
    values
        .iter()
        .chain(values.last().into_iter().cycle().take(missing))
}

/// The rows in pieces whose lengths are powers of two, the longest first.
pub(crate) fn pieces<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = 1 << rows.len().checked_ilog2()?;
        let (piece, rest) = rows.split_at(length);
        rows = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_becomes_powers_of_two() {
        for count in 0..70_usize {
            let rows: Vec<_> = (0..count).collect();
            let split: Vec<_> = pieces(&rows).collect();
            assert!(split.iter().all(|piece| piece.len().is_power_of_two()));
            assert_eq!(split.concat(), rows);
            if count > 0 {
                let filled: Vec<_> = filled(&rows).copied().collect();
                assert!(filled.len().is_power_of_two());
                assert_eq!(filled[..count], rows);
                assert!(filled[count..].iter().all(|value| *value == count - 1));
            }
        }
    }
}
