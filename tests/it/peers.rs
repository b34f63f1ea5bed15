//! Peers that break off, half close or vanish: everything that came before is passed on and recorded,
//! the other peer sees its connection end, and the next app is served.

use std::io::{Read, Write};
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;
use socket2::SockRef;

use super::killed::is_whole;
use super::support::app::App;
use super::support::certificates::TestAuthority;
use super::support::mailscope::{Mailscope, record};
use super::support::patience::InTime;
use super::support::programs::{SS, needing};
use super::support::server::{Server, polite};
use super::support::wire::{Door, Far, Wire, join};
use super::support::{trials, wait_for};

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("peers";
        the_server_resets_within_literals,
        the_app_resets_within_literals,
        the_app_half_closes_before_a_long_answer,
        the_server_half_closes_before_a_long_literal,
        a_server_that_does_not_greet,
    );
    trials.extend(needing(
        &[SS],
        trials!("peers"; one_that_vanishes_is_asked_for),
    ));
    trials
}

fn between(door: Door) -> (tempfile::TempDir, Far, Mailscope) {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let (far, leg) = match door {
        Door::Tls => (
            Far::listen(Some(authority.server(&["localhost"]))),
            ["--server-ca", authority.pem().to_str().unwrap()],
        ),
        Door::Plain => (Far::listen(None), ["--server-tls", "none"]),
    };
    let mailscope = record(&far.name()).with(&leg).with(&["--quiet"]).start();
    (folder, far, mailscope)
}

const UP: &[u8] = b"a APPEND x {100000+}\r\n";
const DOWN: &[u8] = b"* 1 FETCH (BODY[] {100000}\r\n";

/// Both are in the middle of a literal, of which so much is there; a literal that is held and one that
/// is streamed.
fn in_literals(near: &Wire, far: &Wire, octets: usize) -> (Vec<u8>, Vec<u8>) {
    far.say(b"* PREAUTH ready\r\n");
    assert_eq!(near.hear(17), b"* PREAUTH ready\r\n");
    let begun = |header: &[u8]| {
        let mut octets = vec![b'x'; octets];
        octets.splice(0..0, header.iter().copied());
        octets
    };
    let (up, down) = (begun(UP), begun(DOWN));
    near.say(&up);
    far.say(&down);
    assert_eq!(far.hear(up.len()), up);
    assert_eq!(near.hear(down.len()), down);
    (up, down)
}

/// Without a word of TLS, and without a FIN.
fn reset(wire: Wire) {
    let linger = SockRef::from(wire.tcp()).set_linger(Some(Duration::ZERO));
    linger.unwrap();
    drop(wire);
}

fn sees_the_end(wire: &Wire) {
    let mut rest = Vec::new();
    // It may see the end or a reset.
    let _ = wire.ways().0.read_to_end(&mut rest);
    assert_eq!(rest, b"");
}

fn resets_within_literals(breaks: &str, reason: &str) {
    for door in [Door::Plain, Door::Tls] {
        for octets in [0, 7, 90_000] {
            let (_folder, far_end, mut mailscope) = between(door);
            let (near, far) = join(&mailscope, door, &far_end);
            let (up, down) = in_literals(&near, &far, octets);
            match breaks {
                "server" => {
                    reset(far);
                    sees_the_end(&near);
                    drop(near);
                }
                _ => {
                    reset(near);
                    sees_the_end(&far);
                    drop(far);
                }
            }
            mailscope.closed(1);
            // The next one is served.
            let (near, far) = join(&mailscope, door, &far_end);
            far.say(b"* BYE not you\r\n");
            assert_eq!(near.hear(15), b"* BYE not you\r\n");
            drop((near, far));
            mailscope.closed(2);
            let transcript = mailscope.stop();
            is_whole(&transcript);
            let server = [b"* PREAUTH ready\r\n", &*down].concat();
            assert!(transcript.wire(1, "client", b"") == up, "{door:?} {octets}");
            assert!(
                transcript.wire(1, "server", b"") == server,
                "{door:?} {octets}"
            );
            let first = transcript
                .events()
                .iter()
                .filter(|event| event["conn"] == 1);
            assert_eq!(first.filter(|event| event["incomplete"] == true).count(), 2);
            let told = transcript.closed(1)["reason"].as_str().unwrap();
            assert!(told.starts_with(reason), "{told}");
        }
    }
}

fn the_server_resets_within_literals() {
    resets_within_literals("server", "the server broke the connection off (");
}

fn the_app_resets_within_literals() {
    resets_within_literals("app", "the app broke the connection off (");
}

const LONG: usize = 8 * 1024 * 1024;

fn long(header: &str) -> Vec<u8> {
    let mut octets = header.as_bytes().to_vec();
    octets.resize(octets.len() + LONG, b'x');
    octets
}

/// One side has nothing more to say and says so; the other one speaks for long.
fn half_closes(door: Door, first: &str, then: &[u8], first_is_app: bool) {
    let (_folder, far, mut mailscope) = between(door);
    let (near, far) = join(&mailscope, door, &far);
    far.say(b"* PREAUTH ready\r\n");
    assert_eq!(near.hear(17), b"* PREAUTH ready\r\n");
    let (one, other) = match first_is_app {
        true => (&near, &far),
        false => (&far, &near),
    };
    one.say(first.as_bytes());
    one.finish();
    assert_eq!(other.rest(), first.as_bytes());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut outgoing = other.ways().1;
            outgoing.write_all(then).unwrap();
            outgoing.finish();
        });
        assert!(one.rest() == then, "{door:?}");
    });
    mailscope.closed(1);
    let transcript = mailscope.stop();
    let from = if first_is_app { "server" } else { "client" };
    assert!(transcript.wire(1, from, b"").ends_with(then));
    assert_eq!(transcript.closed(1).get("reason"), None);
}

fn the_app_half_closes_before_a_long_answer() {
    let answer = [
        &*long(&format!("* 1 FETCH (BODY[] {{{LONG}}}\r\n")),
        b")\r\na OK\r\n",
    ]
    .concat();
    for door in [Door::Plain, Door::Tls] {
        half_closes(door, "a FETCH 1 BODY[]\r\n", &answer, true);
    }
}

fn the_server_half_closes_before_a_long_literal() {
    let append = [&*long(&format!("a APPEND x {{{LONG}+}}\r\n")), b"\r\n"].concat();
    for door in [Door::Plain, Door::Tls] {
        half_closes(door, "* OK enough\r\n", &append, false);
    }
}

/// What another protocol's server says first, where STARTTLS is to secure the leg to it.
fn a_server_that_does_not_greet() {
    let server = Server::plain(|stream| {
        stream.write_all(b"220 mail.example.com ESMTP\r\n")?;
        super::support::server::line(stream).map(|_| ())
    });
    let mut mailscope = record(&format!("imap://{}", server.name())).start();
    let mut app = App::tls(mailscope.tls(), "localhost", &mailscope.ca());
    assert_eq!(app.rest().unwrap(), b"");
    drop(app);
    mailscope.closed(1);
    let transcript = mailscope.stop();
    let notes = transcript.notes("no-greeting");
    assert!(notes[0]["text"].as_str().unwrap().contains("host and port"));
    let reason = &transcript.closed(1)["reason"];
    assert_eq!(reason, "the server did not greet as IMAP does");
    assert!(mailscope.stderr().contains("is no greeting of IMAP's"));
}

/// By the system, which tells its timers: two minutes after the last word at the latest, on both legs.
fn one_that_vanishes_is_asked_for() {
    let server = Server::plain(polite);
    let mailscope = record(&server.name())
        .with(&["--server-tls", "none"])
        .start();
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    app.command("a", "NOOP");
    let port = mailscope.plain().rsplit(':').next().unwrap().to_owned();
    for filter in [
        format!("sport = :{port}"),
        format!("dport = :{}", server.port()),
    ] {
        // What was said last is acknowledged first.
        wait_for("the timer", || {
            let mut ss = Command::new(SS.path().unwrap());
            let shown = ss
                .args(["-tnoH", "state", "established", &filter])
                .output_in_time();
            let shown = String::from_utf8(shown.unwrap().stdout).unwrap();
            assert_eq!(shown.lines().count(), 1, "{filter}: {shown}");
            shown.contains("timer:(keepalive,1min").then_some(())
        });
    }
}
