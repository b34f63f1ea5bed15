//! How the leg to the real server is secured: the flags that `record` and `replay` share.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;

use super::client_certificate::ClientCertificate;
use crate::error::Result;
use crate::net::{AskedSecurity, KeyLogFile, Security, ServerAddress, ServerTrust, TlsToServer};

/// The flags.
#[derive(Clone, Debug, clap::Args)]
pub struct ServerLeg {
    /// How the server leg is secured [default: by SERVER].
    #[arg(help_heading = "The server", long, value_enum, value_name = "HOW")]
    server_tls: Option<ServerTls>,

    /// Verify the server by the certificates in this PEM file instead of the system's.
    #[arg(
        help_heading = "The server",
        long,
        value_name = "FILE",
        conflicts_with = "insecure"
    )]
    server_ca: Option<PathBuf>,

    /// Do not verify the server's certificate.
    #[arg(help_heading = "The server", long)]
    insecure: bool,

    #[command(flatten)]
    client_certificate: ClientCertificate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ServerTls {
    /// TLS at once.
    Implicit,
    /// An upgrade on the cleartext port.
    Starttls,
    /// Cleartext.
    None,
}

impl ServerLeg {
    /// What `--server-tls` asks for.
    pub fn asked(&self) -> Option<AskedSecurity> {
        self.server_tls.map(|how| match how {
            ServerTls::Implicit => AskedSecurity::Implicit,
            ServerTls::Starttls => AskedSecurity::Starttls,
            ServerTls::None => AskedSecurity::None,
        })
    }

    /// Whether the server's certificate is not verified.
    pub fn is_insecure(&self) -> bool {
        self.insecure
    }

    /// The first of the flags that is given.
    pub fn given(&self) -> Option<&'static str> {
        let flags = [
            (self.server_tls.is_some(), "--server-tls"),
            (self.server_ca.is_some(), "--server-ca"),
            (self.insecure, "--insecure"),
            (self.client_certificate.is_given(), "--server-cert"),
        ];
        flags
            .iter()
            .find(|(given, _)| *given)
            .map(|(_, flag)| *flag)
    }

    /// What TLS with the server takes, if there is to be any.
    pub fn tls(&self, keylog: Option<&Arc<KeyLogFile>>) -> Result<Option<TlsToServer>> {
        let asked = self.asked();
        let identity = self.client_certificate.read(asked)?;
        if asked == Some(AskedSecurity::None) {
            return Ok(None);
        }
        let tls = TlsToServer::new(&self.trust())?.identity(identity);
        Ok(Some(match keylog {
            Some(keylog) => tls.keylog(Arc::clone(keylog)),
            None => tls,
        }))
    }

    fn trust(&self) -> ServerTrust {
        match &self.server_ca {
            Some(file) => ServerTrust::File(file.clone()),
            None if self.insecure => ServerTrust::Nothing,
            None => ServerTrust::System,
        }
    }
}

/// The server and how its leg is secured.
pub fn described(server: &ServerAddress) -> String {
    let leg = match server.security() {
        Security::Implicit => "TLS",
        Security::Starttls => "STARTTLS",
        Security::Cleartext => "cleartext",
    };
    format!("{} ({leg})", server.name())
}
