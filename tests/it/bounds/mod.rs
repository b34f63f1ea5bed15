//! What could grow without an end has one (`src/limits.rs`): whatever passes, however much of it and
//! however slowly, mailscope's memory stays bounded, the octets arrive as they were sent, and the
//! transcript of it can be read, in bounded memory too.
//!
//! See also `memory` (literals of 100 MiB, deflate bombs) and `endings` (viewers that hang).

mod descriptors;
mod lines;
mod many;
mod slow;

use libtest_mimic::Trial;

use super::support::memory::{MIB, where_it_is_told};
use super::support::session::{Ended, Session};

pub fn trials() -> Vec<Trial> {
    let files = [
        descriptors::trials(),
        lines::trials(),
        many::trials(),
        slow::trials(),
    ];
    where_it_is_told(files.into_iter().flatten().collect())
}

/// The most memory that mailscope may take with one busy connection (issue: "Memory stays bounded"), and a
/// command that reads the transcript of it.
const PEAK: usize = 64 * MIB;

/// Ends the session; its memory was bounded.
fn bounded(session: Session) -> Ended {
    let ended = session.end();
    eprintln!("record: {} MiB", ended.peak / MIB);
    assert!(ended.peak < PEAK, "mailscope took {} MiB", ended.peak / MIB);
    ended
}

/// The commands that read a transcript come to its end, with as little memory.
fn is_readable(ended: &Ended) {
    for (command, ran) in ended.read_with(&["show", "stats", "lint"]) {
        let told = format!("{command}: {} MiB, {} octets", ran.peak / MIB, ran.printed);
        eprintln!("{told}");
        // What lint finds is not asked here.
        let code = ran
            .status
            .code()
            .filter(|code| (command, *code) != ("lint", 1));
        assert_eq!(code.unwrap_or(0), 0, "{told}: {}", ran.end);
        assert!(ran.printed > 0 && ran.peak < PEAK, "{told}");
    }
}
