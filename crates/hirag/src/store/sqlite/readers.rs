//! A small pool of connections that only read.

use std::ops::Deref;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

/// Connections that wait to be used.
#[derive(Debug)]
pub(super) struct Readers {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>) -> Arc<Self> {
        Arc::new(Self {
            idle: Mutex::new(connections),
            returned: Condvar::new(),
        })
    }

    /// Takes a connection, waiting until one is free. Blocks: not for async threads.
    pub(super) fn take(self: &Arc<Self>) -> Reader {
        let mut idle = self.idle.lock();
        loop {
            if let Some(connection) = idle.pop() {
                return Reader {
                    connection: Some(connection),
                    pool: Arc::clone(self),
                };
            }
            self.returned.wait(&mut idle);
        }
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
        if let Some(connection) = self.connection.take() {
            self.pool.idle.lock().push(connection);
            self.pool.returned.notify_one();
        }
    }
}
