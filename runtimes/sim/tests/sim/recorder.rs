//! Histories of runs.

use isles_history::{Entry, History};
use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span, Time};
use isles_sim::{Fault, Observer, Recorder, Recording, Setup, Simulation, Who};
use serde::{Deserialize, Serialize};

/// Answers what it is asked after asking another process.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Relay;

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
enum Msg {
    Ask(OpId),
    Answer(OpId),
}

impl Protocol for Relay {
    type Config = bool; // answers twice
    type Msg = Msg;
    type Timer = Never;
    type Op = u32;
    type Reply = u32;
    type Record = Never;
    type Event = Never;

    fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self
    }
    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match msg {
            Msg::Ask(id) => cx.send(from, Msg::Answer(id)),
            Msg::Answer(id) => {
                cx.reply(id, 7);
                if *cx.config() {
                    cx.reply(id, 7);
                }
            }
        }
    }
    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, _: u32) {
        cx.send(ProcessId(1), Msg::Ask(id));
    }
}

fn record(twice: bool) -> Recorder<Relay> {
    let mut recorder = Recorder::default();
    observe(twice, &mut recorder);
    recorder
}

fn observe(twice: bool, observer: &mut impl Observer<Relay>) {
    let mut sim = Simulation::<Relay>::new(Setup::new(2, 1, twice)).expect("a valid set-up");
    sim.invoke(ProcessId(0), 3);
    sim.invoke_at(Time::ZERO + Span::millis(30), ProcessId(0), 4);
    sim.inject(Time::ZERO + Span::millis(35), Fault::Crash(Who::Ids(vec![ProcessId(0)])));
    sim.run_until(Time::ZERO + Span::secs(1), observer);
}

#[test]
fn a_history_that_is_written_at_once_is_the_one_that_is_kept() {
    for twice in [false, true] {
        let recorder = record(twice);
        let mut recording = Recording::new(Vec::new());
        observe(twice, &mut recording);
        let (text, stray) = recording.finish().expect("memory does not fail");
        assert_eq!(&History::read(text.as_slice()).expect("own text"), recorder.history());
        assert_eq!(stray, recorder.stray_replies());
    }
}

#[test]
fn a_recorder_without_room_keeps_the_beginning_and_counts_the_rest() {
    let mut recorder = Recorder::<Relay>::with_room(3);
    observe(false, &mut recorder);
    assert_eq!(recorder.history().entries(), &record(false).history().entries()[..3]);
    assert_eq!(recorder.left_out(), 1);
    assert_eq!(record(false).left_out(), 0);
}

#[test]
fn invocations_replies_and_crashes_are_recorded_and_read_again() {
    let recorder = record(false);
    let history = recorder.history();
    let kinds: Vec<&str> = history
        .entries()
        .iter()
        .map(|entry| match entry {
            Entry::Invoke { .. } => "invoke",
            Entry::Return { .. } => "return",
            Entry::Fail { .. } => "fail",
            Entry::Unknown { .. } => "unknown",
            Entry::Crash { .. } => "crash",
        })
        .collect();
    assert_eq!(kinds, ["invoke", "return", "invoke", "crash"]);
    assert_eq!(history.open().collect::<Vec<_>>(), [OpId(1)], "whether it took effect is unknown");
    let mut text = Vec::new();
    history.write(&mut text).expect("memory does not fail");
    assert_eq!(&History::read(text.as_slice()).expect("own text"), history);
    assert_eq!(recorder.stray_replies(), 0);
}

#[test]
fn a_second_answer_is_counted_and_not_recorded() {
    let recorder = record(true);
    assert_eq!(recorder.stray_replies(), 1);
    assert_eq!(recorder.history().entries().len(), 4);
}
