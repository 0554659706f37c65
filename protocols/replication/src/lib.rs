#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod memory;
pub mod multi_master;
pub mod primary_backup;
pub mod read_one;
pub mod session;
pub mod store;
pub mod total_order;
