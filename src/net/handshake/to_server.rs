//! The handshake with the real server, mailscope being its client.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::{CertificateError, ClientConfig};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{ServerTrust, has_gone, provider, secured, tls_error, tls_words};
use crate::error::{Doing, Result};
use crate::event::{Peer, Secured};
use crate::limits;
use crate::net::{ServerAddress, Transport};

/// Why there is no TLS with the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerTlsError {
    /// Its certificate is not good.
    Untrusted {
        /// In words: `it expired on 2026-01-01T00:00:00Z`.
        why: String,
    },
    /// Anything else.
    Failed {
        /// In words: `it closed the connection during the handshake`.
        why: String,
    },
}

impl fmt::Display for ServerTlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untrusted { why } => write!(f, "the certificate does not verify: {why}"),
            Self::Failed { why } => f.write_str(why),
        }
    }
}

impl std::error::Error for ServerTlsError {}

/// Everything that TLS with the server takes, made once a run.
pub struct TlsToServer {
    config: Arc<ClientConfig>,
    verifies: bool,
}

impl TlsToServer {
    /// Loads the trusted certificates.
    ///
    /// # Errors
    ///
    /// There are none, or the file cannot be read; the error names it.
    pub fn new(trust: &ServerTrust) -> Result<Self> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .doing(|| "set up TLS to the server".into())?
            .dangerous()
            .with_custom_certificate_verifier(trust.verifier()?)
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
            verifies: trust.verifies(),
        })
    }

    /// Does the handshake, within [`limits::HANDSHAKE`]. `alpn` is what the app offered, so that
    /// the server chooses as it would without us (RFC 7301); what it chose is in the [`Secured`].
    ///
    /// # Errors
    ///
    /// The certificate is not good, or there is no TLS to be had.
    pub async fn connect(
        &self,
        tcp: TcpStream,
        server: &ServerAddress,
        alpn: Vec<Vec<u8>>,
    ) -> Result<(Transport, Secured), ServerTlsError> {
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = alpn;
        let connecting = TlsConnector::from(Arc::new(config)).connect(server.server_name(), tcp);
        let tls = match timeout(limits::HANDSHAKE, connecting).await {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => return Err(explained(&error)),
            Err(_) => {
                return Err(ServerTlsError::Failed {
                    why: format!(
                        "it did not finish the TLS handshake within {} seconds; {NOT_TLS_HINT}",
                        limits::HANDSHAKE.as_secs()
                    ),
                });
            }
        };
        let (_, state) = tls.get_ref();
        let chain = state.peer_certificates().unwrap_or_default();
        let secured = secured(
            Peer::Server,
            state,
            server.sni(),
            chain,
            Some(self.verifies),
        );
        Ok((Transport::TlsClient(Box::new(tls)), secured))
    }
}

impl fmt::Debug for TlsToServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsToServer")
            .field("verifies", &self.verifies)
            .finish_non_exhaustive()
    }
}

const NOT_TLS_HINT: &str = "check the port (IMAP over TLS: 993), or use --server-tls none if the \
                            server speaks cleartext there";

fn explained(error: &io::Error) -> ServerTlsError {
    use rustls::Error as Tls;
    let failed = |why: String| ServerTlsError::Failed { why };
    match tls_error(error) {
        Some(Tls::InvalidCertificate(CertificateError::Other(why))) => ServerTlsError::Untrusted {
            why: why.0.to_string(),
        },
        Some(Tls::InvalidCertificate(why)) => ServerTlsError::Untrusted {
            why: why.to_string(),
        },
        Some(Tls::NoCertificatesPresented) => ServerTlsError::Untrusted {
            why: "it sent none".into(),
        },
        Some(Tls::InvalidMessage(_)) => failed(format!("what it sent is not TLS; {NOT_TLS_HINT}")),
        Some(other) => failed(tls_words(other)),
        None if has_gone(error) => failed(format!(
            "it closed the connection during the TLS handshake; {NOT_TLS_HINT}"
        )),
        None => failed(error.to_string()),
    }
}
