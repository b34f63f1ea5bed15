//! Response codes whose arguments have names (RFC 9051, section 7.1, and the registry of response
//! codes). `value` has them as they stand there; this stands beside it, as `data`.
//!
//! ```text
//! S: a OK [COPYUID 38505 304,319:320 3956:3958] Done
//! {"name":"COPYUID","value":[38505,"304,319:320","3956:3958"],
//!  "data":{"uid_validity":38505,"source":"304,319:320","destination":"3956:3958"}}
//! ```
//!
//! One number, one word, a list or nothing says all as `value`: UIDNEXT, UIDVALIDITY, UNSEEN,
//! HIGHESTMODSEQ, REFERRAL, BADURL, NOUPDATE, UNDEFINED-FILTER, ANNOTATE, MAXCONVERTMESSAGES,
//! MAXCONVERTPARTS, CAPABILITY, PERMANENTFLAGS, BADCHARSET, BADEVENT, Gmail's WEBALERT and those
//! without arguments have no `data`.

use super::mailbox_name::{MAILBOX, TO, write_name};
use super::text::{is_string, write_astring, write_astrings};
use super::write_values;
use crate::event::json::Object;
use crate::event::{DataReader, MailboxNames, Said, Value};

/// How what stands in this code is read, where that has parts with names.
pub(in super::super) fn reader(name: &[u8]) -> Option<DataReader> {
    CODES
        .iter()
        .any(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
        .then_some(read as DataReader)
}

type Writer = fn(&mut Object<'_>, MailboxNames, &[Value<'_>]) -> Option<()>;

/// In alphabetical order.
const CODES: &[(&str, Writer)] = &[
    // RFC 5257, section 4.2
    ("ANNOTATIONS", |data, _, values| annotations(data, values)),
    // RFC 9051, section 7.1 (RFC 4315)
    ("APPENDUID", |data, _, values| uids(data, values, &["uids"])),
    ("COPYUID", |data, _, values| {
        uids(data, values, &["source", "destination"])
    }),
    // RFC 6858, section 3
    ("DOWNGRADED", |data, _, values| one(data, "set", values)),
    // RFC 9585, section 4
    ("INPROGRESS", |data, _, values| in_progress(data, values)),
    // RFC 8474, section 4.1
    ("MAILBOXID", |data, _, values| match values {
        [Value::List(id)] => one(data, "mailbox_id", id),
        _ => None,
    }),
    // RFC 9738, section 3
    ("MESSAGELIMIT", |data, _, values| {
        message_limit(data, values)
    }),
    // RFC 5464, section 4
    ("METADATA", |data, _, values| metadata(data, values)),
    // RFC 7162, section 3.1.3
    ("MODIFIED", |data, _, values| one(data, "set", values)),
    // RFC 2060, section 7.1
    ("NEWNAME", new_name),
    // RFC 4467, section 8
    ("URLMECH", |data, _, values| {
        words(data, "mechanisms", values)
    }),
];

fn read(said: &Said, out: &mut Vec<u8>) {
    let Some(code) = said.code() else {
        return write_values(out, &[]);
    };
    let start = out.len();
    let writer = CODES.iter().find(|(name, _)| *name == code.name);
    let mut data = Object::open(out);
    let written = writer.and_then(|(_, write)| write(&mut data, said.details.names, &code.values));
    data.close();
    if written.is_none() {
        out.truncate(start);
        write_values(out, &code.values);
    }
}

/// One word or number, as a string.
fn one(data: &mut Object<'_>, name: &'static str, values: &[Value<'_>]) -> Option<()> {
    let [value] = values else {
        return None;
    };
    is_string(value).then_some(())?;
    write_astring(data.name(name), value);
    Some(())
}

/// Words, within parentheses or not.
fn words(data: &mut Object<'_>, name: &'static str, values: &[Value<'_>]) -> Option<()> {
    let words = match values {
        [Value::List(words)] => words.as_slice(),
        words => words,
    };
    words.iter().all(is_string).then_some(())?;
    write_astrings(data.name(name), words);
    Some(())
}

/// `[APPENDUID 38505 3955]`, `[COPYUID 38505 304,319:320 3956:3958]`
fn uids(data: &mut Object<'_>, values: &[Value<'_>], names: &[&'static str]) -> Option<()> {
    let [Value::Number(validity), sets @ ..] = values else {
        return None;
    };
    (sets.len() == names.len() && sets.iter().all(is_string)).then_some(())?;
    data.number("uid_validity", *validity);
    for (name, set) in names.iter().zip(sets) {
        write_astring(data.name(name), set);
    }
    Some(())
}

/// `[ANNOTATIONS 20480 NOPRIVATE]`, `[ANNOTATIONS NONE]`: the largest size, or a word instead.
fn annotations(data: &mut Object<'_>, values: &[Value<'_>]) -> Option<()> {
    let (size, words) = match values {
        [Value::Number(size), words @ ..] => (Some(*size), words),
        words => (None, words),
    };
    words.iter().all(is_string).then_some(())?;
    if let Some(size) = size {
        data.number("size", size);
    }
    if !words.is_empty() {
        write_astrings(data.name("words"), words);
    }
    Some(())
}

/// `[INPROGRESS ("A001" 454 1000)]`, each of them NIL where it is not known.
fn in_progress(data: &mut Object<'_>, values: &[Value<'_>]) -> Option<()> {
    let [Value::List(progress)] = values else {
        return values.is_empty().then_some(());
    };
    let [tag, now, goal] = progress.as_slice() else {
        return None;
    };
    progress.iter().all(is_string).then_some(())?;
    match tag {
        Value::Nil => data.nullable("tag", None),
        tag => write_astring(data.name("tag"), tag),
    }
    now.write_json(data.name("progress"));
    goal.write_json(data.name("goal"));
    Some(())
}

/// `[NEWNAME foo bar]`: the mailbox, and what it is called now.
fn new_name(data: &mut Object<'_>, names: MailboxNames, values: &[Value<'_>]) -> Option<()> {
    let [mailbox, to] = values else {
        return None;
    };
    (is_string(mailbox) && is_string(to)).then_some(())?;
    write_name(data, &MAILBOX, names, mailbox);
    write_name(data, &TO, names, to);
    Some(())
}

/// `[MESSAGELIMIT 1000 23221]`: how many messages, and the lowest UID that was done: the server goes
/// from the highest to the lowest.
fn message_limit(data: &mut Object<'_>, values: &[Value<'_>]) -> Option<()> {
    let [Value::Number(limit), rest @ ..] = values else {
        return None;
    };
    data.number("limit", *limit);
    match rest {
        [] => Some(()),
        [Value::Number(uid)] => {
            data.number("lowest_uid", *uid);
            Some(())
        }
        _ => None,
    }
}

/// `[METADATA LONGENTRIES 2199]`, `[METADATA MAXSIZE 1024]`, `[METADATA TOOMANY]`,
/// `[METADATA NOPRIVATE]`
fn metadata(data: &mut Object<'_>, values: &[Value<'_>]) -> Option<()> {
    match values {
        [word, Value::Number(size)] if word.is_word("LONGENTRIES") => {
            data.number("long_entries", *size);
        }
        [word, Value::Number(size)] if word.is_word("MAXSIZE") => data.number("max_size", *size),
        [word] if word.is_word("TOOMANY") => data.flag("too_many", true),
        [word] if word.is_word("NOPRIVATE") => data.flag("no_private", true),
        _ => return None,
    }
    Some(())
}
