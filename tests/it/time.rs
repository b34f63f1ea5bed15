//! Time that goes on while mailscope does not, and a clock that is set: sessions go on, and how long
//! something took is told as it was.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::Signal;
use serde_json::Value;

use super::killed::is_whole;
use super::support::app::App;
use super::support::certificates::TestAuthority;
use super::support::mailscope::{Mailscope, binary, record};
use super::support::patience::InTime;
use super::support::programs::ignored;
use super::support::server::{Server, Stream, line, polite};
use super::support::wire::{Door, Far, join};
use super::support::{trials, wait_for};

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("time";
        mailscope_is_stopped_for_a_while,
        mailscope_is_stopped_within_literals,
        an_app_stops_reading_for_a_while,
    );
    let clock = trials!("time"; the_clock_is_set_back, the_clock_is_set_forward_during_idle, the_clock_is_before_the_authority);
    trials.extend(match fake_time() {
        Some(_) => clock,
        None => ignored("apt-get install libfaketime", clock),
    });
    trials
}

/// As a laptop is whose lid is closed: nobody runs, and the peers talk on.
fn mailscope_is_stopped_for_a_while() {
    const WHILE: Duration = Duration::from_secs(2);
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let far = Far::listen(Some(authority.server(&["localhost"])));
    let trust = authority.pem().to_str().unwrap();
    let mut mailscope = record(&far.name()).with(&["--server-ca", trust]).start();
    let (near, far) = join(&mailscope, Door::Tls, &far);
    let hears = |wire: &super::support::wire::Wire, line: &[u8]| {
        assert_eq!(wire.hear(line.len()), line);
    };
    far.say(b"* PREAUTH ready\r\n");
    hears(&near, b"* PREAUTH ready\r\n");
    let begun = Instant::now();
    near.say(b"a IDLE\r\n");
    hears(&far, b"a IDLE\r\n");
    far.say(b"+ idling\r\n");
    hears(&near, b"+ idling\r\n");
    mailscope.event("the go-ahead", |e| e["kind"] == "continuation_request");

    stop(&mailscope);
    far.say(b"* 3 EXISTS\r\n");
    near.say(b"DONE\r\n");
    // A newcomer, too, whose handshake waits.
    let newcomer = std::net::TcpStream::connect(mailscope.tls()).unwrap();
    std::thread::sleep(WHILE); // not for luck: it is the while
    mailscope.signal(Signal::CONT);
    hears(&near, b"* 3 EXISTS\r\n");
    hears(&far, b"DONE\r\n");
    far.say(b"a OK done\r\n");
    hears(&near, b"a OK done\r\n");
    let took = begun.elapsed();
    drop(newcomer);
    near.finish();
    far.rest();
    far.finish();
    mailscope.closed(2);
    let transcript = mailscope.stop();
    is_whole(&transcript);
    assert_eq!(transcript.closed(1).get("reason"), None);
    let seconds = |value: &Value| Duration::from_secs_f64(value.as_f64().unwrap());
    let idled = seconds(&transcript.kind("continuation")[0]["idled"]);
    assert!(idled > WHILE && idled <= took, "{idled:?} of {took:?}");
    let at = |kind: &str| seconds(&transcript.kind(kind)[0]["at"]);
    assert!(at("tagged") > at("continuation_request") + WHILE);
    assert_eq!(mailscope.stdout(), mailscope.show());
}

fn stop(mailscope: &Mailscope) {
    mailscope.signal(Signal::STOP);
    wait_for("it to stop", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", mailscope.pid())).unwrap();
        let state = stat.rsplit(") ").next()?.chars().next()?;
        (state == 'T').then_some(())
    });
}

/// In the middle of a mail that comes and of one that goes, on connections of their own.
fn mailscope_is_stopped_within_literals() {
    const WHILE: Duration = Duration::from_secs(2);
    const LITERAL: usize = 24 * 1024 * 1024;
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let far = Far::listen(Some(authority.server(&["localhost"])));
    let trust = authority.pem().to_str().unwrap();
    let recording = record(&far.name()).with(&["--server-ca", trust, "--quiet"]);
    let mut mailscope = recording.start();
    let [down, up] = [(); 2].map(|()| join(&mailscope, Door::Tls, &far));
    let greeting = b"* PREAUTH ready\r\n";
    for (near, far) in [&down, &up] {
        far.say(greeting);
        assert_eq!(near.hear(greeting.len()), greeting);
    }
    let asked = b"b FETCH 1 BODY[]\r\n";
    down.0.say(asked);
    assert_eq!(down.1.hear(asked.len()), asked);
    let said = |head: &str, tail: &str| {
        let mut said = format!("{head}{LITERAL}{}", "}\r\n").into_bytes();
        said.resize(said.len() + LITERAL, b'x');
        said.extend_from_slice(tail.as_bytes());
        said
    };
    let fetched = said("* 1 FETCH (BODY[] {", ")\r\n");
    let appended = said("a APPEND x ~{", "\r\n");
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| down.1.ways().1.write_all(&fetched).unwrap());
        scope.spawn(|| up.0.ways().1.write_all(&appended).unwrap());
        wait_for("both literals' beginnings", || {
            let transcript = mailscope.transcript();
            let parts = transcript.kind("literal_part");
            let has = |conn: u64| parts.iter().any(|part| part["conn"] == conn);
            (has(1) && has(2)).then_some(())
        });
        stop(&mailscope);
        std::thread::sleep(WHILE); // not for luck: it is the while
        mailscope.signal(Signal::CONT);
        let heard = scope.spawn(|| assert!(down.0.hear(fetched.len()) == fetched));
        assert!(up.1.hear(appended.len()) == appended);
        heard.join().unwrap();
    });
    for (near, far) in [&down, &up] {
        near.finish();
        far.rest();
        far.finish();
    }
    mailscope.closed(2);
    let transcript = mailscope.stop();
    is_whole(&transcript);
    assert!(transcript.wire(1, "server", b"") == [greeting, &fetched[..]].concat());
    assert!(transcript.wire(2, "client", b"") == appended);
    let took = begun.elapsed();
    for conn in [1, 2] {
        let closed = transcript.closed(conn);
        assert_eq!(closed.get("reason"), None);
        let mut parts = transcript.kind("literal_part").into_iter();
        let first = parts.find(|part| part["conn"] == conn);
        // When the message began, and when its connection was over.
        let [from, to] = [first.unwrap(), closed].map(|event| event["at"].as_f64().unwrap());
        let lasted = Duration::from_secs_f64(to - from);
        assert!((WHILE..took).contains(&lasted), "{lasted:?}");
    }
}

fn an_app_stops_reading_for_a_while() {
    const LITERAL: usize = 32 * 1024 * 1024;
    let far = Far::listen(None);
    let mut mailscope = record(&far.name())
        .with(&["--server-tls", "none", "--quiet"])
        .start();
    let (near, far) = join(&mailscope, Door::Plain, &far);
    let mut said = format!("* PREAUTH ready\r\n* 1 FETCH (BODY[] {{{LITERAL}}}\r\n").into_bytes();
    said.resize(said.len() + LITERAL, b'x');
    said.extend_from_slice(b")\r\n");
    std::thread::scope(|scope| {
        scope.spawn(|| far.ways().1.write_all(&said).unwrap());
        wait_for("the literal's beginning", || {
            let transcript = mailscope.transcript();
            (!transcript.kind("literal_part").is_empty()).then_some(())
        });
        std::thread::sleep(Duration::from_millis(500)); // not for luck: it is the while
        assert!(near.hear(said.len()) == said);
    });
    near.finish();
    far.rest();
    far.finish();
    mailscope.closed_in_the_end();
    let transcript = mailscope.stop();
    assert!(transcript.wire(1, "server", b"") == said);
}

/// The library that shows a program another time than it is.
fn fake_time() -> Option<PathBuf> {
    let libraries = std::fs::read_dir("/usr/lib").ok()?;
    let library = |folder: PathBuf| folder.join("faketime/libfaketimeMT.so.1");
    let found = libraries.filter_map(|folder| folder.ok().map(|folder| library(folder.path())));
    found
        .chain([library("/usr/lib".into())])
        .find(|path| path.is_file())
}

/// What a program takes for the time, in words of libfaketime: `-3d`.
fn set(clock: &Path, time: &str) {
    let aside = clock.with_extension("new");
    std::fs::write(&aside, time).unwrap();
    std::fs::rename(aside, clock).unwrap();
}

fn with_clock(server: &Server, clock: &Path) -> Mailscope {
    let library = fake_time().unwrap();
    record(&server.name())
        .with(&["--server-tls", "none"])
        .environment("LD_PRELOAD", library.to_str().unwrap())
        .environment("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap())
        .environment("FAKETIME_NO_CACHE", "1")
        .environment("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .start()
}

fn the_clock_is_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    set(&clock, "+0d");
    let server = Server::plain(polite);
    let began = Instant::now();
    let mut mailscope = with_clock(&server, &clock);
    let mut app = App::tls(mailscope.tls(), "localhost", &mailscope.ca());
    app.hear("* OK");
    for (turn, time) in ["-10d", "+10d", "-3d"].into_iter().enumerate() {
        app.command(&format!("a{turn}"), "NOOP");
        set(&clock, time);
        app.command(&format!("b{turn}"), "NOOP");
    }
    // One who has the new time, in which the first certificate is not good yet, is shown another one.
    let now = Command::fake(&clock, &["date", "+%s"]);
    let real = std::time::SystemTime::now();
    let real = real
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let now: u64 = now.trim().parse().unwrap();
    assert!(now + 2 * 86400 < real, "{now} {real}: the clock is faked");
    App::tls(mailscope.tls(), "localhost", &mailscope.ca()).hear("* OK");
    app.command("z", "LOGOUT");
    app.finish();
    mailscope.closed(2);
    let longest = began.elapsed().as_secs_f64();
    let transcript = mailscope.stop();
    is_whole(&transcript);
    let at = |event: &Value| event["at"].as_f64().unwrap();
    let own: Vec<f64> = transcript
        .events()
        .iter()
        .filter(|event| event["conn"] == 1)
        .map(at)
        .collect();
    assert!(own.is_sorted(), "{own:?}");
    assert!(own.iter().all(|at| (0.0..longest).contains(at)), "{own:?}");
    for tagged in transcript.kind("tagged") {
        let elapsed = tagged["elapsed"].as_f64().unwrap();
        assert!((0.0..longest).contains(&elapsed), "{tagged}");
    }
    let certificates = transcript.kind("secured");
    let begins = |secured: &Value| secured["certificate"]["not_before"].to_string();
    assert!(begins(certificates[0]) > begins(certificates[1]));
    assert_eq!(mailscope.stdout(), mailscope.show());
}

/// By hours, as a laptop's that wakes up and asks what time it is; the app then sees whether its server is
/// still there.
fn the_clock_is_set_forward_during_idle() {
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    set(&clock, "+0d");
    let server = Server::plain(|stream| {
        stream.write_all(b"* PREAUTH ready\r\n")?;
        while let Some((tag, command)) = said_to(stream)? {
            if command == "IDLE" {
                stream.write_all(b"+ idling\r\n")?;
                assert_eq!(line(stream)?, b"DONE\r\n");
            }
            stream.write_all(format!("{tag} OK done\r\n").as_bytes())?;
        }
        Ok(())
    });
    let began = Instant::now();
    let mut mailscope = with_clock(&server, &clock);
    let mut app = App::tls(mailscope.tls(), "localhost", &mailscope.ca());
    app.hear("* PREAUTH");
    for (turn, time) in ["+5h", "+29h", "+6h"].into_iter().enumerate() {
        app.say(format!("i{turn} IDLE\r\n").as_bytes());
        app.hear("+ idling");
        set(&clock, time);
        app.say(b"DONE\r\n");
        app.hear(&format!("i{turn} OK"));
        app.command(&format!("n{turn}"), "NOOP");
    }
    // One who comes then finds a certificate that is good now and then.
    App::tls(mailscope.tls(), "localhost", &mailscope.ca()).hear("* PREAUTH");
    app.finish();
    app.rest().unwrap();
    mailscope.closed(2);
    let longest = began.elapsed().as_secs_f64();
    let transcript = mailscope.stop();
    is_whole(&transcript);
    assert_eq!(transcript.closed(1).get("reason"), None);
    let within = |value: &Value| (0.0..longest).contains(&value.as_f64().unwrap());
    assert!(transcript.events().iter().all(|event| within(&event["at"])));
    let idled = transcript.kind("continuation");
    assert_eq!(idled.len(), 3);
    assert!(idled.iter().all(|done| within(&done["idled"])), "{idled:?}");
    let answered = transcript.kind("tagged");
    assert_eq!(answered.len(), 6);
    assert!(answered.iter().all(|answer| within(&answer["elapsed"])));
    assert_eq!(mailscope.stdout(), mailscope.show());
}

/// The tag and the command of a line; none at the end.
fn said_to(stream: &mut dyn Stream) -> std::io::Result<Option<(String, String)>> {
    let line = String::from_utf8(line(stream)?).unwrap();
    let words = line.trim_end().split_once(' ');
    Ok(words.map(|(tag, command)| (tag.to_owned(), command.to_owned())))
}

/// Apps will not take its certificates, and mailscope says why.
fn the_clock_is_before_the_authority() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca");
    let mut made = binary();
    assert!(
        made.args(["ca", "path", "--ca-dir"])
            .arg(&ca)
            .output_in_time()
            .unwrap()
            .status
            .success()
    );
    let clock = folder.path().join("clock");
    set(&clock, "-30d");
    let server = Server::plain(polite);
    let library = fake_time().unwrap();
    let mut mailscope = record(&server.name())
        .with(&["--server-tls", "none"])
        .set("--ca-dir", ca.to_str().unwrap())
        .environment("LD_PRELOAD", library.to_str().unwrap())
        .environment("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap())
        .environment("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .start();
    let stderr = mailscope.stderr();
    assert!(stderr.contains("is the clock right?"), "{stderr}");
    mailscope.stop();
}

/// A program with another time.
struct Command;

impl Command {
    fn fake(clock: &Path, command: &[&str]) -> String {
        let output = std::process::Command::new(command[0])
            .args(&command[1..])
            .env("LD_PRELOAD", fake_time().unwrap())
            .env("FAKETIME_TIMESTAMP_FILE", clock)
            .output_in_time()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}
