//! Rules of the checkers outside `linearizability` and `transactions` that tests can switch off: each must have a litmus test that fails
//! without it.

/// A rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rule {
    /// The operations of a process take effect in their order.
    SequentialProcesses,
    /// Whatever was answered must take effect.
    SequentialAll,
    /// An answer must fit.
    SequentialAnswers,
    /// Forward zones do not overlap.
    StalenessForward,
    /// Backward zones do not lie in forward ones.
    StalenessBackward,
    /// A value is written once.
    StalenessTwice,
    /// What nobody wrote is not read.
    StalenessThinAir,
    /// What is not yet written is not read.
    StalenessFuture,
    /// Writes that ended between a write and a read of it count.
    StalenessBetween,
    /// Of each session only the last read counts.
    EventualLast,
    /// Only reads after the last update count.
    EventualQuiet,
    /// Updates that were aborted do not count.
    EventualAborted,
    /// A replica that delivers an update again is as it was.
    StrongTwice,
    /// Only replicas with the same updates are compared.
    StrongSame,
}

#[cfg(test)]
thread_local! {
    /// The rule that is switched off.
    static OFF: std::cell::Cell<Option<Rule>> = const { std::cell::Cell::new(None) };
}

/// Whether a rule is in force; always outside tests.
#[inline]
pub(crate) fn on(rule: Rule) -> bool {
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
    use isles_history::{Moment, Operation, Outcome, Status, Step, Transactions, Value, ValueId};

    use super::*;
    use crate::Verdict;
    use crate::convergence::ReplicaEvent::{Delivered, Observed};
    use crate::convergence::{eventual, strong};
    use crate::linearizability::Limits;
    use crate::models::register::{Op, Register, Reply};
    use crate::sequential::check;
    use crate::staleness::{Access, staleness};
    use crate::verify::{self, Keep};

    /// A register's operations one after the other: the process, and what is written, or read.
    fn register(steps: &[(u32, Op<u32>, Reply<u32>)], holds: bool) -> bool {
        let operations: Vec<_> = (0..)
            .zip(steps)
            .map(|(at, (process, op, reply))| Operation {
                process: *process,
                invoked: 2 * at,
                op: *op,
                outcome: Outcome::Returned { at: 2 * at + 1, reply: *reply },
            })
            .collect();
        let model = Register { initial: 0 };
        match check(&model, &operations, &Limits::default()) {
            Verdict::Holds(order) => {
                holds && verify::order(&model, &operations, &order.0, Keep::Processes) == Ok(())
            }
            Verdict::Violated(why) => {
                !holds && verify::contradiction(&model, &operations, &why.core, Keep::Processes) == Ok(())
            }
            Verdict::Unknown(_) => false,
        }
    }

    /// Writes and reads of a register: when, and which value.
    fn accesses(writes: &[(Moment, Moment, u32)], reads: &[(Moment, Moment, u32)]) -> Vec<Access> {
        let access = |is_write| {
            move |(invoked, returned, value): &(Moment, Moment, u32)| Access {
                invoked: *invoked,
                returned: *returned,
                value: value.checked_sub(1),
                is_write,
            }
        };
        writes.iter().map(access(true)).chain(reads.iter().map(access(false))).collect()
    }

    /// Writes of one key with their ends, some aborted; reads of sessions, with what they saw and when they began.
    fn converges(writes: &[(Moment, Status)], reads: &[(u32, u32, Moment)]) -> Option<bool> {
        let mut history = Transactions::default();
        let key = history.add_key(Value::Int(0));
        for (end, status) in writes {
            let value = history.add_value(Value::Int(0));
            history.push(0, *status, Some((end - 1, *end)), [Step::Write { key, value }]);
        }
        for (session, value, begin) in reads {
            let step = Step::Read { key, value: ValueId(*value) };
            history.push(*session, Status::Committed, Some((*begin, begin + 1)), [step]);
        }
        match eventual(&history) {
            Verdict::Holds(_) => Some(true),
            Verdict::Violated(_) => Some(false),
            Verdict::Unknown(_) => None,
        }
    }

    fn is_right(rule: Rule) -> bool {
        let (write, read) =
            (|value| (Op::Write(value), Reply::Done), |value| (Op::Read, Reply::Value(value)));
        let of = |process: u32, step: (Op<u32>, Reply<u32>)| (process, step.0, step.1);
        match rule {
            Rule::SequentialProcesses => {
                register(&[of(0, write(1)), of(0, write(2)), of(1, read(2)), of(1, read(1))], false)
            }
            Rule::SequentialAll => register(
                &[of(0, write(1)), of(0, (Op::CompareAndSet(1, 2), Reply::Set(true))), of(1, write(3))],
                true,
            ),
            Rule::SequentialAnswers => register(&[of(0, read(5))], false),
            Rule::StalenessForward => {
                let all = accesses(&[(1, 2, 1), (3, 4, 2)], &[(50, 51, 2), (52, 53, 1)]);
                staleness(&all).is_ok_and(|of| of.delta > 0)
            }
            Rule::StalenessBackward => {
                // The second value is written and read while the first was in force before and after.
                let all = accesses(&[(1, 2, 1), (4, 5, 2)], &[(8, 9, 1)]);
                staleness(&all).is_ok_and(|of| of.delta > 0)
            }
            Rule::StalenessTwice => staleness(&accesses(&[(1, 2, 1), (3, 4, 1)], &[])).is_err(),
            Rule::StalenessThinAir => staleness(&accesses(&[], &[(1, 2, 1)])).is_err(),
            Rule::StalenessFuture => staleness(&accesses(&[(5, 6, 1)], &[(1, 2, 1)])).is_err(),
            Rule::StalenessBetween => {
                let all = accesses(&[(1, 2, 1), (3, 4, 2), (5, 6, 3)], &[(7, 8, 1)]);
                staleness(&all).is_ok_and(|of| of.k_at_least == 3)
            }
            Rule::EventualLast => {
                converges(&[(10, Status::Committed)], &[(1, 0, 20), (1, 1, 30), (2, 1, 30)]) == Some(true)
            }
            Rule::EventualQuiet => {
                let writes = [(10, Status::Committed), (20, Status::Committed)];
                converges(&writes, &[(1, 1, 12), (2, 2, 15)]).is_none()
            }
            Rule::EventualAborted => {
                let writes = [(10, Status::Committed), (90, Status::Aborted)];
                converges(&writes, &[(1, 1, 20), (2, 1, 30)]) == Some(true)
            }
            Rule::StrongTwice => {
                let delivered = |replica, update| Delivered { replica, update };
                let events = [
                    delivered(0, 1),
                    Observed { replica: 0, state: 'a' },
                    delivered(1, 1),
                    delivered(1, 1),
                    Observed { replica: 1, state: 'b' },
                ];
                matches!(strong(&events), Verdict::Violated(_))
            }
            Rule::StrongSame => {
                let events = [
                    Delivered { replica: 0, update: 1 },
                    Observed { replica: 0, state: 'a' },
                    Observed { replica: 1, state: 'b' },
                ];
                strong(&events) == Verdict::Holds(0)
            }
        }
    }

    const ALL: [Rule; 14] = [
        Rule::SequentialProcesses,
        Rule::SequentialAll,
        Rule::SequentialAnswers,
        Rule::StalenessForward,
        Rule::StalenessBackward,
        Rule::StalenessTwice,
        Rule::StalenessThinAir,
        Rule::StalenessFuture,
        Rule::StalenessBetween,
        Rule::EventualLast,
        Rule::EventualQuiet,
        Rule::EventualAborted,
        Rule::StrongTwice,
        Rule::StrongSame,
    ];

    #[test]
    fn without_any_one_rule_a_litmus_test_fails() {
        for rule in ALL {
            assert!(is_right(rule), "{rule:?}");
            OFF.set(Some(rule));
            let without = std::panic::catch_unwind(|| is_right(rule));
            OFF.set(None);
            assert!(!without.unwrap_or(false), "{rule:?} is not needed");
        }
    }
}
