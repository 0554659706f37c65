//! A text is a scenario or refused with a place in it.
#![no_main]

use isles_lab::scenario::{Origin, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let origin = Origin { name: "fuzz.toml", folder: None, settings: &[], memory_max: 64 << 20 };
    if let Err(error) = read(text, &origin) {
        assert!(!error.to_string().is_empty());
    }
});
