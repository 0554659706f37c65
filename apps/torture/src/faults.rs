//! What is done to nodes and to the ways between them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use isles_kernel::random::Stream;

use crate::cluster::Cluster;
use crate::switch::Way;

/// A kind of fault.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A node is killed at once, and starts again later.
    Kill,
    /// All nodes are killed.
    KillAll,
    /// A node stands still, and goes on later.
    Pause,
    /// Nodes are parted into two halves that do not hear each other.
    Part,
    /// One node is not heard by another, which it hears.
    OneWay,
    /// Packets of a node are late and overtake each other.
    Slow,
    /// Packets of a node are lost.
    Lossy,
    /// The disk of a node is full.
    FullDisk,
    /// A node is killed in the middle of a write.
    Torn,
}

/// Those that need no hosts.
const ANYWHERE: [Kind; 4] = [Kind::Kill, Kind::Pause, Kind::Torn, Kind::KillAll];
/// All.
const APART: [Kind; 9] = [
    Kind::Kill,
    Kind::Pause,
    Kind::Torn,
    Kind::KillAll,
    Kind::Part,
    Kind::OneWay,
    Kind::Slow,
    Kind::Lossy,
    Kind::FullDisk,
];

/// What ends a fault.
enum Repair {
    Start(usize),
    Resume(usize),
    Heal,
    Empty(usize, PathBuf),
}

/// Faults one after another, some at a time.
pub struct Nemesis {
    draws: Stream,
    /// Repairs, by the step at which they are due.
    due: Vec<(u64, Repair)>,
    step: u64,
    /// How often each kind was done.
    pub done: BTreeMap<Kind, u64>,
}

impl Nemesis {
    /// Whose draws follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            draws: Stream::new(seed, &[0x006e_656d_6573_6973]),
            due: Vec::new(),
            step: 0,
            done: BTreeMap::new(),
        }
    }

    /// Ends what is due, does something new, and waits a little.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn step(&mut self, cluster: &mut Cluster) -> Result<()> {
        self.step += 1;
        let (due, later) = std::mem::take(&mut self.due).into_iter().partition(|(at, _)| *at <= self.step);
        self.due = later;
        for (_, repair) in due {
            end(cluster, repair)?;
        }
        let kinds: &[Kind] = if cluster.hosts.is_some() { &APART } else { &ANYWHERE };
        let kind = kinds[self.draws.below(kinds.len() as u32) as usize];
        *self.done.entry(kind).or_default() += 1;
        let repairs = self.begin(cluster, kind)?;
        let at = self.step + 1 + u64::from(self.draws.below(2));
        self.due.extend(repairs.into_iter().map(|repair| (at, repair)));
        let longest = if kind == Kind::Pause { 6000 } else { 1500 };
        std::thread::sleep(Duration::from_millis(u64::from(100 + self.draws.below(longest))));
        Ok(())
    }

    /// Ends all.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(&mut self, cluster: &mut Cluster) -> Result<()> {
        for (_, repair) in std::mem::take(&mut self.due) {
            end(cluster, repair)?;
        }
        end(cluster, Repair::Heal)?;
        (0..cluster.len()).try_for_each(|node| cluster.start(node))
    }

    fn begin(&mut self, cluster: &mut Cluster, kind: Kind) -> Result<Vec<Repair>> {
        let nodes = cluster.len() as u32;
        let node = self.draws.below(nodes) as usize;
        match kind {
            Kind::Kill => cluster.kill(node)?,
            Kind::KillAll => {
                (0..cluster.len()).try_for_each(|node| cluster.kill(node))?;
                return Ok((0..cluster.len()).map(Repair::Start).collect());
            }
            Kind::Pause => {
                cluster.pause(node)?;
                return Ok(vec![Repair::Resume(node)]);
            }
            Kind::Torn => {
                cluster.kill(node)?;
                cluster.tear(node, 1 + self.draws.below(200) as usize)?;
            }
            Kind::FullDisk => {
                let filler = cluster.fill(node)?;
                return Ok(vec![Repair::Empty(node, filler)]);
            }
            Kind::Part => {
                let sides: Vec<bool> = (0..nodes).map(|_| self.draws.below(2) == 0).collect();
                self.ways(
                    cluster,
                    |from, to| sides.get(from) != sides.get(to),
                    Way { cut: true, ..Way::default() },
                );
                return Ok(vec![Repair::Heal]);
            }
            Kind::OneWay => {
                let other = (node + 1 + self.draws.below(nodes - 1) as usize) % nodes as usize;
                let way = Way { cut: true, ..Way::default() };
                self.ways(cluster, |from, to| (from, to) == (node, other), way);
                return Ok(vec![Repair::Heal]);
            }
            Kind::Slow => {
                let delay = Duration::from_millis(u64::from(10 + self.draws.below(300)));
                let way = Way { delay, jitter: delay, ..Way::default() };
                self.ways(cluster, |from, to| from == node || to == node, way);
                return Ok(vec![Repair::Heal]);
            }
            Kind::Lossy => {
                let way = Way { loss_per_mille: (50 + self.draws.below(300)) as u16, ..Way::default() };
                self.ways(cluster, |from, to| from == node || to == node, way);
                return Ok(vec![Repair::Heal]);
            }
        }
        Ok(vec![Repair::Start(node)])
    }

    /// Changes ways between nodes; clients reach all.
    fn ways(&self, cluster: &Cluster, which: impl Fn(usize, usize) -> bool, way: Way) {
        let Some(switch) = cluster.hosts.as_ref().and_then(|hosts| hosts.switch.as_ref()) else { return };
        for from in 0..cluster.len() {
            for to in (0..cluster.len()).filter(|to| *to != from && which(from, *to)) {
                switch.set(from, to, way);
            }
        }
    }
}

fn end(cluster: &mut Cluster, repair: Repair) -> Result<()> {
    match repair {
        Repair::Start(node) => cluster.start(node),
        Repair::Resume(node) => cluster.resume(node),
        Repair::Heal => {
            if let Some(switch) = cluster.hosts.as_ref().and_then(|hosts| hosts.switch.as_ref()) {
                switch.heal();
            }
            Ok(())
        }
        Repair::Empty(node, filler) => {
            // Two faults of one disk that overlap have one filler.
            if filler.exists() {
                std::fs::remove_file(&filler)?;
            }
            // A node whose disk is full ends.
            cluster.start(node)
        }
    }
}
