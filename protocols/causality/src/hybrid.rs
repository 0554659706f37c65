//! Hybrid logical clocks: timestamps that are close to the wall clock and never contradict causality (Kulkarni, Demirbas, Madappa,
//! Avva and Leone, "Logical physical clocks", OPODIS 2014).
//!
//! Paper → here: `pt` is the argument `now`, `l` is [`Timestamp::wall`], `c` is [`Timestamp::logical`], ε is
//! [`HybridClock::ahead_max`]. If one event happened before another, its timestamp is smaller; the converse does not hold, since the
//! order of timestamps is total. Two actors may give the same timestamp: whoever needs one winner compares the actor next.
//!
//! Departures from the paper: a timestamp too far ahead of the wall clock is refused (the paper says so in prose, and lists no
//! message for it), and a logical part that is full advances the wall part by one instead of running over.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::order::Order;
use crate::wire::{DecodeError, Reader};

/// No clock accepts a timestamp beyond this, the year 2262 in nanoseconds, so that nobody can drive it to the end of its range.
pub const WALL_MAX: u64 = 1 << 63;

/// A point of hybrid time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Timestamp {
    /// The greatest wall clock reading that was known, in the unit of the readings (here nanoseconds everywhere).
    pub wall: u64,
    /// Events since `wall` last grew.
    pub logical: u32,
}

impl Timestamp {
    /// How many bytes an encoding has.
    pub const BYTES: usize = 12;

    /// The least timestamp that is greater.
    ///
    /// # Panics
    /// At the last one, in the year 2554; clocks accept none beyond [`WALL_MAX`].
    #[must_use]
    pub const fn successor(self) -> Self {
        match self.logical.checked_add(1) {
            Some(logical) => Self { wall: self.wall, logical },
            None => Self { wall: self.wall.checked_add(1).expect("time goes on"), logical: 0 },
        }
    }

    /// How this lies to `other`: never [`Order::Concurrent`].
    pub fn compare(&self, other: &Self) -> Order {
        self.cmp(other).into()
    }

    /// Its encoding: wall and logical part, highest byte first, so that bytes sort as timestamps do.
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[..8].copy_from_slice(&self.wall.to_be_bytes());
        out[8..].copy_from_slice(&self.logical.to_be_bytes());
        out
    }

    /// The next timestamp of a reader. All values of all bytes are timestamps.
    ///
    /// # Errors
    /// When there are not enough bytes.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let bytes = reader.bytes(Self::BYTES)?;
        let (wall, logical) = bytes.split_at(8);
        Ok(Self {
            wall: u64::from_be_bytes(wall.try_into().expect("these are 8 bytes")),
            logical: u32::from_be_bytes(logical.try_into().expect("these are 4 bytes")),
        })
    }

    /// The timestamp that `bytes` are.
    ///
    /// # Errors
    /// When there are more or fewer bytes than [`BYTES`](Self::BYTES).
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let timestamp = Self::read(&mut reader)?;
        reader.end()?;
        Ok(timestamp)
    }
}

/// A timestamp that is further ahead of the wall clock than any honest clock is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooFarAhead {
    /// By how much, in nanoseconds.
    pub ahead: u64,
    /// What is allowed, in nanoseconds.
    pub ahead_max: u64,
}

impl fmt::Display for TooFarAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a timestamp is {} ns ahead of this clock, at most {} ns are allowed",
            self.ahead, self.ahead_max
        )
    }
}

impl std::error::Error for TooFarAhead {}

/// The clock of one actor.
///
/// ```
/// use isles_causality::hybrid::HybridClock;
/// let (mut sender, mut receiver) = (HybridClock::new(1_000), HybridClock::new(1_000));
/// let sent = sender.event(5_000);
/// // The receiver's wall clock is behind, and its timestamps still come after what it has received.
/// let received = receiver.join(4_800, sent).expect("it is only 200 ns ahead");
/// assert!(received > sent && receiver.event(4_900) > received);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct HybridClock {
    /// The last timestamp that was given or received.
    latest: Timestamp,
    /// How far a received timestamp may be ahead of the wall clock, in nanoseconds.
    ahead_max: u64,
}

impl HybridClock {
    /// A clock that refuses timestamps which are more than `ahead_max` nanoseconds ahead: the greatest offset between any two
    /// honest wall clocks, ε, and the granularity.
    pub const fn new(ahead_max: u64) -> Self {
        Self { latest: Timestamp { wall: 0, logical: 0 }, ahead_max }
    }

    /// How far a received timestamp may be ahead of the wall clock, in nanoseconds.
    pub const fn ahead_max(&self) -> u64 {
        self.ahead_max
    }

    /// The last timestamp that was given or received.
    pub const fn latest(&self) -> Timestamp {
        self.latest
    }

    /// The timestamp of an event, also of a sending, while the wall clock reads `now`: greater than all before, even if the wall
    /// clock stands still or goes back.
    pub fn event(&mut self, now: u64) -> Timestamp {
        self.latest = if now > self.latest.wall {
            Timestamp { wall: now, logical: 0 }
        } else {
            self.latest.successor()
        };
        self.latest
    }

    /// The timestamp of the reception of `received`: greater than it, and than all before here.
    ///
    /// # Errors
    /// When `received` is too far ahead; the clock stays as it was, so that one bad clock does not drag all others along.
    pub fn join(&mut self, now: u64, received: Timestamp) -> Result<Timestamp, TooFarAhead> {
        let ahead = received.wall.saturating_sub(now);
        if ahead > self.ahead_max || received.wall > WALL_MAX {
            return Err(TooFarAhead { ahead, ahead_max: self.ahead_max });
        }
        self.latest = self.latest.max(received);
        Ok(self.event(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kulkarni 2014, figure 6: `l` follows the greatest `pt`, `c` counts while `l` stays.
    #[test]
    fn the_parts_are_those_of_the_paper() {
        let mut clock = HybridClock::new(100);
        let stamp = |wall, logical| Timestamp { wall, logical };
        assert_eq!(clock.event(10), stamp(10, 0));
        assert_eq!(clock.event(10), stamp(10, 1));
        assert_eq!(clock.join(11, stamp(10, 5)), Ok(stamp(11, 0)));
        assert_eq!(clock.join(11, stamp(11, 5)), Ok(stamp(11, 6)));
        assert_eq!(clock.join(11, stamp(11, 2)), Ok(stamp(11, 7)));
        assert_eq!(clock.join(11, stamp(13, 2)), Ok(stamp(13, 3)));
        assert_eq!(clock.event(12), stamp(13, 4));
        assert_eq!(clock.event(14), stamp(14, 0));
    }

    #[test]
    fn a_timestamp_from_far_ahead_is_refused_and_leaves_no_trace() {
        let mut clock = HybridClock::new(100);
        let before = clock.event(10);
        let far = Timestamp { wall: 112, logical: 0 };
        assert_eq!(clock.join(11, far), Err(TooFarAhead { ahead: 101, ahead_max: 100 }));
        assert_eq!(clock.latest(), before);
        assert!(clock.join(12, far).is_ok());
    }

    #[test]
    fn a_full_logical_part_advances_the_wall_part() {
        let full = Timestamp { wall: 1, logical: u32::MAX };
        assert_eq!(full.successor(), Timestamp { wall: 2, logical: 0 });
        let mut clock = HybridClock::new(0);
        assert!(clock.join(1, full).is_ok_and(|stamp| stamp > full));
    }

    #[test]
    fn bytes_sort_as_timestamps_do() {
        let stamps = [(0, 0), (0, 256), (1, 0), (256, 3), (1 << 40, 0)]
            .map(|(wall, logical)| Timestamp { wall, logical });
        assert!(stamps.map(|stamp| stamp.encode()).is_sorted());
        for stamp in stamps {
            assert_eq!(Timestamp::decode(&stamp.encode()), Ok(stamp));
        }
        assert!(Timestamp::decode(&[0; 11]).is_err() && Timestamp::decode(&[0; 13]).is_err());
    }
}
