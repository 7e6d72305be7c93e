//! A small pool of connections that only read.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use crate::store::StoreError;

/// A read that goes on for longer is not waited for at the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections that wait to be used.
#[derive(Debug)]
pub(super) struct Readers {
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Debug)]
struct Pool {
    idle: Vec<Connection>,
    lent: usize,
    closed: bool,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>) -> Arc<Self> {
        Arc::new(Self {
            pool: Mutex::new(Pool {
                idle: connections,
                lent: 0,
                closed: false,
            }),
            returned: Condvar::new(),
        })
    }

    /// Takes a connection, waiting until one is free. Blocks: not for async threads.
    ///
    /// # Errors
    /// [`StoreError::Closed`] once they are closed.
    pub(super) fn take(self: &Arc<Self>) -> Result<Reader, StoreError> {
        let mut pool = self.pool.lock();
        loop {
            if pool.closed {
                return Err(StoreError::Closed);
            }
            if let Some(connection) = pool.idle.pop() {
                pool.lent += 1;
                return Ok(Reader {
                    connection: Some(connection),
                    pool: Arc::clone(self),
                });
            }
            self.returned.wait(&mut pool);
        }
    }

    /// Closes every connection, waiting a while for those that are in use, and lends no more. Blocks.
    pub(super) fn close(&self) {
        let mut pool = self.pool.lock();
        pool.closed = true;
        pool.idle.clear();
        self.returned.notify_all();
        let in_use = |pool: &mut Pool| pool.lent > 0;
        self.returned.wait_while_for(&mut pool, in_use, PATIENCE);
    }
}

/// A borrowed connection; goes back to the pool when dropped.
pub(super) struct Reader {
    connection: Option<Connection>,
    pool: Arc<Readers>,
}

impl Deref for Reader {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("the connection is only taken out in drop"),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut pool = self.pool.pool.lock();
        // The connection is closed before it counts as returned.
        match self.connection.take() {
            Some(connection) if !pool.closed => pool.idle.push(connection),
            other => drop(other),
        }
        pool.lent -= 1;
        drop(pool);
        // Whoever waits for a connection, and whoever waits for the end.
        self.pool.returned.notify_all();
    }
}
