//! Arguments that may be anything of their kind, some of it known: what a shell offers when somebody
//! presses Tab. What is not offered is accepted all the same.

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};

use super::provider;
use crate::explain::{Kind, entries};
use crate::fault::{self, Fault};
use crate::lint;

/// A parser, and what is known of the values that it takes.
#[derive(Clone)]
pub struct Known<P> {
    parser: P,
    values: fn() -> Vec<PossibleValue>,
}

impl<P: TypedValueParser> TypedValueParser for Known<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Self::Value, clap::Error> {
        self.parser.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.values)().into_iter()))
    }
}

fn text(values: fn() -> Vec<PossibleValue>) -> Known<StringValueParser> {
    Known {
        parser: StringValueParser::new(),
        values,
    }
}

/// SERVER: the providers' names.
pub fn servers() -> impl TypedValueParser<Value = String> {
    text(|| provider::names().map(PossibleValue::new).collect())
}

/// `--fault`: the names that one begins with.
pub fn faults() -> impl TypedValueParser<Value = Fault> {
    Known {
        parser: |text: &str| text.parse::<Fault>(),
        values: || fault::NAMES.map(PossibleValue::new).to_vec(),
    }
}

/// `--hide-capability`
pub fn capabilities() -> impl TypedValueParser<Value = String> {
    text(|| terms(|kind| kind == Kind::Capability))
}

/// `explain`: everything that a shell need not quote.
pub fn all_terms() -> impl TypedValueParser<Value = String> {
    text(|| terms(|_| true))
}

/// `lint --allow`
pub fn rules() -> impl TypedValueParser<Value = String> {
    text(|| {
        let ids = lint::RULES.iter().map(|rule| rule.id);
        ids.map(PossibleValue::new).collect()
    })
}

fn terms(is_wanted: impl Fn(Kind) -> bool) -> Vec<PossibleValue> {
    let is_plain = |term: &&str| {
        term.starts_with(|first: char| first.is_ascii_alphanumeric())
            && term
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || b"-_.=+".contains(&octet))
    };
    let wanted = entries().iter().filter(|entry| is_wanted(entry.kind));
    let mut terms: Vec<&str> = wanted.map(|entry| entry.term).filter(is_plain).collect();
    terms.sort_unstable();
    terms.dedup();
    terms.into_iter().map(PossibleValue::new).collect()
}
