//! The memory of a process, and its processor time, as Linux tells them in `/proc`.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;

/// Octets of a MiB.
pub const MIB: usize = 1024 * 1024;

/// These trials, or, where there is no `/proc` to read, why not.
pub fn where_it_is_told(trials: Vec<Trial>) -> Vec<Trial> {
    match cfg!(target_os = "linux") {
        true => trials,
        false => trials
            .into_iter()
            .map(|trial| trial.with_kind("reads /proc").with_ignored_flag(true))
            .collect(),
    }
}

/// The most memory, in octets, that the process ever had.
pub fn peak(pid: u32) -> usize {
    status(pid, "VmHWM:").expect("the process is there")
}

/// The memory, in octets, that the process has of its own now: no files, nothing shared.
pub fn own(pid: u32) -> usize {
    status(pid, "RssAnon:").expect("the process is there")
}

/// The processor time that it took, in the system's steps.
pub fn processor(pid: u32) -> u64 {
    let told = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name before it may hold spaces.
    let (_, fields) = told.rsplit_once(')').unwrap();
    let steps = fields.split_whitespace().skip(11).take(2);
    steps.map(|steps| steps.parse::<u64>().unwrap()).sum()
}

/// `None` of one that is over.
fn status(pid: u32, name: &str) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kib = line.split_whitespace().nth(1)?;
    Some(kib.parse::<usize>().ok()? * 1024)
}

/// A command that ran to its end.
pub struct Ran {
    pub status: ExitStatus,
    /// The most memory that it had, in octets, looked at until its end.
    pub peak: usize,
    /// Octets on its standard output.
    pub printed: u64,
    /// The last of them.
    pub end: String,
}

/// Runs the command to its end, and looks at its memory meanwhile. What it prints is read, and not kept.
pub fn run_watched(command: &mut Command) -> Ran {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        const KEPT: usize = 4096;
        let (mut printed, mut end) = (0, Vec::new());
        let mut piece = vec![0; 64 * 1024];
        loop {
            let length = stdout.read(&mut piece).unwrap();
            if length == 0 {
                return (printed, String::from_utf8_lossy(&end).into_owned());
            }
            printed += length as u64;
            end.extend_from_slice(&piece[..length]);
            end.drain(..end.len().saturating_sub(KEPT));
        }
    });
    let (status, peak) = watch(&mut child);
    let (printed, end) = reader.join().unwrap();
    Ran {
        status,
        peak,
        printed,
        end,
    }
}

fn watch(child: &mut Child) -> (ExitStatus, usize) {
    let mut peak = 0;
    loop {
        peak = peak.max(status(child.id(), "VmHWM:").unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            return (status, peak);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
