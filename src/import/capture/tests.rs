//! Packets that are lost, doubled and late give what was said, and how much is missing.

use std::net::SocketAddr;

use super::flow::{What, flows};
use super::packets::{Segment, Tcp};
use super::*;

const CLIENT: usize = 0;
const SERVER: usize = 1;

/// A segment of a connection: who, at which place, what.
fn segment(from: usize, place: u32, octets: &str) -> Segment {
    // Just before the numbers begin anew.
    const FIRST: [u32; 2] = [u32::MAX - 3, 1000];
    let ends: [SocketAddr; 2] = ["10.0.0.1:50000", "10.0.0.2:143"].map(|end| end.parse().unwrap());
    Segment {
        at: 1,
        from: ends[from],
        to: ends[1 - from],
        tcp: Some(Tcp {
            sequence: FIRST[from].wrapping_add(place),
            acknowledges: None,
            is_syn: false,
            is_fin: false,
            is_reset: false,
        }),
        octets: octets.as_bytes().to_vec(),
    }
}

fn syn(from: usize) -> Segment {
    let mut segment = segment(from, 0, "");
    let tcp = segment.tcp.as_mut().unwrap();
    tcp.is_syn = true;
    tcp.sequence = tcp.sequence.wrapping_sub(1);
    if from == SERVER {
        tcp.acknowledges = Some(u32::MAX - 3);
    }
    segment
}

fn fin(from: usize, place: u32) -> Segment {
    let mut segment = segment(from, place, "");
    segment.tcp.as_mut().unwrap().is_fin = true;
    segment
}

fn acknowledging(mut segment: Segment, place: u32) -> Segment {
    let first: u32 = if segment.from.port() == 143 {
        u32::MAX - 3
    } else {
        1000
    };
    segment.tcp.as_mut().unwrap().acknowledges = Some(first.wrapping_add(place));
    segment
}

/// What happened on the one connection, in words.
fn assembled(segments: Vec<Segment>) -> Vec<String> {
    let flows = flows(segments);
    assert_eq!(flows.len(), 1);
    let happened = flows[0].assembled();
    let words = happened.iter().map(|happened| {
        let who = ["C", "S"][happened.direction];
        match &happened.what {
            What::Said(octets) => format!("{who} {}", String::from_utf8_lossy(octets)),
            What::Lost(octets) => format!("{who} lost {octets}"),
            What::Ended => format!("{who} ended"),
            What::Closed => "closed".to_owned(),
        }
    });
    words.collect()
}

#[test]
fn a_plain_connection_is_what_was_said() {
    let segments = vec![
        syn(CLIENT),
        syn(SERVER),
        segment(SERVER, 0, "* OK"),
        segment(CLIENT, 0, "a NOOP"),
        segment(SERVER, 4, "a OK"),
        fin(SERVER, 8),
        fin(CLIENT, 6),
    ];
    let expected = [
        "S * OK", "C a NOOP", "S a OK", "S ended", "C ended", "closed",
    ];
    assert_eq!(assembled(segments), expected);
}

#[test]
fn what_came_twice_or_late_is_said_once_and_in_order() {
    let segments = vec![
        syn(CLIENT),
        segment(CLIENT, 4, "efgh"),
        segment(CLIENT, 0, "abcd"),
        segment(CLIENT, 0, "abcd"),
        segment(CLIENT, 2, "cdefghij"),
        segment(CLIENT, 9, "j"),
    ];
    assert_eq!(assembled(segments), ["C abcd", "C efgh", "C ij"]);
}

#[test]
fn what_never_came_is_lost_before_what_answers_it() {
    let segments = vec![
        syn(CLIENT),
        segment(CLIENT, 0, "ab"),
        acknowledging(segment(SERVER, 0, "one"), 6),
        segment(CLIENT, 6, "gh"),
        acknowledging(segment(SERVER, 3, "two"), 8),
    ];
    assert_eq!(
        assembled(segments),
        ["C ab", "C lost 4", "S one", "C gh", "S two"]
    );
}

/// Two queues of a network card: the answer is captured before its question.
#[test]
fn what_comes_late_is_not_lost_although_it_was_acknowledged() {
    let segments = vec![
        syn(CLIENT),
        acknowledging(segment(SERVER, 0, "one"), 2),
        segment(CLIENT, 2, "cd"),
        segment(CLIENT, 0, "ab"),
    ];
    assert_eq!(assembled(segments), ["S one", "C ab", "C cd"]);
}

#[test]
fn what_is_missing_at_the_end_is_lost() {
    let segments = vec![syn(CLIENT), segment(CLIENT, 0, "ab"), fin(CLIENT, 5)];
    assert_eq!(assembled(segments), ["C ab", "C lost 3", "C ended"]);
}

#[test]
fn the_same_ends_may_connect_again() {
    let mut again = syn(CLIENT);
    again.tcp.as_mut().unwrap().sequence = 77;
    let flows = flows(vec![
        syn(CLIENT),
        segment(CLIENT, 0, "a"),
        fin(CLIENT, 1),
        again,
    ]);
    assert_eq!(flows.len(), 2);
}

#[test]
fn imap_and_its_client_are_told_by_what_is_said() {
    for (client, server, is_imap) in [
        ("", "* OK ready\r\n", true),
        (
            "a7 UID FETCH 1 FLAGS\r\n",
            "* 1 FETCH ()\r\na7 OK done\r\n",
            true,
        ),
        ("EHLO x\r\n", "220 mx ESMTP\r\n250 OK\r\n", false),
        ("GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", false),
        ("USER x\r\n", "+OK ready\r\n", false),
    ] {
        for first in [CLIENT, SERVER] {
            let mut segments = vec![segment(CLIENT, 0, client), segment(SERVER, 0, server)];
            if first == SERVER {
                segments.reverse();
            }
            let flow = &flows(segments)[0];
            let expected = match is_imap {
                true => Speech::Imap {
                    client: usize::from(first == SERVER),
                },
                false => Speech::Other,
            };
            assert_eq!(Speech::of(flow, &flow.assembled()), expected, "{client}");
        }
    }
}
