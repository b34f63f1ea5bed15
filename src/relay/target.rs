//! The server that one connection is joined with.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;

use crate::net::{Dialled, Ours, Security, ServerAddress, Unreachable, dial};

/// A server, and what is known of our connection to it.
pub struct Target {
    server: ServerAddress,
    chosen_by: ChosenBy,
    /// So that we know our own connection if it comes back to us.
    dialled: OnceLock<Dialled>,
}

/// Who chose the server; so whose name for it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenBy {
    /// The user: the server has the name that was given for the whole run.
    TheUser,
    /// The app, which keeps its real server: the server has the name that the app asks for in TLS.
    TheApp,
}

impl Target {
    /// A server, to which there is no connection yet.
    pub fn new(server: ServerAddress, chosen_by: ChosenBy) -> Self {
        Self {
            server,
            chosen_by,
            dialled: OnceLock::new(),
        }
    }

    /// Host, port and security.
    pub fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// Who chose it.
    pub fn chosen_by(&self) -> ChosenBy {
        self.chosen_by
    }

    /// The same target, its connection to be secured like this.
    #[must_use = "the changed target is returned, not changed in place"]
    pub fn secured_by(self, security: Security) -> Self {
        Self {
            server: self.server.secured_by(security),
            ..self
        }
    }

    /// The server by the name that its certificate has to be for, when the app asked for this one.
    pub fn asked_for(&self, sni: Option<&str>) -> Cow<'_, ServerAddress> {
        match (self.chosen_by, sni) {
            (ChosenBy::TheApp, Some(name)) => Cow::Owned(self.server.clone().known_as(name)),
            _ => Cow::Borrowed(&self.server),
        }
    }

    /// Connects to it.
    pub async fn dial(&self, ours: &Arc<Ours>) -> Result<TcpStream, Unreachable> {
        let stream = dial(&self.server, ours).await?;
        if let Some(dialled) = ours.dialled(&stream) {
            let _ = self.dialled.set(dialled);
        }
        Ok(stream)
    }
}
