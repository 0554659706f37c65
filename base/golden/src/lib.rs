//! isles-golden.
