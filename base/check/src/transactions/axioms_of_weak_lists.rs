//! The definitions of the weaker levels for lists, word for word: what the checkers are compared with.
//!
//! Lists show one order of versions for all. At levels with an order of commits, and in what sessions see, elements are appended in the
//! order that is shown; what nobody read comes after what somebody did. A read finds all that is visible to it, by what its level says.

use isles_history::{Key, Step, Transactions, ValueId};

use super::axioms::orders;
use super::{Level, Order};
use crate::lattice::sample_lists;

/// A read of a list: by whom, with which step, and who appended what it has, but for what the reader had appended itself.
struct Read {
    by: usize,
    step: usize,
    key: Key,
    list: Vec<usize>,
}

struct Small<'a> {
    history: &'a Transactions,
    count: usize,
    reads: Vec<Read>,
    /// Of each key the longest list that somebody read.
    longest: Vec<Vec<ValueId>>,
}

/// Whether a level below prefix holds; none for other levels, and if something is wrong by itself.
fn holds(history: &Transactions, level: Level) -> Option<bool> {
    let small = Small::new(history)?;
    let is_causal = |a: usize, b: usize| small.is_before(a, b, true) || small.saw(a, b);
    let past = |a: usize, b: usize| reaches(small.count, &is_causal, a, b);
    let finds = |visible: &dyn Fn(usize, &Read) -> bool| {
        small.reads.iter().all(|read| {
            (0..small.count).all(|of| {
                of == read.by || !small.appends(of, read.key) || read.list.contains(&of) || !visible(of, read)
            })
        })
    };
    let seen_by = |of: usize, read: &Read, earlier: bool| {
        small.reads.iter().any(|other| {
            other.by == read.by && (!earlier || other.step < read.step) && other.list.contains(&of)
        })
    };
    let is_ordered = |sessions: bool| {
        let is_before = |a, b| small.is_before(a, b, sessions) || small.saw(a, b) || small.is_shown(a, b);
        (0..small.count).all(|of| !reaches(small.count, &is_before, of, of))
    };
    Some(match level {
        Level::ReadCommitted | Level::SessionReadCommitted => {
            is_ordered(level.order() == Order::Session) && finds(&|of, read| seen_by(of, read, true))
        }
        Level::ReadAtomic => is_ordered(false) && finds(&|of, read| seen_by(of, read, false)),
        Level::SessionReadAtomic => {
            is_ordered(true)
                && finds(&|of, read| seen_by(of, read, false) || small.is_before(of, read.by, true))
        }
        Level::Causal | Level::CausalConvergence => is_ordered(true) && finds(&|of, read| past(of, read.by)),
        Level::CausalMemory | Level::Pram => {
            (level == Level::Pram || (0..small.count).all(|of| !past(of, of)))
                && small
                    .sessions()
                    .into_iter()
                    .all(|session| small.view(session, level == Level::CausalMemory))
        }
        Level::ReadYourWrites | Level::MonotonicReads | Level::MonotonicWrites | Level::WritesFollowReads => {
            small.reads.iter().all(|read| small.guaranteed(read, level))
        }
        _ => return None,
    })
}

/// Whether a way along `is_before` leads from one to the other.
fn reaches(count: usize, is_before: &dyn Fn(usize, usize) -> bool, from: usize, to: usize) -> bool {
    let mut found: Vec<usize> = (0..count).filter(|next| is_before(from, *next)).collect();
    let mut at = 0;
    while let Some(&of) = found.get(at) {
        at += 1;
        for next in (0..count).filter(|next| is_before(of, *next)) {
            if !found.contains(&next) {
                found.push(next);
            }
        }
    }
    found.contains(&to)
}

impl<'a> Small<'a> {
    fn new(history: &'a Transactions) -> Option<Self> {
        let count = history.all().len();
        let longest = vec![Vec::new(); history.keys() as usize];
        let mut small = Self { history, count, reads: Vec::new(), longest };
        for by in 0..count {
            let mut own: Vec<(Key, ValueId)> = Vec::new();
            for (step, done) in small.steps(by).iter().enumerate() {
                match *done {
                    Step::Append { key, element } => own.push((key, element)),
                    Step::ReadList { key, start, count } => {
                        let mine: Vec<ValueId> =
                            own.iter().filter(|(of, _)| *of == key).map(|(_, element)| *element).collect();
                        let foreign = history.list(start, count).strip_suffix(&mine[..])?;
                        let list: Vec<usize> = foreign
                            .iter()
                            .map(|element| small.source(key, *element))
                            .collect::<Option<_>>()?;
                        let mut twice = foreign.to_vec();
                        twice.sort_unstable();
                        let is_final = foreign.last().is_none_or(|last| {
                            let of = list[list.len() - 1];
                            small.elements(of, key).last() == Some(last)
                        });
                        let is_whole = list.iter().all(|of| {
                            let mine = small.elements(*of, key);
                            let seen = foreign.iter().copied().filter(|element| mine.contains(element));
                            mine.iter().copied().take(seen.clone().count()).eq(seen)
                        });
                        if list.contains(&by)
                            || !is_whole
                            || twice.windows(2).any(|two| two[0] == two[1])
                            || !is_final
                        {
                            return None;
                        }
                        let longest = &mut small.longest[key.0 as usize];
                        if foreign.starts_with(longest) {
                            *longest = foreign.to_vec();
                        } else if !longest.starts_with(foreign) {
                            return None;
                        }
                        small.reads.push(Read { by, step, key, list });
                    }
                    Step::Read { .. } | Step::Write { .. } => return None,
                }
            }
        }
        Some(small)
    }

    fn steps(&self, of: usize) -> &'a [Step] {
        self.history.steps(&self.history.all()[of])
    }

    fn elements(&self, of: usize, key: Key) -> Vec<ValueId> {
        let element = |step: &Step| match *step {
            Step::Append { key: at, element } if at == key => Some(element),
            _ => None,
        };
        self.steps(of).iter().filter_map(element).collect()
    }

    fn appends(&self, of: usize, key: Key) -> bool {
        !self.elements(of, key).is_empty()
    }

    fn source(&self, key: Key, element: ValueId) -> Option<usize> {
        (0..self.count).find(|of| self.elements(*of, key).contains(&element))
    }

    fn session(&self, of: usize) -> u32 {
        self.history.all()[of].session
    }

    fn sessions(&self) -> Vec<u32> {
        let mut sessions: Vec<u32> = (0..self.count).map(|of| self.session(of)).collect();
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    fn is_before(&self, a: usize, b: usize, sessions: bool) -> bool {
        sessions && a < b && self.session(a) == self.session(b)
    }

    /// Whether `b` read something that `a` appended.
    fn saw(&self, a: usize, b: usize) -> bool {
        self.reads.iter().any(|read| read.by == b && read.list.contains(&a))
    }

    /// Whether lists show that `a` appended something before `b` did.
    fn is_shown(&self, a: usize, b: usize) -> bool {
        a != b
            && (0..self.history.keys()).map(Key).any(|key| {
                let list = &self.longest[key.0 as usize];
                let place = |element: &ValueId| list.iter().position(|other| other == element);
                self.elements(a, key).iter().filter_map(place).any(|first| {
                    self.elements(b, key).iter().any(|element| place(element).is_none_or(|at| at > first))
                })
            })
    }

    /// Whether what a session sees has an order in which all that it reads is right.
    fn view(&self, session: u32, is_causal: bool) -> bool {
        let is_before = |a: usize, b: usize| {
            self.is_before(a, b, true)
                || self.saw(a, b) && (is_causal || self.session(b) == session)
                || self.is_shown(a, b)
        };
        let own: Vec<usize> = (0..self.count).filter(|of| self.session(*of) == session).collect();
        let is_seen =
            |of: &usize| own.contains(of) || own.iter().any(|to| reaches(self.count, &is_before, *of, *to));
        let seen: Vec<usize> = (0..self.count).filter(is_seen).collect();
        let is_placed = |a: usize, b: usize| is_before(seen[a], seen[b]);
        orders(seen.len(), &is_placed, &mut |order| {
            self.reads.iter().filter(|read| self.session(read.by) == session).all(|read| {
                let before = order.iter().map(|place| seen[*place]).take_while(|of| *of != read.by);
                before
                    .flat_map(|of| self.elements(of, read.key).into_iter().map(move |_| of))
                    .eq(read.list.iter().copied())
            })
        })
    }

    /// Whether a list has what the guarantee demands, in the order that it demands. An element stands for its transaction, the last element
    /// of a list for all of it.
    fn guaranteed(&self, read: &Read, level: Level) -> bool {
        let session = self.session(read.by);
        let of_session = || self.reads.iter().filter(|other| self.session(other.by) == session);
        let is_earlier = |other: &Read| (other.by, other.step) < (read.by, read.step);
        let has = |of: usize| of == read.by || read.list.contains(&of);
        // What a write brings with it: what its session appended, or had read, before.
        let brought = |of: usize| -> Vec<usize> {
            (0..self.count)
                .filter(|other| match level {
                    Level::MonotonicWrites => {
                        self.is_before(*other, of, true) && self.appends(*other, read.key)
                    }
                    _ => self.reads.iter().any(|by| {
                        let is_past = by.by == of || self.is_before(by.by, of, true);
                        by.key == read.key && is_past && by.list.last() == Some(other)
                    }),
                })
                .collect()
        };
        match level {
            Level::ReadYourWrites => (0..self.count)
                .all(|of| !self.is_before(of, read.by, true) || !self.appends(of, read.key) || has(of)),
            Level::MonotonicReads => of_session()
                .filter(|other| other.key == read.key && is_earlier(other))
                .all(|other| other.list.last().is_none_or(|of| has(*of))),
            _ => {
                let place = |of: usize| read.list.iter().position(|other| *other == of);
                let seen = of_session()
                    .filter(|other| is_earlier(other) || other.step == read.step && other.by == read.by);
                seen.flat_map(|other| &other.list).all(|of| brought(*of).into_iter().all(has))
                    && read
                        .list
                        .iter()
                        .all(|of| brought(*of).into_iter().all(|other| place(other) <= place(*of)))
            }
        }
    }
}

#[test]
fn checkers_of_lists_agree_with_the_definitions_of_weaker_levels() {
    use crate::Verdict;
    use crate::transactions::{Budget, check};

    let mut met = vec![[0; 2]; 20];
    // The last ones: who read, from the future of its session, something later than its own append, once had too little demanded of it.
    for seed in (0..4_000).chain([9_090, 13_159, 17_315, 43_595]) {
        let history = sample_lists(seed, 5);
        for level in Level::all() {
            let verdict = check(&history, level, Budget::default());
            assert_eq!(
                crate::verify_transactions(&history, level, &verdict),
                Ok(()),
                "seed {seed}: {level} {history:?} {verdict:?}"
            );
            let Some(expected) = holds(&history, level) else { continue };
            let found = matches!(verdict, Verdict::Holds(_));
            assert!(found == expected, "seed {seed}: {level}: {expected}: {history:?} {verdict:?}");
            met[level as usize][usize::from(expected)] += 1;
        }
    }
    let decided = met.iter().filter(|counts| counts.iter().all(|count| *count >= 50)).count();
    assert_eq!(decided, 12, "{met:?}");
}

#[test]
fn no_implication_of_the_lattice_is_broken_by_lists() {
    use crate::Verdict;
    use crate::lattice::implied;
    use crate::transactions::{Budget, check};

    for seed in 0..2_000 {
        let history = sample_lists(seed, 6);
        let held = |level: &Level| matches!(check(&history, *level, Budget::default()), Verdict::Holds(_));
        let held: Vec<Level> = Level::all().filter(held).collect();
        for strong in &held {
            for weak in implied(*strong) {
                assert!(held.contains(&weak), "seed {seed}: {strong} without {weak}: {history:?}");
            }
        }
    }
}
