//! Plume's text.

use std::io::Write;

use crate::{Key, Status, Step, Transactions, Value, ValueId};

/// Why transactions cannot be written as Plume's text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlumeError {
    /// The text could not be written.
    #[error("cannot be written: {0}")]
    Io(#[from] std::io::Error),
    /// Plume knows registers only.
    #[error("transaction {transaction} works on a list: plume has registers only; write edn or lines")]
    List {
        /// Counted from 0.
        transaction: usize,
    },
    /// Plume knows committed and aborted transactions only.
    #[error(
        "nobody knows what became of transaction {transaction}: plume has committed and aborted ones; write edn or lines"
    )]
    Unknown {
        /// Counted from 0.
        transaction: usize,
    },
}

/// Writes transactions as Plume's text. Keys and values that are whole numbers keep them, unless somebody writes 0, which stands
/// for the initial value; others, and all if that is so, are numbered in the order of the history. What an aborted transaction read is left
/// out, as the format has no place for it.
///
/// # Errors
/// When the history has lists or transactions of unknown outcome, or `out` fails.
pub fn write_plume(transactions: &Transactions, out: &mut impl Write) -> Result<(), PlumeError> {
    for (index, transaction) in transactions.all().iter().enumerate() {
        if transaction.status == Status::Unknown {
            return Err(PlumeError::Unknown { transaction: index });
        }
        if transactions
            .steps(transaction)
            .iter()
            .any(|step| matches!(step, Step::Append { .. } | Step::ReadList { .. }))
        {
            return Err(PlumeError::List { transaction: index });
        }
    }
    let exact = is_exact(transactions);
    let number = |name: &Value, number: u32| name.int().filter(|_| exact).unwrap_or(i64::from(number));
    let key_number = |key: Key| number(transactions.key_name(key), key.0);
    let value_number = |value: ValueId| number(transactions.value_name(value), value.0);
    for (index, transaction) in transactions.all().iter().enumerate() {
        let session = transaction.session;
        let aborted = transaction.status == Status::Aborted;
        let name = if aborted { -1 } else { index as i64 };
        for step in transactions.steps(transaction) {
            let (letter, key, value) = match *step {
                Step::Read { key, value } if !aborted => ('r', key, value),
                Step::Write { key, value } => ('w', key, value),
                Step::Read { .. } | Step::Append { .. } | Step::ReadList { .. } => continue,
            };
            writeln!(out, "{letter}({},{},{session},{name})", key_number(key), value_number(value))?;
        }
    }
    Ok(())
}

/// Whether all keys and values can keep their names.
fn is_exact(transactions: &Transactions) -> bool {
    let whole = |value: ValueId| transactions.value_name(value).int().is_some_and(|number| number != 0);
    let mut steps = transactions.all().iter().flat_map(|transaction| transactions.steps(transaction));
    (0..transactions.keys()).all(|key| transactions.key_name(Key(key)).int().is_some())
        && steps.all(|step| match step {
            Step::Read { value, .. } | Step::Write { value, .. } => {
                *value == ValueId::INITIAL || whole(*value)
            }
            Step::Append { .. } | Step::ReadList { .. } => true,
        })
}
