//! What quorums cost and what they outlast, beside the closed forms: QUO-05 and QUO-06.

use isles_history::Entry;
use isles_kernel::{ProcessId, Span, Time};
use isles_quorum::availability::{blocked, expected_latency};
use isles_quorum::register::{Op, Reply};
use isles_quorum::voting::{Config, Voting};
use isles_sim::{Disk, Distribution, Fault, Links, Recorder, Setup, Simulation, Who};

use crate::claims::curve::chart;
use crate::claims::{Effort, Finding};
use crate::report::data::{Axis, Unit};
use crate::run::seeds::on_all_cores;

/// One way, in milliseconds: uniform between these.
const NEAR: f64 = 1.0;
const FAR: f64 = 60.0;

/// The probability with which a copy is up.
const UP: f64 = 0.9;

const COPIES: u32 = 5;

/// Copies of one vote each, and a client's process.
fn world(copies: u32, quorums: (u32, u32), seed: u64) -> Result<Simulation<Voting>, String> {
    let config =
        Config::new(vec![1; copies as usize], quorums.0, quorums.1).map_err(|error| error.to_string())?;
    let span = |millis: f64| Span((millis * 1e6) as u64);
    let links = Links {
        stream_timeout: Span::secs(100),
        ..Links::law(Distribution::Uniform { min: span(NEAR), max: span(FAR) })
    };
    // The closed forms are about links.
    let disk = Disk { sync: Span::micros(1), ..Disk::default() };
    Simulation::new(Setup { links, disk, ..Setup::new(copies + 1, seed, config) })
        .map_err(|error| error.to_string())
}

/// When the client at the last process was answered what, since it asked.
fn answers(recorder: &Recorder<Voting>) -> Vec<(Span, Reply)> {
    let entries = recorder.history().entries();
    let began = |wanted| {
        entries.iter().find_map(|entry| match entry {
            Entry::Invoke { time, id, .. } if *id == wanted => Some(*time),
            Entry::Invoke { .. } | Entry::Return { .. } | Entry::Fail { .. } => None,
            Entry::Unknown { .. } | Entry::Crash { .. } => None,
        })
    };
    let answer = |entry: &Entry<Op, Reply>| {
        let Entry::Return { time, id, reply, .. } = entry else { return None };
        Some((time.since(began(*id)?), *reply))
    };
    entries.iter().filter_map(answer).collect()
}

/// Measured times of an operation, in milliseconds.
struct Times {
    mean: f64,
    /// The standard error of the mean.
    error: f64,
}

impl Times {
    fn of(times: &[f64]) -> Self {
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { mean, error: (variance / count).sqrt() }
    }

    /// By how many standard errors it is off.
    fn off(&self, expected: f64) -> f64 {
        (self.mean - expected).abs() / self.error
    }
}

/// Reads and writes of a client, one after the other, with nothing down.
fn latency(quorums: (u32, u32), pairs: u64) -> Result<(Times, Times), String> {
    let mut sim = world(COPIES, quorums, 1)?;
    let client = ProcessId(COPIES);
    for pair in 0..pairs {
        let at = Time::ZERO + Span::secs(2 * pair);
        sim.invoke_at(at, client, Op::Write(pair as i64 + 1));
        sim.invoke_at(at + Span::secs(1), client, Op::Read);
    }
    let mut recorder = Recorder::default();
    sim.run_until(Time::ZERO + Span::secs(2 * pairs), &mut recorder);
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for (took, reply) in answers(&recorder) {
        match reply {
            Reply::Value(_) => reads.push(took.as_millis_f64()),
            Reply::Done => writes.push(took.as_millis_f64()),
            Reply::Refused | Reply::Unknown => return Err("an operation was refused".to_owned()),
        }
    }
    if (reads.len() as u64, writes.len() as u64) != (pairs, pairs) {
        return Err("an operation was not answered".to_owned());
    }
    Ok((Times::of(&reads), Times::of(&writes)))
}

/// What a client is answered that writes and reads while some copies are down, each operation after what time.
fn outcome(
    copies: u32,
    quorums: (u32, u32),
    down: u32,
    fault: fn(Who) -> Fault,
) -> Result<Vec<(Span, Reply)>, String> {
    let mut sim = world(copies, quorums, 1)?;
    let who = (0..copies).filter(|copy| down >> copy & 1 == 1).map(ProcessId).collect();
    sim.inject(Time::ZERO, fault(Who::Ids(who)));
    let client = ProcessId(copies);
    sim.invoke_at(Time::ZERO + Span::millis(100), client, Op::Write(7));
    sim.invoke_at(Time::ZERO + Span::secs(3), client, Op::Read);
    let mut recorder = Recorder::default();
    sim.run_until(Time::ZERO + Span::secs(6), &mut recorder);
    let answers = answers(&recorder);
    if answers.len() == 2 { Ok(answers) } else { Err("an operation was not answered".to_owned()) }
}

/// Whether the write and the read of an outcome were served.
fn served(outcome: &[(Span, Reply)]) -> (bool, bool) {
    let is = |place: usize| outcome.get(place).is_some_and(|(_, reply)| *reply != Reply::Refused);
    (is(0), is(1))
}

/// The probability that a read and a write are served: every set of copies that are down is simulated, and counts as often as it comes.
fn availability(quorums: (u32, u32)) -> Result<(f64, f64), String> {
    let (mut reads, mut writes) = (0.0, 0.0);
    for down in 0..1u32 << COPIES {
        let up = COPIES - down.count_ones();
        let weight = UP.powi(up as i32) * (1.0 - UP).powi(down.count_ones() as i32);
        let (write, read) = served(&outcome(COPIES, quorums, down, Fault::Crash)?);
        reads += if read { weight } else { 0.0 };
        writes += if write { weight } else { 0.0 };
    }
    Ok((reads, writes))
}

/// Equally probable round trips: the quantiles of the sum of two uniform latencies.
fn round_trips() -> Vec<f64> {
    let width = FAR - NEAR;
    let quantile = |step: u32| {
        let share = (f64::from(step) + 0.5) / 500.0;
        if share < 0.5 {
            2.0 * NEAR + width * (2.0 * share).sqrt()
        } else {
            2.0 * FAR - width * (2.0 * (1.0 - share)).sqrt()
        }
    };
    (0..500).map(quantile).collect()
}

/// One choice of quorums, measured and by the closed forms.
struct Row {
    read: u32,
    write: u32,
    times: (Times, Times),
    served: (f64, f64),
}

/// When so many votes have answered, on average.
fn gathered(votes: u32, law: &[f64]) -> Result<f64, String> {
    expected_latency(&[1; COPIES as usize], &[law; COPIES as usize], votes)
        .ok_or_else(|| format!("{votes} votes are more than there are"))
}

fn available(votes: u32) -> f64 {
    1.0 - blocked(&[1; COPIES as usize], &[UP; COPIES as usize], votes)
}

impl Row {
    fn new(read: u32, write: u32, pairs: u64) -> Result<Self, String> {
        let (times, served) = (latency((read, write), pairs)?, availability((read, write))?);
        Ok(Self { read, write, times, served })
    }

    /// How far it is from the closed forms of quorums of so many votes more: by standard errors of the time, and by probability.
    fn off(&self, more: u32, law: &[f64]) -> Result<(f64, f64), String> {
        let (read, write) = (self.read + more, self.write + more);
        // A read gathers versions and fetches the value, which is one more round trip to one copy.
        let fetch = law.iter().sum::<f64>() / law.len() as f64;
        let reads = self.times.0.off(gathered(read, law)? + fetch);
        let served = (self.served.0 - available(read)).abs();
        if write > COPIES {
            return Ok((reads, served));
        }
        let writes = self.times.1.off(gathered(write, law)?);
        let both = (served, (self.served.1 - available(write)).abs());
        Ok(if more == 0 {
            (reads.max(writes), both.0.max(both.1))
        } else {
            (reads.min(writes), both.0.min(both.1))
        })
    }
}

/// How far rows are from their closed forms at most, and from those of one vote more at least, by standard errors and probability.
fn closed_forms(rows: &[Row]) -> Result<[(f64, f64); 2], String> {
    let law = round_trips();
    let (mut worst, mut nearest) = ((0.0f64, 0.0f64), (f64::MAX, f64::MAX));
    for row in rows {
        let (time, probability) = row.off(0, &law)?;
        worst = (worst.0.max(time), worst.1.max(probability));
        if row.read < COPIES {
            let (time, probability) = row.off(1, &law)?;
            nearest = (nearest.0.min(time), nearest.1.min(probability));
        }
    }
    Ok([worst, nearest])
}

pub(super) fn quo_05(effort: &Effort) -> Result<Finding, String> {
    let pairs = if effort.quick { 300 } else { 3_000 };
    let quorums: Vec<(u32, u32)> = (1..=COPIES)
        .flat_map(|read| (1..=COPIES).map(move |write| (read, write)))
        .filter(|(read, write)| read + write > COPIES && 2 * write > COPIES)
        .collect();
    let places: Vec<u64> = (0..quorums.len() as u64).collect();
    let rows = on_all_cores(&places, effort.threads, |place| {
        let (read, write) = quorums[place as usize];
        Row::new(read, write, pairs)
    })?;
    let [worst, nearest] = closed_forms(&rows)?;
    // Those of which no quorum can be lowered alone, from read one and write all on.
    let edge: Vec<&Row> = rows.iter().filter(|row| row.read + row.write == COPIES + 1).collect();
    let trades = edge.windows(2).all(|two| {
        let ((read, write), (more, less)) = (&two[0].times, &two[1].times);
        let (before, then) = (two[0].served, two[1].served);
        read.mean < more.mean && write.mean > less.mean && before.0 > then.0 && before.1 < then.1
    });
    let told: Vec<String> = edge
        .iter()
        .map(|row| {
            format!(
                "({}, {}): {:.0} and {:.0} ms, {:.5} and {:.5}",
                row.read, row.write, row.times.0.mean, row.times.1.mean, row.served.0, row.served.1
            )
        })
        .collect();
    let curve = |name: &str, of: fn(&Row) -> f64| {
        (name.to_owned(), edge.iter().map(|row| (f64::from(row.read), of(row))).collect())
    };
    let times = vec![curve("read", |row| row.times.0.mean), curve("write", |row| row.times.1.mean)];
    let shares = vec![curve("read", |row| row.served.0), curve("write", |row| row.served.1)];
    let votes = || Axis::new("votes of a read", Unit::Plain);
    let help = "Five copies, r + w = 6.";
    Ok(Finding {
        holds: worst.0 < 4.5 && worst.1 < 1e-9 && trades && edge.first().is_some_and(|row| row.read == 1),
        control_fails: nearest.0 > 4.5 && nearest.1 > 1e-5,
        measured: format!(
            "{} pairs (r, w), {pairs} reads and writes of each, and all 32 sets of copies down: latency at most {:.1} standard errors off, \
             availability {:.0e}; read and write by (r, w): {}; control: at least {:.0} standard errors and {:.0e} off",
            rows.len(),
            worst.0,
            worst.1,
            told.join("; "),
            nearest.0,
            nearest.1,
        ),
        predicted:
            "order statistics of round trips; sums over sets of copies; control: not those of one vote more"
                .to_owned(),
        charts: vec![
            chart(
                "Latency, by the votes of a read",
                help,
                (votes(), Axis::new("time", Unit::named("ms"))),
                times,
            ),
            chart(
                "Availability, by the votes of a read",
                help,
                (votes(), Axis::new("probability", Unit::Plain)),
                shares,
            ),
        ],
    })
}

fn cut(who: Who) -> Fault {
    Fault::Partition(vec![who])
}

pub(super) fn quo_06(effort: &Effort) -> Result<Finding, String> {
    const TWELVE: u32 = 12;
    let sets: Vec<u64> = (0..1u64 << TWELVE).filter(|set| !effort.quick || set % 13 == 0).collect();
    let tried = |read: u32| {
        on_all_cores(&sets, effort.threads, |set| -> Result<Tried, String> {
            let down = set as u32;
            let under = |fault| outcome(TWELVE, (read, 7), down, fault);
            let (crashed, parted, slow) = (under(Fault::Crash)?, under(cut)?, under(Fault::Pause)?);
            let predicted = (down.count_ones() <= 5, down.count_ones() <= 6);
            let all = [&crashed, &parted, &slow];
            Ok(Tried {
                as_predicted: all.iter().all(|outcome| served(outcome) == predicted),
                alike: all.iter().all(|outcome| told(outcome) == told(&crashed)),
                to_the_nanosecond: parted == slow,
                sooner: crashed != parted,
            })
        })
    };
    let (claimed, control) = (tried(6)?, tried(7)?);
    let count = |of: fn(&Tried) -> bool| claimed.iter().filter(|run| of(run)).count();
    let (exact, alike) = (count(|run| run.as_predicted), count(|run| run.alike));
    let silent = count(|run| run.to_the_nanosecond);
    let fewer = control.iter().filter(|run| !run.as_predicted).count();
    // If all outcomes looked alike to this comparison, it would say nothing.
    let (six, five) = (0b11_1111, 0b1_1111);
    let differ =
        told(&outcome(TWELVE, (6, 7), six, Fault::Crash)?) != told(&outcome(TWELVE, (6, 7), five, cut)?);
    let runs = sets.len();
    Ok(Finding {
        holds: exact == runs && alike == runs && silent == runs,
        control_fails: fewer > 0 && differ,
        measured: format!(
            "{runs} sets of copies down, crashed, cut off and standing still: {exact} outlasted exactly as predicted, {alike} answered alike; \
             cut off and standing still, {silent} to the nanosecond; of the crashed {} are known sooner, where what they leave behind refuses \
             messages; control: with r = 7, {fewer} are not as predicted for r = 6",
            count(|run| run.sooner),
        ),
        predicted:
            "writes with up to 5 down, reads with up to 6, alike; control: reads with 6 down are refused"
                .to_owned(),
        ..Finding::default()
    })
}

/// What came of a set of copies that are down.
struct Tried {
    as_predicted: bool,
    /// The client is answered the same, whatever befell them.
    alike: bool,
    /// And when it is, if they are cut off or stand still.
    to_the_nanosecond: bool,
    /// It is answered at another time if they have crashed.
    sooner: bool,
}

/// What a client is answered, whenever.
fn told(outcome: &[(Span, Reply)]) -> Vec<Reply> {
    outcome.iter().map(|(_, reply)| *reply).collect()
}
