//! What goes wrong: each told in a clear line, live and in the transcript, while mailscope lives on
//! and the app sees its connection close without an octet that its server did not send.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use libtest_mimic::Trial;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConnection, ServerConfig};

use super::support::app::App;
use super::support::certificates::{TestAuthority, client_of};
use super::support::mailscope::{Mailscope, record};
use super::support::server::{Server, line, polite};
use super::support::wire::{Door, Far, Wire, join};
use super::support::{trials, wait_for};

pub fn trials() -> Vec<Trial> {
    trials!("failures";
        the_server_is_unreachable,
        the_server_s_certificate_is_not_trusted,
        an_unverified_server_is_told_of,
        the_server_is_not_what_was_said,
        the_app_does_not_trust_the_authority,
        the_app_does_not_speak_tls,
        the_app_speaks_tls_to_the_cleartext_port,
        a_look_at_the_ports,
        the_app_breaks_off,
        the_server_breaks_off_in_a_literal,
        no_files_are_left_for_more_connections,
    )
}

/// A cleartext connection sees its end, and nothing before it.
fn sees_it_close(mailscope: &Mailscope) {
    let mut app = App::plain(mailscope.plain());
    assert_eq!(app.rest().unwrap(), b"");
}

/// The note and the reason of this connection's end hold these words, and so does the live view;
/// then mailscope is stopped, and is content.
fn told(mailscope: &mut Mailscope, conn: u64, note: &str, words: &str, reason: &str) {
    mailscope.closed(usize::try_from(conn).unwrap());
    let transcript = mailscope.stop();
    let mine = |event: &&&serde_json::Value| event["conn"] == conn;
    let notes = transcript.notes(note);
    let notes: Vec<_> = notes.iter().filter(mine).collect();
    assert_eq!(notes.len(), 1, "{note}: {}", transcript.text());
    let text = notes[0]["text"].as_str().unwrap();
    assert!(text.contains(words), "{text}");
    let closed = transcript.closed(conn)["reason"].as_str().unwrap();
    assert!(closed.contains(reason), "{closed}");
    assert!(mailscope.stdout().contains(&format!("WARNING {note}: ")));
    let warning = format!("mailscope: warning: connection {conn}: {text}\n");
    assert!(
        mailscope.stderr().contains(&warning),
        "{}",
        mailscope.stderr()
    );
    assert_eq!(mailscope.stdout(), mailscope.show());
}

/// A port of 127.0.0.1 that nobody listens on.
fn nobody() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn the_server_is_unreachable() {
    let port = nobody();
    let mut mailscope = record(&format!("127.0.0.1:{port}")).start();
    sees_it_close(&mailscope);
    let mut tcp = TcpStream::connect(mailscope.tls()).unwrap();
    tcp.write_all(&hello(&mailscope)).unwrap();
    assert_eq!(
        tcp.read(&mut [0; 100]).unwrap(),
        0,
        "no TLS before the server's"
    );
    let refused = format!("127.0.0.1:{port} refused the connection");
    told(
        &mut mailscope,
        2,
        "server-unreachable",
        &refused,
        "server unreachable: ",
    );
}

/// What an app sends first.
fn hello(mailscope: &Mailscope) -> Vec<u8> {
    let name = ServerName::try_from("localhost").unwrap();
    let config = client_of(&mailscope.ca(), rustls::DEFAULT_VERSIONS);
    let mut hello = Vec::new();
    ClientConnection::new(config, name)
        .unwrap()
        .write_tls(&mut hello)
        .unwrap();
    hello
}

fn the_server_s_certificate_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = TestAuthority::new(elsewhere.path());
    for (server, words) in [
        (
            stranger.server(&["localhost"]),
            "no authority that is trusted here",
        ),
        (
            authority.server(&["imap.example.com"]),
            "it is for imap.example.com, not for localhost",
        ),
        (authority.expired_server(), "it expired on 2021-01-01"),
    ] {
        let server = Server::start(Some(server), polite);
        let trust = authority.pem().to_str().unwrap();
        let mut mailscope = record(&server.name()).with(&["--server-ca", trust]).start();
        sees_it_close(&mailscope);
        told(
            &mut mailscope,
            1,
            "server-untrusted",
            words,
            "server certificate not trusted: ",
        );
    }
}

fn an_unverified_server_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let server = Server::start(Some(authority.expired_server()), polite);
    let mut mailscope = record(&server.name()).with(&["--insecure"]).start();
    let mut app = App::tls(mailscope.tls(), "localhost", &mailscope.ca());
    app.hear("* OK");
    app.command("a", "LOGOUT");
    app.finish();
    mailscope.closed(1);
    let transcript = mailscope.stop();
    assert_eq!(transcript.header()["insecure"], true);
    assert_eq!(transcript.notes("insecure").len(), 1);
    let secured = transcript.kind("secured");
    assert_eq!(secured[0]["certificate"]["verified"], false);
    assert!(mailscope.stdout().contains("NOT VERIFIED"));
    assert!(
        mailscope
            .stderr()
            .contains("warning: the server's certificate is not verified")
    );
}

fn the_server_is_not_what_was_said() {
    let cleartext = Server::plain(polite);
    let mut mailscope = record(&cleartext.name()).start();
    sees_it_close(&mailscope);
    let words = "what it sent is not TLS";
    told(
        &mut mailscope,
        1,
        "server-handshake",
        words,
        "TLS handshake with the server failed",
    );

    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let tls = Server::start(Some(authority.server(&["localhost"])), polite);
    let mut mailscope = record(&tls.name()).with(&["--server-tls", "none"]).start();
    let mut app = App::plain(mailscope.plain());
    app.say(b"a NOOP\r\n"); // a TLS server waits for its client, and answers this with an alert
    app.rest().unwrap();
    app.finish();
    mailscope.closed(1);
    let transcript = mailscope.stop();
    let note = &transcript.notes("tls-in-cleartext")[0]["text"];
    assert!(
        note.as_str().unwrap().contains("--server-tls none"),
        "{note}"
    );
}

/// What an app does with a certificate that it does not trust.
#[derive(Clone, Copy, Debug)]
enum Distrust {
    /// It sends an alert and leaves.
    Alert,
    /// It leaves.
    Leaves,
}

fn the_app_does_not_trust_the_authority() {
    let folder = tempfile::tempdir().unwrap();
    let stranger = TestAuthority::new(folder.path());
    let server = Far::listen(None);
    for version in [&TLS12, &TLS13] {
        for distrust in [Distrust::Alert, Distrust::Leaves] {
            let mut mailscope = record(&server.name())
                .with(&["--server-tls", "none"])
                .start();
            refuse(&mailscope, stranger.pem(), version, distrust);
            let words = match distrust {
                Distrust::Alert => "it sent the TLS alert unknown_ca",
                Distrust::Leaves => "it closed the connection on seeing the certificate",
            };
            told(
                &mut mailscope,
                1,
                "client-distrust",
                words,
                "does not trust mailscope",
            );
            let shown = mailscope
                .stdout()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            assert!(
                shown.contains("`mailscope ca` says how"),
                "{version:?} {distrust:?}"
            );
        }
    }
}

fn refuse(
    mailscope: &Mailscope,
    trusted: &Path,
    version: &'static rustls::SupportedProtocolVersion,
    distrust: Distrust,
) {
    let name = ServerName::try_from("localhost").unwrap();
    let mut tls = ClientConnection::new(client_of(trusted, &[version]), name).unwrap();
    let mut tcp = TcpStream::connect(mailscope.tls()).unwrap();
    match distrust {
        Distrust::Alert => {
            tls.complete_io(&mut tcp).unwrap_err();
            while tls.wants_write() {
                tls.write_tls(&mut tcp).unwrap();
            }
        }
        Distrust::Leaves => {
            tls.write_tls(&mut tcp).unwrap();
            let mut records = [0; 16 * 1024];
            assert!(tcp.read(&mut records).unwrap() > 0, "the certificate came");
        }
    }
    let _ = tcp.shutdown(Shutdown::Write);
    let _ = tcp.read_to_end(&mut Vec::new());
}

fn the_app_does_not_speak_tls() {
    let server = Far::listen(None);
    let mut mailscope = record(&server.name())
        .with(&["--server-tls", "none"])
        .start();
    let mut app = App::plain(mailscope.tls());
    app.say(b"a LOGIN alice secret\r\n");
    assert_eq!(app.rest().unwrap(), b"");
    let words = "set the app to TLS (SSL/TLS, not STARTTLS), or let it use mailscope's port without encryption";
    told(
        &mut mailscope,
        1,
        "client-handshake",
        words,
        "what it sent is not TLS",
    );
    assert!(!mailscope.transcript().text().contains("alice"));
}

fn the_app_speaks_tls_to_the_cleartext_port() {
    let server = Far::listen(None);
    let mut mailscope = record(&server.name())
        .with(&["--server-tls", "none"])
        .start();
    let hello = hello(&mailscope);
    let (near, far) = join(&mailscope, Door::Plain, &server);
    near.say(&hello);
    assert_eq!(far.hear(hello.len()), hello, "it is passed on all the same");
    near.finish();
    far.rest();
    far.finish();
    mailscope.closed(1);
    let transcript = mailscope.stop();
    let note = &transcript.notes("tls-in-cleartext")[0]["text"];
    assert!(
        note.as_str()
            .unwrap()
            .contains("let the app use the TLS port"),
        "{note}"
    );
    assert!(mailscope.stdout().contains("WARNING tls-in-cleartext: "));
}

fn a_look_at_the_ports() {
    let server = Server::plain(polite);
    let mut mailscope = record(&server.name())
        .with(&["--server-tls", "none"])
        .start();
    drop(TcpStream::connect(mailscope.tls()).unwrap());
    mailscope.closed(1);
    drop(TcpStream::connect(mailscope.plain()).unwrap());
    mailscope.closed(2);
    let near = Wire::tls(mailscope.tls(), &mailscope.ca());
    near.finish();
    near.rest();
    mailscope.closed(3);
    let transcript = mailscope.stop();
    assert_eq!(transcript.kind("note"), Vec::<&serde_json::Value>::new());
    let reason = |conn| {
        transcript.closed(conn)["reason"]
            .as_str()
            .unwrap_or("")
            .to_owned()
    };
    assert!(reason(1).starts_with("the app closed the connection without a word of TLS"));
    assert!(reason(3).starts_with("the app left without a word; if it complains"));
}

fn the_app_breaks_off() {
    for door in [Door::Plain, Door::Tls] {
        let server = Far::listen(None);
        let mut mailscope = record(&server.name())
            .with(&["--server-tls", "none"])
            .start();
        let (near, far) = join(&mailscope, door, &server);
        near.say(b"a APPEND x {1000}\r\n");
        assert_eq!(far.hear(19), b"a APPEND x {1000}\r\n");
        far.say(b"+ go\r\n");
        mailscope.event("the go-ahead", |e| e["kind"] == "continuation_request");
        // What it has not read makes its close a reset.
        near.tcp().peek(&mut [0]).unwrap();
        drop(near);
        assert_eq!(far.rest(), b"");
        drop(far);
        mailscope.closed(1);
        let transcript = mailscope.stop();
        let command = transcript.kind("command")[0];
        assert_eq!(command["incomplete"], true);
        let reason = transcript.closed(1)["reason"].as_str().unwrap();
        assert!(
            reason.starts_with("the app broke the connection off"),
            "{reason}"
        );
    }
}

fn the_server_breaks_off_in_a_literal() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let tls: [Option<Arc<ServerConfig>>; 2] = [None, Some(authority.server(&["localhost"]))];
    for tls in tls {
        let leg = match tls {
            None => ["--server-tls", "none"],
            Some(_) => ["--server-ca", authority.pem().to_str().unwrap()],
        };
        let server = Server::start(tls, |stream| {
            stream.write_all(b"* OK ready\r\n")?;
            line(stream)?;
            stream.write_all(b"* 1 FETCH (BODY[] {1000}\r\nFrom: ")?;
            stream.flush()?;
            stream.tcp().shutdown(Shutdown::Both) // without close_notify
        });
        let mut mailscope = record(&server.name()).with(&leg).start();
        let mut app = App::tls(mailscope.tls(), "localhost", &mailscope.ca());
        app.hear("* OK");
        app.say(b"a FETCH 1 BODY[]\r\n");
        assert_eq!(app.rest().unwrap(), b"* 1 FETCH (BODY[] {1000}\r\nFrom: ");
        app.finish();
        mailscope.closed(1);
        let transcript = mailscope.stop();
        let cut = transcript.kind("untagged")[0];
        assert_eq!(cut["incomplete"], true);
        assert!(
            mailscope
                .stdout()
                .contains("cut off by the end of the connection")
        );
        // The next app is none the worse.
    }
}

fn no_files_are_left_for_more_connections() {
    let server = Server::plain(polite);
    let recording = record(&server.name()).with(&["--server-tls", "none", "--quiet"]);
    let mut mailscope = recording.limited("-n 40").start();
    let apps: Vec<_> = (0..60)
        .map(|_| TcpStream::connect(mailscope.plain()).unwrap())
        .collect();
    let told = "accept a connection of an app: ";
    wait_for("the warning", || {
        mailscope.stderr().contains(told).then_some(())
    });
    drop(apps);
    // The ones that waited are served as the others go.
    mailscope.closed(60);
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    app.command("a", "LOGOUT");
    let stderr = mailscope.stderr();
    assert!(stderr.matches(told).count() < 20, "{stderr}");
    mailscope.stop();
}
