//! Which command asks for which response.
//!
//! A server sends untagged data because a command asked for it, or because something happened
//! (RFC 9051, sections 5.2 and 7). The wire does not say which; this table does, as far as it can
//! be known. NOOP, CHECK and IDLE ask for nothing: what comes during them happened.

use std::borrow::Cow;

use memchr::memchr;

use super::command::Command;
use super::response::{Fetched, Response};
use crate::event::{Label, Span, Status};
use crate::limits;

/// What one command asks for.
#[derive(Clone, Debug)]
pub struct Request {
    name: Cow<'static, str>,
    known: bool,
    responses: &'static [&'static str],
    more: Vec<&'static str>,
    codes: &'static [&'static str],
    fetch: Option<FetchRequest>,
}

/// The messages and items of FETCH, or of STORE, which asks for flags.
#[derive(Clone, Debug)]
struct FetchRequest {
    set: SequenceSet,
    by_uid: bool,
    items: Items,
}

/// Keys as [`item_key`] makes them.
#[derive(Clone, Debug, Default)]
struct Items {
    keys: Vec<Vec<u8>>,
    /// There are more than [`limits::ITEMS`].
    all: bool,
}

impl Items {
    fn add(&mut self, key: Vec<u8>) {
        if self.keys.contains(&key) {
            return;
        }
        match self.keys.len() < limits::ITEMS {
            true => self.keys.push(key),
            false => self.all = true,
        }
    }

    fn contains(&self, name: &[u8]) -> bool {
        let (front, back) = item_key_parts(name);
        let is_it = |key: &Vec<u8>| {
            key.len() == front.len() + back.len()
                && key[..front.len()].eq_ignore_ascii_case(front)
                && key[front.len()..].eq_ignore_ascii_case(back)
        };
        self.all || self.keys.iter().any(is_it)
    }
}

/// What a response is, as far as attribution needs it.
pub struct Facts<'a> {
    /// Upper case, or the status.
    pub name: &'a str,
    /// The number before the name.
    pub number: Option<u64>,
    /// The status, for a status response.
    pub status: Option<Status>,
    /// The response code, upper case.
    pub code: Option<String>,
    /// The items, for FETCH.
    pub fetched: Option<Fetched<'a>>,
    /// VANISHED (EARLIER).
    pub earlier: bool,
    /// Messages in the mailbox, where known: what `*` stands for.
    pub exists: Option<u64>,
    /// Not all of the response was read yet.
    pub partial: bool,
}

impl<'a> Facts<'a> {
    /// Of an untagged response.
    pub fn new(response: Response<'a>, name: &'a str, exists: Option<u64>) -> Self {
        let upper = |code: &[u8]| String::from_utf8_lossy(code).to_ascii_uppercase();
        Self {
            name,
            number: response.number(),
            status: response.status(),
            code: response.status().and(response.code_name()).map(upper),
            fetched: matches!(name, "FETCH" | "UIDFETCH").then(|| response.fetched()),
            earlier: name == "VANISHED" && response.is_earlier(),
            exists,
            partial: false,
        }
    }
}

/// Codes of the untagged OK responses to SELECT and EXAMINE (RFC 9051, section 6.3.2; RFC 7162;
/// RFC 8474; RFC 4467, section 8; RFC 5257).
const SELECT_CODES: &[&str] = &[
    "ANNOTATIONS",
    "CLOSED",
    "HIGHESTMODSEQ",
    "MAILBOXID",
    "NOMODSEQ",
    "PERMANENTFLAGS",
    "UIDNEXT",
    "UIDNOTSTICKY",
    "UIDVALIDITY",
    "UNSEEN",
    "URLMECH",
];

/// The responses that a command asks for, FETCH excepted, which depends on its arguments.
fn responses(command: &str) -> &'static [&'static str] {
    match command {
        "AUTHENTICATE" | "CAPABILITY" | "LOGIN" => &["CAPABILITY"],
        "CLOSE" | "EXPUNGE" | "MOVE" | "REPLACE" | "UID EXPUNGE" | "UID MOVE" | "UID REPLACE" => {
            &["EXPUNGE", "VANISHED"]
        }
        "COMPARATOR" => &["COMPARATOR"],
        "CONVERSIONS" => &["CONVERSION"],
        "CONVERT" | "UID CONVERT" => &["CONVERTED"],
        "CREATE" | "RENAME" => &["LIST"],
        "ENABLE" => &["ENABLED"],
        "ESEARCH" => &["ESEARCH"],
        "EXAMINE" | "SELECT" => &["FLAGS", "EXISTS", "RECENT", "LIST"],
        "GENURLAUTH" => &["GENURLAUTH"],
        "GETACL" => &["ACL"],
        "GETANNOTATION" => &["ANNOTATION"],
        "GETJMAPACCESS" => &["JMAPACCESS"],
        "GETMETADATA" => &["METADATA"],
        "GETQUOTA" | "SETQUOTA" => &["QUOTA"],
        "GETQUOTAROOT" => &["QUOTAROOT", "QUOTA"],
        "ID" => &["ID"],
        "LANGUAGE" => &["LANGUAGE", "NAMESPACE"],
        "LIST" | "RLIST" => &["LIST"],
        "LISTRIGHTS" => &["LISTRIGHTS"],
        "LOGOUT" => &["BYE"],
        "LSUB" | "RLSUB" => &["LSUB"],
        "MYRIGHTS" => &["MYRIGHTS"],
        "NAMESPACE" => &["NAMESPACE"],
        "NOTIFY" => &["STATUS"],
        "SEARCH" | "UID SEARCH" => &["SEARCH", "ESEARCH"],
        "SORT" | "UID SORT" => &["SORT", "ESEARCH"],
        "STATUS" => &["STATUS"],
        "THREAD" | "UID THREAD" => &["THREAD", "ESEARCH"],
        "UIDBATCHES" => &["UIDBATCHES"],
        "URLFETCH" => &["URLFETCH"],
        "XAPPLEPUSHSERVICE" => &["XAPPLEPUSHSERVICE"],
        "XLIST" => &["XLIST", "LIST"],
        _ => &[],
    }
}

/// The codes of untagged OK responses that a command asks for.
fn codes(command: &str) -> &'static [&'static str] {
    match command {
        "EXAMINE" | "SELECT" => SELECT_CODES,
        "MOVE" | "UID MOVE" => &["COPYUID"],
        "REPLACE" | "UID REPLACE" => &["APPENDUID"],
        "AUTHENTICATE" | "LOGIN" => &["CAPABILITY"],
        _ => &[],
    }
}

impl Request {
    /// What this command asks for.
    pub fn new(command: Command<'_>) -> Self {
        let mut name = command.name().unwrap_or_default();
        if name.len() > limits::TAG {
            name = Cow::Borrowed(""); // no response has such a name
        }
        let spans = command.argument_spans();
        let has = |word: &str| {
            spans
                .iter()
                .any(|span| command.bytes(span).eq_ignore_ascii_case(word.as_bytes()))
        };
        let more: &[&'static str] = match &*name {
            "SELECT" | "EXAMINE" if has("QRESYNC") => &["FETCH", "VANISHED"],
            "LIST" if has("RETURN") => &["STATUS", "METADATA", "MYRIGHTS"],
            "UID FETCH" if has("VANISHED") => &["VANISHED"],
            _ => &[],
        };
        let more = more
            .iter()
            .copied()
            .filter(|name| !matches!(*name, "STATUS" | "METADATA" | "MYRIGHTS") || has(name))
            .collect();
        Self {
            known: command.is_known(),
            responses: responses(&name),
            codes: codes(&name),
            more,
            fetch: fetch_request(command, &name),
            name,
        }
    }

    /// The command's name, upper case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Octets that it holds, beside its own.
    pub fn weight(&self) -> usize {
        let fetch = self.fetch.as_ref().map_or(0, |fetch| {
            let keys = fetch
                .items
                .keys
                .iter()
                .map(|key| size_of_val(key) + key.len());
            size_of_val(&*fetch.set.ranges) + keys.sum::<usize>()
        });
        self.name.len() + size_of_val(&*self.more) + fetch
    }

    /// Whether the command asks for this response.
    pub fn asks_for(&self, facts: &Facts<'_>) -> bool {
        if let Some(status) = facts.status {
            return match status {
                // Any command may take long (RFC 9585); the code tells which one does.
                Status::Ok => facts
                    .code
                    .as_deref()
                    .is_some_and(|code| code == "INPROGRESS" || self.codes.contains(&code)),
                Status::Bye => self.responses.contains(&"BYE"),
                _ => false,
            };
        }
        // What was expunged before is asked for apart from what is now (RFC 7162, section 3.2.10).
        if facts.name == "VANISHED" {
            return match facts.earlier {
                true => self.more.contains(&"VANISHED"),
                false => self.responses.contains(&"VANISHED"),
            };
        }
        if facts.fetched.is_some() && !self.more.contains(&"FETCH") {
            return self
                .fetch
                .as_ref()
                .is_some_and(|request| request.asks_for(facts));
        }
        self.responses.contains(&facts.name)
            || self.more.contains(&facts.name)
            || (!self.known && !self.name.is_empty() && self.name == facts.name)
    }
}

impl FetchRequest {
    fn asks_for(&self, facts: &Facts<'_>) -> bool {
        let (Some(number), Some(fetched)) = (facts.number, &facts.fetched) else {
            return false;
        };
        let uid = match self.by_uid {
            true => fetched.uid(),
            false => None,
        };
        let in_set = match (self.by_uid, uid) {
            // `* 25900 UIDFETCH (FLAGS ())` (RFC 9586, section 3.3)
            (by_uid, _) if facts.name == "UIDFETCH" => by_uid && self.set.contains(number, None),
            (false, _) => self.set.contains(number, facts.exists),
            (true, Some(uid)) => {
                // The last message has the largest UID, which `101:*` holds even if it is less
                // than 101 (RFC 9051, section 9, `seq-range`).
                let largest = facts.exists.map(|exists| match number >= exists {
                    true => uid,
                    false => u64::MAX,
                });
                self.set.contains(uid, largest)
            }
            (true, None) => facts.partial,
        };
        in_set && fetched.names().any(|name| self.items.contains(name))
    }
}

fn fetch_request(command: Command<'_>, name: &str) -> Option<FetchRequest> {
    let (first, rest) = command.argument_spans().split_first()?;
    let set = SequenceSet::parse(command.bytes(first));
    let by_uid = name.starts_with("UID ");
    let items = match name {
        "FETCH" | "UID FETCH" => fetch_items(command, rest),
        "STORE" | "UID STORE" => {
            let item = rest.iter().find(|span| {
                let word = command.bytes(span).to_ascii_uppercase();
                word.windows(5).any(|part| part == b"FLAGS")
                    || word.windows(8).any(|part| part == b"X-GM-LAB")
            })?;
            let word = command.bytes(item).to_ascii_uppercase();
            let mut items = Items::default();
            if !word.ends_with(b".SILENT") {
                items.add(item_key(without_sign(&word)));
            }
            let is_conditional = |span: &Span| {
                let word = command.bytes(span);
                word.eq_ignore_ascii_case(b"UNCHANGEDSINCE")
            };
            // Answered with MODSEQ even if it is silent (RFC 7162, section 3.1.3).
            if rest.iter().any(is_conditional) {
                items.add(b"MODSEQ".to_vec());
            }
            items
        }
        _ => return None,
    };
    Some(FetchRequest { set, by_uid, items })
}

/// `+FLAGS` and `-FLAGS` are about FLAGS.
fn without_sign(item: &[u8]) -> &[u8] {
    match item.split_first() {
        Some((b'+' | b'-', rest)) => rest,
        _ => item,
    }
}

/// The items of `FETCH set items [modifiers]` (RFC 9051, section 6.4.5; RFC 4466).
fn fetch_items(command: Command<'_>, spans: &[Span]) -> Items {
    let mut items = Items::default();
    let mut depth = 0;
    let mut lists = 0;
    let mut alone = false;
    for span in spans {
        match span.label {
            Label::ListOpen => {
                depth += 1;
                lists += usize::from(depth == 1);
            }
            Label::ListClose => depth -= 1,
            _ if depth == 0 => {
                alone = true;
                macro_or_item(command.bytes(span), &mut items);
            }
            _ if depth == 1 && lists == 1 && !alone => {
                macro_or_item(command.bytes(span), &mut items);
            }
            _ if command.bytes(span).eq_ignore_ascii_case(b"CHANGEDSINCE") => {
                items.add(b"MODSEQ".to_vec());
            }
            _ => {}
        }
    }
    items
}

fn macro_or_item(word: &[u8], items: &mut Items) {
    let key = item_key(word);
    let several: &[&[u8]] = match key.as_slice() {
        b"ALL" => &[b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE"],
        b"FAST" => &[b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"],
        b"FULL" => &[
            b"FLAGS",
            b"INTERNALDATE",
            b"RFC822.SIZE",
            b"ENVELOPE",
            b"BODY",
        ],
        _ => return items.add(key),
    };
    several.iter().for_each(|item| items.add(item.to_vec()));
}

/// What an item asked for and the item answered have in common: `BODY.PEEK[HEADER.FIELDS (DATE)]`
/// is answered by `BODY[HEADER.FIELDS (DATE)]`, and servers differ in how they write the list.
fn item_key(item: &[u8]) -> Vec<u8> {
    let (front, back) = item_key_parts(item);
    [front, back].concat().to_ascii_uppercase()
}

/// The octets of an item's key, what stands before and behind `.PEEK`.
fn item_key_parts(item: &[u8]) -> (&[u8], &[u8]) {
    let end = item
        .iter()
        .position(|octet| matches!(octet, b' ' | b']' | b'<'))
        .unwrap_or(item.len())
        .min(limits::TAG);
    let key = &item[..end];
    let peek = memchr(b'[', key).and_then(|_| {
        key.windows(6)
            .position(|part| part.eq_ignore_ascii_case(b".PEEK["))
    });
    match peek {
        Some(peek) => (&key[..peek], &key[peek + 5..]),
        None => (key, &[]),
    }
}

/// Message numbers or UIDs (RFC 9051, section 9, `sequence-set`), as ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct SequenceSet {
    ranges: Vec<(Bound, Bound)>,
    /// `$` (RFC 5182), or a set that is not understood: nobody can say what is in it.
    unknown: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Number(u64),
    /// `*`
    Largest,
}

impl SequenceSet {
    /// Ranges kept of one set; of a longer one only the outermost bounds are. Apps ask for whole
    /// ranges or for some dozens of messages at a time.
    const RANGES: usize = 256;

    fn parse(text: &[u8]) -> Self {
        let mut set = Self::default();
        let text = std::str::from_utf8(text).unwrap_or("$");
        for part in text.split(',') {
            let (first, last) = part.split_once(':').unwrap_or((part, part));
            match (Bound::parse(first), Bound::parse(last)) {
                (Some(first), Some(last)) => set.push(first, last),
                _ => set.unknown = true,
            }
        }
        set
    }

    fn push(&mut self, first: Bound, last: Bound) {
        let is_full = self.ranges.len() == Self::RANGES;
        match self.ranges.last_mut() {
            Some(range) if is_full => range.1 = last,
            _ => self.ranges.push((first, last)),
        }
    }

    fn contains(&self, number: u64, largest: Option<u64>) -> bool {
        let is_largest = largest.is_none_or(|largest| number >= largest);
        self.unknown
            || self.ranges.iter().any(|range| match *range {
                (Bound::Number(a), Bound::Number(b)) => (a.min(b)..=a.max(b)).contains(&number),
                (Bound::Number(a), Bound::Largest) | (Bound::Largest, Bound::Number(a)) => {
                    number >= a || (largest.is_some() && is_largest)
                }
                (Bound::Largest, Bound::Largest) => is_largest,
            })
    }
}

impl Bound {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "*" => Some(Self::Largest),
            number => number.parse().ok().map(Self::Number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer;
    use super::*;
    use crate::event::Message;

    fn asks(command: &str, response: &str) -> bool {
        let command_message = Message::text(command.as_bytes());
        let command_spans = lexer::command(&command_message);
        let request = Request::new(Command::new(&command_message, &command_spans));
        let message = Message::text(response.as_bytes());
        let spans = lexer::response(&message);
        let response = Response::new(&message, &spans);
        let name = response.name().unwrap();
        request.asks_for(&Facts::new(response, &name, Some(10)))
    }

    #[test]
    fn fetch_asks_for_its_items_of_its_messages() {
        assert!(asks("a FETCH 1:3 FLAGS", "* 2 FETCH (FLAGS ())"));
        assert!(!asks("a FETCH 1:3 FLAGS", "* 4 FETCH (FLAGS ())"));
        assert!(!asks("a FETCH 1:3 BODY[]", "* 2 FETCH (FLAGS (\\Seen))"));
        assert!(asks("a FETCH 3:1,7 (UID FLAGS)", "* 7 FETCH (UID 9)"));
        assert!(asks("a FETCH * ALL", "* 10 FETCH (ENVELOPE NIL)"));
        assert!(!asks("a FETCH * ALL", "* 9 FETCH (ENVELOPE NIL)"));
        assert!(asks(
            "a FETCH 1 (BODY.PEEK[HEADER.FIELDS (DATE FROM)]<0.10>)",
            "* 1 FETCH (BODY[HEADER.FIELDS (\"DATE\" \"FROM\")]<0> \"x\")"
        ));
    }

    #[test]
    fn uid_fetch_asks_for_uids() {
        assert!(asks(
            "a UID FETCH 100:200 (FLAGS)",
            "* 2 FETCH (UID 150 FLAGS ())"
        ));
        assert!(!asks(
            "a UID FETCH 100:200 (FLAGS)",
            "* 2 FETCH (UID 99 FLAGS ())"
        ));
        assert!(!asks(
            "a UID FETCH 100:200 (FLAGS)",
            "* 2 FETCH (FLAGS (\\Seen))"
        ));
        for (response, largest) in [
            ("* 10 FETCH (UID 99 FLAGS ())", true),
            ("* 9 FETCH (UID 98 FLAGS ())", false),
        ] {
            assert_eq!(asks("a UID FETCH 100:* FLAGS", response), largest);
            assert_eq!(asks("a UID FETCH * FLAGS", response), largest);
        }
        assert!(asks(
            "a UID FETCH 100:* (FLAGS) (CHANGEDSINCE 5)",
            "* 2 FETCH (UID 150 MODSEQ (6))"
        ));
    }

    #[test]
    fn store_asks_for_flags_unless_silent() {
        assert!(asks(
            "a STORE 2 +FLAGS (\\Seen)",
            "* 2 FETCH (FLAGS (\\Seen))"
        ));
        assert!(asks(
            "a UID STORE 9 (UNCHANGEDSINCE 3) FLAGS ()",
            "* 2 FETCH (UID 9 FLAGS ())"
        ));
        assert!(!asks(
            "a STORE 2 +FLAGS.SILENT (\\Seen)",
            "* 2 FETCH (FLAGS (\\Seen))"
        ));
    }

    #[test]
    fn of_a_command_in_flight_little_is_kept() {
        let many: String = (0..10_000).map(|i| format!("X{i} ")).collect();
        let long = "X".repeat(100_000);
        for items in [many.as_str(), &long] {
            let command = format!("a FETCH 1 ({items})\r\n");
            let message = Message::text(command.as_bytes());
            let spans = lexer::command(&message);
            let request = Request::new(Command::new(&message, &spans));
            let items = request.fetch.unwrap().items;
            assert!(items.keys.iter().map(Vec::len).sum::<usize>() <= limits::ITEMS * limits::TAG);
        }
        assert!(asks(&format!("a FETCH 1 ({many} Y)"), "* 1 FETCH (Y 1)"));
        assert!(!asks(&format!("a {long}"), &format!("* {long} 1")));
    }

    #[test]
    fn select_asks_for_what_it_is_told() {
        for response in [
            "* FLAGS (\\Seen)",
            "* 3 EXISTS",
            "* 0 RECENT",
            "* LIST () \"/\" INBOX",
            "* OK [UNSEEN 3] x",
            "* OK [UIDVALIDITY 3] x",
        ] {
            assert!(asks("a SELECT INBOX", response), "{response}");
        }
        for response in [
            "* OK still here",
            "* OK [ALERT] x",
            "* 3 EXPUNGE",
            "* NO x",
            "* VANISHED 3",
        ] {
            assert!(!asks("a SELECT INBOX", response), "{response}");
        }
        assert!(asks(
            "a SELECT INBOX (QRESYNC (1 2))",
            "* VANISHED (EARLIER) 1:3"
        ));
    }

    #[test]
    fn noop_check_and_idle_ask_for_nothing() {
        for command in ["a NOOP", "a CHECK", "a IDLE"] {
            for response in ["* 3 EXISTS", "* 1 RECENT", "* 3 EXPUNGE", "* VANISHED 3"] {
                assert!(!asks(command, response), "{command} {response}");
            }
        }
    }

    #[test]
    fn every_other_command_asks_for_its_own_response() {
        for (command, response) in [
            ("a CAPABILITY", "* CAPABILITY IMAP4rev1"),
            ("a LOGIN x y", "* CAPABILITY IMAP4rev1"),
            ("a LOGIN x y", "* OK [CAPABILITY IMAP4rev2] x"),
            ("a LOGOUT", "* BYE x"),
            ("a EXPUNGE", "* 3 EXPUNGE"),
            ("a UID EXPUNGE 3", "* VANISHED 3"),
            ("a MOVE 1 x", "* OK [COPYUID 1 2 3] x"),
            (
                "a LIST \"\" * RETURN (STATUS (MESSAGES))",
                "* STATUS x (MESSAGES 3)",
            ),
            ("a STATUS x (MESSAGES)", "* STATUS x (MESSAGES 3)"),
            ("a UID SEARCH ALL", "* SEARCH 1"),
            ("a SEARCH RETURN () ALL", "* ESEARCH (TAG \"a\") ALL 1"),
            ("a GETQUOTAROOT INBOX", "* QUOTA x ()"),
            ("a ID NIL", "* ID NIL"),
            ("a REPLACE 3 x {1+}\r\nx", "* 3 EXPUNGE"),
            ("a UID REPLACE 3 x {1+}\r\nx", "* OK [APPENDUID 1 2] x"),
            (
                "a ESEARCH IN (mailboxes a) ALL",
                "* ESEARCH (TAG \"a\") ALL 1",
            ),
            ("a RLIST \"\" *", "* LIST () NIL x"),
            ("a XFOO", "* XFOO 1"),
        ] {
            assert!(asks(command, response), "{command} {response}");
        }
        assert!(!asks("a LIST \"\" *", "* STATUS x (MESSAGES 3)"));
        assert!(!asks("a XFOO", "* XBAR 1"));
    }
}
