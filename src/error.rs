//! What *we* could not do: bind, dial, read a file. Never what a peer said; a peer's oddities are
//! [`Note`](crate::event::Note)s in the transcript.
//!
//! An error names what was being done to what, why it failed, and what to try. It is printed once,
//! at the rim (`main.rs`), and ends the program with exit code 2.

use std::fmt;

/// The result of something mailscope itself does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Something mailscope could not do.
///
/// Displayed as `listen on 127.0.0.1:1993: Address already in use (os error 98)`, followed by one
/// line with what to try where there is something to try.
#[derive(Debug)]
pub struct Error {
    doing: String,
    why: String,
    hint: Option<String>,
}

impl Error {
    /// `doing` names the action and its object (`read recordings/tour.json`), `why` the cause.
    pub fn new(doing: impl Into<String>, why: impl fmt::Display) -> Self {
        Self {
            doing: doing.into(),
            why: why.to_string(),
            hint: None,
        }
    }

    /// Adds what the person at the keyboard may try.
    #[must_use = "the error with its hint is returned, not changed in place"]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What was being done, alone.
    pub fn doing_what(&self) -> &str {
        &self.doing
    }

    /// The cause alone, without what was being done: for a transcript's `closed` reason.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// What the person at the keyboard may try, where there is something.
    pub fn what_to_try(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// All of it in one line, as a note in a transcript wants it.
    pub fn in_one_line(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}: {}; {hint}", self.doing, self.why),
            None => format!("{}: {}", self.doing, self.why),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.why)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  try: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// Names what was being done when a lower error came up.
pub trait Doing<T> {
    /// Turns the error into an [`Error`] whose action is `doing()`.
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Doing<T> for std::result::Result<T, E> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|why| Error::new(doing(), why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_action_the_cause_and_what_to_try() {
        let error = Error::new("listen on 127.0.0.1:1993", "in use").hint("--listen-tls ADDR");
        assert_eq!(
            error.to_string(),
            "listen on 127.0.0.1:1993: in use\n  try: --listen-tls ADDR"
        );
        assert_eq!(
            error.in_one_line(),
            "listen on 127.0.0.1:1993: in use; --listen-tls ADDR"
        );
    }
}
