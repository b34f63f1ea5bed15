//! A transcript that is there, opened to be added to.
//!
//! Not the adding itself, which is the [document](super::document)'s. It promises that every whole
//! event stays as it is, octet for octet, that nothing is written before there is something to add,
//! and that two runs do not add to one file at once, where the system has locks (`flock`).
//!
//! What stands behind the last whole event may be our own closing, that of a tool that laid the
//! document out anew, or the torn tail of a power cut, which readers pass over and which is cut off
//! when the first event is added. Members behind the events are nobody's to lose: such a document is
//! refused.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::document::{Document, Tail, empty};
use super::file::TranscriptFile;
use super::header::Header;
use super::pair::{Pair, open_alone};
use super::reader::Reader;
use crate::error::{Doing, Error, Result};
use crate::event::Micros;

/// A transcript to be added to, and what is known of what is in it.
pub struct Resumed {
    /// The file.
    pub file: TranscriptFile,
    /// Its header.
    pub header: Header,
    /// The number of its last event; 0 for none.
    pub last: u64,
    /// The highest number of a connection in it; 0 for none.
    pub connections: u64,
    /// When the latest of its events was.
    pub at: Micros,
    /// What to say about its torn tail, if it has one.
    pub torn: Option<String>,
}

pub(super) fn resume(path: &Path) -> Result<Resumed> {
    let name = path.display().to_string();
    let doing = || format!("add to {name}");
    // What changes places with a spare one is the file itself, not a link to it.
    let real = path.canonicalize().doing(doing)?;
    let mut file = open_alone(&real).map_err(|error| cannot_open(&name, &error))?;
    let mut reader = Reader::open(path)?;
    let (mut last, mut connections, mut at) = (0, 0, Micros::default());
    let mut events = 0;
    for event in &mut reader {
        let event = event?;
        events += 1;
        last = event.n;
        connections = connections.max(event.conn);
        at = at.max(event.at);
    }
    let torn = reader.torn();
    let Some(end) = reader.events_end() else {
        return Err(Error::new(doing(), "it is cut off before its events")
            .hint("another file; mailscope makes one that does not exist"));
    };
    let tail = match torn {
        Some(_) => Tail::Torn,
        None => tail(&mut file, end).doing(doing)?.ok_or_else(|| {
            Error::new(
                doing(),
                "something stands behind its events, which would be lost",
            )
            .hint("put the members that stand behind \"events\" before it")
        })?,
    };
    let empty = empty(reader.header());
    let document = Document::resume(Pair::new(&real, file), empty, end, events, tail);
    Ok(Resumed {
        file: TranscriptFile::going_on(real, document),
        header: reader.header().clone(),
        last,
        connections,
        at,
        torn,
    })
}

fn cannot_open(name: &str, error: &io::Error) -> Error {
    let doing = format!("add to {name}");
    match error.kind() {
        io::ErrorKind::WouldBlock => Error::new(doing, "another mailscope is writing to it")
            .hint("wait for its end, or give each run a transcript of its own"),
        _ => Error::new(doing, error),
    }
}

/// What stands behind the events; `None` for more than a closing.
fn tail(file: &mut File, end: u64) -> io::Result<Option<Tail>> {
    /// No layout has this much white space there.
    const LONGEST: u64 = 4096;
    let mut octets = Vec::new();
    file.seek(SeekFrom::Start(end))?;
    file.take(LONGEST).read_to_end(&mut octets)?;
    let closes = |octets: &[u8]| {
        let mut signs = octets.iter().filter(|octet| !octet.is_ascii_whitespace());
        signs.by_ref().copied().eq(*b"]}")
    };
    Ok(match octets.as_slice() {
        b"\n]}\n" => Some(Tail::Closing),
        other if closes(other) => Some(Tail::Other(other.len() as u64)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn read(path: &Path) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn events_are_added_behind_those_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let session = sample::session();
        let mut whole = TranscriptFile::create(&path, &sample::header()).unwrap();
        whole.append(&session).unwrap();
        drop(whole);
        let before = std::fs::read(&path).unwrap();
        let mut resumed = resume(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before, "nothing is written");
        assert_eq!(resumed.last, session.last().unwrap().n);
        assert_eq!(resumed.header, sample::header());
        let more = sample::text(resumed.last + 1, &[b'x'; 10_000]);
        resumed.file.append([&more]).unwrap();
        let after = std::fs::read(&path).unwrap();
        assert!(after.starts_with(before.strip_suffix(b"\n]}\n").unwrap()));
        let count = read(&path)["events"].as_array().unwrap().len();
        assert_eq!(count, session.len() + 1);
    }

    #[test]
    fn every_layout_and_every_torn_tail_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let head = "{\"mailscope\":{\"format\":1},\n\"events\":[";
        let event = "{\"n\":3,\"conn\":2,\"at\":1.5,\"kind\":\"compressed\"}";
        for (rest, events) in [
            ("]}", 0),
            ("\n]}\n", 0),
            ("", 0),
            (&format!("{event}]}}"), 1),
            (&format!("\n  {event}\n  ]\n}}\n\n"), 1),
            (&format!("\n{event}\n]}}\n"), 1),
            (&format!("\n{event},\n{{\"n\":4,\"ki"), 1),
            (&format!("\n{event},"), 1),
            (&format!("\n{event}\n]"), 1),
        ] {
            std::fs::write(&path, format!("{head}{rest}")).unwrap();
            let mut resumed = resume(&path).unwrap();
            if events == 1 {
                let known = (resumed.last, resumed.connections, resumed.at);
                assert_eq!(known, (3, 2, Micros(1_500_000)));
            }
            for n in 0..2 {
                let event = sample::text(resumed.last + 1 + n, b"x");
                resumed.file.append([&event]).unwrap();
                let count = read(&path)["events"].as_array().unwrap().len() as u64;
                assert_eq!(count, events + 1 + n, "{rest}");
            }
        }
    }

    #[test]
    fn what_cannot_be_added_to_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        for (text, why) in [
            (
                "{\"events\":[],\"mailscope\":{\"format\":1}}",
                "would be lost",
            ),
            ("{\"mailscope\":{\"format\":1},\"ev", "before its events"),
            ("{\"mailscope\":{\"format\":2},\"events\":[]}", "newer"),
            ("S: * OK\n", "not a transcript"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = resume(&path).err().unwrap().to_string();
            assert!(error.contains(why) && error.contains("a.json"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert!(resume(Path::new("/nowhere/a.json")).is_err());
    }

    #[test]
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    fn it_is_one_at_a_time_and_the_mode_stays() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        drop(TranscriptFile::create(&path, &sample::header()).unwrap());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        let mut first = resume(&path).unwrap();
        for n in 1..4 {
            let error = resume(&path).err().unwrap().to_string();
            assert!(error.contains("another mailscope"), "{error}");
            let long = sample::text(n, &[b'x'; 10_000]);
            first.file.append([&long]).unwrap();
        }
        drop(first);
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(resume(&path).unwrap().last, 3);
    }
}
