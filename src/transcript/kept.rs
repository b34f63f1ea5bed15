//! A file that is written to for long, and what others do to it meanwhile.
//!
//! Not what is in it. It promises that what somebody else has put at its path, or written into it, stays:
//! a file that cannot go on as it was goes on under another name. What is looked at is the path, the name
//! and the length, each of which costs next to nothing; who writes over it what is as long is not noticed,
//! and neither is one who is faster than what follows the look.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::ahead::Ahead;
use super::file::{Displaced, Restored};
use crate::limits;
use crate::private::{self, create_whole};

/// A file at its path.
pub struct Kept {
    path: PathBuf,
    file: Ahead,
    /// Octets that it has, unless somebody else wrote to it.
    length: u64,
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

/// What others have done to it.
pub(super) enum Standing {
    AsItWas,
    Moved,
    Removed,
    /// It has another length.
    Changed,
}

impl Kept {
    /// For a file that lies there.
    pub fn new(path: &Path, file: File) -> Self {
        Self {
            path: path.into(),
            length: system::length(&file).unwrap_or_default(),
            file: Ahead::new(file),
            place: Place::Path,
            displaced: None,
        }
    }

    /// Where it is, or was when that could be told last.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self) -> &File {
        self.file.file()
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// What others did to it since this was asked last.
    pub fn displaced(&mut self) -> Option<Displaced> {
        self.displaced.take()
    }

    /// Sees to it that more can be written: a file that was removed is written again, one that was moved is
    /// followed, and one that somebody else has written to is left to them: another one begins with `begin`
    /// alone.
    ///
    /// # Errors
    ///
    /// There is no room, or no right, for another file.
    pub fn keep(&mut self, begin: &[u8]) -> io::Result<()> {
        match self.standing() {
            Standing::AsItWas => Ok(()),
            Standing::Moved => {
                self.follow();
                Ok(())
            }
            Standing::Removed => self.write_again(),
            Standing::Changed => {
                let fill = |new: &File| system::write_all_at(new, begin, 0);
                self.write_elsewhere(fill, Restored::FromHereOn)
            }
        }
    }

    pub(super) fn standing(&self) -> Standing {
        match system::length(self.file()) {
            Ok(length) if length != self.length => Standing::Changed,
            _ if self.place == Place::Elsewhere || self.is_at_its_path() => Standing::AsItWas,
            _ if system::has_name(self.file()) => Standing::Moved,
            _ => Standing::Removed,
        }
    }

    pub(super) fn is_at_its_path(&self) -> bool {
        system::is_at(self.file(), &self.path)
    }

    /// The file was moved: it is written where it is. Whether that is known.
    pub(super) fn follow(&mut self) -> bool {
        let now = system::place(self.file());
        match &now {
            Some(now) => self.path.clone_from(now),
            None => self.place = Place::Elsewhere,
        }
        self.displaced = Some(Displaced::Moved { now });
        self.place == Place::Path
    }

    /// The file has no name any more: one that holds the same gets the path.
    pub(super) fn write_again(&mut self) -> io::Result<()> {
        let length = self.length;
        let (path, file) = written(&self.path, |new| copy(self.file(), new, 0..length))?;
        *self = Self::new(&path, file);
        self.displaced = Some(Displaced::Removed { now: path });
        Ok(())
    }

    /// Others wrote to the file: one that is filled anew takes its place, beside it.
    pub(super) fn write_elsewhere(
        &mut self,
        fill: impl Fn(&File) -> io::Result<()>,
        restored: Restored,
    ) -> io::Result<()> {
        let (now, file) = written(&self.path, fill)?;
        *self = Self::new(&now, file);
        self.displaced = Some(Displaced::Changed { now, restored });
        Ok(())
    }

    /// Another file of this length is at the path now. The length of the one that was, which `other` is now.
    pub(super) fn swap(&mut self, other: &mut Ahead, length: u64) -> u64 {
        std::mem::swap(&mut self.file, other);
        std::mem::replace(&mut self.length, length)
    }

    pub(super) fn write_at(&mut self, octets: &[u8], offset: u64) -> io::Result<()> {
        let written = self.file.write_all_at(octets, offset);
        match written {
            Ok(()) => self.length = self.length.max(offset + octets.len() as u64),
            // Some of them may be there.
            Err(_) => self.length = system::length(self.file()).unwrap_or(self.length),
        }
        written
    }

    /// Gives back the room on the disk that it was given ahead.
    pub(super) fn give_back(&mut self) {
        self.file.give_back(self.length);
    }

    pub(super) fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.length = length;
        Ok(())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Writes behind what is there.
impl Write for Kept {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.write_at(octets, self.length).map(|()| octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies what stands there in one file to the same place of another.
pub(super) fn copy(from: &File, to: &File, place: std::ops::Range<u64>) -> io::Result<()> {
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

/// Makes a file that `fill` fills at this path, and makes the folder if that is gone. Where something else
/// is, the name gets a number: `a-2.json`.
fn written(path: &Path, fill: impl Fn(&File) -> io::Result<()>) -> io::Result<(PathBuf, File)> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        private::folder().recursive(true).create(folder)?;
    }
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
        match create_whole(&path, |new| fill(new)) {
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
    use std::ops::Range;
    use std::os::unix::fs::{FileExt, MetadataExt};
    use std::path::{Path, PathBuf};

    use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};

    /// Fails with `WouldBlock` when somebody else has it; file systems without locks have none.
    pub(in super::super) fn lock(file: &File) -> io::Result<()> {
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

    /// Gives it room on the disk for these octets, without making it longer.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(in super::super) fn allocate(file: &File, octets: Range<u64>) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        let length = octets.end - octets.start;
        let allocate = || fallocate(file, FallocateFlags::KEEP_SIZE, octets.start, length);
        Ok(rustix::io::retry_on_intr(allocate)?)
    }

    /// Not to be had here.
    #[cfg(target_vendor = "apple")]
    pub(in super::super) fn allocate(_: &File, _: Range<u64>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Octets in it.
    pub(in super::super) fn length(file: &File) -> io::Result<u64> {
        Ok(file.metadata()?.len())
    }

    pub(in super::super) fn read_exact_at(
        file: &File,
        octets: &mut [u8],
        offset: u64,
    ) -> io::Result<()> {
        file.read_exact_at(octets, offset)
    }

    pub(in super::super) fn swap(one: &Path, other: &Path) -> io::Result<()> {
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(io::Error::from)
    }

    pub(in super::super) fn is_at(file: &File, path: &Path) -> bool {
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
    pub(in super::super) fn place(file: &File) -> Option<PathBuf> {
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
    use std::ops::Range;
    use std::path::{Path, PathBuf};

    /// Not to be had here.
    pub(in super::super) fn lock(_: &File) -> io::Result<()> {
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

    /// Likewise.
    pub(in super::super) fn allocate(_: &File, _: Range<u64>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Octets in it.
    pub(in super::super) fn length(file: &File) -> io::Result<u64> {
        Ok(file.metadata()?.len())
    }

    pub(in super::super) fn read_exact_at(
        mut file: &File,
        octets: &mut [u8],
        offset: u64,
    ) -> io::Result<()> {
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(octets)
    }

    pub(in super::super) fn swap(_: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Enough to remove what was made and never swapped.
    pub(in super::super) fn is_at(_: &File, path: &Path) -> bool {
        path.exists()
    }

    /// Nobody can tell.
    pub(super) fn has_name(_: &File) -> bool {
        true
    }

    /// Likewise.
    pub(in super::super) fn place(_: &File) -> Option<PathBuf> {
        None
    }
}
