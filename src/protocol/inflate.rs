//! Deflate data (RFC 1951) inflated piece by piece, for the reader's copy of a compressed direction
//! (RFC 4978). The wire itself is passed on as it is.
//!
//! ```text
//! input -> next -> octets, octets, ... -> none: the input is used up
//! ```
//!
//! Promises: no more than [`limits::INFLATED`] octets are held, whatever the data says; any split of
//! the data gives the same octets; all octets that the data read so far stands for are handed out,
//! for a peer that flushes waits for an answer.

use flate2::{Decompress, FlushDecompress, Status};

use crate::limits;

/// Inflates one direction.
pub struct Inflater {
    inflate: Decompress,
    buffer: Box<[u8]>,
}

/// The data is no deflate data, or goes on behind its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

impl Inflater {
    /// Begins with a new stream, without a zlib header (RFC 4978, section 3).
    pub fn new() -> Self {
        Self {
            inflate: Decompress::new(false),
            buffer: vec![0; limits::INFLATED].into(),
        }
    }

    /// The next octets, for data taken from the front of `input`; none when that is used up.
    ///
    /// # Errors
    ///
    /// The data is damaged; what is left in `input` was not inflated.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<&[u8]>, Damaged> {
        loop {
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let outcome = self
                .inflate
                .decompress(input, &mut self.buffer, FlushDecompress::None);
            // Both differences are within the two buffers' lengths.
            let taken = usize::try_from(self.inflate.total_in() - read).unwrap_or(input.len());
            let length = usize::try_from(self.inflate.total_out() - written).unwrap_or_default();
            *input = &input[taken.min(input.len())..];
            match outcome {
                _ if length > 0 => return Ok(Some(&self.buffer[..length])),
                Err(_) => return Err(Damaged),
                Ok(Status::StreamEnd) if !input.is_empty() => return Err(Damaged),
                Ok(_) if taken == 0 => return Ok(None),
                Ok(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    /// Deflate data with a flush behind each part.
    fn deflated(parts: &[&[u8]]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        for part in parts {
            encoder.write_all(part).unwrap();
            encoder.flush().unwrap();
        }
        encoder.get_ref().clone()
    }

    fn inflated(reads: &[&[u8]]) -> Result<Vec<u8>, Damaged> {
        let mut inflater = Inflater::new();
        let mut octets = Vec::new();
        for read in reads {
            let mut input = *read;
            while let Some(run) = inflater.next(&mut input)? {
                octets.extend_from_slice(run);
            }
            assert!(input.is_empty());
        }
        Ok(octets)
    }

    #[test]
    fn any_split_gives_the_same_octets() {
        let data = deflated(&[b"a NOOP\r\n", b"b NOOP\r\n", b"c LOGOUT\r\n"]);
        let expected = Ok(b"a NOOP\r\nb NOOP\r\nc LOGOUT\r\n".to_vec());
        assert_eq!(inflated(&[&data]), expected);
        let single: Vec<&[u8]> = data.chunks(1).collect();
        assert_eq!(inflated(&single), expected);
        for split in 0..data.len() {
            assert_eq!(inflated(&[&data[..split], &data[split..]]), expected);
        }
    }

    #[test]
    fn what_was_flushed_is_there_at_once() {
        let one = deflated(&[b"a NOOP\r\n"]);
        let both = deflated(&[b"a NOOP\r\n", b"b NOOP\r\n"]);
        assert!(both.starts_with(&one));
        assert_eq!(inflated(&[&one]), Ok(b"a NOOP\r\n".to_vec()));
    }

    #[test]
    fn what_inflates_to_very_much_comes_in_bounded_runs() {
        let zeros = vec![0; 40 * limits::INFLATED];
        let data = deflated(&[&zeros]);
        let mut input = data.as_slice();
        let mut inflater = Inflater::new();
        let mut octets = 0;
        while let Some(run) = inflater.next(&mut input).unwrap() {
            assert!(run.len() <= limits::INFLATED);
            octets += run.len();
        }
        assert_eq!(octets, zeros.len());
    }

    #[test]
    fn what_is_no_deflate_data_is_damaged() {
        assert_eq!(inflated(&[b"a NOOP\r\n"]), Err(Damaged));
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"a NOOP\r\n").unwrap();
        let mut ended = encoder.finish().unwrap();
        assert_eq!(inflated(&[&ended]), Ok(b"a NOOP\r\n".to_vec()));
        ended.push(b'x');
        assert_eq!(inflated(&[&ended]), Err(Damaged));
    }

    #[test]
    fn what_refers_to_octets_before_the_first_is_damaged() {
        // `* OK `, then three octets from 1025 before; flushed.
        let data = b"\xd2\x52\xf0\xf7\x56\x00\x16\x00\x00\x00\x00\x00\xff\xff";
        assert_eq!(inflated(&[data]), Err(Damaged));
        let single: Vec<&[u8]> = data.chunks(1).collect();
        assert_eq!(inflated(&single), Err(Damaged));
    }
}
