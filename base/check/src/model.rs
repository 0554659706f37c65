//! What a checker knows of an object: how operations change it and what they may answer.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};

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

    /// Whether `op`, answered `reply`, changes no state at all: a read. May say no.
    fn preserves(&self, op: &Self::Op, reply: Option<&Self::Reply>) -> bool {
        let _ = (op, reply);
        false
    }

    /// Adds the objects that `op` touches, where the whole is made of objects that do not know of each other: operations on
    /// different ones can be judged apart (Herlihy and Wing 1990, sec. 3.1: locality). May say all.
    fn objects(&self, op: &Self::Op, objects: &mut Parts) {
        let _ = op;
        objects.all();
    }

    /// Adds the values that `op`, answered `reply`, handles, where all operations that handle a value can be taken out of a legal
    /// order and it stays legal. May say all.
    fn values(&self, op: &Self::Op, reply: Option<&Self::Reply>, values: &mut Parts) {
        let _ = (op, reply);
        values.all();
    }

    /// Whether operations that do not [reset](Self::resets) might lead from `state` to one in which `op` is answered `reply`. May
    /// say yes.
    fn can_lead(&self, state: &Self::State, op: &Self::Op, reply: &Self::Reply) -> bool {
        let _ = (state, op, reply);
        true
    }

    /// Whether `op` might turn a state of which [`can_lead`](Self::can_lead) says no into one of which it says yes. May say yes.
    fn resets(&self, op: &Self::Op) -> bool {
        let _ = op;
        true
    }

    /// The operation and its answer for people: `read → 3`.
    fn describe(&self, op: &Self::Op, reply: Option<&Self::Reply>) -> String {
        match reply {
            Some(reply) => format!("{op:?} → {reply:?}"),
            None => format!("{op:?} → ?"),
        }
    }
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
        let mut hasher = rustc_hash::FxHasher::default();
        name.hash(&mut hasher);
        self.hashes.push(hasher.finish());
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

    /// Takes them all out.
    pub fn clear(&mut self) {
        self.hashes.clear();
        self.all = false;
    }
}

/// What a model can hold: anything that can be compared, sorted and hashed.
pub trait Datum: Clone + Ord + Hash + Debug {}

impl<T: Clone + Ord + Hash + Debug> Datum for T {}
