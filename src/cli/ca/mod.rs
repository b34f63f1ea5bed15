//! `mailscope ca`: which authorities there are and what they are good for, their certificates for
//! elsewhere, and how to trust them and to take that back.
//!
//! It makes the authority that it is asked about, on first use, and installs nothing anywhere. A
//! key is never printed or exported.

mod export;
mod list;
mod platform;
mod steps;

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::authority::{WhichAuthority, ca_dir};
use super::path::quoted;
use super::{Common, print, print_octets};
use crate::error::Result;
use crate::net::Authority;
use platform::Platform;

/// The arguments of `ca`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    what: Option<What>,

    #[command(flatten)]
    which: WhichAuthority,
}

/// What is to be told; without it, which authorities there are.
#[derive(Debug, Subcommand)]
enum What {
    /// Print where the certificate is, for scripts: curl --cacert "$(mailscope ca path)".
    Path {
        #[command(flatten)]
        which: WhichAuthority,
    },
    /// Write the certificate (never the key) as PEM, DER or an Apple configuration profile.
    Export(export::Arguments),
    /// Print how to trust the authority on a platform, and how to take that back.
    Trust {
        /// The platforms; all of them if none is named.
        #[arg(value_enum, value_name = "PLATFORM")]
        platforms: Vec<Platform>,

        #[command(flatten)]
        which: WhichAuthority,
    },
}

/// Makes the authority on first use and tells about it.
pub fn run(arguments: &Arguments, common: &Common) -> Result<ExitCode> {
    match &arguments.what {
        None => {
            arguments.which.open(common)?;
            let kept = Authority::all(&ca_dir(common)?)?;
            print(&list::list(&kept, &arguments.which.scope()))
        }
        Some(What::Path { which }) => {
            // As the system has it, which need not be UTF-8.
            let authority = which.open(common)?;
            let path = authority.path().unwrap_or(Path::new("ca.pem"));
            print_octets(&[path.as_os_str().as_encoded_bytes(), b"\n"].concat())
        }
        Some(What::Export(arguments)) => export::run(arguments, common),
        Some(What::Trust { platforms, which }) => {
            print(&platform::guide(&which.open(common)?, platforms))
        }
    }
}

/// Where the certificate is, as it is shown.
fn place(authority: &Authority) -> String {
    let path = authority.path().unwrap_or(Path::new("ca.pem"));
    path.display().to_string()
}

/// `mailscope ca trust` with the flags of its authority behind it.
fn with_flags(command: &str, flags: &str) -> String {
    match flags.is_empty() {
        true => command.to_owned(),
        false => format!("{command} {flags}"),
    }
}
