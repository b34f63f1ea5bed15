//! The certificates that mailscope shows to apps, fetched by `openssl s_client`, and the
//! authorities and names that are tried with them.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::mailscope::{Mailscope, record};
use super::patience::InTime;
use super::programs::OPENSSL;
use super::server::{Server, polite};

/// An authority, and which names it may vouch for.
pub struct Case {
    pub flags: &'static [&'static str],
    pub good: &'static [&'static str],
    pub bad: &'static [&'static str],
}

/// Each kind of authority.
pub const CASES: [Case; 3] = [
    Case {
        flags: &[],
        good: &["localhost"],
        bad: &["imap.example.com", "localhost.example.com"],
    },
    Case {
        flags: &["--as", "imap.example.com", "--as", "192.0.2.7"],
        good: &["localhost", "imap.example.com", "a.imap.example.com"],
        bad: &["example.com", "imap.example.net", "notimap.example.com"],
    },
    Case {
        flags: &["--unconstrained-ca"],
        good: &["localhost", "imap.example.com", "www.example.net"],
        bad: &[],
    },
];

/// A mailscope in front of a server that says a greeting; nothing is asked of its server leg.
pub fn started(flags: &[&str]) -> (Server, Mailscope) {
    let server = Server::plain(polite);
    let recording = record(&server.name()).with(&["--server-tls", "none"]);
    (server, recording.with(flags).start())
}

/// Runs `openssl`.
pub fn openssl(arguments: &[&str]) -> Output {
    let mut command = Command::new(OPENSSL.path().unwrap());
    command.args(arguments).stdin(Stdio::null());
    command.output_in_time().unwrap()
}

/// Asks mailscope for `name`, and keeps the certificate that it shows.
pub fn presented(mailscope: &Mailscope, name: &str) -> PathBuf {
    fetched(mailscope, &["-servername", name], name)
}

/// Asks mailscope for no name, and keeps the certificate that it shows.
pub fn presented_without_a_name(mailscope: &Mailscope) -> PathBuf {
    fetched(mailscope, &["-noservername"], "without-a-name")
}

fn fetched(mailscope: &Mailscope, asking: &[&str], file: &str) -> PathBuf {
    let arguments = [&["s_client", "-connect", mailscope.tls()], asking].concat();
    let output = openssl(&arguments);
    let text = String::from_utf8_lossy(&output.stdout);
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    let certificate = text.split(begin).nth(1).and_then(|t| t.split(end).next());
    let certificate = certificate.unwrap_or_else(|| panic!("{output:?}"));
    let file = mailscope.folder().join(format!("{file}.pem"));
    std::fs::write(&file, format!("{begin}{certificate}{end}\n")).unwrap();
    file
}

/// Whether a program was content, and all that it said.
pub fn verdict(output: Output) -> (bool, String) {
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.success(), said)
}
