//! All explorations.

use isles_kernel::ProcessId;

use crate::case::{case, case_of_equals};
use crate::exploration::{Exploration, Parameter, Takes};
use crate::models::{abd, paxos, register, single_copy, two_phase_commit};

/// What can be explored by name.
pub const EXPLORATIONS: &[Exploration] = &[TWO_PHASE_COMMIT, PAXOS, ABD, SINGLE_COPY];

const SERVERS: Parameter = Parameter {
    name: "servers",
    about: "how many servers",
    takes: Takes::Number { default: 3, least: 1, most: 7 },
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
            about: "hasty: it commits when all but one are prepared",
            takes: Takes::Word(&["none", "hasty"]),
        },
    ],
    open: |arguments| {
        let managers = arguments.number("managers");
        let scenario = two_phase_commit::scenario(managers, arguments.word("mistake") == "hasty");
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
            about: "forgetful: a leader ignores what others have accepted",
            takes: Takes::Word(&["none", "forgetful"]),
        },
    ],
    open: |arguments| {
        let servers = arguments.number("servers");
        let config = paxos::Config { servers, forgetful: arguments.word("mistake") == "forgetful" };
        Ok(case(register::scenario::<paxos::Paxos>(servers, arguments.number("clients"), config)))
    },
};

const ABD: Exploration = Exploration {
    name: "abd",
    about: "a register on a majority of servers with several writers: is it linearizable?",
    source: "Attiya, Bar-Noy, Dolev, Sharing Memory Robustly in Message-Passing Systems, JACM 42 (1), 1995",
    parameters: &[
        Parameter { takes: Takes::Number { default: 2, least: 1, most: 7 }, ..SERVERS },
        CLIENTS,
        Parameter {
            name: "mistake",
            about: "no-write-back: reads do not write back what they read",
            takes: Takes::Word(&["none", "no-write-back"]),
        },
    ],
    open: |arguments| {
        let servers = arguments.number("servers");
        let config = abd::Config { servers, skip_write_back: arguments.word("mistake") == "no-write-back" };
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
