//! What is planted.

use isles_explore::{Clients, Scenario, Streams};
use isles_gossip::{hyparview as overlay, lazy_push as lazy, plumtree as tree_of_gossip};
use isles_graph::{line, ring};
use isles_kernel::{Channel, ProcessId};
use isles_quorum::{abd as majority_of, store, voting as votes};
use isles_replication::memory::{self as memories, Reads, Writes};
use isles_replication::multi_master::{self as masters, Rule};
use isles_replication::{primary_backup as backups, total_order};
use isles_trees::rounds as synchronous;
use isles_trees::tree::{self as trees, Answers};

use super::hunt::Strategy;
use super::{Hunt, Outcome, Planted};
use crate::judge::Promise;
use crate::models::{abd, paxos, two_phase_commit};
use crate::scenarios::hyparview::Begin;
use crate::scenarios::store as stores;
use crate::scenarios::{
    abd_register, consensus, election, hyparview, lazy_push, memory, multi_master, plumtree, primary_backup,
    rounds, tree, voting,
};
use crate::workload::{Mix, Workload};

/// All planted bugs, by protocol.
pub static PLANTED: &[Planted] = &[
    Planted {
        name: "two-phase-commit/hasty",
        wrong: "the manager commits when all but one are prepared",
        breaks: "consistent",
        search: |hunt, planted| commit(hunt, planted.then_some(two_phase_commit::Mistake::Hasty)),
    },
    Planted {
        name: "two-phase-commit/counts-messages",
        wrong: "a message that arrives twice counts for two who are prepared",
        breaks: "consistent",
        search: |hunt, planted| commit(hunt, planted.then_some(two_phase_commit::Mistake::CountsMessages)),
    },
    Planted {
        name: "two-phase-commit/stale-timer",
        wrong: "having committed, the manager may still abort",
        breaks: "consistent",
        search: |hunt, planted| commit(hunt, planted.then_some(two_phase_commit::Mistake::StaleTimer)),
    },
    Planted {
        name: "two-phase-commit/aborts-prepared",
        wrong: "who is prepared may still abort alone",
        breaks: "consistent",
        search: |hunt, planted| commit(hunt, planted.then_some(two_phase_commit::Mistake::AbortsPrepared)),
    },
    Planted {
        name: "paxos/forgetful",
        wrong: "a leader ignores what was accepted",
        breaks: "one value is chosen",
        search: |hunt, planted| decree(hunt, planted, paxos::Mistake::Forgetful),
    },
    Planted {
        name: "paxos/half-quorum",
        wrong: "half of four servers are a quorum",
        breaks: "one value is chosen",
        search: |hunt, planted| decree(hunt, planted, paxos::Mistake::HalfQuorum),
    },
    Planted {
        name: "paxos/oldest",
        wrong: "a leader proposes the oldest of what was accepted",
        breaks: "one value is chosen",
        search: |hunt, planted| decree(hunt, planted, paxos::Mistake::Oldest),
    },
    Planted {
        name: "paxos/no-promise",
        wrong: "a server accepts in a ballot older than it promised",
        breaks: "one value is chosen",
        search: |hunt, planted| decree(hunt, planted, paxos::Mistake::NoPromise),
    },
    Planted {
        name: "paxos/silent-promise",
        wrong: "a promise does not say what was accepted",
        breaks: "one value is chosen",
        search: |hunt, planted| decree(hunt, planted, paxos::Mistake::SilentPromise),
    },
    Planted {
        name: "duel/tells-before-disk",
        wrong: "what is accepted is told before it is on disk",
        breaks: "one value is decided",
        search: |hunt, planted| duel(hunt, planted.then_some(consensus::paxos::Mistake::TellsBeforeDisk)),
    },
    Planted {
        name: "duel/loses-accepted",
        wrong: "what is accepted is not written to disk",
        breaks: "one value is decided",
        search: |hunt, planted| duel(hunt, planted.then_some(consensus::paxos::Mistake::LosesAccepted)),
    },
    Planted {
        name: "duel/loses-promise",
        wrong: "a promise is not written to disk",
        breaks: "one value is decided",
        search: |hunt, planted| duel(hunt, planted.then_some(consensus::paxos::Mistake::LosesPromise)),
    },
    Planted {
        name: "majority-register/skips-write-back",
        wrong: "a read does not write back what it read",
        breaks: "linearizable",
        search: |hunt, planted| majority(hunt, planted, abd::Mistake::SkipsWriteBack),
    },
    Planted {
        name: "majority-register/half-quorum",
        wrong: "half of four servers are a quorum",
        breaks: "linearizable",
        search: |hunt, planted| majority(hunt, planted, abd::Mistake::HalfQuorum),
    },
    Planted {
        name: "majority-register/own-version",
        wrong: "a write goes by the version of its own server",
        breaks: "linearizable",
        search: |hunt, planted| majority(hunt, planted, abd::Mistake::OwnVersion),
    },
    Planted {
        name: "majority-register/no-versions",
        wrong: "a server records whatever it is told, newer or not",
        breaks: "linearizable",
        search: |hunt, planted| majority(hunt, planted, abd::Mistake::NoVersions),
    },
    Planted {
        name: "majority-register/answers-early",
        wrong: "a write is answered before anybody has recorded it",
        breaks: "linearizable",
        search: |hunt, planted| majority(hunt, planted, abd::Mistake::AnswersEarly),
    },
    Planted {
        name: "tree/report-early",
        wrong: "a process reports before its children have",
        breaks: "nobody reports early",
        search: |hunt, planted| {
            grown(hunt, planted.then_some(trees::Mistake::ReportEarly), "nobody reports early")
        },
    },
    Planted {
        name: "tree/report-to-all",
        wrong: "a process reports to each neighbour that is nearer to the root",
        breaks: "everybody is counted once",
        search: |hunt, planted| {
            grown(hunt, planted.then_some(trees::Mistake::ReportToAll), "everybody is counted once")
        },
    },
    Planted {
        name: "tree/last-search-wins",
        wrong: "a process goes over to whoever searches it last",
        breaks: "parents form a tree",
        search: |hunt, planted| {
            flooded(hunt, planted.then_some(trees::Mistake::LastSearchWins), "parents form a tree")
        },
    },
    Planted {
        name: "tree/skips-last",
        wrong: "a process does not search its last neighbour",
        breaks: "everybody is reached",
        search: |hunt, planted| {
            flooded(hunt, planted.then_some(trees::Mistake::SkipsLast), "everybody is reached")
        },
    },
    Planted {
        name: "rounds/hears-one",
        wrong: "a round ends when one neighbour was heard",
        breaks: "the tree is breadth-first",
        search: |hunt, planted| {
            in_rounds(hunt, planted.then_some(synchronous::Mistake::HearsOne), "the tree is breadth-first")
        },
    },
    Planted {
        name: "rounds/loses-early",
        wrong: "what came early for the next round is lost",
        breaks: "everybody is reached",
        search: |hunt, planted| {
            in_rounds(hunt, planted.then_some(synchronous::Mistake::LosesEarly), "everybody is reached")
        },
    },
    Planted {
        name: "election/report-early",
        wrong: "trees report before all are counted: who has not heard of the greatest leads",
        breaks: "at most one leads",
        search: |hunt, planted| {
            let mistake = planted.then_some(trees::Mistake::ReportEarly);
            let parameters = election::Parameters { graph: line(3), answers: Answers::Children, mistake };
            hunt.search(election::scenario(parameters), "at most one leads")
        },
    },
    Planted {
        name: "total-order/no-hold-back",
        wrong: "what comes too early is delivered, and what was before it is not",
        breaks: "at rest, all replicas hold the same",
        search: |hunt, planted| {
            let misorder = planted.then_some(total_order::Mistake::NoHoldBack);
            let parameters = memory::Parameters { misorder, streams: Streams::Unordered, ..ordered() };
            hunt.search(memory::scenario(parameters), "at rest, all replicas hold the same")
        },
    },
    Planted {
        name: "total-order/number-twice",
        wrong: "the sequencer gives two payloads one number",
        breaks: "all operations are answered",
        search: |hunt, planted| {
            let misorder = planted.then_some(total_order::Mistake::NumberTwice);
            hunt.search(
                memory::scenario(memory::Parameters { misorder, ..ordered() }),
                "all operations are answered",
            )
        },
    },
    Planted {
        name: "memory/waits-for-one",
        wrong: "who waits for all replicas waits for the first",
        breaks: "linearizable",
        search: |hunt, planted| remembered(hunt, planted.then_some(memories::Mistake::WaitsForOne)),
    },
    Planted {
        name: "memory/acknowledges-ahead",
        wrong: "a replica acknowledges one request more than it has done",
        breaks: "linearizable",
        search: |hunt, planted| remembered(hunt, planted.then_some(memories::Mistake::AcknowledgesAhead)),
    },
    Planted {
        name: "memory/forgets-own-writes",
        wrong: "a read waits for the first of its client's writes, not for all",
        breaks: "sequentially consistent",
        search: |hunt, planted| {
            let mistake = planted.then_some(memories::Mistake::ForgetsOwnWrites);
            let workload = Workload { clients: 2, operations: 3, objects: 2, mix: Mix::WritesThenRead };
            let (writes, reads, promise) = (Writes::AtOnce, Reads::AfterOwnWrites, Promise::Sequential);
            let parameters =
                memory::Parameters { writes, reads, promise, workload, mistake, ..Default::default() };
            hunt.search(memory::scenario(parameters), "sequentially consistent")
        },
    },
    Planted {
        name: "primary-backup/waits-for-one",
        wrong: "an update is answered when the first backup has it",
        breaks: "linearizable",
        search: |hunt, planted| {
            backed_up(hunt, planted.then_some(backups::Mistake::WaitsForOne), "linearizable")
        },
    },
    Planted {
        name: "primary-backup/no-install",
        wrong: "a new primary does not give the others what it has",
        breaks: "at rest, all live replicas hold the same",
        search: |hunt, planted| {
            let mistake = planted.then_some(backups::Mistake::NoInstall);
            backed_up(hunt, mistake, "at rest, all live replicas hold the same")
        },
    },
    Planted {
        name: "primary-backup/reads-early",
        wrong: "a read shows an update that not all backups have",
        breaks: "linearizable",
        search: |hunt, planted| {
            backed_up(hunt, planted.then_some(backups::Mistake::ReadsEarly), "linearizable")
        },
    },
    Planted {
        name: "primary-backup/hears-the-dead",
        wrong: "an update of an old primary counts after the new one's memory came",
        breaks: "at rest, all live replicas hold the same",
        search: |hunt, planted| {
            let mistake = planted.then_some(backups::Mistake::HearsTheDead);
            backed_up(hunt, mistake, "at rest, all live replicas hold the same")
        },
    },
    Planted {
        name: "multi-master/arrival",
        wrong: "updates count in the order of their arrival",
        breaks: "at rest, all replicas hold the same",
        search: |hunt, planted| {
            let rule = if planted { Rule::Arrival } else { Rule::LastWriter };
            converged(hunt, multi_master::Parameters { rule, ..Default::default() })
        },
    },
    Planted {
        name: "multi-master/ties-by-arrival",
        wrong: "updates of one clock count in the order of their arrival",
        breaks: "at rest, all replicas hold the same",
        search: |hunt, planted| {
            let mistake = planted.then_some(masters::Mistake::TiesByArrival);
            converged(hunt, multi_master::Parameters { mistake, ..Default::default() })
        },
    },
    Planted {
        name: "multi-master/no-redo",
        wrong: "what is after a late update is not done again",
        breaks: "at rest, all replicas hold the same",
        search: |hunt, planted| {
            let mistake = planted.then_some(masters::Mistake::NoRedo);
            converged(hunt, multi_master::Parameters { mistake, ..Default::default() })
        },
    },
    Planted {
        name: "voting/naive-parted",
        wrong: "writes are no transactions: what reached one copy has a version that the next write uses again (MUS-14)",
        breaks: ONE_VALUE,
        search: |hunt, planted| {
            let mistake = planted.then_some(votes::Mistake::Naive);
            let parameters = voting::Parameters { mistake, ..voting::Parameters::parted() };
            hunt.search(voting::scenario(parameters), ONE_VALUE)
        },
    },
    Planted {
        name: "voting/naive-writers",
        wrong: "writes are no transactions: two writers take one version (MUS-14)",
        breaks: ONE_VALUE,
        search: |hunt, planted| voted(hunt, planted, votes::Mistake::Naive, ONE_VALUE),
    },
    Planted {
        name: "voting/passes-locks",
        wrong: "readers do not wait where a write has locked",
        breaks: "linearizable",
        search: |hunt, planted| voted(hunt, planted, votes::Mistake::PassesLocks, "linearizable"),
    },
    Planted {
        name: "voting/loses-prepared",
        wrong: "what a copy is locked for is not written to disk",
        breaks: "linearizable",
        search: |hunt, planted| voted(hunt, planted, votes::Mistake::LosesPrepared, "linearizable"),
    },
    Planted {
        name: "voting/loses-decision",
        wrong: "a decision is told before it is on disk",
        breaks: "linearizable",
        search: |hunt, planted| voted(hunt, planted, votes::Mistake::LosesDecision, "linearizable"),
    },
    Planted {
        name: "voting/own-version",
        wrong: "a write goes by the version of its own copy",
        breaks: ONE_VALUE,
        search: |hunt, planted| voted(hunt, planted, votes::Mistake::OwnVersion, ONE_VALUE),
    },
    Planted {
        name: "abd-register/skips-write-back",
        wrong: "a read does not write back what it read",
        breaks: "linearizable",
        search: |hunt, planted| stored(hunt, planted, majority_of::Mistake::SkipsWriteBack, "linearizable"),
    },
    Planted {
        name: "abd-register/shared-version",
        wrong: "two writes of one process have one version",
        breaks: ONE_VALUE,
        search: |hunt, planted| stored(hunt, planted, majority_of::Mistake::SharedVersion, ONE_VALUE),
    },
    Planted {
        name: "abd-register/loses-stored",
        wrong: "what a copy has stored is not written to disk",
        breaks: "linearizable",
        search: |hunt, planted| stored(hunt, planted, majority_of::Mistake::LosesStored, "linearizable"),
    },
    Planted {
        name: "abd-register/half-quorum",
        wrong: "one of two copies is a quorum",
        breaks: "linearizable",
        search: |hunt, planted| stored(hunt, planted, majority_of::Mistake::HalfQuorum, "linearizable"),
    },
    Planted {
        name: "plumtree/forget-with-owner",
        wrong: "with a neighbour that went down all goes that it announced (MUS-33)",
        breaks: "no broadcast is lost",
        search: |hunt, planted| gossiped(hunt, planted, tree_of_gossip::Mistake::ForgetWithOwner),
    },
    Planted {
        name: "plumtree/prune-revokes",
        wrong: "a PRUNE takes announcements back (MUS-33)",
        breaks: "no broadcast is lost",
        search: |hunt, planted| gossiped(hunt, planted, tree_of_gossip::Mistake::PruneRevokes),
    },
    Planted {
        name: "plumtree/graft-only-when-lazy",
        wrong: "a GRAFT over an eager link is taken for a repetition (MUS-33)",
        breaks: "no broadcast is lost",
        search: |hunt, planted| gossiped(hunt, planted, tree_of_gossip::Mistake::GraftOnlyWhenLazy),
    },
    Planted {
        name: "plumtree/ask-once",
        wrong: "an announcer is asked once (the paper's rule)",
        breaks: "no broadcast is lost",
        search: |hunt, planted| gossiped(hunt, planted, tree_of_gossip::Mistake::AskOnce),
    },
    Planted {
        name: "lazy-push/ask-once",
        wrong: "an announcer is asked once",
        breaks: "no broadcast is lost",
        search: |hunt, planted| {
            let mistake = planted.then_some(lazy::Mistake::AskOnce);
            let parameters = lazy_push::Parameters {
                graph: line(2),
                losses: 1,
                crashes: 0,
                channel: Channel::Datagram,
                mistake,
            };
            hunt.search(lazy_push::scenario(parameters), "no broadcast is lost")
        },
    },
    Planted {
        name: "lazy-push/first-announcer-only",
        wrong: "a second announcer is not remembered",
        breaks: "no broadcast is lost",
        search: |hunt, planted| {
            let mistake = planted.then_some(lazy::Mistake::FirstAnnouncerOnly);
            hunt.search(
                lazy_push::scenario(lazy_push::Parameters { mistake, ..Default::default() }),
                "no broadcast is lost",
            )
        },
    },
    Planted {
        name: "hyparview/ignores-disconnect",
        wrong: "who is told that it has lost its place keeps the link",
        breaks: "at rest, views are symmetric",
        search: |hunt, planted| {
            joining(
                hunt,
                planted.then_some(overlay::Mistake::IgnoresDisconnect),
                "at rest, views are symmetric",
            )
        },
    },
    Planted {
        name: "hyparview/drops-silently",
        wrong: "who makes room for another is not told",
        breaks: "at rest, views are symmetric",
        search: |hunt, planted| {
            joining(hunt, planted.then_some(overlay::Mistake::DropsSilently), "at rest, views are symmetric")
        },
    },
    Planted {
        name: "hyparview/keeps-crashed",
        wrong: "a neighbour that crashed stays one",
        breaks: "at rest, views are symmetric",
        search: |hunt, planted| {
            let mistake = planted.then_some(overlay::Mistake::KeepsCrashed);
            let parameters =
                hyparview::Parameters { begin: Begin::Joined, crashes: 1, mistake, ..Default::default() };
            hunt.search(hyparview::scenario(parameters), "at rest, views are symmetric")
        },
    },
    Planted {
        name: "hyparview/stays-candidate",
        wrong: "who becomes a neighbour stays a candidate",
        breaks: "views are sound",
        search: |hunt, planted| {
            joining(hunt, planted.then_some(overlay::Mistake::StaysCandidate), "views are sound")
        },
    },
    Planted {
        name: "store/decides-alone",
        wrong: "who is prepared and hears nothing aborts (MUS-16)",
        breaks: "linearizable",
        search: |hunt, planted| kept(hunt, planted, store::Mistake::DecidesAlone, "linearizable"),
    },
    Planted {
        name: "store/releases-early",
        wrong: "locks are given back with the vote",
        breaks: "linearizable",
        search: |hunt, planted| kept(hunt, planted, store::Mistake::ReleasesEarly, "linearizable"),
    },
    Planted {
        name: "store/forgets-early",
        wrong: "the coordinator forgets a commit before all have acknowledged it",
        breaks: "linearizable",
        search: |hunt, planted| kept(hunt, planted, store::Mistake::ForgetsEarly, "linearizable"),
    },
    Planted {
        name: "store/reads-prepared",
        wrong: "a read does not wait for who is prepared",
        breaks: "linearizable",
        search: |hunt, planted| kept(hunt, planted, store::Mistake::ReadsPrepared, "linearizable"),
    },
    Planted {
        name: "store/forgets-deleted",
        wrong: "a deleted key is forgotten at once, with its version",
        breaks: "linearizable",
        search: |hunt, planted| kept(hunt, planted, store::Mistake::ForgetsDeleted, "linearizable"),
    },
    Planted {
        name: "store/never-wounds",
        wrong: "no transaction gives way to an older one",
        breaks: "nobody waits in a circle",
        search: |hunt, planted| kept(hunt, planted, store::Mistake::NeverWounds, "nobody waits in a circle"),
    },
];

fn commit(hunt: &Hunt, mistake: Option<two_phase_commit::Mistake>) -> Outcome {
    let resources = 4;
    let scenario = two_phase_commit::scenario(resources, mistake);
    let scenario = match hunt.strategy {
        Strategy::Reduced => scenario.symmetric((1..=resources).map(ProcessId)),
        Strategy::Exhaustive | Strategy::Random | Strategy::Pct | Strategy::Swarm => scenario,
    };
    hunt.search(scenario, "consistent")
}

fn decree(hunt: &Hunt, planted: bool, mistake: paxos::Mistake) -> Outcome {
    let scenario = paxos::showing(mistake);
    let config = paxos::Config { mistake: planted.then_some(mistake), ..*scenario.config };
    hunt.search(Scenario { config: config.into(), ..scenario }, "one value is chosen")
}

/// Two proposers, and an acceptor that may crash.
fn duel(hunt: &Hunt, mistake: Option<consensus::paxos::Mistake>) -> Outcome {
    let parameters = consensus::paxos::Parameters { crashes: 1, mistake, ..Default::default() };
    hunt.search(consensus::paxos::scenario(parameters), "one value is decided")
}

fn majority(hunt: &Hunt, planted: bool, mistake: abd::Mistake) -> Outcome {
    let scenario = abd::showing(mistake);
    let config = abd::Config { mistake: planted.then_some(mistake), ..*scenario.config };
    hunt.search(Scenario { config: config.into(), ..scenario }, "linearizable")
}

/// A tree with answers.
fn grown(hunt: &Hunt, mistake: Option<trees::Mistake>, breaks: &str) -> Outcome {
    let parameters = tree::Parameters { answers: Answers::Children, mistake, ..Default::default() };
    hunt.search(tree::scenario(parameters), breaks)
}

/// A tree without.
fn flooded(hunt: &Hunt, mistake: Option<trees::Mistake>, breaks: &str) -> Outcome {
    hunt.search(tree::scenario(tree::Parameters { mistake, ..Default::default() }), breaks)
}

fn in_rounds(hunt: &Hunt, mistake: Option<synchronous::Mistake>, breaks: &str) -> Outcome {
    let graph = if breaks == "everybody is reached" { line(4) } else { ring(4) };
    let parameters = rounds::Parameters { graph, mistake };
    hunt.search(rounds::scenario(parameters), breaks)
}

/// A memory whose order is looked at.
fn ordered() -> memory::Parameters {
    let workload = Workload { clients: 2, ..Workload::default() };
    memory::Parameters { writes: Writes::Delivered, reads: Reads::Ordered, workload, ..Default::default() }
}

fn remembered(hunt: &Hunt, mistake: Option<memories::Mistake>) -> Outcome {
    let workload = Workload { clients: 3, operations: 2, objects: 1, mix: Mix::WriterAndReaders };
    let parameters = memory::Parameters { workload, place: Clients::Attached, mistake, ..Default::default() };
    hunt.search(memory::scenario(parameters), "linearizable")
}

fn backed_up(hunt: &Hunt, mistake: Option<backups::Mistake>, breaks: &str) -> Outcome {
    hunt.search(
        primary_backup::scenario(primary_backup::Parameters { mistake, ..Default::default() }),
        breaks,
    )
}

fn converged(hunt: &Hunt, parameters: multi_master::Parameters) -> Outcome {
    hunt.search(multi_master::scenario(parameters), "at rest, all replicas hold the same")
}

const ONE_VALUE: &str = "no two values have one version";

fn voted(hunt: &Hunt, planted: bool, mistake: votes::Mistake, breaks: &str) -> Outcome {
    let shown = voting::Parameters::showing(mistake);
    hunt.search(voting::scenario(voting::Parameters { mistake: planted.then_some(mistake), ..shown }), breaks)
}

fn stored(hunt: &Hunt, planted: bool, mistake: majority_of::Mistake, breaks: &str) -> Outcome {
    let shown = abd_register::Parameters::showing(mistake);
    let parameters = abd_register::Parameters { mistake: planted.then_some(mistake), ..shown };
    hunt.search(abd_register::scenario(parameters), breaks)
}

fn gossiped(hunt: &Hunt, planted: bool, mistake: tree_of_gossip::Mistake) -> Outcome {
    let shown = plumtree::Parameters::showing(mistake);
    let parameters = plumtree::Parameters { mistake: planted.then_some(mistake), ..shown };
    hunt.search(plumtree::scenario(parameters), "no broadcast is lost")
}

fn joining(hunt: &Hunt, mistake: Option<overlay::Mistake>, breaks: &str) -> Outcome {
    hunt.search(hyparview::scenario(hyparview::Parameters { mistake, ..Default::default() }), breaks)
}

/// The store with a mistake, in the smallest case in which it shows.
fn kept(hunt: &Hunt, planted: bool, mistake: store::Mistake, breaks: &str) -> Outcome {
    let shown = stores::Parameters::showing(mistake);
    let scenario = stores::scenario(stores::Parameters { mistake: planted.then_some(mistake), ..shown });
    hunt.search(scenario.ask(stores::no_circle()), breaks)
}
