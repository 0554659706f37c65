//! isles.
fn main() {}
