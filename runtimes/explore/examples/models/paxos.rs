//! Single-decree Paxos for a register that is written once: Lamport, *Paxos Made Simple*, 2001.
//!
//! Each server leads a ballot for the first value that a client asks it to write. Its messages to itself are simulated
//! within the step.

use std::collections::{BTreeMap, BTreeSet};

use isles_explore::{Property, Scenario};
use isles_history::Entry;
use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use super::register::{Op, Reply};

/// A round, and who leads it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Ballot {
    round: u32,
    leader: ProcessId,
}

/// A value, and the operation that wants it written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Proposal {
    id: u64,
    value: char,
}

/// What a server accepted, and in which ballot.
type Accepted = Option<(Ballot, Proposal)>;

/// One server.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Paxos {
    ballot: Ballot,
    /// Leading: what to propose.
    proposal: Option<Proposal>,
    /// Leading: who promised, and what they had accepted.
    promises: BTreeMap<ProcessId, Accepted>,
    /// Leading: who accepted.
    accepts: BTreeSet<ProcessId>,
    accepted: Accepted,
    decided: bool,
}

/// What servers send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// Phase 1a.
    Prepare(Ballot),
    /// Phase 1b: what was accepted last.
    Promise(Ballot, Option<(Ballot, Proposal)>),
    /// Phase 2a.
    Accept(Ballot, Proposal),
    /// Phase 2b.
    Accepted(Ballot),
    /// A quorum accepted.
    Decided(Ballot, Proposal),
}

/// How many servers there are, and what is wrong with them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Processes `0..servers`.
    pub servers: u32,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// Mistakes made on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// A leader ignores what others have accepted.
    Forgetful,
    /// Half of the servers are a quorum; one fewer than a majority where their number is even.
    HalfQuorum,
    /// A leader proposes the oldest of what others have accepted, not the newest.
    Oldest,
    /// A server accepts in a ballot that is older than the one that it promised itself to.
    NoPromise,
    /// A server that promises does not say what it has accepted.
    SilentPromise,
}

impl Config {
    fn quorum(&self) -> usize {
        let servers = self.servers as usize;
        if self.mistake == Some(Mistake::HalfQuorum) { servers.div_ceil(2) } else { servers / 2 + 1 }
    }
}

/// Where a mistake shows: how many servers it takes, and clients that each want to write at one of them.
pub fn showing(mistake: Mistake) -> Scenario<Paxos> {
    let (servers, clients) = match mistake {
        Mistake::Forgetful | Mistake::NoPromise | Mistake::SilentPromise => (3, 2),
        Mistake::HalfQuorum => (4, 2),
        // The first value is accepted by one server, the second one chosen by the two others, and the third leader hears of both.
        Mistake::Oldest => (3, 3),
    };
    let put = |client: u32| vec![(ProcessId(client), Op::Put(char::from(b'A' + client as u8)))];
    let scenario = super::register::scenario(servers, 1, Config { servers, mistake: Some(mistake) });
    Scenario { clients: (0..clients).map(put).collect(), ..scenario }.ask(one_value_is_chosen())
}

/// At most one value is chosen: whoever wanted to write another one is not told that it did.
pub fn one_value_is_chosen() -> Property<Paxos> {
    Property::history("one value is chosen", |history: &[Entry<Op, Reply>]| {
        history.iter().filter(|entry| matches!(entry, Entry::Return { reply: Reply::PutOk, .. })).count() < 2
    })
}

impl Paxos {
    fn broadcast(cx: &mut Cx<'_, Self>, msg: &Msg) {
        let me = cx.me();
        for peer in (0..cx.config().servers).map(ProcessId).filter(|peer| *peer != me) {
            cx.send(peer, msg.clone());
        }
    }

    fn on_promise(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, ballot: Ballot, accepted: Accepted) {
        self.promises.insert(from, accepted);
        if self.promises.len() != cx.config().quorum() {
            return;
        }
        let accepted = self.promises.values().flatten();
        let chosen = match cx.config().mistake {
            Some(Mistake::Forgetful) => None,
            Some(Mistake::Oldest) => accepted.min(),
            _ => accepted.max(),
        };
        let proposal = chosen
            .map(|(_, proposal)| *proposal)
            .or(self.proposal)
            .expect("whoever leads has something to propose");
        self.proposal = Some(proposal);
        self.accepted = Some((ballot, proposal));
        self.accepts.insert(cx.me());
        Self::broadcast(cx, &Msg::Accept(ballot, proposal));
    }

    fn on_accepted(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, ballot: Ballot) {
        self.accepts.insert(from);
        if self.accepts.len() == cx.config().quorum() {
            self.decided = true;
            let proposal = self.proposal.expect("whoever is accepted has proposed");
            Self::broadcast(cx, &Msg::Decided(ballot, proposal));
            cx.reply(OpId(proposal.id), Reply::PutOk);
        }
    }
}

impl Protocol for Paxos {
    type Config = Config;
    type Msg = Msg;
    type Timer = Never;
    type Op = Op;
    type Reply = Reply;
    type Record = Never;
    type Event = Never;

    fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self {
            ballot: Ballot { round: 0, leader: ProcessId(0) },
            proposal: None,
            promises: BTreeMap::new(),
            accepts: BTreeSet::new(),
            accepted: None,
            decided: false,
        }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        match (op, self.accepted) {
            (Op::Get, Some((_, proposal))) if self.decided => cx.reply(id, Reply::GetOk(proposal.value)),
            (Op::Put(value), _) if self.proposal.is_none() && !self.decided => {
                self.proposal = Some(Proposal { id: id.0, value });
                self.promises.clear();
                self.accepts.clear();
                self.ballot = Ballot { round: self.ballot.round + 1, leader: cx.me() };
                self.promises.insert(cx.me(), self.accepted);
                Self::broadcast(cx, &Msg::Prepare(self.ballot));
            }
            // Undecided here, though perhaps not elsewhere: no answer is better than a wrong one.
            (Op::Get | Op::Put(_), _) => {}
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        if self.decided {
            return;
        }
        match msg {
            Msg::Prepare(ballot) if self.ballot < ballot => {
                self.ballot = ballot;
                let told = self.accepted.filter(|_| cx.config().mistake != Some(Mistake::SilentPromise));
                cx.send(from, Msg::Promise(ballot, told));
            }
            Msg::Promise(ballot, accepted) if ballot == self.ballot => {
                self.on_promise(cx, from, ballot, accepted);
            }
            Msg::Accept(ballot, proposal)
                if self.ballot <= ballot || cx.config().mistake == Some(Mistake::NoPromise) =>
            {
                self.ballot = ballot;
                self.accepted = Some((ballot, proposal));
                cx.send(from, Msg::Accepted(ballot));
            }
            Msg::Accepted(ballot) if ballot == self.ballot => self.on_accepted(cx, from, ballot),
            Msg::Decided(ballot, proposal) => {
                self.ballot = ballot;
                self.accepted = Some((ballot, proposal));
                self.decided = true;
            }
            Msg::Prepare(_) | Msg::Promise(..) | Msg::Accept(..) | Msg::Accepted(_) => {}
        }
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
}
