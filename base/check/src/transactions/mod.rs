//! Isolation levels of transactions, and causal and session levels: [`check`] judges one level, [`crate::lattice::place`] all.
//!
//! | level | how it is decided | cost |
//! | --- | --- | --- |
//! | read committed, read atomic | arcs that imply all others (AWDIT, PLDI 2025) | O(n^1.5) |
//! | causal, causal convergence | dense clocks, freed behind the last reader, in blocks | O(n·k) for k sessions |
//! | causal memory, PRAM | a saturated view for each session | O(n·k) and more where much is derived |
//! | session guarantees | demands on the order of each key's writes, for each session | nearly linear |
//! | prefix, snapshot isolation, serializability | lists: cycles; registers: saturation, then a frontier search | NP-complete; budget |
//!
//! **Registers** must be written with unique values for each key, as far as they are read; a read whose value two committed
//! transactions wrote makes the answer unknown. **Lists** show the order of their versions and need no search, but for snapshot isolation of
//! elements that nobody read. This order is one for all: every level but the session guarantees respects it, so that causal consistency and
//! causal convergence are one for lists, and a list lacks nothing that is visible to its reader. The guarantees ask what a list has, and in
//! which order. Transactions with an unknown outcome count as committed if somebody saw what they wrote. A thin-air
//! read, a read from an aborted transaction, an intermediate read and a transaction that does not see its own writes break every
//! level but the session guarantees, which leave such reads out.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "few of many levels, anomalies, reasons and steps matter at each place"
)]

mod arcs;
#[cfg(test)]
mod axioms;
#[cfg(test)]
mod axioms_of_lists;
#[cfg(test)]
mod axioms_of_weak_lists;
mod causal;
mod certificate;
mod cycles;
mod facts;
mod guarantees;
mod guarantees_of_lists;
mod level;
mod lists;
mod rules;
mod saturate;
mod search;
mod shrink;
mod solve;
mod sources;
mod views;
mod weak;

use isles_history::Transactions;

pub use certificate::{Anomaly, Edge, Place, Point, Reason, View, Violation, Witness};
pub use level::{Level, Order};

use crate::{Progress, Verdict};
use arcs::{Arcs, Visible};
use facts::Facts;
use rules::{Rule, on};
use saturate::Kind;
use search::Found;
use views::Seen;

/// How much work a checker may do where a level is not decided in nearly linear time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Steps of the search for an order, each of which executes one begin or commit. A guess: some ten seconds.
    pub steps: u64,
    /// Transactions and reads that are looked at for views of sessions. A guess: about ten seconds.
    pub looks: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: 4_000_000, looks: 1_000_000_000 }
    }
}

/// Whether a history is consistent at a level.
///
/// ```
/// use isles_check::transactions::{Anomaly, Budget, Level, check};
/// use isles_check::Verdict;
/// use isles_history::{Status, Step, Transactions, Value, ValueId};
///
/// // Two sessions read both keys and write one each: write skew.
/// let mut history = Transactions::default();
/// let (x, y) = (history.add_key(Value::Int(0)), history.add_key(Value::Int(1)));
/// let (one, two) = (history.add_value(Value::Int(1)), history.add_value(Value::Int(2)));
/// let reads = [x, y].map(|key| Step::Read { key, value: ValueId::INITIAL });
/// history.push(0, Status::Committed, None, reads.into_iter().chain([Step::Write { key: x, value: one }]));
/// history.push(1, Status::Committed, None, reads.into_iter().chain([Step::Write { key: y, value: two }]));
/// assert!(matches!(check(&history, Level::SnapshotIsolation, Budget::default()), Verdict::Holds(_)));
/// let Verdict::Violated(violation) = check(&history, Level::Serializable, Budget::default()) else { panic!() };
/// assert_eq!(violation.anomaly, Anomaly::WriteSkew);
/// assert_eq!(violation.cycle.len(), 2);
/// ```
pub fn check(history: &Transactions, level: Level, budget: Budget) -> Verdict<Witness, Violation> {
    // Where the order of versions is known, whoever appended earlier comes before whoever read the list anyway.
    let elements = !matches!(
        level,
        Level::Prefix
            | Level::SessionPrefix
            | Level::SnapshotIsolation
            | Level::SessionSnapshotIsolation
            | Level::StrongSnapshotIsolation
            | Level::Serializable
            | Level::SessionSerializable
            | Level::StrictSerializable
    );
    let facts = Facts::new(history, elements);
    if let Some(help) = facts.unclear {
        return Verdict::Unknown(Progress { decided: 0, frontier: 0, help });
    }
    if let (Some(flaw), false) = (&facts.flaw, level.is_guarantee()) {
        return Verdict::Violated(flaw.clone());
    }
    match level {
        Level::ReadCommitted | Level::SessionReadCommitted => {
            let arcs = weak::read_committed(&facts, level.order() == Order::Session);
            renamed(order_or_cycle(&facts, &arcs), fractured)
        }
        Level::ReadAtomic | Level::SessionReadAtomic => {
            let verdict = order_or_cycle(&facts, &weak::read_atomic(&facts, level.order() == Order::Session));
            renamed(verdict, fractured)
        }
        Level::Causal => {
            renamed(order_or_cycle(&facts, &weakly_causal(&facts)), |found| match found.anomaly {
                Anomaly::WriteCycle | Anomaly::CircularInformationFlow if is_derived(found) => {
                    Anomaly::OverwrittenInCausalPast
                }
                other => other,
            })
        }
        Level::CausalConvergence => {
            let causal = causal::convergence(&facts);
            renamed(order_or_cycle(&facts, &causal.arcs), |found| match found.anomaly {
                Anomaly::WriteCycle | Anomaly::CircularInformationFlow if is_derived(found) => {
                    Anomaly::CyclicConflictOrder
                }
                other => other,
            })
        }
        Level::CausalMemory | Level::Pram => views_of(&facts, level, budget),
        Level::ReadYourWrites | Level::MonotonicReads | Level::MonotonicWrites | Level::WritesFollowReads => {
            let mut views = Vec::new();
            for (session, judged) in guarantees::guarantee(history, &facts, level) {
                match judged {
                    Ok(found) => views.extend(found),
                    Err(arcs) => return Verdict::Violated(stale(&facts, session, &arcs)),
                }
            }
            Verdict::Holds(Witness::Views(views))
        }
        Level::Prefix | Level::SessionPrefix => searched(history, &facts, Kind::Prefix, level, budget),
        Level::SnapshotIsolation | Level::SessionSnapshotIsolation | Level::StrongSnapshotIsolation => {
            searched(history, &facts, Kind::Snapshot, level, budget)
        }
        Level::Serializable | Level::SessionSerializable | Level::StrictSerializable => {
            match searched(history, &facts, Kind::Serial, level, budget) {
                Verdict::Violated(found) => Verdict::Violated(simpler(history, level, found)),
                other => other,
            }
        }
    }
}

/// What must come before what at weak causal consistency.
fn weakly_causal(facts: &Facts) -> Arcs {
    let convergence = causal::convergence(facts);
    let mut arcs = causal::overwritten(facts, &convergence);
    if on(Rule::CausalLists) {
        arcs.all.extend(convergence.arcs.all.iter().find(|arc| lacks(facts, arc)));
    }
    arcs
}

/// Whether an arc of causal convergence is of a list without something of its reader's causal past. For that no order of commits is needed: a
/// list has all that comes before its last element.
fn lacks(facts: &Facts, arc: &arcs::Arc) -> bool {
    let arcs::Why::Overwritten { key, reader } = arc.why else { return false };
    if !facts.lists.is_list[key as usize] {
        return false;
    }
    // The last element of a list comes after the others.
    facts.reads(reader).split_inclusive(|read| read.top).any(|list| {
        let is_it = list.last().is_some_and(|last| last.key == key && last.writer == arc.to);
        is_it && !list.iter().any(|read| read.writer == arc.from)
    })
}

/// One session guarantee for each session, ascending: what violates it, if it is violated.
///
/// # Errors
/// What would help, if reads cannot be attributed to writers.
pub(crate) fn guarantees(
    history: &Transactions,
    level: Level,
) -> Result<Vec<(u32, Option<Violation>)>, &'static str> {
    let facts = Facts::new(history, true);
    match facts.unclear {
        Some(help) => Err(help),
        None => Ok(guarantees::guarantee(history, &facts, level)
            .into_iter()
            .map(|(session, judged)| (session, judged.err().map(|arcs| stale(&facts, session, &arcs))))
            .collect()),
    }
}

fn stale(facts: &Facts, session: u32, arcs: &Arcs) -> Violation {
    Violation { anomaly: Anomaly::StaleRead, session: Some(session), ..cycles::violation(arcs, facts) }
}

fn renamed(
    verdict: Verdict<Witness, Violation>,
    name: impl Fn(&Violation) -> Anomaly,
) -> Verdict<Witness, Violation> {
    match verdict {
        Verdict::Violated(violation) => {
            Verdict::Violated(Violation { anomaly: name(&violation), ..violation })
        }
        Verdict::Holds(_) | Verdict::Unknown(_) => verdict,
    }
}

/// What a cycle is that rests on what a transaction itself had seen.
fn fractured(found: &Violation) -> Anomaly {
    match found.anomaly {
        Anomaly::WriteCycle | Anomaly::CircularInformationFlow if is_repeated(found) => {
            Anomaly::NonRepeatableRead
        }
        Anomaly::WriteCycle | Anomaly::CircularInformationFlow if is_derived(found) => Anomaly::FracturedRead,
        other => other,
    }
}

/// Whether a cycle has an arc that follows from a read of something newer.
fn is_derived(violation: &Violation) -> bool {
    let reason = |edge: &u32| &violation.edges[*edge as usize].reason;
    violation.cycle.iter().any(|edge| matches!(reason(edge), Reason::Overwritten { .. }))
}

/// Whether a cycle consists of two reads of one key by one transaction.
fn is_repeated(violation: &Violation) -> bool {
    let reason = |edge: &u32| &violation.edges[*edge as usize].reason;
    match violation.cycle.as_slice() {
        [a, b] => match (reason(a), reason(b)) {
            (
                Reason::Overwritten { key: a, reader: first, .. },
                Reason::Overwritten { key: b, reader: second, .. },
            ) => a == b && first == second,
            _ => false,
        },
        _ => false,
    }
}

fn order_or_cycle(facts: &Facts, arcs: &Arcs) -> Verdict<Witness, Violation> {
    match arcs.topological() {
        Some(order) => Verdict::Holds(Witness::Commits(commits(facts, arcs, &order))),
        None => Verdict::Violated(cycles::violation(arcs, facts)),
    }
}

/// The transactions of an order of nodes, as the history counts them.
fn commits(facts: &Facts, arcs: &Arcs, order: &[u32]) -> Vec<u32> {
    let transactions = order.iter().filter_map(|node| arcs.transaction(*node));
    transactions
        .filter(|transaction| *transaction != facts::INITIAL)
        .map(|transaction| facts.original[transaction as usize])
        .collect()
}

fn views_of(facts: &Facts, level: Level, budget: Budget) -> Verdict<Witness, Violation> {
    let is_causal = level == Level::CausalMemory;
    if is_causal && causal::order(facts).is_none() {
        let mut arcs = Arcs::new(facts, false, Visible::Past);
        arcs.push_sessions(facts);
        arcs.push_reads(facts);
        return Verdict::Violated(cycles::violation(&arcs, facts));
    }
    match views::views(facts, is_causal, budget.looks) {
        Seen::Right(views) => Verdict::Holds(Witness::Views(views)),
        Seen::Wrong(session, arcs) => {
            let violation = Violation { session: Some(session), ..cycles::violation(&arcs, facts) };
            renamed(Verdict::Violated(violation), |found| match found.anomaly {
                Anomaly::InitialReadAfterWrite => found.anomaly,
                _ if is_derived(found) => Anomaly::CyclicSessionView,
                other => other,
            })
        }
        Seen::Unknown(sessions) => Verdict::Unknown(Progress {
            decided: sessions,
            frontier: 0,
            help: "a larger budget, or fewer sessions: each session's view is computed for itself",
        }),
    }
}

/// Transactions that a person looks through; a larger violation is exchanged for a smaller one where a weaker level has it.
const FEW: usize = 10;

/// A violation of a weaker level that is one of this level too, if this one is large and that one is smaller.
fn simpler(history: &Transactions, level: Level, found: Violation) -> Violation {
    let below = crate::lattice::implied(level);
    let weaker =
        [Level::ReadCommitted, Level::ReadAtomic, Level::SessionReadAtomic, Level::CausalConvergence];
    let mut best = found;
    for weaker in weaker.into_iter().filter(|weaker| below.contains(weaker)) {
        if best.transactions().len() <= FEW {
            break;
        }
        if let Verdict::Violated(other) = check(history, weaker, Budget::default())
            && other.transactions().len() < best.transactions().len()
        {
            best = other;
        }
    }
    best
}

fn searched(
    history: &Transactions,
    facts: &Facts,
    kind: Kind,
    level: Level,
    budget: Budget,
) -> Verdict<Witness, Violation> {
    match decide(facts, kind, level.order(), budget.steps) {
        Decision::Holds(witness) => Verdict::Holds(witness),
        Decision::Cycle(arcs) => {
            let any = match kind {
                Kind::Serial => Anomaly::AntiDependencyCycle,
                Kind::Prefix | Kind::Snapshot => Anomaly::NonadjacentAntiDependencies,
            };
            renamed(Verdict::Violated(cycles::violation(&arcs, facts)), |found| cycles::inferred(found, any))
        }
        Decision::NoOrder => Verdict::Violated(Violation {
            core: shrink::core(history, facts, level, budget),
            order: level.order(),
            ..Violation::at(Anomaly::NoOrder, Vec::new())
        }),
        Decision::Unknown(decided, frontier) => Verdict::Unknown(Progress {
            decided,
            frontier,
            help: "a larger budget, fewer concurrent transactions, or reads before writes: they show the order of versions",
        }),
    }
}

/// What came of a level that needs a search.
enum Decision {
    Holds(Witness),
    Cycle(Arcs),
    NoOrder,
    Unknown(usize, usize),
}

fn decide(facts: &Facts, kind: Kind, order: Order, steps: u64) -> Decision {
    let mut arcs = saturate::base(facts, kind, order);
    let Some(preferred) = saturate::saturate(facts, &mut arcs, kind, order != Order::Data) else {
        return Decision::Cycle(arcs);
    };
    let preferred = arcs.topological_by(&solve::ranks(facts)).unwrap_or(preferred);
    // Most histories need hardly more than one step for each node; where they do, deriving is better than trying.
    if kind != Kind::Snapshot && !saturate::has_registers(facts) {
        // The order of versions is known, and every order that contains it is right.
        let points = preferred
            .into_iter()
            .filter(|node| arcs.transaction(*node).is_some_and(|of| of != facts::INITIAL));
        return Decision::Holds(witness(facts, &arcs, &points.collect::<Vec<u32>>()));
    }
    let few = steps.min(4 * u64::from(arcs.nodes) + 1_000);
    let mut found = search::search(facts, &arcs, kind, &preferred, few);
    if matches!(found, Found::Unknown(..)) {
        let rounds = (steps / u64::from(arcs.nodes)).min(2_000);
        let known = (arcs.all.len(), arcs.rounds.len());
        found = solve::solve(facts, &mut arcs, kind, order != Order::Data, rounds);
        if matches!(found, Found::Unknown(..)) {
            arcs.all.truncate(known.0);
            arcs.rounds.truncate(known.1);
            found = search::search(facts, &arcs, kind, &preferred, steps);
        }
    }
    let nodes = match found {
        Found::Order(nodes) => nodes,
        Found::None => return Decision::NoOrder,
        Found::Unknown(decided, frontier) => return Decision::Unknown(decided, frontier),
    };
    Decision::Holds(witness(facts, &arcs, &nodes))
}

/// Nodes in their order, as a witness.
fn witness(facts: &Facts, arcs: &Arcs, nodes: &[u32]) -> Witness {
    if !arcs.split {
        return Witness::Commits(commits(facts, arcs, nodes));
    }
    let points = nodes.iter().filter_map(|node| {
        let original = facts.original[arcs.transaction(*node)? as usize];
        Some(if arcs.is_begin(*node) { Point::Begin(original) } else { Point::Commit(original) })
    });
    Witness::Points(points.collect())
}
