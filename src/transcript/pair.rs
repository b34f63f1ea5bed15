//! The file at a transcript's path, and a spare one that changes places with it.
//!
//! One call that writes more than a page is not one step: the system stops between two pages when
//! the process is killed, and whoever reads the file at that moment sees half of it. So what is
//! longer is written to a spare file, which then gets the path in one step:
//!
//! ```text
//! session.json          ... A ]}           \ /    ... A, B ]}
//! .session.json.spare   ... A, B ]}         X     ... A ]}       (brought up to date when needed)
//! ```
//!
//! It promises that a write at the path is there wholly or not at all, where the system can swap two
//! files (Linux, macOS, most file systems) and there is room for both; elsewhere it writes in place,
//! in one call. The spare file is gone when the recording ends; a killed one leaves it behind.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::document::Storage;
use super::recent::Recent;
use crate::limits;
use crate::private::{self, create_new};

/// What the system writes in one step whatever happens.
const PAGE: usize = 4096;

/// A file at its path and its spare.
pub(super) struct Pair {
    path: PathBuf,
    file: File,
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
    file: File,
    /// Up to here it holds what the file at the path does.
    agrees: u64,
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
        Self {
            path: path.into(),
            file,
            recent: Recent::default(),
            spare: Spare::Unneeded,
        }
    }

    /// Sees to it that the file survives a power cut, and removes the spare one.
    pub(super) fn finish(&mut self) {
        let _ = self.file.sync_data();
        self.give_up();
    }

    /// From here on everything is written in place.
    fn give_up(&mut self) {
        if let Spare::Ready(spare) = std::mem::replace(&mut self.spare, Spare::Impossible)
            && system::is_at(&spare.file, &spare.path)
        {
            let _ = std::fs::remove_file(&spare.path);
        }
    }

    fn write_and_swap(&mut self, octets: &[u8], offset: u64) -> io::Result<()> {
        if matches!(self.spare, Spare::Unneeded) {
            self.spare = Spare::Ready(Ready::new(&self.path, &self.file)?);
        }
        let Spare::Ready(spare) = &mut self.spare else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        spare.catch_up(&self.file, &self.recent, offset)?;
        system::write_all_at(&spare.file, octets, offset)?;
        // The user may have moved either and put something else there.
        if !system::is_at(&self.file, &self.path) || !system::is_at(&spare.file, &spare.path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        system::swap(&spare.path, &self.path)?;
        std::mem::swap(&mut spare.file, &mut self.file);
        spare.agrees = offset;
        self.recent.begin(octets, offset);
        Ok(())
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl Storage for Pair {
    fn write_at(&mut self, octets: &[u8], offset: u64) -> io::Result<()> {
        if octets.len() > PAGE && !matches!(self.spare, Spare::Impossible) {
            match self.write_and_swap(octets, offset) {
                Ok(()) => return Ok(()),
                // A full disk has room again without it.
                Err(_) => self.give_up(),
            }
        }
        let written = system::write_all_at(&self.file, octets, offset);
        match written {
            Ok(()) => self.recent.add(octets, offset),
            Err(_) => self.recent.forget(),
        }
        written
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
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
            file,
            agrees: 0,
        })
    }

    fn catch_up(&mut self, other: &File, recent: &Recent, end: u64) -> io::Result<()> {
        if let Some(missing) = recent.between(self.agrees, end) {
            system::write_all_at(&self.file, missing, self.agrees)?;
            self.agrees = end;
            return Ok(());
        }
        let mut buffer = vec![0; limits::READ];
        while self.agrees < end {
            let missing = usize::try_from(end - self.agrees).unwrap_or(usize::MAX);
            let piece = &mut buffer[..missing.min(limits::READ)];
            system::read_exact_at(other, piece, self.agrees)?;
            system::write_all_at(&self.file, piece, self.agrees)?;
            self.agrees += piece.len() as u64;
        }
        Ok(())
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) mod system {
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::{FileExt, MetadataExt};
    use std::path::Path;

    use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};

    /// Fails with `WouldBlock` when somebody else has it; file systems without locks have none.
    pub(super) fn lock(file: &File) -> io::Result<()> {
        match flock(file, FlockOperation::NonBlockingLockExclusive).map_err(io::Error::from) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    pub(in super::super) fn write_all_at(
        file: &File,
        octets: &[u8],
        offset: u64,
    ) -> io::Result<()> {
        file.write_all_at(octets, offset)
    }

    pub(super) fn read_exact_at(file: &File, octets: &mut [u8], offset: u64) -> io::Result<()> {
        file.read_exact_at(octets, offset)
    }

    pub(super) fn swap(one: &Path, other: &Path) -> io::Result<()> {
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(io::Error::from)
    }

    pub(super) fn is_at(file: &File, path: &Path) -> bool {
        match (file.metadata(), path.symlink_metadata()) {
            (Ok(file), Ok(path)) => (file.dev(), file.ino()) == (path.dev(), path.ino()),
            _ => false,
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) mod system {
    use std::fs::File;
    use std::io::{self, Read, Seek, SeekFrom, Write};
    use std::path::Path;

    /// Not to be had here.
    pub(super) fn lock(_: &File) -> io::Result<()> {
        Ok(())
    }

    pub(in super::super) fn write_all_at(
        mut file: &File,
        octets: &[u8],
        offset: u64,
    ) -> io::Result<()> {
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(octets)
    }

    pub(super) fn read_exact_at(mut file: &File, octets: &mut [u8], offset: u64) -> io::Result<()> {
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(octets)
    }

    pub(super) fn swap(_: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Enough to remove what was made and never swapped.
    pub(super) fn is_at(_: &File, path: &Path) -> bool {
        path.exists()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        folder: tempfile::TempDir,
        pair: Pair,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.json");
            let file = create_new(&path).unwrap();
            let pair = Pair::new(&path, file);
            Self { folder, pair }
        }

        fn content(&self) -> Vec<u8> {
            std::fs::read(&self.pair.path).unwrap()
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
        let mut place = Place::new();
        let mut expected = Vec::new();
        for (turn, length) in [10, 5000, 100, 4096, 4097, 300_000, 20, 7000, 9000]
            .iter()
            .enumerate()
        {
            let octets = vec![b'a' + turn as u8; *length];
            let end = expected.len().saturating_sub(4);
            expected.truncate(end);
            expected.extend_from_slice(&octets);
            place.pair.write_at(&octets, end as u64).unwrap();
            assert!(place.content() == expected, "{length}");
        }
        place.pair.finish();
        assert_eq!(place.files(), ["a.json"]);
        assert!(place.content() == expected);
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn who_reads_during_a_long_write_sees_what_was_there_before() {
        let mut place = Place::new();
        place.pair.write_at(b"before", 0).unwrap();
        let mut reader = File::open(&place.pair.path).unwrap();
        place.pair.write_at(&[b'x'; 5000], 3).unwrap();
        assert_eq!(io::read_to_string(&mut reader).unwrap(), "before");
        assert_eq!(place.content().len(), 5003);
        assert_eq!(place.files(), [".a.json.spare", "a.json"]);
    }

    #[test]
    fn what_a_killed_one_left_is_no_obstacle() {
        let mut place = Place::new();
        let left = place.folder.path().join(".a.json.spare");
        std::fs::write(left, "left behind").unwrap();
        place.pair.write_at(&[b'x'; 5000], 0).unwrap();
        assert_eq!(place.content(), [b'x'; 5000]);
        place.pair.finish();
        assert_eq!(place.files(), ["a.json"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_was_moved_is_followed_and_what_took_its_place_is_let_be() {
        let mut place = Place::new();
        place.pair.write_at(&[b'x'; 5000], 0).unwrap();
        let moved = place.folder.path().join("moved.json");
        std::fs::rename(&place.pair.path, &moved).unwrap();
        std::fs::write(&place.pair.path, "mine").unwrap();
        place.pair.write_at(&[b'y'; 5000], 5000).unwrap();
        place.pair.finish();
        assert_eq!(place.content(), b"mine");
        assert_eq!(std::fs::read(moved).unwrap().len(), 10_000);
        assert_eq!(place.files(), ["a.json", "moved.json"]);
    }
}
