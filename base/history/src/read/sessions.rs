//! Numbers for sessions, in the order in which they are met.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// The sessions met so far.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    known: HashMap<i64, u32, FxBuildHasher>,
    /// The one asked for last: files have runs of them.
    last: Option<(i64, u32)>,
}

impl Sessions {
    /// The number of the session of this name.
    pub(crate) fn get(&mut self, name: i64) -> u32 {
        if let Some((last, number)) = self.last
            && last == name
        {
            return number;
        }
        let next = self.known.len() as u32;
        let number = *self.known.entry(name).or_insert(next);
        self.last = Some((name, number));
        number
    }
}
