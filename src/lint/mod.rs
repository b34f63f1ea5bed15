//! What client and server do against the RFCs: findings, each with the octets, the clause and who is to
//! blame.
//!
//! ```text
//! C: a9 STORE 99 +FLAGS (\Seen)
//!             ^^                   number-beyond-exists: there are 54 messages
//! ```
//!
//! [`RULES`] is the table; [`Linter`] is fed with whole events in their order, live or from a
//! transcript alike, and answers each with what is wrong with it. How a rule is looked after stands in
//! `checks`, a file a concern.
//!
//! Not a validator of everything: a rule is here only where what breaks it can be told from what was
//! said. A wrong finding is worse than none; where several readings are possible, there is none.
//!
//! What mailscope itself noticed when it recorded is in the transcript as notes. Some of them a
//! transcript alone cannot tell, and they are taken over; all others are found again.

mod checks;
mod finding;
mod linter;
mod look;
mod memory;
pub mod print;
mod rule;
mod table;
#[cfg(test)]
mod tests;

pub use finding::Finding;
pub use linter::{Counts, Linter};
pub use rule::{Rule, Severity, Side};
pub use table::{RULES, near, rule};
