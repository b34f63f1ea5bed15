//! What must not be told (contract, "Masks").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

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
        ("hunter2 \r\n", "********\r\n"),
        (" hunter2  \r\n", "********\r\n"),
        (
            " a  login  alice  hunter2\r\n",
            " a  login  alice  ********\r\n",
        ),
        ("a LOGIN alice \"\"\r\n", "a LOGIN alice ********\r\n"),
        ("a LOGIN alice pü~ss\r\n", "a LOGIN alice ********\r\n"),
        ("a LOGIN alice pa\0ss\r\n", "a LOGIN ********\r\n"),
        ("a LOGIN alice hunter2\r\0\r\n", "a LOGIN ********\r\n"),
        (
            "a LOGIN {5+}\r\nalice {7+}\r\nhunter2\r\n",
            "a LOGIN {5+}\r\nalice ********\r\n",
        ),
        ("a\tLOGIN\talice\thunter2\r\n", "********\r\n"),
        ("a LOGIN\talice\thunter2\r\n", "a ********\r\n"),
        ("GET / HTTP/1.1\r\n", "GET ********\r\n"),
        ("\x16\x03\x01\x02\0\x01\0\r\n", "********\r\n"),
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

#[test]
fn a_password_is_masked_in_every_answer_in_every_form() {
    let b64 = "cGEic3MgXHdvcmRd";
    for login in [
        r#"a LOGIN alice "pa\"ss \\word]""#,
        "a LOGIN alice {12+}\r\npa\"ss \\word]",
    ] {
        let login = format!("{login}\r\n");
        let answers = format!(
            "a NO [X pa\"ss \\word] y] pa\"ss \\word] {b64}\r\n\
             * BAD [X \"pa\\\"ss \\\\word]\"] no\r\n\
             * wrong password pa\"ss \\word]\r\npa\"ss \\word] is wrong\r\n+ pa\"ss \\word]\r\n"
        );
        keeps(
            &["ss ", "word]", b64],
            &[
                (S, b"* OK hi\r\n"),
                (C, login.as_bytes()),
                (S, answers.as_bytes()),
            ],
        );
    }
}

#[test]
fn words_of_what_was_no_command_are_masked_in_the_answer() {
    for line in [
        "a\tLOGIN\talice\thunter2 okay",
        "a LOGIN alice \"hunter2 okay",
        "LOGIN alice hunter2 okay",
        "a LOGON alice hunter2 okay",
    ] {
        let line = format!("{line}\r\n");
        keeps(
            &["hunter2 okay", "okay"],
            &[
                (S, b"* OK hi\r\n"),
                (C, line.as_bytes()),
                (
                    S,
                    b"okay BAD \"hunter2 okay\r\n* BAD okay [hunter2 okay\r\n",
                ),
            ],
        );
    }
}

#[test]
fn command_names_are_no_words_of_a_password() {
    let steps: [(Peer, &[u8]); 3] = [
        (S, b"* OK hi\r\n"),
        (C, b"a\tLOGIN\tx\ty\r\n"),
        (S, b"* OK [CAPABILITY AUTH=LOGIN] LOGIN first\r\n"),
    ];
    assert_eq!(
        sealed(&steps, S),
        "* OK hi\r\n* OK [CAPABILITY AUTH=LOGIN] LOGIN first\r\n"
    );
}

#[test]
fn a_tag_that_holds_a_secret_is_masked_as_a_whole() {
    assert_eq!(
        keeps(
            &["abcd"],
            &[
                (S, b"* OK hi\r\n"),
                (C, b"abcd1 LOGIN alice abcd\r\n"),
                (S, b"abcd1 OK in\r\n"),
                (C, b"abcd2 NOOP\r\n"),
                (S, b"abcd2 OK\r\n"),
            ],
        ),
        [
            "greeting OK",
            "command ******** LOGIN identity=alice",
            "tagged ******** OK answers=2",
            "command ******** NOOP",
            "tagged ******** OK answers=4",
        ]
    );
}

#[test]
fn what_follows_a_refused_literal_may_be_its_octets() {
    for command in [
        "a LOGIN alice {13}",
        "a LOGIN {13}",
        "a AUTHENTICATE PLAIN {13}",
    ] {
        let command = format!("{command}\r\n");
        for octets in ["correct horse\r\n", "horse\tcorrect\r\n"] {
            let told = keeps(
                &["correct", "horse", "13"],
                &[
                    (S, b"* OK hi\r\n"),
                    (C, command.as_bytes()),
                    (S, b"a NO no\r\n"),
                    (C, octets.as_bytes()),
                    (S, b"correct BAD horse\r\n"),
                ],
            );
            assert_eq!(told[2], "tagged a NO answers=2");
        }
    }
    let pipelined = b"a LOGIN alice {13}\r\ncorrect horse\r\nb NOOP\r\n";
    let told = keeps(
        &["correct", "horse"],
        &[
            (S, b"* OK hi\r\n"),
            (C, pipelined),
            (S, b"a BAD\r\ncorrect BAD\r\nb OK\r\n"),
        ],
    );
    assert!(told.contains(&"command b NOOP".to_owned()), "{told:?}");
}

#[test]
fn the_header_of_a_refused_literal_is_no_password() {
    let steps: [(Peer, &[u8]); 4] = [
        (S, b"* OK hi\r\n"),
        (C, b"a LOGIN alice {1234}\r\n"),
        (S, b"a NO [X {1234}] {1234}\r\n"),
        (C, b"b ID (\"{1234}\" NIL)\r\n"),
    ];
    assert!(sealed(&steps, S).ends_with("a NO [X {1234}] {1234}\r\n"));
    assert!(sealed(&steps, C).ends_with("b ID (\"{1234}\" NIL)\r\n"));
}

#[test]
fn octets_asked_for_in_vain_are_secret() {
    // No literal: the space before its header is missing.
    keeps(
        &["correct", "horse"],
        &[
            (S, b"* OK hi\r\n"),
            (C, b"a LOGIN alice{13}\r\n"),
            (S, b"+ go\r\n"),
            (C, b"correct horse\r\n"),
        ],
    );
}

#[test]
fn a_login_that_idle_or_a_login_before_it_hides_is_masked() {
    for line in [
        "LOGIN alice hunter2\r\n",
        "hunter2\r\n",
        "a LOGON alice hunter2\r\n",
    ] {
        keeps(
            &["hunter2"],
            &[
                (S, b"* OK hi\r\n"),
                (C, b"a IDLE\r\n"),
                (C, line.as_bytes()),
                (S, b"a BAD hunter2\r\n"),
            ],
        );
        keeps(
            &["hunter2"],
            &[
                (S, b"* PREAUTH hi\r\n"),
                (C, b"a UNAUTHENTICATE\r\n"),
                (C, line.as_bytes()),
            ],
        );
    }
    for line in [
        "LOGIN alice hunter2\r\n",
        "authenticate plain hunter2\r\n",
        "a login alice hunter2\r\n",
        "a LOGIN alice hunter2 x\r\n",
        "a LOGIN alice {7+}\r\nhunter2\r\n",
        "a AUTHENTICATE PLAIN hunter2\r\n",
    ] {
        keeps(
            &["hunter2"],
            &[
                (S, b"* PREAUTH hi\r\n"),
                (C, line.as_bytes()),
                (S, b"a BAD hunter2\r\n"),
            ],
        );
    }
}

#[test]
fn a_urlauth_token_is_masked_when_it_comes_again() {
    let url = "imap://joe@example.com/INBOX/;uid=20;urlauth=submit+fred:internal:91354a473744909d";
    let command = format!("a URLFETCH \"{url}\"\r\n");
    keeps(
        &["91354a473744909d"],
        &[
            (S, b"* PREAUTH hi\r\n"),
            (C, command.as_bytes()),
            (S, b"a NO bad token 91354a473744909d\r\n"),
        ],
    );
}

#[test]
fn a_tag_that_is_a_secret_is_masked_before_its_command_is_whole() {
    let told = keeps(
        &["hunter2"],
        &[
            (S, b"* OK hi\r\n"),
            (C, b"a LOGIN alice hunter2\r\n"),
            (S, b"a NO\r\n"),
            (C, b"hunter2 LOGIN alice {7}\r\n"),
            (S, b"+ hm\r\n"),
            (C, b"hunter2\r\n"),
            (S, b"hunter2 NO\r\n"),
            (C, b"hunter2 LOGIN alice {7}\r\n"),
            (S, b"hunter2 NO\r\n"),
        ],
    );
    assert_eq!(told[3], "+ for=literal tag=********");
    assert_eq!(told[6], "command ******** LOGIN identity=alice refused");
}

#[test]
fn octets_that_may_be_a_literal_or_a_login_are_secret() {
    for answer in ["", "+ go\r\n", "c NO\r\n", "c OK\r\n"] {
        keeps(
            &["hunter2"],
            &[
                (S, b"* OK hi\r\n"),
                (C, b"c APPEND x {3}\r\na LOGIN alice hunter2\r\n"),
                (S, answer.as_bytes()),
            ],
        );
    }
}

#[test]
fn plain_without_a_password_tells_no_identity() {
    for fields in ["alice\0hunter2\0", "\0hunter2\0"] {
        let word = STANDARD.encode(fields);
        let initial = format!("a AUTHENTICATE PLAIN {word}\r\n");
        let turn = format!("{word}\r\n");
        for said in [
            &[(C, initial.as_bytes())][..],
            &[
                (C, b"a AUTHENTICATE PLAIN\r\n"),
                (S, b"+ \r\n"),
                (C, turn.as_bytes()),
            ],
        ] {
            let mut steps: Vec<(Peer, &[u8])> = vec![(S, b"* OK hi\r\n")];
            steps.extend_from_slice(said);
            steps.push((S, b"a NO hunter2\r\n"));
            keeps(&["hunter2"], &steps);
        }
    }
}

#[test]
fn a_password_with_needless_backslashes_is_masked_as_it_stood() {
    for (quoted, echoes) in [
        ("Sommer\\2024!", &["Sommer\\2024!", "Sommer2024!"][..]),
        ("h\\u\\nter2xyz", &["h\\u\\nter2xyz", "hunter2xyz"]),
        (
            "Zq7\\\"kV\\hunter",
            &["Zq7\\\"kV\\hunter", "Zq7\"kV\\hunter", "Zq7\"kVhunter"],
        ),
    ] {
        let login = format!("a LOGIN alice \"{quoted}\"\r\n");
        for echo in echoes {
            let answer = format!("a BAD Invalid quoted string: \"{echo}\" {echo}\r\n");
            keeps(
                &["2024", "hunter", "nter2", "kV"],
                &[
                    (S, b"* OK hi\r\n"),
                    (C, login.as_bytes()),
                    (S, answer.as_bytes()),
                ],
            );
        }
    }
}

#[test]
fn what_a_response_says_is_masked_whatever_the_mechanism() {
    let response = STANDARD.encode("\0alice\0hunter2");
    let (name, password) = (STANDARD.encode("alice"), STANDARD.encode("hunter2"));
    for arguments in [
        format!("x-googletoken {response}"),
        format!("X-TOKEN {response}"),
        format!("x-token \"{password}\""),
        response.clone(),
        format!("LOGIN {name} {password}"),
        format!("{name} {password}"),
        format!("(PLAIN) {response}"),
        format!("PLAIN \"{response}"),
    ] {
        for greeting in ["OK", "PREAUTH"] {
            let greeting = format!("* {greeting} hi\r\n");
            let line = format!("a AUTHENTICATE {arguments}\r\n");
            keeps(
                &["hunter2"],
                &[
                    (S, greeting.as_bytes()),
                    (C, line.as_bytes()),
                    (S, b"a NO bad hunter2\r\n"),
                ],
            );
        }
    }
    // Too late, or without its tag.
    for line in [
        format!("{response}\r\n"),
        format!("authenticate plain {response}\r\n"),
    ] {
        keeps(
            &["hunter2"],
            &[
                (S, b"* OK hi\r\n"),
                (C, line.as_bytes()),
                (S, b"* BAD hunter2\r\n"),
            ],
        );
    }
}

#[test]
fn what_was_ready_for_a_login_that_is_refused_is_secret_in_every_state() {
    let greeted: &[(Peer, &[u8])] = &[(S, b"* PREAUTH hi\r\n")];
    let logging_in: &[(Peer, &[u8])] = &[(S, b"* OK hi\r\n"), (C, b"y LOGIN alice other-word\r\n")];
    for (begun, answered) in [(greeted, ""), (logging_in, "y OK in\r\n")] {
        for (said, answer, late) in [
            (
                "d LOGIN alice {17}\r\nZq7kV-hunter2-Xw9\r\n",
                "d BAD already\r\n",
                "",
            ),
            (
                "d LOGIN alice {17}\r\n",
                "d BAD already\r\n",
                "Zq7kV-hunter2-Xw9\r\n",
            ),
            (
                "d LOGIN {5}\r\n",
                "d BAD already\r\n",
                "alice {17+}\r\nZq7kV-hunter2-Xw9\r\n",
            ),
            (
                "d LOGIN alice {13}\r\n",
                "d BAD already\r\n",
                "Zq7kV hunter2\r\n",
            ),
            (
                "\"d\" LOGIN alice {17}\r\n",
                "* BAD tag\r\n",
                "Zq7kV-hunter2-Xw9\r\n",
            ),
            (
                "d AUTHENTICATE PLAIN\r\n",
                "d BAD already\r\n",
                "AGFsaWNlAGh1bnRlcjI=\r\n",
            ),
            (
                "d AUTHENTICATE PLAIN\r\n",
                "d OK already\r\n",
                "AGFsaWNlAGh1bnRlcjI=\r\n",
            ),
        ] {
            let answer = format!("{answered}{answer}");
            let words = said.lines().skip(1).chain(late.lines()).last();
            let echo = format!("{0} BAD {0}\r\n* BAD {0}\r\n", words.unwrap_or_default());
            let mut steps = begun.to_vec();
            steps.extend_from_slice(&[
                (C, said.as_bytes()),
                (S, answer.as_bytes()),
                (C, late.as_bytes()),
                (S, echo.as_bytes()),
                (C, b"e APPEND x {3+}\r\nabc\r\n"),
                (S, b"e OK\r\n"),
            ]);
            let told = keeps(&["hunter2", "Zq7kV", "AGFs"], &steps);
            assert!(told.contains(&"command e APPEND".to_owned()), "{told:?}");
        }
    }
}

#[test]
fn behind_a_refused_login_commands_are_readable() {
    let steps: [(Peer, &[u8]); 4] = [
        (S, b"* PREAUTH hi\r\n"),
        (C, b"d LOGIN alice {17}\r\n"),
        (S, b"d BAD already\r\n"),
        (C, b"e SELECT INBOX\r\nf XFOO bar\r\n"),
    ];
    assert!(sealed(&steps, C).ends_with("\r\ne SELECT INBOX\r\nf XFOO bar\r\n"));
}

#[test]
fn a_login_that_is_no_command_is_secret_in_every_state() {
    for line in [
        "1+ LOGIN alice hunter2\r\n",
        "\"x\" login alice hunter2\r\n",
        "d LOGIN\talice\thunter2\r\n",
        "d\tLOGIN\talice\thunter2\r\n",
        "LOGIN\talice\thunter2\r\n",
        "% AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=\r\n",
    ] {
        keeps(
            &["hunter2", "AGFs"],
            &[
                (S, b"* PREAUTH hi\r\n"),
                (C, line.as_bytes()),
                (S, b"* BAD hunter2\r\n"),
            ],
        );
    }
    let long = format!(
        "1+ LOGIN alice \"{}",
        "hunter2 ".repeat(limits::MESSAGE_HELD / 4)
    );
    let mut steps: Vec<(Peer, &[u8])> = vec![(S, b"* PREAUTH hi\r\n")];
    steps.extend(long.as_bytes().chunks(limits::READ).map(|chunk| (C, chunk)));
    steps.push((C, b"\r\n"));
    assert_eq!(sealed(&steps, C), "********\r\n");
}

#[test]
fn a_urlauth_token_in_a_sentence_is_masked() {
    let url = "imap://joe@example.com/INBOX/;uid=20;URLAUTH=submit+fred:internal:";
    let token = "91354a473744909d";
    let response = format!("* OK <{url}{token}> {url}{token}\r\n* OK again {token}\r\n");
    let steps: [(Peer, &[u8]); 2] = [(S, b"* PREAUTH hi\r\n"), (S, response.as_bytes())];
    assert_eq!(
        sealed(&steps, S),
        format!("* PREAUTH hi\r\n* OK <{url}********> {url}********\r\n* OK again ********\r\n")
    );
}

#[test]
fn a_login_behind_a_literal_that_was_not_awaited_is_read() {
    let steps: [(Peer, &[u8]); 6] = [
        (S, b"* OK hi\r\n"),
        (C, b"a ID (\"name\" {4}\r\nMail)\r\n"),
        (S, b"a OK\r\n"),
        (C, b"b LOGIN alice hunter2\r\n"),
        (S, b"b OK hunter2\r\n"),
        (C, b"c SELECT INBOX\r\n"),
    ];
    let told = keeps(&["hunter2"], &steps);
    assert!(
        told.contains(&"command b LOGIN identity=alice".to_owned()),
        "{told:?}"
    );
    assert!(sealed(&steps, S).ends_with("b OK ********\r\n"));
}
