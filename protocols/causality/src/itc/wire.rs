//! The two published wire forms of interval tree clocks. They differ, though both are called "the" encoding.
//!
//! Both write the identity and then the events in preorder, with relative numbers, and spare the leaves that are 0. An identity's
//! node takes two bits, 00 for a leaf (a third bit says whether it is owned), else which children are written: 01 the right one, 10
//! the left one, 11 both. An event's leaf is a 1 and its number. An inner node is a 0, two bits and what they announce: 00 only the right child,
//! 01 only the left one, 10 both, 11 a number that is not 0 and then 00, 01 or 1 for the same three. A number comes in
//! groups: of 2 bits, else of 3 for what is beyond those 4 values, and so on; a 1 leads each group that is passed over, and a
//! 0 the one that is there.
//!
//! | | [`Wire::Erlang`] | [`Wire::Java`] |
//! | --- | --- | --- |
//! | an inner node's number | as a leaf, with its 1 in front | without |
//! | bits of a field, and of a byte | the highest first | the lowest first |
//!
//! The second form is that of the authors' Java and C programs. Their own reader cuts numbers to 16 bits; ours does not.
//! Bits that are left in the last byte are 0.

use super::Stamp;
use super::events::Events;
use super::id::Id;
use super::leaves::{Builder, Node, nodes};
use crate::dot::COUNTER_MAX;
use crate::wire::{DecodeError, Flaw};

/// No stamp from outside has more bytes than this, so that nobody can make a reader take more than some hundred times as many.
pub const STAMP_BYTES_MAX: usize = 1 << 20;

/// Which published form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Wire {
    /// That of `itc.erl`.
    Erlang,
    /// That of the Java and C programs: the shorter one, and what [`Stamp::encode`] writes unless told otherwise.
    Java,
}

struct Writer {
    wire: Wire,
    bytes: Vec<u8>,
    /// How many bits are written.
    bits: usize,
}

impl Writer {
    fn put(&mut self, value: u64, width: u32) {
        for index in 0..width {
            let bit = match self.wire {
                Wire::Erlang => value >> (width - 1 - index) & 1,
                Wire::Java => value >> index & 1,
            };
            let place = (self.bits % 8) as u32;
            if place == 0 {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= match self.wire {
                Wire::Erlang => (bit as u8) << (7 - place),
                Wire::Java => (bit as u8) << place,
            };
            self.bits += 1;
        }
    }

    fn number(&mut self, mut number: u64) {
        let mut width = 2;
        while number >= 1 << width {
            self.put(1, 1);
            number -= 1 << width;
            width += 1;
        }
        self.put(0, 1);
        self.put(number, width);
    }

    fn id(&mut self, id: &Id) {
        let nodes = nodes(&id.tree);
        let spared = |at: usize| nodes[at].right == 0 && !nodes[at].least;
        let mut at = 0;
        let mut skip = vec![false; nodes.len()];
        while at < nodes.len() {
            let node = nodes[at];
            if node.right == 0 {
                if !skip[at] {
                    self.put(0, 2);
                    self.put(u64::from(node.least), 1);
                }
            } else {
                skip[at + 1] = spared(at + 1);
                skip[node.right] = spared(node.right);
                self.put(u64::from(!skip[at + 1]) << 1 | u64::from(!skip[node.right]), 2);
            }
            at += 1;
        }
    }

    fn events(&mut self, events: &Events) {
        let nodes = nodes(&events.tree);
        // The number of the parent, and whether the node is spared.
        let mut above = vec![(0, false); nodes.len()];
        for at in 0..nodes.len() {
            let Node { least, right } = nodes[at];
            let number = least - above[at].0;
            if right == 0 {
                if !above[at].1 {
                    self.put(1, 1);
                    self.number(number);
                }
                continue;
            }
            for child in [at + 1, right] {
                above[child] = (least, nodes[child].right == 0 && nodes[child].least == least);
            }
            self.put(0, 1);
            let kind = match (above[at + 1].1, above[right].1) {
                (true, _) => 0,
                (_, true) => 1,
                (false, false) => 2,
            };
            if number == 0 {
                self.put(kind, 2);
                continue;
            }
            self.put(3, 2);
            if kind < 2 {
                self.put(0, 1);
                self.put(kind, 1);
            } else {
                self.put(1, 1);
            }
            if self.wire == Wire::Erlang {
                self.put(1, 1);
            }
            self.number(number);
        }
    }
}

struct Reader<'a> {
    wire: Wire,
    bytes: &'a [u8],
    /// How many bits are read.
    bits: usize,
}

/// What an inner node of an identity announced, and what is known of its children.
struct OpenId {
    right_is_written: bool,
    left_is_owned: bool,
}

/// The same for events.
struct OpenEvents {
    /// The least number below, absolute.
    least: u64,
    /// That of the parent.
    parent: u64,
    right_is_written: bool,
    left_is_least: bool,
}

impl Reader<'_> {
    fn error(&self, flaw: Flaw) -> DecodeError {
        DecodeError { at: self.bits.saturating_sub(1) / 8, flaw }
    }

    fn take(&mut self, width: u32) -> Result<u64, DecodeError> {
        let mut value = 0;
        for index in 0..width {
            let Some(byte) = self.bytes.get(self.bits / 8) else {
                return Err(DecodeError { at: self.bytes.len(), flaw: Flaw::Ended });
            };
            let place = self.bits % 8;
            match self.wire {
                Wire::Erlang => value = value << 1 | u64::from(byte >> (7 - place) & 1),
                Wire::Java => value |= u64::from(byte >> place & 1) << index,
            }
            self.bits += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<u64, DecodeError> {
        let (mut width, mut passed) = (2, 0_u64);
        while self.take(1)? == 1 {
            passed += 1 << width;
            width += 1;
            if width > 62 {
                return Err(self.error(Flaw::TooLarge("a count of events is at most 2^62")));
            }
        }
        Ok(passed + self.take(width)?)
    }

    fn end(&mut self) -> Result<(), DecodeError> {
        if self.bytes.len() > self.bits.div_ceil(8) {
            return Err(DecodeError { at: self.bits.div_ceil(8), flaw: Flaw::Trailing });
        }
        while !self.bits.is_multiple_of(8) {
            if self.take(1)? == 1 {
                return Err(self.error(Flaw::NotCanonical("the bits that are left over are 0")));
            }
        }
        Ok(())
    }

    fn id(&mut self) -> Result<Id, DecodeError> {
        let mut builder: Builder<bool, OpenId> = Builder::new();
        loop {
            let kind = self.take(2)?;
            if kind > 0 {
                builder.inner(OpenId { right_is_written: kind & 1 == 1, left_is_owned: false });
                if kind & 2 == 2 {
                    continue;
                }
                builder.leaf(false);
                builder.left_ended();
                continue;
            }
            let mut owned = self.take(1)? == 1;
            if !owned && builder.top().is_some() {
                return Err(self.error(Flaw::NotCanonical("a part that is not owned is not written")));
            }
            builder.leaf(owned);
            // The node is complete, and perhaps those above it.
            loop {
                let Some((right, open)) = builder.top() else { return Ok(Id { tree: builder.tree }) };
                if !right {
                    open.left_is_owned = owned;
                    let written = open.right_is_written;
                    builder.left_ended();
                    if written {
                        break;
                    }
                    builder.leaf(false);
                } else if open.left_is_owned && owned {
                    return Err(self.error(Flaw::NotCanonical("both halves are owned, which is one part")));
                }
                builder.right_ended();
                owned = false;
            }
        }
    }

    /// An inner node's number and which children are written: the left one, the right one.
    fn inner(&mut self) -> Result<(u64, bool, bool), DecodeError> {
        let kind = self.take(2)?;
        let (kind, number) = if kind == 3 {
            let kind = if self.take(1)? == 1 { 2 } else { self.take(1)? };
            if self.wire == Wire::Erlang && self.take(1)? == 0 {
                return Err(
                    self.error(Flaw::NotCanonical("the number of an inner node is written as a leaf"))
                );
            }
            let number = self.number()?;
            if number == 0 {
                return Err(self.error(Flaw::NotCanonical("an inner node without events has no number")));
            }
            (kind, number)
        } else {
            (kind, 0)
        };
        Ok((number, kind != 0, kind != 1))
    }

    fn events(&mut self) -> Result<Events, DecodeError> {
        let mut builder: Builder<u64, OpenEvents> = Builder::new();
        let mut parent = 0_u64;
        loop {
            let is_leaf = self.take(1)? == 1;
            let (number, left, right) = if is_leaf { (self.number()?, false, false) } else { self.inner()? };
            let least = parent.checked_add(number).filter(|least| *least <= COUNTER_MAX);
            let least =
                least.ok_or_else(|| self.error(Flaw::TooLarge("a count of events is at most 2^62")))?;
            if !is_leaf {
                builder.inner(OpenEvents { least, parent, right_is_written: right, left_is_least: !left });
                parent = least;
                if !left {
                    builder.leaf(least);
                    builder.left_ended();
                }
                continue;
            }
            if number == 0 && builder.top().is_some() {
                return Err(self.error(Flaw::NotCanonical("a part with no more events is not written")));
            }
            builder.leaf(least);
            let mut is_least = number == 0;
            loop {
                let Some((right, open)) = builder.top() else { return Ok(Events::from(builder.tree)) };
                if !right {
                    open.left_is_least = is_least;
                    let (written, least) = (open.right_is_written, open.least);
                    builder.left_ended();
                    if written {
                        break;
                    }
                    builder.leaf(least);
                } else if !open.left_is_least && !is_least {
                    return Err(
                        self.error(Flaw::NotCanonical("one of two siblings has no more events than both"))
                    );
                }
                let open = builder.right_ended();
                is_least = open.least == open.parent;
                parent = open.parent;
            }
        }
    }
}

fn reader(bytes: &[u8], wire: Wire) -> Result<Reader<'_>, DecodeError> {
    if bytes.len() > STAMP_BYTES_MAX {
        return Err(DecodeError { at: STAMP_BYTES_MAX, flaw: Flaw::TooLong });
    }
    Ok(Reader { wire, bytes, bits: 0 })
}

impl Stamp {
    /// Its encoding in the shorter form, [`Wire::Java`].
    pub fn encode(&self) -> Vec<u8> {
        self.encode_as(Wire::Java)
    }

    /// Its encoding in either published form.
    pub fn encode_as(&self, wire: Wire) -> Vec<u8> {
        let mut writer = Writer { wire, bytes: Vec::new(), bits: 0 };
        writer.id(&self.id);
        writer.events(&self.events);
        writer.bytes
    }

    /// The stamp that `bytes` are in the shorter form.
    ///
    /// # Errors
    /// When they are not exactly what [`encode`](Self::encode) gives for some stamp.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_as(bytes, Wire::Java)
    }

    /// The stamp that `bytes` are in either published form.
    ///
    /// # Errors
    /// When they are not exactly what [`encode_as`](Self::encode_as) gives for some stamp: an anonymous one is read by
    /// [`Events::decode_as`].
    pub fn decode_as(bytes: &[u8], wire: Wire) -> Result<Self, DecodeError> {
        let mut reader = reader(bytes, wire)?;
        let id = reader.id()?;
        if id.is_nothing() {
            return Err(
                reader.error(Flaw::NotCanonical("a stamp owns something; without that it is events only"))
            );
        }
        let events = reader.events()?;
        reader.end()?;
        Ok(Self { id, events })
    }
}

impl Events {
    /// Its encoding in the shorter form: that of a stamp that owns nothing.
    pub fn encode(&self) -> Vec<u8> {
        self.encode_as(Wire::Java)
    }

    /// Its encoding in either published form: that of a stamp that owns nothing.
    pub fn encode_as(&self, wire: Wire) -> Vec<u8> {
        let mut writer = Writer { wire, bytes: Vec::new(), bits: 0 };
        writer.id(&Id::nothing());
        writer.events(self);
        writer.bytes
    }

    /// What `bytes` in the shorter form say to be known.
    ///
    /// # Errors
    /// When they are not exactly what [`encode`](Self::encode) gives for some events.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_as(bytes, Wire::Java)
    }

    /// What `bytes` in either published form say to be known.
    ///
    /// # Errors
    /// When they are not exactly what [`encode_as`](Self::encode_as) gives for some events.
    pub fn decode_as(bytes: &[u8], wire: Wire) -> Result<Self, DecodeError> {
        let mut reader = reader(bytes, wire)?;
        if !reader.id()?.is_nothing() {
            return Err(reader.error(Flaw::NotCanonical("events own nothing; what does is a stamp")));
        }
        let events = reader.events()?;
        reader.end()?;
        Ok(events)
    }
}
