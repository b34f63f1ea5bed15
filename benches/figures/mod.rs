//! Figures as they are told: several measurements of one thing, and the machine they were taken on.

mod spread;

pub use spread::Spread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process, and those that it starts, have so many files.
pub fn permit_files(wanted: usize) {
    let limit = getrlimit(Resource::Nofile);
    let wanted = wanted as u64;
    assert!(
        limit.maximum.is_none_or(|most| most >= wanted),
        "{wanted} open files are needed: raise the limit, ulimit -Hn"
    );
    let raised = Rlimit {
        current: limit.current.map(|current| current.max(wanted)),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("a limit that is permitted");
}

/// What it runs on.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = told
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or(std::env::consts::ARCH, |(_, model)| model);
    format!("{cores} cores of {model}, {}", std::env::consts::OS)
}
