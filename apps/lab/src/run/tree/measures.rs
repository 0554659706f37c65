//! What is measured of a tree protocol.

use isles_kernel::Time;

use super::SeedOutcome;
use crate::report::data::Unit;
use crate::run::measures::{Measure, bytes, hops, lost, mean, messages, plain, seconds, share};
use crate::run::seen::Sample;

/// All measures, most telling first. Messages and bytes are those of the whole run.
pub static MEASURES: &[Measure<SeedOutcome>] = &[
    Measure {
        name: "reached",
        unit: share,
        help: "share of the processes that the root can reach that joined its tree; in an election, of all that know the outcome",
        of: |outcome, _| {
            let reachable = outcome.reachable().count();
            (reachable > 0).then(|| {
                outcome.reachable().filter(|process| outcome.joined[*process].is_some()).count() as f64
                    / reachable as f64
            })
        },
    },
    Measure {
        name: "time-to-join",
        unit: seconds,
        help: "time from the beginning until the last process joined",
        of: |outcome, _| outcome.joined.iter().flatten().max().map(|last| outcome.since_begin(*last)),
    },
    Measure {
        name: "time-to-finish",
        unit: seconds,
        help: "time from the beginning until the root knows that all is done; in an election, until everybody knows the outcome",
        of: |outcome, _| outcome.finished.map(|at| outcome.since_begin(at)),
    },
    Measure {
        name: "rounds-to-join",
        unit: || Unit::named("rounds"),
        help: "the same as time-to-join, in rounds after the root's first; where rounds go by the clock",
        of: |outcome, _| outcome.rounds(outcome.joined.iter().flatten().max().copied()),
    },
    Measure {
        name: "rounds-to-finish",
        unit: || Unit::named("rounds"),
        help: "the same as time-to-finish, in rounds after the root's first",
        of: |outcome, _| outcome.rounds(outcome.finished),
    },
    Measure {
        name: "eccentricity",
        unit: hops,
        help: "hops from the root to the farthest process, along shortest paths",
        of: |outcome, _| outcome.expected.distance.iter().flatten().max().map(|most| f64::from(*most)),
    },
    Measure {
        name: "height",
        unit: hops,
        help: "hops from the root to the deepest process, along its tree",
        of: |outcome, _| {
            outcome.seats.iter().flatten().map(|seat| f64::from(seat.depth)).max_by(f64::total_cmp)
        },
    },
    Measure {
        name: "depth-over-distance",
        unit: plain,
        help: "a process's depth in the tree over its distance from the root, mean over all but the root",
        of: |outcome, _| {
            mean(
                outcome
                    .depths()
                    .filter(|(_, far)| *far > 0)
                    .map(|(deep, far)| f64::from(deep) / f64::from(far)),
            )
        },
    },
    Measure {
        name: "breadth-first",
        unit: share,
        help: "share of the processes in the tree that are as deep as they are far from the root",
        of: |outcome, _| mean(outcome.depths().map(|(deep, far)| f64::from(u8::from(deep == far)))),
    },
    Measure {
        name: "messages-over-formula",
        unit: plain,
        help: "messages sent over what the protocol's formula says of the graph and the broadcasts, where it has one",
        of: |outcome, _| {
            let members = outcome.seats.iter().flatten().count() as u64;
            let later = outcome.broadcasts.len() as u64 * members.saturating_sub(1);
            let formula = outcome.expected.messages? + later;
            let sent = outcome.last()?.counters.sent();
            // A root that is alone sends nothing, and should not.
            if formula == sent { Some(1.0) } else { (formula > 0).then_some(sent as f64 / formula as f64) }
        },
    },
    Measure {
        name: "messages-per-edge",
        unit: messages,
        help: "messages sent over the edges of the graph that can be reached, both directions of one being one edge",
        of: |outcome, _| {
            let edges = outcome.expected.edges;
            (edges > 0).then_some(outcome.last()?.counters.sent() as f64 / edges as f64)
        },
    },
    Measure {
        name: "counted",
        unit: share,
        help: "processes that the root counted over those that it can reach",
        of: |outcome, _| Some(f64::from(outcome.found.count?) / outcome.reachable().count() as f64),
    },
    Measure {
        name: "leaders",
        unit: || Unit::named("leaders"),
        help: "processes that took themselves for the leader; 0 where none is looked for",
        of: |outcome, _| Some(f64::from(outcome.leaders)),
    },
    Measure {
        name: "diameter",
        unit: hops,
        help: "the diameter that the root found, where one is looked for",
        of: |outcome, _| Some(f64::from(outcome.found.diameter?)),
    },
    Measure {
        name: "diameter-error",
        unit: hops,
        help: "the diameter that the root found, less the true one of what it can reach",
        of: |outcome, _| Some(f64::from(outcome.found.diameter?) - f64::from(outcome.expected.diameter?)),
    },
    Measure {
        name: "broadcast-reached",
        unit: share,
        help: "share of the processes in the tree that have a broadcast, mean over broadcasts",
        of: |outcome, _| {
            let members = outcome.seats.iter().flatten().count() as f64;
            mean(outcome.broadcasts.iter().map(|one| f64::from(one.delivered) / members))
        },
    },
    Measure {
        name: "broadcast-time",
        unit: seconds,
        help: "time from a broadcast to its last delivery, mean over broadcasts",
        of: |outcome, _| mean(outcome.broadcasts.iter().map(|one| one.last.since(one.at).as_secs_f64())),
    },
    Measure {
        name: "rejected",
        unit: messages,
        help: "messages that did not fit: channels lost, doubled or reordered something",
        of: |outcome, _| Some(outcome.rejected as f64),
    },
    Measure {
        name: "messages-per-process",
        unit: messages,
        help: "messages sent in the whole run, of all kinds, over the number of processes",
        of: |outcome, plan| Some(outcome.last()?.counters.sent() as f64 / f64::from(plan.processes)),
    },
    Measure {
        name: "bytes-per-process",
        unit: bytes,
        help: "bytes sent in the whole run, without transport headers, over the number of processes",
        of: |outcome, plan| Some(outcome.last()?.counters.bytes() as f64 / f64::from(plan.processes)),
    },
    Measure {
        name: "lost",
        unit: share,
        help: "share of the messages that did not arrive, for whatever reason",
        of: |outcome, _| lost(&outcome.last()?.counters),
    },
];

/// The measure of this name.
pub fn find(name: &str) -> Option<&'static Measure<SeedOutcome>> {
    MEASURES.iter().find(|measure| measure.name == name)
}

impl SeedOutcome {
    fn last(&self) -> Option<&Sample> {
        self.samples.last()
    }

    /// Processes that the root can reach, itself included; in an election, all.
    fn reachable(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.expected.distance.len()).filter(|process| self.expected.distance[*process].is_some())
    }

    fn since_begin(&self, at: Time) -> f64 {
        at.since(self.begin.at).as_secs_f64()
    }

    /// The round of this instant, counted from the first one that begins after the root was asked.
    fn rounds(&self, at: Option<Time>) -> Option<f64> {
        let (round, at) = (self.expected.round?.0.max(1), at?);
        Some((at.0 / round) as f64 - (self.begin.at.0 / round + 1) as f64)
    }

    /// Depth in the tree and distance from the root, of each process in the tree.
    fn depths(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.seats
            .iter()
            .zip(&self.expected.distance)
            .filter_map(|(seat, far)| Some((seat.as_ref()?.depth, (*far)?)))
    }
}
