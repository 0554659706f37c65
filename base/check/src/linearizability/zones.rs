//! Registers whose values are written once each.
//!
//! Gibbons and Korach 1997, sec. 4: a value's operations span the time from the first of their returns to the last of their
//! invocations. If the return comes first, the value must be held throughout, a forward zone; otherwise all its operations overlap and
//! may take effect at one instant, a backward zone. There is an order if and only if no read returns before its value's
//! write begins, no two forward zones overlap and no backward zone lies in a forward one.

use hashbrown::HashMap;
use isles_history::Moment;
use std::hash::Hash;

use crate::near::{self, BuildNearHasher};

/// An operation on a register of unique values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access<V> {
    /// What was written or read.
    pub value: V,
    /// Whether it was written.
    pub is_write: bool,
    /// When it was invoked.
    pub invoked: Moment,
    /// When it returned, [`Moment::MAX`] if it did not.
    pub returned: Moment,
    /// What the caller calls it.
    pub name: u32,
}

/// What is known of the operations on one value. Moments are one later than in the history, so that the initial value is held at 0.
#[derive(Clone, Copy)]
pub(crate) struct Zone {
    /// The first of the returns.
    pub(crate) first_return: Moment,
    /// The last of the invocations.
    pub(crate) last_invocation: Moment,
    pub(crate) write_invoked: Moment,
    /// Whose they are.
    first_returner: u32,
    pub(crate) last_invoker: u32,
    writer: u32,
    /// Who shows that all of them belong together, where their values do not.
    pub(crate) shown_by: u32,
    /// How many operations there are, the write included.
    count: u32,
}

pub(crate) const NOBODY: u32 = u32::MAX;
pub(crate) const EMPTY: Zone = Zone {
    first_return: Moment::MAX,
    last_invocation: 0,
    write_invoked: Moment::MAX,
    first_returner: NOBODY,
    last_invoker: NOBODY,
    writer: NOBODY,
    shown_by: NOBODY,
    count: 0,
};

impl Zone {
    pub(crate) fn add(&mut self, is_write: bool, invoked: Moment, returned: Moment, name: u32) {
        if returned < self.first_return {
            (self.first_return, self.first_returner) = (returned, name);
        }
        if invoked >= self.last_invocation {
            (self.last_invocation, self.last_invoker) = (invoked, name);
        }
        if is_write {
            (self.write_invoked, self.writer) = (invoked, name);
        }
        self.count += 1;
    }

    const fn is_forward(&self) -> bool {
        self.first_return < self.last_invocation
    }

    /// Operations that show what the zone is.
    fn names(&self) -> impl Iterator<Item = u32> {
        [self.writer, self.first_returner, self.last_invoker, self.shown_by]
            .into_iter()
            .filter(|name| *name != NOBODY)
    }
}

/// Judges accesses, in the order of their invocations, to a register that holds `initial` at first: an order of those that took effect,
/// or some that contradict one another. None if a value is written twice, or one of them is no access.
///
/// # Complexity
/// O(n log n) time and O(n) memory: 8 bytes an access and 60 a value.
pub fn judge<V: Eq + Hash>(
    initial: V,
    accesses: impl Iterator<Item = Option<Access<V>>>,
) -> Option<Result<Vec<u32>, Vec<u32>>> {
    // A guess: half of the accesses write.
    let room = accesses.size_hint().1.unwrap_or(0);
    let mut numbers: HashMap<V, u32, BuildNearHasher> =
        HashMap::with_capacity_and_hasher(room / 2 + 1, BuildNearHasher);
    numbers.insert(initial, 0);
    let mut zones = Vec::with_capacity(room / 2 + 1);
    zones.push(Zone { first_return: 0, write_invoked: 0, ..EMPTY });
    let mut all: Vec<(u32, u32)> = Vec::with_capacity(room);
    for access in accesses {
        let Access { value, is_write, invoked, returned, name } = access?;
        let number = *numbers.entry(value).or_insert_with(|| {
            zones.push(EMPTY);
            zones.len() as u32 - 1
        });
        let zone = &mut zones[number as usize];
        if is_write && (zone.writer != NOBODY || number == 0) {
            return None;
        }
        zone.add(is_write, invoked + 1, returned.saturating_add(1), name);
        all.push((number, name));
    }
    drop(numbers);
    Some(place(&zones).and_then(|order| line_up(&zones, &order, &all)))
}

/// When each zone's value is written: (moment, whether it is then held for a while, zone), in order. Zones without effect are left out.
pub(crate) fn place(zones: &[Zone]) -> Result<Vec<(Moment, bool, u32)>, Vec<u32>> {
    let (mut forward, mut backward) = (Vec::new(), Vec::new());
    for (zone, number) in zones.iter().zip(0_u32..) {
        if zone.writer == NOBODY && number != 0 || zone.first_return < zone.write_invoked {
            // Read without being written, or before.
            return Err(names([zone]));
        }
        if zone.is_forward() {
            forward.push((zone.first_return, true, number));
        } else if zone.count > 1 || zone.first_return != Moment::MAX && number != 0 {
            backward.push((zone.last_invocation, false, number));
        }
    }
    near::sort(&mut forward);
    near::sort(&mut backward);
    for pair in forward.windows(2) {
        let (a, b) = (&zones[pair[0].2 as usize], &zones[pair[1].2 as usize]);
        if b.first_return < a.last_invocation {
            return Err(names([a, b]));
        }
    }
    // The last forward zone that begins before the backward zone.
    let mut before = 0;
    for place in &mut backward {
        while forward.get(before).is_some_and(|(begin, ..)| *begin < place.0) {
            before += 1;
        }
        let Some((.., covering)) = before.checked_sub(1).map(|last| forward[last]) else { continue };
        let (zone, covering) = (&zones[place.2 as usize], &zones[covering as usize]);
        if zone.first_return < covering.last_invocation {
            return Err(names([covering, zone]));
        }
        place.0 = place.0.max(covering.last_invocation);
    }
    near::sort(&mut backward);
    forward.append(&mut backward);
    // Two runs, which this merges.
    forward.sort();
    Ok(forward)
}

/// The accesses, zone by zone: the write, then reads by their invocations.
fn line_up(zones: &[Zone], order: &[(Moment, bool, u32)], all: &[(u32, u32)]) -> Result<Vec<u32>, Vec<u32>> {
    let mut next = vec![NOBODY; zones.len()];
    let mut count = 0;
    for (.., number) in order {
        next[*number as usize] = count;
        count += zones[*number as usize].count;
    }
    let mut line = vec![NOBODY; count as usize];
    // Number 0 has no write.
    for (zone, next) in zones.iter().zip(&mut next).skip(1) {
        if *next != NOBODY {
            line[*next as usize] = zone.writer;
            *next += 1;
        }
    }
    for &(number, name) in all {
        let next = &mut next[number as usize];
        if *next != NOBODY && zones[number as usize].writer != name {
            line[*next as usize] = name;
            *next += 1;
        }
    }
    Ok(line)
}

fn names<const N: usize>(zones: [&Zone; N]) -> Vec<u32> {
    let mut names: Vec<u32> = zones.iter().flat_map(|zone| zone.names()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
