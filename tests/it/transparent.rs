//! Apps that know nothing of mailscope and are redirected to it by the system: by the very rules that
//! mailscope tells to type, in a network of the test's own.

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use super::support::app::App;
use super::support::dovecot::{Dovecot, PASSWORD};
use super::support::mailscope::{Mailscope, Recording, record_diverted, run};
use super::support::network::{apart, needing_networks};
use super::support::patience::InTime;
use super::support::programs::{CURL, DOVECOT, IP, IPTABLES, NFT, needing};
use super::support::server::{Server, polite};
use super::support::{schema, trials};

pub fn trials() -> Vec<Trial> {
    if !cfg!(target_os = "linux") {
        return trials!("transparent"; it_is_refused_where_the_system_does_not_tell);
    }
    let mut trials = trials!("transparent";
        an_app_that_was_not_redirected_is_told_of,
        it_is_refused_without_an_authority_for_the_apps_servers,
    );
    let apart = needing_networks(trials!("transparent";
        an_app_is_redirected_by_iptables,
        an_app_is_redirected_by_nft,
        a_rule_that_catches_mailscope_itself_makes_no_loop,
    ));
    trials.extend(needing(&[DOVECOT, CURL, IP, IPTABLES, NFT], apart));
    trials
}

/// The group that mailscope runs in, and nobody else.
const GROUP: u32 = 64_321;

fn recording() -> Recording {
    record_diverted("--listen-transparent").with(&["--as", "localhost"])
}

/// Types the line that mailscope tells which holds all of these parts, as root; changed before.
fn type_rule(mailscope: &Mailscope, parts: &[&str], change: impl Fn(&str) -> String) {
    let told = mailscope.stderr();
    let mut lines = told.lines().map(str::trim);
    let is_it = |line: &&str| parts.iter().all(|part| line.contains(part));
    let line = lines
        .find(is_it)
        .unwrap_or_else(|| panic!("{parts:?} in {told}"));
    let line = change(line.strip_prefix("sudo ").unwrap());
    let typed = Command::new("sh")
        .args(["-c", &format!("PATH=$PATH:/usr/sbin; {line}")])
        .output_in_time()
        .unwrap();
    assert!(typed.status.success(), "{line}: {typed:?}");
}

fn an_app_is_redirected_by_iptables() {
    apart(|| an_app_is_redirected(&["iptables ", " -I OUTPUT "], &["iptables ", " -D OUTPUT "]));
}

fn an_app_is_redirected_by_nft() {
    apart(|| an_app_is_redirected(&["nft 'add table"], &["nft delete table"]));
}

/// curl asks Dovecot at its own ports, with TLS at once and with STARTTLS.
fn an_app_is_redirected(rule: &[&str], back: &[&str]) {
    let dovecot = Dovecot::start_at_its_ports();
    dovecot.user("alice", &[("INBOX", &[]), ("Archive", &[])]);
    let mut mailscope = recording()
        .with(&["--server-ca", dovecot.ca().to_str().unwrap()])
        .in_group(GROUP)
        .start();
    type_rule(&mailscope, rule, str::to_owned);
    let ca = mailscope.ca();
    for url in ["imaps://localhost/", "imap://localhost/"] {
        let list = curl(url, &ca);
        assert!(list.contains("Archive"), "{list}");
    }
    type_rule(&mailscope, back, str::to_owned);
    let list = curl("imaps://localhost/", dovecot.ca());
    assert!(list.contains("Archive"), "{list}");

    mailscope.closed(2);
    let transcript = mailscope.stop();
    let connected = transcript.kind("connected");
    let servers: Vec<_> = connected
        .iter()
        .map(|event| event["server"].as_str().unwrap())
        .collect();
    assert_eq!(servers, ["127.0.0.1:993", "127.0.0.1:143"]);
    let secured = transcript.kind("secured");
    assert_eq!(secured.len(), 4);
    assert!(
        secured.iter().all(|event| event["sni"] == "localhost"),
        "{secured:?}"
    );
    assert_eq!(transcript.kind("note"), Vec::<&Value>::new());
    assert_eq!(transcript.header()["server"], "transparent");
    assert_eq!(schema::errors(&transcript), Vec::<String>::new());
    assert!(!transcript.text().contains(PASSWORD));
}

fn curl(url: &str, ca: &std::path::Path) -> String {
    let output = Command::new(CURL.path().unwrap())
        .args([
            "--silent",
            "--show-error",
            "--max-time",
            "60",
            "--ssl-reqd",
            "--cacert",
        ])
        .arg(ca)
        .args(["--user", &format!("alice:{PASSWORD}"), url])
        .output_in_time()
        .unwrap();
    assert!(output.status.success(), "{url}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn a_rule_that_catches_mailscope_itself_makes_no_loop() {
    apart(|| {
        let server = Server::plain(polite);
        let mut mailscope = recording().in_group(GROUP).start();
        let of_the_server = |line: &str| {
            let line = line.replace("143,993", &server.port().to_string());
            line.replace(&GROUP.to_string(), "1")
        };
        type_rule(&mailscope, &["iptables ", " -I OUTPUT "], of_the_server);
        let mut app = App::plain(&format!("127.0.0.1:{}", server.port()));
        assert_eq!(app.rest().unwrap_or_default(), b"");
        drop(app);
        type_rule(&mailscope, &["iptables ", " -D OUTPUT "], of_the_server);
        mailscope.closed(2);
        let transcript = mailscope.stop();
        let notes = transcript.notes("redirect-loop");
        assert!(!notes.is_empty(), "{}", transcript.text());
        let connections = transcript.kind("connected").len();
        assert!(connections < 10, "{connections}");
    });
}

fn an_app_that_was_not_redirected_is_told_of() {
    let mut mailscope = recording().start();
    let mut app = App::plain(mailscope.transparent());
    assert_eq!(app.rest().unwrap(), b"");
    mailscope.closed(1);
    let transcript = mailscope.stop();
    assert_eq!(transcript.notes("not-redirected").len(), 1);
    let reason = transcript.closed(1)["reason"].as_str().unwrap();
    assert!(
        reason.contains("it connected to the listener itself"),
        "{reason}"
    );
    assert!(mailscope.stderr().contains("--gid-owner"));
    assert_eq!(mailscope.stdout(), mailscope.show());
}

fn it_is_refused_without_an_authority_for_the_apps_servers() {
    let ended = run(&["record", "--listen-transparent", "127.0.0.1:0"]);
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("--as HOST"), "{stderr}");
}

fn it_is_refused_where_the_system_does_not_tell() {
    let ended = run(&[
        "record",
        "--listen-transparent",
        "127.0.0.1:0",
        "--unconstrained-ca",
    ]);
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("--listen-socks"), "{stderr}");
}
