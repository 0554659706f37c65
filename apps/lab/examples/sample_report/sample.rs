//! A report of made-up numbers that resembles a real one: Plumtree over HyParView, 10 000 processes, 30 % of
//! which fail at 40 s.

use isles_lab::report::data::{
    Axis, Chart, Check, Distribution, Edge, Fate, Figure, Landmark, Line, Message, Moment, MomentKind, Node,
    NodeState, Relation, Report, Sample, Setting, Shape, SpaceTime, Topology, Traffic, Unit, Verdict, View,
};

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
const FAILURE_S: f64 = 40.0;

/// Numbers that look like chance.
struct Dice(u64);

impl Dice {
    /// Between zero and one.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, bound: u32) -> u32 {
        (self.roll() * f64::from(bound)) as u32
    }
}

pub(crate) fn report() -> Report {
    Report {
        title: "Plumtree over HyParView survives the loss of 30 % of 10 000 processes".to_owned(),
        question:
            "After a third of the network goes down at once, how soon does every broadcast reach every \
                   process again, and what does the repair cost?"
                .to_owned(),
        scenario: SCENARIO.to_owned(),
        setup: setup(),
        seeds: SEEDS.to_vec(),
        figures: figures(),
        checks: checks(),
        charts: vec![reliability(), redundancy(), traffic_over_time(), view_sizes()],
        distributions: vec![latencies(), hops()],
        traffic: traffic(),
        topology: Some(topology(120)),
        space_time: Some(space_time()),
        notes: vec![
            "The numbers of this report are made up: it shows what reports look like.".to_owned(),
            "HyParView learns of broken connections at once, as over TCP; the paper assumes the same."
                .to_owned(),
        ],
    }
}

fn setup() -> Vec<Setting> {
    let rows = [
        ("processes", "10 000", "joining through one contact, 1 every millisecond"),
        ("broadcast", "Plumtree", "timeouts 200 ms and 100 ms, threshold 3"),
        ("membership", "HyParView", "active 5, passive 30, ARWL 6, PRWL 3"),
        ("links", "measured, 12 regions", "median 68 ms, greatest 312 ms"),
        ("loss", "1 %", "of datagrams; streams resend"),
        ("workload", "10 broadcasts/s", "from 20 s to 80 s, 1 kB each, from random processes"),
        ("fault", "30 % crash at 40 s", "chosen at random, never to return"),
        ("virtual time", "90 s", ""),
    ];
    let setting = |(name, value, note): (&str, &str, &str)| Setting {
        name: name.into(),
        value: value.into(),
        note: note.into(),
    };
    rows.into_iter().map(setting).collect()
}

fn figures() -> Vec<Figure> {
    let mut dice = Dice(3);
    let mut figure = |name: &str, unit: Unit, help: &str, middle: f64, spread: f64| {
        let values: Vec<(u64, f64)> =
            SEEDS.iter().map(|&seed| (seed, middle + spread * (dice.roll() - 0.5))).collect();
        Figure::new(name, unit, help, &values)
    };
    vec![
        figure(
            "reliability before",
            Unit::Share,
            "processes up that a broadcast reaches, before the failure",
            1.0,
            0.0,
        ),
        figure(
            "reliability after",
            Unit::Share,
            "of broadcasts sent 10 s or more after the failure",
            0.999_93,
            0.000_1,
        ),
        figure("recovery time", Unit::Seconds, "until every broadcast reaches 99.9 % again", 2.41, 0.9),
        figure("latency, p99", Unit::Seconds, "from broadcast to delivery", 0.842, 0.05),
        figure(
            "last-delivery hop",
            Unit::named("hops"),
            "greatest number of hops to a first delivery",
            11.0,
            2.0,
        ),
        figure("redundancy (RMR)", Unit::Plain, "payloads received per delivery, less one", 0.0213, 0.004),
        figure("messages per process", Unit::named("messages/s"), "sent, all kinds", 14.7, 0.6),
        figure("bytes per process", Unit::named("B/s"), "sent, all kinds", 12_340.0, 300.0),
    ]
}

fn checks() -> Vec<Check> {
    let check = |name: &str, measured, relation, bound, unit, verdict, detail: &str| Check {
        name: name.to_owned(),
        measured,
        relation,
        bound,
        unit,
        verdict,
        detail: detail.to_owned(),
    };
    use Relation::{AtLeast, AtMost};
    use Verdict::{Fails, Holds, Undecided};
    vec![
        check(
            "every broadcast before the failure reaches every process",
            Some(1.0),
            AtLeast,
            Some(1.0),
            Unit::Share,
            Holds,
            "",
        ),
        check(
            "reliability recovers within 10 s",
            Some(2.81),
            AtMost,
            Some(10.0),
            Unit::Seconds,
            Holds,
            "slowest seed: 4",
        ),
        check(
            "redundancy stays below 0.02",
            Some(0.0227),
            AtMost,
            Some(0.02),
            Unit::Plain,
            Fails,
            "seeds 2 and 5; replay with: isles run plumtree-mass-failure --seed 5",
        ),
        check(
            "no closed islands",
            None,
            AtMost,
            None,
            Unit::Plain,
            Holds,
            "one component among the processes that are up, at the end of every seed",
        ),
        check(
            "last-delivery hop is at most 12 after repair",
            None,
            AtMost,
            Some(12.0),
            Unit::named("hops"),
            Undecided,
            "no broadcast in the last 5 s of seed 3",
        ),
    ]
}

/// One line per seed, from a function of time and a dice.
fn per_seed(
    name: &str,
    points: impl Fn(f64, &mut Dice) -> (f64, f64),
    from: u32,
    to: u32,
    per_second: u32,
) -> Vec<Line> {
    let line = |&seed: &u64| {
        let mut dice = Dice(seed * 77);
        let times = from * per_second..to * per_second;
        let points = times.map(|step| points(f64::from(step) / f64::from(per_second), &mut dice)).collect();
        Line { name: name.to_owned(), seed: Some(seed), points, band: Vec::new() }
    };
    SEEDS.iter().map(line).collect()
}

fn failure() -> Vec<Landmark> {
    vec![Landmark { at: FAILURE_S, label: "30 % crash".to_owned() }]
}

/// How far from repaired the network is, from one down to zero.
fn damage(time: f64) -> f64 {
    if time < FAILURE_S { 0.0 } else { (-(time - FAILURE_S) / 1.1).exp() }
}

fn reliability() -> Chart {
    let lines = per_seed(
        "reliability",
        |time, dice| {
            (time, 1.0 - damage(time) * (0.32 + 0.2 * dice.roll()) - damage(time).min(0.01) * dice.roll())
        },
        20,
        80,
        10,
    );
    let mut y = Axis::new("processes reached", Unit::Share);
    y.from_zero = false;
    Chart {
        help: "Share of the processes up that each broadcast reaches, by the instant of the broadcast."
            .to_owned(),
        lines,
        events: failure(),
        levels: vec![Landmark { at: 0.999, label: "99.9 %".to_owned() }],
        ..Chart::over_time("reliability", y)
    }
}

fn redundancy() -> Chart {
    let points = |time: f64, dice: &mut Dice| {
        let learning = (-(time - 20.0) / 0.8).exp() * 3.4;
        ((time - 20.0) * 10.0, 0.018 + learning + damage(time) * 1.6 * dice.roll() + 0.006 * dice.roll())
    };
    Chart {
        help: "Payloads received per delivery, less one; zero is a perfect tree.".to_owned(),
        x: Axis::new("broadcast", Unit::Plain),
        shape: Shape::Dots,
        lines: per_seed("relative message redundancy", points, 20, 80, 10),
        events: vec![Landmark { at: 200.0, label: "30 % crash".to_owned() }],
        ..Chart::over_time("redundancy over broadcasts", Axis::new("RMR", Unit::Plain))
    }
}

fn traffic_over_time() -> Chart {
    let work = |time: f64| if (20.0..80.0).contains(&time) { 1.0 } else { 0.0 };
    let up = |time: f64| if time < FAILURE_S { 10_000.0 } else { 7_000.0 };
    let mut lines = Vec::new();
    let kinds: [(&str, f64, f64); 5] = [
        ("GOSSIP", 10.0, 0.5),
        ("IHAVE", 2.4, 0.2),
        ("SHUFFLE", 1.4, 0.0),
        ("GRAFT", 0.05, 6.0),
        ("PRUNE", 0.05, 4.0),
    ];
    for (kind, steady, repair) in kinds {
        let membership = kind == "SHUFFLE";
        let rate = move |time: f64, dice: &mut Dice| {
            let busy = if membership { 1.0 } else { work(time) };
            let learning = if membership { 0.0 } else { (-(time - 20.0).max(0.0)).exp() * repair * 0.3 };
            (
                time,
                up(time) * busy * (steady * (0.96 + 0.08 * dice.roll()) + damage(time) * repair + learning),
            )
        };
        lines.extend(per_seed(kind, rate, 0, 90, 4));
    }
    Chart {
        help: "All processes together.".to_owned(),
        shape: Shape::Stack,
        lines,
        events: vec![
            Landmark { at: 20.0, label: "broadcasts begin".to_owned() },
            failure().remove(0),
            Landmark { at: 80.0, label: "end".to_owned() },
        ],
        ..Chart::over_time("messages by kind", Axis::new("messages sent", Unit::named("messages/s")))
    }
}

fn view_sizes() -> Chart {
    let mut lines = per_seed(
        "median",
        |time, _| (time, if time < 10.0 { (time / 2.0).min(5.0) } else { 5.0 - damage(time) * 2.0 }),
        0,
        90,
        2,
    );
    let least = |time: f64, dice: &mut Dice| {
        (
            time,
            if time < 11.0 { 1.0 } else { (4.0 - damage(time) * 4.0 - 0.8 * dice.roll()).max(0.0).round() },
        )
    };
    lines.extend(per_seed("least", least, 0, 90, 2));
    Chart {
        help: "Connections of the processes that are up, by HyParView's active view.".to_owned(),
        shape: Shape::Step,
        lines,
        events: failure(),
        ..Chart::over_time("active view", Axis::new("peers", Unit::Plain))
    }
}

fn latencies() -> Distribution {
    let mut dice = Dice(9);
    let mut sample = |name: &str, scale: f64| {
        let mut values: Vec<f64> = (0..6000)
            .map(|_| scale * (-dice.roll().max(1e-9).ln() * 0.2 + 0.12 + 0.3 * dice.roll()).powf(1.2))
            .collect();
        values.sort_by(f64::total_cmp);
        Sample { name: name.to_owned(), counts: values.into_iter().map(|value| (value, 7)).collect() }
    };
    Distribution {
        title: "delivery latency".to_owned(),
        help: "From the broadcast to the delivery at each process.".to_owned(),
        samples: vec![sample("before", 0.9), sample("40 s to 45 s", 2.2), sample("after 50 s", 1.0)],
        axis: Axis { log: true, ..Axis::new("latency", Unit::Seconds) },
        view: View::Cumulative,
    }
}

fn hops() -> Distribution {
    let sample = |name: &str, centre: f64, width: f64| {
        let count = |hop: i32| (900_000.0 * (-((f64::from(hop) - centre) / width).powi(2)).exp()) as u64;
        Sample { name: name.to_owned(), counts: (1..=13).map(|hop| (f64::from(hop), count(hop))).collect() }
    };
    Distribution {
        title: "hops to first delivery".to_owned(),
        help: String::new(),
        samples: vec![sample("before", 6.2, 1.8), sample("after 50 s", 7.1, 2.3)],
        axis: Axis::new("hops", Unit::Plain),
        view: View::Bars,
    }
}

fn traffic() -> Vec<Traffic> {
    let kinds: [(&str, u64, u64); 6] = [
        ("GOSSIP", 24_812_334, 25_903_000_000),
        ("IHAVE", 6_120_400, 146_000_000),
        ("SHUFFLE", 3_841_220, 311_000_000),
        ("GRAFT", 128_331, 2_310_000),
        ("PRUNE", 98_122, 981_000),
        ("NEIGHBOR", 77_410, 619_000),
    ];
    kinds.map(|(kind, messages, bytes)| Traffic { kind: kind.to_owned(), messages, bytes }).to_vec()
}

/// A connected overlay of `count` processes with five peers each, and a spanning tree in it.
pub(crate) fn topology(count: u32) -> Topology {
    let mut dice = Dice(17);
    let regions = ["Europe", "America", "Asia"];
    let state = |index: u32, dice: &mut Dice| match index {
        0 => NodeState::Source,
        _ if dice.roll() < 0.2 => NodeState::Crashed,
        _ => NodeState::Up,
    };
    let nodes: Vec<Node> = (0..count)
        .map(|index| Node {
            label: format!("p{index}"),
            state: state(index, &mut dice),
            group: regions[index as usize % 3].to_owned(),
            position: None,
        })
        .collect();
    let mut edges = Vec::new();
    for to in 1..count {
        // Peers are sought nearby in the numbering, so that the picture has a shape.
        for (peer, tree) in [(dice.below(to.min(9)), true), (dice.below(to.min(40)), false)] {
            edges.push(Edge { from: to - 1 - peer, to, tree });
        }
    }
    let help = "Active views of a made-up overlay at 60 s, and the tree of the last broadcast.";
    Topology::new("overlay", help, nodes, edges, false)
}

fn space_time() -> SpaceTime {
    let mut dice = Dice(5);
    let lanes: Vec<String> =
        ["p4711", "p12", "p903", "p77", "p6120", "p31", "p8004", "p555", "p2048", "p9", "p3333", "p7001"]
            .map(str::to_owned)
            .to_vec();
    let moment = |lane, at, kind, label: &str| Moment { lane, at, kind, label: label.to_owned() };
    let mut moments = vec![moment(0, 20.0, MomentKind::Invoked, "broadcast 1")];
    let mut messages = Vec::new();
    let mut delivered = vec![f64::INFINITY; lanes.len()];
    delivered[0] = 20.0;
    let mut queue = vec![(0u32, 20.0f64)];
    while let Some((from, at)) = queue.pop() {
        for _ in 0..3 {
            let to = dice.below(lanes.len() as u32);
            if to == from || messages.len() > 70 {
                continue;
            }
            let arrives = at + 0.012 + 0.09 * dice.roll();
            let lost = dice.roll() < 0.06;
            let fate = if lost { Fate::Lost } else { Fate::Arrived(arrives) };
            messages.push(Message { kind: "GOSSIP".to_owned(), from, to, sent: at + 0.001, fate });
            if lost {
                continue;
            }
            if delivered[to as usize].is_infinite() {
                delivered[to as usize] = arrives;
                moments.push(moment(to, arrives, MomentKind::Delivered, ""));
                queue.insert(0, (to, arrives));
            } else {
                let back = Fate::Arrived(arrives + 0.01 + 0.08 * dice.roll());
                messages.push(Message {
                    kind: "PRUNE".to_owned(),
                    from: to,
                    to: from,
                    sent: arrives,
                    fate: back,
                });
            }
        }
    }
    moments.push(moment(9, 20.34, MomentKind::Crashed, ""));
    moments.push(moment(9, 20.37, MomentKind::Restarted, ""));
    moments.push(moment(10, 20.2, MomentKind::Timer, "graft"));
    let graft = Fate::Arrived(20.27);
    messages.push(Message { kind: "GRAFT".to_owned(), from: 10, to: 3, sent: 20.2, fate: graft });
    messages.push(Message { kind: "IHAVE".to_owned(), from: 5, to: 10, sent: 20.24, fate: Fate::UnderWay });
    SpaceTime {
        title: "The first broadcast".to_owned(),
        help: "Twelve of the processes that it reached first.".to_owned(),
        lanes,
        messages,
        moments,
    }
}

const SCENARIO: &str = r#"# Plumtree over HyParView, and a mass failure.
title = "Plumtree over HyParView survives the loss of 30 % of 10 000 processes"
seeds = [1, 2, 3, 4, 5]
duration = "90s"

[protocol]
name = "plumtree-hyparview" # Leitao 2007, both papers
processes = 10_000
hyparview = { active = 5, passive = 30, arwl = 6, prwl = 3 }

[links]
matrix = "regions-12.csv"
loss = 0.01

[[faults]]
at = "40s"
crash = { share = 0.3 }
"#;
