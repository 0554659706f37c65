//! A store in one map, to test what is in front of the real one. Keys decide its moods: `refused:…` is refused, `unknown:…` has an
//! unknown outcome, `never:…` is never answered, and `slow:…` is answered later than what came after it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::rc::Rc;

use isles_kernel::{OpId, Payload, Time};
use isles_node::{Backend, Switchboard};
use isles_quorum::store::{Answer, Command, Condition, Entry, Expiry, Op, Reply, Version};

/// What a key holds, and its version.
type Held = (Option<Entry>, Version);

#[derive(Default)]
pub(crate) struct Toy {
    switchboard: Rc<Switchboard>,
    entries: RefCell<BTreeMap<Vec<u8>, Held>>,
    next: Cell<u64>,
    clock: Cell<u64>,
    held: RefCell<Vec<(OpId, Op)>>,
}

impl Toy {
    pub(crate) fn new(switchboard: Rc<Switchboard>) -> Rc<Self> {
        let toy = Self { switchboard, ..Self::default() };
        toy.clock.set(1_700_000_000_000_000_000);
        Rc::new(toy)
    }

    pub(crate) fn advance(&self, nanos: u64) {
        self.clock.set(self.clock.get() + nanos);
    }

    /// Answers what was held back, the last first.
    pub(crate) fn release(&self) {
        while let Some((id, op)) = { self.held.borrow_mut().pop() } {
            let reply = self.answer(op);
            self.switchboard.deliver(id, reply);
        }
    }

    pub(crate) fn held(&self) -> usize {
        self.held.borrow().len()
    }

    fn answer(&self, op: Op) -> Reply {
        match op {
            Op::One(command) => Reply::One(self.apply(&command)),
            Op::All { commands, unchanged } => {
                let version = |key: &Payload| self.look(key).1;
                if unchanged.iter().any(|(key, old)| version(key) != *old) {
                    return Reply::Changed;
                }
                Reply::All(commands.iter().map(|command| self.apply(command)).collect())
            }
            Op::Scan { cursor, count } => self.page(cursor, count),
        }
    }

    /// Cursors are the first eight bytes of the last key, which is good enough for short keys.
    fn page(&self, cursor: u64, count: u32) -> Reply {
        let entries = self.entries.borrow();
        let place = |key: &[u8]| {
            let mut bytes = [0; 8];
            for (to, from) in bytes.iter_mut().zip(key) {
                *to = *from;
            }
            u64::from_be_bytes(bytes)
        };
        let mut keys = Vec::new();
        let mut last = 0;
        for (key, (entry, _)) in entries.range::<[u8], _>((Bound::Unbounded, Bound::Unbounded)) {
            if place(key) <= cursor && cursor > 0 || !self.is_there(entry.as_ref()) {
                continue;
            }
            if keys.len() >= count as usize && place(key) != last {
                return Reply::Page { cursor: last, keys };
            }
            last = place(key);
            keys.push(key.as_slice().into());
        }
        Reply::Page { cursor: 0, keys }
    }

    fn is_there(&self, entry: Option<&Entry>) -> bool {
        entry.is_some_and(|entry| entry.expires.is_none_or(|at| at.0 > self.clock.get()))
    }

    fn look(&self, key: &Payload) -> (Option<Entry>, Version) {
        let found = self.entries.borrow().get(key.bytes()).cloned();
        let (entry, version) = found.unwrap_or_default();
        (entry.filter(|entry| self.is_there(Some(entry))), version)
    }

    fn put(&self, key: &Payload, entry: Option<Entry>) {
        self.next.set(self.next.get() + 1);
        self.entries.borrow_mut().insert(key.bytes().to_vec(), (entry, Version(self.next.get())));
    }

    fn apply(&self, command: &Command) -> Answer {
        let (old, version) = self.look(command.key());
        let text = |entry: &Entry| std::str::from_utf8(entry.value.bytes()).ok()?.parse::<i64>().ok();
        match command {
            Command::Get { .. } => Answer::Entry(old, version),
            Command::Set { key, value, condition, expiry, get } => {
                let holds = match condition {
                    Condition::Always => true,
                    Condition::Absent => old.is_none(),
                    Condition::Present => old.is_some(),
                };
                if holds {
                    let kept = old.as_ref().and_then(|entry| entry.expires);
                    self.put(key, Some(Entry { value: value.clone(), expires: when(*expiry, kept) }));
                }
                if *get {
                    Answer::Entry(old, version)
                } else if holds {
                    Answer::Done
                } else {
                    Answer::Unchanged
                }
            }
            Command::Delete { key } => {
                if old.is_some() {
                    self.put(key, None);
                }
                Answer::Deleted(u64::from(old.is_some()))
            }
            Command::Increment { key, by } => {
                let expires = old.as_ref().and_then(|entry| entry.expires);
                let Some(number) = old.as_ref().map_or(Some(0), text) else { return Answer::NotANumber };
                let Some(number) = number.checked_add(*by) else { return Answer::Overflow };
                self.put(key, Some(Entry { value: number.to_string().as_str().into(), expires }));
                Answer::Number(number)
            }
            Command::Append { key, value } => {
                let expires = old.as_ref().and_then(|entry| entry.expires);
                let mut bytes = old.map(|entry| entry.value.bytes().to_vec()).unwrap_or_default();
                bytes.extend_from_slice(value.bytes());
                self.put(key, Some(Entry { value: bytes.as_slice().into(), expires }));
                Answer::Length(bytes.len() as u64)
            }
            Command::Expire { key, expiry } => match old {
                None => Answer::Unchanged,
                Some(entry) => {
                    let expires = when(*expiry, entry.expires);
                    self.put(key, Some(Entry { expires, ..entry }));
                    Answer::Done
                }
            },
        }
    }
}

fn when(expiry: Expiry, kept: Option<Time>) -> Option<Time> {
    match expiry {
        Expiry::Never => None,
        Expiry::Keep => kept,
        Expiry::At(at) => Some(at),
    }
}

impl Backend for Toy {
    fn invoke(&self, id: OpId, op: Op) {
        let key = match &op {
            Op::One(command) => command.key().clone(),
            Op::All { commands, .. } => {
                commands.first().map(|command| command.key().clone()).unwrap_or_default()
            }
            Op::Scan { .. } => Payload::default(),
        };
        let text = String::from_utf8_lossy(key.bytes()).into_owned();
        match text.split(':').next() {
            Some("refused") => self.switchboard.deliver(id, Reply::Refused),
            Some("unknown") => self.switchboard.deliver(id, Reply::Unknown),
            Some("never") => {}
            Some("slow") => self.held.borrow_mut().push((id, op)),
            _ => {
                let reply = self.answer(op);
                self.switchboard.deliver(id, reply);
            }
        }
    }

    fn now(&self) -> Time {
        Time(self.clock.get())
    }

    fn metrics(&self) -> String {
        "# HELP toy_up Whether it is there.\n# TYPE toy_up gauge\ntoy_up 1\n".to_owned()
    }
}
