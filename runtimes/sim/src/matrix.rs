//! Measured latencies between regions.

use std::sync::Arc;

use isles_kernel::{ProcessId, Span};

/// One-way latencies between regions, and which process is in which region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matrix {
    regions: u32,
    /// Row-major, `regions * regions` spans.
    spans: Arc<[Span]>,
    /// Processes take regions in turn from this pattern.
    pattern: Arc<[u16]>,
}

impl Matrix {
    /// A matrix of `regions * regions` one-way latencies, row by row, where process `p` is in region `p % regions`.
    ///
    /// None when there are no regions, more than 65 535, or not `regions * regions` spans.
    pub fn new(regions: u32, spans: Vec<Span>) -> Option<Self> {
        let pattern = (0..u16::try_from(regions).ok()?).collect();
        (regions > 0 && spans.len() as u64 == u64::from(regions).pow(2)).then(|| Self {
            regions,
            spans: spans.into(),
            pattern,
        })
    }

    /// The same latencies with process `p` in region `pattern[p % pattern.len()]`.
    ///
    /// None when the pattern is empty or names a region that is not there.
    pub fn with_pattern(self, pattern: Vec<u16>) -> Option<Self> {
        let fits = !pattern.is_empty() && pattern.iter().all(|region| u32::from(*region) < self.regions);
        fits.then(|| Self { pattern: pattern.into(), ..self })
    }

    /// How many regions there are.
    pub fn regions(&self) -> u32 {
        self.regions
    }

    /// The region of `process`.
    #[inline]
    pub fn region(&self, process: ProcessId) -> u32 {
        u32::from(self.pattern[process.index() % self.pattern.len()])
    }

    /// The one-way latency from one process to another.
    #[inline]
    pub fn latency(&self, from: ProcessId, to: ProcessId) -> Span {
        self.spans[(self.region(from) * self.regions + self.region(to)) as usize]
    }
}
