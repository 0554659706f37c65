//! What clients of memories do.

use isles_explore::Script;
use isles_kernel::ProcessId;
use isles_replication::store::Op;

/// How many clients there are, and what each does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Workload {
    /// Clients. The first asks the last replica, the next one the one before it, and so on in a circle: where one replica has
    /// a special part it is the first.
    pub clients: u32,
    /// Operations of each.
    pub operations: u32,
    /// Objects that they are about.
    pub objects: u32,
    /// What they do.
    pub mix: Mix,
}

/// What a client does, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mix {
    /// It writes one object, reads the next, and again. No value is written twice.
    WritesAndReads,
    /// The first client only writes, and all others only read.
    WriterAndReaders,
    /// It writes one object, again and again, and reads it at last.
    WritesThenRead,
    /// It writes, and takes a snapshot of all.
    WritesAndSnapshots,
    /// The first client sets and all others add: updates that do not commute.
    SetsAndAdds,
}

impl Default for Workload {
    fn default() -> Self {
        Self { clients: 2, operations: 2, objects: 1, mix: Mix::WritesAndReads }
    }
}

impl Workload {
    /// The scripts of clients of the replicas `0..replicas`.
    ///
    /// # Panics
    /// Without replicas or objects.
    pub fn scripts(&self, replicas: u32) -> Vec<Script<Op>> {
        let script = |client: u32| {
            let at = ProcessId(replicas - 1 - client % replicas);
            (0..self.operations).map(|step| (at, self.op(client, step))).collect()
        };
        (0..self.clients).map(script).collect()
    }

    fn op(&self, client: u32, step: u32) -> Op {
        let value = i64::from(client * self.operations + step + 1);
        let object = client % self.objects;
        let write = Op::Write { object, value };
        match self.mix {
            Mix::WritesAndReads if step.is_multiple_of(2) => write,
            Mix::WritesAndReads => Op::Read { object: (client + 1) % self.objects },
            Mix::WritesThenRead if step + 1 < self.operations => write,
            Mix::WritesThenRead => Op::Read { object },
            Mix::WriterAndReaders if client == 0 => write,
            Mix::WriterAndReaders => Op::Read { object: step % self.objects },
            Mix::WritesAndSnapshots if step.is_multiple_of(2) => write,
            Mix::WritesAndSnapshots => Op::Snapshot,
            Mix::SetsAndAdds if client == 0 => write,
            Mix::SetsAndAdds => Op::Add { object: step % self.objects, amount: value },
        }
    }
}
