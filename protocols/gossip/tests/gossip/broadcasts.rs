//! Each broadcast protocol in simulation.
