//! An app and its server on this machine, and something between them that ends TLS on both legs.
//!
//! ```text
//! App -- TLS --> Middle -- TLS --> Server
//! ```
//!
//! Each of the three has threads of its own, as it would be a process of its own, so that every
//! message wakes another thread on either way. All TLS is mailscope's.

mod app;
mod middle;
mod server;

use std::net::SocketAddr;
use std::sync::Arc;

use mailscope::net::{AskedSecurity, Authority, ServerAddress, ServerTrust, TlsToServer};

pub use middle::Way;

use crate::traffic::Exchange;
use app::App;
use middle::Middle;
use server::Server;

/// The server, which serves whatever connects to it as long as the benchmark runs.
pub struct Loopback {
    server: Server,
    authority: Arc<Authority>,
}

impl Loopback {
    /// Starts a server that knows the answers to these.
    pub fn new(exchanges: &[Exchange]) -> Self {
        let authority = Arc::new(Authority::ephemeral().expect("an authority"));
        Self {
            server: Server::start(Arc::clone(&authority), exchanges),
            authority,
        }
    }

    /// A logged-in connection of an app, in this way.
    pub fn connect(&self, way: Way) -> Connection {
        let middle = Middle::start(way, &self.server.address, &self.authority);
        let mut app = App::connect(&middle.address, &self.authority);
        app.ask(&Exchange::login());
        Connection { app, middle }
    }
}

/// A connection of an app to a [`Middle`] that is there for it alone.
pub struct Connection {
    app: App,
    middle: Middle,
}

impl Connection {
    /// Sends the command and reads the whole answer.
    pub fn ask(&mut self, exchange: &Exchange) {
        self.app.ask(exchange);
    }

    /// Ends all but the server.
    pub fn close(self) {
        drop(self.app);
        self.middle.stop();
    }
}

/// Under the name that the authority may sign for.
fn named(address: SocketAddr) -> ServerAddress {
    let text = format!("localhost:{}", address.port());
    ServerAddress::parse(&text, Some(AskedSecurity::Implicit)).expect("an address")
}

fn trusting(authority: &Authority) -> TlsToServer {
    TlsToServer::new(&ServerTrust::Authority(authority.der().clone())).expect("TLS")
}
