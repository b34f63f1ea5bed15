//! A terminal for programs that want one.

use std::process::{Command, Stdio};

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
