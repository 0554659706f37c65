//! Values as bytes: the wire and log format, postcard.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// No message is longer than this, in bytes; a decoder refuses more before it reads any of it.
pub const BYTES_MAX: usize = 16 << 20;

/// `value` in the wire format.
///
/// # Panics
/// When a `Serialize` implementation of the value fails by itself, which derived ones never do.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).expect("derived Serialize into growing memory cannot fail")
}

/// The value that `bytes` hold, whole.
///
/// # Errors
/// When the bytes are too many, end early, go on after the value, or are no such value.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    if bytes.len() > BYTES_MAX {
        return Err(DecodeError::TooLong(bytes.len()));
    }
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(DecodeError::Trailing(rest.len())),
        Err(error) => Err(DecodeError::Malformed(error)),
    }
}

/// Why bytes are not a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// More than [`BYTES_MAX`]: how many.
    TooLong(usize),
    /// The value ended before the bytes did: how many are left.
    Trailing(usize),
    /// The bytes are no value of the type.
    Malformed(postcard::Error),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(count) => write!(f, "{count} bytes are more than a message may have ({BYTES_MAX})"),
            Self::Trailing(count) => write!(f, "{count} bytes follow the end of the value"),
            Self::Malformed(error) => write!(f, "malformed bytes: {error}"),
        }
    }
}

impl std::error::Error for DecodeError {}
