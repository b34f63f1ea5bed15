//! How many files the system lets this process have open, and how many connections that is: a socket is
//! a file, and a connection through a relay is two.
//!
//! It promises that what is not a connection (the transcript, a name look-up) has files left, so that too many
//! apps at once cannot end a recording.

use crate::limits;

/// Raises the limit of open files as far as the system lets us, to [`limits::FILES`] at most. What it starts
/// with (1024 on Linux, 256 on macOS) is kept low for programs that use `select`; we do not.
pub fn permit_more_files() {
    system::permit(limits::FILES);
}

/// How many connections may be open at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// So many.
    pub connections: usize,
    /// By this limit of open files; `None` where none is known.
    pub files: Option<u64>,
}

impl Room {
    /// For connections that take so many files each, beside what is open now.
    pub fn for_connections(each: u64) -> Self {
        match system::permitted() {
            Some(files) => Self::within(files, system::open(), each),
            None => Self {
                connections: usize::MAX,
                files: None,
            },
        }
    }

    fn within(files: u64, open: u64, each: u64) -> Self {
        let kept = (files / 8).min(limits::FILES_KEPT);
        let connections = files.saturating_sub(open + kept) / each;
        Self {
            // One at least: whether it works out is for the system to say.
            connections: usize::try_from(connections).unwrap_or(usize::MAX).max(1),
            files: Some(files),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
mod system {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    pub(super) fn permit(wanted: u64) {
        let limit = getrlimit(Resource::Nofile);
        let most = limit.maximum.map_or(wanted, |maximum| wanted.min(maximum));
        if limit.current.is_some_and(|current| current < most) {
            let current = Some(most);
            // A system that permits less than it says leaves the limit as it is.
            let _ = setrlimit(Resource::Nofile, Rlimit { current, ..limit });
        }
    }

    pub(super) fn permitted() -> Option<u64> {
        getrlimit(Resource::Nofile).current
    }

    pub(super) fn open() -> u64 {
        /// Standard streams, listeners, transcript, the runtime's own.
        const USUAL: u64 = 32;
        std::fs::read_dir("/dev/fd").map_or(USUAL, |files| files.count() as u64)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
mod system {
    pub(super) fn permit(_: u64) {}

    /// Sockets are not counted with files here.
    pub(super) fn permitted() -> Option<u64> {
        None
    }

    pub(super) fn open() -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_files_are_kept_for_what_is_no_connection() {
        let connections = |files, open| Room::within(files, open, 2).connections;
        assert_eq!(connections(1024, 20), 438);
        assert_eq!(connections(40, 14), 10);
        assert_eq!(connections(1_000_000, 20), (1_000_000 - 20 - 256) / 2);
        assert_eq!(connections(16, 20), 1);
    }

    #[test]
    fn more_files_are_permitted_once_they_were_asked_for() {
        permit_more_files();
        let room = Room::for_connections(2);
        assert!(room.connections >= 1);
        assert!(room.files.is_none_or(|files| files > 0));
    }
}
