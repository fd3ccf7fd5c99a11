//! A connection that fails when the client stops reading.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// When something was last sent over a connection, in microseconds since `start`; initially, when it was opened.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    start: Instant,
    at: Arc<AtomicU64>,
}

impl Moved {
    /// The current time, on the clock that began at `start`.
    pub(crate) fn now(start: Instant) -> Self {
        let moved = Self {
            start,
            at: Arc::default(),
        };
        moved.touch();
        moved
    }

    fn touch(&self) {
        let at = self.start.elapsed().as_micros() as u64;
        self.at.store(at, Ordering::Relaxed);
    }

    /// Microseconds since the clock's start.
    pub(crate) fn at(&self) -> u64 {
        self.at.load(Ordering::Relaxed)
    }
}

/// A TCP stream that fails if the client reads nothing for `patience` while there is something to send.
pub(crate) struct Stream {
    tcp: TcpStream,
    moved: Moved,
    patience: Duration,
    /// Created at the first wait and reused.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Stream {
    pub(crate) fn new(tcp: TcpStream, moved: Moved, patience: Duration) -> Self {
        Self {
            tcp,
            moved,
            patience,
            timer: None,
            waiting: false,
        }
    }

    fn sent(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if result.is_ready() {
            self.waiting = false;
            self.moved.touch();
            return result;
        }
        if !self.waiting {
            let deadline = Instant::now() + self.patience;
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(deadline),
                None => self.timer = Some(Box::pin(sleep_until(deadline))),
            }
            self.waiting = true;
        }
        let over = self
            .timer
            .as_mut()
            .is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
        if over {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.waiting {
            // The system must not keep buffering what the client does not read.
            let _ = self.tcp.set_zero_linger();
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        pin!(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = pin!(&mut self.tcp).poll_write(cx, bytes);
        self.sent(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = pin!(&mut self.tcp).poll_write_vectored(cx, bytes);
        self.sent(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(&mut self.tcp).poll_shutdown(cx)
    }
}
