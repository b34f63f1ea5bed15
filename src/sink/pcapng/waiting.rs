//! Go-aheads for literals, until the command is whole that waits for them: in a transcript they stand
//! before it, on the wire they come behind the literal's header.
//!
//! ```text
//! #7  S: + go                              C: a2 APPEND INBOX {18}
//! #8  C: a2 APPEND INBOX {18} ...    ->    S: + go
//!                                          C: ...
//! ```
//!
//! What the server says behind one waits with it, since no octet may overtake another; beyond
//! [`limits::CAPTURE_WAITING`] nothing does any more.

use std::collections::VecDeque;
use std::mem;

use crate::event::{Awaited, Event, Message, Peer, Piece, Reading, Said};
use crate::limits;
use crate::transcript::header_line;

/// What a connection's server said from a go-ahead on.
#[derive(Default)]
pub struct Waiting {
    events: VecDeque<Waits>,
    octets: usize,
}

/// Something that waits.
pub struct Waits {
    /// When it was said.
    pub event: Event,
    /// What is to be said of it.
    pub comments: Vec<String>,
    is_go_ahead: bool,
}

impl Waiting {
    /// Keeps what the server said, if it is a go-ahead or comes behind one. Whether it does.
    pub fn takes(&mut self, event: &Event, said: &Said) -> bool {
        let is_go_ahead = matches!(
            said.reading,
            Reading::ContinuationRequest {
                awaited: Some(Awaited::Literal),
                ..
            }
        );
        if said.from == Peer::Client || !is_go_ahead && self.events.is_empty() {
            return false;
        }
        self.octets += mem::size_of::<Waits>() + said.wire.bytes().len();
        self.events.push_back(Waits {
            event: event.clone(),
            comments: Vec::new(),
            is_go_ahead,
        });
        true
    }

    /// Says this of what waits last; gives it back where nothing does.
    pub fn comment(&mut self, text: String) -> Option<String> {
        match self.events.back_mut() {
            Some(last) => {
                self.octets += text.len();
                last.comments.push(text);
                None
            }
            None => Some(text),
        }
    }

    /// Whether more waits than is held.
    pub fn is_full(&self) -> bool {
        self.octets > limits::CAPTURE_WAITING
    }

    /// How many go-aheads wait.
    pub fn go_aheads(&self) -> usize {
        self.events.iter().filter(|waits| waits.is_go_ahead).count()
    }

    /// The next go-ahead, and what was said behind it.
    pub fn next(&mut self) -> Vec<Waits> {
        let next: Vec<Waits> = match self.events.pop_front() {
            Some(first) => {
                let behind = self.events.iter().take_while(|waits| !waits.is_go_ahead);
                let behind = behind.count();
                [first]
                    .into_iter()
                    .chain(self.events.drain(..behind))
                    .collect()
            }
            None => Vec::new(),
        };
        if self.events.is_empty() {
            self.octets = 0;
        }
        next
    }

    /// All of it.
    pub fn all(&mut self) -> Vec<Waits> {
        self.octets = 0;
        mem::take(&mut self.events).into()
    }
}

/// Where a client waited in its message, for at most so many go-aheads: behind the header of each
/// synchronizing literal. Before a secret where there are more: the header of one is masked with it.
pub fn places(message: &Message, go_aheads: usize) -> Vec<usize> {
    let (mut literals, mut secrets) = (Vec::new(), Vec::new());
    for piece in message.pieces() {
        match piece {
            Piece::Text(range) => {
                // A literal may stand in what was kept as one text.
                let mut start = range.start;
                while let Some((end, _)) = header_line(&message.bytes()[start..range.end])
                    && start + end < range.end
                {
                    start += end;
                    literals.push(start);
                }
            }
            Piece::Literal { form, header, .. } | Piece::Streamed { form, header, .. } => {
                literals.extend(form.is_sync().then_some(header.end));
            }
            Piece::Secret(_, range) => secrets.push(range.start),
        }
    }
    secrets.truncate(go_aheads.saturating_sub(literals.len()));
    literals.truncate(go_aheads);
    literals.extend(secrets);
    literals.sort_unstable();
    literals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{LiteralForm, Secret};

    #[test]
    fn a_client_waits_behind_each_synchronizing_header_and_before_a_masked_one() {
        let mut message = Message::text(b"a LOGIN ");
        message.push_whole_literal(LiteralForm::Sync, b"{5}\r\n", b"alice");
        message.push_text(b" ");
        message.push_secret(Secret::Password);
        message.push_text(b"\r\n");
        assert!(places(&message, 0).is_empty());
        assert_eq!(places(&message, 1), [13]);
        assert_eq!(places(&message, 2), [13, 19]);
        let mut message = Message::text(b"a APPEND x {1}\r\ny ");
        message.push_whole_literal(LiteralForm::NonSync, b"{2+}\r\n", b"yz");
        message.push_text(b" {3}\r\n");
        assert_eq!(places(&message, 9), [16]);
    }
}
