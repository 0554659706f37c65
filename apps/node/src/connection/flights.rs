//! Which keys the operations under way are about, so that those of one connection on one key keep their order.

use std::hash::Hasher;

use isles_quorum::store::Command;
use rustc_hash::FxHasher;
use smallvec::SmallVec;

use crate::command::Access;

/// Keys are told apart by so many bits of a hash: two keys that share them wait for each other, which is harmless.
const BITS: u32 = 9;
/// Set where the key is written.
const WRITES: u16 = 1 << 15;

/// What one operation is about.
#[derive(Debug, Default)]
pub(super) struct Touched {
    keys: SmallVec<[u16; 4]>,
    is_everything: bool,
}

impl Touched {
    pub(super) fn new(access: &Access<'_>) -> Self {
        match access {
            Access::Keys(commands) => {
                Self { keys: commands.iter().map(bucket).collect(), is_everything: false }
            }
            Access::Everything => Self { keys: SmallVec::new(), is_everything: true },
        }
    }
}

fn bucket(command: &Command) -> u16 {
    let mut hasher = FxHasher::default();
    hasher.write(command.key().bytes());
    // The lower bits are the mixed ones.
    let bucket = (hasher.finish() & ((1 << BITS) - 1)) as u16;
    if command.is_write() { bucket | WRITES } else { bucket }
}

/// How many operations under way are about each key.
#[derive(Debug, Default)]
pub(super) struct Flights {
    /// Operations.
    count: u32,
    /// An operation on everything is under way.
    is_barred: bool,
    /// By key, operations and writes; empty until an operation is not answered at once.
    keys: Box<[(u16, u16)]>,
}

impl Flights {
    /// Whether what is under way must come first.
    pub(super) fn conflicts(&self, access: &Access<'_>) -> bool {
        if self.count == 0 {
            return false;
        }
        match access {
            Access::Everything => true,
            Access::Keys(_) if self.is_barred => true,
            Access::Keys(commands) => commands.iter().any(|command| {
                let bucket = bucket(command);
                let (all, writes) = self.keys[usize::from(bucket & !WRITES)];
                writes > 0 || all > 0 && bucket & WRITES != 0
            }),
        }
    }

    pub(super) fn start(&mut self, touched: &Touched) {
        if self.keys.is_empty() {
            self.keys = vec![(0, 0); 1 << BITS].into();
        }
        self.count += 1;
        self.is_barred |= touched.is_everything;
        for key in &touched.keys {
            let (all, writes) = &mut self.keys[usize::from(key & !WRITES)];
            *all = all.saturating_add(1);
            *writes = writes.saturating_add(u16::from(key & WRITES != 0));
        }
    }

    pub(super) fn land(&mut self, touched: &Touched) {
        self.count -= 1;
        if touched.is_everything {
            self.is_barred = false;
        }
        for key in &touched.keys {
            let (all, writes) = &mut self.keys[usize::from(key & !WRITES)];
            *all = all.saturating_sub(1);
            *writes = writes.saturating_sub(u16::from(key & WRITES != 0));
        }
        if self.count == 0 {
            // Counts that had reached their end would stay above zero otherwise.
            self.keys.fill((0, 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use isles_quorum::store::Condition;

    use super::*;

    fn get(key: &str) -> Command {
        Command::Get { key: key.into() }
    }

    fn set(key: &str) -> Command {
        Command::Set {
            key: key.into(),
            value: "v".into(),
            condition: Condition::Always,
            expiry: isles_quorum::store::Expiry::Never,
            get: false,
        }
    }

    #[test]
    fn writes_of_a_key_wait_and_reads_of_it_do_not_wait_for_reads() {
        let mut flights = Flights::default();
        let first = [get("a")];
        let touched = Touched::new(&Access::Keys(&first));
        flights.start(&touched);
        assert!(!flights.conflicts(&Access::Keys(&[get("a")])));
        assert!(flights.conflicts(&Access::Keys(&[set("a")])));
        assert!(flights.conflicts(&Access::Keys(&[get("b"), set("a")])));
        assert!(flights.conflicts(&Access::Everything));
        let second = [set("b")];
        let written = Touched::new(&Access::Keys(&second));
        flights.start(&written);
        assert!(flights.conflicts(&Access::Keys(&[get("b")])));
        flights.land(&touched);
        assert!(!flights.conflicts(&Access::Keys(&[set("a")])));
        flights.land(&written);
        assert!(!flights.conflicts(&Access::Everything));
        let whole = Touched::new(&Access::Everything);
        flights.start(&whole);
        assert!(flights.conflicts(&Access::Keys(&[get("c")])));
        flights.land(&whole);
        assert!(!flights.conflicts(&Access::Keys(&[get("c")])));
    }
}
