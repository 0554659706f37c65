//! How many nodes there are, how many hold a key, and how long things may take.

use std::fmt;

use isles_kernel::{Payload, ProcessId, Span, random};

use super::message::hash;

/// Keys that begin alike, and how they are replicated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keyspace {
    /// How its keys begin. A key belongs to the keyspace with the longest prefix that it has; the empty one takes all others.
    pub prefix: Payload,
    /// How many replicas each key has (the paper's votes, one for each): 1 to the number of nodes.
    pub n: u32,
    /// How many of them a read takes.
    pub r: u32,
    /// How many of them a write takes.
    pub w: u32,
}

impl Keyspace {
    /// All keys, with so many replicas and these quorums.
    pub fn all(n: u32, r: u32, w: u32) -> Self {
        Self { prefix: Payload::default(), n, r, w }
    }
}

/// A mistake that was really made with such stores, for the museum.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mistake {
    /// A prepared participant that hears nothing aborts by itself.
    DecidesAlone,
    /// Participants give locks back when they vote, before anything is decided.
    ReleasesEarly,
    /// The coordinator forgets a committed transaction before all who may be prepared have acknowledged it.
    ForgetsEarly,
    /// A participant votes yes without asking whether it still holds the lock.
    VotesWithoutLock,
    /// A replica answers a read of a key that a prepared transaction is about to write.
    ReadsPrepared,
    /// Nobody is wounded: transactions wait for each other in a circle until their time is up.
    NeverWounds,
    /// A replica answers a read of a key that a transaction of many keys has locked and is not yet prepared to write: its other keys may
    /// have been seen as they were before it.
    ReadsLocked,
    /// A replica forgets a deleted key, and its version, at once.
    ForgetsDeleted,
}

/// What all nodes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many nodes there are: the processes `0..nodes`.
    nodes: u32,
    /// Invariant: the longest prefix first, the empty one last.
    keyspaces: Vec<Keyspace>,
    /// How long an operation may take until it is refused. A guess: 2 s.
    pub patience: Span,
    /// How long a lock is kept for a coordinator that does not ask to prepare. Default: the patience.
    pub lease: Span,
    /// After what time a decision is told again to who has not acknowledged it. A guess: 500 ms.
    pub resend: Span,
    /// After what time a prepared participant asks for the decision, and asks again. A guess: 500 ms.
    pub ask: Span,
    /// How long a transaction that failed waits at most before it tries again, for each time that it failed. A guess: 5 ms.
    pub pause: Span,
    /// Into how many steps the pause is divided, one of which is drawn: at least 1. A guess: 16.
    pub pauses: u32,
    /// How often an operation is tried at most: 1 to 64. A guess: 32.
    pub attempts_max: u32,
    /// Operations under way at one node at most, those included that are decided and not yet acknowledged by all. A guess: 65 536.
    pub active_max: usize,
    /// Transactions and reads that may wait for one key at one node. A guess: 1024.
    pub queue_max: usize,
    /// Commands, and keys, of one transaction at most. A guess: 4096.
    pub commands_max: usize,
    /// Bytes of a key or a value at most. A guess: 8 MiB, half of what a message may have.
    pub bytes_max: usize,
    /// How many decisions a participant remembers for others that ask. A guess: 1024.
    pub remembered_max: usize,
    /// How often a node looks for deleted and expired keys to be forgotten; [`Span::ZERO`] for never. A guess: 1 s.
    pub sweep: Span,
    /// Deleted or expired keys looked at in one sweep. A guess: 1024.
    pub sweep_max: usize,
    /// In the hashes of keys: something that clients do not know, so that they cannot choose keys that crowd at one place. The same at
    /// all nodes and for ever, since it decides where keys are. Default: 0, which everybody knows.
    pub seed: u64,
    /// For the museum.
    pub mistake: Option<Mistake>,
}

impl Config {
    /// So many nodes, with these keyspaces, and the defaults above.
    ///
    /// ```
    /// use isles_quorum::store::{Config, Keyspace};
    /// assert!(Config::new(3, vec![Keyspace::all(3, 2, 2)]).is_ok());
    /// let error = Config::new(3, vec![Keyspace::all(3, 1, 2)]).expect_err("quorums must meet");
    /// assert_eq!(error.to_string(), "keyspace \"\": r + w must be more than n, and 1 + 2 is not more than 3");
    /// ```
    ///
    /// # Errors
    /// When quorums need not meet, or there are too few nodes, or a key could belong to no keyspace or to two.
    pub fn new(nodes: u32, keyspaces: Vec<Keyspace>) -> Result<Self, ConfigError> {
        let mut keyspaces = keyspaces;
        keyspaces.sort_by(|a, b| {
            b.prefix.bytes().len().cmp(&a.prefix.bytes().len()).then(a.prefix.cmp(&b.prefix))
        });
        let config = Self {
            nodes,
            keyspaces,
            patience: Span::secs(2),
            lease: Span::secs(2),
            resend: Span::millis(500),
            ask: Span::millis(500),
            pause: Span::millis(5),
            pauses: 16,
            attempts_max: 32,
            active_max: 1 << 16,
            queue_max: 1024,
            commands_max: 4096,
            bytes_max: 8 << 20,
            remembered_max: 1024,
            sweep: Span::secs(1),
            sweep_max: 1024,
            seed: 0,
            mistake: None,
        };
        config.validate()?;
        Ok(config)
    }

    /// Checks what was changed after [`new`](Self::new).
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let error = |why: String| Err(ConfigError(why));
        if self.nodes == 0 {
            return error("there must be at least one node".to_owned());
        }
        for keyspace in &self.keyspaces {
            let Keyspace { prefix, n, r, w } = keyspace;
            let flaw = if !(1..=self.nodes).contains(n) {
                format!("n must be 1 to {}, the number of nodes, and is {n}", self.nodes)
            } else if !(1..=*n).contains(r) || !(1..=*n).contains(w) {
                format!("r and w must be 1 to n = {n}, and are {r} and {w}")
            } else if r + w <= *n {
                format!("r + w must be more than n, and {r} + {w} is not more than {n}")
            } else if 2 * w <= *n {
                format!("2 w must be more than n, and 2 * {w} is not more than {n}")
            } else {
                continue;
            };
            return error(format!("keyspace {prefix:?}: {flaw}"));
        }
        if let Some(pair) = self.keyspaces.windows(2).find(|pair| pair[0].prefix == pair[1].prefix) {
            return error(format!("keyspace {:?} is there twice", pair[0].prefix));
        }
        if self.keyspaces.last().is_none_or(|last| !last.prefix.bytes().is_empty()) {
            return error("no keyspace takes all other keys: give one the empty prefix".to_owned());
        }
        let spans = [
            ("patience", self.patience),
            ("lease", self.lease),
            ("resend", self.resend),
            ("ask", self.ask),
            ("pause", self.pause),
        ];
        if let Some((name, _)) = spans.iter().find(|(_, span)| *span == Span::ZERO) {
            return error(format!("{name} must be more than zero"));
        }
        if self.pauses == 0 || !(1..=ATTEMPTS_MAX).contains(&self.attempts_max) {
            return error(format!("pauses must be at least 1, and attempts_max 1 to {ATTEMPTS_MAX}"));
        }
        let counts = [
            ("active_max", self.active_max),
            ("queue_max", self.queue_max),
            ("commands_max", self.commands_max),
            ("bytes_max", self.bytes_max),
        ];
        match counts.iter().find(|(_, count)| *count == 0) {
            Some((name, _)) => error(format!("{name} must be at least 1")),
            None => Ok(()),
        }
    }

    /// How many nodes there are.
    pub const fn nodes(&self) -> u32 {
        self.nodes
    }

    /// The keyspaces, the longest prefixes first.
    pub fn keyspaces(&self) -> &[Keyspace] {
        &self.keyspaces
    }

    /// The keyspace of a key.
    pub fn keyspace(&self, key: &Payload) -> &Keyspace {
        let last = self.keyspaces.len() - 1;
        let special =
            self.keyspaces[..last].iter().find(|space| key.bytes().starts_with(space.prefix.bytes()));
        special.unwrap_or(&self.keyspaces[last])
    }

    /// The nodes that hold a key, in the order of their scores: the first sweeps it (Thaler and Ravishankar 1998: each node draws a
    /// score for each key, and those with the highest have it).
    pub fn replicas(&self, key: &Payload) -> Vec<ProcessId> {
        self.replicas_of(hash(self.seed, key), self.keyspace(key).n)
    }

    pub(super) fn replicas_of(&self, hash: u64, n: u32) -> Vec<ProcessId> {
        let mut nodes: Vec<(u64, u32)> =
            (0..self.nodes).map(|node| (random::mix(hash, u64::from(node)), node)).collect();
        nodes.sort_unstable_by(|a, b| b.cmp(a));
        nodes.truncate(n as usize);
        nodes.into_iter().map(|(_, node)| ProcessId(node)).collect()
    }

    /// Whether a node holds a key.
    pub(super) fn holds(&self, node: ProcessId, key: &Payload) -> bool {
        let n = self.keyspace(key).n;
        if n == self.nodes {
            return true;
        }
        let hash = hash(self.seed, key);
        let score = |node: u32| (random::mix(hash, u64::from(node)), node);
        let mine = score(node.0);
        (0..self.nodes).filter(|other| score(*other) > mine).count() < n as usize
    }

    /// How many nodes must answer a scan, so that a read quorum of every key is among them.
    pub(super) fn scanned(&self) -> usize {
        let spare = self.keyspaces.iter().map(|space| space.n - space.r).min().unwrap_or(0);
        (self.nodes - spare) as usize
    }

    pub(super) fn errs(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }
}

/// Attempts are numbered in so many bits of a transaction's number.
pub(super) const ATTEMPT_BITS: u32 = 6;
const ATTEMPTS_MAX: u32 = 1 << ATTEMPT_BITS;

/// Why a configuration is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
