//! Parses the arguments, runs, prints one error, and tells by its exit code how it went.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match mailscope::cli::run(mailscope::cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("mailscope: {error}");
            ExitCode::from(2)
        }
    }
}
