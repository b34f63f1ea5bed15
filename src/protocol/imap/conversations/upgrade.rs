//! STARTTLS in every mix of legs: what each peer is given, when TLS begins, and what is told of it.

use super::{number, told};
use crate::event::{Body, Event, Gate, Micros, Passed, Peer, Secrets};
use crate::fault::Strikes;
use crate::protocol::imap::{AppLeg, Hidden, Observer, ServerLeg, Setting};
use crate::protocol::{Act, Protocol, Upgrade, Verdict};

const C: Peer = Peer::Client;
const S: Peer = Peer::Server;

/// A relay without sockets.
pub(super) struct Relay {
    observer: Observer,
    pub(super) drafts: Vec<crate::event::Draft>,
    waiting: [Vec<u8>; 2],
    /// What was done, in order: what a peer was given, `TLS`, `end`.
    pub(super) done: Vec<String>,
    upgrade: Option<Upgrade>,
}

fn index(from: Peer) -> usize {
    usize::from(from == S)
}

impl Relay {
    pub(super) fn new(setting: Setting) -> Self {
        Self {
            observer: Observer::bridging(Gate::new(Secrets::Masked), setting),
            drafts: Vec::new(),
            waiting: [Vec::new(), Vec::new()],
            done: Vec::new(),
            upgrade: None,
        }
    }

    pub(super) fn read(&mut self, from: Peer, octets: &[u8], at: Micros) {
        self.waiting[index(from)].extend_from_slice(octets);
        let verdict = self.observer.observe(from, octets, at, &mut self.drafts);
        self.obey(verdict);
    }

    pub(super) fn end(&mut self, from: Peer, at: Micros) {
        let verdict = self.observer.ended(from, at, &mut self.drafts);
        self.obey(verdict);
    }

    /// Octets of this peer that wait.
    pub(super) fn waiting(&self, from: Peer) -> usize {
        self.waiting[index(from)].len()
    }

    pub(super) fn waits_for_nothing(&self) -> bool {
        self.waiting.iter().all(Vec::is_empty)
    }

    fn obey(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::AsRead => {
                for from in [C, S] {
                    let octets = std::mem::take(&mut self.waiting[index(from)]);
                    self.give(from.other(), &octets);
                }
            }
            Verdict::Acts(acts) => acts.into_iter().for_each(|act| self.act(act)),
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Pass { from, octets } => {
                let octets: Vec<u8> = self.waiting[index(from)].drain(..octets).collect();
                self.give(from.other(), &octets);
            }
            Act::Replace { from, octets, with } => {
                self.waiting[index(from)].drain(..octets);
                self.give(from.other(), &with);
            }
            Act::Say { to, octets } => self.give(to, &octets),
            Act::Secure(upgrade) => self.upgrade = Some(upgrade),
            Act::End(note) => self.done.push(format!("end {}", note.id())),
            Act::Break(how, fault) => self.done.push(format!("{how:?} {fault}")),
        }
    }

    /// Joined with what the same peer was given right before.
    fn give(&mut self, to: Peer, octets: &[u8]) {
        let octets = String::from_utf8_lossy(octets);
        if octets.is_empty() {
            return;
        }
        let mark = match to {
            C => "app ",
            S => "server ",
        };
        match self.done.last_mut() {
            Some(last) if last.starts_with(mark) => last.push_str(&octets),
            _ => self.done.push(format!("{mark}{octets}")),
        }
    }

    /// The handshakes, if they are asked for.
    pub(super) fn handshake(&mut self) {
        if let Some(upgrade) = self.upgrade.take() {
            self.done.push(format!("TLS {upgrade:?}"));
            let verdict = self.observer.secured(&mut self.drafts);
            self.obey(verdict);
        }
    }
}

/// What was done, and told; the same however each step is cut.
pub(super) fn played(setting: &Setting, steps: &[(Peer, &str)]) -> (Vec<String>, Vec<Event>) {
    let play = |cut: &dyn Fn(&[u8]) -> Vec<Vec<u8>>| {
        let mut relay = Relay::new(setting.clone());
        for (step, (from, octets)) in steps.iter().enumerate() {
            for part in cut(octets.as_bytes()) {
                relay.read(*from, &part, Micros(step as u64));
            }
            relay.handshake();
        }
        for from in [C, S] {
            let end = Micros(steps.len() as u64);
            relay.end(from, end);
        }
        let done = relay.done.iter().map(|line| line.replace("\r\n", "|"));
        (done.collect::<Vec<_>>(), number(relay.drafts))
    };
    let whole = play(&|octets| vec![octets.to_vec()]);
    let joined = |done: &[String]| done.concat();
    let single = play(&|octets| octets.iter().map(|octet| vec![*octet]).collect());
    assert_eq!(joined(&single.0), joined(&whole.0));
    let longest = steps.iter().map(|(_, octets)| octets.len()).max();
    for at in 1..longest.unwrap_or_default() {
        let split = play(&|octets| {
            let (a, b) = octets.split_at(at.min(octets.len()));
            vec![a.to_vec(), b.to_vec()]
        });
        assert_eq!(joined(&split.0), joined(&whole.0), "split at {at}");
    }
    whole
}

pub(super) fn setting(app: AppLeg, server: ServerLeg) -> Setting {
    Setting {
        app,
        server,
        server_is_local: false,
        hidden: Hidden::default(),
        faults: Strikes::default(),
    }
}

/// What was passed on instead of each message that was edited, and what mailscope said.
pub(super) fn edits(events: &[Event]) -> Vec<String> {
    let edit = |event: &Event| match &event.body {
        Body::Said(said) => match &said.passed {
            Passed::AsRead => None,
            Passed::Own => Some(format!("own {}", text(said.wire.bytes()))),
            Passed::Instead(sent) => Some(format!(
                "{} -> {}",
                text(said.wire.bytes()),
                text(sent.bytes())
            )),
        },
        _ => None,
    };
    events.iter().filter_map(edit).collect()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).replace("\r\n", "|")
}

pub(super) fn notes(events: &[Event]) -> Vec<String> {
    let told = told(events);
    told.into_iter()
        .filter(|line| line.starts_with("note"))
        .collect()
}

const GREETING: &str = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n";

#[test]
fn starttls_on_both_legs_is_the_servers_to_answer() {
    let (done, events) = played(
        &setting(AppLeg::Cleartext, ServerLeg::Starttls),
        &[
            (S, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n"),
            (C, "a CAPABILITY\r\n"),
            (S, "* CAPABILITY IMAP4rev1 STARTTLS\r\na OK\r\n"),
            (C, "b STARTTLS\r\n"),
            (S, "b OK go\r\n"),
            (C, "c LOGIN alice hunter2\r\n"),
            (S, "c OK [CAPABILITY IMAP4rev1] in\r\n"),
        ],
    );
    assert_eq!(
        done,
        [
            "app * OK [CAPABILITY IMAP4rev1 STARTTLS] hi|",
            "server a CAPABILITY|",
            "app * CAPABILITY IMAP4rev1 STARTTLS|a OK|",
            "server b STARTTLS|",
            "app b OK go|",
            "TLS Both",
            "server c LOGIN alice hunter2|",
            "app c OK [CAPABILITY IMAP4rev1] in|",
        ]
    );
    assert!(edits(&events).is_empty());
    assert!(notes(&events).is_empty());
}

/// What fuzzing found: of a line that a server began behind its BYE, what had gone on was told as kept
/// back with the rest.
#[test]
fn r022_what_went_on_before_it_was_kept_back_is_told() {
    let steps = [
        (S, "* BYE full\r\nsee y"),
        (C, "a LOGIN alice hunter2\r\n"),
        (S, "ou\r\n"),
    ];
    let (done, events) = played(&setting(AppLeg::Tls, ServerLeg::Starttls), &steps);
    let asked = "server mailscope STARTTLS|";
    assert_eq!(done, ["app * BYE full|see y", asked]);
    assert_eq!(
        edits(&events),
        ["own mailscope STARTTLS|", "see you| -> see y"]
    );
}

/// What fuzzing found: of what an app that had left said behind its STARTTLS, which was refused then, the
/// last line's beginning went on and was not told.
#[test]
fn r024_what_an_app_said_before_it_left_is_told_when_starttls_is_refused() {
    let mut relay = Relay::new(setting(AppLeg::Cleartext, ServerLeg::Starttls));
    let steps = [
        (S, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n"),
        (C, "b STARTTLS\r\nc NOOP\r\nd NO"),
    ];
    for (from, octets) in steps {
        relay.read(from, octets.as_bytes(), Micros(0));
    }
    relay.end(C, Micros(1));
    relay.read(S, b"b NO\r\n", Micros(2));
    relay.end(S, Micros(3));
    let events = number(relay.drafts);
    let told = told(&events).join("\n");
    assert!(told.contains("command d"), "{told}");
}

/// What fuzzing found: what might be a login ends the connection there, and was not told. As long as the app
/// was there, it was told as having gone on.
#[test]
fn r025_what_an_app_said_before_it_left_is_told_when_it_ends_the_connection() {
    for (before, refusal, behind) in [
        (&[][..], "a BAD", &[C, S][..]),
        (&[], "a BAD", &[S, C]),
        (&[C], "a BAD no\r\n", &[S]),
    ] {
        let mut relay = Relay::new(setting(AppLeg::Cleartext, ServerLeg::Starttls));
        relay.read(S, b"* OK hi\r\n", Micros(0));
        relay.read(C, b"a STARTTLS\r\n\0", Micros(0));
        before.iter().for_each(|from| relay.end(*from, Micros(1)));
        relay.read(S, refusal.as_bytes(), Micros(2));
        behind.iter().for_each(|from| relay.end(*from, Micros(3)));
        let events = number(relay.drafts);
        assert_eq!(edits(&events), ["******** -> "], "{before:?} {behind:?}");
        assert_eq!(relay.done.last().unwrap(), "end cleartext-to-server");
        assert!(!relay.done.concat().contains('\0'));
    }
}

/// It was told as passed on, and behind what came behind it.
#[test]
fn a_line_that_waits_for_tls_when_the_server_leaves_goes_nowhere() {
    let mut relay = Relay::new(setting(AppLeg::Tls, ServerLeg::Starttls));
    for (from, octets) in [(C, "a NO"), (S, "* OK hi\r\n"), (C, "OP\r\n")] {
        relay.read(from, octets.as_bytes(), Micros(0));
    }
    for from in [S, C] {
        relay.end(from, Micros(1));
    }
    let done = relay.done.concat().replace("\r\n", "|");
    assert_eq!(done, "server mailscope STARTTLS|");
    let told = edits(&number(relay.drafts));
    assert_eq!(told[0], "own mailscope STARTTLS|");
    assert_eq!(told[1..], ["a ******** -> ", "******** -> "]);
}

#[test]
fn a_refused_starttls_goes_on_in_cleartext() {
    for refusal in ["NO", "BAD"] {
        let answer = format!("b {refusal} no\r\n");
        let local = Setting {
            server_is_local: true,
            ..setting(AppLeg::Cleartext, ServerLeg::Starttls)
        };
        let (done, events) = played(
            &local,
            &[
                (S, "* OK hi\r\n"),
                (C, "b STARTTLS\r\nc NOOP\r\n"),
                (S, &answer),
                (S, "c OK\r\n"),
                (C, "d LOGIN alice hunter2\r\n"),
                (S, "d OK\r\n"),
            ],
        );
        assert_eq!(
            done,
            [
                "app * OK hi|",
                "server b STARTTLS|",
                &format!("app b {refusal} no|"),
                "server c NOOP|",
                "app c OK|",
                "server d LOGIN alice hunter2|",
                "app d OK|",
            ]
        );
        assert!(notes(&events).is_empty());
    }
}

#[test]
fn no_password_crosses_in_cleartext_when_starttls_was_refused() {
    let (done, events) = played(
        &setting(AppLeg::Cleartext, ServerLeg::Starttls),
        &[
            (S, "* OK hi\r\n"),
            (C, "b STARTTLS\r\n"),
            (S, "b NO no\r\n"),
            (C, "c NOOP\r\n"),
            (S, "c OK\r\n"),
            (C, "d LOGIN alice hunter2\r\n"),
        ],
    );
    assert_eq!(
        done[3..],
        ["server c NOOP|", "app c OK|", "end cleartext-to-server"]
    );
    assert_eq!(edits(&events), ["d LOGIN alice ********| -> "]);
}

#[test]
fn what_is_injected_behind_the_command_is_dropped_when_tls_begins() {
    for server in [ServerLeg::Starttls, ServerLeg::Tls, ServerLeg::Cleartext] {
        let mut steps = vec![
            (S, "* OK hi\r\n"),
            (C, "b STARTTLS\r\nc LOGIN mallory hunter2\r\n"),
        ];
        if server == ServerLeg::Starttls {
            steps.push((S, "b OK go\r\n"));
        }
        steps.push((C, "d NOOP\r\n"));
        let (done, events) = played(&setting(AppLeg::Cleartext, server), &steps);
        assert!(!done.concat().contains("mallory"), "{done:?}");
        assert_eq!(done.last().unwrap(), "server d NOOP|");
        assert_eq!(notes(&events), ["note starttls-injection"]);
        let dropped = "******** -> ";
        assert!(
            edits(&events).contains(&dropped.to_owned()),
            "{:?}",
            edits(&events)
        );
    }
}

#[test]
fn what_is_injected_behind_the_servers_ok_is_dropped() {
    let (done, events) = played(
        &setting(AppLeg::Cleartext, ServerLeg::Starttls),
        &[
            (S, "* OK hi\r\n"),
            (C, "b STARTTLS\r\n"),
            (S, "b OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nc OK"),
            (S, "* BYE\r\n"),
        ],
    );
    assert_eq!(
        done,
        [
            "app * OK hi|",
            "server b STARTTLS|",
            "app b OK go|",
            "TLS Both",
            "app * BYE|"
        ]
    );
    assert_eq!(notes(&events), ["note starttls-injection"]);
    assert_eq!(
        edits(&events),
        ["* CAPABILITY IMAP4rev1 AUTH=PLAIN|c OK -> "]
    );
}

#[test]
fn tls_begins_with_the_tagged_ok_and_nothing_else() {
    // A hello of TLS behind the command is plaintext like any other.
    let (done, _) = played(
        &setting(AppLeg::Cleartext, ServerLeg::Starttls),
        &[
            (S, "* OK hi\r\n"),
            (C, "b STARTTLS\r\n"),
            (S, "* OK still here\r\n"),
            (S, "c OK not that one\r\n"),
            (C, "\u{16}\u{3}\u{1}"),
            (S, "b NO no\r\n"),
        ],
    );
    assert!(!done.iter().any(|line| line.starts_with("TLS")), "{done:?}");
}

#[test]
fn the_servers_leg_is_secured_before_an_app_with_tls_is_greeted() {
    let (done, events) = played(
        &setting(AppLeg::Tls, ServerLeg::Starttls),
        &[
            (S, GREETING),
            (S, "mailscope OK go\r\n"),
            (C, "a CAPABILITY\r\n"),
            (S, "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na OK\r\n"),
        ],
    );
    assert_eq!(
        done,
        [
            "server mailscope STARTTLS|",
            "TLS Server",
            "app * OK [CAPABILITY IMAP4rev1] hi|",
            "server a CAPABILITY|",
            "app * CAPABILITY IMAP4rev1 AUTH=PLAIN|a OK|",
        ]
    );
    assert_eq!(
        edits(&events),
        [
            "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi| -> * OK [CAPABILITY IMAP4rev1] hi|",
            "own mailscope STARTTLS|",
            "mailscope OK go| -> ",
        ]
    );
    assert_eq!(
        told(&events)[..3],
        [
            "greeting OK",
            "command mailscope STARTTLS",
            "tagged mailscope OK answers=2",
        ]
    );
}

#[test]
fn a_server_without_starttls_is_refused() {
    for app in [AppLeg::Tls, AppLeg::Cleartext] {
        let steps = [(S, "* OK [CAPABILITY IMAP4rev1] hi\r\n")];
        let (done, _) = played(&setting(app, ServerLeg::Starttls), &steps);
        assert!(
            done.contains(&"end starttls-not-offered".into()),
            "{done:?}"
        );
        let steps = [(S, "* PREAUTH hi\r\n")];
        let (done, _) = played(&setting(app, ServerLeg::Starttls), &steps);
        assert!(done.contains(&"end starttls-too-late".into()), "{done:?}");
    }
    let steps = [(S, "* OK hi\r\n"), (S, "mailscope BAD what\r\n")];
    let (done, _) = played(&setting(AppLeg::Tls, ServerLeg::Starttls), &steps);
    assert_eq!(done, ["server mailscope STARTTLS|", "end starttls-refused"]);
    let steps = [(S, "* BYE busy\r\n")];
    let (done, _) = played(&setting(AppLeg::Tls, ServerLeg::Starttls), &steps);
    assert_eq!(done, ["app * BYE busy|"]);
}

/// What another protocol's server says first; the app would wait for its greeting for ever.
#[test]
fn a_server_that_does_not_greet_is_refused() {
    for first in [
        "220 mail ready\r\n",
        "+OK ready\r\n",
        "* CAPABILITY IMAP4rev1\r\n",
    ] {
        let behind = "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n";
        let steps = [(S, first), (S, behind)];
        let (done, _) = played(&setting(AppLeg::Tls, ServerLeg::Starttls), &steps);
        assert_eq!(done, ["end no-greeting"], "{first:?}");
        let mut relay = Relay::new(setting(AppLeg::Cleartext, ServerLeg::Starttls));
        for (from, octets) in steps {
            relay.read(from, octets.as_bytes(), Micros(0));
        }
        assert_eq!(relay.done, ["end no-greeting"], "{first:?}");
    }
    let steps = [(S, "+OK ready\r\n")];
    let (done, _) = played(&setting(AppLeg::Tls, ServerLeg::Cleartext), &steps);
    assert_eq!(
        done,
        ["app +OK ready|"],
        "the app may make of it what it will"
    );
}

#[test]
fn the_servers_leg_is_secured_before_a_cleartext_app_logs_in() {
    let logins: [&[&str]; 4] = [
        &["c LOGIN alice hunter2\r\n"],
        &["c LOGIN alice {7}\r\n", "hunter2\r\n"],
        &["c AUTHENTICATE PLAIN AGEAYg==\r\n"],
        &["what is this\r\n"],
    ];
    for login in logins {
        let mut steps = vec![
            (S, GREETING),
            (C, "b CAPABILITY\r\n"),
            (
                S,
                "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\nb OK\r\n",
            ),
            (C, login[0]),
            (S, "mailscope OK go\r\n"),
        ];
        if let Some(more) = login.get(1) {
            steps.extend([(S, "+ go\r\n"), (C, *more)]);
        }
        let (done, _) = played(&setting(AppLeg::Cleartext, ServerLeg::Starttls), &steps);
        assert_eq!(
            done[..6],
            [
                "app * OK [CAPABILITY IMAP4rev1 STARTTLS] hi|",
                "server b CAPABILITY|",
                "app * CAPABILITY IMAP4rev1 STARTTLS|b OK|",
                "server mailscope STARTTLS|",
                "TLS Server",
                &format!("server {}", login[0].replace("\r\n", "|")),
            ]
        );
        if let Some(more) = login.get(1) {
            let more = format!("server {}", more.replace("\r\n", "|"));
            assert_eq!(done[6..], ["app + go|".to_owned(), more]);
        }
    }
}

#[test]
fn starttls_is_offered_and_answered_where_the_server_has_none() {
    for server in [ServerLeg::Tls, ServerLeg::Cleartext] {
        let (done, events) = played(
            &setting(AppLeg::Cleartext, server),
            &[
                (S, "* OK [CAPABILITY IMAP4rev1] hi\r\n"),
                (C, "a CAPABILITY\r\nb STARTTLS\r\n"),
                (S, "* CAPABILITY IMAP4rev1\r\n"),
                (S, "a OK done\r\n"),
                (C, "c LOGIN alice hunter2\r\n"),
                (S, "c OK [CAPABILITY IMAP4rev1] in\r\n"),
            ],
        );
        assert_eq!(
            done,
            [
                "app * OK [CAPABILITY IMAP4rev1 STARTTLS] hi|",
                "server a CAPABILITY|",
                // Not before the answers to what came before it.
                "app * CAPABILITY IMAP4rev1 STARTTLS|a OK done|b OK Begin TLS negotiation now|",
                "TLS App",
                "server c LOGIN alice hunter2|",
                "app c OK [CAPABILITY IMAP4rev1] in|",
            ]
        );
        assert_eq!(
            edits(&events),
            [
                "* OK [CAPABILITY IMAP4rev1] hi| -> * OK [CAPABILITY IMAP4rev1 STARTTLS] hi|",
                "b STARTTLS| -> ",
                "* CAPABILITY IMAP4rev1| -> * CAPABILITY IMAP4rev1 STARTTLS|",
                "own b OK Begin TLS negotiation now|",
            ]
        );
    }
}

#[test]
fn starttls_is_not_offered_behind_a_login_in_cleartext() {
    let steps = [
        (S, "* OK hi\r\n"),
        (C, "a LOGIN alice hunter2\r\n"),
        (S, "* CAPABILITY IMAP4rev1 IDLE\r\na OK in\r\n"),
        (S, "* CAPABILITY IMAP4rev1\r\n"),
    ];
    let (_, events) = played(&setting(AppLeg::Cleartext, ServerLeg::Tls), &steps);
    assert!(edits(&events).is_empty());
}

#[test]
fn an_app_with_tls_is_not_misled_by_a_cleartext_server() {
    let (done, _) = played(
        &setting(AppLeg::Tls, ServerLeg::Cleartext),
        &[
            (S, GREETING),
            (C, "a STARTTLS\r\nb LOGIN alice hunter2\r\n"),
            (S, "b OK [CAPABILITY IMAP4rev1] in\r\n"),
        ],
    );
    assert_eq!(
        done,
        [
            "app * OK [CAPABILITY IMAP4rev1] hi|a BAD TLS is in use already|",
            "server b LOGIN alice hunter2|",
            "app b OK [CAPABILITY IMAP4rev1] in|",
        ]
    );
}

#[test]
fn hidden_capabilities_are_hidden_wherever_they_are_listed() {
    let hiding = Setting {
        hidden: Hidden::new(["IDLE", "COMPRESS=*"]),
        ..Setting::default()
    };
    let (done, events) = played(
        &hiding,
        &[
            (S, "* OK [CAPABILITY IMAP4rev1 IDLE] hi\r\n"),
            (C, "a LOGIN alice hunter2\r\n"),
            (
                S,
                "a OK [CAPABILITY IMAP4rev1 IDLE COMPRESS=DEFLATE MOVE] in\r\n",
            ),
            (C, "b CAPABILITY\r\nc FETCH 1 BODY[]\r\n"),
            (S, "* CAPABILITY IMAP4rev1 idle MOVE\r\nb OK\r\n"),
            (
                S,
                "* 1 FETCH (BODY[] {19}\r\n* CAPABILITY IDLE\r\n)\r\nc OK\r\n",
            ),
        ],
    );
    assert_eq!(
        done,
        [
            "app * OK [CAPABILITY IMAP4rev1] hi|",
            "server a LOGIN alice hunter2|",
            "app a OK [CAPABILITY IMAP4rev1 MOVE] in|",
            "server b CAPABILITY|c FETCH 1 BODY[]|",
            "app * CAPABILITY IMAP4rev1 MOVE|b OK|* 1 FETCH (BODY[] {19}|* CAPABILITY IDLE|)|c OK|",
        ]
    );
    assert_eq!(edits(&events).len(), 3);
}

#[test]
fn octets_behind_an_undecided_literal_go_on_at_once_unless_the_leg_is_to_be_secured() {
    let steps = [
        (S, "* OK hi\r\n"),
        (C, "a LOGIN {5}\r\nalice {7}\r\nhunter2\r\n"),
        (S, "+ go\r\n+ go\r\na OK\r\n"),
    ];
    let (done, _) = played(&setting(AppLeg::Cleartext, ServerLeg::Cleartext), &steps);
    assert_eq!(done[1], "server a LOGIN {5}|alice {7}|hunter2|");
    let steps = [steps[0], steps[1], (S, "mailscope OK\r\n"), steps[2]];
    let (done, _) = played(&setting(AppLeg::Cleartext, ServerLeg::Starttls), &steps);
    assert_eq!(
        done,
        [
            "app * OK hi|",
            "server mailscope STARTTLS|",
            "TLS Server",
            "server a LOGIN {5}|alice {7}|hunter2|",
            "app + go|+ go|a OK|",
        ]
    );
}

#[test]
fn when_the_reading_fails_nothing_crosses_in_cleartext() {
    let mut relay = Relay::new(setting(AppLeg::Cleartext, ServerLeg::Starttls));
    relay.read(S, b"* OK hi\r\n", Micros(0));
    relay.observer.fails = true;
    relay.read(C, b"a LOGIN alice hunter2\r\n", Micros(1));
    assert_eq!(relay.done, ["app * OK hi\r\n", "end observer-stopped"]);
}

#[test]
fn octets_that_make_no_sense_are_passed_on_as_they_are() {
    for server in [ServerLeg::Tls, ServerLeg::Cleartext] {
        let (done, _) = played(
            &setting(AppLeg::Cleartext, server),
            &[
                (C, "\u{1}\u{2} {3}\nx\n\r\n"),
                (S, "a STARTTLS\n* {9999}\r\n+"),
                (C, "tag"),
                (S, "* OK [CAPABILI"),
            ],
        );
        let to = |peer: &str| -> String {
            let given = done.iter().filter_map(|line| line.strip_prefix(peer));
            given.collect()
        };
        assert_eq!(to("server "), "\u{1}\u{2} {3}\nx\n|tag");
        assert_eq!(to("app "), "a STARTTLS\n* {9999}|+* OK [CAPABILI");
    }
}

#[test]
fn what_an_untagged_bad_answered_is_not_waited_for() {
    for (before, bad, late) in [
        ("foo bar\r\n", "* BAD what\r\n", ""),
        ("c CAPABILITY\r\nfoo bar\r\n", "* BAD what\r\nc OK\r\n", ""),
        ("foo bar\r\n", "", "* BAD what\r\n"),
        ("\r\nc NOOP\r\n", "* BAD what\r\n", "c OK\r\n"),
    ] {
        let (done, _) = played(
            &setting(AppLeg::Cleartext, ServerLeg::Tls),
            &[
                (S, "* OK hi\r\n"),
                (C, before),
                (S, bad),
                (C, "a STARTTLS\r\n"),
                (S, late),
                (C, "b NOOP\r\n"),
                (S, "b OK\r\n"),
            ],
        );
        let done = done.concat();
        let begun = done.find("a OK Begin TLS negotiation now|");
        let secured = done.find("TLS App");
        assert!(begun.is_some() && begun < secured, "{done}");
        assert!(done.ends_with("server b NOOP|app b OK|"), "{done}");
    }
    let (done, _) = played(
        &setting(AppLeg::Cleartext, ServerLeg::Tls),
        &[
            (S, "* OK hi\r\n"),
            (C, "c NOOP\r\n"),
            (C, "a STARTTLS\r\n"),
            (S, "c OK\r\n"),
        ],
    );
    assert!(
        done.concat()
            .ends_with("app c OK|a OK Begin TLS negotiation now|TLS App"),
        "{done:?}"
    );
}
