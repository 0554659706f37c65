//! The transactional store: QUO-04 and MUS-16.
//!
//! Read and write quorums, and two-phase commit with locks: histories are linearizable with transactions of many keys in them, whoever
//! crashes at whichever boundary of its durability.

use isles_check::Model;
use isles_explore::{Budget, Faults, Property, Scenario, Script, Timers, View};
use isles_kernel::{Payload, ProcessId, Span};
use isles_quorum::store::{
    Answer, Command, Condition, Config, Entry, Expiry, Keyspace, Mistake, Op, Record, Reply, Store,
};

use crate::judge::is_linearizable;

/// What clients do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mix {
    /// One writes a key at the first node, another reads it at the first and at the last.
    WriterAndReader,
    /// One at the first node and one at the last add one to a key.
    Adders,
    /// One at the first node and one at the last add one to each of two keys, in opposite order, at one instant.
    Crosswise,
    /// One writes a key and deletes it at the first node, and reads it at the last.
    Deleter,
}

/// What is explored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// How many nodes; each holds each key.
    pub nodes: u32,
    /// How many a read takes.
    pub read: u32,
    /// How many a write takes.
    pub write: u32,
    /// What clients do.
    pub mix: Mix,
    /// How many nodes may crash, any of them and at any moment, each time anew.
    pub crashes: u8,
    /// How many of them may come back.
    pub restarts: u8,
    /// How many timers may fire, when nothing else is under way.
    pub timeouts: u8,
    /// For controls.
    pub mistake: Option<Mistake>,
}

impl Default for Parameters {
    /// Two nodes of which one may crash and come back; reads take one, writes both.
    fn default() -> Self {
        Self {
            nodes: 2,
            read: 1,
            write: 2,
            mix: Mix::WriterAndReader,
            crashes: 1,
            restarts: 1,
            timeouts: 2,
            mistake: None,
        }
    }
}

impl Parameters {
    /// Where a mistake shows.
    pub fn showing(mistake: Mistake) -> Self {
        let quiet = Self { crashes: 0, restarts: 0, ..Self::default() };
        match mistake {
            Mistake::DecidesAlone | Mistake::ForgetsEarly => Self::default(),
            Mistake::ReadsPrepared => quiet,
            Mistake::ReleasesEarly => Self { mix: Mix::Adders, ..quiet },
            Mistake::ForgetsDeleted => Self { nodes: 3, read: 2, mix: Mix::Deleter, ..quiet },
            // One shows in no history; the others with more nodes and streams than can be explored.
            Mistake::NeverWounds | Mistake::VotesWithoutLock | Mistake::ReadsLocked => {
                Self { mix: Mix::Crosswise, timeouts: 1, ..quiet }
            }
        }
    }

    /// What clients do, where.
    fn scripts(&self) -> Vec<Script<Op>> {
        let key = |name: &str| Payload::from(name);
        let (first, last) = (ProcessId(0), ProcessId(self.nodes - 1));
        let get = || Op::One(Command::Get { key: key("x") });
        let add = |name: &str| Command::Increment { key: key(name), by: 1 };
        let all = |names: [&str; 2]| Op::All { commands: names.map(add).into(), unchanged: [].into() };
        let (condition, expiry) = (Condition::Always, Expiry::Never);
        let set = Op::One(Command::Set { key: key("x"), value: key("1"), condition, expiry, get: false });
        match self.mix {
            Mix::WriterAndReader => vec![vec![(first, set)], vec![(first, get()), (last, get())]],
            Mix::Adders => vec![vec![(first, Op::One(add("x")))], vec![(last, Op::One(add("x")))]],
            Mix::Crosswise => vec![vec![(first, all(["x", "y"]))], vec![(last, all(["y", "x"]))]],
            Mix::Deleter => {
                let delete = Op::One(Command::Delete { key: key("x") });
                vec![vec![(first, set), (first, delete), (last, get())]]
            }
        }
    }
}

/// All behaviours of the nodes and their clients.
///
/// # Panics
/// When quorums need not meet.
pub fn scenario(parameters: Parameters) -> Scenario<Store> {
    let Parameters { nodes, read, write, crashes, restarts, timeouts, mistake, .. } = parameters;
    let mut config =
        Config::new(nodes, vec![Keyspace::all(nodes, read, write)]).expect("quorums of the parameters meet");
    // What only makes behaviours longer: sweeps, pauses of several lengths, hearsay about decisions.
    config.sweep = Span::ZERO;
    config.pauses = 1;
    config.attempts_max = 3;
    config.remembered_max = 0;
    config.mistake = mistake;
    let (crashes, restarts) = (Budget::UpTo(crashes), Budget::UpTo(restarts));
    let scenario = Scenario {
        clients: parameters.scripts(),
        timers: Timers::WhenQuiet,
        timeouts: Budget::UpTo(timeouts),
        faults: Faults { crashes, restarts, ..Faults::default() },
        ..Scenario::<Store>::new(nodes, config)
    };
    scenario
        .ask(Property::history("linearizable", |history| is_linearizable(&Keys, history)))
        .ask(Property::reachable("all is done", is_done))
}

/// Clients are answered, and no node has anything under way.
fn is_done(view: &View<'_, Store>) -> bool {
    view.clients_done() && view.is_quiet() && view.live().all(|(_, node)| node.is_idle())
}

/// Without crashes nobody waits for a lock when nothing is under way: there is no circle of waiting.
pub fn no_circle() -> Property<Store> {
    Property::always("nobody waits in a circle", |view: &View<'_, Store>| {
        !view.is_quiet() || view.live().all(|(_, node)| node.waiting() == 0)
    })
}

/// The first node, which coordinates, is down, and the last has promised and does not know what was decided.
pub fn is_blocked(view: &View<'_, Store>) -> bool {
    let last = view.process(ProcessId(view.processes() - 1));
    view.process(ProcessId(0)).is_none() && view.is_quiet() && last.is_some_and(|node| node.in_doubt() > 0)
}

/// The last node had promised, the first has come back, and all is done.
pub fn is_released(view: &View<'_, Store>) -> bool {
    let promises = |record: &Record| matches!(record, Record::Prepared { .. });
    let had_promised = view.log(ProcessId(view.processes() - 1)).iter().any(promises);
    had_promised && view.log(ProcessId(0)).contains(&Record::Boot(2)) && is_done(view)
}

/// What the clients of these scenarios may see: keys that hold values, one operation after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keys;

impl Model for Keys {
    type Op = Op;
    type Reply = Reply;
    /// Keys that hold something, in order, and what they hold.
    type State = Vec<(Payload, Payload)>;

    fn initial(&self) -> Self::State {
        Vec::new()
    }

    fn step(&self, state: &Self::State, op: &Op, reply: Option<&Reply>, next: &mut Vec<Self::State>) {
        let (commands, answers): (&[Command], Option<&[Answer]>) = match (op, reply) {
            (_, Some(Reply::Refused)) => (&[], None),
            (Op::One(command), None) => (std::slice::from_ref(command), None),
            (Op::One(command), Some(Reply::One(answer))) => {
                (std::slice::from_ref(command), Some(std::slice::from_ref(answer)))
            }
            (Op::All { commands, .. }, None) => (commands, None),
            (Op::All { commands, .. }, Some(Reply::All(answers))) => (commands, Some(answers)),
            (Op::One(_) | Op::All { .. } | Op::Scan { .. }, _) => return,
        };
        let mut after = state.clone();
        let fits = commands.iter().enumerate().all(|(place, command)| {
            let told = answers.map(|answers| answers.get(place));
            told.is_none_or(|told| told.is_some_and(|told| told == &serve(&mut after.clone(), command, told)))
                && {
                    serve(&mut after, command, &Answer::Done);
                    true
                }
        });
        if fits {
            next.push(after);
        }
    }
}

/// Does a command, and tells the answer; versions are those of `told`, since nobody is promised any.
fn serve(state: &mut Vec<(Payload, Payload)>, command: &Command, told: &Answer) -> Answer {
    let place = state.binary_search_by(|(key, _)| key.cmp(command.key()));
    let held = place.ok().map(|place| state[place].1.clone());
    let (answer, new) = match command {
        Command::Get { .. } => {
            let read = |entry: &Option<Entry>| entry.as_ref().map(|entry| &entry.value) == held.as_ref();
            let is_right = matches!(told, Answer::Entry(entry, _) if read(entry));
            (if is_right { told.clone() } else { Answer::Unchanged }, held)
        }
        Command::Set { value, .. } => (Answer::Done, Some(value.clone())),
        Command::Delete { .. } => (Answer::Deleted(u64::from(held.is_some())), None),
        Command::Increment { by, .. } => {
            let text = held.as_ref().map_or("0", |held| std::str::from_utf8(held.bytes()).unwrap_or("0"));
            let sum = text.parse::<i64>().unwrap_or(0) + by;
            (Answer::Number(sum), Some(sum.to_string().as_str().into()))
        }
        Command::Append { .. } | Command::Expire { .. } => (Answer::Unchanged, held),
    };
    match (place, new) {
        (Ok(place), Some(value)) => state[place].1 = value,
        (Ok(place), None) => drop(state.remove(place)),
        (Err(place), Some(value)) => state.insert(place, (command.key().clone(), value)),
        (Err(_), None) => {}
    }
    answer
}
