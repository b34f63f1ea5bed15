//! What of a command's arguments matters to statistics, in constant memory.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::event::{Piece, Said, Value};
use crate::session::mailbox_of;

/// Which messages a sequence set names (RFC 9051, section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Messages {
    /// `5`
    One(u64),
    /// `1:*`, or up to this number.
    First(u64),
    /// Something else.
    Others,
}

/// What is kept of a command's arguments.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    /// The messages that it names.
    pub messages: Option<Messages>,
    /// The set as it stands there.
    pub set: u64,
    /// All arguments behind the first one, letter case apart.
    pub rest: u64,
    /// The command's name and all arguments, letter case apart.
    pub whole: u64,
    /// The first argument as a mailbox.
    pub mailbox: Option<Arc<str>>,
    /// FETCH: nothing but FLAGS, UID and MODSEQ is asked for, FLAGS among them.
    pub only_flags: bool,
    /// FETCH: CHANGEDSINCE is among the modifiers (RFC 7162, section 3.1.4.1).
    pub changed_since: bool,
    /// FETCH of parts of sections (`BODY[1]<0.4096>`) and nothing else but flags: which sections.
    pub sections: Option<u64>,
    /// FETCH of the first octets of a text, as for a preview.
    pub previews: bool,
    /// LIST: a STATUS of each mailbox is asked for (RFC 5819).
    pub returns_status: bool,
    /// STORE: `\Deleted` is set.
    pub deletes: bool,
    /// AUTHENTICATE: without an initial response, by a mechanism in which the client speaks first.
    pub without_initial_response: bool,
    /// Literals.
    pub literals: u64,
    /// Octets of the longest that the server had to agree to.
    pub longest: u64,
}

impl Digest {
    /// Of this command.
    pub fn new(name: &str, said: &Said) -> Self {
        let arguments = said.arguments();
        let mut digest = Self {
            mailbox: arguments.first().and_then(mailbox_of),
            rest: hashed(arguments.get(1..).unwrap_or_default()),
            whole: hash_of((name, hashed(&arguments))),
            ..Self::default()
        };
        match name.strip_prefix("UID ").unwrap_or(name) {
            "FETCH" => digest.fetch(&arguments),
            "STORE" => {
                digest.sequence_set(&arguments);
                let adds = arguments
                    .get(1)
                    .is_some_and(|word| word.is_word("+FLAGS") || word.is_word("+FLAGS.SILENT"));
                let flags = arguments.get(2..).unwrap_or_default();
                let mut flags = flags.iter().flat_map(|flag| match flag {
                    Value::List(members) => members.as_slice(),
                    flag => std::slice::from_ref(flag),
                });
                digest.deletes = adds && flags.any(|flag| flag.is_word("\\Deleted"));
            }
            "LIST" => {
                let options = arguments.get(2..).unwrap_or_default();
                let options = options.iter().flat_map(Value::members);
                digest.returns_status = options.into_iter().any(|word| word.is_word("STATUS"));
            }
            "COPY" | "MOVE" => digest.sequence_set(&arguments),
            "AUTHENTICATE" => {
                let speaks = arguments.first().is_some_and(client_speaks_first);
                digest.without_initial_response = speaks && arguments.len() == 1;
            }
            _ => {}
        }
        for piece in said.wire.pieces() {
            let (form, octets) = match piece {
                Piece::Literal { form, content, .. } => (form, content.len() as u64),
                Piece::Streamed { form, octets, .. } => (form, *octets),
                _ => continue,
            };
            digest.literals += 1;
            if form.is_sync() {
                digest.longest = digest.longest.max(octets);
            }
        }
        digest
    }

    fn sequence_set(&mut self, arguments: &[Value<'_>]) {
        let set = match arguments.first() {
            Some(Value::Number(number)) => number.to_string().into_bytes(),
            Some(set) => set.bytes().unwrap_or_default().to_vec(),
            None => return,
        };
        self.set = hash_of(&set);
        self.messages = Some(messages(&set));
    }

    fn partials(&mut self, items: &[Value<'_>]) {
        /// More is no preview.
        const PREVIEW: u64 = 4096;
        let is_beside = |item: &&Value<'_>| item.is_word("FLAGS") || item.is_word("UID");
        let mut sections = Vec::new();
        for item in items.iter().filter(|item| !is_beside(item)) {
            let name = item.bytes().unwrap_or_default().to_ascii_uppercase();
            let Some((section, first, count)) = partial(&name) else {
                return;
            };
            let is_text = section.ends_with(b"[TEXT]") || section.ends_with(b"[1]");
            self.previews |= is_text && first == 0 && count <= PREVIEW;
            sections.push(section.to_vec());
        }
        self.sections = (!sections.is_empty()).then(|| hash_of((self.set, sections)));
    }

    fn fetch(&mut self, arguments: &[Value<'_>]) {
        self.sequence_set(arguments);
        let items = match arguments.get(1) {
            Some(Value::List(members)) => members.as_slice(),
            Some(item) => std::slice::from_ref(item),
            None => return,
        };
        let is = |words: &[&str], item: &Value<'_>| words.iter().any(|word| item.is_word(word));
        self.only_flags = items.iter().any(|item| item.is_word("FLAGS"))
            && items
                .iter()
                .all(|item| is(&["FLAGS", "UID", "MODSEQ"], item));
        self.partials(items);
        let modifiers = arguments.get(2).map(Value::members).unwrap_or_default();
        self.changed_since = modifiers.iter().any(|word| word.is_word("CHANGEDSINCE"));
    }
}

/// `BODY[1]<0.4096>` as `BODY[1]`, 0 and 4096 (RFC 9051, section 6.4.5).
fn partial(item: &[u8]) -> Option<(&[u8], u64, u64)> {
    let place = item.iter().rposition(|octet| *octet == b'<')?;
    let (section, rest) = item.split_at(place);
    let rest = std::str::from_utf8(rest).ok()?;
    let (first, count) = rest.strip_prefix('<')?.strip_suffix('>')?.split_once('.')?;
    Some((section, first.parse().ok()?, count.parse().ok()?))
}

/// RFC 4959, section 3: those mechanisms that begin with the client's octets.
fn client_speaks_first(mechanism: &Value<'_>) -> bool {
    let mechanism = mechanism.bytes().unwrap_or_default();
    let mechanism = String::from_utf8_lossy(mechanism).to_ascii_uppercase();
    mechanism.starts_with("SCRAM-")
        || ["EXTERNAL", "OAUTHBEARER", "PLAIN", "XOAUTH2"].contains(&&*mechanism)
}

fn messages(set: &[u8]) -> Messages {
    let number = |text: &str| match text {
        "*" => Some(u64::MAX),
        digits => digits.parse().ok(),
    };
    let Ok(set) = std::str::from_utf8(set) else {
        return Messages::Others;
    };
    match set.split_once(':') {
        None => set.parse().map_or(Messages::Others, Messages::One),
        Some((first, last)) => match (number(first), number(last)) {
            (Some(1), Some(last)) => Messages::First(last),
            (Some(first), Some(1)) => Messages::First(first),
            _ => Messages::Others,
        },
    }
}

/// A hash of these octets; the same in every run.
pub fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn hashed(values: &[Value<'_>]) -> u64 {
    fn add(value: &Value<'_>, hasher: &mut DefaultHasher) {
        match value {
            Value::List(members) => {
                hasher.write_u8(b'(');
                members.iter().for_each(|member| add(member, hasher));
                hasher.write_u8(b')');
            }
            Value::Number(number) => number.to_string().hash(hasher),
            Value::Streamed(octets) => octets.hash(hasher),
            value => {
                let octets = value.bytes().unwrap_or_default();
                octets.to_ascii_uppercase().hash(hasher);
            }
        }
    }
    let mut hasher = DefaultHasher::new();
    values.iter().for_each(|value| add(value, &mut hasher));
    hasher.finish()
}
