//! What a crash or a bad disk may leave of a log: records or an error, and after a repair the same records again.

#![no_main]

use isles_quorum::store::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let folder = std::env::temp_dir().join(format!("isles-fuzz-records-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    std::fs::write(folder.join("records-0000000000000000.log"), bytes).expect("a temporary file");
    if let Ok(records) = isles_net::outside::log::<Record>(&folder) {
        let again = isles_net::outside::log::<Record>(&folder).expect("a repaired log is whole");
        assert_eq!(records, again);
    }
});
