//! isles-sim.
