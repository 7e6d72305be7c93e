//! How a client comes to a connection.

use std::io;
use std::sync::Arc;

use futures::future::BoxFuture;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::tls;
use crate::load::{LoadError, Target};

/// Both ways of a connection.
pub(in crate::load) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Opens connections to one server.
pub(in crate::load) trait Dial: Send + Sync {
    /// A new connection.
    fn dial(&self) -> BoxFuture<'_, io::Result<Box<dyn Wire>>>;
}

/// By TCP, and TLS over it.
pub(in crate::load) struct Network {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Network {
    /// Connections to the target.
    ///
    /// # Errors
    /// [`LoadError::BadUrl`] for a name that no certificate can have.
    pub(in crate::load) fn new(target: &Target) -> Result<Self, LoadError> {
        let bad = |error: &dyn std::fmt::Display| LoadError::BadUrl {
            url: target.url().to_owned(),
            reason: error.to_string(),
        };
        let host = target.host().to_owned();
        let tls = match target.is_tls() {
            false => None,
            true => {
                let name = ServerName::try_from(host.clone()).map_err(|e| bad(&e))?;
                let config = tls::config(target.is_on_this_machine()).map_err(|e| bad(&e))?;
                Some((TlsConnector::from(Arc::new(config)), name))
            }
        };
        let port = target.port();
        Ok(Self { host, port, tls })
    }
}

impl Dial for Network {
    fn dial(&self) -> BoxFuture<'_, io::Result<Box<dyn Wire>>> {
        Box::pin(async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            // A request is one small write, which must not wait for the answer to the one before.
            stream.set_nodelay(true)?;
            Ok(match &self.tls {
                None => Box::new(stream) as Box<dyn Wire>,
                Some((connector, name)) => Box::new(connector.connect(name.clone(), stream).await?),
            })
        })
    }
}
