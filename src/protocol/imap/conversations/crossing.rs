//! What may cross where a leg has no TLS yet: somebody on the server's cleartext leg, and apps with odd
//! timing, against STARTTLS.

use super::told;
use super::upgrade::{edits, notes, played, setting};
use crate::event::Peer;
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
    assert_eq!(injected.count(), 5, "{told:?}");
}

#[test]
fn a_message_without_an_end_before_the_answer_ends_the_connection() {
    let long = "x".repeat(70_000);
    for message in [
        format!("* OK {long}\r\n"),
        format!("* X {{70000}}\r\n{long}\r\n"),
    ] {
        let mut relay = super::upgrade::Relay::new(setting(AppLeg::Tls, ServerLeg::Starttls));
        for octets in ["* OK hi\r\n", &message[..66_000], &message[66_000..]] {
            relay.read(S, octets.as_bytes(), crate::event::Micros(0));
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
fn what_waits_for_a_server_that_is_gone_is_told_and_goes_nowhere() {
    let mut relay = super::upgrade::Relay::new(setting(AppLeg::Cleartext, ServerLeg::Starttls));
    relay.read(S, b"* OK hi\r\n", crate::event::Micros(0));
    relay.read(
        C,
        b"a LOGIN alice hunter2\r\nb NOOP\r\n",
        crate::event::Micros(1),
    );
    for from in [S, C] {
        relay.end(from, crate::event::Micros(2));
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
fn tls_is_not_begun_for_half_a_line() {
    let (done, events) = played(
        &setting(AppLeg::Cleartext, ServerLeg::Starttls),
        &[(S, "* OK hi\r\n"), (C, "a LOGIN alice hun")],
    );
    assert_eq!(done, ["app * OK hi|"]);
    assert_eq!(edits(&events).len(), 1, "{:?}", edits(&events));
}
