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

use super::Shared;
use super::pump::Legs;
use super::tap::Tap;
use super::target::{ChosenBy, Target};
use crate::event::{Body, Note, Peer};
use crate::net::{
    ClientTlsError, Security, ServerTlsError, StartedHandshake, Transport, Unreachable,
};
use crate::protocol::Upgrade;
use crate::protocol::imap::AppLeg;

/// What a connection's legs are made with.
#[derive(Clone, Copy)]
pub struct Setup<'c> {
    /// What all connections share.
    pub shared: &'c Shared,
    /// The connection's own tap.
    pub tap: &'c Tap,
    /// Its server.
    pub target: &'c Target,
}

/// Why a connection came to nothing.
pub struct Failed {
    pub(super) note: Option<Note>,
    pub(super) reason: String,
}

impl From<Unreachable> for Failed {
    fn from(Unreachable { error, .. }: Unreachable) -> Self {
        Self {
            reason: format!("server unreachable: {}", error.why()),
            note: Some(Note::ServerUnreachable {
                why: error.in_one_line(),
            }),
        }
    }
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
            Note::NoGreeting => "the server did not greet as IMAP does",
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

    /// What is secret in HTTP would be recorded.
    fn http() -> Self {
        Self {
            note: None,
            reason:
                "the app wants to speak HTTP with this server, which is not for mailscope to read; \
                     let it reach the server without the proxy"
                    .into(),
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
    /// Makes both legs ready to be pumped, the app's being of this kind. `server` is the connection to
    /// the server if there is one already.
    pub async fn join(
        setup: Setup<'_>,
        app: TcpStream,
        leg: AppLeg,
        server: Option<TcpStream>,
    ) -> Result<Self, Failed> {
        match leg {
            AppLeg::Cleartext => {
                setup.tap.expect_cleartext(Peer::Client);
                let server = dialled(setup, server).await?;
                let (server, _) = begin(setup, server, None, Vec::new()).await?;
                let app = Transport::Plain(app);
                Ok(Self { app, server })
            }
            AppLeg::Tls => {
                let hello = hello(setup, app).await?;
                if setup.target.chosen_by() == ChosenBy::TheApp && is_http(hello.alpn()) {
                    return Err(Failed::http());
                }
                let server = dialled(setup, server).await?;
                let alpn = hello.alpn().to_vec();
                let (server, alpn) = begin(setup, server, hello.sni(), alpn).await?;
                let app = finish(setup, hello, alpn).await?;
                Ok(Self { app, server })
            }
        }
    }

    /// Begins TLS on these legs, which are in cleartext.
    pub async fn secured(self, setup: Setup<'_>, upgrade: Upgrade) -> Result<Self, Failed> {
        let Self { app, server } = self;
        Ok(match upgrade {
            Upgrade::App => {
                let hello = hello(setup, cleartext(app)?).await?;
                let app = finish(setup, hello, None).await?;
                Self { app, server }
            }
            Upgrade::Server => {
                // An app that spoke TLS itself has said which server it means.
                let sni = sni(&app);
                let (server, _) = secure(setup, cleartext(server)?, sni, Vec::new()).await?;
                Self { app, server }
            }
            Upgrade::Both => {
                let hello = hello(setup, cleartext(app)?).await?;
                let alpn = hello.alpn().to_vec();
                let (server, alpn) = secure(setup, cleartext(server)?, hello.sni(), alpn).await?;
                let app = finish(setup, hello, alpn).await?;
                Self { app, server }
            }
        })
    }
}

/// Whether these application protocols are those of the web (RFC 7301, section 6).
fn is_http(alpn: &[Vec<u8>]) -> bool {
    let web = |name: &Vec<u8>| name == b"h2" || name.starts_with(b"http/");
    alpn.iter().any(web)
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

/// The name that the app asked for when its TLS began, if it has.
fn sni(app: &Transport) -> Option<&str> {
    match app {
        Transport::TlsServer(tls) => tls.get_ref().1.server_name(),
        _ => None,
    }
}

async fn hello(setup: Setup<'_>, app: TcpStream) -> Result<StartedHandshake, Failed> {
    let Setup { shared, target, .. } = setup;
    let hello = shared.app_tls.hello(app).await;
    let started = hello.map_err(|error| Failed::with_the_app(shared, &error))?;
    if let Some(name) = started.sni() {
        tell_unless_permitted(setup, name);
    }
    Ok(match target.chosen_by() {
        ChosenBy::TheApp => started.reached_as(target.server().host()),
        ChosenBy::TheUser => started,
    })
}

/// Tells that the certificate for this name, or address, will not verify.
fn tell_unless_permitted(setup: Setup<'_>, name: &str) {
    let scope = setup.shared.authority.scope();
    if !scope.permits(name) {
        setup.tap.note(&Note::NameNotPermitted {
            name: name.into(),
            good_for: scope.to_string(),
            flags: scope.flags_with(name),
        });
    }
}

async fn finish(
    setup: Setup<'_>,
    hello: StartedHandshake,
    alpn: Option<Vec<u8>>,
) -> Result<Transport, Failed> {
    // Without SNI the app may know the server by another name than is known here.
    let guessed = hello.expected().filter(|_| hello.sni().is_none());
    let guessed = guessed.map(str::to_owned);
    let finished = hello.finish(alpn).await;
    let (app, secured) = finished.map_err(|error| {
        if let (ClientTlsError::Distrust { .. }, Some(host)) = (&error, &guessed) {
            tell_unless_permitted(setup, host);
        }
        Failed::with_the_app(setup.shared, &error)
    })?;
    setup.tap.tell(Body::Secured(Box::new(secured)));
    Ok(app)
}

/// The connection to the server.
async fn dialled(setup: Setup<'_>, server: Option<TcpStream>) -> Result<TcpStream, Failed> {
    match server {
        Some(server) => Ok(server),
        None => Ok(setup.target.dial(&setup.shared.ours).await?),
    }
}

/// Makes the server's leg secure, if that is done at once; the application protocol that it chose, if
/// any.
async fn begin(
    setup: Setup<'_>,
    server: TcpStream,
    sni: Option<&str>,
    alpn: Vec<Vec<u8>>,
) -> Result<(Transport, Option<Vec<u8>>), Failed> {
    match setup.target.server().security() {
        Security::Implicit => secure(setup, server, sni, alpn).await,
        Security::Starttls | Security::Cleartext => {
            setup.tap.expect_cleartext(Peer::Server);
            Ok((Transport::Plain(server), None))
        }
    }
}

async fn secure(
    setup: Setup<'_>,
    server: TcpStream,
    sni: Option<&str>,
    alpn: Vec<Vec<u8>>,
) -> Result<(Transport, Option<Vec<u8>>), Failed> {
    let Setup {
        shared,
        tap,
        target,
    } = setup;
    let Some(tls) = &shared.server_tls else {
        return Err(Failed {
            note: None,
            reason: "TLS with the server is not set up".into(),
        });
    };
    let connected = tls.connect(server, &target.asked_for(sni), alpn).await;
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
