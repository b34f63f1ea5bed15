//! Killed without a word (SIGKILL) at random moments: each transcript opens, and holds what it had to
//! hold by then.
//!
//! That is, by what is promised: every event that stood in the file when somebody looked before; and
//! what a peer was given 250 ms before or longer ago (the contract: an event is in the file at most so
//! long after its octets were passed on). And nothing else: what is in it is the beginning of what was
//! said, octet for octet.
//!
//! The moments follow from a seed, which is printed; `KILL_SEED=N` takes another one.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use mailscope::limits;
use rustix::process::Signal;
use serde_json::Value;

use super::support::app::App;
use super::support::mailscope::{Mailscope, Recording, binary, record};
use super::support::patience::InTime;
use super::support::server::{Server, Stream, line};
use super::support::transcript::Transcript;
use super::support::wire::{Door, Far, join};
use super::support::{trials, wait_for};

pub fn trials() -> Vec<Trial> {
    trials!("killed"; at_random_moments, by_a_signal_that_it_heeds)
}

const RUNS: usize = 200;

/// Runs at one time.
const ABREAST: usize = 4;

/// The contract: an event is in the file at most so long after its octets were passed on.
const FLUSHED: Duration = Duration::from_millis(250);

/// The contract: the end by a signal.
const ENDED: Duration = Duration::from_secs(2);

/// What a run is killed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum During {
    /// Its beginning, so that there may be no transcript yet.
    Start,
    /// Short commands and answers of two apps.
    Talk,
    /// A long literal of the server.
    Fetch,
    /// A long literal of the app.
    Append,
    /// Its end, by SIGINT.
    End,
}

const DURING: [During; 5] = [
    During::Start,
    During::Talk,
    During::Fetch,
    During::Append,
    During::End,
];

fn at_random_moments() {
    let seed = std::env::var("KILL_SEED").map_or(9051, |seed| seed.parse().unwrap());
    eprintln!("killed: KILL_SEED={seed}");
    let authority = tempfile::tempdir().unwrap();
    let server = Server::plain(bodies);
    let bench = Bench {
        server: server.name(),
        ca: authority.path().display().to_string(),
        pulse: Pulse::default(),
    };
    // So that all find the same authority.
    drop(bench.recording(&bench.server).start());
    let next = AtomicUsize::new(0);
    let seen = Mutex::new(HashMap::new());
    bench.pulse.while_it_beats(|| {
        std::thread::scope(|scope| {
            for _ in 0..ABREAST {
                scope.spawn(|| {
                    loop {
                        let run = next.fetch_add(1, Ordering::Relaxed);
                        if run >= RUNS {
                            return;
                        }
                        let during = DURING[run % DURING.len()];
                        let mut dice = fastrand::Rng::with_seed(seed + run as u64);
                        let found = bench.run(during, &mut dice);
                        let name = format!("{during:?} {found:?}");
                        *seen.lock().unwrap().entry(name).or_insert(0) += 1;
                    }
                });
            }
        });
    });
    let seen = seen.into_inner().unwrap();
    // The moments were such that it mattered.
    for name in [
        "Start Nothing",
        "Start Transcript",
        "Fetch Spare",
        "Append Spare",
    ] {
        assert!(seen.contains_key(name), "{seen:?}");
    }
}

/// In the middle of traffic: everything that the apps were given is there, and that it was stopped.
fn by_a_signal_that_it_heeds() {
    let server = Server::plain(bodies);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let legs = ["--server-tls", "none", "--quiet"];
        let mut mailscope = record(&server.name()).with(&legs).start();
        let (heard, done) = (Given::default(), AtomicBool::new(false));
        let mut took = Duration::ZERO;
        std::thread::scope(|scope| {
            for app in 0..2 {
                let (plain, heard, done) = (mailscope.plain().to_owned(), &heard, &done);
                scope.spawn(move || fetch_bodies(&plain, app, 1 + app, heard, done));
            }
            wait_for("some traffic", || {
                (heard.lock().unwrap().len() > 100).then_some(())
            });
            let begun = Instant::now();
            mailscope.signal(signal);
            assert_eq!(mailscope.wait().code(), Some(0), "{}", mailscope.stderr());
            took = begun.elapsed();
            done.store(true, Ordering::Relaxed);
        });
        assert!(took < ENDED, "{took:?}");
        assert!(
            matches!(left(&mailscope), Left::Transcript),
            "no spare file"
        );
        let transcript = Transcript::read(mailscope.out());
        is_what_was_said(&transcript);
        for (_, tag) in heard.into_inner().unwrap() {
            let answer = format!(r#""wire":["{tag} OK done\r\n"]"#);
            assert!(transcript.text().contains(&answer), "{tag}");
        }
        for conn in [1, 2] {
            assert_eq!(transcript.closed(conn)["reason"], "mailscope was stopped");
        }
    }
}

/// What a killed run left.
#[derive(Debug)]
enum Left {
    Nothing,
    Transcript,
    /// And the spare file, with which it changes places.
    Spare,
}

struct Bench {
    server: String,
    ca: String,
    pulse: Pulse,
}

/// What a peer was given, and when.
type Given<T> = Mutex<Vec<(Instant, T)>>;

impl Bench {
    fn recording(&self, server: &str) -> Recording {
        let arguments = ["--server-tls", "none", "--quiet"];
        record(server).with(&arguments).set("--ca-dir", &self.ca)
    }

    fn run(&self, during: During, dice: &mut fastrand::Rng) -> Left {
        let begun = Instant::now();
        match during {
            During::Start => {
                let mut mailscope = self.recording(&self.server).spawn();
                std::thread::sleep(Duration::from_micros(dice.u64(0..80_000)));
                kill(&mut mailscope);
                left(&mailscope)
            }
            During::Talk | During::End => self.talk(during, dice, begun),
            During::Fetch | During::Append => self.stream(during, dice, begun),
        }
    }

    fn talk(&self, during: During, dice: &mut fastrand::Rng, begun: Instant) -> Left {
        let mut mailscope = self.recording(&self.server).start();
        let heard = Given::default(); // the tags of what was answered
        let stood = Mutex::new(String::new());
        let done = AtomicBool::new(false);
        let (moment, sooner) = (dice.u64(0..400_000), dice.u64(0..30_000));
        let mut killed = Instant::now();
        std::thread::scope(|scope| {
            for app in 0..2 {
                let (plain, heard, done) = (mailscope.plain().to_owned(), &heard, &done);
                let turns = dice.usize(1..9000);
                scope.spawn(move || fetch_bodies(&plain, app, turns, heard, done));
            }
            let (out, stood, done) = (mailscope.out().to_owned(), &stood, &done);
            scope.spawn(move || look_at(&out, stood, done));
            std::thread::sleep(Duration::from_micros(moment));
            if during == During::End {
                mailscope.signal(Signal::INT);
                std::thread::sleep(Duration::from_micros(sooner));
            }
            killed = Instant::now();
            kill(&mut mailscope);
            done.store(true, Ordering::Relaxed);
        });
        let left = left(&mailscope);
        let transcript = Transcript::read(mailscope.out());
        let stood = stood.into_inner().unwrap();
        let stood = stood.strip_suffix("\n]}\n").unwrap_or(&stood);
        assert!(transcript.text().starts_with(stood), "something was in it");
        is_what_was_said(&transcript);
        let promised = self.pulse.promised(begun, killed);
        for (when, tag) in heard.into_inner().unwrap() {
            let answer = format!(r#""wire":["{tag} OK done\r\n"]"#);
            let is_there = transcript.text().contains(&answer);
            assert!(
                is_there || when > promised,
                "{tag} was heard {:?} before the kill",
                killed - when
            );
        }
        left
    }

    fn stream(&self, during: During, dice: &mut fastrand::Rng, begun: Instant) -> Left {
        let far = Far::listen(None);
        let mut mailscope = self.recording(&far.name()).start();
        let (near, far) = join(&mailscope, Door::Plain, &far);
        let (header, (mut incoming, mut outgoing)) = match during {
            During::Append => (
                "a APPEND x {1000000000+}\r\n",
                (far.ways().0, near.ways().1),
            ),
            _ => (
                "* 1 FETCH (BODY[] {1000000000}\r\n",
                (near.ways().0, far.ways().1),
            ),
        };
        far.say(b"* PREAUTH ready\r\n");
        near.hear(17);
        let given = Given::default(); // octets
        let mut killed = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut octets = outgoing.write_all(header.as_bytes());
                while octets.is_ok() {
                    octets = outgoing.write_all(&[b'x'; 50_000]);
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
            scope.spawn(|| {
                let (mut buffer, mut total) = ([0; 65536], 0);
                while let Ok(length @ 1..) = incoming.read(&mut buffer) {
                    total += length as u64;
                    given.lock().unwrap().push((Instant::now(), total));
                }
            });
            std::thread::sleep(Duration::from_micros(dice.u64(0..400_000)));
            killed = Instant::now();
            kill(&mut mailscope);
        });
        let left = left(&mailscope);
        let transcript = Transcript::read(mailscope.out());
        let parts = transcript.kind("literal_part").into_iter();
        let octets = |part: &Value| {
            let text = part["wire"][0].as_str().unwrap();
            assert!(text.bytes().all(|octet| octet == b'x'));
            text.len() as u64
        };
        let told: u64 = parts.map(octets).sum();
        let promised = self.pulse.promised(begun, killed);
        for (when, total) in given.into_inner().unwrap() {
            // What is held is no event yet.
            let held = limits::LITERAL_HELD + header.len() as u64;
            assert!(
                told + held >= total || when > promised,
                "{total} octets were given {:?} before the kill, and {told} are told",
                killed - when
            );
        }
        left
    }
}

fn kill(mailscope: &mut Mailscope) {
    mailscope.signal(Signal::KILL);
    mailscope.wait();
}

/// What it left, which can be looked at.
fn left(mailscope: &Mailscope) -> Left {
    let out = mailscope.out();
    if !out.exists() {
        return Left::Nothing;
    }
    let transcript = Transcript::read(out);
    is_whole(&transcript);
    let mut show = binary();
    show.args(["show", "--output", "json"]).arg(out);
    let shown = show.output_in_time().unwrap();
    assert!(shown.status.success(), "{shown:?}");
    assert!(shown.stderr.is_empty(), "{shown:?}");
    let lines = shown.stdout.iter().filter(|octet| **octet == b'\n').count();
    assert_eq!(lines, transcript.events().len());
    match out.with_file_name(".session.json.spare").exists() {
        true => Left::Spare,
        false => Left::Transcript,
    }
}

/// Every line but the first two and the last is an event; their numbers rise by one from 1.
pub fn is_whole(transcript: &Transcript) {
    let lines: Vec<_> = transcript.text().lines().collect();
    let events = &lines[2..lines.len() - 1];
    assert_eq!(events.len(), transcript.events().len());
    for (line, n) in events.iter().zip(1..) {
        let event: Value = serde_json::from_str(line.trim_end_matches(',')).unwrap();
        assert_eq!(event["n"], n);
    }
}

/// Asks for bodies of many sizes, until it is over.
fn fetch_bodies(plain: &str, app: usize, from: usize, heard: &Given<String>, done: &AtomicBool) {
    let Ok(stream) = std::net::TcpStream::connect(plain) else {
        return;
    };
    let mut stream = App::plain_over(stream);
    // What is said before it is masked, since nobody knows yet that it needs no login.
    if stream.try_hear("* PREAUTH").is_err() {
        return;
    }
    let mut turn = from;
    while !done.load(Ordering::Relaxed) {
        let tag = format!("t{app}.{turn}.");
        let command = format!("{tag} FETCH 1 BODY[]<0.{}>\r\n", size(turn));
        if stream.try_say(command.as_bytes()).is_err() {
            return;
        }
        let Ok(true) = stream.try_hear(&tag) else {
            return;
        };
        heard.lock().unwrap().push((Instant::now(), tag));
        turn += 1;
    }
}

fn size(turn: usize) -> usize {
    1 + turn * 977 % 9000
}

/// Greets, and answers `TAG FETCH 1 BODY[]<0.SIZE>` with a literal of that size and the tagged OK.
fn bodies(stream: &mut dyn Stream) -> std::io::Result<()> {
    stream.write_all(b"* PREAUTH ready\r\n")?;
    loop {
        let line = String::from_utf8(line(stream)?).unwrap();
        let Some((tag, size)) = line.trim_end().split_once(" FETCH 1 BODY[]<0.") else {
            return Ok(());
        };
        let size = size.trim_end_matches('>').parse().unwrap();
        stream.write_all(answer(tag, size).as_bytes())?;
    }
}

fn answer(tag: &str, size: usize) -> String {
    let body = "x".repeat(size);
    format!("* 1 FETCH (BODY[] {{{size}}}\r\n{body})\r\n{tag} OK done\r\n")
}

/// Of each connection, each side's octets are the beginning of what that side said.
fn is_what_was_said(transcript: &Transcript) {
    for conn in 1..=2 {
        let client = String::from_utf8(transcript.wire(conn, "client", b"")).unwrap();
        let server = String::from_utf8(transcript.wire(conn, "server", b"")).unwrap();
        let Some((name, _)) = client.split_once(' ') else {
            assert!("* PREAUTH ready\r\n".starts_with(&server), "{server:?}");
            continue;
        };
        let [app, first, _] = name.split('.').collect::<Vec<_>>()[..] else {
            panic!("{name}");
        };
        let (mut asked, mut answered) = (String::new(), "* PREAUTH ready\r\n".to_owned());
        for turn in first.parse().unwrap().. {
            if asked.len() >= client.len() && answered.len() >= server.len() {
                break;
            }
            let (tag, size) = (format!("{app}.{turn}."), size(turn));
            asked += &format!("{tag} FETCH 1 BODY[]<0.{size}>\r\n");
            answered += &answer(&tag, size);
        }
        assert!(asked.starts_with(&client), "{client}");
        assert!(answered.starts_with(&server), "connection {conn}");
    }
}

/// Keeps the transcript as it was seen last, whole.
fn look_at(out: &Path, stood: &Mutex<String>, done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        // Reading is not one step, so that it may fail; what is whole was there.
        if let Ok(transcript) = Transcript::try_read(out) {
            *stood.lock().unwrap() = transcript.text().to_owned();
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// How late this machine lets somebody who sleeps a little wake up: on one that is that busy, so much
/// longer takes what is promised as well.
#[derive(Default)]
struct Pulse {
    late: Given<Duration>,
    stopped: AtomicBool,
}

impl Pulse {
    fn while_it_beats(&self, work: impl FnOnce()) {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                const BEAT: Duration = Duration::from_millis(5);
                while !self.stopped.load(Ordering::Relaxed) {
                    let asleep = Instant::now();
                    std::thread::sleep(BEAT);
                    let late = asleep.elapsed().saturating_sub(BEAT);
                    if late > BEAT {
                        self.late.lock().unwrap().push((asleep, late));
                    }
                }
            });
            let stop = Stop(&self.stopped);
            work();
            drop(stop);
        });
    }

    /// What was passed on before this is to be in the file of one who was killed then.
    fn promised(&self, begun: Instant, killed: Instant) -> Instant {
        let late = self.late.lock().unwrap();
        let late = late.iter().filter(|(when, late)| *when + *late >= begun);
        let latest = late.map(|(_, late)| *late).max().unwrap_or_default();
        killed - FLUSHED - latest
    }
}

/// Stops the pulse, whatever became of the work.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
