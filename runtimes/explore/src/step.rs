//! From a state to the next: its fingerprint first, and itself only if that is new.

use isles_kernel::Protocol;
use isles_kernel::random::mix;

use crate::action::{Action, Cause};
use crate::byzantine::Act;
use crate::ledger::Ledger;
use crate::local::Local;
use crate::parcel::{Kind, NONE, Parcel};
use crate::scenario::{Budget, Clients};
use crate::space::{Need, Out, Outcome, Space, Told, code};
use crate::state::{HEAD, Spent, State};

/// What spent budgets add to a fingerprint.
#[inline]
fn spent_key(spent: u64) -> u64 {
    mix(spent, 0x7370_656e_7421)
}

impl<P: Protocol> Space<P> {
    /// The words of a state, for whoever looks into it.
    #[inline]
    pub(crate) fn state<'a>(&self, words: &'a [u32]) -> State<'a> {
        State { words, processes: self.scenario.processes as usize }
    }

    /// Calls `each` with each action that changes something, or is allowed to change nothing, and the fingerprint of
    /// the state to which it leads. Deliveries come first.
    #[inline]
    pub(crate) fn successors(
        &self,
        state: State<'_>,
        scratch: &mut Vec<u32>,
        mut each: impl FnMut(Action, u64),
    ) -> Result<(), Need> {
        let before = state.fingerprint();
        let (mut quiet, mut last) = (true, NONE);
        for (place, &parcel) in (0..).zip(state.parcels()) {
            // Several of one parcel lie side by side, and it does not matter which arrives.
            if std::mem::replace(&mut last, parcel) == parcel {
                continue;
            }
            match self.arrival(state, before, parcel) {
                Told::Quickly(fingerprint) => each(Action::new(Cause::Deliver { place }, 0), fingerprint),
                Told::Still => {}
                Told::Slowly if self.is_deliverable(state, parcel) => {
                    self.successors_by(state, Cause::Deliver { place }, scratch, &mut each)?;
                }
                Told::Slowly => continue,
            }
            quiet = false;
        }
        self.other_causes(state, quiet, &mut |cause| self.successors_by(state, cause, scratch, &mut each))?;
        if self.may_tamper(state) { self.tampered(state, scratch, &mut each) } else { Ok(()) }
    }

    /// The same for one cause.
    // Inlined where the kind of the cause is known: nearly all of a search is deliveries.
    #[inline(always)]
    fn successors_by(
        &self,
        state: State<'_>,
        cause: Cause,
        scratch: &mut Vec<u32>,
        each: &mut impl FnMut(Action, u64),
    ) -> Result<(), Need> {
        let Some((local, code)) = self.key(state, cause)? else {
            // A step of the network or of a client has one outcome.
            let action = Action::new(cause, 0);
            if self.successor(state, action, scratch)? {
                each(action, self.state(scratch).fingerprint());
            }
            return Ok(());
        };
        let (first, count) = self.outcomes(local, code)?;
        for index in 0..count {
            let outcome = self.outcome(first + index);
            if outcome.idle && self.skips_idle() {
                continue;
            }
            let action = Action::new(cause, index);
            match self.quick_fingerprint(state, cause, outcome) {
                Some(fingerprint) => each(action, fingerprint),
                None => {
                    self.successor(state, action, scratch)?;
                    each(action, self.state(scratch).fingerprint());
                }
            }
        }
        Ok(())
    }

    /// The fingerprint after an outcome, where it can be told without making the state.
    #[inline(always)]
    fn quick_fingerprint(&self, state: State<'_>, cause: Cause, outcome: &Outcome) -> Option<u64> {
        let fingerprint = state.fingerprint();
        let consumed = if let Cause::Deliver { place } = cause {
            let parcel = state.parcels()[place as usize];
            let meta = self.meta[parcel as usize];
            match meta.rest {
                _ if meta.kept => 0,
                NONE => self.parcels.key(parcel),
                rest => self.parcels.key(parcel).wrapping_sub(self.parcels.key(rest)),
            }
        } else if let (Cause::Timer { .. }, Budget::Unlimited) = (cause, self.scenario.timeouts) {
            0
        } else {
            return None;
        };
        let base = fingerprint.wrapping_add(outcome.delta).wrapping_sub(consumed);
        if outcome.simple {
            return Some(base);
        }
        if self.is_breakable() {
            return None;
        }
        let outs = self.outs(outcome);
        let mut sum = base;
        for (index, out) in outs.iter().enumerate() {
            let Out::Put(parcel) = *out else { return None };
            let is_there = || state.parcels().contains(&parcel) || outs[..index].contains(out);
            if !(self.meta[parcel as usize].kept && is_there()) {
                sum = sum.wrapping_add(self.parcels.key(parcel));
            }
        }
        Some(sum)
    }

    /// The local state and the code of the step that a cause makes a process take; none if it makes none.
    #[inline(always)]
    pub(crate) fn key(&self, state: State<'_>, cause: Cause) -> Result<Option<(u32, u32)>, Need> {
        let local = |process: u8| state.locals()[usize::from(process)];
        Ok(match cause {
            Cause::Deliver { place } => {
                let parcel = state.parcels()[place as usize];
                let meta = self.meta[parcel as usize];
                match meta.kind {
                    Kind::Answer => None,
                    _ if !self.is_up(local(meta.to)) => None,
                    Kind::Stream | Kind::Orphan => Some((local(meta.to), meta.head)),
                    Kind::Datagram | Kind::Loose | Kind::Broken | Kind::Request => {
                        Some((local(meta.to), parcel))
                    }
                }
            }
            Cause::Timer { process, place } => Some((local(process), code::TIMER | u32::from(place))),
            Cause::Sync { process } => Some((local(process), code::SYNC)),
            Cause::Start { process } => Some((local(process), code::START)),
            Cause::Crash { process } => Some((local(process), code::CRASH)),
            Cause::Invoke { client } => {
                let request =
                    self.request(state, client).ok_or(Need::Call { ledger: state.ledger(), client })?;
                let to = self.meta[request as usize].to;
                Some((local(to), request))
            }
            Cause::Lose { .. }
            | Cause::Duplicate { .. }
            | Cause::Cut { .. }
            | Cause::Heal
            | Cause::Break { .. }
            | Cause::Discard { .. }
            | Cause::Tamper { .. } => None,
        })
    }

    /// Makes the state after an action, and leaves it in `into`; false if it is the same state and such steps are left
    /// out.
    pub(crate) fn successor(
        &self,
        state: State<'_>,
        action: Action,
        into: &mut Vec<u32>,
    ) -> Result<bool, Need> {
        into.clear();
        self.append_successor(state, action, into)
    }

    /// The same, and leaves the state at the end of `into`.
    pub(crate) fn append_successor(
        &self,
        state: State<'_>,
        action: Action,
        into: &mut Vec<u32>,
    ) -> Result<bool, Need> {
        let mut next = Next { space: self, start: into.len(), words: into };
        next.words.extend_from_slice(state.words);
        let cause = action.cause();
        if let Cause::Tamper { place } = cause {
            next.tamper(state, place, action.outcome())?;
            return Ok(true);
        }
        let step = match self.key(state, cause)? {
            Some((local, code)) => Some(self.outcomes(local, code)?.0 + action.outcome()),
            None => None,
        };
        next.happen(state, cause)?;
        match step {
            Some(outcome) => next.take(state, self.outcome(outcome), cause)?,
            None => {
                if let Cause::Deliver { place } = cause {
                    return next.answer(state.parcels()[place as usize]);
                }
            }
        }
        Ok(true)
    }

    /// All states in which a run may begin: every process has started, in the order of ids.
    pub(crate) fn initial(&mut self) -> Vec<Vec<u32>> {
        let processes = self.scenario.processes;
        let mut first = vec![0; HEAD];
        first[4] = self.ledger(Ledger::new(self.scenario.clients.len()));
        let moment = self.scenario.moment.clone();
        if let Some(moment) = &moment {
            let (locals, mut parcels) = self.begin_moment(moment);
            parcels.sort_unstable_by_key(|parcel| (self.parcels.key(*parcel), *parcel));
            first.extend(locals.into_iter().chain(parcels));
        } else {
            for process in (0..processes).map(isles_kernel::ProcessId) {
                let local = self.local(Local::new(process));
                first.push(local);
            }
        }
        self.sign(&mut first);
        let mut states = vec![first];
        // The processes of a moment have started long ago.
        let starts = if moment.is_some() { 0 } else { processes as u8 };
        for process in 0..starts {
            let mut next = Vec::new();
            for words in &states {
                let local = self.state(words).locals()[usize::from(process)];
                let (first, count) = self.known(|space| space.outcomes(local, code::START));
                for outcome in first..first + count {
                    let begin = |space: &Self| {
                        let mut started = words.clone();
                        let mut next = Next { space, words: &mut started, start: 0 };
                        next.begin(usize::from(process), space.outcome(outcome))?;
                        Ok(started)
                    };
                    next.push(self.known(begin));
                }
            }
            states = next;
        }
        if self.scenario.place == Clients::Remote {
            for client in 0..self.scenario.clients.len() as u8 {
                states = states.into_iter().map(|words| self.set_out(words, client)).collect();
            }
        }
        states.sort_by_key(|words| self.state(words).fingerprint());
        states.dedup();
        states
    }

    /// A remote client invokes its first operation.
    fn set_out(&mut self, words: Vec<u32>, client: u8) -> Vec<u32> {
        let ledger = self.state(&words).ledger();
        let Some(call) = self.ledgers.get(ledger).next(client, &self.scenario) else { return words };
        let request = self.parcel(Parcel::Request(call));
        self.known(|space| {
            let mut words = words.clone();
            let mut next = Next { space, words: &mut words, start: 0 };
            next.set_ledger(space.turned(ledger, request)?.0);
            next.add(request);
            Ok(words)
        })
    }

    /// What `ask` finds out, with all that it needs supplied.
    pub(crate) fn known<T>(&mut self, ask: impl Fn(&Self) -> Result<T, Need>) -> T {
        loop {
            match ask(self) {
                Ok(known) => return known,
                Err(need) => self.supply(need),
            }
        }
    }

    /// What all but processes and parcels adds to a fingerprint.
    pub(crate) fn rest_key(&self, state: State<'_>) -> u64 {
        spent_key(state.all_spent()).wrapping_add(self.ledgers.key(state.ledger()))
    }

    /// Writes the fingerprint of a state into it.
    fn sign(&self, words: &mut [u32]) {
        let state = self.state(words);
        let mut sum = self.rest_key(state);
        for local in state.locals() {
            sum = sum.wrapping_add(self.locals.key(*local));
        }
        for parcel in state.parcels() {
            sum = sum.wrapping_add(self.parcels.key(*parcel));
        }
        words[0] = sum as u32;
        words[1] = (sum >> 32) as u32;
    }
}

/// A state that is being made of the one before.
struct Next<'a, P: Protocol> {
    space: &'a Space<P>,
    words: &'a mut Vec<u32>,
    /// Where it begins; what is before is of others.
    start: usize,
}

impl<P: Protocol> Next<'_, P> {
    fn state(&self) -> State<'_> {
        self.space.state(&self.words[self.start..])
    }

    /// Changes the fingerprint by what comes and what goes.
    #[inline(always)]
    fn shift(&mut self, comes: u64, goes: u64) {
        let sum = self.state().fingerprint().wrapping_add(comes).wrapping_sub(goes);
        self.words[self.start] = sum as u32;
        self.words[self.start + 1] = (sum >> 32) as u32;
    }

    fn set_ledger(&mut self, ledger: u32) {
        let ledgers = &self.space.ledgers;
        self.shift(ledgers.key(ledger), ledgers.key(self.state().ledger()));
        self.words[self.start + 4] = ledger;
    }

    fn set_local(&mut self, process: usize, local: u32) {
        let locals = &self.space.locals;
        self.shift(locals.key(local), locals.key(self.state().locals()[process]));
        self.words[self.start + HEAD + process] = local;
    }

    fn set_spent(&mut self, what: Spent, value: u8) {
        let before = self.state().all_spent();
        let at = 8 * what as u32;
        let after = before & !(0xff << at) | u64::from(value) << at;
        self.shift(spent_key(after), spent_key(before));
        self.words[self.start + 2] = after as u32;
        self.words[self.start + 3] = (after >> 32) as u32;
    }

    fn spend(&mut self, what: Spent, budget: Budget) {
        if budget != Budget::Unlimited {
            self.set_spent(what, self.state().spent(what) + 1);
        }
    }

    /// Puts a parcel under way.
    fn add(&mut self, parcel: u32) {
        let parcels = &self.space.parcels;
        let all = self.state().parcels();
        // Equal keys mean equal parcels but for one chance in 2^64; then their numbers decide.
        let order = |id: &u32| (parcels.key(*id), *id);
        let place = all.partition_point(|other| order(other) < order(&parcel));
        if self.space.meta[parcel as usize].kept && all.get(place) == Some(&parcel) {
            return;
        }
        self.shift(parcels.key(parcel), 0);
        let head = self.start + HEAD + self.state().processes;
        self.words.insert(head + place, parcel);
    }

    fn remove_at(&mut self, place: usize) {
        let head = self.start + HEAD + self.state().processes;
        let parcel = self.words.remove(head + place);
        self.shift(0, self.space.parcels.key(parcel));
    }

    fn contains(&self, parcel: u32) -> bool {
        self.state().parcels().contains(&parcel)
    }

    fn notify(&mut self, notice: u32) {
        if notice != NONE && !self.contains(notice) {
            self.add(notice);
        }
    }

    /// What a cause does to all but the process concerned.
    fn happen(&mut self, state: State<'_>, cause: Cause) -> Result<(), Need> {
        let faults = &self.space.scenario.faults;
        match cause {
            Cause::Deliver { place } => {
                let meta = self.space.meta[state.parcels()[place as usize] as usize];
                // An answer that is of no use may have to stay; whoever takes it decides.
                if !meta.kept && meta.kind != Kind::Answer {
                    self.remove_at(place as usize);
                    if meta.rest != NONE {
                        self.add(meta.rest);
                    }
                }
            }
            Cause::Timer { .. } => self.spend(Spent::Timeouts, self.space.scenario.timeouts),
            Cause::Invoke { client } => {
                if let Some(request) = self.space.request(state, client) {
                    self.set_ledger(self.space.turned(state.ledger(), request)?.0);
                }
            }
            Cause::Sync { .. } => {}
            Cause::Start { .. } => self.spend(Spent::Restarts, faults.restarts),
            Cause::Crash { process } => {
                self.spend(Spent::Crashes, faults.crashes);
                self.die(state, process);
            }
            Cause::Lose { place } => {
                self.spend(Spent::Losses, faults.losses);
                self.remove_at(place as usize);
            }
            Cause::Duplicate { place } => {
                self.spend(Spent::Duplicates, faults.duplicates);
                self.add(state.parcels()[place as usize]);
            }
            Cause::Cut { group } => {
                self.spend(Spent::Cuts, faults.cuts);
                self.set_spent(Spent::Cut, group + 1);
            }
            Cause::Heal => self.set_spent(Spent::Cut, 0),
            Cause::Break { from, to } => {
                if let Some(place) = self.space.stream_between(state, from, to) {
                    self.remove_at(place);
                }
                self.notify(self.space.notice(from, to));
            }
            Cause::Discard { place } => self.remove_at(place as usize),
            Cause::Tamper { .. } => unreachable!("tampering has its own way"),
        }
        Ok(())
    }

    /// Somebody who lies does something to a message.
    fn tamper(&mut self, state: State<'_>, place: u32, act: u32) -> Result<(), Need> {
        let space = self.space;
        let parcel = state.parcels()[place as usize];
        let meta = space.meta[parcel as usize];
        if let Some(byzantine) = &space.scenario.byzantine {
            self.spend(Spent::Acts, byzantine.acts);
        }
        match (space.acts(state, place)?[act as usize], meta.kind == Kind::Stream) {
            // A copy on a stream arrives at any time, like a replayed one.
            (Act::Replay, is_stream) => self.add(if is_stream { meta.head } else { parcel }),
            (Act::Silence, _) => {
                self.remove_at(place as usize);
                if meta.rest != NONE {
                    self.add(meta.rest);
                }
            }
            (Act::Instead(message), is_stream) => {
                let other = if is_stream { space.beheaded(parcel, message)? } else { message };
                self.remove_at(place as usize);
                self.add(other);
            }
        }
        Ok(())
    }

    /// A process crashes: what was on its streams is an orphan, what was on streams to it is lost and reported, and who
    /// watches it is told.
    fn die(&mut self, state: State<'_>, process: u8) {
        let space = self.space;
        for &parcel in state.parcels() {
            let meta = space.meta[parcel as usize];
            let place = |next: &Self| next.state().parcels().iter().position(|other| *other == parcel);
            match meta.kind {
                Kind::Stream | Kind::Orphan if meta.to == process => {
                    place(self).into_iter().for_each(|place| self.remove_at(place));
                    if meta.kind == Kind::Stream && meta.from != process {
                        self.notify(meta.notice);
                    }
                }
                Kind::Stream if meta.from == process => {
                    place(self).into_iter().for_each(|place| self.remove_at(place));
                    self.add(meta.orphan);
                }
                Kind::Broken if meta.to == process => {
                    place(self).into_iter().for_each(|place| self.remove_at(place));
                }
                Kind::Datagram
                | Kind::Loose
                | Kind::Stream
                | Kind::Orphan
                | Kind::Broken
                | Kind::Request
                | Kind::Answer => {}
            }
        }
        for (watcher, &local) in (0..).zip(state.locals()) {
            let watches = || space.locals.get(local).watched.contains(&space.id(process));
            if watcher != process && space.is_up(local) && watches() {
                self.notify(space.notice(watcher, process));
            }
        }
    }

    /// A process takes its step.
    fn take(&mut self, state: State<'_>, outcome: &Outcome, cause: Cause) -> Result<(), Need> {
        let space = self.space;
        let process = usize::from(space.brief[outcome.local as usize].slot);
        let before = state.locals()[process];
        self.set_local(process, outcome.local);
        if let Cause::Start { .. } = cause
            && space.locals.get(before).state.is_some()
        {
            // It remembers streams that broke while it stood still.
            for peer in &space.locals.get(outcome.local).watched {
                if let Some(peer) = space.slot(*peer) {
                    self.notify(space.notice(process as u8, peer));
                }
            }
        }
        for out in space.outs(outcome) {
            match *out {
                Out::Put(parcel) => self.put(parcel),
                Out::Push(message) => self.push(message)?,
                Out::Watch(notice) => {
                    let peer = space.meta[notice as usize].from;
                    if !space.is_up(self.state().locals()[usize::from(peer)]) {
                        self.notify(notice);
                    }
                }
                Out::Return(answer) => {
                    let (ledger, _) = space.turned(self.state().ledger(), answer)?;
                    self.set_ledger(ledger);
                }
            }
        }
        Ok(())
    }

    /// The first start: all others start too, so that nothing is broken yet.
    fn begin(&mut self, process: usize, outcome: &Outcome) -> Result<(), Need> {
        self.set_local(process, outcome.local);
        for out in self.space.outs(outcome) {
            match *out {
                Out::Put(parcel) => self.add(parcel),
                Out::Push(message) => self.append(message)?,
                Out::Watch(_) => {}
                Out::Return(_) => unreachable!("nothing was asked yet"),
            }
        }
        Ok(())
    }

    fn put(&mut self, parcel: u32) {
        let meta = self.space.meta[parcel as usize];
        // A datagram that would cross a partition is lost.
        let lost = meta.kind == Kind::Datagram && self.space.crosses_cut(self.state(), meta.from, meta.to);
        if !lost {
            self.add(parcel);
        }
    }

    fn push(&mut self, message: u32) -> Result<(), Need> {
        let meta = self.space.meta[message as usize];
        if meta.notice != NONE {
            if self.contains(meta.notice) {
                // The stream is broken, and its sender does not know yet.
                return Ok(());
            }
            if !self.space.is_up(self.state().locals()[usize::from(meta.to)]) {
                self.notify(meta.notice);
                return Ok(());
            }
        }
        self.append(message)
    }

    /// Puts a message at the end of its stream.
    fn append(&mut self, message: u32) -> Result<(), Need> {
        let meta = self.space.meta[message as usize];
        let place = self.space.stream_between(self.state(), meta.from, meta.to);
        let stream = place.map_or(NONE, |place| self.state().parcels()[place]);
        let longer = self.space.pushed(stream, message)?;
        if let Some(place) = place {
            self.remove_at(place);
        }
        self.add(longer);
        Ok(())
    }

    /// An answer reaches its client, or something a process that is down. False if that changes nothing and such steps
    /// are left out.
    fn answer(&mut self, parcel: u32) -> Result<bool, Need> {
        if self.space.meta[parcel as usize].kind != Kind::Answer {
            return Ok(true);
        }
        let (ledger, follows) = self.space.turned(self.state().ledger(), parcel)?;
        let useless = ledger == self.state().ledger();
        if useless && self.space.skips_idle() {
            return Ok(false);
        }
        if let Some(place) = self.state().parcels().iter().position(|other| *other == parcel) {
            self.remove_at(place);
        }
        self.set_ledger(ledger);
        if follows != NONE {
            self.add(follows);
        }
        Ok(true)
    }
}
