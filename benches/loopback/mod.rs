//! An app and its server on this machine, and something between them that ends TLS on both legs.
//!
//! ```text
//! App -- TLS --> Middle -- TLS --> Server
//! ```
//!
//! Each of the three has threads of its own, as it would be a process of its own, so that every
//! message wakes another thread on either way. All TLS is mailscope's. A leg's TLS begins at once or
//! by STARTTLS, as the [`Route`] says.

mod app;
mod copy;
mod middle;
mod route;
mod server;
mod sinks;

use std::sync::Arc;
use std::time::Duration;

use mailscope::net::{AskedSecurity, Authority, ServerAddress, ServerTrust, TlsToServer};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub use route::{Route, Session, Way};

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
    pub fn new<'e>(exchanges: impl IntoIterator<Item = &'e Exchange>) -> Self {
        let authority = Arc::new(Authority::ephemeral().expect("an authority"));
        Self {
            server: Server::start(Arc::clone(&authority), exchanges),
            authority,
        }
    }

    /// A logged-in connection of an app, on this route.
    pub fn connect(&self, route: Route) -> Connection {
        let server = self.server.address(route.session.server()).clone();
        let middle = Middle::start(route, server, &self.authority);
        Connection {
            app: App::connect(&middle.address, &self.authority, route.session),
            authority: Arc::clone(&self.authority),
            session: route.session,
            middle,
        }
    }
}

/// A connection of an app to a [`Middle`] that is there for it alone.
pub struct Connection {
    app: App,
    middle: Middle,
    session: Session,
    authority: Arc<Authority>,
}

impl Connection {
    /// Sends the command and reads the whole answer.
    pub fn ask(&mut self, exchange: &Exchange) {
        self.app.ask(exchange);
    }

    /// Makes another one in its place; what that took, from the first packet to the login's answer,
    /// which comes behind TLS.
    pub fn again(&mut self) -> Duration {
        self.app = App::connect(&self.middle.address, &self.authority, self.session);
        self.app.set_up
    }

    /// Ends all but the server.
    pub fn close(self) {
        drop(self.app);
        self.middle.stop();
    }
}

fn one_thread() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().expect("a runtime")
}

fn listener(runtime: &Runtime) -> TcpListener {
    let bound = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
    bound.expect("a free port")
}

/// Where it listens, under the name that the authority may sign for.
fn named(listener: &TcpListener, security: AskedSecurity) -> ServerAddress {
    let port = listener.local_addr().expect("an address").port();
    let text = format!("localhost:{port}");
    ServerAddress::parse(&text, Some(security)).expect("an address")
}

fn trusting(authority: &Authority) -> TlsToServer {
    TlsToServer::new(&ServerTrust::Authority(authority.der().clone())).expect("TLS")
}
