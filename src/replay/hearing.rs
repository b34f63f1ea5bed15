//! What both sides of a live connection say, read twice: masked, for all who look on, and as it is,
//! for what is recorded to be compared with. A mask would be like anything.
//!
//! ```text
//! C: a LOGIN alice test
//! C: b SELECT latest       compared     SELECT latest
//!                          looked on    SELECT <secret:password>
//! ```
//!
//! Nothing of the second reading is an event. What of it is held is the command that is being
//! answered, and those behind it.

use super::raw::Unmasked;
use crate::event::{Body, Draft, Gate, Micros, Peer, Piece, Reading, Said, Secrets};
use crate::protocol::imap::{Observer, Setting, State};
use crate::protocol::{Protocol, Verdict};
use crate::recording::told;

/// A message that was heard.
#[derive(Clone)]
pub struct Word {
    /// What answers refer to.
    pub ordinal: u64,
    /// As it is.
    pub said: Box<Said>,
    /// As others may see it.
    pub told: Told,
}

/// How others may see a message.
#[derive(Clone)]
pub enum Told {
    /// As it is.
    AsSaid,
    /// With a mask.
    Masked(Box<Said>),
    /// Nobody knows.
    Unknown,
}

impl Word {
    /// The message as others may see it, if that is known.
    pub fn told(&self) -> Option<&Said> {
        match &self.told {
            Told::AsSaid => Some(&self.said),
            Told::Masked(said) => Some(said),
            Told::Unknown => None,
        }
    }

    /// A command for people, without its tag.
    pub fn shown(&self) -> String {
        match self.told() {
            Some(said) => told(said),
            None => "(a command that may hold a secret)".to_owned(),
        }
    }
}

/// What came of some octets.
pub struct Heard {
    /// What may be done with them.
    pub verdict: Verdict,
    /// What was said in them.
    pub words: Vec<Word>,
    /// What follows them is compressed.
    pub is_compressed: bool,
}

/// The two readings.
pub struct Hearing {
    plain: Observer,
    masked: Observer,
}

impl Hearing {
    /// Reads a new connection; others are told what `gate` lets through.
    pub fn new(gate: Gate, setting: Setting) -> Self {
        Self {
            plain: Observer::bridging(Gate::new(Secrets::Shown), setting.clone()).without_uids(),
            masked: Observer::bridging(gate, setting),
        }
    }

    /// Reads octets; what others are told goes to `out`, what the app says also to `unmasked`, if it is
    /// to be said again.
    pub fn observe(
        &mut self,
        from: Peer,
        octets: &[u8],
        at: Micros,
        unmasked: Option<&mut Unmasked>,
        out: &mut Vec<Draft>,
    ) -> Heard {
        let read = |observer: &mut Observer| {
            let mut drafts = Vec::new();
            let verdict = observer.observe(from, octets, at, &mut drafts);
            while observer.read_on(&mut drafts) {}
            (verdict, drafts)
        };
        let (_, masked) = read(&mut self.masked);
        let (verdict, plain) = read(&mut self.plain);
        heard(verdict, plain, masked, unmasked, out)
    }

    /// TLS has begun.
    pub fn secured(&mut self, unmasked: Option<&mut Unmasked>, out: &mut Vec<Draft>) -> Heard {
        let read = |observer: &mut Observer| {
            let mut drafts = Vec::new();
            (observer.secured(&mut drafts), drafts)
        };
        let (_, masked) = read(&mut self.masked);
        let (verdict, plain) = read(&mut self.plain);
        heard(verdict, plain, masked, unmasked, out)
    }

    /// This side will say no more.
    pub fn ended(&mut self, from: Peer, at: Micros, out: &mut Vec<Draft>) {
        let _ = self.masked.ended(from, at, out);
    }

    /// Where the session is.
    pub fn state(&self) -> State {
        self.plain.state()
    }

    /// The capabilities that the app was told last.
    pub fn capabilities(&self) -> Option<&[String]> {
        self.plain.capabilities()
    }

    /// The command whose literal waits for its go-ahead, up to there and as it is.
    pub fn undecided_command(&self) -> Option<Said> {
        self.plain.undecided_command()
    }
}

fn has_mask(said: &Said) -> bool {
    let is_mask = |piece: &Piece| matches!(piece, Piece::Secret(..));
    said.wire.pieces().iter().any(is_mask)
}

fn heard(
    verdict: Verdict,
    plain: Vec<Draft>,
    masked: Vec<Draft>,
    mut unmasked: Option<&mut Unmasked>,
    out: &mut Vec<Draft>,
) -> Heard {
    let is_whole = |said: &Said| {
        said.from == Peer::Client && !matches!(said.reading, Reading::LiteralPart { .. })
    };
    let of_the_app = |draft: &&Draft| matches!(draft.body(), Body::Said(said) if is_whole(said));
    // The two take the same messages from the same octets. Where a mask makes them differ, nobody
    // knows which is which.
    let are_alike =
        plain.iter().filter(of_the_app).count() == masked.iter().filter(of_the_app).count();
    let told = masked.iter().filter_map(|draft| match draft.body() {
        Body::Said(said) if are_alike && is_whole(said) => Some(said),
        _ => None,
    });
    let mut told = told.peekable();
    let mut words = Vec::new();
    let mut is_compressed = false;
    for draft in plain {
        let ordinal = draft.ordinal();
        match draft.into_body() {
            Body::Said(said) => {
                if let Some(unmasked) = &mut unmasked {
                    unmasked.hear(ordinal, &said);
                }
                let told = match told.next_if(|_| is_whole(&said)) {
                    Some(masked) if has_mask(masked) => Told::Masked(masked.clone()),
                    Some(_) => Told::AsSaid,
                    None => Told::Unknown,
                };
                if !matches!(said.reading, Reading::LiteralPart { .. }) {
                    words.push(Word {
                        ordinal,
                        said,
                        told,
                    });
                }
            }
            Body::Compressed => is_compressed = true,
            _ => {}
        }
    }
    out.extend(masked);
    Heard {
        verdict,
        words,
        is_compressed,
    }
}
