//! Chapter CON: replication and consistency.

mod compose;
mod memories;
mod replicas;
mod transactions;

use super::Claim;

/// The claims of the chapter.
pub(super) static CON: &[Claim] = &[
    Claim {
        id: "CON-01",
        statement: "More replicas shorten reads, keep data until the last one is lost, answer until the last one is down, and \
                    serve more reads, each as its closed form says.",
        control: "one replica: the curves for several do not fit it",
        source: "Bernstein, Hadzilacos, Goodman, Concurrency Control and Recovery in Database Systems, 1987, chapter 8",
        run: replicas::con_01,
    },
    Claim {
        id: "CON-02",
        statement: "Replicas that begin alike and do the same updates in the same order are alike in the end.",
        control: "each does them as they come: updates that do not commute leave different memories",
        source: "Lamport, CACM 21 (7), 1978; Schneider, ACM Computing Surveys 22 (4), 1990",
        run: memories::con_02,
    },
    Claim {
        id: "CON-03",
        statement: "Read one, write all, snapshot one, in total order, is sequentially consistent and not linearizable.",
        control: "writes that return when they are sent: a client does not see its own, and the checker refuses it",
        source: "Lamport, IEEE Transactions on Computers 28 (9), 1979; Attiya, Welch, ACM TOCS 12 (2), 1994",
        run: memories::con_03,
    },
    Claim {
        id: "CON-04",
        statement: "Sequential consistency does not compose: two objects that have it each need not have it together.",
        control: "linearizability composes: the same search finds no such history",
        source: "Herlihy, Wing, ACM TOPLAS 12 (3), 1990, sections 3.1 and 3.3",
        run: compose::con_04,
    },
    Claim {
        id: "CON-05",
        statement: "A replicated memory is linearizable when writes wait until every replica has acknowledged them, and reads until \
                    every replica has what they show.",
        control: "without waiting, a history that is not linearizable is found",
        source: "Attiya, Welch, ACM TOCS 12 (2), 1994",
        run: memories::con_05,
    },
    Claim {
        id: "CON-06",
        statement: "A checker decides one-copy serializability; with transactions of one operation, in sessions, that is sequential \
                    consistency.",
        control: "lost update, write skew and a dirty read are refused, each by its name",
        source: "Bernstein, Goodman, ACM TODS 9 (4), 1984; Adya, MIT/LCS/TR-786, 1999",
        run: transactions::con_06,
    },
    Claim {
        id: "CON-07",
        statement: "The levels of consistency form a lattice: no history breaks an implication, and for every two levels that are not \
                    ordered there is a history that separates them.",
        control: "an implication that does not exist (serializable from snapshot isolation) is broken",
        source: "Biswas, Enea, OOPSLA 2019; Viotti, Vukolić, ACM Computing Surveys 49 (1), 2016",
        run: transactions::con_07,
    },
];
