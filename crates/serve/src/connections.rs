//! The open connections, and who leaves when there are too many.
//!
//! Nobody who comes is turned away: where the limit is reached, the connections over which nothing was sent for
//! longest make room. A visitor who asks and reads is never among them before those who wait, trickle or hold a
//! connection open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use crate::stream::Moved;

/// A connection in this many leaves at once, so that not every newcomer has to search.
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

/// Takes a connection off the list when its task ends, however it does.
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

    /// Runs a connection as a task of its own, after making room for it.
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
        // The lock is held, so the ticket cannot be given back before it is on the list.
        let task = tokio::spawn(async move {
            let _ticket = ticket;
            connection.await;
        });
        open.by_id.insert(id, (moved, task.abort_handle()));
    }

    /// Makes room where the system has none left for a new connection.
    pub(crate) fn shed(&self) {
        self.lock().shed(self.limit.div_ceil(SHARE));
    }

    /// Closes all of them.
    pub(crate) fn close(&self) {
        self.lock().shed(usize::MAX);
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Ends the `count` connections that have waited longest.
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
