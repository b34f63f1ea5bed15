//! Which events are wanted: the language of `--filter`, for `show`, `record`, `stats` and `export`.
//!
//! ```text
//! command:FETCH status:NO
//! mailbox:INBOX (unsolicited or elapsed>200ms) not conn:2
//! from:server "quota exceeded"
//! ```
//!
//! # Grammar
//!
//! ```text
//! filter     = any
//! any        = all *("or" all)
//! all        = one *(["and"] one)              ; side by side is `and`
//! one        = *("not" / "-" / "!") test
//! test       = "(" any ")" / string / word / field ":" value *("," value) / number
//! word       = "ambiguous" / "incomplete" / "unsolicited"
//! field      = "code" / "command" / "flag" / "from" / "kind" / "mailbox" / "name" / "note" /
//!              "status" / "tag"
//! number     = ("at" / "conn" / "elapsed" / "n" / "octets") comparison amount
//! comparison = ":" / "=" / "!=" / "<" / "<=" / ">" / ">="
//! value      = string / 1*(any character but space, comma, quote and parentheses)
//! string     = <"> *(character / "\" character) <">
//! ```
//!
//! `not` binds tighter than `and`, `and` tighter than `or`. Words of the language and all values are
//! the same in any letter case. In a value `*` stands for any characters, as in `mailbox:Archive/*` or
//! `note:starttls-*`; several values, `status:NO,BAD`, are any of them. An `amount` is a number; of
//! `at` and `elapsed` with `us`, `ms`, `s` (or nothing), `min` or `h`, of `octets` with `B` (or
//! nothing), `kB`, `KiB`, `MB` or `MiB`.
//!
//! # What matches
//!
//! | test | matches |
//! |---|---|
//! | `command:FETCH` | a FETCH or UID FETCH and everything that answers it or goes on it; `command:"UID FETCH"` the latter alone |
//! | `mailbox:INBOX` | what names the mailbox, belongs to a command that names it, or to one about the selected mailbox while that was it; and what is unsolicited meanwhile |
//! | `tag:a1` | a command with the tag, its tagged response and its continuations; what answers it, too |
//! | `status:NO` | a tagged response, untagged status response or greeting with the status: OK, NO, BAD, PREAUTH, BYE |
//! | `code:ALERT` | a response with the response code |
//! | `name:EXISTS` | an untagged response, or a command, of the name |
//! | `kind:command` | the transcript's kind of event |
//! | `from:server` | client, server, or mailscope itself, as in a transcript |
//! | `note:bare-lf` | a finding with the id |
//! | `flag:\Seen` | a message in which the flag or keyword stands |
//! | `unsolicited`, `ambiguous`, `incomplete` | an event that the transcript calls so |
//! | `conn:2`, `n>=27`, `at<1.5s` | the connection, the event's number, the seconds since the start |
//! | `elapsed>200ms` | a tagged response that took so long |
//! | `octets>10KiB` | a message of more octets than that, masks counted as 8 |
//! | `"text"` | a message in whose octets the text stands, ASCII in any letter case, or a finding in whose words it does |
//!
//! Whether an event matches depends on it and on what came before it, never on what comes later: that
//! is why `record --filter` shows live what `show --filter` shows again. So a command has no status,
//! only its answer has; and the `+` for a literal, or a literal's streamed part, that comes before its
//! command is whole belongs to no command yet. What is masked is not there to be found: no text
//! matches a mask. A text is looked for in each message by itself, and not across a mask.
//!
//! What is recorded is never changed by a filter. Events that do not match leave no trace in what is
//! shown; a `gap` is shown always, since what a viewer was not given may have matched.

mod error;
mod expression;
mod lexer;
mod matching;
mod parser;
#[cfg(test)]
mod tests;

pub use error::BadFilter;
pub use expression::{Comparison, Expression, Number, Test, Word};
pub use matching::Matcher;
pub use parser::parse;
