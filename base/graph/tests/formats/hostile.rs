//! Whatever comes in: no panic, no hanging, no memory without bounds.

use isles_graph::formats::{Format, Names, read, read_from};
use isles_graph::{Graph, random_edges};
use proptest::prelude::*;

#[test]
fn a_few_bytes_do_not_take_gigabytes() {
    let huge = "# Nodes: 1000000000\n0 999999999\n";
    assert!(read(Format::EdgeList, huge).expect_err("too many").why.contains("too many for 1 edges"));
    let far = read(Format::EdgeList, "0 4294967294\n").expect("two nodes");
    assert_eq!(far.graph.nodes(), 2);
    let long = "1".repeat(1 << 19);
    assert!(read(Format::EdgeList, &long).expect_err("no line").why.contains("longer than"));
    assert!(read(Format::EdgeList, &format!("# {long}")).is_err());
    let row = "1 ".repeat(1 << 20);
    assert!(read(Format::LatencyMatrix, &row).expect_err("no row").why.contains("more than 4096 numbers"));
}

#[test]
fn deep_nesting_takes_no_stack() {
    let deep = 200_000;
    let xml = format!("<graphml>{}", "<a>".repeat(deep));
    assert!(read(Format::GraphMl, &xml).expect_err("torn").why.contains("ends within"));
    let whole = format!("<graphml>{}{}<graph/></graphml>", "<a>".repeat(deep), "</a>".repeat(deep));
    assert_eq!(read(Format::GraphMl, &whole).expect("no nodes").graph.nodes(), 0);
    let dot = format!("graph {}x{}", "{".repeat(deep), "}".repeat(deep));
    assert_eq!(read(Format::Dot, &dot).expect("one node").graph.nodes(), 1);
    assert!(read(Format::Dot, &dot[..deep]).is_err());
    assert!(read(Format::Dot, &format!("graph {{ a [l={}", "<".repeat(deep))).is_err());
}

#[test]
fn entities_are_not_multiplied() {
    let mut laughs = String::from("<!DOCTYPE graphml [<!ENTITY a0 'ha'>");
    for level in 1..30 {
        laughs.push_str(&format!("<!ENTITY a{level} '{}'>", format!("&a{};", level - 1).repeat(10)));
    }
    laughs.push_str("]><graphml><graph><node id='&a29;'/></graph></graphml>");
    assert!(read(Format::GraphMl, &laughs).expect_err("refused").why.contains("entities"));
}

#[test]
fn a_torn_file_is_a_wrong_one() {
    let graph = random_edges(40, 100, 3).expect("possible");
    let named = graph.into();
    for format in [Format::GraphMl, Format::Dot] {
        let mut text = Vec::new();
        isles_graph::formats::write(format, &named, &mut text).expect("it holds it");
        // The last bytes are the line end after the last sign.
        for length in (0..text.len() - 1).step_by(13).chain([text.len() - 2]) {
            assert!(read_from(format, &mut &text[..length]).is_err(), "{format:?} torn at {length}");
        }
    }
}

#[test]
fn many_names_in_any_order_are_told_apart_in_linear_time() {
    // Names that the shortcut by numbers is of no use for.
    let names: Vec<String> =
        (0..60_000u64).map(|index| format!("x{}", index.wrapping_mul(0x9e37_79b9) % 1_000_003)).collect();
    let nodes: String = names.iter().map(|name| format!("<node id='{name}'/>\n")).collect();
    let found =
        read(Format::GraphMl, &format!("<graphml><graph>{nodes}</graph></graphml>")).expect("different");
    assert_eq!(found.names, Names::Words(names));
}

/// A text made of the words of a format, so that most of it gets far.
fn pieces(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(words), 0..40).prop_map(|words| words.concat())
}

const EDGES: &[&str] = &[
    "0",
    "7",
    "\t",
    " ",
    ",",
    "\n",
    "\r\n",
    "#",
    "Nodes: ",
    "12",
    "Directed graph",
    "1e9",
    "-",
    "99999999999999",
];
const XML: &[&str] = &[
    "<graphml>",
    "</graphml>",
    "<graph>",
    "</graph>",
    "<node id='a'/>",
    "<node id='b'>",
    "</node>",
    "<edge source='a' target='b'>",
    "</edge>",
    "<key id='w' for='edge' attr.name='weight'>",
    "</key>",
    "<data key='w'>",
    "</data>",
    "<default>",
    "</default>",
    "1",
    "&#49;",
    "&x;",
    "<![CDATA[2]]>",
    "<!--",
    "-->",
    "<?x?>",
    "<!DOCTYPE x>",
    "<",
    ">",
    "'",
    "\n",
];
const DOT: &[&str] = &[
    "graph ",
    "digraph ",
    "{",
    "}",
    "a",
    " b",
    "--",
    "->",
    "[",
    "]",
    "=",
    "weight",
    "2",
    ";",
    ",",
    ":",
    "\"",
    "\\",
    "<",
    ">",
    "//",
    "/*",
    "*/",
    "#",
    "\n",
    "\r",
    "subgraph ",
    "edge ",
];
const MATRIX: &[&str] = &["0", "1", "-", ",", " ", "\t", "\n", "a", "#", "1e3", "nan"];

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_a_line_of_its_own(
        any in prop_oneof!["\\PC{0,60}", pieces(EDGES), pieces(XML), pieces(DOT), pieces(MATRIX)],
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        for (format, ..) in Format::ALL {
            for bytes in [any.as_bytes(), &bytes[..]] {
                match read_from(format, &mut &*bytes) {
                    Ok(named) => {
                        let mut text = Vec::new();
                        // Control characters are no XML, and a graph without nodes no matrix.
                        if isles_graph::formats::write(format, &named, &mut text).is_ok() {
                            let again = read_from(format, &mut text.as_slice()).map(|named| named.graph);
                            prop_assert_eq!(again, Ok(named.graph));
                        }
                    }
                    Err(error) => {
                        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
                        prop_assert!(error.line <= lines, "{}", error);
                    }
                }
            }
        }
    }
}

#[test]
fn a_reader_that_fails_is_told() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    for (format, ..) in Format::ALL {
        assert!(
            read_from(format, &mut Broken).expect_err("no graph").to_string().contains("the disk is gone")
        );
    }
    assert_eq!(read(Format::EdgeList, "").expect("no edges").graph, Graph::from_edges(0, &[]));
}
