//! mailscope as its users run it: a process with its own folder and authority.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::patience::InTime;
use super::schema;
use super::terminal::Terminal;
use super::transcript::Transcript;
use super::wait_for;

/// The binary under test, without arguments, in a surrounding that says nothing about colours,
/// width or authorities.
pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailscope"));
    for variable in [
        "NO_COLOR",
        "COLUMNS",
        "MAILSCOPE_CA_DIR",
        "SSLKEYLOGFILE",
        "TERM",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Runs the binary to its end. What it prints as JSON is as its schema says.
pub fn run(arguments: &[&str]) -> Output {
    let output = binary().args(arguments).output_in_time().unwrap();
    schema::assert_output(arguments, &output);
    output
}

/// Runs the binary with this on its standard input.
pub fn run_with(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = binary()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input); // who does not read it has said why
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    schema::assert_output(arguments, &output);
    output
}

/// What is to be recorded, and how.
pub struct Recording {
    command: Command,
    settings: Vec<(&'static str, String)>,
    folder: TempDir,
    out: PathBuf,
    stdin: Option<Stdio>,
    stdout: Option<Stdio>,
    stderr: Option<Stdio>,
}

/// Makes a `record SERVER` ready: free ports, everything it writes in a folder of its own.
pub fn record(server: &str) -> Recording {
    let listeners = ["--listen-tls", "--listen-plain"];
    recording(&[server], &listeners)
}

/// Makes a `record` ready for apps that keep their servers and come to this listener alone.
pub fn record_diverted(listener: &'static str) -> Recording {
    recording(&[], &[listener])
}

fn recording(server: &[&str], listeners: &[&'static str]) -> Recording {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("session.json");
    let mut command = binary();
    command
        .current_dir(folder.path())
        .arg("record")
        .args(server)
        .args(["--ready-file", "ready.json"]);
    let free = |&listener| (listener, "127.0.0.1:0".to_owned());
    let mut settings: Vec<_> = listeners.iter().map(free).collect();
    settings.push(("--ca-dir", "ca".to_owned()));
    Recording {
        command,
        settings,
        folder,
        out,
        stdin: None,
        stdout: None,
        stderr: None,
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

    /// It runs in the group with this number, which takes the rights of root.
    pub fn in_group(mut self, group: u32) -> Self {
        self.command.gid(group);
        self
    }

    /// With this limit, as the shell's `ulimit` takes it: `-n 40`.
    pub fn limited(self, limit: &str) -> Self {
        let run = format!("ulimit {limit} && exec \"$0\" \"$@\"");
        self.through(&["sh", "-c", &run])
    }

    /// By way of this command, which runs what stands behind it as itself.
    pub fn through(mut self, way: &[&str]) -> Self {
        let mut command = Command::new(way[0]);
        command
            .args(&way[1..])
            .arg(self.command.get_program())
            .args(self.command.get_args());
        for (variable, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
        }
        command.current_dir(self.folder.path());
        self.command = command;
        self
    }

    /// It runs in this terminal.
    pub fn on(mut self, terminal: &Terminal) -> Self {
        self.stdin = Some(terminal.screen().into());
        self.stdout(terminal.screen()).stderr(terminal.screen())
    }

    /// Its standard output goes there instead of to a file.
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = Some(stdout.into());
        self
    }

    /// Its standard error goes there instead of to a file.
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stderr = Some(stderr.into());
        self
    }

    /// The transcript goes there instead of the test's folder.
    pub fn out(mut self, out: &Path) -> Self {
        self.out = out.to_owned();
        self
    }

    /// Starts it and waits until it listens.
    pub fn start(self) -> Mailscope {
        let mut mailscope = self.spawn();
        let ready = mailscope.folder.path().join("ready.json");
        mailscope.ready = wait_for("the ready file", || {
            if let Some(status) = mailscope.child.try_wait().unwrap() {
                panic!("ended with {status}: {}", mailscope.stderr());
            }
            serde_json::from_slice(&std::fs::read(&ready).ok()?).ok()
        });
        mailscope
    }

    /// Starts it, and does not wait for anything.
    pub fn spawn(mut self) -> Mailscope {
        let file = File::create(self.folder.path().join("stdout")).unwrap();
        let stdout = self.stdout.unwrap_or_else(|| file.into());
        let file = File::create(self.folder.path().join("stderr")).unwrap();
        let stderr = self.stderr.unwrap_or_else(|| file.into());
        for (name, value) in &self.settings {
            self.command.args([name, value.as_str()]);
        }
        if let Some(stdin) = self.stdin {
            self.command.stdin(stdin);
        }
        let child = self
            .command
            .arg("--out")
            .arg(&self.out)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap();
        Mailscope {
            child,
            folder: self.folder,
            out: self.out,
            ready: serde_json::Value::Null,
        }
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

    /// Where it listens for SOCKS5.
    pub fn socks(&self) -> &str {
        self.address("socks")
    }

    /// Where it listens for redirected connections.
    pub fn transparent(&self) -> &str {
        self.address("transparent")
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

    /// The transcript as it lies on disk now, between two writes.
    pub fn transcript(&self) -> Transcript {
        wait_for("a transcript between two writes", || {
            Transcript::try_read(&self.out).ok()
        })
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
        // By lines, for a long transcript takes long to parse.
        let is_last = |line: &&str| {
            line.contains(r#","kind":"closed""#)
                && serde_json::from_str(line.trim_end_matches(',')).is_ok_and(
                    |event: serde_json::Value| {
                        event["kind"] == "closed" && event.get("half").is_none()
                    },
                )
        };
        wait_for("the end of the connections", || {
            let octets = std::fs::read(&self.out).unwrap();
            let text = String::from_utf8_lossy(&octets);
            let closed = text.lines().filter(is_last).count();
            (closed >= connections).then_some(())
        });
    }

    /// Waits until the one connection is over, by the transcript's last lines alone.
    pub fn closed_in_the_end(&self) {
        wait_for("the end of the connection", || {
            let mut file = File::open(&self.out).unwrap();
            let length = file.metadata().unwrap().len();
            file.seek(SeekFrom::Start(length.saturating_sub(1000)))
                .unwrap();
            let mut octets = Vec::new();
            file.read_to_end(&mut octets).unwrap();
            let text = String::from_utf8_lossy(&octets);
            let last = text.strip_suffix("\n]}\n")?.lines().next_back()?;
            let last: serde_json::Value = serde_json::from_str(last).ok()?;
            (last["kind"] == "closed" && last.get("half").is_none()).then_some(())
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

    /// Its standard output, where that is a pipe.
    pub fn take_stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().unwrap()
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
        Transcript::read(&self.out)
    }

    /// What `mailscope show` prints of its transcript.
    pub fn show(&self) -> String {
        let shown = binary()
            .arg("show")
            .arg(&self.out)
            .output_in_time()
            .unwrap();
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
