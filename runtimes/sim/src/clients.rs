//! Clients that ask one thing after the other.

use std::collections::{BTreeMap, BTreeSet};

use isles_kernel::random::{Stream, draw};
use isles_kernel::{OpId, ProcessId, Protocol, Span, Time};

use crate::distribution::Distribution;
use crate::observer::Observer;
use crate::simulation::Simulation;

/// Clients of a run. Each sits at a process, asks it something, waits for the answer, thinks, and asks again: a closed loop, so that
/// its operations follow one another.
#[derive(Clone, PartialEq, Debug)]
pub struct Clients {
    /// The process of each.
    pub at: Vec<ProcessId>,
    /// How long each thinks before an operation, the first one too.
    pub think: Distribution,
    /// How long each waits for an answer; whether an operation took effect that was not answered by then is unknown to it, and it
    /// goes on. [`Span::MAX`] for those who wait for ever.
    pub patience: Span,
    /// No operation is invoked from this instant on.
    pub until: Time,
    /// Names the clients' random choices.
    pub seed: u64,
}

impl Clients {
    /// One client at each of the processes `0..processes`, that thinks so long on average and waits for ever.
    pub fn at_each(processes: u32, think: Span, until: Time, seed: u64) -> Self {
        let at = (0..processes).map(ProcessId).collect();
        let think = Distribution::Exponential { min: Span::ZERO, mean: think };
        Self { at, think, patience: Span::MAX, until, seed }
    }

    /// Runs `sim` until `end` with these clients. `ask` says what a client asks next, given its number and random choices of
    /// its own; none ends the client.
    ///
    /// # Panics
    /// When a client sits at a process that there is not.
    pub fn drive<P: Protocol>(
        &self,
        sim: &mut Simulation<P>,
        end: Time,
        observer: &mut dyn Observer<P>,
        ask: impl FnMut(usize, &mut Stream) -> Option<P::Op>,
    ) {
        let mut desk = Desk::new(self, ask);
        for client in 0..self.at.len() {
            desk.invoke(sim, client);
        }
        let mut watch = Watch { observer, answered: Vec::new() };
        loop {
            let next = sim.next_time().into_iter().chain(desk.deadline()).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            sim.run_until(next, &mut watch);
            for id in watch.answered.drain(..) {
                desk.answered(sim, id);
            }
            desk.lose_patience(sim, next);
        }
        sim.run_until(end, &mut watch);
    }
}

/// What the clients have under way.
struct Desk<'c, A> {
    clients: &'c Clients,
    ask: A,
    choices: Vec<Stream>,
    /// How many operations each has asked for.
    asked: Vec<u64>,
    /// Who waits for an operation, and until when.
    open: BTreeMap<OpId, (usize, Time)>,
    deadlines: BTreeSet<(Time, OpId)>,
}

impl<'c, A> Desk<'c, A> {
    fn new(clients: &'c Clients, ask: A) -> Self {
        let count = clients.at.len();
        let choices = (0..count as u64).map(|client| Stream::new(clients.seed, &[CLIENTS, client])).collect();
        let (open, deadlines) = (BTreeMap::new(), BTreeSet::new());
        Self { clients, ask, choices, asked: vec![0; count], open, deadlines }
    }

    /// Lets a client think, and ask.
    fn invoke<P: Protocol>(&mut self, sim: &mut Simulation<P>, client: usize)
    where
        A: FnMut(usize, &mut Stream) -> Option<P::Op>,
    {
        let bits = draw(self.clients.seed, &[THINKING, client as u64, self.asked[client]]);
        let at = sim.now() + self.clients.think.sample(bits);
        if at >= self.clients.until {
            return;
        }
        self.asked[client] += 1;
        let Some(op) = (self.ask)(client, &mut self.choices[client]) else { return };
        let id = sim.invoke_at(at, self.clients.at[client], op);
        let deadline = at + self.clients.patience;
        self.open.insert(id, (client, deadline));
        if deadline < Time::MAX {
            self.deadlines.insert((deadline, id));
        }
    }

    /// The first instant at which a client loses its patience.
    fn deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    fn answered<P: Protocol>(&mut self, sim: &mut Simulation<P>, id: OpId)
    where
        A: FnMut(usize, &mut Stream) -> Option<P::Op>,
    {
        if let Some((client, deadline)) = self.open.remove(&id) {
            self.deadlines.remove(&(deadline, id));
            self.invoke(sim, client);
        }
    }

    fn lose_patience<P: Protocol>(&mut self, sim: &mut Simulation<P>, now: Time)
    where
        A: FnMut(usize, &mut Stream) -> Option<P::Op>,
    {
        while let Some(&(_, id)) = self.deadlines.first().filter(|(at, _)| *at <= now) {
            self.answered(sim, id);
        }
    }
}

/// "clients" and "thinking": name the purposes of their draws.
const CLIENTS: u64 = 0x0063_6c69_656e_7473;
const THINKING: u64 = 0x7468_696e_6b69_6e67;

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
