//! The definitions of the levels, word for word, for histories of a few transactions: what the checkers are compared with.

use isles_history::{Status, Step, Transactions, ValueId};

use super::{Level, Order};

/// A read: the transaction, its step, the key, and who wrote what was read; none for the initial state.
type Reads = Vec<(usize, usize, u32, Option<usize>)>;

/// A history of registers in which all transactions committed and every read is of what somebody wrote last.
struct Small<'a> {
    history: &'a Transactions,
    count: usize,
    reads: Reads,
}

/// Whether the level holds, by trying all orders; none if the history has lists, aborted transactions or wrong reads.
pub(crate) fn holds(history: &Transactions, level: Level) -> Option<bool> {
    let small = Small::new(history)?;
    Some(match level {
        Level::Serializable | Level::SessionSerializable | Level::StrictSerializable => {
            orders(small.count, &|a, b| small.is_ordered(a, b, level.order()), &mut |order| {
                small.replays(order, None)
            })
        }
        Level::Prefix | Level::SessionPrefix => small.snapshots(level.order(), false),
        Level::SnapshotIsolation | Level::SessionSnapshotIsolation | Level::StrongSnapshotIsolation => {
            small.snapshots(level.order(), true)
        }
        Level::CausalMemory | Level::Pram => {
            small.sessions().iter().all(|session| small.view(*session, level))
        }
        Level::Causal => small.is_causal(),
        Level::ReadYourWrites | Level::MonotonicReads | Level::MonotonicWrites | Level::WritesFollowReads => {
            small.sessions().iter().all(|session| small.guaranteed(*session, level))
        }
        Level::ReadCommitted
        | Level::SessionReadCommitted
        | Level::ReadAtomic
        | Level::SessionReadAtomic
        | Level::CausalConvergence => {
            let is_before = |a, b| small.is_ordered(a, b, level.order()) || small.wrote_for(a, b);
            orders(small.count, &is_before, &mut |order| small.commits(order, level))
        }
    })
}

/// Whether some order of `0..count` that contains `is_before` is accepted.
pub(super) fn orders(
    count: usize,
    is_before: &dyn Fn(usize, usize) -> bool,
    accept: &mut dyn FnMut(&[usize]) -> bool,
) -> bool {
    fn extend(
        order: &mut Vec<usize>,
        count: usize,
        is_before: &dyn Fn(usize, usize) -> bool,
        accept: &mut dyn FnMut(&[usize]) -> bool,
    ) -> bool {
        if order.len() == count {
            return accept(order);
        }
        for next in 0..count {
            let is_free = !order.contains(&next)
                && (0..count).all(|other| {
                    other == next && !is_before(next, next)
                        || order.contains(&other)
                        || !is_before(other, next)
                });
            if is_free {
                order.push(next);
                if extend(order, count, is_before, accept) {
                    return true;
                }
                order.pop();
            }
        }
        false
    }
    extend(&mut Vec::new(), count, is_before, accept)
}

impl<'a> Small<'a> {
    fn new(history: &'a Transactions) -> Option<Self> {
        let count = history.all().len();
        let mut small = Self { history, count, reads: Vec::new() };
        for (reader, transaction) in history.all().iter().enumerate() {
            if transaction.status != Status::Committed {
                return None;
            }
            for (place, step) in history.steps(transaction).iter().enumerate() {
                let Step::Read { key, value } = *step else {
                    matches!(step, Step::Write { .. }).then_some(())?;
                    continue;
                };
                let own = history.steps(transaction)[..place].iter().rev().find_map(|step| match step {
                    Step::Write { key: of, value } if *of == key => Some(*value),
                    _ => None,
                });
                if let Some(own) = own {
                    (own == value).then_some(())?;
                    continue;
                }
                let writer = (0..count).find(|writer| small.last(*writer, key.0) == Some(value));
                (writer != Some(reader) && (writer.is_some() || value == ValueId::INITIAL)).then_some(())?;
                small.reads.push((reader, place, key.0, writer));
            }
        }
        Some(small)
    }

    /// What a transaction leaves behind at a key.
    fn last(&self, transaction: usize, key: u32) -> Option<ValueId> {
        self.history.steps(&self.history.all()[transaction]).iter().rev().find_map(|step| match step {
            Step::Write { key: of, value } if of.0 == key => Some(*value),
            _ => None,
        })
    }

    fn wrote(&self, transaction: usize, key: u32) -> bool {
        self.last(transaction, key).is_some()
    }

    fn session(&self, transaction: usize) -> u32 {
        self.history.all()[transaction].session
    }

    fn sessions(&self) -> Vec<u32> {
        let mut sessions: Vec<u32> = (0..self.count).map(|transaction| self.session(transaction)).collect();
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    fn is_ordered(&self, a: usize, b: usize, order: Order) -> bool {
        let session = order >= Order::Session && a < b && self.session(a) == self.session(b);
        let end = self.history.all()[a].interval.map_or(u64::MAX, |(_, end)| end);
        let begin = self.history.all()[b].interval.map_or(0, |(begin, _)| begin);
        session || order == Order::RealTime && end < begin
    }

    fn wrote_for(&self, writer: usize, reader: usize) -> bool {
        self.reads.iter().any(|(by, _, _, from)| *by == reader && *from == Some(writer))
    }

    /// Whether `a` is in the causal past of `b`.
    fn is_causal_past(&self, a: usize, b: usize) -> bool {
        let mut past = vec![b];
        let mut next = 0;
        while let Some(&of) = past.get(next) {
            next += 1;
            for other in 0..self.count {
                if self.is_ordered(other, of, Order::Session) || self.wrote_for(other, of) {
                    if other == a {
                        return true;
                    }
                    if !past.contains(&other) {
                        past.push(other);
                    }
                }
            }
        }
        false
    }

    /// Whether every read, of one session or of all, finds what was written last if transactions execute in this order.
    fn replays(&self, order: &[usize], of: Option<u32>) -> bool {
        self.reads.iter().all(|(reader, _, key, from)| {
            if of.is_some_and(|session| self.session(*reader) != session) {
                return true;
            }
            let at = order.iter().position(|other| other == reader);
            let before = &order[..at.unwrap_or(0)];
            at.is_none() || before.iter().rev().find(|other| self.wrote(**other, *key)).copied() == *from
        })
    }

    /// Whether begins and commits have an order in which each transaction reads, at its begin, what is committed.
    fn snapshots(&self, order: Order, no_overlap: bool) -> bool {
        // Points: 2t begins, 2t + 1 commits.
        let is_before = |a: usize, b: usize| {
            a / 2 == b / 2 && a < b
                || a % 2 == 1 && b.is_multiple_of(2) && self.is_ordered(a / 2, b / 2, order)
        };
        orders(2 * self.count, &is_before, &mut |points| {
            let at = |point: usize| points.iter().position(|other| *other == point).expect("all are there");
            let reads = self.reads.iter().all(|(reader, _, key, from)| {
                let before = &points[..at(2 * reader)];
                let last =
                    before.iter().rev().find(|point| **point % 2 == 1 && self.wrote(**point / 2, *key));
                last.map(|point| point / 2) == *from
            });
            let overlap = |a: usize, b: usize| {
                (0..self.history.keys()).any(|key| self.wrote(a, key) && self.wrote(b, key))
                    && at(2 * a) < at(2 * b + 1)
                    && at(2 * b) < at(2 * a + 1)
            };
            reads && !(no_overlap && (0..self.count).any(|a| (0..a).any(|b| overlap(a, b))))
        })
    }

    /// Whether one order of what a session sees is right for all that it read.
    fn view(&self, session: u32, level: Level) -> bool {
        let own: Vec<usize> = (0..self.count).filter(|of| self.session(*of) == session).collect();
        let last = own[own.len() - 1];
        if level == Level::Pram {
            let is_before = |a, b| self.is_ordered(a, b, Order::Session);
            return orders(self.count, &is_before, &mut |order| self.replays(order, Some(session)));
        }
        if self.is_causal_past(last, last) {
            return false;
        }
        let past: Vec<usize> =
            (0..self.count).filter(|of| *of == last || self.is_causal_past(*of, last)).collect();
        let is_before = |a: usize, b: usize| self.is_causal_past(past[a], past[b]);
        orders(past.len(), &is_before, &mut |order| {
            let order: Vec<usize> = order.iter().map(|place| past[*place]).collect();
            self.replays(&order, Some(session))
        })
    }

    fn is_causal(&self) -> bool {
        (0..self.count).all(|of| !self.is_causal_past(of, of))
            && self.reads.iter().all(|(reader, _, key, from)| {
                (0..self.count).all(|other| {
                    let is_newer = from.is_none_or(|from| self.is_causal_past(from, other));
                    !(self.wrote(other, *key) && self.is_causal_past(other, *reader) && is_newer)
                })
            })
    }

    /// The axioms of Biswas and Enea for an order of commits.
    fn commits(&self, order: &[usize], level: Level) -> bool {
        let at = |of: usize| order.iter().position(|other| *other == of).expect("all are there");
        self.reads.iter().all(|(reader, place, key, from)| {
            (0..self.count).all(|other| {
                let visible = match level {
                    Level::ReadCommitted | Level::SessionReadCommitted => self
                        .reads
                        .iter()
                        .any(|(by, earlier, _, of)| by == reader && earlier < place && *of == Some(other)),
                    Level::CausalConvergence => self.is_causal_past(other, *reader),
                    _ => self.wrote_for(other, *reader) || self.is_ordered(other, *reader, level.order()),
                };
                let is_other = *from != Some(other) && self.wrote(other, *key);
                !(visible && is_other) || from.is_some_and(|from| at(other) < at(from))
            })
        })
    }

    /// Whether each read of a session is at least as new as what the guarantee names, in some order of all writers that
    /// contains sessions.
    fn guaranteed(&self, session: u32, level: Level) -> bool {
        let is_session = |a: usize, b: usize| self.is_ordered(a, b, Order::Session);
        let of_session = || self.reads.iter().filter(|(by, ..)| self.session(*by) == session);
        let mut demands = Vec::new();
        for &(reader, place, key, from) in of_session() {
            for other in (0..self.count).filter(|other| self.wrote(*other, key) && Some(*other) != from) {
                // What the session has read up to and with this step.
                let mut seen = of_session()
                    .filter(|(by, step, ..)| (*by, *step) <= (reader, place))
                    .filter_map(|(by, step, of, writer)| Some((*by, *step, *of, (*writer)?)));
                let is_demanded = match level {
                    Level::ReadYourWrites => is_session(other, reader) && self.session(other) == session,
                    Level::MonotonicReads => seen.any(|(by, step, of, writer)| {
                        of == key && writer == other && (by, step) < (reader, place)
                    }),
                    Level::MonotonicWrites => seen.any(|(.., writer)| is_session(other, writer)),
                    _ => seen.any(|(.., writer)| {
                        self.reads.iter().any(|(by, _, of, earlier)| {
                            *of == key
                                && *earlier == Some(other)
                                && (*by == writer || is_session(*by, writer))
                        })
                    }),
                };
                if is_demanded {
                    demands.push((other, from));
                }
            }
        }
        demands.iter().all(|(_, from)| from.is_some())
            && (0..self.history.keys()).all(|key| {
                let is_before = |a: usize, b: usize| {
                    self.wrote(a, key)
                        && self.wrote(b, key)
                        && (is_session(a, b) || demands.contains(&(a, Some(b))))
                };
                orders(self.count, &is_before, &mut |_| true)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;
    use crate::lattice::sample;
    use crate::transactions::{Budget, check};
    use crate::verify_transactions as verify;

    #[test]
    fn checkers_agree_with_the_definitions_and_their_certificates_are_right() {
        let mut met = vec![[0; 2]; 20];
        for seed in 0..3_000 {
            let history = sample(seed, 4);
            for level in Level::all() {
                let verdict = check(&history, level, Budget::default());
                let Some(expected) = holds(&history, level) else {
                    assert!(
                        matches!(verdict, Verdict::Violated(_)) || level.is_guarantee(),
                        "seed {seed}: {level}"
                    );
                    continue;
                };
                met[level as usize][usize::from(expected)] += 1;
                let found = matches!(verdict, Verdict::Holds(_));
                assert_eq!(found, expected, "seed {seed}: {level}: {history:?} {verdict:?}");
                assert_eq!(
                    verify(&history, level, &verdict),
                    Ok(()),
                    "seed {seed}: {level} {history:?} {verdict:?}"
                );
            }
        }
        assert!(met.iter().flatten().all(|count| *count >= 10), "{met:?}");
    }
}
