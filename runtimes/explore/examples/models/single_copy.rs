//! Servers that each have a register and tell nobody: linearizable with one server, and not with two.

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};

use super::register::{INITIAL, Op, Reply};

/// One server: the value that it has.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SingleCopy(char);

impl Protocol for SingleCopy {
    type Config = ();
    type Msg = Never;
    type Timer = Never;
    type Op = Op;
    type Reply = Reply;
    type Record = Never;
    type Event = Never;

    fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self(INITIAL)
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op) {
        match op {
            Op::Put(value) => {
                self.0 = value;
                cx.reply(id, Reply::PutOk);
            }
            Op::Get => cx.reply(id, Reply::GetOk(self.0)),
        }
    }

    fn on_message(&mut self, _: &mut Cx<'_, Self>, _: ProcessId, msg: Never) {
        match msg {}
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
}
