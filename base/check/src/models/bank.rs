//! Accounts between which money is moved.

use std::collections::BTreeMap;

use crate::model::{Datum, Effect, Model, Parts};

/// A bank.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bank<K> {
    /// What accounts hold at first; one that is missing here holds nothing.
    pub initial: BTreeMap<K, i64>,
    /// Whether a transfer may take more than there is.
    pub overdraft: bool,
}

/// What is asked of a bank.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Op<K> {
    /// Move money. Answered by [`Reply::Moved`].
    Transfer {
        /// From this account.
        from: K,
        /// To this one.
        to: K,
        /// So much; below zero it is refused.
        amount: i64,
    },
    /// What do all accounts hold? Answered by [`Reply::Balances`].
    Read,
    /// What does this account hold? Answered by [`Reply::Balance`].
    Balance(K),
}

/// What a bank answers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reply<K> {
    /// Whether there was enough, and it was moved.
    Moved(bool),
    /// What all accounts hold; one that holds nothing may be left out.
    Balances(BTreeMap<K, i64>),
    /// What the account holds.
    Balance(i64),
}

impl<K: Datum> Model for Bank<K> {
    type Op = Op<K>;
    type Reply = Reply<K>;
    /// Accounts that hold nothing are left out.
    type State = BTreeMap<K, i64>;

    fn initial(&self) -> BTreeMap<K, i64> {
        without_empty(&self.initial)
    }

    fn step(
        &self,
        state: &BTreeMap<K, i64>,
        op: &Op<K>,
        reply: Option<&Reply<K>>,
        next: &mut Vec<BTreeMap<K, i64>>,
    ) {
        match (op, reply) {
            (Op::Transfer { from, to, amount }, None | Some(Reply::Moved(_))) => {
                let moved = self.transferred(state, from, to, *amount);
                if reply.is_none_or(|told| *told == Reply::Moved(moved.is_some())) {
                    next.push(moved.unwrap_or_else(|| state.clone()));
                }
            }
            (Op::Read, Some(Reply::Balances(balances))) if without_empty(balances) == *state => {
                next.push(state.clone());
            }
            (Op::Balance(account), Some(Reply::Balance(balance)))
                if state.get(account).copied().unwrap_or(0) == *balance =>
            {
                next.push(state.clone());
            }
            (Op::Read | Op::Balance(_), None) => next.push(state.clone()),
            (Op::Transfer { .. } | Op::Read | Op::Balance(_), Some(_)) => {}
        }
    }

    fn effect(&self, op: &Op<K>, reply: Option<&Reply<K>>) -> Effect {
        match (op, reply) {
            (Op::Read | Op::Balance(_), _) | (_, Some(Reply::Moved(false))) => Effect::Preserves,
            (Op::Transfer { .. }, None) => Effect::Accepted,
            (Op::Transfer { .. }, Some(_)) => Effect::Any,
        }
    }

    fn objects(&self, op: &Op<K>, objects: &mut Parts) {
        match op {
            Op::Transfer { from, to, .. } => {
                objects.add(from);
                objects.add(to);
            }
            Op::Balance(account) => objects.add(account),
            Op::Read => objects.all(),
        }
    }

    fn describe(&self, op: &Op<K>, reply: Option<&Reply<K>>) -> String {
        let asked = match op {
            Op::Transfer { from, to, amount } => format!("move {amount} from {from:?} to {to:?}"),
            Op::Read => "read".to_owned(),
            Op::Balance(account) => format!("balance of {account:?}"),
        };
        match reply {
            Some(Reply::Moved(true)) => asked,
            Some(Reply::Moved(false)) => asked + ", refused",
            Some(Reply::Balances(balances)) => format!("{asked} → {balances:?}"),
            Some(Reply::Balance(balance)) => format!("{asked} → {balance}"),
            None => asked + ", unknown",
        }
    }
}

impl<K: Datum> Bank<K> {
    /// The balances after a transfer, if it is allowed.
    fn transferred(
        &self,
        state: &BTreeMap<K, i64>,
        from: &K,
        to: &K,
        amount: i64,
    ) -> Option<BTreeMap<K, i64>> {
        let mut after = state.clone();
        let left = after.get(from).copied().unwrap_or(0).checked_sub(amount)?;
        if amount < 0 || left < 0 && !self.overdraft {
            return None;
        }
        after.insert(from.clone(), left);
        let more = after.get(to).copied().unwrap_or(0).checked_add(amount)?;
        after.insert(to.clone(), more);
        Some(without_empty(&after))
    }
}

/// The accounts that hold something.
fn without_empty<K: Datum>(balances: &BTreeMap<K, i64>) -> BTreeMap<K, i64> {
    balances
        .iter()
        .filter(|(_, balance)| **balance != 0)
        .map(|(account, balance)| (account.clone(), *balance))
        .collect()
}
