//! A text line by line, in bounded memory.

use std::io::{BufRead, ErrorKind, Read};

use super::error::{LINE_BYTES_MAX, ReadError};

/// The lines of a text.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    text: R,
    line: u64,
    /// A line that was not in the buffer of the text as a whole.
    bytes: Vec<u8>,
    /// How many bytes of the buffer the line before has.
    used: usize,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(text: R) -> Self {
        Self { text, line: 0, bytes: Vec::new(), used: 0 }
    }

    /// The next line that is not empty, without blanks around it, and its number. The bytes are good until the next call.
    pub(crate) fn next_line(&mut self) -> Result<Option<(u64, &[u8])>, ReadError> {
        loop {
            self.line += 1;
            self.text.consume(std::mem::take(&mut self.used));
            let line = self.line;
            let buffer = fill(&mut self.text).map_err(|error| ReadError::Io { line, error })?;
            let is_blank = match end_of_line(buffer) {
                Some(end) if (end as u64) < LINE_BYTES_MAX => {
                    self.used = end + 1;
                    buffer[..end].trim_ascii().is_empty()
                }
                Some(_) | None => {
                    self.bytes.clear();
                    let read = self.text.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut self.bytes);
                    match read.map_err(|error| ReadError::Io { line, error })? {
                        0 => return Ok(None),
                        count if count as u64 > LINE_BYTES_MAX => return Err(ReadError::TooLong { line }),
                        _ => self.bytes.trim_ascii().is_empty(),
                    }
                }
            };
            if !is_blank {
                break;
            }
        }
        if self.used == 0 {
            return Ok(Some((self.line, self.bytes.trim_ascii())));
        }
        // It is there already: nothing is read, and nothing can fail.
        let line = self.line;
        let buffer = self.text.fill_buf().map_err(|error| ReadError::Io { line, error })?;
        Ok(Some((line, buffer[..self.used].trim_ascii())))
    }
}

/// Where the first line ends. Looking through a block at a time is several times faster than byte by byte.
fn end_of_line(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 32;
    let block = bytes.chunks(BLOCK).position(|block| block.contains(&b'\n'))? * BLOCK;
    bytes[block..].iter().position(|byte| *byte == b'\n').map(|place| block + place)
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
