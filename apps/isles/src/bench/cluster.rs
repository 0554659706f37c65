//! A cluster of request and response over streams, with what befalls clusters: the load of small, faulty runs.

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span, Time};
use isles_sim::{Distribution, Fault, Links, Memory, Setup, Simulation, Who};
use serde::{Deserialize, Serialize};

use super::measure::{Effort, median, rate, timed};

/// Requests that each process has open.
const OPEN: usize = 4;
/// How often a process looks after requests that were forgotten.
const BEAT: Span = Span::millis(100);
/// A request that took longer is asked again, of somebody else.
const PATIENCE: Span = Span::secs(1);

/// A process that keeps [`OPEN`] requests to random peers open: one that is answered, or cannot be, makes room for
/// the next.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Client {
    open: [Request; OPEN],
    answered: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Request {
    peer: ProcessId,
    sent: Time,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
enum Msg {
    Ask { slot: u8 },
    Answer { slot: u8 },
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Beat;

impl Client {
    fn ask(cx: &mut Cx<'_, Self>, slot: usize) -> Request {
        let request = Request { peer: ProcessId(cx.choose(*cx.config())), sent: cx.now() };
        cx.send(request.peer, Msg::Ask { slot: slot as u8 });
        request
    }
}

impl Protocol for Client {
    type Config = u32; // processes
    type Msg = Msg;
    type Timer = Beat;
    type Op = Never;
    type Reply = Never;
    type Record = Never;
    type Event = Never;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        cx.arm(Beat, BEAT);
        Self { open: std::array::from_fn(|slot| Self::ask(cx, slot)), answered: 0 }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match msg {
            Msg::Ask { slot } => cx.send(from, Msg::Answer { slot }),
            Msg::Answer { slot } => {
                // An answer that came after the request was given up is nobody's.
                if self.open.get(usize::from(slot)).is_some_and(|request| request.peer == from) {
                    self.answered += 1;
                    self.open[usize::from(slot)] = Self::ask(cx, usize::from(slot));
                }
            }
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, Beat: Beat) {
        cx.arm(Beat, BEAT);
        for slot in 0..OPEN {
            if cx.now().since(self.open[slot].sent) > PATIENCE {
                self.open[slot] = Self::ask(cx, slot);
            }
        }
    }

    fn on_op(&mut self, _: &mut Cx<'_, Self>, _: OpId, op: Never) {
        match op {}
    }

    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        for slot in 0..OPEN {
            if self.open[slot].peer == peer {
                self.open[slot] = Self::ask(cx, slot);
            }
        }
    }
}

fn simulation(processes: u32, seed: u64) -> Simulation<Client> {
    let latency = Distribution::LogNormal { median: Span::millis(10), sigma: 0.3 };
    let links = Links { loss: 0.001, stream_timeout: Span::secs(2), ..Links::law(latency) };
    let setup = Setup { links, ..Setup::new(processes, seed, processes) };
    Simulation::new(setup).expect("the set-up is valid")
}

/// Two virtual seconds in which a fifth of the processes are cut off for a while and a tenth crash and come back.
fn befall(sim: &mut Simulation<Client>) -> Time {
    let begin = sim.now();
    let few = |share: f64| Who::Count(((f64::from(sim.processes()) * share) as u32).max(1));
    let (cut, crashed) = (few(0.2), few(0.1));
    sim.inject(begin + Span::millis(200), Fault::Partition(vec![cut]));
    sim.inject(begin + Span::millis(600), Fault::Crash(crashed));
    sim.inject(begin + Span::millis(1_000), Fault::Heal);
    sim.inject(begin + Span::millis(1_200), Fault::Restart { who: Who::All, memory: Memory::Lost });
    begin + Span::secs(2)
}

/// Messages delivered per CPU second among `processes`, through one round of faults after the other.
pub(super) fn messages_per_second(processes: u32, effort: Effort) -> f64 {
    let mut sim = simulation(processes, 1);
    sim.run_until(Time::ZERO + Span::secs(1), &mut ());
    let rounds = if effort == Effort::Quick { 1 } else { 5 };
    let mut rates: Vec<f64> = (0..rounds)
        .map(|_| {
            let before = sim.counters().delivered;
            let until = befall(&mut sim);
            let (seconds, ()) = timed(|| sim.run_until(until, &mut ()));
            (sim.counters().delivered - before) as f64 / seconds
        })
        .collect();
    median(&mut rates)
}

/// A run of `events` events of 5 processes, faults included, from set-up to digest.
fn small_run(seed: u64, events: u64) -> u128 {
    let mut sim = simulation(5, seed);
    while sim.counters().events < events {
        let until = befall(&mut sim);
        while sim.counters().events < events && sim.now() < until {
            let step = sim.now() + Span::millis(50);
            sim.run_until(step.min(until), &mut ());
        }
    }
    sim.digest()
}

/// Complete runs of 10^4 events of 5 processes per CPU second, each of another seed.
pub(super) fn small_runs_per_second(effort: Effort) -> f64 {
    let mut seed = 0;
    rate(effort, || {
        seed += 1;
        std::hint::black_box(small_run(seed, 10_000));
        1
    })
}

/// Microseconds of CPU from a set-up of 5 processes until all have started, and to take it down again.
pub(super) fn startup_microseconds(effort: Effort) -> f64 {
    let mut seed = 0;
    let per_second = rate(effort, || {
        seed += 1;
        let mut sim = simulation(5, seed);
        sim.run_until(Time::ZERO, &mut ());
        std::hint::black_box(sim.digest());
        1
    });
    1e6 / per_second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_of_faults_happens_and_is_survived() {
        let mut sim = simulation(50, 3);
        sim.run_until(Time::ZERO + Span::secs(1), &mut ());
        let until = befall(&mut sim);
        sim.run_until(until, &mut ());
        let counters = sim.counters();
        assert_eq!((counters.crashes, counters.restarts), (5, 5));
        assert!(counters.unreachable > 0);
        let answered = |sim: &Simulation<Client>| -> Vec<u64> {
            sim.live().map(|(_, client)| client.answered).collect()
        };
        let before = answered(&sim);
        assert_eq!(before.len(), 50);
        sim.run_until(until + PATIENCE + PATIENCE, &mut ());
        let went_on = answered(&sim).iter().zip(&before).all(|(after, before)| after > before);
        assert!(went_on, "every process is served again once the faults are over");
    }

    #[test]
    fn small_runs_of_other_seeds_differ() {
        assert_eq!(small_run(1, 1_000), small_run(1, 1_000));
        assert_ne!(small_run(1, 1_000), small_run(2, 1_000));
    }
}
