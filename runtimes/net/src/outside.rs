//! Bytes from outside, decoded as a host does it, without sockets: for fuzz targets and for looking at what was captured.

use std::cell::RefCell;
use std::path::Path;

use isles_kernel::{ProcessId, codec};
use serde::de::DeserializeOwned;

use crate::LogError;
use crate::book::Book;
use crate::datagram::{self, Arrived};
use crate::incoming::content;
use crate::log::Log;
use crate::wire::{self, Hello};

/// No frame is longer here, so that a search for bad bytes does not spend its time on long ones.
const FRAME_BYTES_MAX: usize = 1 << 20;

/// The messages that an incoming stream of these bytes brings, up to the first thing that would end it: a handshake, then frames.
pub fn stream<M: DeserializeOwned>(bytes: &[u8]) -> Vec<M> {
    let Some((heading, rest)) = bytes.split_first_chunk::<10>() else { return Vec::new() };
    let Some((body, mut rest)) =
        wire::greeting_length(heading).ok().and_then(|length| rest.split_at_checked(length))
    else {
        return Vec::new();
    };
    let book = RefCell::new(Book::new(&["127.0.0.1:1".to_owned()]));
    let hello = codec::decode::<Hello>(body).ok();
    let Some(peer) = hello.and_then(|hello| book.borrow_mut().handle(&hello.address)) else {
        return Vec::new();
    };
    let (mut names, mut messages) = (vec![Some(peer), Some(ProcessId(0))], Vec::new());
    while let Ok(Some(frame)) = wire::frame(rest, FRAME_BYTES_MAX) {
        match content(&frame, &mut names, &book) {
            Ok(message) => messages.extend(message),
            Err(_) => break,
        }
        rest = &rest[frame.bytes..];
    }
    messages
}

/// The message of a datagram in plain text; none if it is none, or sealed.
pub fn datagram<M: DeserializeOwned>(packet: &[u8]) -> Option<M> {
    let Arrived::Plain { address, body } = datagram::arrived(packet)? else { return None };
    let mut book = Book::new(&["127.0.0.1:1".to_owned()]);
    let from = book.handle(address)?;
    datagram::message(body, (from, ProcessId(0)), &mut book)
}

/// The records of the log in a folder; a torn tail is cut off, as a host does when it starts.
///
/// # Errors
/// As a host's.
pub fn log<R: DeserializeOwned>(folder: &Path) -> Result<Vec<R>, LogError> {
    Ok(Log::open(folder)?.records)
}
