//! What COMPRESS=DEFLATE (RFC 4978) would have made of a connection's octets.
//!
//! They are deflated, fast and not well, with a flush behind every message that is waited for, as a
//! server or an app does it; so the figure is rather too low than too high. Of each direction the first
//! [`limits::STATS_DEFLATED`] octets are, and the others are taken to be alike.

use flate2::{Compress, Compression, FlushCompress};

use crate::event::Peer;
use crate::limits;

/// A connection's octets from the login on.
#[derive(Default)]
pub(in super::super) struct Deflated {
    client: Direction,
    server: Direction,
}

#[derive(Default)]
struct Direction {
    deflate: Option<Box<Compress>>,
    octets: u64,
    sampled: u64,
    deflated: u64,
}

/// Whether the peer waits for an answer behind this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Behind {
    /// More may follow at once.
    More,
    /// What was said is sent.
    Flush,
}

impl Deflated {
    /// Takes in what a peer said.
    pub(in super::super) fn take(&mut self, from: Peer, octets: &[u8], behind: Behind) {
        let direction = match from {
            Peer::Client => &mut self.client,
            Peer::Server => &mut self.server,
        };
        direction.take(octets, behind);
    }

    /// Octets that need not have been sent.
    pub(in super::super) fn saved(&self) -> u64 {
        self.client.saved() + self.server.saved()
    }
}

impl Direction {
    fn take(&mut self, octets: &[u8], behind: Behind) {
        self.octets += octets.len() as u64;
        if self.sampled >= limits::STATS_DEFLATED {
            self.deflate = None;
            return;
        }
        self.sampled += octets.len() as u64;
        let new = || Box::new(Compress::new(Compression::fast(), false));
        let deflate = self.deflate.get_or_insert_with(new);
        let before = deflate.total_out();
        let mut rest = octets;
        let mut buffer = [0; 4096];
        let flush = match behind {
            Behind::More => FlushCompress::None,
            Behind::Flush => FlushCompress::Sync,
        };
        loop {
            let (read, written) = (deflate.total_in(), deflate.total_out());
            if deflate.compress(rest, &mut buffer, flush).is_err() {
                break;
            }
            let taken = usize::try_from(deflate.total_in() - read).unwrap_or(rest.len());
            rest = &rest[taken.min(rest.len())..];
            let is_full = deflate.total_out() - written == buffer.len() as u64;
            if !is_full && (rest.is_empty() || taken == 0) {
                break;
            }
        }
        self.deflated += deflate.total_out() - before;
    }

    fn saved(&self) -> u64 {
        let saved = self.sampled.saturating_sub(self.deflated);
        let all = u128::from(saved) * u128::from(self.octets) / u128::from(self.sampled.max(1));
        u64::try_from(all).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(octets: &[u8], pieces: usize) -> u64 {
        let mut deflated = Deflated::default();
        for piece in octets.chunks(pieces) {
            deflated.take(Peer::Server, piece, Behind::Flush);
        }
        deflated.saved()
    }

    #[test]
    fn the_like_of_it_is_saved_and_noise_is_not() {
        let line = b"* 1 FETCH (FLAGS (\\Seen) UID 12)\r\n".repeat(1000);
        assert!(saved(&line, line.len()) > line.len() as u64 * 9 / 10);
        assert!(saved(&line, 34) > line.len() as u64 / 2);
        let mut noise = vec![0_u8; 20_000];
        let mut seed = 9051_u64;
        for octet in &mut noise {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            *octet = (seed >> 56) as u8;
        }
        assert_eq!(saved(&noise, noise.len()), 0);
    }

    #[test]
    fn beyond_the_sample_all_is_taken_to_be_alike() {
        let some = b"* 1 FETCH (FLAGS (\\Seen) UID 12)\r\n".repeat(500);
        let mut deflated = Deflated::default();
        for _ in 0..1000 {
            deflated.take(Peer::Server, &some, Behind::Flush);
        }
        assert!(deflated.server.sampled < 2 * limits::STATS_DEFLATED);
        assert!(deflated.server.deflate.is_none());
        assert_eq!(deflated.server.octets, 1000 * some.len() as u64);
        assert!(deflated.saved() > deflated.server.octets * 9 / 10);
    }
}
