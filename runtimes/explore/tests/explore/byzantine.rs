//! Who lies does what the menu has, as often as it may.

use isles_explore::{Answer, Budget, Byzantine, Faults, Scenario, What};
use isles_kernel::ProcessId;

use crate::models::two_phase_commit::{self, Decision, Msg};
use crate::world::{Do, Puppet, Seen, explorer, fates, puppets};

/// What `process` may have been told in the end.
fn told(scenario: Scenario<Puppet>, process: u32) -> Vec<Vec<u8>> {
    let number = |seen: &Seen| match seen {
        Seen::Message(_, n) => Some(*n),
        Seen::Timer(_) | Seen::Broken(_) | Seen::Record(_) | Seen::Choice(_) => None,
    };
    let mut all: Vec<Vec<u8>> =
        fates(scenario, process).iter().map(|fate| fate.iter().filter_map(number).collect()).collect();
    all.sort();
    all.dedup();
    all
}

fn nothing() -> Byzantine<Puppet> {
    Byzantine {
        silent: false,
        replay: false,
        equivocate: false,
        ..Byzantine::new([ProcessId(0)], Budget::UpTo(1))
    }
}

fn lying(byzantine: Byzantine<Puppet>, kind: fn(u32, u8) -> Do) -> Scenario<Puppet> {
    let begin = vec![vec![kind(1, 1), kind(2, 2)], vec![kind(2, 7)], vec![]];
    Scenario { byzantine: Some(byzantine), ..puppets(begin) }
}

#[test]
fn each_dish_of_the_menu_does_what_it_says() {
    for kind in [Do::Cast as fn(u32, u8) -> Do, Do::Send] {
        let told = |byzantine| told(lying(byzantine, kind), 1);
        assert_eq!(told(nothing()), [[1]]);
        assert_eq!(told(Byzantine { silent: true, ..nothing() }), [vec![], vec![1]]);
        assert_eq!(told(Byzantine { replay: true, ..nothing() }), [vec![1], vec![1, 1]]);
        assert_eq!(told(Byzantine { equivocate: true, ..nothing() }), [[1], [2]]);
        let corrupt: fn(&u8) -> Vec<u8> = |n| vec![n + 10, n + 20];
        assert_eq!(told(Byzantine { corrupt: Some(corrupt), ..nothing() }), [[1], [11], [21]]);
        let twice = Byzantine { corrupt: Some(corrupt), acts: Budget::UpTo(2), ..nothing() };
        assert_eq!(told(twice), [[1], [11], [21], [31], [41]]);
        assert_eq!(told(Byzantine { silent: true, acts: Budget::NONE, ..nothing() }), [[1]]);
    }
}

#[test]
fn nobody_else_is_tampered_with() {
    let everything =
        Byzantine { corrupt: Some(|n| vec![n + 10]), ..Byzantine::new([ProcessId(0)], Budget::UpTo(1)) };
    let honest = told(lying(everything, Do::Cast), 2);
    assert!(honest.iter().all(|fate| fate.iter().filter(|n| **n == 7).count() == 1), "{honest:?}");
    assert!(honest.contains(&vec![12, 7]) && honest.contains(&vec![7]) && honest.contains(&vec![2, 7, 2]));
}

#[test]
fn a_stream_keeps_the_order_of_what_was_tampered_with() {
    let begin = vec![vec![Do::Send(1, 1), Do::Send(1, 2)], vec![]];
    let byzantine = Byzantine { corrupt: Some(|n: &u8| vec![n + 10]), silent: true, ..nothing() };
    let scenario = Scenario { byzantine: Some(byzantine), ..puppets(begin) };
    assert_eq!(told(scenario, 1), [vec![1], vec![1, 2], vec![1, 12], vec![2], vec![11, 2]]);
}

/// A transaction manager that tells one resource manager the opposite.
#[test]
fn a_liar_breaks_what_honest_processes_keep() {
    let flip: fn(&Msg) -> Vec<Msg> = |msg| match msg {
        Msg::Prepared => vec![],
        Msg::Decided(Decision::Commit) => vec![Msg::Decided(Decision::Abort)],
        Msg::Decided(Decision::Abort) => vec![Msg::Decided(Decision::Commit)],
    };
    let scenario = |acts| Scenario {
        byzantine: Some(Byzantine {
            corrupt: Some(flip),
            ..Byzantine::new([two_phase_commit::MANAGER], acts)
        }),
        faults: Faults::default(),
        ..two_phase_commit::scenario(3, None)
    };
    let honest = explorer(scenario(Budget::NONE)).breadth_first();
    assert!(honest.is_proof(), "{honest}");
    let report = explorer(scenario(Budget::UpTo(1))).breadth_first();
    let trace = report.answer("consistent").and_then(Answer::trace).expect("a lie");
    let lies = trace.steps.iter().filter(|step| matches!(step.what, What::Tamper { instead: Some(_), .. }));
    assert_eq!(lies.count(), 1, "{}", trace.to_text());
    assert!(trace.to_text().contains("p0 lies to"));
    // It is written, read and replayed like any other, and all threads find it.
    let (_, read) = isles_explore::Trace::from_lines(&trace.to_lines("consistent", 4)).expect("as written");
    let decided = explorer(scenario(Budget::UpTo(1))).replay(&read).expect("it is possible");
    assert_eq!(decided, ["consistent"]);
    assert_eq!(explorer(scenario(Budget::UpTo(1))).threads(3).breadth_first(), report);
}

#[test]
fn a_liar_who_does_not_exist_is_refused() {
    let byzantine = Byzantine::new([ProcessId(9)], Budget::UpTo(1));
    let refused = isles_explore::Explorer::new(lying(byzantine, Do::Cast)).err().expect("refused");
    assert!(refused.to_string().contains("p9 is to lie"), "{refused}");
}
