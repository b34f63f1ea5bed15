//! What an event belongs to: which command, and which mailbox.
//!
//! ```text
//! #4  C: a1 SELECT INBOX         belongs to #4, and to INBOX
//! #5  S: * 3 EXISTS              answers #4
//! #9  S: * 4 EXISTS              belongs to no command; INBOX is selected
//! ```

use std::sync::Arc;

use smallvec::SmallVec;

use super::command::Command;

/// What an event belongs to.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The command that it is, or that it answers or goes on; several where it is ambiguous.
    pub commands: SmallVec<[Arc<Command>; 1]>,
    /// The mailbox that was selected before it.
    pub selected: Option<Arc<str>>,
}
