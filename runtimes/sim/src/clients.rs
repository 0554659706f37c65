//! Clients that ask one thing after the other.

use isles_kernel::random::{Stream, draw, mix};
use isles_kernel::{OpId, ProcessId, Protocol, Span, Time};

use crate::distribution::Distribution;
use crate::observer::Observer;
use crate::simulation::Simulation;

/// Clients of a run. Each sits at a process, asks it something, waits for the answer, thinks, and asks again: a closed loop, so that
/// its operations follow one another. A client that gets no answer asks nothing more.
#[derive(Clone, PartialEq, Debug)]
pub struct Clients {
    /// The process of each.
    pub at: Vec<ProcessId>,
    /// How long each thinks before an operation, the first one too.
    pub think: Distribution,
    /// No operation is invoked from this instant on.
    pub until: Time,
    /// Names the clients' random choices.
    pub seed: u64,
}

impl Clients {
    /// One client at each of the processes `0..processes`, that thinks so long on average.
    pub fn at_each(processes: u32, think: Span, until: Time, seed: u64) -> Self {
        let at = (0..processes).map(ProcessId).collect();
        Self { at, think: Distribution::Exponential { min: Span::ZERO, mean: think }, until, seed }
    }

    /// Runs `sim` until `end` with these clients. `ask` says what a client asks next, given its number and random choices of
    /// its own; none ends the client. Operations of a client have the ids that the simulation gives them.
    ///
    /// # Panics
    /// When a client sits at a process that there is not.
    pub fn drive<P: Protocol>(
        &self,
        sim: &mut Simulation<P>,
        end: Time,
        observer: &mut dyn Observer<P>,
        mut ask: impl FnMut(usize, &mut Stream) -> Option<P::Op>,
    ) {
        let mut pending: Vec<Option<OpId>> = vec![None; self.at.len()];
        let mut choices: Vec<Stream> =
            (0..self.at.len()).map(|client| Stream::new(self.seed, &[CLIENTS, client as u64])).collect();
        let mut asked = 0u64;
        let mut invoke = |sim: &mut Simulation<P>, pending: &mut [Option<OpId>], client: usize| {
            let bits = draw(mix(self.seed, CLIENTS), &[client as u64, asked]);
            asked += 1;
            let at = sim.now() + self.think.sample(bits);
            let op = if at < self.until { ask(client, &mut choices[client]) } else { None };
            pending[client] = op.map(|op| sim.invoke_at(at, self.at[client], op));
        };
        for client in 0..self.at.len() {
            invoke(sim, &mut pending, client);
        }
        let mut watch = Watch { observer, answered: Vec::new() };
        while let Some(next) = sim.next_time().filter(|next| *next <= end) {
            sim.run_until(next, &mut watch);
            for id in std::mem::take(&mut watch.answered) {
                if let Some(client) = pending.iter().position(|open| *open == Some(id)) {
                    invoke(sim, &mut pending, client);
                }
            }
        }
        sim.run_until(end, &mut watch);
    }
}

/// "clients": names the purpose of their draws.
const CLIENTS: u64 = 0x0063_6c69_656e_7473;

/// Passes everything on, and remembers what was answered.
struct Watch<'o, P: Protocol> {
    observer: &'o mut dyn Observer<P>,
    answered: Vec<OpId>,
}

impl<P: Protocol> Observer<P> for Watch<'_, P> {
    fn sees_messages(&self) -> bool {
        self.observer.sees_messages()
    }
    fn on_send(&mut self, at: Time, from: ProcessId, to: ProcessId, arrival: Option<Time>, msg: &P::Msg) {
        self.observer.on_send(at, from, to, arrival, msg);
    }
    fn on_deliver(&mut self, at: Time, from: ProcessId, to: ProcessId, msg: &P::Msg) {
        self.observer.on_deliver(at, from, to, msg);
    }
    fn on_event(&mut self, at: Time, process: ProcessId, event: &P::Event) {
        self.observer.on_event(at, process, event);
    }
    fn on_invoke(&mut self, at: Time, process: ProcessId, id: OpId, op: &P::Op) {
        self.observer.on_invoke(at, process, id, op);
    }
    fn on_reply(&mut self, at: Time, process: ProcessId, id: OpId, reply: &P::Reply) {
        self.observer.on_reply(at, process, id, reply);
        self.answered.push(id);
    }
    fn on_start(&mut self, at: Time, process: ProcessId) {
        self.observer.on_start(at, process);
    }
    fn on_crash(&mut self, at: Time, process: ProcessId) {
        self.observer.on_crash(at, process);
    }
}
