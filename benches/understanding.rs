//! What it takes to understand octets: framer, assembler, gate, lexer and tracker, without sockets
//! and sinks.
//!
//! `cargo bench --bench understanding`

use std::time::Duration;

use criterion::{Criterion, Throughput};
use mailscope::event::{Draft, Gate, Micros, Peer, Secrets};
use mailscope::protocol::Protocol;
use mailscope::protocol::imap::Observer;

mod traffic;

use traffic::Exchange;

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
    let mut group = criterion.benchmark_group("understanding");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4));
    for exchange in [
        Exchange::noop(),
        Exchange::small_responses(),
        Exchange::mails("literals of 32 KiB", 64, 32 * 1024),
        Exchange::large_literals(),
    ] {
        let mut understanding = Understanding::logged_in();
        group.throughput(Throughput::Bytes(exchange.octets()));
        group.bench_function(exchange.name, |bencher| {
            bencher.iter(|| understanding.exchange(&exchange));
        });
    }
    group.finish();
}

criterion::criterion_group!(benches, understanding);
criterion::criterion_main!(benches);
