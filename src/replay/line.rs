//! A server's message that is to be said again.

use std::ops::Range;

use crate::event::Secret;

/// A server's message, in which the tag is still to be filled in.
#[derive(Default)]
pub struct Line(Vec<Chunk>);

enum Chunk {
    Octets(Vec<u8>),
    Tag,
}

impl Line {
    /// Its octets, for a command with this tag.
    pub fn with_tag(&self, tag: &[u8]) -> Vec<u8> {
        let mut octets = Vec::new();
        for chunk in &self.0 {
            octets.extend_from_slice(match chunk {
                Chunk::Octets(chunk) => chunk,
                Chunk::Tag => tag,
            });
        }
        octets
    }

    /// Adds another's.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Adds the command's tag.
    pub fn tag(&mut self) {
        self.0.push(Chunk::Tag);
    }

    /// Adds octets.
    pub fn octets(&mut self, octets: &[u8]) {
        match self.0.last_mut() {
            Some(Chunk::Octets(last)) => last.extend_from_slice(octets),
            _ => self.0.push(Chunk::Octets(octets.to_vec())),
        }
    }

    /// Adds text that begins at this octet of the message, with the tags in it left open.
    pub fn text(&mut self, text: &[u8], start: usize, tags: &[Range<usize>]) {
        let mut at = 0;
        for tag in tags {
            let is_within = tag.start >= start + at && tag.end <= start + text.len();
            if is_within {
                self.octets(&text[at..tag.start - start]);
                self.0.push(Chunk::Tag);
                at = tag.end - start;
            }
        }
        self.octets(&text[at..]);
    }
}

/// What is said where a recording has a mask: a challenge has to be base64.
pub fn stand_in(secret: Secret) -> &'static [u8] {
    match secret {
        Secret::Challenge => b"bWFza2Vk",
        _ => b"masked",
    }
}
