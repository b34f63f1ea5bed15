//! Real sessions are quiet: what lint finds in them is true, and known.

use std::collections::BTreeMap;
use std::path::Path;

use libtest_mimic::Trial;
use serde_json::Value;

use super::super::support::dovecot::Dovecot;
use super::super::support::mailscope::run;
use super::replayed::{CLIENTS, Client};
use super::{Security, recording, through};
use crate::support::patience::trial;

pub fn trials() -> Vec<Trial> {
    let each = CLIENTS.into_iter().flat_map(|client| {
        let trial = trial(format!("real::lint::{}", client.name), move || {
            is_found_to_do_this_and_nothing_else(&client);
            Ok(())
        });
        client.needing(vec![trial])
    });
    each.collect()
}

/// What is found of each client's session over TLS, and how often. All of it was looked at and is true.
const FOUND: &[(&str, &[(&str, usize)])] = &[
    ("curl", &[("eight-bit-in-quoted", 1)]),
    (
        "imapflow",
        &[("eight-bit-in-quoted", 1), ("obsolete-command", 1)],
    ),
    (
        "imaplib",
        &[
            ("number-beyond-exists", 1),
            ("obsolete-command", 3),
            ("rejected-as-bad", 2),
        ],
    ),
    ("mbsync", &[]),
    // It sends no LOGOUT; Dovecot says nothing where it has nothing to enable.
    (
        "neomutt",
        &[
            ("closed-without-logout", 4),
            ("eight-bit-in-quoted", 1),
            ("enable-without-data", 4),
        ],
    ),
    (
        "neomutt_with_a_cache",
        &[
            ("closed-without-logout", 5),
            ("eight-bit-in-quoted", 1),
            ("enable-without-data", 5),
        ],
    ),
];

fn is_found_to_do_this_and_nothing_else(client: &Client) {
    let dovecot = Dovecot::start();
    client.prepare(&dovecot);
    let mut mailscope = recording(&dovecot, Security::Tls).start();
    (client.obtained)(&through(&mailscope, Security::Tls));
    mailscope.closed(client.connections);
    mailscope.stop();
    let out = mailscope.out().to_str().unwrap();
    let output = run(&["lint", "--output", "json", out]);
    let found = String::from_utf8(output.stdout).unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in found.lines() {
        let finding: Value = serde_json::from_str(line).unwrap();
        let id = finding["id"].as_str().unwrap();
        *counts.entry(id.to_owned()).or_default() += 1;
    }
    let row = FOUND.iter().find(|(name, _)| *name == client.name);
    let (_, expected) = row.unwrap();
    let counts: Vec<(&str, usize)> = counts.iter().map(|(id, n)| (&**id, *n)).collect();
    assert_eq!(counts, *expected, "{found}");
}

/// What is found, and in which lines, each looked at and found true: what clients are made to do wrong, here
/// or in their scripts, and commands that RFC 9051 has no more.
const EXPECTED: &[(&str, &str)] = &[
    // neomutt sends no LOGOUT.
    ("closed-without-logout", ""),
    ("eight-bit-in-quoted", " \"grün\""),
    // Dovecot says nothing where it has nothing to enable.
    ("enable-without-data", " OK Enabled"),
    ("number-beyond-exists", " FETCH 999 "),
    ("obsolete-command", " CHECK"),
    ("obsolete-command", " LSUB "),
    ("rejected-as-bad", "Invalid messageset"),
    ("rejected-as-bad", "NO-SUCH-ITEM"),
];

/// Asserts that lint finds nothing in a recording that is not expected.
pub fn is_quiet(recording: &Path) {
    let output = run(&["lint", "--output", "json", recording.to_str().unwrap()]);
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{output:?}");
    let found = String::from_utf8(output.stdout).unwrap();
    for line in found.lines() {
        let finding: Value = serde_json::from_str(line).unwrap();
        let said = finding["line"].as_str().unwrap_or_default();
        let is_it = |(id, part): &(&str, &str)| finding["id"] == *id && said.contains(part);
        let is_expected = EXPECTED.iter().any(is_it);
        assert!(is_expected, "in {}:\n{found}", recording.display());
    }
}
