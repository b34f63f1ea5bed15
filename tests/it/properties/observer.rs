//! The observer: whatever both peers say, nothing panics, spans and pieces lie where they should, any
//! reads give the same events, no octet is lost, and a transcript reads as the same.

use mailscope::event::{Body, Draft, Numbers, Reading, Secrets};

use super::sound::{assert_wires, line, same_again, sound};
use super::talk::{Reads, Talk};

/// The conversation is read in every way.
pub fn observer(data: &[u8]) {
    let talk = Talk::of(data);
    let masked = talk.events(Secrets::Masked, Reads::Whole);
    sound(&masked);
    same_again(&masked);
    let whole = told(talk.read(Secrets::Masked, Reads::Whole));
    for reads in [Reads::Cut, Reads::Single] {
        let other = told(talk.read(Secrets::Masked, reads));
        if let (Some(whole), Some(other)) = (&whole, &other) {
            for (whole, other) in whole.iter().zip(other) {
                assert_eq!(other, whole, "{reads:?}");
            }
            assert_eq!(other.len(), whole.len(), "{reads:?}");
        }
    }
    for reads in [Reads::Whole, Reads::Cut] {
        let shown = talk.events(Secrets::Shown, reads);
        sound(&shown);
        if !shown
            .iter()
            .any(|event| matches!(event.body, Body::Compressed))
        {
            assert_wires(&shown, |peer| talk.said_by(peer));
        }
    }
}

/// The events as lines, those aside whose octets come as they are read: opaque ones have neither octets
/// nor a number of their own. `None` where a literal is cut into parts, which depends on the reads.
fn told(drafts: Vec<Draft>) -> Option<Vec<String>> {
    let mut numbers = Numbers::new(1);
    let mut lines: Vec<String> = Vec::new();
    let mut n = 0;
    for draft in drafts {
        if let Body::Said(said) = draft.body() {
            match said.reading {
                Reading::LiteralPart { .. } => return None,
                Reading::Opaque => {
                    let line = format!("opaque from {}", said.from.name());
                    if lines.last() != Some(&line) {
                        lines.push(line);
                    }
                    continue;
                }
                _ => {}
            }
        }
        n += 1;
        lines.push(line(&numbers.number(draft, n)));
    }
    Some(lines)
}
