//! A log that is appended to.

use crate::model::{Datum, Effect, Model};

/// A log of records with offsets from 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log<V> {
    /// What is in it at first.
    pub initial: Vec<V>,
}

/// What is asked of a log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Op<V> {
    /// Add this at its end. Answered by the record's offset ([`Reply::At`]) or not ([`Reply::Done`]).
    Append(V),
    /// What is there from this offset on, `limit` records at most? Answered by [`Reply::Records`].
    Read {
        /// The offset of the first record.
        from: u64,
        /// At most so many.
        limit: u64,
    },
    /// Which offset will the next record have? Answered by [`Reply::At`].
    Tail,
}

/// What a log answers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reply<V> {
    /// It is added.
    Done,
    /// An offset.
    At(u64),
    /// Records in order.
    Records(Vec<V>),
}

impl<V: Datum> Model for Log<V> {
    type Op = Op<V>;
    type Reply = Reply<V>;
    type State = Vec<V>;

    fn initial(&self) -> Vec<V> {
        self.initial.clone()
    }

    fn step(&self, state: &Vec<V>, op: &Op<V>, reply: Option<&Reply<V>>, next: &mut Vec<Vec<V>>) {
        let fits = match (op, reply) {
            (_, None) | (Op::Append(_), Some(Reply::Done)) => true,
            (Op::Append(_) | Op::Tail, Some(Reply::At(offset))) => *offset == state.len() as u64,
            (Op::Read { from, limit }, Some(Reply::Records(records))) => {
                read(state, *from, *limit) == records.as_slice()
            }
            (Op::Append(_) | Op::Read { .. } | Op::Tail, Some(_)) => false,
        };
        if !fits {
            return;
        }
        next.push(match op {
            Op::Append(record) => state.iter().chain([record]).cloned().collect(),
            Op::Read { .. } | Op::Tail => state.clone(),
        });
    }

    fn effect(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> Effect {
        match (op, reply) {
            (Op::Read { .. } | Op::Tail, _) => Effect::Preserves,
            (Op::Append(_), None | Some(Reply::Done)) => Effect::Accepted,
            (Op::Append(_), Some(_)) => Effect::Any,
        }
    }

    fn can_lead(&self, state: &Vec<V>, op: &Op<V>, reply: &Reply<V>) -> bool {
        let (length, next) = (
            state.len() as u64,
            match reply {
                Reply::Done => return true,
                Reply::At(offset) => return state.len() as u64 <= *offset,
                Reply::Records(records) => records,
            },
        );
        let Op::Read { from, limit } = op else { return true };
        // What is there already is read; what is read up to the end cannot be followed by more.
        let seen = read(state, *from, *limit);
        let ends = (next.len() as u64) < *limit;
        next.starts_with(seen) && (!ends || length <= from.saturating_add(next.len() as u64))
    }

    fn supplies(&self, _: (&Op<V>, Option<&Reply<V>>), _: &Op<V>, _: &Reply<V>) -> bool {
        false
    }

    fn describe(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> String {
        let asked = match op {
            Op::Append(record) => format!("append {record:?}"),
            Op::Read { from, limit: u64::MAX } => format!("read from {from}"),
            Op::Read { from, limit } => format!("read {limit} from {from}"),
            Op::Tail => "tail".to_owned(),
        };
        match reply {
            Some(Reply::Done) => asked,
            Some(Reply::At(offset)) => format!("{asked} → {offset}"),
            Some(Reply::Records(records)) => format!("{asked} → {records:?}"),
            None => asked + ", unknown",
        }
    }
}

/// The records from an offset on, a number of them at most.
fn read<V>(records: &[V], from: u64, limit: u64) -> &[V] {
    let length = records.len() as u64;
    let from = from.min(length);
    &records[from as usize..from.saturating_add(limit).min(length) as usize]
}
