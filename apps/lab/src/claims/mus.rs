//! The museum: mistakes that were really made, each a switch in our own protocol.
//!
//! A mistake is shown when a search from a cold start finds a run in which it does harm, and the shipped protocol survives
//! the same search.

use std::sync::Arc;

use isles_gossip::node::Config;
use isles_gossip::plumtree::{self, Mistake, Plumtree};
use isles_gossip::static_graph::{self, StaticGraph};
use isles_kernel::{Channel, Span, Time};
use isles_sim::{Fault, Who};

use super::experiment::{Senders, plan};
use super::{Claim, Effort, Finding};
use crate::run::gossip::run;

/// The museum's claims.
pub(super) static MUS: &[Claim] = &[Claim {
    id: "MUS-33",
    statement: "Graft and prune that chase each other, and a lazy id that is forgotten when its owner dies, each leave a \
                broadcast that never arrives; a search over seeds finds one from a cold start.",
    control: "the shipped Plumtree survives the same search",
    source: "gossip implementations; Leitão, Pereira, Rodrigues, SRDS 2007, algorithms 1 and 2",
    run: mus_33,
}];

const MISTAKES: [(&str, Mistake); 4] = [
    ("forget-with-owner", Mistake::ForgetWithOwner),
    ("prune-revokes", Mistake::PruneRevokes),
    ("graft-only-when-lazy", Mistake::GraftOnlyWhenLazy),
    ("ask-once", Mistake::AskOnce),
];

/// The processes of a run that was searched, few enough that a failing one can be read.
const PROCESSES: u32 = 24;

/// Whether every broadcast of a run with this seed reaches every process that stays up. Each run has a settled tree, a
/// crash while a broadcast is under way, and then lossy links.
fn survives(mistake: Option<Mistake>, seed: u64) -> Result<bool, String> {
    let graph = isles_graph::random_regular(PROCESSES, 5, seed).map_err(|error| error.to_string())?;
    let mut plan = plan(PROCESSES, Span::secs(40))
        .broadcasting(Span::secs(1), Span::secs(1), 4, Senders::Random)
        .broadcasting(Span::millis(6_000), Span::millis(700), 12, Senders::Random);
    plan.links.loss = 0.1;
    let crashes = [6_060, 7_480, 8_880].map(Span::millis);
    plan.faults = crashes.map(|at| (Time::ZERO + at, Fault::Crash(Who::Count(2)))).to_vec();
    let config = Config::<StaticGraph, Plumtree> {
        membership: static_graph::Config::new(Arc::new(graph)),
        broadcast: plumtree::Config { mistake, channel: Channel::Stream, ..plumtree::Config::default() },
    };
    let outcome =
        run(&plan, seed, Arc::new(config), &|_, _| Vec::new(), &|_| {}).map_err(|error| error.to_string())?;
    Ok(outcome.broadcasts.iter().all(|one| one.reliability() == Some(1.0)))
}

/// The first seed of which a broadcast does not arrive.
fn first_loss(mistake: Option<Mistake>, seeds: u64) -> Result<Option<u64>, String> {
    for seed in 0..seeds {
        if !survives(mistake, seed)? {
            return Ok(Some(seed));
        }
    }
    Ok(None)
}

fn mus_33(effort: &Effort) -> Result<Finding, String> {
    let seeds = if effort.quick { 200 } else { 2_000 };
    let mut found = Vec::new();
    for (name, mistake) in MISTAKES {
        found.push((name, first_loss(Some(mistake), seeds)?));
    }
    let shipped = first_loss(None, seeds)?;
    let told: Vec<String> = found
        .iter()
        .map(|(name, seed)| match seed {
            Some(seed) => format!("{name}: lost with seed {seed}"),
            None => format!("{name}: not found in {seeds} seeds"),
        })
        .collect();
    Ok(Finding {
        holds: found.iter().all(|(_, seed)| seed.is_some()),
        control_fails: shipped.is_none(),
        measured: format!(
            "{}; control: {}",
            told.join(", "),
            shipped.map_or(format!("the shipped protocol loses nothing in {seeds} seeds"), |seed| {
                format!("THE SHIPPED PROTOCOL loses with seed {seed}")
            })
        ),
        predicted: "each mistake found, none in the shipped protocol".to_owned(),
    })
}
