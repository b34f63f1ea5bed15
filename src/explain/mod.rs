//! What the words of IMAP mean, for people who do not know them by heart.
//!
//! Two things on one table of terms (`terms.txt`, a line a term, which anybody can read and mend):
//!
//! - [`find`] looks a term up as it stands on the wire, for `mailscope explain`.
//! - [`Narrator`] says of each event what it does in this place, for `--explain`.
//!
//! Without I/O and without judgement: it does not say what is wrong (that is a note's or a lint's
//! business), and what it does not know it leaves alone.

mod command;
#[cfg(test)]
mod complete;
mod items;
mod lookup;
mod narrator;
#[cfg(test)]
mod registry;
mod response;
mod search;
mod sentence;
mod sets;
mod table;
mod terms;

pub use lookup::{find, here, near};
pub use narrator::{Explanation, Narrator, Term};
pub use sentence::{Part, Sentence};
pub use table::{Entry, Kind, entries};
