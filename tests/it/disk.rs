//! What becomes of the transcript when its disk is full, its folder cannot be written, or somebody
//! removes, moves or changes it while it is recorded, and of the capture beside it: the relay goes on, nothing that can be kept is lost, and
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
use super::support::mailscope::{Mailscope, Recording, binary, record};
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
        it_is_emptied,
        an_editor_writes_it_anew,
        something_is_written_behind_it,
        it_is_emptied_before_the_end,
        it_is_emptied_and_is_nowhere_else,
        the_capture_is_removed,
        the_capture_is_moved,
        the_capture_is_emptied,
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

fn the_disk_is_full_within_a_literal() {
    for mebibytes in [1, 30] {
        a_literal_goes_on_without_room(mebibytes);
    }
}

/// What streams goes on, and what was written stays: as much as there is room for, though a file that is long
/// has room ahead.
fn a_literal_goes_on_without_room(mebibytes: u64) {
    let disk = Disk::mount(&format!("size={mebibytes}m")).unwrap();
    let far = Far::listen(None);
    let recording = record(&far.name()).with(&PLAIN);
    let mut mailscope = recording.out(&disk.path().join("session.json")).start();
    let (near, far) = join(&mailscope, Door::Plain, &far);
    const LITERAL: usize = 64 * 1024 * 1024;
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
    let length = fs::metadata(mailscope.out()).unwrap().len();
    assert!(length > (mebibytes << 20) - (512 << 10), "{length}");
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
        Self::with(|recording| recording)
    }

    fn with(set: impl FnOnce(Recording) -> Recording) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::plain(polite);
        let recording = set(record(&server.name()).with(&PLAIN));
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

/// It is told once, with what to do.
fn is_told_as_changed(stderr: &str, out: &Path, restored: &str, now: &Path) {
    let told = format!(
        "mailscope: warning: {} was emptied, cut short or written to by others during the recording; \
         it is left as it is now, and {restored} {}\n  try: ",
        out.display(),
        now.display()
    );
    assert_eq!(stderr.matches(&told).count(), 1, "{stderr}");
    assert_eq!(stderr.matches("by others").count(), 1, "{stderr}");
}

const AGAIN: &str = "all of it is written again, to";
const FROM_HERE_ON: &str = "WHAT IT HELD IS NOWHERE ELSE; the recording goes on in";

/// As `: > session.json` does, and a rotation of logs that copies.
fn it_is_emptied() {
    for (before, behind) in [(1, 1), (300, 1), (1, 300), (300, 300)] {
        let mut begun = Begun::new();
        let out = begun.out();
        begun.noops("b", before);
        begun.is_recorded(&out);
        fs::write(&out, "").unwrap();
        begun.noops("c", behind);
        let now = out.with_file_name("session-2.json");
        begun.is_recorded(&now);
        assert_eq!(fs::read(&out).unwrap(), b"");
        let stderr = begun.ends_in(&now);
        is_told_as_changed(&stderr, &out, AGAIN, &now);
    }
}

/// One that writes what it has, which is what was there a while ago, into the same file.
fn an_editor_writes_it_anew() {
    let mut begun = Begun::new();
    let out = begun.out();
    let edited = fs::read_to_string(&out).unwrap();
    begun.noops("b", 100);
    begun.is_recorded(&out);
    fs::write(&out, &edited).unwrap();
    begun.noops("c", 100);
    let now = out.with_file_name("session-2.json");
    begun.is_recorded(&now);
    assert_eq!(fs::read_to_string(&out).unwrap(), edited);
    let stderr = begun.ends_in(&now);
    is_told_as_changed(&stderr, &out, AGAIN, &now);
}

fn something_is_written_behind_it() {
    let mut begun = Begun::new();
    let out = begun.out();
    let mut behind = fs::OpenOptions::new().append(true).open(&out).unwrap();
    behind.write_all(b"a remark of mine\n").unwrap();
    begun.noops("b", 100);
    let now = out.with_file_name("session-2.json");
    begun.is_recorded(&now);
    let left = fs::read_to_string(&out).unwrap();
    assert!(left.ends_with("]}\na remark of mine\n"), "{left}");
    let stderr = begun.ends_in(&now);
    is_told_as_changed(&stderr, &out, AGAIN, &now);
}

fn it_is_emptied_before_the_end() {
    let begun = Begun::new();
    let out = begun.out();
    fs::write(&out, "").unwrap();
    let now = out.with_file_name("session-2.json");
    let stderr = begun.ends(&now);
    is_told_as_changed(&stderr, &out, AGAIN, &now);
}

/// There is no spare file, and it is too long to be held.
fn it_is_emptied_and_is_nowhere_else() {
    let mut begun = Begun::new();
    let out = begun.out();
    // A folder that has the spare file's name, and cannot be removed.
    fs::create_dir_all(out.with_file_name(".session.json.spare/x")).unwrap();
    begun.noops("b", 2000);
    begun.is_recorded(&out);
    fs::write(&out, "").unwrap();
    begun.noops("c", 300);
    let now = out.with_file_name("session-2.json");
    let last = "c299 NOOP\\r\\n";
    wait_for("what comes from then on", || {
        let text = fs::read_to_string(&now).unwrap_or_default();
        text.contains(last).then_some(())
    });
    begun.mailscope.signal(Signal::INT);
    assert_eq!(begun.mailscope.wait().code(), Some(2));
    let stderr = begun.mailscope.stderr();
    is_told_as_changed(&stderr, &out, FROM_HERE_ON, &now);
    let last = format!("NOT ALL OF THEM in {}\n", now.display());
    assert!(stderr.contains(&last), "{stderr}");
    assert_eq!(fs::read(&out).unwrap(), b"");
    let transcript = Transcript::read(&now);
    let told = String::from_utf8(transcript.wire(1, "client", b"")).unwrap();
    assert!(
        begun.said.ends_with(&told) && told.contains("c0 NOOP"),
        "{told}"
    );
}

/// The capture in this file, and what of it is whole.
fn captured(file: &Path) -> Option<Vec<u8>> {
    let shown = {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("imported.json");
        let mut import = binary();
        import.arg("import").arg(file).arg("-o").arg(&out);
        let imported = import.output_in_time().unwrap();
        if !imported.status.success() {
            return None;
        }
        Transcript::read(&out)
    };
    Some(shown.wire(1, "client", b""))
}

fn with_capture() -> (Begun, PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session.pcapng");
    let name = file.to_str().unwrap().to_owned();
    let begun = Begun::with(|recording| recording.with(&["--pcapng", &name]));
    (begun, file, folder)
}

/// Its length no longer changes, for what was said is in it.
fn is_captured(begun: &Begun, file: &Path) {
    wait_for("all that was said in the capture", || {
        let octets = fs::read(file).ok()?;
        let last = begun.said.lines().last()?.as_bytes();
        octets
            .windows(last.len())
            .any(|octets| octets == last)
            .then_some(())
    });
}

fn the_capture_is_removed() {
    let (mut begun, file, _folder) = with_capture();
    for (turn, commands) in [1, 300, 1].into_iter().enumerate() {
        is_captured(&begun, &file);
        fs::remove_file(&file).unwrap();
        begun.noops(&format!("b{turn}."), commands);
    }
    is_captured(&begun, &file);
    fs::remove_file(&file).unwrap();
    let (out, said) = (begun.out(), begun.said.clone());
    let stderr = begun.ends_in(&out);
    assert_eq!(
        stderr.matches(&removed(&file, &file)).count(),
        4,
        "{stderr}"
    );
    assert_eq!(captured(&file).unwrap(), said.as_bytes());
}

fn the_capture_is_moved() {
    let (mut begun, file, folder) = with_capture();
    let now = folder.path().join("kept.pcapng");
    is_captured(&begun, &file);
    fs::rename(&file, &now).unwrap();
    begun.noops("b", 300);
    let (out, said) = (begun.out(), begun.said.clone());
    let stderr = begun.ends_in(&out);
    assert!(stderr.contains(&moved(&file, &now)), "{stderr}");
    assert_eq!(captured(&now).unwrap(), said.as_bytes());
    assert!(!file.exists());
}

/// There is no other copy of what was in it; the transcript has everything.
fn the_capture_is_emptied() {
    let (mut begun, file, folder) = with_capture();
    is_captured(&begun, &file);
    fs::write(&file, "").unwrap();
    begun.noops("b", 300);
    let now = folder.path().join("session-2.pcapng");
    is_captured(&begun, &now);
    begun.mailscope.signal(Signal::INT);
    assert_eq!(begun.mailscope.wait().code(), Some(2));
    let stderr = begun.mailscope.stderr();
    is_told_as_changed(&stderr, &file, FROM_HERE_ON, &now);
    assert_eq!(fs::read(&file).unwrap(), b"");
    let told = captured(&now).unwrap();
    assert!(begun.said.as_bytes().ends_with(&told), "{told:?}");
    let transcript = Transcript::read(begun.mailscope.out());
    assert_eq!(transcript.wire(1, "client", b""), begun.said.as_bytes());
}
