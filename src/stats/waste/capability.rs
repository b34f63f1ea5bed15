//! Capabilities, and the commands that use them.

use super::super::digest::Digest;

/// A capability whose use can be seen.
#[derive(Debug)]
pub struct Recognised {
    /// Upper case.
    pub name: &'static str,
    pub(super) better: &'static str,
    pub(super) clause: &'static str,
}

/// Those capabilities whose use can be seen in an app's commands, and that save something: what the
/// server does unasked, or what an app may have no use for, is not among them.
pub const RECOGNISED: &[Recognised] = &[
    Recognised {
        name: "COMPRESS=DEFLATE",
        better: "COMPRESS DEFLATE after the login makes mail and lists a fraction as long",
        clause: "RFC 4978",
    },
    Recognised {
        name: "CONDSTORE",
        better: "FETCH with CHANGEDSINCE asks for the flags that changed, not for all",
        clause: "RFC 7162, 3.1",
    },
    Recognised {
        name: "ESEARCH",
        better: "SEARCH RETURN (COUNT), (MIN) or (ALL) answers in ranges, or with a number alone",
        clause: "RFC 4731",
    },
    Recognised {
        name: "IDLE",
        better: "IDLE lets the server tell at once what is new, without asking again and again",
        clause: "RFC 2177",
    },
    Recognised {
        name: "LIST-STATUS",
        better: "LIST with RETURN (STATUS (...)) brings every mailbox's figures in one command",
        clause: "RFC 5819",
    },
    Recognised {
        name: "MOVE",
        better: "MOVE does in one command what takes COPY, STORE and EXPUNGE otherwise",
        clause: "RFC 6851",
    },
    Recognised {
        name: "MULTIAPPEND",
        better: "one APPEND takes several messages, and all or none of them are stored",
        clause: "RFC 3502",
    },
    Recognised {
        name: "NOTIFY",
        better: "NOTIFY tells what is new in mailboxes that are not selected, on one connection",
        clause: "RFC 5465",
    },
    Recognised {
        name: "PREVIEW",
        better: "FETCH PREVIEW brings the first words of a mail as text, whatever its MIME parts",
        clause: "RFC 8970",
    },
    Recognised {
        name: "QRESYNC",
        better: "SELECT with QRESYNC brings all that changed and vanished in one round trip",
        clause: "RFC 7162, 3.2",
    },
];

/// Whether it is told of wherever it is not used; the others where something was done that they are for.
pub(super) fn is_always_told(name: &str) -> bool {
    !matches!(name, "MULTIAPPEND" | "PREVIEW")
}

impl Recognised {
    /// Whether this command uses it.
    pub(super) fn is_used(
        &self,
        name: &str,
        digest: &Digest,
        words: impl Fn(&[&str]) -> bool,
    ) -> bool {
        let is_search = name.ends_with("SEARCH") || name.ends_with("SORT");
        match self.name {
            "COMPRESS=DEFLATE" => name == "COMPRESS",
            "CONDSTORE" => words(&[
                "CONDSTORE",
                "CHANGEDSINCE",
                "UNCHANGEDSINCE",
                "MODSEQ",
                "HIGHESTMODSEQ",
                "QRESYNC",
            ]),
            "ESEARCH" => name == "ESEARCH" || is_search && words(&["RETURN"]),
            "IDLE" => name == "IDLE",
            "LIST-STATUS" => name == "LIST" && words(&["STATUS"]),
            "MOVE" => name == "MOVE" || name == "UID MOVE",
            "MULTIAPPEND" => name == "APPEND" && digest.literals > 1,
            "NOTIFY" => name == "NOTIFY",
            "PREVIEW" => words(&["PREVIEW"]),
            "QRESYNC" => words(&["QRESYNC"]),
            _ => false,
        }
    }
}
