//! The protocols: explored with few replicas, simulated with more.

use std::sync::Arc;

use isles_crdt::anti_entropy::{self, AntiEntropy, Form};
use isles_crdt::causal_broadcast::{self, CausalBroadcast, converged};
use isles_crdt::replica::Op;
use isles_crdt::{AddWinsSet, Causal, GrowOnlySet, LwwRegister, PnCounter, Replicated, register, set};
use isles_explore::{Budget, Explorer, Faults, Property, Scenario, Timers};
use isles_kernel::random::Stream;
use isles_kernel::{ProcessId, Protocol, Span, Time};
use isles_sim::{Distribution, Fault, Links, Memory, Setup, Simulation, Who};

type Set = Causal<AddWinsSet<u64>>;

fn insert(element: u64) -> Op<set::Op<u64>> {
    Op::Do(set::Op::Insert(element))
}

fn remove(element: u64) -> Op<set::Op<u64>> {
    Op::Do(set::Op::Remove(element))
}

/// Strong convergence and what is asked besides, with datagrams that may be doubled and lost.
fn broadcast<R: Replicated>(config: causal_broadcast::Config) -> Scenario<CausalBroadcast<R>>
where
    R::Op: isles_kernel::Data,
{
    let faults = Faults { duplicates: Budget::UpTo(1), losses: Budget::UpTo(1), ..Faults::default() };
    let timers = Timers::WhenQuiet;
    Scenario { faults, timers, timeouts: Budget::UpTo(2), ..Scenario::new(config.replicas, config) }.ask(
        Property::<CausalBroadcast<R>>::always("strong convergence", |view| converged(view.live()).is_ok()),
    )
}

#[test]
fn effects_are_performed_once_and_all_replicas_that_performed_the_same_are_equal() {
    let explored = |mistake| {
        let config = causal_broadcast::Config { mistake, ..causal_broadcast::Config::new(2) };
        let scenario = broadcast::<PnCounter>(config)
            .client(vec![(ProcessId(0), Op::Do(3)), (ProcessId(0), Op::Do(-1))])
            .client(vec![(ProcessId(1), Op::Do(5))])
            .ask(Property::<CausalBroadcast<PnCounter>>::reachable("all is performed", |view| {
                view.live().all(|(_, replica)| replica.state().value() == 7 && replica.is_acknowledged())
            }));
        Explorer::new(scenario).expect("a scenario").breadth_first()
    };
    let shipped = explored(None);
    assert!(shipped.is_proof(), "{shipped}");
    assert!(shipped.states > 1_000, "{}", shipped.states);
    let control = explored(Some(causal_broadcast::Mistake::Duplicates));
    assert!(control.failure().is_some(), "{control}");
}

#[test]
fn causes_come_first() {
    // p1 answers what p0 said; p2 must not hear the answer first.
    let explored = |mistake| {
        let config = causal_broadcast::Config { mistake, ..causal_broadcast::Config::new(3) };
        let scenario = Scenario { timeouts: Budget::NONE, ..Scenario::new(3, config) }
            .client(vec![(ProcessId(0), insert(1))])
            .client(vec![(ProcessId(1), remove(1)), (ProcessId(1), insert(2))])
            .ask(Property::<CausalBroadcast<Set>>::never("a consequence without its cause", |view| {
                view.live().any(|(_, replica)| {
                    let knows =
                        |process: u64| replica.delivered().get(isles_causality::Actor(process + 1)) > 0;
                    replica.state().contains(&2)
                        && !knows(0)
                        && view.process(ProcessId(1)).is_some_and(|origin| {
                            // The origin had removed it, so that it had seen it.
                            origin.delivered().get(isles_causality::Actor(2)) == 2
                        })
                })
            }));
        Explorer::new(scenario).expect("a scenario").breadth_first()
    };
    let shipped = explored(None);
    assert!(shipped.is_proof(), "{shipped}");
    let control = explored(Some(causal_broadcast::Mistake::Unordered));
    assert!(control.failure().is_some(), "{control}");
}

/// Whether replicas whose neighbours are known to have everything are equal.
fn acknowledged_are_equal(view: &isles_explore::View<'_, AntiEntropy<Set>>) -> bool {
    let mut all = view.live();
    let done = view.live().all(|(_, replica)| replica.is_acknowledged());
    let first = all.next();
    !done || all.all(|(_, replica)| first.is_some_and(|(_, first)| first.state() == replica.state()))
}

#[test]
fn what_is_acknowledged_is_there_also_after_a_crash() {
    let config = anti_entropy::Config::everyone(2);
    let faults = Faults {
        duplicates: Budget::UpTo(1),
        losses: Budget::UpTo(1),
        crashes: Budget::UpTo(1),
        restarts: Budget::UpTo(1),
        ..Faults::default()
    };
    let scenario = Scenario { faults, timeouts: Budget::UpTo(3), ..Scenario::new(2, config) }
        .client(vec![(ProcessId(0), insert(1)), (ProcessId(0), remove(1))])
        .client(vec![(ProcessId(1), insert(1))])
        .ask(Property::<AntiEntropy<Set>>::always("what is acknowledged is there", acknowledged_are_equal))
        .ask(Property::<AntiEntropy<Set>>::reachable("all have everything", |view| {
            view.processes() == 2
                && view.live().all(|(_, replica)| replica.is_acknowledged() && replica.end() > 1)
        }));
    let report = Explorer::new(scenario).expect("a scenario").states(120_000).breadth_first();
    assert!(report.failure().is_none(), "{report}");
    assert!(report.states > 10_000, "{}", report.states);
}

fn at(millis: u64) -> Time {
    Time::ZERO + Span::millis(millis)
}

fn bad_links() -> Links {
    Links {
        loss: 0.2,
        duplication: 0.1,
        ..Links::law(Distribution::Uniform { min: Span::millis(1), max: Span::millis(60) })
    }
}

/// Five replicas for four seconds on bad links, of which two are parted from the others for a while and one crashes; then time to
/// become equal.
fn simulated<P: Protocol>(
    config: P::Config,
    seed: u64,
    mut ask: impl FnMut(&mut Stream, u64) -> P::Op,
) -> Simulation<P> {
    let setup = Setup { links: bad_links(), ..Setup::new(5, seed, Arc::new(config)) };
    let mut sim = Simulation::<P>::new(setup).expect("a set-up");
    let mut draws = Stream::new(seed, &[9]);
    for number in 0..100u64 {
        sim.invoke_at(at(number * 40), ProcessId(draws.below(5)), ask(&mut draws, number));
    }
    let parted = Who::Ids(vec![ProcessId(0), ProcessId(1)]);
    sim.inject(at(1_000), Fault::Partition(vec![parted]));
    sim.inject(at(2_500), Fault::Heal);
    let victim = Who::Ids(vec![ProcessId(3)]);
    sim.inject(at(1_500), Fault::Crash(victim.clone()));
    sim.inject(at(2_000), Fault::Restart { who: victim, memory: Memory::Disk });
    sim.run_until(at(30_000), &mut ());
    sim
}

fn ask_set(draws: &mut Stream, _: u64) -> Op<set::Op<u64>> {
    let element = u64::from(draws.below(8));
    if draws.below(3) > 0 { insert(element) } else { remove(element) }
}

#[test]
fn all_replicas_become_equal_on_bad_links() {
    for seed in 0..6 {
        let sim = simulated::<CausalBroadcast<Set>>(causal_broadcast::Config::new(5), seed, ask_set);
        let states: Vec<&Set> = sim.live().map(|(_, replica)| replica.state()).collect();
        assert!(states.windows(2).all(|pair| pair[0] == pair[1]), "broadcast, seed {seed}");
        assert!(sim.live().all(|(_, replica)| replica.is_acknowledged()));
        for form in [Form::Deltas, Form::States] {
            let config =
                anti_entropy::Config { period: Span::millis(200), form, ..anti_entropy::Config::everyone(5) };
            let sim = simulated::<AntiEntropy<Set>>(config, seed, ask_set);
            let states: Vec<&Set> = sim.live().map(|(_, replica)| replica.state()).collect();
            assert!(states.windows(2).all(|pair| pair[0] == pair[1]), "{form:?}, seed {seed}");
            assert!(sim.live().all(|(_, replica)| replica.is_acknowledged() && replica.deltas_count() == 0));
        }
    }
}

#[test]
fn before_they_have_talked_replicas_differ() {
    let config = anti_entropy::Config { period: Span::secs(3_600), ..anti_entropy::Config::everyone(5) };
    let sim = simulated::<AntiEntropy<Set>>(config, 0, ask_set);
    let states: Vec<&Set> = sim.live().map(|(_, replica)| replica.state()).collect();
    assert!(states.windows(2).any(|pair| pair[0] != pair[1]));
}

#[test]
fn runs_are_decided_by_their_seeds() {
    let digest = |seed| {
        let config = anti_entropy::Config { period: Span::millis(200), ..anti_entropy::Config::everyone(5) };
        simulated::<AntiEntropy<Set>>(config, seed, ask_set).digest()
    };
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
    let ask = |draws: &mut Stream, number| {
        Op::Do(register::Set { now: u64::from(draws.below(1_000)), value: number })
    };
    let broadcast = |seed| {
        simulated::<CausalBroadcast<LwwRegister<u64>>>(causal_broadcast::Config::new(5), seed, ask).digest()
    };
    assert_eq!(
        [digest(1), broadcast(1)].map(|digest| format!("{digest:032x}")),
        ["3af3bd20ca766e469afbc9e715af8cbd", "e0fc8d0de1c3167eb6ae56c77c231e0d"],
    );
}

/// Enes 2019, figures 1 and 7: in a network with cycles deltas by themselves go round and round, and cost as much as whole states.
#[test]
fn deltas_without_care_are_as_dear_as_states() {
    const NODES: u32 = 12;
    const ROUNDS: u64 = 40;
    // Each knows its next two on both sides.
    let neighbours = |node: u32| {
        let mut ids: Vec<u32> = [1, 2, NODES - 1, NODES - 2].map(|step| (node + step) % NODES).to_vec();
        ids.sort_unstable();
        ids.into_iter().map(ProcessId).collect::<Vec<_>>()
    };
    let bytes = |form, avoids_back_propagation, removes_redundancy| {
        let config = anti_entropy::Config {
            form,
            avoids_back_propagation,
            removes_redundancy,
            ..anti_entropy::Config::new((0..NODES).map(neighbours).collect())
        };
        let mut sim =
            Simulation::<AntiEntropy<GrowOnlySet<u64>>>::new(Setup::new(NODES, 1, Arc::new(config)))
                .expect("a set-up");
        for round in 0..ROUNDS {
            for node in 0..NODES {
                let element = (round * u64::from(NODES) + u64::from(node)) << 20;
                sim.invoke_at(at(round * 1_000 + 500), ProcessId(node), Op::Do(element));
            }
        }
        sim.run_until(at(60_000), &mut ());
        let count = |replica: &AntiEntropy<GrowOnlySet<u64>>| replica.state().len();
        assert!(sim.live().all(|(_, replica)| count(replica) == ROUNDS as usize * NODES as usize));
        sim.counters().bytes() as f64
    };
    let states = bytes(Form::States, false, false);
    let plain = bytes(Form::Deltas, false, false);
    let careful = bytes(Form::Deltas, true, true);
    println!(
        "states {states}, plain {plain}, bp {}, rr {}, careful {careful}",
        bytes(Form::Deltas, true, false),
        bytes(Form::Deltas, false, true)
    );
    assert!(plain > 0.3 * states, "{plain} of {states}");
    assert!(careful < 0.1 * plain, "{careful} of {plain}");
}
