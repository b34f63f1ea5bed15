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
//! what was recorded is not lost by it. One that somebody moves is followed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::document::Storage;
use super::file::Displaced;
use super::recent::Recent;
use crate::limits;
use crate::private::{self, create_new, create_whole};

/// Octets of a file, from a multiple of it on, into which the system writes in one step whatever happens.
const PAGE: usize = 4096;

/// A file at its path and its spare.
pub(super) struct Pair {
    path: PathBuf,
    file: File,
    /// What the file at the path holds that the spare one does not, if it is little.
    recent: Recent,
    spare: Spare,
    place: Place,
    /// What others did to it, until that is told.
    displaced: Option<Displaced>,
}

/// Where the file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At its path.
    Path,
    /// It was moved, and the system does not tell where to.
    Elsewhere,
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
            place: Place::Path,
            displaced: None,
        }
    }

    /// Sees to it that the file survives a power cut, and removes the spare one. Fails if it was removed
    /// and cannot be written again.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let kept = self.keep();
        let _ = self.file.sync_data();
        self.give_up();
        kept
    }

    /// What others did to it since this was asked last.
    pub(super) fn displaced(&mut self) -> Option<Displaced> {
        self.displaced.take()
    }

    /// Writes the file again if it has no name any more, and finds it if it has another one.
    fn keep(&mut self) -> io::Result<()> {
        if self.place == Place::Elsewhere || system::is_at(&self.file, &self.path) {
            return Ok(());
        }
        if system::has_name(&self.file) {
            self.follow();
            return Ok(());
        }
        let (path, file) = written_again(&self.path, &self.file)?;
        self.give_up();
        *self = Self::new(&path, file);
        self.displaced = Some(Displaced::Removed { now: path });
        Ok(())
    }

    /// The file was moved: it is written where it is.
    fn follow(&mut self) {
        self.give_up();
        let now = system::place(&self.file);
        match &now {
            Some(now) => {
                self.path.clone_from(now);
                self.spare = Spare::Unneeded;
            }
            None => self.place = Place::Elsewhere,
        }
        self.displaced = Some(Displaced::Moved { now });
    }

    /// From here on everything is written in place.
    fn give_up(&mut self) {
        let Spare::Ready(spare) = std::mem::replace(&mut self.spare, Spare::Impossible) else {
            return;
        };
        // Its folder may have been moved with it.
        let path = match system::is_at(&spare.file, &spare.path) {
            true => Some(spare.path),
            false => system::place(&spare.file),
        };
        if let Some(path) = path {
            let _ = std::fs::remove_file(path);
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
        // Somebody may have moved either and put something else there.
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
        self.keep()?;
        if !is_one_step(octets, offset) && !matches!(self.spare, Spare::Impossible) {
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
        match recent.between(self.agrees, end) {
            Some(missing) => system::write_all_at(&self.file, missing, self.agrees)?,
            None => copy(other, &self.file, self.agrees..end)?,
        }
        self.agrees = end;
        Ok(())
    }
}

/// Whether writing these octets there is done wholly or not at all, whatever happens.
fn is_one_step(octets: &[u8], offset: u64) -> bool {
    let page = PAGE as u64;
    offset % page + octets.len() as u64 <= page
}

/// Copies what stands there in one file to the same place of another.
fn copy(from: &File, to: &File, place: std::ops::Range<u64>) -> io::Result<()> {
    let mut buffer = vec![0; limits::READ];
    let mut done = place.start;
    while done < place.end {
        let missing = usize::try_from(place.end - done).unwrap_or(usize::MAX);
        let piece = &mut buffer[..missing.min(limits::READ)];
        system::read_exact_at(from, piece, done)?;
        system::write_all_at(to, piece, done)?;
        done += piece.len() as u64;
    }
    Ok(())
}

/// Writes a file that has no name any more to its path again, and makes the folder if that is gone too.
/// Where something else is there now, the name gets a number: `a-2.json`.
fn written_again(path: &Path, file: &File) -> io::Result<(PathBuf, File)> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        private::folder().recursive(true).create(folder)?;
    }
    let length = file.metadata()?.len();
    let stem = path.file_stem().unwrap_or_default();
    let numbered = (2_u32..).map(|number| {
        let mut name = stem.to_os_string();
        name.push(format!("-{number}"));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        path.with_file_name(name)
    });
    for path in std::iter::once(path.to_owned()).chain(numbered) {
        match create_whole(&path, |new| copy(file, new, 0..length)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|file| (path, file)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) mod system {
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::{FileExt, MetadataExt};
    use std::path::{Path, PathBuf};

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

    /// Whether it was not removed.
    pub(super) fn has_name(file: &File) -> bool {
        file.metadata().is_ok_and(|file| file.nlink() > 0)
    }

    /// Where it is, if the system tells.
    pub(super) fn place(file: &File) -> Option<PathBuf> {
        path(file).filter(|path| is_at(file, path))
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn path(file: &File) -> Option<PathBuf> {
        use std::os::fd::AsRawFd;
        std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
    }

    #[cfg(target_vendor = "apple")]
    fn path(file: &File) -> Option<PathBuf> {
        use std::os::unix::ffi::OsStringExt;
        let path = rustix::fs::getpath(file).ok()?;
        Some(std::ffi::OsString::from_vec(path.into_bytes()).into())
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) mod system {
    use std::fs::File;
    use std::io::{self, Read, Seek, SeekFrom, Write};
    use std::path::{Path, PathBuf};

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

    /// Nobody can tell.
    pub(super) fn has_name(_: &File) -> bool {
        true
    }

    /// Likewise.
    pub(super) fn place(_: &File) -> Option<PathBuf> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            place.pair.write_at(&octets, end as u64).unwrap();
            assert!(place.content() == expected, "{length}");
        }
        place.pair.finish().unwrap();
        assert_eq!(place.files(), ["a.json"]);
        assert!(place.content() == expected);
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn who_reads_during_a_long_write_sees_what_was_there_before() {
        let mut place = Bench::new();
        place.pair.write_at(b"before", 0).unwrap();
        let mut reader = File::open(&place.pair.path).unwrap();
        place.pair.write_at(&[b'x'; 5000], 3).unwrap();
        assert_eq!(io::read_to_string(&mut reader).unwrap(), "before");
        assert_eq!(place.content().len(), 5003);
        assert_eq!(place.files(), [".a.json.spare", "a.json"]);
    }

    #[test]
    fn what_a_killed_one_left_is_no_obstacle() {
        let mut place = Bench::new();
        let left = place.folder.path().join(".a.json.spare");
        std::fs::write(left, "left behind").unwrap();
        place.pair.write_at(&[b'x'; 5000], 0).unwrap();
        assert_eq!(place.content(), [b'x'; 5000]);
        place.pair.finish().unwrap();
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
            place.pair.write_at(b"before", 0).unwrap();
            if spare {
                place.pair.write_at(&[b'x'; 5000], 6).unwrap();
            }
            let before = place.content();
            let end = before.len() as u64;
            std::fs::remove_dir_all(place.folder.path()).unwrap();
            place.pair.write_at(b"behind", end).unwrap();
            let path = place.folder.path().join("a.json");
            let now = path.clone();
            assert_eq!(place.pair.displaced(), Some(Displaced::Removed { now }));
            assert_eq!(place.pair.displaced(), None);
            assert!(place.content() == [&before[..], b"behind"].concat());
            assert_eq!(place.files(), ["a.json"]);
            // Again, and something else is there.
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, "mine").unwrap();
            place.pair.write_at(&[b'y'; 5000], end + 6).unwrap();
            let now = place.folder.path().join("a-2.json");
            let displaced = Displaced::Removed { now: now.clone() };
            assert_eq!(place.pair.displaced(), Some(displaced));
            place.pair.finish().unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), b"mine");
            assert_eq!(std::fs::read(&now).unwrap().len() as u64, end + 5006);
            // And at the end.
            std::fs::remove_file(&now).unwrap();
            place.pair.finish().unwrap();
            assert_eq!(std::fs::read(&now).unwrap().len() as u64, end + 5006);
            assert_eq!(place.files(), ["a-2.json", "a.json"]);
        }
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn a_file_that_cannot_be_written_again_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("b");
        std::fs::create_dir(&within).unwrap();
        let path = within.join("a.json");
        let mut pair = Pair::new(&path, create_new(&path).unwrap());
        pair.write_at(b"before", 0).unwrap();
        std::fs::remove_dir_all(&within).unwrap();
        std::fs::write(&within, "a file where its folder was").unwrap();
        pair.write_at(b"behind", 6).unwrap_err();
        pair.finish().unwrap_err();
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
        pair.write_at(&[b'x'; 5000], 0).unwrap();
        std::fs::rename(&before, &after).unwrap();
        pair.write_at(&[b'y'; 5000], 5000).unwrap();
        pair.finish().unwrap();
        let files: Vec<_> = std::fs::read_dir(&after).unwrap().collect();
        assert_eq!(files.len(), 1, "{files:?}");
        assert_eq!(std::fs::read(after.join("a.json")).unwrap().len(), 10_000);
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_was_moved_is_followed_and_what_took_its_place_is_let_be() {
        let mut place = Bench::new();
        place.pair.write_at(&[b'x'; 5000], 0).unwrap();
        let moved = place.folder.path().join("moved.json");
        std::fs::rename(&place.pair.path, &moved).unwrap();
        std::fs::write(&place.pair.path, "mine").unwrap();
        place.pair.write_at(&[b'y'; 5000], 5000).unwrap();
        place.pair.finish().unwrap();
        let path = place.folder.path().join("a.json");
        assert_eq!(std::fs::read(path).unwrap(), b"mine");
        assert_eq!(std::fs::read(moved).unwrap().len(), 10_000);
        assert_eq!(place.files(), ["a.json", "moved.json"]);
    }
}
