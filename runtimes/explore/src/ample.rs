//! Ample sets: in some states the steps of one process are enough.
//!
//! Deliveries to different processes are independent. If nobody else will ever send to a process again, and what it does
//! is not asked about, then whatever happens elsewhere can happen after its next step just as well: of all steps in
//! such a state those of this process are enough (Clarke, Grumberg and Peled, *Model Checking*, 1999, chapter 10: conditions
//! C0 to C3). Unlike sleep sets this leaves out states.
//!
//! Who may still send to whom, and what properties look at, is believed to be what was seen so far, at first nothing, and a
//! search that sees more is done again with what it saw. The last one saw nothing that it did not believe; and it would have: a
//! shortest way to a step that contradicts has only steps before it that do not, these commute with all that was put
//! before them, and so the step was taken somewhere.

use isles_kernel::Protocol;

use crate::action::{Action, Cause};
use crate::parcel::Kind;
use crate::scenario::{Budget, Scenario, Timers};
use crate::space::{Out, Space};
use crate::state::State;

/// Processes have a bit each.
const PROCESSES_MAX: u32 = 64;

/// After so many searches processes are told apart no longer by their local states, and after twice as many all states are
/// looked at.
const SEARCHES_MAX: u32 = 8;

/// What is believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ample {
    /// For each local state: to whom its process may send, now or ever after. Nobody for those that nobody has met.
    sends: Vec<u64>,
    /// The processes that properties look at.
    looked: u64,
    /// How many searches began with other beliefs.
    searches: u32,
}

impl Ample {
    /// Nothing is believed; none if the scenario has what makes all steps depend on each other.
    pub(crate) fn new<P: Protocol>(space: &Space<P>) -> Option<Self> {
        is_suited(&space.scenario).then(Self::default)
    }

    /// Learns what a search saw, given what its properties looked at. False if that is nothing new.
    pub(crate) fn learn<P: Protocol>(&mut self, space: &Space<P>, looks: u64) -> bool {
        let mut sends = vec![0u64; space.locals.len()];
        for &(local, first) in &space.taken {
            for outcome in space.siblings(first) {
                for out in space.outs(outcome) {
                    if let Out::Put(message) | Out::Push(message) = out
                        && space.meta[*message as usize].kind != Kind::Answer
                    {
                        sends[local as usize] |= 1 << space.meta[*message as usize].to;
                    }
                }
            }
        }
        // Whoever comes to a local state may do what is done there.
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for &(local, first) in space.taken.iter().rev() {
                let after =
                    space.siblings(first).iter().fold(0, |all, next| all | sends[next.local as usize]);
                changed |= after & !sends[local as usize] != 0;
                sends[local as usize] |= after;
            }
        }
        if self.searches >= SEARCHES_MAX {
            let mut of_process = [0; PROCESSES_MAX as usize];
            for (brief, sends) in space.brief.iter().zip(&sends) {
                of_process[usize::from(brief.slot)] |= sends;
            }
            for (brief, sends) in space.brief.iter().zip(&mut sends) {
                *sends = of_process[usize::from(brief.slot)];
            }
        }
        let believed = |local: usize| self.sends.get(local).copied().unwrap_or(0);
        let is_new = sends.iter().enumerate().any(|(local, sends)| sends & !believed(local) != 0);
        self.sends = sends;
        let is_new = is_new || looks & !self.looked != 0;
        self.looked |= looks;
        self.searches += 1;
        is_new
    }

    /// Whether beliefs change so often that it is better to have none.
    pub(crate) const fn is_hopeless(&self) -> bool {
        self.searches > 2 * SEARCHES_MAX
    }

    /// The process whose steps are enough in a state, if there is one; of several, one with the fewest. `successors` are all
    /// actions with the fingerprints after them, and `is_new` says of a fingerprint whether nobody has met it.
    pub(crate) fn process<P: Protocol>(
        &self,
        space: &Space<P>,
        state: State<'_>,
        successors: impl Iterator<Item = (Action, u64)> + Clone,
        is_new: impl Fn(u64) -> bool,
    ) -> Option<u8> {
        let sends = |local: u32| self.sends.get(local as usize).copied().unwrap_or(0);
        let mut best: Option<(usize, u8)> = None;
        let all = successors.clone().count();
        for slot in 0..state.processes as u8 {
            let mine =
                || successors.clone().filter(|(action, _)| space.stepper(state, *action) == Some(slot));
            let count = mine().count();
            // C0: something, and less than everything. C2: nobody sees it.
            if count == 0 || count == all || best.is_some_and(|(fewest, _)| fewest <= count) {
                continue;
            }
            if self.looked >> slot & 1 == 1 || mine().any(|(action, _)| space.answers(state, action)) {
                continue;
            }
            // C1: nothing that concerns this process can happen before its step.
            let others = state.locals().iter().enumerate().filter(|(other, _)| *other != usize::from(slot));
            let is_left_alone = others.map(|(_, local)| sends(*local)).all(|sends| sends >> slot & 1 == 0);
            let has_timers = space.brief[state.locals()[usize::from(slot)] as usize].timers > 0;
            let is_bounded = has_timers && space.scenario.timeouts != Budget::Unlimited;
            if !is_left_alone || is_bounded || space.is_asked_later(state, slot) {
                continue;
            }
            // C3: nothing is put off for ever, for each round has a state that nobody had met.
            if mine().any(|(_, fingerprint)| is_new(fingerprint)) {
                best = Some((count, slot));
            }
        }
        best.map(|(_, slot)| slot)
    }
}

/// Whether steps of different processes are independent in a scenario at all.
fn is_suited<P: Protocol>(scenario: &Scenario<P>) -> bool {
    let faults = &scenario.faults;
    faults.losses == Budget::NONE
        && matches!(faults.duplicates, Budget::UpTo(0) | Budget::Unlimited)
        && faults.crashes == Budget::NONE
        && faults.cuts == Budget::NONE
        && scenario.byzantine.is_none()
        && scenario.symmetry.is_none()
        && scenario.processes <= PROCESSES_MAX
}

impl<P: Protocol> Space<P> {
    /// The process that takes a step alone; none if others are concerned.
    pub(crate) fn stepper(&self, state: State<'_>, action: Action) -> Option<u8> {
        match action.cause() {
            Cause::Deliver { place } => {
                let meta = self.meta[state.parcels()[place as usize] as usize];
                (meta.kind != Kind::Answer).then_some(meta.to)
            }
            // Timers that wait until all is quiet depend on everything.
            Cause::Timer { process, .. } if self.scenario.timers == Timers::Free => Some(process),
            Cause::Timer { .. }
            | Cause::Invoke { .. }
            | Cause::Sync { .. }
            | Cause::Start { .. }
            | Cause::Crash { .. }
            | Cause::Lose { .. }
            | Cause::Duplicate { .. }
            | Cause::Cut { .. }
            | Cause::Heal
            | Cause::Break { .. }
            | Cause::Discard { .. }
            | Cause::Tamper { .. } => None,
        }
    }

    /// Whether an attached client is answered in a step: the history tells when.
    fn answers(&self, state: State<'_>, action: Action) -> bool {
        let Ok(Some((local, code))) = self.key(state, action.cause()) else { return false };
        self.outcomes(local, code).is_ok_and(|(first, _)| {
            let outs = self.outs(self.outcome(first + action.outcome()));
            outs.iter().any(|out| matches!(out, Out::Return(_)))
        })
    }

    /// Whether a client will ask this process something that it has not asked yet.
    fn is_asked_later(&self, state: State<'_>, slot: u8) -> bool {
        let ledger = self.ledgers.get(state.ledger());
        self.scenario.clients.iter().zip(&ledger.progress).any(|(script, progress)| {
            script.iter().skip(progress.invoked.into()).any(|(at, _)| self.slot(*at) == Some(slot))
        })
    }
}
