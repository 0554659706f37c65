//! A text in any format is read or refused; operations that are read can be written and read again.
#![no_main]

use isles_history::{Calls, EdnWriter, Event, Format, LinesWriter, Reading, read, transactions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for format in Format::ALL {
        let Ok(Reading::Events(events)) = read(bytes, Some(format)) else { continue };
        let Ok(events) = events.collect::<Result<Vec<Event>, _>>() else { continue };
        let (mut edn, mut lines) = (EdnWriter::default(), LinesWriter::default());
        let mut text = Vec::new();
        for event in &events {
            edn.write(event, &mut text).expect("memory takes it");
            lines.write(event, &mut std::io::sink()).expect("nothing fails");
        }
        let Ok(Reading::Events(again)) = read(text.as_slice(), Some(Format::Edn)) else { panic!("it was written by us") };
        assert_eq!(again.map(|event| event.expect("it was written by us")).count(), events.len());
        let _ = transactions(Calls::new(events.into_iter().map(Ok)));
    }
    let _ = read(bytes, None);
});
