//! Interval tree clocks to the letter of the paper: recursive trees with relative numbers. Slow, and the measure of the fast ones.
//!
//! Each function is the rule of the same name in the paper, section 5. It also carries the two mistakes that programs of the
//! field have made, so that tools can show that they find them. Depth is bounded by the stack: not for input from outside.

use std::fmt;
use std::rc::Rc;

use crate::order::Order;

/// What is done wrong on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Mistake {
    /// Nothing.
    #[default]
    None,
    /// Join does not sink the common part of siblings into their parent, and the order is tested all the same as if it had: what
    /// is before looks concurrent.
    NoNormalForm,
    /// Fill raises an owned part to the least of its sibling before the sibling is filled, so that trees stay larger than need be.
    FillTooEarly,
}

/// An identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Id {
    /// Owned or not.
    Leaf(bool),
    /// Two halves.
    Node(Rc<(Self, Self)>),
}

/// Events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Events {
    /// A number everywhere.
    Leaf(u64),
    /// A number everywhere, and more in each half.
    Node(u64, Rc<(Self, Self)>),
}

/// An identity and events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// What is owned.
    pub id: Id,
    /// What is known.
    pub events: Events,
}

fn id_node(left: Id, right: Id) -> Id {
    match (&left, &right) {
        (Id::Leaf(a), Id::Leaf(b)) if a == b => left,
        _ => Id::Node(Rc::new((left, right))),
    }
}

fn split(id: &Id) -> (Id, Id) {
    let (none, all) = (Id::Leaf(false), Id::Leaf(true));
    match id {
        Id::Leaf(false) => (none.clone(), none),
        Id::Leaf(true) => (id_node(all.clone(), none.clone()), id_node(none, all)),
        Id::Node(halves) => match &**halves {
            (Id::Leaf(false), right) => {
                let (a, b) = split(right);
                (id_node(none.clone(), a), id_node(none, b))
            }
            (left, Id::Leaf(false)) => {
                let (a, b) = split(left);
                (id_node(a, none.clone()), id_node(b, none))
            }
            (left, right) => (id_node(left.clone(), none.clone()), id_node(none, right.clone())),
        },
    }
}

fn sum(a: &Id, b: &Id) -> Option<Id> {
    match (a, b) {
        (Id::Leaf(false), other) | (other, Id::Leaf(false)) => Some(other.clone()),
        (Id::Node(a), Id::Node(b)) => Some(id_node(sum(&a.0, &b.0)?, sum(&a.1, &b.1)?)),
        (Id::Leaf(true), _) | (_, Id::Leaf(true)) => None,
    }
}

impl Events {
    fn base(&self) -> u64 {
        match self {
            Self::Leaf(n) | Self::Node(n, _) => *n,
        }
    }

    fn height(&self) -> u64 {
        match self {
            Self::Leaf(n) => *n,
            Self::Node(n, halves) => n + halves.0.height().max(halves.1.height()),
        }
    }

    fn lift(&self, by: u64) -> Self {
        match self {
            Self::Leaf(n) => Self::Leaf(n + by),
            Self::Node(n, halves) => Self::Node(n + by, halves.clone()),
        }
    }

    fn sink(&self, by: u64) -> Self {
        match self {
            Self::Leaf(n) => Self::Leaf(n - by),
            Self::Node(n, halves) => Self::Node(n - by, halves.clone()),
        }
    }

    fn node(number: u64, left: Self, right: Self, mistake: Mistake) -> Self {
        match (&left, &right) {
            _ if mistake == Mistake::NoNormalForm => Self::Node(number, Rc::new((left, right))),
            (Self::Leaf(a), Self::Leaf(b)) if a == b => Self::Leaf(number + a),
            _ => {
                let least = left.base().min(right.base());
                Self::Node(number + least, Rc::new((left.sink(least), right.sink(least))))
            }
        }
    }

    fn leq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Leaf(a), other) => *a <= other.base(),
            (Self::Node(n, halves), Self::Leaf(m)) => {
                n <= m && halves.0.lift(*n).leq(other) && halves.1.lift(*n).leq(other)
            }
            (Self::Node(n, mine), Self::Node(m, theirs)) => {
                n <= m && mine.0.lift(*n).leq(&theirs.0.lift(*m)) && mine.1.lift(*n).leq(&theirs.1.lift(*m))
            }
        }
    }

    fn join(&self, other: &Self, mistake: Mistake) -> Self {
        let halves = |events: &Self| match events {
            Self::Leaf(_) => (Self::Leaf(0), Self::Leaf(0)),
            Self::Node(_, halves) => (**halves).clone(),
        };
        let (low, high) = if self.base() <= other.base() { (self, other) } else { (other, self) };
        if let (Self::Leaf(_), Self::Leaf(n)) = (low, high) {
            return Self::Leaf(*n);
        }
        let by = high.base() - low.base();
        let (a, b) = (halves(low), halves(high));
        let (left, right) = (a.0.join(&b.0.lift(by), mistake), a.1.join(&b.1.lift(by), mistake));
        Self::node(low.base(), left, right, mistake)
    }

    fn fill(&self, id: &Id, mistake: Mistake) -> Self {
        let (halves, number, left, right) = match (id, self) {
            (Id::Leaf(false), _) | (Id::Node(_), Self::Leaf(_)) => return self.clone(),
            (Id::Leaf(true), _) => return Self::Leaf(self.height()),
            (Id::Node(halves), Self::Node(n, events)) => (&**halves, *n, &events.0, &events.1),
        };
        let early = mistake == Mistake::FillTooEarly;
        let (left, right) = match halves {
            (Id::Leaf(true), id) => {
                let filled = right.fill(id, mistake);
                let least = if early { right.base() } else { filled.base() };
                (Self::Leaf(left.height().max(least)), filled)
            }
            (id, Id::Leaf(true)) => {
                let filled = left.fill(id, mistake);
                let least = if early { left.base() } else { filled.base() };
                (filled, Self::Leaf(right.height().max(least)))
            }
            (a, b) => (left.fill(a, mistake), right.fill(b, mistake)),
        };
        Self::node(number, left, right, mistake)
    }

    /// The cheapest way to count one more: leaves that are split, and depth; on a tie to the right.
    fn grow(&self, id: &Id) -> Option<((u32, u32), Self)> {
        let (halves, number, left, right) = match (id, self) {
            (Id::Leaf(false), _) => return None,
            (Id::Leaf(true), Self::Leaf(n)) => return Some(((0, 0), Self::Leaf(n + 1))),
            (Id::Leaf(true), Self::Node(..)) => unreachable!("an owned part was filled before"),
            (Id::Node(_), Self::Leaf(n)) => {
                let split = Self::Node(*n, Rc::new((Self::Leaf(0), Self::Leaf(0))));
                let ((leaves, depth), events) = split.grow(id)?;
                return Some(((leaves + 1, depth), events));
            }
            (Id::Node(halves), Self::Node(n, events)) => (&**halves, *n, &events.0, &events.1),
        };
        let deeper = |(leaves, depth)| (leaves, depth + 1);
        match (left.grow(&halves.0), right.grow(&halves.1)) {
            (Some((a, grown)), other) if other.as_ref().is_none_or(|(b, _)| a < *b) => {
                Some((deeper(a), Self::Node(number, Rc::new((grown, right.clone())))))
            }
            (_, Some((b, grown))) => Some((deeper(b), Self::Node(number, Rc::new((left.clone(), grown))))),
            (_, None) => None,
        }
    }
}

impl Stamp {
    /// The first process.
    pub const fn seed() -> Self {
        Self { id: Id::Leaf(true), events: Events::Leaf(0) }
    }

    /// A second process.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        let (kept, given) = split(&self.id);
        self.id = kept;
        Self { id: given, events: self.events.clone() }
    }

    /// Counts an event.
    ///
    /// # Panics
    /// When nothing is owned.
    pub fn event(&mut self, mistake: Mistake) {
        let filled = self.events.fill(&self.id, mistake);
        self.events = if filled == self.events {
            filled.grow(&self.id).expect("whoever owns nothing has no events").1
        } else {
            filled
        };
    }

    /// Owns and knows what both do; none if they overlap.
    #[must_use]
    pub fn join(&self, other: &Self, mistake: Mistake) -> Option<Self> {
        Some(Self { id: sum(&self.id, &other.id)?, events: self.events.join(&other.events, mistake) })
    }

    /// How what is known here lies to what is known there.
    pub fn compare(&self, other: &Self) -> Order {
        Order::from_inclusions(self.events.leq(&other.events), other.events.leq(&self.events))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(owned) => write!(f, "{}", u8::from(*owned)),
            Self::Node(halves) => write!(f, "({},{})", halves.0, halves.1),
        }
    }
}

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(n) => write!(f, "{n}"),
            Self::Node(n, halves) => write!(f, "({n},{},{})", halves.0, halves.1),
        }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.id, self.events)
    }
}
