//! What holds whatever mailscope is given: each property is a function of any octets, which panics where
//! it does not hold.
//!
//! The fuzz targets (`fuzz/`) try them without end; the tests try what was once found, and the corpus
//! that was kept. Only mailscope's public interface is used here, and nothing of the rest of the tests.
//!
//! The octets are the files themselves where a file is read, and else [a conversation](talk) whose marks
//! are octets that UTF-8 has not: a fuzzer that puts octets in or takes some out changes one step of it
//! and leaves the others, and a seed made of a recording is nearly its text.

mod bridge;
mod capture_reader;
mod filter;
mod framer;
mod observer;
mod replay_player;
mod scrub;
mod secrets;
mod sinks;
mod sound;
pub mod talk;
mod text_importer;
mod transcript_reader;

pub use bridge::bridge;
pub use capture_reader::capture_reader;
pub use filter::filter;
pub use framer::framer;
pub use observer::observer;
pub use replay_player::replay_player;
pub use scrub::scrub;
pub use secrets::secrets;
pub use sinks::sinks;
pub use text_importer::text_importer;
pub use transcript_reader::transcript_reader;

/// A property.
pub type Property = fn(&[u8]);

/// All of them, with the names of their fuzz targets.
pub const ALL: [(&str, Property); 11] = [
    ("bridge", bridge),
    ("capture_reader", capture_reader),
    ("filter", filter),
    ("framer", framer),
    ("observer", observer),
    ("replay_player", replay_player),
    ("scrub", scrub),
    ("secrets", secrets),
    ("sinks", sinks),
    ("text_importer", text_importer),
    ("transcript_reader", transcript_reader),
];

/// Octets as they are told in a failure.
fn shown(octets: &[u8]) -> String {
    octets.escape_ascii().to_string()
}
