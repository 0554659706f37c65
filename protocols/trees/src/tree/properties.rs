//! What must hold of all processes of a tree together: at every instant, unless it says otherwise.

use std::fmt;

use isles_graph::{Graph, distances};
use isles_kernel::{Data, ProcessId};

use super::{Inside, Msg, SpanningTree};
use crate::gather::Gather;

/// Why processes do not form what they should.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Flaw {
    /// A process other than the root has no parent, or the root has one.
    Rootless {
        /// Which.
        process: ProcessId,
    },
    /// A process's parent is not in the tree, or is no neighbour that could have searched it.
    Astray {
        /// The process.
        process: ProcessId,
        /// Its parent.
        parent: ProcessId,
    },
    /// Parents lead round in a circle.
    Circle {
        /// A process from which they do.
        process: ProcessId,
    },
    /// A process is not one hop below its parent.
    Depth {
        /// Which.
        process: ProcessId,
    },
    /// A process takes another one for its child whose parent it is not.
    Child {
        /// The parent, as it believes.
        parent: ProcessId,
        /// The other one.
        child: ProcessId,
    },
    /// A message is under way from a process that is not in the tree.
    Outsider {
        /// Its sender.
        from: ProcessId,
    },
    /// A process is not in the tree, and should be.
    Missing {
        /// Which.
        process: ProcessId,
    },
    /// A process has reported, and a process below it has not.
    Early {
        /// The process that reported.
        process: ProcessId,
        /// The one below it.
        below: ProcessId,
    },
    /// A process is deeper in the tree than it is far from the root.
    Deeper {
        /// Which.
        process: ProcessId,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rootless { process } => {
                write!(f, "{process} has no parent and is not the root, or the other way round")
            }
            Self::Astray { process, parent } => {
                write!(f, "{process} has the parent {parent}, which is outside or cannot send to it")
            }
            Self::Circle { process } => write!(f, "parents from {process} on lead round in a circle"),
            Self::Depth { process } => write!(f, "{process} is not one hop below its parent"),
            Self::Child { parent, child } => {
                write!(f, "{parent} takes {child} for its child, which it is not")
            }
            Self::Outsider { from } => {
                write!(f, "a message of {from} is under way, which is not in the tree")
            }
            Self::Missing { process } => write!(f, "{process} is not in the tree"),
            Self::Early { process, below } => {
                write!(f, "{process} has reported, and {below} below it has not")
            }
            Self::Deeper { process } => {
                write!(f, "{process} is deeper in the tree than it is far from the root")
            }
        }
    }
}

impl std::error::Error for Flaw {}

/// The tree as it stands: what each process knows, by process.
#[derive(Clone, Debug)]
pub struct View<'a, V> {
    graph: &'a Graph,
    root: ProcessId,
    inside: Vec<Option<&'a Inside<V>>>,
}

impl<'a, V: Data> View<'a, V> {
    /// The tree of these processes, which are those of `graph`, from `root`.
    pub fn new<G: Gather<Value = V>>(
        graph: &'a Graph,
        root: ProcessId,
        processes: impl IntoIterator<Item = (ProcessId, &'a SpanningTree<G>)>,
    ) -> Self {
        let mut inside = vec![None; graph.nodes() as usize];
        for (process, state) in processes {
            if let Some(place) = inside.get_mut(process.index()) {
                *place = state.inside();
            }
        }
        Self { graph, root, inside }
    }

    fn members(&self) -> impl Iterator<Item = (ProcessId, &'a Inside<V>)> + '_ {
        self.graph.ids().filter_map(|process| Some((process, self.inside[process.index()]?)))
    }

    /// The process, if it is in the tree.
    pub fn inside(&self, process: ProcessId) -> Option<&'a Inside<V>> {
        self.inside.get(process.index()).copied().flatten()
    }

    /// The greatest depth; 0 if nobody is in the tree.
    pub fn height(&self) -> u32 {
        self.members().map(|(_, inside)| inside.depth()).max().unwrap_or(0)
    }

    /// Parents form a tree from the root on: each is in the tree and could send to its child, none is its own ancestor, and
    /// depths count the hops (Lynch 1996, sec. 15.3).
    ///
    /// # Errors
    /// With the first flaw, in the order of process ids.
    ///
    /// # Complexity
    /// O(n log n) for n processes.
    pub fn parents_form_tree(&self) -> Result<(), Flaw> {
        // 0: not looked at, 1: on the path that is being followed, 2: leads to the root.
        let mut marks = vec![0u8; self.inside.len()];
        let mut path = Vec::new();
        for (process, inside) in self.members() {
            match inside.parent() {
                None if process == self.root => {}
                Some(parent) if process != self.root => {
                    let above = self.inside(parent).filter(|_| self.graph.has_edge(parent, process));
                    let above = above.ok_or(Flaw::Astray { process, parent })?;
                    if above.depth().checked_add(1) != Some(inside.depth()) {
                        // A circle cannot have right depths; it is the more telling flaw.
                        self.follow(process, &mut marks, &mut path)?;
                        return Err(Flaw::Depth { process });
                    }
                }
                None | Some(_) => return Err(Flaw::Rootless { process }),
            }
            self.follow(process, &mut marks, &mut path)?;
        }
        Ok(())
    }

    /// Follows parents until they lead to the root or to where one has been.
    fn follow(&self, from: ProcessId, marks: &mut [u8], path: &mut Vec<usize>) -> Result<(), Flaw> {
        path.clear();
        let mut at = Some(from);
        while let Some(process) = at.filter(|process| marks[process.index()] != 2) {
            if marks[process.index()] == 1 {
                return Err(Flaw::Circle { process: from });
            }
            marks[process.index()] = 1;
            path.push(process.index());
            at = self.inside(process).and_then(Inside::parent);
        }
        path.iter().for_each(|index| marks[*index] = 2);
        Ok(())
    }

    /// A message under way comes from a process in the tree (Lynch 1996, sec. 15.3: what is in C(i, j) implies that i has a
    /// parent or is the root). Not where processes forget.
    ///
    /// # Errors
    /// With the first message that does not.
    pub fn senders_are_inside<'m>(
        &self,
        under_way: impl IntoIterator<Item = (ProcessId, &'m Msg<V>)>,
    ) -> Result<(), Flaw>
    where
        V: 'm,
    {
        match under_way.into_iter().find(|(from, _)| self.inside(*from).is_none()) {
            Some((from, _)) => Err(Flaw::Outsider { from }),
            None => Ok(()),
        }
    }

    /// Whoever is taken for a child is one: it has that process as its parent. Not where processes forget.
    ///
    /// # Errors
    /// With the first child that is none.
    pub fn children_have_their_parent(&self) -> Result<(), Flaw> {
        for (parent, inside) in self.members() {
            for child in inside.children(self.graph.neighbors(parent)) {
                if self.inside(child).is_none_or(|child| child.parent() != Some(parent)) {
                    return Err(Flaw::Child { parent, child });
                }
            }
        }
        Ok(())
    }

    /// Nobody reports before everybody below it: when the root does, all that it can reach are in the tree and have
    /// reported. Where processes forget, those that have are taken for reported ones.
    ///
    /// # Errors
    /// With the first process that did.
    pub fn nobody_reports_early(&self) -> Result<(), Flaw> {
        for (below, inside) in self.members().filter(|(_, inside)| !inside.has_reported()) {
            let parent = inside.parent().and_then(|parent| Some((parent, self.inside(parent)?)));
            if let Some((process, _)) = parent.filter(|(_, above)| above.has_reported()) {
                return Err(Flaw::Early { process, below });
            }
        }
        if self.inside(self.root).is_some_and(Inside::has_reported) { self.spans() } else { Ok(()) }
    }

    /// Everybody whom the root can reach is in the tree. When nothing is under way.
    ///
    /// # Errors
    /// With the first process that is not.
    pub fn spans(&self) -> Result<(), Flaw> {
        let far = distances(self.graph, self.root);
        let missing = |process: &ProcessId| far[process.index()].is_some() && self.inside(*process).is_none();
        self.graph.ids().find(missing).map_or(Ok(()), |process| Err(Flaw::Missing { process }))
    }

    /// The tree is breadth-first: everybody is as deep as it is far from the root. Of trees that grew in rounds.
    ///
    /// # Errors
    /// With the first process that is deeper.
    pub fn is_breadth_first(&self) -> Result<(), Flaw> {
        let far = distances(self.graph, self.root);
        let deeper = self.members().find(|(process, inside)| far[process.index()] != Some(inside.depth()));
        deeper.map_or(Ok(()), |(process, _)| Err(Flaw::Deeper { process }))
    }
}
