//! Chapter QUO: registers of quorums.

mod explored;
mod measured;
mod simulated;

use super::Claim;

pub(super) use simulated::mus_14;

/// The claims of the chapter.
pub(super) static QUO: &[Claim] = &[
    Claim {
        id: "QUO-01",
        statement: "Copies with votes, read by r and written by w of them under versions, are linearizable when r + w > V and 2 w > V, with \
                    crashes and partitions, too.",
        control: "r + w = V: a stale read is found; 2 w = V: two values of one version are found",
        source: "Gifford, SOSP 1979, section 3",
        run: simulated::quo_01,
    },
    Claim {
        id: "QUO-02",
        statement: "A naive quorum write that a partition cuts short leaves a value whose version the next write uses again; exploration \
                    finds the shortest way.",
        control: "with transactions no such state exists within the bounds; without a partition none does naively",
        source: "Gifford, SOSP 1979, section 2 (transactional storage is assumed); textbooks",
        run: explored::quo_02,
    },
    Claim {
        id: "QUO-03",
        statement: "Two naive quorum writes at the same time take the same version; exploration finds the shortest way.",
        control: "with transactions no such state exists within the bounds; naively one after the other none does",
        source: "Gifford, SOSP 1979, section 2 (transactional storage is assumed); textbooks",
        run: explored::quo_03,
    },
    Claim {
        id: "QUO-04",
        statement: "Two-phase commit with locks on quorums, with the node a client talks to as coordinator, is linearizable with transactions of \
                    several keys and crashes at any boundary of durability; waiting in a circle is possible and is ended by wounds; a \
                    coordinator that is lost at the wrong time blocks whoever has promised, until it is back.",
        control: "no wounds: a circle of waiting is found; locks given back with the vote: lost updates are found",
        source: "Gray 1978, section 5.8; Mohan, Lindsay, Obermarck, ACM TODS 11 (4), 1986; Rosenkrantz, Stearns, Lewis, ACM TODS 3 (2), 1978",
        run: super::quo_transactions::quo_04,
    },
    Claim {
        id: "QUO-05",
        statement: "For every (r, w) of five copies, from read one and write all on, latency and availability are those of the closed forms; \
                    lowering one quorum raises the other, and with it what the other operation costs.",
        control: "the closed form of a quorum of one vote more does not fit",
        source: "Gifford, SOSP 1979, section 5; order statistics",
        run: measured::quo_05,
    },
    Claim {
        id: "QUO-06",
        statement: "Twelve copies with w = 7 and r = 6 write with any 5 down and read with any 6 down, and with no more; a client is answered \
                    alike whether those have crashed, are cut off or stand still.",
        control: "with r = 7 reads do not outlast 6; and a client tells one copy more from one copy less",
        source: "Gifford, SOSP 1979; Fischer, Lynch, Paterson, JACM 32 (2), 1985 (slow and dead look alike)",
        run: measured::quo_06,
    },
];
