//! A client's connection: one task, woken by its socket and by the store.

mod core;
mod flights;

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::core::Core;
use crate::session::Session;
use crate::shared::{Shared, add};
use crate::switchboard::{Doom, Line};

/// Bytes of buffer that an idle connection keeps.
const KEPT: usize = 4 << 10;
/// A connection whose buffers are smaller is never ended for those of all.
const SMALL: usize = 64 << 10;

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// The client closed it, or asked for it, or sent what is no request.
    Closed,
    /// The socket failed.
    Broken,
    /// It left too many bytes of answers unread.
    Unread,
    /// It needed more than all clients together may.
    Full,
    /// The node ended it.
    Doomed(Doom),
}

/// A client's connection.
pub(crate) struct Connection<S> {
    shared: Rc<Shared>,
    stream: S,
    core: Core,
    line: Rc<Line>,
    /// Bytes that are no whole request, or wait.
    input: BytesMut,
    /// The client sends no more.
    is_over: bool,
    /// Bytes of its buffers, as they were counted.
    counted: usize,
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        self.shared.buffers.set(self.shared.buffers.get() - self.counted);
        self.shared.switchboard.close(&self.line);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(crate) fn new(shared: Rc<Shared>, stream: S, line: Rc<Line>) -> Self {
        let core = Core::new(Session::new(line.clone(), &shared));
        Self { shared, stream, core, line, input: BytesMut::new(), is_over: false, counted: 0 }
    }

    /// Serves the client until it ends.
    pub(crate) async fn serve(mut self) -> End {
        let end = std::future::poll_fn(|cx| self.poll(cx)).await;
        // Whoever is told why it is ended has read it, or never will.
        let _ = std::future::poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await;
        end
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.line.wake_with(cx.waker());
        self.line.is_busy.set(true);
        let end = self.turn(cx);
        self.line.is_busy.set(false);
        let unsent = self.core.out.bytes.len();
        self.line.unsent.set(unsent);
        if unsent == 0 {
            self.line.sent.set(self.shared.second.get());
        }
        let is_amid = self.core.is_amid() || self.core.is_hungry && !self.input.is_empty();
        // Whoever has closed its half, and waits, gets the same time.
        self.line.is_amid.set(is_amid || self.is_over);
        self.line.waiting.set(self.core.waiting());
        if end.is_pending() && !self.settle() { Poll::Ready(End::Full) } else { end }
    }

    /// Gives buffers back, and counts them. False if there is no room for them.
    fn settle(&mut self) -> bool {
        for buffer in [&mut self.input, &mut self.core.out.bytes] {
            if buffer.is_empty() && buffer.capacity() > KEPT {
                *buffer = BytesMut::new();
            }
        }
        let size = self.input.capacity() + self.core.out.bytes.capacity();
        let all = self.shared.buffers.get() - self.counted + size;
        self.shared.buffers.set(all);
        self.counted = size;
        all <= self.shared.config.limits.buffers || size <= SMALL
    }

    /// Goes on as far as it can.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            match self.line.doom() {
                // What was read is answered.
                Some(Doom::Stop) => self.core.is_ending = true,
                Some(doom) => return Poll::Ready(End::Doomed(doom)),
                None => {}
            }
            self.core.collect(&self.shared);
            if !self.core.is_hungry || !self.input.is_empty() {
                let taken = self.core.feed(&self.shared, &self.input);
                self.input.advance(taken);
                self.core.collect(&self.shared);
            }
            let was_full = self.core.is_full();
            if self.write(cx).is_err() {
                return Poll::Ready(End::Broken);
            }
            let unsent = self.core.out.bytes.len();
            if unsent > self.shared.config.limits.output {
                return Poll::Ready(End::Unread);
            }
            if (self.core.is_ending || self.is_over) && self.core.is_idle() && unsent == 0 {
                return Poll::Ready(End::Closed);
            }
            if was_full && !self.core.is_full() {
                continue;
            }
            if !self.core.is_hungry || self.core.is_ending || self.is_over {
                return Poll::Pending;
            }
            match self.read(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(End::Broken),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Reads once, and takes what requests there are.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let mut scratch = self.shared.scratch.borrow_mut();
        let mut buffer = ReadBuf::new(&mut scratch);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
        if !matches!(read, Poll::Ready(Ok(()))) {
            return read;
        }
        let bytes = buffer.filled();
        self.is_over = bytes.is_empty();
        add(&self.shared.stats.input, bytes.len());
        self.line.heard.set(self.shared.second.get());
        let taken = if self.input.is_empty() { self.core.feed(&self.shared, bytes) } else { 0 };
        self.input.extend_from_slice(&bytes[taken..]);
        Poll::Ready(Ok(()))
    }

    /// Sends what can be sent.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), std::io::Error> {
        let out = &mut self.core.out.bytes;
        let before = out.len();
        while !out.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, out) {
                Poll::Ready(Ok(0)) => return Err(std::io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => out.advance(count),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        let sent = before - out.len();
        if sent > 0 {
            add(&self.shared.stats.output, sent);
            self.line.sent.set(self.shared.second.get());
            if let Poll::Ready(Err(error)) = Pin::new(&mut self.stream).poll_flush(cx) {
                return Err(error);
            }
        }
        Ok(())
    }
}
