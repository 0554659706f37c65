//! The small worlds of 1998.

use isles_graph::{all_pairs, clustering, watts_strogatz};

use crate::claims::curve::{chart, logarithmic};
use crate::claims::{Effort, Finding};
use crate::report::data::{Axis, Chart, Unit};
use crate::run::seeds::on_all_cores;

/// p, C(p)/C(0) and L(p)/L(0) for the figure's 1,000 nodes of degree 10: means of 20 graphs by another generator, since the figure
/// has no numbers. Its clustering follows (1 - q)^6 where the paper's rule, which moves one end of an edge, gives (1 - p)^3: as if it
/// moved either end with the probability q it is given. That moves a share p = 1 - (1 - q)² of all edges, and that is the p here.
const FIGURE: [(f64, f64, f64); 10] = [
    (0.0, 1.0, 1.0),
    (1.999_9e-4, 0.9993, 0.821),
    (5.999_1e-4, 0.9985, 0.698),
    (1.999e-3, 0.9943, 0.388),
    (5.991e-3, 0.9821, 0.218),
    (0.0199, 0.9421, 0.1353),
    (0.0591, 0.84, 0.0996),
    (0.19, 0.546, 0.0774),
    (0.51, 0.1302, 0.0668),
    (1.0, 0.0152, 0.0645),
];

const NODES: u32 = 1_000;
const DEGREE: u32 = 10;
/// 3(k - 2) / 4(k - 1).
const CLUSTERING: f64 = 2.0 / 3.0;
/// Of the ring lattice: distances 1 to 100, ten nodes at each of the first 99 and nine at the last.
const PATH: f64 = (10.0 * 99.0 * 50.0 + 9.0 * 100.0) / 999.0;

/// Clustering, mean path and diameter of one graph.
fn one(p: f64, seed: u64) -> Result<[f64; 3], String> {
    let graph = watts_strogatz(NODES, DEGREE, p, seed).map_err(|error| error.to_string())?;
    let all = all_pairs(&graph);
    Ok([
        clustering(&graph).mean_of_all().ok_or("a graph without nodes")?,
        all.mean_path().ok_or("a graph without paths")?,
        f64::from(all.eccentricities.diameter().ok_or("a graph without nodes")?),
    ])
}

pub(super) fn top_05(effort: &Effort) -> Result<Finding, String> {
    let graphs = if effort.quick { 6 } else { 40 };
    let runs: Vec<u64> = (0..graphs * FIGURE.len() as u64).collect();
    let found =
        on_all_cores(&runs, effort.threads, |run| one(FIGURE[(run / graphs) as usize].0, run % graphs))?;
    let means: Vec<[f64; 3]> = found
        .chunks(graphs as usize)
        .map(|runs| [0, 1, 2].map(|which| runs.iter().map(|run| run[which]).sum::<f64>() / graphs as f64))
        .collect();
    let (mut clusterings, mut paths) = (Vec::new(), Vec::new());
    // A triangle is left if none of its edges is moved (Barrat and Weigt, Eur. Phys. J. B 13, 2000), up to what chance adds.
    let law = |p: f64| (1.0 - p).powi(3);
    let mut law_off: f64 = 0.0;
    let (mut clustering_off, mut few_off, mut path_off): (f64, f64, f64) = (0.0, 0.0, 0.0);
    for (&(p, c, l), mean) in FIGURE.iter().zip(&means) {
        let (c_found, l_found) = (mean[0] / CLUSTERING, mean[1] / PATH);
        law_off = law_off.max((c_found - law(p)).abs());
        clustering_off = clustering_off.max((c_found - c).abs());
        // A handful of moved edges makes paths that differ from graph to graph. Elsewhere the reference differs by its rule:
        // moving either end spreads degrees otherwise than the paper's, and 3 to 4 % of the paths show it.
        let off = if p <= 2e-3 { &mut few_off } else { &mut path_off };
        *off = off.max((l_found / l - 1.0).abs());
        clusterings.push((p, c_found));
        paths.push((p, l_found));
    }
    let at = |wanted: f64| {
        FIGURE.iter().position(|row| row.0 == wanted).map_or([f64::NAN; 3], |index| means[index])
    };
    let (lattice, few, random) = (at(0.0), at(0.0199), at(1.0));
    let random_path = f64::from(NODES).ln() / f64::from(DEGREE).ln();
    // The definition of the paper: nearly the paths of a random graph, and much more clustering.
    let small_world =
        |one: [f64; 3]| one[1] < 3.0 * random_path && one[0] > 10.0 * f64::from(DEGREE) / f64::from(NODES);
    Ok(Finding {
        holds: clustering_off < 0.02
            && law_off < 0.03
            && path_off < if effort.quick { 0.06 } else { 0.05 }
            && few_off < if effort.quick { 0.25 } else { 0.1 }
            && small_world(few),
        control_fails: !small_world(lattice) && (lattice[1] - PATH).abs() < 1e-9 && !small_world(random),
        measured: format!(
            "{NODES} nodes of degree {DEGREE}, means of {graphs} graphs: C/C(0) at most {clustering_off:.4} from the figure and {law_off:.4} from (1 - p)³, L/L(0) \
             at most {:.1} %, {:.1} % where less than ten edges are moved; p = 0.0199: C = {:.3}, L = {:.2}, diameter {:.1}; control: \
             p = 0: C = {:.3}, L = {:.2}, diameter {:.0}; p = 1: C = {:.4}, L = {:.2}",
            path_off * 100.0,
            few_off * 100.0,
            few[0],
            few[1],
            few[2],
            lattice[0],
            lattice[1],
            lattice[2],
            random[0],
            random[1],
        ),
        predicted: format!(
            "the figure's curves, C/C(0) = (1 - p)³; p = 0.0199: C = {:.3}, L = {:.2}; p = 0: 0.667, {PATH:.2}; p = 1: about k/n and ln n / ln k",
            0.9421 * CLUSTERING,
            0.1353 * PATH
        ),
        charts: vec![figure_2(&clusterings, &paths)],
    })
}

/// The paper's figure: the measured curves beside the reference, without p = 0.
fn figure_2(clusterings: &[(f64, f64)], paths: &[(f64, f64)]) -> Chart {
    let reference =
        |of: fn(&(f64, f64, f64)) -> f64| FIGURE.iter().skip(1).map(|row| (row.0, of(row))).collect();
    let drawn = |points: &[(f64, f64)]| points[1..].to_vec();
    chart(
        "Watts and Strogatz 1998, figure 2",
        "Clustering and mean path of a ring of 1,000 nodes of degree 10, of which each edge is moved with probability p, by those at p = 0.",
        (logarithmic(Axis::new("p", Unit::Plain)), Axis::new("by that at p = 0", Unit::Plain)),
        vec![
            ("C(p)/C(0)".to_owned(), drawn(clusterings)),
            ("L(p)/L(0)".to_owned(), drawn(paths)),
            ("C by another generator".to_owned(), reference(|row| row.1)),
            ("L by another generator".to_owned(), reference(|row| row.2)),
        ],
    )
}
