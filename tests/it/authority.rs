//! The authority as others see it: openssl, the file system, and a second run.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use libtest_mimic::Trial;

use super::support::app::App;
use super::support::mailscope::{Mailscope, binary, record};
use super::support::programs::{OPENSSL, needing};
use super::support::server::{Server, polite};
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("authority";
        it_is_made_on_first_use_for_its_owner_alone_and_kept,
        ca_says_where_it_is_and_how_to_trust_it,
    );
    trials.extend(needing(
        &[OPENSSL],
        trials!("authority"; openssl_takes_a_leaf_for_localhost_and_for_no_other_name),
    ));
    trials
}

/// A mailscope in front of a server that says a greeting; nothing is asked of its server leg.
fn started() -> (Server, Mailscope) {
    let server = Server::plain(polite);
    let recording = record(&server.name()).with(&["--server-tls", "none"]);
    (server, recording.start())
}

fn openssl(arguments: &[&str]) -> Output {
    let mut command = Command::new(OPENSSL.path().unwrap());
    command.args(arguments).stdin(Stdio::null());
    command.output().unwrap()
}

/// Asks mailscope for `name` with `openssl s_client`, and keeps the certificate that it shows.
fn presented(mailscope: &Mailscope, name: &str) -> PathBuf {
    let output = openssl(&["s_client", "-connect", mailscope.tls(), "-servername", name]);
    let text = String::from_utf8_lossy(&output.stdout);
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    let certificate = text.split(begin).nth(1).and_then(|t| t.split(end).next());
    let certificate = certificate.unwrap_or_else(|| panic!("{output:?}"));
    let file = mailscope.folder().join(format!("{name}.pem"));
    std::fs::write(&file, format!("{begin}{certificate}{end}\n")).unwrap();
    file
}

/// What `openssl verify` says, and whether it is content.
fn verify(mailscope: &Mailscope, leaf: &Path, host: &[&str]) -> (bool, String) {
    let (ca, leaf) = (mailscope.ca(), leaf.display().to_string());
    let mut arguments = vec!["verify", "-x509_strict", "-purpose", "sslserver"];
    arguments.extend(["-CAfile", ca.to_str().unwrap()]);
    arguments.extend(host);
    arguments.push(&leaf);
    let output = openssl(&arguments);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.success(), said)
}

fn openssl_takes_a_leaf_for_localhost_and_for_no_other_name() {
    let (_server, mut mailscope) = started();
    let leaf = presented(&mailscope, "localhost");
    for host in [
        ["-verify_hostname", "localhost"],
        ["-verify_ip", "127.0.0.1"],
        ["-verify_ip", "::1"],
    ] {
        let (verifies, said) = verify(&mailscope, &leaf, &host);
        assert!(verifies, "{host:?}: {said}");
    }
    let (verifies, said) = verify(&mailscope, &leaf, &["-verify_hostname", "example.com"]);
    assert!(!verifies && said.contains("hostname mismatch"), "{said}");
    // It is minted all the same, and mailscope says that it is of no use.
    let leaf = presented(&mailscope, "imap.example.com");
    let (verifies, said) = verify(&mailscope, &leaf, &[]);
    assert!(!verifies && said.contains("permitted subtree"), "{said}");
    mailscope.closed(2);
    let transcript = mailscope.stop();
    let notes = transcript.notes("name-not-permitted");
    assert_eq!(notes.len(), 1, "{}", transcript.text());
    assert!(
        notes[0]["text"]
            .as_str()
            .unwrap()
            .contains("imap.example.com")
    );
}

fn it_is_made_on_first_use_for_its_owner_alone_and_kept() {
    let (server, mut first) = started();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let ca = first.ca();
    let folder = ca.parent().unwrap();
    assert!(ca.ends_with("ca/local/ca.pem"), "{}", ca.display());
    assert_eq!(mode(&folder.join("ca-key.pem")), 0o600);
    assert_eq!(mode(folder), 0o700);
    assert_eq!(mode(folder.parent().unwrap()), 0o700);
    let before = std::fs::read(&ca).unwrap();
    first.stop();
    let ca_dir = folder.parent().unwrap().display().to_string();
    let again = record(&server.name())
        .with(&["--server-tls", "none"])
        .set("--ca-dir", &ca_dir)
        .start();
    assert_eq!(again.ca(), ca);
    assert_eq!(std::fs::read(&ca).unwrap(), before);
    for name in ["localhost", "127.0.0.1"] {
        let mut app = App::tls(again.tls(), name, &ca);
        app.hear("* OK");
    }
}

fn ca_says_where_it_is_and_how_to_trust_it() {
    let folder = tempfile::tempdir().unwrap();
    let said = binary()
        .args(["ca", "--ca-dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(said.status.success(), "{said:?}");
    let said = String::from_utf8(said.stdout).unwrap();
    let ca = folder.path().join("local/ca.pem");
    assert!(ca.is_file());
    assert!(said.contains(ca.to_str().unwrap()), "{said}");
    let path = binary()
        .args(["ca", "path", "--ca-dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(path.stdout, format!("{}\n", ca.display()).into_bytes());
    for platform in [
        "Thunderbird",
        "Debian",
        "Fedora",
        "macOS",
        "Windows",
        "Android",
        "iOS",
        "Java",
    ] {
        let (_, after) = said
            .split_once(platform)
            .unwrap_or_else(|| panic!("no {platform}"));
        assert!(after.to_lowercase().contains("take back"), "{platform}");
    }
    assert!(
        said.lines()
            .all(|line| line.chars().count() <= 80 || line.contains(ca.to_str().unwrap()))
    );
}
