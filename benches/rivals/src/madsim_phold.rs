//! PHOLD on madsim: a node for each process, a datagram of its `Endpoint` for each message, flights of 1 ms to
//! 10 ms by its default. Each `send_to` first sleeps, at least one virtual millisecond: two timers a message, which
//! is how every program on madsim sends.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use madsim::net::Endpoint;
use madsim::runtime::{Handle, Runtime};

use crate::{Random, cpu_seconds};

fn address(process: u32) -> SocketAddr {
    (Ipv4Addr::from(0x0a00_0001 + process), 9_000).into()
}

pub fn messages_per_second((processes, pending): (u32, u32), budget: f64) -> f64 {
    let runtime = Runtime::with_seed_and_config(1, madsim::Config::default());
    let received = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&received);
    runtime.block_on(async move {
        let handle = Handle::current();
        for process in 0..processes {
            let node = handle.create_node().ip(address(process).ip()).build();
            node.spawn(run(process, (processes, pending), Arc::clone(&count)));
        }
        madsim::time::sleep(Duration::from_millis(100)).await;
        let (begin, before) = (cpu_seconds(), count.load(Ordering::Relaxed));
        loop {
            madsim::time::sleep(Duration::from_millis(2)).await;
            let seconds = cpu_seconds() - begin;
            if seconds >= budget {
                return (count.load(Ordering::Relaxed) - before) as f64 / seconds;
            }
        }
    })
}

async fn run(process: u32, (processes, pending): (u32, u32), received: Arc<AtomicU64>) {
    let mut random = Random::new(process);
    let endpoint = Endpoint::bind(address(process)).await.expect("the address is this node's");
    // Every node binds first.
    madsim::time::sleep(Duration::from_millis(20)).await;
    let mut buffer = [0; 4];
    let mut peer = || address(random.below(processes));
    for _ in 0..pending {
        endpoint.send_to(peer(), 0, &buffer).await.expect("every node has bound");
    }
    loop {
        endpoint.recv_from(0, &mut buffer).await.expect("the endpoint stays open");
        received.fetch_add(1, Ordering::Relaxed);
        endpoint.send_to(peer(), 0, &buffer).await.expect("every node has bound");
    }
}
