//! That nothing is missing in the table: what mailscope itself names.

use super::table::{Kind, entry};

fn has_all<'a>(kind: Kind, terms: impl Iterator<Item = &'a str>) -> usize {
    let mut count = 0;
    for term in terms {
        assert!(entry(kind, term).is_some(), "{} {term}", kind.name());
        count += 1;
    }
    count
}

/// The words in quotes of a source file's stretch: what is private there is a promise here.
fn quoted<'a>(source: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    let (_, stretch) = source.split_once(from).unwrap();
    let (stretch, _) = stretch.split_once(to).unwrap();
    stretch.split('"').skip(1).step_by(2).collect()
}

#[test]
fn every_command_response_mechanism_and_note_of_mailscope_is_explained() {
    let commands = include_str!("../protocol/imap/command.rs");
    let commands = quoted(commands, "COMMANDS: &[&str] = &[", "];");
    assert!(has_all(Kind::Command, commands.into_iter()) > 70);

    let responses = include_str!("../protocol/imap/response.rs");
    let responses = quoted(responses, "READINGS: &[", "];");
    assert!(has_all(Kind::Response, responses.into_iter()) > 35);

    let mechanisms = include_str!("../protocol/imap/sasl.rs");
    let mechanisms = quoted(mechanisms, "MECHANISMS: [&str;", "];");
    assert!(has_all(Kind::Mechanism, mechanisms.into_iter()) > 15);

    let notes = include_str!("../event/note.rs");
    let ids = quoted(notes, "pub fn id(&self)", "\n    }\n");
    assert!(has_all(Kind::Note, ids.iter().copied()) > 35);
}

/// A note rests on the same clause in both places.
#[test]
fn notes_have_the_clauses_that_they_are_shown_with() {
    use crate::event::Note;
    for note in [
        Note::BareLf,
        Note::CommandWhileIdle,
        Note::LiteralNotAwaited,
        Note::StartTlsRefused,
        Note::UnexpectedContinuationRequest,
        Note::Insecure,
        Note::CleartextToServer,
    ] {
        let known = entry(Kind::Note, note.id()).unwrap();
        assert_eq!(known.clause(), note.clause(), "{}", note.id());
    }
}
