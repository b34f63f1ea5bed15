//! A real server, Dovecot, and real clients in front of it: what a client obtains through mailscope
//! is what it obtains without, and what mailscope kept is what Dovecot kept.
//!
//! - `again`: the clients recorded once more in front of recordings of themselves.
//! - `compress`: COMPRESS=DEFLATE.
//! - `followed`: that UIDs told of messages are those that Dovecot gave them.
//! - `grown`: a recording that learns from Dovecot what the client asks besides.
//! - `exported`: a client against a recording of itself in the short text form.
//! - `healthy`: what is true of every recording of peers that do nothing wrong.
//! - `legs`: every mix of how the two legs are secured.
//! - `lint`: what exactly lint finds of each client, and that what it finds in all of these is true.
//! - `measured`: what `stats` tells of them.
//! - `replayed`: the clients against recordings of themselves.
//! - `scrubbed`: a client against a scrubbed recording of itself.
//! - `socks`: a client that keeps Dovecot's name and port.
//! - the rest: one file a client.

mod again;
mod compress;
mod curl;
mod exported;
mod followed;
mod grown;
mod healthy;
pub mod imapflow;
mod imaplib;
mod legs;
mod lint;
mod mbsync;
mod measured;
mod nasty;
mod neomutt;
mod replayed;
mod scrubbed;
mod socks;

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::Command;

use libtest_mimic::Trial;

use super::support::dovecot::Dovecot;
use super::support::mailscope::{Mailscope, Recording, record};
use crate::support::patience::InTime;

pub fn trials() -> Vec<Trial> {
    [
        again::trials(),
        compress::trials(),
        curl::trials(),
        followed::trials(),
        grown::trials(),
        exported::trials(),
        imapflow::trials(),
        imaplib::trials(),
        legs::trials(),
        lint::trials(),
        mbsync::trials(),
        measured::trials(),
        neomutt::trials(),
        replayed::trials(),
        scrubbed::trials(),
        socks::trials(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The user whose client goes to Dovecot itself.
const DIRECT: &str = "direct";

/// The user whose client goes through mailscope; has the same mail.
const THROUGH: &str = "through";

/// How a client is to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    Tls,
    Starttls,
    Cleartext,
}

/// Where a client goes, and who it is there.
struct Door {
    port: u16,
    security: Security,
    /// What it is to trust.
    ca: PathBuf,
    user: &'static str,
    /// How it is told of a proxy, if it goes by one.
    proxy: Vec<String>,
}

/// Dovecot's own door.
fn direct(dovecot: &Dovecot, security: Security) -> Door {
    let port = match security {
        Security::Tls => dovecot.tls(),
        Security::Starttls | Security::Cleartext => dovecot.plain(),
    };
    Door {
        port,
        security,
        ca: dovecot.ca().to_owned(),
        user: DIRECT,
        proxy: Vec::new(),
    }
}

/// The door of a mailscope before it.
fn through(mailscope: &Mailscope, security: Security) -> Door {
    let address = match security {
        Security::Tls => mailscope.tls(),
        Security::Starttls | Security::Cleartext => mailscope.plain(),
    };
    Door {
        port: address.rsplit_once(':').unwrap().1.parse().unwrap(),
        security,
        ca: mailscope.ca(),
        user: THROUGH,
        proxy: Vec::new(),
    }
}

/// A mailscope before Dovecot, whose own leg is secured like this.
fn recording(dovecot: &Dovecot, security: Security) -> Recording {
    let trusting = ["--server-ca", dovecot.ca().to_str().unwrap()];
    match security {
        Security::Tls => record(&format!("imaps://localhost:{}", dovecot.tls())).with(&trusting),
        Security::Starttls => {
            record(&format!("imap://localhost:{}", dovecot.plain())).with(&trusting)
        }
        Security::Cleartext => {
            record(&format!("imap://localhost:{}", dovecot.plain())).with(&["--server-tls", "none"])
        }
    }
}

/// Runs a client to its end, which is to be a good one; what it printed.
fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output_in_time().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    output.stdout
}

/// Does both at once: most of their time they wait.
fn at_once<T: Send>(one: impl FnOnce() -> T, other: impl FnOnce() -> T + Send) -> (T, T) {
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        let one = one();
        match other.join() {
            Ok(other) => (one, other),
            Err(panic) => resume_unwind(panic),
        }
    })
}
