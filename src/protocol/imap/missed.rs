//! Octets that were said and that nobody kept: lost by a capture, or left out of a log.
//!
//! ```text
//! S: * 1 FETCH (BODY[TEXT] {9}    a log that has no literals: nine octets are missing, the count is
//!                                 known, and they are filled
//! S: a1 OK do                     a lost packet: the message is incomplete, and a new one begins behind
//! ```

use super::framer::Framer;
use super::observer::Observer;
use crate::event::{Body, Draft, Micros, Note, Peer};
use crate::limits;
use crate::protocol::Protocol;
use crate::session::Session;

/// What stands for an octet of a literal that is missing.
const FILLER: u8 = b'?';

impl Observer {
    /// So many octets of `from` are missing here. Those of a literal are filled, so that its message
    /// goes on behind them; otherwise what was begun is told as incomplete.
    pub fn missed(&mut self, from: Peer, octets: u64, at: Micros, out: &mut Vec<Draft>) {
        if from == Peer::Client && self.awaits_go_ahead() && octets > 0 {
            self.accept_literal(out); // it went on, so it was told to
        }
        let filled = self.literal_left(from).min(octets);
        let filled = if filled > limits::FILLED { 0 } else { filled };
        if filled > 0 {
            let mut left = filled;
            while left > 0 {
                let length = left.min(limits::READ as u64);
                let filler = vec![FILLER; length as usize]; // at most a read
                let _ = self.observe(from, &filler, at, out); // nothing is passed on
                left -= length;
            }
        }
        if filled < octets {
            self.cut_off(from, at, out);
        }
        self.missed_again();
        let ordinal = self.next_ordinal();
        out.push(Draft::new(
            ordinal,
            at,
            Body::Gap {
                octets,
                missed_by: crate::event::MissedBy::Transcript,
            },
        ));
        if filled > 0 {
            self.note(Note::LiteralNotKept { octets: filled }, at, out);
        }
    }

    /// What `from` has begun ends here, wherever that is; what it says next begins anew.
    pub fn cut_off(&mut self, from: Peer, at: Micros, out: &mut Vec<Draft>) {
        self.end_message(from, at, out);
        self.side(from).framer = Framer::new(from);
    }

    /// A recording says that octets are missing here: what was known of the mailbox may have changed.
    pub fn missed_again(&mut self) {
        self.session.iter_mut().for_each(Session::doubt);
    }

    /// The client goes on with its literal: it was told to, whether that was written down or not.
    pub fn goes_on(&mut self, out: &mut Vec<Draft>) {
        if self.awaits_go_ahead() {
            self.accept_literal(out);
        }
    }

    /// The client goes on with a line: its literal was refused, whether that was written down or not.
    pub fn goes_not_on(&mut self, out: &mut Vec<Draft>) {
        if self.awaits_go_ahead() {
            self.refuse_literal(out);
            self.pump_undecided(out);
        }
    }

    /// Octets of a literal that `from` has announced and not said yet.
    fn literal_left(&mut self, from: Peer) -> u64 {
        self.side(from).framer.literal_left()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Gate, Said, Secrets};

    fn observer() -> Observer {
        let mut observer = Observer::of_log(Gate::new(Secrets::Masked));
        let octets = b"* PREAUTH hi\r\n";
        let _ = observer.observe(Peer::Server, octets, Micros(0), &mut Vec::new());
        observer
    }

    fn said(drafts: &[Draft]) -> Vec<&Said> {
        let said = drafts.iter().filter_map(|draft| match draft.body() {
            Body::Said(said) => Some(&**said),
            _ => None,
        });
        said.collect()
    }

    fn notes(drafts: &[Draft]) -> Vec<&str> {
        let notes = drafts.iter().filter_map(|draft| match draft.body() {
            Body::Note(note) => Some(&*note.id),
            _ => None,
        });
        notes.collect()
    }

    #[test]
    fn a_literals_missing_octets_are_filled_and_its_message_goes_on() {
        let (mut observer, mut out, at) = (observer(), Vec::new(), Micros(1));
        let _ = observer.observe(Peer::Client, b"a FETCH 1 BODY[]\r\n", at, &mut out);
        let _ = observer.observe(Peer::Server, b"* 1 FETCH (BODY[] {3}\r\n", at, &mut out);
        observer.missed(Peer::Server, 3, at, &mut out);
        let _ = observer.observe(Peer::Server, b")\r\na OK\r\n", at, &mut out);
        let said = said(&out);
        assert_eq!(said[1].wire.bytes(), b"* 1 FETCH (BODY[] {3}\r\n???)\r\n");
        assert!(!said[1].incomplete);
        assert_eq!(notes(&out), ["literal-not-kept"]);
    }

    #[test]
    fn a_literal_that_goes_on_is_one_though_its_command_is_refused_later() {
        let (mut observer, mut out, at) = (observer(), Vec::new(), Micros(1));
        let _ = observer.observe(Peer::Client, b"a APPEND x {3}\r\n", at, &mut out);
        observer.goes_on(&mut out);
        let _ = observer.observe(Peer::Client, b"abc\r\n", at, &mut out);
        let _ = observer.observe(Peer::Server, b"a NO\r\n", at, &mut out);
        assert_eq!(said(&out)[0].wire.bytes(), b"a APPEND x {3}\r\nabc\r\n");
    }

    #[test]
    fn a_message_with_missing_octets_is_incomplete_and_the_next_one_is_read() {
        let (mut observer, mut out, at) = (observer(), Vec::new(), Micros(1));
        let _ = observer.observe(Peer::Server, b"* 1 EX", at, &mut out);
        observer.missed(Peer::Server, 7, at, &mut out);
        let _ = observer.observe(Peer::Server, b"* 2 EXISTS\r\n", at, &mut out);
        let said = said(&out);
        assert!(said[0].incomplete);
        assert_eq!(said[1].wire.bytes(), b"* 2 EXISTS\r\n");
        assert!(!said[1].incomplete);
    }
}
