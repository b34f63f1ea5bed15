//! What was masked once stands nowhere again but in the data that a server sends, capabilities aside; and
//! what a client logs in with stands nowhere from the beginning.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailscope::event::{Body, Event, Gate, Passed, Peer, Reading, Secrets};

use super::sound::line;
use super::talk::{Reads, SECRET, Step, Talk};
use super::{bridge, shown};

/// What tells the password: itself, and what all its base64 has in common at each of the three
/// alignments, which are the digits that stand for nothing else.
fn forms() -> [Vec<u8>; 4] {
    let inner = |before: usize| {
        let plain = [&b"xx"[..before], SECRET].concat();
        let digits = STANDARD.encode(&plain).into_bytes();
        digits[(8 * before).div_ceil(6)..8 * plain.len() / 6].to_vec()
    };
    [SECRET.to_vec(), inner(0), inner(1), inner(2)]
}

/// The password is known, or the client tells it and nobody lets it in. Where something is done to what
/// is passed on, two more octets say what, as in [`bridge`](super::bridge::bridge).
pub fn secrets(data: &[u8]) {
    let Some((mode, data)) = data.split_first() else {
        return;
    };
    match (mode % 4, data) {
        (2, [legs, asked, data @ ..]) => bridged(*legs, *asked, &Talk::of(data)),
        (0 | 2, data) => known(Talk::of(data)),
        (_, data) => told(Talk::of(data)),
    }
}

/// A login was refused; then anything comes.
fn known(mut talk: Talk) {
    let before = [
        Talk::step(Peer::Server, b"* OK hi\r\n"),
        Talk::step(
            Peer::Client,
            &[b"z LOGIN alice \"", SECRET, b"\"\r\n"].concat(),
        ),
        Talk::step(Peer::Server, b"z NO\r\n"),
    ];
    talk.steps.splice(0..0, before);
    for reads in [Reads::Whole, Reads::Cut] {
        for event in talk.events(Secrets::Masked, reads) {
            if !is_data(&event) {
                assert_hides(&event);
            }
        }
    }
}

/// It is known, and what is passed on is not what was read.
fn bridged(legs: u8, asked: u8, talk: &Talk) {
    for reads in [Reads::Whole, Reads::Cut] {
        let gate = Gate::new(Secrets::Masked);
        gate.remember(SECRET);
        for event in bridge::bridged((legs, asked), gate, talk, reads) {
            if !is_data(&event) {
                assert_hides(&event);
            }
        }
    }
}

/// The client says whole lines, and logs in where there is a password in one; the server lets it in
/// never, and says nothing of what it cannot know.
fn told(talk: Talk) {
    let mut steps = vec![Talk::step(Peer::Server, b"* OK hi\r\n")];
    for step in talk.steps {
        match step.from {
            Peer::Server if is_ignorant(&step.octets) => steps.push(step),
            Peer::Server => {}
            Peer::Client => steps.extend(lines(&step)),
        }
    }
    let talk = Talk { steps };
    for reads in [Reads::Whole, Reads::Cut] {
        for event in talk.events(Secrets::Masked, reads) {
            assert_hides(&event);
        }
    }
}

fn is_ignorant(octets: &[u8]) -> bool {
    let text = octets.to_ascii_uppercase();
    let holds = |word: &[u8]| text.windows(word.len()).any(|part| part == word);
    let knows = forms()
        .iter()
        .any(|form| octets.windows(4).any(|part| form.starts_with(part)));
    !(holds(b"OK") || holds(b"PREAUTH") || knows)
}

/// The lines of a step, with line ends and without literals; what has the password in it is a login.
fn lines(step: &Step) -> Vec<Step> {
    let lines = step.octets.split(|octet| *octet == b'\n');
    let mut steps = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let line: Vec<u8> = line
            .iter()
            .copied()
            .filter(|octet| !b"\r{}\"".contains(octet))
            .collect();
        let is_secret = |part: &[u8]| forms().iter().any(|form| form.starts_with(part));
        let line = match line.windows(4).any(is_secret) {
            false => line,
            true => match line.len() % 4 {
                0 => [b"t LOGIN alice ", SECRET].concat(),
                1 => [b"t login \"alice\" \"", SECRET, b"\""].concat(),
                2 => b"t AUTHENTICATE PLAIN AGFsaWNlAGhVbnQzclR3MCE=".to_vec(),
                _ => b"aFVudDNyVHcwIQ==".to_vec(),
            },
        };
        steps.push(Talk::step(Peer::Client, &[&line[..], b"\r\n"].concat()));
    }
    steps
}

/// Whether it is what a server sends as data, in which nothing is masked.
fn is_data(event: &Event) -> bool {
    let Body::Said(said) = &event.body else {
        return false;
    };
    let is_data = match &said.reading {
        Reading::Untagged { status, name, .. } => status.is_none() && name != "CAPABILITY",
        Reading::LiteralPart { .. } => true,
        _ => false,
    };
    said.from == Peer::Server && is_data
}

fn assert_hides(event: &Event) {
    let line = line(event);
    let mut all = line.clone().into_bytes();
    if let Body::Said(said) = &event.body {
        all.extend_from_slice(said.wire.bytes());
        if let Passed::Instead(sent) = &said.passed {
            all.extend_from_slice(sent.bytes());
        }
    }
    for form in forms() {
        let found = all.windows(form.len()).any(|part| part == form);
        assert!(!found, "{} in {line}", shown(&form));
    }
}
