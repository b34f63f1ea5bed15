//! A command with its arguments, in words.
//!
//! ```text
//! C: a9 UID FETCH 4388,4390 (UID FLAGS)
//!    -- asks for UID and flags of the messages with UIDs 4388 and 4390
//! ```
//!
//! What is not put into words here is said as the table says it.

use super::items;
use super::search;
use super::sentence::Sentence;
use super::sets::{By, messages, pronoun};
use crate::event::Value;

#[cfg(test)]
mod tests;

/// A command as it was read.
pub(super) struct Command<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: &'a [Value<'a>],
    /// Who logs in, if anybody does.
    pub(super) identity: Option<&'a str>,
    /// By which SASL mechanism.
    pub(super) mechanism: Option<&'a str>,
    /// What the selected mailbox is open for.
    pub(super) access: Access,
}

/// What a mailbox is open for (RFC 9051, section 6.3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Access {
    /// SELECT, as far as is known.
    #[default]
    ReadWrite,
    /// EXAMINE, or `[READ-ONLY]`: nothing is marked as read.
    ReadOnly,
}

/// What the command does in this place; `None` where the table says all that is to be said.
pub(super) fn sentence(command: &Command<'_>) -> Option<Sentence> {
    let (by, name) = match command.name.strip_prefix("UID ") {
        Some(name) => (By::Uid, name),
        None => (By::Number, command.name),
    };
    let arguments = command.arguments;
    match name {
        "LOGIN" => login(command),
        "AUTHENTICATE" => {
            let mechanism = command.mechanism?;
            let begins = Sentence::new("begins to log in with the SASL mechanism ");
            Some(begins.sent(mechanism.as_bytes()))
        }
        "SELECT" => opened(arguments, ""),
        "EXAMINE" => opened(arguments, " for reading only"),
        "CREATE" => mailbox("creates the mailbox ", arguments, ""),
        "DELETE" => mailbox(
            "deletes the mailbox ",
            arguments,
            " with all messages in it",
        ),
        "SUBSCRIBE" => mailbox("subscribes to the mailbox ", arguments, ""),
        "UNSUBSCRIBE" => mailbox("no longer wants to see the mailbox ", arguments, ""),
        "RENAME" => renamed(arguments),
        "LIST" | "XLIST" => listed(arguments),
        "LSUB" => mailbox_pattern("asks which mailboxes are subscribed to", arguments),
        "STATUS" => status(arguments),
        "APPEND" => appended(arguments),
        "FETCH" => fetched(arguments, by, command.access),
        "STORE" => stored(arguments, by),
        "COPY" => carried("copies ", arguments, by),
        "MOVE" => carried("moves ", arguments, by),
        "EXPUNGE" if by == By::Uid => {
            let which = messages(&set(arguments.first()?)?, by)?;
            let words = Sentence::new("removes for good, if they are marked with \\Deleted, ");
            Some(words.with(which))
        }
        "SEARCH" => search::asked_for(arguments, by),
        "SORT" => sorted(arguments, by),
        "THREAD" => threaded(arguments, by),
        "ENABLE" => {
            let names = arguments.iter().map(|name| Sentence::default().value(name));
            let names = Sentence::list(names, " and ");
            Some(Sentence::new("turns on ").with(names))
        }
        "GETQUOTAROOT" => mailbox("asks what limits the mailbox ", arguments, ""),
        "GETACL" => mailbox("asks who may do what with the mailbox ", arguments, ""),
        "MYRIGHTS" => mailbox("asks what the user may do with the mailbox ", arguments, ""),
        "SETACL" => rights("gives rights to the mailbox ", arguments, " to "),
        "DELETEACL" => rights("takes all rights to the mailbox ", arguments, " from "),
        "LISTRIGHTS" => rights(
            "asks which rights to the mailbox ",
            arguments,
            " may be given to ",
        ),
        "GETMETADATA" => annotated("asks for annotations of ", arguments),
        "SETMETADATA" => annotated("sets annotations of ", arguments),
        _ => None,
    }
}

fn login(command: &Command<'_>) -> Option<Sentence> {
    let identity = command.identity?;
    let who = Sentence::new("logs in as ").sent(identity.as_bytes());
    Some(who.own(", with a password"))
}

fn opened(arguments: &[Value<'_>], how: &'static str) -> Option<Sentence> {
    let words = Sentence::new("opens the mailbox ").mailbox(arguments.first()?);
    Some(words.own(how))
}

fn mailbox(
    before: &'static str,
    arguments: &[Value<'_>],
    behind: &'static str,
) -> Option<Sentence> {
    let words = Sentence::new(before).mailbox(arguments.first()?);
    Some(words.own(behind))
}

/// A mailbox and a user: `SETACL INBOX fred rw`; of rights that are changed, how.
fn rights(
    before: &'static str,
    arguments: &[Value<'_>],
    between: &'static str,
) -> Option<Sentence> {
    let [mailbox, user, rights @ ..] = arguments else {
        return None;
    };
    let changed = rights.first().and_then(Value::bytes);
    let before = match changed.and_then(<[u8]>::first) {
        Some(b'+') => "adds rights to the mailbox ",
        Some(b'-') => return rights_taken(mailbox, user),
        _ => before,
    };
    let words = Sentence::new(before).mailbox(mailbox);
    Some(words.own(between).value(user))
}

fn rights_taken(mailbox: &Value<'_>, user: &Value<'_>) -> Option<Sentence> {
    let words = Sentence::new("takes rights to the mailbox ").mailbox(mailbox);
    Some(words.own(" from ").value(user))
}

/// `GETMETADATA (DEPTH 1) INBOX /shared/comment`; the server's own have the empty name.
fn annotated(before: &'static str, arguments: &[Value<'_>]) -> Option<Sentence> {
    let mut names = arguments
        .iter()
        .filter(|value| !matches!(value, Value::List(_)));
    let name = names.next()?;
    Some(match is_empty(name) {
        true => Sentence::new(before).own("the server"),
        false => Sentence::new(before).own("the mailbox ").mailbox(name),
    })
}

fn renamed(arguments: &[Value<'_>]) -> Option<Sentence> {
    let [old, new] = arguments else {
        return None;
    };
    let words = Sentence::new("renames the mailbox ").mailbox(old);
    Some(words.own(" to ").mailbox(new))
}

/// `LIST "" "*"`; selection options may come first and return options last (RFC 5258, section 3).
fn listed(arguments: &[Value<'_>]) -> Option<Sentence> {
    let arguments = match arguments {
        [Value::List(_), rest @ ..] => rest,
        all => all,
    };
    match arguments {
        [reference, pattern, ..] if is_empty(reference) && is_empty(pattern) => Some(
            Sentence::new("asks which character stands between the levels of mailbox names"),
        ),
        _ => mailbox_pattern("asks which mailboxes there are", arguments),
    }
}

fn mailbox_pattern(words: &'static str, arguments: &[Value<'_>]) -> Option<Sentence> {
    let [reference, pattern, ..] = arguments else {
        return Some(Sentence::new(words));
    };
    let below = |sentence: Sentence| match is_empty(reference) {
        true => sentence,
        false => sentence.own(", below ").mailbox(reference),
    };
    Some(match pattern {
        pattern if pattern.is_word("*") => below(Sentence::new(words).own(", on all levels (*)")),
        pattern if pattern.is_word("%") => below(Sentence::new(words).own(", on one level (%)")),
        Value::List(_) => below(Sentence::new(words)),
        pattern => below(Sentence::new(words).own(" by the name ").mailbox(pattern)),
    })
}

fn is_empty(value: &Value<'_>) -> bool {
    value.bytes().is_some_and(<[u8]>::is_empty)
}

fn status(arguments: &[Value<'_>]) -> Option<Sentence> {
    let [name, Value::List(items)] = arguments else {
        return None;
    };
    let items = items.iter().map(|item| Sentence::default().value(item));
    let words = Sentence::new("asks for ").with(Sentence::list(items, " and "));
    let words = words.own(" of the mailbox ").mailbox(name);
    Some(words.own(" without opening it"))
}

/// `APPEND Drafts (\Draft) "date" {310}`; more messages may follow (RFC 3502).
fn appended(arguments: &[Value<'_>]) -> Option<Sentence> {
    let (mailbox, behind) = arguments.split_first()?;
    let octets = behind.iter().filter_map(|value| match value {
        Value::Literal(octets) => Some(octets.len() as u64),
        Value::Streamed(octets) => Some(*octets),
        _ => None,
    });
    let octets: Vec<u64> = octets.collect();
    if !matches!(behind.last()?, Value::Literal(_) | Value::Streamed(_)) {
        return None;
    }
    let which = match octets[..] {
        [octets] => format!("stores a message of {octets} octets in "),
        _ => {
            let (messages, sum) = (octets.len(), octets.iter().sum::<u64>());
            format!("stores {messages} messages, together of {sum} octets, in ")
        }
    };
    let words = Sentence::new(which).mailbox(mailbox);
    let flags = behind.first().map_or(&[][..], Value::members);
    Some(match flags.is_empty() || octets.len() > 1 {
        true => words,
        false => words.own(", with ").with(flags_in_words(flags)),
    })
}

/// `the labels Receipts and Entwürfe`: written as mailboxes' names are.
fn labels_in_words(labels: &[Value<'_>]) -> Sentence {
    let words = match labels.len() {
        0 => return Sentence::new("no labels"),
        1 => "the label ",
        _ => "the labels ",
    };
    let labels = labels
        .iter()
        .map(|label| Sentence::default().mailbox(label));
    Sentence::new(words).with(Sentence::list(labels, " and "))
}

/// `the flags \Seen and \Draft`
fn flags_in_words(flags: &[Value<'_>]) -> Sentence {
    let words = match flags.len() {
        0 => return Sentence::new("no flags"),
        1 => "the flag ",
        _ => "the flags ",
    };
    let flags = flags.iter().map(|flag| Sentence::default().value(flag));
    Sentence::new(words).with(Sentence::list(flags, " and "))
}

fn fetched(arguments: &[Value<'_>], by: By, access: Access) -> Option<Sentence> {
    let [which, wanted, ..] = arguments else {
        return None;
    };
    let set = set(which)?;
    let (which, them) = (messages(&set, by)?, pronoun(&set));
    let items = items::asked(wanted);
    let marks = items.iter().any(items::Item::marks_as_read);
    let peeks = items.iter().any(items::Item::peeks);
    let items = items.iter().map(items::Item::words);
    let words = Sentence::new("asks for ").with(Sentence::list(items, " and "));
    let words = words.own(" of ").with(which);
    Some(match (marks, peeks) {
        (true, _) if access == Access::ReadOnly => words.own(format!(
            ", which does not mark {them} as read: the mailbox is open for reading only"
        )),
        (true, _) => words.own(format!(", which marks {them} as read")),
        (false, true) => words.own(format!(", without marking {them} as read")),
        (false, false) => words,
    })
}

/// `STORE 1:3 +FLAGS.SILENT (\Seen)`; a modifier may stand before the item (RFC 7162).
fn stored(arguments: &[Value<'_>], by: By) -> Option<Sentence> {
    let (which, item, flags) = match arguments {
        [which, Value::List(_), item, flags @ ..] | [which, item, flags @ ..] => {
            (which, item, flags)
        }
        _ => return None,
    };
    let which = messages(&set(which)?, by)?;
    let item = String::from_utf8_lossy(item.bytes()?).to_ascii_uppercase();
    let (item, silent) = match item.strip_suffix(".SILENT") {
        Some(item) => (item, true),
        None => (item.as_str(), false),
    };
    let flags = match flags {
        [Value::List(flags)] => flags,
        flags => flags,
    };
    let flags = match item.ends_with("X-GM-LABELS") {
        true => labels_in_words(flags),
        false => flags_in_words(flags),
    };
    let words = match item {
        "+FLAGS" | "+X-GM-LABELS" => Sentence::new("adds ").with(flags).own(" to ").with(which),
        "-FLAGS" | "-X-GM-LABELS" => Sentence::new("takes ").with(flags).own(" off ").with(which),
        "FLAGS" | "X-GM-LABELS" => Sentence::new("leaves ")
            .with(which)
            .own(" with ")
            .with(flags),
        _ => return None,
    };
    Some(match silent {
        true => words.own(", and does not want to be sent the result"),
        false => words,
    })
}

fn carried(verb: &'static str, arguments: &[Value<'_>], by: By) -> Option<Sentence> {
    let [which, target] = arguments else {
        return None;
    };
    let which = messages(&set(which)?, by)?;
    let words = Sentence::new(verb).with(which);
    Some(words.own(" to the mailbox ").mailbox(target))
}

/// `SORT (REVERSE DATE) UTF-8 ALL`, or with RETURN first (RFC 5267).
fn sorted(arguments: &[Value<'_>], by: By) -> Option<Sentence> {
    let arguments = match arguments {
        [word, Value::List(_), rest @ ..] if word.is_word("RETURN") => rest,
        all => all,
    };
    let [Value::List(order), _charset, keys @ ..] = arguments else {
        return None;
    };
    let mut words = search::asked_for(keys, by)?.own(", sorted by");
    for word in order {
        words = words.own(" ").value(word);
    }
    Some(words)
}

fn threaded(arguments: &[Value<'_>], by: By) -> Option<Sentence> {
    let [_algorithm, _charset, keys @ ..] = arguments else {
        return None;
    };
    let words = search::asked_for(keys, by)?;
    Some(words.own(", grouped as conversations"))
}

/// A sequence set as octets.
fn set(value: &Value<'_>) -> Option<Vec<u8>> {
    match value {
        Value::Number(number) => Some(number.to_string().into_bytes()),
        value => value.bytes().map(<[u8]>::to_vec),
    }
}
