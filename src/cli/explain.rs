//! `mailscope explain TERM`: what a word of IMAP means, with its RFC and section.
//!
//! Terms are taken as they stand on the wire, in any letter case, `UID FETCH` as two arguments too.
//! With `--output json` there is one object a line: `asked`, `term`, `kind`, `clause` or `origin`,
//! `sentence`, and `here` where the term says more as it is written (`BODY[1.2]<0.100>`, `1:5`). The
//! ids of notes and of `lint`'s rules are terms too. A term that is not known is told on standard error,
//! with near ones; exit code 2.

use std::process::ExitCode;

use serde_json::json;

use super::known;
use super::say::say;
use super::{Common, Output, print, view};
use crate::error::Result;
use crate::explain::{Entry, Kind, Part, Sentence, entries, find, here, near};
use crate::lint::{self, Rule};
use crate::sink::palette::{Meaning, Palette};
use crate::sink::printable;
use crate::sink::terminal::{Color, Style};

/// Columns that text has at most: longer lines are hard to read.
const WIDEST: usize = 100;

/// Columns that further rows hang in.
const HANG: usize = 2;

/// The arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Commands, capabilities, response codes, flags, FETCH items, notes and so on, as they stand on
    /// the wire (in a shell: '\Seen', '$Junk', -- -FLAGS); none for a list of all.
    #[arg(value_name = "TERM", value_parser = known::all_terms(), hide_possible_values = true)]
    terms: Vec<String>,

    /// List all terms, by kind.
    #[arg(long, conflicts_with = "terms")]
    list: bool,
}

/// Prints what the terms mean.
pub fn run(arguments: &Arguments, common: &Common) -> Result<ExitCode> {
    let page = Page::new(view::style(common));
    if arguments.list || arguments.terms.is_empty() {
        return print(&match common.output {
            Output::Text => page.list(),
            Output::Json => entries().iter().map(|entry| object(None, entry)).collect(),
        });
    }
    let (mut text, mut is_complete) = (String::new(), true);
    for term in asked(&arguments.terms) {
        let found = find(&term);
        let rule = rule(&term).filter(|_| found.is_empty());
        if let Some(rule) = rule {
            text.push_str(&match common.output {
                Output::Text => page.rule(rule),
                Output::Json => rule_object(&term, rule),
            });
        } else if found.is_empty() {
            say(&unknown(&term));
            is_complete = false;
        }
        let here = here(&term).as_ref().map(plain);
        for entry in found {
            text.push_str(&match common.output {
                Output::Text => page.entry(entry, here.as_deref()),
                Output::Json => object(Some((&term, here.as_deref())), entry),
            });
        }
    }
    let printed = print(&text)?;
    Ok(match is_complete {
        true => printed,
        false => ExitCode::from(2),
    })
}

/// The terms, `UID` and `FETCH` put together.
fn asked(words: &[String]) -> Vec<String> {
    let mut asked: Vec<String> = Vec::new();
    for word in words {
        if let Some(before) = asked.last_mut()
            && before.eq_ignore_ascii_case("UID")
        {
            let both = format!("{before} {word}");
            let is_command = |entry: &&Entry| entry.term.eq_ignore_ascii_case(&both);
            if find(&both).iter().any(is_command) {
                *before = both;
                continue;
            }
        }
        asked.push(word.clone());
    }
    asked
}

fn unknown(term: &str) -> String {
    let shown = printable::escaped(&term.chars().take(80).collect::<String>());
    let near = near(term);
    let hint = match near.as_slice() {
        [] => "`mailscope explain --list` has all of them".to_owned(),
        [one] => format!("did you mean {one}?"),
        [others @ .., last] => format!("did you mean {} or {last}?", others.join(", ")),
    };
    format!("mailscope: no term of IMAP that is known here: {shown}\n  {hint}")
}

/// A sentence with the words that somebody typed, made fit to be shown.
fn plain(sentence: &Sentence) -> String {
    let part = |part: &Part| match part {
        Part::Own(words) => words.to_string(),
        Part::Sent(octets) => printable::escaped(&String::from_utf8_lossy(octets)),
    };
    sentence.parts().iter().map(part).collect()
}

fn object(asked: Option<(&str, Option<&str>)>, entry: &Entry) -> String {
    let mut object = serde_json::Map::new();
    let mut set = |name: &str, value: Option<&str>| {
        object.extend(value.map(|value| (name.to_owned(), value.into())));
    };
    set("asked", asked.map(|(term, _)| term));
    set("term", Some(entry.term));
    set("kind", Some(entry.kind.name()));
    set("clause", entry.clause());
    set("origin", entry.origin());
    set("sentence", Some(entry.sentence));
    set("here", asked.and_then(|(_, here)| here));
    format!("{}\n", serde_json::Value::Object(object))
}

/// A rule of `lint` with this id.
fn rule(term: &str) -> Option<&'static Rule> {
    lint::rule(&term.to_ascii_lowercase())
}

fn rule_object(asked: &str, rule: &Rule) -> String {
    let object = json!({
        "asked": asked,
        "term": rule.id,
        "kind": "lint rule",
        "clause": rule.clause,
        "sentence": rule.sentence,
    });
    format!("{object}\n")
}

/// What is printed for people. All of it is mailscope's own.
struct Page {
    width: usize,
    palette: &'static Palette,
}

impl Page {
    fn new(style: Style) -> Self {
        Self {
            width: style.width.clamp(HANG + 20, WIDEST),
            palette: match style.color {
                Color::Never => Palette::plain(),
                Color::Ansi => Palette::ansi(),
            },
        }
    }

    /// `IDLE  command  RFC 9051, 6.3.13`, and the sentence below.
    fn entry(&self, entry: &Entry, here: Option<&str>) -> String {
        let here = here.map(|here| format!("Here: {here}."));
        let sentences = [Some(entry.sentence), here.as_deref()];
        self.section(entry.term, entry.kind.name(), entry.source, &sentences)
    }

    /// The same of what `lint` looks for.
    fn rule(&self, rule: &Rule) -> String {
        let kind = format!("lint rule, {}", rule.severity.name());
        self.section(rule.id, &kind, rule.clause, &[Some(rule.sentence)])
    }

    fn section(&self, term: &str, kind: &str, source: &str, sentences: &[Option<&str>]) -> String {
        let mut text = self.painted(Meaning::Name, term);
        let head = format!("  {kind}");
        let fits = term.len() + head.len() + 2 + source.len() <= self.width;
        text.push_str(&head);
        text.push_str(if fits { "  " } else { "\n  " });
        text.push_str(&self.painted(Meaning::Dim, source));
        text.push('\n');
        for sentence in sentences.iter().flatten() {
            self.wrap(&mut text, &mut sentence.split(' '), " ", Meaning::Plain);
        }
        text
    }

    /// The terms of each kind below its heading.
    fn list(&self) -> String {
        let mut text = String::new();
        for kind in Kind::ALL {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&self.painted(Meaning::Name, &kind.plural()));
            text.push('\n');
            let of_kind = entries().iter().filter(|entry| entry.kind == kind);
            self.wrap(
                &mut text,
                &mut of_kind.map(|entry| entry.term),
                "  ",
                Meaning::Plain,
            );
        }
        text
    }

    /// Adds the words in rows that hang in.
    fn wrap(
        &self,
        text: &mut String,
        words: &mut dyn Iterator<Item = &str>,
        between: &str,
        meaning: Meaning,
    ) {
        let mut row = String::new();
        for word in words {
            if !row.is_empty() && HANG + row.len() + between.len() + word.len() > self.width {
                text.push_str(&format!("  {}\n", self.painted(meaning, &row)));
                row.clear();
            }
            if !row.is_empty() {
                row.push_str(between);
            }
            row.push_str(word);
        }
        text.push_str(&format!("  {}\n", self.painted(meaning, &row)));
    }

    fn painted(&self, meaning: Meaning, words: &str) -> String {
        let mut out = Vec::new();
        self.palette.paint(&mut out, meaning, words);
        String::from_utf8_lossy(&out).into_owned()
    }
}
