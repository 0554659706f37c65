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

/// Operations of a history: a bit of each set of them stands for one.
#[derive(Default)]
struct Operations {
    all: Vec<(Op, Option<Reply>)>,
    /// For each, those that returned before it was invoked.
    before: Vec<u32>,
    /// Those that returned.
    returned: u32,
}

/// Whether there is an order of the operations, in which each takes effect between its invocation and its return, that a
/// register could have had: all orders are tried (Wing and Gong, *Testing and Verifying Concurrent Objects*, 1993).
///
/// # Panics
/// When there are more than 32 operations.
pub fn is_linearizable(history: &[Entry<Op, Reply>]) -> bool {
    let mut operations = Operations::default();
    let mut ids = Vec::with_capacity(history.len());
    for entry in history {
        match entry {
            Entry::Invoke { id, op, .. } => {
                assert!(ids.len() < 32, "at most 32 operations are judged");
                ids.push(*id);
                operations.all.push((*op, None));
                operations.before.push(operations.returned);
            }
            Entry::Return { id, reply, .. } => {
                if let Some(index) = ids.iter().position(|other| other == id) {
                    operations.all[index].1 = Some(*reply);
                    operations.returned |= 1 << index;
                }
            }
            Entry::Fail { .. } | Entry::Unknown { .. } | Entry::Crash { .. } => {}
        }
    }
    operations.extends(0, INITIAL)
}

impl Operations {
    /// Whether the operations that are not done yet can follow, with `value` in the register. Those that never returned
    /// need not.
    fn extends(&self, done: u32, value: char) -> bool {
        if self.returned & !done == 0 {
            return true;
        }
        (0..self.all.len()).any(|index| {
            if done >> index & 1 == 1 || self.before[index] & !done != 0 {
                return false;
            }
            let next = match self.all[index] {
                (Op::Put(written), _) => written,
                (Op::Get, Some(Reply::GetOk(read))) if read == value => value,
                // A read that returned something else has no place here, and one that did not return needs none.
                (Op::Get, _) => return false,
            };
            self.extends(done | 1 << index, next)
        })
    }
}
