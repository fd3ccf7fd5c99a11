//! Listening, limits on what a client may hold, and stopping without cutting anybody off.

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

/// Connections that the system may hold until they are accepted.
const BACKLOG: u32 = 4096;
/// A request's head may have so many bytes.
const MAX_HEAD: usize = 32 << 10;
/// What the system may hold for a connection beyond what is on its way: reading slowly costs little memory.
const UNSENT: u32 = 256 << 10;
/// The pause when the system has no room for a new connection.
const BREATH: Duration = Duration::from_millis(20);
/// Connections at once where the system allows as many.
const CONNECTIONS: usize = 16_384;

/// What a client may hold, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at once. Where one more comes, those leave over which nothing was sent for longest.
    pub connections: usize,
    /// From the opening of a connection, or the end of an answer, until the next request is there whole.
    pub request: Duration,
    /// How long a client may take nothing of an answer.
    pub stall: Duration,
    /// How long downloads under way may take once the server is told to stop.
    pub grace: Duration,
}

impl Default for Limits {
    /// 16,384 connections or three quarters of the files that the process may open, whichever is less; 15 seconds for
    /// a request, 30 for taking some of an answer, 10 for ending at a stop.
    fn default() -> Self {
        Self {
            connections: CONNECTIONS.min(open_files() / 4 * 3),
            request: Duration::from_secs(15),
            stall: Duration::from_secs(30),
            grace: Duration::from_secs(10),
        }
    }
}

/// How many files this process may open.
#[cfg(unix)]
fn open_files() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current.map_or(usize::MAX, |limit| limit as usize)
}

#[cfg(not(unix))]
fn open_files() -> usize {
    usize::MAX
}

/// Lets this process open as many files as the system allows it at most; a connection is one.
#[cfg(unix)]
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    // Where it is refused, fewer connections are held.
    let _ = setrlimit(Resource::Nofile, raised);
}

#[cfg(not(unix))]
fn raise_open_files() {}

/// What a server answers with.
pub enum App {
    /// A bundle by itself, without what a router takes of every request.
    Bundle(Bundle),
    /// Whatever a router has.
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

/// A server that has its address and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    limits: Limits,
}

impl Server {
    /// Takes an address, in a Tokio runtime; port 0 takes a free one.
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

    /// With other limits than the default ones.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The address it has.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers until `shutdown` is done, and then ends what is under way, within [`Limits::grace`].
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
            tracing::warn!("downloads that had not ended were cut off");
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
    // So that a restart need not wait for the last connections of the server before it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Accepts connections for ever, each answered by a task of its own.
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
        // A client may close its half when it has asked.
        .half_close(true);
    loop {
        let tcp = match listener.accept().await {
            Ok((tcp, _)) => tcp,
            Err(error) => {
                if !is_of_one_connection(&error) {
                    // As a rule there are too many open files.
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
            // What goes wrong with a connection is its client's affair, and nothing about clients is written down.
            let _ = connection.await;
        });
    }
}

/// Only speed and memory are lost where the system does not know an option.
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

/// Serves the bundle in `dir` until `shutdown` is done. `listening` is called once, with the address,
/// before the first request is answered.
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

/// Serves a bundle or a router until Ctrl-C or SIGTERM, blocking the thread: for programs that do nothing else. The process may
/// open as many files as the system lets it afterwards, and `connections` limits how many are connections.
/// `listening` is called once, with the address, before the first request is answered.
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

/// Done at Ctrl-C, and where there is one at SIGTERM.
pub async fn stop_signal() {
    tokio::select! {
        () = interrupt() => {}
        () = terminate() => {}
    }
}

async fn interrupt() {
    // Where there is no such signal there is nothing to wait for.
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

/// Shows the server's news and warnings on standard error, where a refused bundle is told.
///
/// # Panics
/// If the program shows events in some way already.
pub fn log_to_stderr() {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .with_target(false)
        .init();
}
