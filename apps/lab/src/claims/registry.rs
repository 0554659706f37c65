//! All claims: a new chapter is added here, and nowhere else.

use super::Claim;
use super::caus::{CAUS, CAUS_MUSEUM};
use super::con::CON;
use super::crdt::CRDT;
use super::ec::EC;
use super::gos::GOS;
use super::msg::MSG;
use super::mus::MUS;
use super::networks::NETWORKS;
use super::quo::QUO;
use super::smw::SMW;
use super::top::TOP;
use super::tree::TREE;

/// The chapters, in the order of the catalogue.
static CHAPTERS: &[&[Claim]] =
    &[MSG, CON, TOP, NETWORKS, TREE, SMW, GOS, CAUS, EC, CRDT, QUO, CAUS_MUSEUM, MUS];

/// Every claim, by chapter and number.
pub fn all() -> impl Iterator<Item = &'static Claim> {
    CHAPTERS.iter().copied().flatten()
}
