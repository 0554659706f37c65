//! `[[faults]]` and `[churn]`: what goes wrong.

use isles_kernel::{ProcessId, Span, Time};
use isles_sim::{Churn, Fault, Memory, Who};

use super::document::{Item, quote};
use super::reader::Reader;
use super::{Origin, file_of, instant, links, longer};
use crate::matrix::span_within;

#[derive(Clone, Copy)]
enum Kind {
    Crash,
    Restart,
    Pause,
    Resume,
    Partition,
    Mute,
    Heal,
    Loss,
    Clock,
}

const KINDS: &[(&str, Kind)] = &[
    ("crash", Kind::Crash),
    ("restart", Kind::Restart),
    ("pause", Kind::Pause),
    ("resume", Kind::Resume),
    ("partition", Kind::Partition),
    ("mute", Kind::Mute),
    ("heal", Kind::Heal),
    ("loss", Kind::Loss),
    ("clock", Kind::Clock),
];

/// What only some kinds of faults have.
const OWN_KEYS: &[&str] =
    &["fraction", "count", "ids", "range", "region", "memory", "groups", "probability", "step", "drift-ppm"];
/// How a set of processes is named.
const WHO_KEYS: &[&str] = &["fraction", "count", "ids", "range", "region"];

const MEMORIES: &[(&str, Memory)] = &[("disk", Memory::Disk), ("kept", Memory::Kept), ("lost", Memory::Lost)];

/// What reading a fault needs to know of the rest.
struct Scene<'a> {
    processes: u32,
    duration: Span,
    regions: &'a [String],
    loss: f64,
}

pub(super) fn read(
    top: &Reader<'_>,
    origin: &Origin<'_>,
    processes: u32,
    duration: Span,
    regions: &[String],
    loss: f64,
) -> (Vec<(Time, Fault)>, Option<Churn>) {
    let scene = Scene { processes, duration, regions, loss };
    let mut faults = Vec::new();
    for table in top.tables("faults") {
        read_fault(&table, &scene, &mut faults);
        table.misplaced(OWN_KEYS, "this kind of fault");
        table.finish();
    }
    let churn = read_churn(top, origin, &scene, &mut faults);
    faults.sort_by_key(|(at, _)| *at);
    (faults, churn)
}

fn read_fault(table: &Reader<'_>, scene: &Scene<'_>, faults: &mut Vec<(Time, Fault)>) {
    let at = instant(table, "at", scene.duration);
    if table.entry("at").is_none() {
        table.missing("at", "\"30s\"");
    }
    let lasting = table.span("for");
    let kind = table.choice("kind", KINDS);
    if table.entry("kind").is_none() {
        table.missing("kind", "\"crash\"");
    }
    let (Some(at), Some(kind)) = (at, kind) else {
        // So that its other keys are not called unknown.
        table.pass_over(OWN_KEYS);
        return;
    };
    let (fault, end) = read_kind(table, scene, kind, lasting.is_some());
    faults.push((at, fault));
    match (lasting, end) {
        (Some(lasting), Some(end)) => {
            let until = at + lasting;
            if until > Time::ZERO + scene.duration {
                let what = format!("this fault ends at {until}, after the end of the run");
                table.complain(&table.place("for"), what, longer(scene.duration));
            }
            faults.push((until, end));
        }
        (Some(_), None) => {
            table.complain(&table.place("for"), "this kind of fault does not last", "leave 'for' out");
        }
        (None, _) => {}
    }
}

/// What happens, and what ends it if it lasts.
fn read_kind(table: &Reader<'_>, scene: &Scene<'_>, kind: Kind, lasts: bool) -> (Fault, Option<Fault>) {
    let memory = || table.choice("memory", MEMORIES).unwrap_or_default();
    match kind {
        Kind::Crash => {
            let who = needed_who(table, scene);
            let drawn = matches!(who, Who::Fraction(_) | Who::Count(_));
            let again = if drawn { Who::All } else { who.clone() };
            if table.entry("memory").is_some() && table.entry("for").is_none() {
                let what = "'memory' is what a restart begins with, and this crash has none";
                table.complain(&table.place("memory"), what, "add for = \"10s\", or leave 'memory' out");
            }
            let end = lasts.then(|| Fault::Restart { who: again, memory: memory() });
            (Fault::Crash(who), end)
        }
        Kind::Restart => {
            (Fault::Restart { who: read_who(table, scene).unwrap_or(Who::All), memory: memory() }, None)
        }
        Kind::Pause => {
            let who = needed_who(table, scene);
            (Fault::Pause(who), Some(Fault::Resume(Who::All)))
        }
        Kind::Resume => (Fault::Resume(read_who(table, scene).unwrap_or(Who::All)), None),
        Kind::Partition => (Fault::Partition(read_groups(table, scene)), Some(Fault::Heal)),
        Kind::Mute => (Fault::Mute(needed_who(table, scene)), Some(Fault::Heal)),
        Kind::Heal => (Fault::Heal, None),
        Kind::Loss => {
            let probability = table.share("probability");
            if table.entry("probability").is_none() {
                table.missing("probability", "0.1");
            }
            (Fault::Loss(probability.unwrap_or(0.0)), Some(Fault::Loss(scene.loss)))
        }
        Kind::Clock => {
            let who = needed_who(table, scene);
            let step = table.signed_span("step");
            let drift = table.number("drift-ppm", -900_000.0, 900_000.0);
            if table.entry("step").is_none() && table.entry("drift-ppm").is_none() {
                table.complain_here("this does nothing to the clocks", "add step or drift-ppm");
            }
            let drift_ppb = (drift.unwrap_or(0.0) * 1000.0) as i64;
            (Fault::Clock { who, step: step.unwrap_or(0), drift_ppb }, None)
        }
    }
}

fn needed_who(table: &Reader<'_>, scene: &Scene<'_>) -> Who {
    read_who(table, scene).unwrap_or_else(|| {
        if WHO_KEYS.iter().all(|key| table.entry(key).is_none()) {
            table.complain_here(
                "it does not say whom this befalls",
                "add fraction, count, ids, range or region",
            );
        }
        Who::Ids(Vec::new())
    })
}

/// Whom a fault befalls; none if it does not say, or says it wrongly.
fn read_who(table: &Reader<'_>, scene: &Scene<'_>) -> Option<Who> {
    let given: Vec<&str> = WHO_KEYS.iter().filter(|key| table.entry(key).is_some()).copied().collect();
    if let [_, second, ..] = given.as_slice() {
        table.complain(
            &table.place(second),
            format!("there are {}", given.join(" and ")),
            "leave all but one out",
        );
        return None;
    }
    match *given.first()? {
        "fraction" => table.share("fraction").map(Who::Fraction),
        "count" => table.count("count", 0, u64::from(scene.processes)).map(|count| Who::Count(count as u32)),
        "ids" => table.list("ids").map(|items| {
            if items.is_empty() {
                table.complain(
                    &table.place("ids"),
                    "there are no processes in this list",
                    "write some, such as [0, 7]",
                );
            }
            Who::Ids(items.iter().filter_map(|item| process(table, item, scene.processes)).collect())
        }),
        "range" => read_range(table, scene),
        _ => read_region(table, scene),
    }
}

fn process(table: &Reader<'_>, item: &Item, processes: u32) -> Option<ProcessId> {
    let id = item.value.as_integer().and_then(|id| u32::try_from(id).ok()).filter(|id| *id < processes);
    if id.is_none() {
        table.complain(&item.place, "there is no such process", ids(processes));
    }
    id.map(ProcessId)
}

/// Which ids there are, in words.
pub(super) fn ids(processes: u32) -> String {
    format!("processes are numbered from 0 to {}", processes.saturating_sub(1))
}

fn read_range(table: &Reader<'_>, scene: &Scene<'_>) -> Option<Who> {
    let items = table.list("range")?;
    let ends: Vec<i64> = items.iter().filter_map(|item| item.value.as_integer()).collect();
    match (ends.as_slice(), items.len()) {
        (&[first, end], 2) if 0 <= first && first < end && end <= i64::from(scene.processes) => {
            Some(Who::Range { first: ProcessId(first as u32), end: ProcessId(end as u32) })
        }
        _ => {
            let help = format!(
                "write [first, end], the end not included, with 0 <= first < end <= {}",
                scene.processes
            );
            table.complain(&table.place("range"), "this is no range of processes", help);
            None
        }
    }
}

fn read_region(table: &Reader<'_>, scene: &Scene<'_>) -> Option<Who> {
    let name = table.text("region")?;
    let index = scene.regions.iter().position(|region| region == name);
    if index.is_none() {
        if scene.regions.is_empty() {
            table.complain(
                &table.place("region"),
                "there are no regions",
                "they come with a latency matrix: model = \"matrix\" in [links.latency]",
            );
        } else {
            let names = scene.regions.iter().map(String::as_str);
            table.complain_choice(&table.place("region"), "region", name, names);
        }
    }
    index.map(|index| Who::Region(index as u32))
}

fn read_groups(table: &Reader<'_>, scene: &Scene<'_>) -> Vec<Who> {
    let groups: Vec<Who> = table
        .tables("groups")
        .into_iter()
        .map(|group| {
            let who = needed_who(&group, scene);
            group.finish();
            who
        })
        .collect();
    if table.entry("groups").is_none() {
        table.missing("groups", "[{ fraction = 0.5 }]");
    } else if groups.is_empty() {
        table.complain(
            &table.place("groups"),
            "there are no groups",
            "write at least one, such as { fraction = 0.5 }; all others are one more group",
        );
    }
    let mut named: Vec<(u32, u32)> = Vec::new();
    for group in &groups {
        match group {
            Who::Ids(ids) => named.extend(ids.iter().map(|id| (id.0, id.0 + 1))),
            Who::Range { first, end } => named.push((first.0, end.0)),
            Who::All | Who::Fraction(_) | Who::Count(_) | Who::Region(_) => {}
        }
    }
    named.sort_unstable();
    if let Some(pair) = named.windows(2).find(|pair| pair[1].0 < pair[0].1) {
        let what = format!("process {} is in these groups twice", pair[1].0);
        table.complain(&table.place("groups"), what, "each process is in one group, or in none");
    }
    let shares: f64 =
        groups.iter().map(|who| if let Who::Fraction(share) = who { *share } else { 0.0 }).sum();
    if shares > 1.0 + 1e-9 {
        let what = format!("the fractions of these groups add up to {shares}");
        table.complain(&table.place("groups"), what, "write 1 at most in all; the others are one more group");
    }
    groups
}

fn read_churn(
    top: &Reader<'_>,
    origin: &Origin<'_>,
    scene: &Scene<'_>,
    faults: &mut Vec<(Time, Fault)>,
) -> Option<Churn> {
    let table = top.table("churn")?;
    if table.entry("trace").is_some() {
        if let Some(name) = table.text("trace")
            && let Some(text) = file_of(&table, &table.place("trace"), name, origin)
        {
            read_trace(&table, name, &text, scene, faults);
        }
        table.finish();
        return None;
    }
    let law = |key: &'static str| {
        let Some(law) = table.table(key) else {
            if table.entry(key).is_none() {
                table.missing(key, "{ model = \"exponential\", mean = \"10min\" }");
            }
            return None;
        };
        let read = links::read_distribution(law);
        if read.is_some_and(|law| links::typical(law) < CHURN_MIN) {
            let what = format!("'{key}' is nothing, or nearly: the run would not get on");
            table.complain(&table.place(key), what, format!("write spans of at least {CHURN_MIN}"));
            return None;
        }
        read
    };
    let (session, downtime) = (law("session"), law("downtime"));
    let from = instant(&table, "from", scene.duration).unwrap_or(Time::ZERO);
    let until = instant(&table, "until", scene.duration).unwrap_or(Time::ZERO + scene.duration);
    if from >= until && table.entry("until").is_some() {
        let what = format!("'until' is {until}, but churn begins at {from}");
        table.complain(&table.place("until"), what, format!("choose an instant after {from}"));
    }
    let memory = table.choice("memory", MEMORIES).unwrap_or_default();
    let stable = table.count("stable", 0, u64::from(scene.processes)).unwrap_or(0) as u32;
    table.finish();
    Some(Churn { session: session?, downtime: downtime?, memory, from, until, stable })
}

/// Sessions and downtimes are typically no shorter: with none at all, virtual time would stand still.
const CHURN_MIN: Span = Span::millis(1);

/// Comings and goings, one a line: seconds, process, `up` or `down`; the first line may be a heading.
fn read_trace(
    table: &Reader<'_>,
    name: &str,
    text: &str,
    scene: &Scene<'_>,
    faults: &mut Vec<(Time, Fault)>,
) {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    for (index, line) in lines.enumerate() {
        match read_change(line, scene) {
            Ok(change) => faults.push(change),
            Err(_) if index == 0 && !line.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {}
            Err(why) => {
                let quote = quote(name, text, &span_within(text, line));
                let help = "write lines of the form seconds,process,up or seconds,process,down";
                let what = format!("'{name}' is no such trace: {why}");
                table.complain_about(&table.place("trace"), quote, what, help);
                return;
            }
        }
    }
}

/// One line of a trace.
fn read_change(line: &str, scene: &Scene<'_>) -> Result<(Time, Fault), String> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [seconds, process, change] = fields.as_slice() else {
        return Err(format!("{} fields instead of 3", fields.len()));
    };
    let at = seconds.parse::<f64>().map_err(|_| format!("'{seconds}' is no number of seconds"))?;
    if !(0.0..=scene.duration.as_secs_f64()).contains(&at) {
        return Err(format!("{at} s is not within the run, which lasts {}", scene.duration));
    }
    let process = process
        .parse::<u32>()
        .ok()
        .filter(|id| *id < scene.processes)
        .ok_or_else(|| format!("there is no process '{process}', {}", ids(scene.processes)))?;
    let who = Who::Ids(vec![ProcessId(process)]);
    let fault = match *change {
        "up" => Fault::Restart { who, memory: Memory::Disk },
        "down" => Fault::Crash(who),
        _ => return Err(format!("'{change}' is neither up nor down")),
    };
    Ok((Time((at * 1e9).round() as u64), fault))
}
