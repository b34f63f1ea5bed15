//! Real sessions are quiet: what lint finds in them is true, and known.

use std::path::Path;

use serde_json::Value;

use super::super::support::mailscope::run;

/// What is found, and in which lines, each looked at and found true: what clients are made to do wrong, here
/// or in their scripts, and commands that RFC 9051 has no more.
const EXPECTED: &[(&str, &str)] = &[
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
