//! Peers and sinks that take little or nothing: what waits for them is bounded, and whoever sends it waits.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::Signal;

use mailscope::limits;

use super::PEAK;
use crate::support::app::App;
use crate::support::mailscope::{Mailscope, record};
use crate::support::memory::{MIB, own, peak, processor};
use crate::support::patience::InTime;
use crate::support::session::{Session, Talk, once, pass};
use crate::support::terminal::Terminal;
use crate::support::transcript::Transcript;
use crate::support::wire::{Door, Far, join};
use crate::support::{PATIENCE, trials, wait_for};

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("bounds";
        an_app_that_reads_octet_by_octet,
        a_terminal_that_is_not_read,
    );
    let stalled = trials!("bounds"; a_disk_that_stalls, a_disk_that_stalls_with_many_connections);
    trials.extend(match can_freeze() {
        true => stalled,
        false => {
            let reason = "the right to mount and freeze a file system (root), mkfs.ext4 (apt-get install e2fsprogs)";
            let ignore = |trial: Trial| trial.with_kind(reason).with_ignored_flag(true);
            stalled.into_iter().map(ignore).collect()
        }
    });
    trials
}

/// Far more than the system's own buffers hold of both legs, and mailscope's.
const MAIL: usize = 64 * MIB;

fn mail() -> Box<dyn Iterator<Item = Vec<u8>>> {
    Box::new((0..MAIL / MIB).map(|n| vec![b'a' + (n % 26) as u8; MIB]))
}

/// What somebody sends who may have to wait.
#[derive(Default)]
struct Sending {
    sent: AtomicUsize,
    waits: AtomicBool,
}

impl Sending {
    /// Sends all of it in cleartext; who takes nothing for long is given up.
    fn send(&self, mut to: &TcpStream, talk: Talk<'_>) {
        let mut last = Instant::now();
        to.set_write_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        for piece in talk() {
            let mut rest = &piece[..];
            while !rest.is_empty() {
                match to.write(rest) {
                    Ok(length) => {
                        last = Instant::now();
                        rest = &rest[length..];
                        self.sent.fetch_add(length, Ordering::SeqCst);
                    }
                    Err(error) => {
                        let full = [ErrorKind::WouldBlock, ErrorKind::TimedOut];
                        assert!(full.contains(&error.kind()), "{error}");
                        assert!(last.elapsed() < PATIENCE, "nothing is taken any more");
                        self.waits.store(true, Ordering::SeqCst);
                    }
                }
            }
        }
    }

    /// Waits until the sender has waited since this was called; how much it had sent by then.
    fn has_to_wait(&self) -> usize {
        self.waits.store(false, Ordering::SeqCst);
        wait_for("a sender that has to wait", || {
            self.waits
                .load(Ordering::SeqCst)
                .then(|| self.sent.load(Ordering::SeqCst))
        })
    }
}

/// Reads all of it.
fn hear(incoming: &mut impl Read, talk: Talk<'_>) {
    let mut came = Vec::new();
    for piece in talk() {
        came.resize(piece.len(), 0);
        incoming.read_exact(&mut came).unwrap();
        assert!(came == piece);
    }
}

fn an_app_that_reads_octet_by_octet() {
    for door in [Door::Plain, Door::Tls] {
        let listener = Far::listen(None);
        let flags = ["--server-tls", "none", "--quiet"];
        let mut mailscope = record(&listener.name()).with(&flags).start();
        let (near, far) = join(&mailscope, door, &listener);
        let (other_near, other_far) = join(&mailscope, door, &listener);
        far.say(b"* PREAUTH ready\r\n");
        let mut incoming = near.ways().0;
        hear(&mut incoming, &|| once("* PREAUTH ready\r\n"));
        let header = format!("* 1 FETCH (BODY[] {{{MAIL}}}\r\n");
        far.say(header.as_bytes());
        hear(&mut incoming, &|| once(&header));
        let sending = Sending::default();
        std::thread::scope(|scope| {
            scope.spawn(|| sending.send(far.tcp(), &mail));
            let sent = sending.has_to_wait();
            // It reads one octet while another connection does a whole round trip.
            let mut octets = [0; 100];
            for (turn, octet) in octets.chunks_mut(1).enumerate() {
                let (command, answer) =
                    (format!("t{turn} NOOP\r\n"), format!("t{turn} OK done\r\n"));
                other_near.say(command.as_bytes());
                assert_eq!(other_far.hear(command.len()), command.as_bytes());
                other_far.say(answer.as_bytes());
                assert_eq!(other_near.hear(answer.len()), answer.as_bytes());
                incoming.read_exact(octet).unwrap();
            }
            assert_eq!(octets, [b'a'; 100]);
            // The server still waits, with most of the mail to come.
            let since = sending.has_to_wait() - sent;
            assert!(since < 2 * MIB, "{since} octets more");
            eprintln!(
                "{door:?}: {} MiB sent, {} MiB",
                sent / MIB,
                own(mailscope.pid()) / MIB
            );
            assert!(sent < MAIL / 2, "{sent}");
            assert!(peak(mailscope.pid()) < PEAK);
            // Then it takes the rest.
            let first = std::iter::once(vec![b'a'; MIB - octets.len()]);
            let rest = move || -> Box<dyn Iterator<Item = Vec<u8>>> {
                Box::new(first.clone().chain(mail().skip(1)))
            };
            hear(&mut incoming, &rest);
        });
        other_near.finish();
        assert_eq!(other_far.rest(), b"");
        other_far.finish();
        far.say(b")\r\n");
        hear(&mut incoming, &|| once(")\r\n"));
        near.finish();
        far.rest();
        far.finish();
        mailscope.closed(2);
        assert!(peak(mailscope.pid()) < PEAK);
        let transcript = mailscope.stop();
        assert_eq!(transcript.kind("tagged").len(), 100);
        has_the_mail(&transcript, 1);
    }
}

/// The connection's last message from the server is the mail.
fn has_the_mail(transcript: &Transcript, conn: u64) {
    let said = transcript.wire(conn, "server", b"");
    let mail: Vec<u8> = mail().flatten().collect();
    assert!(said.strip_suffix(b")\r\n").unwrap().ends_with(&mail));
}

fn a_terminal_that_is_not_read() {
    let terminal = Terminal::open();
    let screen = terminal.screen();
    let mut session = Session::start(Door::Plain, |record| record.stdout(screen));
    let app = session.mailscope.plain().to_owned();
    session.up(&|| once("a FETCH 1 BODY[]\r\n"));
    session.down(&|| once(&format!("* 1 FETCH (BODY[] {{{MAIL}}}\r\n")));
    session.down(&mail);
    session.down(&|| once(")\r\n"));
    // Nor is a thousand of short lines too much.
    for turn in 0..1_000 {
        session.up(&|| once(&format!("t{turn} NOOP\r\n")));
        session.down(&|| once(&format!("t{turn} OK done\r\n")));
    }
    drop(App::plain(&app));
    let taken = peak(session.mailscope.pid());
    assert!(taken < PEAK, "{} MiB", taken / MIB);
    let begun = Instant::now();
    session.mailscope.signal(Signal::INT);
    assert_eq!(session.mailscope.wait().code(), Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    let transcript = Transcript::read(session.mailscope.out());
    assert_eq!(transcript.kind("tagged").len(), 1_000);
    drop(terminal);
}

/// A file system that can be made to stall, gone when it is dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        std::fs::File::create(&image)
            .unwrap()
            .set_len(1024 * MIB as u64)
            .unwrap();
        let disk = Self(folder);
        std::fs::create_dir(disk.path()).unwrap();
        let made = runs(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image));
        let mounted = made
            && runs(
                Command::new("mount")
                    .args(["-o", "loop"])
                    .arg(&image)
                    .arg(disk.path()),
            );
        mounted.then_some(disk)
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("disk")
    }

    /// From here on who writes to it waits.
    #[must_use = "it answers again when this is dropped"]
    fn freeze(&self) -> Option<Frozen> {
        runs(Command::new("fsfreeze").arg("--freeze").arg(self.path())).then(|| Frozen(self.path()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        runs(Command::new("umount").arg(self.path()));
    }
}

struct Frozen(std::path::PathBuf);

impl Drop for Frozen {
    fn drop(&mut self) {
        runs(Command::new("fsfreeze").arg("--unfreeze").arg(&self.0));
    }
}

fn runs(command: &mut Command) -> bool {
    let ran = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status_in_time();
    ran.is_ok_and(|status| status.success())
}

fn can_freeze() -> bool {
    cfg!(target_os = "linux") && Disk::mount().is_some_and(|disk| disk.freeze().is_some())
}

/// The session with a mail passed on while `meanwhile` looks at who sends it.
fn with_a_mail(session: &Session, tag: &str, meanwhile: impl FnOnce(&Sending)) {
    session.up(&|| once(&format!("{tag} FETCH 1 BODY[]\r\n")));
    session.down(&|| once(&format!("* 1 FETCH (BODY[] {{{MAIL}}}\r\n")));
    let sending = Sending::default();
    let mut incoming = session.near.ways().0;
    std::thread::scope(|scope| {
        scope.spawn(|| sending.send(session.far.tcp(), &mail));
        scope.spawn(|| hear(&mut incoming, &mail));
        meanwhile(&sending);
    });
    session.down(&|| once(&format!(")\r\n{tag} OK done\r\n")));
}

/// A short stall loses nothing. A long one is told, and the relay goes on without a recording.
fn a_disk_that_stalls() {
    let disk = Disk::mount().unwrap();
    let out = disk.path().join("session.json");
    let session = Session::start(Door::Plain, |record| record.with(&["--quiet"]).out(&out));
    with_a_mail(&session, "a", |_| {});
    let frozen = disk.freeze().unwrap();
    with_a_mail(&session, "b", |sending| {
        // What waits for the disk is bounded, and so the server waits.
        assert!(sending.has_to_wait() < MAIL);
        assert!(peak(session.mailscope.pid()) < PEAK);
        drop(frozen);
    });
    session.mailscope.event("the mail's last line", |event| {
        event["tag"] == "b" && event["kind"] == "tagged"
    });
    let frozen = disk.freeze().unwrap();
    with_a_mail(&session, "c", |sending| {
        sending.has_to_wait();
    });
    let stderr = session.mailscope.stderr();
    assert!(
        stderr.contains("write the transcript: nothing could be written for 15 s"),
        "{stderr}"
    );
    assert!(
        stderr.contains("NOTHING IS RECORDED from here on"),
        "{stderr}"
    );
    session.up(&|| once("d NOOP\r\n"));
    session.down(&|| once("d OK done\r\n"));
    drop(frozen);
    let taken = peak(session.mailscope.pid());
    eprintln!("{} MiB", taken / MIB);
    assert!(taken < PEAK, "{} MiB", taken / MIB);
    let mut mailscope = session.mailscope;
    mailscope.signal(Signal::INT);
    assert_eq!(mailscope.wait().code(), Some(2));
    assert!(
        mailscope.stderr().contains("NOT ALL OF THEM in "),
        "{}",
        mailscope.stderr()
    );
    let transcript = Transcript::read(Path::new(mailscope.out()));
    let tags: Vec<_> = transcript
        .kind("tagged")
        .into_iter()
        .map(|event| &event["tag"])
        .collect();
    assert_eq!(tags, ["a", "b"]);
}

/// Waits until it does nothing any more.
fn is_idle(mailscope: &Mailscope) {
    let mut before = 0;
    wait_for("mailscope to wait", || {
        std::thread::sleep(Duration::from_millis(200));
        let taken = processor(mailscope.pid());
        (std::mem::replace(&mut before, taken) == taken).then_some(())
    });
}

/// What all connections read while nobody can take it becomes no events yet: those are far more than octets.
fn a_disk_that_stalls_with_many_connections() {
    const CONNECTIONS: usize = 120;
    /// Somewhat more than is read at once.
    const LINES: usize = 6_000;
    let lines = || once(&"* 1 RECENT\r\n".repeat(LINES));
    let disk = Disk::mount().unwrap();
    let out = disk.path().join("session.json");
    let listener = Far::listen(None);
    let flags = ["--server-tls", "none", "--quiet"];
    let recording = record(&listener.name()).with(&flags).out(&out);
    let mailscope = recording.start();
    let joined: Vec<_> = (0..CONNECTIONS)
        .map(|_| join(&mailscope, Door::Plain, &listener))
        .collect();
    // Busy ones have larger buffers.
    let busy = format!("* PREAUTH ready\r\n* OK {}\r\n", "x".repeat(500_000));
    for (near, far) in &joined {
        pass(far, near, &|| once(&busy));
    }
    let (near, far) = &joined[0];
    let fill: Talk<'_> = &|| Box::new((0..8).flat_map(move |_| lines()));
    let frozen = disk.freeze().unwrap();
    let sending = Sending::default();
    let mut incoming = near.ways().0;
    std::thread::scope(|scope| {
        scope.spawn(|| sending.send(far.tcp(), fill));
        scope.spawn(|| hear(&mut incoming, fill));
        is_idle(&mailscope);
        for (_, far) in &joined[1..] {
            let lines = lines().next().unwrap();
            scope.spawn(move || far.say(&lines));
        }
        is_idle(&mailscope);
        let taken = peak(mailscope.pid());
        drop(frozen);
        eprintln!("{} MiB", taken / MIB);
        // The promise is one busy connection's; each of these has room for what is read at once and for what
        // is passed on, both ways. Their events would take some MiB each.
        let promised = PEAK + CONNECTIONS * 4 * limits::READ;
        assert!(taken < promised, "{} MiB", taken / MIB);
    });
    assert!(
        !mailscope.stderr().contains("warning"),
        "{}",
        mailscope.stderr()
    );
}
