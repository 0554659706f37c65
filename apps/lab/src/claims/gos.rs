//! Chapter GOS: epidemic broadcast and its overlays.

use std::sync::Arc;

use isles_gossip::Broadcast;
use isles_gossip::eager_push::{self, EagerPush};
use isles_gossip::everyone::{self, Everyone};
use isles_gossip::flood::{self, Flood};
use isles_gossip::hyparview::{self, HyParView};
use isles_gossip::lazy_push::{self, LazyPush};
use isles_gossip::node::Config;
use isles_gossip::plumtree::{self, Plumtree};
use isles_gossip::pull::{self, Pull};
use isles_gossip::push_pull::{self, PushPull};
use isles_gossip::random_views::{self, RandomViews};
use isles_gossip::static_graph::{self, StaticGraph};
use isles_gossip::tree::{self, Tree};
use isles_graph::Graph;
use isles_kernel::{Channel, ProcessId, Span, Time};
use isles_sim::{Detection, Fault, Who};

use super::curve::exponent;
use super::experiment::{Senders, mean, outcomes, plan};
use super::failure::{Figures, Known};
use super::{Claim, Effort, Finding};
use crate::run::gossip::SeedOutcome;
use crate::run::measures::counted;
use crate::run::plan::Plan;

/// The claims of the chapter.
pub(super) static GOS: &[Claim] = &[
    Claim {
        id: "GOS-01",
        statement: "Eager push is fast and wasteful, lazy push pays a round trip to send each payload about once, pull is slow \
                    and nearly free of waste; all of them survive a fifth of the processes crashed and a fifth of the \
                    datagrams lost.",
        control: "eager push with fan-out 1: the rumour dies out",
        source: "Demers et al., PODC 1987; Eugster et al., IEEE Computer 37(5), 2004",
        run: gos_01,
    },
    Claim {
        id: "GOS-02",
        statement: "Broadcast over a fixed spanning tree costs n - 1 messages, and one failed inner process cuts off its whole \
                    subtree.",
        control: "flooding over a random graph of degree 4 bears the same failure",
        source: "Leitão, Pereira, Rodrigues, SRDS 2007, section 1",
        run: gos_02,
    },
    Claim {
        id: "GOS-03",
        statement: "Plumtree converges to a spanning tree: first-arrival links stay eager, duplicates turn links lazy, and from \
                    then on a broadcast costs n - 1 payloads.",
        control: "flooding over the same overlay never prunes",
        source: "Leitão, Pereira, Rodrigues, SRDS 2007, sections 3.2 and 4.2",
        run: gos_03,
    },
    Claim {
        id: "GOS-04",
        statement: "When half of all processes crash, missing-message timers graft lazy links: every survivor still gets every \
                    message, and redundancy falls back to a tree's.",
        control: "grafting off",
        source: "Leitão, Pereira, Rodrigues, SRDS 2007, section 4.4",
        run: gos_04,
    },
    Claim {
        id: "GOS-05",
        statement: "HyParView's small symmetric views survive 80 % simultaneous crashes, when neighbours see the connection \
                    break.",
        control: "plain random views of the same size, never repaired",
        source: "Leitão, Pereira, Rodrigues, DSN 2007, section 5.2",
        run: gos_05,
    },
    Claim {
        id: "GOS-06",
        statement: "A million processes run on one machine, and the cost of a broadcast grows linearly with their number.",
        control: "every receiver sends to everyone: the cost grows with the square",
        source: "measured here; nobody has published it",
        run: gos_06,
    },
];

const MILLIS: fn(u64) -> Span = Span::millis;
const SECS: fn(u64) -> Span = Span::secs;

fn seeds(effort: &Effort, most: u64) -> Vec<u64> {
    (1..=if effort.quick { most.min(2) } else { most }).collect()
}

/// A random graph in which everyone has `degree` neighbours.
fn random_graph(processes: u32, degree: u32, seed: u64) -> Result<Arc<Graph>, String> {
    isles_graph::random_regular(processes, degree, seed).map(Arc::new).map_err(|error| error.to_string())
}

fn over_everyone<B: Broadcast>(processes: u32, broadcast: B::Config) -> Config<Everyone, B> {
    Config { membership: everyone::Config { count: processes }, broadcast }
}

fn gos_01(effort: &Effort) -> Result<Finding, String> {
    let processes = if effort.quick { 500 } else { 2_000 };
    let seeds = seeds(effort, 5);
    let calm = plan(processes, SECS(90)).broadcasting(SECS(5), SECS(5), 10, Senders::Random);
    let mut rough = calm.clone().crashing(SECS(1), 0.2);
    rough.links.loss = 0.2;

    struct Style {
        name: &'static str,
        calm: Vec<SeedOutcome>,
        rough: Vec<SeedOutcome>,
    }
    let both = |name, run: &dyn Fn(&Plan) -> Result<Vec<SeedOutcome>, String>| {
        Ok::<Style, String>(Style { name, calm: run(&calm)?, rough: run(&rough)? })
    };
    let styles = [
        both("eager push", &|plan| {
            let config = over_everyone::<EagerPush>(processes, eager_push::Config::default());
            outcomes(plan, &seeds, effort, config)
        })?,
        both("lazy push", &|plan| {
            let config = over_everyone::<LazyPush>(processes, lazy_push::Config::default());
            outcomes(plan, &seeds, effort, config)
        })?,
        both("pull", &|plan| {
            let config = over_everyone::<Pull>(processes, pull::Config::default());
            outcomes(plan, &seeds, effort, config)
        })?,
        both("push-pull", &|plan| {
            let config = over_everyone::<PushPull>(processes, push_pull::Config::default());
            outcomes(plan, &seeds, effort, config)
        })?,
    ];
    let of = |style: &Style, measure| mean(&style.calm, &calm, measure);
    let [eager, lazy, pull, _] = &styles;
    let speed = of(eager, "latency-p50") < of(lazy, "latency-p50")
        && of(lazy, "latency-p50") < of(pull, "latency-p50");
    let waste = of(eager, "redundancy") > 5.0 && of(lazy, "redundancy") < 0.5 && of(pull, "redundancy") < 0.5;
    let reliable = styles
        .iter()
        .all(|style| of(style, "reliability") > 0.999 && mean(&style.rough, &rough, "reliability") > 0.99);

    let one = over_everyone::<EagerPush>(processes, eager_push::Config { fanout: 1, ..Default::default() });
    let control = mean(&outcomes(&rough, &seeds, effort, one)?, &rough, "reliability");
    let lines: Vec<String> = styles
        .iter()
        .map(|style| {
            format!(
                "{}: reliability {:.4} (rough {:.4}), median {:.0} ms, redundancy {:.2}",
                style.name,
                of(style, "reliability"),
                mean(&style.rough, &rough, "reliability"),
                of(style, "latency-p50") * 1e3,
                of(style, "redundancy"),
            )
        })
        .collect();
    Ok(Finding {
        holds: speed && waste && reliable,
        control_fails: control < 0.9,
        measured: format!("{}; control: reliability {control:.4}", lines.join("; ")),
        predicted: "latency eager < lazy < pull; redundancy of eager push about its fan-out less 1 = 9, of the others below \
                    0.5; reliability above 0.999, above 0.99 in the rough"
            .to_owned(),
        ..Finding::default()
    })
}

fn over_graph<B: Broadcast>(graph: &Arc<Graph>, broadcast: B::Config) -> Config<StaticGraph, B> {
    Config { membership: static_graph::Config::new(Arc::clone(graph)), broadcast }
}

fn gos_02(effort: &Effort) -> Result<Finding, String> {
    // A complete binary tree: the root's child 1 has half of all below it.
    let depth = if effort.quick { 8 } else { 12 };
    let processes = (1u32 << depth) - 1;
    let edges: Vec<(u32, u32)> = (1..processes).map(|child| (child, (child - 1) / 2)).collect();
    let binary = Arc::new(Graph::from_edges(processes, &edges));
    let whole = plan(processes, SECS(30)).broadcasting(SECS(1), SECS(10), 1, Senders::One);
    let mut broken = whole.clone();
    broken.faults.push((Time::ZERO, Fault::Crash(Who::Ids(vec![ProcessId(1)]))));
    broken.faults[0].0 = Time::ZERO + MILLIS(500);
    let config = || over_graph::<Tree>(&binary, tree::Config::new(Arc::clone(&binary)));
    let calm = outcomes(&whole, &[1], effort, config())?;
    let cut = outcomes(&broken, &[1], effort, config())?;
    let copies = mean(&calm, &whole, "copies-per-broadcast");
    let reached: u32 = cut.iter().flat_map(|outcome| counted(outcome, &broken)).map(|one| one.reached).sum();
    let subtree = processes / 2;
    let expected = processes - subtree;

    let graph = random_graph(processes, 4, 1)?;
    let flood = over_graph::<Flood>(&graph, flood::Config::default());
    let control = mean(&outcomes(&broken, &[1], effort, flood)?, &broken, "reliability");
    Ok(Finding {
        holds: copies == f64::from(processes - 1)
            && reached == expected
            && mean(&calm, &whole, "reliability") == 1.0,
        control_fails: control == 1.0,
        measured: format!(
            "{copies} messages for {processes} processes; with process 1 down {reached} are reached; control: flooding \
             reaches {:.2} % of the survivors",
            control * 100.0
        ),
        predicted: format!(
            "{} messages; {expected} reached: all but process 1 and the {} below it",
            processes - 1,
            subtree - 1
        ),
        ..Finding::default()
    })
}

fn gos_03(effort: &Effort) -> Result<Finding, String> {
    let processes = if effort.quick { 500 } else { 10_000 };
    let seeds = seeds(effort, 3);
    let graph = random_graph(processes, 5, 7)?;
    let plan =
        plan(processes, SECS(100)).broadcasting(SECS(1), SECS(3), 30, Senders::One).counting_from(SECS(60));
    let config = over_graph::<Plumtree>(&graph, plumtree::Config::default());
    let settled = outcomes(&plan, &seeds, effort, config)?;
    let first: Vec<f64> = settled.iter().filter_map(|one| one.broadcasts.first()?.redundancy()).collect();
    let first = first.iter().sum::<f64>() / first.len() as f64;
    let flood = over_graph::<Flood>(&graph, flood::Config::default());
    let control = outcomes(&plan, &seeds, effort, flood)?;
    let copies = mean(&settled, &plan, "copies-per-broadcast");
    let control_copies = mean(&control, &plan, "copies-per-broadcast");
    let tree = f64::from(processes - 1);
    Ok(Finding {
        holds: copies == tree && mean(&settled, &plan, "reliability") == 1.0,
        control_fails: control_copies > 2.0 * tree,
        measured: format!(
            "redundancy of the first message {first:.2}, after 20 messages {copies} payloads per broadcast (redundancy \
             {:.4}), last-delivery hop {:.1}; control: {control_copies:.0} payloads",
            mean(&settled, &plan, "redundancy"),
            mean(&settled, &plan, "last-delivery-hop"),
        ),
        predicted: format!(
            "first 3.0 (degree less 2), then {tree} payloads, redundancy 0; published: about 0 in steady state"
        ),
        ..Finding::default()
    })
}

/// Plumtree or flooding over HyParView, joined one after the other within `joined`.
fn over_hyparview<B: Broadcast>(broadcast: B::Config) -> Config<HyParView, B> {
    Config { membership: hyparview::Config::default(), broadcast }
}

/// By this time links are no longer mixed and the tree has settled again.
const HEALED: Span = Span::secs(120);

/// Joins over 10 s, steady broadcasts, a crash of `share` at 60 s, broadcasts from a second after it on, and again when all
/// has healed.
fn mass_failure(processes: u32, share: f64, senders: Senders, detection: Detection) -> Plan {
    let mut plan = plan(processes, SECS(150))
        .broadcasting(SECS(40), SECS(1), 20, senders)
        .broadcasting(SECS(61), SECS(1), 25, senders)
        .broadcasting(SECS(110), SECS(1), 30, senders)
        .counting_from(SECS(61))
        .crashing(SECS(60), share);
    plan.start = isles_sim::Start::Over(SECS(10));
    plan.links.detection = detection;
    plan
}

fn first_reliability(outcomes: &[SeedOutcome], plan: &Plan) -> f64 {
    let values: Vec<f64> =
        outcomes.iter().filter_map(|outcome| counted(outcome, plan).next()?.reliability()).collect();
    values.iter().sum::<f64>() / values.len() as f64
}

fn gos_04(effort: &Effort) -> Result<Finding, String> {
    let processes = if effort.quick { 1_000 } else { 10_000 };
    let seeds = seeds(effort, 5);
    let plan = mass_failure(processes, 0.5, Senders::One, Detection::Immediate);
    let config = over_hyparview::<Plumtree>(plumtree::Config::default());
    let repaired = outcomes(&plan, &seeds, effort, config)?;
    let off = over_hyparview::<Plumtree>(plumtree::Config { graft: false, ..Default::default() });
    let control = outcomes(&plan, &seeds, effort, off)?;
    let on_send = mass_failure(processes, 0.5, Senders::One, Detection::OnSend);
    let late = outcomes(&on_send, &seeds, effort, over_hyparview::<Plumtree>(plumtree::Config::default()))?;
    let reliability = mean(&repaired, &plan, "reliability");
    let redundancy = mean(&repaired, &plan, "redundancy");
    let healed = Plan { warmup: Time::ZERO + HEALED, ..plan.clone() };
    let redundancy_healed = mean(&repaired, &healed, "redundancy");
    let many = mass_failure(processes, 0.5, Senders::Random, Detection::Immediate);
    let many = Plan { warmup: Time::ZERO + HEALED, ..many };
    let config = over_hyparview::<Plumtree>(plumtree::Config::default());
    let by_many = outcomes(&many, &seeds, effort, config)?;
    let control_reliability = mean(&control, &plan, "reliability");
    let known = Known { at_once: [1.0, 1.0, 1.0, 1.0, 0.9985, 0.991], on_send: [0.952, 0.002] };
    let figures =
        Figures::measure::<Plumtree>((processes, &seeds), &plumtree::Config::default(), known, effort)?;
    Ok(Finding {
        holds: reliability > 0.9995
            && redundancy_healed < 0.05
            && figures.agree()
            && figures.calm.redundancy < 0.01,
        control_fails: control_reliability < reliability - 0.005,
        measured: format!(
            "reliability {reliability:.5}, first message {:.5}, redundancy {redundancy:.3}, healed {redundancy_healed:.3}, \
             last-delivery hop {:.1}; many senders, healed: redundancy {:.3}, last-delivery hop {:.1}; seen on \
             the next send only: {:.5}, first message {:.5}; control: {control_reliability:.5}, first message {:.5}; on links of one length: settled redundancy {:.4}, \
             last-delivery hop {:.1}; {}",
            first_reliability(&repaired, &plan),
            mean(&repaired, &healed, "last-delivery-hop"),
            mean(&by_many, &many, "redundancy"),
            mean(&by_many, &many, "last-delivery-hop"),
            mean(&late, &on_send, "reliability"),
            first_reliability(&late, &on_send),
            first_reliability(&control, &plan),
            figures.calm.redundancy,
            figures.calm.hops,
            figures.measured(),
        ),
        predicted: format!(
            "reliability 1 after 10 to 70 % crashes, redundancy .02 to .04; on links of one length redundancy 0 and \
             last-delivery hop 8 with one sender, 18 with many at redundancy .01; {}",
            figures.predicted()
        ),
        charts: vec![figures.chart("Plumtree over HyParView after mass failure")],
    })
}

fn gos_05(effort: &Effort) -> Result<Finding, String> {
    let processes = if effort.quick { 1_000 } else { 10_000 };
    let seeds = seeds(effort, 5);
    let flooded = |share, detection| {
        let plan = mass_failure(processes, share, Senders::Random, detection);
        let config = over_hyparview::<Flood>(flood::Config::default());
        let outcomes = outcomes(&plan, &seeds, effort, config)?;
        Ok::<_, String>((first_reliability(&outcomes, &plan), mean(&outcomes, &plan, "reliability")))
    };
    let (first, steady) = flooded(0.8, Detection::Immediate)?;
    let (first_late, steady_late) = flooded(0.8, Detection::OnSend)?;
    let (first_90, steady_90) = flooded(0.9, Detection::Immediate)?;
    let random = mass_failure(processes, 0.8, Senders::Random, Detection::Immediate);
    let config = Config {
        membership: random_views::Config { count: processes, view: 5 },
        broadcast: flood::Config { channel: Channel::Stream, ..flood::Config::default() },
    };
    let control =
        mean(&outcomes::<RandomViews, Flood>(&random, &seeds, effort, config)?, &random, "reliability");
    let known = Known { at_once: [1.0, 1.0, 1.0, 1.0, 0.999, 0.994], on_send: [0.954, 0.0005] };
    let figures = Figures::measure::<Flood>((processes, &seeds), &flood::Config::default(), known, effort)?;
    Ok(Finding {
        holds: first > 0.99 && steady > 0.99 && figures.agree() && figures.calm.is_sound(),
        control_fails: control < 0.9,
        measured: format!(
            "80 % crashed: first message {first:.4}, mean of 55 {steady:.4}; seen on the next send only: {first_late:.4}, \
             {steady_late:.4}; 90 % crashed: {first_90:.4}, {steady_90:.4}; control: {control:.4}; on links of one length: \
             {}, last-delivery hop of a flood {:.1}; {}",
            figures.calm.overlay(),
            figures.calm.hops,
            figures.measured(),
        ),
        predicted: format!(
            "views without repair fall below .5; published: clustering .00092, path 6.385, last-delivery hop 9.0, links \
             symmetric; {}; that simulation goes in cycles, which leave no time for repair between messages; here \
             there is some, so that later messages meet healed views",
            figures.predicted()
        ),
        charts: vec![figures.chart("Flooding over HyParView after mass failure")],
    })
}

fn gos_06(effort: &Effort) -> Result<Finding, String> {
    let sizes: &[u32] = if effort.quick { &[1_000, 10_000, 100_000] } else { &[10_000, 100_000, 1_000_000] };
    let mut costs = Vec::new();
    let mut bytes = 0.0;
    let mut reliable = true;
    for &processes in sizes {
        let graph = random_graph(processes, 5, 3)?;
        let plan =
            plan(processes, SECS(40)).broadcasting(SECS(1), SECS(5), 5, Senders::One).counting_from(SECS(15));
        let config = over_graph::<Plumtree>(&graph, plumtree::Config::default());
        let outcome = outcomes(&plan, &[1], effort, config)?;
        costs.push((f64::from(processes), mean(&outcome, &plan, "copies-per-broadcast")));
        reliable &= mean(&outcome, &plan, "reliability") == 1.0;
        bytes = outcome.iter().map(|one| one.simulator_bytes).sum::<usize>() as f64 / f64::from(processes);
    }
    let mut square = Vec::new();
    for processes in [100, 200, 400, 800] {
        let plan = plan(processes, SECS(10)).broadcasting(SECS(1), SECS(1), 3, Senders::One);
        let everyone = eager_push::Config { fanout: processes as usize, ..Default::default() };
        let outcome = outcomes(&plan, &[1], effort, over_everyone::<EagerPush>(processes, everyone))?;
        square.push((f64::from(processes), mean(&outcome, &plan, "copies-per-broadcast")));
    }
    let (slope, control) = (exponent(&costs), exponent(&square));
    let linear = |slope: f64| (slope - 1.0).abs() < 0.05;
    let listed: Vec<String> =
        costs.iter().map(|(size, cost)| format!("{cost:.0} payloads at n = {size}")).collect();
    Ok(Finding {
        holds: linear(slope) && reliable,
        control_fails: !linear(control),
        measured: format!(
            "{}: exponent {slope:.3}; {bytes:.0} bytes of the simulator per process at the largest; control: exponent \
             {control:.3}",
            listed.join(", ")
        ),
        predicted: "exponent 1 (n - 1 payloads); control: exponent 2".to_owned(),
        ..Finding::default()
    })
}
