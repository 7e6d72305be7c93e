/// Why there was no load.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A number that is not allowed.
    #[error("{key} is {value}; it {rule}")]
    OutOfRange {
        /// Which.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        rule: &'static str,
    },
    /// A mix that cannot be.
    #[error(
        "the mix `{mix}` cannot be: {reason}; write e.g. `search=8,store=1` of store, search, health and metrics"
    )]
    BadMix {
        /// The mix, or the part of it.
        mix: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address that is none.
    #[error("`{url}` is no address of a server: {reason}; write e.g. http://127.0.0.1:8080")]
    BadUrl {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A token would go over the network for all to read.
    #[error("{0} is another machine, and the token would go there unencrypted; use https")]
    TokenInClear(String),
    /// Only this machine's own server may be asked from here.
    #[error("{0} is not on this machine; from here, only the program's own server is tested")]
    NotOnThisMachine(String),
    /// The memory has no server.
    #[error("no server of this memory is running; start `hirag serve`, or name one by its address")]
    NoServer,
    /// Nobody listens there.
    #[error("{url} cannot be reached: {reason}; is the server running?")]
    Unreachable {
        /// The address.
        url: String,
        /// What the network says.
        reason: String,
    },
    /// The token is not the server's.
    #[error(
        "{url} refuses the token ({status}); give the server's own in HIRAG_SERVER_TOKEN or by --token-stdin"
    )]
    WrongToken {
        /// The address.
        url: String,
        /// What it answered.
        status: u16,
    },
    /// The server asks for a token.
    #[error(
        "{url} asks for a token ({status}) and none is at hand; give the server's in HIRAG_SERVER_TOKEN or by --token-stdin"
    )]
    NoToken {
        /// The address.
        url: String,
        /// What it answered.
        status: u16,
    },
    /// Something else than this system's server answers.
    #[error("{url} answers {status} to GET /health; is it the address of a HiRAG server?")]
    NotOurs {
        /// The address.
        url: String,
        /// What it answered.
        status: u16,
    },
    /// A fault of this program.
    #[error("internal fault: {0}; please report it")]
    Internal(String),
}

impl LoadError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OutOfRange { .. } => "invalid_load",
            Self::BadMix { .. } => "invalid_mix",
            Self::BadUrl { .. } => "invalid_url",
            Self::TokenInClear(_) => "token_in_clear",
            Self::NotOnThisMachine(_) => "not_on_this_machine",
            Self::NoServer => "no_server",
            Self::Unreachable { .. } => "server_unreachable",
            Self::WrongToken { .. } | Self::NoToken { .. } => "unauthorized",
            Self::NotOurs { .. } => "not_a_hirag_server",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether what was asked for can never be, whatever the server does.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::OutOfRange { .. } | Self::BadMix { .. } | Self::BadUrl { .. }
        )
    }
}
