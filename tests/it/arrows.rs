//! The laws of the source tree that a machine can check: arrows between folders point one way, and
//! what is sans-io stays so (DESIGN, law 6).

use std::path::{Path, PathBuf};

use super::support::trials;
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    trials!("arrows"; every_arrow_points_down, sans_io_code_has_no_runtime_and_no_clock, the_rule_finds_a_reversed_arrow)
}

/// What a folder may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("limits", &[]),
    ("private", &[]),
    // For tests alone.
    ("growth", &[]),
    ("event", &["error", "limits", "growth"]),
    ("fault", &["event"]),
    ("figure", &["event"]),
    // `protocol` for tests alone.
    ("explain", &["limits", "event", "protocol"]),
    ("transcript", &["error", "limits", "private", "event"]),
    // `protocol` for tests alone.
    ("session", &["limits", "growth", "event", "protocol"]),
    (
        "sink",
        &[
            "error",
            "limits",
            "private",
            "event",
            "explain",
            "figure",
            "transcript",
        ],
    ),
    (
        "protocol",
        &["error", "limits", "event", "fault", "session", "growth"],
    ),
    ("net", &["error", "limits", "private", "event", "fault"]),
    (
        "recording",
        &["error", "limits", "event", "transcript", "protocol"],
    ),
    (
        "stats",
        &[
            "error", "limits", "event", "figure", "session", "protocol", "growth",
        ],
    ),
    (
        "filter",
        &["error", "limits", "event", "session", "protocol", "growth"],
    ),
    (
        "import",
        &["error", "limits", "event", "transcript", "protocol"],
    ),
    (
        "compare",
        &[
            "error",
            "limits",
            "growth",
            "event",
            "transcript",
            "sink",
            "protocol",
            "recording",
        ],
    ),
    (
        "scrub",
        &[
            "error",
            "limits",
            "event",
            "explain",
            "transcript",
            "protocol",
            "recording",
        ],
    ),
    (
        "lint",
        &[
            "limits",
            "growth",
            "event",
            "transcript",
            "session",
            "sink",
            "protocol",
        ],
    ),
    (
        "relay",
        &[
            "error",
            "limits",
            "event",
            "fault",
            "transcript",
            "sink",
            "protocol",
            "net",
        ],
    ),
    (
        "replay",
        &[
            "error",
            "limits",
            "private",
            "event",
            "fault",
            "transcript",
            "sink",
            "protocol",
            "net",
            "recording",
        ],
    ),
    (
        "cli",
        &[
            "error",
            "limits",
            "private",
            "event",
            "explain",
            "fault",
            "figure",
            "transcript",
            "sink",
            "protocol",
            "net",
            "relay",
            "recording",
            "replay",
            "compare",
            "scrub",
            "import",
            "session",
            "stats",
            "filter",
            "lint",
        ],
    ),
];

/// Folders of code that is given time and octets and asks for neither.
const SANS_IO: &[&str] = &[
    "event", "explain", "fault", "figure", "protocol", "error", "limits", "lint", "session",
    "stats", "filter",
];

/// What such code does not name.
const IO: &[&str] = &[
    "tokio",
    "std::net",
    "std::fs",
    "SystemTime",
    "Instant::now",
    "std::thread",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file with the folder (or file) of `src` that it belongs to.
pub fn files() -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    let mut folders = vec![source()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(source()).unwrap();
            let first = below.iter().next().unwrap().to_str().unwrap();
            let room = first.trim_end_matches(".rs").to_owned();
            if path.extension().is_some_and(|end| end == "rs") && !["lib", "main"].contains(&&*room)
            {
                files.push((room, path));
            }
        }
    }
    files
}

/// The rooms that a text names as `crate::room`.
fn used(text: &str) -> Vec<String> {
    let code = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"));
    let code: Vec<&str> = code.collect();
    let joined = code.join(" ");
    let mut rooms = Vec::new();
    for after in joined.split("crate::").skip(1) {
        let names: Vec<&str> = match after.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap().split(',').collect(),
            None => vec![after],
        };
        for name in names {
            let end = |c: char| !c.is_alphanumeric() && c != '_';
            rooms.push(name.trim().split(end).next().unwrap().to_owned());
        }
    }
    rooms
}

fn reversed(room: &str, text: &str) -> Vec<String> {
    let (_, allowed) = MAY_USE
        .iter()
        .find(|(name, _)| *name == room)
        .unwrap_or_else(|| panic!("src/{room} is in no row of this test's table"));
    let is_room = |name: &String| MAY_USE.iter().any(|(known, _)| known == name);
    let used = used(text).into_iter().filter(is_room);
    used.filter(|name| name != room && !allowed.contains(&name.as_str()))
        .collect()
}

fn every_arrow_points_down() {
    let files = files();
    assert!(files.len() > 50, "only {} files found", files.len());
    for (room, path) in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let reversed = reversed(&room, &text);
        assert!(reversed.is_empty(), "{} uses {reversed:?}", path.display());
    }
}

fn sans_io_code_has_no_runtime_and_no_clock() {
    for (room, path) in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for name in IO.iter().filter(|_| SANS_IO.contains(&&*room)) {
            assert!(!code.contains(name), "{} names {name}", path.display());
        }
    }
}

fn the_rule_finds_a_reversed_arrow() {
    assert_eq!(reversed("protocol", "use crate::sink::bus::Bus;"), ["sink"]);
    assert_eq!(
        reversed("relay", "use crate::{event::Event, replay};"),
        ["replay"]
    );
    assert!(reversed("relay", "use crate::event::Event;").is_empty());
}
