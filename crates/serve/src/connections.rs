//! The open connections, and which of them are closed when there are too many.
//!
//! New connections are never rejected: at the limit, the connections over which nothing was sent for the longest time
//! are closed. A client that asks and reads is closed only after those that are idle, send slowly or hold a
//! connection open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use crate::stream::Moved;

/// One in this many connections is closed at once, so that not every new connection needs a search.
const SHARE: usize = 64;

/// All open connections.
#[derive(Debug)]
pub(crate) struct Connections {
    limit: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    by_id: HashMap<u64, (Moved, AbortHandle)>,
}

/// Removes a connection from the list when its task ends for any reason.
struct Ticket {
    connections: Arc<Connections>,
    id: u64,
}

impl Connections {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        let open = Mutex::default();
        let limit = limit.max(1);
        Arc::new(Self { limit, open })
    }

    /// Runs a connection as a task of its own; closes others first if there are too many.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        moved: Moved,
        connection: impl Future<Output = ()> + Send + 'static,
    ) {
        let mut open = self.lock();
        if open.by_id.len() >= self.limit {
            open.shed(self.limit.div_ceil(SHARE));
        }
        let id = open.next;
        open.next += 1;
        let ticket = Ticket {
            connections: self.clone(),
            id,
        };
        // The lock is held, so the ticket cannot be dropped before the connection is on the list.
        let task = tokio::spawn(async move {
            let _ticket = ticket;
            connection.await;
        });
        open.by_id.insert(id, (moved, task.abort_handle()));
    }

    /// Closes connections when the system cannot open another one.
    pub(crate) fn shed(&self) {
        self.lock().shed(self.limit.div_ceil(SHARE));
    }

    /// Closes all connections.
    pub(crate) fn close(&self) {
        self.lock().shed(usize::MAX);
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Closes the `count` connections over which nothing was sent for the longest time.
    fn shed(&mut self, count: usize) {
        let mut waiting: Vec<(u64, u64)> = self
            .by_id
            .iter()
            .map(|(id, (moved, _))| (moved.at(), *id))
            .collect();
        waiting.sort_unstable();
        for (_, id) in waiting.into_iter().take(count) {
            if let Some((_, task)) = self.by_id.remove(&id) {
                task.abort();
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.connections.lock().by_id.remove(&self.id);
    }
}
