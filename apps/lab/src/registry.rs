//! The protocols that scenarios can name: each is added here, and nowhere else.
//!
//! Protocols come in families: [`FAMILIES`]. A scenario runs one protocol of each part of one family. An entry is an
//! implementation of [`MembershipEntry`], [`BroadcastEntry`] or [`TreeEntry`], and its name in one of the lists below.
//! `isles list`, scenario files and their errors, and the tests that run every protocol follow from that.

mod gossip;
pub mod params;
pub mod topologies;
mod trees;

use std::sync::Arc;

use isles_gossip::node::Config;
use isles_gossip::{Broadcast, Membership, Node};
use isles_graph::Graph;
use isles_kernel::{Payload, ProcessId, Protocol, Span};
use isles_sim::SetupError;

use crate::run::measures::{About, MEASURES};
use crate::run::outcome::SeedOutcome;
use crate::run::plan::Plan;
use crate::run::tree::{Begin, Seat, Told};
use crate::run::{gossip as gossip_run, tree as tree_run};
use params::{Param, Values};

/// What a configuration may depend on besides its own parameters.
#[derive(Clone, Debug)]
pub struct World {
    /// How many processes there are.
    pub processes: u32,
    /// The scenario's topology; without edges if it has none.
    pub graph: Arc<Graph>,
}

/// A membership protocol that scenarios can name.
pub trait MembershipEntry: Membership {
    /// As scenarios name it.
    const NAME: &'static str;
    /// One line, with its source.
    const DOC: &'static str;
    /// About how much memory a process takes, in bytes.
    const BYTES: u64;
    /// Whether it runs on the scenario's topology.
    const ON_GRAPH: bool = false;
    /// Its parameters.
    const PARAMS: &'static [Param];
    /// The configuration that `values` describe.
    fn config(values: &Values, world: &World) -> <Self as Protocol>::Config;
    /// The peers of the process `me`; empty where they are too many to list.
    fn neighbors(&self, me: ProcessId, config: &<Self as Protocol>::Config) -> Vec<ProcessId>;
}

/// A broadcast protocol that scenarios can name.
pub trait BroadcastEntry: Broadcast {
    /// As scenarios name it.
    const NAME: &'static str;
    /// One line, with its source.
    const DOC: &'static str;
    /// About how much memory a process takes, in bytes.
    const BYTES: u64;
    /// Whether it runs on the scenario's topology.
    const ON_GRAPH: bool = false;
    /// Its parameters.
    const PARAMS: &'static [Param];
    /// The configuration that `values` describe.
    fn config(values: &Values, world: &World) -> <Self as Protocol>::Config;
    /// Whether payloads go to this neighbour unasked and to others not.
    fn is_tree_link(&self, peer: ProcessId) -> bool {
        let _ = peer;
        false
    }
}

/// A tree protocol that scenarios can name; the type is only its name, since one protocol has several.
pub trait TreeEntry: 'static {
    /// What runs.
    type Protocol: Protocol;
    /// As scenarios name it.
    const NAME: &'static str;
    /// One line, with its source.
    const DOC: &'static str;
    /// Its parameters.
    const PARAMS: &'static [Param];
    /// Whether everybody begins, and not the root alone.
    const EVERYBODY: bool = false;
    /// Whether it looks for the diameter.
    const DIAMETER: bool = false;
    /// Whether payloads can be sent along the finished tree.
    const BROADCASTS: bool = false;
    /// About how much memory a process takes of so many, in bytes.
    fn bytes(processes: u64) -> u64;
    /// The configuration that `values` describe.
    fn config(values: &Values, world: &World) -> <Self::Protocol as Protocol>::Config;
    /// What is asked of whoever begins.
    fn begin(values: &Values) -> <Self::Protocol as Protocol>::Op;
    /// What is asked of the root of a finished tree; none if it has no use for it.
    fn broadcast(payload: Payload) -> Option<<Self::Protocol as Protocol>::Op> {
        let _ = payload;
        None
    }
    /// What an event says.
    fn told(event: &<Self::Protocol as Protocol>::Event) -> Told;
    /// Where this process is in the tree of `root`.
    fn seat(process: &Self::Protocol, root: ProcessId) -> Option<Seat>;
    /// How many messages a connected graph of so many processes and directed edges takes, if there is a formula.
    fn messages(count: u64, arcs: u64, values: &Values) -> Option<u64>;
    /// How long a round is, if there are rounds by the clock.
    fn round(values: &Values) -> Option<Span> {
        let _ = values;
        None
    }
}

/// A protocol as lists and scenarios see it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// As scenarios name it.
    pub name: &'static str,
    /// One line, with its source.
    pub doc: &'static str,
    /// About how much memory a process takes of so many, in bytes.
    pub bytes: fn(u64) -> u64,
    /// Its parameters.
    pub params: &'static [Param],
    /// Whether it can broadcast what a scenario asks for.
    pub broadcasts: bool,
    /// Whether it runs on the scenario's topology.
    pub on_graph: bool,
}

/// Protocols that are run, measured and reported in the same way.
#[derive(Debug)]
pub struct Family {
    /// Its parts, by the table of a scenario that names one protocol of each.
    pub parts: &'static [Part],
    /// What is measured of it, most telling first.
    pub measures: fn() -> Vec<About>,
    /// The measures that a table of many runs shows.
    pub shown: &'static [&'static str],
}

/// One part of a family.
#[derive(Debug)]
pub struct Part {
    /// The scenario's table.
    pub table: &'static str,
    /// Its protocols.
    pub entries: &'static [Entry],
}

/// Broadcast protocols over memberships.
pub static GOSSIP: Family = Family {
    parts: &[
        Part { table: "broadcast", entries: BROADCASTS },
        Part { table: "membership", entries: MEMBERSHIPS },
    ],
    measures: || MEASURES.iter().map(|measure| measure.about()).collect(),
    shown: &[
        "reliability",
        "last-delivery-hop",
        "redundancy",
        "latency-p50",
        "latency-p99",
        "messages-per-process",
    ],
};

/// Spanning trees, and what is found by them.
pub static TREE: Family = Family {
    parts: &[Part { table: "tree", entries: TREES }],
    measures: || tree_run::measures::MEASURES.iter().map(|measure| measure.about()).collect(),
    shown: &[
        "reached",
        "time-to-join",
        "time-to-finish",
        "height",
        "depth-over-distance",
        "messages-per-edge",
    ],
};

/// All families.
pub static FAMILIES: [&Family; 2] = [&GOSSIP, &TREE];

/// A protocol of a scenario: which, and with what parameters.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Which.
    pub entry: Entry,
    /// With what.
    pub values: Values,
}

/// The protocols of a scenario.
#[derive(Clone, Debug)]
pub enum Selection {
    /// Of the gossip family.
    Gossip {
        /// Whom processes talk to.
        membership: Chosen,
        /// How a message spreads.
        broadcast: Chosen,
    },
    /// Of the tree family.
    Tree {
        /// Which.
        tree: Chosen,
        /// Who begins, and when.
        begin: Begin,
    },
}

impl Selection {
    /// The family.
    pub fn family(&self) -> &'static Family {
        match self {
            Self::Gossip { .. } => &GOSSIP,
            Self::Tree { .. } => &TREE,
        }
    }

    /// Each protocol, and the table that names it.
    pub fn chosen(&self) -> Vec<(&'static str, &Chosen)> {
        match self {
            Self::Gossip { membership, broadcast } => {
                vec![("membership", membership), ("broadcast", broadcast)]
            }
            Self::Tree { tree, .. } => vec![("tree", tree)],
        }
    }
}

/// Runs one seed of a plan.
type Runner =
    fn(&Plan, u64, &Values, &Values, &World, &dyn Fn(f64)) -> Result<gossip_run::SeedOutcome, SetupError>;

fn run_pair<M: MembershipEntry, B: BroadcastEntry>(
    plan: &Plan,
    seed: u64,
    membership: &Values,
    broadcast: &Values,
    world: &World,
    progress: &dyn Fn(f64),
) -> Result<gossip_run::SeedOutcome, SetupError>
where
    M::Config: Clone,
{
    let below = M::config(membership, world);
    let config =
        Arc::new(Config::<M, B> { membership: below.clone(), broadcast: B::config(broadcast, world) });
    let neighbors = |me: ProcessId, node: &Node<M, B>| {
        let peers = node.membership.neighbors(me, &below);
        peers.into_iter().map(|peer| (peer, node.broadcast.is_tree_link(peer))).collect()
    };
    gossip_run::run(plan, seed, config, &neighbors, progress)
}

/// Runs one seed of a plan with a tree protocol.
type TreeRunner =
    fn(&Plan, u64, Begin, &Values, &World, &dyn Fn(f64)) -> Result<tree_run::SeedOutcome, SetupError>;

fn run_tree<E: TreeEntry>(
    plan: &Plan,
    seed: u64,
    begin: Begin,
    values: &Values,
    world: &World,
    progress: &dyn Fn(f64),
) -> Result<tree_run::SeedOutcome, SetupError> {
    let config = Arc::new(E::config(values, world));
    tree_run::run::<E>(plan, seed, (begin, values), (config, &world.graph), progress)
}

macro_rules! entries {
    ($($type:ty),*) => {
        &[$(Entry {
            name: <$type>::NAME,
            doc: <$type>::DOC,
            bytes: |_| <$type>::BYTES,
            params: <$type>::PARAMS,
            broadcasts: true,
            on_graph: <$type>::ON_GRAPH,
        }),*]
    };
}

/// The list of tree protocols, and the runner of each.
macro_rules! tree_registry {
    ($($type:ty),*) => {
        /// The tree protocols.
        pub static TREES: &[Entry] = &[$(Entry {
            name: <$type>::NAME,
            doc: <$type>::DOC,
            bytes: <$type>::bytes,
            params: <$type>::PARAMS,
            broadcasts: <$type>::BROADCASTS,
            on_graph: true,
        }),*];

        fn tree_runner(name: &str) -> Option<TreeRunner> {
            $(if name == <$type>::NAME {
                return Some(run_tree::<$type>);
            })*
            None
        }
    };
}

/// Both lists, and the runner of each pair: the lists name the types once.
macro_rules! registry {
    (memberships: [$($membership:ty),*], broadcasts: $broadcasts:tt) => {
        /// The membership protocols.
        pub static MEMBERSHIPS: &[Entry] = entries!($($membership),*);
        registry!(@broadcasts $broadcasts);

        fn runner(membership: &str, broadcast: &str) -> Option<Runner> {
            $(if membership == <$membership>::NAME {
                return registry!(@runner $membership, broadcast, $broadcasts);
            })*
            None
        }
    };
    (@broadcasts [$($broadcast:ty),*]) => {
        /// The broadcast protocols.
        pub static BROADCASTS: &[Entry] = entries!($($broadcast),*);
    };
    (@runner $membership:ty, $name:ident, [$($broadcast:ty),*]) => {{
        $(if $name == <$broadcast>::NAME {
            return Some(run_pair::<$membership, $broadcast>);
        })*
        None
    }};
}

use isles_gossip::eager_push::EagerPush;
use isles_gossip::everyone::Everyone;
use isles_gossip::flood::Flood;
use isles_gossip::hyparview::HyParView;
use isles_gossip::lazy_push::LazyPush;
use isles_gossip::plumtree::Plumtree;
use isles_gossip::pull::Pull;
use isles_gossip::push_pull::PushPull;
use isles_gossip::random_views::RandomViews;
use isles_gossip::static_graph::StaticGraph;
use isles_gossip::tree::Tree;

registry! {
    memberships: [HyParView, StaticGraph, Everyone, RandomViews],
    broadcasts: [Plumtree, Flood, EagerPush, LazyPush, Pull, PushPull, Tree]
}

tree_registry![
    trees::SyncBfs,
    trees::AsynchSpanningTree,
    trees::AsynchBcastAck,
    trees::Echo,
    trees::SyncLeaderElection,
    trees::LeaderElection,
    trees::Diameter
];

/// The entry of this name.
pub fn find(entries: &'static [Entry], name: &str) -> Option<Entry> {
    entries.iter().copied().find(|entry| entry.name == name)
}

/// Runs one seed of `plan` with the protocols chosen. `progress` is told the share of virtual time that has passed.
///
/// # Errors
/// When the plan cannot be simulated.
pub fn run_seed(
    plan: &Plan,
    seed: u64,
    selection: &Selection,
    world: &World,
    progress: &dyn Fn(f64),
) -> Result<SeedOutcome, SetupError> {
    match selection {
        Selection::Gossip { membership, broadcast } => {
            let run =
                runner(membership.entry.name, broadcast.entry.name).expect("chosen entries are registered");
            run(plan, seed, &membership.values, &broadcast.values, world, progress)
                .map(|outcome| SeedOutcome::Gossip(Box::new(outcome)))
        }
        Selection::Tree { tree, begin } => {
            let run = tree_runner(tree.entry.name).expect("chosen entries are registered");
            run(plan, seed, *begin, &tree.values, world, progress)
                .map(|outcome| SeedOutcome::Tree(Box::new(outcome)))
        }
    }
}
