//! Several objects of one kind that do not know of each other, as one object.

use std::collections::BTreeMap;

use crate::{Effect, Model, Parts};

/// Objects of one model, named by numbers; each is as it is at first until somebody does something to it. For levels that are not local,
/// such as [sequential consistency](crate::sequential): several objects that have it each need not have it together.
///
/// ```
/// use isles_check::linearizability::Limits;
/// use isles_check::models::register::{Op, Register, Reply};
/// use isles_check::models::Composed;
/// use isles_check::{Verdict, sequential};
/// use isles_history::{Operation, Outcome};
///
/// // Each of two clients writes one register and reads the other as it was at first.
/// let registers = Composed(&Register { initial: 0 });
/// let operation = |process: u32, invoked, object, op, reply| {
///     let outcome = Outcome::Returned { at: invoked + 1, reply };
///     Operation { process, invoked, op: (object, op), outcome }
/// };
/// let history = [
///     operation(0, 0, 0, Op::Write(1), Reply::Done),
///     operation(1, 2, 1, Op::Write(1), Reply::Done),
///     operation(0, 4, 1, Op::Read, Reply::Value(0)),
///     operation(1, 6, 0, Op::Read, Reply::Value(0)),
/// ];
/// assert!(matches!(sequential::check(&registers, &history, &Limits::default()), Verdict::Violated(_)));
/// ```
#[derive(Debug)]
pub struct Composed<'a, M>(pub &'a M);

impl<M: Model> Model for Composed<'_, M> {
    type Op = (u32, M::Op);
    type Reply = M::Reply;
    /// Of the objects to which something was done.
    type State = BTreeMap<u32, M::State>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &Self::State,
        (object, op): &Self::Op,
        reply: Option<&M::Reply>,
        next: &mut Vec<Self::State>,
    ) {
        let mut after = Vec::new();
        match state.get(object) {
            Some(state) => self.0.step(state, op, reply, &mut after),
            None => self.0.step(&self.0.initial(), op, reply, &mut after),
        }
        next.extend(after.into_iter().map(|after| {
            let mut all = state.clone();
            all.insert(*object, after);
            all
        }));
    }

    fn effect(&self, (_, op): &Self::Op, reply: Option<&M::Reply>) -> Effect {
        match self.0.effect(op, reply) {
            // The other objects stay as they are.
            Effect::Overwrites => Effect::Accepted,
            other @ (Effect::Preserves | Effect::Accepted | Effect::Any) => other,
        }
    }

    fn objects(&self, (object, _): &Self::Op, objects: &mut Parts) {
        objects.add(object);
    }

    fn describe(&self, (_, op): &Self::Op, reply: Option<&M::Reply>) -> String {
        self.0.describe(op, reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::counter::{Counter, Op, Reply};

    #[test]
    fn objects_do_not_know_of_each_other() {
        let counters = Composed(&Counter { initial: 5 });
        let mut next = Vec::new();
        counters.step(&counters.initial(), &(3, Op::Add(2)), Some(&Reply::Done), &mut next);
        assert_eq!(next, [BTreeMap::from([(3, 7)])]);
        let state = next.remove(0);
        for (object, value) in [(3, 7), (4, 5)] {
            counters.step(&state, &(object, Op::Read), Some(&Reply::Value(value)), &mut next);
            assert_eq!(next.drain(..).count(), 1, "{object}");
            counters.step(&state, &(object, Op::Read), Some(&Reply::Value(0)), &mut next);
            assert!(next.is_empty());
        }
    }
}
