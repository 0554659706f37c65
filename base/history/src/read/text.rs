//! A text line by line, in bounded memory.

use std::io::{BufRead, ErrorKind, Read};

use super::error::{LINE_BYTES_MAX, ReadError};

/// The lines of a text.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    text: R,
    line: u64,
    bytes: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(text: R) -> Self {
        Self { text, line: 0, bytes: Vec::new() }
    }

    /// The next line that is not empty, without blanks around it, and its number. The bytes are good until the next call.
    pub(crate) fn next_line(&mut self) -> Result<Option<(u64, &[u8])>, ReadError> {
        loop {
            self.line += 1;
            self.bytes.clear();
            let read = self.text.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut self.bytes);
            match read.map_err(|error| ReadError::Io { line: self.line, error })? {
                0 => return Ok(None),
                count if count as u64 > LINE_BYTES_MAX => {
                    return Err(ReadError::TooLong { line: self.line });
                }
                _ if self.bytes.trim_ascii().is_empty() => {}
                _ => break,
            }
        }
        Ok(Some((self.line, self.bytes.trim_ascii())))
    }
}

/// The buffered bytes, empty at the end; tries again when the system was interrupted.
pub(crate) fn fill(text: &mut impl BufRead) -> std::io::Result<&[u8]> {
    // A second call is free when the first succeeded, and keeps the borrow out of the loop.
    loop {
        match text.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    text.fill_buf()
}
