//! The man in the middle: listens for apps and joins each with the real server.
//!
//! It passes on what it read, octet for octet (law 1), and lets the tap observe it first. It
//! knows nothing of IMAP but how a connection begins and which reader to give to the tap, and nothing
//! of what becomes of the events.

mod connection;
mod divert;
mod legs;
mod opening;
mod pump;
mod tap;
mod target;
#[cfg(test)]
mod tests;
mod untouched;

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::event::Gate;
use crate::fault::Faults;
use crate::net::{
    AskedSecurity, Authority, Clock, KeyLogFile, Ours, Room, ServerAddress, TlsToClient,
    TlsToServer, set_up,
};
use crate::protocol::imap::Hidden;
use crate::sink::bus::Bus;
use tap::Tap;

/// How an app reaches a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// TLS at once.
    Tls,
    /// Cleartext.
    Cleartext,
    /// By SOCKS5, keeping its real server; how it goes on shows then.
    Socks,
    /// Redirected by the system, which knows its real server; likewise.
    Transparent,
}

impl Leg {
    /// What stands in a transcript for the server of a run, or of a connection, that has no other
    /// name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Cleartext => "plain",
            Self::Socks => "socks",
            Self::Transparent => "transparent",
        }
    }
}

/// What a relay needs to know.
pub struct Config {
    /// The real server of the apps that do not keep their own; needed where there is a listener
    /// for them.
    pub server: Option<ServerAddress>,
    /// How the connections to the servers that apps keep are to be secured, if that is not to be
    /// found out.
    pub asked: Option<AskedSecurity>,
    /// How servers are verified; `None` for a cleartext server leg.
    pub server_tls: Option<TlsToServer>,
    /// Whether that verifies nothing, which is said on every connection.
    pub insecure: bool,
    /// Who signs for the server.
    pub authority: Arc<Authority>,
    /// Where the keys of the apps' TLS sessions go, if anywhere.
    pub keylog: Option<Arc<KeyLogFile>>,
    /// What masks secrets.
    pub gate: Gate,
    /// Capabilities that apps are not shown.
    pub hidden: Hidden,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// Where to listen, and for what.
    pub listeners: Vec<(TcpListener, Leg)>,
}

/// What all connections share.
struct Shared {
    server: Option<ServerAddress>,
    asked: Option<AskedSecurity>,
    ours: Arc<Ours>,
    server_tls: Option<TlsToServer>,
    insecure: bool,
    authority: Arc<Authority>,
    app_tls: TlsToClient,
    hidden: Hidden,
    faults: Faults,
}

impl Shared {
    fn authority_place(&self) -> String {
        match self.authority.path() {
            Some(path) => path.display().to_string(),
            None => "mailscope's authority".to_owned(),
        }
    }
}

/// A relay that is ready to accept apps.
pub struct Relay {
    shared: Arc<Shared>,
    gate: Gate,
    listeners: Vec<(TcpListener, Leg)>,
    on_trouble: OnTrouble,
}

/// Told when apps cannot be accepted.
type OnTrouble = Box<dyn Fn(&Error) + Send + Sync>;

impl Relay {
    /// A relay with its listeners. Fails if the authority cannot be used for TLS, or if the server is
    /// one of the listeners.
    pub fn new(config: Config) -> Result<Self> {
        let mut app_tls = TlsToClient::new(Arc::clone(&config.authority))?;
        let addresses = config.listeners.iter().map(|(at, _)| at.local_addr());
        let ours = Arc::new(Ours::listening(addresses.filter_map(io::Result::ok)));
        if let Some(server) = config.server.as_ref().filter(|server| ours.are(server)) {
            return Err(Error::new(
                format!("record {server}"),
                "that is mailscope's own listener",
            )
            .hint("the real server's name and port, or another port for mailscope to listen on"));
        }
        if let Some(keylog) = config.keylog {
            app_tls = app_tls.keylog(keylog);
        }
        Ok(Self {
            shared: Arc::new(Shared {
                server: config.server,
                asked: config.asked,
                ours,
                server_tls: config.server_tls,
                insecure: config.insecure,
                authority: config.authority,
                app_tls,
                hidden: config.hidden,
                faults: config.faults,
            }),
            gate: config.gate,
            listeners: config.listeners,
            on_trouble: Box::new(|_| ()),
        })
    }

    /// Calls this when apps cannot be accepted for now, once until one is accepted again.
    #[must_use = "the relay that tells is returned, not changed in place"]
    pub fn on_trouble(mut self, tell: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.on_trouble = Box::new(tell);
        self
    }

    /// The address of the first listener for this kind of leg.
    pub fn address(&self, leg: Leg) -> Option<SocketAddr> {
        let (listener, _) = self.listeners.iter().find(|(_, kind)| *kind == leg)?;
        listener.local_addr().ok()
    }

    /// Serves apps until `stop` is called, then ends every connection and returns. Connections are
    /// numbered from 1 in the order in which they are accepted; their number is returned. Where the system
    /// has no files for more of them, apps wait until one ends.
    pub async fn run(self, bus: Arc<Bus>, clock: Clock, stop: CancellationToken) -> u64 {
        let mut connections = JoinSet::new();
        let mut last = 0;
        let room = Room::for_connections(FILES_EACH);
        let mut in_trouble = false;
        let mut trouble = |error: Option<Error>| {
            if let Some(error) = error.as_ref().filter(|_| !in_trouble) {
                (self.on_trouble)(error);
            }
            in_trouble = error.is_some();
        };
        'run: loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&self.listeners) => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let (stream, address, leg) = match accepted {
                Ok(accepted) => accepted,
                // The app is gone already.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                // Something else has the files that were there: apps wait until a connection ends.
                Err(error) => {
                    trouble(Some(cannot_accept(error)));
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            while connections.len() >= room.connections {
                trouble(Some(cannot_accept(no_room(room))));
                tokio::select! {
                    () = stop.cancelled() => break 'run,
                    _ = connections.join_next() => {}
                }
            }
            // At the limit each one that ends lets one in; it is not told each time.
            if connections.len() < room.connections - room.connections / 10 {
                trouble(None);
            }
            last += 1;
            let tap = Tap::new(last, clock, Arc::clone(&bus), self.gate.clone());
            let (shared, stop) = (Arc::clone(&self.shared), stop.clone());
            connections.spawn(async move {
                connection::serve(&shared, tap, stream, address, leg, stop).await;
            });
        }
        while connections.join_next().await.is_some() {}
        last
    }
}

/// Files that a connection takes: a socket to the app, and one to the server.
const FILES_EACH: u64 = 2;

/// The next app on any listener.
async fn accept(listeners: &[(TcpListener, Leg)]) -> io::Result<(TcpStream, SocketAddr, Leg)> {
    let (stream, address, leg) = poll_fn(|context| {
        for (listener, leg) in listeners {
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                return Poll::Ready(accepted.map(|(stream, address)| (stream, address, *leg)));
            }
        }
        Poll::Pending
    })
    .await?;
    set_up(&stream);
    Ok((stream, address, leg))
}

fn cannot_accept(why: impl std::fmt::Display) -> Error {
    Error::new("accept a connection of an app", why)
        .hint("let the app open fewer connections, or allow more files (ulimit -n)")
}

fn no_room(room: Room) -> String {
    let Room { connections, files } = room;
    let limit = files.map_or(String::new(), |files| format!(" ({files})"));
    format!(
        "{connections} are open, as many as the limit of open files{limit} has room for; it waits until one ends"
    )
}
