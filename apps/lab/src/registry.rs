//! The protocols that scenarios can name: each is added here, and nowhere else.
//!
//! An entry is an implementation of [`MembershipEntry`] or [`BroadcastEntry`] on the protocol's type, and its name in
//! one of the two lists below. `isles list`, scenario files and their errors, and the test that runs every pair follow
//! from that.

mod gossip;
pub mod params;
pub mod topologies;

use std::sync::Arc;

use isles_gossip::node::Config;
use isles_gossip::{Broadcast, Membership, Node};
use isles_graph::Graph;
use isles_kernel::{ProcessId, Protocol};
use isles_sim::SetupError;

use crate::run::gossip::{SeedOutcome, run};
use crate::run::plan::Plan;
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

/// A protocol as lists and scenarios see it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// As scenarios name it.
    pub name: &'static str,
    /// One line, with its source.
    pub doc: &'static str,
    /// About how much memory a process takes, in bytes.
    pub bytes: u64,
    /// Its parameters.
    pub params: &'static [Param],
}

/// A protocol of a scenario: which, and with what parameters.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Which.
    pub entry: Entry,
    /// With what.
    pub values: Values,
}

/// Runs one seed of a plan.
type Runner = fn(&Plan, u64, &Values, &Values, &World, &dyn Fn(f64)) -> Result<SeedOutcome, SetupError>;

fn run_pair<M: MembershipEntry, B: BroadcastEntry>(
    plan: &Plan,
    seed: u64,
    membership: &Values,
    broadcast: &Values,
    world: &World,
    progress: &dyn Fn(f64),
) -> Result<SeedOutcome, SetupError>
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
    run(plan, seed, config, &neighbors, progress)
}

macro_rules! entries {
    ($($type:ty),*) => {
        &[$(Entry { name: <$type>::NAME, doc: <$type>::DOC, bytes: <$type>::BYTES, params: <$type>::PARAMS }),*]
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
    membership: &Chosen,
    broadcast: &Chosen,
    world: &World,
    progress: &dyn Fn(f64),
) -> Result<SeedOutcome, SetupError> {
    let run = runner(membership.entry.name, broadcast.entry.name).expect("chosen entries are registered");
    run(plan, seed, &membership.values, &broadcast.values, world, progress)
}
