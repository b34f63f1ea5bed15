//! `openssl s_server`, for what no server of ours does.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::super::support::programs::OPENSSL;

/// One that accepts on a port of its own; killed when dropped.
pub struct SServer {
    child: Child,
    /// What it says.
    pub stdin: ChildStdin,
    /// Where it accepts.
    pub port: String,
}

impl SServer {
    pub fn start<A: AsRef<OsStr>>(arguments: &[A]) -> Self {
        let mut child = Command::new(OPENSSL.path().unwrap())
            .args(["s_server", "-accept", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let accepts = lines.find_map(|line| {
            let line = line.unwrap();
            let address = line.strip_prefix("ACCEPT ")?;
            Some(address.rsplit_once(':')?.1.to_owned())
        });
        // Else it stops at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            stdin: child.stdin.take().unwrap(),
            child,
            port: accepts.expect("the port"),
        }
    }
}

impl Drop for SServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
