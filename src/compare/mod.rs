//! Two recordings compared by what they mean: `mailscope diff`.
//!
//! ```text
//! recording A -> exchanges -.   connections   exchanges    responses
//!                            >- paired up --> aligned ---> compared ---> differences -> page | JSON
//! recording B -> exchanges -'
//! ```
//!
//! Both recordings are held in memory while they are compared, but for the octets of literals too large
//! to hold and for what can be made again of the others: some 0.7 KiB for a response of 100 octets. The
//! time grows with their length, even where everything differs.
//!
//! What is compared is the app's view of the session: what it said, and what it was given, whoever
//! said it. The same rules hold for a JSON transcript and for the short text form, and for one of each.
//!
//! # What is a difference
//!
//! - A **connection** that is in one recording alone. Connections belong together by what is done in
//!   them (`pairing.rs`), not by their numbers.
//! - A **command** that is in one recording alone or differs in an **argument**. Commands are compared as
//!   a replay compares them ([`sameness`](crate::protocol::imap::sameness)): mailbox names and strings
//!   by their octets (INBOX in any case), sequence sets and lists of items as sets.
//! - A command that comes **at another place**, if one that does more than ask (RFC 9051: SELECT, STORE,
//!   a FETCH that sets `\Seen`, and so on) stands between both places, or it is one itself.
//! - The **tagged response's** status and response code. A command without one has none.
//! - **Data that was asked for**. Untagged responses to one command have no order, and neither have the
//!   items of a FETCH or STATUS, flags, capabilities, mailbox attributes, the numbers of SEARCH and
//!   ESEARCH. SORT, THREAD, ENVELOPE, BODYSTRUCTURE and NAMESPACE have one. FETCH responses of one
//!   message that speak of different items are one. Message numbers are those of the exchange's
//!   beginning, so that EXPUNGEs may come in any order that removes the same messages.
//! - **Data that nobody asked for** (EXISTS, EXPUNGE, FETCH of flags, BYE) that comes on one of two
//!   connections alone. When it comes does not matter, and of EXISTS and RECENT the latest does. Message
//!   numbers are those of the time when the mailbox was selected.
//! - The **greeting's** status and response code.
//! - The octets of a **literal**, to the last one.
//!
//! # What is none
//!
//! Tags (in search correlators too), times, addresses, TLS's details, how the octets were cut, notes;
//! the form of a string (atom, quoted, literal) and go-aheads; letter case where IMAP has none;
//! human-readable text, except that of `ALERT`, and an `OK` that is nothing else; ID's arguments and
//! answer; APPEND's date; passwords and SASL turns (the mechanism counts, and how it ends); whatever is
//! masked on one side; connections in which nothing is said.
//!
//! How the app secured its leg: STARTTLS with the CAPABILITY before it, and the capabilities STARTTLS
//! and LOGINDISABLED, which a relay between two legs that differ has to edit. If one recording has
//! STARTTLS and the other has not, capabilities before the login are not compared at all, since servers
//! offer other ones there. That an app does not use TLS at all is not seen here; `mailscope show` and
//! `lint` say that.

//!
//! By [`Measure::Octets`] commands are compared by their octets too: letter case, the form of strings and
//! literals, the order in sets and lists, dates, ID; tags and secrets apart. Each that stands at another
//! place is told. That is for two versions of an app or a library, of which a server may see more than a
//! comparison by meaning does. What the server says is compared by meaning all the same.
//!
//! What else is to be none is named ([`Ignored`]): a command (`NOOP`), a response (`RECENT`), a response
//! code (`UIDVALIDITY`), an argument or an item (`sequence set`, `UID`), by the name under which it is told.

mod alignment;
mod comparison;
mod difference;
mod digest;
mod exchange;
mod facts;
mod ignored;
mod json;
mod listener;
mod meaning;
mod numbering;
mod page;
mod pairing;
mod responses;
#[cfg(test)]
mod tests;

pub use comparison::{Measure, compare, compare_by};
pub use difference::{
    Change, Command, Compared, Comparison, Counts, Difference, Kind, Pair, Sides,
};
pub use exchange::Conversation;
pub use ignored::Ignored;
pub use json::{SCHEMA, write_json};
pub use page::write_page;
