//! All claims: a new chapter is added here, and nowhere else.

use super::Claim;
use super::con::CON;
use super::gos::GOS;
use super::msg::MSG;
use super::mus::MUS;
use super::smw::SMW;

/// The chapters, in the order of the catalogue.
static CHAPTERS: &[&[Claim]] = &[MSG, CON, SMW, GOS, MUS];

/// Every claim, by chapter and number.
pub fn all() -> impl Iterator<Item = &'static Claim> {
    CHAPTERS.iter().copied().flatten()
}
