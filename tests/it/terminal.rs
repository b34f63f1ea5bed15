//! The terminal that mailscope runs in is closed: that ends it as SIGTERM does, unless it was started so
//! that it stays.

use std::process::Stdio;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::{Pid, Signal, kill_process};

use super::killed::is_whole;
use super::replay::{Replay, TOUR};
use super::support::app::App;
use super::support::mailscope::{Mailscope, Recording, record};
use super::support::programs::{SETSID, needing};
use super::support::server::{Server, polite};
use super::support::terminal::Terminal;
use super::support::transcript::Transcript;
use super::support::{trials, wait_for};

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("terminal";
        it_is_told_twice_and_still_ends_in_order,
        one_that_was_told_to_stay_stays,
        a_replay_is_told,
    );
    let in_terminals = trials!("terminal"; it_is_closed, it_is_closed_and_mailscope_stays);
    trials.extend(needing(&[SETSID], in_terminals));
    trials
}

/// The contract: the end by a signal.
const ENDED: Duration = Duration::from_secs(2);

fn recording(server: &Server) -> Recording {
    record(&server.name()).with(&["--server-tls", "none"])
}

/// An app of which so much is recorded that there is a spare file.
fn talk(mailscope: &Mailscope) -> App {
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    noops(&mut app, "a");
    let spare = mailscope.out().with_file_name(".session.json.spare");
    wait_for("the spare file", || spare.exists().then_some(()));
    app
}

fn noops(app: &mut App, tag: &str) {
    for turn in 0..40 {
        let tag = format!("{tag}{turn}");
        assert_eq!(app.command(&tag, "NOOP"), format!("{tag} OK done\r\n"));
    }
}

/// The transcript is whole, all that was said is in it, and why the connection was closed.
fn is_complete(mailscope: &Mailscope, commands: usize, reason: Option<&str>) {
    let transcript = Transcript::read(mailscope.out());
    is_whole(&transcript);
    assert_eq!(transcript.kind("tagged").len(), commands);
    let closed = transcript.closed(1);
    assert_eq!(closed.get("reason").and_then(|r| r.as_str()), reason);
    let spare = mailscope.out().with_file_name(".session.json.spare");
    assert!(!spare.exists(), "a spare file stayed");
}

fn it_is_closed() {
    let (server, terminal) = (Server::plain(polite), Terminal::open());
    let recording = recording(&server).through(&["setsid", "-c"]);
    let mut mailscope = recording.on(&terminal).start();
    let _app = talk(&mailscope);
    let begun = Instant::now();
    drop(terminal);
    assert_eq!(mailscope.wait().code(), Some(0));
    assert!(begun.elapsed() < ENDED, "{:?}", begun.elapsed());
    is_complete(&mailscope, 40, Some("mailscope was stopped"));
}

/// As with `nohup`, or the shell's `disown`. It has nobody to write to, and does not mind.
fn it_is_closed_and_mailscope_stays() {
    let (server, terminal) = (Server::plain(polite), Terminal::open());
    let deaf = "trap '' HUP; exec \"$0\" \"$@\"";
    let recording = recording(&server).through(&["setsid", "-c", "sh", "-c", deaf]);
    let mut mailscope = recording.on(&terminal).start();
    let mut app = talk(&mailscope);
    drop(terminal);
    noops(&mut app, "b");
    app.command("z", "LOGOUT");
    app.finish();
    mailscope.closed(1);
    mailscope.signal(Signal::TERM);
    // Something that could not be printed is no failure, as with a pipe that was closed.
    assert_eq!(mailscope.wait().code(), Some(0));
    is_complete(&mailscope, 81, None);
}

fn one_that_was_told_to_stay_stays() {
    let server = Server::plain(polite);
    let mut mailscope = recording(&server).through(&["nohup"]).start();
    let mut app = talk(&mailscope);
    mailscope.signal(Signal::HUP);
    noops(&mut app, "b");
    app.command("z", "LOGOUT");
    app.finish();
    mailscope.closed(1);
    mailscope.stop();
    is_complete(&mailscope, 81, None);
}

/// A shell tells its jobs that the terminal goes, and when it is gone itself, the system does; and systemd
/// says so right behind its SIGTERM. None of that is somebody who has lost patience.
fn it_is_told_twice_and_still_ends_in_order() {
    for first in [Signal::HUP, Signal::TERM] {
        let server = Server::plain(polite);
        let mut mailscope = recording(&server).stdout(Stdio::piped()).start();
        // Who does not read it makes the end take its time.
        let _unread = mailscope.take_stdout();
        let mut app = talk(&mailscope);
        for turn in 0..25 {
            noops(&mut app, &format!("b{turn}."));
        }
        mailscope.signal(first);
        std::thread::sleep(Duration::from_millis(20)); // or both are one to the system
        mailscope.signal(Signal::HUP);
        assert_eq!(mailscope.wait().code(), Some(0), "{}", mailscope.stderr());
        is_complete(&mailscope, 40 * 26, Some("mailscope was stopped"));
        let stderr = mailscope.stderr();
        assert!(stderr.contains("was not read to its end"), "{stderr}");
    }
}

/// It still says what matched.
fn a_replay_is_told() {
    let mut replay = Replay::start(TOUR.as_ref(), &[]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    app.command("a", "CAPABILITY");
    let pid = Pid::from_raw(i32::try_from(replay.pid()).unwrap()).unwrap();
    let begun = Instant::now();
    kill_process(pid, Signal::HUP).unwrap();
    let (code, report) = replay.end();
    assert!(begun.elapsed() < ENDED, "{:?}", begun.elapsed());
    assert_eq!((code, &report["matched"]), (0, &1.into()));
}
