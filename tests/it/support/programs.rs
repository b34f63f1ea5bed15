//! Programs from elsewhere that a test runs: whether they are there, and how to get them.

use libtest_mimic::Trial;
use std::path::PathBuf;

/// A program, and the Debian package that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// What is run.
    pub name: &'static str,
    /// What is installed.
    pub package: &'static str,
}

pub const CERTTOOL: Program = Program::new("certtool", "gnutls-bin");
pub const CERTUTIL: Program = Program::new("certutil", "libnss3-tools");
pub const CHROMIUM: Program = Program::new("chromium", "chromium");
pub const CURL: Program = Program::new("curl", "curl");
pub const DOVECOT: Program = Program::new("dovecot", "dovecot-imapd");
pub const FISH: Program = Program::new("fish", "fish");
pub const GROFF: Program = Program::new("groff", "groff-base");
pub const IP: Program = Program::new("ip", "iproute2");
pub const IPTABLES: Program = Program::new("iptables", "iptables");
pub const MAN: Program = Program::new("man", "man-db");
pub const MANDOC: Program = Program::new("mandoc", "mandoc");
pub const MBSYNC: Program = Program::new("mbsync", "isync");
pub const NEOMUTT: Program = Program::new("neomutt", "neomutt");
pub const NFT: Program = Program::new("nft", "nftables");
pub const NODE: Program = Program::new("node", "nodejs");
pub const OPENSSL: Program = Program::new("openssl", "openssl");
/// Debian's name for the one of its own Python.
pub const PYTEST: Program = Program::new("pytest-3", "python3-pytest");
pub const PYTHON: Program = Program::new("python3", "python3");
pub const SCRIPT: Program = Program::new("script", "bsdutils");
pub const SETSID: Program = Program::new("setsid", "util-linux");
pub const SS: Program = Program::new("ss", "iproute2");
pub const TCPDUMP: Program = Program::new("tcpdump", "tcpdump");
pub const TSHARK: Program = Program::new("tshark", "tshark");
pub const VFYCHAIN: Program = Program::new("vfychain", "libnss3-tools");
pub const ZSH: Program = Program::new("zsh", "zsh");

impl Program {
    const fn new(name: &'static str, package: &'static str) -> Self {
        Self { name, package }
    }

    /// Where it is; the folders for servers are searched too.
    pub fn path(self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
            .map(|folder| folder.join(self.name))
            .find(|file| file.is_file())
    }
}

/// The trials, as they are if all programs are there; else ignored, with the line that installs
/// what is missing.
pub fn needing(programs: &[Program], trials: Vec<Trial>) -> Vec<Trial> {
    let mut missing: Vec<&str> = programs
        .iter()
        .filter(|program| program.path().is_none())
        .map(|program| program.package)
        .collect();
    missing.dedup();
    if missing.is_empty() {
        return trials;
    }
    ignored(&format!("apt-get install {}", missing.join(" ")), trials)
}

/// The trials, ignored, with the line that installs what is missing.
pub fn ignored(install: &str, trials: Vec<Trial>) -> Vec<Trial> {
    trials
        .into_iter()
        .map(|trial| trial.with_kind(install).with_ignored_flag(true))
        .collect()
}
