//! Whether what holds for each object holds for all together.

use std::collections::BTreeMap;

use isles_check::linearizability::{self, Limits};
use isles_check::models::MultiRegister;
use isles_check::models::multi_register::{Op, Reply, Step};
use isles_check::{Verdict, sequential};
use isles_history::{Moment, Operation, Outcome};

use super::super::{Effort, Finding};

type Call = Operation<Op<u8, u8>, Reply<u8>>;

/// What a client may do in a history: an object, and what is written to it or read from it.
#[derive(Clone, Copy)]
struct Deed {
    object: u8,
    value: u8,
    is_write: bool,
}

/// A write of 1 to either object, or a read of 0 or 1.
const DEEDS: [Deed; 6] = [
    Deed { object: 0, value: 1, is_write: true },
    Deed { object: 1, value: 1, is_write: true },
    Deed { object: 0, value: 0, is_write: false },
    Deed { object: 1, value: 0, is_write: false },
    Deed { object: 0, value: 1, is_write: false },
    Deed { object: 1, value: 1, is_write: false },
];

fn call(process: u32, deed: Deed, invoked: Moment, at: Moment) -> Call {
    let (step, seen) = if deed.is_write {
        (Step::Write(deed.object, deed.value), None)
    } else {
        (Step::Read(deed.object), Some(deed.value))
    };
    let outcome = Outcome::Returned { at, reply: Reply(vec![seen]) };
    Operation { process, invoked, op: Op(vec![step]), outcome }
}

fn model() -> MultiRegister<u8, u8> {
    MultiRegister { initial: BTreeMap::from([(0, 0), (1, 0)]) }
}

/// The calls about one object.
fn of_object(calls: &[Call], object: u8) -> Vec<Call> {
    let about = |call: &&Call| matches!(call.op.0[..], [Step::Read(at) | Step::Write(at, _)] if at == object);
    calls.iter().filter(about).cloned().collect()
}

/// Whether both objects satisfy a checker, and the whole does not.
fn separates(calls: &[Call], holds: impl Fn(&[Call]) -> Option<bool>) -> Option<bool> {
    for object in 0..2 {
        if !holds(&of_object(calls, object))? {
            return Some(false);
        }
    }
    Some(!holds(calls)?)
}

fn is_sequential(calls: &[Call]) -> Option<bool> {
    decided(&sequential::check(&model(), calls, &Limits::default()))
}

fn is_linearizable(calls: &[Call]) -> Option<bool> {
    // As one object, so that the checker does not use what is to be shown.
    let all = vec![(0..calls.len() as u32).collect()];
    decided(&linearizability::check_parts(&model(), calls, all, &Limits::default()))
}

const fn decided<W, V>(verdict: &Verdict<W, V>) -> Option<bool> {
    match verdict {
        Verdict::Holds(_) => Some(true),
        Verdict::Violated(_) => Some(false),
        Verdict::Unknown(_) => None,
    }
}

/// Gives `visit` all sequences of so many deeds.
fn each_deeds(count: usize, visit: &mut impl FnMut(&[Deed])) {
    fn go(deeds: &mut Vec<Deed>, count: usize, visit: &mut impl FnMut(&[Deed])) {
        if deeds.len() == count {
            visit(deeds);
            return;
        }
        for deed in DEEDS {
            deeds.push(deed);
            go(deeds, count, visit);
            deeds.pop();
        }
    }
    go(&mut Vec::new(), count, visit);
}

/// All ways in which the invocations and returns of two processes, with `first` and `second` operations, may alternate: for each event
/// whose it is.
fn each_interleaving(first: usize, second: usize, visit: &mut impl FnMut(&[bool])) {
    let events = (first + second) * 2;
    for bits in 0u32..1 << events {
        if bits.count_ones() as usize == first * 2 {
            let whose: Vec<bool> = (0..events).map(|event| bits >> event & 1 == 1).collect();
            visit(&whose);
        }
    }
}

/// The calls of two processes that alternate so.
fn calls(deeds: &[Deed], first: usize, whose: &[bool]) -> Vec<Call> {
    let mut moments: [Vec<Moment>; 2] = [Vec::new(), Vec::new()];
    for (moment, is_first) in (0..).zip(whose) {
        moments[usize::from(!is_first)].push(moment);
    }
    deeds
        .iter()
        .enumerate()
        .map(|(index, deed)| {
            let (process, own) = if index < first { (0, index) } else { (1, index - first) };
            let moments = &moments[process as usize];
            call(process, *deed, moments[own * 2], moments[own * 2 + 1])
        })
        .collect()
}

/// A search of histories by size: how many were looked at, and the first that both objects allow and the whole does not.
struct Search {
    looked: u64,
    found: Option<Vec<Call>>,
    undecided: u64,
}

/// Looks at all histories of two processes and two objects with at most `most` operations.
fn search(most: usize, all_interleavings: bool, holds: fn(&[Call]) -> Option<bool>) -> Search {
    let mut search = Search { looked: 0, found: None, undecided: 0 };
    for count in 1..=most {
        for first in count.div_ceil(2)..=count {
            each_deeds(count, &mut |deeds| {
                let mut look = |whose: &[bool]| {
                    if search.found.is_some() {
                        return;
                    }
                    search.looked += 1;
                    let calls = calls(deeds, first, whose);
                    match separates(&calls, holds) {
                        Some(true) => search.found = Some(calls),
                        Some(false) => {}
                        None => search.undecided += 1,
                    }
                };
                if all_interleavings {
                    each_interleaving(first, count - first, &mut look);
                } else {
                    // Only the order of each process counts.
                    let whose: Vec<bool> = (0..count * 2).map(|event| event < first * 2).collect();
                    look(&whose);
                }
            });
        }
        if search.found.is_some() {
            break;
        }
    }
    search
}

/// A history in a line: `p0: write x 1, read y 0; p1: ...`.
fn told(calls: &[Call]) -> String {
    let of = |process: u32| {
        let own = calls.iter().filter(|call| call.process == process);
        let words = own.map(|call| match (&call.op.0[..], call.reply()) {
            ([Step::Write(object, value)], _) => {
                format!("write {} {value}", ["x", "y"][usize::from(*object)])
            }
            ([Step::Read(object)], Some(Reply(seen))) => {
                let seen = seen.first().copied().flatten().unwrap_or(0);
                format!("read {} {seen}", ["x", "y"][usize::from(*object)])
            }
            _ => String::new(),
        });
        format!("p{process}: {}", words.collect::<Vec<_>>().join(", "))
    };
    format!("{}; {}", of(0), of(1))
}

pub(super) fn con_04(effort: &Effort) -> Result<Finding, String> {
    let sequential = search(4, false, is_sequential);
    let most = if effort.quick { 3 } else { 4 };
    let linearizable = search(most, true, is_linearizable);
    if sequential.undecided + linearizable.undecided > 0 {
        return Err("a history of a few operations was not decided".to_owned());
    }
    let smallest = sequential.found.as_deref().map(told);
    Ok(Finding {
        holds: smallest.is_some(),
        control_fails: linearizable.found.is_none(),
        measured: format!(
            "smallest history, after {} of them: {} (each object sequentially consistent, both together not); linearizability: none among {} \
             histories of up to {most} operations in all interleavings",
            sequential.looked,
            smallest.unwrap_or_else(|| "none".to_owned()),
            linearizable.looked,
        ),
        predicted: "a history of four operations; none".to_owned(),
        charts: Vec::new(),
    })
}
