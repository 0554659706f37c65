//! What is explored, by protocol: each function builds a scenario with all that is asked of it.
