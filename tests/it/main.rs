//! The integration tests, one binary: mailscope as its users run it, between real sockets.
//!
//! What belongs where:
//!
//! - `arrows`: the source tree's own laws, read from its `use` lines.
//! - `support`: mailscope as a process, a server and an app to put at its two ends, and a reader of
//!   transcripts that shares no code with mailscope's own.
//! - `real`: a real server and real clients.
//! - everything else: one file a promise that somebody outside relies on.
//!
//! No fixed ports, no waiting for luck: a test waits for a condition, with a limit. A test that
//! needs a program which is not installed is reported as ignored, with the line that installs it.

mod arrows;
mod authority;
mod bounds;
mod command_line;
mod diff;
mod disk;
mod edited;
mod endings;
mod examples;
mod explain;
mod failures;
mod faults;
mod filter;
mod fuzzing;
mod hostile;
mod import;
mod input;
mod killed;
mod library;
mod lint;
mod manifest;
mod memory;
mod names;
mod on_miss;
mod page;
mod pcapng;
mod peers;
mod private;
mod progress;
mod properties;
mod readme;
mod real;
mod record;
mod recordings;
mod relay;
mod replay;
mod scrub;
mod secrets;
mod serving;
mod shipping;
mod socks;
mod starttls;
mod stats;
mod support;
mod terminal;
mod time;
mod tls;
mod transparent;
mod trust_stores;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let files = [
        arrows::trials(),
        authority::trials(),
        bounds::trials(),
        command_line::trials(),
        diff::trials(),
        disk::trials(),
        edited::trials(),
        endings::trials(),
        examples::trials(),
        explain::trials(),
        failures::trials(),
        faults::trials(),
        import::trials(),
        filter::trials(),
        fuzzing::trials(),
        hostile::trials(),
        input::trials(),
        killed::trials(),
        library::trials(),
        lint::trials(),
        manifest::trials(),
        memory::trials(),
        names::trials(),
        on_miss::trials(),
        page::trials(),
        pcapng::trials(),
        peers::trials(),
        private::trials(),
        progress::trials(),
        readme::trials(),
        real::trials(),
        record::trials(),
        recordings::trials(),
        relay::trials(),
        replay::trials(),
        scrub::trials(),
        secrets::trials(),
        serving::trials(),
        shipping::trials(),
        socks::trials(),
        starttls::trials(),
        stats::trials(),
        terminal::trials(),
        time::trials(),
        tls::trials(),
        transparent::trials(),
        trust_stores::trials(),
    ];
    let trials = files.into_iter().flatten().collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
