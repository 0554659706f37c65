//! Epidemic broadcast: gossip, trees and the overlays they run on.

#![forbid(unsafe_code)]

pub mod broadcast;
pub mod missing;
pub mod node;
pub mod peers;
pub mod plumtree;
pub mod seen;
pub mod store;

pub use broadcast::{Broadcast, MessageId};
pub use node::Node;
pub use peers::{Change, Membership, Peers};
