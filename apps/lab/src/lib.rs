//! isles-lab.
