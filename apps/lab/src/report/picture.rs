//! The data of the two pictures of a report: who was connected to whom, and who sent what to whom.

use serde::Serialize;

/// Who was connected to whom.
#[derive(Clone, Debug, Serialize)]
pub struct Topology {
    /// Heading.
    pub title: String,
    /// At which instant, and what an edge means; may be empty.
    pub help: String,
    /// How many processes are up.
    pub nodes_up: usize,
    /// How many are not.
    pub nodes_crashed: usize,
    /// How many edges there are.
    pub edges: usize,
    /// `(degree, how many processes that are up have it)`; of a directed graph, the in-degree.
    pub degrees: Vec<(u32, u64)>,
    /// The graph itself, where it is small enough to be seen.
    pub drawing: Option<Drawing>,
}

impl Topology {
    /// A graph of more processes than this is shown by its degrees only.
    pub const DRAWN_MAX: usize = 400;

    /// Counts degrees, and keeps the graph itself if at most [`Topology::DRAWN_MAX`] processes are in it.
    /// Edges to a process that does not exist, or from a process to itself, are left out.
    pub fn new(
        title: impl Into<String>,
        help: impl Into<String>,
        nodes: Vec<Node>,
        mut edges: Vec<Edge>,
        directed: bool,
    ) -> Self {
        let known = |index: u32| (index as usize) < nodes.len();
        edges.retain(|edge| known(edge.from) && known(edge.to) && edge.from != edge.to);
        let mut degree = vec![0u32; nodes.len()];
        for edge in &edges {
            degree[edge.to as usize] += 1;
            if !directed {
                degree[edge.from as usize] += 1;
            }
        }
        let is_up = |node: &&Node| node.state != NodeState::Crashed;
        let nodes_up = nodes.iter().filter(is_up).count();
        let mut up: Vec<u32> =
            nodes.iter().zip(degree).filter(|(node, _)| is_up(node)).map(|(_, degree)| degree).collect();
        up.sort_unstable();
        let degrees = up.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u64)).collect();
        Self {
            title: title.into(),
            help: help.into(),
            nodes_up,
            nodes_crashed: nodes.len() - nodes_up,
            edges: edges.len(),
            degrees,
            drawing: (nodes.len() <= Self::DRAWN_MAX).then_some(Drawing { nodes, edges, directed }),
        }
    }
}

/// A graph to be drawn.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Drawing {
    /// The processes; edges name them by index.
    pub nodes: Vec<Node>,
    /// The connections.
    pub edges: Vec<Edge>,
    /// Whether an edge leads one way.
    pub directed: bool,
}

/// A process in a graph.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Node {
    /// Its name.
    pub label: String,
    /// How it is doing.
    pub state: NodeState,
    /// What it belongs to, such as a region: nodes of a group share a colour; may be empty.
    pub group: String,
    /// Where it is, in any unit, y downwards; if any node has none, all are laid out by forces.
    pub position: Option<(f64, f64)>,
}

/// How a process is doing.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// It works.
    #[default]
    Up,
    /// It is down.
    Crashed,
    /// It works, and is where the episode began, such as a broadcast's source.
    Source,
    /// It deviates from the protocol.
    Traitor,
}

/// A connection between two nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Edge {
    /// Index of one end.
    pub from: u32,
    /// Index of the other end.
    pub to: u32,
    /// Whether it belongs to the tree that broadcasts take.
    pub tree: bool,
}

/// The messages between a few processes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SpaceTime {
    /// Heading.
    pub title: String,
    /// Which episode it is; may be empty.
    pub help: String,
    /// The processes; messages and moments name them by index.
    pub lanes: Vec<String>,
    /// What was sent.
    pub messages: Vec<Message>,
    /// What happened at a process by itself.
    pub moments: Vec<Moment>,
}

/// One message on its way.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Its kind, as in [`Traffic::kind`](super::data::Traffic::kind).
    pub kind: String,
    /// Lane of the sender.
    pub from: u32,
    /// Lane of the receiver.
    pub to: u32,
    /// When it left, in seconds.
    pub sent: f64,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It arrived at this instant, in seconds.
    Arrived(f64),
    /// It never will.
    Lost,
    /// It was still under way when the recording ended.
    UnderWay,
}

/// Something that happened at one process.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moment {
    /// The process's lane.
    pub lane: u32,
    /// When, in seconds.
    pub at: f64,
    /// What sort of thing.
    pub kind: MomentKind,
    /// In words; may be empty.
    pub label: String,
}

/// What may happen at a process by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MomentKind {
    /// A client asked for something, such as a broadcast.
    Invoked,
    /// A payload reached the application, or a client got its reply.
    Delivered,
    /// The process went down.
    Crashed,
    /// The process came back.
    Restarted,
    /// A timer fired.
    Timer,
    /// Anything else.
    Note,
}
