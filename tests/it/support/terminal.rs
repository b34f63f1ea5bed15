//! Terminals for programs that want one.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

use rustix::pty::{grantpt, ptsname, unlockpt};

use super::programs::SCRIPT;

/// A command line of the shell, run by `script` on a terminal of its own; it ends as that does.
///
/// The shell is always the same, whatever the user's is: some run the last command in their own place, and some
/// in a job beside them. Whatever is to be ended with its terminal must not leave the shell's foreground, as
/// `timeout` without `--foreground` does.
pub fn in_a_terminal(command: &str) -> Command {
    let mut script = Command::new(SCRIPT.path().unwrap());
    script
        .args(["--quiet", "--return", "--command", command, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null());
    script
}

/// A terminal of a test's own, which nobody reads; closed, as its user closes its window, when it is dropped.
pub struct Terminal(File);

impl Terminal {
    /// With room for some thousand octets that nobody reads.
    pub fn open() -> Self {
        // Not `openpt`, whose file every program that is started meanwhile has, and keeps open.
        let terminal = opened("/dev/ptmx");
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        Self(terminal)
    }

    /// What a program has as its standard input, output and error.
    pub fn screen(&self) -> File {
        let name = ptsname(&self.0, Vec::new()).unwrap();
        opened(name.to_str().unwrap())
    }
}

fn opened(name: &str) -> File {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(0o400); // O_NOCTTY
    options.open(name).unwrap()
}
