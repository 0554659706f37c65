//! What links do to messages: pure functions of the seed and the message's identity.

use hashbrown::HashMap;
use isles_kernel::{Channel, ProcessId, Span, random};
use rustc_hash::FxBuildHasher;

use crate::counters::Lost;
use crate::distribution::{Distribution, normal};
use crate::matrix::Matrix;

/// How long messages travel.
#[derive(Clone, PartialEq, Debug)]
pub enum Latency {
    /// The same law for every link.
    Law(Distribution),
    /// Measured latencies, each multiplied by a log-normal factor of median 1 and this sigma (0: none).
    Matrix {
        /// The latencies.
        matrix: Matrix,
        /// Standard deviation of the factor's natural logarithm.
        jitter: f64,
    },
}

impl Latency {
    /// Whether two messages over one link may take different times.
    fn is_random(&self) -> bool {
        match self {
            Self::Law(law) => !law.is_constant(),
            Self::Matrix { jitter, .. } => *jitter > 0.0,
        }
    }

    /// How long a message travels, if that is not random.
    fn without_chance(&self, from: ProcessId, to: ProcessId) -> Span {
        match self {
            Self::Law(Distribution::Constant(span)) => *span,
            Self::Law(_) => Span::ZERO,
            Self::Matrix { matrix, .. } => matrix.latency(from, to),
        }
    }
}

/// How a crash or a partition shows to the other end of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Detection {
    /// Every process that watches a peer sees the stream break one latency after the crash, as when an operating
    /// system closes the sockets of a process that died.
    #[default]
    Immediate,
    /// Nobody sees anything until something is sent, or the process starts again, as when a machine loses power.
    OnSend,
}

/// A sender's uplink.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bandwidth {
    /// Bytes per second.
    pub rate: u64,
    /// A datagram that would wait longer than this is dropped; a stream waits.
    pub queue: Span,
}

/// The behaviour of all links of a run. Probabilities are in `0.0..=1.0`.
#[derive(Clone, PartialEq, Debug)]
pub struct Links {
    /// How long messages travel.
    pub latency: Latency,
    /// Datagrams of a link never overtake each other, but for those that `reordering` holds back; what is sent over a
    /// stream never does in any case.
    pub fifo: bool,
    /// A transmission is lost: a datagram for good, a stream's segment until it is sent again.
    pub loss: f64,
    /// A datagram that arrives arrives twice.
    pub duplication: f64,
    /// A datagram is held back by `reordering_delay`, so that later ones overtake it.
    pub reordering: f64,
    /// How long a reordered datagram is held back at most; the span is drawn uniformly.
    pub reordering_delay: Span,
    /// Limits each sender's uplink; none: unlimited.
    pub bandwidth: Option<Bandwidth>,
    /// A stream sends a lost segment again after this span, then twice this, four times this and so on.
    pub retransmit: Span,
    /// A stream whose segments do not get through for so long breaks. Waiting for the sender's own uplink does not count.
    pub stream_timeout: Span,
    /// How a crash shows to the other end of a stream.
    pub detection: Detection,
}

impl Default for Links {
    fn default() -> Self {
        Self::constant(Span::millis(10))
    }
}

impl Links {
    /// Perfect links of one latency.
    pub fn constant(latency: Span) -> Self {
        Self::law(Distribution::Constant(latency))
    }

    /// Links whose latency follows one law and that are perfect otherwise.
    pub fn law(latency: Distribution) -> Self {
        Self {
            latency: Latency::Law(latency),
            fifo: false,
            loss: 0.0,
            duplication: 0.0,
            reordering: 0.0,
            reordering_delay: Span::millis(50),
            bandwidth: None,
            retransmit: Span::millis(200),
            stream_timeout: Span::secs(10),
            detection: Detection::Immediate,
        }
    }

    /// Why these links are impossible, if they are.
    pub(crate) fn flaw(&self) -> Option<String> {
        let probabilities =
            [("loss", self.loss), ("duplication", self.duplication), ("reordering", self.reordering)];
        for (name, value) in probabilities {
            if !(0.0..=1.0).contains(&value) {
                return Some(format!("{name} is {value}, a probability is in 0..=1"));
            }
        }
        if self.bandwidth.is_some_and(|bandwidth| bandwidth.rate == 0) {
            return Some("a bandwidth of 0 bytes per second lets nothing through".to_owned());
        }
        match &self.latency {
            Latency::Law(law) => law.flaw().map(|flaw| format!("latency: {flaw}")),
            Latency::Matrix { jitter, .. } => (!(jitter.is_finite() && *jitter >= 0.0))
                .then(|| "jitter must be finite and not negative".to_owned()),
        }
    }
}

/// What a draw is for, so that one message's draws are independent.
#[derive(Clone, Copy)]
enum Purpose {
    Latency = 1,
    Loss,
    Duplication,
    Reordering,
    Held,
    DuplicateLatency,
    Return,
}

/// What happens to one message.
pub(crate) enum Fate {
    /// It arrives then, and for a doubled datagram once more.
    Arrives {
        at: u64,
        again: Option<u64>,
    },
    Lost(Lost),
    /// The stream breaks: its segment was lost again and again until this instant.
    Breaks {
        at: u64,
    },
}

/// The links of a running simulation: [`Links`], and the little that must be remembered.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) links: Links,
    loss: u64,
    duplication: u64,
    reordering: u64,
    /// Kept only where a later message could arrive earlier.
    streams: Arrivals,
    /// Kept only with [`Links::fifo`].
    datagrams: Arrivals,
    /// A later segment could arrive earlier.
    streams_overtake: bool,
    /// When each sender's uplink is free; empty without a bandwidth.
    free: Vec<u64>,
    /// Laws without chance that held once, while nobody kept arrivals: what was sent under one must not be overtaken.
    former: Vec<Former>,
}

/// A law of latencies that no longer holds.
#[derive(Clone)]
struct Former {
    /// When it ended.
    until: u64,
    /// When each sender's uplink was free then; empty without a bandwidth.
    free: Vec<u64>,
    latency: Latency,
}

/// When the last message on each link arrives; kept only while it is in flight.
#[derive(Clone)]
struct Arrivals {
    last: HashMap<(u32, u32), u64, FxBuildHasher>,
    /// Links that have nothing in flight are forgotten when there are so many.
    links_max: usize,
}

impl Arrivals {
    fn new() -> Self {
        Self { last: HashMap::default(), links_max: 1024 }
    }

    /// When a message arrives that would arrive at `at` and must not overtake the link's previous one.
    fn in_order(&mut self, now: u64, from: ProcessId, to: ProcessId, at: u64) -> u64 {
        if self.last.len() >= self.links_max {
            self.last.retain(|_, last| *last > now);
            self.links_max = (self.last.len() * 2).max(1024);
        }
        let last = self.last.entry((from.0, to.0)).or_insert(0);
        *last = at.max(*last);
        *last
    }
}

/// A probability as a threshold for 32 uniform bits.
fn threshold(probability: f64) -> u64 {
    (probability * (1u64 << 32) as f64) as u64
}

impl Wire {
    pub(crate) fn new(links: Links, processes: u32) -> Self {
        Self {
            loss: threshold(links.loss),
            duplication: threshold(links.duplication),
            reordering: threshold(links.reordering),
            streams: Arrivals::new(),
            datagrams: Arrivals::new(),
            streams_overtake: links.latency.is_random() || links.loss > 0.0,
            former: Vec::new(),
            free: if links.bandwidth.is_some() { vec![0; processes as usize] } else { Vec::new() },
            links,
        }
    }

    /// Changes how long messages travel that are sent from now on. Streams keep their order.
    pub(crate) fn set_latency(&mut self, now: u64, latency: Latency) {
        let former = std::mem::replace(&mut self.links.latency, latency);
        if !self.streams_overtake {
            self.former.push(Former { until: now, free: self.free.clone(), latency: former });
        }
        self.streams_overtake |= self.links.latency.is_random();
    }

    /// Changes the loss from now on, to a probability or the nearest one; to none if it is no number.
    pub(crate) fn set_loss(&mut self, loss: f64) {
        self.links.loss = if loss.is_nan() { 0.0 } else { loss.clamp(0.0, 1.0) };
        self.loss = threshold(self.links.loss);
        self.streams_overtake |= self.links.loss > 0.0;
    }

    /// The span that `identity` draws for the link's latency.
    #[inline]
    fn latency(&self, identity: u64, purpose: Purpose, from: ProcessId, to: ProcessId) -> u64 {
        let drawn = match &self.links.latency {
            Latency::Law(Distribution::Constant(span)) => *span,
            Latency::Law(law) => law.sample(random::mix(identity, purpose as u64)),
            Latency::Matrix { matrix, jitter } => {
                let span = matrix.latency(from, to);
                if *jitter == 0.0 {
                    span
                } else {
                    let factor = libm::exp(jitter * normal(random::mix(identity, purpose as u64)));
                    Span((span.0 as f64 * factor) as u64)
                }
            }
        };
        // Nothing arrives at the instant of sending: that would make an instant without end possible.
        drawn.0.max(1)
    }

    /// When the last message arrives that may have been sent over this link before latencies changed.
    fn before_change(&self, from: ProcessId, to: ProcessId) -> u64 {
        let last = |former: &Former| {
            let sent = former.free.get(from.index()).copied().unwrap_or(0).max(former.until);
            sent.saturating_add(former.latency.without_chance(from, to).0.max(1))
        };
        self.former.iter().map(last).max().unwrap_or(0)
    }

    /// How long news of a broken stream takes from `from` to `to`. It does not overtake what `from` sent before.
    pub(crate) fn news(&mut self, seed: u64, now: u64, from: ProcessId, to: ProcessId) -> u64 {
        let identity = random::draw(seed, &[u64::from(from.0) << 32 | u64::from(to.0), now]);
        let at = now.saturating_add(self.latency(identity, Purpose::Return, from, to));
        let at = at.max(self.before_change(from, to));
        if self.streams_overtake { self.streams.in_order(now, from, to, at) - now } else { at - now }
    }

    /// What happens to the message `identity` of `bytes` bytes, sent now.
    pub(crate) fn send(
        &mut self,
        now: u64,
        identity: u64,
        (from, to): (ProcessId, ProcessId),
        channel: Channel,
        bytes: u32,
    ) -> Fate {
        let happens = |threshold: u64, purpose: Purpose| {
            threshold > 0 && random::mix(identity, purpose as u64) >> 32 < threshold
        };
        let mut depart = now;
        if let Some(bandwidth) = self.links.bandwidth {
            let free = &mut self.free[from.index()];
            let begin = now.max(*free);
            if channel == Channel::Datagram && begin - now > bandwidth.queue.0 {
                return Fate::Lost(Lost::Queue);
            }
            let nanos = (u128::from(bytes) * 1_000_000_000).div_ceil(u128::from(bandwidth.rate));
            depart = begin.saturating_add(u64::try_from(nanos).unwrap_or(u64::MAX));
            *free = depart;
        }
        let mut at = depart.saturating_add(self.latency(identity, Purpose::Latency, from, to));
        match channel {
            Channel::Datagram => {
                if happens(self.loss, Purpose::Loss) {
                    return Fate::Lost(Lost::Link);
                }
                if happens(self.reordering, Purpose::Reordering) {
                    let held = random::unit(random::mix(identity, Purpose::Held as u64));
                    at = at.saturating_add((held * self.links.reordering_delay.0 as f64) as u64);
                } else if self.links.fifo {
                    at = self.datagrams.in_order(now, from, to, at);
                }
                let again = happens(self.duplication, Purpose::Duplication).then(|| {
                    let again = self.latency(identity, Purpose::DuplicateLatency, from, to);
                    let again = depart.saturating_add(again);
                    if self.links.fifo { self.datagrams.in_order(now, from, to, again) } else { again }
                });
                Fate::Arrives { at, again }
            }
            Channel::Stream => {
                let timeout = self.links.stream_timeout.0.max(1);
                let waited = self.retransmissions(identity, timeout);
                if waited >= timeout {
                    return Fate::Breaks { at: depart.saturating_add(timeout) };
                }
                at = at.saturating_add(waited);
                at = at.max(self.before_change(from, to));
                if self.streams_overtake {
                    at = self.streams.in_order(now, from, to, at);
                }
                Fate::Arrives { at, again: None }
            }
        }
    }

    /// How long a stream's segment is delayed by being lost and sent again, each time after twice as long; `timeout` or
    /// more if it does not get through before.
    fn retransmissions(&self, identity: u64, timeout: u64) -> u64 {
        let (mut waited, mut pause) = (0u64, self.links.retransmit.0.max(1));
        let mut attempt = 0;
        while self.loss > 0
            && waited < timeout
            && random::draw(identity, &[Purpose::Loss as u64, attempt]) >> 32 < self.loss
        {
            waited = waited.saturating_add(pause);
            pause = pause.saturating_mul(2);
            attempt += 1;
        }
        waited
    }
}

/// Counts the messages of each link at one instant of one sender.
///
/// A message's identity is its link, the instant of sending and its number there: unique, and without a table of
/// links that would outlive the instant.
#[derive(Clone)]
pub(crate) struct Ordinals {
    /// Open addressing: receiver, stamp of the instant, count.
    slots: Vec<(u32, u32, u32)>,
    stamp: u32,
    used: usize,
}

impl Ordinals {
    pub(crate) fn new() -> Self {
        Self { slots: vec![(0, 0, 0); 16], stamp: 1, used: 0 }
    }

    /// Another instant, or another sender.
    #[inline]
    pub(crate) fn reset(&mut self) {
        if self.used == 0 {
            return;
        }
        self.used = 0;
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.slots.fill((0, 0, 0));
            self.stamp = 1;
        }
    }

    /// How many messages went to `to` before at this instant.
    #[inline]
    pub(crate) fn next(&mut self, to: u32) -> u32 {
        if self.used * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut index = (to.wrapping_mul(0x9e37_79b9) >> 8) as usize & mask;
        loop {
            let slot = &mut self.slots[index];
            if slot.1 != self.stamp {
                *slot = (to, self.stamp, 1);
                self.used += 1;
                return 0;
            }
            if slot.0 == to {
                slot.2 += 1;
                return slot.2 - 1;
            }
            index = (index + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![(0, 0, 0); self.slots.len() * 4];
        let old = std::mem::replace(&mut self.slots, larger);
        let mask = self.slots.len() - 1;
        for slot in old.into_iter().filter(|slot| slot.1 == self.stamp) {
            let mut index = (slot.0.wrapping_mul(0x9e37_79b9) >> 8) as usize & mask;
            while self.slots[index].1 == self.stamp {
                index = (index + 1) & mask;
            }
            self.slots[index] = slot;
        }
    }
}
