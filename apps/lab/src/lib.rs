//! isles-lab.

pub mod report;
