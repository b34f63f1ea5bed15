//! Commands as `imap-codec` has them.

use imap_codec::imap_types::command::{CommandBody, FetchModifier, SelectParameter, StoreModifier};
use imap_codec::imap_types::core::{Charset, NString8};
use imap_codec::imap_types::extensions::binary::LiteralOrLiteral8;
use imap_codec::imap_types::extensions::metadata::{Depth, GetMetadataOption};
use imap_codec::imap_types::extensions::sort::SortKey;
use imap_codec::imap_types::fetch::{MacroOrMessageDataItemNames, MessageDataItemName};
use imap_codec::imap_types::flag::{StoreResponse, StoreType};
use imap_codec::imap_types::mailbox::ListMailbox;
use imap_codec::imap_types::status::StatusDataItemName;
use serde_json::{Map, Value, json};

use super::keys::keys;
use super::{astring, body, mailbox, nstring, pairs, set, text};

/// All that it knows, with their data compared.
pub(super) const NAMES: &[&str] = &[
    "APPEND",
    "COMPRESS",
    "COPY",
    "CREATE",
    "DELETE",
    "ENABLE",
    "EXAMINE",
    "FETCH",
    "GETMETADATA",
    "GETQUOTA",
    "GETQUOTAROOT",
    "ID",
    "LIST",
    "LSUB",
    "MOVE",
    "RENAME",
    "SEARCH",
    "SELECT",
    "SETMETADATA",
    "SETQUOTA",
    "SORT",
    "STATUS",
    "STORE",
    "SUBSCRIBE",
    "THREAD",
    "UID EXPUNGE",
    "UNSUBSCRIBE",
];

/// All others, whose head is all that there is.
pub(super) const HEADS: &[&str] = &[
    "AUTHENTICATE",
    "CAPABILITY",
    "CHECK",
    "CLOSE",
    "EXPUNGE",
    "IDLE",
    "LOGIN",
    "LOGOUT",
    "NAMESPACE",
    "NOOP",
    "STARTTLS",
    "UNSELECT",
];

/// The data, of which the word before it is for the reader of this.
pub(super) fn expected(body: &CommandBody<'_>) -> Option<(&'static str, Value)> {
    Some(match body {
        CommandBody::Select {
            mailbox: name,
            parameters,
        }
        | CommandBody::Examine {
            mailbox: name,
            parameters,
        } => {
            let mut data = json!({"mailbox": mailbox(name)});
            if !parameters.is_empty() {
                data["parameters"] = select_parameters(parameters)?;
            }
            ("SELECT", data)
        }
        CommandBody::Create { mailbox: name }
        | CommandBody::Delete { mailbox: name }
        | CommandBody::Subscribe { mailbox: name }
        | CommandBody::Unsubscribe { mailbox: name }
        | CommandBody::GetQuotaRoot { mailbox: name } => {
            ("CREATE", json!({"mailbox": mailbox(name)}))
        }
        CommandBody::Rename { from, to } => (
            "RENAME",
            json!({"mailbox": mailbox(from), "to": mailbox(to)}),
        ),
        CommandBody::List {
            reference,
            mailbox_wildcard,
        }
        | CommandBody::Lsub {
            reference,
            mailbox_wildcard,
        } => {
            let pattern = match mailbox_wildcard {
                ListMailbox::Token(token) if token.as_ref().eq_ignore_ascii_case(b"NIL") => {
                    json!("NIL")
                }
                ListMailbox::Token(token) => text(token),
                ListMailbox::String(string) => text(string),
            };
            (
                "LIST",
                json!({"reference": mailbox(reference), "pattern": pattern}),
            )
        }
        CommandBody::Status {
            mailbox: name,
            item_names,
        } => {
            let items: Vec<&str> = item_names.iter().map(status_item).collect();
            ("STATUS", json!({"mailbox": mailbox(name), "items": items}))
        }
        CommandBody::Append {
            mailbox: name,
            flags,
            date,
            message,
        } => {
            let length = match message {
                LiteralOrLiteral8::Literal(literal) => literal.data().len(),
                LiteralOrLiteral8::Literal8(literal) => literal.data.len(),
            };
            let mut appended = json!({"octets": length});
            if !flags.is_empty() {
                let flags: Vec<String> = flags.iter().map(ToString::to_string).collect();
                appended["flags"] = json!(flags);
            }
            if let Some(date) = date {
                appended["date"] = json!(date.as_ref().format("%d-%b-%Y %H:%M:%S %z").to_string());
            }
            (
                "APPEND",
                json!({"mailbox": mailbox(name), "messages": [appended]}),
            )
        }
        CommandBody::ExpungeUid { sequence_set } => ("EXPUNGE", json!({"set": set(sequence_set)})),
        CommandBody::Copy {
            sequence_set,
            mailbox: to,
            ..
        } => ("COPY", json!({"set": set(sequence_set), "to": mailbox(to)})),
        CommandBody::Move {
            sequence_set,
            mailbox: to,
            ..
        } => ("MOVE", json!({"set": set(sequence_set), "to": mailbox(to)})),
        CommandBody::Enable { capabilities } => {
            let all: Vec<String> = capabilities
                .as_ref()
                .iter()
                .map(ToString::to_string)
                .collect();
            ("ENABLE", json!({"capabilities": all}))
        }
        CommandBody::Compress { algorithm } => {
            ("COMPRESS", json!({"mechanism": algorithm.to_string()}))
        }
        CommandBody::GetQuota { root } => ("GETQUOTA", json!({"root": astring(root)})),
        body => return messages(body).or_else(|| annotations(body)),
    })
}

fn messages(body: &CommandBody<'_>) -> Option<(&'static str, Value)> {
    Some(match body {
        CommandBody::Search {
            charset: given,
            criteria,
            ..
        } => {
            let mut data = json!({"keys": keys(criteria.as_ref())});
            if let Some(given) = given {
                data["charset"] = charset(given);
            }
            ("SEARCH", data)
        }
        CommandBody::Sort {
            sort_criteria,
            charset: given,
            search_criteria,
            ..
        } => {
            let criteria: Vec<Value> = sort_criteria
                .as_ref()
                .iter()
                .map(|criterion| match criterion.reverse {
                    true => json!({"key": sort_key(&criterion.key), "reverse": true}),
                    false => json!({"key": sort_key(&criterion.key)}),
                })
                .collect();
            let keys = keys(search_criteria.as_ref());
            (
                "SORT",
                json!({"criteria": criteria, "charset": charset(given), "keys": keys}),
            )
        }
        CommandBody::Thread {
            algorithm,
            charset: given,
            search_criteria,
            ..
        } => {
            let keys = keys(search_criteria.as_ref());
            let algorithm = match algorithm.to_string() {
                nil if nil.eq_ignore_ascii_case("NIL") => "NIL".to_owned(),
                algorithm => algorithm,
            };
            (
                "THREAD",
                json!({"algorithm": algorithm, "charset": charset(given), "keys": keys}),
            )
        }
        CommandBody::Fetch {
            sequence_set,
            macro_or_item_names,
            modifiers,
            ..
        } => {
            let items = match macro_or_item_names {
                MacroOrMessageDataItemNames::Macro(name) => json!([name.to_string()]),
                MacroOrMessageDataItemNames::MessageDataItemNames(names) => {
                    names.iter().map(item).collect()
                }
            };
            let mut data = json!({"set": set(sequence_set), "items": items});
            let mut named = Map::new();
            for modifier in modifiers {
                let (name, value) = match modifier {
                    FetchModifier::ChangedSince(modseq) => ("CHANGEDSINCE", json!(modseq.get())),
                    FetchModifier::Vanished => ("VANISHED", json!(true)),
                };
                if named.insert(name.to_owned(), value).is_some() {
                    return None;
                }
            }
            if !named.is_empty() {
                data["modifiers"] = json!(named);
            }
            ("FETCH", data)
        }
        CommandBody::Store {
            sequence_set,
            kind,
            response,
            flags,
            modifiers,
            ..
        } => {
            let action = match kind {
                StoreType::Add => "add",
                StoreType::Remove => "remove",
                StoreType::Replace => "replace",
            };
            let flags: Vec<String> = flags.iter().map(ToString::to_string).collect();
            let mut data = json!({"set": set(sequence_set), "item": "FLAGS", "action": action, "flags": flags});
            if *response == StoreResponse::Silent {
                data["silent"] = json!(true);
            }
            match modifiers.as_slice() {
                [] => {}
                [StoreModifier::UnchangedSince(modseq)] => {
                    data["modifiers"] = json!({"UNCHANGEDSINCE": modseq});
                }
                _ => return None,
            }
            ("STORE", data)
        }
        _ => return None,
    })
}

fn annotations(body: &CommandBody<'_>) -> Option<(&'static str, Value)> {
    Some(match body {
        CommandBody::SetQuota { root, quotas } => {
            let limits: Map<String, Value> = quotas
                .iter()
                .map(|quota| {
                    (
                        quota.resource.to_string().to_ascii_uppercase(),
                        json!(quota.limit),
                    )
                })
                .collect();
            ("SETQUOTA", json!({"root": astring(root), "limits": limits}))
        }
        CommandBody::Id { parameters: None } => ("ID", json!({"parameters": null})),
        CommandBody::Id {
            parameters: Some(list),
        } => {
            let list: Vec<_> = list
                .iter()
                .map(|(name, value)| (name.clone(), nstring(value)))
                .collect();
            match pairs(&list) {
                Value::Null => return None, // a name comes twice
                object => ("ID", json!({"parameters": object})),
            }
        }
        CommandBody::SetMetadata {
            mailbox: name,
            entry_values,
        } => {
            let mut entries = Map::new();
            for given in entry_values.as_ref() {
                let value = match &given.value {
                    NString8::NString(value) => nstring(value),
                    NString8::Literal8(value) => text(&value.data),
                };
                let key = astring(given.entry.inner()).as_str()?.to_owned();
                let twice = entries
                    .keys()
                    .any(|other: &String| other.eq_ignore_ascii_case(&key));
                if twice {
                    return None;
                }
                entries.insert(key, value);
            }
            (
                "SETMETADATA",
                json!({"mailbox": mailbox(name), "entries": entries}),
            )
        }
        CommandBody::GetMetadata {
            options,
            mailbox: name,
            entries,
        } => {
            let entries: Vec<Value> = entries
                .as_ref()
                .iter()
                .map(|entry| astring(entry.inner()))
                .collect();
            let mut data = json!({"mailbox": mailbox(name), "entries": entries});
            let mut named = Map::new();
            for option in options {
                let (name, value) = match option {
                    GetMetadataOption::MaxSize(size) => ("MAXSIZE", json!(size)),
                    GetMetadataOption::Depth(Depth::Null) => ("DEPTH", json!(0)),
                    GetMetadataOption::Depth(Depth::One) => ("DEPTH", json!(1)),
                    GetMetadataOption::Depth(Depth::Infinity) => ("DEPTH", json!("infinity")),
                };
                if named.insert(name.to_owned(), value).is_some() {
                    return None;
                }
            }
            if !named.is_empty() {
                data["options"] = json!(named);
            }
            ("GETMETADATA", data)
        }
        _ => return None,
    })
}

fn select_parameters(parameters: &[SelectParameter]) -> Option<Value> {
    let mut named = Map::new();
    for parameter in parameters {
        let (name, value) = match parameter {
            SelectParameter::CondStore => ("CONDSTORE", json!(true)),
            SelectParameter::QResync {
                uid_validity,
                mod_sequence_value,
                known_uids,
                seq_match_data,
            } => {
                let mut value =
                    json!({"uid_validity": uid_validity.get(), "modseq": mod_sequence_value.get()});
                if let Some(known) = known_uids {
                    value["known_uids"] = set(known);
                }
                if let Some((numbers, uids)) = seq_match_data {
                    value["known_numbers"] = set(numbers);
                    value["known_numbers_uids"] = set(uids);
                }
                ("QRESYNC", value)
            }
        };
        if named.insert(name.to_owned(), value).is_some() {
            return None;
        }
    }
    Some(json!(named))
}

fn charset(charset: &Charset<'_>) -> Value {
    match charset {
        Charset::Atom(atom) if atom.as_ref().eq_ignore_ascii_case("NIL") => json!("NIL"),
        Charset::Atom(atom) => json!(atom.as_ref()),
        Charset::Quoted(quoted) => json!(quoted.as_ref()),
    }
}

fn status_item(item: &StatusDataItemName) -> &'static str {
    match item {
        StatusDataItemName::Messages => "MESSAGES",
        StatusDataItemName::Recent => "RECENT",
        StatusDataItemName::UidNext => "UIDNEXT",
        StatusDataItemName::UidValidity => "UIDVALIDITY",
        StatusDataItemName::Unseen => "UNSEEN",
        StatusDataItemName::Deleted => "DELETED",
        StatusDataItemName::DeletedStorage => "DELETED-STORAGE",
        StatusDataItemName::Size => "SIZE",
        StatusDataItemName::HighestModSeq => "HIGHESTMODSEQ",
    }
}

fn sort_key(key: &SortKey) -> &'static str {
    match key {
        SortKey::Arrival => "ARRIVAL",
        SortKey::Cc => "CC",
        SortKey::Date => "DATE",
        SortKey::From => "FROM",
        SortKey::Size => "SIZE",
        SortKey::Subject => "SUBJECT",
        SortKey::To => "TO",
        SortKey::DisplayFrom => "DISPLAYFROM",
        SortKey::DisplayTo => "DISPLAYTO",
    }
}

fn item(item: &MessageDataItemName<'_>) -> Value {
    let with_section =
        |name: &str, mut members: Map<String, Value>, partial: Option<(u32, u32)>| {
            members.insert("item".into(), name.into());
            if let Some((origin, length)) = partial {
                members.insert("origin".into(), origin.into());
                members.insert("length".into(), length.into());
            }
            json!(members)
        };
    let part = |section: &[std::num::NonZeroU32]| {
        let mut members = Map::new();
        if !section.is_empty() {
            members.insert("part".into(), body::dotted(section).into());
        }
        members
    };
    match item {
        MessageDataItemName::Body => json!("BODY"),
        MessageDataItemName::BodyStructure => json!("BODYSTRUCTURE"),
        MessageDataItemName::Envelope => json!("ENVELOPE"),
        MessageDataItemName::Flags => json!("FLAGS"),
        MessageDataItemName::InternalDate => json!("INTERNALDATE"),
        MessageDataItemName::Rfc822 => json!("RFC822"),
        MessageDataItemName::Rfc822Header => json!("RFC822.HEADER"),
        MessageDataItemName::Rfc822Size => json!("RFC822.SIZE"),
        MessageDataItemName::Rfc822Text => json!("RFC822.TEXT"),
        MessageDataItemName::Uid => json!("UID"),
        MessageDataItemName::ModSeq => json!("MODSEQ"),
        MessageDataItemName::BinarySize { section } => {
            with_section("BINARY.SIZE", part(section), None)
        }
        MessageDataItemName::Binary {
            section,
            partial,
            peek,
        } => with_section(
            if *peek { "BINARY.PEEK" } else { "BINARY" },
            part(section),
            partial.map(|(origin, length)| (origin, length.get())),
        ),
        MessageDataItemName::BodyExt {
            section,
            partial,
            peek,
        } => with_section(
            if *peek { "BODY.PEEK" } else { "BODY" },
            section.as_ref().map(body::section).unwrap_or_default(),
            partial.map(|(origin, length)| (origin, length.get())),
        ),
    }
}
