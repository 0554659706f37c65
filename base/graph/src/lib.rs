#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod generators;
mod graph;

pub use generators::{
    EDGES_MAX, GraphError, complete, grid, line, random_edges, random_regular, ring, star, tree,
};
pub use graph::{ARCS_MAX, Graph};
