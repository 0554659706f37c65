//! Histories of transactions: isolation levels and session guarantees.

use isles_check::convergence::eventual;
use isles_check::transactions::{Level, Point, Violation, Witness, check};
use isles_check::{Verdict, lattice, verify_transactions};
use isles_history::{Fault, Moment, Status, Step, Transactions, Value};

use super::faults::marks;
use super::sentences::sentences;
use super::{Bar, CheckError, Judgement, Options, Outcome, Source, Want, Word, around, known};

/// Judges transactions by the levels that were asked for.
pub(super) fn judge(
    source: &Source<'_>,
    format: &'static str,
    history: &Transactions,
    options: &Options,
    faults: &[Fault],
) -> Result<Outcome, CheckError> {
    let timed = history.all().iter().any(|transaction| transaction.interval.is_some());
    let mut outcome = Outcome {
        file: source.path.display().to_string(),
        format,
        model: "transactions".to_owned(),
        count: history.all().len(),
        judgements: Vec::new(),
        faults: marks(faults),
        stale: Vec::new(),
        strongest: Vec::new(),
        weakest: Vec::new(),
    };
    if options.all {
        let placed = lattice::place(history, options.budget);
        outcome.strongest = placed.strongest.iter().map(|(level, _)| level.name()).collect();
        outcome.weakest = placed.weakest.iter().map(|(level, _)| level.name()).collect();
        let holds = placed.strongest.into_iter().map(|(level, witness)| (level, Verdict::Holds(witness)));
        let fails = placed.weakest.into_iter().map(|(level, why)| (level, Verdict::Violated(why)));
        let unknown = placed.unknown.into_iter().map(|(level, progress)| (level, Verdict::Unknown(progress)));
        for (level, verdict) in holds.chain(fails).chain(unknown) {
            outcome.judgements.push(judgement(history, level, &verdict, options.verify));
        }
        return Ok(outcome);
    }
    let default = [Want::Level(if timed { Level::StrictSerializable } else { Level::SessionSerializable })];
    let wants = if options.levels.is_empty() { &default[..] } else { &options.levels };
    for want in wants {
        let level = match want {
            Want::Level(level) => *level,
            // What these are for transactions of one step.
            Want::Linearizable => Level::StrictSerializable,
            Want::Sequential => Level::SessionSerializable,
            Want::SequentialEach => {
                return Err(CheckError::Asked(
                    "sequential-per-object judges operations: transactions have no object of their own"
                        .to_owned(),
                ));
            }
            Want::Eventual => {
                outcome.judgements.push(eventually(history));
                continue;
            }
        };
        let verdict = check(history, level, options.budget);
        outcome.judgements.push(judgement(history, level, &verdict, options.verify));
    }
    Ok(outcome)
}

/// Whether all sessions agree in the end. There is no certificate to verify: both reads are named.
fn eventually(history: &Transactions) -> Judgement {
    let name = Want::Eventual.name();
    let mut judgement = match eventual(history) {
        Verdict::Holds(agreed) => {
            let keys = agreed.iter().map(|of| {
                let (key, read) = (history.key_name(of.key), known(of.read.transaction));
                format!("{key}: the last reads of {} sessions are as {read}'s", of.sessions)
            });
            Judgement { order: keys.collect(), ..Judgement::new(name, Word::Holds) }
        }
        Verdict::Violated(found) => {
            let core = [found.one.transaction, found.other.transaction];
            let what = |place: u32| format!("{} ({})", known(place), described(history, place));
            let why = format!(
                "Updates of {} had ended, and the last reads of two sessions differ: {} and {}.",
                history.key_name(found.key),
                what(core[0]),
                what(core[1])
            );
            Judgement {
                why: vec![why],
                core: core.iter().map(|place| known(*place)).collect(),
                bars: around(bars(history, &core)),
                ..Judgement::new(name, Word::Violated)
            }
        }
        Verdict::Unknown(progress) => Judgement {
            why: vec![format!("What would help: {}.", progress.help)],
            ..Judgement::new(name, Word::Unknown)
        },
    };
    judgement.count = history.all().len();
    judgement
}

fn judgement(
    history: &Transactions,
    level: Level,
    verdict: &Verdict<Witness, Violation>,
    verify: bool,
) -> Judgement {
    let mut judgement = match verdict {
        Verdict::Holds(witness) => {
            Judgement { order: order(history, witness), ..Judgement::new(level.name(), Word::Holds) }
        }
        Verdict::Violated(why) => Judgement {
            anomaly: Some(why.anomaly.to_string()),
            why: sentences(history, why),
            core: why.transactions().iter().map(|place| known(*place)).collect(),
            bars: around(bars(history, &why.transactions())),
            ..Judgement::new(level.name(), Word::Violated)
        },
        Verdict::Unknown(progress) => Judgement {
            why: vec![
                format!("The search came as far as {} transactions.", progress.decided),
                format!("What would help: {}.", progress.help),
            ],
            ..Judgement::new(level.name(), Word::Unknown)
        },
    };
    judgement.count = history.all().len();
    if verify && judgement.verdict != Word::Unknown {
        let checked = verify_transactions(history, level, verdict);
        judgement.verified = Some(checked.is_ok());
        judgement.flaw = checked.err().map(str::to_owned);
    }
    judgement
}

/// A witness by names; views one after another, each after the name of its session.
fn order(history: &Transactions, witness: &Witness) -> Vec<String> {
    let name = |place: &u32| known(*place);
    match witness {
        Witness::Commits(order) => order.iter().map(name).collect(),
        Witness::Points(points) => points
            .iter()
            .map(|point| match point {
                Point::Initial => "the initial state".to_owned(),
                Point::Begin(place) => format!("{} begins", known(*place)),
                Point::Commit(place) => format!("{} commits", known(*place)),
            })
            .collect(),
        Witness::Views(views) => views
            .iter()
            .flat_map(|view| {
                let key = view.key.map_or(String::new(), |key| format!(", key {}", history.key_name(key)));
                [format!("session {}{key}:", view.session)].into_iter().chain(view.order.iter().map(name))
            })
            .collect(),
    }
}

/// The steps of a transaction in short.
pub(super) fn described(history: &Transactions, place: u32) -> String {
    let transaction = &history.all()[place as usize];
    let steps = history.steps(transaction).iter().map(|step| match *step {
        Step::Read { key, value } => format!("r {} {}", history.key_name(key), history.value_name(value)),
        Step::Write { key, value } => format!("w {} {}", history.key_name(key), history.value_name(value)),
        Step::Append { key, element } => {
            format!("append {} {}", history.key_name(key), history.value_name(element))
        }
        Step::ReadList { key, start, count } => {
            let list = history.list(start, count).iter().map(|element| history.value_name(*element).clone());
            format!("r {} {}", history.key_name(key), Value::List(list.collect()))
        }
    });
    let text = steps.collect::<Vec<_>>().join(", ");
    match transaction.status {
        Status::Committed => text,
        Status::Aborted => text + ", aborted",
        Status::Unknown => text + ", unknown",
    }
}

/// The transactions by their sessions. Where no time was recorded, each has a place of its own, in the order of the file.
fn bars(history: &Transactions, marked: &[u32]) -> Vec<Bar> {
    (0u32..)
        .zip(history.all())
        .map(|(place, transaction)| {
            let untimed = (2 * Moment::from(place), 2 * Moment::from(place) + 1);
            let (begin, end) = transaction.interval.unwrap_or(untimed);
            Bar {
                name: known(place),
                lane: transaction.session.to_string(),
                text: described(history, place),
                begin,
                end: (end < Moment::MAX).then_some(end),
                marked: marked.contains(&place),
            }
        })
        .collect()
}
