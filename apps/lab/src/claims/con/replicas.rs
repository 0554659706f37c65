//! What more replicas buy.

use isles_history::Entry;
use isles_kernel::random::{draw, unit};
use isles_kernel::{ProcessId, Span, Time};
use isles_replication::read_one::{Config, ReadOne};
use isles_replication::store::{Op, Reply};
use isles_sim::{
    Bandwidth, Clients, Distribution, Fault, Latency, Links, Matrix, Recorder, Setup, Simulation, Who,
};

use super::super::curve::chart;
use super::super::{Effort, Finding};
use crate::report::data::{Axis, Unit};
use crate::run::seeds::on_all_cores;

const REPLICAS: [u32; 6] = [1, 2, 3, 4, 5, 7];

/// The probability with which each replica crashes.
const CRASH: f64 = 0.3;

/// One way, in milliseconds: uniform between these.
const NEAR: f64 = 5.0;
const FAR: f64 = 105.0;

/// Bytes per second of each process.
const RATE: u64 = 2_000;

/// A simulation of replicas and of clients at random distances from each.
fn world(
    replicas: u32,
    clients: u32,
    bandwidth: Option<Bandwidth>,
    seed: u64,
) -> Result<Simulation<ReadOne>, String> {
    let processes = replicas + clients;
    let distance = |a: u32, b: u32| {
        let (low, high) = (u64::from(a.min(b)), u64::from(a.max(b)));
        Span(((NEAR + (FAR - NEAR) * unit(draw(seed, &[low, high]))) * 1e6) as u64)
    };
    let cells = (0..processes).flat_map(|from| (0..processes).map(move |to| distance(from, to))).collect();
    let matrix = Matrix::new(processes, cells).ok_or("more places than a matrix holds")?;
    let nearest = (replicas..processes).map(|client| {
        let mut order: Vec<ProcessId> = (0..replicas).map(ProcessId).collect();
        order.sort_by_key(|replica| distance(client, replica.0));
        order
    });
    let config = Config { replicas, nearest: nearest.collect() };
    let latency = Latency::Matrix { matrix, jitter: 0.0 };
    let links = Links { latency, bandwidth, ..Links::default() };
    Simulation::new(Setup { links, ..Setup::new(processes, seed, config) }).map_err(|error| error.to_string())
}

/// The mean time of a read, in milliseconds, over clients of one read each.
fn latency(replicas: u32, clients: u32) -> Result<f64, String> {
    let mut sim = world(replicas, clients, None, u64::from(replicas))?;
    for client in replicas..replicas + clients {
        sim.invoke(ProcessId(client), Op::Read { object: 0 });
    }
    let mut recorder = Recorder::default();
    sim.run_until(Time::ZERO + Span::secs(1), &mut recorder);
    let returned = recorder.history().entries().iter().filter(|entry| matches!(entry, Entry::Return { .. }));
    let times: Vec<f64> = returned.map(|entry| entry.time().as_secs_f64() * 1e3).collect();
    if times.len() < clients as usize {
        return Err("a read was not answered".to_owned());
    }
    Ok(times.iter().sum::<f64>() / times.len() as f64)
}

/// The share of runs in which what was written before replicas crashed, each with the same probability, is read afterwards.
fn survival(replicas: u32, runs: u64, effort: &Effort) -> Result<f64, String> {
    let seeds: Vec<u64> = (0..runs).collect();
    let survives = |seed: u64| -> Result<bool, String> {
        let mut sim = world(replicas, 1, None, seed)?;
        let client = ProcessId(replicas);
        sim.invoke(client, Op::Write { object: 0, value: 7 });
        let crashes =
            |replica: &ProcessId| unit(draw(seed, &[0x0063_7261_7368, u64::from(replica.0)])) < CRASH;
        let crashed = (0..replicas).map(ProcessId).filter(crashes).collect();
        sim.inject(Time::ZERO + Span::secs(1), Fault::Crash(Who::Ids(crashed)));
        sim.invoke_at(Time::ZERO + Span::secs(2), client, Op::Read { object: 0 });
        let mut recorder = Recorder::default();
        sim.run_until(Time::ZERO + Span::secs(9), &mut recorder);
        let read = recorder.history().operations().pop().and_then(|read| read.reply().cloned());
        Ok(read == Some(Reply::Value(7)))
    };
    let survived = on_all_cores(&seeds, effort.threads, survives)?;
    Ok(survived.iter().filter(|one| **one).count() as f64 / runs as f64)
}

/// Reads answered in a second when replicas send as much as they can, and what that is by the bytes of an answer.
fn throughput(replicas: u32, seconds: u64) -> Result<(f64, f64), String> {
    let clients = 60 * replicas;
    let bandwidth = Some(Bandwidth { rate: RATE, queue: Span::MAX });
    let mut sim = world(replicas, clients, bandwidth, 1)?;
    let end = Time::ZERO + Span::secs(seconds + 2);
    let readers = Clients {
        at: (replicas..replicas + clients).map(ProcessId).collect(),
        think: Distribution::Constant(Span::ZERO),
        patience: Span::MAX,
        until: end,
        seed: 1,
    };
    let mut recorder = Recorder::default();
    readers.drive(&mut sim, end, &mut recorder, |_, _| Some(Op::Read { object: 0 }));
    let begin = Time::ZERO + Span::secs(2);
    let is_answer = |entry: &&Entry<Op, Reply>| matches!(entry, Entry::Return { time, .. } if *time >= begin);
    let answers = recorder.history().entries().iter().filter(is_answer).count();
    let kind = sim.counters().kinds().find(|kind| kind.name.ends_with("Answer"));
    let kind = kind.ok_or("no answers were counted")?;
    let bytes = kind.bytes as f64 / kind.count as f64;
    Ok((answers as f64 / seconds as f64, f64::from(replicas) * RATE as f64 / bytes))
}

/// Points of a curve, measured and predicted.
#[derive(Default)]
struct Curve {
    measured: Vec<(f64, f64)>,
    predicted: Vec<(f64, f64)>,
}

impl Curve {
    fn add(&mut self, replicas: u32, measured: f64, predicted: f64) {
        self.measured.push((f64::from(replicas), measured));
        self.predicted.push((f64::from(replicas), predicted));
    }

    /// How far the two are apart at most, as a part of the prediction.
    fn error(&self) -> f64 {
        let apart = self.measured.iter().zip(&self.predicted).map(|(a, b)| ((a.1 - b.1) / b.1).abs());
        apart.fold(0.0, f64::max)
    }

    /// How far one replica is from what is predicted of the most.
    fn control(&self) -> f64 {
        match (self.measured.first(), self.predicted.last()) {
            (Some(one), Some(most)) => ((one.1 - most.1) / most.1).abs(),
            _ => 0.0,
        }
    }

    fn told(&self) -> String {
        self.measured.iter().map(|(_, y)| format!("{y:.3}")).collect::<Vec<_>>().join(" ")
    }

    fn chart(self, title: &str, unit: Axis) -> crate::report::data::Chart {
        chart(
            title,
            "Measured in simulation, and by the closed form.",
            (Axis::new("replicas", Unit::Plain), unit),
            vec![("measured".to_owned(), self.measured), ("closed form".to_owned(), self.predicted)],
        )
    }
}

pub(super) fn con_01(effort: &Effort) -> Result<Finding, String> {
    let (clients, runs, seconds) = if effort.quick { (300, 400, 3) } else { (2_000, 5_000, 10) };
    let (mut reads, mut survivals, mut rates) = (Curve::default(), Curve::default(), Curve::default());
    for replicas in REPLICAS {
        let expected = 2.0 * (NEAR + (FAR - NEAR) / f64::from(replicas + 1));
        reads.add(replicas, latency(replicas, clients)?, expected);
        survivals.add(replicas, survival(replicas, runs, effort)?, 1.0 - CRASH.powi(replicas as i32));
        let (measured, predicted) = throughput(replicas, seconds)?;
        rates.add(replicas, measured, predicted);
    }
    let curves = [&reads, &survivals, &rates];
    let (errors, controls) = (curves.map(Curve::error), curves.map(Curve::control));
    Ok(Finding {
        holds: errors.iter().all(|error| *error < 0.1),
        control_fails: controls.iter().all(|error| *error > 0.2),
        measured: format!(
            "{REPLICAS:?} replicas: a read takes {} ms; data and answers survive with probability {} when each replica crashes with \
             {CRASH}; {} reads a second; at most {:.1} % from the closed forms",
            reads.told(),
            survivals.told(),
            rates.told(),
            errors.iter().copied().fold(0.0, f64::max) * 100.0,
        ),
        predicted: "2 (5 + 100 / (n + 1)) ms; 1 - 0.3^n; n times what one uplink carries".to_owned(),
        charts: vec![
            reads.chart("A read, by replicas", Axis::new("time of a read", Unit::named("ms"))),
            survivals.chart("Survival, by replicas", Axis::new("probability", Unit::Plain)),
            rates.chart("Reads, by replicas", Axis::new("reads", Unit::named("1/s"))),
        ],
    })
}
