//! What a client sent behind a literal's header before the server decided whether it may (RFC 9051,
//! section 4.3), or behind STARTTLS before it agreed (section 6.2.1): held until then, within
//! [`limits::UNDECIDED_HELD`](crate::limits::UNDECIDED_HELD).

use crate::event::Micros;

/// Octets, and how many of them were read when.
#[derive(Default)]
pub(super) struct Undecided {
    pub(super) octets: Vec<u8>,
    pub(super) reads: Vec<(usize, Micros)>,
}

impl Undecided {
    pub(super) fn push(&mut self, octets: &[u8], at: Micros) {
        self.octets.extend_from_slice(octets);
        match self.reads.last_mut() {
            Some((length, last)) if *last == at => *length += octets.len(),
            _ => self.reads.push((octets.len(), at)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// When the first of them was read.
    pub(super) fn at(&self) -> Micros {
        self.reads.first().map_or(Micros::default(), |(_, at)| *at)
    }
}
