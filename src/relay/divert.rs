//! How an app comes, and the server that it is to be joined with.
//!
//! An app that was set to mailscope is joined with the run's own server. One that keeps its real
//! server and is diverted to mailscope says which one that is; it is dialled before anything else, so
//! that the app is told what becomes of it. mailscope's own connections, if a redirect rule brings them
//! back, are not served: they would go round for ever.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::legs::Failed;
use super::target::{ChosenBy, Target};
use super::{Leg, Shared};
use crate::event::Note;
use crate::net::socks::{self, Refusal, Request, SocksError};
use crate::net::{
    Cause, NotRedirected, Security, ServerAddress, Unreachable, original_destination,
};
use crate::protocol::imap::AppLeg;

/// An app that has come, and its server.
pub struct Arrival {
    /// The app.
    pub app: App,
    /// Its server, to which there is no connection yet.
    pub target: Target,
}

/// An app, by the way that it came.
pub enum App {
    /// It was set to mailscope, which knows the rest.
    Here(TcpStream, AppLeg),
    /// It keeps its server.
    Diverted(Diverted),
}

/// An app that keeps its server, and waits to be joined with it.
pub enum Diverted {
    /// By SOCKS5.
    Socks(Request<TcpStream>),
    /// By a redirect rule, from this address.
    Redirected(TcpStream, SocketAddr),
}

/// Finds out which server an app wants.
pub async fn arrive(
    shared: &Shared,
    app: TcpStream,
    from: SocketAddr,
    leg: Leg,
) -> Result<Arrival, Failed> {
    match leg {
        Leg::Tls => here(shared, app, AppLeg::Tls),
        Leg::Cleartext => here(shared, app, AppLeg::Cleartext),
        Leg::Socks => by_socks(app).await,
        Leg::Transparent => redirected(shared, app, from),
    }
}

fn here(shared: &Shared, app: TcpStream, leg: AppLeg) -> Result<Arrival, Failed> {
    let Some(server) = &shared.server else {
        return Err(Failed {
            note: None,
            reason: "this run has no server of its own".into(),
        });
    };
    Ok(Arrival {
        app: App::Here(app, leg),
        target: Target::new(server.clone(), ChosenBy::TheUser),
    })
}

async fn by_socks(app: TcpStream) -> Result<Arrival, Failed> {
    let request = socks::accept(app).await?;
    // How the connection is secured shows when it is there.
    match ServerAddress::at(request.host(), request.port(), Security::Implicit) {
        Ok(server) => Ok(Arrival {
            app: App::Diverted(Diverted::Socks(request)),
            target: Target::new(server, ChosenBy::TheApp),
        }),
        Err(error) => {
            request.refuse(Refusal::HostUnreachable).await;
            let why = error.in_one_line();
            Err(SocksError::Failed { why }.into())
        }
    }
}

fn redirected(shared: &Shared, app: TcpStream, from: SocketAddr) -> Result<Arrival, Failed> {
    unless_ours(shared, from)?;
    let original = original_destination(&app)?;
    let host = original.ip().to_string();
    let server = ServerAddress::at(&host, original.port(), Security::Implicit);
    let server = server.map_err(|error| Failed {
        note: None,
        reason: error.in_one_line(),
    })?;
    Ok(Arrival {
        app: App::Diverted(Diverted::Redirected(app, from)),
        target: Target::new(server, ChosenBy::TheApp),
    })
}

/// A connection that we made to a server is not to come back to us.
fn unless_ours(shared: &Shared, from: SocketAddr) -> Result<(), Failed> {
    match shared.ours.has_dialled_from(from) {
        true => Err(Failed {
            note: Some(Note::RedirectLoop),
            reason: "this is mailscope's own connection to a server, caught by the redirect rule"
                .into(),
        }),
        false => Ok(()),
    }
}

impl Diverted {
    /// Joins it with its server: both connections, on which nothing was said yet.
    pub async fn join(
        self,
        shared: &Shared,
        target: &Target,
    ) -> Result<(TcpStream, TcpStream), Failed> {
        let dialled = target.dial(&shared.ours).await;
        match self {
            Self::Socks(request) => answer(request, dialled).await,
            Self::Redirected(app, from) => {
                let server = dialled?;
                // One that was on its way when it came is known by now.
                unless_ours(shared, from)?;
                Ok((app, server))
            }
        }
    }
}

/// Tells an app what became of its request.
async fn answer(
    request: Request<TcpStream>,
    dialled: Result<TcpStream, Unreachable>,
) -> Result<(TcpStream, TcpStream), Failed> {
    let gone = |error: std::io::Error| Failed {
        note: None,
        reason: format!("the app did not wait for its server ({error})"),
    };
    match dialled {
        Ok(server) => {
            let from = server.local_addr().map_err(gone)?;
            Ok((request.grant(from).await.map_err(gone)?, server))
        }
        Err(unreachable) => {
            request.refuse(refusal(unreachable.cause)).await;
            Err(unreachable.into())
        }
    }
}

fn refusal(cause: Cause) -> Refusal {
    match cause {
        Cause::NotFound | Cause::HostUnreachable => Refusal::HostUnreachable,
        Cause::Refused => Refusal::ConnectionRefused,
        Cause::NetworkUnreachable => Refusal::NetworkUnreachable,
        Cause::Ourselves => Refusal::NotAllowed,
        Cause::Other => Refusal::General,
    }
}

impl From<SocksError> for Failed {
    fn from(error: SocksError) -> Self {
        match error {
            SocksError::Failed { why } => Self {
                reason: format!("no SOCKS5 request: {why}"),
                note: Some(Note::SocksRequest { why }),
            },
            SocksError::Gone => Self {
                reason:
                    "the app closed the connection without a word of SOCKS5 (a look at the port)"
                        .into(),
                note: None,
            },
        }
    }
}

impl From<NotRedirected> for Failed {
    fn from(error: NotRedirected) -> Self {
        let why = match error {
            NotRedirected::Direct => "it connected to the listener itself".to_owned(),
            NotRedirected::Unknown { why } => format!("the system does not tell ({why})"),
        };
        Self {
            reason: format!("no redirect rule brought the app here: {why}"),
            note: Some(Note::NotRedirected { why }),
        }
    }
}
