//! What may never reach a terminal does not, and no row is too wide.

use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use super::talk::Part::{Literal, Text};
use super::talk::Talk;
use super::{Color, named, plain, session};
use crate::event::*;

/// SGR sequences alone.
fn stripped(view: &str) -> String {
    let mut text = String::new();
    let mut rest = view;
    while let Some((before, sequence)) = rest.split_once("\x1b[") {
        text.push_str(before);
        let end = sequence.find('m').expect("an SGR sequence ends with m");
        assert!(
            sequence[..end]
                .bytes()
                .all(|octet| octet.is_ascii_digit() || octet == b';')
        );
        rest = &sequence[end + 1..];
    }
    text + rest
}

fn is_raw_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[track_caller]
fn assert_fit(events: &[Event], width: usize) {
    let view = plain(events, width);
    assert!(view.ends_with('\n'));
    for row in view.lines() {
        assert!(row.width() <= width, "{} columns: {row}", row.width());
        let control = row.chars().find(|&c| is_raw_control(c));
        assert_eq!(control, None, "{row:?}");
    }
    assert_eq!(stripped(&super::view(events, width, Color::Ansi)), view);
}

#[test]
fn the_session_fits_and_colours_change_nothing_else() {
    for width in [40, 41, 50, 60, 80, 100, 200] {
        assert_fit(&session(), width);
    }
}

#[test]
fn no_octet_reaches_the_terminal_raw_wherever_it_comes_from() {
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let text: String = (0..=0x2ff)
        .chain(0x2000..0x2100)
        .filter_map(char::from_u32)
        .collect();
    for octets in [all.as_slice(), text.as_bytes()] {
        assert_fit(&everywhere(octets), 80);
    }
}

/// Events that hold the octets wherever octets may stand.
fn everywhere(octets: &[u8]) -> Vec<Event> {
    let text = || String::from_utf8_lossy(octets).into_owned();
    let mut talk = Talk::new();
    let labels = [
        Label::Tag,
        Label::Name,
        Label::Status,
        Label::CodeName,
        Label::Atom,
        Label::Quoted,
        Label::Text,
        Label::Line,
        Label::Secret(Secret::Password),
        Label::Malformed,
        Label::LiteralHeader,
    ];
    for label in labels {
        let mut said = talk.message(Peer::Client, &[Text(octets)], named(&text(), "X"));
        let range = 0..octets.len();
        said.spans = vec![Span { range, label }];
        said.among = Some(text());
        said.capabilities = Some(Box::new(CapabilityChange {
            added: vec![text()],
            removed: vec![text(), text()],
        }));
        talk.said(said);
    }
    for parts in [[Text(octets)], [Literal(octets)]] {
        for relation in [Relation::Unsolicited, Relation::Ambiguous(vec![1; 9])] {
            let said = talk.response(&parts, relation);
            talk.said(said);
        }
        let said = talk.message(Peer::Server, &parts, Reading::Opaque);
        talk.said(said);
        let reading = Reading::Continuation {
            tag: Some(text()),
            mechanism: Some(text()),
            identity: Some(text()),
            idled: Some(Micros(u64::MAX)),
        };
        let said = talk.message(Peer::Client, &parts, reading);
        talk.said(said);
        let reading = Reading::ContinuationRequest {
            awaited: Some(Awaited::Literal),
            tag: Some(text()),
        };
        let said = talk.message(Peer::Server, &parts, reading);
        talk.said(said);
        let reading = Reading::LiteralPart {
            offset: 0,
            total: u64::MAX,
        };
        let said = talk.message(Peer::Server, &parts, reading);
        talk.said(said);
    }
    let parts = [Text(b"* 1 FETCH (FLAGS ("), Text(octets), Text(b"))\r\n")];
    let said = talk.response(&parts, Relation::Unsolicited);
    talk.said(said);
    bare(&mut talk, &text());
    talk.events
}

fn bare(talk: &mut Talk, text: &str) {
    talk.body(Body::Connected {
        client: text.into(),
        server: text.into(),
    });
    talk.body(Body::Closed {
        reason: Some(text.into()),
    });
    talk.body(Body::Note(Finding {
        id: text.to_owned().into(),
        text: text.into(),
        clause: Some(text.to_owned().into()),
    }));
    talk.body(Body::Gap {
        octets: u64::MAX,
        missed_by: crate::event::MissedBy::Viewer,
    });
    talk.body(Body::Secured(Box::new(Secured {
        leg: Peer::Client,
        version: text.into(),
        cipher: text.into(),
        alpn: Some(text.into()),
        sni: Some(text.into()),
        certificate: serde_json::json!({ "verified": text }),
        group: Some(text.into()),
        client_certificate: Some(serde_json::json!({ "subject": text })),
        keylog: true,
    })));
}

/// Octets as peers send them, at their worst.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..600),
        ".{0,300}".prop_map(String::into_bytes),
        "[a-z 世🎉\u{301}\u{200d}\u{202e}\r\n\t]{0,300}".prop_map(String::into_bytes),
        r#"a[0-9] (OK|NO) \[[A-Z ]{0,30}\] ["() a-z{}0-9]{0,900}"#.prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    #[test]
    fn nothing_is_wider_than_the_terminal_or_raw(octets in octets(), width in 40_usize..140) {
        assert_fit(&everywhere(&octets), width);
    }

    #[test]
    fn spans_that_make_no_sense_do_no_harm(
        octets in octets(),
        cuts in proptest::collection::vec((0_usize..600, 0_usize..600), 0..20),
    ) {
        let mut talk = Talk::new();
        let parts = [Text(&octets), Literal(&octets), Text(b")\r\n")];
        let mut said = talk.response(&parts, Relation::Unsolicited);
        let end = said.wire.bytes().len();
        said.spans = cuts
            .iter()
            .map(|&(start, length)| Span {
                range: start.min(end)..(start + length).min(end),
                label: Label::Atom,
            })
            .collect();
        assert_fit(&talk.said(said).events, 80);
    }
}
