//! A terminal of a test's own, which nobody reads unless the test does.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;

use rustix::pty::{grantpt, ptsname, unlockpt};

/// A terminal; closed, as its user closes its window, when it is dropped.
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
