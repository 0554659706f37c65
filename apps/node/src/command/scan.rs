//! Commands that go through all keys, page by page.

use isles_kernel::Payload;
use isles_quorum::store::{Op, Reply};

use super::arguments::{SYNTAX, integer, is};
use super::glob;
use super::plan::{Ask, Then};
use crate::config::Limits;
use crate::wire::{Frame, Out, Request};

/// Keys of a page when the whole is wanted.
const PAGE: u32 = 1_000;
/// Keys of a page when nothing is said (Redis, `SCAN`).
const COUNT_USUAL: u32 = 10;

/// A way through the keys.
pub(crate) struct Scanning {
    want: Want,
    /// What keys must be like.
    pattern: Option<Vec<u8>>,
    /// Whether another type than string is wanted, of which there is nothing.
    is_vain: bool,
    /// What was found.
    found: Vec<Payload>,
    /// How many keys were seen.
    seen: u64,
    /// Where the next page begins; 0 after the last.
    cursor: u64,
    /// The most that may be found.
    most: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    /// One page (`SCAN`).
    Page,
    /// All keys (`KEYS`).
    Keys,
    /// How many keys (`DBSIZE`).
    Count,
}

impl Scanning {
    fn ask(self, count: u32) -> Ask {
        Ask { op: Op::Scan { cursor: self.cursor, count }, then: Then::Scan(Box::new(self)) }
    }

    /// Takes a page: the next is asked for, if it is needed.
    pub(super) fn step(&mut self, reply: Reply) -> Result<Op, Reply> {
        let Reply::Page { cursor, keys } = reply else { return Err(reply) };
        self.cursor = cursor;
        self.seen += keys.len() as u64;
        if self.want != Want::Count && !self.is_vain {
            let fits = |key: &Payload| {
                self.pattern.as_ref().is_none_or(|pattern| glob::matches(pattern, key.bytes()))
            };
            self.found.extend(keys.into_iter().filter(fits));
        }
        if self.want == Want::Page || cursor == 0 || self.found.len() > self.most {
            return Err(Reply::Page { cursor, keys: Vec::new() });
        }
        Ok(Op::Scan { cursor, count: PAGE })
    }

    /// Writes what came of it.
    pub(super) fn write(mut self, out: &mut Out) {
        if self.want == Want::Count {
            return out.number(i64::try_from(self.seen).unwrap_or(i64::MAX));
        }
        if self.want == Want::Keys {
            if self.found.len() > self.most {
                return out.error(&format!(
                    "ERR there are more than {} such keys (limits.keys): use SCAN",
                    self.most
                ));
            }
            // Whoever was seen on two pages is there once.
            self.found.sort_unstable();
            self.found.dedup();
        } else {
            out.list(2);
            out.bulk(self.cursor.to_string().as_bytes());
        }
        out.list(self.found.len());
        for key in &self.found {
            out.bulk(key.bytes());
        }
    }
}

fn whole(want: Want, pattern: Option<Vec<u8>>, most: usize) -> Scanning {
    Scanning { want, pattern, is_vain: false, found: Vec::new(), seen: 0, cursor: 0, most }
}

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`
pub(super) fn scan(request: &Request<'_>, _: &Limits) -> Result<Ask, Frame> {
    let cursor = std::str::from_utf8(request.arg(1)).ok().and_then(|text| text.parse().ok());
    let cursor = cursor.ok_or(Frame::Error("ERR invalid cursor".into()))?;
    let mut scanning = Scanning { cursor, ..whole(Want::Page, None, usize::MAX) };
    let mut count = COUNT_USUAL;
    for at in (2..request.len()).step_by(2) {
        let (word, value) = (request.arg(at), request.arg(at + 1));
        if at + 1 == request.len() {
            return Err(SYNTAX);
        } else if is(word, "match") {
            scanning.pattern = Some(value.to_vec()).filter(|pattern| pattern != b"*");
        } else if is(word, "count") {
            let wanted = integer(value)?;
            if wanted < 1 {
                return Err(SYNTAX);
            }
            count = u32::try_from(wanted).unwrap_or(u32::MAX).min(100_000);
        } else if is(word, "type") {
            scanning.is_vain = !is(value, "string");
        } else {
            return Err(SYNTAX);
        }
    }
    Ok(scanning.ask(count))
}

/// `KEYS pattern`
pub(super) fn keys(request: &Request<'_>, limits: &Limits) -> Result<Ask, Frame> {
    let pattern = Some(request.arg(1).to_vec()).filter(|pattern| pattern != b"*");
    Ok(whole(Want::Keys, pattern, limits.keys as usize).ask(PAGE))
}

/// `DBSIZE`
pub(super) fn dbsize(_: &Request<'_>, _: &Limits) -> Result<Ask, Frame> {
    Ok(whole(Want::Count, None, usize::MAX).ask(PAGE))
}
