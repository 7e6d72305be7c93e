//! Sessions over HTTP, bounded: a client that opens them without end takes no memory without end.

use std::collections::HashMap;
use std::time::Duration;

use futures::Stream;
use parking_lot::Mutex;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionManager, LocalSessionManagerError, SessionConfig,
};
use rmcp::transport::streamable_http_server::session::{
    EventStore, RestoreOutcome, ServerSseMessage, SessionId, SessionManager,
};

/// Sessions at once. The one that was used longest ago gives way to a new one; its client gets 404
/// and begins anew, as the protocol says.
pub(super) const MOST: usize = 256;
/// A session that rests so long is closed.
const REST: Duration = Duration::from_secs(30 * 60);

/// A bounded number of sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    sessions: LocalSessionManager,
    most: usize,
    used: Mutex<Uses>,
}

/// When each session was used last, by a count of all uses.
#[derive(Debug, Default)]
struct Uses {
    count: u64,
    last: HashMap<SessionId, u64>,
}

impl Sessions {
    pub(super) fn new(most: usize) -> Self {
        let mut sessions = LocalSessionManager::default();
        let mut config = SessionConfig::default();
        config.keep_alive = Some(REST);
        sessions.session_config = config;
        Self {
            sessions,
            most,
            used: Mutex::default(),
        }
    }

    fn note(&self, id: &SessionId) {
        let mut used = self.used.lock();
        used.count += 1;
        let now = used.count;
        used.last.insert(id.clone(), now);
    }

    /// Closes what was used longest ago until one more has room.
    async fn make_room(&self) -> Result<(), LocalSessionManagerError> {
        loop {
            let oldest = {
                let open = self.sessions.sessions.read().await;
                let mut used = self.used.lock();
                // Sessions that ended by themselves are forgotten.
                used.last.retain(|id, _| open.contains_key(id));
                if open.len() < self.most {
                    return Ok(());
                }
                let last = |id: &SessionId| used.last.get(id).copied().unwrap_or_default();
                open.keys().min_by_key(|id| last(id)).cloned()
            };
            match oldest {
                Some(id) => self.sessions.close_session(&id).await?,
                None => return Ok(()),
            }
        }
    }
}

impl SessionManager for Sessions {
    type Error = LocalSessionManagerError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        self.make_room().await?;
        let created = self.sessions.create_session().await?;
        self.note(&created.0);
        Ok(created)
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.sessions.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        self.sessions.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.used.lock().last.remove(id);
        self.sessions.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.note(id);
        self.sessions.create_stream(id, message).await
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        self.note(id);
        self.sessions.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.note(id);
        self.sessions.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.note(id);
        self.sessions.resume(id, last_event_id).await
    }

    async fn restore_session(
        &self,
        id: SessionId,
    ) -> Result<RestoreOutcome<Self::Transport>, Self::Error> {
        self.make_room().await?;
        self.note(&id);
        self.sessions.restore_session(id).await
    }

    fn event_store(&self) -> Option<std::sync::Arc<dyn EventStore>> {
        self.sessions.event_store()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_session_that_was_used_longest_ago_gives_way() {
        let sessions = Sessions::new(2);
        let mut transports = Vec::new();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let (id, transport) = sessions.create_session().await.unwrap();
            transports.push(transport);
            ids.push(id);
        }
        sessions.note(&ids[0]);
        let (third, _transport) = sessions.create_session().await.unwrap();
        assert!(sessions.has_session(&ids[0]).await.unwrap());
        assert!(!sessions.has_session(&ids[1]).await.unwrap());
        assert!(sessions.has_session(&third).await.unwrap());
        assert_eq!(sessions.used.lock().last.len(), 2);
    }
}
