//! Lists of capabilities, edited: some names taken out, STARTTLS put in.
//!
//! ```text
//! S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready
//!    * OK [CAPABILITY IMAP4rev1] ready
//! ```
//!
//! Only the names concerned are touched; every other octet of the response stays as it is. A name is
//! an atom (RFC 9051, section 9, `capability`): what stands there as a string is left alone, for a
//! literal's header and content go together.

use std::fmt;

use wildmatch::WildMatch;

use super::response::Response;
use crate::event::{Label, Message, Span};

/// Capabilities that the user does not want the app to see: `--hide-capability`.
#[derive(Clone, Default)]
pub struct Hidden(Vec<WildMatch>);

impl Hidden {
    /// Names, in any letter case; `*` stands for any characters, `?` for one.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let patterns = patterns.into_iter();
        Self(patterns.map(WildMatch::new_case_insensitive).collect())
    }

    /// Whether nothing is hidden.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this capability is.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(ToString::to_string))
            .finish()
    }
}

/// What is to be edited.
#[derive(Clone, Copy)]
pub(super) struct Edits<'a> {
    /// Names to take out.
    pub(super) hidden: &'a Hidden,
    /// More of them.
    pub(super) removed: &'static [&'static str],
    /// STARTTLS is put in, where it is missing.
    pub(super) offers_starttls: bool,
}

impl Edits<'_> {
    /// Whether nothing is.
    pub(super) fn is_empty(&self) -> bool {
        self.hidden.is_empty() && self.removed.is_empty() && !self.offers_starttls
    }

    fn removes(&self, name: &[u8]) -> bool {
        let is_removed = |removed: &&str| removed.as_bytes().eq_ignore_ascii_case(name);
        self.removed.iter().any(is_removed) || self.hidden.has(&String::from_utf8_lossy(name))
    }

    /// The response with these edits; `None` if they change nothing of it. `spans` are its tokens.
    pub(super) fn applied(&self, message: &Message, spans: &[Span]) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        let response = Response::new(message, spans);
        response.capabilities()?;
        let names = response.argument_spans();
        let bytes = message.bytes();
        let mut edited = Vec::with_capacity(bytes.len() + " STARTTLS".len());
        let mut at = 0;
        let mut has_starttls = false;
        for name in names.iter().filter(|name| name.label == Label::Atom) {
            let octets = &bytes[name.range.clone()];
            if self.removes(octets) {
                let before = bytes[..name.range.start].trim_ascii_end().len().max(at);
                edited.extend_from_slice(&bytes[at..before]);
                at = name.range.end;
            }
            has_starttls |= octets.eq_ignore_ascii_case(b"STARTTLS");
        }
        if self.offers_starttls && !has_starttls && !self.removes(b"STARTTLS") {
            let end = end_of_list(spans, names)?;
            edited.extend_from_slice(&bytes[at..end]);
            edited.extend_from_slice(b" STARTTLS");
            at = end;
        }
        if at == 0 {
            return None;
        }
        edited.extend_from_slice(&bytes[at..]);
        Some(edited)
    }
}

/// Behind the last name, or behind the word CAPABILITY.
fn end_of_list(spans: &[Span], names: &[Span]) -> Option<usize> {
    let word = |span: &&Span| matches!(span.label, Label::CodeName | Label::Name);
    let last = names.last().or_else(|| spans.iter().find(word))?;
    Some(last.range.end)
}

/// Whether these octets, the beginning of a server's line, may become a list of capabilities.
pub(super) fn may_become_list(line: &[u8]) -> bool {
    let mut words = line.splitn(3, |octet| *octet == b' ');
    let (first, second, third) = (words.next(), words.next(), words.next());
    let begins = |full: &str, word: &[u8]| {
        let full = full.as_bytes();
        word.len() <= full.len() && word.eq_ignore_ascii_case(&full[..word.len()])
    };
    let is = |full: &str, word: &[u8]| full.as_bytes().eq_ignore_ascii_case(word);
    let Some(second) = second else {
        return first.is_some_and(|tag| tag.iter().all(u8::is_ascii_graphic));
    };
    let Some(third) = third else {
        return ["CAPABILITY", "OK", "PREAUTH"]
            .iter()
            .any(|full| begins(full, second));
    };
    match (is("CAPABILITY", second), third.get(..12)) {
        (true, _) => true,
        (_, _) if !is("OK", second) && !is("PREAUTH", second) => false,
        (_, Some(code)) => is("[CAPABILITY ", code),
        (_, None) => begins("[CAPABILITY ", third),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::imap::lexer;

    fn edited(
        line: &str,
        hidden: &[&str],
        removed: &'static [&'static str],
        offers: bool,
    ) -> String {
        let message = Message::text(line.as_bytes());
        let spans = lexer::response(&message);
        let hidden = Hidden::new(hidden.iter().copied());
        let edits = Edits {
            hidden: &hidden,
            removed,
            offers_starttls: offers,
        };
        let edited = edits.applied(&message, &spans);
        edited.map_or_else(|| "-".into(), |octets| String::from_utf8(octets).unwrap())
    }

    const BOTH: &[&str] = &["STARTTLS", "LOGINDISABLED"];

    #[test]
    fn names_are_taken_out_of_codes_and_responses_alike() {
        for (before, after) in [
            (
                "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n",
                "* OK [CAPABILITY IMAP4rev1] hi\r\n",
            ),
            (
                "* CAPABILITY STARTTLS IMAP4rev1 logindisabled IDLE\r\n",
                "* CAPABILITY IMAP4rev1 IDLE\r\n",
            ),
            (
                "a OK [CAPABILITY IDLE  STARTTLS  ID] in\r\n",
                "a OK [CAPABILITY IDLE  ID] in\r\n",
            ),
            ("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", "-"),
            ("* OK STARTTLS\r\n", "-"),
            ("* LIST () \"/\" STARTTLS\r\n", "-"),
        ] {
            assert_eq!(edited(before, &[], BOTH, false), after);
        }
    }

    #[test]
    fn a_string_in_a_list_stays_whole() {
        for hidden in ["*", "STARTTLS"] {
            for string in ["{8}\r\nSTARTTLS", "\"STARTTLS\"", "(STARTTLS)"] {
                let mut message = Message::text(b"* CAPABILITY ");
                match string.split_once("\r\n") {
                    Some((_, content)) => message.push_whole_literal(
                        crate::event::LiteralForm::Sync,
                        b"{8}\r\n",
                        content.as_bytes(),
                    ),
                    None => message.push_text(string.as_bytes()),
                }
                message.push_text(b" STARTTLS\r\n");
                let hidden = Hidden::new([hidden]);
                let edits = Edits {
                    hidden: &hidden,
                    removed: &[],
                    offers_starttls: false,
                };
                let edited = edits.applied(&message, &lexer::response(&message)).unwrap();
                let kept = match string {
                    "(STARTTLS)" => "()", // no string: a name in a list of its own
                    string => string,
                };
                let expected = format!("* CAPABILITY {kept}\r\n");
                assert_eq!(String::from_utf8(edited).unwrap(), expected);
            }
        }
    }

    #[test]
    fn patterns_hide_in_any_letter_case() {
        let line = "* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE compress=x IDLE AUTH=PLAIN\r\n";
        assert_eq!(
            edited(line, &["COMPRESS=*", "idle"], &[], false),
            "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"
        );
        assert_eq!(edited(line, &["*"], &[], false), "* CAPABILITY\r\n");
        assert_eq!(edited(line, &["IDL"], &[], false), "-");
    }

    #[test]
    fn starttls_is_offered_once() {
        for (before, after) in [
            (
                "* OK [CAPABILITY IMAP4rev1 IDLE] hi\r\n",
                "* OK [CAPABILITY IMAP4rev1 IDLE STARTTLS] hi\r\n",
            ),
            ("* CAPABILITY\r\n", "* CAPABILITY STARTTLS\r\n"),
            ("* CAPABILITY IMAP4rev1 starttls\r\n", "-"),
            ("* OK hi\r\n", "-"),
        ] {
            assert_eq!(edited(before, &[], &[], true), after);
        }
        let hidden = edited("* CAPABILITY IDLE\r\n", &["STARTTLS"], &[], true);
        assert_eq!(hidden, "-");
    }

    #[test]
    fn only_what_may_become_a_list_is_held() {
        let lists = [
            "* CAPABILITY IMAP4rev1\r\n",
            "* ok [CAPABILITY IDLE] x",
            "* PREAUTH [capability IDLE",
            "a1 OK [CAPABILITY IDLE] x",
        ];
        for list in lists {
            for end in 0..=list.len() {
                let line = &list[..end];
                assert!(may_become_list(line.as_bytes()), "{line:?}");
            }
        }
        for line in [
            "* LIST",
            "* 3 E",
            "* OK x",
            "* OK [UIDNEXT 3",
            "a1 NO [",
            "+ x",
            "a\x00",
        ] {
            assert!(!may_become_list(line.as_bytes()), "{line:?}");
        }
    }
}
