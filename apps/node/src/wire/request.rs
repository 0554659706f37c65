//! Where a request ends, and what its arguments are.
//!
//! A client's bytes are looked at twice. [`Framing`] finds the end of a request: it takes each byte once, however the bytes come in
//! pieces, and refuses what is too long or not flat before any of it is kept. Only a whole, flat request goes to the decoder of the
//! `redis-protocol` crate, which begins anew with every piece and recurses into nested arrays without a bound.

use std::borrow::Cow;

use redis_protocol::resp2::decode::decode_range;
use redis_protocol::resp2::types::RangeFrame;

/// What a request may be at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Bytes, with all arguments.
    pub bytes: usize,
    /// Arguments.
    pub elements: u32,
}

impl Bounds {
    /// For clients that have not authenticated.
    pub const STRANGER: Self = Self { bytes: 16 << 10, elements: 10 };
}

/// Bytes of an inline request, or of a line with a length.
const LINE_BYTES_MAX: usize = 64 << 10;
/// Bytes of the longest number, with its sign.
const NUMBER_BYTES_MAX: usize = 20;

/// Why bytes are no request; the connection cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WireError {
    /// An inline request is too long.
    #[error("Protocol error: too big inline request")]
    InlineTooBig,
    /// An inline request ends within quotes, or a closing quote is not followed by a space.
    #[error("Protocol error: unbalanced quotes in request")]
    Quotes,
    /// The number of arguments is none, or too great.
    #[error("Protocol error: invalid multibulk length")]
    Elements,
    /// The number of arguments is too great for a client that has not authenticated.
    #[error("Protocol error: unauthenticated multibulk length")]
    StrangerElements,
    /// An argument does not begin with its length.
    #[error("Protocol error: expected '$', got '{}'", .0.escape_ascii())]
    NoLength(u8),
    /// The length of an argument is none, or too great.
    #[error("Protocol error: invalid bulk length")]
    Length,
    /// The length of an argument is too great for a client that has not authenticated.
    #[error("Protocol error: unauthenticated bulk length")]
    StrangerLength,
}

/// Finds the ends of requests; remembers how far the first one was looked at.
#[derive(Clone, Debug, Default)]
pub struct Framing {
    /// Bytes of the request that need no second look.
    seen: usize,
    /// Arguments that are still to come; none before the number of arguments was read.
    left: Option<u32>,
}

impl Framing {
    /// The length of the request at the beginning of `bytes`, or none if it is not whole. After a length, the next call is about the
    /// request behind it.
    ///
    /// # Errors
    /// When it can be no request within `bounds`.
    pub fn next(&mut self, bytes: &[u8], bounds: Bounds) -> Result<Option<usize>, WireError> {
        let Some(first) = bytes.first() else { return Ok(None) };
        let end = if *first == b'*' { self.array(bytes, bounds)? } else { self.inline(bytes)? };
        if end.is_some() {
            *self = Self::default();
        }
        Ok(end)
    }

    /// Whether a request has begun and is not whole.
    pub fn is_amid(&self) -> bool {
        self.seen > 0
    }

    /// How many bytes of the first request were seen to be well formed.
    pub fn seen(&self) -> usize {
        self.seen
    }

    fn inline(&mut self, bytes: &[u8]) -> Result<Option<usize>, WireError> {
        let end = bytes[self.seen..].iter().position(|byte| *byte == b'\n').map(|at| self.seen + at + 1);
        self.seen = bytes.len();
        if end.unwrap_or(bytes.len()) > LINE_BYTES_MAX { Err(WireError::InlineTooBig) } else { Ok(end) }
    }

    fn array(&mut self, bytes: &[u8], bounds: Bounds) -> Result<Option<usize>, WireError> {
        let is_stranger = bounds == Bounds::STRANGER;
        let mut left = match self.left {
            Some(left) => left,
            None => {
                let Some((number, end)) = line(bytes, 1).ok_or(WireError::Elements)? else { return Ok(None) };
                let elements = u32::try_from(number.max(0)).map_err(|_| WireError::Elements)?;
                if elements > bounds.elements {
                    return Err(if is_stranger { WireError::StrangerElements } else { WireError::Elements });
                }
                self.seen = end;
                elements
            }
        };
        while left > 0 {
            self.left = Some(left);
            let Some(kind) = bytes.get(self.seen) else { return Ok(None) };
            if *kind != b'$' {
                return Err(WireError::NoLength(*kind));
            }
            let Some((number, end)) = line(bytes, self.seen + 1).ok_or(WireError::Length)? else {
                return Ok(None);
            };
            let length = usize::try_from(number).map_err(|_| WireError::Length)?;
            if length > bounds.bytes || end + length + 2 > bounds.bytes {
                return Err(if is_stranger { WireError::StrangerLength } else { WireError::Length });
            }
            if bytes.len() < end + length + 2 {
                return Ok(None);
            }
            if &bytes[end + length..end + length + 2] != b"\r\n" {
                return Err(WireError::Length);
            }
            self.seen = end + length + 2;
            left -= 1;
        }
        Ok(Some(self.seen))
    }
}

/// The number between `from` and the end of its line, and where the next line begins. `None` if it is none; `Some(None)` if the line
/// is not whole.
#[expect(clippy::option_option, reason = "no number, no end yet, and both are different")]
fn line(bytes: &[u8], from: usize) -> Option<Option<(i64, usize)>> {
    let rest = &bytes[from..];
    let negative = rest.first() == Some(&b'-');
    let mut value: i64 = 0;
    let mut at = usize::from(negative);
    let digits_from = at;
    loop {
        match rest.get(at) {
            None => return Some(None),
            // As many zeros as there may be digits, so that a number in pieces and a whole one are the same.
            Some(b'0'..=b'9') if at >= NUMBER_BYTES_MAX => return None,
            Some(digit @ b'0'..=b'9') => {
                value = value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
                at += 1;
            }
            Some(b'\r') if at > digits_from => break,
            Some(_) => return None,
        }
    }
    match rest.get(at + 1) {
        None => Some(None),
        Some(b'\n') => Some(Some((if negative { -value } else { value }, from + at + 2))),
        Some(_) => None,
    }
}

/// The arguments of a request, the name of the command first.
#[derive(Debug)]
pub struct Request<'a> {
    bytes: Cow<'a, [u8]>,
    frames: Vec<RangeFrame>,
}

impl<'a> Request<'a> {
    /// Decodes a whole request, as long as [`Framing`] said.
    ///
    /// # Errors
    /// When quotes of an inline request do not match.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, WireError> {
        if bytes.first() != Some(&b'*') {
            return Self::inline(bytes);
        }
        match decode_range(bytes) {
            Ok(Some((RangeFrame::Array(frames), _))) => Ok(Self { bytes: bytes.into(), frames }),
            // `*-1`: nothing is asked.
            Ok(Some((RangeFrame::Null, _))) => Ok(Self { bytes: bytes.into(), frames: Vec::new() }),
            Ok(_) | Err(_) => Err(WireError::Elements),
        }
    }

    /// Words between spaces, with quotes and escapes as `redis-cli` and `sdssplitargs` have them.
    fn inline(line: &[u8]) -> Result<Self, WireError> {
        let mut words = Vec::with_capacity(line.len());
        let mut frames = Vec::new();
        let mut rest = line;
        while let Some(at) = rest.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != 0) {
            let from = words.len();
            rest = word(&rest[at..], &mut words)?;
            frames.push(RangeFrame::BulkString((from, words.len())));
        }
        Ok(Self { bytes: words.into(), frames })
    }

    /// How many arguments there are, with the name.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether nothing is asked: an empty line.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// An argument; empty if there is none.
    pub fn arg(&self, index: usize) -> &[u8] {
        match self.frames.get(index) {
            Some(RangeFrame::BulkString((from, to))) => &self.bytes[*from..*to],
            _ => &[],
        }
    }

    /// The arguments from one on.
    pub fn args(&self, from: usize) -> impl ExactSizeIterator<Item = &[u8]> {
        (from..self.len().max(from)).map(|index| self.arg(index))
    }
}

/// Reads one word into `words`, and tells what is behind it.
fn word<'a>(line: &'a [u8], words: &mut Vec<u8>) -> Result<&'a [u8], WireError> {
    let mut at = 0;
    let mut quote = None;
    while let Some(&byte) = line.get(at) {
        at += 1;
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, byte) if byte.is_ascii_whitespace() || byte == 0 => return Ok(&line[at..]),
            (Some(b'"'), b'\\') => at += escaped(&line[at..], words),
            (Some(b'\''), b'\\') if line.get(at) == Some(&b'\'') => {
                words.push(b'\'');
                at += 1;
            }
            (Some(open), byte) if byte == open => {
                return match line.get(at) {
                    None => Ok(&[]),
                    Some(next) if next.is_ascii_whitespace() => Ok(&line[at..]),
                    Some(_) => Err(WireError::Quotes),
                };
            }
            (_, byte) => words.push(byte),
        }
    }
    if quote.is_some() { Err(WireError::Quotes) } else { Ok(&[]) }
}

/// What a backslash within double quotes stands for; tells how many bytes it took.
fn escaped(rest: &[u8], words: &mut Vec<u8>) -> usize {
    let digit = |at: usize| rest.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    if let (Some(b'x'), Some(high), Some(low)) = (rest.first(), digit(1), digit(2)) {
        words.push((high * 16 + low) as u8);
        return 3;
    }
    let Some(byte) = rest.first() else {
        words.push(b'\\');
        return 0;
    };
    words.push(match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => *other,
    });
    1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Bounds = Bounds { bytes: 1 << 20, elements: 1000 };

    fn args(bytes: &[u8]) -> Result<Vec<String>, WireError> {
        let length = Framing::default().next(bytes, BOUNDS)?.expect("a whole request");
        let request = Request::decode(&bytes[..length])?;
        Ok(request.args(0).map(|arg| String::from_utf8_lossy(arg).into_owned()).collect())
    }

    #[test]
    fn requests_are_arrays_or_lines() {
        assert_eq!(args(b"*2\r\n$3\r\nGET\r\n$0\r\n\r\nrest").expect("two"), ["GET", ""]);
        assert_eq!(args(b"*0\r\n").expect("none"), Vec::<String>::new());
        assert_eq!(args(b"*-1\r\n").expect("none"), Vec::<String>::new());
        assert_eq!(args(b"\r\n").expect("none"), Vec::<String>::new());
        assert_eq!(args(b"set  a 'b c' \"\\x41\\n\"\r\n").expect("four"), ["set", "a", "b c", "A\n"]);
        assert_eq!(args(b"get 'it\\'s'\n").expect("two"), ["get", "it's"]);
    }

    #[test]
    fn a_number_of_many_zeros_is_refused_in_pieces_and_whole() {
        let whole = format!("*{}1\r\n$4\r\nPING\r\n", "0".repeat(NUMBER_BYTES_MAX));
        for length in NUMBER_BYTES_MAX + 2..=whole.len() {
            let found = Framing::default().next(&whole.as_bytes()[..length], BOUNDS);
            assert_eq!(found, Err(WireError::Elements), "{length}");
        }
        let fits = format!("*{}1\r\n$4\r\nPING\r\n", "0".repeat(NUMBER_BYTES_MAX - 2));
        assert_eq!(Framing::default().next(fits.as_bytes(), BOUNDS), Ok(Some(fits.len())));
    }

    #[test]
    fn what_is_no_request_is_refused_as_early_as_it_is_seen() {
        let refused = |bytes: &[u8]| Framing::default().next(bytes, BOUNDS).expect_err("refused");
        assert_eq!(refused(b"*1001\r\n"), WireError::Elements);
        assert_eq!(refused(b"*99999999999999999999"), WireError::Elements);
        assert_eq!(refused(b"*x\r\n"), WireError::Elements);
        assert_eq!(refused(b"*1\r\n*1\r\n"), WireError::NoLength(b'*'));
        assert_eq!(refused(b"*1\r\n$-1\r\n"), WireError::Length);
        assert_eq!(refused(b"*1\r\n$1048576\r\n"), WireError::Length);
        assert_eq!(refused(b"*1\r\n$1\r\nabc"), WireError::Length);
        assert_eq!(refused(&vec![b'x'; LINE_BYTES_MAX + 1]), WireError::InlineTooBig);
        let stranger = |bytes: &[u8]| Framing::default().next(bytes, Bounds::STRANGER).expect_err("refused");
        assert_eq!(stranger(b"*11\r\n"), WireError::StrangerElements);
        assert_eq!(stranger(b"*1\r\n$16385\r\n"), WireError::StrangerLength);
        assert_eq!(args(b"get \"a\r\n"), Err(WireError::Quotes));
        assert_eq!(args(b"get \"a\"b\r\n"), Err(WireError::Quotes));
        assert_eq!(WireError::NoLength(b'\r').to_string(), "Protocol error: expected '$', got '\\r'");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            words in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..6),
            cuts in prop::collection::vec(0usize..120, 0..8),
        ) {
            let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
            for word in &words {
                bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
                bytes.extend_from_slice(word);
                bytes.extend_from_slice(b"\r\n");
            }
            let mut framing = Framing::default();
            let mut cuts = cuts;
            cuts.sort_unstable();
            for cut in cuts.into_iter().filter(|cut| *cut < bytes.len()) {
                prop_assert_eq!(framing.next(&bytes[..cut], BOUNDS), Ok(None));
            }
            prop_assert_eq!(framing.next(&bytes, BOUNDS), Ok(Some(bytes.len())));
            let request = Request::decode(&bytes).expect("as it was written");
            prop_assert!(request.args(0).eq(words.iter().map(Vec::as_slice)));
        }

        #[test]
        fn any_bytes_are_a_request_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut framing = Framing::default();
            if let Ok(Some(length)) = framing.next(&bytes, BOUNDS) {
                prop_assert!(length <= bytes.len());
                if let Ok(request) = Request::decode(&bytes[..length]) {
                    prop_assert!(request.args(0).map(<[u8]>::len).sum::<usize>() <= length);
                }
            }
        }
    }
}
