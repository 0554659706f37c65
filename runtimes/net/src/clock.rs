//! The machine's clocks, read here and nowhere else.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use isles_kernel::Time;

/// A process's local clock: Unix time, which never goes back.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last: u64,
}

impl Clock {
    /// Nanoseconds of Unix time. While the system's clock is set back, the last instant is told again.
    #[expect(clippy::disallowed_methods, reason = "this is where the machine's clock becomes the process's")]
    pub(crate) fn now(&mut self) -> Time {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
        self.last = self.last.max(nanos);
        Time(self.last)
    }
}

/// An instant of the clock by which spans are measured: it is not set by anybody.
#[expect(clippy::disallowed_methods, reason = "this is where timers of a process meet the machine's clock")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}
