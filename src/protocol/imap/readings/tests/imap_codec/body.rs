//! FETCH items as `imap-codec` has them.

use imap_codec::imap_types::body::{
    Body, BodyExtension, BodyStructure, Disposition, SpecificFields,
};
use imap_codec::imap_types::core::{IString, NString, NString8};
use imap_codec::imap_types::envelope::{Address, Envelope};
use imap_codec::imap_types::fetch::{MessageDataItem, Part, Section};
use imap_codec::imap_types::flag::FlagFetch;
use serde_json::{Map, Value, json};

use super::{nstring, pairs, text};

/// The item's name and value.
pub(super) fn item(item: &MessageDataItem<'_>) -> Option<(String, Value)> {
    let (name, value) = match item {
        MessageDataItem::Body(body) => ("BODY".to_owned(), structure(body)),
        MessageDataItem::BodyStructure(body) => ("BODYSTRUCTURE".to_owned(), structure(body)),
        MessageDataItem::Envelope(given) => ("ENVELOPE".to_owned(), envelope(given)),
        MessageDataItem::Flags(flags) => {
            let flag = |flag: &FlagFetch<'_>| match flag {
                FlagFetch::Flag(flag) => flag.to_string(),
                FlagFetch::Recent => "\\Recent".to_owned(),
            };
            let flags: Vec<String> = flags.iter().map(flag).collect();
            ("FLAGS".to_owned(), json!(flags))
        }
        MessageDataItem::InternalDate(date) => {
            let date: &imap_codec::imap_types::datetime::DateTime = date;
            let date = date.as_ref().format("%d-%b-%Y %H:%M:%S %z").to_string();
            ("INTERNALDATE".to_owned(), json!(date))
        }
        MessageDataItem::Rfc822(data) => ("RFC822".to_owned(), octets(Map::new(), data)),
        MessageDataItem::Rfc822Header(data) => {
            ("RFC822.HEADER".to_owned(), octets(Map::new(), data))
        }
        MessageDataItem::Rfc822Text(data) => ("RFC822.TEXT".to_owned(), octets(Map::new(), data)),
        MessageDataItem::Rfc822Size(size) => ("RFC822.SIZE".to_owned(), json!(size)),
        MessageDataItem::Uid(uid) => ("UID".to_owned(), json!(uid.get())),
        MessageDataItem::ModSeq(modseq) => ("MODSEQ".to_owned(), json!(modseq.get())),
        MessageDataItem::BinarySize { section, size } => {
            (format!("BINARY.SIZE[{}]", dotted(section)), json!(size))
        }
        MessageDataItem::Binary { section, value } => {
            let mut members = Map::new();
            if !section.is_empty() {
                members.insert("part".into(), dotted(section).into());
            }
            let value = match value {
                NString8::NString(data) => octets(members, data),
                NString8::Literal8(data) => {
                    members.insert("octets".into(), data.data.len().into());
                    json!(members)
                }
            };
            ("BINARY[".to_owned(), value)
        }
        MessageDataItem::BodyExt {
            section,
            origin,
            data,
        } => {
            let mut members = section.as_ref().map(self::section).unwrap_or_default();
            if let Some(origin) = origin {
                members.insert("origin".into(), json!(origin));
            }
            ("BODY[".to_owned(), octets(members, data))
        }
    };
    Some((name, value))
}

fn octets(mut members: Map<String, Value>, data: &NString<'_>) -> Value {
    let length = data.0.as_ref().map(|data| data.as_ref().len());
    members.insert("octets".into(), json!(length));
    match &data.0 {
        None | Some(IString::Literal(_)) => {}
        Some(quoted) => {
            members.insert("text".into(), text(quoted));
        }
    }
    json!(members)
}

pub(super) fn dotted(part: &[std::num::NonZeroU32]) -> String {
    let numbers: Vec<String> = part.iter().map(ToString::to_string).collect();
    numbers.join(".")
}

/// The members of a section.
pub(super) fn section(section: &Section<'_>) -> Map<String, Value> {
    let (part, name, fields) = match section {
        Section::Part(part) => (Some(part), None, None),
        Section::Header(part) => (part.as_ref(), Some("HEADER"), None),
        Section::HeaderFields(part, fields) => (part.as_ref(), Some("HEADER.FIELDS"), Some(fields)),
        Section::HeaderFieldsNot(part, fields) => {
            (part.as_ref(), Some("HEADER.FIELDS.NOT"), Some(fields))
        }
        Section::Text(part) => (part.as_ref(), Some("TEXT"), None),
        Section::Mime(part) => (Some(part), Some("MIME"), None),
    };
    let mut members = Map::new();
    if let Some(Part(part)) = part {
        members.insert("part".into(), dotted(part.as_ref()).into());
    }
    if let Some(name) = name {
        members.insert("section".into(), name.into());
    }
    if let Some(fields) = fields {
        let fields: Vec<Value> = fields.as_ref().iter().map(text).collect();
        members.insert("fields".into(), fields.into());
    }
    members
}

fn envelope(envelope: &Envelope<'_>) -> Value {
    let addresses = |all: &[Address<'_>]| match all {
        [] => Value::Null,
        all => all.iter().map(address).collect(),
    };
    json!({
        "date": nstring(&envelope.date),
        "subject": nstring(&envelope.subject),
        "from": addresses(&envelope.from),
        "sender": addresses(&envelope.sender),
        "reply_to": addresses(&envelope.reply_to),
        "to": addresses(&envelope.to),
        "cc": addresses(&envelope.cc),
        "bcc": addresses(&envelope.bcc),
        "in_reply_to": nstring(&envelope.in_reply_to),
        "message_id": nstring(&envelope.message_id),
    })
}

fn address(address: &Address<'_>) -> Value {
    let mut members = json!({
        "name": nstring(&address.name),
        "mailbox": nstring(&address.mailbox),
        "host": nstring(&address.host),
    });
    if address.adl.0.is_some() {
        members["adl"] = nstring(&address.adl);
    }
    members
}

fn structure(structure: &BodyStructure<'_>) -> Value {
    match structure {
        BodyStructure::Single {
            body,
            extension_data,
        } => {
            let mut members = single(body);
            if let Some(data) = extension_data {
                members["md5"] = nstring(&data.md5);
                extension(&mut members, data.tail.as_ref());
            }
            members
        }
        BodyStructure::Multi {
            bodies,
            subtype,
            extension_data,
        } => {
            let parts: Vec<Value> = bodies.as_ref().iter().map(self::structure).collect();
            let mut members =
                json!({"type": "multipart", "subtype": text(subtype), "parts": parts});
            if let Some(data) = extension_data {
                members["parameters"] = parameters(&data.parameter_list);
                extension(&mut members, data.tail.as_ref());
            }
            members
        }
    }
}

fn single(body: &Body<'_>) -> Value {
    let basic = &body.basic;
    let mut members = json!({
        "parameters": parameters(&basic.parameter_list),
        "id": nstring(&basic.id),
        "description": nstring(&basic.description),
        "encoding": text(&basic.content_transfer_encoding),
        "octets": basic.size,
    });
    match &body.specific {
        SpecificFields::Basic { r#type, subtype } => {
            members["type"] = text(r#type);
            members["subtype"] = text(subtype);
        }
        SpecificFields::Message {
            envelope: given,
            body_structure,
            number_of_lines,
        } => {
            members["type"] = json!("MESSAGE");
            members["subtype"] = json!("RFC822");
            members["envelope"] = envelope(given);
            members["body"] = structure(body_structure);
            members["lines"] = json!(number_of_lines);
        }
        SpecificFields::Text {
            subtype,
            number_of_lines,
        } => {
            members["type"] = json!("TEXT");
            members["subtype"] = text(subtype);
            members["lines"] = json!(number_of_lines);
        }
    }
    members
}

/// In turns where a name comes twice; a literal is its length there.
fn parameters(list: &[(IString<'_>, IString<'_>)]) -> Value {
    let named: Vec<(IString<'_>, Value)> = list
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    match (list, pairs(&named)) {
        ([], _) => Value::Null,
        (_, Value::Null) => list.iter().flat_map(|(a, b)| [tree(a), tree(b)]).collect(),
        (_, object) => object,
    }
}

fn tree(string: &IString<'_>) -> Value {
    match string {
        IString::Literal(literal) => json!({"octets": literal.as_ref().len()}),
        string => text(string),
    }
}

fn extension(members: &mut Value, tail: Option<&Disposition<'_>>) {
    let Some(Disposition { disposition, tail }) = tail else {
        return;
    };
    members["disposition"] = match disposition {
        Some((kind, list)) => json!({"type": text(kind), "parameters": parameters(list)}),
        None => Value::Null,
    };
    let Some(language) = tail else {
        return;
    };
    members["language"] = match language.language.as_slice() {
        [] => Value::Null,
        languages => super::texts(languages),
    };
    let Some(location) = &language.tail else {
        return;
    };
    members["location"] = nstring(&location.location);
    if !location.extensions.is_empty() {
        members["extension"] = location.extensions.iter().map(further).collect();
    }
}

fn further(value: &BodyExtension<'_>) -> Value {
    match value {
        BodyExtension::NString(string) => string.0.as_ref().map_or(Value::Null, tree),
        BodyExtension::Number(number) => json!(number),
        BodyExtension::List(list) => list.as_ref().iter().map(further).collect(),
    }
}
