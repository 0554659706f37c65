//! Messages in datagrams, each by itself.
//!
//! In plain text: `ISLD`, the wire's version (16 bits), and the sender's address after its length (8 bits); between members with keys: `ISLS`, the number of the
//! session (64 bits), the number of the datagram (64 bits), and the rest sealed. The session's key comes from the sender's stream to the receiver
//! (RFC 8446, section 7.5), so that datagrams reach only whom a stream reached. What follows are the addresses of processes that the message names (8 bits: how many;
//! each after its length), and the message.

use isles_kernel::ProcessId;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::book::{Book, Named};
use crate::translate;
use crate::wire::VERSION;

/// No datagram is longer.
pub(crate) const BYTES_MAX: usize = 60_000;
const PLAIN: [u8; 4] = *b"ISLD";
const SEALED: [u8; 4] = *b"ISLS";
const SEALED_HEADING: usize = 20;
/// For what a key is taken from a stream.
const KEY_LABEL: &[u8] = b"EXPORTER-isles-datagram-key";
const SESSION_LABEL: &[u8] = b"EXPORTER-isles-datagram-session";

/// How datagrams are sealed on the way from one process to another.
#[derive(Debug)]
pub(crate) enum Session {
    /// Not at all.
    Plain,
    /// With a key of the stream.
    Sealed {
        /// Names the session.
        number: u64,
        /// The key.
        key: Box<LessSafeKey>,
        /// Of the next datagram. Invariant: each is used once.
        next: u64,
    },
}

impl Session {
    /// The session of a stream, the same at both ends.
    pub(crate) fn of<D>(stream: &rustls::ConnectionCommon<D>) -> Option<Self> {
        let secret = stream.export_keying_material([0; 32], KEY_LABEL, None).ok()?;
        let number = stream.export_keying_material([0; 8], SESSION_LABEL, None).ok()?;
        let key = Box::new(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &secret).ok()?));
        Some(Self::Sealed { number: u64::from_le_bytes(number), key, next: 0 })
    }

    /// Names the session; none in plain text.
    pub(crate) const fn number(&self) -> Option<u64> {
        match self {
            Self::Plain => None,
            Self::Sealed { number, .. } => Some(*number),
        }
    }
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_le_bytes());
    Nonce::assume_unique_for_key(bytes)
}

fn push_short(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(text.len().min(255) as u8);
    bytes.extend_from_slice(&text.as_bytes()[..text.len().min(255)]);
}

/// The datagram of a message.
///
/// # Errors
/// When it names more than 200 processes.
pub(crate) fn packet<M: Serialize>(
    msg: &M,
    (me, to): (ProcessId, ProcessId),
    book: &Book,
    session: &mut Session,
) -> Result<Vec<u8>, String> {
    let mut packet = Vec::with_capacity(256);
    match session {
        Session::Plain => {
            packet.extend_from_slice(&PLAIN);
            packet.extend_from_slice(&VERSION.to_le_bytes());
            push_short(&mut packet, book.address(me).as_deref().unwrap_or_default());
        }
        Session::Sealed { number, next, .. } => {
            packet.extend_from_slice(&SEALED);
            packet.extend_from_slice(&number.to_le_bytes());
            packet.extend_from_slice(&next.to_le_bytes());
        }
    }
    let (mut named, mut others) = (Named::default(), Vec::new());
    named.name(me.0);
    named.name(to.0);
    let body = translate::encode(msg, Vec::new(), &mut |handle| {
        let (name, is_new) = named.name(handle);
        if is_new {
            others.push(handle);
        }
        (others.len() <= 200).then_some(name)
    });
    let body = body.map_err(|error| format!("{error} (no more than 200 can be named in a datagram)"))?;
    let start = packet.len();
    packet.push(others.len() as u8);
    for other in others {
        push_short(&mut packet, book.address(ProcessId(other)).as_deref().unwrap_or_default());
    }
    packet.extend_from_slice(&body);
    if let Session::Sealed { key, next, .. } = session {
        let (heading, body) = packet.split_at_mut(start);
        let tag = key.seal_in_place_separate_tag(nonce(*next), Aad::from(&*heading), body);
        let tag = tag.map_err(|_| "it is too long to be sealed".to_owned())?;
        packet.extend_from_slice(tag.as_ref());
        *next += 1;
    }
    Ok(packet)
}

/// What a datagram is, before anything in it is believed.
#[derive(Debug)]
pub(crate) enum Arrived<'p> {
    /// In plain text, from whoever says that it listens there.
    Plain {
        /// The address.
        address: &'p str,
        /// The rest.
        body: &'p [u8],
    },
    /// Sealed, in this session.
    Sealed(u64),
}

/// Reads the heading of a datagram.
pub(crate) fn arrived(packet: &[u8]) -> Option<Arrived<'_>> {
    if let Some(rest) = packet.strip_prefix(&PLAIN) {
        let rest = rest.strip_prefix(&VERSION.to_le_bytes())?;
        let (address, body) = short(rest)?;
        return Some(Arrived::Plain { address, body });
    }
    let number = packet.strip_prefix(&SEALED)?.first_chunk::<8>()?;
    Some(Arrived::Sealed(u64::from_le_bytes(*number)))
}

fn short(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

/// Opens a sealed datagram.
pub(crate) fn unseal<'p>(packet: &'p mut [u8], session: &Session) -> Option<&'p [u8]> {
    let Session::Sealed { key, .. } = session else { return None };
    let (heading, body) = packet.split_at_mut_checked(SEALED_HEADING)?;
    let number = u64::from_le_bytes(*heading[12..].first_chunk::<8>()?);
    key.open_in_place(nonce(number), Aad::from(&*heading), body).ok().map(|body| &*body)
}

/// The message in the body of a datagram from `from` to `me`.
pub(crate) fn message<M: DeserializeOwned>(
    body: &[u8],
    (from, me): (ProcessId, ProcessId),
    book: &mut Book,
) -> Option<M> {
    let (count, mut rest) = body.split_first()?;
    let mut names = vec![Some(from), Some(me)];
    for _ in 0..*count {
        let (address, after) = short(rest)?;
        names.push(book.handle(address));
        rest = after;
    }
    translate::decode(rest, &mut |name| named(&names, name)).ok()
}

/// The handle of a stream's or a datagram's name. An address that is none stands for nobody.
pub(crate) fn named(names: &[Option<ProcessId>], name: u32) -> Option<u32> {
    names.get(name as usize).map(|process| process.map_or(u32::MAX, |process| process.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(number: u64) -> Session {
        let key = Box::new(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &[7; 32]).unwrap()));
        Session::Sealed { number, key, next: 0 }
    }

    #[test]
    fn a_datagram_introduces_processes_and_is_sealed() {
        let addresses = ["a:1", "b:2", "c:3"].map(str::to_owned);
        let (mut here, mut there) = (Book::new(&addresses[..2]), Book::new(&addresses[..2]));
        let stranger = here.handle("c:3").unwrap();
        let msg = (stranger, ProcessId(0), ProcessId(1), "hello".to_owned());
        let ends = (ProcessId(0), ProcessId(1));
        let mut session = sealed(9);
        let mut packet = packet(&msg, ends, &here, &mut session).unwrap();
        assert!(matches!(arrived(&packet), Some(Arrived::Sealed(9))));
        let mut altered = packet.clone();
        *altered.last_mut().unwrap() ^= 1;
        assert_eq!(unseal(&mut altered, &session), None);
        let body = unseal(&mut packet, &session).unwrap();
        assert_eq!(message(body, ends, &mut there), Some(msg.clone()));
        let plain = super::packet(&msg, ends, &here, &mut Session::Plain).unwrap();
        let Some(Arrived::Plain { address: "a:1", body }) = arrived(&plain) else { panic!("{plain:?}") };
        assert_eq!(message(body, ends, &mut there), Some(msg));
        for length in 0..plain.len() {
            if let Some(Arrived::Plain { body, .. }) = arrived(&plain[..length]) {
                assert_eq!(
                    message::<(ProcessId, ProcessId, ProcessId, String)>(body, ends, &mut there),
                    None
                );
            }
        }
    }
}
