//! Answers, as bytes of RESP2 or RESP3.
//!
//! What is no list is written by the `redis-protocol` crate. The heads of lists and maps are written here: the crate wants a list
//! as a tree that has all of it in memory, and answers are written as they come.

use std::borrow::Cow;

use bytes::BytesMut;
use redis_protocol::resp2::encode::extend_encode_borrowed as encode2;
use redis_protocol::resp2::types::BorrowedFrame as Leaf;
use redis_protocol::resp3::encode::complete::extend_encode_borrowed as encode3;
use redis_protocol::resp3::types::{BorrowedFrame as Leaf3, VerbatimStringFormat};

/// Which protocol a client speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Protocol {
    /// RESP2, before `HELLO 3`.
    #[default]
    Two,
    /// RESP3.
    Three,
}

/// An answer that the node makes by itself.
#[derive(Clone, PartialEq, Debug)]
pub enum Frame {
    /// A line.
    Simple(&'static str),
    /// An error, its code first.
    Error(Cow<'static, str>),
    /// A number.
    Number(i64),
    /// Bytes.
    Bulk(Cow<'static, [u8]>),
    /// Text to be shown as it is.
    Verbatim(String),
    /// Nothing.
    Null,
    /// A list.
    List(Vec<Self>),
    /// A set; in RESP2 a list.
    Set(Vec<Self>),
    /// Names and values; in RESP2 a list of both in turn.
    Map(Vec<(Self, Self)>),
}

impl Frame {
    /// `OK`.
    pub const OK: Self = Self::Simple("OK");

    /// Bytes of a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Bulk(text.into().into_bytes().into())
    }

    /// Bytes of a text that is always there.
    pub const fn word(text: &'static str) -> Self {
        Self::Bulk(Cow::Borrowed(text.as_bytes()))
    }

    /// An error.
    pub fn error(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Error(text.into())
    }
}

/// Answers that are to be sent.
#[derive(Debug, Default)]
pub struct Out {
    /// The bytes.
    pub bytes: BytesMut,
    /// How further ones are written.
    pub protocol: Protocol,
}

/// The crate extends the buffer before it writes.
const FITS: &str = "the buffer was extended by the length of the frame";

impl Out {
    fn leaf(&mut self, leaf: &Leaf<'_>) {
        encode2(&mut self.bytes, leaf, false).expect(FITS);
    }

    fn leaf3(&mut self, leaf: &Leaf3<'_>) {
        encode3(&mut self.bytes, leaf, false).expect(FITS);
    }

    /// A line.
    pub fn simple(&mut self, text: &str) {
        self.leaf(&Leaf::SimpleString(text.as_bytes()));
    }

    /// An error: its code, a space, what is wrong. Line ends in it become spaces.
    pub fn error(&mut self, text: &str) {
        if text.contains(['\r', '\n']) {
            return self.error(&text.replace(['\r', '\n'], " "));
        }
        self.leaf(&Leaf::Error(text));
    }

    /// A number.
    pub fn number(&mut self, number: i64) {
        self.leaf(&Leaf::Integer(number));
    }

    /// Bytes.
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.leaf(&Leaf::BulkString(bytes));
    }

    /// Nothing.
    pub fn null(&mut self) {
        match self.protocol {
            Protocol::Two => self.leaf(&Leaf::Null),
            Protocol::Three => self.leaf3(&Leaf3::Null),
        }
    }

    /// No list: a transaction that was not done.
    pub fn null_list(&mut self) {
        match self.protocol {
            Protocol::Two => self.bytes.extend_from_slice(b"*-1\r\n"),
            Protocol::Three => self.null(),
        }
    }

    fn head(&mut self, kind: u8, count: usize) {
        self.bytes.extend_from_slice(&[kind]);
        self.bytes.extend_from_slice(count.to_string().as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// A list of `count` frames, which follow.
    pub fn list(&mut self, count: usize) {
        self.head(b'*', count);
    }

    /// `count` names and values, which follow in turn.
    pub fn map(&mut self, count: usize) {
        match self.protocol {
            Protocol::Two => self.head(b'*', 2 * count),
            Protocol::Three => self.head(b'%', count),
        }
    }

    fn set(&mut self, count: usize) {
        let kind = match self.protocol {
            Protocol::Two => b'*',
            Protocol::Three => b'~',
        };
        self.head(kind, count);
    }

    fn verbatim(&mut self, text: &str) {
        match self.protocol {
            Protocol::Two => self.bulk(text.as_bytes()),
            Protocol::Three => self.leaf3(&Leaf3::VerbatimString {
                data: text.as_bytes(),
                format: VerbatimStringFormat::Text,
                attributes: None,
            }),
        }
    }

    /// An answer of the node's own.
    pub fn frame(&mut self, frame: &Frame) {
        match frame {
            Frame::Simple(text) => self.simple(text),
            Frame::Error(text) => self.error(text),
            Frame::Number(number) => self.number(*number),
            Frame::Bulk(bytes) => self.bulk(bytes),
            Frame::Verbatim(text) => self.verbatim(text),
            Frame::Null => self.null(),
            Frame::List(frames) | Frame::Set(frames) => {
                if matches!(frame, Frame::Set(_)) {
                    self.set(frames.len())
                } else {
                    self.list(frames.len())
                }
                for frame in frames {
                    self.frame(frame);
                }
            }
            Frame::Map(pairs) => {
                self.map(pairs.len());
                for (name, value) in pairs {
                    self.frame(name);
                    self.frame(value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use redis_protocol::resp2::decode::decode as decode2;
    use redis_protocol::resp2::types::OwnedFrame as Two;
    use redis_protocol::resp3::decode::complete::decode as decode3;
    use redis_protocol::resp3::types::{FrameKind, OwnedFrame as Three, Resp3Frame};

    use super::*;

    fn all() -> Frame {
        Frame::List(vec![
            Frame::OK,
            Frame::error("ERR a\r\nb"),
            Frame::Number(i64::MIN),
            Frame::word(""),
            Frame::Verbatim("# Server\r\n".into()),
            Frame::Null,
            Frame::Set(vec![Frame::word("x")]),
            Frame::Map(vec![(Frame::word("name"), Frame::Number(1))]),
        ])
    }

    #[test]
    fn resp2_is_what_its_decoder_reads() {
        let mut out = Out::default();
        out.frame(&all());
        let (frame, length) = decode2(&out.bytes).expect("RESP2").expect("whole");
        assert_eq!(length, out.bytes.len());
        let bulk = |text: &str| Two::BulkString(text.into());
        let expected = Two::Array(vec![
            Two::SimpleString("OK".into()),
            Two::Error("ERR a  b".into()),
            Two::Integer(i64::MIN),
            bulk(""),
            bulk("# Server\r\n"),
            Two::Null,
            Two::Array(vec![bulk("x")]),
            Two::Array(vec![bulk("name"), Two::Integer(1)]),
        ]);
        assert_eq!(frame, expected);
    }

    #[test]
    fn resp3_is_what_its_decoder_reads() {
        let mut out = Out { protocol: Protocol::Three, ..Out::default() };
        out.frame(&all());
        out.null_list();
        let (frame, length) = decode3(&out.bytes).expect("RESP3").expect("whole");
        assert_eq!(&out.bytes[length..], b"_\r\n");
        let Three::Array { data, .. } = frame else { panic!("a list") };
        let kinds: Vec<FrameKind> = data.iter().map(Three::kind).collect();
        let expected = [
            FrameKind::SimpleString,
            FrameKind::SimpleError,
            FrameKind::Number,
            FrameKind::BlobString,
            FrameKind::VerbatimString,
            FrameKind::Null,
            FrameKind::Set,
            FrameKind::Map,
        ];
        assert_eq!(kinds, expected);
    }
}
