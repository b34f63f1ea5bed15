//! `mailscope man`: the manual pages, made of what `--help` says, one a command.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::say::say;
use super::{Cli, print_octets};
use crate::error::{Doing, Error, Result};

/// The arguments of `man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Read a page:       mailscope man record | man -l -
Install them all:  mailscope man --out ~/.local/share/man/man1")]
pub struct Arguments {
    /// The command whose page is written to standard output, such as `record` or `ca export`;
    /// mailscope's own page if none is named.
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,

    /// Write the pages of all commands into this folder instead, which is made if need be:
    /// mailscope.1, mailscope-record.1 and so on. Those that are there are replaced.
    #[arg(short, long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
}

/// Writes one page, or all.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    // The `help` command that clap adds has no page.
    let mut mailscope = Cli::command().disable_help_subcommand(true);
    mailscope.build();
    if let Some(folder) = &arguments.out {
        let pages = write_all(&mailscope, folder)
            .doing(|| format!("write the manual pages to {}", folder.display()))?;
        let folder = folder.display();
        say(&format!("mailscope: {pages} manual pages in {folder}"));
        return Ok(ExitCode::SUCCESS);
    }
    let mut command = &mailscope;
    for name in &arguments.command {
        command = command.find_subcommand(name).ok_or_else(|| {
            let names = command.get_subcommands();
            let names: Vec<&str> = names.map(clap::Command::get_name).collect();
            Error::new(
                format!("write the manual page of {}", arguments.command.join(" ")),
                format!("{} has no command {name:?}", command.get_name()),
            )
            .hint(match names.is_empty() {
                true => "its page without that".to_owned(),
                false => names.join(", "),
            })
        })?;
    }
    let page = page(command).doing(|| "write the manual page".into())?;
    if io::stdout().is_terminal() {
        let of = arguments.command.join(" ");
        say(&format!("mailscope: to read it: mailscope man {of} | man -l -").replace("  ", " "));
    }
    print_octets(&page)
}

/// Writes the page of the command and those below it; how many those are. They are for whoever reads
/// manuals, and so have the modes that the umask gives them.
fn write_all(command: &clap::Command, folder: &Path) -> io::Result<usize> {
    fs::create_dir_all(folder)?;
    let name = command.get_display_name().unwrap_or(command.get_name());
    fs::write(folder.join(format!("{name}.1")), page(command)?)?;
    let mut pages = 1;
    for below in command.get_subcommands() {
        pages += write_all(below, folder)?;
    }
    Ok(pages)
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let version = env!("CARGO_PKG_VERSION");
    // Not the crate's own, which passes over a date that is not told, and takes the next for it.
    let title = format!(".TH {name} 1 \"\" \"mailscope {version}\" mailscope\n");
    let man = Man::new(command.clone());
    let mut sections = Vec::new();
    man.render_name_section(&mut sections)?;
    synopsis(command).to_writer(&mut sections)?;
    man.render_description_section(&mut sections)?;
    man.render_options_section(&mut sections)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut sections)?;
    }
    if command.get_after_help().is_some() {
        man.render_extra_section(&mut sections)?;
    }
    ending(command).to_writer(&mut sections)?;
    let sections = String::from_utf8(sections).map_err(io::Error::other)?;
    Ok(format!("{APOSTROPHE}{title}{}", tidied(&sections)).into_bytes())
}

/// What every section begins with, and a page needs once: how an apostrophe is set.
const APOSTROPHE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// Without what `mandoc -T lint` warns of.
fn tidied(sections: &str) -> String {
    sections
        .replace(APOSTROPHE, "")
        .replace("\n.br\n\n.br\n", "\n.sp\n")
        // A backslash outside of macros.
        .replace(r"\\", r"\(rs")
}

/// As `--help` has it, with the values that options take left to OPTIONS.
fn synopsis(command: &clap::Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:");
    let lines = usage.lines().map(str::trim).filter(|line| !line.is_empty());
    for (i, line) in lines.enumerate() {
        if i > 0 {
            roff.control("br", []);
        }
        roff.text([roman(line)]);
    }
    roff
}

/// What all pages have at their end.
fn ending(command: &clap::Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in [
        ("0", "Done, and everything matched."),
        (
            "1",
            "Something did not match in a replay, differs in a diff, is found by lint, or exceeds a \
             budget of stats.",
        ),
        (
            "2",
            "It could not run, or could not record everything; standard error says why and what to try.",
        ),
    ] {
        roff.control("TP", []);
        roff.text([bold(code)]);
        roff.text([roman(meaning)]);
    }
    let is_own = command.get_name() == "mailscope";
    if is_own {
        roff.control("SH", ["ENVIRONMENT"]);
        for (name, meaning) in [
            (
                "MAILSCOPE_CA_DIR",
                "The folder of the certificate authorities, as --ca-dir.",
            ),
            (
                "NO_COLOR",
                "Not empty: no colours, unless --color says otherwise.",
            ),
            (
                "COLUMNS",
                "The width of lines where standard output is no terminal; else 80.",
            ),
            (
                "SSLKEYLOGFILE",
                "The file that record and replay append the keys of TLS sessions to, as --keylog.",
            ),
        ] {
            roff.control("TP", []);
            roff.text([bold(name)]);
            roff.text([roman(meaning)]);
        }
    }
    roff
}
