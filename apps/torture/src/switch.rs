//! A switch between hosts, in this process: it carries packets between their network devices, late, or not at all.
//!
//! What `tc netem` does in the kernel is done here, so that it needs no module and each link has its own faults, either way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use isles_kernel::random::Stream;

/// What happens to packets on one way from a host to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Way {
    /// None of them arrives.
    pub cut: bool,
    /// So many of a thousand are lost.
    pub loss_per_mille: u16,
    /// They take so long.
    pub delay: Duration,
    /// And up to so much longer, so that they overtake each other.
    pub jitter: Duration,
}

/// A packet on its way.
struct Late {
    due: Instant,
    number: u64,
    to: usize,
    packet: Vec<u8>,
}

impl PartialEq for Late {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
impl Eq for Late {}
impl PartialOrd for Late {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Late {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}

struct Shared {
    devices: Vec<tun::Device>,
    /// Row: from; column: to.
    ways: Mutex<Vec<Vec<Way>>>,
    late: Mutex<BinaryHeap<Reverse<Late>>>,
    woken: Condvar,
    ended: AtomicBool,
    carried: AtomicU64,
    lost: AtomicU64,
}

/// The switch. Hosts are numbered from 0 on; host `h` has the address [`address`]`(h)`.
pub struct Switch {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// Packets that wait at most; more are lost, as in any queue.
const LATE_MAX: usize = 100_000;

/// The address of a host.
pub fn address(host: usize) -> String {
    format!("10.77.0.{}", host + 1)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "packets are late by the machine's clock")]
fn now() -> Instant {
    Instant::now()
}

impl Switch {
    /// Connects these devices; the draws of losses and delays follow from `seed`.
    pub fn new(devices: Vec<tun::Device>, seed: u64) -> Self {
        let count = devices.len();
        let shared = Arc::new(Shared {
            devices,
            ways: Mutex::new(vec![vec![Way::default(); count]; count]),
            late: Mutex::default(),
            woken: Condvar::new(),
            ended: AtomicBool::new(false),
            carried: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        });
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        for host in 0..count {
            let shared = Arc::clone(&shared);
            threads
                .push(std::thread::spawn(move || shared.carry(host, &mut Stream::new(seed, &[host as u64]))));
        }
        let own = Arc::clone(&shared);
        threads.push(std::thread::spawn(move || own.deliver()));
        Self { shared, threads }
    }

    /// Changes what happens on the way from one host to another.
    pub fn set(&self, from: usize, to: usize, way: Way) {
        lock(&self.shared.ways)[from][to] = way;
    }

    /// Makes all ways good.
    pub fn heal(&self) {
        lock(&self.shared.ways).iter_mut().flatten().for_each(|way| *way = Way::default());
    }

    /// Packets that arrived, and that were lost.
    pub fn counts(&self) -> (u64, u64) {
        (self.shared.carried.load(Ordering::Relaxed), self.shared.lost.load(Ordering::Relaxed))
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        self.shared.woken.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Takes what a host sends, until the end.
    fn carry(&self, host: usize, draws: &mut Stream) {
        let mut buffer = vec![0; 1 << 16];
        let mut number = (host as u64) << 48;
        while !self.ended.load(Ordering::Relaxed) {
            let Ok(length) = self.devices[host].recv_timeout(&mut buffer, Duration::from_millis(100)) else {
                continue;
            };
            let packet = &buffer[..length];
            let Some(to) = destination(packet, self.devices.len()) else { continue };
            let way = lock(&self.ways)[host][to];
            if way.cut || draws.below(1000) < u32::from(way.loss_per_mille) {
                self.lost.fetch_add(1, Ordering::Relaxed);
            } else if way.delay.is_zero() && way.jitter.is_zero() {
                self.arrive(to, packet);
            } else {
                number += 1;
                let more = way.jitter.mul_f64(draws.unit());
                let late = Late { due: now() + way.delay + more, number, to, packet: packet.to_vec() };
                let mut queue = lock(&self.late);
                if queue.len() < LATE_MAX {
                    queue.push(Reverse(late));
                    self.woken.notify_one();
                } else {
                    self.lost.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    fn arrive(&self, to: usize, packet: &[u8]) {
        // A host whose device is down loses it.
        let counter = if self.devices[to].send(packet).is_ok() { &self.carried } else { &self.lost };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Lets late packets arrive when they are due, until the end.
    fn deliver(&self) {
        let mut queue = lock(&self.late);
        while !self.ended.load(Ordering::Relaxed) {
            let now = now();
            match queue.peek() {
                Some(Reverse(first)) if first.due <= now => {
                    if let Some(Reverse(late)) = queue.pop() {
                        drop(queue);
                        self.arrive(late.to, &late.packet);
                        queue = lock(&self.late);
                    }
                }
                first => {
                    let most = Duration::from_millis(100);
                    let wait = first.map_or(most, |Reverse(first)| first.due.duration_since(now).min(most));
                    queue = self.woken.wait_timeout(queue, wait).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }
}

/// The host that an IPv4 packet is for.
fn destination(packet: &[u8], hosts: usize) -> Option<usize> {
    match packet {
        [first, ..] if first >> 4 == 4 && packet.len() >= 20 && packet[16..19] == [10, 77, 0] => {
            usize::from(packet[19]).checked_sub(1).filter(|host| *host < hosts)
        }
        _ => None,
    }
}
