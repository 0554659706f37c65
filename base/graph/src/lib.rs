#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bit_parallel;
mod clustering;
mod components;
mod disjoint_paths;
mod eccentricity;
pub mod formats;
mod generators;
mod graph;
mod planarity;
mod power_law;
mod search;
mod shape;

pub use clustering::{Clustering, clustering};
pub use components::{Components, components, is_connected, is_strongly_connected, strong_components};
pub use disjoint_paths::{DisjointPaths, edge_connectivity, edge_disjoint_paths};
pub use eccentricity::{AllPairs, Eccentricities, all_pairs, eccentricities};
pub use generators::{
    DistanceLaw, EDGES_MAX, Geometric, GraphError, Kleinberg, complete, connectivity_radius, cube_of, grid,
    hypercube, kleinberg, line, preferential_attachment, random_edges, random_geometric, random_pairs,
    random_regular, ring, star, torus, tree, uniform_attachment, watts_strogatz,
};
pub use graph::{ARCS_MAX, Graph};
pub use planarity::{Embedding, Kuratowski, NoProof, Obstacle, Planarity, is_planar, planarity};
pub use power_law::{PowerLaw, power_law};
pub use search::{distances, weighted_distances};
pub use shape::{degree_counts, is_ring, is_star, is_tree};
