//! Running a child protocol whose messages the parent looks at before they leave.

use isles_kernel::{Cx, Effect, Never, ProcessId, Protocol, Sink, Upcall, Upcalls};
use smallvec::SmallVec;

/// What a child sent in one step, in order.
pub(crate) type Sends<C> = SmallVec<[(ProcessId, <C as Protocol>::Msg); 4]>;

/// A protocol without timers and disk: all that it does is answering messages and operations.
pub trait Reactive: Protocol<Timer = Never, Record = Never> {}
impl<P: Protocol<Timer = Never, Record = Never>> Reactive for P {}

/// Keeps what the child sends and hands up; the rest is its parent's doing.
struct Below<'c, 'a, P: Protocol, C: Protocol> {
    cx: &'c mut Cx<'a, P>,
    sends: Sends<C>,
    upcalls: Upcalls<C>,
}

impl<P: Protocol, C: Reactive> Sink<C> for Below<'_, '_, P, C> {
    fn put(&mut self, effect: Effect<C>) {
        match effect {
            Effect::Send { to, msg, .. } => self.sends.push((to, msg)),
            Effect::Watch { peer } => self.cx.watch(peer),
            Effect::Unwatch { peer } => self.cx.unwatch(peer),
            Effect::Arm { timer, .. } | Effect::Disarm { timer } => match timer {},
            Effect::Persist { record } => match record {},
            Effect::Reply { id, reply } => self.upcalls.push(Upcall::Reply(id, reply)),
            Effect::Emit { event } => self.upcalls.push(Upcall::Event(event)),
        }
    }

    fn choose(&mut self, bound: u32) -> u32 {
        self.cx.choose(bound)
    }
}

/// Runs `step` on a child with this configuration, and returns what it returned, sent and handed up.
pub(crate) fn run<P: Protocol, C: Reactive, R>(
    cx: &mut Cx<'_, P>,
    config: &C::Config,
    step: impl FnOnce(&mut Cx<'_, C>) -> R,
) -> (R, Sends<C>, Upcalls<C>) {
    let (me, now) = (cx.me(), cx.now());
    let mut below = Below::<P, C> { cx, sends: SmallVec::new(), upcalls: SmallVec::new() };
    let result = step(&mut Cx::new(me, now, config, &mut below));
    (result, below.sends, below.upcalls)
}

/// Hands up what the child did: for a parent that adds nothing to it.
pub(crate) fn pass_up<P, C>(cx: &mut Cx<'_, P>, upcalls: Upcalls<C>)
where
    C: Protocol,
    P: Protocol<Reply = C::Reply, Event = C::Event>,
{
    for upcall in upcalls {
        match upcall {
            Upcall::Event(event) => cx.emit(event),
            Upcall::Reply(id, reply) => cx.reply(id, reply),
        }
    }
}
