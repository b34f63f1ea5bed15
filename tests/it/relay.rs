//! What passes: every octet, both ways at once, and each direction's end.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use libtest_mimic::Trial;

use super::support::app::App;
use super::support::certificates::TestAuthority;
use super::support::mailscope::{Mailscope, record, run};
use super::support::server::{Server, polite};
use super::support::wire::{Door, Far, Wire, join};
use super::support::{noise, trials, wait_for};

pub fn trials() -> Vec<Trial> {
    trials!("relay";
        random_octets_pass_both_ways_at_once,
        a_peer_that_does_not_read_holds_up_its_own_direction_alone,
        the_app_s_half_close_is_passed_on,
        the_server_s_half_close_is_passed_on,
        a_server_that_greets_and_leaves,
        many_connections_at_once,
        listeners_are_on_loopback_unless_told_otherwise,
    )
}

/// The two legs of a connection.
const LEGS: [(Door, Door); 4] = [
    (Door::Tls, Door::Tls),
    (Door::Plain, Door::Tls),
    (Door::Tls, Door::Plain),
    (Door::Plain, Door::Plain),
];

/// A server and a mailscope that records it; its folder is to be kept.
fn between(server: Door, arguments: &[&str]) -> (tempfile::TempDir, Far, Mailscope) {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let (far, leg) = match server {
        Door::Tls => (
            Far::listen(Some(authority.server(&["localhost"]))),
            ["--server-ca", authority.pem().to_str().unwrap()],
        ),
        Door::Plain => (Far::listen(None), ["--server-tls", "none"]),
    };
    let mailscope = record(&far.name()).with(&leg).with(arguments).start();
    (folder, far, mailscope)
}

/// Sends `octets` from each to the other at the same time; what came.
fn exchange(near: &Wire, far: &Wire, up: &[u8], down: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let send = |wire: &Wire, octets: &[u8]| {
        let mut outgoing = wire.ways().1;
        for piece in octets.chunks(10_007) {
            outgoing.write_all(piece).unwrap();
        }
        outgoing.finish();
    };
    std::thread::scope(|scope| {
        scope.spawn(|| send(near, up));
        scope.spawn(|| send(far, down));
        let came_up = scope.spawn(|| far.rest());
        let came_down = near.rest();
        (came_up.join().unwrap(), came_down)
    })
}

fn random_octets_pass_both_ways_at_once() {
    for (app, server) in LEGS {
        let (_folder, far, mut mailscope) = between(server, &["--show-secrets", "--quiet"]);
        let (near, far) = join(&mailscope, app, &far);
        let (up, down) = (noise(1, 1 << 19), noise(2, 1 << 19));
        let (came_up, came_down) = exchange(&near, &far, &up, &down);
        assert!(came_up == up, "{app:?} to {server:?}");
        assert!(came_down == down, "{server:?} to {app:?}");
        mailscope.closed(1);
        let transcript = mailscope.stop();
        assert!(transcript.wire(1, "client", b"") == up, "recorded");
        assert!(transcript.wire(1, "server", b"") == down, "recorded");
        assert_eq!(transcript.closed(1).get("reason"), None);
    }
}

fn a_peer_that_does_not_read_holds_up_its_own_direction_alone() {
    for (app, server) in LEGS {
        let (_folder, far, mut mailscope) = between(server, &["--quiet"]);
        let (near, far) = join(&mailscope, app, &far);
        // Fill everything between the app and a server that does not read.
        let stuck = Duration::from_millis(300);
        near.tcp().set_write_timeout(Some(stuck)).unwrap();
        let mut outgoing = near.ways().1;
        outgoing.write_all(b"a APPEND x {1000000000+}\r\n").unwrap();
        let piece = [b'x'; 64 * 1024];
        while outgoing.write_all(&piece).is_ok() {}
        // The other way is as quick as ever.
        for turn in 0..10 {
            let line = format!("* OK {turn}\r\n");
            far.say(line.as_bytes());
            assert_eq!(near.hear(line.len()), line.as_bytes());
        }
        mailscope.stop();
    }
}

fn the_app_s_half_close_is_passed_on() {
    for (app, server) in LEGS {
        let (_folder, far, mut mailscope) = between(server, &[]);
        let (near, far) = join(&mailscope, app, &far);
        near.say(b"a LOGOUT\r\n");
        near.finish();
        assert_eq!(far.rest(), b"a LOGOUT\r\n");
        far.say(b"* BYE see you\r\n");
        far.say(b"a OK done\r\n");
        far.finish();
        assert_eq!(near.rest(), b"* BYE see you\r\na OK done\r\n");
        mailscope.closed(1);
        assert_eq!(ends(&mut mailscope), ["client", "server"]);
    }
}

fn the_server_s_half_close_is_passed_on() {
    for (app, server) in LEGS {
        let (_folder, far, mut mailscope) = between(server, &[]);
        let (near, far) = join(&mailscope, app, &far);
        far.say(b"* BYE not today\r\n");
        far.finish();
        assert_eq!(near.rest(), b"* BYE not today\r\n");
        near.say(b"a NOOP\r\n");
        near.say(b"b LOGOUT\r\n");
        near.finish();
        assert_eq!(far.rest(), b"a NOOP\r\nb LOGOUT\r\n");
        mailscope.closed(1);
        assert_eq!(ends(&mut mailscope), ["server", "client"]);
    }
}

/// Whose direction ended, in order; then the connection did, with nothing to be said of it.
fn ends(mailscope: &mut Mailscope) -> Vec<String> {
    let transcript = mailscope.stop();
    let closed = transcript.kind("closed");
    let (last, halves) = closed.split_last().unwrap();
    assert_eq!(*last, transcript.events().last().unwrap());
    assert_eq!((last.get("half"), last.get("reason")), (None, None));
    let from = |half: &&serde_json::Value| {
        assert_eq!(half["half"], true);
        half["from"].as_str().unwrap().to_owned()
    };
    halves.iter().map(from).collect()
}

fn a_server_that_greets_and_leaves() {
    for (app, server) in LEGS {
        let (_folder, far, mut mailscope) = between(server, &[]);
        let (near, far) = join(&mailscope, app, &far);
        far.say(b"* BYE too many connections\r\n");
        far.finish();
        drop(far);
        assert_eq!(near.rest(), b"* BYE too many connections\r\n");
        drop(near);
        mailscope.closed(1);
        let transcript = mailscope.stop();
        assert_eq!(transcript.kind("greeting")[0]["status"], "BYE");
    }
}

fn many_connections_at_once() {
    const CONNECTIONS: usize = 128;
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let server = Server::start(Some(authority.server(&["localhost"])), polite);
    let trust = authority.pem().to_str().unwrap();
    let mut mailscope = record(&server.name()).with(&["--server-ca", trust]).start();
    let open = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            let (mailscope, open) = (&mailscope, &open);
            scope.spawn(move || {
                let mut app = match number % 2 {
                    0 => App::tls(mailscope.tls(), "localhost", &mailscope.ca()),
                    _ => App::plain(mailscope.plain()),
                };
                app.hear("* OK");
                open.fetch_add(1, Ordering::Relaxed);
                wait_for("all to be open", || {
                    (open.load(Ordering::Relaxed) == CONNECTIONS).then_some(())
                });
                for turn in 0..5 {
                    let tag = format!("t{number}.{turn}");
                    assert_eq!(app.command(&tag, "NOOP"), format!("{tag} OK done\r\n"));
                }
                app.command("z", "LOGOUT");
                app.finish();
                assert_eq!(app.rest().unwrap(), b"");
            });
        }
    });
    mailscope.closed(CONNECTIONS);
    let transcript = mailscope.stop();
    let numbers: Vec<u64> = transcript
        .events()
        .iter()
        .map(|e| e["n"].as_u64().unwrap())
        .collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64));
    let mut seen = Vec::new();
    for conn in 1..=CONNECTIONS as u64 {
        let said = String::from_utf8(transcript.wire(conn, "client", b"")).unwrap();
        let number: usize = said[1..].split('.').next().unwrap().parse().unwrap();
        let turns = (0..5).map(|turn| format!("t{number}.{turn} NOOP\r\n"));
        assert_eq!(said, turns.collect::<String>() + "z LOGOUT\r\n");
        seen.push(number);
    }
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..CONNECTIONS));
}

fn listeners_are_on_loopback_unless_told_otherwise() {
    // Somebody else may have the ports, now and then; the words name the address either way.
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca");
    for (off, told) in [
        ("--listen-plain", "127.0.0.1:1993"),
        ("--listen-tls", "127.0.0.1:1143"),
    ] {
        let (_, port) = told.split_once(':').unwrap();
        let taken = std::net::TcpListener::bind(("127.0.0.1", port.parse().unwrap()));
        let ended = run(&[
            "record",
            "localhost",
            off,
            "none",
            "--ca-dir",
            ca.to_str().unwrap(),
        ]);
        drop(taken);
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert!(stderr.contains(&format!("listen on {told}: ")), "{stderr}");
        assert_eq!(ended.status.code(), Some(2));
    }
    for (tls, plain, warned) in [("127.0.0.1:0", "[::1]:0", 0), ("none", "0.0.0.0:0", 1)] {
        let mailscope = record("localhost")
            .with(&["--allow-remote"])
            .set("--listen-tls", tls)
            .set("--listen-plain", plain)
            .start();
        let stderr = mailscope.stderr();
        let warnings = stderr.matches("can be reached from other machines");
        assert_eq!(warnings.count(), warned, "{stderr}");
    }
}
