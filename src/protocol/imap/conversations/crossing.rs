//! What may cross where a leg has no TLS yet: somebody on the server's cleartext leg, and apps with odd
//! timing, against STARTTLS.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::told;
use super::upgrade::{Relay, edits, notes, played, setting};
use crate::event::{Micros, Peer};
use crate::protocol::imap::{AppLeg, ServerLeg, Setting};

const C: Peer = Peer::Client;
const S: Peer = Peer::Server;

#[test]
fn no_password_crosses_when_the_list_lacks_starttls() {
    // Somebody took it out of the list (STRIPTLS).
    let logins = [
        "b LOGIN alice hunter2\r\n",
        "b LOGIN alice {7}\r\n",
        "b LOGIN alice {7+}\r\nhunter2\r\nc NOOP\r\n",
        "b LOGIN alice hunter2\r\nc NOOP\r\nd LOGOUT\r\n",
    ];
    for login in logins {
        let steps = [
            (S, "* OK hi\r\n"),
            (C, "a CAPABILITY\r\n"),
            (S, "* CAPABILITY IMAP4rev1\r\na OK\r\n"),
            (C, login),
            (S, "* OK go on\r\n"),
        ];
        let (done, _) = played(&setting(AppLeg::Cleartext, ServerLeg::Starttls), &steps);
        let end = "end starttls-not-offered";
        assert_eq!(done.last().unwrap(), end, "{login:?}: {done:?}");
        assert!(!done.concat().contains("LOGIN"), "{done:?}");
    }
}

#[test]
fn nothing_goes_on_behind_the_connections_end() {
    let refused = [
        (S, "* OK hi\r\n"),
        (C, "a STARTTLS\r\n"),
        (S, "a NO no\r\n"),
    ];
    let commands = [
        "b LOGIN alice hunter2\r\nc NOOP\r\n",
        "b AUTHENTICATE PLAIN AGEAYg==\r\n",
        "b LOGIN alice {7}\r\n",
        "{7}\r\n",
    ];
    for command in commands {
        let mut steps = refused.to_vec();
        steps.extend([(C, command), (S, "* OK go on\r\n")]);
        let (done, _) = played(&setting(AppLeg::Cleartext, ServerLeg::Starttls), &steps);
        assert_eq!(done.last().unwrap(), "end cleartext-to-server", "{done:?}");
        assert_eq!(done.len(), 4, "{done:?}");
    }
}

#[test]
fn behind_a_refusal_a_login_with_literals_goes_to_a_server_on_this_machine() {
    let local = Setting {
        server_is_local: true,
        ..setting(AppLeg::Cleartext, ServerLeg::Starttls)
    };
    let (done, _) = played(
        &local,
        &[
            (S, "* OK hi\r\n"),
            (C, "a STARTTLS\r\n"),
            (S, "a NO no\r\n"),
            (C, "b LOGIN alice {7}\r\n"),
            (S, "+ go\r\n"),
            (C, "hunter2\r\n"),
            (S, "b OK in\r\n"),
        ],
    );
    assert_eq!(
        done[3..],
        [
            "server b LOGIN alice {7}|",
            "app + go|",
            "server hunter2|",
            "app b OK in|"
        ]
    );
}

#[test]
fn an_app_that_does_not_wait_for_the_greeting_logs_in_behind_tls() {
    for app in [AppLeg::Tls, AppLeg::Cleartext] {
        let (done, _) = played(
            &setting(app, ServerLeg::Starttls),
            &[
                (C, "a LOGIN alice hunter2\r\n"),
                (S, "* OK hi\r\n"),
                (S, "mailscope OK go\r\n"),
                (S, "a OK in\r\n"),
            ],
        );
        let mut expected = vec![
            "server mailscope STARTTLS|",
            "app * OK hi|",
            "TLS Server",
            "server a LOGIN alice hunter2|",
            "app a OK in|",
        ];
        if app == AppLeg::Tls {
            expected.swap(1, 2);
        }
        assert_eq!(done, expected);
    }
}

#[test]
fn what_is_said_before_the_servers_leg_is_secured_does_not_reach_an_app_with_tls() {
    let (done, events) = played(
        &setting(AppLeg::Tls, ServerLeg::Starttls),
        &[
            (S, "* OK hi\r\n"),
            (
                S,
                "* OK [ALERT] call this number\r\na OK in\r\n+ go\r\nwhat\r\n* LIST {3}\r\nabc\r\n",
            ),
            (S, "mailscope OK go\r\n"),
            (S, "* OK still here\r\n"),
        ],
    );
    assert_eq!(
        done,
        [
            "server mailscope STARTTLS|",
            "TLS Server",
            "app * OK hi|* OK still here|",
        ]
    );
    assert!(edits(&events).contains(&"* OK [ALERT] call this number| -> ".to_owned()));
    let told = notes(&events);
    let injected = told
        .iter()
        .filter(|note| *note == "note starttls-injection");
    assert_eq!(injected.count(), 3, "what may not be said there: {told:?}");
}

#[test]
fn a_message_without_an_end_before_the_answer_ends_the_connection() {
    let long = "x".repeat(70_000);
    for message in [
        format!("* OK {long}\r\n"),
        format!("* X {{70000}}\r\n{long}\r\n"),
    ] {
        let mut relay = Relay::new(setting(AppLeg::Tls, ServerLeg::Starttls));
        for octets in ["* OK hi\r\n", &message[..66_000], &message[66_000..]] {
            relay.read(S, octets.as_bytes(), Micros(0));
        }
        let end = "end starttls-injection";
        assert_eq!(relay.done, ["server mailscope STARTTLS\r\n", end]);
    }
}

#[test]
fn the_server_is_not_heard_between_mailscopes_own_ok_and_tls() {
    for server in [ServerLeg::Tls, ServerLeg::Cleartext] {
        for behind in ["* OK still here\r\n", "* OK sti", "* CAPABILITY X\r\n"] {
            let answers = format!("a OK done\r\n{behind}");
            let (done, _) = played(
                &setting(AppLeg::Cleartext, server),
                &[
                    (S, "* OK hi\r\n"),
                    (C, "a NOOP\r\nb STARTTLS\r\n"),
                    (S, &answers),
                    (C, "c NOOP\r\n"),
                ],
            );
            assert_eq!(
                done,
                [
                    "app * OK hi|",
                    "server a NOOP|",
                    "app a OK done|b OK Begin TLS negotiation now|",
                    "TLS App",
                    &format!("app {}", behind.replace("\r\n", "|")),
                    "server c NOOP|",
                ]
            );
        }
    }
}

#[test]
fn the_answer_to_a_command_that_was_not_sent_ends_the_connection() {
    for (command, forged) in [
        ("a LOGIN alice hunter2\r\n", "a OK in\r\n"),
        ("a LOGIN alice {7}\r\n", "+ go\r\n"),
        ("a LOGIN alice {7}\r\n", "a NO no\r\n"),
        ("a COMPRESS DEFLATE\r\n", "a OK on\r\n"),
    ] {
        let (done, events) = played(
            &setting(AppLeg::Cleartext, ServerLeg::Starttls),
            &[
                (S, "* OK hi\r\n"),
                (C, command),
                (S, forged),
                (C, "b LOGIN alice hunter2\r\n"),
            ],
        );
        assert_eq!(
            done,
            [
                "app * OK hi|",
                "server mailscope STARTTLS|",
                "end starttls-injection"
            ]
        );
        let dropped = format!("{} -> ", forged.replace("\r\n", "|"));
        assert!(edits(&events).contains(&dropped), "{:?}", edits(&events));
    }
}

#[test]
fn a_server_that_refuses_what_mailscope_was_to_answer_is_the_one_that_answered() {
    let (done, _) = played(
        &setting(AppLeg::Cleartext, ServerLeg::Tls),
        &[
            (S, "* OK hi\r\n"),
            (C, "a NOOP\r\nb STARTTLS\r\nc NOOP\r\n"),
            (S, "b NO no\r\n"),
            (S, "a OK\r\nc OK\r\n"),
        ],
    );
    assert_eq!(
        done[2..],
        ["app b NO no|", "server c NOOP|", "app a OK|c OK|"]
    );
}

#[test]
fn what_waits_for_a_server_that_is_gone_is_told_and_goes_nowhere() {
    let mut relay = Relay::new(setting(AppLeg::Cleartext, ServerLeg::Starttls));
    relay.read(S, b"* OK hi\r\n", Micros(0));
    relay.read(C, b"a LOGIN alice hunter2\r\nb NOOP\r\n", Micros(1));
    for from in [S, C] {
        relay.end(from, Micros(2));
    }
    assert_eq!(
        relay.done,
        ["app * OK hi\r\n", "server mailscope STARTTLS\r\n"]
    );
    assert!(relay.waits_for_nothing());
    let events = super::number(relay.drafts);
    assert_eq!(told(&events).last().unwrap(), "opaque client");
    assert_eq!(edits(&events).last().unwrap(), "******** -> ");
}

#[test]
fn an_app_with_tls_sees_the_end_of_a_server_whose_leg_was_not_secured() {
    let mut relay = Relay::new(setting(AppLeg::Tls, ServerLeg::Starttls));
    relay.read(S, b"* OK hi\r\n* OK", Micros(0));
    relay.end(S, Micros(1));
    assert_eq!(relay.done, ["server mailscope STARTTLS\r\n"]);
    assert!(relay.waits_for_nothing());
}

#[test]
fn tls_is_not_begun_for_half_a_line() {
    let (done, events) = played(
        &setting(AppLeg::Cleartext, ServerLeg::Starttls),
        &[(S, "* OK hi\r\n"), (C, "a LOGIN alice hun")],
    );
    assert_eq!(done, ["app * OK hi|"]);
    assert_eq!(edits(&events).len(), 1, "{:?}", edits(&events));
}

const CLIENT: &[&str] = &[
    "a LOGIN alice hunter2\r\n",
    "b LOGIN alice {7}\r\n",
    "hunter2\r\n",
    "b LOGIN alice {7+}\r\nhunter2\r\n",
    "c STARTTLS\r\n",
    "C starttls \n",
    "d NOOP\r\n",
    "e CAPABILITY\r\n",
    "f AUTHENTICATE PLAIN\r\n",
    "AGFsaWNlAGh1bnRlcjI=\r\n",
    "g IDLE\r\n",
    "DONE\r\n",
    "h LOGOUT\r\n",
    "i UNAUTHENTICATE\r\n",
    "j ID (\"x\" {3+}\r\nabc)\r\n",
    "k COMPRESS DEFLATE\r\n",
    "l APPEND x {3}\r\n",
    "\r\n",
    "\u{1}\u{16}\u{3}",
];

const SERVER: &[&str] = &[
    "* OK hi\r\n",
    "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n",
    "* OK [CAPABILITY IMAP4rev1] hi\r\n",
    "* PREAUTH hi\r\n",
    "* BYE\r\n",
    "a OK in\r\n",
    "b OK [CAPABILITY IMAP4rev1 IDLE] in\r\n",
    "c OK go\r\n",
    "c NO no\r\n",
    "C OK go\r\n",
    "d OK\r\n",
    "f OK\r\n",
    "i OK\r\n",
    "k OK\r\n",
    "l NO\r\n",
    "+ go\r\n",
    "mailscope OK go\r\n",
    "mailscope BAD no\r\n",
    "mailscope0 OK go\r\n",
    "* CAPABILITY IMAP4rev1\r\n",
    "* CAPABILITY IMAP4rev1 STARTTLS\r\n",
    "* 1 FETCH (BODY[] {9}\r\nc OK go\r\n)\r\n",
    "c OK {9}\r\n",
    "\u{1}\r",
];

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(3000)
    })]

    #[test]
    fn whatever_both_say_no_password_crosses_and_nothing_is_lost(
        tls in any::<bool>(),
        server in select(vec![ServerLeg::Tls, ServerLeg::Starttls, ServerLeg::Cleartext]),
        said in vec((prop_oneof![select(CLIENT).prop_map(|said| (C, said)), select(SERVER).prop_map(|said| (S, said))], 0..12_usize), 0..14),
    ) {
        let app = if tls { AppLeg::Tls } else { AppLeg::Cleartext };
        let mut relay = Relay::new(setting(app, server));
        let mut read = [Vec::new(), Vec::new()];
        for (step, ((from, said), cut)) in said.iter().enumerate() {
            let (from, octets) = (*from, said.as_bytes());
            let (head, tail) = octets.split_at(*cut.min(&octets.len()));
            for part in [head, tail].into_iter().filter(|part| !part.is_empty()) {
                read[usize::from(from == S)].extend_from_slice(part);
                relay.read(from, part, Micros(step as u64));
                relay.handshake();
            }
        }
        for from in [C, S] {
            relay.end(from, Micros(99));
        }
        let end = relay.done.iter().position(|done| done.starts_with("end "));
        prop_assert!(end.is_none_or(|end| end + 1 == relay.done.len()), "{:?}", relay.done);
        let secured = relay.done.iter().position(|done| ["TLS Server", "TLS Both"].contains(&&**done));
        if server == ServerLeg::Starttls {
            let before = relay.done[..secured.unwrap_or(relay.done.len())].iter();
            let told: String = before.filter_map(|done| done.strip_prefix("server ")).collect();
            for secret in ["hunter2", "AGFsaW", "LOGIN", "AUTH"] {
                prop_assert!(!told.contains(secret), "{:?}", relay.done);
            }
        }
        let (done, has_ended) = (relay.done.clone(), end.is_some());
        let is_exact = relay.waits_for_nothing();
        let events = super::number(relay.drafts);
        let has_own = !edits(&events).is_empty() || done.iter().any(|done| done.starts_with("TLS"));
        let is_delayed = (app, server) == (AppLeg::Tls, ServerLeg::Starttls);
        if !has_own && !has_ended && !is_delayed {
            prop_assert!(is_exact, "{done:?}");
            for (from, mark) in [(C, "server "), (S, "app ")] {
                let given: String = done.iter().filter_map(|done| done.strip_prefix(mark)).collect();
                let read = String::from_utf8(read[usize::from(from == S)].clone()).unwrap();
                prop_assert_eq!(given, read);
            }
        }
        let again = super::again(&events);
        let without_notes = told(&events).into_iter().filter(|line| !line.starts_with("note ") && line != "other");
        prop_assert_eq!(told(&again), without_notes.collect::<Vec<_>>());
        prop_assert_eq!(edits(&again), edits(&events));
    }
}
