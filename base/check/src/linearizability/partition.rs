//! Which operations can be judged apart.

use hashbrown::HashMap;
use isles_history::Operation;
use rustc_hash::FxBuildHasher;

use crate::{Model, Parts};

/// The operations by the objects that they touch, as places in the history: two are together if they touch the same object, or others
/// join their objects (Herlihy and Wing 1990, theorem 1). In the order of their first operations.
///
/// # Complexity
/// O(n) and a little.
pub fn partition<M: Model>(model: &M, operations: &[Operation<M::Op, M::Reply>]) -> Vec<Vec<u32>> {
    let count = operations.len() as u32;
    let mut joined = Joined::default();
    let mut objects = Parts::default();
    let mut first: Vec<u32> = Vec::new();
    for operation in operations {
        objects.clear();
        model.objects(&operation.op, &mut objects);
        if objects.are_all() {
            return vec![(0..count).collect()];
        }
        let mut names = objects.hashes().iter();
        // One that touches nothing is alone.
        let object = match names.next() {
            Some(name) => joined.object(*name),
            None => joined.add(),
        };
        for name in names {
            let other = joined.object(*name);
            joined.join(object, other);
        }
        first.push(object);
    }
    let mut parts: Vec<Vec<u32>> = Vec::new();
    let mut number = vec![u32::MAX; joined.parent.len()];
    for (operation, object) in (0..).zip(first) {
        let root = joined.root(object) as usize;
        if number[root] == u32::MAX {
            number[root] = parts.len() as u32;
            parts.push(Vec::new());
        }
        parts[number[root] as usize].push(operation);
    }
    parts
}

/// Sets of objects that are joined step by step.
#[derive(Default)]
pub(crate) struct Joined {
    parent: Vec<u32>,
    names: HashMap<u64, u32, FxBuildHasher>,
}

impl Joined {
    /// One more, alone.
    fn add(&mut self) -> u32 {
        self.parent.push(self.parent.len() as u32);
        self.parent.len() as u32 - 1
    }

    /// The one of this name.
    pub(crate) fn object(&mut self, name: u64) -> u32 {
        let parent = &mut self.parent;
        *self.names.entry(name).or_insert_with(|| {
            parent.push(parent.len() as u32);
            parent.len() as u32 - 1
        })
    }

    /// Who stands for all that are joined with it. Paths are halved on the way.
    pub(crate) fn root(&mut self, mut object: u32) -> u32 {
        while self.parent[object as usize] != object {
            self.parent[object as usize] = self.parent[self.parent[object as usize] as usize];
            object = self.parent[object as usize];
        }
        object
    }

    pub(crate) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }
}
