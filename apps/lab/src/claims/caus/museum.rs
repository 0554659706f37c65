//! The museum's bugs of clocks and stores.

use isles_causality::history::CausalHistory;
use isles_causality::hybrid::{HybridClock, Timestamp};
use isles_causality::itc::{Stamp, plain};
use isles_causality::store::{Mistake, Rule, Versions, Write};
use isles_causality::{Actor, Dot, VersionVector};
use isles_kernel::random::Stream;

use super::super::{Claim, Effort, Finding};

/// The museum's claims of this chapter.
pub(in super::super) static CAUS_MUSEUM: &[Claim] = &[
    Claim {
        id: "MUS-04",
        statement: "With one vector for all versions of a key, and a counter for each server, interleaved writes of two clients leave as many \
                    siblings as there are writes, without any failure.",
        control: "dotted version vectors leave two",
        source: "riak_kv 746",
        run: mus_04,
    },
    Claim {
        id: "MUS-05",
        statement: "Vectors that are pruned make an old version concurrent to a newer one: every hand-off brings it back, whatever is \
                    merged in between.",
        control: "vectors that are not pruned let it go at once",
        source: "riak_core 613, riak_kv 283; DeCandia et al., SOSP 2007, section 4.4",
        run: mus_05,
    },
    Claim {
        id: "MUS-08",
        statement: "A last-writer-wins register that compares wall clocks of microseconds drops a second write of the same one, after \
                    acknowledging it.",
        control: "by a hybrid clock the second write wins",
        source: "riak_dt_lwwreg, whose own test fails",
        run: mus_08,
    },
    Claim {
        id: "MUS-30",
        statement: "Interval tree clocks whose trees are not in normal form answer wrongly, and a fill that looks at its sibling before that \
                    is filled leaves larger trees.",
        control: "the shipped clocks answer as histories do, with the same trees as the paper's letter",
        source: "reference implementations of Almeida, Baquero and Fonte 2008",
        run: mus_30,
    },
];

fn write(client: u64, context: &VersionVector) -> Write<'_> {
    Write {
        server: Actor(0),
        client: Actor(1_000 + client),
        context,
        time: Timestamp { wall: client, logical: 0 },
    }
}

fn mus_04(_: &Effort) -> Result<Finding, String> {
    let siblings = |rule: Rule| {
        let mut versions = Versions::new(rule);
        let mut contexts = [VersionVector::new(), VersionVector::new()];
        [10, 90, 900].map(|writes| {
            for number in 0..writes {
                let client = number as usize % 2;
                let value = versions.context().get(Actor(0));
                versions.put(rule, &write(client as u64, &contexts[client]), value, None);
                contexts[client] = versions.context();
            }
            versions.values().len()
        })
    };
    let (together, dotted) = (siblings(Rule::ServerVectors), siblings(Rule::Dotted));
    Ok(Finding {
        holds: together == [10, 100, 1_000],
        control_fails: dotted == [2, 2, 2],
        measured: format!("siblings after 10, 100, 1000 writes: {together:?}; control: {dotted:?}"),
        predicted: "10, 100, 1000; control: 2".to_owned(),
        ..Finding::default()
    })
}

fn mus_05(effort: &Effort) -> Result<Finding, String> {
    let rounds = if effort.quick { 20 } else { 1_000 };
    let returns = |pruned_above: u8| {
        let rule = Rule::ClientVectors { pruned_above };
        let (mut new, mut old) = (Versions::new(rule), Versions::new(rule));
        for client in 0..12 {
            let context = new.context();
            new.put(rule, &write(client, &context), client, None);
            if client == 9 {
                old = new.clone();
            }
        }
        // The old copy is handed off, somebody merges, and again.
        let mut returned = 0;
        for round in 0..rounds {
            new.join(&old);
            returned += u64::from(new.values().contains(&9));
            let context = new.context();
            new.put(rule, &write(100 + round, &context), 100 + round, None);
        }
        returned
    };
    let (pruned, whole) = (returns(10), returns(0));
    Ok(Finding {
        holds: pruned == rounds,
        control_fails: whole == 0,
        measured: format!(
            "of {rounds} hand-offs, {pruned} bring the overwritten version back; control: {whole}"
        ),
        predicted: "all; control: none".to_owned(),
        ..Finding::default()
    })
}

fn mus_08(_: &Effort) -> Result<Finding, String> {
    let last = |mistake: Option<Mistake>| {
        let mut versions = Versions::new(Rule::LastWriter);
        let mut clock = HybridClock::new(0);
        let nothing = VersionVector::new();
        let mut acknowledged = 0;
        for (value, now) in [(1, 5_000_100), (2, 5_000_900)] {
            let write = Write { time: clock.event(now), ..write(0, &nothing) };
            acknowledged += u32::from(versions.put(Rule::LastWriter, &write, value, mistake));
        }
        (acknowledged, versions.values())
    };
    let (mistaken, shipped) = (last(Some(Mistake::DropsSameMicrosecond)), last(None));
    Ok(Finding {
        holds: mistaken == (2, vec![1]),
        control_fails: shipped == (2, vec![2]),
        measured: format!(
            "writes 1 and 2, 800 ns apart, {} acknowledged: {:?} is there; control: {:?}",
            mistaken.0, mistaken.1, shipped.1
        ),
        predicted: "the first; control: the second".to_owned(),
        ..Finding::default()
    })
}

/// Wrong orders, and trees that are larger than the shipped ones, of some random runs with a mistake.
fn itc_run(mistake: plain::Mistake, runs: u64) -> (u64, u64, u64) {
    let (mut pairs, mut wrong, mut larger) = (0, 0, 0);
    for seed in 0..runs {
        let mut draws = Stream::new(seed, &[0x006d_7573]);
        let mut all = vec![(Stamp::seed(), plain::Stamp::seed(), CausalHistory::new())];
        for step in 1..=60 {
            let at = draws.below(all.len() as u32) as usize;
            if all.len() < 4 && draws.below(2) == 0 {
                let (shipped, plain, history) = &mut all[at];
                let new = (shipped.fork(), plain.fork(), history.clone());
                all.push(new);
            } else if all.len() > 2 && draws.below(3) == 0 {
                let gone = all.swap_remove(at);
                let mine = &mut all[0];
                mine.0.join(gone.0).expect("processes own disjoint parts");
                mine.1 = mine.1.join(&gone.1, mistake).expect("here, too");
                mine.2.join(&gone.2);
            }
            let at = draws.below(all.len() as u32) as usize;
            all[at].0.event();
            all[at].1.event(mistake);
            all[at].2.event(Dot::new(Actor(0), step));
            for (shipped, plain, history) in &all {
                larger += u64::from(plain.events.to_string().len() > shipped.events().to_string().len());
                for (other_shipped, other, known) in &all {
                    let truth = history.compare(known);
                    let says = if mistake == plain::Mistake::None {
                        shipped.compare(other_shipped)
                    } else {
                        plain.compare(other)
                    };
                    pairs += 1;
                    wrong += u64::from(says != truth);
                }
            }
        }
    }
    (pairs, wrong, larger)
}

fn mus_30(effort: &Effort) -> Result<Finding, String> {
    let runs = if effort.quick { 20 } else { 500 };
    let (pairs, raw, _) = itc_run(plain::Mistake::NoNormalForm, runs);
    let (_, early, larger) = itc_run(plain::Mistake::FillTooEarly, runs);
    let (_, shipped, same) = itc_run(plain::Mistake::None, runs);
    Ok(Finding {
        holds: raw > 0 && larger > 0,
        control_fails: shipped == 0 && same == 0,
        measured: format!(
            "of {pairs} pairs, {raw} wrong without normal form; with the early fill {early} wrong and {larger} trees larger; control: \
             {shipped} wrong, {same} larger"
        ),
        predicted: "some wrong, some larger; control: none".to_owned(),
        ..Finding::default()
    })
}
