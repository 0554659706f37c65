//! PHOLD on turmoil: a host for each process, a datagram for each message. Flights are 1 ms to 10 ms by turmoil's
//! own law, whose mean is lower than the uniform one's: more messages for each of its ticks, in its favour.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;

use turmoil::net::UdpSocket;

use crate::{Random, cpu_seconds};

const PORT: u16 = 9_000;

fn name(process: u32) -> String {
    format!("p{process}")
}

pub fn messages_per_second((processes, pending): (u32, u32), budget: f64) -> f64 {
    let mut sim = turmoil::Builder::new()
        .rng_seed(1)
        .simulation_duration(Duration::from_secs(1_000_000))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(10))
        .udp_capacity(1_024)
        .build();
    let received = Rc::new(Cell::new(0u64));
    for process in 0..processes {
        let received = Rc::clone(&received);
        sim.host(name(process), move || {
            let received = Rc::clone(&received);
            async move {
                let mut random = Random::new(process);
                let socket = UdpSocket::bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT)).await?;
                // Every host binds in the first tick; what came earlier would be lost.
                tokio::time::sleep(Duration::from_millis(5)).await;
                // Addresses are looked up once: a name in every message would be turmoil's cost, not its simulator's.
                let peers: Vec<IpAddr> = (0..processes).map(|peer| turmoil::lookup(name(peer))).collect();
                let peer = |random: &mut Random| (peers[random.below(processes) as usize], PORT);
                for _ in 0..pending {
                    socket.send_to(&[0; 4], peer(&mut random)).await?;
                }
                let mut buffer = [0; 4];
                loop {
                    socket.recv_from(&mut buffer).await?;
                    received.set(received.get() + 1);
                    socket.send_to(&buffer, peer(&mut random)).await?;
                }
            }
        });
    }
    for _ in 0..50 {
        sim.step().expect("hosts never end");
    }
    let (begin, before) = (cpu_seconds(), received.get());
    loop {
        sim.step().expect("hosts never end");
        let seconds = cpu_seconds() - begin;
        if seconds >= budget {
            return (received.get() - before) as f64 / seconds;
        }
    }
}
