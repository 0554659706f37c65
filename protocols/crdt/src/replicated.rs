//! What every type here is: one definition, from which three forms of replication follow.

use std::fmt::Debug;
use std::hash::Hash;

use isles_causality::Actor;

use crate::canonical::Canonical;

/// A replicated data type: a join semilattice with operations, defined once.
///
/// An operation is prepared where it is asked for ([`prepare`](Self::prepare), which only reads), and its effect says what it does to
/// a state ([`delta`](Self::delta)). From these two and the join follow
///
/// - the **state-based** form: [`act`](Self::act), send the whole state, [`join`](Self::join) what comes, in any order and any number
///   of times;
/// - the **operation-based** form: send the effect, and [`perform`](Self::perform) it at each replica once, after those that it
///   depends on ([`causal_broadcast`](crate::causal_broadcast) does that);
/// - the **delta** form: send what `act` returns, and [`apply`](Self::apply) what comes, any number of times; in any order too, though
///   then causes may show after their consequences ([`anti_entropy`](crate::anti_entropy) keeps them in order).
///
/// All three end in the same state, which the tests check on all executions of a few operations. Papers: Shapiro, Preguiça, Baquero,
/// Zawirski, "Conflict-free replicated data types", SSS 2011; Almeida, Shoker, Baquero, JPDC 111, 2018.
///
/// No two replicas that act may have the same [`Actor`], and a replica that lost its state must come back as another one: otherwise
/// two operations have one name, and one of them is lost.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{PnCounter, Replicated};
/// let (mut here, mut there) = (PnCounter::default(), PnCounter::default());
/// here.add(Actor(1), 5);
/// there.add(Actor(2), -2);
/// here.join(&there);
/// here.join(&there); // once more changes nothing
/// assert_eq!(here.value(), 3);
/// ```
pub trait Replicated:
    Clone + Eq + Hash + Debug + Default + Canonical + Send + Sync + Sized + 'static
{
    /// What a user asks of a replica.
    type Op;
    /// What an operation does, as other replicas are told of it in the operation-based form.
    type Effect: Clone + Eq + Hash + Debug + Canonical + Send + Sync + 'static;
    /// A part of a state, as replicas exchange it in the delta form.
    type Delta: Clone + Eq + Hash + Debug + Canonical + Send + Sync + 'static;

    /// What `op` will do, asked for by `by` at this replica; none if it does nothing, or is refused: the type says when.
    fn prepare(&self, by: Actor, op: Self::Op) -> Option<Self::Effect>;

    /// What an effect that `by` prepared means for this state: the part to be joined.
    fn delta(&self, by: Actor, effect: &Self::Effect) -> Self::Delta;

    /// Joins a part of a state.
    fn apply(&mut self, delta: &Self::Delta);

    /// Joins another replica's state.
    fn join(&mut self, other: &Self);

    /// Makes one delta of two.
    fn join_deltas(delta: &mut Self::Delta, other: &Self::Delta);

    /// The part of a delta that this state does not have; none if it has all (Enes, Almeida, Baquero, Leitão, "Efficient
    /// synchronization of state-based CRDTs", ICDE 2019: the optimal delta Δ).
    fn news(&self, delta: &Self::Delta) -> Option<Self::Delta>;

    /// Does `op` at the replica `by`, and returns the part by which its state grew; none if it did nothing or was refused.
    fn act(&mut self, by: Actor, op: Self::Op) -> Option<Self::Delta> {
        let effect = self.prepare(by, op)?;
        let delta = self.delta(by, &effect);
        self.apply(&delta);
        Some(delta)
    }

    /// Does what `by` prepared, here or elsewhere. In the operation-based form each effect is performed once at each replica, after
    /// the effects that its replica had performed before.
    fn perform(&mut self, by: Actor, effect: &Self::Effect) {
        let delta = self.delta(by, effect);
        self.apply(&delta);
    }

    /// Whether `other` has all that this state has: the order of the lattice.
    fn is_below(&self, other: &Self) -> bool {
        let mut joined = other.clone();
        joined.join(self);
        joined == *other
    }
}
