//! Whether work grows with its input, or with the input's square: for tests of code that must not
//! look at everything for each thing.
//!
//! No time limit is set: the same work is done on an input and on one eight times as large, each
//! several times, and the shortest times are compared. Eight times the input takes about 8 times as
//! long, or 64 times if it grows with the square. What is counted is the thread's own time on a
//! processor: on a busy machine a short work is done at one go and a longer one is not.

use std::time::Duration;

const LARGER: usize = 8;

/// More than the work of eight times the input is, less than that of its square.
const LIMIT: f64 = 30.0;

const REPETITIONS: usize = 5;

/// Asserts that `work` on what `prepare` makes of a size grows with the size. That should take some
/// hundred microseconds for `size`.
pub(crate) fn assert_linear<T>(size: usize, prepare: impl Fn(usize) -> T, work: impl Fn(&mut T)) {
    let once = |size| {
        let mut input = prepare(size);
        let start = worked();
        work(&mut input);
        worked() - start
    };
    let mut shortest = [Duration::MAX; 2];
    for _ in 0..REPETITIONS {
        for (shortest, size) in shortest.iter_mut().zip([size, LARGER * size]) {
            *shortest = once(size).min(*shortest);
        }
    }
    let ratio = shortest[1].as_secs_f64() / shortest[0].as_secs_f64();
    assert!(
        ratio < LIMIT,
        "{LARGER} times the input takes {ratio:.1} times as long: {shortest:?}"
    );
}

/// How long this thread has been on a processor.
#[cfg(unix)]
fn worked() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap()
}

/// As near to that as it can be told.
#[cfg(not(unix))]
fn worked() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

#[test]
fn work_that_grows_with_the_square_is_noticed() {
    let pairs = |numbers: &mut Vec<u64>| {
        let sums = numbers
            .iter()
            .map(|a| numbers.iter().map(|b| a ^ b).sum::<u64>());
        assert!(sums.sum::<u64>() > 0);
    };
    let numbers = |size| (0..size as u64).collect::<Vec<_>>();
    let noticed = std::panic::catch_unwind(|| assert_linear(400, numbers, pairs));
    assert!(noticed.is_err());
}
