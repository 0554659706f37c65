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
mod sweep;
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
    match decide_parts(model, operations, parts, limits) {
        Verdict::Holds(order) => Verdict::Holds(order),
        Verdict::Violated(refutation) => Verdict::Violated(refutation.explain(model, operations)),
        Verdict::Unknown(progress) => Verdict::Unknown(progress),
    }
}

/// As [`check`], without the explanation of a history that is not linearizable, which may take longer than to find out; it can be had
/// [later](Refutation::explain).
pub fn decide<M: Model>(
    model: &M,
    operations: &[Operation<M::Op, M::Reply>],
    limits: &Limits,
) -> Verdict<Order, Refutation> {
    decide_parts(model, operations, partition(model, operations), limits)
}

/// As [`decide`], for parts of a history that can be judged apart; what is in none of them is ignored.
pub fn decide_parts<M: Model>(
    model: &M,
    operations: &[Operation<M::Op, M::Reply>],
    parts: Vec<Vec<u32>>,
    limits: &Limits,
) -> Verdict<Order, Refutation> {
    let mut parties = Parties { alone: parts.len() == 1, orders: Vec::new(), jobs: Vec::new(), nodes: 0 };
    for members in parts {
        match model.monitor(operations, &members) {
            Some(Ok(order)) => parties.orders.push(order),
            Some(Err(core)) => return Verdict::Violated(Refutation { members, shown: Shown::Core(core) }),
            None => {
                let job = Job::new(model, operations, members, limits, Rules::ALL);
                if let Some(refutation) = parties.turn(vec![job], FIRST_TURN, limits) {
                    return Verdict::Violated(refutation);
                }
            }
        }
    }
    parties.decide(model, operations, limits)
}

/// Searches of parts that take turns.
struct Parties<'a, M: Model> {
    alone: bool,
    /// Orders of parts that have one.
    orders: Vec<Vec<u32>>,
    /// Searches that are not over.
    jobs: Vec<Job<'a, M>>,
    /// How many configurations were entered.
    nodes: u64,
}

impl<'a, M: Model> Parties<'a, M> {
    fn decide(
        mut self,
        model: &M,
        operations: &[Operation<M::Op, M::Reply>],
        limits: &Limits,
    ) -> Verdict<Order, Refutation> {
        // Operations of unknown outcome may lead a search into many ways where few are worth it.
        let mut optional = self.jobs.iter().filter(|job| job.has_optional());
        let refuted = optional.find_map(|job| job.sweep(model, operations));
        let jobs = std::mem::take(&mut self.jobs);
        if let Some(refutation) = refuted.or_else(|| self.turn(jobs, SECOND_TURN, limits)) {
            return Verdict::Violated(refutation);
        }
        // What all ways come to, or a few operations in a row show, is found without search.
        for job in &self.jobs {
            if let Some(refutation) = job.sweep(model, operations).or_else(|| job.glance(model, operations)) {
                return Verdict::Violated(refutation);
            }
        }
        let mut turn = SECOND_TURN;
        while !self.jobs.is_empty() {
            if self.nodes >= limits.nodes {
                return Verdict::Unknown(progress(&self.jobs, self.alone));
            }
            turn *= 4;
            let jobs = std::mem::take(&mut self.jobs);
            if let Some(refutation) = self.turn(jobs, turn, limits) {
                return Verdict::Violated(refutation);
            }
        }
        Verdict::Holds(merge(operations, self.orders))
    }

    /// Lets each search go on for a while; stops at the first part that has no order.
    fn turn(&mut self, jobs: Vec<Job<'a, M>>, nodes: u64, limits: &Limits) -> Option<Refutation> {
        for mut job in jobs {
            let nodes = nodes.min(limits.nodes.saturating_sub(self.nodes));
            match job.run(nodes) {
                Standing::Found => self.orders.push(job.order()),
                Standing::Refuted => return Some(job.refutation()),
                Standing::Open => self.jobs.push(job),
            }
            self.nodes += nodes;
        }
        None
    }
}

/// That a history has no order: one of its parts has none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refutation {
    members: Vec<u32>,
    shown: Shown,
}

/// What showed it.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Shown {
    /// These operations, to a monitor.
    Core(Vec<u32>),
    /// A search, which could not pass the return at this moment.
    Until(Moment),
    /// This, at a glance.
    Contradiction(Contradiction),
}

impl Refutation {
    /// Why: operations that contradict one another, as few as can be found soon, of the history that was decided.
    pub fn explain<M: Model>(self, model: &M, operations: &[Operation<M::Op, M::Reply>]) -> Contradiction {
        match self.shown {
            Shown::Core(core) => explain_core(model, operations, &self.members, core),
            Shown::Until(until) => explain_search(model, operations, &self.members, until),
            Shown::Contradiction(why) => why,
        }
    }
}

/// How many configurations each part gets at first.
const FIRST_TURN: u64 = 1 << 10;
/// And when its turn comes again; four times as many each time after that.
const SECOND_TURN: u64 = 3 << 10;
/// How many ways are looked at together after a turn.
const SWEEP_WAYS_MAX: usize = 1 << 11;
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

    /// That the search found no order.
    fn refutation(self) -> Refutation {
        let until = self.furthest().0;
        Refutation { members: self.members, shown: Shown::Until(until) }
    }

    /// Whether there are operations of unknown outcome.
    fn has_optional(&self) -> bool {
        let timeline = match &self.search {
            Width::Narrow(search) => &search.timeline,
            Width::Wide(search) => &search.timeline,
        };
        timeline.items.iter().any(timeline::Item::is_optional)
    }

    /// That a walk with all ways comes to an end where there are none.
    fn sweep(&self, model: &M, operations: &[Operation<M::Op, M::Reply>]) -> Option<Refutation> {
        let until = Examiner::new(model, operations, &self.members).refuted_until(SWEEP_WAYS_MAX)?;
        Some(Refutation { members: self.members.clone(), shown: Shown::Until(until) })
    }

    /// A contradiction that a few operations in a row show.
    fn glance(&self, model: &M, operations: &[Operation<M::Op, M::Reply>]) -> Option<Refutation> {
        let mut examiner = Examiner::new(model, operations, &self.members);
        let core = examiner.local_contradiction(GLANCE)?;
        let shown = Shown::Contradiction(contradiction(&examiner, operations, &core));
        Some(Refutation { members: Vec::new(), shown })
    }
}

fn contradiction<M: Model>(
    examiner: &Examiner<'_, M>,
    operations: &[Operation<M::Op, M::Reply>],
    core: &[timeline::Local],
) -> Contradiction {
    Contradiction::new(operations, core.iter().map(|local| examiner.timeline.item(*local).member))
}

/// Why a search found no order of operations that returned up to some moment.
fn explain_search<M: Model>(
    model: &M,
    operations: &[Operation<M::Op, M::Reply>],
    members: &[u32],
    until: Moment,
) -> Contradiction {
    let mut examiner = Examiner::new(model, operations, members);
    match examiner.contradiction(until) {
        Some(core) => contradiction(&examiner, operations, &core),
        // Nothing small shows it: all that was searched does.
        None => {
            let searched = members.iter().copied();
            Contradiction::new(
                operations,
                searched.filter(|member| operations[*member as usize].returned() <= until),
            )
        }
    }
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
