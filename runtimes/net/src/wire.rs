//! What is on a stream: a handshake, then frames.
//!
//! A handshake is `ISLE`, a version (16 bits), a length (32 bits) and a [`Hello`] from the end that dials; the other one answers with
//! the same heading and a [`Welcome`]. A frame is a length (32 bits) of what follows, its kind (8 bits) and its content. All numbers are
//! little-endian.

use isles_kernel::codec;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What this isles speaks.
pub(crate) const VERSION: u16 = 1;
const MAGIC: [u8; 4] = *b"ISLE";
/// No greeting is longer.
const GREETING_BYTES_MAX: u32 = 4096;

/// A message: its content is one of the protocol's, its handles replaced by the stream's names.
pub(crate) const MESSAGE: u8 = 0;
/// The stream's next name: its content is the address of the process that it stands for.
pub(crate) const INTRODUCE: u8 = 1;
/// Says that the sender is there; whoever gets it on an incoming stream sends one back.
pub(crate) const ALIVE: u8 = 2;

/// A frame without content.
pub(crate) const ALIVE_FRAME: [u8; 5] = [1, 0, 0, 0, ALIVE];

/// Who dials.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// The cluster it belongs to.
    pub(crate) cluster: String,
    /// What it speaks on the stream, with a version.
    pub(crate) protocol: String,
    /// Where it listens.
    pub(crate) address: String,
}

/// What it is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Welcome {
    /// Go on.
    Accepted,
    /// Go away.
    Refused(String),
}

/// Why a stream was not made, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum StreamError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("no answer in time")]
    Silent,
    #[error("the other end closed it")]
    Closed,
    #[error(
        "the other end is none of isles, or speaks without TLS where it should not, or the other way round"
    )]
    Magic,
    #[error("the other end speaks version {0}, this one {VERSION}")]
    Version(u16),
    #[error("the other end says: {0}")]
    Refused(String),
    #[error("{0}")]
    Stranger(String),
    #[error("a frame of {0} bytes")]
    TooLong(usize),
    #[error("a frame that is none: {0}")]
    Malformed(String),
    #[error("more than {0} bytes wait for it")]
    Slow(usize),
    #[error("another stream took its place")]
    Replaced,
}

/// Writes a greeting.
pub(crate) async fn greet<T: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    greeting: &T,
) -> Result<(), StreamError> {
    let body = codec::encode(greeting);
    let mut bytes = Vec::with_capacity(10 + body.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&body);
    stream.write_all(&bytes).await?;
    Ok(stream.flush().await?)
}

/// Reads a greeting.
pub(crate) async fn greeted<T: serde::de::DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<T, StreamError> {
    let mut heading = [0; 10];
    stream.read_exact(&mut heading).await?;
    let mut body = vec![0; greeting_length(&heading)?];
    stream.read_exact(&mut body).await?;
    codec::decode(&body).map_err(|error| StreamError::Malformed(error.to_string()))
}

/// How long the greeting is that follows its heading.
pub(crate) fn greeting_length(heading: &[u8; 10]) -> Result<usize, StreamError> {
    if heading[..4] != MAGIC {
        return Err(StreamError::Magic);
    }
    let version = u16::from_le_bytes([heading[4], heading[5]]);
    if version != VERSION {
        return Err(StreamError::Version(version));
    }
    let length = u32::from_le_bytes([heading[6], heading[7], heading[8], heading[9]]);
    if length > GREETING_BYTES_MAX {
        return Err(StreamError::TooLong(length as usize));
    }
    Ok(length as usize)
}

/// A whole frame at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'b> {
    pub(crate) kind: u8,
    pub(crate) content: &'b [u8],
    /// With its length.
    pub(crate) bytes: usize,
}

/// The frame at the beginning of `bytes`; none if more bytes are needed.
///
/// # Errors
/// When it claims to be longer than `most`, or to have no kind.
pub(crate) fn frame(bytes: &[u8], most: usize) -> Result<Option<Frame<'_>>, StreamError> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length) as usize;
    if length > most {
        return Err(StreamError::TooLong(length));
    }
    match rest.get(..length) {
        None => Ok(None),
        Some([]) => Err(StreamError::Malformed("it is empty".to_owned())),
        Some([kind, content @ ..]) => Ok(Some(Frame { kind: *kind, content, bytes: 4 + length })),
    }
}

/// Begins a frame at the end of `bytes`; [`close`] ends it.
pub(crate) fn open(bytes: &mut Vec<u8>, kind: u8) -> usize {
    let start = bytes.len();
    bytes.extend_from_slice(&[0, 0, 0, 0, kind]);
    start
}

/// Ends the frame that was begun at `start`.
pub(crate) fn close(bytes: &mut [u8], start: usize) {
    let length = (bytes.len() - start - 4) as u32;
    bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_when_they_are_whole() {
        let mut bytes = Vec::new();
        let start = open(&mut bytes, INTRODUCE);
        bytes.extend_from_slice(b"a:1");
        close(&mut bytes, start);
        bytes.extend_from_slice(&ALIVE_FRAME);
        for length in 0..8 {
            assert_eq!(frame(&bytes[..length], 100).unwrap(), None);
        }
        let first = frame(&bytes, 100).unwrap().unwrap();
        assert_eq!(first, Frame { kind: INTRODUCE, content: b"a:1", bytes: 8 });
        assert_eq!(frame(&bytes[8..], 100).unwrap().unwrap().kind, ALIVE);
        assert!(matches!(frame(&bytes, 3), Err(StreamError::TooLong(4))));
        assert!(matches!(frame(&[0; 4], 3), Err(StreamError::Malformed(_))));
    }
}
