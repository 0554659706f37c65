//! The state spaces of `isles bench explore`, searched by Stateright on one thread. One JSON object a line: rival, model,
//! search, states, states per CPU second of the whole program.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use stateright::actor::register::{RegisterActor, RegisterMsg};
use stateright::actor::{Actor, ActorModel, Id, Network, Out, majority, model_peers};
use stateright::semantics::LinearizabilityTester;
use stateright::semantics::register::Register;
use stateright::util::{HashableHashMap, HashableHashSet};
use stateright::{Checker, Expectation, Model, Property};

/// Runs all models both ways, and prints what came of it.
pub fn run() {
    both("2pc-8", || TwoPhase { resources: 8 });
    both("paxos-3", || registers((0..3).map(|id| Paxos { peers: model_peers(id, 3) }).collect(), 3));
    both("register-4", || registers(vec![SingleCopy], 4));
}

fn both<M>(name: &str, model: impl Fn() -> M)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + PartialEq + std::hash::Hash + Send + Sync,
    M::Action: Clone + PartialEq + Send + Sync,
{
    for search in ["breadth", "depth"] {
        let begin = cpu_seconds();
        let checker = model().checker().threads(1);
        let states = match search {
            "depth" => checker.spawn_dfs().join().unique_state_count(),
            _ => checker.spawn_bfs().join().unique_state_count(),
        };
        let value = states as f64 / (cpu_seconds() - begin);
        println!(
            "{}",
            serde_json::json!({
                "rival": "stateright 0.31", "model": name, "search": search, "states": states, "value": value,
            })
        );
    }
}

/// CPU seconds of all threads: Stateright's worker is not the thread that waits for it.
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Two-phase commit as transitions of one state, as Stateright's users write it: messages stay in a set.
struct TwoPhase {
    resources: u8,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct TwoPhaseState {
    resources: Vec<Resource>,
    decision: Option<bool>,
    /// Whom the transaction manager knows to be prepared.
    known: Vec<bool>,
    /// Who has sent that it is prepared.
    sent: Vec<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Resource {
    Working,
    Prepared,
    Committed,
    Aborted,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Action {
    Decide(bool),
    Hear(u8),
    Prepare(u8),
    GiveUp(u8),
    Follow(u8),
}

impl Model for TwoPhase {
    type State = TwoPhaseState;
    type Action = Action;

    fn init_states(&self) -> Vec<TwoPhaseState> {
        let count = self.resources as usize;
        vec![TwoPhaseState {
            resources: vec![Resource::Working; count],
            decision: None,
            known: vec![false; count],
            sent: vec![false; count],
        }]
    }

    fn actions(&self, state: &TwoPhaseState, actions: &mut Vec<Action>) {
        if state.decision.is_none() {
            if state.known.iter().all(|known| *known) {
                actions.push(Action::Decide(true));
            }
            actions.push(Action::Decide(false));
        }
        for one in 0..self.resources {
            let index = one as usize;
            if state.decision.is_none() && state.sent[index] {
                actions.push(Action::Hear(one));
            }
            if state.resources[index] == Resource::Working {
                actions.push(Action::Prepare(one));
                actions.push(Action::GiveUp(one));
            }
            if state.decision.is_some() {
                actions.push(Action::Follow(one));
            }
        }
    }

    fn next_state(&self, state: &TwoPhaseState, action: Action) -> Option<TwoPhaseState> {
        let mut next = state.clone();
        match action {
            Action::Decide(commit) => next.decision = Some(commit),
            Action::Hear(one) => next.known[one as usize] = true,
            Action::Prepare(one) => {
                next.resources[one as usize] = Resource::Prepared;
                next.sent[one as usize] = true;
            }
            Action::GiveUp(one) => next.resources[one as usize] = Resource::Aborted,
            Action::Follow(one) => {
                let commit = next.decision == Some(true);
                next.resources[one as usize] = if commit { Resource::Committed } else { Resource::Aborted };
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always("consistent", |_, state| {
                !(state.resources.contains(&Resource::Committed) && state.resources.contains(&Resource::Aborted))
            }),
            Property::<Self>::sometimes("abort agreement", |_, state| {
                state.resources.iter().all(|resource| *resource == Resource::Aborted)
            }),
            Property::<Self>::sometimes("commit agreement", |_, state| {
                state.resources.iter().all(|resource| *resource == Resource::Committed)
            }),
        ]
    }
}

/// Servers with clients that write once and read once, as Stateright's own register examples have them.
fn registers<A, M>(
    servers: Vec<A>,
    clients: usize,
) -> ActorModel<RegisterActor<A>, (), LinearizabilityTester<Id, Register<char>>>
where
    A: Actor<Msg = RegisterMsg<u64, char, M>> + Clone,
    M: Clone + std::fmt::Debug + Eq + Ord + std::hash::Hash,
    A::Timer: Ord,
{
    let server_count = servers.len();
    ActorModel::new((), LinearizabilityTester::new(Register('\0')))
        .actors(servers.into_iter().map(RegisterActor::Server))
        .actors((0..clients).map(|_| RegisterActor::Client { put_count: 1, server_count }))
        .init_network(Network::new_unordered_nonduplicating([]))
        .property(Expectation::Always, "linearizable", |_, state| state.history.serialized_history().is_some())
        .property(Expectation::Sometimes, "value chosen", |_, state| {
            let read = |msg: &RegisterMsg<u64, char, M>| matches!(msg, RegisterMsg::GetOk(_, value) if *value != '\0');
            state.network.iter_deliverable().any(|envelope| read(envelope.msg))
        })
        .record_msg_in(RegisterMsg::record_returns)
        .record_msg_out(RegisterMsg::record_invocations)
}

/// A server that has a register and tells nobody.
#[derive(Clone)]
struct SingleCopy;

impl Actor for SingleCopy {
    type Msg = RegisterMsg<u64, char, ()>;
    type State = char;
    type Timer = ();
    type Random = ();
    type Storage = ();

    fn on_start(&self, _: Id, _: &Option<()>, _: &mut Out<Self>) -> char {
        '\0'
    }

    fn on_msg(&self, _: Id, state: &mut Cow<char>, from: Id, msg: Self::Msg, out: &mut Out<Self>) {
        match msg {
            RegisterMsg::Put(id, value) => {
                *state.to_mut() = value;
                out.send(from, RegisterMsg::PutOk(id));
            }
            RegisterMsg::Get(id) => out.send(from, RegisterMsg::GetOk(id, **state)),
            _ => {}
        }
    }
}

type Ballot = (u32, Id);
type Proposal = (u64, Id, char);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
enum Msg {
    Prepare(Ballot),
    Promise(Ballot, Option<(Ballot, Proposal)>),
    Accept(Ballot, Proposal),
    Accepted(Ballot),
    Decided(Ballot, Proposal),
}

/// A server of single-decree Paxos.
#[derive(Clone)]
struct Paxos {
    peers: Vec<Id>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct PaxosState {
    ballot: Ballot,
    proposal: Option<Proposal>,
    promises: HashableHashMap<Id, Option<(Ballot, Proposal)>>,
    accepts: HashableHashSet<Id>,
    accepted: Option<(Ballot, Proposal)>,
    decided: bool,
}

impl Actor for Paxos {
    type Msg = RegisterMsg<u64, char, Msg>;
    type State = PaxosState;
    type Timer = ();
    type Random = ();
    type Storage = ();

    fn on_start(&self, _: Id, _: &Option<()>, _: &mut Out<Self>) -> PaxosState {
        PaxosState {
            ballot: (0, Id::from(0)),
            proposal: None,
            promises: HashableHashMap::default(),
            accepts: HashableHashSet::default(),
            accepted: None,
            decided: false,
        }
    }

    fn on_msg(&self, me: Id, state: &mut Cow<PaxosState>, from: Id, msg: Self::Msg, out: &mut Out<Self>) {
        let quorum = majority(self.peers.len() + 1);
        match msg {
            RegisterMsg::Get(id) => {
                if let (true, Some((_, (_, _, value)))) = (state.decided, state.accepted) {
                    out.send(from, RegisterMsg::GetOk(id, value));
                }
            }
            _ if state.decided => {}
            RegisterMsg::Put(id, value) if state.proposal.is_none() => {
                let state = state.to_mut();
                state.proposal = Some((id, from, value));
                state.promises = HashableHashMap::default();
                state.accepts = HashableHashSet::default();
                state.ballot = (state.ballot.0 + 1, me);
                state.promises.insert(me, state.accepted);
                out.broadcast(&self.peers, &RegisterMsg::Internal(Msg::Prepare(state.ballot)));
            }
            RegisterMsg::Internal(Msg::Prepare(ballot)) if state.ballot < ballot => {
                state.to_mut().ballot = ballot;
                out.send(from, RegisterMsg::Internal(Msg::Promise(ballot, state.accepted)));
            }
            RegisterMsg::Internal(Msg::Promise(ballot, accepted)) if ballot == state.ballot => {
                let state = state.to_mut();
                state.promises.insert(from, accepted);
                if state.promises.len() == quorum {
                    let newest = state.promises.values().max().copied().flatten().map(|(_, proposal)| proposal);
                    let proposal = newest.or(state.proposal).expect("whoever leads has something to propose");
                    state.proposal = Some(proposal);
                    state.accepted = Some((ballot, proposal));
                    state.accepts.insert(me);
                    out.broadcast(&self.peers, &RegisterMsg::Internal(Msg::Accept(ballot, proposal)));
                }
            }
            RegisterMsg::Internal(Msg::Accept(ballot, proposal)) if state.ballot <= ballot => {
                let state = state.to_mut();
                state.ballot = ballot;
                state.accepted = Some((ballot, proposal));
                out.send(from, RegisterMsg::Internal(Msg::Accepted(ballot)));
            }
            RegisterMsg::Internal(Msg::Accepted(ballot)) if ballot == state.ballot => {
                let state = state.to_mut();
                state.accepts.insert(from);
                if state.accepts.len() == quorum {
                    state.decided = true;
                    let proposal = state.proposal.expect("whoever is accepted has proposed");
                    out.broadcast(&self.peers, &RegisterMsg::Internal(Msg::Decided(ballot, proposal)));
                    out.send(proposal.1, RegisterMsg::PutOk(proposal.0));
                }
            }
            RegisterMsg::Internal(Msg::Decided(ballot, proposal)) => {
                let state = state.to_mut();
                state.ballot = ballot;
                state.accepted = Some((ballot, proposal));
                state.decided = true;
            }
            _ => {}
        }
    }
}
