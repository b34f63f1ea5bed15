//! The handshake with the app, mailscope being its server.
//!
//! It has two halves, since between them the server is asked which application protocol it
//! chooses:
//!
//! ```text
//! app -> ClientHello (SNI, ALPN) ->   hello()
//!                                       ... the handshake with the server ...
//! app <- our certificate, ALPN   <-   finish()
//! ```

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::ServerConfig;
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

use super::{alert_name, has_gone, is_distrust, provider, secured, tls_error, tls_words};
use crate::error::{Doing, Result};
use crate::event::{Peer, Secured};
use crate::limits;
use crate::net::{Authority, KeyLogFile, Transport};

/// Why there is no TLS with the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientTlsError {
    /// It does not trust our certificate.
    Distrust {
        /// The TLS alert it sent, or that it hung up.
        why: String,
    },
    /// It does not speak TLS.
    NotTls {
        /// What it does instead, and what to do.
        why: String,
    },
    /// Anything else.
    Failed {
        /// In words.
        why: String,
    },
    /// It went before it sent anything: a port probe, nothing to speak of.
    Gone,
}

impl ClientTlsError {
    /// The distrust that an error tells of when the handshake is done for us already: in TLS 1.3
    /// an app may look at the certificate and send its alert later than that.
    pub fn belated_distrust(error: &io::Error) -> Option<Self> {
        match finish_failed(error, false) {
            distrust @ Self::Distrust { .. } => Some(distrust),
            _ => None,
        }
    }
}

impl fmt::Display for ClientTlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Distrust { why } | Self::NotTls { why } | Self::Failed { why } => {
                f.write_str(why)
            }
            Self::Gone => f.write_str("it closed the connection before it sent anything"),
        }
    }
}

impl std::error::Error for ClientTlsError {}

/// Everything that TLS with the app takes, made once a run.
pub struct TlsToClient {
    authority: Arc<Authority>,
    config: Arc<ServerConfig>,
    keylog: bool,
}

impl TlsToClient {
    /// Sets up TLS with leaves of this authority.
    ///
    /// # Errors
    ///
    /// No leaf can be minted.
    pub fn new(authority: Arc<Authority>) -> Result<Self> {
        let presented = Presented::new(authority.leaf(None)?);
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .doing(|| "set up TLS to the app".into())?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(presented));
        Ok(Self {
            authority,
            config: Arc::new(config),
            keylog: false,
        })
    }

    /// Writes the keys of every session to this file.
    #[must_use = "what writes them is returned, not changed in place"]
    pub fn keylog(mut self, file: Arc<KeyLogFile>) -> Self {
        Arc::make_mut(&mut self.config).key_log = file;
        self.keylog = true;
        self
    }

    /// Reads the app's hello, within [`limits::HANDSHAKE`], and answers nothing yet.
    ///
    /// # Errors
    ///
    /// The app does not speak TLS; that is found before an octet is sent. Or it has gone, or its
    /// hello cannot be read.
    pub async fn hello(&self, tcp: TcpStream) -> Result<StartedHandshake, ClientTlsError> {
        let deadline = Instant::now() + limits::HANDSHAKE;
        match timeout_at(deadline, first_octet(&tcp)).await {
            Ok(Some(HANDSHAKE_RECORD)) => {}
            Ok(Some(_)) => {
                discard_what_came(&tcp);
                let why = format!("what it sent is not TLS; {NOT_TLS_HINT}");
                return Err(ClientTlsError::NotTls { why });
            }
            Ok(None) => return Err(ClientTlsError::Gone),
            Err(_) => {
                return Err(ClientTlsError::NotTls {
                    why: format!(
                        "it sent nothing for {} seconds, like one that waits for a cleartext \
                         greeting; {NOT_TLS_HINT}",
                        limits::HANDSHAKE.as_secs()
                    ),
                });
            }
        }
        let hello = LazyConfigAcceptor::new(Acceptor::default(), tcp);
        match timeout_at(deadline, hello).await {
            Ok(Ok(start)) => Ok(StartedHandshake::new(start, self)),
            Ok(Err(error)) => Err(hello_failed(&error)),
            Err(_) => Err(too_slow()),
        }
    }
}

impl fmt::Debug for TlsToClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsToClient")
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

/// The content type of a TLS record that carries a handshake (RFC 8446, section 5.1); the first
/// octet of every TLS connection, and of no IMAP command.
const HANDSHAKE_RECORD: u8 = 22;

const NOT_TLS_HINT: &str =
    "set the app to TLS (SSL/TLS, not STARTTLS), or let it use mailscope's port without encryption";

/// The first octet, left where it is; none if the app has gone.
async fn first_octet(tcp: &TcpStream) -> Option<u8> {
    let mut octet = [0];
    match tcp.peek(&mut octet).await {
        Ok(1) => Some(octet[0]),
        _ => None,
    }
}

/// Reads what is there, so that closing does not reset the connection: an app shows a reset as a
/// riddle, and a close as a close.
fn discard_what_came(tcp: &TcpStream) {
    let mut unread = [0; 4096];
    // An app that is not TLS has sent one command; what comes later resets all the same.
    let _ = tcp.try_read(&mut unread);
}

/// An app's hello that was read and not answered. Dropped, it closes the connection without a word.
pub struct StartedHandshake {
    start: StartHandshake<TcpStream>,
    sni: Option<String>,
    reached_as: Option<String>,
    alpn: Vec<Vec<u8>>,
    authority: Arc<Authority>,
    config: Arc<ServerConfig>,
    keylog: bool,
}

impl StartedHandshake {
    fn new(start: StartHandshake<TcpStream>, tls: &TlsToClient) -> Self {
        let hello = start.client_hello();
        let sni = hello.server_name().map(str::to_owned);
        let here = start.io.local_addr();
        let reached_as = here.map(|here| here.ip().to_canonical().to_string());
        let alpn = hello
            .alpn()
            .map(|offered| offered.map(<[u8]>::to_vec).collect())
            .unwrap_or_default();
        Self {
            start,
            sni,
            reached_as: reached_as.ok(),
            alpn,
            authority: Arc::clone(&tls.authority),
            config: Arc::clone(&tls.config),
            keylog: tls.keylog,
        }
    }

    /// The name that the app asked for (RFC 6066, section 3).
    pub fn sni(&self) -> Option<&str> {
        self.sni.as_deref()
    }

    /// The app takes us for this host, a name or an address; unless that is said, for the address that it
    /// connected to.
    #[must_use = "the changed handshake is returned, not changed in place"]
    pub fn reached_as(mut self, host: &str) -> Self {
        self.reached_as = Some(host.to_owned());
        self
    }

    /// The host that the certificate has to be for, as far as is known: the name that the app asked for,
    /// or else what it takes us for.
    pub fn expected(&self) -> Option<&str> {
        self.sni.as_deref().or(self.reached_as.as_deref())
    }

    /// The application protocols that it offered, in its order (RFC 7301); empty for none.
    pub fn alpn(&self) -> &[Vec<u8>] {
        &self.alpn
    }

    /// Answers with a leaf for the app's SNI, or without one for this computer and what the app takes us
    /// for, within [`limits::HANDSHAKE`]. `alpn` is what the server chose, if it chose.
    ///
    /// # Errors
    ///
    /// The app refused the certificate, or hung up on seeing it, or the handshake failed otherwise.
    pub async fn finish(
        self,
        alpn: Option<Vec<u8>>,
    ) -> Result<(Transport, Secured), ClientTlsError> {
        let leaf = match (&self.sni, &self.reached_as) {
            (None, Some(host)) => self.authority.leaf_reached_as(host),
            (sni, _) => self.authority.leaf(sni.as_deref()),
        };
        let leaf = leaf.map_err(|error| ClientTlsError::Failed {
            why: error.to_string(),
        })?;
        let presented = Arc::new(Presented::new(Arc::clone(&leaf)));
        let mut config = ServerConfig::clone(&self.config);
        config.cert_resolver = Arc::clone(&presented) as _;
        config.alpn_protocols = alpn.into_iter().collect();
        let accepting = self.start.into_stream(Arc::new(config));
        let tls = match timeout(limits::HANDSHAKE, accepting).await {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => return Err(finish_failed(&error, presented.was_shown())),
            Err(_) => return Err(too_slow()),
        };
        let (_, state) = tls.get_ref();
        let mut secured = secured(Peer::Client, state, self.sni.as_deref(), &leaf.cert, None);
        secured.keylog = self.keylog;
        Ok((Transport::TlsServer(Box::new(tls)), secured))
    }
}

impl fmt::Debug for StartedHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartedHandshake")
            .field("sni", &self.sni)
            .field("reached_as", &self.reached_as)
            .field("alpn", &self.alpn)
            .finish_non_exhaustive()
    }
}

/// One handshake's certificate, and whether the app was shown it: a resumed session shows none.
#[derive(Debug)]
struct Presented {
    leaf: Arc<CertifiedKey>,
    shown: AtomicBool,
}

impl Presented {
    fn new(leaf: Arc<CertifiedKey>) -> Self {
        Self {
            leaf,
            shown: AtomicBool::new(false),
        }
    }

    fn was_shown(&self) -> bool {
        self.shown.load(Ordering::Relaxed)
    }
}

impl ResolvesServerCert for Presented {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.shown.store(true, Ordering::Relaxed);
        Some(Arc::clone(&self.leaf))
    }
}

fn too_slow() -> ClientTlsError {
    ClientTlsError::Failed {
        why: format!(
            "it did not finish the TLS handshake within {} seconds",
            limits::HANDSHAKE.as_secs()
        ),
    }
}

fn hello_failed(error: &io::Error) -> ClientTlsError {
    let why = match tls_error(error) {
        Some(error @ rustls::Error::PeerIncompatible(_)) => tls_words(error),
        Some(error) => format!("its TLS hello cannot be read: {}", tls_words(error)),
        None if has_gone(error) => "it closed the connection in the middle of its hello".into(),
        None => error.to_string(),
    };
    ClientTlsError::Failed { why }
}

fn finish_failed(error: &io::Error, shown: bool) -> ClientTlsError {
    match tls_error(error) {
        Some(rustls::Error::AlertReceived(alert)) if is_distrust(*alert) => {
            ClientTlsError::Distrust {
                why: format!("it sent the TLS alert {}", alert_name(*alert)),
            }
        }
        Some(error) => ClientTlsError::Failed {
            why: tls_words(error),
        },
        None if shown && has_gone(error) => ClientTlsError::Distrust {
            why: "it closed the connection on seeing the certificate".into(),
        },
        None if has_gone(error) => ClientTlsError::Failed {
            why: "it closed the connection during the TLS handshake".into(),
        },
        None => ClientTlsError::Failed {
            why: error.to_string(),
        },
    }
}
