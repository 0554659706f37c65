//! Flags, and who wins when one is enabled and disabled at once.

use isles_causality::Actor;

use crate::causal::{Causal, Definition, Site, stored_as};
use crate::store::{Store, Values, ValuesPatch};

/// What may be asked of a flag.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Op {
    /// It is on.
    Enable,
    /// It is off.
    Disable,
}

/// A flag, off at first. Enabled at one place and disabled at another at once, it is on.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{Causal, EnableWinsFlag};
/// let mut flag: Causal<EnableWinsFlag> = Causal::default();
/// flag.enable(Actor(1));
/// let mut copy = flag.clone();
/// copy.disable(Actor(2));
/// flag.enable(Actor(1));
/// flag.join(&copy);
/// assert!(flag.is_enabled());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct EnableWinsFlag(
    /// It is on while anything is alive.
    Values<()>,
);

impl EnableWinsFlag {
    /// Whether it is on.
    pub fn is_enabled(&self) -> bool {
        !self.0.is_none()
    }
}

impl Definition for EnableWinsFlag {
    stored_as!(Values<()>);
    type Op = Op;

    fn prepare(&self, site: &mut Site<'_>, op: Op) -> Option<ValuesPatch<()>> {
        match op {
            Op::Enable => Some(self.0.replace(site.dot()?, ())),
            Op::Disable => self.0.clear(),
        }
    }
}

impl Causal<EnableWinsFlag> {
    /// Enables it, and returns the delta.
    pub fn enable(&mut self, by: Actor) -> Option<ValuesPatch<()>> {
        self.act(by, Op::Enable)
    }

    /// Disables it, and returns the delta; none if it is off.
    pub fn disable(&mut self, by: Actor) -> Option<ValuesPatch<()>> {
        self.act(by, Op::Disable)
    }
}

/// A flag, off at first. Enabled at one place and disabled at another at once, it is off.
///
/// ```
/// use isles_causality::Actor;
/// use isles_crdt::{Causal, DisableWinsFlag};
/// let mut flag: Causal<DisableWinsFlag> = Causal::default();
/// flag.enable(Actor(1));
/// let mut copy = flag.clone();
/// copy.disable(Actor(2));
/// flag.enable(Actor(1));
/// flag.join(&copy);
/// assert!(!flag.is_enabled());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct DisableWinsFlag(
    /// What was said last, by each who did not know of the others. It is on if somebody said so and nobody said otherwise.
    Values<bool>,
);

impl DisableWinsFlag {
    /// Whether it is on.
    pub fn is_enabled(&self) -> bool {
        !self.0.is_none() && self.0.iter().all(|(_, enabled)| *enabled)
    }
}

impl Definition for DisableWinsFlag {
    stored_as!(Values<bool>);
    type Op = Op;

    fn prepare(&self, site: &mut Site<'_>, op: Op) -> Option<ValuesPatch<bool>> {
        Some(self.0.replace(site.dot()?, op == Op::Enable))
    }
}

impl Causal<DisableWinsFlag> {
    /// Enables it, and returns the delta.
    pub fn enable(&mut self, by: Actor) -> Option<ValuesPatch<bool>> {
        self.act(by, Op::Enable)
    }

    /// Disables it, and returns the delta.
    pub fn disable(&mut self, by: Actor) -> Option<ValuesPatch<bool>> {
        self.act(by, Op::Disable)
    }
}
