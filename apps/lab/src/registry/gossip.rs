//! The broadcast and membership protocols of `isles-gossip`.

use std::sync::Arc;

use isles_gossip::eager_push::{self, EagerPush};
use isles_gossip::everyone::{self, Everyone};
use isles_gossip::flood::{self, Flood};
use isles_gossip::hyparview::{self, Contact, HyParView};
use isles_gossip::lazy_push::{self, LazyPush};
use isles_gossip::plumtree::{self, Mistake, Plumtree};
use isles_gossip::pull::{self, Pull};
use isles_gossip::push_pull::{self, PushPull};
use isles_gossip::random_views::{self, RandomViews};
use isles_gossip::static_graph::{self, StaticGraph};
use isles_gossip::tree::{self, Tree};
use isles_graph::Graph;
use isles_kernel::ProcessId;

use super::params::{Kind, Param, Values};
use super::{BroadcastEntry, MembershipEntry, World};

const CHANNEL: Kind = Kind::Choice(&["stream", "datagram"]);
const MANY: u64 = 1 << 20;

const fn param(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Param {
    Param { name, kind, default, doc }
}

const SEEN: Param = param(
    "seen-count-max",
    Kind::Count(1, MANY),
    "256",
    "messages remembered at least, so that late copies are known (guess)",
);
const CACHE: Param =
    param("cache-count-max", Kind::Count(1, MANY), "256", "payloads kept for those who ask (guess)");
const CACHE_SPAN: Param =
    param("cache-span", Kind::Span, "30s", "how long payloads are kept for those who ask (guess)");
const MISSING: Param = param(
    "missing-count-max",
    Kind::Count(1, MANY),
    "1024",
    "announced messages that may be missing at once",
);

impl MembershipEntry for HyParView {
    const NAME: &'static str = "hyparview";
    const DOC: &'static str =
        "small symmetric active view, larger passive view (Leitão, Pereira, Rodrigues, DSN 2007)";
    const BYTES: u64 = 420;
    const PARAMS: &'static [Param] = &[
        param(
            "active-max",
            Kind::Count(1, 255),
            "5",
            "neighbours at most (paper: fanout 4 + 1 for 10 000 processes)",
        ),
        param("passive-max", Kind::Count(1, 10_000), "30", "candidates at most, above ln n (paper)"),
        param("arwl", Kind::Count(0, 64), "6", "hops of a FORWARDJOIN at most (paper)"),
        param(
            "prwl",
            Kind::Count(0, 64),
            "3",
            "hops before the end at which it fills a passive view (paper)",
        ),
        param("shuffle-ttl", Kind::Count(1, 64), "6", "hops of a SHUFFLE at most (as ARWL)"),
        param("shuffle-active", Kind::Count(0, 16), "3", "neighbours that go with a SHUFFLE (paper)"),
        param("shuffle-passive", Kind::Count(0, 15), "4", "candidates that go with a SHUFFLE (paper)"),
        param(
            "shuffle-period",
            Kind::Period,
            "10s",
            "from one SHUFFLE to the next (guess; the paper counts cycles)",
        ),
        param("request-timeout", Kind::Period, "2s", "how long a candidate has to answer (guess)"),
        param(
            "walks",
            Kind::Count(1, 64),
            "3",
            "walks that a contact starts for a newcomer (half of active-max)",
        ),
        param("sample-max", Kind::Count(0, 65_536), "256", "newcomers that a contact remembers"),
        param(
            "mixing",
            Kind::Count(0, 255),
            "4",
            "periods after a join or heavy losses in which links are mixed",
        ),
        param(
            "contact",
            Kind::Choice(&["any-before", "first"]),
            "any-before",
            "through whom a process joins: a random one with a smaller id, or process 0",
        ),
    ];

    fn config(values: &Values, _: &World) -> hyparview::Config {
        hyparview::Config {
            active_max: values.size("active-max"),
            passive_max: values.size("passive-max"),
            arwl: values.count("arwl") as u8,
            prwl: values.count("prwl") as u8,
            shuffle_ttl: values.count("shuffle-ttl") as u8,
            shuffle_active: values.size("shuffle-active"),
            shuffle_passive: values.size("shuffle-passive"),
            shuffle_period: values.span("shuffle-period"),
            request_timeout: values.span("request-timeout"),
            walks: values.size("walks"),
            sample_max: values.size("sample-max"),
            mixing: values.count("mixing") as u8,
            contact: match values.word("contact") {
                "first" => Contact::Process(ProcessId(0)),
                _ => Contact::AnyBefore,
            },
            mistake: None,
        }
    }

    fn neighbors(&self, _: ProcessId, _: &hyparview::Config) -> Vec<ProcessId> {
        self.active().to_vec()
    }
}

impl MembershipEntry for StaticGraph {
    const NAME: &'static str = "static";
    const DOC: &'static str = "the fixed neighbours of the scenario's [topology]";
    const BYTES: u64 = 60;
    const ON_GRAPH: bool = true;
    const PARAMS: &'static [Param] =
        &[param("watch", Kind::Flag, "true", "whether neighbours are watched, and dropped when they crash")];

    fn config(values: &Values, world: &World) -> static_graph::Config {
        static_graph::Config { graph: Arc::clone(&world.graph), watch: values.flag("watch") }
    }

    fn neighbors(&self, me: ProcessId, config: &static_graph::Config) -> Vec<ProcessId> {
        if me.0 < config.graph.nodes() { config.graph.neighbors(me).to_vec() } else { Vec::new() }
    }
}

impl MembershipEntry for Everyone {
    const NAME: &'static str = "everyone";
    const DOC: &'static str = "full membership: everyone knows everyone, as analyses of gossip assume";
    const BYTES: u64 = 16;
    const PARAMS: &'static [Param] = &[];

    fn config(_: &Values, world: &World) -> everyone::Config {
        everyone::Config { count: world.processes }
    }

    fn neighbors(&self, _: ProcessId, _: &everyone::Config) -> Vec<ProcessId> {
        Vec::new()
    }
}

impl MembershipEntry for RandomViews {
    const NAME: &'static str = "random-views";
    const DOC: &'static str = "some random peers, picked once and never repaired: the control of HyParView";
    const BYTES: u64 = 60;
    const PARAMS: &'static [Param] =
        &[param("view", Kind::Count(1, 1_000), "5", "peers that each process picks")];

    fn config(values: &Values, world: &World) -> random_views::Config {
        random_views::Config { count: world.processes, view: values.count("view") as u32 }
    }

    fn neighbors(&self, _: ProcessId, _: &random_views::Config) -> Vec<ProcessId> {
        Vec::new()
    }
}

impl BroadcastEntry for Plumtree {
    const NAME: &'static str = "plumtree";
    const DOC: &'static str =
        "payloads along a self-made tree, ids along all other links (Leitão, Pereira, Rodrigues, SRDS 2007)";
    const BYTES: u64 = 420;
    const PARAMS: &'static [Param] = &[
        param(
            "ihave-timeout",
            Kind::Span,
            "500ms",
            "timeout1: from the first announcement to the first GRAFT (guess for wide-area networks)",
        ),
        param(
            "graft-timeout",
            Kind::Span,
            "200ms",
            "timeout2: from one GRAFT to the next announcer (paper: order of an RTT)",
        ),
        param("graft-passes-max", Kind::Count(1, 100), "4", "how often each announcer is asked (guess)"),
        param(
            "threshold",
            Kind::CountOrNone(1_000),
            "7",
            "hops by which a lazy link must be shorter to become eager (paper)",
        ),
        param(
            "announce-period",
            Kind::Span,
            "0s",
            "announcements are collected for so long; 0s sends each at once",
        ),
        CACHE,
        CACHE_SPAN,
        SEEN,
        MISSING,
        param(
            "catch-up",
            Kind::Span,
            "0s",
            "a new neighbour is announced what arrived within this span; 0s: nothing (paper)",
        ),
        param("channel", CHANNEL, "stream", "how all messages travel (paper: TCP)"),
        param("graft", Kind::Flag, "true", "false ignores announcements: the control of experiments"),
        param(
            "mistake",
            Kind::Choice(&["none", "forget-with-owner", "prune-revokes", "graft-only-when-lazy", "ask-once"]),
            "none",
            "museum: a mistake made on purpose (MUS-33)",
        ),
    ];

    fn config(values: &Values, _: &World) -> plumtree::Config {
        plumtree::Config {
            ihave_timeout: values.span("ihave-timeout"),
            graft_timeout: values.span("graft-timeout"),
            graft_passes_max: values.count("graft-passes-max") as u8,
            threshold: values.count_or_none("threshold").map(|hops| hops as u16),
            announce_period: values.span("announce-period"),
            cache_count_max: values.size("cache-count-max"),
            cache_span: values.span("cache-span"),
            seen_count_max: values.size("seen-count-max"),
            missing_count_max: values.size("missing-count-max"),
            catch_up: values.span("catch-up"),
            channel: values.channel("channel"),
            graft: values.flag("graft"),
            mistake: match values.word("mistake") {
                "forget-with-owner" => Some(Mistake::ForgetWithOwner),
                "prune-revokes" => Some(Mistake::PruneRevokes),
                "graft-only-when-lazy" => Some(Mistake::GraftOnlyWhenLazy),
                "ask-once" => Some(Mistake::AskOnce),
                _ => None,
            },
        }
    }

    fn is_tree_link(&self, peer: ProcessId) -> bool {
        self.eager().any(|eager| eager == peer)
    }
}

impl BroadcastEntry for Flood {
    const NAME: &'static str = "flood";
    const DOC: &'static str = "to all neighbours but the sender, upon the first copy";
    const BYTES: u64 = 120;
    const PARAMS: &'static [Param] = &[SEEN, param("channel", CHANNEL, "stream", "how messages travel")];

    fn config(values: &Values, _: &World) -> flood::Config {
        flood::Config { seen_count_max: values.size("seen-count-max"), channel: values.channel("channel") }
    }
}

impl BroadcastEntry for EagerPush {
    const NAME: &'static str = "eager-push";
    const DOC: &'static str =
        "to some random peers, upon the first copy or in every period (Demers 1987; Eugster 2004)";
    const BYTES: u64 = 160;
    const PARAMS: &'static [Param] = &[
        param(
            "fanout",
            Kind::Count(0, MANY),
            "10",
            "peers that a message goes to at a time (ln n + 0.8 for 10 000 processes)",
        ),
        param(
            "style",
            Kind::Choice(&["infect-and-die", "infect-forever"]),
            "infect-and-die",
            "forward once, or in each period",
        ),
        param("period", Kind::Period, "1s", "infect-forever: from one round to the next"),
        param("rounds-max", Kind::CountOrNone(1_000), "10", "infect-forever: rounds in all"),
        param("hot-count-max", Kind::Count(1, MANY), "64", "infect-forever: messages forwarded at a time"),
        SEEN,
        param("channel", CHANNEL, "datagram", "how messages travel"),
    ];

    fn config(values: &Values, _: &World) -> eager_push::Config {
        let style = if values.word("style") == "infect-forever" {
            eager_push::Style::Forever {
                period: values.span("period"),
                rounds_max: values.count_or_none("rounds-max").map(|count| count as u32),
                hot_count_max: values.size("hot-count-max"),
            }
        } else {
            eager_push::Style::Die
        };
        eager_push::Config {
            fanout: values.size("fanout"),
            style,
            seen_count_max: values.size("seen-count-max"),
            channel: values.channel("channel"),
        }
    }
}

impl BroadcastEntry for LazyPush {
    const NAME: &'static str = "lazy-push";
    const DOC: &'static str = "ids to some random peers, payloads on request";
    const BYTES: u64 = 300;
    const PARAMS: &'static [Param] = &[
        param(
            "fanout",
            Kind::Count(0, MANY),
            "10",
            "peers that an id goes to (ln n + 0.8 for 10 000 processes)",
        ),
        param(
            "request-timeout",
            Kind::Span,
            "400ms",
            "how long an announcer has to answer, above a round trip",
        ),
        param("request-passes-max", Kind::Count(1, 100), "4", "how often each announcer is asked (guess)"),
        CACHE,
        CACHE_SPAN,
        SEEN,
        MISSING,
        param("channel", CHANNEL, "datagram", "how all messages travel"),
    ];

    fn config(values: &Values, _: &World) -> lazy_push::Config {
        lazy_push::Config {
            fanout: values.size("fanout"),
            request_timeout: values.span("request-timeout"),
            request_passes_max: values.count("request-passes-max") as u8,
            cache_count_max: values.size("cache-count-max"),
            cache_span: values.span("cache-span"),
            seen_count_max: values.size("seen-count-max"),
            missing_count_max: values.size("missing-count-max"),
            channel: values.channel("channel"),
            mistake: None,
        }
    }
}

impl BroadcastEntry for Pull {
    const NAME: &'static str = "pull";
    const DOC: &'static str =
        "each period ask a random peer for what one has not had (Demers 1987: anti-entropy)";
    const BYTES: u64 = 300;
    const PARAMS: &'static [Param] = &[
        param("period", Kind::Period, "1s", "from one request of a process to its next (guess)"),
        param("digest-count-max", Kind::Count(1, MANY), "256", "messages that a request tells of"),
        param("reply-count-max", Kind::Count(1, MANY), "64", "messages in an answer (guess)"),
        CACHE,
        CACHE_SPAN,
        SEEN,
        param("channel", CHANNEL, "datagram", "how all messages travel"),
    ];

    fn config(values: &Values, _: &World) -> pull::Config {
        pull::Config {
            period: values.span("period"),
            digest_count_max: values.size("digest-count-max"),
            reply_count_max: values.size("reply-count-max"),
            cache_count_max: values.size("cache-count-max"),
            cache_span: values.span("cache-span"),
            seen_count_max: values.size("seen-count-max"),
            channel: values.channel("channel"),
        }
    }
}

impl BroadcastEntry for PushPull {
    const NAME: &'static str = "push-pull";
    const DOC: &'static str =
        "each period exchange with a random peer, both ways (Demers 1987; Karp et al. 2000)";
    const BYTES: u64 = 300;
    const PARAMS: &'static [Param] = &[
        param("period", Kind::Period, "1s", "from one call of a process to its next (guess)"),
        param(
            "style",
            Kind::Choice(&["compare", "blind"]),
            "compare",
            "tell what one has had first, or send all that is young",
        ),
        param("digest-count-max", Kind::Count(1, MANY), "256", "compare: messages told of"),
        param(
            "rounds-max",
            Kind::Count(1, 10_000),
            "20",
            "blind: periods in which a message is sent (log3 n and some)",
        ),
        param("reply-count-max", Kind::Count(1, MANY), "64", "messages sent at a time (guess)"),
        CACHE,
        CACHE_SPAN,
        SEEN,
        param("channel", CHANNEL, "datagram", "how all messages travel"),
    ];

    fn config(values: &Values, _: &World) -> push_pull::Config {
        let style = if values.word("style") == "blind" {
            push_pull::Style::Blind { rounds_max: values.count("rounds-max") as u16 }
        } else {
            push_pull::Style::Compare { digest_count_max: values.size("digest-count-max") }
        };
        push_pull::Config {
            period: values.span("period"),
            style,
            reply_count_max: values.size("reply-count-max"),
            cache_count_max: values.size("cache-count-max"),
            cache_span: values.span("cache-span"),
            seen_count_max: values.size("seen-count-max"),
            channel: values.channel("channel"),
        }
    }
}

impl BroadcastEntry for Tree {
    const NAME: &'static str = "tree";
    const DOC: &'static str = "along a fixed spanning tree of the [topology], never repaired";
    const BYTES: u64 = 80;
    const ON_GRAPH: bool = true;
    const PARAMS: &'static [Param] = &[
        param("seen-count-max", Kind::Count(1, MANY), "16", "messages remembered at least (guess)"),
        param("channel", CHANNEL, "stream", "how messages travel"),
    ];

    fn config(values: &Values, world: &World) -> tree::Config {
        tree::Config {
            tree: Arc::new(spanning_tree(&world.graph)),
            seen_count_max: values.size("seen-count-max"),
            channel: values.channel("channel"),
        }
    }
}

/// The breadth-first spanning tree from process 0.
fn spanning_tree(graph: &Graph) -> Graph {
    let mut seen = vec![false; graph.nodes() as usize];
    let mut edges = Vec::new();
    let mut queue = std::collections::VecDeque::from([ProcessId(0)]);
    if let Some(first) = seen.first_mut() {
        *first = true;
    }
    while let Some(node) = queue.pop_front() {
        for &next in graph.neighbors(node) {
            if !std::mem::replace(&mut seen[next.index()], true) {
                edges.push((node.0, next.0));
                queue.push_back(next);
            }
        }
    }
    Graph::from_edges(graph.nodes(), &edges)
}
