//! Measured latencies, as the simulator takes them.

use isles_kernel::Span;
use isles_sim::Matrix;

pub use isles_graph::formats::latency_matrix::{MatrixError, RoundTrips, parse, span_within};

/// The matrices that come with the lab, by name.
pub const BUILT_IN: &[(&str, &str)] = &[("aws-2025", include_str!("../data/aws-2025.csv"))];

/// One-way latencies: half of the round trips. None if there are more places than regions can be.
pub fn one_way(trips: &RoundTrips) -> Option<Matrix> {
    let spans = trips.millis.iter().map(|millis| Span((millis * 500_000.0).round() as u64)).collect();
    Matrix::new(u32::try_from(trips.names.len()).ok()?, spans)
}

#[cfg(test)]
mod tests {
    use isles_kernel::ProcessId;

    use super::*;

    #[test]
    fn what_ships_is_a_matrix() {
        for (name, text) in BUILT_IN {
            let trips = parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(trips.names.len() > 1 && one_way(&trips).is_some(), "{name}");
        }
    }

    #[test]
    fn one_way_is_half_of_a_round_trip() {
        let matrix = one_way(&parse("0 10\n12 0\n").expect("a matrix")).expect("two places");
        assert_eq!(matrix.regions(), 2);
        assert_eq!(matrix.latency(ProcessId(0), ProcessId(3)), Span::millis(5));
    }
}
