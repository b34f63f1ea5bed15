//! mailscope as its users run it: a process with its own folder and authority.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::transcript::Transcript;
use super::wait_for;

/// The binary under test, without arguments, in a surrounding that says nothing about colours,
/// width or authorities.
pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailscope"));
    for variable in ["NO_COLOR", "COLUMNS", "MAILSCOPE_CA_DIR", "TERM"] {
        command.env_remove(variable);
    }
    command
}

/// Runs the binary to its end.
pub fn run(arguments: &[&str]) -> Output {
    binary().args(arguments).output().unwrap()
}

/// What is to be recorded, and how.
pub struct Recording {
    command: Command,
    settings: [(&'static str, String); 3],
    folder: TempDir,
    out: PathBuf,
}

/// Makes a `record SERVER` ready: free ports, everything it writes in a folder of its own.
pub fn record(server: &str) -> Recording {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("session.json");
    let mut command = binary();
    command
        .current_dir(folder.path())
        .args(["record", server])
        .args(["--ready-file", "ready.json"]);
    let free = "127.0.0.1:0".to_owned();
    Recording {
        command,
        settings: [
            ("--listen-tls", free.clone()),
            ("--listen-plain", free),
            ("--ca-dir", "ca".to_owned()),
        ],
        folder,
        out,
    }
}

impl Recording {
    /// More arguments.
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Another value for `--listen-tls`, `--listen-plain` or `--ca-dir`.
    pub fn set(mut self, setting: &str, value: &str) -> Self {
        let found = self.settings.iter_mut().find(|(name, _)| *name == setting);
        value.clone_into(&mut found.unwrap().1);
        self
    }

    /// A variable of the surrounding.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// The transcript goes there instead of the test's folder.
    pub fn out(mut self, out: &Path) -> Self {
        self.out = out.to_owned();
        self
    }

    /// The folder that all of it lies in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process that would be started, to change what has no argument.
    pub fn process(&mut self) -> &mut Command {
        &mut self.command
    }

    /// Starts it and waits until it listens.
    pub fn start(mut self) -> Mailscope {
        let stdout = File::create(self.folder.path().join("stdout")).unwrap();
        let stderr = File::create(self.folder.path().join("stderr")).unwrap();
        for (name, value) in &self.settings {
            self.command.args([name, value.as_str()]);
        }
        let child = self
            .command
            .arg("--out")
            .arg(&self.out)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut mailscope = Mailscope {
            child,
            folder: self.folder,
            out: self.out,
            ready: serde_json::Value::Null,
        };
        let ready = mailscope.folder.path().join("ready.json");
        mailscope.ready = wait_for("the ready file", || {
            if let Some(status) = mailscope.child.try_wait().unwrap() {
                panic!("ended with {status}: {}", mailscope.stderr());
            }
            serde_json::from_slice(&std::fs::read(&ready).ok()?).ok()
        });
        mailscope
    }
}

/// A mailscope that records; ended by its process id when it is dropped.
pub struct Mailscope {
    child: Child,
    folder: TempDir,
    out: PathBuf,
    ready: serde_json::Value,
}

impl Mailscope {
    fn address(&self, key: &str) -> &str {
        let address = self.ready[key].as_str();
        address.unwrap_or_else(|| panic!("{key} in {}", self.ready))
    }

    /// Where it listens for TLS.
    pub fn tls(&self) -> &str {
        self.address("tls")
    }

    /// Where it listens for cleartext.
    pub fn plain(&self) -> &str {
        self.address("plain")
    }

    /// Its authority's certificate.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join(self.address("ca"))
    }

    /// What the ready file holds.
    pub fn ready(&self) -> &serde_json::Value {
        &self.ready
    }

    /// Its own folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the transcript is.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The transcript as it lies on disk now.
    pub fn transcript(&self) -> Transcript {
        Transcript::read(&self.out)
    }

    /// Waits until the transcript holds an event like this, and returns it.
    pub fn event(
        &self,
        what: &str,
        is_it: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        wait_for(what, || {
            let transcript = self.transcript();
            transcript
                .events()
                .iter()
                .find(|event| is_it(event))
                .cloned()
        })
    }

    /// Waits until so many connections are over.
    pub fn closed(&self, connections: usize) {
        let is_last =
            |event: &&serde_json::Value| event["kind"] == "closed" && event.get("half").is_none();
        wait_for("the end of the connections", || {
            let transcript = self.transcript();
            let closed = transcript.events().iter().filter(is_last).count();
            (closed >= connections).then_some(())
        });
    }

    /// What it has written to standard output.
    pub fn stdout(&self) -> String {
        let octets = std::fs::read(self.folder.path().join("stdout")).unwrap();
        String::from_utf8(octets).unwrap()
    }

    /// What it has written to standard error.
    pub fn stderr(&self) -> String {
        let octets = std::fs::read(self.folder.path().join("stderr")).unwrap();
        String::from_utf8(octets).unwrap()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for("mailscope's end", || self.child.try_wait().unwrap())
    }

    /// Ends it as Ctrl-C does; it is to be content.
    pub fn stop(&mut self) -> Transcript {
        self.signal(Signal::INT);
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "{}", self.stderr());
        self.transcript()
    }

    /// What `mailscope show` prints of its transcript.
    pub fn show(&self) -> String {
        let shown = binary().arg("show").arg(&self.out).output().unwrap();
        assert!(shown.status.success(), "{shown:?}");
        String::from_utf8(shown.stdout).unwrap()
    }
}

impl Drop for Mailscope {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
