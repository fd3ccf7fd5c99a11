//! Many clients at once, and how long the others wait.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};

/// How often a slow client moves.
const PACE: Duration = Duration::from_secs(3);
/// What a slow reader's system holds for it.
const RECEIVED: u32 = 16 << 10;

/// Slow connections that are held open, each opened again when the server closes it.
pub(crate) struct Crowd {
    runtime: Option<Runtime>,
    held: Arc<AtomicUsize>,
}

/// A third says nothing, a third sends a request bit by bit, and a third hardly reads the answer.
#[derive(Clone, Copy)]
enum Manner {
    Silent,
    Trickles,
    HardlyReads,
}

impl Crowd {
    /// Opens `count` connections and returns when all are open.
    pub(crate) fn gather(addr: SocketAddr, target: &str, count: usize) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let held = Arc::new(AtomicUsize::new(0));
        for at in 0..count {
            let manner = [Manner::Silent, Manner::Trickles, Manner::HardlyReads][at % 3];
            let (target, held) = (target.to_owned(), held.clone());
            runtime.spawn(async move {
                // Spread over the pace, as people are.
                tokio::time::sleep(PACE * (at % 100) as u32 / 100).await;
                loop {
                    let _ = hold(addr, &target, manner, &held).await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
        }
        let crowd = Self {
            runtime: Some(runtime),
            held,
        };
        let patience = Instant::now() + Duration::from_mins(2);
        while crowd.held() < count {
            assert!(
                Instant::now() < patience,
                "{} of {count} connections came",
                crowd.held()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        crowd
    }

    /// How many are open or about to be opened again: a server that closes them has to do with them all the same.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn hold(
    addr: SocketAddr,
    target: &str,
    manner: Manner,
    held: &AtomicUsize,
) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(RECEIVED)?;
    let mut stream = socket.connect(addr).await?;
    held.fetch_add(1, Ordering::Relaxed);
    let result = async {
        let mut byte = [0; 1];
        match manner {
            Manner::Silent => {
                stream.read_exact(&mut byte).await?;
            }
            Manner::Trickles => {
                stream
                    .write_all(format!("GET {target} HTTP/1.1\r\nx: ").as_bytes())
                    .await?;
                loop {
                    tokio::time::sleep(PACE).await;
                    stream.write_all(b"x").await?;
                }
            }
            Manner::HardlyReads => {
                let request = format!("GET {target} HTTP/1.1\r\nhost: shop.example\r\n\r\n");
                stream.write_all(request.as_bytes()).await?;
                while stream.read(&mut byte).await? > 0 {
                    tokio::time::sleep(PACE).await;
                }
            }
        }
        Ok(())
    }
    .await;
    // One that comes back at once counts as held meanwhile.
    tokio::time::sleep(Duration::from_millis(1)).await;
    held.fetch_sub(1, Ordering::Relaxed);
    result
}

/// Times, sorted.
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    pub(crate) fn quantile(&self, share: f64) -> Duration {
        self.0[((self.0.len() - 1) as f64 * share).round() as usize]
    }
}

impl std::fmt::Debug for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [half, most, all] = [0.5, 0.99, 1.0].map(|share| self.quantile(share));
        write!(f, "p50 {half:?}, p99 {most:?}, max {all:?}")
    }
}

/// Bytes that a process has in memory.
pub(crate) fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// Lets this process open so many files.
#[cfg(unix)]
pub(crate) fn raise_open_files(count: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < count) {
        let raised = Rlimit {
            current: Some(count),
            maximum,
        };
        setrlimit(Resource::Nofile, raised).expect("the system allows as many open files");
    }
}

/// A row for the benchmark's table.
pub(crate) fn row(case: &str, metric: &str, ours: f64, peer: &str, theirs: f64) {
    let row = json!({ "case": case, "metric": metric, "peer": peer, "ours": ours, "theirs": theirs, "ratio": ours / theirs });
    println!("BENCH {row}");
}
