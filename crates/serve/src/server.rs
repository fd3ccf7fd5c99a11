//! Listens, limits what clients may hold, and stops gracefully.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Instant;

use crate::connections::Connections;
use crate::stream::{Moved, Stream};
use crate::{Bundle, ServeError};

/// Largest number of connections that the system queues until they are accepted.
const BACKLOG: u32 = 4096;
/// Largest size of a request's head, in bytes.
const MAX_HEAD: usize = 32 << 10;
/// Bytes that the system may buffer per connection beyond those in flight: clients that read slowly take little
/// memory.
const UNSENT: u32 = 256 << 10;
/// Pause when the system cannot open a new connection.
const BREATH: Duration = Duration::from_millis(20);
/// Largest number of connections, if the system allows as many.
const CONNECTIONS: usize = 16_384;

/// Limits on what clients may hold, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Open connections. When one more comes, those over which nothing was sent for the longest time are closed.
    pub connections: usize,
    /// Time from the opening of a connection, or the end of an answer, until the next request has arrived.
    pub request: Duration,
    /// Time during which a client may read nothing of an answer.
    pub stall: Duration,
    /// Time for running downloads to finish when the server is stopped.
    pub grace: Duration,
}

impl Default for Limits {
    /// 16,384 connections or three quarters of the files that the process may open, whichever is less; 15 seconds for
    /// a request, 30 for reading some of an answer, 10 for stopping.
    fn default() -> Self {
        Self {
            connections: CONNECTIONS.min(open_files() / 4 * 3),
            request: Duration::from_secs(15),
            stall: Duration::from_secs(30),
            grace: Duration::from_secs(10),
        }
    }
}

/// Number of files that this process may open.
#[cfg(unix)]
fn open_files() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current.map_or(usize::MAX, |limit| limit as usize)
}

#[cfg(not(unix))]
fn open_files() -> usize {
    usize::MAX
}

/// Raises this process's limit of open files to the system's maximum; each connection takes one.
#[cfg(unix)]
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    // If that fails, the limit of connections is lower.
    let _ = setrlimit(Resource::Nofile, raised);
}

#[cfg(not(unix))]
fn raise_open_files() {}

/// The service of a server.
pub enum App {
    /// A bundle only, without the overhead of a router.
    Bundle(Bundle),
    /// Any router.
    Router(Router),
}

impl From<Bundle> for App {
    fn from(bundle: Bundle) -> Self {
        Self::Bundle(bundle)
    }
}

impl From<Router> for App {
    fn from(router: Router) -> Self {
        Self::Router(router)
    }
}

/// A server that listens but does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    limits: Limits,
}

impl Server {
    /// Listens on an address, in a Tokio runtime; port 0 takes a free one.
    pub fn bind(addr: SocketAddr) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Bind { addr, source };
        let listener = listen(addr).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let limits = Limits::default();
        Ok(Self {
            listener,
            addr,
            limits,
        })
    }

    /// Replaces the default limits.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The address on which it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers until `shutdown` completes, then finishes running answers within [`Limits::grace`].
    pub async fn run(
        self,
        app: impl Into<App>,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        match app.into() {
            App::Bundle(bundle) => self.answer(bundle, shutdown).await,
            App::Router(router) => {
                let service = TowerToHyperService::new(router);
                self.answer(service, shutdown).await
            }
        }
    }

    async fn answer<S, B>(
        self,
        service: S,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError>
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Error = axum::Error> + Send + 'static,
        B::Data: Send,
    {
        let Self {
            listener, limits, ..
        } = self;
        let connections = Connections::new(limits.connections);
        let graceful = GracefulShutdown::new();
        tokio::select! {
            () = accept(&listener, service, limits, &connections, &graceful) => {}
            () = shutdown => {}
        }
        drop(listener);
        if tokio::time::timeout(limits.grace, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("unfinished downloads were cut off");
            connections.close();
        }
        Ok(())
    }
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = match addr {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // A restarted server can then listen while connections of the previous one are closing.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Accepts connections for ever; each has its own task.
async fn accept<S, B>(
    listener: &TcpListener,
    service: S,
    limits: Limits,
    connections: &Arc<Connections>,
    graceful: &GracefulShutdown,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Error = axum::Error> + Send + 'static,
    B::Data: Send,
{
    let start = Instant::now();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.request)
        .max_buf_size(MAX_HEAD)
        // A client may close its sending half after its request.
        .half_close(true);
    loop {
        let tcp = match listener.accept().await {
            Ok((tcp, _)) => tcp,
            Err(error) => {
                if !is_of_one_connection(&error) {
                    // The usual cause is too many open files.
                    connections.shed();
                    tokio::time::sleep(BREATH).await;
                }
                continue;
            }
        };
        prepare(&tcp);
        let moved = Moved::now(start);
        let stream = Stream::new(tcp, moved.clone(), limits.stall);
        let connection = http.serve_connection(TokioIo::new(stream), service.clone());
        let connection = graceful.watch(connection);
        connections.spawn(moved, async move {
            // Errors of a connection are caused by the client, and nothing about clients is logged.
            let _ = connection.await;
        });
    }
}

/// Sets socket options. If the system does not know one, only speed or memory is lost.
fn prepare(tcp: &TcpStream) {
    let _ = tcp.set_nodelay(true);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket2::SockRef::from(tcp).set_tcp_notsent_lowat(UNSENT);
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

/// Serves the bundle in `dir` until `shutdown` completes. `listening` is called once, with the address, before the
/// first request is answered.
pub async fn serve(
    dir: &Path,
    addr: SocketAddr,
    listening: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let bundle = Bundle::open(dir)?;
    let server = Server::bind(addr)?;
    listening(server.local_addr());
    server.run(bundle, shutdown).await
}

/// Serves a bundle or a router until Ctrl-C or SIGTERM and blocks the thread, for programs that do nothing else. It
/// raises the process's limit of open files to the system's maximum, and `connections` limits how many of them are
/// connections. `listening` is called once, with the address, before the first request is answered.
pub fn run(
    app: impl Into<App>,
    addr: SocketAddr,
    connections: Option<usize>,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    raise_open_files();
    let mut limits = Limits::default();
    if let Some(connections) = connections {
        limits.connections = connections;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let server = Server::bind(addr)?.limits(limits);
        listening(server.local_addr());
        server.run(app, stop_signal()).await
    })
}

/// Completes at Ctrl-C and, where it exists, SIGTERM.
pub async fn stop_signal() {
    tokio::select! {
        () = interrupt() => {}
        () = terminate() => {}
    }
}

async fn interrupt() {
    // Without a signal handler there is nothing to wait for.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => {
            terminated.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending().await
}

/// Logs events and warnings to standard error, among them that a bundle was rejected.
///
/// # Panics
/// If a global subscriber is set already.
pub fn log_to_stderr() {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .with_target(false)
        .init();
}
