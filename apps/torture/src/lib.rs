//! x
pub mod hosts;
pub mod switch;

/// Says something to whoever watches.
#[expect(clippy::print_stderr, reason = "a campaign tells how it goes")]
pub fn say(line: &str) {
    eprintln!("{line}");
}
