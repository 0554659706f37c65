//! Session guarantees, session by session, and single operations seen as transactions of one step.

use isles_history::{Operation, Outcome, Status, Step, Transactions};

use crate::transactions::{Level, Violation, guarantees};

/// Which of the four guarantees of Terry et al. (PDIS 1994) a session lacks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionReport {
    /// Which session.
    pub session: u32,
    /// What it lacks, each with a violation whose cycle names the write that should have been seen and the older one that was
    /// read; none of [`Level::ReadYourWrites`], [`Level::MonotonicReads`], [`Level::MonotonicWrites`] and
    /// [`Level::WritesFollowReads`] if it has all.
    pub lacks: Vec<(Level, Violation)>,
}

/// All sessions, ascending, with what each lacks.
///
/// # Errors
/// What would help, if reads cannot be attributed to writers because values are not unique.
///
/// ```
/// use isles_check::sessions::sessions;
/// use isles_check::transactions::Level;
/// use isles_history::{Status, Step, Transactions, Value, ValueId};
///
/// let mut history = Transactions::default();
/// let (key, value) = (history.add_key(Value::Int(0)), history.add_value(Value::Int(7)));
/// history.push(0, Status::Committed, None, [Step::Write { key, value }]);
/// history.push(0, Status::Committed, None, [Step::Read { key, value: ValueId::INITIAL }]);
/// history.push(1, Status::Committed, None, [Step::Read { key, value }]);
/// let found = sessions(&history)?;
/// assert_eq!(found[0].lacks[0].0, Level::ReadYourWrites);
/// assert!(found[1].lacks.is_empty());
/// # Ok::<(), &'static str>(())
/// ```
pub fn sessions(history: &Transactions) -> Result<Vec<SessionReport>, &'static str> {
    let levels =
        [Level::ReadYourWrites, Level::MonotonicReads, Level::MonotonicWrites, Level::WritesFollowReads];
    let mut reports: Vec<SessionReport> = Vec::new();
    for level in levels {
        for (place, (session, violation)) in guarantees(history, level)?.into_iter().enumerate() {
            if reports.len() == place {
                reports.push(SessionReport { session, lacks: Vec::new() });
            }
            reports[place].lacks.extend(violation.map(|violation| (level, violation)));
        }
    }
    Ok(reports)
}

/// Single operations as transactions of one step, each in its client's session. `step` says what an operation with its
/// reply, if it had one, did; an operation for which it says nothing is left out, as a read without a reply should be.
pub fn one_step_each<Op, Reply>(
    operations: &[Operation<Op, Reply>],
    mut step: impl FnMut(&mut Transactions, &Op, Option<&Reply>) -> Option<Step>,
) -> Transactions {
    let mut history = Transactions::default();
    for operation in operations {
        let status = match operation.outcome {
            Outcome::Returned { .. } => Status::Committed,
            Outcome::Unknown => Status::Unknown,
        };
        if let Some(step) = step(&mut history, &operation.op, operation.reply()) {
            history.push(operation.process, status, Some((operation.invoked, operation.returned())), [step]);
        }
    }
    history
}
