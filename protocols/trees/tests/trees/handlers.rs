//! Single handlers: what the book says of each step.

use std::sync::Arc;

use isles_graph::{Graph, ring, star};
use isles_kernel::{Cx, Effect, OpId, Payload, ProcessId, Protocol, Time};
use isles_trees::gather::{Gather, Members, Sum};
use isles_trees::tree::{Answers, Config, Event, Msg, Op, Reply};
use isles_trees::{Routed, SpanningTree, routed};
use proptest::prelude::*;

type Tree = SpanningTree<Sum>;

/// Process 1 of a star of four, whose hub is 0, or another process of a graph.
struct One {
    config: Config<Sum>,
    me: ProcessId,
    state: Tree,
}

impl One {
    fn new(graph: Graph, me: u32, answers: Answers) -> Self {
        let config = Config::new(graph, Sum(vec![1, 10, 100, 1_000]), answers);
        let me = ProcessId(me);
        let state = Tree::start(&mut Cx::new(me, Time::ZERO, &config, &mut Vec::new()), &[]);
        Self { config, me, state }
    }

    fn asked(&mut self, number: u64, op: Op) -> Vec<String> {
        self.act(|state, cx| state.on_op(cx, OpId(number), op))
    }

    fn gets(&mut self, from: u32, msg: Msg<u64>) -> Vec<String> {
        self.act(|state, cx| state.on_message(cx, ProcessId(from), msg))
    }

    fn act(&mut self, handler: impl FnOnce(&mut Tree, &mut Cx<'_, Tree>)) -> Vec<String> {
        let mut effects: Vec<Effect<Tree>> = Vec::new();
        handler(&mut self.state, &mut Cx::new(self.me, Time::ZERO, &self.config, &mut effects));
        let said = |effect: Effect<Tree>| match effect {
            Effect::Send { to, msg, .. } => format!("{to}: {msg:?}"),
            Effect::Reply { id, reply } => format!("{id}: {reply:?}"),
            Effect::Emit { event } => format!("{event:?}"),
            Effect::Watch { .. }
            | Effect::Unwatch { .. }
            | Effect::Arm { .. }
            | Effect::Disarm { .. }
            | Effect::Persist { .. } => panic!("trees do none of this"),
        };
        effects.into_iter().map(said).collect()
    }
}

fn search(depth: u32) -> Msg<u64> {
    Msg::Search { depth, payload: Payload::default() }
}

fn build() -> Op {
    Op::Build(Payload::default())
}

#[test]
fn the_first_search_makes_its_sender_the_parent_and_goes_on_to_all_others() {
    let mut hub = One::new(star(4), 0, Answers::None);
    let said = hub.gets(2, search(4));
    assert_eq!(
        said,
        [
            "Joined { parent: Some(p2), depth: 5 }",
            "p1: Search { depth: 5, payload: \"\" }",
            "p3: Search { depth: 5, payload: \"\" }",
        ]
    );
    assert!(hub.gets(3, search(0)).is_empty(), "a parent is for ever, however near the second one is");
    assert_eq!(hub.state.inside().and_then(|inside| inside.parent()), Some(ProcessId(2)));
}

#[test]
fn a_search_is_answered_with_parent_or_non_parent() {
    let mut hub = One::new(star(4), 0, Answers::Children);
    assert_eq!(hub.gets(1, search(0)).last().map(String::as_str), Some("p1: Parent"));
    assert_eq!(hub.gets(2, search(1)), ["p2: NonParent"]);
}

#[test]
fn a_process_reports_when_all_its_searches_are_answered_and_all_its_children_have_reported() {
    let mut hub = One::new(star(4), 0, Answers::Children);
    hub.gets(1, search(0));
    assert!(hub.gets(2, Msg::Parent).is_empty());
    assert!(hub.gets(2, Msg::Report { value: 100 }).is_empty(), "process 3 has not answered");
    assert!(hub.gets(3, Msg::Parent).is_empty(), "process 3 is a child and has not reported");
    assert_eq!(hub.gets(3, Msg::Report { value: 1_000 }), ["Finished(1101)", "p1: Report { value: 1101 }"]);
    let inside = hub.state.inside().expect("it is in the tree");
    assert!(inside.has_reported());
    assert_eq!(inside.children(star(4).neighbors(ProcessId(0))).collect::<Vec<_>>(), [2, 3].map(ProcessId));
}

#[test]
fn a_leaf_reports_at_once() {
    let mut leaf = One::new(star(4), 1, Answers::Acks);
    assert_eq!(
        leaf.gets(0, search(0)),
        ["Joined { parent: Some(p0), depth: 1 }", "Finished(10)", "p0: Report { value: 10 }"]
    );
}

#[test]
fn with_echo_a_search_that_meets_another_is_its_answer() {
    let mut one = One::new(ring(3), 1, Answers::Echo);
    one.gets(0, search(0));
    assert_eq!(one.gets(2, search(1)), ["Finished(10)", "p0: Report { value: 10 }"]);
}

#[test]
fn the_root_answers_its_client_and_sends_down_what_was_not_carried() {
    let mut root = One::new(star(4), 0, Answers::Echo);
    root.config.carry = false;
    let said = root.asked(7, Op::Build(Payload::from("news")));
    assert!(said.iter().all(|line| !line.contains("news")), "nothing is carried: {said:?}");
    root.gets(1, Msg::Report { value: 10 });
    root.gets(2, Msg::Report { value: 100 });
    let said = root.gets(3, Msg::Report { value: 1_000 });
    assert_eq!(said[..2], ["Finished(1111)", "op7: Built(1111)"]);
    assert_eq!(said.iter().filter(|line| line.contains("Down")).count(), 3);
}

#[test]
fn later_broadcasts_go_down_the_finished_tree_of_the_root_and_no_other() {
    let mut root = One::new(ring(3), 0, Answers::Echo);
    assert_eq!(root.asked(1, Op::Broadcast(Payload::from("x"))), ["op1: Refused"]);
    root.asked(2, build());
    assert_eq!(root.asked(3, Op::Broadcast(Payload::from("x"))), ["op3: Refused"], "it is not finished");
    assert_eq!(root.asked(4, build()), ["op4: Refused"], "one tree is enough");
    root.gets(1, Msg::Report { value: 10 });
    root.gets(2, Msg::Report { value: 100 });
    assert_eq!(
        root.asked(5, Op::Broadcast(Payload::from("x"))),
        ["op5: Sent", "p1: Down { payload: \"x\" }", "p2: Down { payload: \"x\" }", "Delivered(\"x\")"]
    );
    let mut member = One::new(ring(3), 1, Answers::Echo);
    member.gets(0, search(0));
    assert_eq!(member.gets(2, Msg::Down { payload: Payload::from("x") }), ["Rejected { from: p2 }"]);
    assert_eq!(member.gets(0, Msg::Down { payload: Payload::from("x") }), ["Delivered(\"x\")"]);
}

#[test]
fn messages_that_do_not_fit_are_dropped_and_told() {
    let mut outside = One::new(ring(4), 1, Answers::Children);
    for msg in [Msg::Parent, Msg::NonParent, Msg::Report { value: 5 }] {
        assert_eq!(outside.gets(0, msg), ["Rejected { from: p0 }"]);
    }
    outside.gets(0, search(0));
    let inside = outside.state.clone();
    // Nobody asked process 3, which is no neighbour; and process 2 is no child.
    for (from, msg) in
        [(3, Msg::Parent), (3, Msg::NonParent), (2, Msg::Report { value: 5 }), (77, Msg::Parent)]
    {
        assert_eq!(outside.gets(from, msg), [format!("Rejected {{ from: p{from} }}")]);
    }
    assert_eq!(outside.state, inside);
}

#[test]
fn a_flood_is_sent_on_once_and_handed_to_its_receiver() {
    let graph = Arc::new(Graph::from_arcs(3, &[(0, 1), (1, 2), (2, 0)]));
    let child = Config::new(Arc::clone(&graph), Sum(vec![]), Answers::Children);
    let config = routed::Config { graph, child, route: true };
    let mut effects: Vec<Effect<Routed<Tree>>> = Vec::new();
    let mut one = Routed::<Tree>::start(&mut Cx::new(ProcessId(1), Time::ZERO, &config, &mut effects), &[]);
    let flood =
        |number, to| routed::Msg::Flood { origin: ProcessId(0), number, to: ProcessId(to), msg: search(0) };
    let mut gets = |msg| {
        let mut effects: Vec<Effect<Routed<Tree>>> = Vec::new();
        one.on_message(&mut Cx::new(ProcessId(1), Time::ZERO, &config, &mut effects), ProcessId(0), msg);
        effects.into_iter().filter(|effect| matches!(effect, Effect::Send { .. })).count()
    };
    assert_eq!([gets(flood(0, 2)), gets(flood(0, 2)), gets(flood(1, 2))], [1, 0, 1]);
    assert_eq!(gets(flood(3, 2)), 0, "over FIFO channels none is skipped");
    assert_eq!(gets(flood(2, 1)), 3, "the search goes on, its answer and the flood too");
}

proptest! {
    #[test]
    fn gathering_does_not_depend_on_the_order(values in prop::collection::vec(any::<u64>(), 1..8), cut in any::<prop::sample::Index>()) {
        let both = (Sum(values.clone()), Members);
        let all: Vec<_> = (0..values.len() as u32).map(|me| both.input(ProcessId(me), 0)).collect();
        let fold = |list: &[(u64, Vec<ProcessId>)]| {
            list.iter().cloned().reduce(|a, b| both.combine(a, b))
        };
        let whole = fold(&all);
        let mut turned = all.clone();
        turned.rotate_left(cut.index(all.len()));
        turned.reverse();
        prop_assert_eq!(&fold(&turned), &whole);
        let (left, right) = all.split_at(cut.index(all.len()));
        let halves = fold(left).into_iter().chain(fold(right)).reduce(|a, b| both.combine(a, b));
        prop_assert_eq!(halves, whole);
    }
}

#[test]
fn events_and_replies_are_small() {
    assert!(size_of::<Event<u64>>() <= 32 && size_of::<Reply<u64>>() <= 16);
}
