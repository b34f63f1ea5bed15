//! Apps that keep their servers and come by SOCKS5: what they are told, whom they are joined with, and
//! what is none of mailscope's business.

use std::io;

use libtest_mimic::Trial;
use serde_json::Value;

use super::support::app::App;
use super::support::certificates::TestAuthority;
use super::support::mailscope::{Mailscope, record, record_diverted, run};
use super::support::server::{Server, Stream, line, polite};
use super::support::{schema, socks, trials};

pub fn trials() -> Vec<Trial> {
    trials!("socks";
        each_server_has_the_name_that_the_app_asks_for,
        a_server_that_is_not_the_one_asked_for_is_not_trusted,
        the_app_is_told_what_became_of_its_server,
        a_request_that_is_not_served_is_told,
        cleartext_is_followed_as_far_as_it_may_go,
        what_is_not_imap_passes_and_is_not_recorded,
        what_is_not_imap_in_tls_passes_and_is_not_recorded,
        an_app_that_leaves_without_a_word_is_told_so,
        the_web_in_tls_is_refused,
        beside_a_server_of_its_own,
        it_is_refused_without_an_authority_for_the_apps_servers,
        mailscope_is_not_its_own_server,
    )
}

/// A mailscope for apps that come by SOCKS5, trusting servers by this authority.
fn started(authority: &TestAuthority) -> Mailscope {
    let trust = ["--server-ca", authority.pem().to_str().unwrap()];
    let recording = record_diverted("--listen-socks");
    recording.with(&["--unconstrained-ca"]).with(&trust).start()
}

fn each_server_has_the_name_that_the_app_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let names = ["imap.example.com", "mail.example.org"];
    let servers = names.map(|name| Server::start(Some(authority.server(&[name])), polite));
    let mut mailscope = started(&authority);
    for (server, name) in servers.iter().zip(names) {
        let stream = socks::connect(mailscope.socks(), "127.0.0.1", server.port()).unwrap();
        let mut app = App::tls_over(stream, name, &mailscope.ca());
        app.hear("* OK ready");
        app.command("a", "LOGOUT");
        app.finish();
        app.rest().unwrap();
    }
    mailscope.closed(2);
    let transcript = mailscope.stop();
    for (conn, (server, name)) in (1..).zip(servers.iter().zip(names)) {
        let of_it = |event: &&&Value| event["conn"] == conn;
        let connected = transcript.kind("connected");
        let connected = connected.iter().find(of_it).unwrap();
        assert_eq!(connected["server"], format!("127.0.0.1:{}", server.port()));
        let secured = transcript.kind("secured");
        let secured: Vec<_> = secured.iter().filter(of_it).collect();
        assert_eq!(secured.len(), 2);
        assert!(
            secured.iter().all(|event| event["sni"] == name),
            "{secured:?}"
        );
        assert_eq!(transcript.wire(conn, "client", b""), b"a LOGOUT\r\n");
        assert_eq!(transcript.closed(conn).get("reason"), None);
    }
    assert_eq!(transcript.header()["server"], "socks");
    assert_eq!(schema::errors(&transcript), Vec::<String>::new());
    assert_eq!(mailscope.stdout(), mailscope.show());
}

fn a_server_that_is_not_the_one_asked_for_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let server = Server::start(Some(authority.server(&["localhost"])), polite);
    let mut mailscope = started(&authority);
    let stream = socks::connect(mailscope.socks(), "localhost", server.port()).unwrap();
    let mut app = App::tls_over(stream, "imap.example.com", &mailscope.ca());
    assert!(!app.try_hear("* OK").unwrap_or(false));
    drop(app);
    mailscope.closed(1);
    let transcript = mailscope.stop();
    let text = transcript.notes("server-untrusted")[0]["text"]
        .as_str()
        .unwrap();
    assert!(
        text.contains("it is for localhost, not for imap.example.com"),
        "{text}"
    );
}

/// A port of 127.0.0.1 that nobody listens on.
fn nobody() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Its transcript at the end of so many connections, and the reasons of their ends.
fn ended(
    mailscope: &mut Mailscope,
    connections: usize,
) -> (super::support::transcript::Transcript, Vec<String>) {
    mailscope.closed(connections);
    let transcript = mailscope.stop();
    let reason = |conn| {
        transcript.closed(conn)["reason"]
            .as_str()
            .unwrap_or("")
            .to_owned()
    };
    let reasons = (1..=connections as u64).map(reason).collect();
    (transcript, reasons)
}

fn the_app_is_told_what_became_of_its_server() {
    let mut mailscope = record_diverted("--listen-socks")
        .with(&["--unconstrained-ca"])
        .start();
    let own = mailscope
        .socks()
        .rsplit_once(':')
        .unwrap()
        .1
        .parse()
        .unwrap();
    let cases = [
        ("127.0.0.1", nobody(), 5, "refused the connection"),
        ("no name", 993, 4, "not a host's name"),
        ("", 993, 4, "the host is missing"),
        ("127.0.0.1", own, 2, "mailscope's own listener"),
        ("localhost", own, 2, "mailscope's own listener"),
    ];
    for (host, port, code, _) in cases {
        let refused = socks::connect(mailscope.socks(), host, port);
        assert_eq!(refused.unwrap_err(), code, "{host}:{port}");
    }
    let (transcript, reasons) = ended(&mut mailscope, cases.len());
    for ((host, port, _, words), reason) in cases.iter().zip(reasons) {
        assert!(reason.contains(words), "{host}:{port}: {reason}");
    }
    assert_eq!(transcript.notes("server-unreachable").len(), 3);
    assert_eq!(
        transcript.kind("connected").len(),
        cases.len(),
        "no loop was begun"
    );
}

fn a_request_that_is_not_served_is_told() {
    let mut mailscope = record_diverted("--listen-socks")
        .with(&["--unconstrained-ca"])
        .start();
    let cases = [
        (&b"\x04\x01\x03\xe1\x7f\0\0\x01\0"[..], &b""[..], "SOCKS4"),
        (b"CONNECT localhost:993 HTTP/1.1\r\n\r\n", b"", "HTTP"),
        (b"\x05\x01\x02", b"\x05\xff", "user name and password"),
        (
            b"\x05\x01\0\x05\x02\0\x01\x7f\0\0\x01\x03\xe1",
            b"\x05\0\x05\x07\0\x01\0\0\0\0\0\0",
            "BIND",
        ),
        (
            b"\x05\x01\0\x05\x01\0\x05\x7f\0\0\x01\x03\xe1",
            b"\x05\0\x05\x08\0\x01\0\0\0\0\0\0",
            "type 5",
        ),
    ];
    for (octets, answer, words) in cases {
        assert_eq!(socks::say(mailscope.socks(), octets), answer, "{words}");
    }
    assert_eq!(socks::say(mailscope.socks(), b""), b"");
    let (transcript, reasons) = ended(&mut mailscope, cases.len() + 1);
    for ((_, _, words), reason) in cases.iter().zip(&reasons) {
        assert!(reason.contains(words), "{words}: {reason}");
    }
    assert!(
        reasons.last().unwrap().contains("without a word"),
        "{reasons:?}"
    );
    let notes = transcript.notes("socks-request");
    assert_eq!(notes.len(), cases.len());
    let connected = transcript.kind("connected");
    assert!(connected.iter().all(|event| event["server"] == "socks"));
    assert!(
        mailscope
            .stderr()
            .contains("set its proxy to SOCKS version 5")
    );
    assert_eq!(schema::errors(&transcript), Vec::<String>::new());
}

/// A server that has no TLS to offer.
fn without_tls(stream: &mut dyn Stream) -> io::Result<()> {
    stream.write_all(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")?;
    line(stream)?;
    stream.write_all(b"a OK done\r\n")
}

fn cleartext_is_followed_as_far_as_it_may_go() {
    let server = Server::plain(without_tls);
    for (arguments, answer, note) in [
        (&["--server-tls", "none"][..], true, None),
        (&[], false, Some("starttls-not-offered")),
    ] {
        let mut mailscope = record_diverted("--listen-socks")
            .with(&["--unconstrained-ca"])
            .with(arguments)
            .start();
        let stream = socks::connect(mailscope.socks(), "localhost", server.port()).unwrap();
        let mut app = App::plain_over(stream);
        let _ = app.try_hear("* OK");
        let _ = app.try_say(b"a LOGIN alice hunter2\r\n");
        assert_eq!(
            app.try_hear("a OK").unwrap_or(false),
            answer,
            "{arguments:?}"
        );
        drop(app);
        let (transcript, _) = ended(&mut mailscope, 1);
        let notes = transcript.kind("note");
        assert_eq!(notes.first().and_then(|note| note["id"].as_str()), note);
        assert!(!transcript.text().contains("hunter2"));
    }
}

/// A server of another protocol, which speaks first.
fn smtp(stream: &mut dyn Stream) -> io::Result<()> {
    stream.write_all(b"220 ready\r\n")?;
    while !line(stream)?.is_empty() {
        stream.write_all(b"250 a-secret\r\n")?;
    }
    Ok(())
}

fn what_is_not_imap_passes_and_is_not_recorded() {
    let server = Server::plain(smtp);
    let mut mailscope = record_diverted("--listen-socks")
        .with(&["--unconstrained-ca"])
        .start();
    for speaks_first in [false, true] {
        let stream = socks::connect(mailscope.socks(), "127.0.0.1", server.port()).unwrap();
        let mut app = App::plain_over(stream);
        if speaks_first {
            app.say(b"AUTH another-secret\r\n");
        }
        app.hear("220 ready");
        app.say(b"AUTH another-secret\r\n");
        app.hear("250 a-secret");
        app.finish();
        app.rest().unwrap();
    }
    let (transcript, reasons) = ended(&mut mailscope, 2);
    assert_eq!(transcript.notes("not-imap").len(), 2);
    assert!(
        reasons[0].contains("21 octets of the app, 25 octets of the server"),
        "{reasons:?}"
    );
    assert!(
        !transcript.text().contains("secret\\r"),
        "{}",
        transcript.text()
    );
    assert_eq!(transcript.events().len(), 6);
    assert_eq!(mailscope.stdout(), mailscope.show());
}

/// The web: the app speaks first, and the server ends with its answer.
fn web(stream: &mut dyn Stream) -> io::Result<()> {
    line(stream)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nSet-Cookie: a-secret\r\n\r\n")
}

fn what_is_not_imap_in_tls_passes_and_is_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let speaks_first = Server::start(Some(authority.server(&["localhost"])), smtp);
    let waits = Server::start(Some(authority.server(&["localhost"])), web);
    let mut mailscope = started(&authority);
    let connect = |server: &Server| {
        let stream = socks::connect(mailscope.socks(), "127.0.0.1", server.port()).unwrap();
        App::tls_over(stream, "localhost", &mailscope.ca())
    };
    let mut app = connect(&speaks_first);
    app.hear("220 ready");
    app.say(b"AUTH another-secret\r\n");
    app.hear("250 a-secret");
    app.finish();
    app.rest().unwrap();
    let mut app = connect(&waits);
    app.say(b"GET /another-secret HTTP/1.1\r\n");
    app.hear("HTTP/1.1 200 OK");
    app.hear("Set-Cookie: a-secret");
    app.finish();
    app.rest().unwrap();
    let (transcript, reasons) = ended(&mut mailscope, 2);
    assert_eq!(transcript.notes("not-imap").len(), 2);
    for (reason, octets) in reasons.iter().zip([
        "21 octets of the app, 25 octets of the server",
        "30 octets of the app, 41 octets of the server",
    ]) {
        assert!(reason.contains(octets), "{reasons:?}");
    }
    assert!(
        !transcript.text().contains("-secret"),
        "{}",
        transcript.text()
    );
    // Connected, each leg secured, not IMAP, closed.
    assert_eq!(transcript.events().len(), 10);
    assert_eq!(mailscope.stdout(), mailscope.show());
}

/// Its server speaks TLS, which it would have been the app's turn to begin.
fn an_app_that_leaves_without_a_word_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let server = Server::start(Some(authority.server(&["localhost"])), web);
    let mut mailscope = started(&authority);
    let stream = socks::connect(mailscope.socks(), "127.0.0.1", server.port()).unwrap();
    drop(stream);
    let stream = socks::connect(mailscope.socks(), "127.0.0.1", server.port()).unwrap();
    let mut app = App::plain_over(stream);
    app.begin_tls("localhost", &mailscope.ca());
    app.finish();
    app.rest().unwrap();
    let (transcript, reasons) = ended(&mut mailscope, 2);
    for reason in &reasons {
        assert!(
            reason.starts_with("the app left without a word"),
            "{reasons:?}"
        );
    }
    assert_eq!(transcript.kind("note"), Vec::<&Value>::new());
    assert_eq!(transcript.kind("response"), Vec::<&Value>::new());
}

fn the_web_in_tls_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let server = Server::start(Some(authority.server(&["localhost"])), polite);
    let mut mailscope = started(&authority);
    let stream = socks::connect(mailscope.socks(), "localhost", server.port()).unwrap();
    let mut app = App::tls_offering(stream, "localhost", &mailscope.ca(), &[b"h2", b"http/1.1"]);
    assert!(!app.try_hear("* OK").unwrap_or(false));
    drop(app);
    let (transcript, reasons) = ended(&mut mailscope, 1);
    assert!(reasons[0].contains("HTTP"), "{reasons:?}");
    assert_eq!(transcript.kind("secured"), Vec::<&Value>::new());
}

fn beside_a_server_of_its_own() {
    let (own, other) = (Server::plain(polite), Server::plain(polite));
    let mut mailscope = record(&own.name())
        .with(&[
            "--server-tls",
            "none",
            "--listen-socks",
            "127.0.0.1:0",
            "--unconstrained-ca",
        ])
        .start();
    let socks = socks::connect(mailscope.socks(), "localhost", other.port()).unwrap();
    for mut app in [App::plain_over(socks), App::plain(mailscope.plain())] {
        app.hear("* OK ready");
        app.command("a", "LOGOUT");
        app.finish();
        app.rest().unwrap();
    }
    mailscope.closed(2);
    assert!(mailscope.ready()["tls"].is_string());
    let transcript = mailscope.stop();
    assert_eq!(transcript.header()["server"], own.name());
    let connected = transcript.kind("connected");
    let servers: Vec<_> = connected
        .iter()
        .map(|event| event["server"].as_str().unwrap())
        .collect();
    assert_eq!(servers, [other.name(), own.name()]);
    assert!(
        mailscope
            .stderr()
            .contains("SOCKS version 5, host 127.0.0.1")
    );
}

/// Runs it to its end, which is to be one for bad input; what it says.
fn refused(arguments: &[&str]) -> String {
    let ended = run(arguments);
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {stderr}");
    stderr
}

fn it_is_refused_without_an_authority_for_the_apps_servers() {
    let stderr = refused(&["record", "--listen-socks", "127.0.0.1:0"]);
    assert!(
        stderr.contains("--as HOST") && stderr.contains("--unconstrained-ca"),
        "{stderr}"
    );
    let stderr = refused(&["record", "--listen-socks", "none"]);
    assert!(stderr.contains("all listeners are turned off"), "{stderr}");
    let stderr = refused(&["record", "--listen-socks", "1080", "--unconstrained-ca"]);
    assert!(stderr.contains("--listen-socks 127.0.0.1:0"), "{stderr}");
    let with_its_listener = [
        "--listen-socks",
        "127.0.0.1:0",
        "--listen-tls",
        "127.0.0.1:0",
    ];
    let stderr = refused(&[&["record"][..], &with_its_listener].concat());
    assert!(stderr.contains("SERVER"), "{stderr}");
}

fn mailscope_is_not_its_own_server() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().to_str().unwrap();
    let own = format!("127.0.0.1:{}", nobody());
    for server in [own.clone(), own.replace("127.0.0.1", "localhost")] {
        let listen = [
            "--listen-plain",
            &own,
            "--listen-tls",
            "none",
            "--ca-dir",
            ca,
        ];
        let stderr = refused(&[&["record", &server][..], &listen].concat());
        assert!(stderr.contains("mailscope's own listener"), "{stderr}");
    }
}
