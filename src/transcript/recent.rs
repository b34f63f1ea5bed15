//! What was written to a file last, kept so that another file can be brought up to date without
//! reading it again.
//!
//! Not a cache of the file: it holds the octets from one place on, as long as they are few.

use std::fs::File;

use super::kept::system;
use crate::limits;

/// Octets that are kept: of a long write, and what comes behind it up to the end of a page.
const KEPT: usize = limits::TRANSCRIPT_WRITE + 8 * 1024;

/// The octets of a file from one place to its end, or none.
#[derive(Default)]
pub(super) struct Recent {
    start: u64,
    octets: Vec<u8>,
}

impl Recent {
    /// All of this file, if that is little.
    pub(super) fn of(file: &File, length: u64) -> Self {
        let mut recent = Self::default();
        let octets = usize::try_from(length)
            .ok()
            .filter(|length| *length <= KEPT);
        recent.octets.resize(octets.unwrap_or_default(), 0);
        if system::read_exact_at(file, &mut recent.octets, 0).is_err() {
            recent.forget();
        }
        recent
    }

    /// These octets were written, and end the file; what stands before them is of no interest.
    pub(super) fn begin(&mut self, octets: &[u8], start: u64) {
        self.forget();
        self.start = start;
        self.extend(octets);
    }

    /// These octets were written, and end the file; those before them stay of interest.
    pub(super) fn add(&mut self, octets: &[u8], start: u64) {
        match self.length_to(start) {
            Some(kept) => {
                self.octets.truncate(kept);
                self.extend(octets);
            }
            None => self.forget(),
        }
    }

    /// The file may hold something else.
    pub(super) fn forget(&mut self) {
        self.octets.clear();
    }

    /// The file's octets from `start` to `end`, if they are here.
    pub(super) fn between(&self, start: u64, end: u64) -> Option<&[u8]> {
        self.octets
            .get(self.length_to(start)?..self.length_to(end)?)
    }

    fn extend(&mut self, octets: &[u8]) {
        match self.octets.len() + octets.len() <= KEPT {
            true => self.octets.extend_from_slice(octets),
            false => self.forget(),
        }
    }

    /// How many of the octets stand before this place in the file.
    fn length_to(&self, place: u64) -> Option<usize> {
        let length = usize::try_from(place.checked_sub(self.start)?).ok()?;
        (!self.octets.is_empty() && length <= self.octets.len()).then_some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_last_is_there_and_what_was_overwritten_is_not() {
        let mut recent = Recent::default();
        recent.add(b"nothing was begun", 0);
        assert_eq!(recent.between(0, 1), None);
        recent.begin(b"abc]}", 10);
        recent.add(b"de]}", 13);
        assert_eq!(recent.between(10, 15), Some(&b"abcde"[..]));
        assert_eq!(recent.between(12, 13), Some(&b"c"[..]));
        assert_eq!(recent.between(9, 12), None);
        assert_eq!(recent.between(10, 18), None);
    }

    #[test]
    fn what_does_not_follow_or_is_too_much_is_not_kept() {
        let mut recent = Recent::default();
        recent.begin(b"abc", 10);
        recent.add(b"x", 14);
        assert_eq!(recent.between(10, 13), None);
        recent.begin(b"abc", 10);
        recent.add(&vec![b'x'; KEPT], 13);
        assert_eq!(recent.between(10, 13), None);
    }
}
