//! Chapter MSG: messages. The simulated half of MSG-01; sockets come with the network runtime.

use isles_kernel::{Channel, Payload, ProcessId, Span, Time};
use isles_messaging::probe::{Event, Op, Probe};
use isles_sim::{Bandwidth, Distribution, Fault, Links, Observer, Setup, Simulation, Who};

use super::{Claim, Effort, Finding};

/// The claims of the chapter.
pub(super) static MSG: &[Claim] = &[Claim {
    id: "MSG-01",
    statement: "A datagram keeps message boundaries, may be lost, doubled and overtaken, goes to any number of receivers and \
                knows no flow control; a stream is a connection that is reliable, ordered and flow-controlled, to one \
                receiver.",
    control: "a protocol that assumes reliability loses messages over datagrams once links lose some",
    source: "Coulouris et al., Distributed Systems, fifth edition, sections 4.2.3 and 4.2.4",
    run: msg_01,
}];

/// What arrived of a series of numbered messages.
#[derive(Default)]
struct Arrivals {
    /// When, whose number and how large, in order.
    arrived: Vec<(Time, ProcessId, u32, usize)>,
    broke: u32,
}

impl Observer<Probe> for Arrivals {
    fn on_event(&mut self, at: Time, process: ProcessId, event: &Event) {
        match event {
            Event::Arrived { number, size, .. } => self.arrived.push((at, process, *number, *size)),
            Event::Broke { .. } => self.broke += 1,
        }
    }
}

impl Arrivals {
    fn distinct(&self) -> usize {
        let mut numbers: Vec<u32> = self.arrived.iter().map(|one| one.2).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.len()
    }

    /// Messages that came after one with a higher number.
    fn overtaken(&self) -> usize {
        let mut highest = 0;
        self.arrived
            .iter()
            .filter(|one| {
                let late = one.2 < highest;
                highest = highest.max(one.2);
                late
            })
            .count()
    }

    fn last(&self) -> Time {
        self.arrived.last().map_or(Time::ZERO, |one| one.0)
    }
}

/// Sends `count` messages, one a millisecond, from process 0 to `receivers` others; message `n` has `n % 50 + 1` bytes.
fn send(
    links: Links,
    channel: Channel,
    count: u32,
    receivers: u32,
    fault: Option<Fault>,
) -> Result<Arrivals, String> {
    let setup = Setup { links, ..Setup::new(receivers + 1, 1, ()) };
    let mut sim = Simulation::<Probe>::new(setup).map_err(|error| error.to_string())?;
    for number in 0..count {
        let to = (1..=receivers).map(ProcessId).collect();
        let op = Op { to, channel, number, payload: Payload::zeros(number as usize % 50 + 1) };
        sim.invoke_at(Time::ZERO + Span::millis(u64::from(number)), ProcessId(0), op);
    }
    if let Some(fault) = fault {
        sim.inject(Time::ZERO + Span::millis(u64::from(count) / 2), fault);
    }
    let mut arrivals = Arrivals::default();
    sim.run_until(Time::ZERO + Span::secs(600), &mut arrivals);
    Ok(arrivals)
}

/// One cell of the table: what was found, and whether it is as the table says.
struct Cell {
    name: &'static str,
    found: String,
    holds: bool,
}

fn msg_01(effort: &Effort) -> Result<Finding, String> {
    let count = if effort.quick { 500 } else { 5_000 };
    let mut cells = datagrams(count)?;
    cells.extend(streams(count)?);
    let lossy = || Links { loss: 0.2, ..Links::constant(Span::millis(10)) };
    let assumed = send(lossy(), Channel::Datagram, count, 1, None)?.distinct();
    let over_stream = send(lossy(), Channel::Stream, count, 1, None)?.distinct();
    let told: Vec<String> = cells.iter().map(|cell| format!("{}: {}", cell.name, cell.found)).collect();
    Ok(Finding {
        holds: cells.iter().all(|cell| cell.holds) && over_stream == count as usize,
        control_fails: assumed < count as usize,
        measured: format!(
            "{}; control: {assumed} of {count} datagrams arrive with 20 % loss, {over_stream} of {count} over a stream",
            told.join("; ")
        ),
        predicted: "the table of the crate isles-messaging, cell by cell".to_owned(),
        ..Finding::default()
    })
}

fn datagrams(count: u32) -> Result<Vec<Cell>, String> {
    let all = count as usize;
    let plain = || Links::constant(Span::millis(10));
    let sent = |links, receivers| send(links, Channel::Datagram, count, receivers, None);
    let whole = sent(plain(), 1)?;
    let lossy = sent(Links { loss: 0.2, ..plain() }, 1)?;
    let doubled = sent(Links { duplication: 0.2, ..plain() }, 1)?;
    let jitter = Links::law(Distribution::Uniform { min: Span::millis(5), max: Span::millis(50) });
    let mixed = sent(jitter, 1)?;
    let many = sent(Links { loss: 0.2, ..plain() }, 5)?;
    let narrow = Bandwidth { rate: 10_000, queue: Span::millis(100) };
    let dropped = sent(Links { bandwidth: Some(narrow), ..plain() }, 1)?;
    let crashed =
        send(plain(), Channel::Datagram, count, 1, Some(Fault::Crash(Who::Ids(vec![ProcessId(1)]))))?;
    let per_receiver = |id| many.arrived.iter().filter(|one| one.1 == ProcessId(id)).count();
    let fates: Vec<usize> = (1..=5).map(per_receiver).collect();
    let boundaries = whole.arrived.iter().all(|one| one.3 == one.2 as usize % 50 + 1);
    let share = lossy.distinct() as f64 / all as f64;
    Ok(vec![
        Cell {
            name: "datagram, boundaries",
            found: format!("{} whole", whole.arrived.len()),
            holds: boundaries && whole.arrived.len() == all,
        },
        Cell {
            name: "loss",
            found: format!("{:.1} % of 20 % lossy arrive", share * 100.0),
            holds: (0.7..0.9).contains(&share),
        },
        Cell {
            name: "duplication",
            found: format!("{} arrivals of {all}", doubled.arrived.len()),
            holds: doubled.arrived.len() > doubled.distinct() && doubled.distinct() == all,
        },
        Cell {
            name: "order",
            found: format!("{} overtaken", mixed.overtaken()),
            holds: mixed.overtaken() > 0,
        },
        Cell {
            name: "1 to 5",
            found: format!("{fates:?} arrive, each copy by itself"),
            holds: fates.iter().all(|one| *one > 0 && *one < all)
                && fates.windows(2).any(|pair| pair[0] != pair[1]),
        },
        Cell {
            name: "full queue",
            found: format!("{} of {all} pass", dropped.distinct()),
            holds: dropped.distinct() < all,
        },
        Cell {
            name: "peer down",
            found: format!("{} reports", crashed.broke),
            holds: crashed.broke == 0 && crashed.distinct() < all,
        },
    ])
}

fn streams(count: u32) -> Result<Vec<Cell>, String> {
    let all = count as usize;
    let plain = || Links::constant(Span::millis(10));
    let sent = |links| send(links, Channel::Stream, count, 1, None);
    let lossy = sent(Links { loss: 0.2, duplication: 0.2, ..plain() })?;
    let jitter = Links::law(Distribution::Uniform { min: Span::millis(5), max: Span::millis(50) });
    let mixed = sent(jitter)?;
    let narrow = Bandwidth { rate: 10_000, queue: Span::millis(100) };
    let waited = sent(Links { bandwidth: Some(narrow), ..plain() })?;
    let crashed = send(plain(), Channel::Stream, count, 1, Some(Fault::Crash(Who::Ids(vec![ProcessId(1)]))))?;
    Ok(vec![
        Cell {
            name: "stream, reliable",
            found: format!("{} of {all} once each with 20 % loss and 20 % duplication", lossy.arrived.len()),
            holds: lossy.arrived.len() == all && lossy.distinct() == all,
        },
        Cell {
            name: "ordered",
            found: format!("{} overtaken", mixed.overtaken() + lossy.overtaken()),
            holds: mixed.overtaken() == 0 && lossy.overtaken() == 0 && mixed.arrived.len() == all,
        },
        Cell {
            name: "flow control",
            found: format!("{} of {all} pass, the last at {}", waited.distinct(), waited.last()),
            holds: waited.distinct() == all
                && waited.last() > Time::ZERO + Span::millis(u64::from(count) + 100),
        },
        Cell {
            name: "peer down",
            found: format!("{} reports", crashed.broke),
            holds: crashed.broke > 0 && crashed.distinct() < all,
        },
    ])
}
