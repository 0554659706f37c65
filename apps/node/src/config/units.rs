//! Sizes and spans as people write them.

use isles_kernel::Span;
use serde::Deserialize;

/// A number of bytes: `1024`, `"64KiB"`, `"8MiB"`, `"1GiB"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "SizeText")]
pub(crate) struct Size(pub(crate) usize);

#[derive(Deserialize)]
#[serde(untagged)]
enum SizeText {
    Number(u64),
    Text(String),
    #[expect(dead_code, reason = "takes what is neither, so that the error is ours")]
    Other(toml::Value),
}

impl TryFrom<SizeText> for Size {
    type Error = String;

    fn try_from(text: SizeText) -> Result<Self, String> {
        let remedy = "write a number and KiB, MiB or GiB, as in \"64KiB\"";
        let size = match text {
            SizeText::Number(number) => Some(number),
            SizeText::Text(text) => {
                let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
                let (number, unit) = text.split_at(split);
                let shift = match unit.trim() {
                    "" | "B" => 0,
                    "KiB" => 10,
                    "MiB" => 20,
                    "GiB" => 30,
                    _ => return Err(format!("'{text}' is not a size; {remedy}")),
                };
                let number: u64 = number.parse().map_err(|_| format!("'{text}' is not a size; {remedy}"))?;
                number.checked_mul(1 << shift)
            }
            SizeText::Other(_) => return Err(format!("this is not a size; {remedy}")),
        };
        // A thousandth of what an address can name is more than any machine has.
        let size = size.filter(|size| *size <= 1 << 44).ok_or("the size is greater than any memory")?;
        usize::try_from(size).map(Self).map_err(|error| error.to_string())
    }
}

/// A span of time: `"30s"`, `"250ms"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "SpanText")]
pub(crate) struct Length(pub(crate) Span);

#[derive(Deserialize)]
#[serde(untagged)]
enum SpanText {
    Text(String),
    #[expect(dead_code, reason = "takes what is no text, so that the error is ours")]
    Other(toml::Value),
}

impl TryFrom<SpanText> for Length {
    type Error = String;

    fn try_from(text: SpanText) -> Result<Self, String> {
        match text {
            SpanText::Text(text) => {
                text.parse().map(Self).map_err(|error: isles_kernel::ParseSpanError| error.to_string())
            }
            SpanText::Other(_) => {
                Err("this is not a span of time; write one in quotes, as in \"30s\"".to_owned())
            }
        }
    }
}
