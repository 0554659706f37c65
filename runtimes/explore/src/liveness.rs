//! Whether something happens at last: fair loops that avoid it.
//!
//! A behaviour breaks *eventually Q* if from some state on it goes round a loop in which Q never holds, or ends, and nobody
//! who could always go on is left waiting (weak fairness). In a strongly connected part of the states without Q, the walk
//! through all of it is such a loop exactly if for each actor there is a state in which it cannot step, or a step of
//! it inside. A state in which nobody has to step is a loop of its own: the behaviour just ends there.

use isles_kernel::Protocol;

use crate::action::Action;
use crate::graph::{Actor, Edge, Graph, NOBODY};
use crate::property::Kind;
use crate::space::Space;
use crate::trace::Trace;
use crate::view::View;

/// No component yet.
const OPEN: u32 = u32::MAX;

/// States of a strongly connected part.
type Part = Vec<u32>;

impl<P: Protocol> Space<P> {
    /// The behaviour that breaks a property about what happens at last, if one does.
    pub(crate) fn lasso(&mut self, graph: &Graph, property: usize) -> Option<Trace<P>> {
        let count = graph.states.len() as u32;
        let holds = |test: &dyn Fn(&View<'_, P>) -> bool| -> Vec<bool> {
            let space = &*self;
            let ask = |state| test(&View::new(space, space.state(graph.states.get(state as usize))));
            (0..count).map(ask).collect()
        };
        let (begins, goal): (Vec<u32>, Vec<bool>) = match &self.scenario.properties[property].kind {
            Kind::Eventually(goal) => ((0..graph.initial as u32).collect(), holds(goal)),
            Kind::LeadsTo(trigger, goal) => {
                let triggered = holds(trigger);
                ((0..count).filter(|state| triggered[*state as usize]).collect(), holds(goal))
            }
            Kind::Always(_) | Kind::Never(_) | Kind::Reachable(_) | Kind::History(_) => return None,
        };
        let reached = Reached::new(graph, begins, &goal);
        let part = reached.parts(graph).into_iter().filter(|part| is_fair(graph, part));
        // The nearest one: its first state was reached first.
        let mut part =
            part.min_by_key(|part| part.iter().map(|state| reached.order[*state as usize]).min())?;
        part.sort_unstable_by_key(|state| reached.order[*state as usize]);
        let (initial, mut actions) = reached.path(graph, part[0]);
        let loop_start = actions.len();
        actions.extend(fair_loop(graph, &part));
        let mut trace = self.trace(initial, &actions);
        trace.loop_start = loop_start;
        Some(trace)
    }
}

/// The states without the goal that are reached from where it is expected without passing it.
struct Reached {
    /// When each was reached; `OPEN` if it was not.
    order: Vec<u32>,
    /// Where each was reached from, and how; nowhere if it is where one begins.
    origin: Vec<Option<(u32, Action)>>,
    all: Vec<u32>,
}

impl Reached {
    fn new(graph: &Graph, begins: Vec<u32>, goal: &[bool]) -> Self {
        let count = graph.states.len();
        let mut reached = Self { order: vec![OPEN; count], origin: vec![None; count], all: Vec::new() };
        for state in begins {
            reached.add(state, None, goal);
        }
        let mut next = 0;
        while let Some(&state) = reached.all.get(next) {
            next += 1;
            for edge in graph.edges(state) {
                reached.add(edge.to, Some((state, edge.action)), goal);
            }
        }
        reached
    }

    fn add(&mut self, state: u32, origin: Option<(u32, Action)>, goal: &[bool]) {
        if !goal[state as usize] && self.order[state as usize] == OPEN {
            self.order[state as usize] = self.all.len() as u32;
            self.origin[state as usize] = origin;
            self.all.push(state);
        }
    }

    /// The initial state and the actions that lead to a state.
    fn path(&self, graph: &Graph, mut state: u32) -> (u32, Vec<Action>) {
        let mut actions = Vec::new();
        while let Some((before, action)) = self.origin[state as usize] {
            actions.push(action);
            state = before;
        }
        let (initial, mut all) = graph.path(state);
        all.extend(actions.into_iter().rev());
        (initial, all)
    }

    /// Edges from a state that stay among these.
    fn edges<'a>(&'a self, graph: &'a Graph, state: u32) -> impl Iterator<Item = &'a Edge> {
        graph.edges(state).iter().filter(|edge| self.order[edge.to as usize] != OPEN)
    }

    /// The strongly connected parts (Tarjan, *Depth-First Search and Linear Graph Algorithms*, 1972), without recursion.
    fn parts(&self, graph: &Graph) -> Vec<Part> {
        let count = graph.states.len();
        let (mut index, mut low) = (vec![OPEN; count], vec![0u32; count]);
        let mut on_stack = vec![false; count];
        let (mut stack, mut parts, mut met) = (Vec::new(), Vec::new(), 0);
        for &root in &self.all {
            if index[root as usize] != OPEN {
                continue;
            }
            // Each state with the number of the edge that is looked at next.
            let mut calls: Vec<(u32, usize)> = vec![(root, 0)];
            while let Some((state, at)) = calls.last_mut() {
                let (state, at) = (*state, {
                    *at += 1;
                    *at - 1
                });
                if at == 0 {
                    (index[state as usize], low[state as usize]) = (met, met);
                    met += 1;
                    stack.push(state);
                    on_stack[state as usize] = true;
                }
                match self.edges(graph, state).nth(at).map(|edge| edge.to) {
                    Some(to) if index[to as usize] == OPEN => calls.push((to, 0)),
                    Some(to) if on_stack[to as usize] => {
                        low[state as usize] = low[state as usize].min(index[to as usize]);
                    }
                    Some(_) => {}
                    None => {
                        calls.pop();
                        if let Some((caller, _)) = calls.last() {
                            low[*caller as usize] = low[*caller as usize].min(low[state as usize]);
                        }
                        if low[state as usize] == index[state as usize] {
                            let start = stack.iter().rposition(|other| *other == state).unwrap_or(0);
                            let part: Part = stack.split_off(start);
                            part.iter().for_each(|member| on_stack[*member as usize] = false);
                            parts.push(part);
                        }
                    }
                }
            }
        }
        parts
    }
}

/// The actors that could step in every state of a part.
fn always_ready(graph: &Graph, part: &Part) -> Vec<Actor> {
    let ready = |state: u32| graph.edges(state).iter().map(|edge| edge.actor);
    let mut actors: Vec<Actor> = ready(part[0]).filter(|actor| *actor != NOBODY).collect();
    actors.sort_unstable();
    actors.dedup();
    actors.retain(|actor| part.iter().all(|state| ready(*state).any(|other| other == *actor)));
    actors
}

/// A step of an actor that stays in a part.
fn step_inside(graph: &Graph, part: &Part, actor: Actor) -> Option<(u32, Edge)> {
    let members = Members::of(part);
    part.iter().find_map(|state| {
        let stays = |edge: &&Edge| edge.actor == actor && members.has(edge.to);
        graph.edges(*state).iter().find(stays).map(|edge| (*state, *edge))
    })
}

/// Whether going round a part for ever is fair to everybody.
fn is_fair(graph: &Graph, part: &Part) -> bool {
    // At a bound, nobody knows what would follow.
    let cut = graph.stopped.is_some() && part.iter().any(|state| graph.edges(*state).is_empty());
    !cut && always_ready(graph, part).into_iter().all(|actor| step_inside(graph, part, actor).is_some())
}

/// The actions of a loop from the first state of a fair part, and back to it, that is fair to everybody. None if the
/// behaviour just stays there.
fn fair_loop(graph: &Graph, part: &Part) -> Vec<Action> {
    let members = Members::of(part);
    let mut actions = Vec::new();
    let mut at = part[0];
    let walk = |to: u32, at: &mut u32, actions: &mut Vec<Action>| {
        actions.extend(way(graph, &members, *at, to));
        *at = to;
    };
    // Each step that must be taken; and for each actor that is sometimes not ready, a state in which it is not.
    for actor in always_ready(graph, part) {
        if let Some((from, edge)) = step_inside(graph, part, actor) {
            walk(from, &mut at, &mut actions);
            actions.push(edge.action);
            at = edge.to;
        }
    }
    let mut actors: Vec<Actor> = graph.edges(part[0]).iter().map(|edge| edge.actor).collect();
    actors.sort_unstable();
    actors.dedup();
    for actor in actors.into_iter().filter(|actor| *actor != NOBODY) {
        let idle = |state: &&u32| graph.edges(**state).iter().all(|edge| edge.actor != actor);
        if let Some(state) = part.iter().find(idle) {
            walk(*state, &mut at, &mut actions);
        }
    }
    walk(part[0], &mut at, &mut actions);
    actions
}

/// The shortest way between two states of a part, inside it.
fn way(graph: &Graph, members: &Members, from: u32, to: u32) -> Vec<Action> {
    let mut origin: Vec<(u32, u32, Action)> = vec![(from, u32::MAX, Action(0))];
    let mut seen = Members(Vec::new());
    let mut next = 0;
    while let Some(&(state, ..)) = origin.get(next) {
        if state == to {
            break;
        }
        for edge in graph.edges(state).iter().filter(|edge| members.has(edge.to)) {
            if edge.to != from && seen.insert(edge.to) {
                origin.push((edge.to, next as u32, edge.action));
            }
        }
        next += 1;
    }
    let mut actions = Vec::new();
    while let Some(&(_, before, action)) = origin.get(next)
        && before != u32::MAX
    {
        actions.push(action);
        next = before as usize;
    }
    actions.reverse();
    actions
}

/// A set of states, ascending.
struct Members(Vec<u32>);

impl Members {
    fn of(part: &Part) -> Self {
        let mut states = part.clone();
        states.sort_unstable();
        Self(states)
    }

    fn has(&self, state: u32) -> bool {
        self.0.binary_search(&state).is_ok()
    }

    fn insert(&mut self, state: u32) -> bool {
        match self.0.binary_search(&state) {
            Ok(_) => false,
            Err(place) => {
                self.0.insert(place, state);
                true
            }
        }
    }
}
