//! What it takes to be relayed: over loopback, with TLS on both legs, with recording on and off,
//! against a plain copy with the same TLS.
//!
//! `cargo bench --bench relay` measures each way by itself, then all of them in turns, and prints
//! the table that stands in the README. `cargo bench --bench relay -- none` prints the table alone.

use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput};

mod loopback;
mod summary;
mod traffic;

use loopback::{Loopback, Way};
use summary::Summary;
use traffic::Exchange;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let exchanges = [
        Exchange::large_literals(),
        Exchange::small_responses(),
        Exchange::noop(),
    ];
    let loopback = Loopback::new(&exchanges);
    for exchange in &exchanges {
        by_itself(&mut criterion, &loopback, exchange);
    }
    criterion.final_summary();
    if is_measuring() {
        println!("{}", Summary::measure(&loopback));
    }
}

fn by_itself(criterion: &mut Criterion, loopback: &Loopback, exchange: &Exchange) {
    let mut group = criterion.benchmark_group(exchange.name);
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .throughput(match exchange.name {
            "round trips" => Throughput::Elements(1),
            _ => Throughput::Bytes(exchange.octets()),
        });
    for way in Way::ALL {
        group.bench_function(way.name(), |bencher| {
            bencher.iter_custom(|times| {
                let mut connection = loopback.connect(way);
                let begun = Instant::now();
                for _ in 0..times {
                    connection.ask(exchange);
                }
                let taken = begun.elapsed();
                connection.close();
                taken
            });
        });
    }
    group.finish();
}

/// Whether figures are wanted, and not only to see that it runs (`cargo test`), or a profile.
fn is_measuring() -> bool {
    let given = |flag: &str| std::env::args().any(|argument| argument == flag);
    given("--bench")
        && !["--test", "--list", "--profile-time"]
            .into_iter()
            .any(given)
}
