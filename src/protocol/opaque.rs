//! Octets that no message can be made of, as events.
//!
//! A remembered secret may be cut by two reads, so that neither shows it. Therefore the last octets
//! of a read ([`Gate::undecided`]) are told with the next one, or at the end; the relay does not
//! wait for that. At most two reads and [`limits::SECRET_LENGTH`](crate::limits::SECRET_LENGTH)
//! octets are held.

use std::ops::Range;

use crate::event::{
    Body, Draft, Gate, Message, Micros, Peer, Reading, Relation, Said, Sealed, Secret,
    leading_base64,
};

/// An event of octets that no message can be made of.
pub(super) fn opaque(ordinal: u64, from: Peer, wire: Sealed, at: Micros) -> Draft {
    let relation = match from {
        Peer::Client => Relation::None,
        Peer::Server => Relation::Unsolicited,
    };
    Draft::new(
        ordinal,
        at,
        Body::Said(Box::new(Said {
            relation,
            ..Said::new(from, wire, Reading::Opaque)
        })),
    )
}

/// One direction's octets that are not told yet.
#[derive(Default)]
pub(super) struct Untold {
    octets: Vec<u8>,
    /// When the first of them was read.
    at: Micros,
    /// What was told last ends within a mask.
    in_mask: bool,
}

impl Untold {
    /// Adds what was read. What is to be told now, if anything.
    pub(super) fn read(
        &mut self,
        octets: &[u8],
        at: Micros,
        gate: &Gate,
    ) -> Option<(Sealed, Micros)> {
        self.push(octets, at);
        let decided = self.octets.len() - gate.undecided(&self.octets);
        self.tell(decided, gate)
    }

    /// Nothing follows: what is left.
    pub(super) fn end(&mut self, gate: &Gate) -> Option<(Sealed, Micros)> {
        let told = match self.octets.len() {
            0 => None,
            all => self.tell(all, gate),
        };
        self.in_mask = false;
        told
    }

    /// Adds what was read, all of it secret; what is left is so too.
    pub(super) fn secret(&mut self, octets: &[u8], at: Micros, gate: &Gate) -> (Sealed, Micros) {
        self.push(octets, at);
        let (octets, at) = self.take();
        let all = [(0..octets.len(), Secret::Unreadable)];
        (gate.seal(Message::text(&octets), &all), at)
    }

    /// What is left, as it was read, and when.
    pub(super) fn take(&mut self) -> (Vec<u8>, Micros) {
        let Self { octets, at, .. } = std::mem::take(self);
        (octets, at)
    }

    fn push(&mut self, octets: &[u8], at: Micros) {
        if self.octets.is_empty() {
            self.at = at;
        }
        self.octets.extend_from_slice(octets);
    }

    fn tell(&mut self, mut end: usize, gate: &Gate) -> Option<(Sealed, Micros)> {
        let masks = self.masks(gate);
        if let Some(cut) = masks.iter().find(|mask| mask.start < end && end < mask.end) {
            // Another secret may begin within this one; but it is not held for ever.
            end = match cut.start {
                0 => cut.end,
                start => start,
            };
        }
        if end == 0 {
            return None;
        }
        let secret: Vec<_> = masks
            .into_iter()
            .filter(|mask| mask.start < end)
            .map(|mask| (mask, Secret::Password))
            .collect();
        self.in_mask = secret
            .last()
            .is_some_and(|(mask, _)| mask.end == self.octets.len());
        let rest = self.octets.split_off(end);
        let told = Message::text(&std::mem::replace(&mut self.octets, rest));
        Some((gate.seal(told, &secret), self.at))
    }

    /// Where secrets stand, and what goes on a word that was masked at its beginning.
    fn masks(&self, gate: &Gate) -> Vec<Range<usize>> {
        let mut masks = gate.occurrences(&self.octets);
        let goes_on = match self.in_mask {
            true => leading_base64(&self.octets),
            false => 0,
        };
        match masks.first_mut() {
            _ if goes_on == 0 => {}
            Some(first) if first.start <= goes_on => *first = 0..first.end.max(goes_on),
            _ => masks.insert(0, 0..goes_on),
        }
        masks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Secrets;
    use crate::limits;

    /// What is told of the octets, read in pieces of this length.
    fn told(octets: &[u8], read: usize, gate: &Gate) -> String {
        let mut untold = Untold::default();
        let mut told = Vec::new();
        for piece in octets.chunks(read) {
            told.extend(untold.read(piece, Micros(1), gate));
            assert!(untold.octets.len() <= limits::SECRET_LENGTH + 2 * read);
        }
        told.extend(untold.end(gate));
        let wires = told.iter().flat_map(|(wire, _)| wire.bytes().to_vec());
        String::from_utf8(wires.collect()).unwrap()
    }

    #[test]
    fn a_secret_cut_by_reads_is_masked() {
        let gate = Gate::new(Secrets::Masked);
        gate.remember(b"hunter2");
        let filler = "x ".repeat(5000);
        for text in [
            "no hunter2!",
            "no AGFsaWNlAGh1bnRlcjI= is wrong",
            "x\nhunter2\n",
            &format!("{filler}hunter2{filler}"),
            &format!("{filler}AGFsaWNlAGh1bnRlcjI={filler}"),
        ] {
            let whole = told(text.as_bytes(), text.len(), &gate);
            assert!(whole.contains("********"), "{whole}");
            for read in [1, 2, 3, 5, 4095, 4096, 4097] {
                assert_eq!(
                    told(text.as_bytes(), read, &gate),
                    whole,
                    "{read} at a time"
                );
            }
        }
    }

    #[test]
    fn a_word_of_base64_is_masked_to_its_end_however_long() {
        let gate = Gate::new(Secrets::Masked);
        gate.remember(&[b'h'; 50_000]);
        let word = "aGho".repeat(50_000 / 3);
        for read in [1000, 4096, 10_000] {
            let told = told(format!("a {word} b\n").as_bytes(), read, &gate);
            let rest = told.replace("********", "");
            assert_eq!(rest, "a  b\n", "{read} at a time");
        }
    }

    #[test]
    fn what_nothing_is_remembered_of_is_told_at_once() {
        let gate = Gate::new(Secrets::Masked);
        let mut untold = Untold::default();
        let (wire, at) = untold.read(b"abc", Micros(7), &gate).unwrap();
        assert_eq!((wire.bytes(), at), (&b"abc"[..], Micros(7)));
        assert!(untold.end(&gate).is_none());
    }
}
