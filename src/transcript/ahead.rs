//! A file that grows, and the room on its disk that it is given ahead.
//!
//! A file system that has to find room for every page, when the page is written, spends more on that than on
//! the octets. So a file that has become long asks for the room of the next octets in one call, where the
//! system has one (Linux). It promises that this is seen by nobody: the file has no octet that was not
//! written, a full disk is one no earlier, and room that was not needed is given back. A program that is killed
//! cannot give it back: then the file takes up to [`limits::WRITTEN_AHEAD`] more of the disk than it is long.

use std::fs::File;
use std::io;

use super::kept::system;
use crate::limits;

/// A file with room ahead.
pub(super) struct Ahead {
    file: File,
    room: Room,
}

/// The room on the disk for what is not written yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    /// The file is short, so that none was asked for.
    None,
    /// Up to this offset.
    UpTo(u64),
    /// The file system gives none, or has no more.
    Impossible,
}

impl Ahead {
    /// For a file as it is, without room ahead.
    pub(super) fn new(file: File) -> Self {
        let room = Room::None;
        Self { file, room }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Writes all octets there.
    ///
    /// # Errors
    ///
    /// Those of the system. Some of them may be there.
    pub(super) fn write_all_at(&mut self, octets: &[u8], offset: u64) -> io::Result<()> {
        let end = offset + octets.len() as u64;
        let has_room = match self.room {
            Room::None => end < limits::WRITTEN_AHEAD,
            Room::UpTo(room) => end <= room,
            Room::Impossible => true,
        };
        if !has_room {
            let room = end + limits::WRITTEN_AHEAD;
            self.room = match system::allocate(&self.file, offset..room) {
                Ok(()) => Room::UpTo(room),
                Err(_) => Room::Impossible,
            };
        }
        let written = system::write_all_at(&self.file, octets, offset);
        if written.is_err() {
            self.room = Room::Impossible;
        }
        written
    }

    /// Makes the file as long as this; what was asked for ahead is given back with what is cut off.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(super) fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        if matches!(self.room, Room::UpTo(_)) {
            self.room = Room::None;
        }
        Ok(())
    }

    /// Gives back the room behind the file's end, which is at `length`, unless others have changed it.
    pub(super) fn give_back(&mut self, length: u64) {
        let has_room = matches!(self.room, Room::UpTo(_));
        if has_room && system::length(&self.file).is_ok_and(|now| now == length) {
            let _ = self.set_len(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: usize = limits::WRITTEN_AHEAD as usize + 10;

    fn file() -> Ahead {
        Ahead::new(tempfile::tempfile().unwrap())
    }

    /// Octets of the disk that it takes.
    #[cfg(target_os = "linux")]
    fn taken(file: &Ahead) -> u64 {
        use std::os::unix::fs::MetadataExt;
        file.file().metadata().unwrap().blocks() * 512
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_long_file_has_room_ahead_and_gives_it_back() {
        let mut file = file();
        let length = LONG as u64;
        file.write_all_at(&[b'x'; LONG - 100], 0).unwrap();
        file.write_all_at(&[b'y'; 100], length - 100).unwrap();
        assert_eq!(system::length(file.file()).unwrap(), length);
        assert!(taken(&file) >= length + limits::WRITTEN_AHEAD - 100);
        file.give_back(length);
        assert_eq!(system::length(file.file()).unwrap(), length);
        assert!(taken(&file) < length + 1_000_000);
        // It is written on, and has room again.
        file.write_all_at(b"zz", length - 1).unwrap();
        assert!(taken(&file) > length + 1_000_000);
        let mut content = vec![0; LONG + 1];
        system::read_exact_at(file.file(), &mut content, 0).unwrap();
        let (begin, end) = content.split_at(LONG - 100);
        assert!(begin.iter().all(|octet| *octet == b'x'));
        assert_eq!(end, [&[b'y'; 99][..], b"zz"].concat());
        // What is cut off has no room either.
        file.set_len(10).unwrap();
        assert!(taken(&file) < 1_000_000);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_short_file_takes_no_more_than_it_is_long() {
        let mut file = file();
        for place in 0..10 {
            file.write_all_at(&[b'x'; 1000], place * 1000).unwrap();
        }
        assert!(taken(&file) < 1_000_000);
    }

    #[test]
    fn what_others_wrote_behind_it_stays() {
        let mut file = file();
        file.write_all_at(&[b'x'; LONG], 0).unwrap();
        system::write_all_at(file.file(), b"theirs", LONG as u64).unwrap();
        file.give_back(LONG as u64);
        let mut theirs = [0; 6];
        system::read_exact_at(file.file(), &mut theirs, LONG as u64).unwrap();
        assert_eq!(&theirs, b"theirs");
    }
}
