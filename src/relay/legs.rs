//! The two legs of a connection, made ready and made secure.
//!
//! ```text
//! app --TCP--> accept   ClientHello read: name and protocols that the app asks for
//!                       dial, handshake with the server: its choice of protocol
//!     <--TLS--          handshake with the app, with a certificate minted for that name
//! ```
//!
//! The same order serves STARTTLS, which begins it on connections that are there already. Whatever
//! fails is told by a note and a reason; the peers see their connection close.

use tokio::net::TcpStream;

use super::pump::Legs;
use super::tap::Tap;
use super::{Leg, Shared};
use crate::event::{Body, Note, Peer};
use crate::net::{ClientTlsError, Security, ServerTlsError, StartedHandshake, Transport, dial};
use crate::protocol::Upgrade;

/// Why a connection came to nothing.
pub struct Failed {
    note: Option<Note>,
    reason: String,
}

impl Failed {
    /// Tells the note; the reason is for the last event.
    pub fn told(self, tap: &Tap) -> Option<String> {
        if let Some(note) = &self.note {
            tap.note(note);
        }
        Some(self.reason)
    }

    /// What a protocol's reader cannot let happen.
    pub fn for_note(note: Note) -> Self {
        let reason = match &note {
            Note::CleartextToServer => "the app's next command may not cross in cleartext",
            Note::StartTlsNotOffered => "the server does not offer STARTTLS",
            Note::StartTlsRefused => "the server refused STARTTLS",
            Note::StartTlsTooLate => "the server's greeting leaves no way to STARTTLS",
            _ => note.id(),
        };
        Self {
            reason: reason.to_owned(),
            note: Some(note),
        }
    }

    /// The handshake with the app.
    pub fn with_the_app(shared: &Shared, error: &ClientTlsError) -> Self {
        match error {
            ClientTlsError::Distrust { why } => Self {
                reason: format!("the app does not trust mailscope's certificate: {why}"),
                note: Some(Note::ClientDistrust {
                    why: why.clone(),
                    authority: shared.authority_place(),
                }),
            },
            ClientTlsError::NotTls { why } | ClientTlsError::Failed { why } => Self {
                reason: format!("TLS handshake with the app failed: {why}"),
                note: Some(Note::ClientHandshake { why: why.clone() }),
            },
            ClientTlsError::Gone => Self {
                reason: "the app closed the connection without a word of TLS (a look at the port, \
                         or an app that is not set to SSL/TLS)"
                    .into(),
                note: None,
            },
        }
    }

    /// The handshake with the server.
    pub fn with_the_server(error: ServerTlsError) -> Self {
        match error {
            ServerTlsError::Untrusted { why } => Self {
                reason: format!("server certificate not trusted: {why}"),
                note: Some(Note::ServerUntrusted { why }),
            },
            ServerTlsError::Failed { why } => Self {
                reason: format!("TLS handshake with the server failed: {why}"),
                note: Some(Note::ServerHandshake { why }),
            },
        }
    }
}

impl Legs {
    /// Makes both legs ready to be pumped.
    pub async fn join(
        shared: &Shared,
        tap: &Tap,
        app: TcpStream,
        leg: Leg,
    ) -> Result<Self, Failed> {
        match leg {
            Leg::Cleartext => {
                tap.expect_cleartext(Peer::Client);
                let (server, _) = connect(shared, tap, Vec::new()).await?;
                let app = Transport::Plain(app);
                Ok(Self { app, server })
            }
            Leg::Tls => {
                let hello = hello(shared, tap, app).await?;
                let (server, alpn) = connect(shared, tap, hello.alpn().to_vec()).await?;
                let app = finish(shared, tap, hello, alpn).await?;
                Ok(Self { app, server })
            }
        }
    }

    /// Begins TLS on these legs, which are in cleartext.
    pub async fn secured(
        self,
        shared: &Shared,
        tap: &Tap,
        upgrade: Upgrade,
    ) -> Result<Self, Failed> {
        let Self { app, server } = self;
        Ok(match upgrade {
            Upgrade::App => {
                let hello = hello(shared, tap, cleartext(app)?).await?;
                let app = finish(shared, tap, hello, None).await?;
                Self { app, server }
            }
            Upgrade::Server => {
                let (server, _) = secure(shared, tap, cleartext(server)?, Vec::new()).await?;
                Self { app, server }
            }
            Upgrade::Both => {
                let hello = hello(shared, tap, cleartext(app)?).await?;
                let alpn = hello.alpn().to_vec();
                let (server, alpn) = secure(shared, tap, cleartext(server)?, alpn).await?;
                let app = finish(shared, tap, hello, alpn).await?;
                Self { app, server }
            }
        })
    }
}

/// The connection itself, on a leg that has no TLS.
fn cleartext(leg: Transport) -> Result<TcpStream, Failed> {
    match leg {
        Transport::Plain(tcp) => Ok(tcp),
        _ => Err(Failed {
            note: None,
            reason: "TLS was to begin where it is in use".into(),
        }),
    }
}

async fn hello(shared: &Shared, tap: &Tap, app: TcpStream) -> Result<StartedHandshake, Failed> {
    let hello = shared.app_tls.hello(app).await;
    let started = hello.map_err(|error| Failed::with_the_app(shared, &error))?;
    let scope = shared.authority.scope();
    if let Some(name) = started.sni().filter(|name| !scope.permits(name)) {
        tap.note(&Note::NameNotPermitted {
            name: name.into(),
            good_for: scope.to_string(),
            flags: scope.flags_with(name),
        });
    }
    Ok(started)
}

async fn finish(
    shared: &Shared,
    tap: &Tap,
    hello: StartedHandshake,
    alpn: Option<Vec<u8>>,
) -> Result<Transport, Failed> {
    let finished = hello.finish(alpn).await;
    let (app, secured) = finished.map_err(|error| Failed::with_the_app(shared, &error))?;
    tap.tell(Body::Secured(Box::new(secured)));
    Ok(app)
}

/// Dials the server and makes its leg secure, if that is done at once; the application protocol that
/// it chose, if any.
async fn connect(
    shared: &Shared,
    tap: &Tap,
    alpn: Vec<Vec<u8>>,
) -> Result<(Transport, Option<Vec<u8>>), Failed> {
    let server = dial(&shared.server).await.map_err(|error| Failed {
        reason: format!("server unreachable: {}", error.why()),
        note: Some(Note::ServerUnreachable {
            why: error.in_one_line(),
        }),
    })?;
    match shared.server.security() {
        Security::Implicit => secure(shared, tap, server, alpn).await,
        Security::Starttls | Security::Cleartext => {
            tap.expect_cleartext(Peer::Server);
            Ok((Transport::Plain(server), None))
        }
    }
}

async fn secure(
    shared: &Shared,
    tap: &Tap,
    server: TcpStream,
    alpn: Vec<Vec<u8>>,
) -> Result<(Transport, Option<Vec<u8>>), Failed> {
    let Some(tls) = &shared.server_tls else {
        return Err(Failed {
            note: None,
            reason: "TLS with the server is not set up".into(),
        });
    };
    let connected = tls.connect(server, &shared.server, alpn).await;
    let (server, secured) = connected.map_err(Failed::with_the_server)?;
    let chosen = secured.alpn.as_ref().map(|alpn| alpn.as_bytes().to_vec());
    let lacks_client_certificate = secured.lacks_client_certificate();
    tap.tell(Body::Secured(Box::new(secured)));
    if shared.insecure {
        tap.note(&Note::Insecure);
    }
    if lacks_client_certificate {
        tap.note(&Note::ClientCertificateWanted);
    }
    Ok((server, chosen))
}
