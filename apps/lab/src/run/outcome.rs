//! What comes of a seed, whichever family of protocols ran.

use super::plan::Plan;
use super::{gossip, measures, summary, tree};
use crate::report::data::Report;

/// What came of one seed.
#[derive(Clone, Debug)]
pub enum SeedOutcome {
    /// Of a membership and a broadcast protocol.
    Gossip(Box<gossip::SeedOutcome>),
    /// Of a tree protocol.
    Tree(Box<tree::SeedOutcome>),
}

impl SeedOutcome {
    /// The seed.
    pub fn seed(&self) -> u64 {
        match self {
            Self::Gossip(outcome) => outcome.seed,
            Self::Tree(outcome) => outcome.seed,
        }
    }

    /// The trace digest.
    pub fn digest(&self) -> u128 {
        match self {
            Self::Gossip(outcome) => outcome.digest,
            Self::Tree(outcome) => outcome.digest,
        }
    }

    /// The value of the measure of this name; none if the family has no such measure, or the run does not tell.
    pub fn value(&self, measure: &str, plan: &Plan) -> Option<f64> {
        match self {
            Self::Gossip(outcome) => (measures::find(measure)?.of)(outcome, plan),
            Self::Tree(outcome) => (tree::measures::find(measure)?.of)(outcome, plan),
        }
    }

    /// The outcome, if it is of the gossip family.
    pub fn gossip(&self) -> Option<&gossip::SeedOutcome> {
        if let Self::Gossip(outcome) = self { Some(outcome) } else { None }
    }

    /// The outcome, if it is of the tree family.
    pub fn tree(&self) -> Option<&tree::SeedOutcome> {
        if let Self::Tree(outcome) = self { Some(outcome) } else { None }
    }
}

/// Everything of the report that the outcomes, which are of one family, tell. Title, set-up and checks are the
/// caller's.
pub fn report(plan: &Plan, outcomes: &[SeedOutcome]) -> Report {
    let gossip: Vec<&gossip::SeedOutcome> = outcomes.iter().filter_map(SeedOutcome::gossip).collect();
    if gossip.is_empty() {
        let trees: Vec<&tree::SeedOutcome> = outcomes.iter().filter_map(SeedOutcome::tree).collect();
        return tree::summary::report(plan, &trees);
    }
    summary::report(plan, &gossip)
}
