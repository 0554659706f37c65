//! A few hosts in one thread, and protocols that show one thing each.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use isles_kernel::{OpId, ProcessId, Protocol};
use isles_net::{Host, Keys, Security, Settings, StartError, keys};
use tokio::task::LocalSet;

/// Addresses on loopback that nobody listens on.
pub(crate) fn addresses(count: usize) -> Vec<String> {
    let listeners: Vec<_> = (0..count)
        .map(|_| std::net::TcpListener::bind("127.0.0.1:0").expect("the system does as it is told"))
        .collect();
    listeners
        .iter()
        .map(|listener| listener.local_addr().expect("the system does as it is told").to_string())
        .collect()
}

/// A folder of a test's own, empty.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("isles-net-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the system does as it is told");
    folder
}

/// Keys of a cluster `local` for so many members.
pub(crate) fn tls(folder: &std::path::Path, members: usize) -> Vec<Security> {
    keys::make(folder, "local", members).expect("the system does as it is told");
    (0..members)
        .map(|member| Security::Tls(Keys::read(folder, member).expect("the system does as it is told")))
        .collect()
}

/// Runs a test on one thread, for at most 20 s.
pub(crate) fn run(test: impl Future<Output = ()> + 'static) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the system does as it is told");
    let local = LocalSet::new();
    let test = async { tokio::time::timeout(Duration::from_secs(20), test).await };
    local.block_on(&runtime, test).expect("the test takes no more than 20 s");
}

/// What a host's takers put somewhere.
type Shared<T> = Rc<RefCell<Vec<T>>>;

/// A host, and what it answered and told.
pub(crate) struct Running<P: Protocol> {
    pub(crate) host: Host<P>,
    pub(crate) replies: Shared<(OpId, P::Reply)>,
    pub(crate) events: Shared<P::Event>,
}

impl<P: Protocol> Running<P> {
    pub(crate) async fn start(settings: Settings, config: P::Config) -> Result<Self, StartError> {
        let (replies, events) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(Vec::new())));
        let (to_replies, to_events) = (Rc::clone(&replies), Rc::clone(&events));
        let host = Host::start(
            settings,
            Arc::new(config),
            move |reply| to_replies.borrow_mut().push(reply),
            move |event| to_events.borrow_mut().push(event),
        );
        Ok(Self { host: host.await?, replies, events })
    }

    /// Waits until operation `id` is answered.
    pub(crate) async fn reply(&self, id: u64) -> P::Reply {
        loop {
            if let Some((_, reply)) = self.replies.borrow().iter().find(|(other, _)| *other == OpId(id)) {
                return reply.clone();
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// A counter of the host's.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        let text = self.host.metrics();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("isles_{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().expect("the system does as it is told")
    }
}

/// Waits until something is so.
pub(crate) async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Plain settings, the same for all members but for who they are.
pub(crate) fn settings(members: &[String]) -> Vec<Settings> {
    (0..members.len() as u32).map(|me| Settings::new(ProcessId(me), members.to_vec(), "test 1")).collect()
}
