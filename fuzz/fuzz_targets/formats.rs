//! A text in whatever format it seems to have is read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| isles_fuzz::history(None, bytes));
