//! Memory stays bounded, whatever passes.

use std::io::{Read, Write};
use std::time::Instant;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use libtest_mimic::Trial;

use super::replay::Replay;
use super::support::app::App;
use super::support::certificates::TestAuthority;
use super::support::mailscope::record;
use super::support::memory::{MIB, peak, where_it_is_told};
use super::support::server::{Server, line};
use super::support::wire::{Door, Far, Incoming, Outgoing, join};
use super::support::{noise, trials};

pub fn trials() -> Vec<Trial> {
    where_it_is_told(
        trials!("memory"; a_literal_of_100_mib_each_way, a_literal_of_100_mib_each_way_behind_a_replay,
        lines_that_deflate_to_almost_nothing),
    )
}

/// What is promised (issue: "Memory stays bounded").
const PEAK: usize = 64 * MIB;

/// The literal's content: this many different MiB over and over.
const LITERAL: usize = 100 * MIB;

fn a_literal_of_100_mib_each_way() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let far = Far::listen(Some(authority.server(&["localhost"])));
    let trust = authority.pem().to_str().unwrap();
    let mut mailscope = record(&far.name())
        .with(&["--server-ca", trust, "--quiet"])
        .start();
    let (near, far) = join(&mailscope, Door::Tls, &far);
    far.say(b"* PREAUTH ready\r\n");
    near.hear(17);
    let begun = Instant::now();
    // Text in one direction, anything in the other: they are kept in different forms.
    let text =
        b"From: alice; a line of text that is as long as they tend to be\r\n".repeat(MIB / 64);
    let (text, binary) = (&text, &noise(7, MIB));
    near.say(b"f FETCH 1 BODY[]\r\n");
    assert_eq!(far.hear(18), b"f FETCH 1 BODY[]\r\n");
    let append = format!("a APPEND INBOX {{{LITERAL}+}}\r\n");
    let fetch = format!("* 1 FETCH (BODY[] {{{LITERAL}}}\r\n");
    let ((from_far, to_far), (from_near, to_near)) = (far.ways(), near.ways());
    std::thread::scope(|scope| {
        scope.spawn(|| send(to_far, &fetch, binary, ")\r\n"));
        scope.spawn(|| send(to_near, &append, text, "\r\n"));
        scope.spawn(|| receive(from_far, &append, text, "\r\n"));
        receive(from_near, &fetch, binary, ")\r\n");
    });
    let passed = begun.elapsed();
    far.say(b"f OK done\r\na OK done\r\n");
    assert_eq!(near.hear(22), b"f OK done\r\na OK done\r\n");
    near.finish();
    far.rest();
    far.finish();
    mailscope.closed_in_the_end();
    let peak = peak(mailscope.pid());
    eprintln!("peak {} MiB, passed in {passed:?}", peak / MIB);
    mailscope.signal(rustix::process::Signal::INT);
    assert_eq!(mailscope.wait().code(), Some(0), "{}", mailscope.stderr());
    assert!(peak < PEAK, "{} MiB", peak / MIB);
    let length = std::fs::metadata(mailscope.out()).unwrap().len();
    assert!(length > 2 * LITERAL as u64, "both literals are kept");
}

/// A replay that passes on what is not recorded; all of it is.
fn a_literal_of_100_mib_each_way_behind_a_replay() {
    let server = Server::plain(|stream| {
        stream.write_all(b"* PREAUTH ready\r\n")?;
        let octets = noise(7, MIB);
        line(stream)?;
        stream.write_all(b"+ go\r\n")?;
        let mut came = vec![0; MIB];
        for _ in 0..LITERAL / MIB {
            stream.read_exact(&mut came)?;
            assert!(came == octets);
        }
        line(stream)?;
        stream.write_all(b"a OK done\r\n")?;
        line(stream)?;
        stream.write_all(format!("* 1 FETCH (BODY[] {{{LITERAL}}}\r\n").as_bytes())?;
        for _ in 0..LITERAL / MIB {
            stream.write_all(&octets)?;
        }
        stream.write_all(b")\r\nf OK done\r\n")
    });
    let folder = tempfile::tempdir().unwrap();
    let transcript = folder.path().join("grown.json");
    let name = server.name();
    let flags = [
        "--on-miss",
        "record",
        "--server-tls",
        "none",
        "--server",
        &name,
    ];
    let mut replay = Replay::start(&transcript, &[&flags[..], &["--quiet"]].concat());
    let mut app = App::plain(replay.address("plain"));
    app.hear("* PREAUTH");
    let octets = noise(7, MIB);
    app.say(format!("a APPEND x {{{LITERAL}}}\r\n").as_bytes());
    app.hear("+ ");
    for _ in 0..LITERAL / MIB {
        app.say(&octets);
    }
    app.say(b"\r\n");
    assert_eq!(app.hear("a "), "a OK done\r\n");
    app.say(b"f UID FETCH 1 BODY[]\r\n");
    app.hear("* 1 FETCH");
    for _ in 0..LITERAL / MIB {
        assert!(app.hear_octets(MIB) == octets);
    }
    app.hear("f OK");
    let peak = peak(replay.pid());
    eprintln!("peak {} MiB", peak / MIB);
    assert_eq!(replay.stop().0, 0);
    assert!(peak < PEAK, "{} MiB", peak / MIB);
    let length = std::fs::metadata(&transcript).unwrap().len();
    assert!(length > 2 * LITERAL as u64, "both literals are kept");
}

fn lines_that_deflate_to_almost_nothing() {
    const LINES: usize = 150_000;
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let far = Far::listen(Some(authority.server(&["localhost"])));
    let trust = authority.pem().to_str().unwrap();
    let mut mailscope = record(&far.name())
        .with(&["--server-ca", trust, "--quiet"])
        .start();
    let (near, far) = join(&mailscope, Door::Tls, &far);
    far.say(b"* PREAUTH ready\r\n");
    near.hear(17);
    near.say(b"a COMPRESS DEFLATE\r\n");
    far.hear(20);
    let mut deflate = DeflateEncoder::new(b"a OK on\r\n".to_vec(), Compression::best());
    deflate.write_all(&b"\r\n".repeat(LINES)).unwrap();
    let lines = deflate.finish().unwrap();
    far.say(&lines);
    assert_eq!(near.hear(lines.len()), lines);
    far.finish();
    near.rest();
    near.finish();
    mailscope.closed_in_the_end();
    let peak = peak(mailscope.pid());
    eprintln!("peak {} MiB for {} octets", peak / MIB, lines.len());
    mailscope.signal(rustix::process::Signal::INT);
    assert_eq!(mailscope.wait().code(), Some(0), "{}", mailscope.stderr());
    assert!(peak < PEAK, "{} MiB", peak / MIB);
}

fn send(mut outgoing: Outgoing, before: &str, content: &[u8], after: &str) {
    outgoing.write_all(before.as_bytes()).unwrap();
    for _ in 0..LITERAL / content.len() {
        outgoing.write_all(content).unwrap();
    }
    outgoing.write_all(after.as_bytes()).unwrap();
}

fn receive(mut incoming: Incoming, before: &str, content: &[u8], after: &str) {
    let mut octets = vec![0; before.len()];
    incoming.read_exact(&mut octets).unwrap();
    assert_eq!(octets, before.as_bytes());
    octets.resize(content.len(), 0);
    for _ in 0..LITERAL / content.len() {
        incoming.read_exact(&mut octets).unwrap();
        assert!(octets == content);
    }
    octets.resize(after.len(), 0);
    incoming.read_exact(&mut octets).unwrap();
    assert_eq!(octets, after.as_bytes());
}
