//! Reclaiming identities, explored: parts stay disjoint and order stays true, whatever is cut off, late or lost.

use isles_causality::reclaim::{Config, Members, Mistake, Op, Process};
use isles_explore::{Explorer, Property, Report, Scenario, View};
use isles_kernel::ProcessId;

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);

/// All processes in one epoch that it knows to have as a member.
fn pairs<'a>(view: &'a View<'_, Process>) -> impl Iterator<Item = (&'a Process, &'a Process)> {
    let all =
        move || (0..view.processes()).filter_map(|at| Some((ProcessId(at), view.process(ProcessId(at))?)));
    all().flat_map(move |(a, x)| {
        all()
            .filter(move |(b, y)| {
                a < *b && x.view() == y.view() && x.view().1.contains(a) && x.view().1.contains(*b)
            })
            .map(move |(_, y)| (x, y))
    })
}

fn explored(config: Config, clients: Vec<Vec<(ProcessId, Op)>>) -> Report<Process> {
    let mut scenario = Scenario::<Process>::new(3, config)
        .ask(Property::always("parts are disjoint", |view: &View<'_, Process>| {
            pairs(view).all(|(a, b)| match (a.stamp(), b.stamp()) {
                (Some(a), Some(b)) => a.id().is_disjoint(b.id()),
                _ => true,
            })
        }))
        .ask(Property::always("order is that of events", |view: &View<'_, Process>| {
            pairs(view).all(|(a, b)| match (a.stamp(), b.stamp()) {
                (Some(x), Some(y)) => x.compare(y) == a.writes().compare(b.writes()),
                _ => true,
            })
        }))
        .ask(Property::reachable("a part is taken back", |view: &View<'_, Process>| {
            let owned: Vec<_> =
                [P0, P1].into_iter().filter_map(|at| view.process(at)?.stamp().cloned()).collect();
            let mut whole = owned[0].id().clone();
            whole.join(owned[1].id()).is_ok() && whole.is_whole()
        }));
    for ops in clients {
        scenario = scenario.client(ops);
    }
    Explorer::new(scenario).expect("a possible scenario").states(600_000).breadth_first()
}

const fn config(mistake: Option<Mistake>) -> Config {
    Config { members: 3, mistake }
}

/// Process 2 is thought to be gone, and is not: it writes and tells while the others take its part and write on it.
fn thrown_out() -> Vec<Vec<(ProcessId, Op)>> {
    vec![
        vec![(P0, Op::Change(Members(0b011))), (P0, Op::Write), (P0, Op::Write), (P0, Op::Tell(P1))],
        vec![(P2, Op::Write), (P2, Op::Tell(P1)), (P2, Op::Write), (P2, Op::Tell(P1))],
        vec![(P1, Op::Write)],
    ]
}

#[test]
fn what_a_process_owned_that_is_thrown_out_is_taken_safely() {
    let report = explored(config(None), thrown_out());
    assert!(report.is_proof(), "{report}");
    // Parts on their way, and two who want different views at the same time.
    let report = explored(
        config(None),
        vec![
            vec![(P0, Op::Change(Members(0b011))), (P0, Op::Write)],
            vec![(P1, Op::Give(P0)), (P1, Op::Change(Members(0b110))), (P1, Op::Write)],
            vec![(P2, Op::Give(P1)), (P2, Op::Write), (P2, Op::Tell(P0))],
        ],
    );
    assert!(report.is_proof(), "{report}");
}

#[test]
fn a_process_that_was_thrown_out_comes_back_with_a_new_part() {
    let report = explored(
        config(None),
        vec![
            vec![(P0, Op::Change(Members(0b011))), (P0, Op::Write), (P0, Op::Change(Members(0b111)))],
            vec![(P2, Op::Write), (P2, Op::Tell(P1)), (P2, Op::Write)],
            vec![(P1, Op::Write), (P1, Op::Tell(P2))],
        ],
    );
    assert!(report.is_proof(), "{report}");
}

#[test]
fn without_the_fence_or_without_all_answers_it_goes_wrong() {
    for mistake in [Mistake::NoFence, Mistake::TakesEarly] {
        let clients = match mistake {
            Mistake::NoFence => thrown_out(),
            // All three stay, and the third has not answered.
            Mistake::TakesEarly => vec![
                vec![(P0, Op::Change(Members(0b111))), (P0, Op::Write), (P0, Op::Tell(P2))],
                vec![(P2, Op::Write)],
            ],
        };
        let report = explored(config(Some(mistake)), clients);
        let failure = report.failure().unwrap_or_else(|| panic!("{mistake:?} does not show: {report}"));
        assert!(failure.answer.trace().is_some());
        assert_ne!(failure.property, "a part is taken back", "{mistake:?}");
    }
}
