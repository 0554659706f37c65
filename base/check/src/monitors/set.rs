//! Sets that only grow and are read as a whole.
//!
//! Nothing leaves the set, so what reads saw must be a chain: sorted by size, each holds the one before. All adds of an element come after
//! the last read without it, and one of them, best the first to be invoked, comes before the first read with it. That is all that is
//! demanded besides real time, and it is an order already: everything takes effect as early as what is before it allows, and if
//! something had to return sooner, it, what holds it up, and a read between the two contradict one another.

use std::collections::BTreeSet;

use hashbrown::HashMap;
use isles_history::{Moment, Operation};
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use super::Finding;
use crate::model::Datum;
use crate::models::set::{Op, Reply};

/// Judges those of `operations` named by `members`, of a set that is empty at first.
///
/// # Complexity
/// Time n log n, where an element that is read counts each time.
pub fn set<V: Datum>(operations: &[Operation<Op<V>, Reply<V>>], members: &[u32]) -> Finding {
    let (mut adds, mut reads): (Adds<'_, V>, Vec<Read<'_, V>>) = (HashMap::default(), Vec::new());
    for &name in members {
        let operation = &operations[name as usize];
        match (&operation.op, operation.reply()) {
            (Op::Add(element), None | Some(Reply::Done)) => adds.entry(element).or_default().push(name),
            (Op::Read, Some(Reply::All(all))) => reads.push(Read { name, all }),
            (Op::Read | Op::Contains(_), None) => {}
            (Op::Add(_) | Op::Read | Op::Remove(_) | Op::Contains(_), _) => {
                return Finding::Inapplicable("elements leave, or somebody is told of one alone");
            }
        }
    }
    reads.sort_by_key(|read| (read.all.len(), operations[read.name as usize].invoked));
    match chain(operations, &adds, &reads) {
        Ok(order) => Finding::Order(order),
        Err(operations) => Finding::Wrong(operations),
    }
}

/// Who added each element, in the order of the history.
type Adds<'a, V> = HashMap<&'a V, SmallVec<[u32; 2]>, FxBuildHasher>;

/// What a read saw.
#[derive(Clone, Copy)]
struct Read<'a, V> {
    name: u32,
    all: &'a BTreeSet<V>,
}

/// What takes effect: the earliest moment, its place in the chain, and the operation.
type Step = (Moment, u32, u32);

/// An order, or operations that have none.
fn chain<V: Datum>(
    operations: &[Operation<Op<V>, Reply<V>>],
    adds: &Adds<'_, V>,
    reads: &[Read<'_, V>],
) -> Result<Vec<u32>, Vec<u32>> {
    let invoked = |name: u32| operations[name as usize].invoked;
    let by = |element: &V| adds.get(element).map_or(&[][..], SmallVec::as_slice);
    // An element is named by whoever is first to add it.
    let first = |element: &V| by(element).iter().copied().min_by_key(|name| (invoked(*name), *name));
    let nothing = BTreeSet::new();
    let mut steps: Vec<Step> = Vec::with_capacity(operations.len());
    let mut entered: HashMap<&V, (u32, Moment), FxBuildHasher> = HashMap::default();
    // How long it takes to come this far, and who holds it up.
    let (mut now, mut holds_up) = (0, None);
    for (place, read) in reads.iter().enumerate() {
        let before = now;
        if let Some(last) = place.checked_sub(1).map(|last| &reads[last])
            && let Some(missing) = last.all.difference(read.all).next()
        {
            // Each saw an element that the other did not, since the latter saw as many.
            let other = read.all.difference(last.all).next();
            let named = other.into_iter().chain([missing]).filter_map(first);
            return Err(named.chain([last.name, read.name]).collect());
        }
        let known = place.checked_sub(1).map_or(&nothing, |last| reads[last].all);
        for element in read.all.difference(known) {
            let Some(name) = first(element) else { return Err(vec![read.name]) };
            entered.insert(element, (place as u32, before));
            if invoked(name) > now {
                (now, holds_up) = (invoked(name), Some(name));
            }
        }
        if invoked(read.name) > now {
            (now, holds_up) = (invoked(read.name), Some(read.name));
        }
        if operations[read.name as usize].returned() < now {
            let between = holds_up.into_iter().flat_map(|name| witness(operations, reads, first, name, read));
            return Err(between.chain([read.name]).collect());
        }
        steps.push((now, 2 * place as u32 + 1, read.name));
    }
    // In the order of the history and not of the table, so that the same is found wrong on every machine.
    let mut added: Vec<_> = adds.iter().collect();
    added.sort_unstable_by_key(|(_, names)| names.first());
    for (element, names) in added {
        let (place, earliest) = entered.get(element).copied().unwrap_or((reads.len() as u32, now));
        for &name in names {
            let operation = &operations[name as usize];
            let is_seen = place < reads.len() as u32 && first(element) == Some(name);
            if operation.reply().is_none() && !is_seen {
                continue;
            }
            let at = operation.invoked.max(earliest);
            if operation.returned() < at {
                return Err(late(operations, reads, first, element, name));
            }
            steps.push((at, 2 * place, name));
        }
    }
    steps.sort_unstable();
    Ok(steps.into_iter().map(|(.., name)| name).collect())
}

/// Who holds up a read that saw at least as much: a read before it in the chain, with what names an element in which they differ; or an add
/// of what it saw itself.
fn witness<'a, V: Datum>(
    operations: &[Operation<Op<V>, Reply<V>>],
    reads: &[Read<'a, V>],
    first: impl Fn(&V) -> Option<u32>,
    name: u32,
    read: &Read<'a, V>,
) -> Vec<u32> {
    let Op::Read = operations[name as usize].op else { return vec![name] };
    let earlier = reads.iter().find(|other| other.name == name);
    let more = earlier.and_then(|other| read.all.iter().find(|element| !other.all.contains(*element)));
    more.and_then(first).into_iter().chain([name]).collect()
}

/// An add that returned before it may have taken effect, the last read without its element, and what that had to wait for.
fn late<V: Datum>(
    operations: &[Operation<Op<V>, Reply<V>>],
    reads: &[Read<'_, V>],
    first: impl Fn(&V) -> Option<u32>,
    element: &V,
    name: u32,
) -> Vec<u32> {
    let returned = operations[name as usize].returned();
    let invoked = |name: u32| operations[name as usize].invoked;
    let without: Vec<&Read<'_, V>> = reads.iter().filter(|read| !read.all.contains(element)).collect();
    // A read without it that began later; or one that saw what was added later.
    let stale = without.iter().find(|read| invoked(read.name) > returned);
    if let Some(read) = stale {
        return vec![name, read.name];
    }
    for read in without {
        let later = read.all.iter().filter_map(&first).find(|other| invoked(*other) > returned);
        if let Some(other) = later {
            return vec![name, read.name, other];
        }
    }
    vec![name]
}
