//! The framer's output is its input, and the same whatever the reads are.

use mailscope::event::Peer;
use mailscope::protocol::imap::framer::{End, Fragment, Framer, Lines};

use super::shown;
use super::talk::{Reads, Talk};

/// A run of one kind, of however many fragments.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Run {
    Text(Vec<u8>, End),
    Literal(Vec<u8>),
    Opaque(Vec<u8>),
}

/// Each step is of lines that its first octet picks; a literal that waits is let come, or refused, as the
/// second one says.
pub fn framer(data: &[u8]) {
    let talk = Talk::of(data);
    for peer in [Peer::Client, Peer::Server] {
        let whole = framed(&talk, peer, Reads::Whole);
        let said = talk.said_by(peer);
        let octets: Vec<u8> = whole.iter().flat_map(|run| run.octets().to_vec()).collect();
        assert_eq!(shown(&octets), shown(&said), "{peer:?} loses octets");
        for reads in [Reads::Cut, Reads::Single] {
            assert_eq!(framed(&talk, peer, reads), whole, "{peer:?}, {reads:?}");
        }
    }
}

fn framed(talk: &Talk, peer: Peer, reads: Reads) -> Vec<Run> {
    let mut framer = Framer::new(peer);
    let mut runs = Vec::new();
    let mut open = false;
    for step in talk.steps.iter().filter(|step| step.from == peer) {
        let first = step.octets.first().copied().unwrap_or_default();
        if !open && !framer.is_at_literal() {
            framer.expect(match first {
                b'+' => Lines::Plain,
                b'\0' => Lines::Opaque,
                _ => Lines::Messages,
            });
        }
        for mut input in step.reads(reads) {
            loop {
                if framer.awaits_go_ahead() {
                    match step.octets.last() {
                        Some(b' ') => framer.refuse(),
                        _ => framer.accept(),
                    }
                }
                let Some(fragment) = framer.next(&mut input) else {
                    break;
                };
                open = take_in(&mut runs, fragment, open);
            }
            assert!(input.is_empty(), "octets are left: {}", shown(input));
        }
    }
    runs
}

/// Whether the last run goes on.
fn take_in(runs: &mut Vec<Run>, fragment: Fragment<'_>, open: bool) -> bool {
    let last = runs
        .last_mut()
        .filter(|last| open || matches!(last, Run::Opaque(_)));
    match (fragment, last) {
        (Fragment::Text(text, end), Some(Run::Text(before, last))) => {
            before.extend_from_slice(text);
            *last = end;
        }
        (Fragment::Literal(octets, _), Some(Run::Literal(before))) => {
            before.extend_from_slice(octets);
        }
        (Fragment::Opaque(octets), Some(Run::Opaque(before))) => before.extend_from_slice(octets),
        (Fragment::Text(text, end), _) => runs.push(Run::Text(text.to_vec(), end)),
        (Fragment::Literal(octets, _), _) => runs.push(Run::Literal(octets.to_vec())),
        (Fragment::Opaque(octets), _) => runs.push(Run::Opaque(octets.to_vec())),
    }
    match fragment {
        Fragment::Text(text, End::Literal(header)) => {
            // What is announced stands in the text, as far as this read has it.
            assert!(header.length > 3 && text.ends_with(b"\n"));
            false
        }
        Fragment::Text(_, end) => end == End::Input,
        Fragment::Literal(_, is_last) => !is_last,
        Fragment::Opaque(_) => false,
    }
}

impl Run {
    fn octets(&self) -> &[u8] {
        match self {
            Self::Text(octets, _) | Self::Literal(octets) | Self::Opaque(octets) => octets,
        }
    }
}
