//! The address and the certificate.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use hirag::config::ServerSettings;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;

use super::ServerError;

/// Connections that wait to be taken at most.
const BACKLOG: u32 = 4_096;

/// Listens where the settings say.
pub(super) fn listen(settings: &ServerSettings) -> Result<TcpListener, ServerError> {
    let address = SocketAddr::new(settings.address(), settings.port);
    let listen = || {
        let socket = match address.is_ipv4() {
            true => TcpSocket::new_v4()?,
            false => TcpSocket::new_v6()?,
        };
        // Connections of the run before may still be closing; on Windows this would let two
        // programs listen at once.
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|error: std::io::Error| match error.kind() {
        ErrorKind::AddrInUse => ServerError::PortTaken { address },
        _ => ServerError::CannotListen {
            address,
            reason: error.to_string(),
        },
    })
}

/// What encrypts, if the settings name a certificate. Reads files.
pub(super) fn acceptor(settings: &ServerSettings) -> Result<Option<TlsAcceptor>, ServerError> {
    if !settings.has_tls() {
        return Ok(None);
    }
    let (cert, key) = (Path::new(&settings.tls_cert), Path::new(&settings.tls_key));
    let refuse = |path: &Path, reason: String| ServerError::Certificate {
        path: path.to_owned(),
        reason,
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refuse(cert, error.to_string()))?;
    // The error of a key's file has nothing of what is in it.
    let secret =
        PrivateKeyDer::from_pem_file(key).map_err(|error| refuse(key, error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, secret)
        })
        .map_err(|error| refuse(cert, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
