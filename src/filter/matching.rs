//! Whether an event matches.

use aho_corasick::AhoCorasick;
use wildmatch::WildMatchPattern;

use super::expression::{Comparison, Expression, Number, Test, Word};
use crate::event::{
    Body, Event, Finding, Label, Passed, Peer, Piece, Reading, Relation, Said, Status, Value,
};
use crate::session::{Place, Sessions, mailbox_name, mailbox_of};

/// `*` stands for any characters, and nothing else for anything but itself.
type Pattern = WildMatchPattern<'*', '\0'>;

/// Tells events that match from others. It is to be given all events, in their order: what one belongs
/// to follows from those before it.
pub struct Matcher {
    sessions: Sessions,
    wanted: Node,
}

enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Code(Vec<Pattern>),
    Command(Vec<Pattern>),
    Flag(Vec<Pattern>),
    From(Vec<&'static str>),
    Kind(Vec<&'static str>),
    Mailbox(Vec<Pattern>),
    Name(Vec<Pattern>),
    Note(Vec<Pattern>),
    Status(Vec<Status>),
    Tag(Vec<Pattern>),
    Number(Number, Comparison, Vec<u64>),
    Word(Word),
    /// `None` where it is too long to be looked for.
    Text(Option<AhoCorasick>),
}

impl Matcher {
    /// For this filter.
    pub fn new(filter: &Expression) -> Self {
        Self {
            sessions: Sessions::default(),
            wanted: Node::new(filter),
        }
    }

    /// Whether the next event matches.
    pub fn matches(&mut self, event: &Event) -> bool {
        let place = self.sessions.take(event);
        self.wanted.matches(event, &place)
    }
}

fn patterns(values: &[String]) -> Vec<Pattern> {
    let pattern = |value: &String| Pattern::new_case_insensitive(value);
    values.iter().map(pattern).collect()
}

impl Node {
    fn new(expression: &Expression) -> Self {
        let all = |members: &[Expression]| members.iter().map(Self::new).collect();
        match expression {
            Expression::All(members) => Self::All(all(members)),
            Expression::Any(members) => Self::Any(all(members)),
            Expression::Not(not) => Self::Not(Box::new(Self::new(not))),
            Expression::Test(test) => Self::test(test),
        }
    }

    fn test(test: &Test) -> Self {
        match test {
            Test::Code(values) => Self::Code(patterns(values)),
            Test::Command(values) => Self::Command(patterns(values)),
            Test::Flag(values) => Self::Flag(patterns(values)),
            Test::From(values) => Self::From(values.clone()),
            Test::Kind(values) => Self::Kind(values.clone()),
            // A name may be written as it stands on the wire, too.
            Test::Mailbox(values) => Self::Mailbox(
                values
                    .iter()
                    .map(|value| Pattern::new_case_insensitive(&mailbox_name(value.as_bytes())))
                    .collect(),
            ),
            Test::Name(values) => Self::Name(patterns(values)),
            Test::Note(values) => Self::Note(patterns(values)),
            Test::Status(values) => Self::Status(values.clone()),
            Test::Tag(values) => Self::Tag(patterns(values)),
            Test::Number(number, comparison, amounts) => {
                Self::Number(*number, *comparison, amounts.clone())
            }
            Test::Word(word) => Self::Word(*word),
            Test::Text(text) => {
                let search = AhoCorasick::builder()
                    .ascii_case_insensitive(true)
                    .build([text]);
                Self::Text(search.ok())
            }
        }
    }

    fn matches(&self, event: &Event, place: &Place) -> bool {
        let said = match &event.body {
            Body::Said(said) => Some(&**said),
            _ => None,
        };
        let is = |test: &dyn Fn(&Said) -> bool| said.is_some_and(test);
        match self {
            Self::All(all) => all.iter().all(|node| node.matches(event, place)),
            Self::Any(any) => any.iter().any(|node| node.matches(event, place)),
            Self::Not(not) => !not.matches(event, place),
            Self::Code(codes) => {
                is(&|said| said.code().is_some_and(|code| fits(codes, &code.name)))
            }
            Self::Command(names) => {
                let mut commands = place.commands.iter();
                commands.any(|command| is_called(&command.name, names))
            }
            Self::Flag(flags) => is(&|said| has_flag(said, flags)),
            Self::From(speakers) => speaker(event).is_some_and(|from| speakers.contains(&from)),
            Self::Kind(kinds) => kinds.contains(&kind(event)),
            Self::Mailbox(names) => is_about(event, place, names),
            Self::Name(names) => is(&|said| name(said).is_some_and(|name| fits(names, name))),
            Self::Note(ids) => match &event.body {
                Body::Note(Finding { id, .. }) => fits(ids, id),
                _ => false,
            },
            Self::Status(wanted) => {
                is(&|said| status(said).is_some_and(|status| wanted.contains(&status)))
            }
            Self::Tag(tags) => {
                let belongs = place
                    .commands
                    .iter()
                    .any(|command| fits(tags, &command.tag));
                belongs || is(&|said| tag(said).is_some_and(|tag| fits(tags, tag)))
            }
            Self::Number(number, comparison, amounts) => {
                let found = amount(*number, event);
                let holds = |found| {
                    amounts
                        .iter()
                        .any(|amount| comparison.holds(found, *amount))
                };
                found.is_some_and(holds)
            }
            Self::Word(Word::Ambiguous) => {
                is(&|said| matches!(said.relation, Relation::Ambiguous(_)))
            }
            Self::Word(Word::Incomplete) => is(&|said| said.incomplete),
            Self::Word(Word::Unsolicited) => is(&|said| said.relation == Relation::Unsolicited),
            Self::Text(search) => search
                .as_ref()
                .is_some_and(|search| has_text(event, search)),
        }
    }
}

/// `FETCH` is UID FETCH's name, too.
fn is_called(name: &str, names: &[Pattern]) -> bool {
    let bare = name.strip_prefix("UID ").unwrap_or(name);
    fits(names, name) || fits(names, bare)
}

fn name(said: &Said) -> Option<&str> {
    match &said.reading {
        Reading::Command { name, .. } => name.as_deref(),
        Reading::Untagged { name, .. } => Some(name),
        _ => None,
    }
}

fn fits(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(text))
}

/// The transcript's `kind`.
fn kind(event: &Event) -> &'static str {
    match &event.body {
        Body::Connected { .. } => "connected",
        Body::Secured(_) => "secured",
        Body::Compressed => "compressed",
        Body::Note(_) => "note",
        Body::Gap { .. } => "gap",
        Body::HalfClosed { .. } | Body::Closed { .. } => "closed",
        Body::Said(said) => match &said.reading {
            Reading::Greeting { .. } => "greeting",
            Reading::Command { .. } => "command",
            Reading::ContinuationRequest { .. } => "continuation_request",
            Reading::Continuation { .. } => "continuation",
            Reading::Untagged { .. } => "untagged",
            Reading::Tagged { .. } => "tagged",
            Reading::LiteralPart { .. } => "literal_part",
            Reading::Opaque => "opaque",
        },
    }
}

/// The transcript's `from`.
fn speaker(event: &Event) -> Option<&'static str> {
    match &event.body {
        Body::Said(said) if matches!(said.passed, Passed::Own) => Some("mailscope"),
        Body::Said(said) => Some(said.from.name()),
        Body::HalfClosed { from } => Some(from.name()),
        _ => None,
    }
}

fn status(said: &Said) -> Option<Status> {
    match &said.reading {
        Reading::Greeting { status }
        | Reading::Tagged { status, .. }
        | Reading::Untagged { status, .. } => *status,
        _ => None,
    }
}

fn tag(said: &Said) -> Option<&str> {
    match &said.reading {
        Reading::Command { tag, .. }
        | Reading::Continuation { tag, .. }
        | Reading::ContinuationRequest { tag, .. } => tag.as_deref(),
        Reading::Tagged { tag, .. } => Some(tag),
        _ => None,
    }
}

fn amount(number: Number, event: &Event) -> Option<u64> {
    match (number, &event.body) {
        (Number::At, _) => Some(event.at.0),
        (Number::Conn, _) => Some(event.conn),
        (Number::N, _) => Some(event.n),
        (Number::Octets, Body::Said(said)) => Some(said.wire.octets()),
        (Number::Elapsed, Body::Said(said)) => match &said.reading {
            Reading::Tagged { elapsed, .. } => elapsed.map(|elapsed| elapsed.0),
            _ => None,
        },
        _ => None,
    }
}

fn is_about(event: &Event, place: &Place, names: &[Pattern]) -> bool {
    let mut mailboxes = place
        .commands
        .iter()
        .flat_map(|command| command.mailboxes());
    if mailboxes.any(|mailbox| fits(names, mailbox)) {
        return true;
    }
    let Body::Said(said) = &event.body else {
        return false;
    };
    let named = named(said).is_some_and(|mailbox| fits(names, &mailbox));
    let selected = place.selected.as_deref();
    let is_meanwhile = said.relation == Relation::Unsolicited && said.from == Peer::Server;
    named || is_meanwhile && selected.is_some_and(|selected| fits(names, selected))
}

/// The mailbox that a response names.
fn named(said: &Said) -> Option<std::sync::Arc<str>> {
    let Reading::Untagged { name, .. } = &said.reading else {
        return None;
    };
    let at = match &**name {
        "LIST" | "LSUB" | "XLIST" => 2,
        "ACL" | "LISTRIGHTS" | "METADATA" | "MYRIGHTS" | "QUOTAROOT" | "STATUS" => 0,
        _ => return None,
    };
    said.arguments()
        .get(at)
        .filter(|value| !matches!(value, Value::List(_)))
        .and_then(mailbox_of)
}

/// A flag begins with a backslash or a dollar sign; a keyword stands in a list.
fn has_flag(said: &Said, flags: &[Pattern]) -> bool {
    let mut depth = 0_usize;
    said.spans.iter().any(|span| {
        match span.label {
            Label::ListOpen => depth += 1,
            Label::ListClose => depth = depth.saturating_sub(1),
            Label::Atom => {
                let octets = said.span_bytes(span);
                let is_one = depth > 0 || octets.starts_with(b"\\") || octets.starts_with(b"$");
                return is_one && fits(flags, &String::from_utf8_lossy(octets));
            }
            _ => {}
        }
        false
    })
}

fn has_text(event: &Event, search: &AhoCorasick) -> bool {
    match &event.body {
        Body::Note(note) => search.is_match(&*note.text),
        Body::Said(said) => {
            let bytes = said.wire.bytes();
            let mut start = 0;
            for piece in said.wire.pieces() {
                if let Piece::Secret(_, range) = piece {
                    if search.is_match(&bytes[start..range.start]) {
                        return true;
                    }
                    start = range.end;
                }
            }
            search.is_match(&bytes[start..])
        }
        _ => false,
    }
}
