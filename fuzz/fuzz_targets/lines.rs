//! A text is a history in our own JSON lines, or refused.
#![no_main]

use isles_history::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| isles_fuzz::history(Some(Format::Lines), bytes));
