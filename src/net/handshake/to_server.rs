//! The handshake with the real server, mailscope being its client.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::{AlertDescription, CertificateError, ClientConfig, InvalidMessage};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::identity::Answer;
use super::{
    ClientIdentity, ServerTrust, alert_name, certificate, has_gone, is_distrust, keys, provider,
    secured, tls_error, tls_words,
};
use crate::error::{Doing, Result};
use crate::event::{Peer, Secured};
use crate::limits;
use crate::net::{KeyLogFile, ServerAddress, Transport};

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

impl ServerTlsError {
    /// What an error says about a client certificate when the handshake is done for us already: in
    /// TLS 1.3 the server looks at it, or for it in vain, later than that.
    pub fn belated_refusal(error: &io::Error) -> Option<Self> {
        match tls_error(error) {
            Some(rustls::Error::AlertReceived(alert)) => refused(*alert),
            _ => None,
        }
    }
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
    identity: Option<ClientIdentity>,
    keylog: bool,
}

impl TlsToServer {
    /// Loads the trusted certificates.
    ///
    /// # Errors
    ///
    /// There are none, or the file cannot be read; the error names it.
    pub fn new(trust: &ServerTrust) -> Result<Self> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .doing(|| "set up TLS to the server".into())?
            .dangerous()
            .with_custom_certificate_verifier(trust.verifier()?)
            .with_no_client_auth();
        // So that every transcript has the server's certificate as it was shown on that connection,
        // and whether it asked for ours.
        config.resumption = Resumption::disabled();
        Ok(Self {
            config: Arc::new(config),
            verifies: trust.verifies(),
            identity: None,
            keylog: false,
        })
    }

    /// Shows this to a server that asks for a client certificate.
    #[must_use = "what shows it is returned, not changed in place"]
    pub fn identity(mut self, identity: Option<ClientIdentity>) -> Self {
        self.identity = identity;
        self
    }

    /// Writes the keys of every session to this file.
    #[must_use = "what writes them is returned, not changed in place"]
    pub fn keylog(mut self, file: Arc<KeyLogFile>) -> Self {
        Arc::make_mut(&mut self.config).key_log = file;
        self.keylog = true;
        self
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
        let answer = Arc::new(Answer::new(self.identity.as_ref()));
        config.client_auth_cert_resolver = Arc::clone(&answer) as _;
        let connecting = TlsConnector::from(Arc::new(config)).connect(server.server_name(), tcp);
        let tls = match timeout(limits::HANDSHAKE, connecting).await {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => return Err(explained(&error, &answer, self.verifies)),
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
        let secured = Secured {
            client_certificate: answer
                .given()
                .map(|shown| certificate::describe(shown, None)),
            keylog: self.keylog,
            ..secured(
                Peer::Server,
                state,
                server.sni(),
                chain,
                Some(self.verifies),
            )
        };
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

const ASKED_IN_VAIN: &str = "it asks for a client certificate: name yours with --server-cert FILE \
                             and --server-key FILE";

/// A server that says no to the client certificate, or to there being none (RFC 8446, section 6.2:
/// no other certificate of ours can be meant).
fn refused(alert: AlertDescription) -> Option<ServerTlsError> {
    let said = alert_name(alert);
    let why = match alert {
        AlertDescription::CertificateRequired => {
            format!("it sent the TLS alert {said}; {ASKED_IN_VAIN}")
        }
        alert if is_distrust(alert) => format!(
            "it sent the TLS alert {said}: it does not take the client certificate of --server-cert"
        ),
        _ => return None,
    };
    Some(ServerTlsError::Failed { why })
}

/// Why what the server sent cannot be read.
fn unread(why: &InvalidMessage) -> String {
    match why {
        // All that the first octets of another protocol can be taken for.
        InvalidMessage::InvalidContentType
        | InvalidMessage::UnknownProtocolVersion
        | InvalidMessage::InvalidEmptyPayload
        | InvalidMessage::MessageTooLarge => format!("what it sent is not TLS; {NOT_TLS_HINT}"),
        InvalidMessage::HandshakePayloadTooLarge | InvalidMessage::CertificatePayloadTooLarge => {
            "the certificates that it sent take more than 64 kB, which mailscope does not read; let it \
             send its own and those between it and the authority, no others"
                .into()
        }
        other => format!("what it sent cannot be read: {}", tls_words(&(*other).into())),
    }
}

fn explained(error: &io::Error, answer: &Answer, verifies: bool) -> ServerTlsError {
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
        Some(Tls::InvalidMessage(message)) => failed(unread(message)),
        Some(Tls::Other(why)) => failed(why.0.to_string()),
        Some(Tls::AlertReceived(alert)) if answer.given().is_some_and(<[_]>::is_empty) => {
            // Before TLS 1.3, none of the alerts says that a certificate is missing.
            failed(format!(
                "it sent the TLS alert {}; {ASKED_IN_VAIN}",
                alert_name(*alert)
            ))
        }
        Some(Tls::AlertReceived(AlertDescription::HandshakeFailure)) => {
            let hint = match verifies {
                true => "; --insecure takes keys of other kinds",
                false => "",
            };
            failed(format!(
                "it sent the TLS alert handshake_failure: most likely it has no cipher that mailscope \
                 speaks, or no certificate with a key that mailscope can check ({}){hint}",
                keys::KNOWN
            ))
        }
        Some(other @ Tls::AlertReceived(alert)) => {
            refused(*alert).unwrap_or_else(|| failed(tls_words(other)))
        }
        Some(other) => failed(tls_words(other)),
        None if has_gone(error) && answer.given().is_some_and(<[_]>::is_empty) => failed(format!(
            "it closed the connection during the TLS handshake; {ASKED_IN_VAIN}"
        )),
        None if has_gone(error) => failed(format!(
            "it closed the connection during the TLS handshake; {NOT_TLS_HINT}"
        )),
        None => failed(error.to_string()),
    }
}
