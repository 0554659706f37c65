//! isles-history.
