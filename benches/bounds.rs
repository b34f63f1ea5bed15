//! What a literal of a GiB takes, each way: TLS on both legs, recording on, and what it takes to read the
//! transcript of it. Memory stays bounded, the octets are those that were sent, and the transcript has them;
//! it fails where that is not so.
//!
//! `cargo bench --bench bounds` prints the rows that stand in the README. It writes up to 3 GB into the folder
//! for temporary files, and removes them. (With fewer octets the tests look at the same: `tests/it/memory.rs`
//! and `tests/it/bounds`.)

#[path = "../tests/it/support/mod.rs"]
#[allow(dead_code, unused_imports, unused_macros)] // what the tests stand on is more
mod support;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use support::memory::MIB;
use support::session::{Ended, Session, once};
use support::wire::Door;

/// The most memory that mailscope may take, whatever the literal's size, in octets.
const PEAK: usize = 64 * MIB;

fn main() {
    let given = |flag: &str| std::env::args().any(|argument| argument == flag);
    if given("--list") {
        return;
    }
    // Without --bench it is only to be seen that it runs.
    let mails = match given("--bench") && !given("--test") {
        true => [Mail::text(1024), Mail::anything(1024)],
        false => [Mail::text(16), Mail::anything(16)],
    };
    println!("| | memory at most | time |\n|---|---|---|");
    for mail in &mails {
        fetched(mail);
        appended(mail);
    }
}

/// A mail of so many MiB, made while it is said. No two MiB are alike.
struct Mail {
    name: &'static str,
    mebibytes: usize,
    /// What each MiB is, but for its first octets.
    piece: Vec<u8>,
}

impl Mail {
    /// Kept as text in a transcript.
    fn text(mebibytes: usize) -> Self {
        let line = |n| format!("From: alice, line {n:>15}, as long as lines tend to be\r\n");
        Self {
            name: "text",
            mebibytes,
            piece: (0..MIB / 64)
                .flat_map(|n: usize| line(n).into_bytes())
                .collect(),
        }
    }

    /// Kept in base64.
    fn anything(mebibytes: usize) -> Self {
        Self {
            name: "no text",
            mebibytes,
            piece: support::noise(7, MIB),
        }
    }

    fn octets(&self) -> usize {
        self.mebibytes * MIB
    }

    fn pieces(&self) -> Box<dyn Iterator<Item = Vec<u8>>> {
        let piece = self.piece.clone();
        Box::new((0..self.mebibytes).map(move |n| {
            let mut piece = piece.clone();
            piece[..8].copy_from_slice(format!("{n:>8}").as_bytes());
            piece
        }))
    }
}

fn start() -> Session {
    Session::start(Door::Tls, |record| record.with(&["--quiet"]))
}

fn fetched(mail: &Mail) {
    let session = start();
    session.up(&|| once("f FETCH 1 BODY[]\r\n"));
    session.down(&|| once(&format!("* 1 FETCH (BODY[] {{{}}}\r\n", mail.octets())));
    let taken = timed(|| session.down(&|| mail.pieces()));
    session.down(&|| once(")\r\nf OK done\r\n"));
    tell(mail, "FETCH", "server", &session.end(), taken);
}

fn appended(mail: &Mail) {
    let session = start();
    session.up(&|| once(&format!("a APPEND INBOX {{{}}}\r\n", mail.octets())));
    session.down(&|| once("+ go ahead\r\n"));
    let taken = timed(|| session.up(&|| mail.pieces()));
    session.up(&|| once("\r\n"));
    session.down(&|| once("a OK done\r\n"));
    tell(mail, "APPEND", "client", &session.end(), taken);
}

fn timed(what: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    what();
    begun.elapsed()
}

fn tell(mail: &Mail, name: &str, from: &str, ended: &Ended, taken: Duration) {
    let row = |what: &str, peak: usize, taken: Duration| {
        println!(
            "| {what} | {} MiB | {:.1} s |",
            peak / MIB,
            taken.as_secs_f64()
        );
        assert!(peak < PEAK, "{what} took {} MiB", peak / MIB);
    };
    let what = format!("{name} of {} MiB, {}, recorded", mail.mebibytes, mail.name);
    row(&what, ended.peak, taken);
    is_recorded(mail, name, from, ended.mailscope.out());
    for command in ["show", "stats", "lint"] {
        let begun = Instant::now();
        for (_, ran) in ended.read_with(&[command]) {
            // lint has findings: nothing was selected.
            let is_read = ran.status.success() || command == "lint" && ran.status.code() == Some(1);
            assert!(is_read, "{command}: {}", ran.end);
            row(&format!("`{command}` of it"), ran.peak, begun.elapsed());
        }
    }
}

/// The literal's parts, in order, are the mail, and the message names them.
fn is_recorded(mail: &Mail, name: &str, from: &str, transcript: &Path) {
    let mut pieces = mail.pieces();
    let mut expected: Vec<u8> = Vec::new();
    let mut parts = Vec::new();
    for event in events(transcript).filter(|event| event["from"] == from) {
        if event["kind"] == "literal_part" {
            parts.push(event["n"].clone());
            let octets = octets(&event["wire"][0]);
            while expected.len() < octets.len() {
                expected.extend(pieces.next().expect("no more than was sent"));
            }
            assert!(expected.starts_with(&octets), "other octets than were sent");
            expected.drain(..octets.len());
        } else if event["name"] == name {
            assert_eq!(event["wire"][1]["literal"]["parts"], Value::Array(parts));
            assert!(
                expected.is_empty() && pieces.next().is_none(),
                "all of them"
            );
            return;
        }
    }
    panic!("no {name} in the transcript");
}

fn octets(item: &Value) -> Vec<u8> {
    match item {
        Value::String(text) => text.clone().into_bytes(),
        item => STANDARD
            .decode(item["base64"].as_str().expect("base64"))
            .expect("base64"),
    }
}

/// The events of a transcript that is too long to be held, one a line.
fn events(path: &Path) -> impl Iterator<Item = Value> {
    let lines = BufReader::new(File::open(path).expect("a transcript")).lines();
    lines.filter_map(|line| {
        let line = line.expect("text");
        let event = line.strip_suffix(',').unwrap_or(&line);
        let is_event = event.starts_with("{\"n\":");
        is_event.then(|| serde_json::from_str(event).expect("an event"))
    })
}
