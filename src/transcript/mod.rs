//! The transcript: everything that was said in one run, in one JSON document. This page is the
//! format's specification; [`SCHEMA`] says the same to a machine.
//!
//! What is here: the format, written ([`TranscriptFile`], [`write_event`]) and read ([`Reader`]).
//! What is not: what a message means (`protocol`), and where events come from or go to (`sink`).
//!
//! # The document
//!
//! ```json
//! {"mailscope":{"format":1,"protocol":"imap","version":"0.1.0","started":"2026-11-23T12:00:00.000Z","server":"imap.gmail.com:993","secrets":"masked"},
//! "events":[
//! {"n":1,"conn":1,"at":0.000000,"kind":"connected","client":"127.0.0.1:51324","server":"imap.gmail.com:993"},
//! {"n":2,"conn":1,"at":0.030100,"from":"server","kind":"greeting","status":"OK","text":"Gimap ready","wire":["* OK Gimap ready\r\n"]}
//! ]}
//! ```
//!
//! The header stands in the first line, each event in one of its own. It is a valid document
//! whenever one looks, from the moment on when it is there: an append overwrites the closing `]}` and writes it again in the same call;
//! what reaches into another page of the file goes to a spare file, `.NAME.spare`, that then changes
//! places with it (a call like that stops between the pages when the process is killed).
//! A power cut may leave a torn tail; all whole events before it are good. An editor or a tool may
//! lay the document out anew, and even put `mailscope` behind `events`. Fields that a reader does
//! not know are passed over, and so are events of a kind it does not know that have no `wire`.
//!
//! | `mailscope` | |
//! |---|---|
//! | `format` | 1; a reader refuses a newer one |
//! | `protocol` | `imap` |
//! | `version` | of the mailscope that wrote it |
//! | `started` | RFC 3339, UTC, milliseconds; `at` counts from here |
//! | `server` | `host:port`; `socks` or `transparent` where apps keep their servers, which each `connected` names; `unknown` in an import that does not say |
//! | `secrets` | `masked`, or `shown` (`--show-secrets`) |
//! | `insecure` | `true` if the server's certificate was not verified (`--insecure`); else left out |
//! | `scrubbed` | `true` if its words are pseudonyms (`mailscope scrub`); else left out |
//!
//! # Events
//!
//! Every event has `n`, its number in the run, rising by one in the order in which the messages were
//! whole; `conn`, its connection's number; `at`, when its first octet was read, in seconds since
//! `started`, six decimals; and `kind`. A reader takes a missing `n` for the last one plus one, a
//! missing `conn` for 1, and a missing `at` for the last one. What a peer said has `from` (`client`,
//! `server`) and `wire`. A field without a value is left out.
//!
//! | kind | fields |
//! |---|---|
//! | `connected` | `client`, `server`: addresses with ports |
//! | `secured` | `leg` (`client`, `server`), `version`, `cipher`, `alpn` and `sni` (or `null`), `certificate`, `group`, `client_certificate`, `keylog` |
//! | `compressed` | none: both directions are compressed from here on (RFC 4978) |
//! | `greeting` | `status`, `code`, `text` |
//! | `command` | `tag`, `name` (upper case, `UID FETCH` is one), `mechanism`, `identity`, `refused`, `data` |
//! | `continuation_request` | `for` (`literal`, `sasl`, `idle`), `tag` of its command, attribution, `code`, `text` |
//! | `continuation` | `tag` of its command, `mechanism`, `identity`, `idled` (seconds that IDLE lasted) |
//! | `untagged` | `name` (upper case), `number`, `uid`, attribution, `status`, `code`, `text`, `data` |
//! | `tagged` | `tag`, `status`, attribution, `elapsed` (seconds since the command's `at`), `code`, `text` |
//! | `literal_part` | attribution, `offset` and `octets`: of the literal before this part, and in all |
//! | `opaque` | attribution; octets that could not be framed |
//! | `note` | `id`, `text`, `clause`: what mailscope found; no `wire` |
//! | `gap` | `octets`: how many were not seen here |
//! | `closed` | `from` and `half` (`true`) when one peer ended; else `reason`, the connection's last event |
//!
//! - `certificate` is what the server of that leg showed (for the app that is mailscope): `subject`,
//!   `issuer`, `names`, `not_before` and `not_after` (RFC 3339, UTC), `sha256` (of the DER octets),
//!   `chain` (the subjects of the certificates sent with it, `null` where one cannot be read),
//!   `further` (the same certificates as objects, without `names`), and on the server's leg `verified`.
//! - `group` is what the keys were agreed on in (`X25519`). `client_certificate` stands where the server
//!   asked for one: what mailscope showed (`--server-cert`), in the shape of `certificate`, `{}` for
//!   none. `keylog` is `true` where the keys went to a file (`--keylog`).
//! - Attribution is exactly one of `answers` (the command's `n`), `ambiguous` (several; the oldest
//!   32 where they are more) and `unsolicited` (`true`). A `+` for a literal has none, since its command
//!   has no `n` yet.
//! - `uid` stands in EXPUNGE and FETCH where their message's UID was told before, and not in them: `* 3
//!   EXPUNGE` takes the message with this UID away.
//! - `code` is a status response's code: `{"name":"UNSEEN","value":3}`. `value` is a number, a string
//!   or an array, left out where the code has no argument. Beside it stands `data` where it has parts with
//!   names: `{"uid_validity":38505,"source":"304","destination":"3956"}`.
//! - `data` is what stands in a command or in an untagged response, in a shape that depends on its `name`
//!   and that the schema has; what does not fit the grammar is a tree of `values`. A mailbox name that
//!   reads as something else than it is written (RFC 3501, section 5.1.3) stands decoded beside it, in
//!   `mailbox_decoded`; so do encoded words (RFC 2047), in `subject_decoded` and `name_decoded`.
//! - `capabilities`, `{"added":[...],"removed":[...]}`, stands where the server's changed.
//! - `refused`: the command announced a literal and the server did not want it; the header stays text.
//! - `incomplete`: the message was cut off by the connection's end.
//! - `sent`, an array like `wire`: what was passed on in its place, `[]` for nothing.
//! - An event `from` `mailscope` (with `to`) is what mailscope says itself, in place of the peer that
//!   is not `to`: its own STARTTLS, or its answer to one.
//!
//! A replay that asks the real server (`--on-miss record`) adds each connection to it as a session of
//! its own behind all others. Its greeting and all that answers mailscope's own commands have
//! `"sent":[]`; what it is there for are the commands `from` the `client`.
//!
//! # The wire
//!
//! `wire` is what was read from that peer, after TLS and inflating, and the truth: all other fields
//! are readings of it, which a reader makes again. It is an array of
//!
//! | item | |
//! |---|---|
//! | `"text"` | text that is valid UTF-8 |
//! | `{"base64":"/w=="}` | other octets; with strings beside it, or for the whole of a text with many |
//! | `{"literal":"text"}` | a literal that is valid UTF-8 |
//! | `{"literal":{"base64":"/w=="}}` | any other literal |
//! | `{"literal":{"parts":[7,8,9]}}` | a literal too large to hold: the `literal_part` events with these numbers |
//! | `{"secret":"password"}` | a mask, which counts as 8 octets: `challenge`, `password`, `sasl`, `unreadable`, `urlauth` |
//!
//! Beside `literal` stand `form` (`nonsync` `{3+}`, `literal8` `~{3}`, `literal8-nonsync` `~{3+}`; left
//! out for `{3}`) and, where the header that was read is not the one that form and content call for
//! (`{007}`, a bare LF, a literal cut short), that `header`, line end included. A literal's count is
//! not stored, so that a literal can be edited by hand. Strings and base64 that follow each other are
//! one text.
//!
//! # Strings
//!
//! In every string, C0, DEL, C1, bidi, zero-width and other hidden characters ([`is_hidden`]) are
//! `\u` escapes, so that a transcript can be looked at in a terminal.

mod ahead;
mod document;
mod entry;
mod file;
mod header;
mod item;
mod json;
mod kept;
mod nameless;
mod pair;
mod place;
mod reader;
mod recent;
mod resume;
#[cfg(test)]
mod sample;
mod scanner;
mod schema;
mod split;
mod text;
mod text_line;
mod wire;

pub use crate::event::json::is_hidden;
pub use file::{Displaced, Restored, TranscriptFile};
pub use header::{FORMAT, Header, rfc3339};
pub use json::write_event;
pub(crate) use kept::Kept;
pub use nameless::{Nameless, NamelessTranscript};
pub use place::place;
pub use reader::Reader;
pub use resume::Resumed;
pub use schema::SCHEMA;
pub(crate) use text::header_line;
pub use text::{COUNTS_AS_SENT, TextWriter, open_lists};
pub use text_line::{TextLine, is_text, read_text, read_text_so_far, says_opaque, says_refused};

#[cfg(test)]
mod tests;
