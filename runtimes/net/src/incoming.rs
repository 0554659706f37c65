//! Streams and datagrams from others.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use isles_kernel::{Channel, ProcessId, Protocol};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::Host;
use crate::book::Book;
use crate::datagram::{self, Arrived, Session, named};
use crate::input::Input;
use crate::keys::{carries, cluster_name, member_name};
use crate::outgoing::Duplex;
use crate::settings::Security;
use crate::translate;
use crate::wire::{
    self, ALIVE, ALIVE_FRAME, Frame, Hello, INTRODUCE, MESSAGE, StreamError, Welcome, greet, greeted,
};

/// Names of processes that one stream may introduce.
const NAMES_MAX: usize = 1 << 20;

/// Takes streams for as long as the process runs.
pub(crate) async fn accept<P: Protocol>(host: Host<P>, listener: TcpListener) {
    let limits = host.0.limits;
    let streams = Arc::new(Semaphore::new(limits.streams_max));
    // Those who have not said who they are, and whether they have since.
    let mut strangers: VecDeque<(Rc<Cell<bool>>, AbortHandle)> = VecDeque::new();
    loop {
        let (tcp, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: others must end first.
                tracing::warn!(%error, "a stream could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&streams).try_acquire_owned() else {
            host.0.metrics.refused.inc();
            tracing::warn!(%from, most = limits.streams_max, "a stream is refused: there are too many");
            continue;
        };
        // Whoever belongs here says so at once: the one who has kept silent longest makes room.
        strangers.retain(|(known, _)| !known.get());
        if strangers.len() >= limits.handshakes_max
            && let Some((_, task)) = strangers.pop_front()
        {
            host.0.metrics.refused.inc();
            task.abort();
        }
        let known = Rc::new(Cell::new(false));
        let (own, done) = (host.clone(), Rc::clone(&known));
        let task = host.spawn(async move {
            let welcomed = timeout(own.0.limits.silence, welcome(&own, tcp)).await;
            done.set(true);
            match welcomed.unwrap_or(Err(StreamError::Silent)) {
                Ok((peer, mut stream, session)) => {
                    own.0.metrics.streams.inc();
                    let error = serve(&own, peer, &mut *stream).await;
                    own.0.metrics.streams.dec();
                    session.map(|session| own.0.sessions.borrow_mut().remove(&session));
                    tracing::info!(peer = peer.0, %error, "an incoming stream ended");
                }
                Err(error) => {
                    own.0.metrics.refused.inc();
                    tracing::warn!(%from, %error, "a stream is refused");
                }
            }
            drop(place);
        });
        strangers.push_back((known, task));
    }
}

/// Who is there, and the number of the session of its datagrams.
type Welcomed = (ProcessId, Box<dyn Duplex>, Option<u64>);

/// Finds out who dialled, and whether it may.
async fn welcome<P: Protocol>(host: &Host<P>, tcp: TcpStream) -> Result<Welcomed, StreamError> {
    tcp.set_nodelay(true)?;
    match &host.0.security {
        Security::Plain => {
            let mut stream: Box<dyn Duplex> = Box::new(tcp);
            let peer = answer(host, &mut stream, |_| Ok(())).await?;
            Ok((peer, stream, None))
        }
        Security::Tls(keys) => {
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(&keys.server));
            let stream = acceptor.accept(tcp).await?;
            let session = Session::of(stream.get_ref().1);
            let session = session.ok_or_else(|| StreamError::Malformed("no key for datagrams".to_owned()))?;
            let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).cloned();
            let certificate =
                certificate.ok_or_else(|| StreamError::Stranger("it has no certificate".to_owned()))?;
            let cluster = &host.0.cluster;
            let check = |member: Option<usize>| {
                let name =
                    member.map_or_else(|| cluster_name(cluster), |member| member_name(cluster, member));
                if carries(&certificate, &name) {
                    Ok(())
                } else {
                    Err(format!("its certificate is not that of {name}"))
                }
            };
            let mut stream: Box<dyn Duplex> = Box::new(stream);
            let peer = answer(host, &mut stream, check).await?;
            let number = session.number();
            if let Some(number) = number {
                host.0.sessions.borrow_mut().insert(number, (peer, session));
            }
            Ok((peer, stream, number))
        }
    }
}

/// Reads who it is, and answers.
async fn answer<P: Protocol>(
    host: &Host<P>,
    stream: &mut Box<dyn Duplex>,
    check: impl Fn(Option<usize>) -> Result<(), String>,
) -> Result<ProcessId, StreamError> {
    let hello: Hello = match greeted(stream).await {
        Ok(hello) => hello,
        Err(StreamError::Version(version)) => {
            // The heading of the answer tells which version this one speaks.
            greet(stream, &Welcome::Refused("another version".to_owned())).await?;
            return Err(StreamError::Version(version));
        }
        Err(error) => return Err(error),
    };
    match admit(host, &hello, check) {
        Ok(peer) => {
            greet(stream, &Welcome::Accepted).await?;
            Ok(peer)
        }
        Err(why) => {
            greet(stream, &Welcome::Refused(why.clone())).await?;
            Err(StreamError::Stranger(why))
        }
    }
}

fn admit<P: Protocol>(
    host: &Host<P>,
    hello: &Hello,
    check: impl Fn(Option<usize>) -> Result<(), String>,
) -> Result<ProcessId, String> {
    let inner = &*host.0;
    if hello.cluster != inner.cluster {
        return Err(format!(
            "it belongs to cluster '{}', this is '{}'",
            printable(&hello.cluster),
            inner.cluster
        ));
    }
    if hello.protocol != inner.protocol {
        return Err(format!("it speaks '{}', this one '{}'", printable(&hello.protocol), inner.protocol));
    }
    // Whoever is none of the cluster must not take a handle.
    check(None)?;
    let mut book = inner.book.borrow_mut();
    let peer = book.handle(&hello.address);
    let peer = peer.ok_or_else(|| format!("'{}' is no address", printable(&hello.address)))?;
    if peer == inner.me {
        return Err(format!("it says that it is this process, {}", hello.address));
    }
    check(book.member(peer))?;
    Ok(peer)
}

/// What a stranger wrote, for a log.
fn printable(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_default).collect()
}

/// Reads frames until the stream ends; says why it did.
async fn serve<P: Protocol>(host: &Host<P>, peer: ProcessId, stream: &mut dyn Duplex) -> StreamError {
    let limits = host.0.limits;
    let turn = host.0.turn(peer);
    let mut names = vec![Some(peer), Some(host.0.me)];
    let mut bytes = Vec::with_capacity(16 << 10);
    loop {
        let read = match timeout(limits.silence, stream.read_buf(&mut bytes)).await {
            Ok(Ok(0)) => return StreamError::Closed,
            Ok(Ok(read)) => read,
            Ok(Err(error)) => return error.into(),
            Err(_) => return StreamError::Silent,
        };
        // What an old stream still holds must not come after what a new one brought.
        if host.0.turns(peer) != turn {
            return StreamError::Replaced;
        }
        host.0.metrics.received_bytes.inc_by(read as u64);
        let mut used = 0;
        let mut asked = false;
        loop {
            match wire::frame(&bytes[used..], limits.message_bytes_max) {
                Ok(None) => break,
                Ok(Some(frame)) => {
                    asked |= frame.kind == ALIVE;
                    if let Err(error) = take(host, peer, &mut names, &frame) {
                        host.0.metrics.rejected.inc();
                        return error;
                    }
                    used += frame.bytes;
                }
                Err(error) => {
                    host.0.metrics.rejected.inc();
                    return error;
                }
            }
        }
        bytes.drain(..used);
        if bytes.is_empty() && bytes.capacity() > 1 << 20 {
            bytes = Vec::with_capacity(16 << 10);
        }
        if asked {
            let sent = async {
                stream.write_all(&ALIVE_FRAME).await?;
                stream.flush().await
            };
            match timeout(limits.silence, sent).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error.into(),
                Err(_) => return StreamError::Silent,
            }
        }
    }
}

/// Takes one frame.
fn take<P: Protocol>(
    host: &Host<P>,
    from: ProcessId,
    names: &mut Vec<Option<ProcessId>>,
    frame: &Frame<'_>,
) -> Result<(), StreamError> {
    if let Some(msg) = content(frame, names, &host.0.book)? {
        host.0.metrics.received.inc();
        host.step(Input::Message { from, channel: Channel::Stream, msg });
    }
    Ok(())
}

/// The message in a frame, if there is one in it; a name that it introduces is added to those of the stream.
pub(crate) fn content<M: DeserializeOwned>(
    frame: &Frame<'_>,
    names: &mut Vec<Option<ProcessId>>,
    book: &RefCell<Book>,
) -> Result<Option<M>, StreamError> {
    match frame.kind {
        MESSAGE => translate::decode(frame.content, &mut |name| named(names, name))
            .map(Some)
            .map_err(|error| StreamError::Malformed(format!("it is no message of the protocol: {error}"))),
        INTRODUCE if names.len() < NAMES_MAX => {
            let address = std::str::from_utf8(frame.content)
                .map_err(|_| StreamError::Malformed("an address that is no text".to_owned()))?;
            names.push(book.borrow_mut().handle(address));
            Ok(None)
        }
        ALIVE => Ok(None),
        INTRODUCE => Err(StreamError::Malformed(format!("more than {NAMES_MAX} processes on one stream"))),
        other => Err(StreamError::Malformed(format!("kind {other}"))),
    }
}

/// Takes datagrams for as long as the process runs.
pub(crate) async fn receive<P: Protocol>(host: Host<P>, socket: Rc<UdpSocket>) {
    let mut packet = vec![0; 1 << 16];
    loop {
        let Ok((length, _)) = socket.recv_from(&mut packet).await else {
            // A message of the system that somebody could not be reached; who it is, is not said.
            tokio::task::yield_now().await;
            continue;
        };
        match open::<P>(&host, &mut packet[..length]) {
            Some((from, msg)) => {
                host.0.metrics.datagrams_received.inc();
                host.step(Input::Message { from, channel: Channel::Datagram, msg });
            }
            None => {
                host.0.metrics.rejected.inc();
            }
        }
    }
}

/// The message in a datagram, and who sent it.
fn open<P: Protocol>(host: &Host<P>, packet: &mut [u8]) -> Option<(ProcessId, P::Msg)> {
    let inner = &*host.0;
    let sealed = matches!(inner.security, Security::Tls(_));
    match datagram::arrived(packet)? {
        Arrived::Plain { address, body } if !sealed => {
            let mut book = inner.book.borrow_mut();
            let from = book.handle(address)?;
            Some((from, datagram::message(body, (from, inner.me), &mut book)?))
        }
        Arrived::Sealed(number) if sealed => {
            let sessions = inner.sessions.borrow();
            let (from, session) = sessions.get(&number)?;
            let body = datagram::unseal(packet, session)?;
            Some((*from, datagram::message(body, (*from, inner.me), &mut inner.book.borrow_mut())?))
        }
        Arrived::Plain { .. } | Arrived::Sealed(_) => None,
    }
}
