//! Clients: each asks one node after another, and everything that it asks and is told goes into one history.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use isles_history::{Actor, Event, Kind, Value};
use isles_kernel::random::Stream;
use redis::{Connection, ConnectionLike, RedisError, RedisResult, Value as Answer};

/// Keys of each kind: few, so that clients get into each other's way.
pub const KEYS: u32 = 5;
/// After so many appends a list is left for a new one, so that reads stay short.
const LIST_MAX: u64 = 200;
/// Nodes give an operation up earlier by themselves.
const PATIENCE: Duration = Duration::from_secs(12);

/// What all clients share.
pub struct Shared {
    /// Where nodes serve clients.
    pub addresses: Vec<String>,
    /// Reads and writes of single keys, with keys apart.
    pub registers: Mutex<Vec<Event>>,
    /// Transactions that append to lists and read them.
    pub lists: Mutex<Vec<Event>>,
    /// Clients end.
    pub stop: AtomicBool,
    /// Operations that were answered.
    pub answered: AtomicU64,
    /// What nodes should not have said.
    pub complaints: Mutex<Vec<String>>,
    values: AtomicU64,
    names: AtomicU64,
}

fn push(history: &Mutex<Vec<Event>>, event: Event) {
    history.lock().unwrap_or_else(PoisonError::into_inner).push(event);
}

impl Shared {
    /// For a cluster that serves clients there.
    pub fn new(addresses: Vec<String>) -> Self {
        Self {
            addresses,
            registers: Mutex::default(),
            lists: Mutex::default(),
            stop: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            complaints: Mutex::default(),
            values: AtomicU64::new(1),
            names: AtomicU64::new(0),
        }
    }

    fn complain(&self, what: String) {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }
}

/// One client.
pub struct Client {
    shared: Arc<Shared>,
    draws: Stream,
    connection: Option<Connection>,
    /// Its name in the history: another one after an operation whose outcome is not known.
    name: u64,
}

/// How an operation ended.
fn outcome(error: &RedisError) -> Kind {
    match error.code() {
        // The node knows that nothing was done.
        Some("TRYAGAIN") => Kind::Fail,
        _ => Kind::Info,
    }
}

impl Client {
    /// A client whose draws follow from `seed`.
    pub fn new(shared: Arc<Shared>, seed: u64) -> Self {
        let name = shared.names.fetch_add(1, Ordering::Relaxed);
        Self { shared, draws: Stream::new(seed, &[0x636c_6965_6e74]), connection: None, name }
    }

    /// Works until all clients shall stop.
    pub fn run(mut self) {
        while !self.shared.stop.load(Ordering::Relaxed) {
            let node = self.draws.below(self.shared.addresses.len() as u32) as usize;
            // Now and then another node, also where nothing has failed.
            if self.draws.below(50) == 0 {
                self.connection = None;
            }
            if !self.connect(node) {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            if self.draws.below(2) == 0 { self.register() } else { self.transaction() }
        }
    }

    /// Reads every key at one node, once all is well again. False if one could not be read.
    pub fn read_all(&mut self, node: usize) -> bool {
        self.connection = None;
        if !self.connect(node) {
            return false;
        }
        let lists = self.shared.values.load(Ordering::Relaxed) / LIST_MAX;
        let registers: Vec<String> = (0..KEYS).map(|key| format!("r{key}")).collect();
        let lists: Vec<String> =
            (0..=lists).flat_map(|row| (0..KEYS).map(move |key| format!("l{row}-{key}"))).collect();
        registers.iter().all(|key| self.get(key))
            && lists.iter().all(|key| self.append_and_read(&[], std::slice::from_ref(key)))
    }

    fn connect(&mut self, node: usize) -> bool {
        if self.connection.is_none() {
            let made = || -> RedisResult<Connection> {
                let client = redis::Client::open(format!("redis://{}", self.shared.addresses[node]))?;
                let connection = client.get_connection_with_timeout(Duration::from_secs(1))?;
                connection.set_read_timeout(Some(PATIENCE))?;
                connection.set_write_timeout(Some(PATIENCE))?;
                Ok(connection)
            };
            self.connection = made().ok();
        }
        self.connection.is_some()
    }

    /// Asks, and records what was asked and how it ended; `told` makes what goes into the history from an answer. True if it was answered.
    fn ask(
        &mut self,
        history: fn(&Shared) -> &Mutex<Vec<Event>>,
        (function, asked): (&str, Value),
        pipe: &redis::Pipeline,
        told: impl FnOnce(Vec<Answer>) -> Option<Value>,
    ) -> bool {
        let shared = Arc::clone(&self.shared);
        let entry = |name: u64, kind: Kind, value: Value| Event {
            line: 0,
            time: None,
            uncertainty: 0,
            actor: Actor::Client(name),
            id: None,
            kind,
            function: function.into(),
            key: None,
            value,
        };
        push(history(&shared), entry(self.name, Kind::Invoke, asked.clone()));
        let Some(connection) = &mut self.connection else { return false };
        let answer: RedisResult<Vec<Answer>> = pipe.query(connection);
        let (kind, value) = match answer.map(told) {
            Ok(Some(value)) => (Kind::Ok, value),
            Ok(None) => {
                shared.complain(format!("an answer to {function} {asked} that was not expected"));
                (Kind::Info, asked)
            }
            Err(error) => {
                if error.code().is_some_and(|code| !["TRYAGAIN", "UNKNOWN"].contains(&code)) {
                    shared.complain(format!("{function} {asked}: {error}"));
                }
                if !connection.is_open() || error.is_io_error() || error.is_timeout() {
                    self.connection = None;
                }
                (outcome(&error), asked)
            }
        };
        push(history(&shared), entry(self.name, kind, value));
        if kind == Kind::Info {
            self.name = shared.names.fetch_add(1, Ordering::Relaxed);
        } else if kind == Kind::Ok {
            shared.answered.fetch_add(1, Ordering::Relaxed);
        }
        kind == Kind::Ok
    }

    fn value(&self) -> u64 {
        self.shared.values.fetch_add(1, Ordering::Relaxed)
    }

    /// Reads or writes one key.
    fn register(&mut self) {
        let key = format!("r{}", self.draws.below(KEYS));
        if self.draws.below(2) == 0 {
            self.get(&key);
            return;
        }
        let value = self.value();
        let mut pipe = redis::pipe();
        pipe.cmd("SET").arg(&key).arg(value);
        let asked = Value::List(vec![Value::Text(key.as_str().into()), Value::Int(value as i64)]);
        self.ask(
            |shared| &shared.registers,
            ("write", asked.clone()),
            &pipe,
            |answers| matches!(&answers[..], [Answer::Okay]).then_some(asked),
        );
    }

    fn get(&mut self, key: &str) -> bool {
        let mut pipe = redis::pipe();
        pipe.cmd("GET").arg(key);
        let pair = |value: Value| Value::List(vec![Value::Text(key.into()), value]);
        self.ask(
            |shared| &shared.registers,
            ("read", pair(Value::Nil)),
            &pipe,
            |answers| match &answers[..] {
                [Answer::Nil] => Some(pair(Value::Nil)),
                [Answer::BulkString(bytes)] => {
                    Some(pair(Value::Int(std::str::from_utf8(bytes).ok()?.parse().ok()?)))
                }
                _ => None,
            },
        )
    }

    /// Appends to some lists and reads some, at one moment.
    fn transaction(&mut self) {
        let row = self.shared.values.load(Ordering::Relaxed) / LIST_MAX;
        let mut key = || format!("l{row}-{}", self.draws.below(KEYS));
        let (first, second, third) = (key(), key(), key());
        match self.draws.below(4) {
            0 => self.append_and_read(&[first], &[]),
            1 => self.append_and_read(&[], &[first]),
            2 if first != second => self.append_and_read(&[first, second], &[third]),
            _ => self.append_and_read(&[first], &[second, third]),
        };
    }

    fn append_and_read(&mut self, appends: &[String], reads: &[String]) -> bool {
        let mut pipe = redis::pipe();
        if appends.len() + reads.len() > 1 {
            pipe.atomic();
        }
        let word = |word: &str| Value::Keyword(word.into());
        let text = |text: &str| Value::Text(text.into());
        let (mut asked, mut keys) = (Vec::new(), Vec::new());
        for key in appends {
            let value = self.value();
            pipe.cmd("APPEND").arg(key).arg(format!("{value},"));
            asked.push(Value::List(vec![word("append"), text(key), Value::Int(value as i64)]));
        }
        for key in reads {
            pipe.cmd("GET").arg(key);
            asked.push(Value::List(vec![word("r"), text(key), Value::Nil]));
            keys.push(key);
        }
        let steps = asked.clone();
        self.ask(
            |shared| &shared.lists,
            ("txn", Value::List(asked)),
            &pipe,
            |answers| {
                let mut told = steps;
                if answers.len() != told.len() {
                    return None;
                }
                let appended = told.len() - keys.len();
                for (step, (answer, key)) in
                    told[appended..].iter_mut().zip(answers[appended..].iter().zip(keys))
                {
                    *step = Value::List(vec![
                        Value::Keyword("r".into()),
                        Value::Text(key.as_str().into()),
                        list(answer)?,
                    ]);
                }
                Some(Value::List(told))
            },
        )
    }
}

/// The numbers of a list: each was appended with a comma after it.
fn list(answer: &Answer) -> Option<Value> {
    if *answer == Answer::Nil {
        return Some(Value::List(Vec::new()));
    }
    let Answer::BulkString(bytes) = answer else { return None };
    let text = std::str::from_utf8(bytes).ok()?;
    let numbers = text.strip_suffix(',')?.split(',').map(|number| Some(Value::Int(number.parse().ok()?)));
    Some(Value::List(numbers.collect::<Option<_>>()?))
}
