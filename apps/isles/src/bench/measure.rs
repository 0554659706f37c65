//! What is measured with: the processor's time, and the memory that the operating system gave.

pub(super) use isles_explorations::clock::cpu_seconds;

/// How long a measurement may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effort {
    /// A fraction of a second each: for a look, and to find out that nothing broke.
    Quick,
    /// Some seconds each: for figures that are compared.
    Full,
}

/// CPU seconds that `work` takes, and what it returns.
pub(super) fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begin = cpu_seconds();
    let result = work();
    (cpu_seconds() - begin, result)
}

/// Units per CPU second of a `step` that does some and says how many: the median of five slices of time, which
/// one disturbance does not move.
pub(super) fn rate(effort: Effort, mut step: impl FnMut() -> u64) -> f64 {
    let slice = if effort == Effort::Quick { 0.04 } else { 0.5 };
    median(&mut [(); 5].map(|()| {
        let (begin, mut units) = (cpu_seconds(), 0);
        loop {
            units += step();
            let seconds = cpu_seconds() - begin;
            if seconds >= slice {
                return units as f64 / seconds;
            }
        }
    }))
}

/// The middle one.
pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// By how many bytes the memory of this program grew at most while `work` ran, and what that returned; none where the
/// system does not tell (it is Linux that does).
///
/// Memory that an earlier measurement gave back to the allocator, and the allocator not to the system, would be
/// used again unseen: the groups measure memory first.
pub(super) fn memory_growth<T>(work: impl FnOnce() -> T) -> Option<(f64, T)> {
    // Writing 5 resets the high-water mark (proc(5)); where that is refused the mark is the program's highest so
    // far, and no figure is better than a wrong one.
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    let before = status_bytes("VmRSS:")?;
    let result = work();
    let peak = status_bytes("VmHWM:")?;
    Some((peak - before, result))
}

fn status_bytes(field: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_one_disturbance() {
        assert_eq!(median(&mut [5.0, 1.0, 1e9, 4.0, 3.0]), 4.0);
    }

    #[test]
    fn work_takes_processor_time() {
        let (seconds, sum) = timed(|| (0..50_000_000u64).fold(0, |sum, n| std::hint::black_box(sum + n)));
        assert!(sum > 0 && seconds > 0.0);
    }

    #[test]
    #[cfg(unix)]
    fn sleeping_takes_none() {
        let (seconds, ()) = timed(|| std::thread::sleep(std::time::Duration::from_millis(100)));
        assert!(seconds < 0.05, "{seconds}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_is_seen_once_it_is_touched() {
        let (growth, _) = memory_growth(|| vec![1u8; 64 << 20]).expect("Linux tells");
        assert!((60e6..80e6).contains(&growth), "{growth}");
        let (growth, ()) = memory_growth(|| ()).expect("Linux tells");
        assert!(growth < 8e6, "{growth}");
    }
}
