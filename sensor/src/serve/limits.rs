//! What clients may take: so many connections, so long for a request, so long for taking an answer.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// Further ones wait in the kernel until one of these ends.
pub(super) const CONNECTIONS: usize = 64;
/// For a request's head, and for taking any of an answer that waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// A request's head. Browsers send one kilobyte.
const MOST_REQUEST: usize = 16 * 1024;

pub(super) struct Gate {
    pub(super) listener: TcpListener,
    pub(super) places: Arc<Semaphore>,
    pub(super) patience: Duration,
}

impl Listener for Gate {
    type Io = Client;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Client, SocketAddr) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                return std::future::pending().await; // nobody closes it
            };
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    return (Client::new(stream, place, self.patience), address);
                }
                // The client is gone again, or this process has no descriptor left.
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when its client asks or takes too slowly.
pub(super) struct Client {
    stream: TcpStream,
    patience: Duration,
    deadline: Pin<Box<Sleep>>,
    /// Bytes of the request.
    asked: usize,
    answered: bool,
    /// It takes nothing, and the deadline runs.
    stuck: bool,
    _place: OwnedSemaphorePermit,
}

impl Client {
    fn new(stream: TcpStream, place: OwnedSemaphorePermit, patience: Duration) -> Self {
        Client {
            stream,
            patience,
            deadline: Box::pin(sleep(patience)),
            asked: 0,
            answered: false,
            stuck: false,
            _place: place,
        }
    }

    fn late(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let deadline = self.deadline.as_mut();
        deadline
            .poll(context)
            .map(|()| io::ErrorKind::TimedOut.into())
    }

    /// After an attempt to write.
    fn wrote(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if result.is_ready() {
            (self.answered, self.stuck) = (true, false);
            return result;
        }
        if !std::mem::replace(&mut self.stuck, true) {
            let deadline = Instant::now() + self.patience;
            self.deadline.as_mut().reset(deadline);
        }
        self.late(context).map(Err)
    }
}

impl AsyncRead for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.answered
            && let Poll::Ready(late) = this.late(context)
        {
            return Poll::Ready(Err(late));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        this.asked += buffer.filled().len() - before;
        if this.asked > MOST_REQUEST {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Client {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.wrote(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
