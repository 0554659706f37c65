//! The specification of the simulator, as tests. Each rule has a control: a run in which it must come out otherwise.

mod clients;
mod disk;
mod draws;
mod extremes;
mod links;
mod order;
mod recorder;
mod restarts;
mod snapshots;
mod streams;
mod world;
