//! Registers of quorums.

use isles_explore::Script;
use isles_quorum::register::Op;
use isles_quorum::{abd, voting};

use super::{few, one_of};
use crate::case::case;
use crate::exploration::{Arguments, Exploration, Parameter, Takes};
use crate::scenarios::voting::{at, in_turn, two_writers, writer_and_reader};
use crate::scenarios::{abd_register, voting as votes};

const MIX: Parameter = one_of(
    "mix",
    "two writers; one that writes at p0 while another reads at p1 and p2; one that writes at p0, at p1, and reads at the last copy",
    &["two-writers", "writer-and-reader", "in-turn"],
);

fn clients(arguments: &Arguments, copies: u32) -> Vec<Script<Op>> {
    match arguments.word("mix") {
        "writer-and-reader" => writer_and_reader(),
        "in-turn" => in_turn(&[at(0, Op::Write(1)), at(1, Op::Write(2)), at(copies - 1, Op::Read)]),
        _ => two_writers(),
    }
}

const CRASHES: Parameter = few("crashes", "crashes, of any process; it starts again with its disk", 0, 0, 2);
const TIMEOUTS: Parameter = few("timeouts", "timers that fire", 0, 0, 8);

pub(super) const VOTING: Exploration = Exploration {
    name: "voting",
    about: "a register of copies with votes: linearizable, and never two values of one version? (QUO-01, 02, 03, MUS-14)",
    source: "Gifford, Weighted Voting for Replicated Data, SOSP 1979",
    parameters: &[
        few("copies", "how many copies, each with one vote", 3, 3, 5),
        few("heavy", "votes of p0", 1, 1, 4),
        few("read", "votes that a read needs; quorums that do not meet are the control", 2, 1, 8),
        few("write", "votes that a write needs", 2, 1, 8),
        MIX,
        few(
            "cuts",
            "partitions that cut p0 off; nothing else is late then, and two timers fire at least",
            0,
            0,
            2,
        ),
        CRASHES,
        TIMEOUTS,
        one_of(
            "mistake",
            "naive: writes are no transactions; readers do not wait for locks; what is locked or decided is not on disk; a write goes by \
             its own copy's version",
            &["none", "naive", "passes-locks", "loses-prepared", "loses-decision", "own-version"],
        ),
    ],
    open: |arguments| {
        let copies = arguments.number("copies");
        let mut weights = vec![1; copies as usize];
        weights[0] = arguments.number("heavy");
        let (read, write, all) = (arguments.number("read"), arguments.number("write"), weights.iter().sum());
        if read.max(write) > all {
            return Err(format!("a quorum of {} votes, and there are {all}", read.max(write)));
        }
        let mistake = match arguments.word("mistake") {
            "naive" => Some(voting::Mistake::Naive),
            "passes-locks" => Some(voting::Mistake::PassesLocks),
            "loses-prepared" => Some(voting::Mistake::LosesPrepared),
            "loses-decision" => Some(voting::Mistake::LosesDecision),
            "own-version" => Some(voting::Mistake::OwnVersion),
            _ => None,
        };
        let (cuts, timeouts) = (arguments.number("cuts") as u8, arguments.number("timeouts") as u8);
        Ok(case(votes::scenario(votes::Parameters {
            votes: weights,
            read,
            write,
            clients: clients(arguments, copies),
            cuts,
            crashes: arguments.number("crashes") as u8,
            timeouts: if cuts > 0 { timeouts.max(2) } else { timeouts },
            mistake,
        })))
    },
};

pub(super) const ABD_REGISTER: Exploration = Exploration {
    name: "abd-register",
    about: "the register of a majority with copies on disk: linearizable, and never two values of one version?",
    source: "Attiya, Bar-Noy, Dolev, JACM 42 (1), 1995; Lynch, Shvartsman, FTCS 1997",
    parameters: &[
        Parameter { takes: Takes::Number { default: 3, least: 3, most: 5 }, ..super::REPLICAS },
        MIX,
        CRASHES,
        TIMEOUTS,
        one_of(
            "mistake",
            "reads do not write back; two writes of a process may share a version; what is stored is not on disk; half of the copies are \
             enough; each with the smallest case in which it shows, whatever the others say",
            &["none", "skips-write-back", "shared-version", "loses-stored", "half-quorum"],
        ),
    ],
    open: |arguments| {
        let replicas = arguments.number("replicas");
        let mistake = match arguments.word("mistake") {
            "skips-write-back" => Some(abd::Mistake::SkipsWriteBack),
            "shared-version" => Some(abd::Mistake::SharedVersion),
            "loses-stored" => Some(abd::Mistake::LosesStored),
            "half-quorum" => Some(abd::Mistake::HalfQuorum),
            _ => None,
        };
        let parameters = mistake.map_or_else(
            || abd_register::Parameters {
                replicas,
                clients: clients(arguments, replicas),
                crashes: arguments.number("crashes") as u8,
                timeouts: arguments.number("timeouts") as u8,
                mistake: None,
            },
            abd_register::Parameters::showing,
        );
        Ok(case(abd_register::scenario(parameters)))
    },
};
