//! The authorities there are: where each is, what it is good for, until when, and its fingerprint.

use std::fmt::Write;

use clap::ValueEnum;

use super::platform::Platform;
use super::{place, with_flags};
use crate::net::{Authority, Kept, Scope};

/// What `mailscope ca` prints; `asked` is the authority that its flags chose.
pub fn list(kept: &[Kept], asked: &Scope) -> String {
    let mut text = "mailscope's certificate authorities\n".to_owned();
    for one in kept {
        text.push('\n');
        match &one.authority {
            Ok(authority) => text.push_str(&about(authority)),
            // Writing into a String cannot fail.
            Err(error) => {
                let _ = writeln!(text, "  File      {}", one.folder.display());
                let _ = writeln!(text, "  Broken    {error}");
            }
        }
    }
    text.push_str(&what_now(&asked.flags()));
    text
}

/// One authority, at most 80 columns wide but for the path and for long names.
pub fn about(authority: &Authority) -> String {
    let fingerprint = authority.fingerprint_sha256();
    let (first, second) = halves(&fingerprint);
    let flags = match authority.scope().flags() {
        flags if flags.is_empty() => "none: the default".to_owned(),
        flags => flags,
    };
    format!(
        "  File      {file}
  Name      {name}
  Good for  {scope}
  Flags     {flags}
  SHA-256   {first}
            {second}
  Until     {until}
",
        file = place(authority),
        name = authority.name(),
        scope = good_for(authority.scope()),
        until = authority.not_after().date(),
    )
}

fn good_for(scope: &Scope) -> String {
    match scope {
        Scope::Local | Scope::Hosts(_) => format!("{scope}"),
        Scope::Unconstrained => {
            "ANY server: whoever has its key can pose as any to those who\n            trust it"
                .to_owned()
        }
    }
}

/// A fingerprint in two lines, as browsers show it.
pub fn halves(fingerprint: &str) -> (&str, &str) {
    fingerprint.split_at(fingerprint.len().div_ceil(2))
}

fn what_now(flags: &str) -> String {
    let mut text = format!(
        "
How to trust one, and how to take that back, step by step:

  {}

  where PLATFORM is one of
",
        with_flags("mailscope ca trust PLATFORM", flags)
    );
    for platform in Platform::value_variants() {
        if let Some(value) = platform.to_possible_value() {
            let help = value.get_help().map(ToString::to_string);
            // Writing into a String cannot fail.
            let _ = writeln!(
                text,
                "    {:<12}{}",
                value.get_name(),
                help.unwrap_or_default()
            );
        }
    }
    let _ = write!(
        text,
        "
The certificate as a file for elsewhere (the key stays here):

  {}

An app that cannot be set to localhost needs another authority: --as HOST with
this command makes it, and the same --as HOST with `mailscope record` takes it.
",
        with_flags(
            "mailscope ca export --format pem|der|mobileconfig -o FILE",
            flags
        )
    );
    text
}
