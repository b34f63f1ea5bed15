//! `mailscope completions SHELL`: what a shell needs to complete mailscope's commands, their options,
//! and the values that are known.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, print_octets};
use crate::error::Result;

/// The arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Where the script goes:
  bash        mailscope completions bash > ~/.local/share/bash-completion/completions/mailscope
  zsh         mailscope completions zsh > \"${fpath[1]}/_mailscope\"
  fish        mailscope completions fish > ~/.config/fish/completions/mailscope.fish
  PowerShell  mailscope completions powershell >> $PROFILE")]
pub struct Arguments {
    /// The shell that the script is for.
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes the script to standard output.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "mailscope",
        &mut script,
    );
    print_octets(&script)
}
