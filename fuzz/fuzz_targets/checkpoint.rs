//! Bytes are a checkpoint or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = isles_explore::check_checkpoint(bytes);
});
