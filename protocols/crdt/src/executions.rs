//! Checks of a replicated type, for those here and for your own: all executions of a few operations by a few replicas, in the three
//! forms of replication at once, and long random ones.
//!
//! After each step the replica that changed is judged: the three forms have one state; a state does not depend on the way by which
//! one came to know what one knows (strong convergence); who knows less has a state that is below; operations inflate the state; what
//! [`news`](Replicated::news) leaves out was there; bytes are read as they were written; and whatever the caller asks besides.
//!
//! ```
//! use isles_crdt::{PnCounter, executions::explore};
//! let mut is_sum = |events: &[_], known, state: &PnCounter| {
//!     let sum = isles_crdt::specifications::sum(events, known);
//!     if state.value() == sum { Ok(()) } else { Err(format!("{} instead of {sum}", state.value())) }
//! };
//! let executions = explore(2, 3, |_| vec![1, -5], &mut is_sum)?;
//! assert!(executions > 100);
//! # Ok::<(), String>(())
//! ```

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::rc::Rc;

use isles_causality::Actor;
use isles_kernel::random::Stream;

use crate::canonical::{decode, encode};
use crate::replicated::Replicated;

/// An operation that was done, with what its replica had seen.
#[derive(Debug)]
pub struct Event<R: Replicated> {
    /// The replica.
    pub by: usize,
    /// What was asked of it.
    pub op: R::Op,
    /// The events that were known at its replica, a bit for each.
    pub seen: u32,
    effect: R::Effect,
    delta: R::Delta,
    /// The state of its replica right after it.
    snapshot: R,
}

/// What is known at one replica, and how its state came about in each form.
#[derive(Clone)]
struct Site<R> {
    known: u32,
    by_states: R,
    by_effects: R,
    by_deltas: R,
}

#[derive(Clone)]
struct World<R: Replicated> {
    events: Vec<Rc<Event<R>>>,
    /// Which operation each event was, in the list of those that were offered.
    choices: Vec<u32>,
    sites: Vec<Site<R>>,
}

/// Judges a state by the events so far and which of them are known at it, a bit for each: an error says why it is wrong.
pub type Judge<'j, R> = &'j mut dyn FnMut(&[Rc<Event<R>>], u32, &R) -> Result<(), String>;

/// Runs all executions of at most `operations` operations by `replicas` replicas, with all orders of delivery that keep causes before
/// consequences, and judges each state of each replica. `offer` lists what may be asked as the event of that number. Returns how many
/// different situations there were.
///
/// # Errors
/// With the first state that is wrong, and how it came about.
///
/// # Complexity
/// Exponential; all of 4 operations of 3 kinds by 2 replicas are some ten thousand situations.
pub fn explore<R: Replicated<Op: Clone + Debug>>(
    replicas: usize,
    operations: usize,
    offer: impl Fn(usize) -> Vec<R::Op>,
    judge: Judge<'_, R>,
) -> Result<usize, String> {
    let site = Site { known: 0, by_states: R::default(), by_effects: R::default(), by_deltas: R::default() };
    let mut open = vec![World { events: Vec::new(), choices: Vec::new(), sites: vec![site; replicas] }];
    let mut met = BTreeSet::new();
    while let Some(world) = open.pop() {
        let mut next = Vec::new();
        for replica in 0..replicas {
            if world.events.len() < operations {
                for (choice, op) in offer(world.events.len()).into_iter().enumerate() {
                    next.extend(world.act(replica, op, choice)?.map(|world| (world, replica)));
                }
            }
            for event in 0..world.events.len() {
                next.extend(world.deliver(replica, event)?.map(|world| (world, replica)));
            }
        }
        for (world, changed) in next {
            if met.insert(world.key()) {
                world.judge(changed, judge)?;
                if world.events.len() == operations && met.len() % 199 == 0 {
                    laws(&world.states())?;
                }
                open.push(world);
            }
        }
    }
    Ok(met.len())
}

/// One long random execution of at most 32 operations; deltas come also in any order and more than once. Judges as [`explore`] does.
///
/// # Errors
/// With the seed and the first state that is wrong.
///
/// # Panics
/// When there are more than 32 operations.
pub fn random<R: Replicated<Op: Clone + Debug>>(
    seed: u64,
    (replicas, operations): (usize, usize),
    offer: impl Fn(usize) -> Vec<R::Op>,
    judge: Judge<'_, R>,
) -> Result<(), String> {
    assert!(operations <= 32);
    let mut draws = Stream::new(seed, &[]);
    let site = Site { known: 0, by_states: R::default(), by_effects: R::default(), by_deltas: R::default() };
    let mut world = World { events: Vec::new(), choices: Vec::new(), sites: vec![site; replicas] };
    // Deltas by themselves, in any order.
    let mut loose: Vec<(u32, R)> = vec![(0, R::default()); replicas];
    // Of some types no more than so many operations do something.
    for _ in 0..8 * operations {
        if world.events.len() == operations {
            break;
        }
        let replica = draws.below(replicas as u32) as usize;
        let changed = if draws.below(3) == 0 {
            let mut ops = offer(world.events.len());
            let op = ops.swap_remove(draws.below(ops.len() as u32) as usize);
            world.act(replica, op, 0)?
        } else if !world.events.is_empty() {
            let event = draws.below(world.events.len() as u32) as usize;
            let (known, state) = &mut loose[replica];
            state.apply(&world.events[event].delta);
            *known |= 1 << event;
            world.deliver(replica, event)?
        } else {
            None
        };
        if let Some(changed) = changed {
            world = changed;
            world.judge(replica, judge).map_err(|why| format!("seed {seed}: {why}"))?;
        }
    }
    let operations = world.events.len();
    let all = u32::try_from((1u64 << operations) - 1).expect("at most 32");
    for (replica, (known, state)) in loose.iter_mut().enumerate() {
        while let Some(event) = (0..operations).find(|event| {
            let event_ready = world.events[*event].seen & !world.sites[replica].known == 0;
            world.sites[replica].known & 1 << event == 0 && event_ready
        }) {
            world = world.deliver(replica, event)?.ok_or("it was ready")?;
        }
        world.judge(replica, judge).map_err(|why| format!("seed {seed}: {why}"))?;
        for event in (0..operations).filter(|event| *known & 1 << event == 0) {
            state.apply(&world.events[event].delta);
        }
        if *state != world.sites[replica].by_states || world.sites[replica].known != all {
            return Err(format!("seed {seed}: deltas out of order end elsewhere: {state:?}"));
        }
    }
    if seed.is_multiple_of(8) {
        laws(&world.states()[operations.saturating_sub(12)..])?;
    }
    Ok(())
}

impl<R: Replicated<Op: Clone + Debug>> World<R> {
    /// States of this execution: those after the events, and those of the replicas.
    fn states(&self) -> Vec<R> {
        let after = self.events.iter().map(|event| event.snapshot.clone());
        after.chain(self.sites.iter().map(|site| site.by_states.clone())).collect()
    }

    fn key(&self) -> Vec<u32> {
        let events = self.events.iter().zip(&self.choices);
        let events = events.flat_map(|(event, choice)| [event.by as u32, *choice, event.seen]);
        events.chain(self.sites.iter().map(|site| site.known)).collect()
    }

    /// `replica` does `op`; none if that does nothing.
    fn act(&self, replica: usize, op: R::Op, choice: usize) -> Result<Option<Self>, String> {
        let by = Actor(replica as u64 + 1);
        let site = &self.sites[replica];
        let Some(effect) = site.by_states.prepare(by, op.clone()) else {
            let mut same = site.by_states.clone();
            return match same.act(by, op.clone()) {
                None if same == site.by_states => Ok(None),
                _ => Err(format!("{op:?} was refused and did something")),
            };
        };
        let delta = site.by_states.delta(by, &effect);
        let mut world = self.clone();
        let (index, site) = (world.events.len(), &mut world.sites[replica]);
        let before = site.by_states.clone();
        site.by_states.apply(&delta);
        site.by_deltas.apply(&delta);
        site.by_effects.perform(by, &effect);
        if before == site.by_states || !before.is_below(&site.by_states) {
            return Err(format!("{op:?} does not inflate {before:?}, and gives {:?}", site.by_states));
        }
        let event =
            Event { by: replica, op, seen: site.known, effect, delta, snapshot: site.by_states.clone() };
        site.known |= 1 << index;
        world.events.push(Rc::new(event));
        world.choices.push(choice as u32);
        Ok(Some(world))
    }

    /// `replica` learns of an event whose causes it knows; none if it does not know them, or knows it.
    fn deliver(&self, replica: usize, index: usize) -> Result<Option<Self>, String> {
        let event = &self.events[index];
        let site = &self.sites[replica];
        if site.known & 1 << index != 0 || event.seen & !site.known != 0 {
            return Ok(None);
        }
        let mut world = self.clone();
        let site = &mut world.sites[replica];
        site.known |= 1 << index;
        site.by_states.join(&event.snapshot);
        site.by_effects.perform(Actor(event.by as u64 + 1), &event.effect);
        let news = site.by_deltas.news(&event.delta);
        let mut by_news = site.by_deltas.clone();
        news.iter().for_each(|news| by_news.apply(news));
        site.by_deltas.apply(&event.delta);
        if by_news != site.by_deltas {
            return Err(format!("{news:?} are not the news of {:?}", event.delta));
        }
        if let Some(news) = site.by_deltas.news(&event.delta) {
            return Err(format!("{news:?} is no news"));
        }
        Ok(Some(world))
    }

    fn judge(&self, replica: usize, judge: Judge<'_, R>) -> Result<(), String> {
        let site = &self.sites[replica];
        let history = || {
            let events: Vec<_> =
                self.events.iter().map(|event| (event.by, &event.op, format!("{:b}", event.seen))).collect();
            format!("{events:?} known {:b}", site.known)
        };
        let state = &site.by_states;
        if *state != site.by_effects || *state != site.by_deltas {
            return Err(format!(
                "the forms differ after {}:\n{state:?}\n{:?}\n{:?}",
                history(),
                site.by_effects,
                site.by_deltas
            ));
        }
        for other in &self.sites {
            if other.known & !site.known == 0 && !other.by_states.is_below(state) {
                return Err(format!(
                    "less is known and the state is not below, after {}: {state:?}",
                    history()
                ));
            }
            if other.known == site.known && other.by_states != *state {
                return Err(format!("strong convergence fails after {}: {state:?}", history()));
            }
        }
        match decode::<R>(&encode(state)) {
            Ok(read) if read == *state && encode(&read) == encode(state) => {}
            read => return Err(format!("{state:?} is read back as {read:?}")),
        }
        judge(&self.events, site.known, state).map_err(|why| format!("{why} after {}: {state:?}", history()))
    }
}

/// The laws of a join semilattice, on all triples of some states of one execution.
///
/// # Errors
/// With the law that does not hold, and for which states.
pub fn laws<R: Replicated>(states: &[R]) -> Result<(), String> {
    let joined = |a: &R, b: &R| {
        let mut joined = a.clone();
        joined.join(b);
        joined
    };
    for a in states {
        if joined(a, a) != *a {
            return Err(format!("not idempotent: {a:?}"));
        }
        for b in states {
            let ab = joined(a, b);
            if ab != joined(b, a) {
                return Err(format!("not commutative: {a:?} and {b:?}"));
            }
            if !a.is_below(&ab) || a.is_below(b) && b.is_below(a) && a != b {
                return Err(format!("no order: {a:?} and {b:?}"));
            }
            if let Some(c) = states.iter().find(|c| joined(&ab, c) != joined(a, &joined(b, c))) {
                return Err(format!("not associative: {a:?}, {b:?} and {c:?}"));
            }
        }
    }
    Ok(())
}

/// What must hold of any bytes, from whoever they come: they are refused, or are read as a state, a delta or an effect that has these
/// bytes and no others, and that does no harm to an empty state. Whether anything was read; for fuzzing.
///
/// # Panics
/// When it does not hold.
pub fn is_read<R: Replicated>(bytes: &[u8]) -> bool {
    let mut state = R::default();
    let mut is_read = false;
    if let Ok(read) = decode::<R>(bytes) {
        assert_eq!(encode(&read), bytes);
        state.join(&read);
        let mut twice = state.clone();
        twice.join(&read);
        assert!(state == twice && read.is_below(&state));
        is_read = true;
    }
    if let Ok(delta) = decode::<R::Delta>(bytes) {
        assert_eq!(encode(&delta), bytes);
        state.apply(&delta);
        let mut both = delta.clone();
        R::join_deltas(&mut both, &delta);
        assert!(both == delta && state.news(&delta).is_none(), "{delta:?}");
        is_read = true;
    }
    if let Ok(effect) = decode::<R::Effect>(bytes) {
        assert_eq!(encode(&effect), bytes);
        state.perform(Actor(1), &effect);
        is_read = true;
    }
    assert_eq!(decode::<R>(&encode(&state)).as_ref(), Ok(&state));
    is_read
}
