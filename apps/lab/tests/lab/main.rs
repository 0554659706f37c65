//! Tests of the lab as its users see it.

mod claims;
mod networks;
mod registry;
mod runs;
mod scenario_docs;
mod scenarios;
