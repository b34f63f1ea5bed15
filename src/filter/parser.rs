//! From tokens to an expression.

use std::ops::Range;

use super::error::BadFilter;
use super::expression::{Comparison, Expression, Number, Test, Word};
use super::lexer::{Kind, Token, tokens};
use crate::event::Status;
use crate::limits;

/// Reads a filter.
///
/// # Errors
///
/// It is none: where that is seen, and what was expected there.
pub fn parse(text: &str) -> Result<Expression, BadFilter> {
    if text.len() > limits::FILTER {
        let expected = format!("a filter has no more than {} octets", limits::FILTER);
        return Err(BadFilter::new("", 0..0, expected));
    }
    let mut parser = Parser {
        text,
        tokens: tokens(text)?.into_iter().peekable(),
        depth: 0,
    };
    let expression = parser.any()?;
    match parser.tokens.next() {
        None => Ok(expression),
        Some(token) => Err(parser.bad(token.place, "expected no `)`: no `(` is open")),
    }
}

const FIELDS: [&str; 10] = [
    "code", "command", "flag", "from", "kind", "mailbox", "name", "note", "status", "tag",
];

/// Who speaks, in a transcript.
const SPEAKERS: [&str; 3] = ["client", "server", "mailscope"];

/// The transcript's kinds of events.
const KINDS: [&str; 14] = [
    "connected",
    "secured",
    "compressed",
    "greeting",
    "command",
    "continuation_request",
    "continuation",
    "untagged",
    "tagged",
    "literal_part",
    "opaque",
    "note",
    "gap",
    "closed",
];

const STATUSES: [Status; 5] = [
    Status::Ok,
    Status::No,
    Status::Bad,
    Status::Preauth,
    Status::Bye,
];

struct Parser<'a> {
    text: &'a str,
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Parser<'_> {
    fn bad(&self, place: Range<usize>, expected: impl Into<String>) -> BadFilter {
        BadFilter::new(self.text, place, expected)
    }

    fn next_is(&mut self, word: &str) -> bool {
        let is_it = |token: &Token| matches!(&token.kind, Kind::Word(other) if other == word);
        self.tokens.next_if(is_it).is_some()
    }

    fn any(&mut self) -> Result<Expression, BadFilter> {
        let mut any = vec![self.all()?];
        while self.next_is("or") {
            any.push(self.all()?);
        }
        Ok(one_or(any, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, BadFilter> {
        let mut all = vec![self.one()?];
        loop {
            let goes_on = match self.tokens.peek().map(|token| &token.kind) {
                None | Some(Kind::Close) => false,
                Some(Kind::Word(word)) => word != "or",
                Some(_) => true,
            };
            if !goes_on {
                return Ok(one_or(all, Expression::All));
            }
            self.next_is("and");
            all.push(self.one()?);
        }
    }

    fn one(&mut self) -> Result<Expression, BadFilter> {
        let is_not = |token: &Token| match &token.kind {
            Kind::Not => true,
            Kind::Word(word) => word == "not",
            _ => false,
        };
        let mut negations = 0;
        while self.tokens.next_if(is_not).is_some() {
            negations += 1;
        }
        let test = self.test()?;
        Ok(match negations % 2 {
            0 => test,
            _ => Expression::Not(Box::new(test)),
        })
    }

    fn test(&mut self) -> Result<Expression, BadFilter> {
        let Some(token) = self.tokens.next() else {
            let end = self.text.len();
            return Err(self.bad(end..end, "expected a test here, such as command:FETCH"));
        };
        match token.kind {
            Kind::Open => self.enclosed(token.place),
            Kind::Text(text) if text.is_empty() => {
                Err(self.bad(token.place, "expected a text between the quotes"))
            }
            Kind::Text(text) => Ok(Expression::Test(Test::Text(text))),
            Kind::Word(word) => self.named(&word, token.place).map(Expression::Test),
            Kind::Close | Kind::Not | Kind::Comma | Kind::Compare(_) | Kind::Value(_) => {
                Err(self.bad(token.place, "expected a test here, such as command:FETCH"))
            }
        }
    }

    fn enclosed(&mut self, opened: Range<usize>) -> Result<Expression, BadFilter> {
        self.depth += 1;
        if self.depth > limits::FILTER_NESTING {
            let expected = format!(
                "parentheses are nested {} deep at most",
                limits::FILTER_NESTING
            );
            return Err(self.bad(opened, expected));
        }
        let inner = self.any()?;
        self.depth -= 1;
        match self.tokens.next().map(|token| token.kind) {
            Some(Kind::Close) => Ok(inner),
            _ => Err(self.bad(opened, "expected a `)` for this `(`")),
        }
    }

    /// A field with its values, or a word alone.
    fn named(&mut self, word: &str, place: Range<usize>) -> Result<Test, BadFilter> {
        let is_compare = |token: &Token| matches!(token.kind, Kind::Compare(_));
        let Some(compare) = self.tokens.next_if(is_compare) else {
            return self.alone(word, place);
        };
        let mut values = Vec::new();
        while let Some(token) = self
            .tokens
            .next_if(|token| matches!(token.kind, Kind::Value(_) | Kind::Comma))
        {
            if let Kind::Value(value) = token.kind {
                values.push((value, token.place));
            }
        }
        let Kind::Compare(sign) = compare.kind else {
            return self.alone(word, place);
        };
        if let Some((_, number)) = Number::ALL.iter().find(|(name, _)| *name == word) {
            return self.number(*number, word, sign, values);
        }
        if !FIELDS.contains(&word) {
            return Err(self.bad(place, unknown(word)));
        }
        match sign {
            ":" | "=" => self.field(word, values),
            _ => Err(self.bad(compare.place, format!("expected {word}: and a value"))),
        }
    }

    fn alone(&self, word: &str, place: Range<usize>) -> Result<Test, BadFilter> {
        if let Some((_, word)) = Word::ALL.iter().find(|(name, _)| *name == word) {
            return Ok(Test::Word(*word));
        }
        let is_number = Number::ALL.iter().any(|(name, _)| *name == word);
        let expected = match word {
            "and" | "or" => format!("expected a test before `{word}`"),
            _ if is_number => format!("expected a comparison and an amount behind {word}"),
            _ if FIELDS.contains(&word) => format!("expected `:` and a value behind {word}"),
            _ => unknown(word),
        };
        Err(self.bad(place, expected))
    }

    fn field(&self, field: &str, values: Vec<(String, Range<usize>)>) -> Result<Test, BadFilter> {
        let of = |known: &[&'static str]| -> Result<Vec<&'static str>, BadFilter> {
            let one = |(value, place): &(String, Range<usize>)| {
                let found = known.iter().find(|known| known.eq_ignore_ascii_case(value));
                found.copied().ok_or_else(|| {
                    self.bad(
                        place.clone(),
                        format!("expected one of {}", known.join(", ")),
                    )
                })
            };
            values.iter().map(one).collect()
        };
        let texts = || values.iter().map(|(value, _)| value.clone()).collect();
        Ok(match field {
            "code" => Test::Code(texts()),
            "command" => Test::Command(texts()),
            "flag" => Test::Flag(texts()),
            "from" => Test::From(of(&SPEAKERS)?),
            "kind" => Test::Kind(of(&KINDS)?),
            "mailbox" => Test::Mailbox(texts()),
            "name" => Test::Name(texts()),
            "note" => Test::Note(texts()),
            "tag" => Test::Tag(texts()),
            _ => {
                let names = of(&STATUSES.map(Status::name))?.into_iter();
                Test::Status(
                    names
                        .filter_map(|name| Status::parse(name.as_bytes()))
                        .collect(),
                )
            }
        })
    }

    fn number(
        &self,
        number: Number,
        name: &str,
        sign: &str,
        values: Vec<(String, Range<usize>)>,
    ) -> Result<Test, BadFilter> {
        let comparison = Comparison::of(sign);
        if let (Some((_, place)), false) = (values.get(1), comparison == Comparison::Equal) {
            return Err(self.bad(place.clone(), "expected one amount behind this comparison"));
        }
        let units: &[(&str, f64)] = match number {
            Number::Octets => &OCTETS,
            number if number.is_time() => &TIMES,
            _ => &[("", 1.0)],
        };
        let wanted = match number {
            Number::Octets => "an amount such as 512, 10kB or 1.5MiB",
            number if number.is_time() => "a time such as 200ms, 1.5s or 2min",
            _ => "a whole number",
        };
        let amounts = values.into_iter().map(|(value, place)| {
            amount(&value, units)
                .ok_or_else(|| self.bad(place, format!("expected {wanted} behind {name}{sign}")))
        });
        let amounts: Result<Vec<u64>, BadFilter> = amounts.collect();
        Ok(Test::Number(number, comparison, amounts?))
    }
}

const TIMES: [(&str, f64); 8] = [
    ("", 1e6),
    ("s", 1e6),
    ("us", 1.0),
    ("µs", 1.0),
    ("ms", 1e3),
    ("m", 60e6),
    ("min", 60e6),
    ("h", 3600e6),
];

const OCTETS: [(&str, f64); 7] = [
    ("", 1.0),
    ("b", 1.0),
    ("kb", 1e3),
    ("kib", 1024.0),
    ("mb", 1e6),
    ("mib", 1_048_576.0),
    ("gib", 1_073_741_824.0),
];

/// A number with a unit; whole numbers are exact.
fn amount(text: &str, units: &[(&str, f64)]) -> Option<u64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.to_lowercase();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(*factor as u64);
    }
    if units.len() == 1 || !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let amount = number.parse::<f64>().ok()? * factor;
    (amount < 1e18).then(|| amount.round() as u64)
}

fn unknown(word: &str) -> String {
    let numbers = Number::ALL.iter().map(|(name, _)| *name);
    let words = Word::ALL.iter().map(|(name, _)| *name);
    let mut known: Vec<&str> = FIELDS.iter().copied().chain(numbers).chain(words).collect();
    known.sort_unstable();
    let known = known.join(", ");
    format!("no test is called {word}, but {known}; a text to look for stands in quotes")
}

fn one_or(mut some: Vec<Expression>, several: fn(Vec<Expression>) -> Expression) -> Expression {
    match some.pop() {
        Some(only) if some.is_empty() => only,
        Some(last) => {
            some.push(last);
            several(some)
        }
        None => several(some),
    }
}
