//! What a graph is like, for people.

use std::fmt::Display;
use std::fmt::Write;

use isles_lab::facts::{Chosen, Clusters, Degrees, Distances, Facts, Parts};
use isles_lab::report::format::digits;

/// Lines of a name and what is to be said.
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name:<26} {value}");
    }

    /// What there may not be: `–` then.
    fn add_number(&mut self, name: &str, value: Option<f64>) {
        self.add(name, value.map_or_else(|| "–".to_owned(), digits));
    }
}

/// Everything, a line each.
pub(super) fn of(facts: &Facts) -> String {
    let mut lines = Lines(String::new());
    lines.add("nodes", facts.nodes);
    let kind = if facts.directed { "directed" } else { "undirected" };
    let dropped = match facts.dropped {
        0 => String::new(),
        count => format!("; {count} loops and repetitions dropped"),
    };
    lines.add("edges", format!("{} ({kind}{dropped})", facts.edges));
    if let Some(weights) = facts.weights {
        let shown = [weights.min, weights.mean, weights.max].map(digits);
        lines.add("weights", format!("{} to {}, mean {}", shown[0], shown[2], shown[1]));
    }
    if !facts.shapes.is_empty() {
        lines.add("shape", facts.shapes.join(", "));
    }
    lines.add("components", parts(&facts.components, facts.nodes));
    if let Some(strong) = &facts.strong_components {
        lines.add("strong components", parts(strong, facts.nodes));
    }
    degrees(&mut lines, &facts.degrees, facts.directed);
    if let Some(clustering) = &facts.clustering {
        clusters(&mut lines, clustering);
    }
    if let Some(found) = &facts.distances {
        distances(&mut lines, found, facts.nodes);
    }
    if let Some(least) = facts.diameter_at_least {
        lines.add("diameter", format!("at least {least} (two searches)"));
    }
    if let Some(count) = facts.edge_connectivity {
        lines.add("edge connectivity", count);
    }
    if !facts.left_out.is_empty() {
        lines.0.push_str("\nLeft out; --all measures it:\n");
        for one in &facts.left_out {
            let _ = writeln!(lines.0, "  {:<30} {}", one.what, one.why);
        }
    }
    lines.0
}

fn parts(parts: &Parts, nodes: u32) -> String {
    let share = 100.0 * f64::from(parts.largest) / f64::from(nodes.max(1));
    format!("{}, the largest of {} nodes ({share:.1} %)", parts.count, parts.largest)
}

fn degrees(lines: &mut Lines, degrees: &Degrees, directed: bool) {
    let name = if directed { "out-degree" } else { "degree" };
    lines.add(name, format!("{} to {}, mean {}", degrees.min, degrees.max, digits(degrees.mean)));
    let most = degrees.counts.iter().take(MANY).map(|(degree, count)| format!("{degree}: {count}"));
    let rest = if degrees.counts.len() > MANY { " …" } else { "" };
    lines.add("nodes of each degree", format!("{}{rest}", most.collect::<Vec<_>>().join("  ")));
    let Some(law) = &degrees.power_law else { return };
    lines.add(
        "power law",
        format!(
            "k^-{:.3} ± {:.3} from degree {} on ({} nodes)",
            law.exponent, law.error, law.least, law.tail
        ),
    );
    let judged = match (law.p_value, law.against_exponential) {
        (Some(p), _) if p < 0.1 => "ruled out",
        (_, against) if against < -2.0 => "an exponential fits better",
        (Some(_), against) if against > 2.0 => "not ruled out, and better than an exponential",
        (Some(_), _) => "not ruled out, and not told from an exponential",
        (None, _) => "not tested",
    };
    let p_value = law.p_value.map_or_else(|| "–".to_owned(), |p| format!("{p:.2}"));
    lines.add(
        "  goodness of fit",
        format!(
            "{judged} (p = {p_value}, distance {:.4}, {:+.1} σ against an exponential)",
            law.distance, law.against_exponential
        ),
    );
}

/// So many values of a distribution are shown.
const MANY: usize = 12;

fn clusters(lines: &mut Lines, clustering: &Clusters) {
    lines.add("triangles", clustering.triangles);
    lines.add_number("clustering, degree ≥ 2", clustering.mean_of_degree_two_and_more);
    lines.add_number("clustering, all nodes", clustering.mean_of_all);
    lines.add_number("transitivity", clustering.transitivity);
}

fn distances(lines: &mut Lines, found: &Distances, nodes: u32) {
    let within = match found.within {
        all if all == nodes => String::new(),
        some => format!(" (of the largest component, {some} nodes)"),
    };
    lines.add("diameter, radius", format!("{}, {}{within}", found.diameter, found.radius));
    lines.add("centre", chosen(&found.center));
    lines.add("periphery", chosen(&found.periphery));
    let counts = found.eccentricity_counts.iter().map(|(one, count)| format!("{one}: {count}"));
    let counts: Vec<String> = counts.collect();
    let shown = counts[..counts.len().min(MANY)].join("  ");
    let rest = if counts.len() > MANY { " …" } else { "" };
    lines.add(
        "eccentricities",
        format!("mean {}; nodes of each: {shown}{rest}", digits(found.mean_eccentricity)),
    );
    lines.add_number("mean path", found.mean_path);
    lines.add_number("effective diameter, 90 %", found.effective_diameter);
    let hops = found.hops.iter().take(MANY).map(u64::to_string).collect::<Vec<_>>().join(" ");
    let rest = if found.hops.len() > MANY { " …" } else { "" };
    lines.add("pairs 1, 2, 3 … hops apart", format!("{hops}{rest}"));
}

fn chosen(nodes: &Chosen) -> String {
    let rest = if nodes.count > nodes.first.len() { " …" } else { "" };
    format!("{} nodes: {}{rest}", nodes.count, nodes.first.join(" "))
}
