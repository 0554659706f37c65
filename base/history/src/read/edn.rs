//! Values of EDN, as far as histories have them, and what the JVM prints beside: tagged objects, fractions, characters.
//!
//! [The format](https://github.com/edn-format/edn). A tagged map, list or set is taken without its tag; other tagged
//! values are kept as they are written. Metadata and discarded forms are left out.

use std::str;
use std::sync::Arc;

use crate::Value;

use super::error::{DEPTH_MAX, ReadError, VALUES_MAX, excerpt};
use super::names::Names;

/// Reads values from one entry of a file.
#[derive(Debug)]
pub(crate) struct Edn<'a> {
    text: &'a [u8],
    at: usize,
    /// The line of the first byte of `text`.
    line: u64,
    /// How many more values the entry may have.
    values: u32,
    names: &'a mut Names,
}

impl<'a> Edn<'a> {
    pub(crate) fn new(text: &'a [u8], line: u64, names: &'a mut Names) -> Self {
        Self { text, at: 0, line, values: VALUES_MAX, names }
    }

    /// An error at the next byte.
    pub(crate) fn wrong(&self, what: impl Into<String>, remedy: &'static str) -> ReadError {
        let lines = self.text[..self.at.min(self.text.len())].iter().filter(|byte| **byte == b'\n').count();
        ReadError::wrong(self.line + lines as u64, what, remedy)
    }

    pub(crate) fn names(&mut self) -> &mut Names {
        self.names
    }

    /// The next byte that is no blank, comment, metadata or discarded form.
    pub(crate) fn peek(&mut self, depth: u32) -> Result<Option<u8>, ReadError> {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | b'\x0c') => self.at += 1,
                Some(b';') => {
                    let rest = &self.text[self.at..];
                    self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                }
                Some(b'#') if self.text.get(self.at + 1) == Some(&b'_') => {
                    self.at += 2;
                    self.skip(depth + 1)?;
                }
                Some(b'^') => {
                    self.at += 1;
                    self.skip(depth + 1)?;
                }
                other => return Ok(other.copied()),
            }
        }
    }

    /// Takes `byte` if it is next.
    pub(crate) fn take(&mut self, byte: u8, depth: u32) -> Result<bool, ReadError> {
        let next = self.peek(depth)? == Some(byte);
        self.at += usize::from(next);
        Ok(next)
    }

    /// A keyword, without its colon, or `None` if something else is next.
    pub(crate) fn keyword(&mut self, depth: u32) -> Result<Option<&'a [u8]>, ReadError> {
        if self.peek(depth)? != Some(b':') {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(self.token()))
    }

    /// Bytes up to the next delimiter.
    fn token(&mut self) -> &'a [u8] {
        let rest = &self.text[self.at..];
        let delimits = |byte: &u8| {
            matches!(
                byte,
                b' ' | b'\t'
                    | b'\r'
                    | b'\n'
                    | b'\x0c'
                    | b','
                    | b';'
                    | b'('
                    | b')'
                    | b'['
                    | b']'
                    | b'{'
                    | b'}'
                    | b'"'
            )
        };
        let count = rest.iter().position(delimits).unwrap_or(rest.len());
        self.at += count;
        &rest[..count]
    }

    fn text_of(&self, bytes: &'a [u8]) -> Result<&'a str, ReadError> {
        str::from_utf8(bytes).map_err(|_| {
            self.wrong(
                format!("'{}' is no UTF-8", excerpt(bytes)),
                "histories are UTF-8; is the file binary or compressed?",
            )
        })
    }

    /// Whether nothing at all is left.
    pub(crate) const fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Takes a tag: `#jepsen.history.Op`.
    pub(crate) fn tag(&mut self) -> Result<(), ReadError> {
        self.at += 1;
        self.token();
        self.peek(0).map(drop)
    }

    /// Reads past a value.
    pub(crate) fn skip(&mut self, depth: u32) -> Result<(), ReadError> {
        match self.enter(depth)? {
            open @ (b'(' | b'[' | b'{') => {
                self.at += 1;
                let close = closing(open);
                while !self.take(close, depth)? {
                    self.skip(depth + 1)?;
                }
                Ok(())
            }
            b'"' => {
                self.at += 1;
                self.quoted().map(drop)
            }
            b'\\' => self.character().map(drop),
            b'#' => self.dispatch(depth).map(drop),
            b')' | b']' | b'}' => Err(self.stray()),
            _ => {
                self.at += 1;
                self.token();
                Ok(())
            }
        }
    }

    /// Checks depth and number of values; the next byte.
    fn enter(&mut self, depth: u32) -> Result<u8, ReadError> {
        if depth > DEPTH_MAX {
            let what = format!("values lie within one another more than {DEPTH_MAX} deep");
            return Err(self.wrong(what, "is the file a history?"));
        }
        let Some(left) = self.values.checked_sub(1) else {
            let what = format!("an entry of more than {VALUES_MAX} values");
            return Err(self.wrong(what, "record what changed, not the whole state"));
        };
        self.values = left;
        self.peek(depth)?.ok_or_else(|| {
            self.wrong("the entry ends where a value should be", "the file was cut off or torn there")
        })
    }

    fn stray(&self) -> ReadError {
        let what = format!("'{}' where a value should be", excerpt(&self.text[self.at..]));
        self.wrong(what, "a map has a value for each key, and each bracket its partner")
    }

    /// The next value.
    pub(crate) fn value(&mut self, depth: u32) -> Result<Value, ReadError> {
        match self.enter(depth)? {
            b'[' | b'(' => {
                let close = closing(self.text[self.at]);
                self.at += 1;
                self.values_until(close, depth).map(Value::List)
            }
            b'{' => {
                self.at += 1;
                let mut pairs = Vec::new();
                while !self.take(b'}', depth)? {
                    let key = self.value(depth + 1)?;
                    pairs.push((key, self.value(depth + 1)?));
                }
                Ok(Value::Map(pairs))
            }
            b'"' => {
                self.at += 1;
                self.quoted().map(Value::Text)
            }
            b'\\' => self.character().map(Value::Text),
            b'#' => self.dispatch(depth),
            b':' => {
                self.at += 1;
                let token = self.token();
                let name = self.text_of(token)?;
                Ok(Value::Keyword(self.names.get(name)))
            }
            b'\'' | b'`' | b'@' | b'~' => {
                self.at += 1;
                self.value(depth + 1)
            }
            b')' | b']' | b'}' => Err(self.stray()),
            _ => self.atom(),
        }
    }

    fn values_until(&mut self, close: u8, depth: u32) -> Result<Vec<Value>, ReadError> {
        let mut values = Vec::new();
        while !self.take(close, depth)? {
            values.push(self.value(depth + 1)?);
        }
        Ok(values)
    }

    /// A number or a symbol.
    fn atom(&mut self) -> Result<Value, ReadError> {
        let token = self.token();
        let digits = token.strip_prefix(b"+").or_else(|| token.strip_prefix(b"-")).unwrap_or(token);
        if digits.first().is_some_and(u8::is_ascii_digit) {
            if let Some(number) = whole(token) {
                return Ok(Value::Int(number));
            }
            return Ok(Value::Other(Arc::from(self.text_of(token)?)));
        }
        Ok(match token {
            b"nil" => Value::Nil,
            b"true" => Value::Bool(true),
            b"false" => Value::Bool(false),
            name => {
                let name = self.text_of(name)?;
                Value::Keyword(self.names.get(name))
            }
        })
    }

    /// The rest of a text after its first quote.
    fn quoted(&mut self) -> Result<Arc<str>, ReadError> {
        let start = self.at;
        loop {
            match self.text.get(self.at) {
                Some(b'"') => {
                    let bytes = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(Arc::from(self.text_of(bytes)?));
                }
                Some(b'\\') => return self.escaped(start).map(Arc::from),
                Some(_) => self.at += 1,
                None => return Err(self.wrong("a text without its second quote", "close it")),
            }
        }
    }

    /// The rest of a text that has escapes, from `start` on.
    fn escaped(&mut self, start: usize) -> Result<String, ReadError> {
        let mut text = self.text_of(&self.text[start..self.at])?.to_owned();
        loop {
            let rest = &self.text[self.at..];
            let Some(plain) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) else {
                return Err(self.wrong("a text without its second quote", "close it"));
            };
            text.push_str(self.text_of(&rest[..plain])?);
            self.at += plain + 1;
            if rest[plain] == b'"' {
                return Ok(text);
            }
            text.push(self.escape()?);
        }
    }

    /// What follows a backslash in a text.
    fn escape(&mut self) -> Result<char, ReadError> {
        let letter = self.text.get(self.at).copied();
        self.at += 1;
        Ok(match letter {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(letter @ (b'"' | b'\\' | b'/' | b'\'')) => char::from(letter),
            Some(b'u') => self.unicode()?,
            // Octal, as Java has it.
            Some(digit @ b'0'..=b'7') => {
                let mut code = u32::from(digit - b'0');
                while let Some(digit @ b'0'..=b'7') = self.text.get(self.at)
                    && code < 0o40
                {
                    code = code * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            Some(_) | None => {
                return Err(
                    self.wrong("a backslash before no escape that is known", "write \\\\ for a backslash")
                );
            }
        })
    }

    /// The four hexadecimal digits after `\u`, and a second such escape if the first is half of a pair.
    fn unicode(&mut self) -> Result<char, ReadError> {
        let first = self.hexadecimal()?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with(b"\\u") {
            self.at += 2;
            let second = self.hexadecimal()?;
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff);
            return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hexadecimal(&mut self) -> Result<u32, ReadError> {
        let digits = self.text.get(self.at..self.at + 4).and_then(|digits| str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        code.ok_or_else(|| self.wrong("\\u without four hexadecimal digits", "write them, as in \\u00e9"))
    }

    /// A character: `\a`, `\newline`, `\u00e9`.
    fn character(&mut self) -> Result<Arc<str>, ReadError> {
        self.at += 1;
        let start = self.at;
        // The first byte may be a delimiter.
        self.at = (self.at + 1).min(self.text.len());
        self.token();
        let name = self.text_of(&self.text[start..self.at])?;
        let letter = match name {
            "newline" => "\n",
            "space" => " ",
            "tab" => "\t",
            "return" => "\r",
            "backspace" => "\u{8}",
            "formfeed" => "\u{c}",
            name => name,
        };
        let code = letter.strip_prefix('u').filter(|digits| digits.len() == 4);
        match code.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32) {
            Some(letter) => Ok(Arc::from(letter.to_string())),
            None => Ok(Arc::from(letter)),
        }
    }

    /// What begins with `#`.
    fn dispatch(&mut self, depth: u32) -> Result<Value, ReadError> {
        let start = self.at;
        self.at += 1;
        match self.text.get(self.at) {
            Some(b'{') => {
                self.at += 1;
                return self.values_until(b'}', depth).map(Value::Set);
            }
            Some(b'<') => {
                let rest = &self.text[self.at..];
                let Some(end) = rest.iter().position(|byte| *byte == b'>') else {
                    return Err(
                        self.wrong("'#<' without '>'", "the object was printed unreadably; cut it out")
                    );
                };
                self.at += end + 1;
            }
            Some(b'"' | b'\'') => {
                self.at += usize::from(self.text[self.at] == b'\'');
                self.skip(depth + 1)?;
            }
            Some(b'#') => {
                self.at += 1;
                self.token();
            }
            _ => {
                let tag = self.token();
                let bracket = matches!(self.peek(depth)?, Some(b'{' | b'[' | b'(' | b'#'));
                if bracket && !matches!(tag, b"object" | b"error") {
                    return self.value(depth + 1);
                }
                self.skip(depth + 1)?;
            }
        }
        Ok(Value::Other(Arc::from(self.text_of(&self.text[start..self.at])?)))
    }
}

/// The bracket that closes `open`.
const fn closing(open: u8) -> u8 {
    match open {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}

/// A whole number of at most 64 bits, with or without the `N` of big ones.
fn whole(token: &[u8]) -> Option<i64> {
    let token = token.strip_suffix(b"N").unwrap_or(token);
    let (negative, digits) = match token {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut number = 0i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number.checked_mul(10)?;
        let digit = i64::from(digit - b'0');
        number = if negative { number.checked_sub(digit)? } else { number.checked_add(digit)? };
    }
    Some(number)
}
