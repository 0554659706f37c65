//! Weighted voting, statement by statement (Gifford 1979), on single handlers.

use isles_kernel::{Effect, OpId, ProcessId, Protocol};
use isles_quorum::register::{Op, Reply};
use isles_quorum::voting::{Config, ConfigError, Lock, Mistake, Msg, Record, Timer, Version, Voting};

use crate::world::{One, persisted, replies, sent};

/// The first name that a process gives.
const FIRST: u64 = 1 << 32;

fn config() -> Config {
    Config::new([1, 1, 1], 2, 2).expect("quorums meet")
}

fn start(me: u32, config: Config) -> One<Voting> {
    One::start(me, config, &[]).0
}

fn receive(one: &mut One<Voting>, from: u32, msg: Msg) -> Vec<Effect<Voting>> {
    one.step(|voting, cx| voting.on_message(cx, ProcessId(from), msg))
}

fn ask(one: &mut One<Voting>, id: u64, op: Op) -> Vec<Effect<Voting>> {
    one.step(|voting, cx| voting.on_op(cx, OpId(id), op))
}

fn fires(one: &mut One<Voting>, timer: Timer) -> Vec<Effect<Voting>> {
    one.step(|voting, cx| voting.on_timer(cx, timer))
}

/// Section 3: r + w > V and 2 w > V.
#[test]
fn quorums_that_need_not_meet_are_refused() {
    let new = |votes: &[u32], read, write| Config::new(votes, read, write).map(|_| ());
    assert_eq!(new(&[2, 1, 1], 2, 3), Ok(()));
    assert_eq!(new(&[1, 1, 1], 1, 3), Ok(()));
    assert_eq!(new(&[1, 1, 1], 1, 2), Err(ConfigError::ReadMissesWrite));
    assert_eq!(new(&[1, 1, 1, 1], 3, 2), Err(ConfigError::WriteMissesWrite));
    assert_eq!(new(&[0, 0], 1, 1), Err(ConfigError::Votes(0)));
    assert_eq!(new(&[u32::MAX, u32::MAX], 1, 1), Err(ConfigError::Votes(2 * u64::from(u32::MAX))));
    assert_eq!(new(&[1, 1], 3, 2), Err(ConfigError::Quorum(3)));
    assert_eq!(new(&[1, 1], 0, 2), Err(ConfigError::Quorum(0)));
    assert!(ConfigError::ReadMissesWrite.to_string().contains("read + write"));
}

/// Section 3: a write's version is one more than the greatest of its quorum. It is on disk before anybody hears of it.
#[test]
fn a_write_is_decided_by_its_quorum_and_told_when_it_is_on_disk() {
    let mut writer = start(0, config());
    let effects = ask(&mut writer, 7, Op::Write(5));
    let prepare = Msg::Prepare { number: FIRST, value: 5 };
    assert_eq!(sent(&effects), [(1, prepare), (2, prepare)]);
    let lock = Lock { writer: ProcessId(0), number: FIRST, value: 5 };
    assert_eq!(persisted(&effects), [Record::Began(1), Record::Prepared(lock)]);
    let effects = receive(&mut writer, 2, Msg::Prepared { number: FIRST, version: Version(8) });
    let version = Version(9);
    let quorum = vec![ProcessId(0), ProcessId(2)];
    let decided = Record::Decided { number: FIRST, version, quorum };
    assert_eq!(persisted(&effects), [decided, Record::Committed(version)]);
    let place = |wanted: fn(&Effect<Voting>) -> bool| effects.iter().position(wanted);
    let on_disk = place(|effect| matches!(effect, Effect::Persist { record: Record::Decided { .. } }));
    assert!(on_disk < place(|effect| matches!(effect, Effect::Reply { .. })));
    assert_eq!((replies(&effects), writer.process.holds()), (vec![Reply::Done], (version, 5)));
    assert_eq!(sent(&effects), [(2, Msg::Commit { number: FIRST, version })]);
    // Who was locked too late hears of it, and whoever has not heard is reminded until all have.
    let late = receive(&mut writer, 1, Msg::Prepared { number: FIRST, version: Version(0) });
    assert_eq!(sent(&late), [(1, Msg::Commit { number: FIRST, version })]);
    let again = fires(&mut writer, Timer::Remind(FIRST));
    assert_eq!(sent(&again), [(2, Msg::Commit { number: FIRST, version })]);
    let heard = receive(&mut writer, 2, Msg::Committed { number: FIRST });
    assert_eq!(persisted(&heard), [Record::Heard(FIRST)]);
    assert_eq!(sent(&fires(&mut writer, Timer::Remind(FIRST))), []);
}

/// Found by exploration of a draft: such an answer was counted as one of the second phase, and a write was acknowledged that one copy had.
#[test]
fn an_answer_of_the_first_phase_is_no_vote_of_the_second() {
    let mut writer = start(0, Config { mistake: Some(Mistake::Naive), ..config() });
    ask(&mut writer, 7, Op::Write(5));
    let version = Msg::Version { number: FIRST, version: Version(0) };
    assert_eq!(sent(&receive(&mut writer, 1, version)).len(), 2);
    assert_eq!(replies(&receive(&mut writer, 2, version)), []);
    assert_eq!(replies(&receive(&mut writer, 2, Msg::Stored { number: FIRST })), [Reply::Done]);
}

/// Section 3: the version numbers of a read quorum say which copy is current; it need not be one that the quorum has.
#[test]
fn a_read_takes_the_own_copy_if_it_is_current_and_fetches_else() {
    let mut reader = start(0, config());
    ask(&mut reader, 1, Op::Read);
    let same = receive(&mut reader, 1, Msg::Version { number: FIRST, version: Version(0) });
    assert_eq!((replies(&same), sent(&same)), (vec![Reply::Value(0)], vec![]));
    let number = FIRST + 1;
    ask(&mut reader, 2, Op::Read);
    let newer = receive(&mut reader, 1, Msg::Version { number, version: Version(3) });
    assert_eq!((replies(&newer), sent(&newer)), (vec![], vec![(1, Msg::Fetch { number })]));
    let old = receive(&mut reader, 1, Msg::Value { number, version: Version(2), value: 8 });
    assert_eq!(replies(&old), []);
    let value = receive(&mut reader, 1, Msg::Value { number, version: Version(3), value: 9 });
    assert_eq!(replies(&value), [Reply::Value(9)]);
    // A copy with votes is written by writers alone.
    assert_eq!(reader.process.holds(), (Version(0), 0));
}

/// Section 4: a weak representative has no votes, and is as good as any when it is current.
#[test]
fn a_copy_without_votes_keeps_what_was_read_and_counts_for_nothing() {
    let config = Config::new([1, 0], 1, 1).expect("quorums meet");
    let mut weak = start(1, config);
    let first = ask(&mut weak, 1, Op::Read);
    assert_eq!(sent(&first), [(0, Msg::Inquire { number: FIRST })]);
    receive(&mut weak, 0, Msg::Version { number: FIRST, version: Version(4) });
    receive(&mut weak, 0, Msg::Value { number: FIRST, version: Version(4), value: 6 });
    assert_eq!(weak.process.holds(), (Version(4), 6));
    let number = FIRST + 1;
    ask(&mut weak, 2, Op::Read);
    let current = receive(&mut weak, 0, Msg::Version { number, version: Version(4) });
    assert_eq!((replies(&current), sent(&current)), (vec![Reply::Value(6)], vec![]));
    // It is neither asked nor heard.
    assert_eq!(sent(&receive(&mut weak, 0, Msg::Prepare { number: 1, value: 1 })), []);
    ask(&mut weak, 3, Op::Read);
    assert_eq!(replies(&receive(&mut weak, 7, Msg::Version { number: FIRST + 2, version: Version(9) })), []);
}

/// Section 3: a copy with more votes is worth several.
#[test]
fn votes_weigh() {
    let mut reader = start(3, Config::new([2, 1, 1], 2, 3).expect("quorums meet"));
    ask(&mut reader, 1, Op::Read);
    ask(&mut reader, 2, Op::Read);
    let version = |number| Msg::Version { number, version: Version(1) };
    assert_eq!(sent(&receive(&mut reader, 1, version(FIRST))), []);
    assert_eq!(sent(&receive(&mut reader, 0, version(FIRST + 1))), [(0, Msg::Fetch { number: FIRST + 1 })]);
    assert_eq!(sent(&receive(&mut reader, 2, version(FIRST))), [(1, Msg::Fetch { number: FIRST })]);
}

#[test]
fn a_locked_copy_lets_readers_wait_and_refuses_another_writer() {
    let mut copy = start(1, config());
    let locked = receive(&mut copy, 0, Msg::Prepare { number: 5, value: 3 });
    assert_eq!(sent(&locked), [(0, Msg::Prepared { number: 5, version: Version(0) })]);
    assert_eq!(sent(&receive(&mut copy, 2, Msg::Inquire { number: 6 })), []);
    assert_eq!(
        sent(&receive(&mut copy, 2, Msg::Prepare { number: 7, value: 4 })),
        [(2, Msg::Busy { number: 7 })]
    );
    // Neither a decision nor an end of another write unlocks it.
    receive(&mut copy, 2, Msg::Commit { number: 5, version: Version(9) });
    receive(&mut copy, 0, Msg::Abort { number: 4 });
    assert!(copy.process.lock().is_some());
    let version = Version(1);
    let told = receive(&mut copy, 0, Msg::Commit { number: 5, version });
    assert_eq!(sent(&told), [(2, Msg::Version { number: 6, version }), (0, Msg::Committed { number: 5 })]);
    assert_eq!(copy.process.holds(), (version, 3));
    // A control lets them pass.
    let mut mistaken = start(1, Config { mistake: Some(Mistake::PassesLocks), ..config() });
    receive(&mut mistaken, 0, Msg::Prepare { number: 5, value: 3 });
    assert_eq!(sent(&receive(&mut mistaken, 2, Msg::Inquire { number: 6 })).len(), 1);
}

#[test]
fn without_a_quorum_a_write_takes_its_locks_back_and_nothing_was_done() {
    let mut writer = start(0, config());
    ask(&mut writer, 1, Op::Write(5));
    let late = fires(&mut writer, Timer::Operation(FIRST));
    assert_eq!(replies(&late), [Reply::Refused]);
    assert_eq!(sent(&late), [(1, Msg::Abort { number: FIRST }), (2, Msg::Abort { number: FIRST })]);
    assert_eq!((writer.process.lock(), writer.process.holds()), (None, (Version(0), 0)));
    // Who is locked all the same is told that there is no decision.
    let asked = receive(&mut writer, 1, Msg::Prepared { number: FIRST, version: Version(0) });
    assert_eq!(sent(&asked), [(1, Msg::Abort { number: FIRST })]);
    // It need not wait for the time-out where too many are known to be gone.
    ask(&mut writer, 2, Op::Write(6));
    let lose = |voting: &mut One<Voting>, peer| voting.step(|it, cx| it.on_unreachable(cx, ProcessId(peer)));
    assert_eq!(replies(&lose(&mut writer, 1)), []);
    assert_eq!(replies(&lose(&mut writer, 2)), [Reply::Refused]);
}

/// Two-phase commit: who is locked stays so over a crash, asks, and decides nothing alone.
#[test]
fn a_copy_that_crashed_is_still_locked_and_asks_its_writer() {
    let lock = Lock { writer: ProcessId(0), number: 5, value: 3 };
    let log = [Record::Stored(Version(2), 1), Record::Prepared(lock)];
    let (mut copy, effects) = One::<Voting>::start(1, config(), &log);
    assert_eq!(copy.process.lock(), Some(lock));
    let timer = Timer::Resolve(ProcessId(0), 5);
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::Arm { timer: armed, .. } if *armed == timer))
    );
    assert_eq!(sent(&fires(&mut copy, timer)), [(0, Msg::Resolve { number: 5 })]);
    assert_eq!(copy.process.lock(), Some(lock));
    receive(&mut copy, 0, Msg::Abort { number: 5 });
    assert_eq!((copy.process.lock(), copy.process.holds()), (None, (Version(2), 1)));
}

/// Presumed abort: what is on a writer's disk was decided, and nothing else was.
#[test]
fn a_writer_that_crashed_knows_what_it_decided() {
    let lock = Lock { writer: ProcessId(0), number: FIRST, value: 5 };
    let quorum = vec![ProcessId(0), ProcessId(1)];
    let version = Version(1);
    let begun = [Record::Began(1), Record::Prepared(lock)];
    let (mut undecided, effects) = One::<Voting>::start(0, config(), &begun);
    assert_eq!((persisted(&effects), undecided.process.lock()), (vec![Record::Aborted], None));
    let asked = receive(&mut undecided, 1, Msg::Resolve { number: FIRST });
    assert_eq!(sent(&asked), [(1, Msg::Abort { number: FIRST })]);
    let mut log = begun.to_vec();
    log.push(Record::Decided { number: FIRST, version, quorum });
    let (mut decided, effects) = One::<Voting>::start(0, config(), &log);
    assert_eq!(
        (persisted(&effects), decided.process.holds()),
        (vec![Record::Committed(version)], (version, 5))
    );
    let asked = receive(&mut decided, 1, Msg::Resolve { number: FIRST });
    assert_eq!(sent(&asked), [(1, Msg::Commit { number: FIRST, version })]);
    // Its next operation has a name that it has not used before.
    let next = ask(&mut decided, 9, Op::Read);
    assert_eq!(sent(&next)[0].1, Msg::Inquire { number: 2 * FIRST });
}

#[test]
fn a_copy_that_was_locked_late_keeps_what_is_newer() {
    let log = [Record::Stored(Version(4), 1)];
    let (mut copy, _) = One::<Voting>::start(1, config(), &log);
    receive(&mut copy, 0, Msg::Prepare { number: 5, value: 3 });
    receive(&mut copy, 0, Msg::Commit { number: 5, version: Version(3) });
    assert_eq!((copy.process.lock(), copy.process.holds()), (None, (Version(4), 1)));
}

#[test]
fn a_snapshot_is_as_good_as_the_log() {
    let quorum = vec![ProcessId(0), ProcessId(1)];
    let log = [
        Record::Began(1),
        Record::Stored(Version(1), 7),
        Record::Prepared(Lock { writer: ProcessId(2), number: 4, value: 8 }),
        Record::Committed(Version(2)),
        Record::Decided { number: FIRST, version: Version(2), quorum: quorum.clone() },
        Record::Heard(FIRST),
        Record::Began(2),
        Record::Decided { number: 2 * FIRST, version: Version(3), quorum },
        Record::Prepared(Lock { writer: ProcessId(2), number: 5, value: 9 }),
    ];
    let whole = One::<Voting>::start(0, config(), &log).0.process;
    let short = whole.snapshot().expect("it has one");
    assert!(short.len() < log.len());
    assert_eq!(One::<Voting>::start(0, config(), &short).0.process, whole);
    assert_eq!(whole.holds(), (Version(2), 8));
}
