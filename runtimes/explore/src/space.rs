//! All that was met so far, each thing once, and what handlers made of it.

use isles_kernel::{Channel, OpId, ProcessId, Protocol};

use crate::coverage::Tally;
use crate::intern::Interner;
use crate::ledger::{Call, Ledger};
use crate::local::{Input, Local, Outward, Ran};
use crate::memo::{Memo, Rows};
use crate::parcel::{Arrival, Kind, Meta, NONE, Parcel};
use crate::property;
use crate::scenario::{Budget, Clients, Memory, Scenario, Streams};
use crate::state::{Spent, State};
use crate::symmetry::{Part, Shape};

/// What a process does to its local state that is no delivery, as the second half of a key whose first is the local
/// state; a delivery's is the parcel, below 2^28.
pub(crate) mod code {
    pub(crate) const TIMER: u32 = 1 << 28;
    pub(crate) const SYNC: u32 = 2 << 28;
    pub(crate) const CRASH: u32 = 3 << 28;
    pub(crate) const START: u32 = 4 << 28;
    pub(crate) const KINDS: u32 = 0xf << 28;
}

/// What leaves a process in a memoised step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Out {
    /// This parcel is under way.
    Put(u32),
    /// This message goes to the end of its stream.
    Push(u32),
    /// The stream for whose breaking this is the notice is watched.
    Watch(u32),
    /// An attached client is answered.
    Return(u32),
}

/// One way in which a step of a process ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) local: u32,
    /// Of the first outcome of a step: how many there are.
    siblings: u16,
    /// Where its [`Out`]s are.
    first: u32,
    count: u16,
    /// State and effects are as if nothing had happened.
    pub(crate) idle: bool,
    /// All outs are parcels that are simply added.
    pub(crate) simple: bool,
    /// What it adds to the fingerprint: the new local state instead of the old one, and, if it is simple, all outs.
    pub(crate) delta: u64,
}

/// What is not known yet, and must be supplied before a step can be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    /// What a local state does with an input, given by its code.
    Step { local: u32, code: u32 },
    /// A stream with one more message; a new stream if there is none.
    Push { stream: u32, message: u32 },
    /// The ledger after a request or an answer.
    Turn { ledger: u32, parcel: u32 },
    /// The request of the next operation of a client.
    Call { ledger: u32, client: u8 },
    /// The key of a part when two processes are exchanged.
    Swap { part: Part, a: u32, b: u32 },
    /// What a message may say instead.
    Mutants { message: u32 },
    /// The message that says to the receiver of one what another says.
    Twin { message: u32, other: u32 },
    /// A stream with another message at its head.
    Head { stream: u32, head: u32 },
}

/// The place of whoever is not explored.
pub(crate) const OUTSIDE: u8 = u8::MAX;

/// In a cell: the step changes nothing, and such steps are left out.
const STILL: u32 = 1 << 31;

/// What is told of an arrival without asking further.
pub(crate) enum Told {
    /// Something may arrive, and it leads to this fingerprint.
    Quickly(u64),
    /// Something may arrive, and nothing happens.
    Still,
    /// It must be looked at.
    Slowly,
}

/// Interned parts of states, and memoised steps.
pub(crate) struct Space<P: Protocol> {
    pub(crate) scenario: Scenario<P>,
    /// The processes by place, if they are not those from 0 on.
    pub(crate) chosen: Vec<ProcessId>,
    pub(crate) locals: Interner<Local<P>>,
    /// For each local state: whether the process is up, how many timers are armed, how many records are not durable.
    pub(crate) brief: Vec<Brief>,
    pub(crate) parcels: Interner<Parcel<P>>,
    pub(crate) meta: Vec<Meta>,
    pub(crate) arrivals: Vec<Arrival>,
    pub(crate) ledgers: Interner<Ledger<P>>,
    /// For each ledger: which history properties it breaks, a bit for each.
    pub(crate) broken: Vec<u64>,
    /// News of broken streams, by receiver and peer; empty where no stream breaks.
    pub(crate) notices: Vec<u32>,
    pub(crate) outs: Vec<Out>,
    pub(crate) outcomes: Vec<Outcome>,
    /// The choices of each outcome.
    pub(crate) choices: Vec<Box<[u32]>>,
    /// Steps of deliveries, by local state and the parcel's rank: the first outcome.
    pub(crate) deliveries: Rows,
    /// Steps of timers, by local state and place.
    pub(crate) timers: Rows,
    /// All other steps.
    pub(crate) steps: Memo,
    /// The steps that are known: of which local state, and the first outcome.
    pub(crate) taken: Vec<(u32, u32)>,
    /// How many steps were found out.
    pub(crate) handler_steps: u64,
    /// Local states that were forgotten.
    pub(crate) forgotten: u64,
    /// How many parcels each process has been sent.
    pub(crate) ranks: Vec<u32>,
    pub(crate) pushes: Memo,
    pub(crate) turns: Memo,
    /// Requests by client and index.
    pub(crate) requests: Memo,
    /// How parts look under symmetry; empty without.
    pub(crate) local_shapes: Vec<Shape>,
    pub(crate) parcel_shapes: Vec<Shape>,
    /// Keys of parts when two processes are exchanged, in two halves.
    pub(crate) swaps: Memo,
    /// What messages may say instead: where each one's mutants are.
    pub(crate) mutants: Memo,
    pub(crate) mutant_messages: Vec<u32>,
    pub(crate) twins: Memo,
    pub(crate) heads: Memo,
    /// Why handlers panicked: the local state, and what was said.
    pub(crate) panics: Vec<(u32, String)>,
    /// Steps in which a choice had more values than are tried.
    pub(crate) choices_cut: u32,
    /// What handlers took and gave.
    pub(crate) tally: Tally,
}

/// What a search asks of a local state again and again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brief {
    pub(crate) up: bool,
    /// The place of the process in states.
    pub(crate) slot: u8,
    pub(crate) panicked: bool,
    pub(crate) timers: u16,
    pub(crate) unsynced: u16,
}

impl<P: Protocol> Space<P> {
    pub(crate) fn new(scenario: Scenario<P>) -> Self {
        let chosen = scenario.chosen().unwrap_or_default();
        let mut space = Self {
            scenario,
            chosen,
            locals: Interner::new(1),
            brief: Vec::new(),
            parcels: Interner::new(2),
            meta: Vec::new(),
            arrivals: Vec::new(),
            ledgers: Interner::new(3),
            broken: Vec::new(),
            notices: Vec::new(),
            outs: Vec::new(),
            outcomes: Vec::new(),
            choices: Vec::new(),
            deliveries: Rows::default(),
            timers: Rows::default(),
            steps: Memo::new(),
            taken: Vec::new(),
            handler_steps: 0,
            forgotten: 0,
            ranks: Vec::new(),
            pushes: Memo::new(),
            turns: Memo::new(),
            requests: Memo::new(),
            local_shapes: Vec::new(),
            parcel_shapes: Vec::new(),
            swaps: Memo::new(),
            mutants: Memo::new(),
            mutant_messages: Vec::new(),
            twins: Memo::new(),
            heads: Memo::new(),
            panics: Vec::new(),
            choices_cut: 0,
            tally: Tally::default(),
        };
        let faults = &space.scenario.faults;
        if faults.crashes != Budget::NONE || faults.cuts != Budget::NONE {
            let slots = 0..space.scenario.processes as u8;
            for to in slots.clone() {
                for peer in slots.clone() {
                    let notice = space.parcel(Parcel::Broken { to: space.id(to), peer: space.id(peer) });
                    space.notices.push(notice);
                }
            }
        }
        space
    }

    /// Whether the process is up in this local state.
    #[inline]
    pub(crate) fn is_up(&self, local: u32) -> bool {
        self.brief[local as usize].up
    }

    /// Streams may break in this scenario.
    pub(crate) fn is_breakable(&self) -> bool {
        !self.notices.is_empty()
    }

    /// The news for `to` that its stream to `peer` broke.
    pub(crate) fn notice(&self, to: u8, peer: u8) -> u32 {
        let place = usize::from(to) * self.scenario.processes as usize + usize::from(peer);
        self.notices.get(place).copied().unwrap_or(NONE)
    }

    /// The outcomes of a step, the first and how many, as far as they are known.
    #[inline(always)]
    pub(crate) fn outcomes(&self, local: u32, code: u32) -> Result<(u32, u32), Need> {
        let cell = match code & code::KINDS {
            0 => self.deliveries.get(local, self.meta[code as usize].rank),
            code::TIMER => self.timers.get(local, code & !code::KINDS),
            _ => None,
        };
        if let Some(first) = cell.map(|cell| cell & !STILL) {
            return Ok((first, u32::from(self.outcomes[first as usize].siblings)));
        }
        self.steps.get(local, code).ok_or(Need::Step { local, code })
    }

    /// The fingerprint after something arrives, from what it is `before`: if the step is known, has one outcome and is
    /// quick to tell.
    #[inline(always)]
    pub(crate) fn arrival(&self, state: State<'_>, before: u64, parcel: u32) -> Told {
        let Arrival { gone, rank, to, plain, queued } = self.arrivals[parcel as usize];
        if !(plain || queued && state.spent(Spent::Cut) == 0) {
            return Told::Slowly;
        }
        match self.deliveries.get(state.locals()[usize::from(to)], rank) {
            // Rows have steps of processes that are up, so that whatever comes to them arrives.
            Some(cell) if cell & STILL == STILL => Told::Still,
            Some(cell) => {
                let outcome = &self.outcomes[cell as usize];
                match outcome.simple && outcome.siblings == 1 {
                    true => Told::Quickly(before.wrapping_add(outcome.delta).wrapping_sub(gone)),
                    false => Told::Slowly,
                }
            }
            None => Told::Slowly,
        }
    }

    #[inline]
    pub(crate) fn outcome(&self, index: u32) -> &Outcome {
        &self.outcomes[index as usize]
    }

    /// All outcomes of the step of which this is the first.
    pub(crate) fn siblings(&self, first: u32) -> &[Outcome] {
        let first = first as usize;
        &self.outcomes[first..first + usize::from(self.outcomes[first].siblings)]
    }

    #[inline]
    pub(crate) fn outs(&self, outcome: &Outcome) -> &[Out] {
        &self.outs[outcome.first as usize..outcome.first as usize + usize::from(outcome.count)]
    }

    /// The choices that lead to an outcome.
    pub(crate) fn choices(&self, index: u32) -> &[u32] {
        &self.choices[index as usize]
    }

    /// The stream with one more message.
    pub(crate) fn pushed(&self, stream: u32, message: u32) -> Result<u32, Need> {
        self.pushes.get(stream, message).map(|(longer, _)| longer).ok_or(Need::Push { stream, message })
    }

    /// The ledger after a request or an answer, and the request that follows; the same ledger if the answer is of no
    /// use.
    pub(crate) fn turned(&self, ledger: u32, parcel: u32) -> Result<(u32, u32), Need> {
        self.turns.get(ledger, parcel).ok_or(Need::Turn { ledger, parcel })
    }

    /// Finds out what was not known.
    pub(crate) fn supply(&mut self, need: Need) {
        match need {
            Need::Step { local, code } => self.step(local, code),
            Need::Push { stream, message } => self.push(stream, message),
            Need::Turn { ledger, parcel } => self.turn(ledger, parcel),
            Need::Swap { part, a, b } => {
                let key = self.swapped_key(part, a as usize, b as usize);
                let (name, pair) = swap_name(part, a, b);
                self.swaps.insert(name, pair, (key as u32, (key >> 32) as u32));
            }
            Need::Mutants { message } => self.mutate(message),
            Need::Twin { message, other } => self.twin(message, other),
            Need::Head { stream, head } => self.behead(stream, head),
            Need::Call { ledger, client } => {
                if let Some(call) = self.ledgers.get(ledger).next(client, &self.scenario) {
                    let request = self.parcel(Parcel::Request(call));
                    self.requests.insert(u32::from(call.client), u32::from(call.index), (request, 0));
                }
            }
        }
    }

    /// The key of a part when two processes are exchanged.
    pub(crate) fn swapped(&self, part: Part, a: u32, b: u32) -> Result<u64, Need> {
        let (name, pair) = swap_name(part, a, b);
        let (low, high) = self.swaps.get(name, pair).ok_or(Need::Swap { part, a, b })?;
        Ok(u64::from(low) | u64::from(high) << 32)
    }

    /// The request of the next operation of a client, if it is known.
    pub(crate) fn request(&self, state: State<'_>, client: u8) -> Option<u32> {
        let call = self.ledgers.get(state.ledger()).next(client, &self.scenario)?;
        self.requests.get(u32::from(call.client), u32::from(call.index)).map(|(request, _)| request)
    }

    /// The number of a local state.
    pub(crate) fn local(&mut self, local: Local<P>) -> u32 {
        let brief = Brief {
            up: local.is_up(),
            slot: self.slot(local.process).unwrap_or(OUTSIDE),
            panicked: local.status == crate::local::Status::Panicked,
            timers: local.timers.len() as u16,
            unsynced: (local.log.len() - local.durable) as u16,
        };
        let id = self.locals.intern(local);
        if id as usize == self.brief.len() {
            self.brief.push(brief);
            if self.is_symmetric() {
                self.local_shapes.push(self.shape_of(Part::Local(id)));
            }
        }
        id
    }

    /// The number of a ledger.
    pub(crate) fn ledger(&mut self, ledger: Ledger<P>) -> u32 {
        let id = self.ledgers.intern(ledger);
        if id as usize == self.broken.len() {
            let entries = self.ledgers.get(id).entries(&self.scenario);
            let mut broken = 0;
            for (bit, property) in self.scenario.properties.iter().enumerate() {
                if let property::Kind::History(judge) = &property.kind
                    && !judge(&entries)
                {
                    broken |= 1 << (bit % 64);
                }
            }
            self.broken.push(broken);
        }
        id
    }

    fn turn(&mut self, ledger: u32, parcel: u32) {
        let before = self.ledgers.get(ledger);
        let after = match self.parcels.get(parcel) {
            Parcel::Request(call) => Some((before.invoke(*call, &self.scenario), None)),
            Parcel::Answer { id, reply, .. } => before.answer(*id, reply, &self.scenario),
            Parcel::Message { .. } | Parcel::Stream { .. } | Parcel::Broken { .. } => {
                unreachable!("clients see requests and answers only")
            }
        };
        let after = match after {
            Some((after, follows)) => {
                let follows = follows.map_or(NONE, |call| self.parcel(Parcel::Request(call)));
                (self.ledger(after), follows)
            }
            None => (ledger, NONE),
        };
        self.turns.insert(ledger, parcel, after);
    }

    /// Runs a handler with all choices.
    fn step(&mut self, local: u32, code: u32) {
        let ran = self.run(local, code);
        let mut tally = std::mem::take(&mut self.tally);
        tally.note(self.locals.get(local), self.input(code), &ran);
        self.tally = tally;
        let first = self.outcomes.len() as u32;
        let count = u16::try_from(ran.len()).expect("a step has fewer than 2^16 outcomes");
        self.choices_cut += u32::from(ran.iter().any(|ran| ran.cut));
        let may_stay = self.may_stay(code);
        for ran in ran {
            self.note(local, ran, may_stay);
        }
        self.outcomes[first as usize].siblings = count;
        self.handler_steps += 1;
        self.taken.push((local, first));
        let still = self.skips_idle() && count == 1 && self.outcomes[first as usize].idle;
        let cell = first | if still { STILL } else { 0 };
        let in_row = first < STILL - 1
            && match code & code::KINDS {
                0 => self.deliveries.insert(local, self.meta[code as usize].rank, cell),
                code::TIMER => self.timers.insert(local, code & !code::KINDS, cell),
                _ => false,
            };
        if !in_row {
            self.steps.insert(local, code, (first, count.into()));
        }
    }

    /// All outcomes of a step, with all that they emit.
    pub(crate) fn run(&self, local: u32, code: u32) -> Vec<Ran<P>> {
        let before = self.locals.get(local);
        if code == code::CRASH {
            self.crashes(before)
        } else {
            before.outcomes(self.input(code), &self.scenario)
        }
    }

    /// What a process is confronted with in a step; of a crash, one of those that are tried.
    fn input(&self, code: u32) -> Input<'_, P> {
        match code & code::KINDS {
            code::TIMER => Input::Timer((code & !code::KINDS) as usize),
            code::SYNC => Input::Sync,
            code::START => Input::Start,
            code::CRASH => Input::Crash { memory: Memory::Lost, survivors: 0 },
            _ => match self.parcels.get(code) {
                Parcel::Message { from, msg, .. } => Input::Message { from: *from, msg },
                Parcel::Broken { peer, .. } => Input::Unreachable(*peer),
                Parcel::Request(call) => {
                    let (_, op) = call.of_script(&self.scenario).expect("only calls of a script are made");
                    Input::Op { id: call.id(), op }
                }
                Parcel::Stream { .. } | Parcel::Answer { .. } => {
                    unreachable!("streams deliver their messages, and answers go to clients")
                }
            },
        }
    }

    /// What crashes may leave.
    fn crashes(&self, before: &Local<P>) -> Vec<Ran<P>> {
        let faults = &self.scenario.faults;
        let mut all: Vec<Ran<P>> = Vec::new();
        for memory in &faults.memories {
            let torn = faults.torn && *memory == Memory::Disk;
            let most = if torn { before.log.len() - before.durable } else { 0 };
            for survivors in 0..=most {
                let input = Input::Crash { memory: *memory, survivors };
                for mut ran in before.outcomes(input, &self.scenario) {
                    ran.choices = vec![*memory as u32, survivors as u32];
                    if all.iter().all(|other| other.local != ran.local) {
                        all.push(ran);
                    }
                }
            }
        }
        all
    }

    /// Whether an input that changes nothing may be left where it is. News of a broken stream may not, or the stream would
    /// stay broken; nor may a message that others wait behind, nor what a client sees happen.
    fn may_stay(&self, code: u32) -> bool {
        if code >= code::TIMER {
            return code & code::KINDS == code::TIMER;
        }
        match self.meta[code as usize].kind {
            Kind::Datagram => true,
            Kind::Loose => self.scenario.streams == Streams::Unordered,
            Kind::Request => self.scenario.place == Clients::Remote,
            Kind::Stream | Kind::Orphan | Kind::Broken | Kind::Answer => false,
        }
    }

    fn note(&mut self, before: u32, ran: Ran<P>, may_stay: bool) {
        let me = self.locals.get(before).process;
        let idle = may_stay && !ran.acted && ran.local == *self.locals.get(before);
        let local = self.local(ran.local);
        if let Some(panic) = ran.panic {
            self.panics.push((local, panic));
        }
        let first = self.outs.len();
        for outward in ran.outward {
            if let Some(out) = self.out(me, outward) {
                self.outs.push(out);
            }
        }
        let count = u16::try_from(self.outs.len() - first).expect("a step has fewer than 2^16 effects");
        let breakable = self.is_breakable();
        let mut delta = self.locals.key(local).wrapping_sub(self.locals.key(before));
        let mut simple = true;
        for out in &self.outs[first..] {
            match out {
                Out::Put(parcel) if !breakable && !self.meta[*parcel as usize].kept => {
                    delta = delta.wrapping_add(self.parcels.key(*parcel));
                }
                Out::Put(_) | Out::Push(_) | Out::Watch(_) | Out::Return(_) => simple = false,
            }
        }
        self.outcomes.push(Outcome { local, siblings: 0, first: first as u32, count, idle, simple, delta });
        self.choices.push(ran.choices.into());
    }

    /// What an effect means outside; none if nobody can receive it.
    fn out(&mut self, me: ProcessId, outward: Outward<P>) -> Option<Out> {
        match outward {
            Outward::Send { to, .. } | Outward::Watch(to) if self.slot(to).is_none() => None,
            Outward::Send { to, msg, channel } => {
                let message = self.parcel(Parcel::Message { from: me, to, channel, msg });
                let queued = channel == Channel::Stream && self.scenario.streams == Streams::Fifo;
                Some(if queued { Out::Push(message) } else { Out::Put(message) })
            }
            Outward::Watch(peer) if self.is_breakable() => {
                Some(Out::Watch(self.notice(self.slot(me)?, self.slot(peer)?)))
            }
            Outward::Watch(_) => None,
            Outward::Reply { id, reply } => self.reply(me, id, reply),
        }
    }

    fn reply(&mut self, from: ProcessId, id: OpId, reply: P::Reply) -> Option<Out> {
        Call::of(id)?.of_script(&self.scenario)?;
        let answer = self.parcel(Parcel::Answer { from, id, reply });
        Some(match self.scenario.place {
            Clients::Attached => Out::Return(answer),
            Clients::Remote => Out::Put(answer),
        })
    }
}

/// What names a part and two processes in the table of swaps.
const fn swap_name(part: Part, a: u32, b: u32) -> (u32, u32) {
    let pair = if a < b { a << 8 | b } else { b << 8 | a };
    match part {
        Part::Local(local) => (local, pair),
        Part::Parcel(parcel) => (parcel, 1 << 16 | pair),
    }
}
