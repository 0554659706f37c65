//! What nodes did on sockets and disks, made again in the simulator.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use isles_kernel::{OpId, Payload, ProcessId};
use isles_net::{Host, LogSettings, Recording, Settings};
use isles_node::replay::{ReplayError, replay};
use isles_quorum::store::{Command, Condition, Config, Expiry, Keyspace, Mistake, Op, Reply, Store};

fn config() -> Config {
    Config::new(3, vec![Keyspace::all(3, 2, 2)]).expect("the system does as it is told")
}

/// A node, its answers, and its recording.
struct Node {
    host: Host<Store>,
    replies: Rc<RefCell<Vec<(OpId, Reply)>>>,
    path: PathBuf,
}

impl Node {
    async fn start(me: u32, members: &[String], folder: &Path, (round, durable): (u32, bool)) -> Self {
        let path = folder.join(format!("recording-{me}-{round}"));
        let mut settings = Settings::new(ProcessId(me), members.to_vec(), "store 1");
        settings.log = durable.then(|| LogSettings::new(folder.join(format!("log-{me}"))));
        settings.recording = Some(Recording { path: path.clone(), about: serde_json::json!({ "n": 3 }) });
        let replies = Rc::new(RefCell::new(Vec::new()));
        let taken = Rc::clone(&replies);
        let host =
            Host::start(settings, Arc::new(config()), move |reply| taken.borrow_mut().push(reply), |_| ());
        Self { host: host.await.expect("a node starts"), replies, path }
    }
}

/// Reads, writes, increments and transactions over few keys.
fn op(number: u64) -> Op {
    let key = Payload::from(format!("k{}", number % 7).as_str());
    let counter = Payload::from(format!("n{}", number % 3).as_str());
    let set = || Command::Set {
        key: key.clone(),
        value: Payload::from("v"),
        condition: Condition::Always,
        expiry: Expiry::Never,
        get: false,
    };
    match number % 4 {
        0 => Op::One(set()),
        1 => Op::One(Command::Get { key }),
        2 => Op::One(Command::Increment { key: counter, by: 1 }),
        _ => Op::All {
            commands: [set(), Command::Increment { key: counter, by: 2 }].into(),
            unchanged: [].into(),
        },
    }
}

/// Three nodes, of which one stops and starts again twice; their recordings.
async fn run(folder: PathBuf, durable: bool) -> Vec<PathBuf> {
    let listeners: Vec<_> = (0..3)
        .map(|_| std::net::TcpListener::bind("127.0.0.1:0").expect("the system does as it is told"))
        .collect();
    let members: Vec<String> = listeners
        .iter()
        .map(|listener| listener.local_addr().expect("the system does as it is told").to_string())
        .collect();
    drop(listeners);
    let (mut nodes, mut paths) = (Vec::new(), Vec::new());
    for me in 0..3 {
        nodes.push(Node::start(me, &members, &folder, (0, durable)).await);
    }
    paths.extend(nodes.iter().map(|node| node.path.clone()));
    let mut id = 0;
    for round in 1..3 {
        for _ in 0..150 {
            id += 1;
            nodes[(id % 3) as usize].host.invoke(OpId(id), op(id / 3));
            if id % 10 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        nodes.remove(2).host.stop().await;
        nodes.push(Node::start(2, &members, &folder, (round, durable)).await);
        paths.push(nodes[2].path.clone());
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(nodes[0].replies.borrow().len() > 50);
    for node in nodes {
        node.host.stop().await;
    }
    paths
}

#[test]
fn what_nodes_did_is_made_again_to_the_byte_alone_and_together() {
    for durable in [true, false] {
        let folder = std::env::temp_dir().join(format!("isles-replay-{durable}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the system does as it is told");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("the system does as it is told");
        let paths = tokio::task::LocalSet::new().block_on(&runtime, run(folder.clone(), durable));
        for path in &paths {
            let alone = replay::<Store>(std::slice::from_ref(path), config(), &mut ())
                .expect("the system does as it is told");
            assert_eq!((alone.starts, alone.verified), (1, 0));
        }
        let together = replay::<Store>(&paths, config(), &mut ()).expect("the system does as it is told");
        assert_eq!((together.processes, together.starts, together.operations), (3, 5, 300));
        assert_eq!(together.messages, together.verified, "all that arrived had been sent");
        // The control: another protocol than the one that ran.
        let mut other = config();
        other.mistake = Some(Mistake::ReleasesEarly);
        let other = replay::<Store>(&paths, other, &mut ());
        assert!(
            matches!(other, Err(ReplayError::Differs { .. } | ReplayError::Impossible { .. })),
            "{other:?}"
        );
        std::fs::remove_dir_all(folder).expect("the system does as it is told");
    }
}
