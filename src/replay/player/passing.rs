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
use crate::replay::hearing::Word;

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
        word: Word,
        place: Place,
        has_idled: bool,
        /// The app has its tagged response: what it says next belongs to another command, though
        /// that the server is done is still to be told.
        is_answered: bool,
    },
}

impl Growing {
    /// What the app says is kept there as it is.
    pub(super) fn unmasked(&mut self) -> &mut Unmasked {
        &mut self.unmasked
    }

    /// The player heard a line that is never passed on.
    pub(super) fn heard_no_command(&mut self) {
        self.heard.push_back(None);
    }

    /// The player heard this, and what was [said](Self::unmasked) in it.
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
            (Reading::Tagged { .. }, _) => {
                if let Some(Passing::Command {
                    word, is_answered, ..
                }) = &mut self.passing
                    && tag(&word.said) == tag(said)
                {
                    *is_answered = true;
                }
                self.standing.response(said);
            }
            _ => self.standing.response(said),
        }
    }
}

impl Player {
    /// The same player, which passes on what nothing fits; with `is_all`, everything.
    #[must_use = "the changed player is returned, not changed in place"]
    pub fn growing(mut self, is_all: bool) -> Self {
        self.growing = Some(Box::new(Growing {
            unmasked: Unmasked::default(),
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
        while let Some(Passing::Command {
            has_idled,
            is_answered: false,
            ..
        }) = self
            .growing
            .as_ref()
            .and_then(|growing| growing.passing.as_ref())
        {
            let continues = match self.heard.front() {
                // An app that forgets DONE is for the server to answer.
                Some(Heard::Command(_)) => *has_idled,
                Some(Heard::Continuation(_)) => true,
                Some(Heard::Line(_)) | None => false,
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
        word: &Word,
        place: &Place,
    ) -> Option<Result<Index, Option<Box<Mismatch>>>> {
        let Some(growing) = &mut self.growing else {
            return Some(self.usage.take(self.conn, word, place));
        };
        let live = &word.said;
        if let Some(index) = self.usage.take_fitting(self.conn, live, place) {
            return Some(Ok(index));
        }
        let name = name(live);
        let is_ours = name == "COMPRESS" || !growing.is_all && self.usage.goes_without_saying(live);
        if is_ours {
            return Some(Err(None));
        }
        let Some(command) = growing.current.take() else {
            let why = "the app's command was not kept: it is too long, or there is no room for it in the folder for temporary files";
            let mismatch = self.usage.missed(self.conn, word, place, why);
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
            is_answered: false,
            word: word.clone(),
            place: place.clone(),
        });
        None
    }

    /// The real server, or what is between it and us, came back with this.
    pub fn passed(&mut self, reply: Reply, at: Micros, out: &mut Vec<Draft>) -> Vec<Effect> {
        match reply {
            Reply::Octets(octets) => self.say(&octets, at, out),
            Reply::Done => {
                if let Some(Passing::Command { word, .. }) = self.over() {
                    self.usage.recorded();
                    if name(&word.said) == "LOGOUT" {
                        self.close();
                    }
                }
            }
            Reply::Refused(why) => self.not_passed(&why, false, at, out),
            Reply::Gone { why, is_final } => self.not_passed(&why, is_final, at, out),
        }
        self.proceed(at, out)
    }

    fn over(&mut self) -> Option<Passing> {
        self.growing.as_mut()?.passing.take()
    }

    fn not_passed(&mut self, why: &str, is_final: bool, at: Micros, out: &mut Vec<Draft>) {
        match self.over() {
            Some(Passing::Command { word, place, .. }) => {
                let mismatch = self.usage.missed(self.conn, &word, &place, why);
                match is_final {
                    true => self.close(),
                    false => self.miss(&mismatch, &tag(&word.said), at, out),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Manner, Usage};
    use super::*;
    use crate::event::{Gate, Secrets};
    use crate::fault::Strikes;
    use crate::protocol::imap::AppLeg;
    use crate::replay::raw::Step;
    use crate::replay::script::Script;
    use crate::replay::usage::{Matching, OnMiss};

    const RECORDED: &[u8] = b"S: * OK hi\nC: a LOGIN alice <secret:password>\nS: a OK in\n\
        C: b SELECT INBOX\nS: * 3 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: b OK in\n";

    /// A conversation with a player: what the app, or the server, says, and what comes of it.
    struct Talk {
        player: Player,
        usage: Arc<Usage>,
        drafts: Vec<Draft>,
    }

    impl Talk {
        fn new() -> Self {
            let script = Script::read(RECORDED, "test").unwrap();
            let usage = Arc::new(Usage::new(script, Matching::State));
            let manner = Manner {
                on_miss: OnMiss::Bad,
                pace: 0.0,
            };
            let gate = Gate::new(Secrets::Masked);
            let player = Player::new(
                1,
                Arc::clone(&usage),
                manner,
                gate,
                AppLeg::Tls,
                Strikes::default(),
            );
            let mut talk = Self {
                player: player.growing(false),
                usage,
                drafts: Vec::new(),
            };
            let greeting = talk.player.begin(Micros(0), &mut talk.drafts);
            assert_eq!(said(&greeting), "* OK hi\r\n");
            talk
        }

        fn app(&mut self, octets: &str) -> String {
            said(
                &self
                    .player
                    .hear(octets.as_bytes(), Micros(0), &mut self.drafts),
            )
        }

        fn server(&mut self, reply: Reply) -> String {
            said(&self.player.passed(reply, Micros(0), &mut self.drafts))
        }

        fn octets(&mut self, octets: &str) -> String {
            self.server(Reply::Octets(octets.into()))
        }

        fn orders(&mut self) -> Vec<String> {
            let orders = self.player.take_orders().into_iter();
            orders
                .map(|order| match order {
                    Order::Greet => "greet".into(),
                    Order::Pass(errand) => format!("pass {}", shown(&errand.command)),
                    Order::Say(raw) => format!("say {}", shown(&raw)),
                })
                .collect()
        }
    }

    fn said(effects: &[Effect]) -> String {
        let each = effects.iter().map(|effect| match effect {
            Effect::Say(octets) => String::from_utf8_lossy(octets).into_owned(),
            other => format!("<{other:?}>"),
        });
        each.collect()
    }

    fn shown(raw: &Raw) -> String {
        let steps = raw.steps().iter().map(|step| match step {
            Step::Octets(octets) => String::from_utf8_lossy(octets).into_owned(),
            Step::GoAhead => "<+>".into(),
            Step::Spooled(_) => "<spooled>".into(),
        });
        let tag = String::from_utf8_lossy(raw.tag()).into_owned();
        std::iter::once(tag).chain(steps).collect()
    }

    #[test]
    fn what_is_not_recorded_is_passed_and_what_comes_behind_it_waits() {
        let mut talk = Talk::new();
        assert_eq!(talk.app("a LOGIN alice hunter2\r\n"), "a OK in\r\n");
        assert_eq!(talk.app("b FETCH 1 FLAGS\r\nc SELECT INBOX\r\n"), "");
        assert_eq!(talk.orders(), ["pass b FETCH 1 FLAGS\r\n"]);
        assert!(!talk.player.listens());
        for piece in ["* 1 FETCH (FLAGS", " ())\r\nb OK\r\n"] {
            assert_eq!(talk.octets(piece), piece, "as it comes");
        }
        let rest = talk.server(Reply::Done);
        assert!(rest.ends_with("c OK in\r\n"), "{rest}");
        assert!(talk.orders().is_empty() && talk.player.listens());
        let report = talk.usage.report();
        assert_eq!((report.matched, report.recorded), (2, Some(1)));
    }

    #[test]
    fn an_errand_says_where_the_app_stands() {
        let mut talk = Talk::new();
        talk.app("a LOGIN alice {7+}\r\nhunter2\r\nb select inbox\r\nc NOOP\r\nd CREATE x\r\n");
        let orders = talk.player.take_orders();
        let [Order::Pass(errand)] = orders.as_slice() else {
            panic!("one command is passed");
        };
        assert!(errand.is_authenticated && errand.name == "CREATE");
        let standing = &errand.standing;
        let login = &standing.login.as_ref().unwrap().command;
        assert_eq!(shown(login), "a LOGIN alice {7+}\r\nhunter2\r\n");
        let selected = standing.selected.as_ref().unwrap();
        assert_eq!(shown(&selected.command), "b select inbox\r\n");
        assert_eq!((selected.exists, selected.uid_validity), (Some(3), Some(7)));
        for draft in &talk.drafts {
            if let crate::event::Body::Said(said) = draft.body() {
                let text = String::from_utf8_lossy(said.wire.bytes());
                assert!(!text.contains("hunter2"), "{text}");
            }
        }
    }

    #[test]
    fn done_goes_after_idle_and_a_command_behind_it_too() {
        let mut talk = Talk::new();
        talk.app("a LOGIN alice hunter2\r\nb IDLE\r\n");
        assert_eq!(talk.orders(), ["pass b IDLE\r\n"]);
        assert_eq!(talk.octets("+ idling\r\n"), "+ idling\r\n");
        talk.app("c NOOP\r\n");
        talk.app("DONE\r\n");
        assert_eq!(talk.orders(), ["say c NOOP\r\n", "say DONE\r\n"]);
    }

    #[test]
    fn what_an_app_says_behind_the_answer_to_idle_is_a_command_of_its_own() {
        let mut talk = Talk::new();
        talk.app("a LOGIN alice hunter2\r\nb IDLE\r\n");
        talk.octets("+ idling\r\n");
        talk.app("DONE\r\n");
        assert_eq!(talk.orders(), ["pass b IDLE\r\n", "say DONE\r\n"]);
        talk.octets("b OK idled\r\n");
        talk.app("c CREATE x\r\n");
        assert!(talk.orders().is_empty(), "it is not a part of IDLE");
        talk.server(Reply::Done);
        assert_eq!(talk.orders(), ["pass c CREATE x\r\n"]);
    }

    #[test]
    fn a_literal_is_asked_for_before_it_is_passed() {
        let mut talk = Talk::new();
        talk.app("a LOGIN alice hunter2\r\n");
        assert_eq!(talk.app("b CREATE {1}\r\n"), "+ OK\r\n");
        talk.app("x\r\n");
        assert_eq!(talk.orders(), ["pass b CREATE {1}\r\n<+>x\r\n"]);
    }

    #[test]
    fn what_cannot_be_passed_is_a_mismatch_with_its_reason() {
        let mut talk = Talk::new();
        talk.app("a LOGIN alice hunter2\r\nb CREATE x\r\n");
        let answer = talk.server(Reply::Refused("it sleeps".into()));
        assert!(
            answer.starts_with("b BAD ") && answer.contains("it sleeps"),
            "{answer}"
        );
        talk.app("c CREATE x\r\n");
        talk.octets("* BYE I go\r\n");
        let gone = talk.server(Reply::Gone {
            why: "it went".into(),
            is_final: true,
        });
        assert_eq!(gone, "<Close>");
        let mismatches = talk.usage.report().mismatches;
        let why: Vec<_> = mismatches.iter().map(|m| m.why.as_deref()).collect();
        assert_eq!(why, [Some("it sleeps"), Some("it went")]);
    }
}
