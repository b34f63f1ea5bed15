//! A secret that comes again, in another form or cut in two (contract, "Masks").

use super::{keeps, sealed};
use crate::event::Peer;
use crate::limits;

use Peer::{Client as C, Server as S};

/// After a login with `hunter2`.
fn told<'a>(steps: &[(Peer, &'a [u8])]) -> Vec<(Peer, &'a [u8])> {
    let mut all: Vec<(Peer, &[u8])> = vec![
        (S, b"* OK hi\r\n"),
        (C, b"a LOGIN alice hunter2\r\n"),
        (S, b"a OK in\r\n"),
    ];
    all.extend_from_slice(steps);
    all
}

#[test]
fn a_password_in_any_sasl_response_is_masked_in_a_stray_line() {
    for (response, of) in [
        ("AGFsaWNlAGh1bnRlcjI=", "PLAIN"),
        ("Ym9iAGFsaWNlAGh1bnRlcjI=", "PLAIN, bob as alice"),
        ("Ym9iYgBhbGljZQBodW50ZXIy", "PLAIN, bobb as alice"),
        ("aHVudGVyMg==", "LOGIN"),
        (
            "dXNlcj1hbGljZQFhdXRoPUJlYXJlciBodW50ZXIyAQE=",
            "XOAUTH2, user=alice",
        ),
        (
            "bixhPWFsaWNlLAFhdXRoPUJlYXJlciBodW50ZXIyAQE=",
            "OAUTHBEARER, n,a=alice,",
        ),
    ] {
        for line in [
            format!("{response}\r\n"),
            format!("b {response}\r\n"),
            format!("b NOOP {response}\r\n"),
            format!("b APPEND x {{{}+}}\r\n{response}\r\n", response.len()),
            format!("b AUTHENTICATE {response}\r\n"),
        ] {
            let answer = format!("b BAD what is {response}?\r\n");
            let steps = [(C, line.as_bytes()), (S, answer.as_bytes())];
            let shown = sealed(&told(&steps), C);
            assert!(shown.contains("********\r\n"), "{of}: {shown}");
            keeps(&[response, &response[..response.len() - 3]], &told(&steps));
        }
    }
}

#[test]
fn what_is_no_secret_stays_readable() {
    let lines =
        b"b SELECT INBOX\r\nc LIST \"\" Hunters\r\nd APPEND Sent (\\Seen) {5+}\r\nhello\r\n\
        e FETCH 1:* (FLAGS BODY.PEEK[HEADER])\r\nf SEARCH FROM alice@example.com\r\n";
    let shown = sealed(&told(&[(C, lines)]), C);
    assert!(
        shown.ends_with(std::str::from_utf8(lines).unwrap()),
        "{shown}"
    );
}

#[test]
fn a_password_cut_by_two_reads_of_opaque_octets_is_masked() {
    let begun: [(Peer, &[u8]); 3] = [
        (S, b"* OK hi\r\n"),
        (C, b"a LOGIN alice hunter2\r\nb STARTTLS\r\n"),
        (S, b"a NO\r\nb OK\r\n"),
    ];
    let text = b"\x01\x02 hunter2 AGFsaWNlAGh1bnRlcjI= \x03";
    for cut in 1..text.len() {
        let (head, tail) = text.split_at(cut);
        let steps = [&begun[..], &[(S, head), (S, tail)]].concat();
        let shown = sealed(&steps, S);
        assert!(
            shown.ends_with("b OK\r\n\x01\x02 ******** ******** \x03"),
            "cut at {cut}: {shown:?}"
        );
    }
}

#[test]
fn a_password_cut_where_a_message_is_too_long_is_masked() {
    for from in [C, S] {
        for into in [0, 3, 7] {
            let head = match from {
                C => "b XLONG ",
                S => "* XLONG ",
            };
            let mut line = head.as_bytes().to_vec();
            line.resize(limits::MESSAGE_HELD - into, b'x');
            line.push(b' ');
            line.extend_from_slice(b"hunter2 and more\r\nc NOOP\r\n");
            let mut steps = told(&[]);
            let (held, more) = line.split_at(limits::MESSAGE_HELD);
            steps.extend([(from, held), (from, more)]);
            let shown = sealed(&steps, from);
            assert!(
                shown.ends_with("x ******** and more\r\nc NOOP\r\n"),
                "{from:?} {into}"
            );
        }
    }
}

#[test]
fn data_that_has_not_the_form_of_data_is_text() {
    for line in [
        "* 1 FETCH (FLAGS* BYE hunter2\r\n",
        "* LIST () \"hunter2\r\n",
        "* SEARCH 1) hunter2\r\n",
        "* 1 FETCH (FLAGS+ go {3}\r\nhunter2 BAD\r\n",
    ] {
        keeps(&["hunter2"], &told(&[(S, line.as_bytes())]));
    }
    let data = "* LIST () \"/\" hunter2\r\n* 1 FETCH (BODY[] {7}\r\nhunter2)\r\n";
    assert!(sealed(&told(&[(S, data.as_bytes())]), S).ends_with(data));
}

#[test]
fn a_status_hides_no_secret_behind_it() {
    // `BAD hunter2` is remembered too, as what may be a password with a space.
    let steps: [(Peer, &[u8]); 3] = [
        (S, b"* OK hi\r\n"),
        (C, b"a XLOGIN alice BAD hunter2\r\n"),
        (S, b"a BAD hunter2\r\n* BAD hunter2\r\n"),
    ];
    keeps(&["hunter2"], &steps);
    assert!(sealed(&steps, S).contains("* BAD********\r\n"));
}
