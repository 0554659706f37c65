//! Linearizability (Herlihy and Wing 1990): each operation takes effect at one moment between its invocation and its return.

mod explain;
pub mod incremental;
#[cfg(test)]
mod litmus;
pub(crate) mod machine;
mod mask;
mod partition;
mod refute;
mod rules;
mod search;
mod shrink;
pub(crate) mod timeline;
pub mod zones;

use isles_history::{Moment, Operation};

use crate::{Model, Parts, Progress, Verdict};
use mask::{Mask, Wide};
use refute::Examiner;
use rules::Rules;
use search::{Search, Standing};
use timeline::Timeline;

pub use explain::Contradiction;
pub use partition::partition;

/// How much a search may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How many configurations it may enter, all parts of the history together. The default takes a few seconds.
    pub nodes: u64,
    /// How many failed configurations it may remember for each part; it forgets and goes on beyond. 16 bytes each and more where many
    /// operations are open.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { nodes: 20_000_000, memory: 1 << 22 }
    }
}

/// An order in which operations took effect: their places in the history. Those of unknown outcome that are missing took none.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Order(pub Vec<u32>);

impl Order {
    /// For each operation of the order, the moment after which it took effect: the earliest possible.
    pub fn moments<Op, Reply>(
        &self,
        operations: &[Operation<Op, Reply>],
    ) -> impl Iterator<Item = (u32, Moment)> {
        self.0.iter().scan(0, |now, place| {
            *now = operations[*place as usize].invoked.max(*now);
            Some((*place, *now))
        })
    }
}

/// Judges whether a history is linearizable. Operations on different objects are judged apart, objects for which the model
/// has a monitor by that, all others by search, in turns, so that a part that is easily refuted is found while others are hard.
///
/// ```
/// use isles_check::{Verdict, linearizability::{Limits, check}, models::register::{Op, Register, Reply}};
/// use isles_history::{Operation, Outcome};
///
/// let returned = |at, reply| Outcome::Returned { at, reply };
/// let history = [
///     Operation { process: 0, invoked: 0, op: Op::Write(1), outcome: returned(1, Reply::Done) },
///     Operation { process: 1, invoked: 2, op: Op::Read, outcome: returned(3, Reply::Value(0)) },
/// ];
/// let register = Register { initial: 0 };
/// let Verdict::Violated(why) = check(&register, &history, &Limits::default()) else { panic!("the read is stale") };
/// assert_eq!(why.core, [0, 1]);
/// ```
///
/// # Complexity
/// Exponential in the number of operations open at a time, in general (Gibbons and Korach 1997); within [`Limits`].
pub fn check<M: Model>(
    model: &M,
    operations: &[Operation<M::Op, M::Reply>],
    limits: &Limits,
) -> Verdict<Order, Contradiction> {
    check_parts(model, operations, partition(model, operations), limits)
}

/// As [`check`], for parts of a history that can be judged apart; what is in none of them is ignored.
pub fn check_parts<M: Model>(
    model: &M,
    operations: &[Operation<M::Op, M::Reply>],
    parts: Vec<Vec<u32>>,
    limits: &Limits,
) -> Verdict<Order, Contradiction> {
    let alone = parts.len() == 1;
    let mut orders: Vec<Vec<u32>> = Vec::new();
    let mut jobs: Vec<Job<'_, M>> = Vec::new();
    let mut nodes = 0;
    for members in parts {
        match model.monitor(operations, &members) {
            Some(Ok(order)) => orders.push(order),
            Some(Err(core)) => return Verdict::Violated(explain_core(model, operations, &members, core)),
            None => {
                let mut job = Job::new(model, operations, members, limits, Rules::ALL);
                match job.run(FIRST_TURN) {
                    Standing::Found => orders.push(job.order()),
                    Standing::Refuted => return Verdict::Violated(job.explain(model, operations)),
                    Standing::Open => jobs.push(job),
                }
                nodes += FIRST_TURN;
            }
        }
    }
    // What a few operations in a row show is found without search.
    for job in &jobs {
        if let Some(why) = job.glance(model, operations) {
            return Verdict::Violated(why);
        }
    }
    let mut turn = FIRST_TURN;
    while !jobs.is_empty() {
        if nodes >= limits.nodes {
            return Verdict::Unknown(progress(&jobs, alone));
        }
        turn *= 4;
        let mut open = Vec::new();
        for mut job in jobs {
            match job.run(turn.min(limits.nodes.saturating_sub(nodes))) {
                Standing::Found => orders.push(job.order()),
                Standing::Refuted => return Verdict::Violated(job.explain(model, operations)),
                Standing::Open => open.push(job),
            }
            nodes += turn.min(limits.nodes.saturating_sub(nodes));
        }
        jobs = open;
    }
    Verdict::Holds(merge(operations, orders))
}

/// How many configurations each part gets at first; four times as many each time that its turn comes again.
const FIRST_TURN: u64 = 4096;
/// How many operations that return one after another are looked at without search.
const GLANCE: usize = 4;

/// The search of one part.
struct Job<'a, M: Model> {
    members: Vec<u32>,
    search: Width<'a, M>,
}

/// A search with as wide sets of slots as it needs.
enum Width<'a, M: Model> {
    Narrow(Search<'a, M, u64>),
    Wide(Search<'a, M, Wide>),
}

impl<'a, M: Model> Job<'a, M> {
    fn new(
        model: &'a M,
        operations: &'a [Operation<M::Op, M::Reply>],
        members: Vec<u32>,
        limits: &Limits,
        rules: Rules,
    ) -> Self {
        let (timeline, machine) = Timeline::new(model, operations, &members);
        let search = if timeline.slots <= 64 {
            Width::Narrow(Search::new(timeline, machine, rules, limits.memory))
        } else {
            Width::Wide(Search::new(timeline, machine, rules, limits.memory))
        };
        Self { members, search }
    }

    fn run(&mut self, nodes: u64) -> Standing {
        match &mut self.search {
            Width::Narrow(search) => search.run(nodes),
            Width::Wide(search) => search.run(nodes),
        }
    }

    fn order(&self) -> Vec<u32> {
        match &self.search {
            Width::Narrow(search) => search.order(),
            Width::Wide(search) => search.order(),
        }
    }

    /// The moment of the furthest event reached, how many operations returned before, and how many ways were left.
    fn furthest(&self) -> (Moment, usize, usize) {
        fn of<M: Model, K: Mask>(search: &Search<'_, M, K>) -> (Moment, usize, usize) {
            let passed = &search.timeline.events[..search.furthest as usize];
            let at = search.timeline.events.get(search.furthest as usize);
            let moment = at.map_or(Moment::MAX, |event| search.timeline.item(event.operation()).returned);
            let decided = passed.iter().filter(|event| event.is_return()).count();
            (moment, decided, search.ways_left())
        }
        match &self.search {
            Width::Narrow(search) => of(search),
            Width::Wide(search) => of(search),
        }
    }

    #[cfg(test)]
    fn nodes(&self) -> u64 {
        match &self.search {
            Width::Narrow(search) => search.nodes,
            Width::Wide(search) => search.nodes,
        }
    }

    /// Why the search found no order.
    fn explain(&self, model: &M, operations: &[Operation<M::Op, M::Reply>]) -> Contradiction {
        let until = self.furthest().0;
        let mut examiner = Examiner::new(model, operations, &self.members);
        match examiner.contradiction(until) {
            Some(core) => contradiction(&examiner, operations, &core),
            // Nothing small shows it: all that was searched does.
            None => Contradiction::new(
                operations,
                self.members
                    .iter()
                    .copied()
                    .filter(|member| operations[*member as usize].returned() <= until),
            ),
        }
    }

    /// A contradiction that a few operations in a row show.
    fn glance(&self, model: &M, operations: &[Operation<M::Op, M::Reply>]) -> Option<Contradiction> {
        let mut examiner = Examiner::new(model, operations, &self.members);
        let core = examiner.local_contradiction(GLANCE)?;
        Some(contradiction(&examiner, operations, &core))
    }
}

fn contradiction<M: Model>(
    examiner: &Examiner<'_, M>,
    operations: &[Operation<M::Op, M::Reply>],
    core: &[timeline::Local],
) -> Contradiction {
    Contradiction::new(operations, core.iter().map(|local| examiner.timeline.item(*local).member))
}

/// What a monitor found, made small.
fn explain_core<M: Model>(
    model: &M,
    operations: &[Operation<M::Op, M::Reply>],
    members: &[u32],
    core: Vec<u32>,
) -> Contradiction {
    // What was read as a whole counts only as far as the others of the core go.
    let is_whole = |name: &u32| {
        let operation = &operations[*name as usize];
        operation
            .reply()
            .is_some_and(|reply| model.narrowed(&operation.op, reply, &Parts::default()).is_some())
    };
    if core.iter().any(is_whole) {
        return Contradiction::new(operations, core);
    }
    let mut examiner =
        Examiner::new(model, operations, &refute::that_matter(model, operations, members, &core));
    let mut locals: Vec<timeline::Local> = (0..)
        .zip(&examiner.timeline.items)
        .filter(|(_, item)| core.contains(&item.member) && !item.is_optional())
        .map(|(local, _)| timeline::Local(local))
        .collect();
    if !examiner.refutes(&locals) {
        let until =
            core.iter().map(|name| operations[*name as usize].returned()).filter(|at| *at < Moment::MAX);
        let until = until.max().unwrap_or(Moment::MAX);
        match examiner.contradiction(until) {
            Some(found) => locals = found,
            None => return Contradiction::new(operations, core),
        }
    } else {
        locals = examiner.shrink(&locals);
    }
    contradiction(&examiner, operations, &locals)
}

/// One order of all, from orders of parts: each operation takes effect as early as it can.
fn merge<Op, Reply>(operations: &[Operation<Op, Reply>], orders: Vec<Vec<u32>>) -> Order {
    let mut orders = orders;
    if orders.len() <= 1 {
        return Order(orders.pop().unwrap_or_default());
    }
    let mut all: Vec<(Moment, u32)> = Vec::with_capacity(orders.iter().map(Vec::len).sum());
    for order in orders {
        all.extend(Order(order).moments(operations).map(|(place, moment)| (moment, place)));
    }
    // Stable: within a part the order stays, and what is between parts does not matter.
    all.sort_by_key(|(moment, _)| *moment);
    Order(all.into_iter().map(|(_, place)| place).collect())
}

/// How far searches came that were given up.
fn progress<M: Model>(jobs: &[Job<'_, M>], alone: bool) -> Progress {
    let (_, decided, frontier) =
        jobs.iter().map(Job::furthest).min_by_key(|(moment, ..)| *moment).unwrap_or((0, 0, 0));
    let wide = jobs.iter().any(|job| matches!(&job.search, Width::Wide(_)));
    let help = if wide {
        "fewer operations open at a time, above all fewer of unknown outcome; or more nodes"
    } else if alone {
        "values that are written once each, or operations that tell their object, so that parts are judged apart; or more nodes"
    } else {
        "values that are written once each; or more nodes"
    };
    Progress { decided, frontier, help }
}
