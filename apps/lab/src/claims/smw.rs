//! Chapter SMW: small worlds.

use std::sync::Arc;

use isles_graph::{Kleinberg, all_pairs, watts_strogatz};
use isles_kernel::random::Stream;
use isles_kernel::{OpId, ProcessId, Span, Time};
use isles_search::greedy::{Find, Greedy, Outcome, walk};
use isles_search::world::World;
use isles_sim::{Links, Observer, Setup, Simulation};

use super::curve::{chart, exponent, logarithmic};
use super::{Claim, Effort, Finding};
use crate::report::data::{Axis, Chart, Unit};
use crate::run::seeds::on_all_cores;

/// The claims of the chapter.
pub(super) static SMW: &[Claim] = &[
    Claim {
        id: "SMW-01",
        statement: "The small worlds of Watts and Strogatz have paths of O(log n) hops, which an observer of the whole \
                    graph finds and a walker who knows only its neighbours does not.",
        control: "on a ring whose long links are chosen by the inverse of their length, the same walker finds short paths",
        source: "Watts, Strogatz, Nature 393, 1998; Kleinberg, Nature 406, 2000",
        run: smw_01,
    },
    Claim {
        id: "SMW-02",
        statement: "In a lattice whose long links are chosen by distance^-r, greedy routing takes O(log² n) hops when r is the \
                    dimension, and a power of n for any other r; Chord's fingers are the one-dimensional case.",
        control: "r = 0 and r = 3 take a power of the lattice's side: 2/3 and 1",
        source: "Kleinberg, STOC 2000; exponents: Carmi, Carter, Sun, ben-Avraham, Phys. Rev. Lett. 102, 2009",
        run: smw_02,
    },
];

/// Random pairs of places.
fn pairs(world: &World, count: u64, seed: u64) -> Vec<(u64, u64)> {
    let mut draws = Stream::new(seed, &[0x7061_6972]);
    let mut place = || ((u128::from(draws.bits()) * u128::from(world.nodes())) >> 64) as u64;
    (0..count).map(|_| (place(), place())).collect()
}

/// The mean hops of walks that arrive, and the share of walks that do.
fn mean_hops(outcomes: &[Outcome]) -> (f64, f64) {
    let arrived: Vec<f64> =
        outcomes.iter().filter(|one| one.arrived).map(|one| f64::from(one.hops)).collect();
    let share = arrived.len() as f64 / outcomes.len() as f64;
    (arrived.iter().sum::<f64>() / arrived.len() as f64, share)
}

/// Keeps what processes answer, by operation.
struct Answers(Vec<Option<Outcome>>);

impl Observer<Greedy> for Answers {
    fn on_reply(&mut self, _: Time, _: ProcessId, id: OpId, reply: &Outcome) {
        self.0[id.0 as usize] = Some(*reply);
    }
}

/// The walks, made by a process for each place and a message for each hop.
fn by_processes(world: World, pairs: &[(u64, u64)]) -> Result<Vec<Outcome>, String> {
    let setup = Setup {
        links: Links::constant(Span::millis(10)),
        ..Setup::new(world.nodes() as u32, 1, Arc::new(world))
    };
    let mut sim = Simulation::<Greedy>::new(setup).map_err(|error| error.to_string())?;
    for &(from, to) in pairs {
        sim.invoke(ProcessId(from as u32), Find(ProcessId(to as u32)));
    }
    let mut answers = Answers(vec![None; pairs.len()]);
    sim.run_to_quiescence(Time::ZERO + Span::secs(3_600), &mut answers);
    answers.0.into_iter().map(|one| one.ok_or_else(|| "a walk did not end".to_owned())).collect()
}

fn smw_01(effort: &Effort) -> Result<Finding, String> {
    let sizes: &[u32] =
        if effort.quick { &[1_000, 4_000, 16_000] } else { &[1_000, 2_000, 4_000, 8_000, 16_000, 32_000] };
    let (mut greedy, mut shortest, mut control) = (Vec::new(), Vec::new(), Vec::new());
    let mut arrived_min: f64 = 1.0;
    for &nodes in sizes {
        let x = f64::from(nodes);
        let graph = watts_strogatz(nodes, 10, 0.1, 1).map_err(|error| error.to_string())?;
        shortest.push((x, all_pairs(&graph).mean_path().ok_or("a graph without paths")?));
        let world = World::Placed { graph };
        let ends = pairs(&world, 1_000, u64::from(nodes));
        let (hops, arrived) = mean_hops(&by_processes(world, &ends)?);
        greedy.push((x, hops));
        arrived_min = arrived_min.min(arrived);
        // One long link each; the other graph has moved one edge for every two processes, and keeps four times as many near
        // ones.
        let harmonic = World::ring(u64::from(nodes), 1, 1.0, 1);
        let ends = pairs(&harmonic, 1_000, u64::from(nodes));
        control.push((x, mean_hops(&by_processes(harmonic, &ends)?).0));
    }
    let (walker, observer, found) = (exponent(&greedy), exponent(&shortest), exponent(&control));
    let last = |curve: &[(f64, f64)]| curve.last().map_or(f64::NAN, |point| point.1);
    let short = |exponent: f64| exponent < 0.33;
    Ok(Finding {
        holds: !short(walker) && short(observer) && last(&greedy) > 4.0 * last(&shortest),
        control_fails: short(found),
        measured: format!(
            "{} to {} processes, degree 10, p = 0.1: shortest paths grow as n^{observer:.2} to {:.1} hops, greedy walks as \
             n^{walker:.2} to {:.1} hops ({:.1} % arrive at worst); control: as n^{found:.2} to {:.1} hops",
            sizes[0],
            sizes[sizes.len() - 1],
            last(&shortest),
            last(&greedy),
            arrived_min * 100.0,
            last(&control),
        ),
        predicted: "shortest paths as log n, walks as n^0.5, control as log² n".to_owned(),
        charts: vec![chart(
            "Short paths, found and not found",
            "Mean hops between random processes of a Watts-Strogatz graph (degree 10, p = 0.1), and on the control's ring.",
            (
                logarithmic(Axis::new("processes", Unit::Plain)),
                logarithmic(Axis::new("hops", Unit::named("hops"))),
            ),
            vec![
                ("greedy walks".to_owned(), greedy),
                ("shortest paths".to_owned(), shortest),
                ("control: greedy, inverse lengths".to_owned(), control),
            ],
        )],
    })
}

/// The exponents whose curve is drawn.
const EXPONENTS: [f64; 11] = [0.0, 0.5, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0];

/// Mean hops over the lattice of this side.
fn lattice_hops(side: u32, exponent: f64, walks: u64) -> f64 {
    let world = World::lattice(Kleinberg { side, links: 1, exponent, seed: 1 });
    let ends = pairs(&world, walks, u64::from(side));
    let outcomes: Vec<Outcome> = ends.iter().map(|&(from, to)| walk(&world, from, to)).collect();
    mean_hops(&outcomes).0
}

/// Hops by exponent, for each side.
fn curves(sides: &[u32], walks: u64, threads: usize) -> Result<Vec<Vec<(f64, f64)>>, String> {
    let points: Vec<u64> = (0..(sides.len() * EXPONENTS.len()) as u64).collect();
    let hops = on_all_cores(&points, threads, |point| {
        let (side, exponent) = (point as usize / EXPONENTS.len(), point as usize % EXPONENTS.len());
        Ok::<f64, String>(lattice_hops(sides[side], EXPONENTS[exponent], walks))
    })?;
    Ok(hops
        .chunks(EXPONENTS.len())
        .map(|row| EXPONENTS.into_iter().zip(row.iter().copied()).collect())
        .collect())
}

/// Mean hops over Chord's fingers, and over a ring with as many long links chosen by the inverse of their length.
fn one_dimension(bits: u32) -> (f64, f64) {
    let hops = |world: World| {
        let ends = pairs(&world, 2_000, u64::from(bits));
        mean_hops(&ends.iter().map(|&(from, to)| walk(&world, from, to)).collect::<Vec<_>>()).0
    };
    (hops(World::Fingers { nodes: 1 << bits }), hops(World::ring(1 << bits, bits, 1.0, 1)))
}

fn smw_02(effort: &Effort) -> Result<Finding, String> {
    let (sides, walks): (&[u32], u64) = if effort.quick {
        (&[64, 512, 4_096, 16_384], 300)
    } else {
        (&[64, 256, 1_024, 4_096, 16_384, 32_768], 1_000)
    };
    let curves = curves(sides, walks, effort.threads)?;
    // The larger half of the sides: small lattices do not know their law yet.
    let large = sides.len() / 2;
    let grows = |index: usize| {
        let points: Vec<(f64, f64)> = sides
            .iter()
            .zip(&curves)
            .skip(large)
            .map(|(side, curve)| (f64::from(*side), curve[index].1))
            .collect();
        exponent(&points)
    };
    let growth: Vec<(f64, f64)> = EXPONENTS.iter().enumerate().map(|(index, r)| (*r, grows(index))).collect();
    let at = |wanted: f64| EXPONENTS.iter().position(|r| *r == wanted).expect("it is drawn");
    let (uniform, square, cube) = (grows(at(0.0)), grows(at(2.0)), grows(at(3.0)));
    let best: Vec<f64> = curves.iter().map(|curve| best(curve)).collect();
    let (first, last) = (best[0], best[best.len() - 1]);
    let ends = pairs(&World::lattice(Kleinberg { side: 128, links: 1, exponent: 2.0, seed: 1 }), 500, 7);
    let world = || World::lattice(Kleinberg { side: 128, links: 1, exponent: 2.0, seed: 1 });
    let same = by_processes(world(), &ends)?
        == ends.iter().map(|&(from, to)| walk(&world(), from, to)).collect::<Vec<_>>();
    let chord = [10, 20].map(one_dimension);
    let fingers_double = (chord[1].0 / chord[0].0 - 2.0).abs() < 0.1;
    let ring_follows = chord[1].1 / chord[0].1 < 2.5;
    Ok(Finding {
        holds: square < 0.35 && last >= first && (1.5..=2.25).contains(&last) && same && fingers_double && ring_follows,
        control_fails: (uniform - 2.0 / 3.0).abs() < 0.12 && cube > 0.75,
        measured: format!(
            "sides {} to {}: hops grow as side^{square:.2} at r = 2, least at r = {first} and {last}; processes and \
             function walk alike: {same}; fingers of 2^10 and 2^20: {:.2} and {:.2} hops, inverse lengths {:.2} and {:.2}; \
             control: side^{uniform:.2} at r = 0, side^{cube:.2} at r = 3",
            sides[0],
            sides[sides.len() - 1],
            chord[0].0,
            chord[1].0,
            chord[0].1,
            chord[1].1,
        ),
        predicted: "log² n at r = 2, which a fit takes for a small power; the least is flat and moves up to 2 with n; fingers \
                    ½ log₂ n; control: side^0.67 and side^1"
            .to_owned(),
        charts: vec![exponents(growth), chart(
            "Greedy routing by the exponent of long links",
            "Mean hops between random processes of a square lattice with one long link each.",
            (
                Axis { from_zero: true, ..Axis::new("r", Unit::Plain) },
                logarithmic(Axis::new("hops", Unit::named("hops"))),
            ),
            sides.iter().map(|side| format!("side {side}")).zip(curves).collect(),
        )],
    })
}

/// How hops grow with the side, beside what is proved and what is derived for infinite lattices.
fn exponents(measured: Vec<(f64, f64)>) -> Chart {
    let law = |of: fn(f64) -> f64| (0..=60).map(|step| f64::from(step) / 20.0).map(|r| (r, of(r))).collect();
    // Carmi et al. 2009; no power at r = 2, where hops are log² of the side.
    let derived = |r: f64| if r < 2.0 { (2.0 - r) / (3.0 - r) } else { r - 2.0 };
    let bound = |r: f64| if r < 2.0 { (2.0 - r) / 3.0 } else { (r - 2.0) / (r - 1.0) };
    chart(
        "How greedy routing grows, by the exponent of long links",
        "The x of hops ~ side^x over the larger lattices; near r = 2 a logarithm looks like a small power.",
        (
            Axis { from_zero: true, ..Axis::new("r", Unit::Plain) },
            Axis { from_zero: true, ..Axis::new("x", Unit::Plain) },
        ),
        vec![
            ("measured".to_owned(), measured),
            ("Carmi et al. 2009".to_owned(), law(derived)),
            ("lower bound, Kleinberg 2000".to_owned(), law(bound)),
        ],
    )
}

/// The exponent with the fewest hops.
fn best(curve: &[(f64, f64)]) -> f64 {
    curve.iter().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(f64::NAN, |point| point.0)
}
