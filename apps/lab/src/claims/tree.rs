//! Chapter TREE: spanning trees, and what is found by them.

mod every_root;
mod explored;
mod flooded;
mod in_rounds;
mod world;

use super::Claim;

/// The claims of the chapter.
pub(super) static TREE: &[Claim] = &[
    Claim {
        id: "TREE-01",
        statement: "SyncBFS, in a synchronous network of unknown size whose edges may lead one way, grows a breadth-first tree in as \
                    many rounds as the farthest process is far, with exactly one search over every directed edge.",
        control: "the same protocol without rounds, over links of random latency",
        source: "Lynch, Distributed Algorithms, 1996, section 4.2",
        run: in_rounds::tree_01,
    },
    Claim {
        id: "TREE-02",
        statement: "Everybody learns its children by parent and non-parent replies, in undirected graphs and, by routing replies, \
                    in strongly connected directed ones; with all that goes over an edge in a round as one message, those are \
                    O(diam · E) messages.",
        control: "replies that have no edge to go back over are lost",
        source: "Lynch, Distributed Algorithms, 1996, section 4.2",
        run: in_rounds::tree_02,
    },
    Claim {
        id: "TREE-03",
        statement: "The root learns by convergecast that the tree is finished: never before everybody has finished, and no later than \
                    twice the eccentricity and two rounds.",
        control: "a process reports before its children do",
        source: "Lynch, Distributed Algorithms, 1996, section 4.2",
        run: in_rounds::tree_03,
    },
    Claim {
        id: "TREE-04",
        statement: "A payload that the searches carry costs no message and arrives in time for the eccentricity; one that goes down the \
                    finished tree costs n - 1 messages and thrice the time.",
        control: "a second flood in place of the finished tree",
        source: "Lynch, Distributed Algorithms, 1996, section 4.2",
        run: in_rounds::tree_04,
    },
    Claim {
        id: "TREE-05",
        statement: "A value gathered up the tree counts every process once, for any commutative monoid.",
        control: "every neighbour nearer to the root is reported to: a process counts once for each shortest path",
        source: "Lynch, Distributed Algorithms, 1996, section 4.2 (global computation)",
        run: in_rounds::tree_05,
    },
    Claim {
        id: "TREE-06",
        statement: "With everybody the root of a tree in rounds, exactly one process leads: the one with the greatest UID.",
        control: "two processes have the greatest UID",
        source: "Lynch, Distributed Algorithms, 1996, section 4.2",
        run: every_root::tree_06,
    },
    Claim {
        id: "TREE-07",
        statement: "Everybody's own tree tells its eccentricity, and a second wave the greatest of all: the diameter, in O(diam) rounds \
                    with O(diam · E) messages.",
        control: "without rounds trees are too deep, and the diameter comes out too large",
        source: "Lynch, Distributed Algorithms, 1996, section 4.2",
        run: every_root::tree_07,
    },
    Claim {
        id: "TREE-08",
        statement: "Over reliable FIFO channels, in every order of delivery: parents form a tree that contains the root, what is under \
                    way comes from processes in the tree, nobody reports early, and everybody is reached and counted once.",
        control: "one message is lost, doubled, or overtakes another",
        source: "Lynch, Distributed Algorithms, 1996, section 15.3",
        run: explored::tree_08,
    },
    Claim {
        id: "TREE-09",
        statement: "Without rounds the tree need not be breadth-first: a fast long path beats a slow short one. It takes O(E) messages \
                    and no longer than the eccentricity times the greatest delay all the same.",
        control: "all links are equally fast",
        source: "Lynch, Distributed Algorithms, 1996, section 15.3",
        run: flooded::tree_09,
    },
    Claim {
        id: "TREE-10",
        statement: "Reports and later broadcasts take the height of the tree times the delay, up to n - 1 delays: when the long path that \
                    was fast has become slow, the tree is worse than the graph.",
        control: "a breadth-first tree of the same graph",
        source: "Lynch, Distributed Algorithms, 1996, section 15.3",
        run: flooded::tree_10,
    },
    Claim {
        id: "TREE-11",
        statement: "A broadcast is acknowledged while the tree grows: the root knows when everybody has it, after which nobody \
                    remembers anything.",
        control: "datagrams that are doubled and overtake each other",
        source: "Lynch, Distributed Algorithms, 1996, section 15.3 (AsynchBcastAck)",
        run: flooded::tree_11,
    },
    Claim {
        id: "TREE-12",
        statement: "Knowing neither number nor diameter, without rounds, exactly one process leads when everybody waits for its own tree \
                    to be finished: in 2E messages for every root.",
        control: "nobody waits: trees are reported before they are finished",
        source: "Lynch, Distributed Algorithms, 1996, section 15.3",
        run: every_root::tree_12,
    },
];
