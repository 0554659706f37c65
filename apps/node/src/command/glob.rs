//! Patterns of `KEYS`, `SCAN` and `CONFIG GET`.

/// Whether `text` is as `pattern` says: `*` any bytes, `?` one byte, `[a-c]` `[^ab]` one of these or none of them, `\` the next byte as
/// it is. Takes at most as many steps as the product of both lengths.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    // The last star, and how much it has taken.
    let mut star: Option<(usize, usize)> = None;
    while place < text.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, place));
            at += 1;
        } else if let Some(next) = pattern.get(at..).and_then(|rest| one(rest, text[place])) {
            at += next;
            place += 1;
        } else if let Some((before, taken)) = star {
            star = Some((before, taken + 1));
            at = before + 1;
            place = taken + 1;
        } else {
            return false;
        }
    }
    pattern[at.min(pattern.len())..].iter().all(|byte| *byte == b'*')
}

/// If the pattern begins with something that `byte` is: how long that is.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [b'[', ..] => class(pattern, byte),
        [literal, ..] => (*literal == byte).then_some(1),
    }
}

/// `[...]`; one that is not closed ends with the pattern.
fn class(pattern: &[u8], byte: u8) -> Option<usize> {
    let is_negated = pattern.get(1) == Some(&b'^');
    let mut at = 1 + usize::from(is_negated);
    let mut is_in = false;
    while at < pattern.len() && pattern[at] != b']' {
        match pattern[at..] {
            [b'\\', escaped, ..] => {
                is_in |= escaped == byte;
                at += 2;
            }
            [low, b'-', high, ..] => {
                is_in |= (low.min(high)..=low.max(high)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                is_in |= literal == byte;
                at += 1;
            }
            [] => break,
        }
    }
    (is_in != is_negated).then_some((at + 1).min(pattern.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_say_what_redis_takes_them_for() {
        let yes = [
            ("*", ""),
            ("*", "abc"),
            ("a*c", "abbbc"),
            ("a*c*", "acc"),
            ("h?llo", "hello"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hallo"),
            ("h[a-c]llo", "hbllo"),
            ("h[c-a]llo", "hbllo"),
            ("a\\*", "a*"),
            ("**a", "ba"),
            ("[\\]]", "]"),
            ("[a", "a"),
            ("x*y*z", "x1y2y3z"),
        ];
        for (pattern, text) in yes {
            assert!(matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        let no = [
            ("", "a"),
            ("a", ""),
            ("h?llo", "hllo"),
            ("h[^e]llo", "hello"),
            ("a\\*", "ab"),
            ("a*c", "ab"),
            ("[]", "a"),
            ("?", ""),
        ];
        for (pattern, text) in no {
            assert!(!matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_the_product_of_the_lengths() {
        let pattern = [b"*a".repeat(2_000), b"b".to_vec()].concat();
        assert!(!matches(&pattern, &b"a".repeat(4_000)));
    }
}
