//! All explorations.

mod registers;
mod store;

use isles_gossip::lazy_push::Mistake as LazyMistake;
use isles_gossip::plumtree::Mistake;
use isles_graph::{Graph, complete, line, ring, star};
use isles_kernel::{Channel, ProcessId};
use isles_replication::memory::{Reads, Writes};
use isles_replication::multi_master::Rule;
use isles_replication::primary_backup::Mode;
use isles_trees::rounds::Mistake as RoundsMistake;
use isles_trees::tree::{Answers, Mistake as TreeMistake};

use crate::case::{case, case_of_equals};
use crate::exploration::{Arguments, Exploration, Parameter, Takes};
use crate::judge::Promise;
use crate::models::{abd, paxos, register, single_copy, two_phase_commit};
use crate::scenarios::consensus::{ben_or, paxos as duel};
use crate::scenarios::{
    election, gossip_node, hyparview, lazy_push, memory, multi_master, plumtree, primary_backup, rounds, tree,
};
use crate::workload::{Mix, Workload};

/// What can be explored by name.
pub const EXPLORATIONS: &[Exploration] = &[
    TWO_PHASE_COMMIT,
    PAXOS,
    ABD,
    SINGLE_COPY,
    TREE,
    MEMORY,
    PRIMARY_BACKUP,
    MULTI_MASTER,
    registers::VOTING,
    registers::ABD_REGISTER,
    PLUMTREE,
    HYPARVIEW,
    GOSSIP_NODE,
    LAZY_PUSH,
    store::STORE,
    ROUNDS,
    ELECTION,
    DUEL,
    BEN_OR,
];

// A majority of one asks nobody, and these hear of majorities by messages.
const SERVERS: Parameter = Parameter {
    name: "servers",
    about: "how many servers",
    takes: Takes::Number { default: 3, least: 2, most: 7 },
};

const CLIENTS: Parameter = Parameter {
    name: "clients",
    about: "each writes a value of its own at one server and reads at the next",
    takes: Takes::Number { default: 2, least: 1, most: 16 },
};

const TWO_PHASE_COMMIT: Exploration = Exploration {
    name: "two-phase-commit",
    about: "a transaction manager and resource managers, without failures: do all decide alike?",
    source: "Gray, Lamport, Consensus on Transaction Commit, ACM TODS 31 (1), 2006, section 2",
    parameters: &[
        Parameter {
            name: "managers",
            about: "how many resource managers",
            takes: Takes::Number { default: 3, least: 1, most: 30 },
        },
        Parameter {
            name: "mistake",
            about: "hasty: it commits when all but one are prepared; a message counts twice; a timer is not disarmed; who is prepared aborts",
            takes: Takes::Word(&["none", "hasty", "counts-messages", "stale-timer", "aborts-prepared"]),
        },
    ],
    open: |arguments| {
        let managers = arguments.number("managers");
        let scenario = two_phase_commit::scenario(
            managers,
            match arguments.word("mistake") {
                "hasty" => Some(two_phase_commit::Mistake::Hasty),
                "counts-messages" => Some(two_phase_commit::Mistake::CountsMessages),
                "stale-timer" => Some(two_phase_commit::Mistake::StaleTimer),
                "aborts-prepared" => Some(two_phase_commit::Mistake::AbortsPrepared),
                _ => None,
            },
        );
        Ok(case_of_equals(scenario, |scenario| {
            let managers = scenario.processes - 1;
            scenario.symmetric((1..=managers).map(ProcessId))
        }))
    },
};

const PAXOS: Exploration = Exploration {
    name: "paxos",
    about: "single-decree Paxos as a register that is written once: is it linearizable?",
    source: "Lamport, Paxos Made Simple, 2001",
    parameters: &[
        SERVERS,
        CLIENTS,
        Parameter {
            name: "mistake",
            about: "forgetful: a leader ignores what others have accepted; half of the servers decide; the oldest of what was accepted \
                    counts; promises are not kept; promises do not say what was accepted",
            takes: Takes::Word(&[
                "none",
                "forgetful",
                "half-quorum",
                "oldest",
                "no-promise",
                "silent-promise",
            ]),
        },
    ],
    open: |arguments| {
        let servers = arguments.number("servers");
        let mistake = match arguments.word("mistake") {
            "forgetful" => Some(paxos::Mistake::Forgetful),
            "half-quorum" => Some(paxos::Mistake::HalfQuorum),
            "oldest" => Some(paxos::Mistake::Oldest),
            "no-promise" => Some(paxos::Mistake::NoPromise),
            "silent-promise" => Some(paxos::Mistake::SilentPromise),
            _ => None,
        };
        let config = paxos::Config { servers, mistake };
        Ok(case(register::scenario::<paxos::Paxos>(servers, arguments.number("clients"), config)))
    },
};

const ABD: Exploration = Exploration {
    name: "abd",
    about: "a register on a majority of servers with several writers: is it linearizable?",
    source: "Attiya, Bar-Noy, Dolev, Sharing Memory Robustly in Message-Passing Systems, JACM 42 (1), 1995",
    parameters: &[
        Parameter { takes: Takes::Number { default: 2, least: 2, most: 7 }, ..SERVERS },
        CLIENTS,
        Parameter {
            name: "mistake",
            about: "no-write-back: reads do not write back what they read; half of the servers are enough; a write goes by its own \
                    server's version; versions are not compared; writes are answered early; each with the smallest case in which it \
                    shows, whatever servers and clients say",
            takes: Takes::Word(&[
                "none",
                "no-write-back",
                "half-quorum",
                "own-version",
                "no-versions",
                "answers-early",
            ]),
        },
    ],
    open: |arguments| {
        let servers = arguments.number("servers");
        let mistake = match arguments.word("mistake") {
            "no-write-back" => Some(abd::Mistake::SkipsWriteBack),
            "half-quorum" => Some(abd::Mistake::HalfQuorum),
            "own-version" => Some(abd::Mistake::OwnVersion),
            "no-versions" => Some(abd::Mistake::NoVersions),
            "answers-early" => Some(abd::Mistake::AnswersEarly),
            _ => None,
        };
        if let Some(mistake) = mistake {
            return Ok(case(abd::showing(mistake)));
        }
        let config = abd::Config { servers, mistake };
        Ok(case(register::scenario::<abd::Abd>(servers, arguments.number("clients"), config)))
    },
};

const SINGLE_COPY: Exploration = Exploration {
    name: "single-copy",
    about: "servers that each have a register and tell nobody: linearizable with one server, and not with two",
    source: "an example of Stateright",
    parameters: &[Parameter { takes: Takes::Number { default: 1, least: 1, most: 7 }, ..SERVERS }, CLIENTS],
    open: |arguments| {
        let (servers, clients) = (arguments.number("servers"), arguments.number("clients"));
        Ok(case(register::scenario::<single_copy::SingleCopy>(servers, clients, ())))
    },
};

/// So much of something, from nothing on.
const fn few(name: &'static str, about: &'static str, default: u64, least: u64, most: u64) -> Parameter {
    Parameter { name, about, takes: Takes::Number { default, least, most } }
}

/// One of these, the first if nothing is said.
const fn one_of(name: &'static str, about: &'static str, words: &'static [&'static str]) -> Parameter {
    Parameter { name, about, takes: Takes::Word(words) }
}

const GRAPH: Parameter = one_of("graph", "who is whose neighbour", &["ring", "line", "star", "complete"]);

fn graph(arguments: &Arguments) -> Graph {
    let nodes = arguments.number("processes");
    match arguments.word("graph") {
        "line" => line(nodes),
        "star" => star(nodes),
        "complete" => complete(nodes).expect("a few nodes"),
        _ => ring(nodes),
    }
}

const PROMISE: Parameter =
    one_of("promise", "what is asked of histories", &["linearizable", "sequential", "none"]);

fn promise(arguments: &Arguments) -> Promise {
    match arguments.word("promise") {
        "linearizable" => Promise::Linearizable,
        "sequential" => Promise::Sequential,
        _ => Promise::None,
    }
}

const fn clients(default: u64) -> Parameter {
    few("clients", "clients, each at a replica of its own as far as there are", default, 1, 8)
}

const OPERATIONS: Parameter = few("operations", "operations of each client, one after the other", 2, 1, 8);
const OBJECTS: Parameter = few("objects", "objects that they are about", 1, 1, 4);
const REPLICAS: Parameter = few("replicas", "how many replicas", 2, 1, 5);

const TREE: Exploration = Exploration {
    name: "tree",
    about: "a spanning tree by flooding: do parents always form a tree, and is everybody reached? (TREE-08)",
    source: "Lynch, Distributed Algorithms, 1996, section 15.3",
    parameters: &[
        few("processes", "how many processes; p0 is the root", 4, 1, 6),
        GRAPH,
        one_of("answers", "how searches are answered", &["none", "children", "acks", "echo"]),
        one_of("channels", "what channels do", &["reliable", "unordered", "lossy", "doubling"]),
        few("faults", "losses or repetitions, of such channels", 1, 1, 8),
        one_of(
            "mistake",
            "a process reports to all its neighbours nearer to the root, or before its children have",
            &["none", "report-to-all", "report-early"],
        ),
    ],
    open: |arguments| {
        let faults = arguments.number("faults") as u8;
        let channels = match arguments.word("channels") {
            "unordered" => tree::Channels::Unordered,
            "lossy" => tree::Channels::Lossy(faults),
            "doubling" => tree::Channels::Doubling(faults),
            _ => tree::Channels::Reliable,
        };
        let (mistake, needed) = match arguments.word("mistake") {
            "report-to-all" => (Some(TreeMistake::ReportToAll), Answers::Children),
            "report-early" => (Some(TreeMistake::ReportEarly), Answers::Children),
            _ => (None, Answers::None),
        };
        let answers = match arguments.word("answers") {
            "children" => Answers::Children,
            "acks" => Answers::Acks,
            "echo" => Answers::Echo,
            _ => needed,
        };
        if mistake.is_some() && answers != needed {
            return Err("these mistakes go with answers=children".to_owned());
        }
        let graph = graph(arguments);
        Ok(case(tree::scenario(tree::Parameters { graph, answers, forget: false, channels, mistake })))
    },
};

const MEMORY: Exploration = Exploration {
    name: "memory",
    about: "read one, write all in total order: sequentially consistent or linearizable? (CON-03, CON-05)",
    source: "Attiya, Welch, Sequential Consistency versus Linearizability, ACM TOCS 12 (2), 1994",
    parameters: &[
        REPLICAS,
        one_of("writes", "when writes return", &["acknowledged", "delivered", "at-once"]),
        one_of("reads", "when reads return", &["stable", "after-own-writes", "at-once", "ordered"]),
        clients(2),
        OPERATIONS,
        OBJECTS,
        one_of("mix", "what clients do", &["writes-and-reads", "writer-and-readers", "writes-and-snapshots"]),
        PROMISE,
    ],
    open: |arguments| {
        let mix = match arguments.word("mix") {
            "writer-and-readers" => Mix::WriterAndReaders,
            "writes-and-snapshots" => Mix::WritesAndSnapshots,
            _ => Mix::WritesAndReads,
        };
        let writes = match arguments.word("writes") {
            "delivered" => Writes::Delivered,
            "at-once" => Writes::AtOnce,
            _ => Writes::Acknowledged,
        };
        let reads = match arguments.word("reads") {
            "after-own-writes" => Reads::AfterOwnWrites,
            "at-once" => Reads::AtOnce,
            "ordered" => Reads::Ordered,
            _ => Reads::Stable,
        };
        if reads == Reads::Stable && writes != Writes::Acknowledged {
            return Err(
                "reads=stable needs writes=acknowledged: nothing else tells who has done what".to_owned()
            );
        }
        let workload = workload(arguments, mix);
        let (replicas, promise) = (arguments.number("replicas"), promise(arguments));
        let parameters =
            memory::Parameters { replicas, writes, reads, workload, promise, ..Default::default() };
        Ok(case(memory::scenario(parameters)))
    },
};

fn workload(arguments: &Arguments, mix: Mix) -> Workload {
    let Workload { objects, .. } = Workload::default();
    let known = |name| arguments.try_number(name);
    Workload {
        clients: arguments.number("clients"),
        operations: arguments.number("operations"),
        objects: known("objects").unwrap_or(objects),
        mix,
    }
}

const PRIMARY_BACKUP: Exploration = Exploration {
    name: "primary-backup",
    about: "a primary, its backups, and crashes: does what was acknowledged survive?",
    source: "Alsberg, Day, 1976; Budhiraja, Marzullo, Schneider, Toueg, The Primary-Backup Approach, 1993",
    parameters: &[
        Parameter { takes: Takes::Number { default: 3, least: 1, most: 5 }, ..REPLICAS },
        one_of("mode", "when updates are answered", &["synchronous", "lazy"]),
        few("crashes", "replicas that crash, any and at any moment", 1, 0, 4),
        one_of("reads", "who answers reads", &["primary", "anywhere"]),
        clients(2),
        OPERATIONS,
        PROMISE,
    ],
    open: |arguments| {
        let parameters = primary_backup::Parameters {
            replicas: arguments.number("replicas"),
            mode: if arguments.word("mode") == "lazy" { Mode::Lazy } else { Mode::Synchronous },
            read_anywhere: arguments.word("reads") == "anywhere",
            crashes: arguments.number("crashes") as u8,
            workload: workload(arguments, Mix::WriterAndReaders),
            promise: promise(arguments),
            mistake: None,
        };
        Ok(case(primary_backup::scenario(parameters)))
    },
};

const MULTI_MASTER: Exploration = Exploration {
    name: "multi-master",
    about: "replicas that do every update at once: are they equal at last?",
    source: "Saito, Shapiro, Optimistic Replication, ACM Computing Surveys 37 (1), 2005",
    parameters: &[
        Parameter { takes: Takes::Number { default: 3, least: 1, most: 5 }, ..REPLICAS },
        one_of("rule", "in which order updates count", &["last-writer", "arrival"]),
        clients(3),
        OPERATIONS,
        one_of("promise", "what is asked of histories", &["none", "sequential", "linearizable"]),
    ],
    open: |arguments| {
        let parameters = multi_master::Parameters {
            replicas: arguments.number("replicas"),
            rule: if arguments.word("rule") == "arrival" { Rule::Arrival } else { Rule::LastWriter },
            workload: workload(arguments, Mix::SetsAndAdds),
            promise: promise(arguments),
            mistake: None,
        };
        Ok(case(multi_master::scenario(parameters)))
    },
};

const PLUMTREE: Exploration = Exploration {
    name: "plumtree",
    about: "broadcasts over links that stay: is one ever lost, and does all come to rest? (MUS-33)",
    source: "Leitao, Pereira, Rodrigues, Epidemic Broadcast Trees, SRDS 2007",
    parameters: &[
        few("processes", "how many processes, of which p0 broadcasts", 4, 2, 6),
        GRAPH,
        few("broadcasts", "broadcasts of p0, one after the other", 1, 1, 4),
        few("settled", "of which so many have arrived before", 0, 0, 3),
        few("losses", "messages that may be lost; all are datagrams then", 0, 0, 4),
        few("crashes", "processes that may crash", 0, 0, 4),
        few("passes", "how often an announcer is asked", 2, 1, 4),
        one_of(
            "mistake",
            "one of the museum, each with the smallest case in which it shows; the other parameters are of no use then",
            &["none", "forget-with-owner", "prune-revokes", "graft-only-when-lazy", "ask-once"],
        ),
    ],
    open: |arguments| {
        let losses = arguments.number("losses") as u8;
        let broadcasts = arguments.number("broadcasts") as usize;
        let settled = arguments.number("settled") as usize;
        if settled > broadcasts {
            return Err(format!("{settled} of {broadcasts} broadcasts cannot have arrived"));
        }
        let parameters = match arguments.word("mistake") {
            "forget-with-owner" => plumtree::Parameters::showing(Mistake::ForgetWithOwner),
            "prune-revokes" => plumtree::Parameters::showing(Mistake::PruneRevokes),
            "graft-only-when-lazy" => plumtree::Parameters::showing(Mistake::GraftOnlyWhenLazy),
            "ask-once" => plumtree::Parameters::showing(Mistake::AskOnce),
            _ => plumtree::Parameters {
                graph: graph(arguments),
                origins: vec![0; broadcasts],
                settled,
                channel: if losses > 0 { Channel::Datagram } else { Channel::Stream },
                losses,
                crashes: arguments.number("crashes") as u8,
                graft_passes_max: arguments.number("passes") as u8,
                ..plumtree::Parameters::default()
            },
        };
        Ok(case(plumtree::scenario(parameters)))
    },
};

// With one neighbour each, joins of more than two drive one another out for ever.
const ACTIVE: Parameter = few("active", "neighbours at most", 2, 2, 4);
const PASSIVE: Parameter = few("passive", "candidates at most", 2, 1, 4);
const TIMEOUTS: Parameter = few("timeouts", "timers that fire, each at any moment", 0, 0, 8);

const HYPARVIEW: Exploration = Exploration {
    name: "hyparview",
    about: "an overlay of a few processes: do views stay symmetric, and those that live connected?",
    source: "Leitao, Pereira, Rodrigues, HyParView, DSN 2007",
    parameters: &[
        few("processes", "how many processes", 4, 2, 5),
        ACTIVE,
        PASSIVE,
        one_of("begin", "where it begins: all join at once, or have joined", &["joining", "joined"]),
        TIMEOUTS,
        few("crashes", "processes that may crash for ever", 0, 0, 3),
    ],
    open: |arguments| {
        let joined = arguments.word("begin") == "joined";
        Ok(case(hyparview::scenario(hyparview::Parameters {
            processes: arguments.number("processes"),
            active_max: arguments.number("active") as usize,
            passive_max: arguments.number("passive") as usize,
            begin: if joined { hyparview::Begin::Joined } else { hyparview::Begin::Joining },
            timeouts: arguments.number("timeouts") as u8,
            crashes: arguments.number("crashes") as u8,
            mistake: None,
        })))
    },
};

const GOSSIP_NODE: Exploration = Exploration {
    name: "gossip-node",
    about: "Plumtree over HyParView: is a broadcast lost while those that live are connected?",
    source: "Leitao, Pereira, Rodrigues, DSN 2007 and SRDS 2007",
    parameters: &[
        few("processes", "how many processes, which have joined; p0 broadcasts", 4, 2, 5),
        ACTIVE,
        PASSIVE,
        few("broadcasts", "broadcasts of p0; the first has arrived before", 2, 1, 4),
        Parameter { takes: Takes::Number { default: 2, least: 0, most: 8 }, ..TIMEOUTS },
        few("crashes", "processes that may crash for ever", 1, 0, 3),
        one_of("catch-up", "whether a new neighbour is announced what has arrived", &["off", "on"]),
    ],
    open: |arguments| {
        Ok(case(gossip_node::scenario(gossip_node::Parameters {
            processes: arguments.number("processes"),
            active_max: arguments.number("active") as usize,
            passive_max: arguments.number("passive") as usize,
            origins: vec![0; arguments.number("broadcasts") as usize],
            settled: true,
            timeouts: arguments.number("timeouts") as u8,
            crashes: arguments.number("crashes") as u8,
            catch_up: arguments.word("catch-up") == "on",
        })))
    },
};

const LAZY_PUSH: Exploration = Exploration {
    name: "lazy-push",
    about: "a broadcast that is announced and asked for: is it lost when a process crashes or a message vanishes?",
    source: "Leitao, Pereira, Rodrigues, Gossip-Based Broadcast, 2010",
    parameters: &[
        few("processes", "how many processes, of which p0 broadcasts", 3, 2, 6),
        GRAPH,
        few("losses", "messages that may be lost; all are datagrams then", 0, 0, 4),
        few("crashes", "processes that may crash", 1, 0, 4),
        one_of(
            "mistake",
            "an announcer is asked once, or only the first one is remembered",
            &["none", "ask-once", "first-announcer-only"],
        ),
    ],
    open: |arguments| {
        let losses = arguments.number("losses") as u8;
        let mistake = match arguments.word("mistake") {
            "ask-once" => Some(LazyMistake::AskOnce),
            "first-announcer-only" => Some(LazyMistake::FirstAnnouncerOnly),
            _ => None,
        };
        Ok(case(lazy_push::scenario(lazy_push::Parameters {
            graph: graph(arguments),
            channel: if losses > 0 { Channel::Datagram } else { Channel::Stream },
            losses,
            crashes: arguments.number("crashes") as u8,
            mistake,
        })))
    },
};

const ROUNDS: Exploration = Exploration {
    name: "rounds",
    about: "SyncBFS in rounds that a synchronizer makes: is the tree breadth-first whatever messages take?",
    source: "Lynch, Distributed Algorithms, 1996, sections 4.2 and 16.2",
    parameters: &[
        few("processes", "how many processes; p0 is the root", 4, 1, 5),
        GRAPH,
        one_of(
            "mistake",
            "a round ends when one neighbour was heard, or what came early is lost",
            &["none", "hears-one", "loses-early"],
        ),
    ],
    open: |arguments| {
        let mistake = match arguments.word("mistake") {
            "hears-one" => Some(RoundsMistake::HearsOne),
            "loses-early" => Some(RoundsMistake::LosesEarly),
            _ => None,
        };
        Ok(case(rounds::scenario(rounds::Parameters { graph: graph(arguments), mistake })))
    },
};

const ELECTION: Exploration = Exploration {
    name: "election",
    about: "everybody grows a tree and waits for its end: does exactly one lead, and does everybody know? (TREE-12)",
    source: "Lynch, Distributed Algorithms, 1996, section 15.3",
    parameters: &[
        few("processes", "how many processes", 3, 1, 4),
        one_of("graph", "who is whose neighbour", &["line", "ring", "star", "complete"]),
        one_of("answers", "how searches are answered", &["echo", "children", "acks"]),
    ],
    open: |arguments| {
        let answers = match arguments.word("answers") {
            "children" => Answers::Children,
            "acks" => Answers::Acks,
            _ => Answers::Echo,
        };
        let parameters = election::Parameters { graph: graph(arguments), answers, mistake: None };
        Ok(case(election::scenario(parameters)))
    },
};

const LEADER: Parameter =
    one_of("leader", "nobody, or p0: the control, with which it always ends", &["none", "p0"]);

fn leader(arguments: &Arguments) -> Option<ProcessId> {
    (arguments.word("leader") == "p0").then_some(ProcessId(0))
}

const DUEL: Exploration = Exploration {
    name: "duel",
    about: "two proposers of Paxos: both decisions are possible, and a fair run decides nothing for ever (FLP)",
    source: "Fischer, Lynch, Paterson, Impossibility of Distributed Consensus with One Faulty Process, JACM 32 (2), 1985",
    parameters: &[
        LEADER,
        few("crashes", "crashes; who crashes starts again with what was on its disk", 0, 0, 3),
        one_of(
            "mistake",
            "what is accepted is told before it is on disk, or it or a promise is not written; these need a crash",
            &["none", "tells-before-disk", "loses-accepted", "loses-promise"],
        ),
    ],
    open: |arguments| {
        let mistake = match arguments.word("mistake") {
            "tells-before-disk" => Some(duel::Mistake::TellsBeforeDisk),
            "loses-accepted" => Some(duel::Mistake::LosesAccepted),
            "loses-promise" => Some(duel::Mistake::LosesPromise),
            _ => None,
        };
        Ok(case(duel::scenario(duel::Parameters {
            leader: leader(arguments),
            crashes: arguments.number("crashes") as u8,
            mistake,
            ..duel::Parameters::default()
        })))
    },
};

const BEN_OR: Exploration = Exploration {
    name: "ben-or",
    about: "rounds with a rule in place of the coin: a fair run decides nothing for ever (FLP); bound it, it never ends",
    source: "Ben-Or, Another Advantage of Free Choice, PODC 1983; Fischer, Lynch, Paterson, JACM 32 (2), 1985",
    parameters: &[LEADER, few("crashes", "processes that may crash for ever", 0, 0, 1)],
    open: |arguments| {
        Ok(case(ben_or::scenario(ben_or::Parameters {
            leader: leader(arguments),
            crashes: arguments.number("crashes") as u8,
            ..ben_or::Parameters::default()
        })))
    },
};
