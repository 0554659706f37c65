//! Which process is where: addresses and the handles that stand for them.

use std::rc::Rc;

use hashbrown::HashMap;
use isles_kernel::ProcessId;
use rustc_hash::FxBuildHasher;

/// More processes than this are not known to one.
pub(crate) const PROCESSES_MAX: usize = 1 << 20;
/// No address is longer, in bytes.
pub(crate) const ADDRESS_BYTES_MAX: usize = 261;

/// Addresses by handle. Members of the cluster have the handles of their places in the settings, the same at every process; whoever
/// is introduced by a message gets the next one here.
#[derive(Debug)]
pub(crate) struct Book {
    addresses: Vec<Rc<str>>,
    /// Never iterated.
    handles: HashMap<Rc<str>, u32, FxBuildHasher>,
    members: usize,
}

impl Book {
    pub(crate) fn new(members: &[String]) -> Self {
        let mut book = Self { addresses: Vec::new(), handles: HashMap::default(), members: members.len() };
        for member in members {
            book.add(member);
        }
        book
    }

    fn add(&mut self, address: &str) -> u32 {
        let handle = self.addresses.len() as u32;
        let address: Rc<str> = address.into();
        self.addresses.push(Rc::clone(&address));
        self.handles.insert(address, handle);
        handle
    }

    /// The handle of an address; a new one if it has none. None if there are too many, or it is no address.
    pub(crate) fn handle(&mut self, address: &str) -> Option<ProcessId> {
        if let Some(handle) = self.handles.get(address) {
            return Some(ProcessId(*handle));
        }
        let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if self.addresses.len() >= PROCESSES_MAX || address.len() > ADDRESS_BYTES_MAX || port.is_none() {
            return None;
        }
        Some(ProcessId(self.add(address)))
    }

    /// Where a process is.
    pub(crate) fn address(&self, process: ProcessId) -> Option<Rc<str>> {
        self.addresses.get(process.index()).cloned()
    }

    /// The place in the settings of a member.
    pub(crate) fn member(&self, process: ProcessId) -> Option<usize> {
        Some(process.index()).filter(|place| *place < self.members)
    }
}

/// The handles that one stream's messages have named: its sender's names for them.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// Never iterated.
    names: HashMap<u32, u32, FxBuildHasher>,
}

impl Named {
    /// The stream's name for a handle, and whether it is a new one, which its other end must be told.
    pub(crate) fn name(&mut self, handle: u32) -> (u32, bool) {
        let next = self.names.len() as u32;
        let name = *self.names.entry(handle).or_insert(next);
        (name, name == next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_places_and_strangers_get_the_next_ones() {
        let mut book = Book::new(&["a:1".to_owned(), "b:2".to_owned()]);
        assert_eq!(book.handle("b:2"), Some(ProcessId(1)));
        assert_eq!(book.handle("c:3"), Some(ProcessId(2)));
        assert_eq!(book.handle("c:3"), Some(ProcessId(2)));
        assert_eq!((book.member(ProcessId(1)), book.member(ProcessId(2))), (Some(1), None));
        assert_eq!(book.address(ProcessId(2)).as_deref(), Some("c:3"));
        for nonsense in ["", "c", "c:", "c:99999", &"x".repeat(300)] {
            assert_eq!(book.handle(nonsense), None, "{nonsense}");
        }
        let mut named = Named::default();
        assert_eq!([named.name(7), named.name(3), named.name(7)], [(0, true), (1, true), (0, false)]);
    }
}
