//! What becomes of the transcript when its disk is full, its folder cannot be written, or somebody
//! removes or moves it while it is recorded: the relay goes on, nothing that can be kept is lost, and
//! what was done or is to be done is said.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use libtest_mimic::Trial;
use rustix::process::Signal;

use super::endings::goes_on_without_room;
use super::killed::is_whole;
use super::support::app::App;
use super::support::disk::{Disk, needing_disks};
use super::support::mailscope::{Mailscope, binary, record};
use super::support::patience::InTime;
use super::support::server::{Server, polite};
use super::support::transcript::Transcript;
use super::support::wire::{Door, Far, join};
use super::support::{trials, wait_for};

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("disk";
        the_transcript_is_removed,
        the_folder_is_removed,
        it_is_removed_before_the_end,
        something_else_is_put_in_its_place,
        it_is_removed_and_cannot_be_written_again,
        it_is_moved,
        its_folder_is_moved,
    );
    trials.extend(needing_disks(trials!("disk";
        the_disk_is_full,
        the_disk_is_full_within_a_literal,
        the_folder_is_read_only,
    )));
    trials
}

const PLAIN: [&str; 3] = ["--server-tls", "none", "--quiet"];

fn the_disk_is_full() {
    for size in ["64k", "100k"] {
        let disk = Disk::mount(&format!("size={size}")).unwrap();
        let server = Server::plain(polite);
        let recording = record(&server.name()).with(&PLAIN);
        goes_on_without_room(recording.out(&disk.path().join("session.json")).start());
    }
}

/// What streams goes on, and what was written stays.
fn the_disk_is_full_within_a_literal() {
    let disk = Disk::mount("size=1m").unwrap();
    let far = Far::listen(None);
    let recording = record(&far.name()).with(&PLAIN);
    let mut mailscope = recording.out(&disk.path().join("session.json")).start();
    let (near, far) = join(&mailscope, Door::Plain, &far);
    const LITERAL: usize = 16 * 1024 * 1024;
    let mut said = format!("* PREAUTH ready\r\n* 1 FETCH (BODY[] {{{LITERAL}}}\r\n").into_bytes();
    said.resize(said.len() + LITERAL, b'x');
    said.extend_from_slice(b")\r\n");
    std::thread::scope(|scope| {
        scope.spawn(|| far.ways().1.write_all(&said).unwrap());
        assert!(near.hear(said.len()) == said);
    });
    wait_for("the warning", || {
        let told = mailscope.stderr().contains("NOTHING IS RECORDED");
        told.then_some(())
    });
    mailscope.signal(Signal::INT);
    assert_eq!(mailscope.wait().code(), Some(2));
    let transcript = Transcript::read(mailscope.out());
    is_whole(&transcript);
    assert!(!transcript.kind("literal_part").is_empty());
    let told = transcript.wire(1, "server", b"");
    assert!(said.starts_with(&told));
    let files = fs::read_dir(disk.path()).unwrap().count();
    assert_eq!(files, 1, "the spare file took room that the transcript had");
}

/// It does not start: exit code 2, the folder, the reason, and what to try.
fn the_folder_is_read_only() {
    let mut disk = Disk::mount("size=64k").unwrap();
    fs::create_dir(disk.path().join("there")).unwrap();
    disk.make_read_only();
    let elsewhere = tempfile::tempdir().unwrap();
    for (out, words) in [
        ("there/", "create "),
        ("there/session.json", "create "),
        ("new/", "make the folder "),
    ] {
        let output = refused(&disk.path().join(out), elsewhere.path());
        let stderr = String::from_utf8(output.stderr).unwrap();
        for words in [words, out, "Read-only file system", "try: ", "--out"] {
            assert!(stderr.contains(words), "{stderr}");
        }
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(output.stdout.is_empty());
    }
    assert_eq!(fs::read_dir(disk.path().join("there")).unwrap().count(), 0);
    assert!(!elsewhere.path().join("ready.json").exists());
}

fn refused(out: &Path, elsewhere: &Path) -> Output {
    // With a slash at its end, it is a folder.
    let mut record = binary();
    record
        .current_dir(elsewhere)
        .args([
            "record",
            "localhost",
            "--ca-dir",
            "ca",
            "--ready-file",
            "ready.json",
        ])
        .args([
            "--listen-tls",
            "none",
            "--listen-plain",
            "127.0.0.1:0",
            "--out",
        ])
        .arg(out);
    record.output_in_time().unwrap()
}

/// A recording in a folder of its own, with a connection whose first command is recorded.
struct Begun {
    folder: tempfile::TempDir,
    mailscope: Mailscope,
    _server: Server,
    app: App,
    said: String,
}

impl Begun {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::plain(polite);
        let recording = record(&server.name()).with(&PLAIN);
        let out = folder.path().join("recordings/session.json");
        let mailscope = recording.out(&out).start();
        let mut app = App::plain(mailscope.plain());
        app.hear("* OK");
        let mut begun = Self {
            folder,
            mailscope,
            _server: server,
            app,
            said: String::new(),
        };
        begun.noops("a", 1);
        begun.is_recorded(&begun.out());
        begun
    }

    fn out(&self) -> PathBuf {
        self.mailscope.out().to_owned()
    }

    /// So many commands; what is recorded of one needs another page of a file, now and then.
    fn noops(&mut self, tag: &str, commands: usize) {
        for turn in 0..commands {
            let command = format!("{tag}{turn} NOOP\r\n");
            self.app.say(command.as_bytes());
            self.app.hear(&format!("{tag}{turn} OK"));
            self.said += &command;
        }
    }

    /// Waits until all that was said stands there.
    fn is_recorded(&self, out: &Path) {
        wait_for("all that was said", || {
            let transcript = Transcript::try_read(out).ok()?;
            let told = transcript.wire(1, "client", b"");
            (told == self.said.as_bytes()).then_some(())
        });
    }

    /// Its end: everything is there, the last words say where, and nothing else is in the folder.
    fn ends_in(mut self, out: &Path) -> String {
        self.app.finish();
        self.app.rest().unwrap();
        wait_for("the connection's end", || {
            let transcript = Transcript::try_read(out).ok()?;
            let last = transcript.events().last()?.clone();
            (last["kind"] == "closed" && last.get("half").is_none()).then_some(())
        });
        self.ends(out)
    }

    fn ends(mut self, out: &Path) -> String {
        self.mailscope.signal(Signal::INT);
        let code = self.mailscope.wait().code();
        let stderr = self.mailscope.stderr();
        assert_eq!(code, Some(0), "{stderr}");
        let transcript = Transcript::read(out);
        is_whole(&transcript);
        assert_eq!(transcript.wire(1, "client", b""), self.said.as_bytes());
        let last = format!(
            "mailscope: {} events of 1 connection in {}\n",
            transcript.events().len(),
            out.display()
        );
        assert!(stderr.contains(&last), "{stderr}");
        let hidden = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
        let files = fs::read_dir(out.parent().unwrap()).unwrap();
        assert_eq!(files.map(Result::unwrap).filter(hidden).count(), 0);
        stderr
    }
}

fn removed(out: &Path, now: &Path) -> String {
    let where_to = match now == out {
        true => "written there again".to_owned(),
        false => format!("written again, to {}", now.display()),
    };
    format!(
        "mailscope: warning: {} was removed during the recording; all of it is {where_to}\n",
        out.display()
    )
}

fn the_transcript_is_removed() {
    let mut begun = Begun::new();
    let out = begun.out();
    for (turn, commands) in [1, 300, 1, 1].into_iter().enumerate() {
        fs::remove_file(&out).unwrap();
        begun.noops(&format!("b{turn}."), commands);
        begun.is_recorded(&out);
    }
    let stderr = begun.ends_in(&out);
    assert_eq!(stderr.matches(&removed(&out, &out)).count(), 4, "{stderr}");
}

fn the_folder_is_removed() {
    for commands in [1, 300] {
        let mut begun = Begun::new();
        let out = begun.out();
        begun.noops("b", commands);
        begun.is_recorded(&out);
        fs::remove_dir_all(out.parent().unwrap()).unwrap();
        begun.noops("c", commands);
        begun.is_recorded(&out);
        let stderr = begun.ends_in(&out);
        assert!(stderr.contains(&removed(&out, &out)), "{stderr}");
    }
}

fn it_is_removed_before_the_end() {
    let begun = Begun::new();
    let out = begun.out();
    fs::remove_file(&out).unwrap();
    let stderr = begun.ends(&out);
    assert!(stderr.contains(&removed(&out, &out)), "{stderr}");
}

/// As an editor does that saves what it has.
fn something_else_is_put_in_its_place() {
    let mut begun = Begun::new();
    let out = begun.out();
    let other = out.with_file_name("other");
    fs::write(&other, "mine").unwrap();
    fs::rename(&other, &out).unwrap();
    begun.noops("b", 300);
    let now = out.with_file_name("session-2.json");
    begun.is_recorded(&now);
    assert_eq!(fs::read(&out).unwrap(), b"mine");
    let stderr = begun.ends_in(&now);
    assert!(stderr.contains(&removed(&out, &now)), "{stderr}");
}

fn it_is_removed_and_cannot_be_written_again() {
    let mut begun = Begun::new();
    let folder = begun.out().parent().unwrap().to_owned();
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "a file where its folder was").unwrap();
    begun.noops("b", 1);
    let mailscope = &begun.mailscope;
    wait_for("the warning", || {
        let told = mailscope
            .stderr()
            .contains("NOTHING IS RECORDED from here on");
        told.then_some(())
    });
    begun.noops("c", 10);
    begun.mailscope.signal(Signal::INT);
    assert_eq!(begun.mailscope.wait().code(), Some(2));
    let stderr = begun.mailscope.stderr();
    assert!(stderr.contains("NOT ALL OF THEM in "), "{stderr}");
    assert!(stderr.contains("session.json: "), "{stderr}");
}

fn moved(out: &Path, now: &Path) -> String {
    format!(
        "mailscope: warning: {} was moved during the recording, which goes on in {}\n",
        out.display(),
        now.display()
    )
}

fn it_is_moved() {
    let mut begun = Begun::new();
    let out = begun.out();
    let now = begun.folder.path().join("kept.json");
    fs::rename(&out, &now).unwrap();
    begun.noops("b", 300);
    begun.is_recorded(&now);
    assert!(!out.exists());
    let folder = begun.folder.path().to_owned();
    fs::remove_dir(folder.join("recordings")).unwrap();
    let stderr = begun.ends_in(&now);
    assert!(stderr.contains(&moved(&out, &now)), "{stderr}");
}

fn its_folder_is_moved() {
    let mut begun = Begun::new();
    let out = begun.out();
    begun.noops("b", 300);
    begun.is_recorded(&out);
    let folder = begun.folder.path().join("elsewhere");
    fs::rename(out.parent().unwrap(), &folder).unwrap();
    let now = folder.join("session.json");
    begun.noops("c", 300);
    begun.is_recorded(&now);
    let stderr = begun.ends_in(&now);
    assert!(stderr.contains(&moved(&out, &now)), "{stderr}");
}
