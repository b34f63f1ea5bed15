//! Long, deep and senseless messages.

use proptest::prelude::*;

use super::super::super::lexer;
use super::{Peer, data, one, read};
use crate::event::{Gate, Message, Reading, Said, Secrets};
use crate::growth::assert_linear;

/// A response of this text, as long as it likes.
fn response(text: &str) -> Said {
    let message = Message::text(text.as_bytes());
    let spans = lexer::response(&message);
    let known = super::super::super::response::Response::new(&message, &spans).data_reader();
    let gate = Gate::new(Secrets::Masked);
    let reading = Reading::Untagged {
        name: "X".into(),
        number: None,
        status: None,
        data: known,
    };
    Said {
        spans,
        ..Said::new(Peer::Server, gate.seal(message, &[]), reading)
    }
}

fn command(text: &str) -> Said {
    let mut said = one(Peer::Client, text.as_bytes());
    said.from = Peer::Client;
    said
}

#[test]
fn deep_nesting_takes_linear_time_and_no_stack() {
    for name in [
        "1 FETCH (BODYSTRUCTURE",
        "1 FETCH (ENVELOPE",
        "THREAD",
        "LIST",
        "ESEARCH",
        "NAMESPACE",
        "XFOO",
    ] {
        let deep = |size: usize| {
            let (open, close) = ("(".repeat(size), ")".repeat(size));
            response(&format!("* {name} {open}{close}\r\n"))
        };
        assert_linear(5_000, deep, |said| {
            data(said);
        });
    }
}

#[test]
fn long_responses_take_linear_time() {
    let of = |head: &'static str, piece: &'static str, end: &'static str| {
        move |size: usize| response(&format!("* {head}{}{end}\r\n", piece.repeat(size)))
    };
    for (head, piece, end) in [
        ("SEARCH", " 4711", ""),
        ("1 FETCH (X (", "a ", "))"),
        ("1 FETCH (", "A 1 ", ")"),
        (
            "1 FETCH (BODYSTRUCTURE (",
            "(\"A\" \"B\" NIL NIL NIL NIL 1)",
            " \"MIXED\"))",
        ),
        ("1 FETCH (BODYSTRUCTURE (", "(\"A\")", "))"),
        (
            "1 FETCH (ENVELOPE (NIL NIL (",
            "(NIL NIL \"a\" NIL)",
            ") NIL NIL NIL NIL NIL NIL NIL))",
        ),
        ("ID (", "\"a\" \"b\" ", ")"),
        ("THREAD ", "(1 2)", ""),
        ("ESEARCH (TAG \"a\")", " ADDTO (1 2)", ""),
        ("ESEARCH (", "TAG \"a\" ", ")"),
        ("LIST () \"/\" \"", "&AOk-&-", "\""),
    ] {
        assert_linear(2_000, of(head, piece, end), |said| {
            data(said);
        });
    }
}

#[test]
fn long_commands_take_linear_time() {
    for (head, piece, end) in [
        ("SEARCH", " NOT", " ALL"),
        ("SEARCH", " OR SEEN", " ALL"),
        ("SEARCH ", "(", ""),
        ("SEARCH", " SEEN", ""),
        ("FETCH 1 (", "BODY[1] ", ")"),
        ("SELECT x (", "a ", ")"),
        ("SORT (", "REVERSE ", ") x ALL"),
    ] {
        let of = |size: usize| command(&format!("a {head}{}{end}\r\n", piece.repeat(size)));
        assert_linear(2_000, of, |said| {
            data(said);
        });
    }
}

/// From the octets to the data.
fn assert_read_linearly(size: usize, octets: impl Fn(usize) -> Vec<u8>) {
    assert_linear(size, octets, |octets| {
        let steps: [(Peer, &[u8]); 2] = [
            (Peer::Client, b"a SELECT INBOX\r\n"),
            (Peer::Server, &octets[..]),
        ];
        for said in super::said(&steps) {
            data(&said);
        }
    });
}

#[test]
fn a_mailbox_of_very_many_messages_takes_linear_time() {
    assert_read_linearly(1_000, |size| {
        let mut octets = format!("* {size} EXISTS\r\n* FLAGS (\\Seen)\r\n").into_bytes();
        for number in 1..=size {
            let fetch = format!("* {number} FETCH (UID {number} FLAGS (\\Seen) MODSEQ (7))\r\n");
            octets.extend(fetch.as_bytes());
        }
        octets.extend(b"a OK done\r\n");
        octets
    });
}

#[test]
fn a_line_of_a_mebibyte_takes_linear_time() {
    for piece in [
        " 4711",
        "(",
        ")",
        "\"",
        "\\",
        "{",
        "a",
        "BODY[",
        "&AOk-",
        "=?utf-8?Q?a",
    ] {
        assert_read_linearly(16_000, |size| {
            let line = format!("* XFOO {}\r\na OK\r\n", piece.repeat(size / piece.len()));
            line.into_bytes()
        });
        // Eight times sixteen thousand are not quite it.
        let line = format!("* XFOO {}\r\n", piece.repeat(1_000_000 / piece.len()));
        for said in super::said(&[(Peer::Server, line.as_bytes())]) {
            data(&said);
        }
    }
}

#[test]
fn keys_nested_too_deep_are_values() {
    let nested = |depth: usize| {
        read(
            Peer::Client,
            &format!("a SEARCH {}ALL", "NOT ".repeat(depth)),
        )
    };
    assert!(nested(40).starts_with(r#"{"keys":[{"key":"NOT","#));
    assert!(nested(100).starts_with(r#"{"values":["NOT","#));
}

/// What random messages found.
#[test]
fn items_that_break_off_or_are_none_fit_the_schema() {
    for (from, line) in [
        (Peer::Server, "* 1 FETCH (BODY[TEXT]\r\n"),
        (Peer::Server, "* 1 FETCH ([ [\r\n"),
        (Peer::Server, "* 1 FETCH (BODY[]\"x\")\r\n"),
        (
            Peer::Server,
            "* 1 FETCH (BINARY[1]\"x\" BINARY.SIZE[1] 5)\r\n",
        ),
        (
            Peer::Server,
            "* 1 FETCH (BODYSTRUCTURE (NIL NIL NIL NIL NIL NIL NIL))\r\n",
        ),
        (
            Peer::Client,
            "a SELECT a (QRESYNC (5 6 1:5 (1 ((NIL NIL)))))\r\n",
        ),
    ] {
        for said in super::said(&[(from, line.as_bytes())]) {
            super::schema::assert_valid(&said);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever is said is read without harm, and is JSON.
    #[test]
    fn anything_is_read(
        name in "(1 FETCH|LIST|STATUS|ESEARCH|SORT|THREAD|NAMESPACE|QUOTA|ACL|METADATA|ID|VANISHED|URLFETCH|CONVERTED|COMPARATOR|OK|ENABLED)",
        words in prop::collection::vec(
            "(\\(|\\)|\\[|\\]|\"a b\"|NIL|TAG|UID|BODY\\[TEXT\\]|BODY\\[\\]\"x\"|BODYSTRUCTURE|ENVELOPE|FLAGS|MODSEQ|COPYUID|17|INBOX|&AOk-|\"=\\?utf-8\\?Q\\?=C3=A9\\?=\"|\\PC)", 0..24),
    ) {
        let line = format!("* {name} {}\r\n", words.join(" "));
        for said in super::said(&[(Peer::Server, line.as_bytes())]) {
            super::schema::assert_valid(&said);
        }
    }

    #[test]
    fn any_command_is_read(
        name in "(FETCH|UID FETCH|SEARCH|SORT|THREAD|STORE|LIST|SELECT|APPEND|ID|NOTIFY|GETMETADATA|ESEARCH)",
        words in prop::collection::vec(
            "(\\(|\\)|\"a b\"|NIL|RETURN|OR|NOT|UID|HEADER|1:\\*|BODY.PEEK\\[TEXT\\]<0.9>|\\+FLAGS|CHANGEDSINCE|QRESYNC|1:5|17|INBOX|\\PC)", 0..24),
    ) {
        let line = format!("a {name} {}\r\n", words.join(" "));
        for said in super::said(&[(Peer::Client, line.as_bytes())]) {
            super::schema::assert_valid(&said);
        }
    }
}
