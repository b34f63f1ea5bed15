//! Commands about a mailbox, or about several.

use super::super::fetch::write_annotations;
use super::super::mailbox_name::{
    MAILBOX, PATTERN, PATTERNS, REFERENCE, TO, write_name, write_names,
};
use super::super::pairs::{write_options, write_strings};
use super::super::text::{is_string, upper, write_astring, write_astrings};
use super::typed;
use crate::event::json::{Object, write_array, write_string};
use crate::event::{Said, Value};

/// `C: A142 SELECT INBOX (QRESYNC (67890007 20050715194045000))`, RFC 7162, section 3.2.5;
/// `C: t3 CREATE MySpecial (USE (\Drafts \Sent))`, RFC 6154, section 3; and all commands with a
/// mailbox and nothing else.
pub(super) fn mailbox(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [mailbox, parameters @ ..] = arguments else {
            return None;
        };
        is_string(mailbox).then_some(())?;
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        match parameters {
            [] => {}
            [Value::List(parameters)] => write_options(data.name("parameters"), parameters)?,
            _ => return None,
        }
        data.close();
        Some(())
    });
}

/// `C: A683 RENAME blurdybloop sarasoop`, RFC 9051, section 6.3.6.
pub(super) fn rename(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [from, to, parameters @ ..] = arguments else {
            return None;
        };
        (is_string(from) && is_string(to)).then_some(())?;
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, from);
        write_name(&mut data, &TO, said.details.names, to);
        match parameters {
            [] => {}
            [Value::List(parameters)] => write_options(data.name("parameters"), parameters)?,
            _ => return None,
        }
        data.close();
        Some(())
    });
}

/// `C: A04 LIST (SUBSCRIBED) "" ("INBOX" "Drafts") RETURN (CHILDREN STATUS (MESSAGES))`
///
/// RFC 9051, section 6.3.9 (RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590); LSUB, and RLIST and
/// RLSUB of RFC 2193.
pub(super) fn list(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let names = said.details.names;
        let mut data = Object::open(out);
        let rest = match arguments {
            [Value::List(selection), rest @ ..] => {
                write_options(data.name("selection"), selection)?;
                rest
            }
            rest => rest,
        };
        let [reference, patterns, rest @ ..] = rest else {
            return None;
        };
        is_string(reference).then_some(())?;
        write_name(&mut data, &REFERENCE, names, reference);
        match patterns {
            Value::List(patterns) if patterns.iter().all(is_string) => {
                write_names(&mut data, &PATTERNS, names, patterns);
            }
            pattern if is_string(pattern) => write_name(&mut data, &PATTERN, names, pattern),
            _ => return None,
        }
        match rest {
            [] => {}
            [word, Value::List(options)] if word.is_word("RETURN") => {
                write_options(data.name("return"), options)?;
            }
            _ => return None,
        }
        data.close();
        Some(())
    });
}

/// `C: A042 STATUS blurdybloop (UIDNEXT MESSAGES)`, RFC 9051, section 6.3.11.
pub(super) fn status(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [mailbox, Value::List(items)] = arguments else {
            return None;
        };
        is_string(mailbox).then_some(())?;
        let items: Option<Vec<String>> = items.iter().map(upper).collect();
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        write_array(data.name("items"), items?, |out, item| {
            write_string(out, &item)
        });
        data.close();
        Some(())
    });
}

/// `C: A035 SETACL INBOX/Drafts John lrQswicda`, RFC 4314, section 3.1; DELETEACL and LISTRIGHTS,
/// which have no rights.
pub(super) fn rights(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [mailbox, identifier, rights @ ..] = arguments else {
            return None;
        };
        (arguments.iter().all(is_string) && rights.len() <= 1).then_some(())?;
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        write_astring(data.name("identifier"), identifier);
        if let [rights] = rights {
            write_astring(data.name("rights"), rights);
        }
        data.close();
        Some(())
    });
}

/// `C: a GETMETADATA "INBOX" (MAXSIZE 1024) (/shared/comment /private/comment)`, RFC 5464,
/// section 4.2; its grammar and its examples put the options on different sides of the mailbox, and
/// some of its examples (section 4.4.1) leave out the parentheses around several entries.
pub(super) fn get_metadata(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let (options, mailbox, entries) = match arguments {
            [Value::List(options), mailbox, entries @ ..] => (Some(options), mailbox, entries),
            [mailbox, Value::List(options), entries @ ..] if !entries.is_empty() => {
                (Some(options), mailbox, entries)
            }
            [mailbox, entries @ ..] => (None, mailbox, entries),
            [] => return None,
        };
        let entries = match entries {
            [] => return None,
            [Value::List(entries)] => entries.as_slice(),
            entries => entries,
        };
        (is_string(mailbox) && entries.iter().all(is_string)).then_some(())?;
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        if let Some(options) = options {
            write_options(data.name("options"), options)?;
        }
        write_astrings(data.name("entries"), entries);
        data.close();
        Some(())
    });
}

/// `C: a SETMETADATA INBOX (/private/comment "My comment")`, RFC 5464, section 4.3.
pub(super) fn set_metadata(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [mailbox, Value::List(entries)] = arguments else {
            return None;
        };
        is_string(mailbox).then_some(())?;
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        write_strings(data.name("entries"), entries)?;
        data.close();
        Some(())
    });
}

/// `C: a GETANNOTATION "INBOX" "/vendor/*" "value.shared"`, draft-daboo-imap-annotatemore-05.
pub(super) fn get_annotation(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [mailbox, entries, attributes] = arguments else {
            return None;
        };
        is_string(mailbox).then_some(())?;
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        for (name, words) in [("entries", entries), ("attributes", attributes)] {
            let words = match words {
                Value::List(words) => words.as_slice(),
                word => std::slice::from_ref(word),
            };
            words.iter().all(is_string).then_some(())?;
            write_astrings(data.name(name), words);
        }
        data.close();
        Some(())
    });
}

/// `C: a SETANNOTATION "INBOX" "/comment" ("value.priv" "My comment")`, and several in parentheses,
/// draft-daboo-imap-annotatemore-05, section 4.2.
pub(super) fn set_annotation(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let (mailbox, entries) = arguments.split_first()?;
        is_string(mailbox).then_some(())?;
        let entries = match entries {
            [Value::List(entries)] => entries,
            entries => entries,
        };
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        write_annotations(data.name("entries"), entries)?;
        data.close();
        Some(())
    });
}

/// `C: a33 RESETKEY INBOX INTERNAL`, RFC 4467, section 7; of all mailboxes where it names none.
pub(super) fn reset_key(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        arguments.iter().all(is_string).then_some(())?;
        let mut data = Object::open(out);
        let (mailbox, mechanisms) = arguments.split_at(arguments.len().min(1));
        if let [mailbox] = mailbox {
            write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        }
        if !mechanisms.is_empty() {
            write_astrings(data.name("mechanisms"), mechanisms);
        }
        data.close();
        Some(())
    });
}
