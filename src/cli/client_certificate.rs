//! `--server-cert FILE` and `--server-key FILE`: the client certificate for the server's leg.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::net::{AskedSecurity, ClientIdentity};

/// The files, each of which needs the other.
#[derive(Clone, Debug, clap::Args)]
pub struct ClientCertificate {
    /// Show this client certificate (PEM, its chain behind it) to a server that asks for one.
    #[arg(
        help_heading = "The server",
        id = "server_cert",
        long = "server-cert",
        value_name = "FILE",
        requires = "server_key"
    )]
    certificate: Option<PathBuf>,

    /// The key of --server-cert (PEM, without a passphrase).
    #[arg(
        help_heading = "The server",
        id = "server_key",
        long = "server-key",
        value_name = "FILE",
        requires = "server_cert"
    )]
    key: Option<PathBuf>,
}

impl ClientCertificate {
    /// Whether there is one.
    pub fn is_given(&self) -> bool {
        self.certificate.is_some()
    }

    /// Reads the files, if they are given.
    pub fn read(&self, asked: Option<AskedSecurity>) -> Result<Option<ClientIdentity>> {
        let (Some(certificate), Some(key)) = (&self.certificate, &self.key) else {
            return Ok(None);
        };
        if asked == Some(AskedSecurity::None) {
            let doing = "show the server the client certificate of --server-cert";
            return Err(Error::new(doing, "the leg to the server is in cleartext")
                .hint("leave --server-cert and --server-key out, or --server-tls none"));
        }
        ClientIdentity::read(certificate, key).map(Some)
    }
}
