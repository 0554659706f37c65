//! Whatever the bytes, an answer comes: entries, or an error that names the line.

use std::io::{BufReader, Read};

use isles_history::{DEPTH_MAX, Format, LINE_BYTES_MAX};
use proptest::prelude::*;

use super::outcome;

/// Goldens: each bad file with its error, in the format that its content has, or that its name begins with.
#[test]
fn errors_name_the_line_and_the_remedy() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/history/bad");
    isles_golden::pairs(folder, "input", "expected", |text| {
        let (format, text) = match text.strip_prefix("FORMAT ") {
            Some(rest) => {
                let (name, text) = rest.split_once('\n').expect("a format has a line of its own");
                (Some(name.parse().expect("a format")), text)
            }
            None => (None, text),
        };
        match outcome(text.as_bytes(), format) {
            Ok(read) => panic!("it is read as\n{read}"),
            Err(error) => format!("{error}\n"),
        }
    });
}

/// All but logs, in which lines of other loggers are left out.
fn strict() -> impl Iterator<Item = Format> {
    Format::ALL.into_iter().filter(|format| *format != Format::Log)
}

const BRACKETS: [&str; 6] = ["[", "(", "{", "{:a ", "#{", "#_ "];

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    for bracket in BRACKETS {
        let text = format!("{{:type :ok, :value {}", bracket.repeat(200_000));
        for format in strict() {
            outcome(text.as_bytes(), Some(format)).expect_err("it is no history");
        }
    }
    let json = format!("{{\"type\":\"ok\",\"value\":{}", "[".repeat(200_000));
    let closed = format!("{}{}}}", json, "]".repeat(200_000));
    for text in [json, closed] {
        for format in strict() {
            outcome(text.as_bytes(), Some(format)).expect_err("it is no history");
        }
    }
    let log = format!("jepsen.util - 1 :ok :read {}", "[".repeat(200_000));
    outcome(log.as_bytes(), None).expect_err("it is no history");
    let deep = |depth: usize| {
        format!("{{:type :info, :process :n, :value {}{}}}", "[".repeat(depth), "]".repeat(depth))
    };
    let error = outcome(deep(100).as_bytes(), None).expect_err("it is too deep").to_string();
    assert!(error.contains(&format!("more than {DEPTH_MAX} deep")), "{error}");
    outcome(deep(DEPTH_MAX as usize).as_bytes(), None).expect("it is deep enough");
}

#[test]
fn entries_that_never_end_are_given_up_in_bounded_memory() {
    for (begin, format) in [
        ("{:type :ok, :value \"", Format::Edn),
        ("{\"type\":\"ok\",\"value\":\"", Format::Json),
        ("{\"type\":\"invoke\",\"op\":\"", Format::Lines),
        ("jepsen.util - 1 :ok :read \"", Format::Log),
        ("r(1", Format::Plume),
        ("r 1", Format::Awdit),
        ("[[{\"events\":[{\"Write", Format::Dbcop),
    ] {
        let endless = BufReader::new(begin.as_bytes().chain(std::io::repeat(b'1')));
        let error = match isles_history::read(endless, Some(format)) {
            Ok(isles_history::Reading::Events(mut events)) => {
                events.next().expect("an error").expect_err("it is endless")
            }
            Ok(isles_history::Reading::Transactions(_)) => panic!("it is endless"),
            Err(error) => error,
        };
        assert!(error.to_string().contains(&LINE_BYTES_MAX.to_string()), "{format:?}: {error}");
    }
}

#[test]
fn too_many_values_are_refused() {
    let text = format!("{{:type :ok, :value [{}]}}", "1 ".repeat(3_000_000));
    let error = outcome(text.as_bytes(), None).expect_err("too many").to_string();
    assert!(error.contains("values"), "{error}");
}

#[test]
fn numbers_beyond_64_bits_are_kept_as_written_or_refused_and_never_rounded() {
    let read =
        outcome(b"{:process 1, :type :invoke, :f :write, :value 123456789012345678901234567890}", None);
    assert!(read.expect("EDN has big numbers").contains(" 123456789012345678901234567890 "));
    let read = outcome(br#"{"process":1,"type":"invoke","f":"write","value":18446744073709551615}"#, None);
    assert!(read.expect("64 bits").contains(" 18446744073709551615 "));
    let error = outcome(br#"{"process":1,"type":"invoke","f":"write","value":18446744073709551616}"#, None);
    let error = error.expect_err("it is not exact").to_string();
    assert!(error.contains("not exact") && error.starts_with("line 1:"), "{error}");
    for text in ["r(9223372036854775808,1,1,1)", "r 9223372036854775808 1", "r 1 1e3", "w(1,1,1,1.0)"] {
        outcome(text.as_bytes(), None).expect_err("it is no whole number of 64 bits");
    }
}

const SAMPLES: [&str; 6] = [
    include_str!("good/edn-vector.input"),
    include_str!("good/edn-tagged.input"),
    include_str!("good/json-array.input"),
    include_str!("good/log.input"),
    include_str!("good/lines.input"),
    include_str!("good/dbcop.input"),
];

proptest! {
    #[test]
    fn noise_never_panics(noise in any::<Vec<u8>>(), format in prop::sample::select(&Format::ALL)) {
        let _ = outcome(&noise, Some(format));
        let _ = outcome(&noise, None);
    }

    #[test]
    fn noise_of_the_letters_of_formats_never_panics(
        noise in "[\\[\\]{}()#:;,\"\\\\_^a-c0-9 \n\t=rw-]{0,120}",
        format in prop::sample::select(&Format::ALL),
    ) {
        let _ = outcome(noise.as_bytes(), Some(format));
        let framed = format!("{{:type :ok, :value {noise}}}");
        let _ = outcome(framed.as_bytes(), Some(Format::Edn));
    }

    #[test]
    fn torn_and_damaged_texts_never_panic(
        sample in prop::sample::select(&SAMPLES[..]),
        cut in any::<prop::sample::Index>(),
        flip in 1u8..=255,
    ) {
        let mut bytes = sample.as_bytes().to_vec();
        let at = cut.index(bytes.len());
        let _ = outcome(&bytes[..at], None);
        bytes[at] ^= flip;
        let _ = outcome(&bytes, None);
    }
}
