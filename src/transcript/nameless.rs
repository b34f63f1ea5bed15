//! A file without a name, until it is whole and may have one.
//!
//! What lies in it is gone when this process is, however it ends, and nobody else can open it. It
//! promises that a file which is there is never overwritten, and that a name is given in one step where
//! the system can give one to such a file (Linux); elsewhere what is whole is copied.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::error::{Error, Result};
use crate::event::Event;
use crate::private::create_new;

use super::document::{Document, Storage};
use super::header::Header;
use super::kept::system;

/// A file without a name, which its owner alone may read once it has one.
pub struct Nameless {
    file: File,
}

impl Nameless {
    /// In this folder, or rather on the disk that it is on.
    ///
    /// # Errors
    ///
    /// No file can be made there.
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        Self::of(named::open(folder).or_else(|_| tempfile::tempfile_in(folder))?)
    }

    fn of(file: File) -> io::Result<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
        Ok(Self { file })
    }

    /// Reads it from its beginning. One at a time.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn read(&self) -> io::Result<impl Read + Send + use<>> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    /// Octets in it.
    pub fn length(&self) -> u64 {
        self.file.metadata().map_or(0, |file| file.len())
    }

    /// Gives it this name.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` where something is there; those of the system.
    pub fn publish(self, path: &Path) -> io::Result<()> {
        let _ = self.file.sync_data();
        match named::link(&self.file, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {}
            linked => return linked,
        }
        let mut there = create_new(path)?;
        let copied = io::copy(&mut self.read()?, &mut there);
        if copied.is_err() {
            let _ = std::fs::remove_file(path); // it is ours, and no whole one
        }
        copied.map(|_| ())
    }
}

impl Write for Nameless {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.file.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Storage for Nameless {
    fn write_at(&mut self, octets: &[u8], offset: u64) -> io::Result<()> {
        system::write_all_at(&self.file, octets, offset)
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }
}

/// A transcript that is being made in such a file.
pub struct NamelessTranscript {
    document: Document<Nameless>,
}

impl NamelessTranscript {
    /// A transcript without events.
    ///
    /// # Errors
    ///
    /// No file can be made in this folder.
    pub fn begin(folder: &Path, header: &Header) -> io::Result<Self> {
        let document = Document::begin(Nameless::in_folder(folder)?, header)?;
        Ok(Self { document })
    }

    /// Adds events.
    ///
    /// # Errors
    ///
    /// They cannot be written: a full disk.
    pub fn append(&mut self, events: &[Event]) -> Result<()> {
        let written = self.document.append(events);
        written.map_err(|why| {
            Error::new("write a file without a name", why).hint("make room on that disk")
        })
    }

    /// Events in it.
    pub fn events(&self) -> u64 {
        self.document.events()
    }

    /// The file, whole.
    pub fn finish(self) -> Nameless {
        self.document.into_storage()
    }
}

#[cfg(target_os = "linux")]
mod named {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd;
    use std::path::Path;

    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open as open_with};

    /// One that can be given a name later.
    pub(super) fn open(folder: &Path) -> io::Result<File> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = open_with(folder, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(file.into())
    }

    pub(super) fn link(file: &File, path: &Path) -> io::Result<()> {
        let own = format!("/proc/self/fd/{}", file.as_raw_fd());
        Ok(linkat(CWD, own, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod named {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    /// Not to be had here.
    pub(super) fn open(_: &Path) -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn link(_: &File, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let files = std::fs::read_dir(folder).unwrap();
        let name = |file: io::Result<std::fs::DirEntry>| file.unwrap().file_name();
        files
            .map(|file| name(file).into_string().unwrap())
            .collect()
    }

    fn with_and_without_names(folder: &Path) -> [Nameless; 2] {
        let file = tempfile::tempfile_in(folder).unwrap();
        [
            Nameless::in_folder(folder).unwrap(),
            Nameless::of(file).unwrap(),
        ]
    }

    #[test]
    fn it_has_no_name_until_it_is_given_one_and_never_takes_anothers() {
        for turn in 0..2 {
            let folder = tempfile::tempdir().unwrap();
            let pick = |folder: &Path| {
                let [one, other] = with_and_without_names(folder);
                if turn == 0 { one } else { other }
            };
            let mut file = pick(folder.path());
            file.write_all(b"whole").unwrap();
            assert_eq!(names(folder.path()), [""; 0]);
            let path = folder.path().join("a");
            file.publish(&path).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), b"whole");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            }
            let mut file = pick(folder.path());
            file.write_all(b"other").unwrap();
            let error = file.publish(&path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read(&path).unwrap(), b"whole");
            assert_eq!(names(folder.path()), ["a"]);
        }
    }
}
