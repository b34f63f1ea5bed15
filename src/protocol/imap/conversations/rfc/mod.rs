//! The examples of the RFCs, line by line as they stand there, with what is told of each message.
//!
//! A file an RFC. `#` begins a conversation and says where its example stands; `;` says where it departs
//! from the RFC, and why. `C:` and `S:` are lines of the peers, without their line ends; `>` is what is
//! told of what was read until then, its data included. Lines that the RFC folds are one line here. What
//! it says between lines (`<TLS negotiation>`) happens here as well: TLS begins, and what is to be
//! compressed is.
//!
//! A conversation that does not begin with a greeting is given one, of a client that is logged in where
//! it does not log in itself.
//!
//! When a reading is changed on purpose: a failure prints the file as it should be.

use super::compress::Deflater;
use super::{again, number, tell, told};
use crate::event::{Body, Draft, Event, Gate, Micros, Peer, Reading, Secrets};
use crate::protocol::imap::{AppLeg, Observer, ServerLeg, Setting};
use crate::protocol::{Act, Protocol, Verdict};

/// One line of a peer.
struct Line<'a> {
    from: Peer,
    text: &'a str,
}

/// A conversation of a file.
struct Conversation<'a> {
    /// The heading, and what it departs in.
    heading: Vec<&'a str>,
    lines: Vec<Line<'a>>,
}

fn conversations(file: &str) -> Vec<Conversation<'_>> {
    let mut all: Vec<Conversation<'_>> = Vec::new();
    for line in file.lines() {
        let (mark, text) = line.split_at_checked(2).unwrap_or((line, ""));
        let from = match mark {
            "# " => {
                all.push(Conversation {
                    heading: vec![line],
                    lines: Vec::new(),
                });
                continue;
            }
            "; " => {
                all.last_mut().expect("a heading").heading.push(line);
                continue;
            }
            "C:" => Peer::Client,
            "S:" => Peer::Server,
            "> " | "" => continue,
            other => panic!("{other:?} begins no line"),
        };
        let text = text.strip_prefix(' ').unwrap_or(text);
        let lines = &mut all.last_mut().expect("a heading").lines;
        lines.push(Line { from, text });
    }
    all
}

impl Conversation<'_> {
    /// Whether the client says one of these commands.
    fn has(&self, commands: &[&str]) -> bool {
        let from_client = self.lines.iter().filter(|line| line.from == Peer::Client);
        let words = from_client.filter_map(|line| line.text.split(' ').nth(1));
        words
            .into_iter()
            .any(|word| commands.iter().any(|name| word.eq_ignore_ascii_case(name)))
    }

    /// The greeting that it lacks.
    fn greeting(&self) -> Option<&'static str> {
        let first = self.lines.first()?.text;
        let is_greeted = ["* OK", "* PREAUTH", "* BYE"]
            .iter()
            .any(|greeting| first.starts_with(greeting));
        match (is_greeted, self.has(&["LOGIN", "AUTHENTICATE", "STARTTLS"])) {
            (true, _) => None,
            (false, true) => Some("* OK hello"),
            (false, false) => Some("* PREAUTH hello"),
        }
    }

    fn observer(&self) -> Observer {
        let setting = Setting {
            app: AppLeg::Cleartext,
            server: ServerLeg::Starttls,
            server_is_local: true,
            ..Setting::default()
        };
        let gate = Gate::new(Secrets::Masked);
        match self.has(&["STARTTLS"]) {
            true => Observer::bridging(gate, setting),
            false => Observer::new(gate),
        }
    }

    /// What is read of the lines, each cut as `cut` does it, and how many events there are once each is.
    fn play(&self, cut: &dyn Fn(&[u8]) -> Vec<Vec<u8>>) -> (Vec<Event>, Vec<usize>) {
        let mut observer = self.observer();
        let mut drafts: Vec<Draft> = Vec::new();
        let mut counts = Vec::new();
        let (mut client, mut server) = (Deflater::new(), Deflater::new());
        let greeting = self.greeting().map(|text| Line {
            from: Peer::Server,
            text,
        });
        for (step, line) in greeting.iter().chain(&self.lines).enumerate() {
            let mut octets = [line.text.as_bytes(), b"\r\n"].concat();
            if observer.compression.is_on() {
                octets = match line.from {
                    Peer::Client => client.deflated(&octets),
                    Peer::Server => server.deflated(&octets),
                };
            }
            for part in cut(&octets) {
                let at = Micros(step as u64);
                let verdict = observer.observe(line.from, &part, at, &mut drafts);
                let Verdict::Acts(acts) = verdict else {
                    continue;
                };
                if acts.iter().any(|act| matches!(act, Act::Secure(_))) {
                    let _ = observer.secured(&mut drafts);
                }
            }
            counts.push(drafts.len());
        }
        let end = Micros(counts.len() as u64);
        for from in [Peer::Client, Peer::Server] {
            observer.ended(from, end, &mut drafts);
        }
        (number(drafts), counts)
    }

    /// The events, the same whole, with each line cut at each place, octet by octet and read again.
    fn events(&self) -> (Vec<Event>, Vec<usize>) {
        let (events, counts) = self.play(&|octets| vec![octets.to_vec()]);
        let whole = told(&events);
        let single = self.play(&|octets| octets.chunks(1).map(<[u8]>::to_vec).collect());
        assert_eq!(told(&single.0), whole, "octet by octet");
        let longest = self.lines.iter().map(|line| line.text.len()).max();
        for at in 1..=longest.unwrap_or(0) + 1 {
            let cut = |octets: &[u8]| {
                let (head, tail) = octets.split_at(at.min(octets.len()));
                vec![head.to_vec(), tail.to_vec()]
            };
            assert_eq!(told(&self.play(&cut).0), whole, "lines cut at {at}");
        }
        let is_said = |line: &&String| !line.starts_with("note ") && *line != "other";
        let said: Vec<String> = whole.iter().filter(is_said).cloned().collect();
        assert_eq!(told(&again(&events)), said, "read again");
        (events, counts)
    }
}

/// The event with its data.
fn told_with_data(event: &Event) -> String {
    let mut told = tell(event);
    let Body::Said(said) = &event.body else {
        return told;
    };
    let data = match said.reading {
        Reading::Untagged { data, .. } => data,
        _ => None,
    };
    let mut json = Vec::new();
    if let Some(code) = said.code() {
        told += &format!(" [{}", code.name);
        for value in &code.values {
            let mut json = vec![b' '];
            value.write_json(&mut json);
            told += &String::from_utf8(json).unwrap();
        }
        told += "]";
    }
    let readers = [data, said.details.arguments, said.details.code];
    for read in readers.into_iter().flatten() {
        json.push(b' ');
        read(said, &mut json);
    }
    told + &String::from_utf8(json).unwrap()
}

/// The file as it should be.
fn as_it_should_be(file: &str) -> String {
    let mut should = String::new();
    for conversation in conversations(file) {
        let (events, counts) = conversation.events();
        for line in &conversation.heading {
            should += &format!("{line}\n");
        }
        let skipped = counts.len() - conversation.lines.len();
        let mut before = counts[..skipped].last().copied().unwrap_or(0);
        for (line, now) in conversation.lines.iter().zip(&counts[skipped..]) {
            let mark = match line.from {
                Peer::Client => "C:",
                Peer::Server => "S:",
            };
            should += format!("{mark} {}", line.text).trim_end();
            should.push('\n');
            for event in &events[before..*now] {
                should += &format!("> {}\n", told_with_data(event));
            }
            before = *now;
        }
        should.push('\n');
    }
    should.trim_end().to_owned() + "\n"
}

fn check(file: &str) {
    let should = as_it_should_be(file);
    assert!(file == should, "it should be:\n{should}");
}

macro_rules! examples {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(include_str!(concat!(stringify!($name), ".txt")));
            }
        )*
    };
}

examples!(rfc2177 rfc3501 rfc4978 rfc5161 rfc5464 rfc5465 rfc6154 rfc6851 rfc7162 rfc7888 rfc8438 rfc8474 rfc9051);
