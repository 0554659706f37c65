//! Chapter CRDT: replicated data types. The laws and the specifications are judged on all executions of a few operations; the
//! protocols are simulated.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

use isles_causality::Actor;
use isles_crdt::anti_entropy::{AntiEntropy, Config, Form};
use isles_crdt::causal::Mistake;
use isles_crdt::executions::{Event, explore, random};
use isles_crdt::replica::Op;
use isles_crdt::specifications as specs;
use isles_crdt::{
    AddWinsGraph, AddWinsSet, BoundedCounter, Causal, DisableWinsFlag, EnableWinsFlag, GrowOnlyCounter,
    GrowOnlySet, List, LwwRegister, Map, MultiValueRegister, PnCounter, RemoveWinsSet, Replicated,
    ResettableCounter, Tally, TombstoneSet, TwoPhaseSet, bounded_counter, flag, graph, list, map, register,
    resettable_counter, set, tally,
};
use isles_kernel::random::Stream;
use isles_kernel::{ProcessId, Span, Time};
use isles_sim::{Setup, Simulation};

use super::{Claim, Effort, Finding};

/// The claims of the chapter.
pub(super) static CRDT: &[Claim] = &[
    Claim {
        id: "CRDT-01",
        statement: "Operations that commute and are delivered once and causally, and states that are joined, end in the same \
                    state at all replicas that know the same updates, which is below that of those that know more; for every type.",
        control: "an operation-based counter under duplication diverges",
        source: "Shapiro, Preguiça, Baquero, Zawirski, SSS 2011",
        run: crdt_01,
    },
    Claim {
        id: "CRDT-02",
        statement: "A counter of pairs per replica, what it added and what it took, joined by the maximum of each, is the sum of \
                    all differences.",
        control: "one total for all replicas, joined by the maximum, loses what was added at once",
        source: "Shapiro et al., INRIA RR-7506, 2011, specification 7",
        run: crdt_02,
    },
    Claim {
        id: "CRDT-03",
        statement: "A last-writer-wins register with hybrid timestamps never loses a write to one that its writer had seen; of \
                    writes at once, those of a lagging clock are always overruled.",
        control: "with wall-clock timestamps a replica whose clock lags is overruled also when it has seen the other write",
        source: "RR-7506, specification 8; Kulkarni et al., OPODIS 2014",
        run: crdt_03,
    },
    Claim {
        id: "CRDT-04",
        statement: "A multi-value register shows exactly the values that no known write has seen.",
        control: "a last-writer-wins register shows one of them",
        source: "RR-7506, specification 10",
        run: crdt_04,
    },
    Claim {
        id: "CRDT-05",
        statement: "The add-wins set with tombstones and the one without agree with the specification on every explored execution.",
        control: "a remove-wins set differs",
        source: "Bieniusa et al., INRIA RR-8083, 2012",
        run: crdt_05,
    },
    Claim {
        id: "CRDT-06",
        statement: "Updates that commute when done one after the other do so when done at once (permutation equivalence); \
                    and runs at once may end where no sequential run does: {x, y} after add x, remove y beside add y, remove x.",
        control: "all six sequential orders of the four end in another set",
        source: "Bieniusa et al., DISC 2012, sec. 2",
        run: crdt_06,
    },
    Claim {
        id: "CRDT-07",
        statement: "Maps, nested maps, graphs, lists and flags are as specified; deltas that neither go back nor repeat what is \
                    known take less than a tenth of what states take in a network with cycles.",
        control: "plain deltas take as much as states",
        source: "Almeida, Shoker, Baquero, JPDC 111, 2018; Enes et al., ICDE 2019",
        run: crdt_07,
    },
];

/// Situations of all executions of a few operations of one type, and 20 long ones; the view must be as specified.
fn judged<R, V>(
    quick: bool,
    offer: impl Fn(usize) -> Vec<R::Op> + Copy,
    view: impl Fn(&R) -> V,
    spec: impl Fn(&[Rc<Event<R>>], u32) -> V,
) -> Result<usize, String>
where
    R: Replicated<Op: Clone + Debug>,
    V: PartialEq + Debug,
{
    let mut judge = |events: &[Rc<Event<R>>], known: u32, state: &R| {
        let (is, should) = (view(state), spec(events, known));
        if is == should { Ok(()) } else { Err(format!("{is:?} instead of {should:?}")) }
    };
    let many = offer(0).len() > 3;
    let sizes: &[(usize, usize)] = match (quick, many) {
        (true, _) => &[(2, 3)],
        (false, true) => &[(2, 3), (3, 2)],
        (false, false) => &[(2, 4), (3, 3)],
    };
    let mut situations = 0;
    for &(replicas, operations) in sizes {
        situations += explore(replicas, operations, offer, &mut judge)?;
    }
    for seed in 0..20 {
        random(seed, (4, 30), offer, &mut judge)?;
    }
    Ok(situations)
}

fn sets(_: usize) -> Vec<set::Op<u64>> {
    vec![set::Op::Insert(1), set::Op::Remove(1), set::Op::Insert(2)]
}

fn flags(_: usize) -> Vec<flag::Op> {
    vec![flag::Op::Enable, flag::Op::Disable]
}

fn writes(number: usize) -> Vec<register::Set<u64>> {
    let set = |now, value| register::Set { now, value };
    vec![set(100 + number as u64, number as u64), set(number as u64, 100 + number as u64), set(100, 7)]
}

fn counters(quick: bool) -> Result<usize, String> {
    use bounded_counter::Op::{Decrement, Increment, Transfer};
    let bounded = |_: usize| vec![Increment(2), Decrement(1), Transfer { to: Actor(2), amount: 1 }];
    let resets = |_: usize| {
        vec![resettable_counter::Op::Add(3), resettable_counter::Op::Add(-1), resettable_counter::Op::Reset]
    };
    let tallies = |_: usize| vec![tally::Op::Add(3), tally::Op::Add(-1), tally::Op::Reset];
    let grown = |state: &GrowOnlyCounter| i128::try_from(state.value()).unwrap_or(i128::MAX);
    Ok(judged::<GrowOnlyCounter, _>(quick, |_| vec![1, 5], grown, specs::grown)?
        + judged::<PnCounter, _>(quick, |_| vec![3, -1], PnCounter::value, specs::sum)?
        + judged::<BoundedCounter, _>(quick, bounded, BoundedCounter::value, specs::bounded)?
        + judged::<ResettableCounter, _>(quick, resets, ResettableCounter::value, specs::resettable)?
        + judged::<Causal<Tally>, _>(quick, tallies, |state| state.value(), specs::tallied)?)
}

fn registers(quick: bool) -> Result<usize, String> {
    let offer = |number: usize| vec![register::Op::Set(number as u64), register::Op::Clear];
    let values = |state: &Causal<MultiValueRegister<u64>>| state.values().copied().collect();
    Ok(judged::<LwwRegister<u64>, _>(quick, writes, |state| state.get().copied(), specs::last_written)?
        + judged::<Causal<MultiValueRegister<u64>>, _>(quick, offer, values, specs::written)?)
}

fn add_wins(quick: bool) -> Result<[usize; 2], String> {
    let elements = |state: &Causal<AddWinsSet<u64>>| state.iter().copied().collect();
    Ok([
        judged::<TombstoneSet<u64>, _>(
            quick,
            sets,
            |state| state.iter().copied().collect(),
            specs::add_wins,
        )?,
        judged::<Causal<AddWinsSet<u64>>, _>(quick, sets, elements, specs::add_wins)?,
    ])
}

fn other_sets(quick: bool) -> Result<usize, String> {
    let removed_last = |state: &Causal<RemoveWinsSet<u64>>| state.iter().copied().collect();
    Ok(judged::<GrowOnlySet<u64>, _>(
        quick,
        |_| vec![1, 2],
        |state| state.iter().copied().collect(),
        specs::added,
    )? + judged::<TwoPhaseSet<u64>, _>(
        quick,
        sets,
        |state| state.iter().copied().collect(),
        specs::two_phase,
    )? + judged::<Causal<RemoveWinsSet<u64>>, _>(quick, sets, removed_last, specs::remove_wins)?)
}

fn composed(quick: bool) -> Result<usize, String> {
    let on = |events: &[Rc<Event<_>>], known| specs::stands(events, known, flag::Op::Enable);
    let on_only = |events: &[Rc<Event<_>>], known| {
        specs::stands(events, known, flag::Op::Enable) && !specs::stands(events, known, flag::Op::Disable)
    };
    let map_of_sets = |_: usize| {
        let [insert, remove] = [set::Op::Insert(1), set::Op::Remove(1)];
        vec![map::Op::Update(1, insert), map::Op::Update(1, remove), map::Op::Remove(1)]
    };
    let entries = |state: &Causal<Map<u64, AddWinsSet<u64>>>| {
        state
            .iter()
            .flat_map(|(key, set)| set.iter().map(|element| (*key, *element)))
            .collect::<BTreeSet<_>>()
    };
    let map_of_maps = |number: usize| {
        let set = |inner| map::Op::Update(1, map::Op::Update(inner, register::Op::Set(number as u64)));
        vec![set(1), map::Op::Update(1, map::Op::Remove(1)), map::Op::Remove(1)]
    };
    let values = |state: &Causal<Map<u64, Map<u64, MultiValueRegister<u64>>>>| {
        let inner =
            state.iter().flat_map(|(outer, map)| map.iter().map(move |(inner, value)| (outer, inner, value)));
        let values =
            inner.flat_map(|(outer, inner, value)| value.values().map(move |value| (*outer, *inner, *value)));
        values.collect::<BTreeSet<_>>()
    };
    let graphs = |_: usize| {
        use graph::Op::{AddEdge, AddVertex, RemoveEdge, RemoveVertex};
        vec![AddVertex(1), AddVertex(2), AddEdge(1, 2), RemoveVertex(2), RemoveEdge(1, 2)]
    };
    let drawn = |state: &Causal<AddWinsGraph<u64>>| {
        let edges = state.edges().map(|(from, to)| (*from, *to)).collect::<BTreeSet<_>>();
        (state.vertices().copied().collect::<BTreeSet<u64>>(), edges)
    };
    let lists = |number: usize| {
        let insert = |index| list::Op::Insert { index, values: vec![number as u64] };
        vec![insert(0), insert(1), list::Op::Remove { index: 0, count: 1 }]
    };
    // Whatever the executions judge by themselves, and that no element is there twice.
    let no_twins = |state: &Causal<List<u64>>| state.iter().collect::<BTreeSet<_>>().len() == state.len();
    Ok(judged::<Causal<EnableWinsFlag>, _>(quick, flags, |state| state.is_enabled(), on)?
        + judged::<Causal<DisableWinsFlag>, _>(quick, flags, |state| state.is_enabled(), on_only)?
        + judged::<Causal<Map<u64, AddWinsSet<u64>>>, _>(quick, map_of_sets, entries, specs::map_of_sets)?
        + judged::<Causal<Map<u64, Map<u64, MultiValueRegister<u64>>>>, _>(
            quick,
            map_of_maps,
            values,
            specs::map_of_maps,
        )?
        + judged::<Causal<AddWinsGraph<u64>>, _>(quick, graphs, drawn, specs::graph)?
        + judged::<Causal<List<u64>>, _>(quick, lists, no_twins, |_, _| true)?)
}

fn crdt_01(effort: &Effort) -> Result<Finding, String> {
    let quick = effort.quick;
    let all = [
        counters(quick),
        registers(quick),
        add_wins(quick).map(|both| both.iter().sum()),
        other_sets(quick),
        composed(quick),
    ];
    let mut situations = 0;
    let mut wrong = None;
    for part in all {
        match part {
            Ok(count) => situations += count,
            Err(why) => wrong = Some(why),
        }
    }
    let (mut once, mut twice) = (PnCounter::default(), PnCounter::default());
    let effect = once.prepare(Actor(1), 5).ok_or("nothing to add")?;
    once.perform(Actor(1), &effect);
    twice.perform(Actor(1), &effect);
    twice.perform(Actor(1), &effect);
    Ok(Finding {
        holds: wrong.is_none(),
        control_fails: once != twice,
        measured: match wrong {
            Some(why) => why,
            None => format!(
                "18 types in three forms: {situations} situations, equal wherever the same is known; control: {} at one replica, {} \
                 at the other",
                once.value(),
                twice.value()
            ),
        },
        predicted: "strong eventual consistency; the control's replicas differ".to_owned(),
        ..Finding::default()
    })
}

fn crdt_02(effort: &Effort) -> Result<Finding, String> {
    let found = judged::<PnCounter, _>(effort.quick, |_| vec![3, -1], PnCounter::value, specs::sum);
    // One total for all is what two replicas have that go by one name.
    let mut one = PnCounter::default();
    one.add(Actor(1), 10);
    let mut other = one.clone();
    one.add(Actor(1), 5);
    other.add(Actor(1), 5);
    one.join(&other);
    let joined = one.value();
    Ok(Finding {
        holds: found.is_ok(),
        control_fails: joined != 10 + 5 + 5,
        measured: match found {
            Ok(situations) => {
                format!("the sum in {situations} situations; control: 10 and twice 5 are {joined}")
            }
            Err(why) => why,
        },
        predicted: "always the sum; the control loses one of two".to_owned(),
        ..Finding::default()
    })
}

/// A wall clock that lags writes after having seen another write: what both replicas show in the end.
fn after_lagging(hybrid: bool) -> Result<u64, String> {
    let mut here: LwwRegister<u64> = LwwRegister::default();
    here.set(Actor(1), 1_000, 1);
    let mut lagging = here.clone();
    let mine = if hybrid { lagging.clone() } else { LwwRegister::default() };
    // Without the hybrid part the stamp is what the wall clock says.
    let delta = mine.prepare(Actor(2), register::Set { now: 10, value: 2 }).ok_or("no write")?;
    lagging.join(&delta);
    here.join(&lagging);
    here.get().copied().ok_or_else(|| "no value".to_owned())
}

fn crdt_03(effort: &Effort) -> Result<Finding, String> {
    let found = judged::<LwwRegister<u64>, _>(
        effort.quick,
        writes,
        |state| state.get().copied(),
        specs::last_written,
    );
    let (hybrid, wall) = (after_lagging(true)?, after_lagging(false)?);
    let (mut here, mut lagging) = (LwwRegister::default(), LwwRegister::default());
    here.set(Actor(1), 1_000, 1u64);
    lagging.set(Actor(2), 10, 2);
    lagging.join(&here);
    Ok(Finding {
        holds: found.is_ok() && hybrid == 2 && lagging.get() == Some(&1),
        control_fails: wall == 1,
        measured: match found {
            Ok(situations) => format!(
                "as specified in {situations} situations; a clock 990 ns behind: written after value {hybrid} stays, written at once is lost; \
                 control: written after, the older value {wall} stays"
            ),
            Err(why) => why,
        },
        predicted: "a seen write never wins over its successor; by wall clocks it does".to_owned(),
        ..Finding::default()
    })
}

fn crdt_04(effort: &Effort) -> Result<Finding, String> {
    let offer = |number: usize| vec![register::Op::Set(number as u64), register::Op::Clear];
    let values = |state: &Causal<MultiValueRegister<u64>>| state.values().copied().collect();
    let found = judged::<Causal<MultiValueRegister<u64>>, _>(effort.quick, offer, values, specs::written);
    let mut here: Causal<MultiValueRegister<u64>> = Causal::default();
    let mut there = here.clone();
    here.set(Actor(1), 1);
    there.set(Actor(2), 2);
    here.join(&there);
    let (mut last, mut other) = (LwwRegister::default(), LwwRegister::default());
    last.set(Actor(1), 5, 1u64);
    other.set(Actor(2), 5, 2);
    last.join(&other);
    let both = here.values().count();
    Ok(Finding {
        holds: found.is_ok() && both == 2,
        control_fails: last.get().into_iter().count() < 2,
        measured: match found {
            Ok(situations) => {
                format!("as specified in {situations} situations, {both} of two writes at once; control: 1")
            }
            Err(why) => why,
        },
        predicted: "all values that nobody has seen and replaced".to_owned(),
        ..Finding::default()
    })
}

fn crdt_05(effort: &Effort) -> Result<Finding, String> {
    let found = add_wins(effort.quick);
    let removed_last = |state: &Causal<RemoveWinsSet<u64>>| state.iter().copied().collect();
    let control = judged::<Causal<RemoveWinsSet<u64>>, _>(effort.quick, sets, removed_last, specs::add_wins);
    Ok(Finding {
        holds: found.is_ok(),
        control_fails: control.is_err(),
        measured: match (found, control) {
            (Ok([with, without]), Err(differs)) => {
                let differs = differs.split(" after").next().unwrap_or_default().to_owned();
                format!(
                    "with tombstones {with} situations, without {without}, all as specified; control: {differs}"
                )
            }
            (Err(why), _) => why,
            (Ok(_), Ok(count)) => format!("control: no difference in {count} situations"),
        },
        predicted: "both as specified, remove-wins not".to_owned(),
        ..Finding::default()
    })
}

fn crdt_06(_: &Effort) -> Result<Finding, String> {
    let (x, y) = (1u64, 2u64);
    let mut start: Causal<AddWinsSet<u64>> = Causal::default();
    start.insert(Actor(9), x);
    start.insert(Actor(9), y);
    let (mut one, mut other) = (start.clone(), start.clone());
    one.insert(Actor(1), x);
    one.remove(Actor(1), &y);
    other.insert(Actor(2), y);
    other.remove(Actor(2), &x);
    one.join(&other);
    let at_once: Vec<u64> = one.iter().copied().collect();
    let steps = [(true, x), (false, y), (true, y), (false, x)];
    let orders = [[0, 1, 2, 3], [0, 2, 1, 3], [0, 2, 3, 1], [2, 0, 1, 3], [2, 0, 3, 1], [2, 3, 0, 1]];
    let sequential: Vec<usize> = orders
        .iter()
        .map(|order| {
            let mut set = start.clone();
            for (adds, element) in order.map(|index: usize| steps[index]) {
                if adds {
                    set.insert(Actor(1), element)
                } else {
                    set.remove(Actor(1), &element)
                };
            }
            set.len()
        })
        .collect();
    // Permutation equivalence: two additions, or two removals, commute in sequence, and end there at once.
    let commutes = [true, false].iter().all(|adds| {
        let step = |set: &mut Causal<AddWinsSet<u64>>, by, element: u64| match adds {
            true => set.insert(by, element),
            false => set.remove(by, &element),
        };
        let (mut a, mut b, mut c) = (start.clone(), start.clone(), start.clone());
        step(&mut a, Actor(1), x);
        step(&mut a, Actor(1), y);
        step(&mut b, Actor(1), x);
        step(&mut c, Actor(2), y);
        b.join(&c);
        a.iter().eq(b.iter())
    });
    Ok(Finding {
        holds: commutes && at_once == [x, y],
        control_fails: sequential.iter().all(|count| *count < 2),
        measured: format!(
            "at once: {} elements, commuting pairs end as in sequence; control: the six orders end with {sequential:?} elements",
            at_once.len()
        ),
        predicted: "{x, y}, which no order gives".to_owned(),
        ..Finding::default()
    })
}

/// Bytes that 12 replicas send, each of which knows its next two on both sides and adds an element in each round.
fn bytes_sent(form: Form, careful: bool, rounds: u64) -> Result<u64, String> {
    const NODES: u32 = 12;
    let neighbours = |node: u32| {
        let ids: BTreeSet<u32> = [1, 2, NODES - 1, NODES - 2].map(|step| (node + step) % NODES).into();
        ids.into_iter().map(ProcessId).collect::<Vec<_>>()
    };
    let config = Config {
        form,
        avoids_back_propagation: careful,
        removes_redundancy: careful,
        ..Config::new((0..NODES).map(neighbours).collect())
    };
    let mut sim = Simulation::<AntiEntropy<GrowOnlySet<u64>>>::new(Setup::new(NODES, 1, Arc::new(config)))
        .map_err(|error| error.to_string())?;
    for round in 0..rounds {
        for node in 0..NODES {
            let at = Time::ZERO + Span::millis(round * 1_000 + 500);
            sim.invoke_at(at, ProcessId(node), Op::Do((round * u64::from(NODES) + u64::from(node)) << 20));
        }
    }
    sim.run_until(Time::ZERO + Span::secs(rounds + 20), &mut ());
    let whole = rounds as usize * NODES as usize;
    match sim.live().all(|(_, replica)| replica.state().len() == whole) {
        true => Ok(sim.counters().bytes()),
        false => Err("a replica lacks an element".to_owned()),
    }
}

/// The first seed with which three replicas that add, remove and merge at random show another set than those with tombstones do.
fn differs(mistake: Option<Mistake>, seeds: u64) -> Option<u64> {
    (0..seeds).find(|seed| {
        let mut draws = Stream::new(*seed, &[7]);
        let mut sets: Vec<Causal<AddWinsSet<u64>>> = vec![Causal::default(); 3];
        let mut tombstones: Vec<TombstoneSet<u64>> = vec![TombstoneSet::default(); 3];
        (0..16).any(|_| {
            let [replica, other, element] = [3, 3, 4].map(|bound| draws.below(bound));
            let (at, by, element) = (replica as usize, Actor(u64::from(replica)), u64::from(element));
            match draws.below(3) {
                0 => {
                    sets[at].insert(by, element);
                    tombstones[at].insert(by, element);
                }
                1 => {
                    sets[at].remove(by, &element);
                    tombstones[at].remove(by, element);
                }
                _ => {
                    let (set, all) = (sets[other as usize].clone(), tombstones[other as usize].clone());
                    match mistake {
                        Some(mistake) => sets[at].join_mistaken(&set, mistake),
                        None => sets[at].join(&set),
                    }
                    tombstones[at].join(&all);
                }
            }
            !sets[at].iter().eq(tombstones[at].iter())
        })
    })
}

/// MUS-07, which stands with the other mistakes.
pub(super) fn mus_07(effort: &Effort) -> Result<Finding, String> {
    let seeds = if effort.quick { 1_000 } else { 20_000 };
    let taken = differs(Some(Mistake::TakesIncluding), seeds);
    let strictly = differs(Some(Mistake::TakesStrictlyIncluding), seeds);
    let shipped = differs(None, seeds);
    let told = |seed: Option<u64>| seed.map_or("never".to_owned(), |seed| format!("with seed {seed}"));
    Ok(Finding {
        holds: taken.is_some(),
        control_fails: shipped.is_none(),
        measured: format!(
            "of {seeds} runs of 16 steps a removed element comes back {}, by the strict comparison {}; control: {}",
            told(taken),
            told(strictly),
            told(shipped)
        ),
        predicted: "it comes back, and not with the shipped merge".to_owned(),
        ..Finding::default()
    })
}

fn crdt_07(effort: &Effort) -> Result<Finding, String> {
    let found = composed(effort.quick);
    let rounds = if effort.quick { 25 } else { 100 };
    let states = bytes_sent(Form::States, false, rounds)?;
    let plain = bytes_sent(Form::Deltas, false, rounds)?;
    let careful = bytes_sent(Form::Deltas, true, rounds)?;
    let share = |bytes: u64| bytes as f64 / states as f64;
    Ok(Finding {
        holds: found.is_ok() && share(careful) < 0.1,
        control_fails: share(plain) > 0.9,
        measured: match found {
            Ok(situations) => format!(
                "as specified in {situations} situations; {careful} bytes by deltas, {states} by states, {:.1} % of them; control: {plain} by \
                 plain deltas",
                100.0 * share(careful)
            ),
            Err(why) => why,
        },
        predicted: "less than a tenth; plain deltas as much as states (Enes 2019)".to_owned(),
        ..Finding::default()
    })
}
