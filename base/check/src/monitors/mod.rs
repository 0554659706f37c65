//! Fast answers where no value goes in twice: queues, stacks and priority queues, and values that are put and appended to, in time
//! n log n; and for sets that only grow.
//!
//! Linearizability is NP-complete in general, and polynomial for these (Bouajjani, Emmi, Enea, Hamza 2015 and 2017; Lee, Mathur 2025;
//! Abdulla et al. 2025). The algorithms here are our own constructions on their insights; each says why it is right, and is compared
//! with the general search and with brute force. Every answer has a certificate: an order, or a few operations for which there is none.
//!
//! Events are ranked, and whatever takes effect does so in a *gap* between two of them; within a gap any order is possible. A value
//! whose insertion returned before a gap and whose removal is invoked after it is *definitely* there in that gap.

mod appends;
mod priority_queue;
mod queue;
mod set;
mod sojourn;
mod stack;

pub use appends::{Act, Step, appends};
pub use priority_queue::priority_queue;
pub use queue::queue;
pub use set::set;
pub use stack::stack;

/// What a monitor finds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Finding {
    /// These operations, in this order, are legal and contain all that returned. Numbers are places in the history.
    Order(Vec<u32>),
    /// There is no order, not even of these alone: few, though not always the fewest.
    Wrong(Vec<u32>),
    /// The monitor cannot tell, and why; the general search can.
    Inapplicable(&'static str),
}

impl Finding {
    /// As a model's [`monitor`](crate::Model::monitor) says it.
    pub(crate) fn told(self) -> Option<Result<Vec<u32>, Vec<u32>>> {
        match self {
            Self::Order(order) => Some(Ok(order)),
            Self::Wrong(few) => Some(Err(few)),
            Self::Inapplicable(_) => None,
        }
    }
}

/// What a monitor says when an order was not found while removals of unknown outcome are about.
const BLIND: &str = "a removal never returned, and may have taken anything";
