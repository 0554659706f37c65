//! Streams to others: dialled when there is something to send, given up when nothing is heard, dialled again after a pause.

use std::rc::Rc;
use std::time::Duration;

use isles_kernel::{ProcessId, Protocol};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::Host;
use crate::clock::instant;
use crate::datagram::Session;
use crate::input::Input;
use crate::keys::{cluster_name, member_name};
use crate::outbound::Link;
use crate::settings::Security;
use crate::wire::{ALIVE_FRAME, Hello, StreamError, Welcome, greet, greeted};

/// A stream of either kind.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

/// At most so much is written at once, so that a slow receiver is told from a dead one.
const CHUNK: usize = 64 << 10;
/// The first pause after a failure; each one after it is twice as long, up to the limit.
const BACKOFF: Duration = Duration::from_millis(20);

/// Keeps the stream of a link for as long as the process runs.
pub(crate) async fn tend<P: Protocol>(host: Host<P>, link: Rc<Link>) {
    let peer = link.peer;
    let mut pause = BACKOFF;
    let mut failures = 0u32;
    loop {
        while !link.queue.borrow().wants_stream() {
            link.wake.notified().await;
        }
        let begun = instant();
        let error = match connect(&host, peer).await {
            Err(error) => {
                failures += 1;
                error
            }
            Ok((mut stream, session)) => {
                host.0.metrics.connects.inc();
                tracing::info!(peer = peer.0, "stream made");
                link.queue.borrow_mut().session = session;
                failures = 0;
                pump(&host, &link, &mut *stream).await
            }
        };
        host.0.metrics.unreachable.inc();
        host.0.metrics.dropped.inc_by(link.clear(host.0.me));
        // Someone who stays away is not told of again and again.
        if failures <= 1 || failures.is_power_of_two() {
            tracing::warn!(peer = peer.0, %error, failures, "no stream");
        }
        host.step(Input::Unreachable { peer });
        if begun.elapsed() > 2 * host.0.limits.silence {
            pause = BACKOFF;
        }
        // A third of the pause is drawn, so that those who lost one process do not all come back at once.
        let drawn = getrandom::u32().unwrap_or(0) % (pause.as_micros() as u32 / 3 + 1);
        tokio::time::sleep(pause - Duration::from_micros(u64::from(drawn))).await;
        pause = (2 * pause).min(host.0.limits.backoff_max);
    }
}

type Connected = (Box<dyn Duplex>, Option<(std::net::SocketAddr, Session)>);

/// Dials, and shakes hands.
async fn connect<P: Protocol>(host: &Host<P>, peer: ProcessId) -> Result<Connected, StreamError> {
    let silence = host.0.limits.silence;
    timeout(silence, dial(host, peer)).await.map_err(|_| StreamError::Silent)?
}

async fn dial<P: Protocol>(host: &Host<P>, peer: ProcessId) -> Result<Connected, StreamError> {
    let inner = &*host.0;
    let address = inner.book.borrow().address(peer);
    let address = address.ok_or_else(|| StreamError::Stranger("it has no address".to_owned()))?;
    let member = inner.book.borrow().member(peer);
    let tcp = TcpStream::connect(&*address).await?;
    tcp.set_nodelay(true)?;
    let to = tcp.peer_addr()?;
    let (mut stream, session): (Box<dyn Duplex>, _) = match &inner.security {
        Security::Plain => (Box::new(tcp), Session::Plain),
        Security::Tls(keys) => {
            // A member proves that it is this one; somebody whom a message introduced, that it belongs to the cluster.
            let name = match member {
                Some(member) => member_name(&inner.cluster, member),
                None => cluster_name(&inner.cluster),
            };
            let name =
                ServerName::try_from(name).map_err(|error| StreamError::Stranger(error.to_string()))?;
            let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::clone(&keys.client));
            let stream = connector.connect(name, tcp).await?;
            let session = Session::of(stream.get_ref().1);
            let session = session.ok_or_else(|| StreamError::Malformed("no key for datagrams".to_owned()))?;
            (Box::new(stream), session)
        }
    };
    let hello = Hello {
        cluster: inner.cluster.clone(),
        protocol: inner.protocol.clone(),
        address: inner.address.clone(),
    };
    greet(&mut stream, &hello).await?;
    match greeted(&mut stream).await? {
        Welcome::Accepted => Ok((stream, Some((to, session)))),
        Welcome::Refused(why) => Err(StreamError::Refused(why)),
    }
}

/// Writes what comes, until the stream breaks; says why it did.
async fn pump<P: Protocol>(host: &Host<P>, link: &Link, stream: &mut dyn Duplex) -> StreamError {
    let limits = host.0.limits;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut tick = interval(limits.silence / 4);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut heard, mut bytes, mut answers) = (instant(), Vec::new(), [0; 256]);
    loop {
        if link.queue.borrow().over {
            return StreamError::Slow(limits.queue_bytes_max);
        }
        bytes.clear();
        link.take(&mut bytes);
        if bytes.is_empty() {
            tokio::select! {
                () = link.wake.notified() => {}
                read = reader.read(&mut answers) => match read {
                    Ok(0) => return StreamError::Closed,
                    // Nothing but signs of life comes this way.
                    Ok(_) => heard = instant(),
                    Err(error) => return error.into(),
                },
                _ = tick.tick() => {
                    if heard.elapsed() > limits.silence {
                        return StreamError::Silent;
                    }
                    bytes.extend_from_slice(&ALIVE_FRAME);
                }
            }
        }
        for chunk in bytes.chunks(CHUNK) {
            match timeout(limits.silence, writer.write_all(chunk)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error.into(),
                Err(_) => return StreamError::Silent,
            }
        }
        if !bytes.is_empty() {
            match timeout(limits.silence, writer.flush()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error.into(),
                Err(_) => return StreamError::Silent,
            }
        }
    }
}
