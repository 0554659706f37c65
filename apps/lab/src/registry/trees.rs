//! The protocols of `isles-trees`.

use std::sync::Arc;

use isles_kernel::{Payload, ProcessId, Protocol, Span};
use isles_trees::every_root::{self, Elect, EveryRoot};
use isles_trees::gather::{self, Census};
use isles_trees::rounds::{self, Pace};
use isles_trees::tree::{self, Answers, Inside};
use isles_trees::{Rounds, SpanningTree};

use super::params::{Kind, Param, Values};
use super::{TreeEntry, World};
use crate::run::tree::{Found, Seat, Told};

const PAYLOAD: Param = Param {
    name: "payload",
    kind: Kind::Count(0, 8 << 20),
    default: "0",
    doc: "bytes that are broadcast with the tree; 0: nothing is",
};
const CARRY: Param = Param {
    name: "carry",
    kind: Kind::Flag,
    default: "true",
    doc: "whether the payload travels with the searches, or else down the finished tree",
};
const TO_PARENT: Param = Param {
    name: "to-parent",
    kind: Kind::Flag,
    default: "false",
    doc: "whether the parent is searched, too (Lynch 4.2: yes; 15.3: no)",
};
const ROUND: Param = Param {
    name: "round",
    kind: Kind::Period,
    default: "200ms",
    doc: "pace = clock: how long a round is; every message must arrive within it (guess)",
};
const PACE: Param = Param {
    name: "pace",
    kind: Kind::Choice(&["clock", "messages"]),
    default: "clock",
    doc: "how a round ends: by the clock, or when there is a message from every neighbour, an empty one if need be",
};
const ROUNDS_MAX: Param = Param {
    name: "rounds-max",
    kind: Kind::Count(1, 1 << 20),
    default: "100",
    doc: "pace = messages: everybody stops after so many rounds",
};
const BUNDLE: Param = Param {
    name: "bundle",
    kind: Kind::Flag,
    default: "true",
    doc: "whether all that goes over an edge in one round is one message, as the synchronous model has it",
};

/// A census of processes whose UIDs do not ascend with their numbers.
fn census(world: &World) -> Census {
    // Multiplying by an odd number is a permutation of 32 bits.
    Census {
        uids: (0..world.processes).map(|process| u64::from(process.wrapping_mul(0x9e37_79b1))).collect(),
    }
}

fn tree(world: &World, values: &Values, answers: Answers) -> tree::Config<Census> {
    tree::Config {
        carry: values.flag("carry"),
        ..tree::Config::new(Arc::clone(&world.graph), census(world), answers)
    }
}

fn in_rounds<C>(world: &World, values: &Values, child: C) -> rounds::Config<C> {
    let pace = match values.word("pace") {
        "messages" => Pace::Synchronizer { rounds: values.count("rounds-max") as u32 },
        _ => Pace::Clock(values.span("round")),
    };
    rounds::Config::new(Arc::clone(&world.graph), child, pace, values.flag("bundle"))
}

fn build(values: &Values) -> tree::Op {
    tree::Op::Build(Payload::zeros(values.size("payload")))
}

fn told(event: &tree::Event<gather::Found>) -> Told {
    match event {
        tree::Event::Joined { .. } => Told::Joined,
        tree::Event::Finished(found) => Told::Finished(Found { count: Some(found.count), diameter: None }),
        tree::Event::Delivered(_) => Told::Delivered,
        tree::Event::Rejected { .. } => Told::Rejected,
    }
}

fn elected(event: &every_root::Event) -> Told {
    match event {
        every_root::Event::Done(outcome) => Told::Elected(
            Found { count: Some(outcome.found.count), diameter: outcome.diameter },
            outcome.leads,
        ),
        every_root::Event::Rejected { .. } => Told::Rejected,
    }
}

fn seat(inside: &Inside<gather::Found>) -> Seat {
    Seat { parent: inside.parent(), depth: inside.depth() }
}

/// Messages of a tree over so many processes and directed edges, if a search goes over every edge but that to the parent.
fn messages(answers: Answers, count: u64, arcs: u64, values: &Values) -> u64 {
    let others = count.saturating_sub(1);
    let searches = arcs - others;
    let later = if values.flag("carry") || values.count("payload") == 0 { 0 } else { others };
    later
        + match answers {
            Answers::None => searches,
            Answers::Children => 2 * searches + others,
            Answers::Acks => 2 * searches,
            Answers::Echo => arcs,
        }
}

/// `word` as scenarios have it.
fn answers(word: &str) -> Answers {
    match word {
        "none" => Answers::None,
        "acks" => Answers::Acks,
        "echo" => Answers::Echo,
        _ => Answers::Children,
    }
}

/// SyncBFS.
pub(super) enum SyncBfs {}

impl TreeEntry for SyncBfs {
    type Protocol = Rounds<SpanningTree<Census>>;
    const NAME: &'static str = "sync-bfs";
    const DOC: &'static str =
        "a breadth-first tree in rounds, by searches that are answered (Lynch 1996, section 4.2)";
    const PARAMS: &'static [Param] = &[
        Param {
            name: "answers",
            kind: Kind::Choice(&["none", "children", "acks", "echo"]),
            default: "children",
            doc: "none: nobody knows its children; children: parent or non-parent, then reports; acks: non-parent or report; echo: report",
        },
        TO_PARENT,
        PAYLOAD,
        CARRY,
        PACE,
        ROUND,
        ROUNDS_MAX,
        Param { default: "false", ..BUNDLE },
    ];
    const BROADCASTS: bool = true;

    fn bytes(_: u64) -> u64 {
        260
    }
    fn config(values: &Values, world: &World) -> <Self::Protocol as Protocol>::Config {
        let child = tree::Config {
            to_parent: values.flag("to-parent"),
            ..tree(world, values, answers(values.word("answers")))
        };
        in_rounds(world, values, child)
    }
    fn begin(values: &Values) -> tree::Op {
        build(values)
    }
    fn broadcast(payload: Payload) -> Option<tree::Op> {
        Some(tree::Op::Broadcast(payload))
    }
    fn told(event: &tree::Event<gather::Found>) -> Told {
        told(event)
    }
    fn seat(process: &Self::Protocol, _: ProcessId) -> Option<Seat> {
        process.child().inside().map(seat)
    }
    fn messages(count: u64, arcs: u64, values: &Values) -> Option<u64> {
        let answers = answers(values.word("answers"));
        let exact = values.word("pace") == "clock" && !values.flag("bundle");
        // A search to the parent is one more message, and its answer another one.
        let back =
            if values.flag("to-parent") && answers != Answers::Echo { count.saturating_sub(1) } else { 0 };
        let answered = if answers == Answers::None { 1 } else { 2 };
        exact.then(|| messages(answers, count, arcs, values) + back * answered)
    }
    fn round(values: &Values) -> Option<Span> {
        (values.word("pace") == "clock").then(|| values.span("round"))
    }
}

/// The three protocols of one type that differ in their answers.
macro_rules! without_rounds {
    ($type:ident, $name:literal, $doc:literal, [$($param:expr),*], $config:expr) => {
        #[doc = $doc]
        pub(super) enum $type {}

        impl TreeEntry for $type {
            type Protocol = SpanningTree<Census>;
            const NAME: &'static str = $name;
            const DOC: &'static str = $doc;
            const PARAMS: &'static [Param] = &[$($param,)* PAYLOAD, CARRY];
            const BROADCASTS: bool = true;

            fn bytes(_: u64) -> u64 {
                180
            }
            fn config(values: &Values, world: &World) -> tree::Config<Census> {
                $config(values, world)
            }
            fn begin(values: &Values) -> tree::Op {
                build(values)
            }
            fn broadcast(payload: Payload) -> Option<tree::Op> {
                Some(tree::Op::Broadcast(payload))
            }
            fn told(event: &tree::Event<gather::Found>) -> Told {
                told(event)
            }
            fn seat(process: &Self::Protocol, _: ProcessId) -> Option<Seat> {
                process.inside().map(seat)
            }
            fn messages(count: u64, arcs: u64, values: &Values) -> Option<u64> {
                let no_graph = World { processes: 0, graph: Arc::new(isles_graph::line(0)) };
                Some(messages($config(values, &no_graph).answers, count, arcs, values))
            }
        }
    };
}

without_rounds!(
    AsynchSpanningTree,
    "asynch-spanning-tree",
    "a tree by flooding, as deep as latencies make it (Lynch 1996, section 15.3)",
    [Param {
        name: "answers",
        kind: Kind::Choice(&["none", "children"]),
        default: "children",
        doc: "none: nobody knows its children; children: parent or non-parent, then reports",
    }],
    |values: &Values, world: &World| tree(world, values, answers(values.word("answers")))
);

without_rounds!(
    AsynchBcastAck,
    "asynch-bcast-ack",
    "a broadcast that grows a tree, acknowledged as it grows (Lynch 1996, section 15.3)",
    [Param {
        name: "forget",
        kind: Kind::Flag,
        default: "false",
        doc: "whether a process forgets everything once it has acknowledged; it is in no tree then",
    }],
    |values: &Values, world: &World| tree::Config {
        forget: values.flag("forget"),
        ..tree(world, values, Answers::Acks)
    }
);

without_rounds!(
    Echo,
    "echo",
    "propagation of information with feedback: two messages over every edge (Segall 1983)",
    [],
    |values: &Values, world: &World| tree(world, values, Answers::Echo)
);

/// Everybody's place in everybody's tree.
fn quadratic(processes: u64) -> u64 {
    processes.saturating_mul(150)
}

/// Two messages over every edge for every root, and one to every other process's parent for the diameter.
fn of_every_root(count: u64, arcs: u64, diameter: bool) -> u64 {
    count * arcs + if diameter { count * count.saturating_sub(1) } else { 0 }
}

fn everybody(world: &World, diameter: bool) -> every_root::Config {
    let tree = tree::Config::new(Arc::clone(&world.graph), census(world), Answers::Echo);
    every_root::Config { tree, diameter }
}

/// Leader election without rounds.
pub(super) enum LeaderElection {}

impl TreeEntry for LeaderElection {
    type Protocol = EveryRoot;
    const NAME: &'static str = "leader-election";
    const DOC: &'static str =
        "everybody grows a tree by flooding, and the greatest UID leads (Lynch 1996, section 15.3)";
    const PARAMS: &'static [Param] = &[];
    const EVERYBODY: bool = true;

    fn bytes(processes: u64) -> u64 {
        quadratic(processes)
    }
    fn config(_: &Values, world: &World) -> every_root::Config {
        everybody(world, false)
    }
    fn begin(_: &Values) -> Elect {
        Elect
    }
    fn told(event: &every_root::Event) -> Told {
        elected(event)
    }
    fn seat(process: &EveryRoot, root: ProcessId) -> Option<Seat> {
        process.tree(root)?.inside().map(seat)
    }
    fn messages(count: u64, arcs: u64, _: &Values) -> Option<u64> {
        Some(of_every_root(count, arcs, false))
    }
}

/// Those that run in rounds.
macro_rules! every_root_in_rounds {
    ($type:ident, $name:literal, $doc:literal, $diameter:literal) => {
        #[doc = $doc]
        pub(super) enum $type {}

        impl TreeEntry for $type {
            type Protocol = Rounds<EveryRoot>;
            const NAME: &'static str = $name;
            const DOC: &'static str = $doc;
            const PARAMS: &'static [Param] = &[PACE, ROUND, ROUNDS_MAX, BUNDLE];
            const EVERYBODY: bool = true;
            const DIAMETER: bool = $diameter;

            fn bytes(processes: u64) -> u64 {
                quadratic(processes)
            }
            fn config(values: &Values, world: &World) -> <Self::Protocol as Protocol>::Config {
                in_rounds(world, values, everybody(world, $diameter))
            }
            fn begin(_: &Values) -> Elect {
                Elect
            }
            fn told(event: &every_root::Event) -> Told {
                elected(event)
            }
            fn seat(process: &Self::Protocol, root: ProcessId) -> Option<Seat> {
                process.child().tree(root)?.inside().map(seat)
            }
            fn messages(count: u64, arcs: u64, values: &Values) -> Option<u64> {
                let exact = values.word("pace") == "clock" && !values.flag("bundle");
                exact.then(|| of_every_root(count, arcs, $diameter))
            }
            fn round(values: &Values) -> Option<Span> {
                (values.word("pace") == "clock").then(|| values.span("round"))
            }
        }
    };
}

every_root_in_rounds!(
    SyncLeaderElection,
    "sync-leader-election",
    "everybody grows a breadth-first tree in rounds, and the greatest UID leads (Lynch 1996, section 4.2)",
    false
);

every_root_in_rounds!(
    Diameter,
    "diameter",
    "everybody learns its eccentricity by its own breadth-first tree, and the greatest of all (Lynch 1996, section 4.2)",
    true
);
