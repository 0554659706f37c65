//! A register and its clients: what the replicated models offer, and whether they do.

use isles_explore::{Clients, Idle, Property, Scenario, Script, Streams};
use isles_history::Entry;
use isles_kernel::{ProcessId, Protocol};
use serde::{Deserialize, Serialize};

/// What a client asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Op {
    /// Write this.
    Put(char),
    /// Read.
    Get,
}

/// What a client is told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// It is written.
    PutOk,
    /// This was read.
    GetOk(char),
}

/// What is in the register at first.
pub const INITIAL: char = '\0';

/// Clients that each write one value at one server and read at the next.
pub fn clients(servers: u32, clients: u32) -> Vec<Script<Op>> {
    let script = |client: u32| {
        let at = |step: u32| ProcessId((servers + client + step) % servers);
        let value = char::from(b'A' + client as u8);
        vec![(at(0), Op::Put(value)), (at(1), Op::Get)]
    };
    (0..clients).map(script).collect()
}

/// Servers with such clients, asked for linearizability, and whether a read can return a value that was written.
pub fn scenario<P>(servers: u32, clients: u32, config: P::Config) -> Scenario<P>
where
    P: Protocol<Op = Op, Reply = Reply>,
{
    Scenario {
        clients: self::clients(servers, clients),
        place: Clients::Remote,
        streams: Streams::Unordered,
        idle: Idle::Skipped,
        ..Scenario::new(servers, config)
    }
    .ask(Property::history("linearizable", is_linearizable))
    .ask(Property::reachable("value chosen", |view| {
        view.answers().any(|answer| matches!(answer, Reply::GetOk(value) if *value != INITIAL))
    }))
}

/// One operation of a history: where it begins and ends.
struct Interval {
    invoked: usize,
    returned: usize,
    op: Op,
    reply: Option<Reply>,
}

/// Whether there is an order of the operations, in which each takes effect between its invocation and its return, that a
/// register could have had: all orders are tried.
pub fn is_linearizable(history: &[Entry<Op, Reply>]) -> bool {
    let mut intervals: Vec<Interval> = Vec::new();
    let mut ids = Vec::new();
    for (place, entry) in history.iter().enumerate() {
        match entry {
            Entry::Invoke { id, op, .. } => {
                ids.push(*id);
                intervals.push(Interval { invoked: place, returned: usize::MAX, op: *op, reply: None });
            }
            Entry::Return { id, reply, .. } => {
                if let Some(index) = ids.iter().position(|other| other == id) {
                    intervals[index].returned = place;
                    intervals[index].reply = Some(*reply);
                }
            }
            Entry::Fail { .. } | Entry::Unknown { .. } | Entry::Crash { .. } => {}
        }
    }
    extends(&mut vec![false; intervals.len()], &intervals, INITIAL)
}

/// Whether the operations that are not done yet can follow, with `value` in the register. Those that never returned need
/// not.
fn extends(done: &mut Vec<bool>, intervals: &[Interval], value: char) -> bool {
    let open = |done: &[bool], index: usize| !done[index] && intervals[index].reply.is_some();
    if !(0..intervals.len()).any(|index| open(done, index)) {
        return true;
    }
    // What is next must have been invoked before anything that is not done returned.
    let first_return =
        (0..intervals.len()).filter(|index| !done[*index]).map(|index| intervals[index].returned).min();
    for index in 0..intervals.len() {
        let interval = &intervals[index];
        if done[index] || Some(interval.invoked) > first_return {
            continue;
        }
        let next = match (interval.op, interval.reply) {
            (Op::Put(written), _) => written,
            (Op::Get, Some(Reply::GetOk(read))) if read != value => continue,
            (Op::Get, _) => value,
        };
        done[index] = true;
        let follows = extends(done, intervals, next);
        done[index] = false;
        if follows {
            return true;
        }
    }
    false
}
