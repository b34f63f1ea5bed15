//! The scrubber: it writes nothing, or a conversation of the same messages, each as long as before, in
//! which its last check has found no word of the original.

use mailscope::event::{Body, Event, Peer, Reading, Secrets};
use mailscope::scrub::{Kept, Target, Unwatched, scrub as scrubbed};

use super::sound::{document, read, sound, wires};
use super::talk::{Reads, Talk};

pub fn scrub(data: &[u8]) {
    let talk = Talk::of(data);
    let events = talk.events(Secrets::Masked, Reads::Whole);
    let folder = tempfile::tempdir().expect("there is room for files");
    let (from, to) = (folder.path().join("a.json"), folder.path().join("b.json"));
    std::fs::write(&from, document(&events)).expect("there is room for files");
    match scrubbed(&from, Target::File(&to), Kept::default(), &Unwatched) {
        Ok(scrubbed) => assert!(scrubbed.damage.is_none() && scrubbed.torn.is_none()),
        Err(error) => {
            // The last check is strict: it may take a word of the protocol for one of the original.
            let is_refused = error.to_string().contains("nothing was written");
            assert!(is_refused && !to.exists(), "{error}");
            return;
        }
    }
    let again = read(std::fs::read(&to).expect("it is there"));
    sound(&again);
    assert_eq!(again.len(), events.len());
    for peer in [Peer::Client, Peer::Server] {
        assert_eq!(
            wires(&again, peer).len(),
            wires(&events, peer).len(),
            "{peer:?}"
        );
    }
    // How the turns of an exchange are read hangs on its mechanism, and a word that is none is replaced.
    if events.iter().any(is_of_no_mechanism) {
        return;
    }
    let kinds = |events: &[Event]| -> Vec<&'static str> { events.iter().map(kind).collect() };
    assert_eq!(kinds(&again), kinds(&events));
}

/// AUTHENTICATE with something else than a mechanism's name (RFC 4422, section 3.1).
fn is_of_no_mechanism(event: &Event) -> bool {
    let is_letter = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
    match &event.body {
        Body::Said(said) => match &said.reading {
            Reading::Command {
                name: Some(name),
                mechanism,
                ..
            } if name == "AUTHENTICATE" => !mechanism
                .as_ref()
                .is_some_and(|name| name.bytes().all(is_letter)),
            _ => false,
        },
        _ => false,
    }
}

fn kind(event: &Event) -> &'static str {
    match &event.body {
        Body::Said(said) => match said.reading {
            Reading::Greeting { .. } => "greeting",
            Reading::Command { .. } => "command",
            Reading::ContinuationRequest { .. } => "continuation request",
            Reading::Continuation { .. } => "continuation",
            Reading::Untagged { .. } => "untagged",
            Reading::Tagged { .. } => "tagged",
            Reading::LiteralPart { .. } => "part",
            Reading::Opaque => "opaque",
        },
        Body::Note(_) => "note",
        _ => "other",
    }
}
