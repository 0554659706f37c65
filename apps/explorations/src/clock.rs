//! The processor's time: what searches are compared by on a machine that does something else, too.

/// CPU seconds, user and system, that this thread has used so far. Unlike the wall clock it stands still while other
/// programs have the core.
#[cfg(unix)]
pub fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Seconds of the wall clock: this system tells a thread's own time in no portable way.
#[cfg(not(unix))]
#[expect(clippy::disallowed_methods, reason = "searches are bounded by the machine's clock")]
pub fn cpu_seconds() -> f64 {
    static BEGIN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    BEGIN.elapsed().as_secs_f64()
}
