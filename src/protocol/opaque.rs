//! Octets that no message can be made of, as events.
//!
//! A remembered secret may be cut by two reads, so that neither shows it. Therefore the last octets
//! of a read ([`Gate::undecided`]) are told with the next one, or at the end; the relay does not
//! wait for that. At most two reads and [`limits::SECRET_LENGTH`](crate::limits::SECRET_LENGTH)
//! octets are held.

use std::collections::VecDeque;
use std::ops::Range;

use crate::event::{
    Body, Draft, Gate, Message, Micros, Passed, Peer, Reading, Relation, Said, Sealed, Secret,
    leading_base64,
};

/// What became of octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// They went on to the other peer.
    Passed,
    /// They went nowhere.
    Dropped,
}

/// Octets that are to be told.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) wire: Sealed,
    /// When the first of them was read.
    pub(super) at: Micros,
    pub(super) fate: Fate,
}

/// An event of octets that no message can be made of.
pub(super) fn opaque(ordinal: u64, from: Peer, told: Told) -> Draft {
    let Told { wire, at, fate } = told;
    let passed = match fate {
        Fate::Passed => Passed::AsRead,
        Fate::Dropped => Passed::Instead(Sealed::default()),
    };
    let relation = match from {
        Peer::Client => Relation::None,
        Peer::Server => Relation::Unsolicited,
    };
    Draft::new(
        ordinal,
        at,
        Body::Said(Box::new(Said {
            relation,
            passed,
            ..Said::new(from, wire, Reading::Opaque)
        })),
    )
}

/// One direction's octets that are not told yet.
#[derive(Default)]
pub(super) struct Untold {
    octets: Vec<u8>,
    /// What became of them, in order; neighbours differ.
    runs: VecDeque<Run>,
    /// What was told last ends within a mask.
    in_mask: bool,
}

/// Octets with the same fate.
struct Run {
    length: usize,
    /// When the first of them was read.
    at: Micros,
    fate: Fate,
}

impl Untold {
    /// Adds what was read. What is to be told now, if anything.
    pub(super) fn read(&mut self, octets: &[u8], fate: Fate, at: Micros, gate: &Gate) -> Vec<Told> {
        self.push(octets, fate, at);
        let decided = self.octets.len() - gate.undecided(&self.octets);
        self.tell(decided, gate)
    }

    /// Nothing follows: what is left.
    pub(super) fn end(&mut self, gate: &Gate) -> Vec<Told> {
        let told = self.tell(self.octets.len(), gate);
        self.in_mask = false;
        told
    }

    /// Adds what was read, all of it secret; what is left is so too.
    pub(super) fn secret(
        &mut self,
        octets: &[u8],
        fate: Fate,
        at: Micros,
        gate: &Gate,
    ) -> Vec<Told> {
        self.push(octets, fate, at);
        let all = 0..self.octets.len();
        let told = self.told(all.len(), &[(all, Secret::Unreadable)], gate);
        self.in_mask = false;
        told
    }

    /// What is left, as it was read, and when.
    pub(super) fn take(&mut self) -> (Vec<u8>, Micros) {
        let Self { octets, runs, .. } = std::mem::take(self);
        (octets, runs.front().map(|run| run.at).unwrap_or_default())
    }

    fn push(&mut self, octets: &[u8], fate: Fate, at: Micros) {
        let length = octets.len();
        match self.runs.back_mut() {
            Some(last) if last.fate == fate => last.length += length,
            _ if length > 0 => self.runs.push_back(Run { length, at, fate }),
            _ => {}
        }
        self.octets.extend_from_slice(octets);
    }

    fn tell(&mut self, mut end: usize, gate: &Gate) -> Vec<Told> {
        if end == 0 {
            return Vec::new(); // as behind every message
        }
        let masks = self.masks(gate);
        if let Some(cut) = masks.iter().find(|mask| mask.start < end && end < mask.end) {
            // Another secret may begin within this one; but it is not held for ever.
            end = match cut.start {
                0 => cut.end,
                start => start,
            };
        }
        if end == 0 {
            return Vec::new();
        }
        let secret: Vec<_> = masks
            .into_iter()
            .filter(|mask| mask.start < end)
            .map(|mask| (mask, Secret::Password))
            .collect();
        self.in_mask = secret
            .last()
            .is_some_and(|(mask, _)| mask.end == self.octets.len());
        self.told(end, &secret, gate)
    }

    /// The first octets, up to `end`; a secret may begin in one run and end in another.
    fn told(&mut self, end: usize, secret: &[(Range<usize>, Secret)], gate: &Gate) -> Vec<Told> {
        let rest = self.octets.split_off(end);
        let octets = std::mem::replace(&mut self.octets, rest);
        let mut told = Vec::new();
        let mut start = 0;
        while start < end
            && let Some(run) = self.runs.front_mut()
        {
            let stop = end.min(start + run.length);
            let within = secret
                .iter()
                .filter(|(mask, _)| mask.start < stop && start < mask.end)
                .map(|(mask, kind)| {
                    (
                        mask.start.max(start) - start..mask.end.min(stop) - start,
                        *kind,
                    )
                });
            let within: Vec<_> = within.collect();
            told.push(Told {
                wire: gate.seal(Message::text(&octets[start..stop]), &within),
                at: run.at,
                fate: run.fate,
            });
            run.length -= stop - start;
            if run.length == 0 {
                self.runs.pop_front();
            }
            start = stop;
        }
        told
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
            told.extend(untold.read(piece, Fate::Passed, Micros(1), gate));
            assert!(untold.octets.len() <= limits::SECRET_LENGTH + 2 * read);
        }
        told.extend(untold.end(gate));
        let wires = told.iter().flat_map(|told| told.wire.bytes().to_vec());
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
        let told = untold.read(b"abc", Fate::Passed, Micros(7), &gate);
        let [told] = told.as_slice() else {
            panic!("{} events", told.len());
        };
        assert_eq!((told.wire.bytes(), told.at), (&b"abc"[..], Micros(7)));
        assert!(untold.end(&gate).is_empty());
    }

    /// Of a secret of which a part went on and the rest did not, neither is shown.
    #[test]
    fn what_became_of_octets_is_told_of_each() {
        let gate = Gate::new(Secrets::Masked);
        gate.remember(b"hunter2");
        let mut untold = Untold::default();
        let mut told = untold.read(b"no hun", Fate::Dropped, Micros(1), &gate);
        told.extend(untold.read(b"ter2", Fate::Passed, Micros(2), &gate));
        told.extend(untold.read(b"!\n", Fate::Passed, Micros(3), &gate));
        told.extend(untold.end(&gate));
        let told: Vec<_> = told
            .iter()
            .map(|told| (told.wire.bytes(), told.at.0, told.fate))
            .collect();
        assert_eq!(
            told,
            [
                (&b"no ********"[..], 1, Fate::Dropped),
                (b"********!\n", 2, Fate::Passed)
            ]
        );
    }
}
