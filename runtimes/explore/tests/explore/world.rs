//! A protocol that does what it is told, for tests of what the explorer does to it.

use isles_explore::{Explorer, Report, Scenario};
use isles_kernel::{Channel, Cx, OpId, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

/// What a process is told to do.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) enum Do {
    Send(u32, u8),
    Cast(u32, u8),
    Arm(u8),
    Rearm(u8),
    Disarm(u8),
    Persist(u8),
    Reply(u8),
    Watch(u32),
    Choose(u32),
    Panic,
}

/// What it has seen, in order; what it has to do when a timer fires.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Puppet {
    pub(crate) seen: Vec<Seen>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) enum Seen {
    Message(u32, u8),
    Timer(u8),
    Broken(u32),
    Record(u8),
    Choice(u32),
}

/// What each process does when it starts for the first time.
pub(crate) type Begin = Vec<Vec<Do>>;

impl Puppet {
    fn act(&mut self, cx: &mut Cx<'_, Self>, id: Option<OpId>, orders: &[Do]) {
        for order in orders {
            match order {
                Do::Send(to, n) => cx.send_by(Channel::Stream, ProcessId(*to), *n),
                Do::Cast(to, n) => cx.send_by(Channel::Datagram, ProcessId(*to), *n),
                Do::Arm(n) => cx.arm((*n, false), Span::millis(1)),
                Do::Rearm(n) => cx.arm((*n, true), Span::millis(1)),
                Do::Disarm(n) => cx.disarm((*n, false)),
                Do::Persist(n) => cx.persist(*n),
                Do::Reply(n) => cx.reply(id.expect("only operations are answered"), *n),
                Do::Watch(peer) => cx.watch(ProcessId(*peer)),
                Do::Choose(bound) => {
                    let choice = cx.choose(*bound);
                    self.seen.push(Seen::Choice(choice));
                }
                Do::Panic => panic!("told to"),
            }
        }
    }
}

impl Protocol for Puppet {
    type Config = Begin;
    type Msg = u8;
    /// Its number, and whether it arms itself again.
    type Timer = (u8, bool);
    type Op = Vec<Do>;
    type Reply = u8;
    type Record = u8;
    type Event = ();

    fn start(cx: &mut Cx<'_, Self>, log: &[u8]) -> Self {
        let mut puppet = Self { seen: log.iter().map(|record| Seen::Record(*record)).collect() };
        // The clock shows how often it has crashed.
        if cx.now() == isles_kernel::Time::ZERO {
            let orders = cx.config().get(cx.me().index()).cloned().unwrap_or_default();
            puppet.act(cx, None, &orders);
        }
        puppet
    }

    fn on_message(&mut self, _: &mut Cx<'_, Self>, from: ProcessId, msg: u8) {
        // Nobody cares for zero.
        if msg > 0 {
            self.seen.push(Seen::Message(from.0, msg));
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, (n, again): (u8, bool)) {
        if again {
            cx.arm((n, true), Span::millis(1));
        } else {
            self.seen.push(Seen::Timer(n));
        }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, orders: Vec<Do>) {
        self.act(cx, Some(id), &orders);
    }

    fn on_unreachable(&mut self, _: &mut Cx<'_, Self>, peer: ProcessId) {
        self.seen.push(Seen::Broken(peer.0));
    }
}

/// Puppets that begin so, with nothing else.
pub(crate) fn puppets(begin: Begin) -> Scenario<Puppet> {
    Scenario::new(begin.len() as u32, begin)
}

pub(crate) fn explorer<P: Protocol + Sync>(scenario: Scenario<P>) -> Explorer<P> {
    Explorer::new(scenario).expect("a possible scenario")
}

pub(crate) fn explore<P: Protocol + Sync>(scenario: Scenario<P>) -> Report<P> {
    explorer(scenario).whole().breadth_first()
}

/// All that `process` has seen in some state in which nothing is left to do: each different sequence once.
pub(crate) fn fates(mut scenario: Scenario<Puppet>, process: u32) -> Vec<Vec<Seen>> {
    use std::sync::{Arc, Mutex};
    let fates: Arc<Mutex<Vec<Vec<Seen>>>> = Arc::default();
    let note = Arc::clone(&fates);
    scenario.properties.push(isles_explore::Property::always(
        "noted",
        move |view: &isles_explore::View<'_, Puppet>| {
            if view.is_quiet()
                && view.is_disarmed()
                && let Some(puppet) = view.process(ProcessId(process))
            {
                let mut fates = note.lock().expect("nobody panics with it");
                if !fates.contains(&puppet.seen) {
                    fates.push(puppet.seen.clone());
                }
            }
            true
        },
    ));
    let _ = explore(scenario);
    let mut fates = std::mem::take(&mut *fates.lock().expect("nobody panics with it"));
    fates.sort_by_key(|fate| format!("{fate:?}"));
    fates
}
