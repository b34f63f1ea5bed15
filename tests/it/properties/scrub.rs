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
    let kinds = |events: &[Event]| -> Vec<&'static str> { events.iter().map(kind).collect() };
    assert_eq!(kinds(&again), kinds(&events));
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
