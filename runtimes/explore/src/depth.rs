//! Depth-first search, with sleep sets if wanted.
//!
//! Two steps of different processes commute, if each only changes its process and what is under way. Of the orders of
//! such steps one is enough. A sleep set (Godefroid, *Partial-Order Methods*, 1996, chapter 5) has the steps that need not
//! be taken in a state, because the state they lead to is, or will be, reached in another order. All states are still
//! reached, by fewer steps. As states are met again by other ways, what slept at the first visit and does not sleep at a later
//! one is taken then.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use isles_kernel::Protocol;

use crate::action::{Action, Cause};
use crate::ample::Ample;
use crate::breadth::{Bounds, Searched};
use crate::digest::digest;
use crate::explorer::{Progress, Watcher};
use crate::parcel::Kind;
use crate::report::Stopped;
use crate::scenario::{Budget, Clients, Timers};
use crate::space::{Out, Space};
use crate::state::{State, States};
use crate::visited::Visited;
use crate::watch::Open;

/// A step by what it is and not by where it is found, so that it is known again in another state: the process that
/// takes it, and the code of its input.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Sleeper {
    process: u8,
    /// The parcel that arrives, or the digest of the timer that fires.
    input: u64,
}

/// What sleeps in a state, ascending.
type Sleep = Box<[Sleeper]>;

/// The states that were met.
enum Met {
    /// By their fingerprints alone.
    Plain(Visited),
    /// Each with what slept at all of its visits so far. Never iterated.
    Sleeping(HashMap<u64, Sleep, rustc_hash::FxBuildHasher>),
}

/// A state that is to be continued; its words are in a list of their own.
struct Pending {
    /// How many steps it is from the beginning.
    depth: u32,
    /// The step that led here; of an initial state, its number.
    action: Action,
    sleep: Sleep,
}

pub(crate) struct Depth<'a, P: Protocol> {
    space: &'a mut Space<P>,
    bounds: Bounds,
    met: Met,
    pending: Vec<Pending>,
    states: States,
    /// The number of the initial state, and the actions that lead to the state that is looked at.
    initial: u32,
    path: Vec<Action>,
    count: u64,
    generated: u64,
    depth: u32,
    stopped: Option<Stopped>,
    open: Open,
    ample: Option<Ample>,
    looks: u64,
    paths: Vec<Option<(u32, Vec<Action>)>>,
}

impl<'a, P: Protocol> Depth<'a, P> {
    /// Sleep sets and ample sets are not used together: what slept is told by all steps of a state.
    pub(crate) fn new(space: &'a mut Space<P>, sleep: bool, ample: Option<Ample>, bounds: Bounds) -> Self {
        let open = Open::all(&space.scenario);
        let paths = vec![None; space.scenario.properties.len() + 1];
        Self {
            space,
            bounds,
            met: if sleep { Met::Sleeping(HashMap::default()) } else { Met::Plain(Visited::new()) },
            pending: Vec::new(),
            states: States::default(),
            initial: 0,
            path: Vec::new(),
            count: 0,
            generated: 0,
            depth: 0,
            stopped: None,
            open,
            ample,
            looks: 0,
            paths,
        }
    }

    pub(crate) fn run(mut self, progress: Watcher<'_>) -> Searched {
        for (number, words) in (0..).zip(&self.space.initial()) {
            let fingerprint = self.space.known(|space| space.fingerprint(words));
            self.generated += 1;
            if self.is_to_visit(fingerprint) {
                self.pending.push(Pending { depth: 0, action: Action(number), sleep: Sleep::default() });
                self.states.push(words);
            }
        }
        let mut words = Vec::new();
        while let Some(Pending { depth, action, sleep }) = self.pending.pop() {
            self.states.pop(&mut words);
            match depth {
                0 => self.initial = action.0,
                _ => {
                    self.path.truncate(depth as usize - 1);
                    self.path.push(action);
                }
            }
            if depth == 0 {
                self.path.clear();
            }
            self.visit(&words, &sleep);
            if self.count.is_multiple_of(4096) {
                let (states, generated, depth) = (self.count, self.generated, self.depth);
                let frontier = self.pending.len() as u64;
                if progress(Progress { states, generated, depth, frontier }).is_break() {
                    self.stopped = Some(Stopped::OnRequest);
                    break;
                }
            }
            if matches!(self.stopped, Some(Stopped::AtViolation | Stopped::AtStates(_))) {
                break;
            }
        }
        let Self { count, generated, depth, stopped, looks, paths, .. } = self;
        Searched { states: count, generated, depth, stopped, spilled: 0, chance: None, looks, paths }
    }

    /// Without sleep sets a state is noted as soon as it is seen, so that it waits once.
    fn is_to_visit(&mut self, fingerprint: u64) -> bool {
        match &mut self.met {
            Met::Plain(visited) => visited.insert(fingerprint),
            Met::Sleeping(_) => true,
        }
    }

    /// Looks at a state that comes for the first time, and takes the steps that are left to take.
    fn visit(&mut self, words: &[u32], sleep: &[Sleeper]) {
        let depth = self.path.len() as u32;
        self.depth = self.depth.max(depth);
        let fingerprint = self.space.known(|space| space.fingerprint(words));
        let (mut sleep, mut only) = (sleep.to_vec(), None);
        let mut is_new = true;
        if let Met::Sleeping(met) = &mut self.met {
            match met.entry(fingerprint) {
                Entry::Vacant(entry) => {
                    entry.insert(sleep.clone().into());
                }
                Entry::Occupied(mut entry) => {
                    is_new = false;
                    let (still, woken): (Vec<_>, Vec<_>) =
                        entry.get().iter().partition(|sleeper| sleep.contains(sleeper));
                    if woken.is_empty() {
                        return;
                    }
                    sleep.clone_from(&still);
                    entry.insert(still.into());
                    only = Some(woken);
                }
            }
        }
        if is_new {
            self.count += 1;
            self.look(words);
        }
        if depth >= self.bounds.depth {
            self.stopped.get_or_insert(Stopped::AtDepth(self.bounds.depth));
        } else {
            self.go_on(words, sleep, only.as_deref());
        }
        if self.count >= self.bounds.states && self.pending.iter().any(|_| true) {
            self.stopped = Some(Stopped::AtStates(self.bounds.states));
        }
    }

    fn look(&mut self, words: &[u32]) {
        let Self { space, open, paths, initial, path, looks, .. } = self;
        let mut violated = false;
        let mut decided = Vec::new();
        *looks |= space.decide(space.state(words), open, |property| {
            violated |= space.is_violation(property);
            decided.push(property);
        });
        for property in decided {
            open.close(property);
            paths[property] = Some((*initial, path.clone()));
        }
        if violated && !self.bounds.whole {
            self.stopped = Some(Stopped::AtViolation);
        }
    }

    /// Puts the successors of a state on the stack, so that the first comes off first.
    fn go_on(&mut self, words: &[u32], mut sleep: Vec<Sleeper>, only: Option<&[Sleeper]>) {
        let sleeping = matches!(self.met, Met::Sleeping(_));
        let mut successors: Vec<(Action, u64)> = self.space.known(|space| {
            let (mut all, mut scratch) = (Vec::new(), Vec::new());
            space.fingerprints(space.state(words), &mut scratch, |action, fingerprint| {
                all.push((action, fingerprint));
            })?;
            Ok(all)
        });
        if let (Some(ample), Met::Plain(visited)) = (&self.ample, &self.met) {
            let (space, state) = (&*self.space, self.space.state(words));
            let is_new = |fingerprint| !visited.contains(fingerprint);
            let process = ample.process(space, state, successors.iter().copied(), is_new);
            successors.retain(|(action, _)| process.is_none() || space.stepper(state, *action) == process);
        }
        let first = self.pending.len();
        let mut made = Vec::new();
        let mut last: Option<(Cause, Option<Sleeper>, Sleep)> = None;
        for (action, fingerprint) in successors {
            let cause = action.cause();
            if sleeping && last.as_ref().is_none_or(|(other, ..)| *other != cause) {
                // All outcomes of one cause have been pushed: from now on it sleeps.
                if let Some((_, Some(sleeper), _)) = last.take() {
                    sleep.push(sleeper);
                }
                let sleeper = self.space.sleeper(self.space.state(words), cause);
                let heirs = sleep.iter().filter(|other| sleeper.is_some_and(|me| me.commutes(other)));
                last = Some((cause, sleeper, heirs.copied().collect()));
            }
            let heir = match &last {
                Some((_, sleeper, heir)) => {
                    let is_among = |list: &[Sleeper]| sleeper.is_some_and(|me| list.contains(&me));
                    if is_among(&sleep) || only.is_some_and(|only| !is_among(only)) {
                        continue;
                    }
                    heir.clone()
                }
                None => Sleep::default(),
            };
            self.generated += 1;
            if self.is_to_visit(fingerprint) {
                let depth = self.path.len() as u32 + 1;
                self.pending.push(Pending { depth, action, sleep: heir });
                made.push(action);
            }
        }
        self.pending[first..].reverse();
        let mut next = Vec::new();
        for action in made.into_iter().rev() {
            let known = self.space.successor(self.space.state(words), action, &mut next);
            known.expect("whoever computed the fingerprint had all that is needed");
            self.states.push(&next);
        }
    }
}

/// The place of remote clients among processes: what reaches two of them does not commute, for the history tells which
/// came first.
const CLIENTS: u8 = u8::MAX;

impl Sleeper {
    const fn commutes(self, other: &Self) -> bool {
        self.process != other.process
    }
}

impl<P: Protocol> Space<P> {
    /// A cause as something that commutes with what other processes do; none if it does not.
    fn sleeper(&self, state: State<'_>, cause: Cause) -> Option<Sleeper> {
        let (process, input) = match cause {
            Cause::Deliver { place } => {
                let parcel = state.parcels()[place as usize];
                let meta = self.meta[parcel as usize];
                match meta.kind {
                    Kind::Answer => (CLIENTS, self.parcels.key(parcel)),
                    Kind::Stream | Kind::Orphan => (meta.to, self.parcels.key(meta.head)),
                    Kind::Datagram | Kind::Loose | Kind::Broken | Kind::Request => {
                        (meta.to, self.parcels.key(parcel))
                    }
                }
            }
            Cause::Timer { process, place }
                if self.scenario.timers == Timers::Free && self.scenario.timeouts == Budget::Unlimited =>
            {
                let local = self.locals.get(state.locals()[usize::from(process)]);
                (process, digest(0, &local.timers[usize::from(place)]))
            }
            Cause::Sync { process } => (process, 1),
            Cause::Timer { .. }
            | Cause::Invoke { .. }
            | Cause::Start { .. }
            | Cause::Crash { .. }
            | Cause::Lose { .. }
            | Cause::Duplicate { .. }
            | Cause::Cut { .. }
            | Cause::Heal
            | Cause::Break { .. }
            | Cause::Tamper { .. }
            | Cause::Discard { .. } => return None,
        };
        if self.scenario.place == Clients::Attached
            && let Ok(Some((local, code))) = self.key(state, cause)
            && let Ok((first, count)) = self.outcomes(local, code)
        {
            // Attached clients are answered on the spot, and the history tells what came first.
            let answers =
                |index| self.outs(self.outcome(index)).iter().any(|out| matches!(out, Out::Return(_)));
            if (first..first + count).any(answers) {
                return None;
            }
        }
        Some(Sleeper { process, input })
    }
}
