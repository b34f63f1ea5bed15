//! What a filter says. Displayed, it is a filter that says the same.

use std::fmt;

use super::lexer::ends;
use crate::event::Status;

/// A filter that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// All of these; at least two.
    All(Vec<Expression>),
    /// Any of these; at least two.
    Any(Vec<Expression>),
    /// Not this.
    Not(Box<Expression>),
    /// A test of one event.
    Test(Test),
}

/// A test of one event. Values are kept as they were written; several are any of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// `code:ALERT`
    Code(Vec<String>),
    /// `command:FETCH`
    Command(Vec<String>),
    /// `flag:\Seen`
    Flag(Vec<String>),
    /// `from:server`
    From(Vec<&'static str>),
    /// `kind:command`
    Kind(Vec<&'static str>),
    /// `mailbox:INBOX`
    Mailbox(Vec<String>),
    /// `name:EXISTS`
    Name(Vec<String>),
    /// `note:bare-lf`
    Note(Vec<String>),
    /// `status:NO`
    Status(Vec<Status>),
    /// `tag:a1`
    Tag(Vec<String>),
    /// `elapsed>200ms`; times are microseconds.
    Number(Number, Comparison, Vec<u64>),
    /// `unsolicited`
    Word(Word),
    /// `"text"`
    Text(String),
}

/// What is compared with an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Since the start.
    At,
    /// The connection.
    Conn,
    /// How long the answer took.
    Elapsed,
    /// The event's number.
    N,
    /// Of the message.
    Octets,
}

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `:` or `=`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// A test without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// One of several commands may have asked for it.
    Ambiguous,
    /// It was cut off.
    Incomplete,
    /// No command asked for it.
    Unsolicited,
}

impl Number {
    pub(super) const ALL: [(&'static str, Self); 5] = [
        ("at", Self::At),
        ("conn", Self::Conn),
        ("elapsed", Self::Elapsed),
        ("n", Self::N),
        ("octets", Self::Octets),
    ];

    /// Whether its amounts are times.
    pub(super) fn is_time(self) -> bool {
        matches!(self, Self::At | Self::Elapsed)
    }

    fn name(self) -> &'static str {
        let named = Self::ALL.iter().find(|(_, number)| *number == self);
        named.map_or("", |(name, _)| name)
    }

    fn write(self, f: &mut fmt::Formatter<'_>, amount: u64) -> fmt::Result {
        match self {
            Self::At | Self::Elapsed if amount.is_multiple_of(1000) => {
                write!(f, "{}ms", amount / 1000)
            }
            Self::At | Self::Elapsed => write!(f, "{amount}us"),
            Self::Conn | Self::N | Self::Octets => write!(f, "{amount}"),
        }
    }
}

impl Comparison {
    pub(super) fn of(sign: &str) -> Self {
        match sign {
            "!=" => Self::Unequal,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::More,
            ">=" => Self::AtLeast,
            _ => Self::Equal,
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Equal => ":",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }

    pub(super) fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

impl Word {
    pub(super) const ALL: [(&'static str, Self); 3] = [
        ("ambiguous", Self::Ambiguous),
        ("incomplete", Self::Incomplete),
        ("unsolicited", Self::Unsolicited),
    ];
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(all) => joined(f, all, " "),
            Self::Any(any) => joined(f, any, " or "),
            Self::Not(not) => match **not {
                Self::Test(_) => write!(f, "not {not}"),
                _ => write!(f, "not ({not})"),
            },
            Self::Test(test) => write!(f, "{test}"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, members: &[Expression], between: &str) -> fmt::Result {
    for (at, member) in members.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        enclosed(f, member)?;
    }
    Ok(())
}

fn enclosed(f: &mut fmt::Formatter<'_>, expression: &Expression) -> fmt::Result {
    match expression {
        Expression::All(_) | Expression::Any(_) => write!(f, "({expression})"),
        _ => write!(f, "{expression}"),
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(values) => field(f, "code", values),
            Self::Command(values) => field(f, "command", values),
            Self::Flag(values) => field(f, "flag", values),
            Self::From(values) => field(f, "from", values),
            Self::Kind(values) => field(f, "kind", values),
            Self::Mailbox(values) => field(f, "mailbox", values),
            Self::Name(values) => field(f, "name", values),
            Self::Note(values) => field(f, "note", values),
            Self::Status(values) => {
                let names: Vec<&str> = values.iter().map(|status| status.name()).collect();
                field(f, "status", &names)
            }
            Self::Tag(values) => field(f, "tag", values),
            Self::Number(number, comparison, amounts) => {
                write!(f, "{}{}", number.name(), comparison.sign())?;
                for (at, amount) in amounts.iter().enumerate() {
                    if at > 0 {
                        f.write_str(",")?;
                    }
                    number.write(f, *amount)?;
                }
                Ok(())
            }
            Self::Word(word) => {
                let named = Word::ALL.iter().find(|(_, known)| known == word);
                f.write_str(named.map_or("", |(name, _)| name))
            }
            Self::Text(text) => quoted(f, text),
        }
    }
}

fn field(f: &mut fmt::Formatter<'_>, name: &str, values: &[impl AsRef<str>]) -> fmt::Result {
    write!(f, "{name}")?;
    for (at, value) in values.iter().enumerate() {
        f.write_str(if at == 0 { ":" } else { "," })?;
        let value = value.as_ref();
        match value.is_empty() || value.contains(ends) {
            true => quoted(f, value)?,
            false => f.write_str(value)?,
        }
    }
    Ok(())
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
