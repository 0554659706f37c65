//! AWDIT's text: `r KEY VALUE` and `w KEY VALUE`, one a line; a line of `-` ends a transaction, one of `=` a session.
//!
//! [AWDIT](https://github.com/lassemoldrup/AWDIT), its format `test`. Value 0 is what every key holds before anybody
//! writes it.

use std::io::BufRead;

use crate::{Builder, Status, Transactions, Value};

use super::error::{ReadError, excerpt};
use super::text::Lines;

/// Reads a whole text.
pub(crate) fn read(text: impl BufRead) -> Result<Transactions, ReadError> {
    let mut builder = Builder::with_initial_zero();
    let (mut session, mut used, mut steps) = (0u32, false, Vec::new());
    let mut lines = Lines::new(text);
    while let Some((line, text)) = lines.next_line()? {
        let rule = [b'-', b'='].into_iter().find(|rule| text.iter().all(|byte| byte == rule));
        if let Some(rule) = rule {
            if !steps.is_empty() {
                builder.push(session, Status::Committed, None, steps.drain(..));
                used = true;
            }
            if rule == b'=' && used {
                session += 1;
                used = false;
            }
            continue;
        }
        let Some((write, key, value)) = operation(text) else {
            return Err(ReadError::wrong(
                line,
                format!("'{}' is no operation", excerpt(text)),
                "it is 'r KEY VALUE' or 'w KEY VALUE', whole numbers, and '-----' and '=====' between transactions and sessions",
            ));
        };
        steps.push(if write { builder.write(&key, &value) } else { builder.read(&key, &value) });
    }
    if !steps.is_empty() {
        builder.push(session, Status::Committed, None, steps);
    }
    Ok(builder.finish())
}

/// Whether it is a write, the key and the value.
fn operation(text: &[u8]) -> Option<(bool, Value, Value)> {
    let mut words = std::str::from_utf8(text).ok()?.split_ascii_whitespace();
    let write = match words.next()? {
        "r" => false,
        "w" => true,
        _ => return None,
    };
    let mut number = || words.next()?.parse().ok().map(Value::Int);
    let (key, value) = (number()?, number()?);
    words.next().is_none().then_some((write, key, value))
}
