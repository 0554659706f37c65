//! Chapter TOP: what topologies look like, and what random ones are like.

mod definitions;
mod degrees;
mod small_world;
mod thresholds;

use super::Claim;

/// The claims of the chapter.
pub(super) static TOP: &[Claim] = &[
    Claim {
        id: "TOP-01",
        statement: "Components, distances, eccentricities, centre, periphery, planarity and the plain shapes are what the \
                    definitions and an independent library say; every node of a ring is both centre and periphery.",
        control: "on a line the middle is the centre and the ends are the periphery; distances that ignore directions and \
                  proofs that were tampered with are noticed",
        source: "definitions; figures of networkx 3.6; Kuratowski, Fund. Math. 15, 1930",
        run: definitions::top_01,
    },
    Claim {
        id: "TOP-02",
        statement: "Cycles give several ways: with k edge-disjoint paths between two nodes, any k - 1 edges may fail, and k well \
                    chosen ones may not.",
        control: "in a tree there is one path, and each of its edges parts the two",
        source: "Menger, Fund. Math. 10, 1927",
        run: definitions::top_02,
    },
    Claim {
        id: "TOP-03",
        statement: "A random geometric graph becomes connected at the radius where πr²n = ln n + c: with a probability that tends \
                    to e^(-e^(-c)).",
        control: "at 0.7 of the threshold's radius it is not connected",
        source: "Penrose, Ann. Appl. Probab. 7, 1997; Gupta, Kumar 1998",
        run: thresholds::top_03,
    },
    Claim {
        id: "TOP-04",
        statement: "Erdős-Rényi graphs have paths of O(log n) hops, a giant component from one edge end a node on, and are \
                    connected from p = ln n / n on.",
        control: "at half of the threshold none is connected; at 0.9 edge ends a node there is no giant component",
        source: "Erdős, Rényi 1959 and 1960",
        run: thresholds::top_04,
    },
    Claim {
        id: "TOP-05",
        statement: "A few moved edges make the paths of a ring lattice short and leave its clustering high: C(p) and L(p) of the \
                    figure of 1998.",
        control: "at p = 0 paths are long, at p = 1 clustering is low",
        source: "Watts, Strogatz, Nature 393, 1998, figure 2",
        run: small_world::top_05,
    },
    Claim {
        id: "TOP-06",
        statement: "Attachment exactly in proportion to degree gives the shares 2m(m + 1) / k(k + 1)(k + 2), a power law of \
                    exponent 3.",
        control: "uniform attachment gives degrees that fall exponentially",
        source: "Barabási, Albert, Science 286, 1999; shares: Dorogovtsev, Mendes, Samukhin 2000",
        run: degrees::top_06,
    },
];
