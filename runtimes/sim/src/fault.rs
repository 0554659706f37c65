//! What goes wrong, and to whom.

use isles_kernel::{ProcessId, Span, random};

/// A set of processes, chosen when the fault happens.
#[derive(Clone, PartialEq, Debug)]
pub enum Who {
    /// Every process.
    All,
    /// These.
    Ids(Vec<ProcessId>),
    /// Processes `first..end`.
    Range {
        /// The first.
        first: ProcessId,
        /// One past the last.
        end: ProcessId,
    },
    /// This share of the processes that the fault can befall (the running ones for a crash, the crashed ones for a
    /// restart), chosen at random, rounded to the nearest whole number. Below 0 or not a number: nobody.
    Fraction(f64),
    /// So many of them, chosen at random.
    Count(u32),
    /// Those in this region of the latency matrix; nobody when there is no matrix.
    Region(u32),
}

/// What a process has left when it starts again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Memory {
    /// The records that had reached the disk.
    #[default]
    Disk,
    /// Everything, as after a pause, the unsynced records and what waits for them included; but its streams broke and
    /// messages meanwhile were lost. Timers that were due meanwhile are due at once, in the order in which they were.
    Kept,
    /// Nothing: the disk is gone too.
    Lost,
}

/// A moment at which a crash shows what a protocol made durable and what it did not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Boundary {
    /// Just before the disk finishes its n-th write (counted from 0): its records and all effects that wait for
    /// them are lost, but for a torn tail.
    BeforeSync(u32),
    /// Just after: the records are durable, the effects that waited for them never happen.
    AfterSync(u32),
}

/// A crash at a boundary of durability that took place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Strike {
    /// Who crashed.
    pub process: ProcessId,
    /// Where.
    pub boundary: Boundary,
    /// How many records were not durable: a torn tail keeps 0 to so many.
    pub unsynced: u32,
}

/// Something that befalls a run.
#[derive(Clone, PartialEq, Debug)]
pub enum Fault {
    /// Processes stop at once. Unsynced records are lost, with [`Disk::torn`](crate::Disk::torn) not all of them.
    Crash(Who),
    /// One process crashes at a boundary of its durability, whenever it gets there.
    CrashAt {
        /// Which process.
        process: ProcessId,
        /// When.
        boundary: Boundary,
        /// How many of the unsynced records survive nevertheless (a torn tail is cut after them).
        survivors: u32,
    },
    /// Crashed processes start again; processes that never started do.
    Restart {
        /// Which.
        who: Who,
        /// With what.
        memory: Memory,
    },
    /// Processes stand still; what would happen to them waits.
    Pause(Who),
    /// Paused processes go on, with what waited for them in the order in which it came.
    Resume(Who),
    /// Processes of different groups cannot reach each other; those in no group are one more group. A process named
    /// twice belongs to the first of its groups; groups chosen at random are chosen from those that are left. What was
    /// sent before still arrives.
    Partition(Vec<Who>),
    /// Messages from these processes to all others do not arrive; the others' do. A stream that is watched stalls
    /// in either direction, since acknowledgements are messages too.
    Mute(Who),
    /// All partitions end. Streams that were stalled go on, unless they broke meanwhile.
    Heal,
    /// Links lose this share from now on; none if it is not a number.
    Loss(f64),
    /// Clocks are set wrong. Timers that are armed already keep their instants.
    Clock {
        /// Whose.
        who: Who,
        /// They jump by so many nanoseconds.
        step: i64,
        /// From now on they gain so many parts per billion; a clock loses less than 10^9 at most, it never stands still.
        drift_ppb: i64,
    },
}

/// Sessions come to an end and begin again, for each process by itself.
#[derive(Clone, PartialEq, Debug)]
pub struct Churn {
    /// How long a process stays up.
    pub session: crate::Distribution,
    /// How long it is down.
    pub downtime: crate::Distribution,
    /// What it has left when it starts again.
    pub memory: Memory,
    /// Sessions end only from this instant on.
    pub from: isles_kernel::Time,
    /// No session ends from this instant on; who is down then still comes back when its downtime is over.
    pub until: isles_kernel::Time,
    /// Processes below this id stay up: the stable core.
    pub stable: u32,
}

/// The processes that `who` means, ascending, out of `candidates` (ascending).
pub(crate) fn resolve(
    who: &Who,
    seed: u64,
    at: u64,
    candidates: &[u32],
    region: impl Fn(u32) -> Option<u32>,
) -> Vec<u32> {
    let chosen_at_random = |count: usize| {
        let mut ranked: Vec<(u64, u32)> = candidates
            .iter()
            .map(|&process| (random::draw(seed, &[0x77686f, at, u64::from(process)]), process))
            .collect();
        ranked.sort_unstable();
        let mut chosen: Vec<u32> = ranked.into_iter().take(count).map(|(_, process)| process).collect();
        chosen.sort_unstable();
        chosen
    };
    let those = |wanted: &dyn Fn(u32) -> bool| {
        candidates.iter().copied().filter(|&process| wanted(process)).collect::<Vec<u32>>()
    };
    match who {
        Who::All => candidates.to_vec(),
        Who::Ids(ids) => {
            let mut ids: Vec<u32> = ids.iter().map(|id| id.0).collect();
            ids.sort_unstable();
            those(&|process| ids.binary_search(&process).is_ok())
        }
        Who::Range { first, end } => those(&|process| (first.0..end.0).contains(&process)),
        Who::Fraction(fraction) => chosen_at_random(share(*fraction, candidates.len())),
        Who::Count(count) => chosen_at_random(*count as usize),
        Who::Region(wanted) => those(&|process| region(process) == Some(*wanted)),
    }
}

impl Fault {
    /// Befalls the network or the clocks, not processes.
    pub(crate) const fn is_environmental(&self) -> bool {
        match self {
            Self::Partition(_) | Self::Mute(_) | Self::Heal | Self::Loss(_) | Self::Clock { .. } => true,
            Self::Crash(_)
            | Self::CrashAt { .. }
            | Self::Restart { .. }
            | Self::Pause(_)
            | Self::Resume(_) => false,
        }
    }
}

/// The groups of a partition, each without those that an earlier one took, so that two groups chosen at random are
/// not the same processes.
pub(crate) fn resolve_groups(
    groups: &[Who],
    seed: u64,
    at: u64,
    processes: u32,
    region: impl Fn(u32) -> Option<u32>,
) -> Vec<Vec<u32>> {
    let mut left: Vec<u32> = (0..processes).collect();
    groups
        .iter()
        .map(|who| {
            let count = if let Who::Fraction(fraction) = who {
                Some(Who::Count(share(*fraction, processes as usize) as u32))
            } else {
                None
            };
            let group = resolve(count.as_ref().unwrap_or(who), seed, at, &left, &region);
            left.retain(|process| group.binary_search(process).is_err());
            group
        })
        .collect()
}

/// A share of `count`, to the nearest whole number.
fn share(fraction: f64, count: usize) -> usize {
    (fraction.clamp(0.0, 1.0) * count as f64).round() as usize
}

/// One partition: who cannot send to whom.
#[derive(Clone)]
pub(crate) struct Cut {
    /// The group of each process.
    groups: Vec<u32>,
    /// Only messages out of group 1 are cut.
    one_way: bool,
}

impl Cut {
    pub(crate) fn new(processes: u32, groups: &[Vec<u32>], one_way: bool) -> Self {
        let mut of = vec![0; processes as usize];
        for (index, members) in groups.iter().enumerate() {
            for &process in members {
                let group = &mut of[process as usize];
                if *group == 0 {
                    *group = index as u32 + 1;
                }
            }
        }
        Self { groups: of, one_way }
    }

    #[inline]
    pub(crate) fn parts(&self, from: u32, to: u32) -> bool {
        let group = |process: u32| self.groups.get(process as usize).copied().unwrap_or(0);
        let (from, to) = (group(from), group(to));
        from != to && (!self.one_way || from == 1)
    }
}

/// How disks behave.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Disk {
    /// How long a write takes until it is durable. Records that come while the disk writes are written together
    /// next: group commit.
    pub sync: Span,
    /// A crash keeps some of the unsynced records, drawn at random: the tail is torn, not cut clean.
    pub torn: bool,
}

impl Default for Disk {
    /// A write takes 1 ms, and a crash loses all that was not synced.
    fn default() -> Self {
        Self { sync: Span::millis(1), torn: false }
    }
}
