//! The parts of literals that are too large to hold, until the message is there that they belong to.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Parts in a file that has no name and is gone with this process.
#[derive(Default)]
pub struct Spool {
    file: Option<File>,
    /// Where a part is, and its length.
    parts: HashMap<u64, (u64, usize)>,
    end: u64,
}

impl Spool {
    /// Keeps the part with this number.
    pub fn keep(&mut self, number: u64, octets: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(octets)?;
        self.parts.insert(number, (self.end, octets.len()));
        self.end += octets.len() as u64;
        Ok(())
    }

    /// The part with this number, which is not kept any more; empty if it never was.
    pub fn take(&mut self, number: u64) -> io::Result<Vec<u8>> {
        let (Some((start, length)), Some(file)) = (self.parts.remove(&number), &mut self.file)
        else {
            return Ok(Vec::new());
        };
        let mut octets = vec![0; length];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut octets)?;
        if self.parts.is_empty() {
            file.set_len(0)?;
            self.end = 0;
        }
        Ok(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_in_any_order_and_leave_nothing() {
        let mut spool = Spool::default();
        spool.keep(7, b"abc").unwrap();
        spool.keep(8, b"defgh").unwrap();
        assert_eq!(spool.take(8).unwrap(), b"defgh");
        spool.keep(9, b"i").unwrap();
        assert_eq!(spool.take(7).unwrap(), b"abc");
        assert_eq!(spool.take(9).unwrap(), b"i");
        assert_eq!(spool.take(9).unwrap(), b"");
        assert_eq!(spool.file.unwrap().metadata().unwrap().len(), 0);
    }
}
