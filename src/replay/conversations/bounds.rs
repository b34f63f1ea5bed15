//! What one read of an app may lead to at once, before anything of it goes out.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;
use crate::limits;

/// Octets that are said.
fn octets(effects: &[Effect]) -> usize {
    let each = effects.iter().map(|effect| match effect {
        Effect::Say(octets) => octets.len(),
        _ => 0,
    });
    each.sum()
}

#[test]
fn many_commands_for_a_large_mail_are_answered_one_after_the_other() {
    let mail = "x".repeat(1 << 20);
    let mut recording = Recording::of(&logged_in(&format!(
        "C: b SELECT INBOX\nS: b OK\nC: c FETCH 1 BODY.PEEK[]\nS: * 1 FETCH (BODY[] {{{}}}\nS: {mail})\nS: c OK\n",
        mail.len()
    )));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x\n2 SELECT INBOX");
    let mut drafts = Vec::new();
    let asked = "f FETCH 1 BODY.PEEK[]\r\n".repeat(20);
    let mut effects = app.player.hear(asked.as_bytes(), Micros(0), &mut drafts);
    let mut said = 0;
    while !effects.is_empty() {
        let at_once = octets(&effects);
        assert!(at_once < limits::ANSWERED + mail.len() + 100, "{at_once}");
        assert!(drafts.len() < 100, "{}", drafts.len());
        said += at_once;
        drafts.clear();
        effects = match app.player.has_more() {
            true => app.player.proceed(Micros(0), &mut drafts),
            false => Vec::new(),
        };
    }
    assert!(said > 20 * mail.len());
    assert!(app.player.is_at_rest());
    recording.all_matched(22);
}

#[test]
fn a_few_compressed_octets_are_not_a_million_events_at_once() {
    let mut recording = Recording::of(&logged_in("C: b COMPRESS DEFLATE\nS: b OK go\n"));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x\n2 COMPRESS DEFLATE");
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
    deflate.write_all(&b"x NOOP\r\n".repeat(20_000)).unwrap();
    deflate.flush().unwrap();
    let mut drafts = Vec::new();
    let mut effects = (app.player).hear(deflate.get_ref(), Micros(0), &mut drafts);
    let (mut most, mut events) = (0, 0);
    loop {
        assert!(octets(&effects) <= limits::ANSWERED);
        most = most.max(drafts.len());
        events += drafts.len();
        drafts.clear();
        if !app.player.has_more() {
            break;
        }
        effects = app.player.proceed(Micros(0), &mut drafts);
    }
    assert!(most < 4 * limits::INFLATED_EVENTS, "{most}");
    assert!(events >= 40_000, "{events}");
    assert!(app.player.is_at_rest());
}

/// With more of them than are answered at once.
#[test]
fn thousands_of_commands_in_one_read_are_answered_in_their_order() {
    let mut recording = Recording::of(&logged_in(""));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x");
    let many: Vec<String> = (0..3000).map(|n| format!("n{n} NOOP")).collect();
    let heard = app.say(&many.join("\n"));
    let answers: Vec<String> = (0..3000).map(|n| format!("n{n} OK done")).collect();
    assert_eq!(heard, answers.join("\n"));
}
