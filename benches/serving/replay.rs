//! `mailscope replay` as a process.

use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mailscope::net::ServerTrust;
use tempfile::TempDir;

/// It serves until it is dropped.
pub struct Replay {
    child: Child,
    _folder: TempDir,
    /// In cleartext, and with TLS.
    pub ports: [u16; 2],
    /// Its authority.
    pub trust: ServerTrust,
}

impl Replay {
    /// Plays a recording with a login, a SELECT, so many FETCHes, and a NOOP if that is wanted.
    pub fn start(exchanges: usize, has_noop: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("recording.txt"), recording(exchanges, has_noop)).expect("written");
        let child = Command::new(env!("CARGO_BIN_EXE_mailscope"))
            .current_dir(folder.path())
            .args(["replay", "recording.txt", "--quiet", "--ca-dir", "ca"])
            .args([
                "--listen-tls",
                "127.0.0.1:0",
                "--listen-plain",
                "127.0.0.1:0",
            ])
            .args(["--ready-file", "ready.json"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mailscope");
        let ready = loop {
            match std::fs::read(path("ready.json")) {
                Ok(ready) => break ready,
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let ready: serde_json::Value = serde_json::from_slice(&ready).expect("JSON");
        let port = |key: &str| {
            let address = ready[key].as_str().expect("an address");
            let (_, port) = address.rsplit_once(':').expect("a port");
            port.parse().expect("a port")
        };
        let trust = ServerTrust::File(path(ready["ca"].as_str().expect("a file")));
        Self {
            child,
            ports: [port("plain"), port("tls")],
            trust,
            _folder: folder,
        }
    }

    /// What it has in memory.
    pub fn resident_kib(&self) -> f64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let words = line.unwrap_or_default().split_whitespace().next();
        words.and_then(|word| word.parse().ok()).unwrap_or(f64::NAN)
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn recording(exchanges: usize, has_noop: bool) -> String {
    let mut text = "S: * OK ready\nC: a LOGIN alice <secret:password>\nS: a OK done\n\
                    C: b SELECT INBOX\nS: b OK done\n"
        .to_owned();
    for n in 1..=exchanges {
        let _ = write!(text, "C: f{n} FETCH {n} FLAGS\nS: f{n} OK done\n");
    }
    if has_noop {
        text.push_str("C: n NOOP\nS: n OK done\n");
    }
    text
}
