//! What a check looks at: a message, and the session before it.

use std::ops::Range;

use super::finding::{Finding, Quote};
use super::memory::{Account, Memory};
use super::rule::Side;
use super::table::Breach;
use crate::event::{Event, Label, Peer, Reading, Said, Span, Status};
use crate::protocol::imap::is_command;
use crate::session::{Command, Pending, Session, State};

/// A message, what came before it, and what is found wrong with it.
pub(super) struct Look<'a> {
    pub(super) event: &'a Event,
    pub(super) said: &'a Said,
    pub(super) session: &'a Session,
    pub(super) memory: &'a mut Memory,
    pub(super) account: &'a mut Account,
    /// The command that is sent, if one is.
    pub(super) command: Option<Command>,
    pub(super) found: Vec<Finding>,
}

impl<'a> Look<'a> {
    /// Something is wrong with these octets.
    pub(super) fn add(&mut self, id: Breach, wrong: Range<usize>, about: impl Into<String>) {
        let rule = id.rule();
        let blame = match rule.side {
            Side::Client => Peer::Client,
            Side::Server => Peer::Server,
            Side::Either => self.said.from,
        };
        let about: String = about.into();
        self.found.push(Finding {
            rule,
            n: self.event.n,
            conn: self.event.conn,
            at: self.event.at,
            blame,
            about: (!about.is_empty()).then_some(about),
            quote: Some(Quote::new(self.said, wrong, self.may_be_a_password())),
        });
    }

    /// Whether it is something that a client says before it is logged in, and no command that is known:
    /// `LOGIN alice secret` without a tag.
    fn may_be_a_password(&self) -> bool {
        let state = self.session.state();
        let is_in = matches!(state, Some(State::Authenticated | State::Selected));
        let is_known = match &self.said.reading {
            Reading::Command { name, .. } => name.as_deref().is_some_and(is_command),
            Reading::Opaque => false,
            _ => true,
        };
        self.is_client() && !is_in && !is_known
    }

    /// Something is wrong with the command or the response as a whole.
    pub(super) fn add_head(&mut self, id: Breach, about: impl Into<String>) {
        let head = self.head();
        self.add(id, head, about);
    }

    /// The name, or the whole line where there is none.
    fn head(&self) -> Range<usize> {
        let heads = [Label::Name, Label::Status, Label::CodeName];
        let mut names = self.said.spans.iter().take(4);
        let first = names.find(|span| heads.contains(&span.label));
        let name = first.map(|first| {
            let second = names.next().filter(|span| span.label == Label::Name);
            first.range.start..second.unwrap_or(first).range.end
        });
        name.unwrap_or_else(|| 0..self.said.wire.bytes().trim_ascii_end().len())
    }

    /// Where octets stand that are a part of the message.
    pub(super) fn range_of(&self, part: &[u8]) -> Range<usize> {
        let bytes = self.said.wire.bytes();
        let start = (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
        match start.checked_add(part.len()) {
            Some(end) if end <= bytes.len() => start..end,
            _ => self.head(),
        }
    }

    /// Where a word stands, outside of strings; give it in upper case.
    pub(super) fn range_of_word(&self, word: &str) -> Range<usize> {
        let is_it = |span: &&Span| {
            let bytes = self.said.span_bytes(span);
            matches!(span.label, Label::Atom | Label::CodeName)
                && bytes.eq_ignore_ascii_case(word.as_bytes())
        };
        let span = self.said.spans.iter().find(is_it);
        span.map_or_else(|| self.head(), |span| span.range.clone())
    }

    /// The spans behind the name.
    pub(super) fn arguments(&self) -> &'a [Span] {
        let spans = &self.said.spans;
        let mut head = spans.iter().take(3);
        let name = head.rposition(|span| span.label == Label::Name);
        &spans[name.map_or(spans.len(), |name| name + 1)..]
    }

    /// The first argument's span.
    pub(super) fn first_argument(&self) -> Option<&'a Span> {
        let mut arguments = self.arguments().iter();
        arguments.find(|span| span.label != Label::LiteralHeader)
    }

    pub(super) fn is_client(&self) -> bool {
        self.said.from == Peer::Client
    }

    /// The command that a tagged response ends, and its status.
    pub(super) fn ended(&self) -> Option<(&'a Pending, Status)> {
        match self.said.reading {
            Reading::Tagged { status, .. } => Some((self.session.asking(self.said)?, status?)),
            _ => None,
        }
    }

    /// The name and the number of untagged data that is no status response.
    pub(super) fn data(&self) -> Option<(&'a str, Option<u64>)> {
        match &self.said.reading {
            Reading::Untagged {
                name,
                number,
                status: None,
                ..
            } => Some((name, *number)),
            _ => None,
        }
    }

    /// Whether octets beyond ASCII may stand in quoted strings (RFC 6855; RFC 9051, section 4.3).
    pub(super) fn has_utf8(&self) -> bool {
        self.session.has_enabled("UTF8=ACCEPT") || self.is_rev2()
    }

    /// Whether the session is one of IMAP4rev2: it was enabled, or the server knows nothing else.
    pub(super) fn is_rev2(&self) -> bool {
        let listed = self.session.capabilities();
        let is_only = listed.is_some_and(|l| l.has("IMAP4REV2") && !l.has("IMAP4REV1"));
        is_only || self.session.has_enabled("IMAP4REV2")
    }
}
