//! Messages on their way out: a queue for each process that something is sent to.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use isles_kernel::{Channel, ProcessId};
use serde::Serialize;
use tokio::net::UdpSocket;
use tokio::sync::Notify;

use crate::book::{Book, Named};
use crate::datagram::{self, Session};
use crate::metrics::Metrics;
use crate::settings::Limits;
use crate::translate;
use crate::wire;

/// The way to one process.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) peer: ProcessId,
    pub(crate) queue: RefCell<Queue>,
    /// Something is to be done for the stream.
    pub(crate) wake: Notify,
}

/// What waits for a stream.
#[derive(Debug)]
pub(crate) struct Queue {
    /// Frames.
    pub(crate) bytes: Vec<u8>,
    messages: u64,
    /// What this stream, or the next one, calls processes.
    named: Named,
    /// The process asked that a stream be kept.
    pub(crate) watched: bool,
    /// More was sent than may wait.
    pub(crate) over: bool,
    /// Where datagrams go, and how they are sealed, while a stream is there.
    pub(crate) session: Option<(SocketAddr, Session)>,
}

impl Queue {
    fn new(me: ProcessId, peer: ProcessId) -> Self {
        let mut named = Named::default();
        // Both ends know each other from the handshake.
        named.name(me.0);
        named.name(peer.0);
        Self { bytes: Vec::new(), messages: 0, named, watched: false, over: false, session: None }
    }

    /// Whether a stream is wanted.
    pub(crate) const fn wants_stream(&self) -> bool {
        self.watched || !self.bytes.is_empty()
    }
}

impl Link {
    /// The stream broke: what waited is lost. Says how many messages that were.
    pub(crate) fn clear(&self, me: ProcessId) -> u64 {
        let before = std::mem::replace(&mut *self.queue.borrow_mut(), Queue::new(me, self.peer));
        before.messages
    }

    /// Takes what waits, to be written.
    pub(crate) fn take(&self, bytes: &mut Vec<u8>) {
        let mut queue = self.queue.borrow_mut();
        queue.messages = 0;
        std::mem::swap(&mut queue.bytes, bytes);
    }
}

/// All that goes out.
#[derive(Debug)]
pub(crate) struct Outbound {
    pub(crate) me: ProcessId,
    pub(crate) book: Rc<RefCell<Book>>,
    links: Vec<Option<Rc<Link>>>,
    /// Links that nobody tends yet.
    pub(crate) fresh: Vec<Rc<Link>>,
    pub(crate) limits: Limits,
    pub(crate) socket: Option<Rc<UdpSocket>>,
    /// Datagrams that leave when the step that sent them is over, as what is on streams does.
    packets: Vec<(SocketAddr, Vec<u8>)>,
    pub(crate) metrics: Rc<Metrics>,
    scratch: Vec<u8>,
}

impl Outbound {
    pub(crate) fn new(me: ProcessId, book: Rc<RefCell<Book>>, limits: Limits, metrics: Rc<Metrics>) -> Self {
        let (links, fresh, packets, scratch) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { me, book, links, fresh, limits, socket: None, packets, metrics, scratch }
    }

    /// The way to `peer`; none if it has no address.
    fn link(&mut self, peer: ProcessId) -> Option<Rc<Link>> {
        if let Some(Some(link)) = self.links.get(peer.index()) {
            return Some(Rc::clone(link));
        }
        self.book.borrow().address(peer)?;
        let queue = RefCell::new(Queue::new(self.me, peer));
        let link = Rc::new(Link { peer, queue, wake: Notify::new() });
        if self.links.len() <= peer.index() {
            self.links.resize(peer.index() + 1, None);
        }
        self.links[peer.index()] = Some(Rc::clone(&link));
        self.fresh.push(Rc::clone(&link));
        Some(link)
    }

    pub(crate) fn watch(&mut self, peer: ProcessId, watched: bool) {
        if let Some(link) = self.link(peer) {
            link.queue.borrow_mut().watched = watched;
            link.wake.notify_one();
        }
    }

    /// Sends `msg`; over a stream, it waits until one is there.
    pub(crate) fn send<M: Serialize>(&mut self, to: ProcessId, channel: Channel, msg: &M) {
        let Some(link) = self.link(to) else {
            tracing::warn!(to = to.0, "a message to a process that has no address");
            self.metrics.dropped.inc();
            return;
        };
        if channel == Channel::Datagram && self.cast(&link, msg) {
            return;
        }
        let mut queue = link.queue.borrow_mut();
        if queue.over {
            self.metrics.dropped.inc();
            return;
        }
        let before = queue.bytes.len();
        if let Err(error) = self.enqueue(&mut queue, msg) {
            queue.bytes.truncate(before);
            self.metrics.dropped.inc();
            tracing::error!(to = to.0, %error, "a message that cannot be sent");
            return;
        }
        self.metrics.sent.inc();
        self.metrics.sent_bytes.inc_by((queue.bytes.len() - before) as u64);
        queue.messages += 1;
        queue.over = queue.bytes.len() > self.limits.queue_bytes_max;
        // Whoever tends it was told when the first one came.
        if before == 0 || queue.over {
            link.wake.notify_one();
        }
    }

    /// Puts the frame of a message at the end of a queue, and the names that are new in it before it.
    fn enqueue<M: Serialize>(&mut self, queue: &mut Queue, msg: &M) -> Result<(), String> {
        let start = wire::open(&mut queue.bytes, wire::MESSAGE);
        let Queue { bytes, named, .. } = queue;
        let mut new = Vec::new();
        let encoded = translate::encode(msg, std::mem::take(bytes), &mut |handle| {
            let (name, is_new) = named.name(handle);
            if is_new {
                new.push(handle);
            }
            Some(name)
        });
        *bytes = encoded.map_err(|error| error.to_string())?;
        wire::close(bytes, start);
        let length = bytes.len() - start;
        if length > self.limits.message_bytes_max {
            return Err(format!("its {length} bytes are more than a message may have"));
        }
        if new.is_empty() {
            return Ok(());
        }
        let mut introductions = std::mem::take(&mut self.scratch);
        introductions.clear();
        for handle in new {
            // Protocols may have names for nobody; they reach the other end as an address that is none.
            let address = self.book.borrow().address(ProcessId(handle));
            let start = wire::open(&mut introductions, wire::INTRODUCE);
            introductions.extend_from_slice(address.as_deref().unwrap_or_default().as_bytes());
            wire::close(&mut introductions, start);
        }
        bytes.splice(start..start, introductions.iter().copied());
        self.scratch = introductions;
        Ok(())
    }

    /// Sends a datagram. False if it does not fit into one: then the stream takes it, which promises more.
    fn cast<M: Serialize>(&mut self, link: &Link, msg: &M) -> bool {
        let mut queue = link.queue.borrow_mut();
        let Some((address, session)) = &mut queue.session else {
            // A stream has to be there first; until then datagrams are lost.
            self.metrics.dropped.inc();
            queue.watched = true;
            link.wake.notify_one();
            return true;
        };
        let packet = match datagram::packet(msg, (self.me, link.peer), &self.book.borrow(), session) {
            Ok(packet) => packet,
            Err(error) => {
                tracing::error!(to = link.peer.0, %error, "a message that cannot be sent");
                self.metrics.dropped.inc();
                return true;
            }
        };
        if packet.len() > datagram::BYTES_MAX {
            return false;
        }
        self.packets.push((*address, packet));
        true
    }

    /// Lets datagrams leave.
    #[inline]
    pub(crate) fn send_packets(&mut self) {
        for (address, packet) in self.packets.drain(..) {
            let sent =
                self.socket.as_ref().is_some_and(|socket| socket.try_send_to(&packet, address).is_ok());
            // A full buffer loses datagrams, as any router does.
            let counter = if sent { &self.metrics.datagrams_sent } else { &self.metrics.dropped };
            counter.inc();
        }
    }

    /// Whether a message waits anywhere.
    pub(crate) fn is_idle(&self) -> bool {
        self.links.iter().flatten().all(|link| link.queue.borrow().bytes.is_empty())
    }
}
