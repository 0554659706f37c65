//! Real nodes under real faults: processes on hosts of their own that are killed, paused, parted, slowed down and filled up, with clients at work all the time
//! whose history is judged in the end.
//!
//! Hosts are network namespaces; a [`switch`] of this process carries the packets between them, so that every way can be cut, slowed down
//! or made lossy by itself. On loopback there is no such thing, and nodes are only killed, paused and torn. `isles-torture --help` tells the rest.

pub mod clients;
pub mod cluster;
pub mod faults;
pub mod hosts;
pub mod judge;
pub mod switch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};

use clients::{Client, Shared};
use cluster::{Cluster, Plan};
use faults::{Kind, Nemesis};
use judge::{Judgement, judge};

/// A run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Torture {
    /// What runs a node, and the words before `--config FILE`.
    pub program: PathBuf,
    /// See there.
    pub words: Vec<String>,
    /// Where everything of the run goes.
    pub folder: PathBuf,
    /// Nodes.
    pub nodes: usize,
    /// Clients, each with one operation at a time.
    pub clients: usize,
    /// Faults.
    pub steps: u64,
    /// Decides which faults, and what clients ask.
    pub seed: u64,
    /// On hosts of their own.
    pub apart: bool,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Faults, by kind.
    pub faults: BTreeMap<Kind, u64>,
    /// The verdicts.
    pub judgement: Judgement,
    /// Answers that no client should get.
    pub complaints: Vec<String>,
    /// Packets that arrived and that were lost between hosts.
    pub packets: Option<(u64, u64)>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.judgement.is_good() && self.complaints.is_empty()
    }
}

/// Says something to whoever watches.
#[expect(clippy::print_stderr, reason = "a campaign tells how it goes")]
pub fn say(line: &str) {
    eprintln!("{line}");
}

/// After the last fault, nodes have so long to serve all keys again.
const RECOVERY: Duration = Duration::from_secs(60);

/// Runs nodes and clients, does what the seed says to the nodes, and judges.
///
/// # Errors
/// When the system refuses something, or the nodes do not serve again after all faults have ended.
pub fn run(torture: &Torture) -> Result<Report> {
    let plan = Plan {
        folder: torture.folder.clone(),
        program: torture.program.clone(),
        words: torture.words.clone(),
        nodes: torture.nodes,
        apart: torture.apart,
        seed: torture.seed,
    };
    let mut cluster = Cluster::new(plan)?;
    (0..torture.nodes).try_for_each(|node| cluster.start(node))?;
    (0..torture.nodes).try_for_each(|node| cluster.serves(node, Duration::from_secs(20)))?;
    let shared = Arc::new(Shared::new((0..torture.nodes).map(|node| cluster.clients(node)).collect()));
    let threads: Vec<_> = (0..torture.clients)
        .map(|client| {
            let client = Client::new(Arc::clone(&shared), torture.seed.wrapping_add(client as u64 + 1));
            std::thread::spawn(move || client.run())
        })
        .collect();
    let mut nemesis = Nemesis::new(torture.seed);
    let worked = work(torture, &mut cluster, &mut nemesis, &shared);
    shared.stop.store(true, Ordering::Relaxed);
    for thread in threads {
        if thread.join().is_err() {
            bail!("a client panicked");
        }
    }
    worked?;
    read_all(torture, &mut cluster, &shared)?;
    let packets = cluster.hosts.as_ref().and_then(|hosts| hosts.switch.as_ref()).map(switch::Switch::counts);
    let registers = shared.registers.lock().unwrap_or_else(PoisonError::into_inner);
    let lists = shared.lists.lock().unwrap_or_else(PoisonError::into_inner);
    let judgement = judge(&torture.folder, &registers, &lists)?;
    let complaints = shared.complaints.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Report { faults: nemesis.done, judgement, complaints, packets })
}

fn work(torture: &Torture, cluster: &mut Cluster, nemesis: &mut Nemesis, shared: &Shared) -> Result<()> {
    for step in 1..=torture.steps {
        nemesis.step(cluster)?;
        if step % 20 == 0 {
            say(&format!("{step} faults, {} operations answered", shared.answered.load(Ordering::Relaxed)));
        }
    }
    nemesis.finish(cluster)?;
    // All is well: clients must get somewhere again.
    std::thread::sleep(Duration::from_secs(2));
    Ok(())
}

/// Every node must give every key once all is well.
fn read_all(torture: &Torture, cluster: &mut Cluster, shared: &Arc<Shared>) -> Result<()> {
    for node in 0..torture.nodes {
        cluster.serves(node, RECOVERY)?;
        let mut client = Client::new(Arc::clone(shared), torture.seed ^ 0xffff);
        let mut tries = RECOVERY.as_millis() / 500;
        while !client.read_all(node) {
            tries -= 1;
            if tries == 0 {
                bail!(
                    "node {node} does not give every key after all faults have ended; the end of its log:\n{}",
                    cluster.last_words(node)
                );
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }
    Ok(())
}
