//! Where random graphs become connected.

use isles_graph::{all_pairs, components, connectivity_radius, is_connected, random_geometric, random_pairs};

use crate::claims::curve::{chart, exponent, logarithmic};
use crate::claims::{Effort, Finding};
use crate::report::data::{Axis, Chart, Unit};
use crate::run::seeds::on_all_cores;

/// Which share of `graphs` is connected at each c.
fn connected(
    levels: &[f64],
    graphs: u64,
    threads: usize,
    one: impl Fn(f64, u64) -> Result<bool, String> + Sync,
) -> Result<Vec<(f64, f64)>, String> {
    let all: Vec<u64> = (0..graphs * levels.len() as u64).collect();
    let found = on_all_cores(&all, threads, |index| one(levels[(index / graphs) as usize], index % graphs))?;
    let share = |found: &[bool]| found.iter().filter(|is| **is).count() as f64 / graphs as f64;
    Ok(levels.iter().copied().zip(found.chunks(graphs as usize).map(share)).collect())
}

/// The limit of the probability of being connected: no node is alone.
fn limit(c: f64) -> f64 {
    (-(-c).exp()).exp()
}

fn curve_chart(title: &str, help: &str, measured: Vec<(String, Vec<(f64, f64)>)>) -> Chart {
    let smooth = (-20..=50).map(|tenth| f64::from(tenth) / 10.0).map(|c| (c, limit(c))).collect();
    let mut lines = measured;
    lines.push(("limit e^(-e^(-c))".to_owned(), smooth));
    let x = Axis { from_zero: false, ..Axis::new("c", Unit::Plain) };
    chart(title, help, (x, Axis::new("connected", Unit::Share)), lines)
}

fn listed(points: &[(f64, f64)]) -> String {
    points.iter().map(|(c, share)| format!("{c}: {share:.3}")).collect::<Vec<_>>().join(", ")
}

/// The greatest distance of the points from `expected`, from `least` on.
fn worst(points: &[(f64, f64)], least: f64, expected: impl Fn(f64) -> f64) -> f64 {
    points
        .iter()
        .filter(|point| point.0 >= least)
        .map(|point| (point.1 - expected(point.0)).abs())
        .fold(0.0, f64::max)
}

pub(super) fn top_03(effort: &Effort) -> Result<Finding, String> {
    let (nodes, graphs) = if effort.quick { (800, 60) } else { (2_000, 200) };
    let levels = [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    let connected_at = |radius: f64, torus: bool, seed: u64| {
        let found = random_geometric(nodes, radius, torus, seed).map_err(|error| error.to_string())?;
        Ok(is_connected(&found.graph))
    };
    let curve = |torus: bool| {
        connected(&levels, graphs, effort.threads, move |c, seed| {
            connected_at(connectivity_radius(nodes, c), torus, seed)
        })
    };
    let (torus, square) = (curve(true)?, curve(false)?);
    let below = connected(&[0.0], graphs, effort.threads, |_, seed| {
        connected_at(0.7 * connectivity_radius(nodes, 0.0), true, seed)
    })?[0]
        .1;
    let off = worst(&torus, 2.0, limit);
    // Far from the limit while n is small, but never above it by more than chance.
    let rises = torus.windows(2).all(|two| two[1].1 >= two[0].1 - 0.02) && torus[0].1 < 0.1;
    let borders = square.iter().zip(&torus).all(|(square, torus)| square.1 <= torus.1 + 0.05);
    Ok(Finding {
        holds: rises && borders && off < if effort.quick { 0.15 } else { 0.07 },
        control_fails: below == 0.0,
        measured: format!(
            "{nodes} nodes, {graphs} graphs each, share connected by c: torus {}; square {}; at most {off:.3} from the limit for \
             c of 2 and more; control: {below}",
            listed(&torus),
            listed(&square),
        ),
        predicted: "e^(-e^(-c)), slowly: .85 and .955 at c = 2 and 3 with 2,000 nodes; less in the square, whose corners \
                    are lonely"
            .to_owned(),
        charts: vec![curve_chart(
            "Random geometric graphs become connected",
            "Share of graphs that are connected where nodes are linked within r, πr²n = ln n + c.",
            vec![("on a torus".to_owned(), torus), ("in the unit square".to_owned(), square)],
        )],
    })
}

/// The share S of all nodes in the giant component with `c` edge ends a node: S = 1 - e^(-cS).
fn giant(c: f64) -> f64 {
    // From above, so that the greater solution is found.
    (0..10_000).fold(1.0, |share: f64, _| 1.0 - (-c * share).exp())
}

/// The mean share of the largest component of graphs with `c` edge ends a node.
fn largest(nodes: u32, c: f64, graphs: u64, threads: usize) -> Result<f64, String> {
    let seeds: Vec<u64> = (0..graphs).collect();
    let shares = on_all_cores(&seeds, threads, |seed| {
        let graph = random_pairs(nodes, c / f64::from(nodes), seed).map_err(|error| error.to_string())?;
        let most = components(&graph).sizes.into_iter().max().unwrap_or(0);
        Ok::<f64, String>(f64::from(most) / f64::from(nodes))
    })?;
    Ok(shares.iter().sum::<f64>() / graphs as f64)
}

/// Points of a curve over sizes.
type Curve = Vec<(f64, f64)>;

/// Mean path and diameter of graphs with 8 edge ends a node, by their size.
fn paths_by_size(sizes: &[u32]) -> Result<(Curve, Curve), String> {
    let (mut paths, mut diameters) = (Vec::new(), Vec::new());
    for &size in sizes {
        let graph = random_pairs(size, 8.0 / f64::from(size), 1).map_err(|error| error.to_string())?;
        let all = all_pairs(&graph);
        paths.push((f64::from(size), all.mean_path().ok_or("a graph without paths")?));
        diameters.push((f64::from(size), f64::from(all.eccentricities.diameter().unwrap_or(0))));
    }
    Ok((paths, diameters))
}

pub(super) fn top_04(effort: &Effort) -> Result<Finding, String> {
    let (nodes, graphs) = if effort.quick { (500, 150) } else { (2_000, 400) };
    let n = f64::from(nodes);
    let connected_at = |p: f64, seed: u64| {
        random_pairs(nodes, p, seed).map(|graph| is_connected(&graph)).map_err(|error| error.to_string())
    };
    let levels = [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    let curve = connected(&levels, graphs, effort.threads, |c, seed| connected_at((n.ln() + c) / n, seed))?;
    let below =
        connected(&[0.0], graphs, effort.threads, |_, seed| connected_at(0.5 * n.ln() / n, seed))?[0].1;
    let off = worst(&curve, f64::MIN, limit);

    let (large, each) = if effort.quick { (20_000, 2) } else { (100_000, 5) };
    let mut shares = Vec::new();
    for c in [0.5, 0.9, 1.1, 1.25, 1.5, 2.0, 3.0] {
        shares.push((c, largest(large, c, each, effort.threads)?));
    }
    let giant_off = worst(&shares, 1.1, giant);
    let critical = shares[1].1;

    let sizes = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000];
    let sizes = if effort.quick { &sizes[..4] } else { &sizes[1..] };
    let (paths, diameters) = paths_by_size(sizes)?;
    let last = paths[paths.len() - 1];
    // The distance of two nodes is about ln n / ln c.
    let log_ratio = last.1 / (last.0.ln() / 8f64.ln());
    let short = exponent(&paths) < 0.2 && (0.8..1.3).contains(&log_ratio);
    Ok(Finding {
        holds: off < if effort.quick { 0.12 } else { 0.07 } && giant_off < 0.03 && short,
        control_fails: below == 0.0 && critical < if effort.quick { 0.05 } else { 0.01 },
        measured: format!(
            "{nodes} nodes, {graphs} graphs each, share connected by c: {}, at most {off:.3} from the limit; giant component of \
             {large} nodes: {}, at most {giant_off:.3} from S; 8 edge ends a node, {} to {} nodes: mean path {:.2} to {:.2}, \
             diameter {} to {}; control: {below} connected, largest component {critical:.4} of all nodes",
            listed(&curve),
            listed(&shares),
            sizes[0],
            sizes[sizes.len() - 1],
            paths[0].1,
            last.1,
            diameters[0].1,
            diameters[diameters.len() - 1].1,
        ),
        predicted: "e^(-e^(-c)) at p = (ln n + c) / n; S = 1 - e^(-cS): .1761, .5828, .7968, .9405 at 1.1, 1.5, 2, 3; paths of \
                    ln n / ln 8"
            .to_owned(),
        charts: vec![
            curve_chart(
                "Erdős-Rényi graphs become connected",
                "Share of graphs that are connected at p = (ln n + c) / n.",
                vec![("measured".to_owned(), curve)],
            ),
            chart(
                "The giant component",
                "Share of all nodes in the largest component, by the mean degree.",
                (Axis::new("edge ends a node", Unit::Plain), Axis::new("largest component", Unit::Share)),
                vec![
                    ("measured".to_owned(), shares),
                    ("S = 1 - e^(-cS)".to_owned(), (0..=60).map(|c| f64::from(c) / 20.0).map(|c| (c, giant(c))).collect()),
                ],
            ),
            chart(
                "Paths in Erdős-Rényi graphs",
                "Hops in graphs with 8 edge ends a node, whatever their size.",
                (logarithmic(Axis::new("nodes", Unit::Plain)), Axis::new("hops", Unit::named("hops"))),
                vec![("diameter".to_owned(), diameters), ("mean path".to_owned(), paths)],
            ),
        ],
    })
}
