//! Everybody the root of a tree: leader election, counting, and the diameter, with nothing known before.
//!
//! Lynch, *Distributed Algorithms*, 1996, sec. 4.2 (in rounds) and sec. 15.3 (without): every process grows a tree and gathers
//! the greatest UID; whoever finds its own is the leader. In rounds trees are breadth-first, and the deepest process of one's
//! own tree tells one's eccentricity; a second convergecast over each tree finds the greatest of all: the diameter.
//!
//! **Model**: that of [`SpanningTree`]; any processes may begin, and a message wakes the others. **Properties**:
//! [`one_leader`], [`all_agree`]; the diameter is right in rounds only, since other trees may be deeper than need be.
//! **Cost** for n processes and e edges with [`Answers::Echo`](crate::tree::Answers::Echo): exactly 2e · n messages, and
//! n(n - 1) more for the diameter; in rounds, with all messages over one edge in one round being one, O(diam · e).
//! **Departure**: each tree carries the second convergecast, so that every process learns the diameter, and none need
//! wait for a leader.

use isles_kernel::{Cx, Never, OpId, Payload, ProcessId, Protocol, Upcall, Upcalls};
use serde::{Deserialize, Serialize};

use crate::below::{Sends, run};
use crate::gather::{Census, Found};
use crate::tree::{self, SpanningTree};

/// One process.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EveryRoot {
    /// By root, ascending: this process's place in each tree that it has heard of.
    trees: Vec<Branch>,
    /// Who asked, until it is answered.
    asked: Vec<OpId>,
    /// What this process's own tree has found.
    found: Option<Found>,
    /// The greatest eccentricity of all.
    diameter: Option<u32>,
}

/// One process in one tree.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Branch {
    root: ProcessId,
    tree: SpanningTree<Census>,
    /// How many children have told the greatest eccentricity below them.
    told: u32,
    /// The greatest that they told.
    widest: u32,
    /// It went to the parent.
    passed: bool,
}

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// Of each tree; its census has the UIDs, which must differ. Searches must be answered.
    pub tree: tree::Config<Census>,
    /// Whether the diameter is looked for, too.
    pub diameter: bool,
}

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// Of the tree of this root.
    Tree {
        /// Whose.
        root: ProcessId,
        /// What.
        msg: tree::Msg<Found>,
    },
    /// The greatest eccentricity of a process and all below it in the tree of this root.
    Widest {
        /// Whose.
        root: ProcessId,
        /// In hops.
        eccentricity: u32,
    },
}

/// Find out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Elect;

/// What a process finds out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// By its own tree: how many there are, the leader's UID, and its eccentricity (in rounds).
    pub found: Found,
    /// Whether it is the leader itself.
    pub leads: bool,
    /// The diameter, if it is looked for.
    pub diameter: Option<u32>,
}

/// What a process tells.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// It has found out everything.
    Done(Outcome),
    /// A message that does not fit was dropped.
    Rejected {
        /// From whom.
        from: ProcessId,
    },
}

impl Protocol for EveryRoot {
    type Config = Config;
    type Msg = Msg;
    type Timer = Never;
    type Op = Elect;
    type Reply = Outcome;
    type Record = Never;
    type Event = Event;

    fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self { trees: Vec::new(), asked: Vec::new(), found: None, diameter: None }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, _: Elect) {
        match self.outcome(cx.config(), cx.me()) {
            Some(outcome) => cx.reply(id, outcome),
            None => self.asked.push(id),
        }
        self.wake(cx);
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        self.wake(cx);
        match msg {
            Msg::Tree { root, msg } => {
                let index = self.branch(cx, root);
                self.step(cx, index, |tree, cx| tree.on_message(cx, from, msg));
            }
            Msg::Widest { root, eccentricity } => {
                let index = self.branch(cx, root);
                let branch = &mut self.trees[index];
                branch.told += 1;
                branch.widest = branch.widest.max(eccentricity);
                self.pass_widest(cx, index);
            }
        }
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
}

impl EveryRoot {
    /// What this process has found out; none before it is all known.
    pub fn outcome(&self, config: &Config, me: ProcessId) -> Option<Outcome> {
        let found = self.found.filter(|_| !config.diameter || self.diameter.is_some())?;
        Some(Outcome { found, leads: found.uid_max == config.tree.gather.uid(me), diameter: self.diameter })
    }

    /// This process in the tree of `root`, if it has heard of it.
    pub fn tree(&self, root: ProcessId) -> Option<&SpanningTree<Census>> {
        let index = self.trees.binary_search_by_key(&root, |branch| branch.root).ok()?;
        Some(&self.trees[index].tree)
    }

    /// Begins this process's own tree, if that has not been done.
    fn wake(&mut self, cx: &mut Cx<'_, Self>) {
        let index = self.branch(cx, cx.me());
        if self.trees[index].tree.inside().is_none() && self.found.is_none() {
            // The number is the child's alone: its reply comes back here.
            let build = tree::Op::Build(Payload::default());
            self.step(cx, index, |tree, cx| tree.on_op(cx, OpId(0), build));
        }
    }

    /// The place of the tree of `root`, which is there from now on.
    fn branch(&mut self, cx: &mut Cx<'_, Self>, root: ProcessId) -> usize {
        self.trees.binary_search_by_key(&root, |branch| branch.root).unwrap_or_else(|index| {
            let (tree, _, _) = run(cx, &cx.config().tree, |cx| SpanningTree::start(cx, &[]));
            self.trees.insert(index, Branch { root, tree, told: 0, widest: 0, passed: false });
            index
        })
    }

    fn step(
        &mut self,
        cx: &mut Cx<'_, Self>,
        index: usize,
        step: impl FnOnce(&mut SpanningTree<Census>, &mut Cx<'_, SpanningTree<Census>>),
    ) {
        let branch = &mut self.trees[index];
        let root = branch.root;
        let ((), sends, upcalls): (_, Sends<SpanningTree<Census>>, Upcalls<SpanningTree<Census>>) =
            run(cx, &cx.config().tree, |cx| step(&mut branch.tree, cx));
        for (to, msg) in sends {
            cx.send(to, Msg::Tree { root, msg });
        }
        for upcall in upcalls {
            match upcall {
                Upcall::Reply(_, tree::Reply::Built(found)) => self.on_built(cx, found),
                Upcall::Event(tree::Event::Finished(_)) => self.pass_widest(cx, index),
                Upcall::Event(tree::Event::Rejected { from }) => cx.emit(Event::Rejected { from }),
                Upcall::Event(tree::Event::Joined { .. } | tree::Event::Delivered(_))
                | Upcall::Reply(_, tree::Reply::Sent | tree::Reply::Refused) => {}
            }
        }
    }

    /// This process's own tree is finished.
    fn on_built(&mut self, cx: &mut Cx<'_, Self>, found: Found) {
        self.found = Some(found);
        if cx.config().diameter {
            (0..self.trees.len()).for_each(|index| self.pass_widest(cx, index));
        } else {
            self.tell(cx);
        }
    }

    /// Tells the parent in one tree the greatest eccentricity from here on downwards, once it is known.
    fn pass_widest(&mut self, cx: &mut Cx<'_, Self>, index: usize) {
        let config = cx.config();
        let branch = &mut self.trees[index];
        let Some((found, inside)) = self.found.zip(branch.tree.inside()).filter(|_| config.diameter) else {
            return;
        };
        let neighbors = config.tree.graph.neighbors(cx.me());
        let all_told = inside.children(neighbors).count() as u32 == branch.told;
        if branch.passed || !inside.has_reported() || !all_told {
            return;
        }
        branch.passed = true;
        branch.widest = branch.widest.max(found.depth_max);
        match inside.parent() {
            Some(parent) => {
                cx.send(parent, Msg::Widest { root: branch.root, eccentricity: branch.widest });
            }
            None => {
                self.diameter = Some(branch.widest);
                self.tell(cx);
            }
        }
    }

    /// Everything is known.
    fn tell(&mut self, cx: &mut Cx<'_, Self>) {
        if let Some(outcome) = self.outcome(cx.config(), cx.me()) {
            cx.emit(Event::Done(outcome));
            for id in std::mem::take(&mut self.asked) {
                cx.reply(id, outcome);
            }
        }
    }
}

/// At most one process leads, and it has the greatest UID: at every instant. Both, if there are two.
///
/// # Errors
/// With the first two leaders; one and itself, if its UID is not the greatest.
pub fn one_leader<'a>(
    config: &Config,
    processes: impl IntoIterator<Item = (ProcessId, &'a EveryRoot)>,
) -> Result<(), (ProcessId, ProcessId)> {
    let uid = |process| config.tree.gather.uid(process);
    let leads = |(me, process): (ProcessId, &'a EveryRoot)| {
        process.found.filter(|found| found.uid_max == uid(me)).map(|_| me)
    };
    let mut leaders = processes.into_iter().filter_map(leads);
    match (leaders.next(), leaders.next()) {
        (Some(a), Some(b)) => Err((a, b)),
        (Some(a), None) if config.tree.graph.ids().any(|other| uid(other) > uid(a)) => Err((a, a)),
        (Some(_) | None, _) => Ok(()),
    }
}

/// All that have found out agree on leader, number and diameter: at every instant.
///
/// # Errors
/// With the first two that do not.
pub fn all_agree<'a>(
    processes: impl IntoIterator<Item = (ProcessId, &'a EveryRoot)>,
) -> Result<(), (ProcessId, ProcessId)> {
    let mut first = None;
    for (me, process) in processes {
        let Some(found) = process.found else { continue };
        let here = (found.uid_max, found.count, process.diameter);
        let (other, (uid, count, diameter)) = *first.get_or_insert((me, here));
        let same = match (diameter, process.diameter) {
            (Some(a), Some(b)) => a == b,
            (None, _) | (_, None) => true,
        };
        if (uid, count) != (here.0, here.1) || !same {
            return Err((other, me));
        }
    }
    Ok(())
}
