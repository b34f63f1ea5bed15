//! Findings as SARIF 2.1.0 (OASIS), for what shows code scanning results.
//!
//! One run, the whole table among its tool's rules. A result's place is the file and the line in which
//! the event begins, with what was said there, and as a logical location connection and event.

use std::path::Path;

use serde_json::{Value, json};

use super::printed;
use crate::lint::finding::Finding;
use crate::lint::rule::{Rule, Severity};
use crate::lint::table::RULES;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// A SARIF log that grows.
pub struct Sarif {
    uri: String,
    results: Vec<Value>,
}

impl Sarif {
    /// For a transcript with this path.
    pub fn new(path: &Path) -> Self {
        Self {
            uri: uri(path),
            results: Vec::new(),
        }
    }

    /// Adds a finding in the event that begins in this line of the file.
    pub fn add(&mut self, finding: &Finding, line: u64) {
        let index = RULES.iter().position(|rule| rule.id == finding.rule.id);
        let place = format!("connection {}, event #{}", finding.conn, finding.n);
        let mut properties = json!({
            "event": finding.n,
            "connection": finding.conn,
            "at": finding.at.seconds(),
            "blame": finding.blame.name(),
        });
        let mut region = json!({ "startLine": line.max(1) });
        if let Some(quote) = &finding.quote {
            region["snippet"] = json!({ "text": printed(&quote.octets) });
            properties["from"] = quote.from.name().into();
            properties["line"] = printed(&quote.octets).into();
            properties["wrong"] = printed(&quote.octets[quote.wrong.clone()]).into();
        }
        self.results.push(json!({
            "ruleId": finding.rule.id,
            "ruleIndex": index,
            "level": level(finding.rule.severity),
            "message": { "text": message(finding) },
            "locations": [{
                "physicalLocation": {
                    "artifactLocation": { "uri": self.uri },
                    "region": region,
                },
                "logicalLocations": [{ "fullyQualifiedName": place, "kind": "event" }],
            }],
            "properties": properties,
        }));
    }

    /// The log.
    pub fn finish(self) -> Value {
        let rules: Vec<Value> = RULES.iter().map(described).collect();
        json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "mailscope",
                    "version": env!("CARGO_PKG_VERSION"),
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                }},
                "columnKind": "unicodeCodePoints",
                "results": self.results,
            }],
        })
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.sentence },
        "help": { "text": format!("{} ({})", rule.sentence, rule.clause) },
        "helpUri": rule.url(),
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "clause": rule.clause, "side": rule.side.name() },
    })
}

fn message(finding: &Finding) -> String {
    let about = finding.about.as_deref().unwrap_or_default();
    let sentence = finding.rule.sentence;
    let about = match about {
        "" => String::new(),
        about => format!(" Here: {}.", printed(about.as_bytes())),
    };
    let blame = finding.blame.name();
    format!(
        "{sentence}{about} To blame: the {blame}. {}.",
        finding.rule.clause
    )
}

/// A path as a URI reference (RFC 3986): everything but unreserved characters and `/` escaped.
fn uri(path: &Path) -> String {
    use std::fmt::Write;
    let mut uri = String::new();
    for &octet in path.as_os_str().as_encoded_bytes() {
        match octet {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(octet.into()),
            octet if octet.is_ascii_alphanumeric() => uri.push(octet.into()),
            octet => {
                let _ = write!(uri, "%{octet:02X}"); // a String takes everything
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(
            uri(Path::new("recordings/tour.json")),
            "recordings/tour.json"
        );
        assert_eq!(uri(Path::new("a b/ü:1.json")), "a%20b/%C3%BC%3A1.json");
    }
}
