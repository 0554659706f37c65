//! All orders in which messages of a small run may arrive, breadth-first: every state is met once, by a shortest way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use isles_kernel::{Cx, Effect, OpId, ProcessId, Protocol, Sink, Time};

/// What channels may do to messages: nothing but delay them, unless it says so.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Faults {
    /// A message may overtake an earlier one of its channel.
    pub(crate) overtake: bool,
    /// So many messages may be lost.
    pub(crate) lose: u8,
    /// So many may arrive twice.
    pub(crate) double: u8,
}

/// One instant of a run.
#[derive(Clone, Hash)]
pub(crate) struct Instant<P: Protocol> {
    pub(crate) processes: Vec<P>,
    /// By sender and receiver; no channel is empty.
    channels: BTreeMap<(u32, u32), VecDeque<P::Msg>>,
    /// What is still to be asked.
    ops: Vec<(u32, P::Op)>,
    /// What was answered, by operation.
    pub(crate) replies: BTreeMap<OpId, P::Reply>,
    /// How often each process told what `marked` marks.
    pub(crate) marks: Vec<u8>,
    marked: fn(&P::Event) -> bool,
    left: Faults,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Explored {
    pub(crate) states: usize,
    pub(crate) ends: usize,
}

/// A shortest run to a flaw.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) flaw: String,
    /// What happened, in order.
    pub(crate) steps: Vec<String>,
}

impl<P: Protocol> Instant<P> {
    /// Messages under way and their senders.
    pub(crate) fn under_way(&self) -> impl Iterator<Item = (ProcessId, &P::Msg)> {
        self.channels.iter().flat_map(|((from, _), queue)| queue.iter().map(|msg| (ProcessId(*from), msg)))
    }

    pub(crate) fn states(&self) -> impl Iterator<Item = (ProcessId, &P)> {
        (0..).map(ProcessId).zip(&self.processes)
    }

    fn at_rest(&self) -> bool {
        self.channels.is_empty() && self.ops.is_empty()
    }

    fn act(&mut self, me: u32, config: &P::Config, handler: impl FnOnce(&mut P, &mut Cx<'_, P>)) {
        let mut outbox = Outbox {
            me,
            channels: &mut self.channels,
            replies: &mut self.replies,
            marks: &mut self.marks[me as usize],
            marked: self.marked,
        };
        let mut cx = Cx::new(ProcessId(me), Time::ZERO, config, &mut outbox);
        handler(&mut self.processes[me as usize], &mut cx);
    }

    /// Takes the message at `place` out of a channel.
    fn take(&mut self, channel: (u32, u32), place: usize) -> P::Msg {
        let queue = self.channels.get_mut(&channel).expect("no channel is empty");
        let msg = queue.remove(place).expect("it is there");
        if queue.is_empty() {
            self.channels.remove(&channel);
        }
        msg
    }

    /// Every instant that may come next, and how.
    fn next(&self, config: &P::Config) -> Vec<(String, Self)> {
        let mut all = Vec::new();
        for (index, (to, op)) in self.ops.iter().enumerate() {
            let mut after = self.clone();
            let (to, op) = (*to, op.clone());
            let what = format!("p{to} is asked {op:?}");
            after.ops.remove(index);
            after.act(to, config, |process, cx| process.on_op(cx, OpId(u64::from(to)), op));
            all.push((what, after));
        }
        for (&(from, to), queue) in &self.channels {
            let reachable = if self.left.overtake { queue.len() } else { 1 };
            for (place, msg) in queue.iter().enumerate().take(reachable) {
                let what = format!("p{from} -> p{to} {msg:?}");
                for (kept, lost) in [(false, false), (true, false), (false, true)] {
                    if (kept && self.left.double == 0) || (lost && self.left.lose == 0) {
                        continue;
                    }
                    let mut after = self.clone();
                    let msg = if kept { msg.clone() } else { after.take((from, to), place) };
                    after.left.double -= u8::from(kept);
                    after.left.lose -= u8::from(lost);
                    if !lost {
                        let handler = |process: &mut P, cx: &mut Cx<'_, P>| {
                            process.on_message(cx, ProcessId(from), msg);
                        };
                        after.act(to, config, handler);
                    }
                    let how = if kept {
                        " and again later"
                    } else if lost {
                        " is lost"
                    } else {
                        ""
                    };
                    all.push((format!("{what}{how}"), after));
                }
            }
        }
        all
    }
}

struct Outbox<'a, P: Protocol> {
    me: u32,
    channels: &'a mut BTreeMap<(u32, u32), VecDeque<P::Msg>>,
    replies: &'a mut BTreeMap<OpId, P::Reply>,
    marks: &'a mut u8,
    marked: fn(&P::Event) -> bool,
}

impl<P: Protocol> Sink<P> for Outbox<'_, P> {
    fn put(&mut self, effect: Effect<P>) {
        match effect {
            Effect::Send { to, msg, .. } => {
                self.channels.entry((self.me, to.0)).or_default().push_back(msg);
            }
            Effect::Reply { id, reply } => {
                assert!(self.replies.insert(id, reply).is_none(), "{id} is answered twice");
            }
            Effect::Emit { event } => *self.marks += u8::from((self.marked)(&event)),
            Effect::Watch { .. }
            | Effect::Unwatch { .. }
            | Effect::Arm { .. }
            | Effect::Disarm { .. }
            | Effect::Persist { .. } => panic!("these protocols have neither timers nor disks"),
        }
    }

    fn choose(&mut self, _: u32) -> u32 {
        panic!("these protocols choose nothing");
    }
}

/// 128 bits that stand for a state: with a million of them, two are alike with a probability of 10^-26.
fn fingerprint<P: Protocol>(state: &Instant<P>) -> u128 {
    let [high, low] = [1u8, 2].map(|salt| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        state.hash(&mut hasher);
        hasher.finish()
    });
    u128::from(high) << 64 | u128::from(low)
}

/// Goes through every order of what is asked of `processes` and of all messages, and calls `check` with every state, and
/// whether it is at rest. Events that are `marked` are counted.
pub(crate) fn explore<P: Protocol>(
    config: &P::Config,
    processes: u32,
    ops: &[(u32, P::Op)],
    faults: Faults,
    marked: fn(&P::Event) -> bool,
    check: impl Fn(&Instant<P>, bool) -> Result<(), String>,
) -> Result<Explored, Violation> {
    let mut first = Instant {
        processes: Vec::new(),
        channels: BTreeMap::new(),
        ops: ops.to_vec(),
        replies: BTreeMap::new(),
        marks: vec![0; processes as usize],
        marked,
        left: faults,
    };
    for me in 0..processes {
        let mut outbox = Outbox {
            me,
            channels: &mut first.channels,
            replies: &mut first.replies,
            marks: &mut first.marks[me as usize],
            marked,
        };
        let process = P::start(&mut Cx::new(ProcessId(me), Time::ZERO, config, &mut outbox), &[]);
        first.processes.push(process);
    }
    let mut known: BTreeSet<u128> = BTreeSet::new();
    known.insert(fingerprint(&first));
    // How each state was reached: from which, and by what.
    let mut ways: Vec<(usize, String)> = vec![(0, String::new())];
    let mut queue = VecDeque::from([(0, first)]);
    let mut ends = 0;
    while let Some((index, state)) = queue.pop_front() {
        let at_rest = state.at_rest();
        ends += usize::from(at_rest);
        if let Err(flaw) = check(&state, at_rest) {
            let way = std::iter::successors(Some(index), |at| (*at > 0).then(|| ways[*at].0));
            let mut steps: Vec<String> = way.filter(|at| *at > 0).map(|at| ways[at].1.clone()).collect();
            steps.reverse();
            return Err(Violation { flaw, steps });
        }
        for (what, after) in state.next(config) {
            if known.insert(fingerprint(&after)) {
                ways.push((index, what));
                queue.push_back((ways.len() - 1, after));
            }
        }
    }
    Ok(Explored { states: known.len(), ends })
}
