//! The reader of transcripts: any file gives events or an error with its line; what was read can be written
//! and read again; and whatever is left of a file gives the events that are whole in it.

use std::io::{BufReader, Cursor};

use mailscope::event::{Event, Recorded};
use mailscope::recording::Readings;
use mailscope::transcript::{Reader, TextWriter};

use super::sound::{document, line, read, sound};

pub fn transcript_reader(data: &[u8]) {
    let Some((events, error)) = recorded(data, 64 * 1024) else {
        assert!(
            recorded(data, 3).is_none(),
            "read piece by piece it is a transcript"
        );
        return;
    };
    let (again, other) = recorded(data, 3).expect("read piece by piece it is no transcript");
    assert_eq!(other, error, "read piece by piece");
    assert_eq!(again.len(), events.len(), "read piece by piece");
    let mut text = TextWriter::new(Vec::new());
    for event in &events {
        text.write(event).expect("memory takes everything");
    }
    let mut readings = Readings::default();
    let whole: Vec<Event> = events
        .into_iter()
        .flat_map(|event| readings.read(event))
        .collect();
    sound(&whole);
    // What a hand wrote is put right once.
    let once = read(document(&whole));
    let twice = read(document(&once));
    assert_eq!(lines(&twice), lines(&once));
    torn(&once, data.len());
}

/// The events up to the first error, and what that says; `None` if it is no transcript.
fn recorded(data: &[u8], buffer: usize) -> Option<(Vec<Recorded>, Option<String>)> {
    let input = BufReader::with_capacity(buffer, Cursor::new(data.to_vec()));
    let mut reader = match Reader::new(input, "x.json") {
        Ok(reader) => reader,
        Err(error) => {
            assert!(error.to_string().starts_with("read x.json"), "{error}");
            return None;
        }
    };
    let mut events = Vec::new();
    let mut error = None;
    for recorded in reader.by_ref() {
        match recorded {
            Ok(recorded) => events.push(recorded),
            Err(why) => error = Some(why.to_string()),
        }
    }
    if let Some(error) = &error {
        assert!(error.starts_with("read x.json, line "), "{error}");
        assert!(reader.next().is_none(), "no events follow an error");
    } else {
        let _ = reader.torn();
    }
    Some((events, error))
}

fn lines(events: &[Event]) -> Vec<String> {
    events.iter().map(line).collect()
}

/// Cut anywhere, a transcript of ours gives its whole events and no error.
fn torn(events: &[Event], place: usize) {
    let document = document(events);
    let head = document.len().min(40);
    // Cuts all over it, other ones for files of other lengths.
    for cut in (head..document.len())
        .skip(place % 7)
        .step_by(1 + document.len() / 16)
    {
        let (some, error) = recorded(&document[..cut], 64 * 1024).expect("its head is whole");
        assert_eq!(error, None, "cut behind octet {cut}");
        assert!(some.len() <= events.len());
        let ends = document[..cut]
            .windows(2)
            .filter(|end| end == b"}\n" || end == b"},")
            .count();
        assert!(
            some.len() <= ends + 1,
            "{} events of {ends} lines",
            some.len()
        );
    }
}
