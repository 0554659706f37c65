//! All claims: a new one is added here, and nowhere else.

use super::Claim;

/// Every claim, by chapter and number.
pub static CLAIMS: &[Claim] = &[];
