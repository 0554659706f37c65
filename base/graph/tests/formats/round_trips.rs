//! What is written is read again.

use isles_graph::Graph;
use isles_graph::formats::{Format, Named, Names, read, write};
use proptest::prelude::*;

fn written(format: Format, named: &Named) -> String {
    let mut bytes = Vec::new();
    write(format, named, &mut bytes).expect("the format holds it");
    String::from_utf8(bytes).expect("it is text")
}

fn again(format: Format, named: &Named) -> Named {
    let text = written(format, named);
    read(format, &text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Nodes, edges, their weights, whether they have directions and whether they have weights.
fn graphs() -> impl Strategy<Value = Graph> {
    let weight = prop_oneof![any::<f64>().prop_filter("finite", |x| x.is_finite()), Just(1.0), Just(-0.0)];
    let edges = prop::collection::vec((any::<u32>(), any::<u32>(), weight), 0..40);
    (1u32..20, edges, any::<bool>(), any::<bool>()).prop_map(|(nodes, edges, directed, weighted)| {
        let edges: Vec<(u32, u32, f64)> =
            edges.into_iter().map(|(a, b, weight)| (a % nodes, b % nodes, weight)).collect();
        if weighted {
            return Graph::weighted(nodes, directed, &edges);
        }
        let ends: Vec<(u32, u32)> = edges.iter().map(|&(a, b, _)| (a, b)).collect();
        if directed { Graph::from_arcs(nodes, &ends) } else { Graph::from_edges(nodes, &ends) }
    })
}

/// Names that look like keywords, numbers, markup and other trouble, all different.
fn names(nodes: u32) -> impl Strategy<Value = Names> {
    let word = prop_oneof![
        "\\PC{0,8}",
        "[a-c0-9\\\\\"<>&;:,\\[\\]{}=' \t\n\r-]{0,6}",
        "(graph|digraph|node|edge|subgraph|strict|Edge)",
        "n?[0-9]{1,3}",
    ];
    prop::collection::btree_set(word, nodes as usize)
        .prop_map(|words| Names::new(words.into_iter().collect()))
}

fn named() -> impl Strategy<Value = Named> {
    graphs().prop_flat_map(|graph| {
        let plain = Just(Names::Plain).boxed();
        prop_oneof![plain, names(graph.nodes()).boxed()].prop_map(move |names| Named {
            graph: graph.clone(),
            names,
            dropped: 0,
        })
    })
}

proptest! {
    #[test]
    fn graphml_and_dot_keep_everything(named in named()) {
        for format in [Format::GraphMl, Format::Dot] {
            prop_assert_eq!(&again(format, &named), &named, "{}", written(format, &named));
        }
    }

    #[test]
    fn an_edge_list_keeps_the_graph(named in named()) {
        let found = again(Format::EdgeList, &named);
        prop_assert_eq!(&found.graph, &named.graph);
        prop_assert!(found.names == Names::Plain || matches!(found.names, Names::Numbers(_)));
    }

    #[test]
    fn an_edge_list_keeps_numbers_for_names(
        ends in prop::collection::vec((0u32..12, 0u32..12), 0..30),
        steps in prop::collection::vec(1u64..1 << 58, 12),
        directed in any::<bool>(),
    ) {
        // The names of nodes that have edges, ascending.
        let mut used: Vec<u32> =
            ends.iter().filter(|(a, b)| a != b).flat_map(|&(a, b)| [a, b]).collect();
        used.sort_unstable();
        used.dedup();
        let place = |id: u32| used.binary_search(&id).unwrap_or(0) as u32;
        let edges: Vec<(u32, u32)> =
            ends.iter().filter(|(a, b)| a != b).map(|&(a, b)| (place(a), place(b))).collect();
        let nodes = used.len() as u32;
        let graph = if directed { Graph::from_arcs(nodes, &edges) } else { Graph::from_edges(nodes, &edges) };
        let sums = steps.iter().scan(0, |sum, step| { *sum += step; Some(*sum) });
        let named = Named { graph, names: Names::Numbers(sums.take(used.len()).collect()), dropped: 0 };
        let named = if nodes == 0 { Named::from(named.graph) } else { named };
        prop_assert_eq!(again(Format::EdgeList, &named), named);
    }

    #[test]
    fn a_matrix_keeps_its_weights(
        places in 1u32..8,
        millis in prop::collection::vec(0.0..1e7, 64),
        words in prop::collection::btree_set("[a-z][a-z -]{0,4}[a-z]", 8),
        with_names in any::<bool>(),
    ) {
        let arcs = (0..places).flat_map(|a| (0..places).map(move |b| (a, b)));
        let arcs: Vec<(u32, u32, f64)> = arcs.zip(millis).map(|((a, b), millis)| (a, b, millis)).collect();
        let words: Vec<String> = words.into_iter().take(places as usize).collect();
        // What reads as a number is none of the names that a matrix can have.
        let numbers = words.iter().any(|word| word.parse::<f64>().is_ok());
        let names = if with_names && !numbers { Names::Words(words) } else { Names::Plain };
        let named = Named { graph: Graph::weighted(places, true, &arcs), names, dropped: 0 };
        prop_assert_eq!(again(Format::LatencyMatrix, &named), named);
    }
}

#[test]
fn what_a_format_cannot_hold_is_refused_and_not_bent() {
    let refused = |format, named: &Named| {
        let error = write(format, named, &mut Vec::new()).expect_err("it cannot be held");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        error.to_string()
    };
    let endless = Named::from(Graph::weighted(2, false, &[(0, 1, f64::INFINITY)]));
    for (format, ..) in Format::ALL {
        assert!(refused(format, &endless).contains("infinite"));
    }
    let ring = Named::from(isles_graph::ring(4));
    assert!(refused(Format::LatencyMatrix, &ring).contains("a weight for every two"));
    let backwards = Named::from(Graph::weighted(2, false, &[(0, 1, -1.0)]));
    assert!(refused(Format::LatencyMatrix, &backwards).contains("not below 0"));
    let bell =
        Named { names: Names::Words(vec!["a".into(), "\u{7}".into()]), ..Named::from(isles_graph::line(2)) };
    assert!(refused(Format::GraphMl, &bell).contains("control character"));
}

#[test]
fn what_is_said_once_is_kept_once_and_the_rest_is_counted() {
    let found = read(Format::EdgeList, "0 1\n1 0\n2 2\n0 1\n1 2\n").expect("edges");
    assert_eq!((found.graph.edges(), found.dropped), (2, 3));
    let found = read(Format::EdgeList, "# Directed graph: x\n0 1\n1 0\n2 2\n0 1\n1 2\n").expect("edges");
    assert_eq!((found.graph.edges(), found.dropped), (3, 2));
}
