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

criterion::criterion_group!(benches, understanding);
criterion::criterion_main!(benches);
