//! Running one protocol inside another.

use smallvec::SmallVec;

use crate::{Cx, Effect, OpId, Protocol, Sink};

/// A place in the protocol `P` where a child protocol sits: a marker type that says where the child's
/// configuration is, and how its messages, timers and records are wrapped into the parent's.
///
/// The wrappers are usually enum variants, so that an implementation is four lines. Being a type of its own, a
/// slot tells two children of one type apart.
pub trait Slot<P: Protocol> {
    /// The protocol that sits here.
    type Child: Protocol;
    /// The child's part of the shared configuration.
    fn config(config: &P::Config) -> &<Self::Child as Protocol>::Config;
    /// A child's message as the parent's.
    fn msg(msg: <Self::Child as Protocol>::Msg) -> P::Msg;
    /// A child's timer as the parent's.
    fn timer(timer: <Self::Child as Protocol>::Timer) -> P::Timer;
    /// A child's record as the parent's.
    fn record(record: <Self::Child as Protocol>::Record) -> P::Record;
}

/// What a child hands up to its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upcall<C: Protocol> {
    /// The child emitted an event.
    Event(C::Event),
    /// The child answered an operation that the parent invoked.
    Reply(OpId, C::Reply),
}

/// The upcalls of one child step, in order. Handle them all: an upcall that is not looked at is lost.
pub type Upcalls<C> = SmallVec<[Upcall<C>; 2]>;

/// Passes a child's effects on to the parent's sink, and keeps its upcalls.
struct Outward<'s, P: Protocol, S: Slot<P>> {
    outer: &'s mut dyn Sink<P>,
    upcalls: Upcalls<S::Child>,
}

impl<P: Protocol, S: Slot<P>> Sink<S::Child> for Outward<'_, P, S> {
    #[inline]
    fn put(&mut self, effect: Effect<S::Child>) {
        match effect {
            Effect::Send { to, msg, channel } => {
                self.outer.put(Effect::Send { to, msg: S::msg(msg), channel })
            }
            Effect::Watch { peer } => self.outer.put(Effect::Watch { peer }),
            Effect::Unwatch { peer } => self.outer.put(Effect::Unwatch { peer }),
            Effect::Arm { timer, after } => self.outer.put(Effect::Arm { timer: S::timer(timer), after }),
            Effect::Disarm { timer } => self.outer.put(Effect::Disarm { timer: S::timer(timer) }),
            Effect::Persist { record } => self.outer.put(Effect::Persist { record: S::record(record) }),
            Effect::Reply { id, reply } => self.upcalls.push(Upcall::Reply(id, reply)),
            Effect::Emit { event } => self.upcalls.push(Upcall::Event(event)),
        }
    }

    fn choose(&mut self, bound: u32) -> u32 {
        self.outer.choose(bound)
    }
}

impl<P: Protocol> Cx<'_, P> {
    /// Runs `step` on the child protocol in slot `S`, with its effects wrapped into this protocol's, and returns
    /// what the step returned together with the child's upcalls, which the caller handles next.
    #[inline]
    pub fn embed<S: Slot<P>, R>(
        &mut self,
        step: impl FnOnce(&mut Cx<'_, S::Child>) -> R,
    ) -> (R, Upcalls<S::Child>) {
        let mut child = Outward::<P, S> { outer: &mut *self.sink, upcalls: SmallVec::new() };
        let mut cx = Cx { me: self.me, now: self.now, config: S::config(self.config), sink: &mut child };
        let result = step(&mut cx);
        (result, child.upcalls)
    }
}
