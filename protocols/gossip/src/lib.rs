#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod broadcast;
pub mod eager_push;
pub mod everyone;
pub mod flood;
pub mod hyparview;
pub mod lazy_push;
pub mod missing;
pub mod node;
pub mod peers;
pub mod plumtree;
pub mod pull;
pub mod push_pull;
pub mod random_views;
pub mod seen;
pub mod static_graph;
pub mod store;
pub mod tree;

pub use broadcast::{Broadcast, MessageId};
pub use node::Node;
pub use peers::{Change, Membership, Peers};
