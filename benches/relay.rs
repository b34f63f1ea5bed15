//! What it takes to be relayed: over loopback, with TLS on both legs, with recording on and off,
//! against a plain copy with the same TLS; through STARTTLS, against TLS at once; and deflated.
//!
//! `cargo bench --bench relay` measures each route by itself, then all of them in turns, and prints
//! the table that stands in the README. `cargo bench --bench relay -- none` prints the table alone.

use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput};

mod loopback;
mod summary;
mod traffic;

use loopback::{Connection, Loopback, Route};
use summary::Summary;
use traffic::Exchange;

/// That of the program.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let plain = [
        Exchange::large_literals(),
        Exchange::letters(),
        Exchange::small_responses(),
        Exchange::noop(),
    ];
    let deflated = plain.each_ref().map(Exchange::deflated);
    let loopback = Loopback::new(plain.iter().chain(&deflated));
    for exchange in &plain {
        exchanged(&mut criterion, &loopback, exchange, &Route::PLAIN);
    }
    for exchange in &deflated {
        exchanged(&mut criterion, &loopback, exchange, &Route::COMPRESSED);
    }
    set_up(&mut criterion, &loopback);
    criterion.final_summary();
    if is_measuring() {
        println!("{}", Summary::measure(&loopback));
    }
}

fn exchanged(
    criterion: &mut Criterion,
    loopback: &Loopback,
    exchange: &Exchange,
    routes: &[Route],
) {
    let throughput = match exchange.name {
        "round trips" => Throughput::Elements(1),
        _ => Throughput::Bytes(exchange.octets()),
    };
    by_itself(
        criterion,
        exchange.name,
        throughput,
        routes,
        |route, times| {
            let mut connection = loopback.connect(route);
            let begun = Instant::now();
            for _ in 0..times {
                connection.ask(exchange);
            }
            (connection, begun.elapsed())
        },
    );
}

fn set_up(criterion: &mut Criterion, loopback: &Loopback) {
    let one = Throughput::Elements(1);
    by_itself(criterion, "set-up", one, &Route::PLAIN, |route, times| {
        let mut connection = loopback.connect(route);
        let taken = (0..times).map(|_| connection.again()).sum();
        (connection, taken)
    });
}

/// Each route in its own time; `measure` says what it takes to do something so many times.
fn by_itself(
    criterion: &mut Criterion,
    name: &str,
    throughput: Throughput,
    routes: &[Route],
    measure: impl Fn(Route, u64) -> (Connection, Duration),
) {
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .throughput(throughput);
    for &route in routes {
        group.bench_function(route.name(), |bencher| {
            bencher.iter_custom(|times| {
                let (connection, taken) = measure(route, times);
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
