#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bit_parallel;
mod eccentricity;
mod generators;
mod graph;

pub use eccentricity::{AllPairs, Eccentricities, all_pairs, eccentricities};
pub use generators::{
    DistanceLaw, EDGES_MAX, Geometric, GraphError, Kleinberg, complete, connectivity_radius, cube_of, grid,
    hypercube, kleinberg, line, preferential_attachment, random_edges, random_geometric, random_pairs,
    random_regular, ring, star, torus, tree, uniform_attachment, watts_strogatz,
};
pub use graph::{ARCS_MAX, Graph};
