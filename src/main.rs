//! Parses the arguments, runs, prints one error, and tells by its exit code how it went.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

/// The library leaves the choice to who uses it.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match mailscope::cli::run(mailscope::cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Not `eprintln`, which panics where standard error is closed.
            let _ = writeln!(std::io::stderr(), "mailscope: {error}");
            ExitCode::from(2)
        }
    }
}
