//! Chapter CAUS: what happened before what, and the museum's bugs of that kind.

mod museum;
mod stores;

use isles_causality::history::CausalHistory;
use isles_causality::itc::Stamp;
use isles_causality::loads::{Load, bytes_after};
use isles_causality::trial::{Step, Trial, exhaust, wander};
use isles_causality::vector_clock::Process;
use isles_causality::{Actor, Order, VersionVector};
use isles_kernel::random::Stream;

use super::{Claim, Effort, Finding};

pub(super) use museum::CAUS_MUSEUM;

/// The claims of the chapter.
pub(super) static CAUS: &[Claim] = &[
    Claim {
        id: "CAUS-01",
        statement: "Happened-before is less than a timeline: what is before is earlier, and of what is earlier much is not before; it \
                    says what could have had influence, not what had.",
        control: "the order of real time, taken for happened-before, orders events that know nothing of each other",
        source: "Lamport, CACM 21(7), 1978; Baquero and Preguiça, CACM 59(4), 2016",
        run: caus_01,
    },
    Claim {
        id: "CAUS-02",
        statement: "Inclusion of causal histories decides the order of events, mutual ignorance is concurrency, and it is enough to look \
                    for the newest event of one in the history of the other.",
        control: "to look for the oldest event instead makes concurrent events ordered",
        source: "Schwarz and Mattern, Distributed Computing 7(3), 1994; Baquero and Preguiça 2016",
        run: caus_02,
    },
    Claim {
        id: "CAUS-03",
        statement: "Vectors are histories compressed: union is the greater of each, then the new event is counted; the order is that of the \
                    sets on every run, as it is of contexts with gaps, of interval tree clocks and of vector clocks.",
        control: "one number instead of a vector, by the same two rules (Lamport's clock), orders concurrent events",
        source: "Mattern 1989; Fidge 1988; Parker et al. 1983; Almeida, Baquero and Fonte 2008",
        run: caus_03,
    },
    Claim {
        id: "CAUS-04",
        statement: "With the newest event apart as a dot, one look-up on each side decides, and says what comparing whole vectors says.",
        control: "the pasts alone, without their dots, take concurrent events for equal",
        source: "Baquero and Preguiça 2016",
        run: caus_04,
    },
    Claim {
        id: "CAUS-05",
        statement: "Where only updates are registered, replicas that have exchanged everything are equal and stay so; versions that were \
                    collected are merged by whoever updates next.",
        control: "when a merge counts as an event too, replicas without any update exchange for ever and are never equal",
        source: "Parker et al. 1983; Baquero and Preguiça 2016",
        run: caus_05,
    },
    Claim {
        id: "CAUS-06",
        statement: "Version vectors order states and vector clocks order events: after an exchange the first say that replicas are equal, and \
                    the second that the sending was before the reception.",
        control: "each asked the other's question answers wrongly",
        source: "Baquero and Preguiça 2016; Almeida, Baquero and Fonte 2008, section 2",
        run: caus_06,
    },
    Claim {
        id: "CAUS-07",
        statement: "On one and the same run of gets and puts, conditional writes refuse what is concurrent, last-writer-wins acknowledges \
                    and loses it, and multi-value keeps exactly the versions that nobody has read and overwritten.",
        control: "with one client at a time nothing is refused, lost or kept beside",
        source: "Baquero and Preguiça 2016; DeCandia et al., SOSP 2007",
        run: stores::caus_07,
    },
    Claim {
        id: "CAUS-08",
        statement: "With dotted version vectors a server counts for many clients: two writes of one context through one server stay \
                    concurrent, and the clock has a counter for each server, however many clients there are.",
        control: "a plain vector for each version with a counter for each server loses one of the two; with one for each client it \
                  grows with clients",
        source: "Preguiça et al., PODC 2012; Almeida et al., DAIS 2014",
        run: stores::caus_08,
    },
    Claim {
        id: "CAUS-09",
        statement: "Interval tree clocks fork and join anywhere: identities stay disjoint and nothing is lost as replicas come and go, nothing \
                    is left of those that retired, and stamps are as small as the paper's.",
        control: "a copy that is not a fork owns what another owns, and two different events look like one",
        source: "Almeida, Baquero and Fonte, OPODIS 2008; sizes measured with the authors' programs",
        run: caus_09,
    },
];

/// A random trial of so many steps, with at most six replicas.
fn trial(seed: u64, steps: usize) -> Trial {
    let mut draws = Stream::new(seed, &[0x6361_7573]);
    let mut trial = Trial::new();
    for _ in 0..steps {
        let count = trial.replicas() as u32;
        let (at, other) = (draws.below(count) as usize, draws.below(count) as usize);
        let step = match draws.below(6) {
            0 if count < 6 => Step::Fork(at),
            1 if at != other && count > 3 => Step::Retire(at, other),
            2 | 3 if at != other => Step::Learn(at, other),
            _ => Step::Event(at),
        };
        trial.step(step);
    }
    trial
}

/// All pairs of different events of some random trials, in the order of time.
fn pairs(effort: &Effort, mut visit: impl FnMut(&Trial, usize, usize)) {
    for seed in 0..if effort.quick { 10 } else { 100 } {
        let trial = trial(seed, 150);
        for later in 0..trial.events() {
            (0..later).for_each(|earlier| visit(&trial, earlier, later));
        }
    }
}

/// What is true of two events.
fn truth(trial: &Trial, a: usize, b: usize) -> Order {
    trial.history(a).compare(trial.history(b))
}

fn caus_01(effort: &Effort) -> Result<Finding, String> {
    let (mut before, mut concurrent, mut backwards) = (0_u64, 0_u64, 0_u64);
    pairs(effort, |trial, earlier, later| match truth(trial, earlier, later) {
        Order::Before => before += 1,
        Order::Concurrent => concurrent += 1,
        Order::After | Order::Equal => backwards += 1,
    });
    Ok(Finding {
        holds: backwards == 0 && before > 0 && concurrent > 0,
        control_fails: concurrent > 0,
        measured: format!(
            "of {} pairs of events in the order of time, {before} are before, {concurrent} concurrent, {backwards} the other way round; \
             control: the timeline orders all {concurrent} concurrent ones",
            before + concurrent + backwards
        ),
        predicted: "none the other way round; the timeline says more than happened-before".to_owned(),
        ..Finding::default()
    })
}

fn caus_02(effort: &Effort) -> Result<Finding, String> {
    let (mut all, mut wrong, mut control) = (0_u64, 0_u64, 0_u64);
    let by = |trial: &Trial, a: usize, b: usize, pick: fn(&CausalHistory) -> isles_causality::Dot| {
        let knows = |x: usize, y: usize| trial.history(y).contains(pick(trial.history(x)));
        Order::from_inclusions(knows(a, b), knows(b, a))
    };
    pairs(effort, |trial, a, b| {
        let order = truth(trial, a, b);
        let newest = |x: usize, y: usize| trial.history(y).contains(trial.dot(x));
        all += 1;
        wrong += u64::from(Order::from_inclusions(newest(a, b), newest(b, a)) != order);
        control += u64::from(by(trial, a, b, |history| history.events()[0]) != order);
    });
    Ok(Finding {
        holds: wrong == 0 && all > 1_000,
        control_fails: control > all / 10,
        measured: format!(
            "{all} pairs: the newest event decides wrongly {wrong} times; control: the oldest {control} times"
        ),
        predicted: "never; control: whenever both know the oldest".to_owned(),
        ..Finding::default()
    })
}

fn caus_03(effort: &Effort) -> Result<Finding, String> {
    let length = if effort.quick { 5 } else { 7 };
    let runs = exhaust(4, length).map_err(|(steps, wrong)| format!("{wrong:?} after {steps:?}"));
    let steps = if effort.quick { 10_000 } else { 1_000_000 };
    let mut draws = Stream::new(1, &[0x6361_7573]);
    let walked = wander(steps, 100, 6, |bound| draws.below(bound as u32) as usize);
    let (mut all, mut wrong) = (0_u64, 0_u64);
    pairs(effort, |trial, a, b| {
        // Greater of all, then one more, is how far the longest chain of events is that ends here.
        let number = |event: usize| trial.history(event).events().len();
        all += 1;
        wrong += u64::from(Order::from(number(a).cmp(&number(b))) != truth(trial, a, b));
    });
    let (exhausted, sound) = (runs.clone().unwrap_or(0), runs.is_ok() && walked.is_ok());
    Ok(Finding {
        holds: sound,
        control_fails: wrong > all / 10,
        measured: format!(
            "all {exhausted} runs of {length} steps with at most 4 replicas, and {steps} random steps: {}; control: one number is wrong \
             about {wrong} of {all} pairs",
            if sound { "every order is that of the sets".to_owned() } else { format!("{runs:?} {walked:?}") }
        ),
        predicted: "every order is that of the sets; control: a number never says concurrent".to_owned(),
        ..Finding::default()
    })
}

fn caus_04(effort: &Effort) -> Result<Finding, String> {
    let (mut all, mut wrong, mut control, mut entries) = (0_u64, 0_u64, 0_u64, 0_usize);
    pairs(effort, |trial, a, b| {
        let (x, y) = (trial.clock(a), trial.clock(b));
        let order = truth(trial, a, b);
        all += 1;
        entries += x.known().len() + y.known().len();
        wrong += u64::from(x.compare(y) != order || x.known().compare(y.known()) != order);
        let past = |clock: &isles_causality::VectorClock| -> VersionVector {
            let own = |dot: &isles_causality::Dot| dot.actor == clock.dot().actor;
            let before = |mut dot: isles_causality::Dot| {
                dot.counter -= u64::from(own(&dot));
                dot
            };
            clock.known().iter().map(before).filter(|dot| dot.counter > 0).collect()
        };
        control += u64::from(past(x).compare(&past(y)) != order);
    });
    Ok(Finding {
        holds: wrong == 0,
        control_fails: control > 0,
        measured: format!(
            "{all} pairs: dots and whole vectors are wrong {wrong} times; 2 look-ups instead of {:.1} counters; control: pasts alone are \
             wrong {control} times",
            entries as f64 / all as f64
        ),
        predicted: "never; control: events that know the same look equal".to_owned(),
        ..Finding::default()
    })
}

fn caus_05(effort: &Effort) -> Result<Finding, String> {
    let rounds = if effort.quick { 100 } else { 10_000 };
    let (mut a, mut b) = (VersionVector::new(), VersionVector::new());
    a.event(Actor(0));
    b.event(Actor(1));
    let concurrent = a.compare(&b) == Order::Concurrent;
    let mut equal = 0;
    for _ in 0..rounds {
        a.join(&b);
        b.join(&a);
        equal += u32::from(a.compare(&b) == Order::Equal);
    }
    // Whoever updates next is after both versions.
    let collected = a.clone();
    a.event(Actor(0));
    let merged = a.compare(&collected) == Order::After && a.iter().map(|dot| dot.counter).sum::<u64>() == 3;
    let (mut x, mut y, mut never) = (Process::new(Actor(0)), Process::new(Actor(1)), 0);
    for _ in 0..rounds {
        let (sent, other) = (x.event(), y.event());
        let _ = (x.receive(&other), y.receive(&sent));
        never += u32::from(x.known().compare(y.known()) != Order::Equal);
    }
    let counted: u64 = x.known().iter().map(|dot| dot.counter).sum();
    Ok(Finding {
        holds: concurrent && equal == rounds && merged,
        control_fails: never == rounds,
        measured: format!(
            "two updates, {rounds} exchanges: equal after each of {equal}, 3 events in all once both are merged; control: {counted} events, \
             different after each of {never}"
        ),
        predicted: "equal after every exchange; control: after none".to_owned(),
        ..Finding::default()
    })
}

fn caus_06(_: &Effort) -> Result<Finding, String> {
    // The same exchange, by both: a tells b, and there is no update.
    let (mut a, mut b) = (VersionVector::new(), VersionVector::new());
    let updated = a.event(Actor(0));
    let at_sending = a.clone();
    b.join(&a);
    let states = (a.compare(&b), at_sending.compare(&b));
    let (mut p, mut q) = (Process::new(Actor(0)), Process::new(Actor(1)));
    let update = p.event();
    let sent = p.event();
    let received = q.receive(&sent);
    let events = (sent.compare(&received), p.known().compare(q.known()));
    let agree = update.dot() == updated && update.compare(&received) == Order::Before;
    Ok(Finding {
        holds: states.0 == Order::Equal && events.0 == Order::Before && agree,
        control_fails: states.1 != Order::Before && events.1 != Order::Equal,
        measured: format!(
            "states by version vectors: {:?}; sending and reception by vector clocks: {:?}; control: {:?} by version vectors for the \
             sending and the reception, {:?} by vector clocks for the states",
            states.0, events.0, states.1, events.1
        ),
        predicted: "Equal and Before; control: Equal and Before".to_owned(),
        ..Finding::default()
    })
}

/// Mean bytes of a stamp in the authors' programs: so many processes that stay, and replicas that come and go.
const SIZES: [(usize, f64, f64); 6] = [
    (4, 9.1, 13.3),
    (8, 14.1, 31.0),
    (16, 24.4, 92.0),
    (32, 46.0, 282.0),
    (64, 86.0, 869.0),
    (128, 162.0, 1_846.0),
];

fn caus_09(effort: &Effort) -> Result<Finding, String> {
    let mut sound = true;
    let mut left = 0;
    for seed in 0..if effort.quick { 20 } else { 500 } {
        let mut trial = trial(seed, 200);
        sound &= trial.identities_are_sound();
        while trial.replicas() > 1 {
            trial.step(Step::Retire(0, 1));
        }
        trial.step(Step::Event(0));
        left = left.max(trial.stamp(0).id().intervals() + trial.stamp(0).events().intervals() - 2);
    }
    let (mut copied, mut forked) = (Stamp::seed(), Stamp::seed());
    let (mut copy, mut fork) = (copied.clone(), forked.fork());
    for stamp in [&mut copied, &mut copy, &mut forked, &mut fork] {
        stamp.event();
    }
    let control_fails = copied.compare(&copy) == Order::Equal && copied.join(copy).is_err();
    let different = forked.compare(&fork) == Order::Concurrent;
    let (sizes, seeds) = if effort.quick { (&SIZES[..3], 6) } else { (&SIZES[..], 10) };
    let mean = |load, count, rounds| {
        let one = |seed| {
            let mut draws = Stream::new(seed, &[0x0069_7463]);
            bytes_after(load, count, rounds, &mut |bound| draws.below(bound as u32) as usize)
        };
        (0..seeds).map(one).sum::<f64>() / seeds as f64
    };
    let (mut worst, mut told) = (0.0_f64, Vec::new());
    for &(count, fixed, data) in sizes {
        for (load, rounds, predicted) in
            [(Load::StaticProcess, 25_000, fixed), (Load::DynamicData, 10_000, data)]
        {
            let measured = mean(load, count, rounds);
            worst = worst.max((measured / predicted - 1.0).abs());
            told.push(format!("{measured:.1}"));
        }
    }
    Ok(Finding {
        holds: sound && left == 0 && different && worst < if effort.quick { 0.25 } else { 0.15 },
        control_fails,
        measured: format!(
            "identities disjoint and whole: {sound}; {left} intervals left when all have retired; bytes, for {} processes that stay and replicas that come and go: \
             {}, at most {:.0} % from the authors'; control: copies overlap, and their events look equal: {control_fails}",
            sizes.iter().map(|row| row.0.to_string()).collect::<Vec<_>>().join(", "),
            told.join(", "),
            100.0 * worst
        ),
        predicted: format!(
            "disjoint, none left, and {}",
            sizes.iter().map(|row| format!("{}, {}", row.1, row.2)).collect::<Vec<_>>().join("; ")
        ),
        ..Finding::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_of_the_chapter_is_shown() {
        let effort = Effort { quick: true, threads: 1 };
        for claim in CAUS.iter().chain(CAUS_MUSEUM) {
            let finding = (claim.run)(&effort).expect(claim.id);
            assert!(finding.holds && finding.control_fails, "{}: {}", claim.id, finding.measured);
        }
    }
}
