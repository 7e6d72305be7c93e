use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the server does not listen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// Somebody else listens there.
    #[error(
        "another program listens on {address}; end it, or choose another port with `server.port` \
         or --port (0 takes any that is free)"
    )]
    PortTaken {
        /// The address.
        address: SocketAddr,
    },
    /// The system does not let it.
    #[error(
        "{address} cannot be listened on: {reason}; choose another `server.host` or `server.port`"
    )]
    CannotListen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        reason: String,
    },
    /// The certificate or its key.
    #[error("{} cannot be used: {reason}; see `server.tls_cert` and `server.tls_key`", .path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody listens.
    #[error("the server is not running; switch `server.enabled` on, or see its problem")]
    NotRunning,
}

impl ServerError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::PortTaken { .. } => "port_taken",
            Self::CannotListen { .. } => "cannot_listen",
            Self::Certificate { .. } => "bad_certificate",
            Self::NotRunning => "server_not_running",
        }
    }
}
