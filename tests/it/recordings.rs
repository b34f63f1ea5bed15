//! The recordings that ship: each fits the schema, and the tour is one.

use std::path::PathBuf;

use libtest_mimic::Trial;
use serde_json::Value;

use super::support::mailscope::run;
use super::support::transcript::Transcript;
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    trials!("recordings"; every_recording_fits_the_schema, the_tour_shows_what_imap_is)
}

fn shipped() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings");
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect()
}

fn every_recording_fits_the_schema() {
    let schema = include_str!("../../src/transcript/schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let shipped = shipped();
    assert!(!shipped.is_empty());
    for path in shipped {
        let transcript = Transcript::read(&path);
        let errors = validator.iter_errors(transcript.value());
        let errors: Vec<String> = errors.map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}

fn the_tour_shows_what_imap_is() {
    let tour = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour.json");
    let shown = run(&["show", tour]);
    assert!(shown.status.success(), "{shown:?}");
    let shown = String::from_utf8(shown.stdout).unwrap();
    let mut rest = shown.as_str();
    for next in [
        "greeting",
        "CAPABILITY",
        "LOGIN",
        "NO [AUTHENTICATIONFAILED]",
        "LOGIN",
        "capabilities: +",
        "OK",
        "LIST",
        "BAD",
        "LIST",
        "\\All",
        "\\Drafts",
        "\\Sent",
        "\\Junk",
        "\\Trash",
        "SELECT",
        "FLAGS",
        "[PERMANENTFLAGS",
        "[UIDVALIDITY",
        "EXISTS",
        "RECENT",
        "[UIDNEXT",
        "[HIGHESTMODSEQ",
        "[READ-WRITE]",
        "SEARCH",
        "SEARCH",
        "UID SEARCH",
        "SEARCH",
        "UID FETCH",
        "FETCH",
        "{116}",
        "FETCH",
        "{141}",
        "* 55 EXPUNGE",
        "unsolicited: message 55 is gone, higher numbers move down by one",
        "* 54 EXISTS",
        "unsolicited",
        "OK",
        "IDLE",
        "idling",
        "EXISTS",
        "DONE",
        "OK",
        "LOGOUT",
        "BYE",
        "OK",
    ] {
        let found = rest
            .find(next)
            .unwrap_or_else(|| panic!("no {next:?} in {rest}"));
        rest = &rest[found + next.len()..];
    }
}
