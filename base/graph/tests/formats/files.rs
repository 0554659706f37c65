//! Files as others write them, and the words for those that are wrong.

use std::fmt::Write;
use std::path::Path;

use isles_graph::Graph;
use isles_graph::formats::{Format, Named, Names, read, read_from};
use isles_kernel::ProcessId;

fn numbers(named: &Named) -> Vec<u64> {
    match &named.names {
        Names::Numbers(numbers) => numbers.clone(),
        Names::Plain | Names::Words(_) => panic!("{:?}", named.names),
    }
}

#[test]
fn edge_lists_of_snap_are_read() {
    let text = "\u{feff}# Directed graph (each unordered pair of nodes is saved once): x.txt\r\n# Nodes: 5 Edges: 3\r\n\
                # FromNodeId\tToNodeId\r\n0\t1\r\n1\t4\r\n\r\n4,0\r\n";
    let found = read(Format::EdgeList, text).expect("edges");
    assert_eq!(found, Named::from(Graph::from_arcs(5, &[(0, 1), (1, 4), (4, 0)])));
    // Without a number of nodes, or with a wrong one, nodes are those that have edges.
    let found = read(Format::EdgeList, "# Nodes: 2\n  7 3 \n3 90 # no more\n").expect_err("a fourth field");
    assert_eq!(found.line, 3);
    let found = read(Format::EdgeList, "# Nodes: 2\n  7 3 \n3 90").expect("edges");
    assert_eq!((found.graph.edges(), numbers(&found)), (2, vec![3, 7, 90]));
    assert_eq!(found.name(ProcessId(2)), "90");
}

#[test]
fn numbers_far_apart_and_above_32_bits_are_names() {
    let found = read(Format::EdgeList, "4294967295 7\n7 0\n").expect("edges");
    assert_eq!(numbers(&found), [0, 7, 4_294_967_295]);
    let found = read(Format::EdgeList, "3 7 2.5\n18446744073709551615 7\n7 5\n").expect("edges");
    assert_eq!(numbers(&found), [3, 5, 7, u64::MAX]);
    assert_eq!(found.graph, Graph::weighted(4, false, &[(0, 2, 2.5), (3, 2, 1.0), (2, 1, 1.0)]));
    // Near each other, but not from 0 on.
    let found = read(Format::EdgeList, "1000 1001\n1063 1064\n1064 1000\n").expect("edges");
    assert_eq!(numbers(&found), [1_000, 1_001, 1_063, 1_064]);
    assert_eq!(found.graph, Graph::from_edges(4, &[(0, 1), (2, 3), (3, 0)]));
}

#[test]
fn a_line_may_lie_across_pieces() {
    /// Hands out a few bytes at a time.
    struct Drops<'t>(&'t [u8], usize);
    impl std::io::Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }
    let graph = isles_graph::random_edges(500, 3_000, 1).expect("possible");
    for (format, ..) in &Format::ALL[..3] {
        let mut text = Vec::new();
        isles_graph::formats::write(*format, &graph.clone().into(), &mut text).expect("it holds it");
        for size in [1, 7, 4_096] {
            let found = read_from(*format, &mut Drops(&text, size)).expect("as it was written");
            assert_eq!(found.graph, graph);
        }
    }
}

#[test]
fn graphml_of_other_programs_is_read() {
    let text = r#"<?xml version='1.0' encoding='utf-8'?>
<!DOCTYPE graphml>
<g:graphml xmlns:g="http://graphml.graphdrawing.org/xmlns">
  <g:key id="d1" for="edge" attr.name="weight" attr.type="double"><g:default>2</g:default></g:key>
  <g:key id="d0" for="node" attr.name="label" attr.type="string"/>
  <g:graph edgedefault="directed">
    <g:edge source="b &amp; c" target="a"><g:data key="d1"> 1&#46;<![CDATA[5]]> </g:data></g:edge>
    <g:node id="a"><g:data key="d0">12</g:data><g:port name="x"/></g:node>
    <g:node id="b &amp; c"/>
    <g:edge id="e" directed="true" source="a" target="b &amp; c"/>
  </g:graph>
</g:graphml>"#;
    let found = read(Format::GraphMl, text).expect("GraphML");
    assert_eq!(found.graph, Graph::weighted(2, true, &[(0, 1, 1.5), (1, 0, 2.0)]));
    assert_eq!(found.names, Names::Words(vec!["b & c".into(), "a".into()]));
}

#[test]
fn dot_of_other_programs_is_read() {
    let text = r#"# from somewhere
strict graph "net" { // comment
  graph [label=<<b>x</b> & y>]; node [shape=box]
  edge [weight=3] /* from here on
  */ a:north -- b -- "edge":p:s [weight="1.5", style=bold];
  subgraph cluster_0 { edge [weight=7]; c -- a; { d } }
  d -- c; rank = same
}"#;
    let found = read(Format::Dot, text).expect("DOT");
    let edges = [(0, 1, 1.5), (1, 2, 1.5), (3, 0, 7.0), (4, 3, 3.0)];
    assert_eq!(found.graph, Graph::weighted(5, false, &edges));
    assert_eq!(found.name(ProcessId(2)), "edge");
}

#[test]
fn matrices_are_complete_graphs() {
    let found = read(Format::LatencyMatrix, "p,oslo,rome\noslo,0,40.5\nrome,41,0\n").expect("a matrix");
    assert_eq!(found.graph, Graph::weighted(2, true, &[(0, 1, 40.5), (1, 0, 41.0)]));
    assert_eq!(found.name(ProcessId(1)), "rome");
    assert_eq!(read(Format::LatencyMatrix, "0 1\n2 0\n").expect("a matrix").names, Names::Plain);
}

#[test]
fn what_a_file_holds_counts_more_than_what_it_is_called() {
    for (ending, begin, format) in [
        ("txt", "\u{feff}<?xml", Format::GraphMl),
        ("txt", "\n Digraph {", Format::Dot),
        ("csv", "// x\nstrict graph", Format::Dot),
        ("txt", "# ms\n0\t1\t2\t3\n", Format::LatencyMatrix),
        ("txt", "0 1 2\n", Format::EdgeList),
        ("CSV", "p,a,b\na,0,1", Format::LatencyMatrix),
        ("graphml", "", Format::GraphMl),
        ("", "", Format::EdgeList),
    ] {
        assert_eq!(Format::guess(ending, begin.as_bytes()), format, "{ending} {begin}");
    }
    for (format, name, endings) in Format::ALL {
        assert_eq!(Format::find(name), Some(format));
        assert!(endings.iter().all(|ending| Format::of_ending(ending) == Some(format)));
    }
}

const WRONG: &[(&str, &[&str])] = &[
    (
        "edges",
        &[
            "0 1\n2\n",
            "# fine\n0 one\n",
            "0 -1\n",
            "0 +1\n",
            "0 18446744073709551616\n",
            "0 1 heavy\n",
            "0 1 inf\n",
            "0 1 2 3\n",
            "0 1\n\n<graph>\n",
            "# Nodes: 4000000000 Edges: 1\n0 1\n",
            "# Nodes: 9 Edges: 3\n0 1\n0 2\n",
        ],
    ),
    (
        "graphml",
        &[
            "",
            "<graphml></graphml>",
            "<graphml>\n<graph edgedefault='sideways'/></graphml>",
            "<graphml>\n<graph>\n<node/></graph></graphml>",
            "<graphml><node id='a'/></graphml>",
            "<graphml><graph>\n<node id='a'/>\n<node id='a'/></graph></graphml>",
            "<graphml><graph>\n<node id='a'/>\n<edge source='a'\n target='b'/>\n</graph></graphml>",
            "<graphml><graph>\n<node id='a'/><edge source='a'/></graph></graphml>",
            "<graphml><graph>\n<node id='a'><graph/></node></graph></graphml>",
            "<graphml><graph/>\n<graph/></graphml>",
            "<graphml><graph>\n<hyperedge/></graph></graphml>",
            "<graphml><graph>\n<node id='a'/><edge source='a' target='a' directed='true'/></graph></graphml>",
            "<graphml><key id='w' for='edge' attr.name='weight'/><graph><node id='a'/>\n\
             <edge source='a' target='a'><data key='w'>heavy</data></edge></graph></graphml>",
            "<graphml><key id='w' for='edge' attr.name='weight'/><graph><node id='a'/>\n\
             <edge source='a' target='a'><data key='w'>1<b/></data></edge></graph></graphml>",
            "<graphml>\n<graph>\n<node id='a'/>\n",
            "<graphml>\n<graph>\n<node id='a",
            "<graphml>\n<graph>\n</graphml>",
            "<!DOCTYPE graphml [ <!ENTITY a 'aaaa'> ]>\n<graphml/>",
            "<graphml><graph>\n<node id='&a;'/></graph></graphml>",
            "<graphml><graph>\n<node id='a' id='b'/></graph></graphml>",
        ],
    ),
    (
        "dot",
        &[
            "",
            "flowchart {}",
            "graph x y {}",
            "graph {\n a -> b }",
            "digraph {\n a -> }",
            "graph {\n a -- b",
            "graph { } more",
            "graph {\n a -- b [weight=heavy]; }",
            "graph {\n a [bold] }",
            "graph {\n a [shape=box",
            "graph {\n a -- { b c } }",
            "graph {\n { b c } -- a }",
            "graph {\n \"a }",
            "graph {\n /* a }",
            "graph { a [label=<b] }",
            "graph {\n a $ b }",
            "graph { subgraph a b }",
            "graph { x = ; }",
        ],
    ),
    (
        "matrix",
        &["", "0 1\n2\n", "0 x\n1 0\n", "0 -1\n1 0\n", "a,b\n0,1\n", "p,a,a\n0,1\n2,0\n", "0 1 2\n1 0 2\n"],
    ),
];

#[test]
fn errors_name_the_line_and_the_remedy() {
    let mut page = String::new();
    for (name, texts) in WRONG {
        let format = Format::find(name).expect("it is a format");
        let _ = writeln!(page, "## {name}\n");
        for text in *texts {
            let error = read(format, text).expect_err(text);
            assert!(error.line > 0 || !text.contains('\n'), "{text}: {error}");
            let _ = writeln!(page, "{text:?}\n  {error}\n");
        }
    }
    isles_golden::file(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/errors.txt"), &page);
}

#[test]
fn what_is_no_text_is_told_with_its_line() {
    for (name, bytes) in [
        ("edges", &b"0 1\n2 \xff3\n"[..]),
        ("graphml", b"<graphml>\n<graph id='\xff'/></graphml>"),
        ("dot", b"graph {\n \xff }"),
        ("matrix", b"0 1\n1 \xff\n"),
    ] {
        let format = Format::find(name).expect("it is a format");
        let error = read_from(format, &mut &*bytes).expect_err(name);
        assert_eq!(error.line, 2, "{name}: {error}");
    }
    // Comments may be written in any way.
    assert!(read_from(Format::EdgeList, &mut &b"# caf\xe9\n0 1\n"[..]).is_ok());
}
