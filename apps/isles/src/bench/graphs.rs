//! The group `graph`: distances of all pairs, and generators.

use std::fs::File;
use std::path::{Path, PathBuf};

use isles_graph::formats::{Format, Named, read_from, write};
use isles_graph::{
    Graph, GraphError, Kleinberg, all_pairs, clustering, components, connectivity_radius, kleinberg,
    preferential_attachment, random_edges, random_geometric, random_pairs, random_regular, watts_strogatz,
};

use super::measure::{median, memory_growth, timed};
use super::{Bench, Effort, Group};

/// The processes of a generator's figure.
const MILLION: u32 = 1_000_000;

/// A generator of a million nodes.
macro_rules! generator {
    ($name:literal, $about:literal, $make:expr) => {
        Bench {
            figures: &[($name, "s")],
            about: $about,
            slow: false,
            run: |effort| vec![generated(effort, $make)],
        }
    };
}

pub(super) const GROUP: Group = Group {
    name: "graph",
    about: "graphs: exact eccentricities and hop histograms, components, clustering, files, generators",
    benches: &[
        Bench {
            figures: &[
                ("write-edge-list-1e7-seconds", "s"),
                ("read-edge-list-1e7-seconds", "s"),
                ("read-edge-list-1e7-rate", "bytes/s"),
                ("read-edge-list-1e7-bytes-per-edge", "bytes"),
            ],
            about: "an edge list of 10^6 nodes and 10^7 edges, 138 MB, in a temporary folder; memory at the peak",
            slow: true,
            run: |_| edge_list().map_or_else(|| vec![None; 4], |figures| figures.map(Some).to_vec()),
        },
        Bench {
            figures: &[("eccentricities-ba-100k-seconds", "s")],
            about: "all exact eccentricities and the hop histogram of a preferential-attachment graph, 100 000 nodes of 4 links",
            slow: false,
            run: |_| vec![attachment().ok().map(|graph| seconds(&graph))],
        },
        Bench {
            figures: &[("eccentricities-gnutella31-seconds", "s")],
            about: "the same of p2p-Gnutella31 (SNAP), where shared/data/networks is in a folder above this one",
            slow: false,
            run: |_| vec![gnutella().map(|graph| seconds(&graph))],
        },
        Bench {
            figures: &[("components-ba-100k-seconds", "s"), ("clustering-ba-100k-seconds", "s")],
            about: "components, and all triangles with both means of clustering, of the preferential-attachment graph",
            slow: false,
            run: |_| attachment().map_or_else(|_| vec![None; 2], |graph| parts_and_triangles(&graph)),
        },
        Bench {
            figures: &[("components-gnutella31-seconds", "s"), ("clustering-gnutella31-seconds", "s")],
            about: "the same of p2p-Gnutella31",
            slow: false,
            run: |_| gnutella().map_or_else(|| vec![None; 2], |graph| parts_and_triangles(&graph)),
        },
        generator!("generate-random-regular-1e6-seconds", "10^6 nodes of degree 6", || random_regular(
            MILLION, 6, 1
        )),
        generator!("generate-random-edges-1e6-seconds", "G(n, m), 10^6 nodes and 4 · 10^6 edges", || {
            random_edges(MILLION, 4_000_000, 1)
        }),
        generator!("generate-random-pairs-1e6-seconds", "G(n, p), 10^6 nodes of mean degree 8", || {
            random_pairs(MILLION, 8.0 / f64::from(MILLION), 1)
        }),
        generator!("generate-watts-strogatz-1e6-seconds", "10^6 nodes, degree 10, p = 0.1", || {
            watts_strogatz(MILLION, 10, 0.1, 1)
        }),
        generator!("generate-preferential-attachment-1e6-seconds", "10^6 nodes of 4 links", || {
            preferential_attachment(MILLION, 4, 1)
        }),
        generator!(
            "generate-random-geometric-1e6-seconds",
            "10^6 nodes at the radius of connectivity, c = 1",
            || {
                random_geometric(MILLION, connectivity_radius(MILLION, 1.0), false, 1).map(|made| made.graph)
            }
        ),
        generator!(
            "generate-kleinberg-1e6-seconds",
            "a lattice of 1000 times 1000, one long link each, r = 2",
            || { kleinberg(&Kleinberg { side: 1_000, links: 1, exponent: 2.0, seed: 1 }) }
        ),
    ],
};

fn generated(effort: Effort, make: fn() -> Result<Graph, GraphError>) -> Option<f64> {
    let rounds = if effort == Effort::Quick { 1 } else { 3 };
    let mut seconds: Vec<f64> =
        (0..rounds).map(|_| timed(|| std::hint::black_box(make().is_ok())).0).collect();
    Some(median(&mut seconds))
}

/// The graph of the first figure.
pub(super) fn attachment() -> Result<Graph, GraphError> {
    preferential_attachment(100_000, 4, 1)
}

/// CPU seconds for all distances.
pub(super) fn seconds(graph: &Graph) -> f64 {
    timed(|| std::hint::black_box(all_pairs(graph).hops.len())).0
}

/// The overlay of Gnutella on 31 August 2002, without directions, if the data is there.
fn gnutella() -> Option<Graph> {
    let here = std::env::current_dir().ok()?;
    let file = |folder: &Path| folder.join("shared/data/networks/gnutella/p2p-Gnutella31.txt");
    let path: PathBuf = here.ancestors().map(file).find(|path| path.is_file())?;
    Some(read_from(Format::EdgeList, &mut File::open(path).ok()?).ok()?.graph.undirected())
}

fn parts_and_triangles(graph: &Graph) -> Vec<Option<f64>> {
    vec![
        Some(components_seconds(graph)),
        Some(timed(|| std::hint::black_box(clustering(graph).triangles())).0),
    ]
}

/// CPU seconds for the components.
pub(super) fn components_seconds(graph: &Graph) -> f64 {
    timed(|| std::hint::black_box(components(graph).count())).0
}

/// Writes a large edge list and reads it again: seconds of both, bytes a second, and bytes of memory an edge.
fn edge_list() -> Option<[f64; 4]> {
    let path = std::env::temp_dir().join(format!("isles-bench-{}.txt", std::process::id()));
    let figures = write_and_read(&path);
    // What cannot be removed from a temporary folder stays there until the system clears it.
    let _ = std::fs::remove_file(&path);
    figures
}

fn write_and_read(path: &Path) -> Option<[f64; 4]> {
    const EDGES: u64 = 10_000_000;
    let written = {
        let named = Named::from(random_edges(MILLION, EDGES, 1).ok()?);
        let mut file = File::create(path).ok()?;
        let (seconds, done) = timed(|| write(Format::EdgeList, &named, &mut file));
        done.ok()?;
        seconds
    };
    let bytes = std::fs::metadata(path).ok()?.len() as f64;
    let mut file = File::open(path).ok()?;
    let (memory, (seconds, named)) = memory_growth(|| timed(|| read_from(Format::EdgeList, &mut file)))?;
    let edges = named.ok()?.graph.edges() as u64;
    (edges == EDGES).then_some([written, seconds, bytes / seconds, memory / EDGES as f64])
}
