//! The graph of all states, for what concerns behaviours that never end.

use hashbrown::HashMap;
use isles_kernel::Protocol;

use crate::action::{Action, Cause};
use crate::breadth::Bounds;
use crate::explorer::{Progress, Watcher};
use crate::parcel::Kind;
use crate::report::Stopped;
use crate::space::Space;
use crate::state::{State, States};

/// Whoever must take a step if it could for ever: a link, a process's timers and disk, a client. What may go wrong is
/// nobody's and need not happen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Actor(u32);

/// Nobody.
pub(crate) const NOBODY: Actor = Actor(u32::MAX);

/// A step from one state to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) to: u32,
    pub(crate) action: Action,
    pub(crate) actor: Actor,
}

/// All states and steps. States are numbered in the order of a breadth-first search.
pub(crate) struct Graph {
    pub(crate) states: States,
    edges: Vec<Edge>,
    /// Where the edges of each state end.
    ends: Vec<usize>,
    /// How many states are initial ones: the first.
    pub(crate) initial: usize,
    /// Where each state was reached from first, and by which edge.
    origin: Vec<(u32, Action)>,
    pub(crate) depth: u32,
    pub(crate) stopped: Option<Stopped>,
}

impl Graph {
    /// Reaches all states within the bounds. What lies at the bound of depth has no edges.
    pub(crate) fn new<P: Protocol>(space: &mut Space<P>, bounds: Bounds, progress: Watcher<'_>) -> Self {
        let mut graph = Self {
            states: States::default(),
            edges: Vec::new(),
            ends: Vec::new(),
            initial: 0,
            origin: Vec::new(),
            depth: 0,
            stopped: None,
        };
        let mut numbers: HashMap<u64, u32, rustc_hash::FxBuildHasher> = HashMap::default();
        for (number, words) in (0..).zip(space.initial()) {
            let fingerprint = space.state(&words).fingerprint();
            numbers.entry(fingerprint).or_insert_with(|| {
                graph.states.push(&words);
                graph.origin.push((u32::MAX, Action(number)));
                graph.states.len() as u32 - 1
            });
        }
        graph.initial = graph.states.len();
        let mut level_end = graph.initial;
        let mut next = Vec::new();
        let mut state = 0;
        while state < graph.states.len() {
            if state == level_end {
                graph.depth += 1;
                level_end = graph.states.len();
            }
            let words = graph.states.get(state).to_vec();
            if graph.depth >= bounds.depth || graph.states.len() as u64 >= bounds.states {
                let depth = Stopped::AtDepth(bounds.depth);
                let stopped =
                    if graph.depth >= bounds.depth { depth } else { Stopped::AtStates(bounds.states) };
                graph.stopped.get_or_insert(stopped);
            } else {
                for (action, fingerprint) in space.all_fingerprints(&words) {
                    let to = *numbers.entry(fingerprint).or_insert_with(|| {
                        let known = space.successor(space.state(&words), action, &mut next);
                        known.expect("whoever computed the fingerprint had all that is needed");
                        graph.states.push(&next);
                        graph.origin.push((state as u32, action));
                        graph.states.len() as u32 - 1
                    });
                    let actor = space.actor(space.state(&words), action.cause());
                    graph.edges.push(Edge { to, action, actor });
                }
            }
            graph.ends.push(graph.edges.len());
            state += 1;
            if state.is_multiple_of(4096) {
                let (states, frontier) = (graph.states.len() as u64, (graph.states.len() - state) as u64);
                let so_far =
                    Progress { states, generated: graph.edges.len() as u64, depth: graph.depth, frontier };
                if progress(so_far).is_break() {
                    graph.stopped = Some(Stopped::OnRequest);
                    graph.ends.resize(graph.states.len(), graph.edges.len());
                    break;
                }
            }
        }
        graph
    }

    /// The steps that are possible in a state.
    pub(crate) fn edges(&self, state: u32) -> &[Edge] {
        let state = state as usize;
        let start = if state == 0 { 0 } else { self.ends[state - 1] };
        &self.edges[start..self.ends[state]]
    }

    /// The number of the initial state, and the actions that lead to a state.
    pub(crate) fn path(&self, mut state: u32) -> (u32, Vec<Action>) {
        let mut actions = Vec::new();
        loop {
            let (before, action) = self.origin[state as usize];
            if before == u32::MAX {
                actions.reverse();
                return (action.0, actions);
            }
            actions.push(action);
            state = before;
        }
    }
}

impl<P: Protocol> Space<P> {
    /// All actions in a state, and the fingerprints of the states after them. Symmetry is not used: a loop of orbits need
    /// not be one of states.
    pub(crate) fn all_fingerprints(&mut self, words: &[u32]) -> Vec<(Action, u64)> {
        self.known(|space| {
            let (mut all, mut scratch) = (Vec::new(), Vec::new());
            space.successors(space.state(words), &mut scratch, |action, fingerprint| {
                all.push((action, fingerprint));
            })?;
            Ok(all)
        })
    }

    /// Who takes a step.
    fn actor(&self, state: State<'_>, cause: Cause) -> Actor {
        let named = |kind: u32, a: u8, b: u8| Actor(kind << 16 | u32::from(a) << 8 | u32::from(b));
        match cause {
            Cause::Deliver { place } => {
                let meta = self.meta[state.parcels()[place as usize] as usize];
                match meta.kind {
                    Kind::Answer => named(1, 0, 0),
                    Kind::Request => named(2, 0, meta.to),
                    Kind::Broken => named(3, meta.from, meta.to),
                    Kind::Datagram | Kind::Loose | Kind::Stream | Kind::Orphan => {
                        named(4, meta.from, meta.to)
                    }
                }
            }
            Cause::Timer { process, .. } => named(5, process, 0),
            Cause::Invoke { client } => named(6, client, 0),
            Cause::Sync { process } => named(7, process, 0),
            Cause::Start { .. }
            | Cause::Crash { .. }
            | Cause::Lose { .. }
            | Cause::Duplicate { .. }
            | Cause::Cut { .. }
            | Cause::Heal
            | Cause::Break { .. }
            | Cause::Tamper { .. }
            | Cause::Discard { .. } => NOBODY,
        }
    }
}
