//! A command's head and arguments, read from its spans (RFC 9051, section 6).
//!
//! ```text
//! C: a1 UID FETCH 1:* (FLAGS)    tag a1, name UID FETCH, arguments 1:* and a list
//! ```

use std::borrow::Cow;
use std::ops::Range;

use crate::event::{Label, Message, Span};

/// Every command of RFC 9051, RFC 3501 and the registered extensions, and of Gmail and Apple.
pub(super) const COMMANDS: &[&str] = &[
    "APPEND",
    "AUTHENTICATE",
    "CANCELUPDATE",
    "CAPABILITY",
    "CHECK",
    "CLOSE",
    "COMPARATOR",
    "COMPRESS",
    "CONVERSIONS",
    "CONVERT",
    "COPY",
    "CREATE",
    "DELETE",
    "DELETEACL",
    "ENABLE",
    "ESEARCH",
    "EXAMINE",
    "EXPUNGE",
    "FETCH",
    "GENURLAUTH",
    "GETACL",
    "GETANNOTATION",
    "GETJMAPACCESS",
    "GETMETADATA",
    "GETQUOTA",
    "GETQUOTAROOT",
    "ID",
    "IDLE",
    "LANGUAGE",
    "LIST",
    "LISTRIGHTS",
    "LOGIN",
    "LOGOUT",
    "LSUB",
    "MOVE",
    "MYRIGHTS",
    "NAMESPACE",
    "NOOP",
    "NOTIFY",
    "RENAME",
    "REPLACE",
    "RESETKEY",
    "RLIST",
    "RLSUB",
    "SEARCH",
    "SELECT",
    "SETACL",
    "SETANNOTATION",
    "SETMETADATA",
    "SETQUOTA",
    "SORT",
    "STARTTLS",
    "STATUS",
    "STORE",
    "SUBSCRIBE",
    "THREAD",
    "UID CONVERT",
    "UID COPY",
    "UID EXPUNGE",
    "UID FETCH",
    "UID MOVE",
    "UID REPLACE",
    "UID SEARCH",
    "UID SORT",
    "UID STORE",
    "UID THREAD",
    "UIDBATCHES",
    "UNAUTHENTICATE",
    "UNSELECT",
    "UNSUBSCRIBE",
    "URLFETCH",
    "XAPPLEPUSHSERVICE",
    "XLIST",
];

/// Whether this, upper case, is a command that is known.
pub fn is_command(name: &str) -> bool {
    COMMANDS.binary_search(&name).is_ok()
}

/// Those that are valid before authentication (RFC 9051, sections 6.1 and 6.2; RFC 2971; RFC 4978;
/// RFC 5255, section 3.2).
const BEFORE_AUTHENTICATION: &[&str] = &[
    "AUTHENTICATE",
    "CAPABILITY",
    "COMPRESS",
    "ID",
    "LANGUAGE",
    "LOGIN",
    "LOGOUT",
    "NOOP",
    "STARTTLS",
];

/// Those that take no arguments; whatever follows them is not part of the command.
const WITHOUT_ARGUMENTS: &[&str] = &[
    "CAPABILITY",
    "CHECK",
    "CLOSE",
    "EXPUNGE",
    "GETJMAPACCESS",
    "IDLE",
    "LOGOUT",
    "NAMESPACE",
    "NOOP",
    "STARTTLS",
    "UNAUTHENTICATE",
    "UNSELECT",
];

/// Spans among which the name's are: the tag, or what is masked in its place, and two words.
const HEAD: usize = 3;

/// A view on a command's spans.
#[derive(Clone, Copy)]
pub struct Command<'a> {
    message: &'a Message,
    spans: &'a [Span],
    /// The name, if it is a known one; looked up once, asked for often.
    known: Option<&'static str>,
}

impl<'a> Command<'a> {
    /// `spans` as [`lexer::command`](super::lexer::command) made them of `message`.
    pub fn new(message: &'a Message, spans: &'a [Span]) -> Self {
        let mut command = Self {
            message,
            spans,
            known: None,
        };
        let mut words = command.name_words();
        command.known = words
            .next()
            .and_then(|first| known_name(first, words.next()));
        command
    }

    /// The words of the name.
    fn name_words(self) -> impl Iterator<Item = &'a [u8]> {
        self.spans
            .iter()
            .take(HEAD)
            .filter(|span| span.label == Label::Name)
            .map(move |span| self.bytes(span))
    }

    /// The tag, if there is one; it may be masked. A line that is masked whole has none.
    pub fn tag(self) -> Option<&'a Span> {
        self.spans.first().filter(|span| match span.label {
            Label::Tag => true,
            Label::Secret(_) => self.spans.len() > 1,
            _ => false,
        })
    }

    /// The name, upper case, `UID FETCH` one name. Whether it is a known one tells
    /// [`is_known`](Self::is_known).
    pub fn name(self) -> Option<Cow<'static, str>> {
        if let Some(known) = self.known {
            return Some(Cow::Borrowed(known));
        }
        let mut words = self.name_words();
        let first = words.next()?;
        let second = words.next();
        let mut name = String::from_utf8_lossy(first).to_ascii_uppercase();
        if let Some(second) = second {
            name.push(' ');
            name.push_str(&String::from_utf8_lossy(second).to_ascii_uppercase());
        }
        Some(Cow::Owned(name))
    }

    /// Whether RFC 9051, RFC 3501 or a registered extension defines it.
    pub fn is_known(self) -> bool {
        self.known.is_some()
    }

    /// Where the name ends.
    pub fn name_end(self) -> Option<usize> {
        self.spans
            .iter()
            .rfind(|span| span.label == Label::Name)
            .map(|span| span.range.end)
    }

    /// All its octets.
    pub fn line(self) -> &'a [u8] {
        self.message.bytes()
    }

    /// The octets of a span.
    pub fn bytes(self, span: &Span) -> &'a [u8] {
        &self.message.bytes()[span.range.clone()]
    }

    /// The spans behind the name.
    pub fn argument_spans(self) -> &'a [Span] {
        let head = self
            .spans
            .iter()
            .rposition(|span| span.label == Label::Name)
            .map_or(self.spans.len(), |name| name + 1);
        &self.spans[head..]
    }

    /// The arguments' octets, as far as none is a list: where each stands, header and quotes
    /// included, and its content. `None` where one is a list or malformed, or where no space
    /// stands between two: they are one that was cut.
    pub fn strings(self) -> Option<Vec<Argument>> {
        let mut arguments: Vec<Argument> = Vec::new();
        let mut header: Option<Range<usize>> = None;
        for span in self.argument_spans() {
            match span.label {
                Label::LiteralHeader => header = Some(span.range.clone()),
                Label::Literal => {
                    let start = header.take().map_or(span.range.start, |h| h.start);
                    arguments.push(Argument {
                        covered: start..span.range.end,
                        content: span.range.clone(),
                        quoted: false,
                        secret: false,
                    });
                }
                Label::Atom | Label::Number | Label::Nil | Label::Quoted | Label::Secret(_) => {
                    arguments.push(Argument {
                        covered: span.range.clone(),
                        content: span.range.clone(),
                        quoted: span.label == Label::Quoted,
                        secret: matches!(span.label, Label::Secret(_)),
                    });
                }
                _ => return None,
            }
        }
        let touch = |pair: &[Argument]| pair[0].covered.end == pair[1].covered.start;
        (header.is_none() && !arguments.windows(2).any(touch)).then_some(arguments)
    }

    /// The first literal with its header.
    pub fn first_literal(self) -> Option<Range<usize>> {
        let literals = [Label::LiteralHeader, Label::Literal];
        let mut spans = self.spans.iter();
        let header = spans.find(|span| literals.contains(&span.label))?;
        Some(header.range.clone())
    }

    /// Whether it is valid before authentication.
    pub fn may_come_before_authentication(self) -> bool {
        self.name()
            .is_some_and(|name| BEFORE_AUTHENTICATION.contains(&&*name))
    }

    /// Whether the arguments fit the command. For one that is valid before authentication that says
    /// all, but of LOGIN and AUTHENTICATE; nothing that may be a password fits the others.
    pub fn is_well_formed(self) -> bool {
        let arguments = self.argument_spans();
        let Some(name) = self.known else {
            return false;
        };
        let all = |labels: &[Label]| arguments.iter().all(|span| labels.contains(&span.label));
        match name {
            name if WITHOUT_ARGUMENTS.contains(&name) => arguments.is_empty(),
            "COMPRESS" => match arguments {
                [algorithm] => self.bytes(algorithm).eq_ignore_ascii_case(b"DEFLATE"),
                _ => false,
            },
            "ENABLE" => !arguments.is_empty() && all(&[Label::Atom]),
            "ID" => is_id(arguments),
            "LANGUAGE" => arguments.iter().all(|span| is_language(self.bytes(span))),
            _ => arguments.iter().all(|span| span.label != Label::Malformed),
        }
    }
}

/// `NIL`, or pairs of strings (RFC 2971, section 3.1). A literal could be other commands.
fn is_id(arguments: &[Span]) -> bool {
    let is_string = |span: &Span| matches!(span.label, Label::Quoted | Label::Nil);
    match arguments {
        [nil] => nil.label == Label::Nil,
        [open, pairs @ .., close] => {
            (open.label, close.label) == (Label::ListOpen, Label::ListClose)
                && pairs.len().is_multiple_of(2)
                && pairs.iter().all(is_string)
        }
        [] => false,
    }
}

/// `de`, `en-GB` (RFC 5646, section 2.1), or `default` (RFC 5255, section 3.3).
fn is_language(word: &[u8]) -> bool {
    let mut subtags = word.split(|octet| *octet == b'-');
    let first = subtags.next().unwrap_or_default();
    let is_short = |subtag: &[u8]| (1..=8).contains(&subtag.len());
    is_short(first)
        && first.iter().all(u8::is_ascii_alphabetic)
        && subtags.all(|subtag| is_short(subtag) && subtag.iter().all(u8::is_ascii_alphanumeric))
}

/// One argument that is a string or an atom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its octets with quotes or literal header.
    pub covered: Range<usize>,
    /// Its octets without the literal header, with the quotes.
    pub content: Range<usize>,
    /// Whether the content has quotes and escapes.
    pub quoted: bool,
    /// Whether it is masked already.
    pub secret: bool,
}

impl Argument {
    /// The string that it stands for.
    pub fn value(&self, message: &Message) -> Vec<u8> {
        let bytes = &message.bytes()[self.content.clone()];
        match self.quoted {
            true => crate::event::unquoted(bytes).into_owned(),
            false => bytes.to_vec(),
        }
    }

    /// The other strings that a server may take it for, if it has backslashes that the grammar has
    /// no use for (`"Sommer\2024!"`, RFC 9051, section 9, `quoted`): all that stands between the quotes,
    /// and that with `\"` and `\\` read, but nothing else.
    pub fn other_values(&self, message: &Message) -> Vec<Vec<u8>> {
        let bytes = &message.bytes()[self.content.clone()];
        let inner = bytes.strip_prefix(b"\"").unwrap_or(bytes);
        let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
        if !self.quoted || !inner.contains(&b'\\') {
            return Vec::new();
        }
        let mut specials_read = Vec::with_capacity(inner.len());
        let mut octets = inner.iter().copied().peekable();
        while let Some(octet) = octets.next() {
            let escaped = octets.next_if(|next| octet == b'\\' && b"\"\\".contains(next));
            specials_read.push(escaped.unwrap_or(octet));
        }
        vec![inner.to_vec(), specials_read]
    }
}

/// Whether the word is a known command's name, or the beginning of one.
pub fn is_name(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"UID") || known_name(word, None).is_some()
}

fn known_name(first: &[u8], second: Option<&[u8]>) -> Option<&'static str> {
    let length = first.len() + second.map_or(0, |second| " ".len() + second.len());
    let is_it = |name: &[u8]| {
        let (front, back) = name.split_at(first.len());
        let back_is_it = match second {
            Some(second) => back
                .split_first()
                .is_some_and(|(space, back)| *space == b' ' && back.eq_ignore_ascii_case(second)),
            None => back.is_empty(),
        };
        front.eq_ignore_ascii_case(first) && back_is_it
    };
    let initial = first.first()?.to_ascii_uppercase();
    let start = COMMANDS.partition_point(|name| name.as_bytes()[0] < initial);
    COMMANDS[start..]
        .iter()
        .take_while(|name| name.as_bytes()[0] == initial)
        .find(|name| name.len() == length && is_it(name.as_bytes()))
        .copied()
}

#[cfg(test)]
mod tests {
    use super::super::lexer;
    use super::*;

    fn read(text: &str) -> (Option<String>, bool, bool) {
        let message = Message::text(text.as_bytes());
        let spans = lexer::command(&message);
        let command = Command::new(&message, &spans);
        (
            command.name().map(Cow::into_owned),
            command.is_known(),
            command.is_well_formed(),
        )
    }

    #[test]
    fn names_are_upper_case_and_uid_is_part_of_them() {
        assert_eq!(read("a noop\r\n"), (Some("NOOP".into()), true, true));
        assert_eq!(
            read("a uid fetch 1 FLAGS\r\n"),
            (Some("UID FETCH".into()), true, true)
        );
        assert_eq!(read("a xfoo\r\n"), (Some("XFOO".into()), false, false));
        assert_eq!(read("a uid\r\n"), (Some("UID".into()), false, false));
    }

    #[test]
    fn what_does_not_fit_the_command_is_not_well_formed() {
        for bad in [
            "a NOOP hunter2\r\n",
            "a ID hunter2\r\n",
            "a ENABLE\r\n",
            "a COMPRESS a b\r\n",
            "a COMPRESS hunter2\r\n",
            "a ID (\"name\")\r\n",
            "a ID (\"name\" {7+}\r\nhunter2)\r\n",
            "a LANGUAGE hunter2\r\n",
            "a SELECT \"open\r\n",
        ] {
            assert!(read(bad).1, "{bad}");
            assert!(!read(bad).2, "{bad}");
        }
        for good in [
            "a NOOP\r\n",
            "a ID (\"name\" \"x\")\r\n",
            "a ID NIL\r\n",
            "a ENABLE CONDSTORE\r\n",
            "a LANGUAGE de en-GB\r\n",
            "a COMPRESS DEFLATE\r\n",
        ] {
            assert!(read(good).2, "{good}");
        }
    }

    #[test]
    fn the_table_is_in_alphabetical_order() {
        assert!(COMMANDS.is_sorted());
        assert!(BEFORE_AUTHENTICATION.is_sorted());
        assert!(WITHOUT_ARGUMENTS.is_sorted());
    }
}
