//! Replicated memories, against what their papers say, and in simulation. Each rule has a control that breaks it.

mod memory;
mod multi_master;
mod primary_backup;
mod read_one;
mod session;
mod total_order;
mod world;
