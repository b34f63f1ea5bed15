//! What must not be told (contract, "Masks").

use super::super::Observer;
use super::{keeps, read, sealed, wires};
use crate::event::{Gate, Peer, Secrets};
use crate::limits;

use Peer::{Client as C, Server as S};

#[test]
fn every_way_to_log_in_is_masked() {
    let b64 = "AGFsaWNlAGh1bnRlcjI=";
    let ir = format!("a AUTHENTICATE PLAIN {b64}\r\n");
    let turn = format!("a AUTHENTICATE X-UNKNOWN\r\n{b64}\r\n");
    for (line, masked) in [
        ("a LOGIN alice hunter2\r\n", "a LOGIN alice ********\r\n"),
        (
            "a LOGIN alice \"hunter2\"\r\n",
            "a LOGIN alice ********\r\n",
        ),
        (
            "a LOGIN alice {7+}\r\nhunter2\r\n",
            "a LOGIN alice ********\r\n",
        ),
        ("a LOGIN alice hunter2 x\r\n", "a LOGIN ********\r\n"),
        ("a LOGIN alice \"hunter2\r\n", "a LOGIN ********\r\n"),
        ("a LOGIN\r\n", "a LOGIN\r\n"),
        ("LOGIN alice hunter2\r\n", "LOGIN ********\r\n"),
        ("hunter2\r\n", "********\r\n"),
        ("a XLOGIN hunter2\r\n", "a ********\r\n"),
        ("a NOOP hunter2\r\n", "a NOOP ********\r\n"),
        ("(hunter2)\r\n", "********\r\n"),
        (&ir, "a AUTHENTICATE PLAIN ********\r\n"),
        (&turn, "a AUTHENTICATE X-UNKNOWN\r\n********\r\n"),
        (
            "a AUTHENTICATE PLAIN\r\n=\r\n",
            "a AUTHENTICATE PLAIN\r\n********\r\n",
        ),
        (
            "a AUTHENTICATE PLAIN\r\n*\r\n",
            "a AUTHENTICATE PLAIN\r\n*\r\n",
        ),
        ("a LOGIN alice hunt", "a LOGIN ********"),
        ("hunt", "********"),
    ] {
        let steps: [(Peer, &[u8]); 2] = [(S, b"* OK hi\r\n"), (C, line.as_bytes())];
        assert_eq!(sealed(&steps, C), masked, "{line:?}");
        let single: Vec<(Peer, &[u8])> = steps
            .iter()
            .flat_map(|(from, bytes)| bytes.chunks(1).map(move |byte| (*from, byte)))
            .collect();
        assert_eq!(sealed(&single, C), masked, "{line:?} byte by byte");
    }
}

#[test]
fn an_overlong_line_before_login_tells_nothing_not_even_its_length() {
    for length in [2 * limits::MESSAGE_HELD, 3 * limits::MESSAGE_HELD] {
        let mut line = b"a LOGIN alice ".to_vec();
        line.resize(length, b'x');
        line.extend_from_slice(b"\r\n");
        let mut steps: Vec<(Peer, &[u8])> = vec![(S, b"* OK hi\r\n")];
        steps.extend(line.chunks(limits::READ).map(|chunk| (C, chunk)));
        assert_eq!(sealed(&steps, C), "a LOGIN ********\r\n");
    }
    let literal = format!("a LOGIN alice {{{}+}}\r\n", 2 * limits::LITERAL_HELD);
    let password = vec![b'x'; 2 * limits::LITERAL_HELD as usize];
    let steps: [(Peer, &[u8]); 4] = [
        (S, b"* OK hi\r\n"),
        (C, literal.as_bytes()),
        (C, &password),
        (C, b"\r\n"),
    ];
    assert_eq!(sealed(&steps, C), "a LOGIN ********\r\n");
}

#[test]
fn what_was_secret_once_is_masked_when_it_comes_again() {
    let steps: [(Peer, &[u8]); 5] = [
        (S, b"* OK hi\r\n"),
        (C, b"a LOGIN alice hunter2\r\n"),
        (
            S,
            b"a NO [X hunter2] hunter2 is wrong for alice\r\n* BAD hunter2\r\n",
        ),
        (C, b"b LOGIN hunter2 alice\r\n"),
        (S, b"b OK hunter2\r\n"),
    ];
    assert_eq!(
        sealed(&steps, S),
        "* OK hi\r\na NO [X ********] ******** is wrong for alice\r\n* BAD ********\r\nb OK ********\r\n"
    );
    assert_eq!(
        sealed(&steps, C),
        "a LOGIN alice ********\r\nb LOGIN ******** ********\r\n"
    );
}

#[test]
fn scram_challenges_are_masked_and_others_are_not() {
    let steps: [(Peer, &[u8]); 3] = [
        (S, b"* OK hi\r\n"),
        (C, b"a AUTHENTICATE SCRAM-SHA-1\r\n"),
        (S, b"+ cj1hYmM=\r\na NO\r\n"),
    ];
    assert_eq!(sealed(&steps, S), "* OK hi\r\n+ ********\r\na NO\r\n");
    let steps: [(Peer, &[u8]); 3] = [
        (S, b"* OK hi\r\n"),
        (C, b"a AUTHENTICATE CRAM-MD5\r\n"),
        (S, b"+ PDEyMz4=\r\na NO\r\n"),
    ];
    assert_eq!(sealed(&steps, S), "* OK hi\r\n+ PDEyMz4=\r\na NO\r\n");
}

#[test]
fn urlauth_tokens_are_masked() {
    let url = "imap://joe@example.com/INBOX/;uid=20;urlauth=submit+fred:internal:91354a473744909d";
    let command = format!("a URLFETCH \"{url}\"\r\n");
    let response = format!("* GENURLAUTH \"{url}\"\r\n* OK [BADURL \"{url}\"] no\r\n");
    let steps: [(Peer, &[u8]); 3] = [
        (S, b"* PREAUTH hi\r\n"),
        (C, command.as_bytes()),
        (S, response.as_bytes()),
    ];
    assert_eq!(sealed(&steps, C), "a URLFETCH ********\r\n");
    assert_eq!(
        sealed(&steps, S),
        "* PREAUTH hi\r\n* GENURLAUTH ********\r\n* OK [BADURL ********] no\r\n"
    );
}

#[test]
fn shown_secrets_are_the_wire() {
    let steps: [(Peer, &[u8]); 2] = [(S, b"* OK hi\r\n"), (C, b"a LOGIN alice hunter2\r\n")];
    let events = read(&mut Observer::new(Gate::new(Secrets::Shown)), &steps);
    assert_eq!(wires(&events, C), b"a LOGIN alice hunter2\r\n");
}

#[test]
fn a_mechanism_that_cannot_be_read_is_a_secret_one() {
    for command in [
        "a AUTHENTICATE",
        "a AUTHENTICATE (SCRAM-SHA-1)",
        "a AUTHENTICATE \"open",
        "a AUTHENTICATE AGFsaWNlAGh1bnRlcjI=",
    ] {
        let command = format!("{command}\r\n");
        let told = keeps(
            &["AGFsa", "cj14", "hunter2", "AGFSA"],
            &[
                (S, b"* OK hi\r\n"),
                (C, command.as_bytes()),
                (S, b"+ cj14eXosczEyMyxpPTQwOTY=\r\n"),
                (C, b"AGFsaWNlAGh1bnRlcjI=\r\n"),
                (S, b"a NO AGFsaWNlAGh1bnRlcjI= hunter2\r\n"),
            ],
        );
        assert_eq!(told[1], "command a AUTHENTICATE", "{command}");
    }
}

#[test]
fn a_mechanism_in_any_form_of_string_is_read() {
    for mechanism in ["\"scram-sha-1\"", "{11+}\r\nSCRAM-SHA-1"] {
        let command = format!("a AUTHENTICATE {mechanism}\r\n");
        let told = keeps(
            &["cj14"],
            &[
                (S, b"* OK hi\r\n"),
                (C, command.as_bytes()),
                (S, b"+ cj14eXosczEyMyxpPTQwOTY=\r\n+cj14\r\n"),
            ],
        );
        assert_eq!(told[1], "command a AUTHENTICATE mechanism=SCRAM-SHA-1");
    }
}

#[test]
fn an_initial_response_in_a_literal_is_read() {
    let told = keeps(
        &["AGFsa", "hunter2"],
        &[
            (S, b"* OK hi\r\n"),
            (C, b"a AUTHENTICATE PLAIN {20+}\r\nAGFsaWNlAGh1bnRlcjI=\r\n"),
            (S, b"a NO hunter2\r\n"),
        ],
    );
    assert_eq!(
        told[1],
        "command a AUTHENTICATE mechanism=PLAIN identity=alice"
    );
}

#[test]
fn of_two_exchanges_at_once_no_line_is_read() {
    let told = keeps(
        &["0123456789", "hunter2"],
        &[
            (S, b"* OK hi\r\n"),
            (C, b"a AUTHENTICATE CRAM-MD5\r\nb AUTHENTICATE LOGIN\r\n"),
            (S, b"+ PDE+\r\n"),
            (C, b"YWxpY2UgMDEyMzQ1Njc4OQ==\r\n"),
            (S, b"a NO\r\n+ VXNlcg==\r\n"),
            (C, b"aHVudGVyMg==\r\n"),
            (S, b"b NO hunter2\r\n"),
        ],
    );
    assert_eq!(told[4], "continuation");
}
