//! Finds a short cycle of the worst kind, and names it.
//!
//! Kinds are those of Adya (1999) and Elle (2020). A breadth-first search in the product of the graph and a small automaton
//! (how many reads missed a write so far, and whether the last arc was one) starts at arcs of the rarest kind that
//! the cycle must contain, so that one large component costs no more than its arcs for each start.

use super::arcs::{Arc, Arcs, Explainer, Why};
use super::certificate::{Anomaly, Edge, Place, Reason, Violation};
use super::facts::{Facts, INITIAL};
use super::level::Order;

/// So many arcs are looked at for each kind of cycle.
const STEPS_MAX: u64 = 1 << 26;

/// What an arc says, as far as kinds of cycles go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Write,
    Read,
    Anti,
    Session,
    Time,
    Free,
}

const fn class(why: Why) -> Class {
    match why {
        Why::Follows(_) | Why::Shown(_) | Why::Overwritten { .. } | Why::NoOverlap(_) => Class::Write,
        Why::Read(_) => Class::Read,
        Why::Misses(..) | Why::ReadBefore { .. } => Class::Anti,
        Why::Session => Class::Session,
        Why::Time | Why::Enter => Class::Time,
        Why::Within => Class::Free,
    }
}

/// Whether an arc is no edge of its own in a certificate.
pub(super) const fn is_free(why: Why) -> bool {
    matches!(why, Why::Enter | Why::Within)
}

/// How many reads that missed a write a cycle may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Antis {
    None,
    One,
    Nonadjacent,
    Any,
}

/// A kind of cycles.
#[derive(Clone, Copy)]
struct Kind {
    anomaly: Anomaly,
    reads: bool,
    antis: Antis,
}

const KINDS: [Kind; 5] = [
    Kind { anomaly: Anomaly::WriteCycle, reads: false, antis: Antis::None },
    Kind { anomaly: Anomaly::CircularInformationFlow, reads: true, antis: Antis::None },
    Kind { anomaly: Anomaly::SingleAntiDependency, reads: true, antis: Antis::One },
    Kind { anomaly: Anomaly::NonadjacentAntiDependencies, reads: true, antis: Antis::Nonadjacent },
    Kind { anomaly: Anomaly::AntiDependencyCycle, reads: true, antis: Antis::Any },
];

/// The violation that a cycle of `arcs` is; there must be one.
pub(super) fn violation(arcs: &Arcs, facts: &Facts) -> Violation {
    let mut explainer = Explainer::new(arcs, facts);
    let initial = arcs.commit(INITIAL);
    if let Some(number) = (0..).zip(&arcs.all).find(|(_, arc)| arc.to <= initial).map(|(number, _)| number) {
        let first = arcs.all[number as usize].from;
        let cycle = [explainer.edges(&[number])[0], explainer.initial(first)];
        return finish(Anomaly::InitialReadAfterWrite, Order::Data, explainer.edges, cycle.to_vec());
    }
    let search = Search::new(arcs);
    for order in [Order::Data, Order::Session, Order::RealTime] {
        for kind in KINDS {
            if let Some(path) = search.find(kind, order) {
                let cycle = explainer.edges(&path);
                return finish(kind.anomaly, order, explainer.edges, cycle);
            }
        }
    }
    unreachable!("the last kind is any cycle")
}

fn finish(anomaly: Anomaly, order: Order, edges: Vec<Edge>, cycle: Vec<u32>) -> Violation {
    // What a derived edge rests on counts, too.
    let needed = edges.iter().map(|edge| match edge.reason {
        Reason::Session => Order::Session,
        Reason::RealTime => Order::RealTime,
        _ => Order::Data,
    });
    let order = needed.max().map_or(order, |needed| needed.max(order));
    let mut violation = Violation { order, edges, cycle, ..Violation::at(anomaly, Vec::<Place>::new()) };
    violation.anomaly = named(&violation);
    violation
}

/// What a cycle is at a level at which some order of versions must make it one: an inferred edge says that either order of two
/// versions leads to a cycle, in which a read misses a write.
pub(super) fn inferred(violation: &Violation, any: Anomaly) -> Anomaly {
    let reason = |edge: &u32| &violation.edges[*edge as usize].reason;
    let is_inferred =
        |edge: &u32| matches!(reason(edge), Reason::Overwritten { .. } | Reason::NoOverlap { .. });
    let misses = |edge: &Edge| matches!(edge.reason, Reason::ReadBefore { .. } | Reason::Missing(..));
    match violation.anomaly {
        Anomaly::WriteCycle | Anomaly::CircularInformationFlow | Anomaly::InitialReadAfterWrite
            if violation.cycle.iter().any(is_inferred) =>
        {
            if violation.edges.iter().any(misses) {
                any
            } else {
                Anomaly::SingleAntiDependency
            }
        }
        other => other,
    }
}

/// A cycle of a well-known shape by its own name.
fn named(violation: &Violation) -> Anomaly {
    let reasons: Vec<&Reason> = violation
        .cycle
        .iter()
        .map(|edge| &violation.edges[*edge as usize].reason)
        .filter(|reason| !matches!(reason, Reason::Within))
        .collect();
    let missed = |reason: &Reason| match reason {
        Reason::Missing(key, _) | Reason::ReadBefore { key, .. } => Some(*key),
        _ => None,
    };
    match reasons.as_slice() {
        [a, b] => match (missed(a), missed(b)) {
            (Some(a), Some(b)) if a == b => Anomaly::LostUpdate,
            (Some(_), Some(_)) => Anomaly::WriteSkew,
            (Some(key), None) | (None, Some(key)) => {
                let is_write = |reason: &Reason| match reason {
                    Reason::ListOrder { key: of, .. }
                    | Reason::Overwritten { key: of, .. }
                    | Reason::NoOverlap { key: of, .. } => *of == key,
                    _ => false,
                };
                if is_write(a) || is_write(b) { Anomaly::LostUpdate } else { violation.anomaly }
            }
            (None, None) => violation.anomaly,
        },
        [a, b, c, d] => {
            let read = |reason: &Reason| matches!(reason, Reason::Read(_));
            let fork = |a: &Reason, b: &Reason, c: &Reason, d: &Reason| {
                read(a) && missed(b).is_some() && read(c) && missed(d).is_some()
            };
            if fork(a, b, c, d) || fork(b, c, d, a) { Anomaly::LongFork } else { violation.anomaly }
        }
        _ => violation.anomaly,
    }
}

struct Search<'a> {
    arcs: &'a Arcs,
    out: (Vec<u32>, Vec<u32>),
    /// The strongly connected component of each node; those that are alone have none.
    component: Vec<u32>,
}

impl<'a> Search<'a> {
    fn new(arcs: &'a Arcs) -> Self {
        let out = arcs.out();
        let component = components(arcs, &out);
        Self { arcs, out, component }
    }

    fn allowed(&self, arc: &Arc, kind: Kind, order: Order) -> bool {
        let component = self.component[arc.from as usize];
        component != u32::MAX
            && component == self.component[arc.to as usize]
            && match class(arc.why) {
                Class::Write | Class::Free => true,
                Class::Read => kind.reads,
                Class::Anti => kind.antis != Antis::None,
                Class::Session => order >= Order::Session,
                Class::Time => order >= Order::RealTime,
            }
    }

    /// A cycle of this kind, as short as the budget allows.
    fn find(&self, kind: Kind, order: Order) -> Option<Vec<u32>> {
        let must = |arc: &Arc| match kind.antis {
            Antis::None => class(arc.why) == if kind.reads { Class::Read } else { Class::Write },
            Antis::One | Antis::Nonadjacent | Antis::Any => class(arc.why) == Class::Anti,
        };
        // The last resort is a cycle of any kind at all, through any arc.
        let is_last = kind.antis == Antis::Any && order == Order::RealTime;
        let mut seen =
            Seen { states: vec![(0, u32::MAX, u32::MAX); 2 * self.arcs.nodes as usize], stamp: 0, steps: 0 };
        let mut best = self.try_all(kind, order, &mut seen, must);
        if best.is_none() && is_last {
            seen.steps = 0;
            best = self.try_all(kind, order, &mut seen, |_| true);
        }
        best
    }

    fn try_all(
        &self,
        kind: Kind,
        order: Order,
        seen: &mut Seen,
        must: impl Fn(&Arc) -> bool,
    ) -> Option<Vec<u32>> {
        let mut best: Option<(usize, Vec<u32>)> = None;
        let starts = (0..).zip(&self.arcs.all).filter(|(_, arc)| must(arc) && self.allowed(arc, kind, order));
        for (start, _) in starts {
            let longest = best.as_ref().map_or(usize::MAX, |(length, _)| *length);
            // Any arc of a component is on a cycle, so that the last resort finds one with the first.
            if longest <= 2 || seen.steps > STEPS_MAX {
                break;
            }
            best = self.shortest(start, (kind, order), longest, seen).or(best);
        }
        best.map(|(_, path)| path)
    }

    /// A shortest cycle through an arc, if it is shorter than `longest`.
    fn shortest(
        &self,
        start: u32,
        (kind, order): (Kind, Order),
        longest: usize,
        seen: &mut Seen,
    ) -> Option<(usize, Vec<u32>)> {
        seen.stamp += 1;
        let stamp = seen.stamp;
        let first = &self.arcs.all[start as usize];
        let is_anti = |arc: &Arc| class(arc.why) == Class::Anti;
        // A state is a node and whether the arc into it missed a write.
        let state = |arc: &Arc| 2 * arc.to + u32::from(is_anti(arc) && kind.antis == Antis::Nonadjacent);
        let mut level = vec![state(first)];
        seen.states[state(first) as usize] = (stamp, start, u32::MAX);
        let mut length = 1;
        while !level.is_empty() && length + 1 < longest {
            length += 1;
            let (mut next, mut place) = (Vec::new(), 0);
            // Ways into and between helpers, and from a begin to its commit, cost nothing: they stay in the level.
            while let Some(&from) = level.get(place) {
                place += 1;
                let node = from / 2;
                let (begin, end) = (self.out.0[node as usize], self.out.0[node as usize + 1]);
                seen.steps += u64::from(end - begin);
                for &number in &self.out.1[begin as usize..end as usize] {
                    let arc = &self.arcs.all[number as usize];
                    let refused = is_anti(arc)
                        && match kind.antis {
                            Antis::None | Antis::One => true,
                            // The first arc missed a write, so that the last must not.
                            Antis::Nonadjacent => from % 2 == 1 || arc.to == first.from,
                            Antis::Any => false,
                        };
                    if refused || !self.allowed(arc, kind, order) {
                        continue;
                    }
                    let to = state(arc);
                    if arc.to == first.from {
                        return Some((length, seen.path(from, number)));
                    }
                    if seen.states[to as usize].0 != stamp {
                        seen.states[to as usize] = (stamp, number, from);
                        if is_free(arc.why) { level.push(to) } else { next.push(to) }
                    }
                }
            }
            level = next;
        }
        None
    }
}

/// What a search has reached.
struct Seen {
    /// For each state in which search it was reached, with which arc, and from which state.
    states: Vec<(u32, u32, u32)>,
    stamp: u32,
    /// How many arcs were looked at.
    steps: u64,
}

impl Seen {
    /// The arcs to a state, and one more.
    fn path(&self, mut state: u32, last: u32) -> Vec<u32> {
        let mut path = vec![last];
        while state != u32::MAX {
            let (_, number, before) = self.states[state as usize];
            path.push(number);
            state = before;
        }
        path.reverse();
        path
    }
}

/// Strongly connected components (Tarjan 1972) of more than one node, without recursion.
fn components(arcs: &Arcs, out: &(Vec<u32>, Vec<u32>)) -> Vec<u32> {
    let nodes = arcs.nodes as usize;
    let mut component = vec![u32::MAX; nodes];
    let mut found = vec![0u32; nodes];
    let mut low = vec![0u32; nodes];
    let (mut count, mut number) = (0, 0);
    let (mut stack, mut calls) = (Vec::new(), Vec::new());
    let mut done = vec![false; nodes];
    for root in 0..arcs.nodes {
        if found[root as usize] != 0 {
            continue;
        }
        calls.push((root, out.0[root as usize]));
        while let Some((node, next)) = calls.last_mut() {
            let at = *node as usize;
            if found[at] == 0 {
                count += 1;
                found[at] = count;
                low[at] = count;
                stack.push(*node);
            }
            if *next < out.0[at + 1] {
                let to = arcs.all[out.1[*next as usize] as usize].to;
                *next += 1;
                if found[to as usize] == 0 {
                    calls.push((to, out.0[to as usize]));
                } else if !done[to as usize] {
                    low[at] = low[at].min(found[to as usize]);
                }
                continue;
            }
            if low[at] == found[at] {
                let from = stack.iter().rposition(|other| *other == *node).expect("it is on the stack");
                let alone = stack.len() - from == 1;
                for member in stack.drain(from..) {
                    done[member as usize] = true;
                    component[member as usize] = if alone { u32::MAX } else { number };
                }
                number += 1;
            }
            calls.pop();
            if let Some((parent, _)) = calls.last() {
                low[*parent as usize] = low[*parent as usize].min(low[at]);
            }
        }
    }
    component
}
