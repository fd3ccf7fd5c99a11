//! Listening, and stopping without cutting anybody off.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::{ServeError, router};

/// How long downloads under way may take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// A server that has its address and does not answer yet.
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
}

impl Server {
    /// Takes an address; port 0 takes a free one.
    pub async fn bind(addr: SocketAddr) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Bind { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, addr })
    }

    /// The address it has.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers until `shutdown` is done, and then ends what is under way, within ten seconds.
    pub async fn run(
        self,
        router: Router,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let (stopping, stopped) = oneshot::channel();
        let listener = self.listener.tap_io(|stream| {
            // Only speed is lost without it.
            let _ = stream.set_nodelay(true);
        });
        let server = axum::serve(listener, router).with_graceful_shutdown(async move {
            shutdown.await;
            // Nobody listens any more if the server ended by itself.
            let _ = stopping.send(());
        });
        tokio::select! {
            ended = server => Ok(ended?),
            () = deadline(stopped) => {
                tracing::warn!("downloads that had not ended were cut off");
                Ok(())
            }
        }
    }
}

async fn deadline(stopped: oneshot::Receiver<()>) {
    match stopped.await {
        Ok(()) => tokio::time::sleep(GRACE).await,
        Err(_) => std::future::pending().await,
    }
}

/// Serves the bundle in `dir` until `shutdown` is done. `listening` is called once, with the address,
/// before the first request is answered.
pub async fn serve(
    dir: &Path,
    addr: SocketAddr,
    listening: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let router = router(dir)?;
    let server = Server::bind(addr).await?;
    listening(server.local_addr());
    server.run(router, shutdown).await
}

/// Serves a router until Ctrl-C or SIGTERM, blocking the thread: for programs that do nothing else.
/// `listening` is called once, with the address, before the first request is answered.
pub fn run(
    router: Router,
    addr: SocketAddr,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let server = Server::bind(addr).await?;
        listening(server.local_addr());
        server.run(router, stop_signal()).await
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
