//! What is explored, by protocol: each function builds a scenario with all that is asked of it.

pub mod gossip_node;
pub mod hyparview;
pub mod memory;
pub mod multi_master;
pub mod plumtree;
pub mod primary_backup;
pub mod tree;
