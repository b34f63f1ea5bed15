//! What a rule is.

use std::fmt;

use crate::event::Peer;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nobody did wrong.
    Info,
    /// A SHOULD, or what other software may not get on with.
    Warning,
    /// A MUST, or the grammar.
    Error,
}

impl Severity {
    /// The word in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Who can break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The mail app.
    Client,
    /// The server.
    Server,
    /// Both can; a finding says who did.
    Either,
}

impl Side {
    /// The word in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Either => "either",
        }
    }

    /// Whether this peer can break such a rule.
    pub fn includes(self, peer: Peer) -> bool {
        match self {
            Self::Client => peer == Peer::Client,
            Self::Server => peer == Peer::Server,
            Self::Either => true,
        }
    }
}

/// A rule, a row of the table.
#[derive(Debug)]
pub struct Rule {
    /// In kebab case.
    pub id: &'static str,
    /// How bad a breach of it is.
    pub severity: Severity,
    /// Who can break it.
    pub side: Side,
    /// The RFC and its section: `RFC 9051, 6.3.2`.
    pub clause: &'static str,
    /// The rule in one sentence.
    pub sentence: &'static str,
}

impl Rule {
    /// Where the clause can be read.
    pub fn url(&self) -> String {
        let (rfc, section) = self.clause.split_once(", ").unwrap_or((self.clause, ""));
        let number: String = rfc.chars().filter(char::is_ascii_digit).collect();
        let place = match section.strip_prefix("Appendix ") {
            Some(letter) => format!("appendix-{letter}"),
            None => format!("section-{section}"),
        };
        format!("https://www.rfc-editor.org/rfc/rfc{number}#{place}")
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}
