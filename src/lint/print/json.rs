//! Findings and rules as JSON, an object a line.
//!
//! ```json
//! {"event":42,"conn":1,"at":0.261000,"id":"number-beyond-exists","severity":"error","blame":"client",
//!  "clause":"RFC 9051, 2.3.1.2","url":"https://...","sentence":"A message number is not larger than...",
//!  "about":"there are 54 messages","from":"client","line":"a9 STORE 99 +FLAGS (\\Seen)\\r\\n",
//!  "wrong":"99","start":9,"end":11}
//! ```
//!
//! `line` is the message, or the part of it around what is wrong; `wrong` are the octets that are,
//! `start` and `end` their places in the message. Octets that may not be shown stand as `\xNN`. `about`
//! is there where something is special about the case; from `from` on, all is there where a message is
//! quoted. A rule has `id`, `severity`, `side`, `clause`, `url` and `sentence`.

use super::printed;
use crate::event::json::Object;
use crate::lint::finding::Finding;
use crate::lint::rule::Rule;

/// A line as a JSON Schema (draft 2020-12).
pub const SCHEMA: &str = include_str!("schema.json");

/// Adds a finding's line.
pub fn write_finding(out: &mut Vec<u8>, finding: &Finding) {
    let mut object = Object::open(out);
    object.number("event", finding.n);
    object.number("conn", finding.conn);
    object.time("at", finding.at);
    object.string("id", finding.rule.id);
    object.string("severity", finding.rule.severity.name());
    object.string("blame", finding.blame.name());
    object.string("clause", finding.rule.clause);
    object.string("url", &finding.rule.url());
    object.string("sentence", finding.rule.sentence);
    let about = finding.about.as_ref();
    let about = about.map(|about| printed(about.as_bytes()));
    object.optional("about", about.as_deref());
    if let Some(quote) = &finding.quote {
        object.string("from", quote.from.name());
        object.string("line", &printed(&quote.octets));
        object.string("wrong", &printed(&quote.octets[quote.wrong.clone()]));
        object.number("start", (quote.start + quote.wrong.start) as u64);
        object.number("end", (quote.start + quote.wrong.end) as u64);
    }
    object.close();
    out.push(b'\n');
}

/// Adds a rule's line.
pub fn write_rule(out: &mut Vec<u8>, rule: &Rule) {
    let mut object = Object::open(out);
    object.string("id", rule.id);
    object.string("severity", rule.severity.name());
    object.string("side", rule.side.name());
    object.string("clause", rule.clause);
    object.string("url", &rule.url());
    object.string("sentence", rule.sentence);
    object.close();
    out.push(b'\n');
}
