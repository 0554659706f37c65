//! What a checker knows of an object: how operations change it and what they may answer.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};

use isles_history::Operation;

/// A sequential object: its states, and what operations do to them and answer. The models of this crate are in
/// [`models`](crate::models); a type of one's own needs only the first two methods.
///
/// ```
/// use isles_check::Model;
///
/// /// A light that is toggled, and tells whether it is on now.
/// struct Light;
///
/// impl Model for Light {
///     type Op = ();
///     type Reply = bool;
///     type State = bool;
///
///     fn initial(&self) -> bool {
///         false
///     }
///
///     fn step(&self, on: &bool, _: &(), reply: Option<&bool>, next: &mut Vec<bool>) {
///         if reply.is_none_or(|told| *told != *on) {
///             next.push(!on);
///         }
///     }
/// }
/// ```
pub trait Model {
    /// What is asked.
    type Op: Clone + Eq + Hash + Debug;
    /// What is answered.
    type Reply: Clone + Eq + Hash + Debug;
    /// What the object remembers.
    type State: Clone + Eq + Hash + Debug;

    /// What it remembers at first.
    fn initial(&self) -> Self::State;

    /// Pushes the states to which `op` may lead from `state` if it is answered `reply`: none if it cannot be answered thus
    /// there; several if the object may choose. Without a reply any answer is possible. Whatever is in `next` stays there.
    fn step(
        &self,
        state: &Self::State,
        op: &Self::Op,
        reply: Option<&Self::Reply>,
        next: &mut Vec<Self::State>,
    );

    /// What is known of `op`, answered `reply`, in every state. May say [`Effect::Any`].
    fn effect(&self, op: &Self::Op, reply: Option<&Self::Reply>) -> Effect {
        let _ = (op, reply);
        Effect::Any
    }

    /// Whether `op` is possible in every state and answered alike in all, so that its answer tells nothing: a write, not a swap. May say no.
    fn answers_alike(&self, op: &Self::Op) -> bool {
        let _ = op;
        false
    }

    /// Adds the objects that `op` touches, where the whole is made of objects that do not know of each other: operations on
    /// different ones can be judged apart (Herlihy and Wing 1990, sec. 3.1: locality). May say all.
    fn objects(&self, op: &Self::Op, objects: &mut Parts) {
        let _ = op;
        objects.all();
    }

    /// Adds the values that `op`, answered `reply`, handles. Values that one operation handles hang together; all operations that
    /// handle values that hang together, but reads, can be taken out of a legal order, with all reads of these values, and it stays
    /// legal. An operation of unknown outcome counts only if something else may depend on it. May say all.
    fn values(&self, op: &Self::Op, reply: Option<&Self::Reply>, values: &mut Parts) {
        let _ = (op, reply);
        values.all();
    }

    /// What is left of an answer of which [`values`](Self::values) says all, once the values in `without` are taken out of the history:
    /// of a read of a whole set the other elements. `None` if that cannot be said.
    fn narrowed(&self, op: &Self::Op, reply: &Self::Reply, without: &Parts) -> Option<Self::Reply> {
        let _ = (op, reply, without);
        None
    }

    /// Whether operations that do not [supply](Self::supplies) it might lead from `state` to one in which `op` is answered `reply`.
    /// May say yes.
    fn can_lead(&self, state: &Self::State, op: &Self::Op, reply: &Self::Reply) -> bool {
        let _ = (state, op, reply);
        true
    }

    /// Whether `by` might turn a state of which [`can_lead`](Self::can_lead) says no for `op` and `reply` into one of which it says
    /// yes. May say yes.
    fn supplies(&self, by: (&Self::Op, Option<&Self::Reply>), op: &Self::Op, reply: &Self::Reply) -> bool {
        let _ = (by, op, reply);
        true
    }

    /// A quicker way than search to judge the operations named by `members`, if there is one for them: an order in which they took
    /// effect, without those of unknown outcome that did not, or operations that contradict one another.
    fn monitor(
        &self,
        operations: &[Operation<Self::Op, Self::Reply>],
        members: &[u32],
    ) -> Option<Result<Vec<u32>, Vec<u32>>> {
        let _ = (operations, members);
        None
    }

    /// The operation and its answer for people: `read → 3`.
    fn describe(&self, op: &Self::Op, reply: Option<&Self::Reply>) -> String {
        match reply {
            Some(reply) => format!("{op:?} → {reply:?}"),
            None => format!("{op:?} → ?"),
        }
    }
}

/// What is known of an operation with its answer, whatever the state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// It changes no state: a read, or something refused.
    Preserves,
    /// It is possible in every state, and leads to the same from all.
    Overwrites,
    /// It is possible in every state.
    Accepted,
    /// Nothing is known.
    Any,
}

/// Parts of a whole, by the hashes of their names: two that fall together are taken as one, which costs time and is never wrong.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Parts {
    hashes: Vec<u64>,
    all: bool,
}

impl Parts {
    /// Adds the part of this name.
    pub fn add(&mut self, name: &impl Hash) {
        self.hashes.push(hash_of(name));
    }

    /// Adds all there are.
    pub const fn all(&mut self) {
        self.all = true;
    }

    /// Whether these are all there are.
    pub const fn are_all(&self) -> bool {
        self.all
    }

    /// Those that were added by name.
    pub fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    /// Sorts them, so that they can be looked up.
    pub fn sort(&mut self) {
        self.hashes.sort_unstable();
        self.hashes.dedup();
    }

    /// Whether the part of this name was added by name, once they are [sorted](Self::sort).
    pub fn has(&self, name: &impl Hash) -> bool {
        self.hashes.binary_search(&hash_of(name)).is_ok()
    }

    /// Takes them all out.
    pub fn clear(&mut self) {
        self.hashes.clear();
        self.all = false;
    }
}

fn hash_of(name: &impl Hash) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    name.hash(&mut hasher);
    hasher.finish()
}

/// What a model can hold: anything that can be compared, sorted and hashed.
pub trait Datum: Clone + Ord + Hash + Debug {}

impl<T: Clone + Ord + Hash + Debug> Datum for T {}
