//! What an exploration found, and how much that is worth.

use std::fmt;

use isles_kernel::Protocol;

use crate::trace::Trace;

/// What is known of one property.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer<P: Protocol> {
    /// It holds within the bounds of the scenario: all states were looked at.
    Holds,
    /// It does not hold; this shows it.
    Violated(Trace<P>),
    /// A state that was to be reachable is; this leads there.
    Reached(Trace<P>),
    /// A state that was to be reachable is not: all states were looked at.
    Unreachable,
    /// Nothing was found, and not all states were looked at.
    Undecided,
}

impl<P: Protocol> Answer<P> {
    /// It is what one hopes for, as far as that is decided.
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Holds | Self::Reached(_))
    }

    /// It is decided, and not what one hopes for.
    pub const fn is_bad(&self) -> bool {
        matches!(self, Self::Violated(_) | Self::Unreachable)
    }

    /// The behaviour that shows it, if one does.
    pub const fn trace(&self) -> Option<&Trace<P>> {
        match self {
            Self::Violated(trace) | Self::Reached(trace) => Some(trace),
            Self::Holds | Self::Unreachable | Self::Undecided => None,
        }
    }
}

/// A property and what is known of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding<P: Protocol> {
    /// The property's name; `no handler panics` is asked always.
    pub property: String,
    /// What is known.
    pub answer: Answer<P>,
}

/// The name of the property that every scenario has.
pub const NO_PANIC: &str = "no handler panics";

/// Why not all states of a scenario were looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// At the first violation.
    AtViolation,
    /// States so many steps from the beginning were not continued.
    AtDepth(u32),
    /// More states were reached than were allowed.
    AtStates(u64),
    /// The fingerprints of more states would not find room in so many bytes: see [`Disk`](crate::Disk).
    AtMemory(u64),
    /// Whoever watched it wanted it to end.
    OnRequest,
    /// Single behaviours were drawn.
    Random,
    /// All states that were met were continued; some may have been taken for others, or lie beyond the bounds of depth.
    Bitstate,
}

/// What a search that does not look at everything promises.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Chance {
    /// Behaviours by priorities: see [`Priorities`](crate::Priorities).
    Priorities {
        /// How many were drawn.
        runs: u64,
        /// The most of what goes on by itself that was met in one of them: the paper's n.
        threads: u32,
        /// The most steps: its k.
        steps: u32,
        /// The depth of the bugs that were sought: its d.
        depth: u32,
    },
    /// Searches that know states by a few bits: see [`Swarm`](crate::Swarm).
    Omission {
        /// How many searches.
        members: u32,
        /// With at most this probability a member takes a state for known that it has not met: the part of its bits
        /// that are set at the end, to the power of how many a state sets; the highest of all members.
        probability: f64,
    },
}

impl Chance {
    /// For priorities: how probable it is at least that a bug of that depth was found, if there is one. For few bits:
    /// how probable it is at most that a state that a member came to was taken for another.
    pub fn probability(&self) -> f64 {
        match *self {
            Self::Priorities { runs, threads, steps, depth } => {
                let (threads, steps) = (f64::from(threads.max(1)), f64::from(steps.max(1)));
                let one = 1.0 / (threads * steps.powf(f64::from(depth.max(1) - 1)));
                // 1 - (1 - p)^runs, for small p, too.
                -((-one).ln_1p() * runs as f64).exp_m1()
            }
            Self::Omission { probability, .. } => probability,
        }
    }
}

/// What an exploration found.
#[derive(Clone, PartialEq, Debug)]
pub struct Report<P: Protocol> {
    /// The properties in the order in which they were asked, then [`NO_PANIC`].
    pub findings: Vec<Finding<P>>,
    /// Different states that were reached; orbits of them where symmetry is used. Of a swarm, those of the member that
    /// reached most.
    pub states: u64,
    /// States that were generated, the same ones again included.
    pub generated: u64,
    /// The most steps from the beginning to a state; for a depth-first search, of the paths that it took.
    pub depth: u32,
    /// What a search by chance or by few bits promises; none for others.
    pub chance: Option<Chance>,
    /// Why the search ended before all states were looked at; none if it did not.
    pub stopped: Option<Stopped>,
    /// Different local states of processes; one that was forgotten because local states hardly ever came again counts again
    /// when it does.
    pub locals: u64,
    /// Local states that were forgotten because most steps led to new ones: to remember them would not have paid.
    pub forgotten: u64,
    /// How often a handler really ran; all other steps were known.
    pub handler_steps: u64,
    /// Bytes of states that found no room in memory and were written to disk.
    pub spilled: u64,
    /// Steps in which a choice had more values than are tried ([`choices_max`](crate::Scenario::choices_max)).
    pub choices_cut: u32,
}

impl<P: Protocol> Report<P> {
    /// What is known of the property that is called so.
    pub fn answer(&self, property: &str) -> Option<&Answer<P>> {
        self.findings.iter().find(|finding| finding.property == property).map(|finding| &finding.answer)
    }

    /// The first property that is decided and not as one hopes.
    pub fn failure(&self) -> Option<&Finding<P>> {
        self.findings.iter().find(|finding| finding.answer.is_bad())
    }

    /// All states were looked at and all properties are as one hopes.
    pub fn is_proof(&self) -> bool {
        self.stopped.is_none() && self.choices_cut == 0 && self.findings.iter().all(|f| f.answer.is_good())
    }

    /// An upper bound for the probability that two of the states shared a fingerprint, so that one was not looked at:
    /// n (n − 1) / 2^65.
    pub fn collision_probability(&self) -> f64 {
        let states = self.states as f64;
        (states * (states - 1.0) / (1u128 << 65) as f64).clamp(0.0, 1.0)
    }

    /// The part of the steps that were known from before, from 0 to 1.
    pub fn hit_rate(&self) -> f64 {
        1.0 - self.handler_steps as f64 / self.generated.max(1) as f64
    }
}

impl<P: Protocol> fmt::Display for Report<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { property, answer } in &self.findings {
            let word = match answer {
                Answer::Holds => "holds".to_owned(),
                Answer::Violated(trace) if trace.loop_start < trace.steps.len() => {
                    format!("VIOLATED, by a loop after {} steps", trace.loop_start)
                }
                Answer::Violated(trace) => format!("VIOLATED after {} steps", trace.steps.len()),
                Answer::Reached(trace) => format!("reached after {} steps", trace.steps.len()),
                Answer::Unreachable => "NOT REACHABLE".to_owned(),
                Answer::Undecided => "undecided".to_owned(),
            };
            writeln!(f, "{property}: {word}")?;
        }
        write!(f, "{} states, {} generated, depth {}", self.states, self.generated, self.depth)?;
        match self.stopped {
            None => write!(f, "; all states within the bounds of the scenario")?,
            Some(Stopped::AtViolation) => write!(f, "; stopped at the violation")?,
            Some(Stopped::AtDepth(depth)) => write!(f, "; states {depth} steps away were not continued")?,
            Some(Stopped::AtStates(states)) => write!(f, "; stopped at the bound of {states} states")?,
            Some(Stopped::AtMemory(bytes)) => {
                write!(f, "; stopped where {bytes} bytes of memory were used up")?
            }
            Some(Stopped::OnRequest) => write!(f, "; stopped on request")?,
            Some(Stopped::Random) => write!(f, "; random behaviours only")?,
            Some(Stopped::Bitstate) => write!(f, "; all states that were met, known by a few bits each")?,
        }
        if self.choices_cut > 0 {
            write!(f, "; of {} choices not all values were tried", self.choices_cut)?;
        }
        match self.chance {
            Some(Chance::Priorities { runs, threads, steps, depth }) => write!(
                f,
                "; {runs} behaviours by priorities, each with at least 1/({threads} * {steps}^{}) to show a bug of depth \
                 {depth}, all with {:.1e}",
                depth - 1,
                self.chance.map_or(0.0, |chance| chance.probability())
            ),
            Some(Chance::Omission { members, probability }) => {
                write!(
                    f,
                    "; {members} searches, each with at most {probability:.1e} to miss a state that it comes to"
                )
            }
            None => {
                let missed = self.collision_probability();
                write!(f, "; probability that a state was missed below {missed:.1e}")
            }
        }
    }
}
