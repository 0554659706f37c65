//! What is explored: processes, clients, a network, and how often what may go wrong.

use std::sync::Arc;

use isles_kernel::{ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use crate::byzantine::Byzantine;
use crate::moment::Moment;
use crate::property::Property;
use crate::symmetry::{Rename, Symmetry};

/// How often something may happen in one behaviour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Budget {
    /// At most so often. Every number that was spent makes another state.
    UpTo(u8),
    /// As often as it likes; nothing is counted.
    Unlimited,
}

impl Budget {
    /// Not at all.
    pub const NONE: Self = Self::UpTo(0);

    /// Whether it can happen once more after it happened `spent` times.
    pub(crate) const fn allows(self, spent: u8) -> bool {
        match self {
            Self::UpTo(most) => spent < most,
            Self::Unlimited => true,
        }
    }
}

/// How messages over streams arrive. Datagrams always arrive in any order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Streams {
    /// In the order of sending, for each pair of processes; a stream breaks when an end of it dies.
    #[default]
    Fifo,
    /// In any order, and always: fewer states where the protocol does not need more.
    Unordered,
}

/// When timers are due. Time itself is not explored: a clock shows how often its process has started, in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Timers {
    /// An armed timer may fire at any moment, whatever it was armed for.
    #[default]
    Free,
    /// Only when no message can be delivered: no time-out comes too early.
    WhenQuiet,
}

/// What is done with a message or timer that changes nothing: neither state nor effects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Idle {
    /// It is consumed, as in the world.
    #[default]
    Consumed,
    /// It is not delivered, and stays. Fewer states, and those of Stateright; what is in flight means less. In streams that
    /// keep their order it is consumed all the same: others wait behind it.
    Skipped,
}

/// Where clients are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Clients {
    /// At the process: invoking and returning take no time, and each invocation is a step.
    #[default]
    Attached,
    /// Elsewhere: requests and answers travel like datagrams that are never lost, and a client invokes its next
    /// operation as soon as the last one has returned.
    Remote,
}

/// What a process that crashed finds when it starts again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    /// Its state: it only stood still, and its streams broke.
    Kept,
    /// The records that had reached its disk.
    Disk,
    /// Nothing.
    Lost,
}

/// How often what may go wrong in one behaviour. Nothing does by default.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Faults {
    /// Datagrams that vanish.
    pub losses: Budget,
    /// Datagrams that are doubled. Unlimited: what was sent once may arrive any number of times, for ever.
    pub duplicates: Budget,
    /// Processes that crash.
    pub crashes: Budget,
    /// Processes that start again after a crash.
    pub restarts: Budget,
    /// What a crash leaves; each is tried. Default the disk.
    pub memories: Vec<Memory>,
    /// A crash may also leave any number of the records that were being written. Default true.
    pub torn: bool,
    /// Partitions that begin; one at a time.
    pub cuts: Budget,
    /// What a partition may part from the rest; each is tried. At most 255.
    pub groups: Vec<Vec<ProcessId>>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            losses: Budget::NONE,
            duplicates: Budget::NONE,
            crashes: Budget::NONE,
            restarts: Budget::NONE,
            memories: vec![Memory::Disk],
            torn: true,
            cuts: Budget::NONE,
            groups: Vec::new(),
        }
    }
}

/// An exploration has at most so many processes, and as many clients.
pub const PROCESSES_MAX: u32 = 250;

/// What one client does, one operation after the other: where and what.
pub type Script<Op> = Vec<(ProcessId, Op)>;

/// Everything that decides what is explored.
pub struct Scenario<P: Protocol> {
    /// How many processes there are: at most 250. All start before anything else happens, in the order of their ids.
    pub processes: u32,
    /// What all processes share.
    pub config: Arc<P::Config>,
    /// What clients do; at most 250 of them.
    pub clients: Vec<Script<P::Op>>,
    /// Where they are.
    pub place: Clients,
    /// How streams behave.
    pub streams: Streams,
    /// When timers are due.
    pub timers: Timers,
    /// Timers that fire. Unlimited by default; bound it where a process arms one for ever.
    pub timeouts: Budget,
    /// What happens to what changes nothing.
    pub idle: Idle,
    /// What may go wrong.
    pub faults: Faults,
    /// A choice among more than this is cut to its first and last value, and the verdict says so. Default 64.
    pub choices_max: u32,
    /// What is asked.
    pub properties: Vec<Property<P>>,
    /// Processes that may be exchanged: see [`symmetric`](Self::symmetric).
    pub symmetry: Option<Symmetry<P>>,
    /// Who lies, and how.
    pub byzantine: Option<Byzantine<P>>,
    /// The moment of another run in which it begins: see [`lifted`](Self::lifted).
    pub moment: Option<Moment<P>>,
}

impl<P: Protocol> Scenario<P> {
    /// `processes` processes without clients and faults, with nothing asked.
    pub fn new(processes: u32, config: impl Into<Arc<P::Config>>) -> Self {
        Self {
            processes,
            config: config.into(),
            clients: Vec::new(),
            place: Clients::default(),
            streams: Streams::default(),
            timers: Timers::default(),
            timeouts: Budget::Unlimited,
            idle: Idle::default(),
            faults: Faults::default(),
            choices_max: 64,
            properties: Vec::new(),
            symmetry: None,
            byzantine: None,
            moment: None,
        }
    }

    /// Adds what is asked.
    #[must_use]
    pub fn ask(mut self, property: Property<P>) -> Self {
        self.properties.push(property);
        self
    }

    /// Adds a client.
    #[must_use]
    pub fn client(mut self, script: Script<P::Op>) -> Self {
        self.clients.push(script);
        self
    }

    /// Declares processes that behave alike, so that states that differ only by who is who among them count once.
    /// Whether they start alike is checked; that configuration and properties treat them alike is promised here.
    #[must_use]
    pub fn symmetric(mut self, processes: impl IntoIterator<Item = ProcessId>) -> Self
    where
        P: Rename,
    {
        self.symmetry = Some(Symmetry::new(processes));
        self
    }

    /// The first thing about the scenario that cannot be explored.
    pub(crate) fn flaw(&self) -> Option<String> {
        if let Some(moment) = &self.moment {
            let count = moment.processes.len();
            let differs = format!("{} processes, and a moment with {count}", self.processes);
            let flaw = moment.flaw().or_else(|| (count != self.processes as usize).then_some(differs));
            let symmetric = || "processes of a moment are not exchanged: leave symmetry out".to_owned();
            if let Some(flaw) = flaw.or_else(|| self.symmetry.is_some().then(symmetric)) {
                return Some(flaw);
            }
        }
        let chosen = self.chosen();
        let beyond = |process: &ProcessId| match &chosen {
            Some(chosen) => !chosen.contains(process),
            None => process.0 >= self.processes,
        };
        if self.processes == 0 || self.processes > PROCESSES_MAX {
            return Some(format!("{} processes: an exploration has 1 to 250", self.processes));
        }
        if self.clients.len() > PROCESSES_MAX as usize {
            return Some(format!("{} clients: an exploration has at most 250", self.clients.len()));
        }
        if let Some((at, _)) = self.clients.iter().flatten().find(|(at, _)| beyond(at)) {
            return Some(format!("a client asks {at}, and there are {} processes", self.processes));
        }
        if let Some(process) = self.faults.groups.iter().flatten().find(|process| beyond(process)) {
            return Some(format!("a partition parts {process}, and there are {} processes", self.processes));
        }
        if self.faults.groups.len() > 255 {
            return Some(format!("{} partitions to try: at most 255", self.faults.groups.len()));
        }
        if self.faults.crashes != Budget::NONE && self.faults.memories.is_empty() {
            return Some("processes may crash, and no memory is left to them: name at least one".into());
        }
        if self.properties.len() > 63 {
            return Some(format!("{} properties: at most 63 are asked at a time", self.properties.len()));
        }
        if self.choices_max < 2 {
            return Some(format!(
                "choices_max is {}: at least 2 values of a choice are tried",
                self.choices_max
            ));
        }
        let liars = self.byzantine.iter().flat_map(|byzantine| &byzantine.processes);
        if let Some(process) = liars.clone().find(|process| beyond(process)) {
            return Some(format!("{process} is to lie, and there are {} processes", self.processes));
        }
        if self.symmetry.is_some() && liars.count() > 0 {
            return Some("who lies differs from who does not: leave symmetry or lies out".into());
        }
        let mut names: Vec<&str> = self.properties.iter().map(Property::name).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Some(format!("two properties are called {}", twice[0]));
        }
        self.symmetry.as_ref()?.flaw(self)
    }
}
