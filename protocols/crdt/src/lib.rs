#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod add_wins_set;
pub mod anti_entropy;
pub mod bounded_counter;
pub mod canonical;
pub mod causal;
pub mod causal_broadcast;
pub mod counter;
pub mod executions;
pub mod flag;
pub mod graph;
pub mod list;
pub mod map;
pub mod position;
pub mod register;
pub mod replica;
pub mod replicated;
pub mod resettable_counter;
pub mod set;
pub mod specifications;
pub mod store;
pub mod tally;
pub mod tombstone_set;
pub mod tree;

pub use add_wins_set::{AddWinsSet, RemoveWinsSet};
pub use bounded_counter::BoundedCounter;
pub use canonical::{Canonical, Digest, Element};
pub use causal::{Causal, Definition};
pub use counter::{GrowOnlyCounter, PnCounter};
pub use flag::{DisableWinsFlag, EnableWinsFlag};
pub use graph::AddWinsGraph;
pub use list::List;
pub use map::Map;
pub use register::{LwwRegister, MultiValueRegister};
pub use replicated::Replicated;
pub use resettable_counter::ResettableCounter;
pub use set::{GrowOnlySet, TwoPhaseSet};
pub use tally::Tally;
pub use tombstone_set::TombstoneSet;
