//! What the tests stand on. Nothing here asserts a promise of mailscope; it starts, speaks, reads
//! and waits.

pub mod app;
pub mod certificates;
pub mod disk;
pub mod dovecot;
pub mod leaf;
pub mod maildir;
pub mod mailscope;
pub mod memory;
pub mod network;
pub mod patience;
pub mod programs;
pub mod schema;
pub mod server;
pub mod session;
pub mod socks;
pub mod terminal;
pub mod transcript;
pub mod wire;
pub mod wiretap;

use std::time::{Duration, Instant};

/// How long anything may take that a test waits for. Far beyond what it takes on an idle machine,
/// for the one that runs the tests may be busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` gives something.
///
/// # Panics
///
/// It does not within [`PATIENCE`]; `what` says what was waited for.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The trials of one file: `trials!("record"; a_test, another)`.
macro_rules! trials {
    ($file:literal; $($test:ident),* $(,)?) => {
        vec![$($crate::support::patience::trial(concat!($file, "::", stringify!($test)), || {
            $test();
            Ok(())
        })),*]
    };
}
pub(crate) use trials;

/// Octets that look random, the same ones for the same seed (xorshift64*).
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut octets = Vec::with_capacity(length + 8);
    while octets.len() < length {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        octets.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    octets.truncate(length);
    octets
}
