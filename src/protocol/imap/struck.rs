//! Faults that strike messages ([`fault`](crate::fault)): which of the client's go nowhere, what the
//! app is given in place of their answers, and when.
//!
//! ```text
//! --fault no:SELECT=OVERQUOTA
//! C: a SELECT INBOX          not passed on
//! S: a NO [OVERQUOTA] ...    said by mailscope, behind the answers to the commands before it
//! ```
//!
//! A client's message is held until its name is known; what is struck is dropped as it comes, its
//! literals too. Once the session is compressed nothing is struck any more, for what is compressed
//! is passed on as it is.

use std::collections::VecDeque;
use std::sync::Arc;

use super::command::Command;
use super::framer::Fragment;
use super::meaning::{Meaning, Missing, Then};
use super::observer::Observer;
use super::tracker::Expected;
use super::upgrade::Plan;
use super::{lexer, tampered};
use crate::event::{Draft, Message, Micros, Note, Passed, Peer, Reading, Relation, Sealed};
use crate::fault::{How, Strike, Strikes};
use crate::limits;
use crate::protocol::Break;
use crate::protocol::opaque::Fate;

/// What of a session is struck.
#[derive(Default)]
pub(super) struct Struck {
    current: Current,
    /// Commands that nobody will answer.
    stalled: VecDeque<u64>,
    /// What waits for the answers before it.
    due: VecDeque<Due>,
    /// Commands behind whose answer something comes.
    behind: Vec<(u64, Strike)>,
}

/// What becomes of the client's message that is being read.
#[derive(Default)]
enum Current {
    #[default]
    Undecided,
    Passes,
    /// It is dropped as it comes; this follows when it is whole.
    Struck(Strike),
    /// The same of one whose beginning was told, since it is too long to hold.
    TooLong(Due),
    /// It is dropped as it comes, and what follows has followed, or nothing does: it began in what was
    /// dropped behind the header of a struck command's literal.
    Done,
}

/// A strike with its place among the answers.
pub(super) struct Due {
    strike: Strike,
    /// The tag of the command that is struck.
    tag: Vec<u8>,
    /// All commands with a smaller ordinal are answered first.
    behind: u64,
}

/// Behind all commands that are known.
const LAST: u64 = u64::MAX;

impl Observer {
    fn strikes(&mut self) -> &mut Strikes {
        &mut self.bridge.setting.faults
    }

    /// Whether the beginning of the client's message is kept from going on: it is struck, or may be.
    pub(super) fn strikes_begun(&mut self, at: Micros, out: &mut Vec<Draft>) -> bool {
        let may_be_struck = matches!(self.struck.current, Current::Undecided)
            && self.tracker.expected() == Expected::Command
            && !self.strikes().is_empty();
        if may_be_struck {
            let begun = self.client.assembler.message();
            let is_short = begun.bytes().len() <= limits::READ;
            if is_short && !self.client.framer.is_at_literal() {
                return true;
            }
            let spans = lexer::command(begun);
            let name = Command::new(begun, &spans).name();
            // Of one that an app sent too early, the beginning may have gone on.
            let begun = begun.bytes().len();
            let name = name.filter(|_| self.bridge.holds(Peer::Client, begun));
            let strike = name.and_then(|name| self.strikes().command(&name));
            self.struck.current = strike.map_or(Current::Passes, Current::Struck);
        }
        if !self.is_struck() {
            return false;
        }
        self.bridge.release(Peer::Client, Some(Vec::new()));
        if self.client.framer.awaits_go_ahead() {
            match std::mem::replace(&mut self.struck.current, Current::Done) {
                Current::Struck(strike) => {
                    let tag = super::upgrade::tag_of(self.client.assembler.message());
                    self.strike(strike, tag, LAST, at, out);
                }
                Current::TooLong(Due {
                    strike,
                    tag,
                    behind,
                }) => self.strike(strike, tag, behind, at, out),
                Current::Undecided | Current::Passes | Current::Done => {}
            }
        }
        true
    }

    /// A client's message has ended whose beginning was told before, since it was too long to hold.
    pub(super) fn ended_too_long(&mut self, at: Micros, out: &mut Vec<Draft>) {
        if !self.is_struck() {
            return self.strikes_next();
        }
        self.bridge.release(Peer::Client, Some(Vec::new()));
        if let Current::TooLong(due) = std::mem::take(&mut self.struck.current) {
            let Due {
                strike,
                tag,
                behind,
            } = due;
            self.strike(strike, tag, behind, at, out);
        }
    }

    /// Another message of the client is read from here on.
    pub(super) fn strikes_next(&mut self) {
        self.struck.current = Current::default();
    }

    /// What was dropped before it was framed is in the client's message: no more of that goes on.
    pub(super) fn go_nowhere_with(&mut self, fragment: &Fragment<'_>, fate: Option<Fate>) {
        if fate == Some(Fate::Dropped) && !matches!(fragment, Fragment::Opaque(_)) {
            self.struck.current = Current::Done;
        }
    }

    /// What was begun of a client's message was dropped, and no more of it goes on.
    pub(super) fn goes_nowhere(&mut self) {
        if !self.client.assembler.is_empty() {
            self.struck.current = Current::Done;
        }
    }

    /// Whether the client's message that is being read goes nowhere.
    pub(super) fn is_struck(&self) -> bool {
        matches!(
            self.struck.current,
            Current::Struck(_) | Current::TooLong(_) | Current::Done
        )
    }

    /// What becomes of the octets of `from`'s message that is being read.
    pub(super) fn fate(&self, from: Peer) -> Fate {
        match from == Peer::Client && self.is_struck() {
            true => Fate::Dropped,
            false => Fate::Passed,
        }
    }

    /// What becomes of a client's whole message; `None` if no fault strikes it.
    pub(super) fn plan_strike(
        &mut self,
        message: &Message,
        meaning: &Meaning,
        missing: Missing,
    ) -> Option<Plan> {
        let goes_nowhere = self.is_struck();
        if self.strikes().is_empty() && !goes_nowhere {
            return None;
        }
        let mut current = std::mem::take(&mut self.struck.current);
        if self.client.assembler.is_cut() {
            current = self.begun_too_long(current, message, meaning.ordinal);
        }
        let Reading::Command {
            name: Some(name), ..
        } = &meaning.reading
        else {
            return goes_nowhere.then_some(Plan::Drop);
        };
        let strike = match current {
            Current::Done | Current::TooLong(_) => return Some(Plan::Drop),
            Current::Struck(_) if missing == Missing::Rest => return Some(Plan::Drop),
            Current::Struck(strike) => Some(strike),
            Current::Undecided if missing != Missing::Rest && self.holds_whole(message) => {
                self.strikes().command(name)
            }
            Current::Undecided | Current::Passes => None,
        };
        let Some(strike) = strike else {
            if let Some(strike) = self.strikes().behind(name) {
                if self.struck.behind.len() >= limits::IN_FLIGHT {
                    self.struck.behind.remove(0); // it has been forgotten by the tracker as well
                }
                self.struck.behind.push((meaning.ordinal, strike));
            }
            return None;
        };
        Some(Plan::Strike {
            strike,
            tag: super::upgrade::tag_of(message),
            command: meaning.ordinal,
        })
    }

    /// What becomes of a message's beginning, which is told since it is too long to hold; with its rest
    /// becomes the same.
    fn begun_too_long(&mut self, current: Current, begun: &Message, command: u64) -> Current {
        let (beginning, rest) = match current {
            Current::Undecided | Current::Passes => (Current::Passes, Current::Passes),
            Current::Struck(strike) => {
                let due = Due {
                    strike,
                    tag: super::upgrade::tag_of(begun),
                    behind: command,
                };
                (Current::Done, Current::TooLong(due))
            }
            Current::TooLong(_) | Current::Done => (Current::Done, Current::Done),
        };
        self.struck.current = rest;
        beginning
    }

    fn holds_whole(&mut self, message: &Message) -> bool {
        self.bridge.holds(Peer::Client, message.bytes().len())
    }

    /// Strikes the command with this tag, when its turn comes.
    pub(super) fn strike(
        &mut self,
        strike: Strike,
        tag: Vec<u8>,
        behind: u64,
        at: Micros,
        out: &mut Vec<Draft>,
    ) {
        if strike.how == How::Stall {
            self.note(Note::Fault(Arc::clone(&strike.fault)), at, out);
            if self.struck.stalled.len() >= limits::IN_FLIGHT {
                self.struck.stalled.pop_front();
            }
            return self.struck.stalled.push_back(behind);
        }
        self.struck.due.push_back(Due {
            strike,
            tag,
            behind,
        });
        self.strike_if_due(at, out);
    }

    /// Carries out the strikes whose turn has come.
    pub(super) fn strike_if_due(&mut self, at: Micros, out: &mut Vec<Draft>) {
        while !self.has_ended()
            && let Some(Due { behind, .. }) = self.struck.due.front()
        {
            let is_its_turn = self.server.assembler.is_empty()
                && self.tracker.answered_before(*behind, &self.struck.stalled);
            if !is_its_turn && self.struck.due.len() <= limits::IN_FLIGHT {
                return;
            }
            if let Some(due) = self.struck.due.pop_front() {
                self.carry_out_strike(due, at, out);
            }
        }
    }

    fn carry_out_strike(&mut self, due: Due, at: Micros, out: &mut Vec<Draft>) {
        let Due { strike, tag, .. } = due;
        let Strike { fault, how } = strike;
        self.note(Note::Fault(Arc::clone(&fault)), at, out);
        let text = |code: Option<String>| {
            let code = code.map(|code| format!("[{code}] ")).unwrap_or_default();
            format!("{code}injected by mailscope (--fault)")
        };
        match how {
            How::Refuse(status, code) => self.answer(&tag, status, &text(code), at, out),
            How::Bye(code) => {
                let line = format!("* BYE {}\r\n", text(code));
                self.say_for_the_server(line.as_bytes(), at, out);
                self.bridge.break_off(Break::Close, fault);
            }
            How::Close => self.bridge.break_off(Break::Close, fault),
            How::Reset => self.bridge.break_off(Break::Reset, fault),
            How::Stall => {}
        }
    }

    /// Whether the server's message is to be held until it is whole, since the app may be given
    /// something else.
    pub(super) fn may_strike_response(&self) -> bool {
        let strikes = &self.bridge.setting.faults;
        strikes.edit() || !(self.greeted || strikes.is_empty())
    }

    /// What the app is given of a response that a fault strikes; `None` if none does, or none can
    /// since the response is not held whole.
    pub(super) fn strike_response(
        &mut self,
        message: &Message,
        is_held: bool,
        meaning: &mut Meaning,
    ) -> Option<Vec<u8>> {
        if self.strikes().is_empty() {
            return None;
        }
        match &meaning.reading {
            Reading::Greeting { .. } => {
                if is_held && let Some(strike) = self.strikes().greeting() {
                    self.strike_behind(strike);
                    return Some(Vec::new());
                }
                if let Some(strike) = self.strikes().behind_greeting() {
                    self.strike_behind(strike);
                }
            }
            _ => {
                if let Some(strike) = self.struck_behind(meaning) {
                    self.strike_behind(strike);
                }
            }
        }
        match is_held {
            true => self.tampered(message, meaning),
            false => None,
        }
    }

    /// What comes behind this response, if it answers a command that has something coming; TLS does not
    /// begin then.
    pub(super) fn struck_behind(&mut self, meaning: &mut Meaning) -> Option<Strike> {
        let (Reading::Tagged { .. }, Relation::Answers(command)) =
            (&meaning.reading, &meaning.relation)
        else {
            return None;
        };
        let behind = &mut self.struck.behind;
        let place = behind.iter().position(|(other, _)| other == command)?;
        let (_, strike) = behind.swap_remove(place);
        if matches!(meaning.then, Then::BeginTls(_)) {
            meaning.then = Then::GoOn;
        }
        Some(strike)
    }

    /// Strikes without waiting for an answer.
    pub(super) fn strike_now(&mut self, strike: Strike, at: Micros, out: &mut Vec<Draft>) {
        let due = Due {
            strike,
            tag: Vec::new(),
            behind: 0,
        };
        self.carry_out_strike(due, at, out);
    }

    /// This comes right behind the response that is being read.
    fn strike_behind(&mut self, strike: Strike) {
        self.struck.due.push_front(Due {
            strike,
            tag: Vec::new(),
            behind: 0,
        });
    }

    fn tampered(&mut self, message: &Message, meaning: &mut Meaning) -> Option<Vec<u8>> {
        if !self.strikes().edit() {
            return None;
        }
        let strikes = self.strikes();
        if let Some((edited, fault)) =
            tampered::uidvalidity(message, |real| strikes.uidvalidity(real))
        {
            meaning.notes.push(Note::Fault(fault));
            return Some(edited);
        }
        let Reading::Untagged { name, .. } = &meaning.reading else {
            return None;
        };
        let header = tampered::first_literal(message)?;
        // Nobody may have asked for it, or one of several commands.
        let asked = match &meaning.relation {
            Relation::Answers(command) => self.tracker.command_name(*command),
            _ => None,
        };
        let asked = asked.unwrap_or(name).to_owned();
        let (fault, by) = self.strikes().lie(&asked)?;
        let edited = tampered::lie(message, header, by)?;
        meaning.notes.push(Note::Fault(fault));
        Some(edited)
    }

    /// What is recorded of a part of a literal: whether its message goes on.
    pub(super) fn passed_part(&self, from: Peer) -> Passed {
        match self.fate(from) {
            Fate::Dropped => Passed::Instead(Sealed::default()),
            Fate::Passed => Passed::AsRead,
        }
    }
}
