use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::{ConfigError, require, within};

/// The settings `[server]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Whether the window's program listens while it is open; `hirag serve` always does.
    pub enabled: bool,
    /// The address to listen on: an IP address or `localhost`.
    pub host: String,
    /// The port to listen on; 0 is any that is free.
    pub port: u16,
    /// Whether other machines may be listened to. It needs a certificate.
    pub allow_remote: bool,
    /// The name under which other machines reach it; empty is the address alone.
    pub public_name: String,
    /// The file of the certificate and its chain (PEM); empty is none.
    pub tls_cert: String,
    /// The file of the certificate's key (PEM); empty is none.
    pub tls_key: String,
    /// Bytes of a request's body at most, 1024 to 1073741824.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub max_body_bytes: usize,
    /// Seconds that a request may take, 1 to 3600.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub request_timeout_secs: u64,
    /// Connections at once at most, 1 to 100000.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub max_connections: usize,
    /// Seconds that what was begun may take when the server ends, 0 to 3600.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub shutdown_secs: u64,
}

impl ServerSettings {
    /// The addresses to listen on, without the port: `localhost` is this machine's own.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        // A host that is no address is refused by `validate`.
        self.host.parse().unwrap_or(Ipv4Addr::LOCALHOST.into())
    }

    /// Whether it has a certificate.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        !self.tls_cert.is_empty()
    }

    /// Refuses a host that is no address, one that others reach without leave and certificate, and
    /// values out of range.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require(
            self.host == "localhost" || self.host.parse::<IpAddr>().is_ok(),
            "server.host",
            format!("{:?}", self.host),
            "must be an IP address to listen on, e.g. `127.0.0.1` or `::1`, or `localhost`",
        )?;
        require(
            self.tls_cert.is_empty() == self.tls_key.is_empty(),
            "server.tls_key",
            format!("{:?}", self.tls_key),
            "must be given together with `server.tls_cert`, or neither",
        )?;
        require(
            self.address().is_loopback() || (self.allow_remote && self.has_tls()),
            "server.host",
            format!("{:?}", self.host),
            "must be an address of this machine alone, as `127.0.0.1`; every machine that reaches \
             another one could try tokens there, so it needs `server.allow_remote = true` and a \
             certificate in `server.tls_cert` and `server.tls_key`",
        )?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        require(
            self.public_name.len() <= 253 && self.public_name.chars().all(plain),
            "server.public_name",
            format!("{:?}", self.public_name),
            "must be a host's name, e.g. `memory.example.org`, without a port",
        )?;
        within(
            "server.max_body_bytes",
            self.max_body_bytes,
            1_024..=1 << 30,
        )?;
        within(
            "server.request_timeout_secs",
            self.request_timeout_secs,
            1..=3_600,
        )?;
        within("server.max_connections", self.max_connections, 1..=100_000)?;
        within("server.shutdown_secs", self.shutdown_secs, 0..=3_600)
    }
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What may become a problem.
    Warn,
    /// What happens.
    Info,
    /// What helps to find a fault.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// Its name, as filters spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// The settings `[logging]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct LoggingSettings {
    /// What is logged.
    pub level: LogLevel,
    /// How a line looks.
    pub format: LogFormat,
}
