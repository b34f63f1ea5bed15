//! How a run ends: asked to, or with nobody to read or no room to write. (`killed` is the other one.)

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::Signal;

use super::killed::is_whole;
use super::support::app::App;
use super::support::mailscope::{Mailscope, record};
use super::support::memory::{MIB, peak};
use super::support::server::{Server, polite};
use super::support::transcript::Transcript;
use super::support::wire::{Door, Far, join};
use super::support::{trials, wait_for};

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("endings";
        a_signal_ends_it_with_peers_that_are_stuck,
        a_second_signal_ends_it_at_once,
        a_closed_standard_output_is_no_error,
        a_closed_standard_error_is_no_error,
        a_viewer_that_hangs_is_left_behind,
        a_standard_output_that_nobody_reads,
        the_largest_file_is_reached,
    );
    let full = trials!("endings"; standard_output_is_full);
    trials.extend(needing("/dev/full", "a Unix with /dev/full", full));
    trials
}

fn needing(path: &str, reason: &str, trials: Vec<Trial>) -> Vec<Trial> {
    match std::path::Path::new(path).exists() {
        true => trials,
        false => ignored(reason, trials),
    }
}

fn ignored(reason: &str, trials: Vec<Trial>) -> Vec<Trial> {
    let ignore = |trial: Trial| trial.with_kind(reason).with_ignored_flag(true);
    trials.into_iter().map(ignore).collect()
}

/// The contract: the end by a signal.
const ENDED: Duration = Duration::from_secs(2);

/// Sends the signal and waits for the end, which comes in time.
fn ends_in_time(mailscope: &mut Mailscope, signal: Signal) -> Option<i32> {
    let begun = Instant::now();
    mailscope.signal(signal);
    let status = mailscope.wait();
    assert!(begun.elapsed() < ENDED, "{:?}", begun.elapsed());
    status.code()
}

fn a_signal_ends_it_with_peers_that_are_stuck() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let server = Far::listen(None);
        let mut mailscope = record(&server.name())
            .with(&["--server-tls", "none"])
            .start();
        let (near, far) = join(&mailscope, Door::Plain, &server);
        // One that says nothing, one in the middle of TLS, and two that do not read.
        let _silent = App::plain(mailscope.tls());
        let mut half = App::plain(mailscope.tls());
        half.say(&[22, 3, 1, 2]);
        for wire in [&near, &far] {
            let stuck = Some(Duration::from_millis(300));
            wire.tcp().set_write_timeout(stuck).unwrap();
        }
        let fill = |mut outgoing: super::support::wire::Outgoing, header: &str| {
            outgoing.write_all(header.as_bytes()).unwrap();
            while outgoing.write_all(&[b'x'; 65536]).is_ok() {}
        };
        std::thread::scope(|scope| {
            scope.spawn(|| fill(near.ways().1, "a APPEND x {1000000000+}\r\n"));
            fill(far.ways().1, "* 1 FETCH (BODY[] {1000000000}\r\n");
        });
        assert_eq!(ends_in_time(&mut mailscope, signal), Some(0));
        let transcript = Transcript::read(mailscope.out());
        is_whole(&transcript);
        for conn in [1, 2, 3] {
            assert_eq!(transcript.closed(conn)["reason"], "mailscope was stopped");
        }
        let incomplete = |event: &&serde_json::Value| event["incomplete"] == true;
        assert_eq!(transcript.events().iter().filter(incomplete).count(), 2);
        assert_eq!(mailscope.stdout(), mailscope.show());
    }
}

fn a_second_signal_ends_it_at_once() {
    let server = Server::plain(polite);
    let recording = record(&server.name()).with(&["--server-tls", "none"]);
    let mut mailscope = recording.stdout(Stdio::piped()).start();
    let _unread = mailscope.take_stdout();
    flood(&mailscope);
    // The first one waits for a viewer that does not read, a little; the second one does not.
    let begun = Instant::now();
    mailscope.signal(Signal::INT);
    std::thread::sleep(Duration::from_millis(20)); // or both are one to the system
    mailscope.signal(Signal::INT);
    mailscope.wait();
    assert!(
        begun.elapsed() < Duration::from_millis(450),
        "{:?}",
        begun.elapsed()
    );
    is_whole(&Transcript::read(mailscope.out()));
}

/// Has more printed than a pipe holds, and waits until it is recorded.
fn flood(mailscope: &Mailscope) {
    const COMMANDS: usize = 1000;
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    for turn in 0..COMMANDS {
        assert_eq!(
            app.command(&format!("t{turn}"), "NOOP"),
            format!("t{turn} OK done\r\n")
        );
    }
    app.command("z", "LOGOUT");
    app.finish();
    mailscope.closed(1);
}

fn a_closed_standard_output_is_no_error() {
    let server = Server::plain(polite);
    let recording = record(&server.name()).with(&["--server-tls", "none"]);
    let mut mailscope = recording.stdout(Stdio::piped()).start();
    drop(mailscope.take_stdout());
    flood(&mailscope);
    assert_eq!(ends_in_time(&mut mailscope, Signal::INT), Some(0));
    assert!(
        !mailscope.stderr().contains("warning"),
        "{}",
        mailscope.stderr()
    );
    is_whole(&Transcript::read(mailscope.out()));
}

fn a_closed_standard_error_is_no_error() {
    let server = Server::plain(polite);
    let recording = record(&server.name()).with(&["--server-tls", "none"]);
    let (reader, writer) = std::io::pipe().unwrap();
    let mut mailscope = recording.stderr(writer).start();
    drop(reader);
    flood(&mailscope);
    assert_eq!(ends_in_time(&mut mailscope, Signal::INT), Some(0));
    is_whole(&Transcript::read(mailscope.out()));
}

fn a_viewer_that_hangs_is_left_behind() {
    for alone in [true, false] {
        let server = Server::plain(polite);
        let mut recording = record(&server.name()).with(&["--server-tls", "none"]);
        let (_unread, writer) = std::io::pipe().unwrap();
        if !alone {
            recording = recording.stderr(writer.try_clone().unwrap());
        }
        let mut mailscope = recording.stdout(writer).start();
        flood(&mailscope);
        assert_eq!(ends_in_time(&mut mailscope, Signal::INT), Some(0));
        is_whole(&Transcript::read(mailscope.out()));
        let told = mailscope
            .stderr()
            .contains("standard output was not read to its end");
        assert_eq!(told, alone, "{}", mailscope.stderr());
    }
}

fn a_standard_output_that_nobody_reads() {
    let far = Far::listen(None);
    let recording = record(&far.name()).with(&["--server-tls", "none", "--output", "json"]);
    let mut mailscope = recording.stdout(Stdio::piped()).start();
    let mut stdout = mailscope.take_stdout();
    let (near, far) = join(&mailscope, Door::Plain, &far);
    // Far more than pipe and queue hold.
    const LITERAL: usize = 24 * 1024 * 1024;
    let (mut outgoing, mut incoming) = (far.ways().1, near.ways().0);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let header = format!("* PREAUTH ready\r\n* 1 FETCH (BODY[] {{{LITERAL}}}\r\n");
            outgoing.write_all(header.as_bytes()).unwrap();
            for _ in 0..LITERAL / 65536 {
                outgoing.write_all(&[b'x'; 65536]).unwrap();
            }
            outgoing.write_all(b")\r\n").unwrap();
        });
        let mut octets = vec![0; LITERAL + 64];
        let mut length = 0;
        while !octets[..length].ends_with(b")\r\n") {
            length += incoming.read(&mut octets[length..]).unwrap();
        }
    });
    if cfg!(target_os = "linux") {
        let taken = peak(mailscope.pid());
        assert!(taken < 64 * MIB, "{} MiB", taken / MIB);
    }
    // Now somebody reads, and hears how much there was.
    let reader = std::thread::spawn(move || {
        let mut printed = String::new();
        stdout.read_to_string(&mut printed).map(|_| printed)
    });
    near.finish();
    far.rest();
    far.finish();
    mailscope.closed_in_the_end();
    let transcript = mailscope.stop();
    let printed = reader.join().unwrap().unwrap();
    let event = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let octets = |events: &mut dyn Iterator<Item = serde_json::Value>| -> u64 {
        let parts = events.filter(|event| event["kind"] == "literal_part");
        let length = |event: serde_json::Value| event["wire"][0].as_str().unwrap().len() as u64;
        parts.map(length).sum()
    };
    let missed: u64 = printed
        .lines()
        .map(event)
        .filter(|event| event["kind"] == "gap")
        .map(|gap| gap["octets"].as_u64().unwrap())
        .sum();
    assert!(missed > 0);
    assert_eq!(
        octets(&mut transcript.events().iter().cloned()),
        LITERAL as u64
    );
    let shown = octets(&mut printed.lines().map(event));
    let rest = LITERAL as u64 - shown;
    assert!(missed >= rest && missed < rest + 100, "{missed} of {rest}");
}

/// The relay goes on when nothing more can be recorded; that is loud, and the exit code says it.
pub fn goes_on_without_room(mut mailscope: Mailscope) {
    // What comes first has room, and is not written together with what has none.
    App::plain(mailscope.plain()).hear("* OK");
    wait_for("the first events", || {
        let transcript = Transcript::read(mailscope.out());
        (!transcript.events().is_empty()).then_some(())
    });
    flood_without_waiting(&mailscope);
    wait_for("the warning", || {
        let stderr = mailscope.stderr();
        let told = stderr.contains("NOTHING IS RECORDED from here on");
        (told && stderr.contains("session.json: ") && stderr.contains("--out")).then_some(())
    });
    flood_without_waiting(&mailscope);
    assert_eq!(ends_in_time(&mut mailscope, Signal::INT), Some(2));
    let stderr = mailscope.stderr();
    assert!(stderr.contains("NOT ALL OF THEM in "), "{stderr}");
    let transcript = Transcript::read(mailscope.out());
    is_whole(&transcript);
    assert!(!transcript.events().is_empty());
}

fn flood_without_waiting(mailscope: &Mailscope) {
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    for turn in 0..600 {
        assert_eq!(
            app.command(&format!("t{turn}"), "NOOP"),
            format!("t{turn} OK done\r\n")
        );
    }
}

fn the_largest_file_is_reached() {
    let server = Server::plain(polite);
    let recording = record(&server.name()).with(&["--server-tls", "none", "--quiet"]);
    goes_on_without_room(recording.limited("-f 64").start());
}

fn standard_output_is_full() {
    let server = Server::plain(polite);
    let recording = record(&server.name()).with(&["--server-tls", "none"]);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut mailscope = recording.stdout(full).start();
    flood(&mailscope);
    let told = "relay and recording go on, but nothing more is printed";
    assert!(mailscope.stderr().contains(told), "{}", mailscope.stderr());
    assert_eq!(ends_in_time(&mut mailscope, Signal::INT), Some(2));
    is_whole(&Transcript::read(mailscope.out()));
}
