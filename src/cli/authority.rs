//! `--as HOST` and `--unconstrained-ca`: which certificate authority a command takes.
//!
//! For every command that shows a certificate to apps, and for `ca`, which tells how to trust it.

use std::path::PathBuf;

use super::Common;
use super::say::{say, warn};
use crate::error::Result;
use crate::net::{Authority, Host, Scope};

/// The choice, the authority for this computer alone being the default.
#[derive(Clone, Debug, clap::Args)]
pub struct WhichAuthority {
    /// Take an authority that vouches for HOST and the names below it too, beside localhost: for
    /// apps that cannot be set to localhost. Repeatable; each set of hosts has its own authority.
    #[arg(
        help_heading = "The authority",
        long = "as",
        value_name = "HOST",
        value_hint = clap::ValueHint::Hostname,
        conflicts_with = "unconstrained_ca"
    )]
    hosts: Vec<Host>,

    /// Take an authority that vouches for any server. Whoever steals its key can pose as any
    /// server to those who trust it.
    #[arg(help_heading = "The authority", long)]
    unconstrained_ca: bool,
}

impl WhichAuthority {
    /// Whether another than the default is asked for.
    pub fn is_given(&self) -> bool {
        self.unconstrained_ca || !self.hosts.is_empty()
    }

    /// What it is to vouch for.
    pub fn scope(&self) -> Scope {
        match self.unconstrained_ca {
            true => Scope::Unconstrained,
            false => Scope::of(self.hosts.iter().cloned()),
        }
    }

    /// The command that tells about it.
    pub fn command(&self) -> String {
        let command = format!("mailscope ca {}", self.scope().flags());
        command.trim_end().to_owned()
    }

    /// Opens it, made on first use, and says on standard error what is amiss with its files.
    pub fn open(&self, common: &Common) -> Result<Authority> {
        let authority = Authority::open_or_create(&ca_dir(common)?, &self.scope())?;
        for warning in authority.warnings() {
            say(&warn(warning));
        }
        Ok(authority)
    }
}

/// The folder of all authorities.
pub fn ca_dir(common: &Common) -> Result<PathBuf> {
    // A variable without a value is one that is not set.
    let variable = || std::env::var_os("MAILSCOPE_CA_DIR").filter(|folder| !folder.is_empty());
    match common
        .ca_dir
        .clone()
        .or_else(|| variable().map(PathBuf::from))
    {
        Some(folder) => Ok(folder),
        None => Authority::default_dir(),
    }
}
