//! Whom a process gossips with: what every membership protocol of this crate has in common.

use isles_kernel::{Cx, Never, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

/// A protocol that gives each process its peers: the lower half of a [`Node`](crate::Node).
pub trait Membership: Protocol<Reply = Never, Record = Never, Event = Change> {}
impl<P: Protocol<Reply = Never, Record = Never, Event = Change>> Membership for P {}

/// A change of the peers of one process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Change {
    /// `peer` became a neighbour.
    Up {
        /// The new neighbour.
        peer: ProcessId,
    },
    /// `peer` is no longer a neighbour.
    Down {
        /// The former neighbour.
        peer: ProcessId,
    },
    /// Every process `0..count` is a peer, too many to list: the full membership that analyses of gossip
    /// assume.
    Everyone {
        /// How many processes there are, this one included.
        count: u32,
    },
}

/// The peers that a broadcast protocol knows, as the changes so far add up to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Peers {
    /// These, in the order in which they came up.
    Listed(Vec<ProcessId>),
    /// Every process `0..count` but this one.
    Everyone {
        /// How many processes there are, this one included.
        count: u32,
    },
}

impl Default for Peers {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl Peers {
    /// Takes in one change.
    pub fn apply(&mut self, change: Change) {
        match (change, &mut *self) {
            (Change::Everyone { count }, _) => *self = Self::Everyone { count },
            (Change::Up { peer }, Self::Listed(peers)) if !peers.contains(&peer) => peers.push(peer),
            (Change::Down { peer }, Self::Listed(peers)) => peers.retain(|other| *other != peer),
            (Change::Up { .. }, _) | (Change::Down { .. }, Self::Everyone { .. }) => {}
        }
    }

    /// Calls `each` for `fanout` different peers chosen at random, for all of them if there are fewer; never
    /// for `except`.
    pub fn sample<P: Protocol>(
        &self,
        cx: &mut Cx<'_, P>,
        fanout: usize,
        except: Option<ProcessId>,
        mut each: impl FnMut(&mut Cx<'_, P>, ProcessId),
    ) {
        let mut chosen: smallvec::SmallVec<[ProcessId; 16]> = smallvec::SmallVec::new();
        match self {
            Self::Listed(peers) => {
                chosen.extend(peers.iter().copied().filter(|peer| Some(*peer) != except));
                let count = cx.sample(&mut chosen, fanout).len();
                chosen.truncate(count);
            }
            Self::Everyone { count } => {
                let me = cx.me();
                let others = count.saturating_sub(1 + u32::from(except.is_some_and(|peer| peer != me)));
                while chosen.len() < fanout.min(others as usize) {
                    let peer = ProcessId(cx.choose(*count));
                    if peer != me && Some(peer) != except && !chosen.contains(&peer) {
                        chosen.push(peer);
                    }
                }
            }
        }
        for peer in chosen {
            each(cx, peer);
        }
    }
}
