//! Findings, written: for people, as JSON, as SARIF; and the table of rules.
//!
//! Each is a function of what was found. Octets from the wire are shown as they may be shown
//! ([`printable`](crate::sink::printable)): no control character reaches a terminal, a log or a
//! browser through here.

mod json;
mod sarif;
mod text;

pub use json::{SCHEMA, write_finding, write_rule};
pub use sarif::Sarif;
pub use text::{Text, remark, rules, summary};

use crate::sink::printable::{Shown, shown};

/// Octets as they may be shown, in one text.
fn printed(octets: &[u8]) -> String {
    shown(octets)
        .map(|stretch| match stretch {
            Shown::Plain(plain) => plain.to_owned(),
            Shown::Escape(escape, _) => escape.to_string(),
        })
        .collect()
}
