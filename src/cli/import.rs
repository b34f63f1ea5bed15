//! `mailscope import FILE... -o FILE`: what others kept of a session, made a transcript.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use time::OffsetDateTime;

use super::progress::{Beside, Progress};
use super::say::{say, warn};
use crate::error::{Doing, Result};
use crate::event::Secrets;
use crate::import::{Log, transcribe};
use crate::transcript::{Header, TranscriptFile};

/// The arguments of `import`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A Dovecot rawlog (X.in or X.out finds the other), C: and S: lines, pcap, pcapng, or a log of
    /// Thunderbird (MOZ_LOG=IMAP:5), MailKit, Jakarta Mail, imaplib, ImapFlow, curl -v, mutt -d 5, mbsync
    /// -D, fetchmail -v -v or openssl s_client. The kind is found out; several files become one transcript.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The transcript, never overwritten; standard output with `-`.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,

    /// Do not mask passwords and tokens.
    #[arg(long)]
    show_secrets: bool,
}

/// Writes it. Of damaged input, what can be read is written, and the damage is an error all the same.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let progress = Progress::begin("reading", Beside::Nothing);
    progress.wait("reading", size(&arguments.files));
    let log = Log::read(&arguments.files);
    drop(progress);
    let mut log = log?;
    for remark in &log.remarks {
        say(&warn(remark));
    }
    let secrets = match arguments.show_secrets {
        true => Secrets::Shown,
        false => Secrets::Masked,
    };
    if secrets == Secrets::Shown {
        let shown = "secrets are not masked (--show-secrets): do not share this transcript";
        say(&warn(shown));
    }
    let server = log.server.as_deref().unwrap_or("unknown");
    let mut header = Header::new(started(&log, &arguments.files), server);
    header.secrets = secrets;
    let (kept, place) = match arguments.out == Path::new("-") {
        true => (print(&log, &header)?, "standard output".to_owned()),
        false => {
            let place = arguments.out.display().to_string();
            (write(&log, &header, &arguments.out)?, place)
        }
    };
    match log.damage.take() {
        Some(damage) => Err(damage.hint(format!(
            "what stands before it: its {kept} events are in {place}"
        ))),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Octets of all files.
fn size(files: &[PathBuf]) -> u64 {
    let sizes = files.iter().filter_map(|file| file.metadata().ok());
    sizes.map(|file| file.len()).sum()
}

/// When the session was; where the log does not say it, when it was written.
fn started(log: &Log, files: &[PathBuf]) -> OffsetDateTime {
    let first = log.steps.iter().map(|step| step.at).min();
    let dated = first
        .filter(|_| log.is_dated)
        .and_then(|first| OffsetDateTime::from_unix_timestamp_nanos(i128::from(first) * 1000).ok());
    let modified = || {
        let written = std::fs::metadata(&files[0]).and_then(|file| file.modified());
        written.unwrap_or_else(|_| SystemTime::now()).into()
    };
    dated.unwrap_or_else(modified)
}

/// The number of events written.
fn write(log: &Log, header: &Header, path: &Path) -> Result<u64> {
    let mut file = TranscriptFile::create(path, header)?;
    let progress = Progress::begin("writing", Beside::Nothing);
    progress.count("writing", log.steps.len() as u64);
    let mut events = Vec::new();
    transcribe(log, header.secrets, |more| {
        progress.advance(1);
        /// Events that are written at once.
        const MANY: usize = 1000;
        events.extend_from_slice(more);
        if events.len() > MANY {
            file.append(&events)?;
            events.clear();
        }
        Ok(())
    })?;
    file.append(&events)?;
    file.finish()?;
    Ok(file.events())
}

/// The same, on standard output, by way of a file that only its owner can read.
fn print(log: &Log, header: &Header) -> Result<u64> {
    let folder = tempfile::tempdir().doing(|| "make a temporary folder".into())?;
    let path = folder.path().join("import.json");
    let events = write(log, header, &path)?;
    let octets = std::fs::read(&path).doing(|| format!("read {}", path.display()))?;
    super::print_octets(&octets)?;
    Ok(events)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::event::{Body, Event, Peer, Piece, Reading};
    use crate::protocol::imap::conversations::random::{Step, conversation, events};
    use crate::sink::pcapng::Capture;
    use crate::transcript::{Reader, TextWriter, write_event};

    /// What each peer said, in octets.
    fn wires(events: &[Event]) -> [Vec<u8>; 2] {
        let mut wires = [Vec::new(), Vec::new()];
        for event in events {
            if let Body::Said(said) = &event.body {
                let streamed = |piece: &Piece| matches!(piece, Piece::Streamed { .. });
                assert!(!said.wire.pieces().iter().any(streamed), "none is so large");
                wires[usize::from(said.from == Peer::Server)].extend(said.wire.bytes());
            }
        }
        wires
    }

    /// The same as lines; the server's in any order, for its go-ahead stands behind what it is for.
    fn lines_said(events: &[Event]) -> [Vec<String>; 2] {
        let lines = |octets: Vec<u8>| -> Vec<String> {
            let text = octets.escape_ascii().to_string();
            text.split_inclusive("\\r\\n").map(str::to_owned).collect()
        };
        let [client, mut server] = wires(events).map(lines);
        server.sort();
        [client, server]
    }

    fn imported(name: &str, content: &[u8]) -> Vec<Event> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let log = Log::read(&[path]).unwrap();
        let shown = String::from_utf8_lossy(content);
        assert!(log.damage.is_none(), "{:?} in {shown}", log.damage);
        let mut events = Vec::new();
        let each = |more: &[Event]| {
            events.extend_from_slice(more);
            Ok(())
        };
        transcribe(&log, Secrets::Shown, each).unwrap();
        events
    }

    fn capture(events: &[Event]) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut capture = Capture::new(&mut octets, Duration::from_secs(1)).unwrap();
        for event in events {
            capture.write(event).unwrap();
        }
        capture.flush().unwrap();
        drop(capture);
        octets
    }

    fn text(events: &[Event]) -> Vec<u8> {
        let mut document = b"{\"mailscope\":{\"format\":1},\"events\":[\n".to_vec();
        for (place, event) in events.iter().enumerate() {
            document.extend_from_slice(if place == 0 { b"" } else { b",\n" });
            write_event(&mut document, event);
        }
        document.extend_from_slice(b"\n]}\n");
        let mut octets = Vec::new();
        let mut writer = TextWriter::new(&mut octets);
        for recorded in Reader::new(std::io::Cursor::new(document), "test").unwrap() {
            writer.write(&recorded.unwrap()).unwrap();
        }
        writer.flush().unwrap();
        drop(writer);
        octets
    }

    fn greeted(steps: &[Step]) -> Vec<Event> {
        let greeting: Step = (Peer::Server, (*b"* OK hi\r\n").into());
        let steps = [&[greeting], steps].concat();
        events(&steps, Secrets::Shown)
    }

    /// Read as IMAP again, these became commands, and an APPEND waited for its literal.
    #[test]
    fn r011_octets_that_were_opaque_are_so_in_a_text_too() {
        let said: [(Peer, &[u8]); 6] = [
            (Peer::Client, b"a STARTTLS\r\n"),
            (Peer::Server, b"a OK go\r\n"),
            (Peer::Client, b"\x16\x03\\"),
            (Peer::Server, b"* 1 EXISTS\r\n\r\n"),
            (Peer::Client, b"b APPEND x {3}\r\n"),
            (Peer::Server, b"\x16 no line"),
        ];
        let events = greeted(&said.map(|(from, octets)| (from, octets.into())));
        let text = text(&events);
        assert_eq!(
            String::from_utf8_lossy(&text),
            "S: * OK hi\nC: a STARTTLS\nS: a OK go\n# opaque from here on\nC\\: \\x16\\x03\\\\\\\n\
             S: * 1 EXISTS\nS: \nC: b APPEND x {3}\nS\\: \\x16 no line\\\n"
        );
        let again = imported("a.txt", &text);
        assert_eq!(wires(&again), wires(&events));
        let is_opaque = |event: &&Event| matches!(&event.body, Body::Said(said) if matches!(said.reading, Reading::Opaque));
        assert_eq!(again.iter().filter(is_opaque).count(), 4);
        let notes: Vec<_> = again
            .iter()
            .filter_map(|event| match &event.body {
                Body::Note(finding) if finding.id != "secrets-shown" => Some(&*finding.id),
                _ => None,
            })
            .collect();
        assert_eq!(notes, ["import-opaque"]);
        assert_eq!(self::text(&again), text);
    }

    #[test]
    fn a_literal_that_is_refused_in_no_line_is_so_in_a_text_too() {
        let said: [(Peer, &[u8]); 5] = [
            (Peer::Client, b"a APPEND x {500000}\r\n"),
            (Peer::Server, b"* BAD too large\r\n"),
            (Peer::Client, b"b NOOP\r\n"),
            (Peer::Server, b"b OK\r\n"),
            (Peer::Client, b"c NOOP\r\n"),
        ];
        let events = greeted(&said.map(|(from, octets)| (from, octets.into())));
        let text = text(&events);
        let shown = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(
            shown,
            "S: * OK hi\nS: * BAD too large\nC: a APPEND x {500000}\n# the literal was refused\n\
             C: b NOOP\nS: b OK\nC: c NOOP\n"
        );
        let commands = |events: &[Event]| -> Vec<String> {
            let commands = events.iter().filter_map(|event| match &event.body {
                Body::Said(said) => match &said.reading {
                    Reading::Command { tag, refused, .. } => Some(format!("{tag:?} {refused}")),
                    _ => None,
                },
                _ => None,
            });
            commands.collect()
        };
        let said = commands(&events);
        assert_eq!(said.len(), 3);
        assert_eq!(commands(&imported("a.txt", &text)), said);
        // And where it is read as it is, to be shown or replayed.
        let file = tempfile::NamedTempFile::with_suffix(".txt").unwrap();
        std::fs::write(&file, &text).unwrap();
        let read: Result<Vec<Event>> = crate::recording::Events::open(file.path())
            .unwrap()
            .collect();
        assert_eq!(commands(&read.unwrap()), said);
        let mut heard = 0;
        let count = |said: crate::recording::Heard| {
            heard += usize::from(matches!(said.said.reading, Reading::Command { .. }));
        };
        crate::recording::open(file.path(), crate::recording::Side::Both, count).unwrap();
        assert_eq!(heard, said.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(96)
        })]

        #[test]
        fn an_exported_capture_has_the_same_wires(steps in conversation()) {
            let events = greeted(&steps);
            let again = imported("a.pcapng", &capture(&events));
            // One that was cut off ends its line.
            let is_cut_off = |event: &Event| matches!(&event.body, Body::Said(said) if said.incomplete);
            if !events.iter().any(is_cut_off) {
                prop_assert_eq!(wires(&again), wires(&events));
            }
        }

        /// In a text every line ends with CRLF.
        #[test]
        fn an_exported_text_is_the_same_text(steps in conversation()) {
            let whole = |(_, octets): &Step| {
                let lines = octets.windows(2).filter(|pair| pair[1] == b'\n');
                octets.ends_with(b"\n") && lines.into_iter().all(|pair| pair[0] == b'\r')
            };
            let steps: Vec<Step> = steps.into_iter().filter(whole).collect();
            let events = greeted(&steps);
            let text = text(&events);
            let again = imported("a.txt", &text);
            prop_assert_eq!(lines_said(&again), lines_said(&events));
            let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
            prop_assert_eq!(shown(&self::text(&again)), shown(&text));
        }
    }
}
