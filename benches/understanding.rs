//! What it takes to understand octets: framer, assembler, gate, lexer and tracker, without sockets
//! and sinks.
//!
//! `cargo bench --bench understanding`

use std::time::Duration;

use criterion::{Criterion, Throughput};
use mailscope::event::{Draft, Event, Gate, Micros, Numbers, Peer, Secrets};
use mailscope::lint::Linter;
use mailscope::protocol::Protocol;
use mailscope::protocol::imap::Observer;
use mailscope::transcript::write_event;

mod traffic;

use traffic::Exchange;

/// That of the program.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Octets that TLS hands on at once (RFC 8446, section 5.1).
const RECORD: usize = 16 * 1024;

/// An observer, and the events that it made of one exchange.
struct Understanding {
    observer: Observer,
    drafts: Vec<Draft>,
}

impl Understanding {
    /// Of a connection where a user is logged in.
    fn logged_in() -> Self {
        let mut understanding = Self {
            observer: Observer::new(Gate::new(Secrets::Masked)),
            drafts: Vec::new(),
        };
        understanding.read(Peer::Server, b"* OK ready\r\n");
        understanding.exchange(&Exchange::login());
        understanding
    }

    /// The same, and both sides deflate.
    fn compressed() -> Self {
        let mut understanding = Self::logged_in();
        understanding.exchange(&Exchange::compress());
        understanding
    }

    fn exchange(&mut self, exchange: &Exchange) -> usize {
        self.drafts.clear();
        self.read(Peer::Client, &exchange.command);
        self.read(Peer::Server, &exchange.response);
        self.drafts.len()
    }

    fn read(&mut self, from: Peer, octets: &[u8]) {
        for record in octets.chunks(RECORD) {
            self.observer
                .observe(from, record, Micros(0), &mut self.drafts);
        }
    }
}

fn understanding(criterion: &mut Criterion) {
    let exchanges = [
        Exchange::noop(),
        Exchange::small_responses(),
        Exchange::letters(),
        Exchange::large_literals(),
    ];
    for exchange in &exchanges {
        measure(
            criterion,
            "understanding",
            exchange,
            Understanding::logged_in(),
        );
    }
    for exchange in &exchanges {
        let deflated = exchange.deflated();
        measure(
            criterion,
            "understanding, deflated",
            &deflated,
            Understanding::compressed(),
        );
    }
}

/// Throughput is that of the octets that are understood, inflated if they were deflated.
fn measure(
    criterion: &mut Criterion,
    group: &str,
    exchange: &Exchange,
    mut understanding: Understanding,
) {
    criterion
        .benchmark_group(group)
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .throughput(Throughput::Bytes(exchange.inflated_octets()))
        .bench_function(exchange.name, |bencher| {
            bencher.iter(|| understanding.exchange(exchange));
        });
}

/// A first sync of a mailbox with so many messages: SELECT, and a response for each. What grows faster
/// than the mailbox shows as fewer messages a second.
fn mailboxes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("messages of a mailbox");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4));
    for messages in [1_000, 10_000, 100_000] {
        let session = Session::sync(messages);
        group.throughput(Throughput::Elements(messages));
        let mut measure = |what: &str, run: &dyn Fn(&Session) -> usize| {
            group.bench_function(format!("{what}, {messages}"), |bencher| {
                bencher.iter(|| run(&session));
            });
        };
        measure("understood", &Session::understood);
        measure("written as events", &Session::written);
        measure("linted", &Session::linted);
    }
}

/// The headers that a list of messages shows: a response with a short literal for each.
fn headers(criterion: &mut Criterion) {
    const MESSAGES: u64 = 1_000;
    let session = Session::headers(MESSAGES);
    let mut group = criterion.benchmark_group("headers of messages");
    group.throughput(Throughput::Elements(MESSAGES));
    group.bench_function("understood", |bencher| {
        bencher.iter(|| session.understood())
    });
    group.bench_function("written as events", |bencher| {
        bencher.iter(|| session.written());
    });
}

/// What both peers say from the greeting on.
struct Session(Vec<(Peer, Vec<u8>)>);

impl Session {
    fn sync(messages: u64) -> Self {
        let mut fetched = String::new();
        for n in 1..=messages {
            let (uid, modseq) = (3 * n, 100_000 + n);
            fetched += &format!("* {n} FETCH (UID {uid} FLAGS (\\Seen) MODSEQ ({modseq}))\r\n");
        }
        let said = [
            (
                Peer::Server,
                "* OK [CAPABILITY IMAP4rev1 CONDSTORE] ready\r\n".to_owned(),
            ),
            (
                Peer::Client,
                "a LOGIN alice a-benchmark-password\r\n".into(),
            ),
            (
                Peer::Server,
                "a OK [CAPABILITY IMAP4rev1 CONDSTORE] in\r\n".into(),
            ),
            (Peer::Client, "b SELECT INBOX (CONDSTORE)\r\n".into()),
            (
                Peer::Server,
                format!(
                    "* FLAGS (\\Seen)\r\n* {messages} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\nb OK selected\r\n"
                ),
            ),
            (Peer::Client, "c FETCH 1:* (UID FLAGS MODSEQ)\r\n".into()),
            (Peer::Server, fetched + "c OK fetched\r\n"),
        ];
        let octets = said.map(|(from, text)| (from, text.into_bytes()));
        Self(octets.into())
    }

    fn headers(messages: u64) -> Self {
        let command = "FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT)])";
        let mut fetched = String::new();
        for n in 1..=messages {
            let fields = format!(
                "Date: Tue, 17 Nov 2026 02:23:25 +0000\r\nFrom: Terry Gray <gray{n}@example.org>\r\n\
                 Subject: IMAP4rev2 WG mtg summary and minutes {n}\r\n\r\n"
            );
            fetched += &format!(
                "* {n} FETCH (UID {n} FLAGS (\\Seen) BODY[HEADER.FIELDS (DATE FROM SUBJECT)] {{{}}}\r\n{fields})\r\n",
                fields.len()
            );
        }
        let said = [
            (Peer::Server, "* OK ready\r\n".to_owned()),
            (
                Peer::Client,
                "a LOGIN alice a-benchmark-password\r\n".into(),
            ),
            (Peer::Server, "a OK in\r\n".into()),
            (Peer::Client, format!("b {command}\r\n")),
            (Peer::Server, fetched + "b OK fetched\r\n"),
        ];
        Self(said.map(|(from, text)| (from, text.into_bytes())).into())
    }

    /// Hands each event on.
    fn read(&self, mut each: impl FnMut(Event)) -> usize {
        let mut observer = Observer::new(Gate::new(Secrets::Masked));
        let mut numbers = Numbers::new(1);
        let (mut drafts, mut n) = (Vec::new(), 0);
        for (from, octets) in &self.0 {
            for record in octets.chunks(RECORD) {
                observer.observe(*from, record, Micros(0), &mut drafts);
                for draft in drafts.drain(..) {
                    n += 1;
                    each(numbers.number(draft, n));
                }
            }
        }
        usize::try_from(n).unwrap_or(usize::MAX)
    }

    fn understood(&self) -> usize {
        self.read(drop)
    }

    fn written(&self) -> usize {
        let mut line = Vec::new();
        self.read(|event| {
            line.clear();
            write_event(&mut line, &event);
        })
    }

    fn linted(&self) -> usize {
        let mut linter = Linter::allowing([]);
        self.read(|event| drop(linter.read(&event)))
    }
}

criterion::criterion_group!(benches, understanding, mailboxes, headers);
criterion::criterion_main!(benches);
