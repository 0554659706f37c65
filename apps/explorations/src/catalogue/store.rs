//! The transactional store.

use isles_quorum::store::Mistake;

use super::{few, one_of};
use crate::case::case;
use crate::exploration::{Exploration, Parameter, Takes};
use crate::scenarios::store::{Mix, Parameters, no_circle, scenario};

pub(super) const STORE: Exploration = Exploration {
    name: "store",
    about: "keys on quorums, transactions by two-phase commit with locks, crashes: is it linearizable? (QUO-04, MUS-16)",
    source: "Gifford, SOSP 1979; Mohan, Lindsay, Obermarck, ACM TODS 11 (4), 1986; Rosenkrantz, Stearns, Lewis, ACM TODS 3 (2), 1978",
    parameters: &[
        Parameter {
            name: "nodes",
            about: "how many nodes; each holds each key",
            takes: Takes::Number { default: 2, least: 1, most: 5 },
        },
        Parameter {
            name: "read",
            about: "how many nodes a read takes",
            takes: Takes::Number { default: 1, least: 1, most: 5 },
        },
        Parameter {
            name: "write",
            about: "how many nodes a write takes",
            takes: Takes::Number { default: 2, least: 1, most: 5 },
        },
        one_of("mix", "what clients do", &["writer-and-reader", "adders", "crosswise", "deleter"]),
        few("crashes", "nodes that crash, any and at any moment", 1, 0, 4),
        few("restarts", "nodes that come back with what is on their disks", 1, 0, 4),
        few("timeouts", "timers that fire when nothing else is under way", 2, 0, 8),
        Parameter {
            name: "mistake",
            about: "who is prepared decides alone after a time-out (MUS-16); locks are given back with the vote; the coordinator forgets \
                    before all have acknowledged; who votes does not look whether it holds the lock; reads do not wait for who is \
                    prepared; nobody is wounded; a deleted key is forgotten at once; each in the smallest case in which it shows, \
                    whatever the rest says",
            takes: Takes::Word(&[
                "none",
                "decides-alone",
                "releases-early",
                "forgets-early",
                "votes-without-lock",
                "reads-prepared",
                "never-wounds",
                "forgets-deleted",
            ]),
        },
    ],
    open: |arguments| {
        let (nodes, read, write) =
            (arguments.number("nodes"), arguments.number("read"), arguments.number("write"));
        if read > nodes || write > nodes || read + write <= nodes || 2 * write <= nodes {
            return Err(format!(
                "quorums must meet: read={read} and write={write} are at most nodes={nodes}, and read + write and 2 write are more"
            ));
        }
        let mix = match arguments.word("mix") {
            "adders" => Mix::Adders,
            "crosswise" => Mix::Crosswise,
            "deleter" => Mix::Deleter,
            _ => Mix::WriterAndReader,
        };
        let few = |name| arguments.number(name) as u8;
        let mistake = match arguments.word("mistake") {
            "decides-alone" => Some(Mistake::DecidesAlone),
            "releases-early" => Some(Mistake::ReleasesEarly),
            "forgets-early" => Some(Mistake::ForgetsEarly),
            "votes-without-lock" => Some(Mistake::VotesWithoutLock),
            "reads-prepared" => Some(Mistake::ReadsPrepared),
            "never-wounds" => Some(Mistake::NeverWounds),
            "forgets-deleted" => Some(Mistake::ForgetsDeleted),
            _ => None,
        };
        let (crashes, restarts, timeouts) = (few("crashes"), few("restarts"), few("timeouts"));
        let asked = Parameters { nodes, read, write, mix, crashes, restarts, timeouts, mistake };
        let parameters = match mistake {
            Some(mistake) => Parameters { mistake: asked.mistake, ..Parameters::showing(mistake) },
            None => asked,
        };
        let scenario = scenario(parameters);
        // Who crashes leaves others waiting.
        Ok(case(if parameters.crashes == 0 { scenario.ask(no_circle()) } else { scenario }))
    },
};
