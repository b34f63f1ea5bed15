//! A player that passes to a real server what nothing recorded fits (`--on-miss record`). Still without
//! sockets: it gives [`Order`]s and is told the [`Reply`]s.
//!
//! While a command is with the server, the app's further commands wait; what continues it (`DONE`, a
//! SASL turn) goes after it. Never passed: STARTTLS, which is between the app and the player, and
//! COMPRESS, which is too; the server's offer of it is not shown to the app.

use std::collections::VecDeque;

use super::super::raw::{Raw, Unmasked};
use super::super::report::Mismatch;
use super::super::standing::Standing;
use super::super::upstream::{Errand, Order, Reply};
use super::super::usage::Index;
use super::super::whereabouts::Place;
use super::{Effect, Heard, Player, in_one_line, tag};
use crate::event::{Draft, Micros, Passed, Peer, Reading, Said};
use crate::protocol::imap::Setting;

/// What a player that passes commands on knows besides.
pub(super) struct Growing {
    unmasked: Unmasked,
    standing: Standing,
    /// Nothing is recorded: the server is asked everything.
    is_all: bool,
    /// What was heard, unmasked, in the order of what was heard.
    heard: VecDeque<Option<Raw>>,
    /// The command that is being answered.
    current: Option<Raw>,
    passing: Option<Passing>,
    orders: VecDeque<Order>,
}

/// A command that is with the server.
enum Passing {
    Greeting,
    Command {
        said: Box<Said>,
        place: Place,
        has_idled: bool,
    },
}

impl Growing {
    /// Reads a message of either side, as the player's own observer does.
    pub(super) fn observe(&mut self, from: Peer, octets: &[u8], at: Micros) {
        self.unmasked.observe(from, octets, at);
    }

    /// TLS has begun.
    pub(super) fn secured(&mut self) {
        self.unmasked.secured();
    }

    /// The player's observer read this.
    pub(super) fn follow(&mut self, number: u64, said: &Said) {
        match (&said.reading, &said.passed) {
            (_, Passed::Instead(_)) if said.from == Peer::Client => {}
            (Reading::Command { refused: true, .. }, _) => {}
            (Reading::Command { .. }, _) => {
                let raw = self.unmasked.command(&tag(said));
                if let Some(raw) = &raw {
                    self.standing.command(number, said, raw);
                }
                self.heard.push_back(raw);
            }
            (Reading::Continuation { .. }, _) => {
                let raw = self.unmasked.continuation();
                if let Some(raw) = &raw {
                    self.standing.continuation(raw);
                }
                self.heard.push_back(raw);
            }
            _ => self.standing.response(said),
        }
    }
}

impl Player {
    /// The same player, which passes on what nothing fits; with `is_all`, everything.
    #[must_use = "the changed player is returned, not changed in place"]
    pub fn growing(mut self, is_all: bool, app: crate::protocol::imap::AppLeg) -> Self {
        self.growing = Some(Box::new(Growing {
            unmasked: Unmasked::new(Setting {
                app,
                ..Setting::default()
            }),
            standing: Standing::default(),
            is_all,
            heard: VecDeque::new(),
            current: None,
            passing: None,
            orders: VecDeque::new(),
        }));
        self
    }

    /// What the server is to be asked.
    pub fn take_orders(&mut self) -> Vec<Order> {
        let growing = self.growing.as_mut();
        growing.map_or_else(Vec::new, |growing| growing.orders.drain(..).collect())
    }

    /// Whether the app may go on: not while its next command waits for one that is with the server.
    pub fn listens(&self) -> bool {
        !self.is_passing() || self.heard.is_empty()
    }

    pub(super) fn is_passing(&self) -> bool {
        let growing = self.growing.as_ref();
        growing.is_some_and(|growing| growing.passing.is_some())
    }

    /// Whether the server is to greet the app, and is asked to.
    pub(super) fn asks_for_greeting(&mut self) -> bool {
        let Some(growing) = self.growing.as_mut().filter(|growing| growing.is_all) else {
            return false;
        };
        growing.passing = Some(Passing::Greeting);
        growing.orders.push_back(Order::Greet);
        true
    }

    /// The next thing that was heard is seen to.
    pub(super) fn takes_up(&mut self) {
        if let Some(growing) = &mut self.growing {
            growing.current = growing.heard.pop_front().flatten();
        }
    }

    /// Passes on what continues the command that is with the server.
    pub(super) fn pass_on(&mut self) {
        while let Some(Passing::Command { has_idled, .. }) = self
            .growing
            .as_ref()
            .and_then(|growing| growing.passing.as_ref())
        {
            let continues = match self.heard.front() {
                // An app that forgets DONE is for the server to answer.
                Some(Heard::Command(_)) => *has_idled,
                Some(Heard::Continuation) => true,
                None => false,
            };
            if !continues {
                return;
            }
            self.heard.pop_front();
            self.takes_up();
            if let Some(growing) = &mut self.growing
                && let Some(raw) = growing.current.take()
            {
                growing.orders.push_back(Order::Say(raw.with_tag_as_text()));
            }
        }
    }

    /// What answers a command, as [`Usage::take`](super::Usage::take) says; `None` if it is with the
    /// server now.
    pub(super) fn taken(
        &mut self,
        live: &Said,
        place: &Place,
    ) -> Option<Result<Index, Option<Box<Mismatch>>>> {
        let Some(growing) = &mut self.growing else {
            return Some(self.usage.take(self.conn, &mut self.cursor, live, place));
        };
        if let Some(index) = self.usage.take_fitting(&mut self.cursor, live, place) {
            return Some(Ok(index));
        }
        let name = name(live);
        let is_ours = name == "COMPRESS" || !growing.is_all && self.usage.goes_without_saying(live);
        if is_ours {
            return Some(Err(None));
        }
        let Some(command) = growing.current.take() else {
            let why = "the app's command was not kept: it is too long, or there is no room for it in the folder for temporary files";
            let mismatch = self.usage.missed(self.conn, self.cursor, live, place, why);
            return Some(Err(Some(Box::new(mismatch))));
        };
        let errand = Errand {
            command,
            name: name.to_owned(),
            is_authenticated: place.is_authenticated,
            standing: growing.standing.clone(),
        };
        growing.orders.push_back(Order::Pass(Box::new(errand)));
        growing.passing = Some(Passing::Command {
            has_idled: name == "IDLE",
            said: Box::new(live.clone()),
            place: place.clone(),
        });
        None
    }

    /// The real server, or what is between it and us, came back with this.
    pub fn passed(&mut self, reply: Reply, at: Micros, out: &mut Vec<Draft>) -> Vec<Effect> {
        match reply {
            Reply::Octets(octets) => self.say(&octets, at, out),
            Reply::Done => {
                if let Some(Passing::Command { said, .. }) = self.over() {
                    self.usage.recorded();
                    if name(&said) == "LOGOUT" {
                        self.close();
                    }
                }
            }
            Reply::Refused(why) => self.not_passed(&why, false, at, out),
            Reply::Gone { why, is_final } => self.not_passed(&why, is_final, at, out),
        }
        self.play(at, out);
        std::mem::take(&mut self.effects)
    }

    fn over(&mut self) -> Option<Passing> {
        self.growing.as_mut()?.passing.take()
    }

    fn not_passed(&mut self, why: &str, is_final: bool, at: Micros, out: &mut Vec<Draft>) {
        match self.over() {
            Some(Passing::Command { said, place, .. }) => {
                let mismatch = self
                    .usage
                    .missed(self.conn, self.cursor, &said, &place, why);
                match is_final {
                    true => self.close(),
                    false => self.miss(&mismatch, &tag(&said), at, out),
                }
            }
            Some(Passing::Greeting) => {
                let mismatch = Mismatch::of_greeting(self.conn, why);
                let text = in_one_line(&mismatch);
                self.usage.add(mismatch);
                self.say(format!("* BYE {text}\r\n").as_bytes(), at, out);
                self.close();
            }
            None => {}
        }
    }
}

fn name(said: &Said) -> &str {
    match &said.reading {
        Reading::Command {
            name: Some(name), ..
        } => name,
        _ => "",
    }
}
