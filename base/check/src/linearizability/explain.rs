//! Why operations contradict one another, in sentences.

use isles_history::{Moment, Operation};

use crate::Model;

/// Operations that contradict one another, whatever the others of the history did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contradiction {
    /// Their places in the history, ascending. There is no order of these, each at one moment of its interval, that explains their
    /// answers, even if every other operation may take effect as often as it likes within its own interval, or never. One of unknown
    /// outcome among them takes effect once at most. Without any of them there is an order, as far as shrinking went.
    pub core: Vec<u32>,
    /// What forces their order in real time: the former returned before the latter was invoked, and none of them lies between.
    pub edges: Vec<(u32, u32)>,
}

impl Contradiction {
    /// A contradiction among these operations.
    pub fn new<Op, Reply>(operations: &[Operation<Op, Reply>], core: impl IntoIterator<Item = u32>) -> Self {
        let mut core: Vec<u32> = core.into_iter().collect();
        core.sort_unstable();
        core.dedup();
        let when = |name: u32| {
            let operation = &operations[name as usize];
            (operation.invoked, operation.returned())
        };
        let mut edges = Vec::new();
        for &a in &core {
            // The first return among those that follow: whoever is invoked after it is reached through that one.
            let following = core.iter().filter(|b| when(**b).0 > when(a).1);
            let soonest = following.clone().map(|b| when(*b).1).min().unwrap_or(Moment::MAX);
            edges.extend(following.filter(|b| when(**b).0 <= soonest).map(|b| (a, *b)));
        }
        Self { core, edges }
    }

    /// A contradiction among these operations, in which the order of processes counts instead of real time.
    pub fn of_processes<Op, Reply>(
        operations: &[Operation<Op, Reply>],
        core: impl IntoIterator<Item = u32>,
    ) -> Self {
        let mut core: Vec<u32> = core.into_iter().collect();
        core.sort_unstable();
        let mut edges = Vec::new();
        for &a in &core {
            let process = operations[a as usize].process;
            let is_next = |b: &&u32| **b > a && operations[**b as usize].process == process;
            edges.extend(core.iter().find(is_next).map(|b| (a, *b)));
        }
        Self { core, edges }
    }

    /// One sentence for each edge, and one for what it comes to. Operations are called by their places in the history, counted from
    /// 0, unless `name` calls them otherwise.
    pub fn sentences<M: Model>(
        &self,
        model: &M,
        operations: &[Operation<M::Op, M::Reply>],
        name: impl Fn(u32) -> String,
    ) -> Vec<String> {
        let text = |place: u32| {
            let operation = &operations[place as usize];
            format!("{} ({})", name(place), model.describe(&operation.op, operation.reply()))
        };
        let mut sentences: Vec<String> = self
            .edges
            .iter()
            .map(|(a, b)| format!("{} returned before {} was invoked.", text(*a), text(*b)))
            .collect();
        sentences.push(match &self.core[..] {
            [only] => format!("No order of the other operations gives {}.", text(*only)),
            [a, b] if self.edges.is_empty() => {
                format!(
                    "Neither order of {} and {} gives their answers, whatever the others did.",
                    text(*a),
                    text(*b)
                )
            }
            _ if self.edges.len() + 1 == self.core.len() && is_path(&self.edges) => {
                "In this order they cannot be answered so, whatever the others did meanwhile.".to_owned()
            }
            core => format!(
                "No order of {} that keeps to this gives their answers, whatever the others did meanwhile.",
                core.iter().map(|place| text(*place)).collect::<Vec<_>>().join(", ")
            ),
        });
        sentences
    }
}

/// Whether edges follow one another.
fn is_path(edges: &[(u32, u32)]) -> bool {
    let mut edges = edges.to_vec();
    edges.sort_unstable();
    edges.windows(2).all(|pair| pair[0].1 == pair[1].0)
}
