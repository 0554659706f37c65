//! What is explored, by protocol: each function builds a scenario with all that is asked of it.

pub mod abd_register;
pub mod consensus;
pub mod election;
pub mod gossip_node;
pub mod hyparview;
pub mod lazy_push;
pub mod memory;
pub mod multi_master;
pub mod plumtree;
pub mod primary_backup;
pub mod rounds;
pub mod store;
pub mod tree;
pub mod voting;
