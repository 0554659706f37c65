//! Plumtree, HyParView, and one on the other.

use isles_explorations::scenarios::{gossip_node, hyparview, lazy_push, plumtree};
use isles_explore::{Explorer, Report, Scenario};
use isles_gossip::plumtree::Mistake;
use isles_graph::ring;
use isles_kernel::{Channel, Protocol};

use crate::explore;

fn bounded<P: Protocol + Sync>(scenario: Scenario<P>, states: u64) -> Report<P> {
    Explorer::new(scenario).expect("a possible scenario").states(states).breadth_first()
}

#[test]
fn no_broadcast_is_lost_in_any_order() {
    let ring_of_four = plumtree::Parameters::default;
    let many = [
        plumtree::Parameters { crashes: 1, ..ring_of_four() },
        plumtree::Parameters { losses: 1, channel: Channel::Datagram, ..ring_of_four() },
        plumtree::Parameters { origins: vec![0, 2], ..ring_of_four() },
        plumtree::Parameters { origins: vec![0, 0], crashes: 1, ..ring_of_four() },
        plumtree::Parameters { graph: ring(3), origins: vec![0, 1], ..ring_of_four() },
    ];
    for parameters in many {
        let report = explore(plumtree::scenario(parameters.clone()));
        assert!(report.is_proof(), "{parameters:?}: {report}");
    }
}

/// MUS-33, and that the shipped protocol survives all behaviours of the same kind.
#[test]
fn mistakes_of_plumtree_are_found() {
    use Mistake::{AskOnce, ForgetWithOwner, GraftOnlyWhenLazy, PruneRevokes};
    for (mistake, steps) in [(ForgetWithOwner, 11), (PruneRevokes, 10), (GraftOnlyWhenLazy, 18), (AskOnce, 3)]
    {
        let shown = plumtree::Parameters::showing(mistake);
        let report = explore(plumtree::scenario(shown.clone()));
        let trace = report.failure().and_then(|failure| failure.answer.trace());
        assert_eq!(trace.map(|trace| trace.steps.len()), Some(steps), "{mistake:?}: {report}");
        if mistake != ForgetWithOwner {
            let shipped = explore(plumtree::scenario(plumtree::Parameters { mistake: None, ..shown }));
            assert!(shipped.is_proof(), "{mistake:?}: {shipped}");
        }
    }
}

#[test]
fn an_overlay_of_four_stays_symmetric_and_connected() {
    use hyparview::{Begin, Parameters, scenario};
    let joining = bounded(scenario(Parameters::default()), u64::MAX);
    assert!(joining.failure().is_none() && joining.states == 16_078, "{joining}");
    for (timeouts, crashes) in [(2, 0), (0, 1), (1, 1)] {
        let joined = Parameters { begin: Begin::Joined, timeouts, crashes, ..Parameters::default() };
        let report = bounded(scenario(joined), u64::MAX);
        assert!(report.failure().is_none() && report.stopped.is_none(), "{report}");
    }
}

#[test]
fn broadcasts_over_an_overlay_of_four_arrive() {
    use gossip_node::{Parameters, scenario};
    for (timeouts, crashes) in [(2, 0), (0, 1)] {
        let report = bounded(scenario(Parameters { timeouts, crashes, ..Parameters::default() }), u64::MAX);
        assert!(report.failure().is_none() && report.stopped.is_none(), "{report}");
    }
}

#[test]
fn whoever_was_announced_a_message_gets_it() {
    let lossy =
        lazy_push::Parameters { channel: Channel::Datagram, losses: 1, crashes: 0, ..Default::default() };
    for parameters in [lazy_push::Parameters::default(), lossy] {
        let report = explore(lazy_push::scenario(parameters));
        assert!(report.is_proof(), "{report}");
    }
}
