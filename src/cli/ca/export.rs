//! `mailscope ca export`: the certificate for elsewhere. Never the key, and never over a file that
//! is there.

use std::fs::OpenOptions;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;

use super::super::authority::WhichAuthority;
use super::super::say::say;
use super::super::{Common, print_octets};
use crate::error::{Error, Result};
use crate::net::Authority;

/// The arguments of `ca export`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The form of the file.
    #[arg(long, value_enum, default_value_t = Format::Pem)]
    format: Format,

    /// The file, never overwritten; standard output without it, or with `-`.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    which: WhichAuthority,
}

/// How a certificate is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text that begins with -----BEGIN CERTIFICATE-----.
    Pem,
    /// The bare octets, which Windows and Java read as well.
    Der,
    /// A configuration profile for iPhone, iPad and Mac.
    Mobileconfig,
}

/// Writes the certificate.
pub fn run(arguments: &Arguments, common: &Common) -> Result<ExitCode> {
    let file = arguments
        .out
        .as_deref()
        .filter(|out| *out != Path::new("-"));
    if file.is_none() && arguments.format == Format::Der && std::io::stdout().is_terminal() {
        return Err(
            Error::new("write the certificate as DER", "a terminal cannot show it")
                .hint("-o FILE, or --format pem"),
        );
    }
    let authority = arguments.which.open(common)?;
    let octets = content(&authority, arguments.format)?;
    match file {
        None => print_octets(&octets),
        Some(file) => {
            write(file, &octets)?;
            say(&format!(
                "mailscope: {} is the certificate of {:?}, which vouches for {}",
                file.display(),
                authority.name(),
                authority.scope()
            ));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn content(authority: &Authority, format: Format) -> Result<Vec<u8>> {
    Ok(match format {
        Format::Pem => authority.pem().as_bytes().to_vec(),
        Format::Der => authority.der().to_vec(),
        Format::Mobileconfig => authority.mobileconfig(),
    })
}

fn write(file: &Path, octets: &[u8]) -> Result<()> {
    let writing = || format!("write the certificate to {}", file.display());
    let mut options = OpenOptions::new();
    let mut opened =
        options
            .write(true)
            .create_new(true)
            .open(file)
            .map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => Error::new(
                    writing(),
                    "it is there already, and files are never overwritten",
                )
                .hint("another name, or remove it first"),
                _ => Error::new(writing(), error).hint("a file that your user may write"),
            })?;
    opened.write_all(octets).map_err(|error| {
        // Half a certificate would be in the way of the next try.
        let _ = std::fs::remove_file(file);
        Error::new(writing(), error)
    })
}
