//! Everything that looks at events, on whatever a conversation is: nothing panics, rows fit, nothing raw
//! reaches a terminal or a page, what is exported comes back.

use std::path::Path;
use std::time::Duration;

use mailscope::event::{Body, Event, Secrets};
use mailscope::import::Log;
use mailscope::import::transcribe;
use mailscope::lint::Linter;
use mailscope::lint::print::{Text as Findings, write_finding};
use mailscope::sink::page::Page;
use mailscope::sink::pcapng::Capture;
use mailscope::sink::printable::columns;
use mailscope::sink::terminal::{Color, Style, Terminal};
use mailscope::stats::{Stats, Wanted};
use mailscope::transcript::{Header, Reader, TextWriter, is_hidden, is_text, read_text};

use super::shown;
use super::sound::{document, wires};
use super::talk::{Reads, Talk};

/// The first octet is the terminal's width.
pub fn sinks(data: &[u8]) {
    let Some((width, data)) = data.split_first() else {
        return;
    };
    let mut talk = Talk::of(data);
    let greeting = Talk::step(mailscope::event::Peer::Server, b"* OK hi\r\n");
    talk.steps.insert(0, greeting);
    let events = talk.events(Secrets::Masked, Reads::Whole);
    terminal(&events, usize::from(*width));
    page(&events);
    lint_and_stats(&events);
    text(&events);
    if !talk.begins_as_tls() {
        capture(&talk.events(Secrets::Shown, Reads::Whole));
    }
}

fn terminal(events: &[Event], width: usize) {
    for color in [Color::Never, Color::Ansi] {
        let mut terminal = Terminal::new(Style { width, color }).explaining();
        for event in events {
            let mut rows = Vec::new();
            terminal
                .write_event(&mut rows, event)
                .expect("memory takes everything");
            let rows = String::from_utf8(rows).expect("rows are UTF-8");
            assert!(rows.is_empty() || rows.ends_with('\n'), "{rows:?}");
            if color == Color::Ansi {
                continue;
            }
            for row in rows.lines() {
                assert!(!row.contains(is_raw), "{row:?}");
                assert!(
                    width < 40 || columns(row) <= width,
                    "wider than {width}: {row:?}"
                );
            }
        }
    }
}

/// Whether it is to be shown escaped.
fn is_raw(character: char) -> bool {
    character != '\n' && (character.is_control() || is_hidden(character))
}

fn page(events: &[Event]) {
    let header = Header::new(time::OffsetDateTime::UNIX_EPOCH, "x:993");
    let mut empty = Vec::new();
    let page = Page::new(&mut empty, &header).and_then(Page::finish);
    page.expect("memory takes everything");
    let mut octets = Vec::new();
    let mut page = Page::new(&mut octets, &header).expect("memory takes everything");
    for event in events {
        page.write(event).expect("memory takes everything");
    }
    page.finish().expect("memory takes everything");
    let text = String::from_utf8(octets).expect("a page is UTF-8");
    // Nothing of a session begins a tag.
    let tags = |text: &str| text.matches('<').count();
    assert_eq!(
        tags(&text),
        tags(&String::from_utf8(empty).expect("a page is UTF-8"))
    );
}

fn lint_and_stats(events: &[Event]) {
    let mut linter = Linter::default();
    let color = Color::Never;
    let mut findings = Findings::new(Style { width: 80, color });
    let mut stats = Stats::default();
    for event in events {
        for finding in linter.read(event) {
            let (mut line, mut rows) = (Vec::new(), Vec::new());
            write_finding(&mut line, &finding);
            let line: Result<serde_json::Value, _> = serde_json::from_slice(&line);
            line.expect("a finding is JSON");
            findings.write(&mut rows, &finding);
            assert!(String::from_utf8(rows).is_ok_and(|rows| !rows.contains(is_raw)));
        }
        stats.take(event, Wanted::Yes);
    }
    let summary = stats.finish();
    let mut json = Vec::new();
    summary.write_json(&mut json, None);
    let json: Result<serde_json::Value, _> = serde_json::from_slice(&json);
    json.expect("statistics are JSON");
    let mut page = mailscope::stats::Page::plain(80);
    mailscope::stats::write_text(&mut page, &summary, &[]);
    assert!(!page.text.contains(is_raw), "{:?}", page.text);
}

/// The short form of a transcript can be read.
fn text(events: &[Event]) {
    let text = as_text(events);
    assert!(text.is_empty() || is_text(&text), "{}", shown(&text));
    if let Err((line, why)) = read_text(&text) {
        panic!("line {line}, {why}: {}", shown(&text));
    }
}

fn as_text(events: &[Event]) -> Vec<u8> {
    let document = std::io::Cursor::new(document(events));
    let mut octets = Vec::new();
    let mut writer = TextWriter::new(&mut octets);
    for recorded in Reader::new(document, "a document").expect("its head is whole") {
        let recorded = recorded.expect("it was written by us");
        writer.write(&recorded).expect("memory takes everything");
    }
    writer.flush().expect("memory takes everything");
    drop(writer);
    octets
}

/// A capture for Wireshark has the octets, and comes back with them.
fn capture(events: &[Event]) {
    if events
        .iter()
        .any(|event| matches!(event.body, Body::Compressed))
    {
        return; // a capture of what is inside has no sign of it
    }
    let mut octets = Vec::new();
    let mut capture =
        Capture::new(&mut octets, Duration::from_secs(1)).expect("memory takes everything");
    for event in events {
        capture.write(event).expect("memory takes everything");
    }
    capture.finish().expect("memory takes everything");
    drop(capture);
    let log = match Log::of((Path::new("a.pcapng"), &octets), None) {
        Ok(log) => log,
        Err(error) => panic!("{error}"),
    };
    assert!(log.damage.is_none(), "{:?}", log.damage);
    let mut again = Vec::new();
    let each = |more: &[Event]| {
        again.extend_from_slice(more);
        Ok(())
    };
    transcribe(&log, Secrets::Shown, each).expect("nothing fails");
    if again
        .iter()
        .any(|event| matches!(event.body, Body::Compressed))
    {
        return;
    }
    for peer in [
        mailscope::event::Peer::Client,
        mailscope::event::Peer::Server,
    ] {
        let (again, before) = (wires(&again, peer), wires(events, peer));
        assert_eq!(shown(&again), shown(&before), "{peer:?}");
    }
}
