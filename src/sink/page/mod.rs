//! A session as a page that one can send: one HTML file, which fetches nothing.
//!
//! ```text
//! style, markup, data (JSON in a script element that is not run), script
//! ```
//!
//! What the wire said is data, and the script puts it on the page as text alone, so that it is never
//! markup. Beyond that the page's own policy (Content Security Policy) lets nothing run but the one
//! script that was shipped, by its hash, and nothing be fetched at all. Control characters are
//! escaped as they are in a terminal.

mod entry;
mod readable;

use std::collections::HashMap;
use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use serde_json::json;

use crate::event::{Body, Event, Reading, Secrets};
use crate::limits;
use crate::transcript::Header;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const MARKUP: &str = include_str!("page.html");

/// Writes a page.
pub struct Page<W: Write> {
    out: W,
    is_first: bool,
    /// Literal parts that no message has referred to yet, as much of each literal as is shown.
    parts: HashMap<u64, Vec<u8>>,
}

impl<W: Write> Page<W> {
    /// A page about the run with this header.
    ///
    /// # Errors
    ///
    /// `out` cannot be written to.
    pub fn new(mut out: W, header: &Header) -> io::Result<Self> {
        let hash = STANDARD.encode(digest(&SHA256, SCRIPT.as_bytes()));
        let about = json!({
            "server": entry::shown(header.server.as_bytes()),
            "started": entry::shown(header.started.as_bytes()),
            "version": entry::shown(header.version.as_bytes()),
            "secrets": header.secrets == Secrets::Shown,
            "insecure": header.insecure,
        });
        write!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             script-src 'sha256-{hash}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>mailscope</title>\n<style>\n{STYLE}</style>\n</head>\n{MARKUP}\
             <script type=\"application/json\" id=\"about\">{}</script>\n\
             <script type=\"application/json\" id=\"events\">[\n",
            in_script(&about.to_string())
        )?;
        Ok(Self {
            out,
            is_first: true,
            parts: HashMap::new(),
        })
    }

    /// Adds an event.
    ///
    /// # Errors
    ///
    /// The page cannot be written.
    pub fn write(&mut self, event: &Event) -> io::Result<()> {
        if let Body::Said(said) = &event.body
            && let Reading::LiteralPart { offset, .. } = said.reading
        {
            let shown = limits::PAGE_LITERAL.saturating_sub(offset);
            let octets = said.wire.bytes();
            let shown = usize::try_from(shown)
                .unwrap_or(usize::MAX)
                .min(octets.len());
            self.parts.insert(event.n, octets[..shown].to_vec());
            return Ok(());
        }
        let entry = entry::entry(event, &mut self.parts);
        let separator = match std::mem::take(&mut self.is_first) {
            true => "",
            false => ",\n",
        };
        write!(self.out, "{separator}{}", in_script(&entry.to_string()))
    }

    /// Ends the page.
    ///
    /// # Errors
    ///
    /// The page cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        write!(
            self.out,
            "\n]</script>\n<script>{SCRIPT}</script>\n</html>\n"
        )?;
        self.out.flush()
    }
}

/// JSON as it may stand in a script element: nothing in it begins a tag or a comment. `<` stands in
/// JSON's strings alone.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Finding, Micros};

    #[test]
    fn what_the_wire_says_is_never_markup() {
        let header = Header::new(time::OffsetDateTime::UNIX_EPOCH, "x:993");
        let mut octets = Vec::new();
        let mut page = Page::new(&mut octets, &header).unwrap();
        let body = Body::Closed {
            reason: Some("</script><script>alert(1)</script><!--".into()),
        };
        let event = Event {
            n: 1,
            conn: 1,
            at: Micros(0),
            body,
        };
        page.write(&event).unwrap();
        page.finish().unwrap();
        let page = String::from_utf8(octets).unwrap();
        assert!(!page.contains("alert(1)</script>"));
        assert_eq!(page.matches("<!--").count(), 0);
        assert_eq!(page.matches("</script>").count(), 3);
        assert!(page.contains("\\u003cscript>alert(1)\\u003c/script>\\u003c!--"));
    }

    /// Nothing in a transcript drives a terminal that the page is printed on, or turns its words around.
    #[test]
    fn what_is_hidden_is_escaped_wherever_it_stands() {
        const HIDDEN: &str = "a\u{9b}31m\u{202e}\u{200b}\u{7f}z";
        let mut header = Header::new(time::OffsetDateTime::UNIX_EPOCH, HIDDEN);
        header.started = HIDDEN.into();
        header.version = HIDDEN.into();
        let mut octets = Vec::new();
        let mut page = Page::new(&mut octets, &header).unwrap();
        let finding = Finding {
            id: HIDDEN.into(),
            text: HIDDEN.into(),
            clause: Some(HIDDEN.into()),
        };
        let (client, server) = (HIDDEN.to_owned(), HIDDEN.to_owned());
        for body in [
            Body::Note(finding),
            Body::Connected { client, server },
            Body::Closed {
                reason: Some(HIDDEN.into()),
            },
        ] {
            let (n, conn, at) = (1, 1, Micros(0));
            page.write(&Event { n, conn, at, body }).unwrap();
        }
        page.finish().unwrap();
        let page = String::from_utf8(octets).unwrap();
        assert_eq!(page.matches("a\\\\u{9b}31m").count(), 9, "{page}");
        for hidden in ['\u{9b}', '\u{202e}', '\u{200b}', '\u{7f}'] {
            assert!(!page.contains(hidden), "{hidden:?}");
        }
    }

    #[test]
    fn the_shipped_parts_fetch_nothing() {
        for part in [STYLE, SCRIPT, MARKUP] {
            for word in [
                "http:",
                "https:",
                "url(",
                "@import",
                "fetch(",
                "innerHTML",
                "eval(",
            ] {
                assert!(!part.contains(word), "{word}");
            }
        }
    }
}
