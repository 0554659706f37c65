//! Rules of the checkers that tests can switch off: each must have a litmus test that fails without it.

use super::certificate::Anomaly;

/// A rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rule {
    /// Something that is wrong by itself.
    Flaw(Anomaly),
    /// An unknown outcome counts as committed if somebody saw what was written.
    SeenUnknown,
    SessionOrder,
    RealTime,
    ReadsFrom,
    InitialFirst,
    ReadCommittedNext,
    ReadCommittedWrites,
    ReadAtomicTwice,
    ReadAtomicWrites,
    ReadAtomicSession,
    CausalPast,
    ViewPast,
    SaturateOverwritten,
    SaturateReadBefore,
    SaturateNoOverlap,
    SearchLocks,
    ListFollows,
    ListMisses,
    ListTail,
    ListWithin,
    CausalLists,
    GuaranteeOwnWrites,
    GuaranteeOwnReads,
    GuaranteeEarlierWrites,
    GuaranteeEarlierReads,
    GuaranteeSessions,
    GuaranteeListLacks,
    GuaranteeListOrder,
}

#[cfg(test)]
thread_local! {
    /// The rule that is switched off.
    pub(super) static OFF: std::cell::Cell<Option<Rule>> = const { std::cell::Cell::new(None) };
}

/// Whether a rule is in force; always outside tests.
#[inline]
pub(super) fn on(rule: Rule) -> bool {
    #[cfg(test)]
    return OFF.get() != Some(rule);
    #[cfg(not(test))]
    {
        let _ = rule;
        true
    }
}

#[cfg(test)]
mod tests {
    use isles_history::{Key, Status, Step, Transactions, Value, ValueId};

    use super::*;
    use crate::transactions::{Budget, Level, check};
    use crate::{Verdict, verify_transactions};

    /// Sessions are apart by `|`, transactions by `;`, steps by spaces: `wx1` writes, `rx1` reads (0: the initial state), `ax1` appends,
    /// `lx12` reads a list. A transaction may begin with `@5-7`, its interval, `!` if it aborted, and `?` if nobody knows.
    fn history(text: &str) -> Transactions {
        let mut history = Transactions::default();
        let keys: Vec<Key> = (0..4).map(|key| history.add_key(Value::Int(key))).collect();
        let values: Vec<ValueId> = std::iter::once(ValueId::INITIAL)
            .chain((1..10).map(|value| history.add_value(Value::Int(value))))
            .collect();
        for (session, text) in (0..).zip(text.split('|')) {
            for text in text.split(';') {
                let (mut steps, mut interval, mut status) = (Vec::new(), None, Status::Committed);
                for word in text.split_whitespace() {
                    if let "!" | "?" = word {
                        status = if word == "!" { Status::Aborted } else { Status::Unknown };
                        continue;
                    }
                    if let Some((begin, end)) = word.strip_prefix('@').and_then(|word| word.split_once('-')) {
                        interval = Some((begin.parse().expect("a number"), end.parse().expect("a number")));
                        continue;
                    }
                    let bytes = word.as_bytes();
                    let key = keys[usize::from(bytes[1] - b'w')];
                    let mut rest = bytes[2..].iter().map(|digit| values[usize::from(digit - b'0')]);
                    steps.push(match bytes[0] {
                        b'l' => history.read_list(key, rest),
                        kind => {
                            let value = rest.next().expect("a value");
                            match kind {
                                b'w' => Step::Write { key, value },
                                b'r' => Step::Read { key, value },
                                _ => Step::Append { key, element: value },
                            }
                        }
                    });
                }
                history.push(session, status, interval, steps);
            }
        }
        history
    }

    /// For each rule a level, and a history that breaks it in a way which only this rule sees; for the locks of the search one that
    /// is right, of which a wrong witness would come out.
    const LITMUS: [(Rule, Level, &str); 36] = [
        (Rule::SessionOrder, Level::SessionReadCommitted, "ry1; wx1 | rx1; wy1"),
        (Rule::RealTime, Level::StrictSerializable, "@1-2 wx1 | @3-4 rx0"),
        (Rule::ReadsFrom, Level::Serializable, "rx1 wy1 | ry1 wx1"),
        (Rule::InitialFirst, Level::ReadAtomic, "wx1 wy1 | rx1 ry0"),
        (Rule::ReadCommittedNext, Level::ReadCommitted, "wx1 | wx2 | rx1 rx2 | rx2 rx1"),
        (Rule::ReadCommittedWrites, Level::ReadCommitted, "wx1 wy1 wz1 | wx2 wy2 wz2 | ry1 rx2 | rz2 rx1"),
        (Rule::ReadAtomicTwice, Level::ReadAtomic, "wx1 | wx2 | rx1 rx2"),
        (Rule::ReadAtomicWrites, Level::ReadAtomic, "wx1 wy1 | wx2 wy2 | rx1 ry2"),
        (Rule::ReadAtomicSession, Level::SessionReadAtomic, "wx1; wx2; rx1"),
        (Rule::CausalPast, Level::CausalConvergence, "wx1; wx2 | rx2 wy1 | ry1; rx1"),
        (Rule::ViewPast, Level::Pram, "wx1; wx2 | rx2; rx1"),
        (Rule::SaturateOverwritten, Level::SessionSerializable, "wx1 | wx2 | rx1; rx2 | rx2; rx1"),
        (Rule::SaturateReadBefore, Level::Serializable, "rx0 wy1 | ry0 wx1"),
        (Rule::SaturateNoOverlap, Level::SnapshotIsolation, "rx0 wx1 | rx0 wx2"),
        (Rule::SearchLocks, Level::SnapshotIsolation, "wx1 wy1 | wx2 | ry0 rz3 | wz3"),
        (Rule::ListFollows, Level::Serializable, "ax1 ay1 | ax2 ay2 | lx12 | ly21"),
        (Rule::ListMisses, Level::Serializable, "lx ay1 | ly ax1 | lx1 ly1"),
        (Rule::ListTail, Level::Serializable, "lx ay1 | ly ax1"),
        (Rule::ListWithin, Level::ReadCommitted, "ax1 ax2 ax3 | lx213"),
        (Rule::CausalLists, Level::Causal, "ax1 | ax2; ay1 | ly1; lx1"),
        (Rule::GuaranteeOwnWrites, Level::ReadYourWrites, "wx1; rx0"),
        (Rule::GuaranteeOwnReads, Level::MonotonicReads, "wx1 | rx1; rx0"),
        (Rule::GuaranteeEarlierWrites, Level::MonotonicWrites, "wx1; wy1 | ry1; rx0"),
        (Rule::GuaranteeEarlierReads, Level::WritesFollowReads, "wx1 | rx1; wy1 | ry1; rx0"),
        (Rule::GuaranteeSessions, Level::MonotonicReads, "wx1; wx2 | rx2; rx1"),
        (Rule::GuaranteeListLacks, Level::ReadYourWrites, "ax1; lx"),
        (Rule::GuaranteeListOrder, Level::MonotonicWrites, "ax1; ax2 | lx21"),
        (Rule::SeenUnknown, Level::ReadAtomic, "? wx1 wy1 | rx1 ry0"),
        (Rule::Flaw(Anomaly::ThinAirRead), Level::ReadCommitted, "rx1"),
        (Rule::Flaw(Anomaly::AbortedRead), Level::ReadCommitted, "! wx1 | rx1"),
        (Rule::Flaw(Anomaly::DirtyUpdate), Level::Serializable, "! ax1 | ax2 | lx12"),
        (Rule::Flaw(Anomaly::IntermediateRead), Level::ReadCommitted, "wx1 wx2 | rx1"),
        (Rule::Flaw(Anomaly::InternalInconsistency), Level::ReadCommitted, "wx1 rx0"),
        (Rule::Flaw(Anomaly::FutureRead), Level::ReadCommitted, "rx1 wx1"),
        (Rule::Flaw(Anomaly::DuplicateElement), Level::ReadCommitted, "ax1 | lx11"),
        (Rule::Flaw(Anomaly::IncompatibleOrder), Level::ReadCommitted, "ax1 | ax2 | lx1 | lx2"),
    ];

    #[test]
    fn without_any_one_rule_a_litmus_test_fails() {
        for (rule, level, text) in LITMUS {
            let history = history(text);
            let is_expected = |verdict: &Verdict<_, crate::transactions::Violation>| match verdict {
                Verdict::Violated(found) => found.anomaly != Anomaly::NoOrder,
                Verdict::Holds(_) => rule == Rule::SearchLocks,
                Verdict::Unknown(_) => false,
            };
            let verdict = check(&history, level, Budget::default());
            assert!(is_expected(&verdict), "{rule:?}: {text}: {verdict:?}");
            assert_eq!(
                verify_transactions(&history, level, &verdict),
                Ok(()),
                "{rule:?}: {text}: {verdict:?}"
            );
            OFF.set(Some(rule));
            let verdict = std::panic::catch_unwind(|| check(&history, level, Budget::default()));
            OFF.set(None);
            let is_right = verdict.as_ref().is_ok_and(|verdict| {
                is_expected(verdict) && verify_transactions(&history, level, verdict) == Ok(())
            });
            assert!(!is_right, "{rule:?} is not needed for {text}: {verdict:?}");
        }
    }
}
