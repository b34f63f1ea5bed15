//! What mailscope writes is for its user alone: mode 0600, folders 0700, whatever the umask permits.
//!
//! Every file that any command makes is made here, under an umask that hides nothing and under the
//! usual one. A new way of writing a file that goes round `src/private.rs` is found by its source.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use libtest_mimic::Trial;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::arrows::files;
use super::support::app::App;
use super::support::mailscope::binary;
use super::support::patience::InTime;
use super::support::server::{Server, Stream, line, polite};
use super::support::{trials, wait_for};

pub fn trials() -> Vec<Trial> {
    trials!("private";
        every_file_and_folder_is_for_its_owner_alone,
        files_under_work_are_private_too,
        a_certificate_is_exported_for_others_to_read,
        a_file_that_was_there_keeps_its_mode,
        files_are_made_in_one_place,
    )
}

const UMASKS: [&str; 2] = ["000", "022"];

const TOUR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour.json");

/// mailscope under this umask, in this folder.
fn under(umask: &str, folder: &Path, arguments: &[&str]) -> Command {
    let inner = binary();
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("umask {umask} && exec \"$0\" \"$@\""))
        .arg(inner.get_program())
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .env("MAILSCOPE_CA_DIR", folder.join("authorities/ca"));
    for (variable, _) in inner.get_envs().filter(|(_, value)| value.is_none()) {
        if variable != "MAILSCOPE_CA_DIR" {
            command.env_remove(variable);
        }
    }
    command
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o777
}

/// Everything below the folder.
fn everything(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            found.push(path);
        }
    }
    found
}

/// The names of the files below the folder, each of which has been found private.
fn all_private(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for path in everything(folder) {
        let wanted = match path.is_dir() {
            true => 0o700,
            false => 0o600,
        };
        assert_eq!(mode(&path), wanted, "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names
}

/// Runs commands that end by themselves, and a replay that grows and is put aside.
fn every_file_and_folder_is_for_its_owner_alone() {
    for umask in UMASKS {
        let folder = tempfile::tempdir().unwrap();
        let runs: &[(&[&str], i32)] = &[
            (&["demo"], 0),
            (&["demo", "--out", "new/folders/demo.json"], 0),
            (&["export", TOUR, "--to", "text", "-o", "tour.txt"], 0),
            (&["export", TOUR, "--to", "html", "-o", "tour.html"], 0),
            (&["export", TOUR, "--to", "pcapng", "-o", "tour.pcapng"], 0),
            (&["import", "tour.txt", "-o", "imported.json"], 0),
            (&["import", "tour.pcapng", "-o", "captured.json"], 0),
            (&["scrub", TOUR, "-o", "public.json"], 0),
            (&["ca"], 0),
            (&["ca", "path", "--as", "imap.example.com"], 0),
        ];
        for (arguments, code) in runs {
            let output = under(umask, folder.path(), arguments)
                .output_in_time()
                .unwrap();
            assert_eq!(
                output.status.code(),
                Some(*code),
                "{arguments:?}: {output:?}"
            );
        }
        let server = Server::plain(polite);
        let kept = folder.path().join("grown.json");
        std::fs::copy(folder.path().join("imported.json"), &kept).unwrap();
        replayed_anew(umask, folder.path(), &server.name());
        let names = all_private(folder.path());
        for name in [
            "demo.json",
            "tour.txt",
            "tour.html",
            "tour.pcapng",
            "imported.json",
            "captured.json",
            "public.json",
            "ca.pem",
            "ca-key.pem",
            "ready.json",
            "report.json",
            "keys.log",
            "grown.json",
            "grown.json.old",
        ] {
            assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
        }
    }
}

/// Leaves a ready file, a report, a key log, a grown transcript and the one before it.
fn replayed_anew(umask: &str, folder: &Path, server: &str) {
    let mut command = under(
        umask,
        folder,
        &[
            "replay",
            "grown.json",
            "--on-miss=record",
            "--record=all",
            "--server-tls=none",
            "--server",
            server,
            "--listen-tls=127.0.0.1:0",
            "--listen-plain=127.0.0.1:0",
            "--ready-file=ready.json",
            "--report=report.json",
            "--keylog=keys.log",
            "--quiet",
        ],
    );
    let mut replay = Running::start(command.stderr(Stdio::null()));
    let ready = replay.ready(folder);
    let ca = ready["ca"].as_str().unwrap();
    let mut app = App::tls(ready["tls"].as_str().unwrap(), "localhost", Path::new(ca));
    app.hear("* OK");
    app.command("a1", "LOGIN alice secret");
    app.command("a2", "LOGOUT");
    app.finish();
    let keys = std::fs::read_to_string(folder.join("keys.log")).unwrap();
    assert!(keys.contains("CLIENT_TRAFFIC_SECRET_0"), "{keys}");
    wait_for("the transcript that was put aside", || {
        folder.join("grown.json.old").exists().then_some(())
    });
    replay.stop();
}

/// Greets, sends a mail that is longer than what is written in one step, and waits.
fn with_a_long_mail(stream: &mut dyn Stream) -> io::Result<()> {
    stream.write_all(b"* OK ready\r\n")?;
    line(stream)?;
    let mail = "x".repeat(20_000);
    let answer = format!("* 1 FETCH (BODY[] {{20000}}\r\n{mail})\r\na1 OK done\r\n");
    stream.write_all(answer.as_bytes())?;
    line(stream).map(drop)
}

/// While a recording runs, with its spare file beside it.
fn files_under_work_are_private_too() {
    for umask in UMASKS {
        let server = Server::plain(with_a_long_mail);
        let folder = tempfile::tempdir().unwrap();
        let mut command = under(
            umask,
            folder.path(),
            &[
                "record",
                &server.name(),
                "--server-tls=none",
                "--listen-tls=127.0.0.1:0",
                "--listen-plain=127.0.0.1:0",
                "--ready-file=ready.json",
                "--pcapng=session.pcapng",
                "--keylog=keys.log",
                "--quiet",
            ],
        );
        let mut running = Running::start(command.stderr(Stdio::null()));
        let ready = running.ready(folder.path());
        let mut app = App::plain(ready["plain"].as_str().unwrap());
        app.hear("* OK");
        app.command("a1", "FETCH 1 BODY[]");
        let names = wait_for("the spare file", || {
            let names = all_private(folder.path());
            let is_spare = |name: &String| name.ends_with(".json.spare");
            names.iter().any(is_spare).then_some(names)
        });
        for end in [
            "-localhost.json",
            "session.pcapng",
            "keys.log",
            "recordings",
        ] {
            assert!(
                names.iter().any(|name| name.ends_with(end)),
                "{end}: {names:?}"
            );
        }
        app.finish();
        running.stop();
    }
}

/// A command that runs until it is stopped; ended by its process id when it is dropped.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// What the ready file in this folder holds, once it is there.
    fn ready(&mut self, folder: &Path) -> Value {
        wait_for("the ready file", || {
            assert_eq!(self.0.try_wait().unwrap(), None, "it has ended");
            let octets = std::fs::read(folder.join("ready.json")).ok()?;
            serde_json::from_slice(&octets).ok()
        })
    }

    /// Ends it as Ctrl-C does.
    fn stop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        wait_for("its end", || self.0.try_wait().unwrap());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn a_certificate_is_exported_for_others_to_read() {
    for (umask, wanted) in UMASKS.into_iter().zip([0o666, 0o644]) {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["ca", "export", "-o", "mailscope.pem"];
        let output = under(umask, folder.path(), &arguments)
            .output_in_time()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let exported = folder.path().join("mailscope.pem");
        assert_eq!(mode(&exported), wanted);
        let text = std::fs::read_to_string(exported).unwrap();
        assert!(text.contains("CERTIFICATE") && !text.contains("KEY"));
    }
}

fn a_file_that_was_there_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    std::fs::write(&report, "of yesterday, and longer ".repeat(500)).unwrap();
    std::fs::set_permissions(&report, Permissions::from_mode(0o640)).unwrap();
    let listen = ["--listen-tls=127.0.0.1:0", "--listen-plain=none"];
    let files = ["--ready-file=ready.json", "--report=report.json"];
    let arguments = [&["replay", TOUR, "--quiet"][..], &listen, &files].concat();
    let mut command = under("000", folder.path(), &arguments);
    let mut replay = Running::start(command.stderr(Stdio::null()));
    replay.ready(folder.path());
    replay.stop();
    assert_eq!(mode(&report), 0o640);
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(report["matched"], 0);
}

/// No other file of the source opens one to write it, tests apart.
fn files_are_made_in_one_place() {
    const WAYS: [&str; 7] = [
        "OpenOptions::new",
        "File::create",
        "fs::write",
        "fs::copy",
        "DirBuilder::new",
        "create_dir",
        "NamedTempFile",
    ];
    // What is for others to read: certificates, manual pages.
    let allowed = ["private.rs", "cli/ca/export.rs", "cli/man.rs"];
    let mut looked_at = 0;
    for (_, path) in files() {
        if allowed.iter().any(|end| path.ends_with(end))
            || path
                .iter()
                .any(|part| part == "tests" || part == "tests.rs")
        {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
        for way in WAYS {
            // `TranscriptFile::create` is another.
            let is_it = |(at, _): (usize, &str)| !code[..at].ends_with(char::is_alphanumeric);
            let found = code.match_indices(way).any(is_it);
            assert!(!found, "{} has {way}", path.display());
        }
        looked_at += 1;
    }
    assert!(looked_at > 100, "{looked_at}");
}
