//! A conversation in a fuzzer's octets.
//!
//! | octet | |
//! |---|---|
//! | [`CLIENT`], [`SERVER`] | who says what follows |
//! | [`CUT`] | one read ends here, and the next one begins |
//! | [`PASSWORD`] | the password, as it is |
//! | [`ENCODED`] | the password in base64, behind as many letters as the next octet says |
//! | [`DEFLATED_CLIENT`], [`DEFLATED_SERVER`] | who says what follows, deflated |
//! | [`AS_IT_IS`] | the next octet, if it is one of these |
//!
//! What stands before the first of them is the server's.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use mailscope::event::{Draft, Event, Gate, Micros, Numbers, Peer, Secrets};
use mailscope::protocol::Protocol;
use mailscope::protocol::imap::Observer;

pub const CLIENT: u8 = 0xf8;
pub const SERVER: u8 = 0xf9;
pub const CUT: u8 = 0xfa;
pub const PASSWORD: u8 = 0xfb;
pub const ENCODED: u8 = 0xfc;
pub const DEFLATED_CLIENT: u8 = 0xfd;
pub const DEFLATED_SERVER: u8 = 0xfe;
pub const AS_IT_IS: u8 = 0xff;

/// No fuzzer comes upon it by itself.
pub const SECRET: &[u8] = b"hUnt3rTw0!";

/// What one peer says before the other one does.
#[derive(Clone, Debug)]
pub struct Step {
    pub from: Peer,
    pub octets: Vec<u8>,
    /// Where it is cut, in order.
    pub cuts: Vec<usize>,
    is_deflated: bool,
}

/// How the octets of a step come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// At once.
    Whole,
    /// Cut as the fuzzer says.
    Cut,
    /// One by one.
    Single,
}

/// A conversation.
#[derive(Clone, Debug, Default)]
pub struct Talk {
    pub steps: Vec<Step>,
}

impl Talk {
    pub fn of(data: &[u8]) -> Self {
        let mut talk = Self::default();
        let mut data = data.iter().copied();
        while let Some(octet) = data.next() {
            match octet {
                CLIENT => talk.begin(Peer::Client, false),
                SERVER => talk.begin(Peer::Server, false),
                DEFLATED_CLIENT => talk.begin(Peer::Client, true),
                DEFLATED_SERVER => talk.begin(Peer::Server, true),
                CUT => {
                    let step = talk.last();
                    step.cuts.push(step.octets.len());
                }
                PASSWORD => talk.last().octets.extend_from_slice(SECRET),
                ENCODED => {
                    let before = usize::from(data.next().unwrap_or_default() % 8);
                    let plain = [&b"\0alice\0x"[..before], SECRET].concat();
                    talk.last().octets.extend(STANDARD.encode(plain).bytes());
                }
                AS_IT_IS => talk.last().octets.extend(data.next()),
                octet => talk.last().octets.push(octet),
            }
        }
        talk.deflate();
        talk
    }

    pub fn step(from: Peer, octets: &[u8]) -> Step {
        let octets = octets.to_vec();
        Step {
            from,
            octets,
            cuts: Vec::new(),
            is_deflated: false,
        }
    }

    fn begin(&mut self, from: Peer, is_deflated: bool) {
        let mut step = Self::step(from, b"");
        step.is_deflated = is_deflated;
        self.steps.push(step);
    }

    fn last(&mut self) -> &mut Step {
        if self.steps.is_empty() {
            self.begin(Peer::Server, false);
        }
        self.steps.last_mut().expect("one was made")
    }

    /// Each direction is one stream.
    fn deflate(&mut self) {
        let encoder = || DeflateEncoder::new(Vec::new(), Compression::fast());
        let mut streams = [encoder(), encoder()];
        for step in self.steps.iter_mut().filter(|step| step.is_deflated) {
            let stream = &mut streams[usize::from(step.from == Peer::Server)];
            let written = stream.write_all(&step.octets).and_then(|()| stream.flush());
            written.expect("memory takes everything");
            step.octets = std::mem::take(stream.get_mut());
            step.cuts.retain(|cut| *cut < step.octets.len());
        }
    }

    /// All that a peer says.
    pub fn said_by(&self, peer: Peer) -> Vec<u8> {
        let steps = self.steps.iter().filter(|step| step.from == peer);
        steps.flat_map(|step| step.octets.clone()).collect()
    }

    /// Whether a peer begins as TLS does, so that whoever finds this in a capture takes it for that.
    pub fn begins_as_tls(&self) -> bool {
        let begins = |peer| matches!(self.said_by(peer)[..], [0x14..=0x17, 3, 0..=4, ..]);
        begins(Peer::Client) || begins(Peer::Server)
    }

    /// Octets of it.
    pub fn octets(&self) -> usize {
        self.steps.iter().map(|step| step.octets.len()).sum()
    }

    /// What an observer makes of it. The time is the step's number.
    pub fn read(&self, secrets: Secrets, reads: Reads) -> Vec<Draft> {
        let mut observer = Observer::new(Gate::new(secrets));
        let mut drafts = Vec::new();
        for (step, at) in self.steps.iter().zip(0..) {
            for octets in step.reads(reads) {
                let _ = observer.observe(step.from, octets, Micros(at), &mut drafts);
                while observer.read_on(&mut drafts) {}
            }
        }
        for from in [Peer::Client, Peer::Server] {
            let at = Micros(self.steps.len() as u64);
            let _ = observer.ended(from, at, &mut drafts);
        }
        drafts
    }

    /// The same as events of connection 1.
    pub fn events(&self, secrets: Secrets, reads: Reads) -> Vec<Event> {
        let mut numbers = Numbers::new(1);
        let drafts = self.read(secrets, reads).into_iter().zip(1..);
        drafts.map(|(draft, n)| numbers.number(draft, n)).collect()
    }
}

impl Step {
    /// The octets as they come.
    pub fn reads(&self, reads: Reads) -> Vec<&[u8]> {
        match reads {
            Reads::Whole => vec![&self.octets],
            Reads::Single => self.octets.chunks(1).collect(),
            Reads::Cut => {
                let starts = std::iter::once(0).chain(self.cuts.iter().copied());
                let ends = self.cuts.iter().copied().chain([self.octets.len()]);
                let cuts = starts.zip(ends);
                cuts.map(|(start, end)| &self.octets[start..end]).collect()
            }
        }
    }
}
