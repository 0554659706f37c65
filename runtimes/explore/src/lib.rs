#![doc = include_str!("../README.md")]

mod action;
mod breadth;
mod depth;
mod digest;
mod explorer;
mod graph;
mod intern;
mod ledger;
mod liveness;
mod local;
mod memo;
mod parcel;
mod picture;
mod property;
mod replay;
mod report;
mod scenario;
mod space;
mod state;
mod step;
mod symmetry;
mod trace;
mod view;
mod visited;
mod walk;
mod watch;

pub use explorer::{Explorer, Progress, ScenarioError};
pub use property::Property;
pub use replay::{Header, LINE_BYTES_MAX, ReplayError, TraceError};
pub use report::{Answer, Finding, NO_PANIC, Report, Stopped};
pub use scenario::{Budget, Clients, Faults, Idle, Memory, PROCESSES_MAX, Scenario, Script, Streams, Timers};
pub use symmetry::{Rename, Renaming, Symmetry};
pub use trace::{Sent, Step, Trace, What};
pub use view::View;
pub use walk::Walks;
