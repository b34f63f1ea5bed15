//! The server that a recording becomes: the live app's octets in, its own out. Without sockets, clock
//! or tasks.
//!
//! ```text
//! app: octets -> Hearing -> command -> Usage: which exchange? -> its turns, with the live tag
//!                   ^-------------------- the answers, so that the session's state is known
//! ```
//!
//! What the app says is heard and answered in pieces: whoever drives a player gives the app what it has
//! before it goes on ([`Player::has_more`]), so that no number of commands in one read is held with its
//! answers.
//!
//! STARTTLS is offered on a cleartext leg and answered for real, whatever the recording's legs were;
//! that is the observer's bridging, for which this player is the far end. COMPRESS is for real too.

mod passing;

use std::collections::{HashSet, VecDeque};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::hearing::{self, Hearing, Word};
use super::login::{first_turn, going};
use super::report::Mismatch;
use super::script::{Going, Then, Turn};
use super::usage::{Index, OnMiss, Usage};
use super::whereabouts::Whereabouts;
use crate::event::{Draft, Gate, Label, Micros, Passed, Peer, Reading, Said};
use crate::fault::Strikes;
use crate::limits;
use crate::protocol::imap::{AppLeg, ServerLeg, Setting};
use crate::protocol::{Act, Break, Verdict};

/// What is to be done for the app, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// These octets go to it.
    Say(Vec<u8>),
    /// So long nothing happens; in IDLE, until the app says something.
    Pause {
        /// How long.
        pause: Duration,
        /// The app may end it.
        is_idle: bool,
    },
    /// TLS begins; then the player is told ([`Player::secured`]).
    StartTls,
    /// The connection ends.
    Close,
    /// It is broken off, for this fault.
    Break(Break, Arc<str>),
}

/// How a live session is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Manner {
    /// What is answered that nothing fits.
    pub on_miss: OnMiss,
    /// Recorded pauses are multiplied by this; 0 for none.
    pub pace: f64,
}

/// One live session.
pub struct Player {
    conn: u64,
    usage: Arc<Usage>,
    manner: Manner,
    hearing: Hearing,
    whereabouts: Whereabouts,
    /// What the app said that was not read yet.
    unread: VecDeque<u8>,
    heard: VecDeque<Heard>,
    /// The line that the app is saying is answered for, however it goes on.
    is_line_heard: bool,
    /// Octets said since the app was given what there was.
    spent: usize,
    current: Option<Playing>,
    /// What was played for this app.
    played: HashSet<Index>,
    /// The player's octets that the observer has not let go.
    waiting: Vec<u8>,
    deflate: Option<DeflateEncoder<Vec<u8>>>,
    effects: Vec<Effect>,
    is_over: bool,
    /// Where what nothing fits is passed to the real server.
    growing: Option<Box<passing::Growing>>,
}

/// Something that the app said.
enum Heard {
    Command(Word),
    /// A line of which not even the tag could be read.
    Line(Word),
    Continuation(Going),
}

/// An exchange that goes on.
struct Playing {
    index: Index,
    turn: usize,
    /// This app had it before: what nobody asked for is not said again.
    is_again: bool,
    /// SASL responses that the app owes and the recorded one did not: what it is told before each. The
    /// first has been said.
    prompts: &'static [&'static [u8]],
    tag: Vec<u8>,
}

impl Player {
    /// Plays for the live connection with this number, whose leg is secured like this and which is
    /// struck by these faults.
    pub fn new(
        conn: u64,
        usage: Arc<Usage>,
        manner: Manner,
        gate: Gate,
        app: AppLeg,
        faults: Strikes,
    ) -> Self {
        let setting = Setting {
            app,
            // What a recording says of STARTTLS and LOGINDISABLED is not for an app that has TLS.
            server: ServerLeg::Cleartext,
            faults,
            ..Setting::default()
        };
        usage.begin(conn);
        Self {
            conn,
            manner,
            hearing: Hearing::new(gate, setting),
            whereabouts: Whereabouts::default(),
            usage,
            unread: VecDeque::new(),
            heard: VecDeque::new(),
            is_line_heard: false,
            spent: 0,
            current: None,
            played: HashSet::new(),
            waiting: Vec::new(),
            deflate: None,
            effects: Vec::new(),
            is_over: false,
            growing: None,
        }
    }

    /// The app has connected. What is read goes to `out`.
    pub fn begin(&mut self, at: Micros, out: &mut Vec<Draft>) -> Vec<Effect> {
        if self.asks_for_greeting() {
            return Vec::new();
        }
        let usage = Arc::clone(&self.usage);
        let session = usage.session(self.conn);
        let line = session.greeting.as_ref().map_or_else(
            || b"* OK mailscope replays\r\n".to_vec(),
            |greeting| greeting.with_tag(b""),
        );
        self.say(&line, at, out);
        if session.is_refused {
            self.close();
        }
        std::mem::take(&mut self.effects)
    }

    /// The app said this. What comes back may not be all there is to be done ([`has_more`](Self::has_more)).
    pub fn hear(&mut self, octets: &[u8], at: Micros, out: &mut Vec<Draft>) -> Vec<Effect> {
        self.unread.extend(octets);
        self.proceed(at, out)
    }

    /// Whether there is more to be done without a word of the app ([`proceed`](Self::proceed)), once what
    /// came last is done.
    pub fn has_more(&self) -> bool {
        !self.is_over && self.spent >= limits::ANSWERED
    }

    /// Goes on with what the app said.
    pub fn proceed(&mut self, at: Micros, out: &mut Vec<Draft>) -> Vec<Effect> {
        self.spent = 0;
        loop {
            self.play(at, out);
            if self.is_over || self.has_more() || self.unread.is_empty() || !self.listens() {
                return std::mem::take(&mut self.effects);
            }
            let size = match self.deflate {
                Some(_) => self.unread.len().min(limits::COMPRESSED_HEARD),
                None => self.unread.len(),
            };
            let octets: Vec<u8> = self.unread.drain(..size).collect();
            let unmasked = self.growing.as_mut().map(|growing| growing.unmasked());
            let heard = (self.hearing).observe(Peer::Client, &octets, at, unmasked, out);
            self.take_in(heard);
        }
    }

    /// TLS has begun.
    pub fn secured(&mut self, at: Micros, out: &mut Vec<Draft>) -> Vec<Effect> {
        let unmasked = self.growing.as_mut().map(|growing| growing.unmasked());
        let heard = self.hearing.secured(unmasked, out);
        self.take_in(heard);
        self.proceed(at, out)
    }

    /// Whether everything that the app said is answered.
    pub fn is_at_rest(&self) -> bool {
        self.current.is_none()
            && self.heard.is_empty()
            && self.unread.is_empty()
            && !self.is_passing()
    }

    /// The app will say no more.
    pub fn end(&mut self, at: Micros, out: &mut Vec<Draft>) {
        for peer in [Peer::Client, Peer::Server] {
            self.hearing.ended(peer, at, out);
        }
        self.usage.end(self.conn);
    }

    /// Notes what was read, and does what follows of itself.
    fn take_in(&mut self, heard: hearing::Heard) {
        for word in heard.words {
            self.spent += limits::ANSWER_EVENT;
            self.said(word);
        }
        self.obey(heard.verdict);
    }

    fn said(&mut self, word: Word) {
        let Word { ordinal, said, .. } = &word;
        if let Some(growing) = &mut self.growing {
            growing.follow(*ordinal, said);
        }
        let octets = said.wire.bytes();
        match (&said.reading, &said.passed) {
            // A fault struck it, or it is STARTTLS, which the observer answers itself.
            (Reading::Command { .. }, Passed::Instead(_)) => self.is_line_heard = said.incomplete,
            // It is answered already.
            (Reading::Command { refused: true, .. }, _) => {}
            (Reading::Command { .. }, _) => {
                self.is_line_heard = said.incomplete;
                self.whereabouts.word(&word);
                self.heard.push_back(Heard::Command(word));
            }
            (Reading::Continuation { .. }, _) => {
                self.heard.push_back(Heard::Continuation(going(said)));
            }
            (Reading::Tagged { .. }, _) => self.whereabouts.response(said),
            // Nobody waits for an answer to an empty line.
            (Reading::Opaque, _)
                if said.from == Peer::Client && !octets.trim_ascii().is_empty() =>
            {
                let goes_on = octets.last() != Some(&b'\n');
                if !std::mem::replace(&mut self.is_line_heard, goes_on) {
                    if let Some(growing) = &mut self.growing {
                        growing.heard_no_command();
                    }
                    self.heard.push_back(Heard::Line(word));
                }
            }
            _ => {}
        }
    }

    /// Answers what was heard, as far as it goes.
    fn play(&mut self, at: Micros, out: &mut Vec<Draft>) {
        self.turns(at, out);
        while !self.is_over && !self.has_more() {
            if self.is_passing() {
                return self.pass_on();
            }
            let heard = self.heard.pop_front();
            if heard.is_some() {
                self.takes_up();
            }
            match heard {
                Some(Heard::Command(word)) => self.answer(&word, at, out),
                Some(Heard::Line(word)) => {
                    let mismatch = self.usage.no_command(self.conn, &word);
                    self.miss(&mismatch, b"*", at, out);
                }
                Some(Heard::Continuation(Going::On)) => self.go_on(at, out),
                Some(Heard::Continuation(Going::Back)) => self.go_back(at, out),
                None => match self.hearing.undecided_command() {
                    Some(undecided) => self.decide(&undecided, at, out),
                    None => return,
                },
            }
        }
    }

    /// A command waits for its literal's go-ahead, which it gets unless it got none in the recording.
    fn decide(&mut self, undecided: &Said, at: Micros, out: &mut Vec<Draft>) {
        let place = self.whereabouts.place(self.hearing.state());
        let usage = Arc::clone(&self.usage);
        match usage.take_refusal(self.conn, undecided, &place) {
            Some(index) => {
                self.current = Some(Playing {
                    index,
                    turn: 0,
                    is_again: false,
                    prompts: &[],
                    tag: tag(undecided),
                });
                self.turns(at, out);
            }
            None => self.say(b"+ OK\r\n", at, out),
        }
    }

    fn answer(&mut self, word: &Word, at: Micros, out: &mut Vec<Draft>) {
        let tag = tag(&word.said);
        let place = self.whereabouts.place(self.hearing.state());
        let usage = Arc::clone(&self.usage);
        let Some(taken) = self.taken(word, &place) else {
            return;
        };
        match taken {
            Ok(index) => {
                let (turn, prompts) = first_turn(usage.exchange(index), &word.said);
                if let Some(first) = prompts.first() {
                    self.say(first, at, out);
                }
                self.current = Some(Playing {
                    index,
                    turn,
                    is_again: !self.played.insert(index),
                    prompts,
                    tag,
                });
                self.turns(at, out);
            }
            Err(None) => self.answer_by_itself(&word.said, &tag, at, out),
            Err(Some(mismatch)) => self.miss(&mismatch, &tag, at, out),
        }
    }

    /// What was not recorded and goes without saying ([`Usage::goes_without_saying`]): the capabilities
    /// are those that the app was told last.
    fn answer_by_itself(&mut self, live: &Said, tag: &[u8], at: Micros, out: &mut Vec<Draft>) {
        let name = match &live.reading {
            Reading::Command {
                name: Some(name), ..
            } => name,
            _ => "",
        };
        let is_logout = name == "LOGOUT";
        if is_logout {
            self.say(b"* BYE bye\r\n", at, out);
        }
        if name == "CAPABILITY" {
            let listed = self.hearing.capabilities().map(|listed| listed.join(" "));
            let listed = listed.unwrap_or_else(|| "IMAP4rev1".to_owned());
            self.say(format!("* CAPABILITY {listed}\r\n").as_bytes(), at, out);
        }
        self.say(&[tag, b" OK done\r\n"].concat(), at, out);
        if is_logout {
            self.close();
        }
    }

    fn miss(&mut self, mismatch: &Mismatch, tag: &[u8], at: Micros, out: &mut Vec<Draft>) {
        let text = in_one_line(mismatch);
        match self.manner.on_miss {
            OnMiss::Bad => self.say(&[tag, b" BAD ", text.as_bytes(), b"\r\n"].concat(), at, out),
            OnMiss::Fail => {
                self.say(format!("* BYE {text}\r\n").as_bytes(), at, out);
                self.close();
            }
        }
    }

    /// The app has said what an exchange waited for.
    fn go_on(&mut self, at: Micros, out: &mut Vec<Draft>) {
        let Some(playing) = &mut self.current else {
            return;
        };
        match playing.prompts {
            [] => playing.turn += 1,
            [_, rest @ ..] => {
                playing.prompts = rest;
                if let Some(next) = rest.first() {
                    return self.say(next, at, out);
                }
            }
        }
        self.turns(at, out);
    }

    /// The app cancels the SASL exchange, whose command is answered BAD (RFC 9051, section 6.2.2): as in
    /// the recording, if it was cancelled there too; else the recorded exchange is still to be used.
    fn go_back(&mut self, at: Micros, out: &mut Vec<Draft>) {
        let Some(playing) = &self.current else {
            return;
        };
        let usage = Arc::clone(&self.usage);
        let exchange = usage.exchange(playing.index);
        let is_sasl = exchange.name() == "AUTHENTICATE" || !playing.prompts.is_empty();
        let recorded = exchange.turns.get(playing.turn);
        let is_recorded =
            playing.prompts.is_empty() && matches!(recorded, Some(Turn::Await(Going::Back)));
        if !is_sasl || is_recorded {
            return self.go_on(at, out);
        }
        let (index, tag) = (playing.index, playing.tag.clone());
        if !playing.is_again {
            self.played.remove(&index);
            usage.give_back(self.conn, index);
        }
        self.current = None;
        self.say(
            &[&*tag, b" BAD AUTHENTICATE cancelled\r\n"].concat(),
            at,
            out,
        );
    }

    /// Plays the current exchange up to its end, or to where it waits for the app.
    fn turns(&mut self, at: Micros, out: &mut Vec<Draft>) {
        let usage = Arc::clone(&self.usage);
        while let Some(playing) = &mut self.current
            && self.spent < limits::ANSWERED
        {
            if !playing.prompts.is_empty() {
                return;
            }
            let exchange = usage.exchange(playing.index);
            match exchange.turns.get(playing.turn) {
                Some(Turn::Await(_)) => return,
                Some(Turn::Say { is_unsolicited, .. }) if *is_unsolicited && playing.is_again => {
                    playing.turn += 1;
                }
                Some(Turn::Say { line, pause, .. }) => {
                    playing.turn += 1;
                    let octets = line.with_tag(&playing.tag);
                    self.pause(*pause, exchange.name() == "IDLE");
                    self.say(&octets, at, out);
                }
                None => {
                    let is_again = playing.is_again;
                    self.current = None;
                    match exchange.then {
                        Then::Ends => self.close(),
                        Then::EndsUnasked if !is_again => self.close(),
                        Then::EndsUnasked | Then::GoesOn => {}
                    }
                }
            }
        }
    }

    fn pause(&mut self, recorded: Micros, is_idle: bool) {
        let pause = Duration::from_micros(recorded.0).mul_f64(self.manner.pace);
        if !pause.is_zero() {
            self.effects.push(Effect::Pause { pause, is_idle });
        }
    }

    fn close(&mut self) {
        self.is_over = true;
        self.effects.push(Effect::Close);
    }

    /// Says something to the app, and reads it as the app will.
    fn say(&mut self, octets: &[u8], at: Micros, out: &mut Vec<Draft>) {
        self.spent += octets.len();
        let compressed = self.compressed(octets);
        let octets = compressed.as_deref().unwrap_or(octets);
        self.waiting.extend_from_slice(octets);
        let heard = self.hearing.observe(Peer::Server, octets, at, None, out);
        let is_compressed = heard.is_compressed;
        self.take_in(heard);
        if is_compressed {
            self.deflate = Some(DeflateEncoder::new(Vec::new(), Compression::default()));
        }
    }

    fn compressed(&mut self, octets: &[u8]) -> Option<Vec<u8>> {
        let deflate = self.deflate.as_mut()?;
        // Writing to memory cannot fail.
        let _ = deflate.write_all(octets).and_then(|()| deflate.flush());
        Some(std::mem::take(deflate.get_mut()))
    }

    /// Carries out what the observer says of the player's octets; the app's own end here.
    fn obey(&mut self, verdict: Verdict) {
        let Verdict::Acts(acts) = verdict else {
            let octets = std::mem::take(&mut self.waiting);
            return self.give(octets);
        };
        for act in acts {
            match act {
                Act::Pass {
                    from: Peer::Server,
                    octets,
                } => {
                    let octets = self
                        .waiting
                        .drain(..octets.min(self.waiting.len()))
                        .collect();
                    self.give(octets);
                }
                Act::Replace {
                    from: Peer::Server,
                    octets,
                    with,
                } => {
                    self.waiting.drain(..octets.min(self.waiting.len()));
                    self.give(with);
                }
                Act::Say {
                    to: Peer::Client,
                    octets,
                } => self.give(octets),
                Act::Secure(_) => {
                    self.usage.answered();
                    self.effects.push(Effect::StartTls);
                }
                Act::End(_) => self.close(),
                Act::Break(how, fault) => {
                    self.is_over = true;
                    self.effects.push(Effect::Break(how, fault));
                }
                Act::Pass { .. } | Act::Replace { .. } | Act::Say { .. } => {}
            }
        }
    }

    fn give(&mut self, octets: Vec<u8>) {
        match self.effects.last_mut() {
            _ if octets.is_empty() => {}
            Some(Effect::Say(last)) => last.extend_from_slice(&octets),
            _ => self.effects.push(Effect::Say(octets)),
        }
    }
}

/// The live command's tag, as it is.
fn tag(said: &Said) -> Vec<u8> {
    let first = said.spans.first().filter(|span| span.label == Label::Tag);
    first.map_or_else(|| b"*".to_vec(), |tag| said.span_bytes(tag).to_vec())
}

/// What the app is told: printable ASCII, for it goes into a response's text.
fn in_one_line(mismatch: &Mismatch) -> String {
    let mut text = "mailscope replay: nothing recorded fits".to_owned();
    if let Some(why) = &mismatch.why {
        text = format!("{text}, and it was not passed on: {why}");
    } else if let Some((nearest, times)) = mismatch.asked_again() {
        text = format!("{text}; #{nearest} is the same, asked once more than recorded ({times})");
    } else if let (Some(nearest), Some(argument)) = (mismatch.nearest, &mismatch.argument) {
        let none = String::new();
        let recorded = mismatch.recorded.as_ref().unwrap_or(&none);
        let live = mismatch.live.as_ref().unwrap_or(&none);
        text = format!(
            "{text}; nearest is #{nearest}, whose {argument} is {recorded:?} where this has {live:?}"
        );
    }
    let printable = |c: char| {
        if c.is_ascii() && !c.is_ascii_control() {
            c
        } else {
            '?'
        }
    };
    text.chars().map(printable).take(400).collect()
}
