//! Names that recur are kept once.

use std::sync::Arc;

/// So many names are kept; a file with more names has them as often as they occur.
const KEPT_MAX: usize = 32;

/// Function names and keywords, in the order in which they were met.
#[derive(Debug, Default)]
pub(crate) struct Names {
    kept: Vec<Arc<str>>,
}

impl Names {
    /// The name, without an allocation when it is known.
    pub(crate) fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.kept.iter().find(|known| ***known == *name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = Arc::from(name);
        if self.kept.len() < KEPT_MAX {
            self.kept.push(Arc::clone(&name));
        }
        name
    }
}
