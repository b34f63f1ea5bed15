//! The file at a transcript's path, and a spare one that changes places with it.
//!
//! One call that writes into two pages of a file is not one step, however short it is: the system stops
//! between them when the process is killed, and whoever reads the file at that moment sees half of it.
//! So what does not fit into the rest of a page is written to a spare file, which then gets the path in
//! one step:
//!
//! ```text
//! session.json          ... A ]}           \ /    ... A, B ]}
//! .session.json.spare   ... A, B ]}         X     ... A ]}       (brought up to date when needed)
//! ```
//!
//! It promises that a write at the path is there wholly or not at all, where the system can swap two
//! files (Linux, macOS, most file systems) and there is room for both; elsewhere it writes in place,
//! in one call. The spare file is gone when the recording ends; a killed one leaves it behind.
//!
//! A file that somebody removes while it is open is written again, all of it, and so is its folder:
//! what was recorded is not lost by it. One that somebody moves is followed. One that somebody empties or
//! writes to is left to them, and written again beside: the spare file and the last writes, which are
//! kept, are all that was in it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::ahead::Ahead;
use super::document::{Contents, Storage};
use super::file::{Displaced, Restored};
use super::kept::{Kept, Standing, copy, system};
use super::recent::Recent;
use crate::limits;
use crate::private::{self, create_new};

/// Octets of a file, from a multiple of it on, into which the system writes in one step whatever happens.
const PAGE: usize = 4096;

/// A file at its path and its spare.
pub(super) struct Pair {
    kept: Kept,
    /// What the file at the path holds that the spare one does not, if it is little.
    recent: Recent,
    spare: Spare,
}

enum Spare {
    /// Nothing long was written yet.
    Unneeded,
    Ready(Ready),
    /// It could not be had; not tried again.
    Impossible,
}

struct Ready {
    path: PathBuf,
    file: Ahead,
    /// Up to here it holds what the file at the path does.
    agrees: u64,
    /// Octets that it has, unless somebody else wrote to it.
    length: u64,
}

/// Opens a file to write more into it; nobody else who goes about it in this way can, until this one
/// is closed. The error is `WouldBlock` while somebody does.
pub(super) fn open_alone(path: &Path) -> io::Result<File> {
    loop {
        let file = private::file().read(true).write(true).open(path)?;
        system::lock(&file)?;
        // Another one may have changed its places with the spare one meanwhile.
        if system::is_at(&file, path) {
            return Ok(file);
        }
    }
}

impl Pair {
    /// For a file that lies there.
    pub(super) fn new(path: &Path, file: File) -> Self {
        let _ = system::lock(&file); // for those who would go on with it
        Self::of(Kept::new(path, file))
    }

    fn of(kept: Kept) -> Self {
        let recent = Recent::of(kept.file(), kept.length());
        Self {
            kept,
            recent,
            spare: Spare::Unneeded,
        }
    }

    /// Sees to it that the file survives a power cut, and removes the spare one.
    pub(super) fn finish(&mut self) {
        self.kept.give_back();
        let _ = self.kept.file().sync_data();
        self.give_up();
    }

    /// What others did to it since this was asked last.
    pub(super) fn displaced(&mut self) -> Option<Displaced> {
        self.kept.displaced()
    }

    /// Puts all that was in the file, which others have changed, into another one; `empty`, if not all of
    /// it is anywhere else.
    fn rescue(&mut self, empty: &[u8]) -> io::Result<Contents> {
        let length = self.kept.length();
        let (spare, agrees) = match &self.spare {
            Spare::Ready(spare) if spare.is_as_it_was() => (Some(spare.file.file()), spare.agrees),
            _ => (None, 0),
        };
        let Some(recent) = self.recent.between(agrees, length) else {
            let fill = |new: &File| system::write_all_at(new, empty, 0);
            self.kept.write_elsewhere(fill, Restored::FromHereOn)?;
            return Ok(Contents::Lost);
        };
        let fill = |new: &File| {
            if let Some(spare) = spare {
                copy(spare, new, 0..agrees)?;
            }
            system::write_all_at(new, recent, agrees)
        };
        self.kept.write_elsewhere(fill, Restored::All)?;
        Ok(Contents::Whole)
    }

    /// Another file is at the path, which has no spare one yet.
    fn start_over(&mut self) {
        self.give_up();
        let _ = system::lock(self.kept.file());
        self.recent = Recent::of(self.kept.file(), self.kept.length());
        self.spare = Spare::Unneeded;
    }

    /// From here on everything is written in place.
    fn give_up(&mut self) {
        let Spare::Ready(spare) = std::mem::replace(&mut self.spare, Spare::Impossible) else {
            return;
        };
        // Its folder may have been moved with it.
        let path = match system::is_at(spare.file.file(), &spare.path) {
            true => Some(spare.path),
            false => system::place(spare.file.file()),
        };
        if let Some(path) = path {
            let _ = std::fs::remove_file(path);
        }
    }

    fn write_and_swap(&mut self, octets: &[u8], offset: u64) -> io::Result<()> {
        if matches!(self.spare, Spare::Unneeded) {
            self.spare = Spare::Ready(Ready::new(self.kept.path(), self.kept.file())?);
        }
        let Spare::Ready(spare) = &mut self.spare else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        spare.catch_up(self.kept.file(), &self.recent, offset)?;
        spare.file.write_all_at(octets, offset)?;
        // Somebody may have moved either and put something else there.
        if !self.kept.is_at_its_path() || !system::is_at(spare.file.file(), &spare.path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        system::swap(&spare.path, self.kept.path())?;
        spare.length = self
            .kept
            .swap(&mut spare.file, offset + octets.len() as u64);
        // What is too long to be kept goes to the other one at once: the two have all of it.
        let (now, later) = octets.split_at(octets.len().saturating_sub(limits::TRANSCRIPT_WRITE));
        spare.agrees = offset;
        if spare.write(now, offset).is_ok() {
            spare.agrees += now.len() as u64;
            self.recent.begin(later, spare.agrees);
        } else {
            self.recent.begin(octets, offset);
        }
        Ok(())
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl Storage for Pair {
    /// Writes the file again if it has no name any more, or something else in it, and finds it if it has
    /// another name.
    fn keep(&mut self, empty: &[u8]) -> io::Result<Contents> {
        match self.kept.standing() {
            Standing::AsItWas => return Ok(Contents::Whole),
            Standing::Moved => {
                self.give_up();
                if self.kept.follow() {
                    self.spare = Spare::Unneeded;
                }
                return Ok(Contents::Whole);
            }
            Standing::Removed => self.kept.write_again()?,
            Standing::Changed => {
                let contents = self.rescue(empty)?;
                self.start_over();
                return Ok(contents);
            }
        }
        self.start_over();
        Ok(Contents::Whole)
    }

    fn write_at(&mut self, octets: &[u8], offset: u64) -> io::Result<()> {
        if !is_one_step(octets, offset) && !matches!(self.spare, Spare::Impossible) {
            match self.write_and_swap(octets, offset) {
                Ok(()) => return Ok(()),
                // A full disk has room again without it.
                Err(_) => self.give_up(),
            }
        }
        let written = self.kept.write_at(octets, offset);
        match written {
            Ok(()) => self.recent.add(octets, offset),
            Err(_) => self.recent.forget(),
        }
        written
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.kept.set_len(length)
    }
}

impl Ready {
    /// For a file at this path, which is ours alone and may be read by the same people.
    fn new(path: &Path, beside: &File) -> io::Result<Self> {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        name.push(".spare");
        let path = path.with_file_name(name);
        let file = create_new(&path).or_else(|_| {
            // One that was killed left it: the file at the path is locked, so this is nobody's.
            std::fs::remove_file(&path)?;
            create_new(&path)
        })?;
        file.set_permissions(beside.metadata()?.permissions())?;
        // It is to be the file at the path.
        let _ = system::lock(&file);
        Ok(Self {
            path,
            file: Ahead::new(file),
            agrees: 0,
            length: 0,
        })
    }

    fn catch_up(&mut self, other: &File, recent: &Recent, end: u64) -> io::Result<()> {
        // It was at the path, and somebody may have opened it there.
        if !self.is_as_it_was() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        match recent.between(self.agrees, end) {
            Some(missing) => self.file.write_all_at(missing, self.agrees)?,
            None => copy(other, self.file.file(), self.agrees..end)?,
        }
        self.agrees = end;
        Ok(())
    }

    fn write(&mut self, octets: &[u8], offset: u64) -> io::Result<()> {
        let written = self.file.write_all_at(octets, offset);
        self.length = system::length(self.file.file())?;
        written
    }

    fn is_as_it_was(&self) -> bool {
        system::length(self.file.file()).is_ok_and(|length| length == self.length)
    }
}

/// Whether writing these octets there is done wholly or not at all, whatever happens.
fn is_one_step(octets: &[u8], offset: u64) -> bool {
    let page = PAGE as u64;
    offset % page + octets.len() as u64 <= page
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Pair {
        fn keep_and_write(&mut self, octets: &[u8], offset: u64) -> io::Result<()> {
            assert_eq!(self.keep(b"new")?, Contents::Whole);
            self.write_at(octets, offset)
        }

        fn keep_and_finish(&mut self) -> io::Result<()> {
            let kept = self.keep(b"new");
            self.finish();
            kept.map(drop)
        }
    }

    struct Bench {
        folder: tempfile::TempDir,
        pair: Pair,
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.json");
            let file = create_new(&path).unwrap();
            let pair = Pair::new(&path, file);
            Self { folder, pair }
        }

        fn content(&self) -> Vec<u8> {
            std::fs::read(self.pair.kept.path()).unwrap()
        }

        fn files(&self) -> Vec<String> {
            let files = std::fs::read_dir(self.folder.path()).unwrap();
            let name = |file: io::Result<std::fs::DirEntry>| file.unwrap().file_name();
            let mut names: Vec<_> = files
                .map(|file| name(file).into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    #[test]
    fn short_and_long_writes_give_what_they_would_in_place() {
        let mut place = Bench::new();
        let mut expected = Vec::new();
        for (turn, length) in [10, 5000, 100, 4096, 4097, 300_000, 20, 7000, 9000]
            .iter()
            .enumerate()
        {
            let octets = vec![b'a' + turn as u8; *length];
            let end = expected.len().saturating_sub(4);
            expected.truncate(end);
            expected.extend_from_slice(&octets);
            place.pair.keep_and_write(&octets, end as u64).unwrap();
            assert!(place.content() == expected, "{length}");
        }
        place.pair.keep_and_finish().unwrap();
        assert_eq!(place.files(), ["a.json"]);
        assert!(place.content() == expected);
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn who_reads_during_a_long_write_sees_what_was_there_before() {
        let mut place = Bench::new();
        place.pair.keep_and_write(b"before", 0).unwrap();
        let mut reader = File::open(place.pair.kept.path()).unwrap();
        place.pair.keep_and_write(&[b'x'; 5000], 3).unwrap();
        assert_eq!(io::read_to_string(&mut reader).unwrap(), "before");
        assert_eq!(place.content().len(), 5003);
        assert_eq!(place.files(), [".a.json.spare", "a.json"]);
    }

    #[test]
    fn what_a_killed_one_left_is_no_obstacle() {
        let mut place = Bench::new();
        let left = place.folder.path().join(".a.json.spare");
        std::fs::write(left, "left behind").unwrap();
        place.pair.keep_and_write(&[b'x'; 5000], 0).unwrap();
        assert_eq!(place.content(), [b'x'; 5000]);
        place.pair.keep_and_finish().unwrap();
        assert_eq!(place.files(), ["a.json"]);
    }

    #[test]
    fn what_reaches_into_another_page_is_not_written_in_place() {
        assert!(is_one_step(&[0; PAGE], 0));
        assert!(is_one_step(&[0; 96], 4000));
        assert!(!is_one_step(&[0; 97], 4000));
        assert!(!is_one_step(&[0; PAGE], 1));
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn a_file_that_was_removed_is_written_again_with_all_that_was_in_it() {
        for spare in [false, true] {
            let mut place = Bench::new();
            place.pair.keep_and_write(b"before", 0).unwrap();
            if spare {
                place.pair.keep_and_write(&[b'x'; 5000], 6).unwrap();
            }
            let before = place.content();
            let end = before.len() as u64;
            std::fs::remove_dir_all(place.folder.path()).unwrap();
            place.pair.keep_and_write(b"behind", end).unwrap();
            let path = place.folder.path().join("a.json");
            let now = path.clone();
            assert_eq!(place.pair.displaced(), Some(Displaced::Removed { now }));
            assert_eq!(place.pair.displaced(), None);
            assert!(place.content() == [&before[..], b"behind"].concat());
            assert_eq!(place.files(), ["a.json"]);
            // Again, and something else is there.
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, "mine").unwrap();
            place.pair.keep_and_write(&[b'y'; 5000], end + 6).unwrap();
            let now = place.folder.path().join("a-2.json");
            let displaced = Displaced::Removed { now: now.clone() };
            assert_eq!(place.pair.displaced(), Some(displaced));
            place.pair.keep_and_finish().unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), b"mine");
            assert_eq!(std::fs::read(&now).unwrap().len() as u64, end + 5006);
            // And at the end.
            std::fs::remove_file(&now).unwrap();
            place.pair.keep_and_finish().unwrap();
            assert_eq!(std::fs::read(&now).unwrap().len() as u64, end + 5006);
            assert_eq!(place.files(), ["a-2.json", "a.json"]);
        }
    }

    /// Whatever was written last, and however the file was changed.
    #[test]
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn a_file_that_others_changed_is_left_to_them_and_written_anew_beside_it() {
        const LONG: usize = 300_000; // more than is kept of a write
        for lengths in [
            vec![10],
            vec![100, 5000],
            vec![5000, 100, 200],
            vec![LONG],
            vec![100, LONG, 100, 4000, LONG, 10],
            vec![limits::TRANSCRIPT_WRITE, 4000, 4000],
        ] {
            for theirs in [&b""[..], b"mine", &[b'm'; 1_000_000]] {
                let mut place = Bench::new();
                let path = place.folder.path().join("a.json");
                std::fs::write(&path, "begun").unwrap();
                place.pair = Pair::new(
                    &path,
                    File::options().read(true).write(true).open(&path).unwrap(),
                );
                let mut end = 1;
                for length in &lengths {
                    place
                        .pair
                        .keep_and_write(&vec![b'x'; *length], end)
                        .unwrap();
                    end += *length as u64 - 4;
                }
                let before = place.content();
                std::fs::write(&path, theirs).unwrap();
                place.pair.keep_and_write(b"behind", end).unwrap();
                let now = place.folder.path().join("a-2.json");
                let displaced = place.pair.displaced();
                let restored = Restored::All;
                let changed = Displaced::Changed { now, restored };
                assert_eq!(displaced, Some(changed), "{lengths:?}");
                let expected = [&before[..before.len() - 4], b"behind"].concat();
                assert!(place.content() == expected, "{lengths:?}");
                place.pair.keep_and_finish().unwrap();
                assert_eq!(place.pair.displaced(), None);
                assert_eq!(std::fs::read(&path).unwrap(), theirs);
                assert_eq!(place.files(), ["a-2.json", "a.json"]);
            }
        }
    }

    #[test]
    fn what_is_nowhere_else_is_lost() {
        let mut place = Bench::new();
        place.pair.spare = Spare::Impossible;
        place.pair.keep_and_write(&[b'x'; 400_000], 0).unwrap();
        let path = place.folder.path().join("a.json");
        std::fs::write(&path, "").unwrap();
        assert_eq!(place.pair.keep(b"new").unwrap(), Contents::Lost);
        assert_eq!(place.content(), b"new");
        assert!(place.pair.displaced().unwrap().loses());
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn a_file_that_cannot_be_written_again_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("b");
        std::fs::create_dir(&within).unwrap();
        let path = within.join("a.json");
        let mut pair = Pair::new(&path, create_new(&path).unwrap());
        pair.keep_and_write(b"before", 0).unwrap();
        std::fs::remove_dir_all(&within).unwrap();
        std::fs::write(&within, "a file where its folder was").unwrap();
        pair.keep_and_write(b"behind", 6).unwrap_err();
        pair.keep_and_finish().unwrap_err();
        assert_eq!(pair.displaced(), None);
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn a_folder_that_was_moved_has_no_spare_file_left_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let [before, after] = ["b", "c"].map(|name| folder.path().join(name));
        std::fs::create_dir(&before).unwrap();
        let path = before.join("a.json");
        let mut pair = Pair::new(&path, create_new(&path).unwrap());
        pair.keep_and_write(&[b'x'; 5000], 0).unwrap();
        std::fs::rename(&before, &after).unwrap();
        pair.keep_and_write(&[b'y'; 5000], 5000).unwrap();
        pair.keep_and_finish().unwrap();
        let files: Vec<_> = std::fs::read_dir(&after).unwrap().collect();
        assert_eq!(files.len(), 1, "{files:?}");
        assert_eq!(std::fs::read(after.join("a.json")).unwrap().len(), 10_000);
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_was_moved_is_followed_and_what_took_its_place_is_let_be() {
        let mut place = Bench::new();
        place.pair.keep_and_write(&[b'x'; 5000], 0).unwrap();
        let moved = place.folder.path().join("moved.json");
        std::fs::rename(place.pair.kept.path(), &moved).unwrap();
        std::fs::write(place.pair.kept.path(), "mine").unwrap();
        place.pair.keep_and_write(&[b'y'; 5000], 5000).unwrap();
        place.pair.keep_and_finish().unwrap();
        let path = place.folder.path().join("a.json");
        assert_eq!(std::fs::read(path).unwrap(), b"mine");
        assert_eq!(std::fs::read(moved).unwrap().len(), 10_000);
        assert_eq!(place.files(), ["a.json", "moved.json"]);
    }
}
