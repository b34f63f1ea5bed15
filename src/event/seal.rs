//! The gate: nothing reaches a sink but through here.
//!
//! A [`Message`] may hold secrets. The [`Gate`] masks them and hands out a [`Sealed`] message, which
//! has no other constructor; events are made of sealed messages alone. Which octets are secret is
//! for the protocol to say; what was secret once is remembered here, for all connections of a run,
//! so that it is masked when it comes again.

use std::collections::VecDeque;
use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::forms::Forms;
use super::message::{Message, Secret};
use crate::limits;

/// A message that holds no secret (or one whose secrets the user asked to see).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sealed(Message);

impl Deref for Sealed {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.0
    }
}

impl Sealed {
    pub(super) fn renumber_parts(&mut self, number: impl FnMut(u64) -> u64) {
        self.0.renumber_parts(number);
    }
}

/// What the user wants done with secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// The default.
    Masked,
    /// `--show-secrets`.
    Shown,
}

impl Secrets {
    /// The word in a transcript's header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Masked => "masked",
            Self::Shown => "shown",
        }
    }
}

/// The one way from a message to a sealed one.
#[derive(Clone)]
pub struct Gate {
    secrets: Secrets,
    remembered: Arc<Remembered>,
}

#[derive(Default)]
struct Remembered {
    any: AtomicBool,
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Secrets, and what may be one. Each has a list of its own, so that no number of guesses (a
    /// browser that speaks HTTP to the port) drives out a password.
    values: VecDeque<Vec<u8>>,
    guesses: VecDeque<Vec<u8>>,
    /// What they are found by; `None` until it is needed, and after each that is added.
    forms: Option<Arc<Forms>>,
}

impl Gate {
    /// A gate that remembers nothing yet. Clones share what they remember.
    pub fn new(secrets: Secrets) -> Self {
        Self {
            secrets,
            remembered: Arc::default(),
        }
    }

    /// Masks `secret` octets (ordered by their start) and lets the message through.
    pub fn seal(&self, message: Message, secret: &[(Range<usize>, Secret)]) -> Sealed {
        if secret.is_empty() || self.secrets == Secrets::Shown {
            return Sealed(message);
        }
        Sealed(message.masked(secret))
    }

    /// Whether this gate masks at all.
    pub fn masks(&self) -> bool {
        self.secrets == Secrets::Masked
    }

    /// Remembers a secret's octets, so that [`occurrences`](Self::occurrences) finds them.
    ///
    /// Values shorter than [`limits::SECRET_SHORTEST`] are not remembered; of one longer than
    /// [`limits::SECRET_LENGTH`] the beginning is; of more than [`limits::SECRETS`] the newest.
    pub fn remember(&self, value: &[u8]) {
        self.add(value, |inner| &mut inner.values);
    }

    /// As [`remember`](Self::remember), for what only may be a secret.
    pub fn suspect(&self, value: &[u8]) {
        self.add(value, |inner| &mut inner.guesses);
    }

    fn add(&self, value: &[u8], list: impl FnOnce(&mut Inner) -> &mut VecDeque<Vec<u8>>) {
        if value.len() < limits::SECRET_SHORTEST || !self.masks() {
            return;
        }
        let value = &value[..value.len().min(limits::SECRET_LENGTH)];
        let mut inner = self
            .remembered
            .inner
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let list = list(&mut inner);
        if let Some(known) = list.iter().position(|known| known == value) {
            let known = list.remove(known);
            list.extend(known); // the newest now
            return;
        }
        if list.len() == limits::SECRETS {
            list.pop_front();
        }
        list.push_back(value.to_vec());
        inner.forms = None;
        self.remembered.any.store(true, Ordering::Release);
    }

    /// Where remembered secrets stand in `text`, in order: as they are, as quoted strings and in
    /// base64. From the beginning of a secret that is remembered in part, everything to the end of
    /// `text`.
    pub fn occurrences(&self, text: &[u8]) -> Vec<Range<usize>> {
        match self.forms() {
            Some(forms) => forms.occurrences(text),
            None => Vec::new(),
        }
    }

    /// How many of the last octets of `text` cannot be told before more is read, since a secret
    /// may begin in them: the same whatever is remembered, so that it does not tell a secret's
    /// length, nor that its first letter stands there. A line's end ends most secrets.
    pub fn undecided(&self, text: &[u8]) -> usize {
        let Some(forms) = self.forms() else {
            return 0;
        };
        let line_feed = memchr::memrchr(b'\n', text).filter(|_| !forms.cross_lines());
        let line = text.len() - line_feed.map_or(0, |line_feed| line_feed + 1);
        line.min(limits::SECRET_LENGTH)
    }

    fn forms(&self) -> Option<Arc<Forms>> {
        if !self.remembered.any.load(Ordering::Acquire) {
            return None;
        }
        let inner = &self.remembered.inner;
        let made = inner.read().unwrap_or_else(PoisonError::into_inner);
        if made.forms.is_some() {
            return made.forms.clone();
        }
        drop(made);
        let mut inner = inner.write().unwrap_or_else(PoisonError::into_inner);
        if inner.forms.is_none() {
            inner.forms = Forms::new(inner.values.iter().chain(&inner.guesses)).map(Arc::new);
        }
        inner.forms.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_secret_once_is_found_again() {
        let gate = Gate::new(Secrets::Masked);
        gate.remember(b"hunter2");
        assert_eq!(
            gate.occurrences(b"no hunter2, hunter2"),
            vec![3..10, 12..19]
        );
        assert!(gate.clone().occurrences(b"hunter").is_empty());
    }

    #[test]
    fn short_values_are_not_searched_for() {
        let gate = Gate::new(Secrets::Masked);
        gate.remember(b"abc");
        assert!(gate.occurrences(b"abc abc").is_empty());
    }

    #[test]
    fn of_an_overlong_value_everything_from_its_beginning_is_found() {
        let gate = Gate::new(Secrets::Masked);
        let token = vec![b'x'; limits::SECRET_LENGTH + 100];
        gate.remember(&token);
        let mut text = b"token ".to_vec();
        text.extend_from_slice(&token);
        assert_eq!(
            gate.occurrences(&text),
            std::iter::once(6..text.len()).collect::<Vec<_>>()
        );
    }

    #[test]
    fn the_number_of_remembered_values_is_bounded() {
        let gate = Gate::new(Secrets::Masked);
        for i in 0..limits::SECRETS + 1 {
            gate.remember(format!("secret-number-{i:05}").as_bytes());
        }
        assert!(gate.occurrences(b"secret-number-00000").is_empty());
        assert_eq!(gate.occurrences(b"secret-number-00064").len(), 1);
    }

    #[test]
    fn no_number_of_guesses_drives_out_a_secret() {
        let gate = Gate::new(Secrets::Masked);
        gate.remember(b"hunter2");
        for i in 0..2 * limits::SECRETS {
            gate.suspect(format!("guess-{i:05}").as_bytes());
        }
        assert_eq!(gate.occurrences(b"hunter2 guess-00127").len(), 2);
        assert!(gate.occurrences(b"guess-00001").is_empty());
    }

    #[test]
    fn a_secret_that_is_in_use_is_not_driven_out() {
        let gate = Gate::new(Secrets::Masked);
        for i in 0..2 * limits::SECRETS {
            gate.remember(b"hunter2");
            gate.remember(format!("token-{i:05}").as_bytes());
        }
        assert_eq!(gate.occurrences(b"hunter2").len(), 1);
    }

    #[test]
    fn what_is_undecided_tells_nothing_of_the_secret() {
        let gate = Gate::new(Secrets::Masked);
        assert_eq!(gate.undecided(b"hunt"), 0);
        gate.remember(b"hunter2");
        for text in [&b"hunt"[..], b"xxxx", b"hunter2\nhunt", b"\nxxxx"] {
            assert_eq!(gate.undecided(text), 4, "{text:?}");
        }
        assert_eq!(gate.undecided(b"hunter2\r\n"), 0);
        assert_eq!(gate.undecided(&[b'x'; 100_000]), limits::SECRET_LENGTH);
        gate.remember(b"two\nlines");
        assert_eq!(gate.undecided(b"two\n"), 4);
    }

    #[test]
    fn shown_secrets_are_left_alone() {
        let gate = Gate::new(Secrets::Shown);
        let sealed = gate.seal(Message::text(b"hunter2"), &[(0..7, Secret::Password)]);
        assert_eq!(sealed.bytes(), b"hunter2");
    }
}
