//! What happens at last, if everybody who can go on does.

use isles_explore::{Answer, Budget, Faults, Property, Scenario, View};
use isles_kernel::ProcessId;

use crate::world::{Do, Puppet, Seen, explore, puppets};

fn has(n: u8) -> impl Fn(&View<'_, Puppet>) -> bool + Send + Sync {
    move |view| {
        view.live()
            .any(|(_, puppet)| puppet.seen.iter().any(|seen| matches!(seen, Seen::Message(_, m) if *m == n)))
    }
}

#[test]
fn a_message_arrives_at_last_although_a_timer_could_fire_for_ever() {
    // Without fairness the timer could fire for ever: its step leads back to the same state.
    let scenario = || puppets(vec![vec![Do::Cast(1, 7), Do::Rearm(1)], vec![]]);
    assert!(explore(scenario().ask(Property::eventually("arrives", has(7)))).is_proof());
    let report = explore(scenario().ask(Property::eventually("another arrives", has(8))));
    let trace = report.answer("another arrives").and_then(Answer::trace).expect("it never does");
    // It arrives, and the timer fires for ever.
    assert!(trace.loop_start < trace.steps.len(), "{}", trace.to_text());
    assert!(report.to_string().contains("VIOLATED, by a loop after"), "{report}");
}

#[test]
fn a_loss_keeps_a_message_from_arriving() {
    let faults = Faults { losses: Budget::UpTo(1), ..Faults::default() };
    let scenario = Scenario { faults, ..puppets(vec![vec![Do::Cast(1, 7)], vec![]]) };
    let report = explore(scenario.ask(Property::eventually("arrives", has(7))));
    let trace = report.answer("arrives").and_then(Answer::trace).expect("it may be lost");
    assert_eq!((trace.steps.len(), trace.loop_start), (1, 1), "it ends there");
}

#[test]
fn a_fault_need_not_happen() {
    let faults = || Faults { crashes: Budget::UpTo(1), restarts: Budget::UpTo(1), ..Faults::default() };
    let scenario = || Scenario { faults: faults(), ..puppets(vec![vec![], vec![]]) };
    let crashed = |view: &View<'_, Puppet>| view.process(ProcessId(0)).is_none();
    assert!(explore(scenario().ask(Property::eventually("crashes", crashed))).failure().is_some());
    // Nor does anybody have to restart it.
    let back = Property::leads_to("comes back", crashed, |view| view.process(ProcessId(0)).is_some());
    assert!(explore(scenario().ask(back)).failure().is_some());
}

#[test]
fn one_thing_leads_to_another_or_not() {
    let scenario = || puppets(vec![vec![Do::Cast(1, 1), Do::Cast(1, 2)], vec![]]);
    assert!(explore(scenario().ask(Property::leads_to("2 after 1", has(1), has(2)))).is_proof());
    // A timer that takes itself up again is always ready, and being ready is not enough.
    let armed = |view: &View<'_, Puppet>| !view.timers(ProcessId(0)).is_empty();
    let stops = Property::leads_to("stops", armed, move |view| !armed(view));
    assert!(explore(puppets(vec![vec![Do::Rearm(1)]]).ask(stops)).failure().is_some());
    let stops = Property::leads_to("stops", armed, move |view| !armed(view));
    assert!(explore(puppets(vec![vec![Do::Arm(1)]]).ask(stops)).is_proof());
}
