//! Responses as `imap-codec` has them.

use imap_codec::imap_types::core::NString8;
use imap_codec::imap_types::extensions::metadata::MetadataResponse;
use imap_codec::imap_types::extensions::namespace::Namespace;
use imap_codec::imap_types::extensions::thread::Thread;
use imap_codec::imap_types::extensions::uidplus::{UidElement, UidSet};
use imap_codec::imap_types::response::{Code, Data, Response, Status};
use imap_codec::imap_types::status::StatusDataItem;
use serde_json::{Map, Value, json};

use super::{astring, body, mailbox, nstring, pairs, set, text, texts};

/// Those that have to come up.
pub(super) const NAMES: &[&str] = &[
    "APPENDUID",
    "CAPABILITY",
    "COPYUID",
    "ENABLED",
    "FETCH",
    "FLAGS",
    "ID",
    "LIST",
    "LSUB",
    "METADATA",
    "NAMESPACE",
    "QUOTA",
    "QUOTAROOT",
    "SEARCH",
    "SORT",
    "STATUS",
    "THREAD",
    "VANISHED",
];

/// The name and the data.
pub(super) fn expected(response: &Response<'_>) -> Option<(&'static str, Value)> {
    match response {
        Response::Data(data) => expected_data(data),
        Response::Status(Status::Untagged(body)) => expected_code(body.code.as_ref()?),
        Response::Status(Status::Tagged(tagged)) => expected_code(tagged.body.code.as_ref()?),
        _ => None,
    }
}

fn expected_code(code: &Code<'_>) -> Option<(&'static str, Value)> {
    Some(match code {
        Code::AppendUid { uid_validity, uid } => (
            "APPENDUID",
            json!({"uid_validity": uid_validity.get(), "uids": uid.to_string()}),
        ),
        Code::CopyUid {
            uid_validity,
            source,
            destination,
        } => (
            "COPYUID",
            json!({"uid_validity": uid_validity.get(), "source": uids(source), "destination": uids(destination)}),
        ),
        _ => return None,
    })
}

/// A set of UIDs as it is written.
pub(super) fn uids(uids: &UidSet) -> String {
    let uids = uids.0.as_ref().iter().map(|uid| match uid {
        UidElement::Single(uid) => uid.to_string(),
        UidElement::Range(first, last) => format!("{first}:{last}"),
    });
    uids.collect::<Vec<_>>().join(",")
}

fn expected_data(data: &Data<'_>) -> Option<(&'static str, Value)> {
    let strings = |all: &[String]| json!(all);
    let is_lsub = matches!(data, Data::Lsub { .. });
    Some(match data {
        Data::Capability(all) => {
            let all: Vec<String> = all.as_ref().iter().map(ToString::to_string).collect();
            ("CAPABILITY", json!({"capabilities": strings(&all)}))
        }
        Data::Enabled { capabilities } => {
            let all: Vec<String> = capabilities.iter().map(ToString::to_string).collect();
            ("ENABLED", json!({"capabilities": strings(&all)}))
        }
        Data::Flags(flags) => {
            let all: Vec<String> = flags.iter().map(ToString::to_string).collect();
            ("FLAGS", json!({"flags": strings(&all)}))
        }
        Data::List {
            items,
            delimiter,
            mailbox: name,
        }
        | Data::Lsub {
            items,
            delimiter,
            mailbox: name,
        } => {
            let attributes: Vec<String> = items.iter().map(ToString::to_string).collect();
            let delimiter = delimiter.map(|delimiter| delimiter.inner().to_string());
            let data =
                json!({"attributes": attributes, "delimiter": delimiter, "mailbox": mailbox(name)});
            (if is_lsub { "LSUB" } else { "LIST" }, data)
        }
        Data::Status {
            mailbox: name,
            items,
        } => {
            let items: Map<String, Value> = items.iter().map(status_item).collect();
            ("STATUS", json!({"mailbox": mailbox(name), "items": items}))
        }
        Data::Search(numbers, modseq) => ("SEARCH", found(numbers, *modseq)),
        Data::Sort(numbers, modseq) => ("SORT", found(numbers, *modseq)),
        Data::Thread(threads) => {
            let threads: Vec<Value> = threads.iter().map(thread).collect();
            ("THREAD", json!({"threads": threads}))
        }
        Data::Fetch { items, .. } => ("FETCH", fetched(items.as_ref())?),
        Data::Quota { root, quotas } => {
            let resources: Vec<Value> = quotas
                .as_ref()
                .iter()
                .map(|quota| {
                    json!({"name": quota.resource.to_string(), "usage": quota.usage, "limit": quota.limit})
                })
                .collect();
            (
                "QUOTA",
                json!({"root": astring(root), "resources": resources}),
            )
        }
        Data::QuotaRoot {
            mailbox: name,
            roots,
        } => {
            let roots: Vec<Value> = roots.iter().map(astring).collect();
            (
                "QUOTAROOT",
                json!({"mailbox": mailbox(name), "roots": roots}),
            )
        }
        Data::Id { parameters } => {
            let Some(list) = parameters else {
                return Some(("ID", json!({"parameters": null})));
            };
            let list: Vec<_> = list
                .iter()
                .map(|(name, value)| (name.clone(), nstring(value)))
                .collect();
            match pairs(&list) {
                Value::Null => return None, // a name comes twice
                object => ("ID", json!({"parameters": object})),
            }
        }
        Data::Metadata {
            mailbox: name,
            items,
        } => ("METADATA", metadata(mailbox(name), items)?),
        Data::Vanished {
            earlier,
            known_uids,
        } => match earlier {
            true => (
                "VANISHED",
                json!({"earlier": true, "uids": set(known_uids)}),
            ),
            false => ("VANISHED", json!({"uids": set(known_uids)})),
        },
        Data::Namespace {
            personal,
            other,
            shared,
        } => (
            "NAMESPACE",
            json!({"personal": namespaces(personal)?, "other_users": namespaces(other)?, "shared": namespaces(shared)?}),
        ),
        // The number alone: `status` has it.
        Data::Exists(_) | Data::Recent(_) | Data::Expunge(_) => return None,
    })
}

fn status_item(item: &StatusDataItem) -> (String, Value) {
    let (name, value) = match item {
        StatusDataItem::Messages(n) => ("MESSAGES", json!(n)),
        StatusDataItem::Recent(n) => ("RECENT", json!(n)),
        StatusDataItem::UidNext(n) => ("UIDNEXT", json!(n.get())),
        StatusDataItem::UidValidity(n) => ("UIDVALIDITY", json!(n.get())),
        StatusDataItem::Unseen(n) => ("UNSEEN", json!(n)),
        StatusDataItem::Deleted(n) => ("DELETED", json!(n)),
        StatusDataItem::DeletedStorage(n) => ("DELETED-STORAGE", json!(n)),
        StatusDataItem::Size(n) => ("SIZE", json!(n)),
        StatusDataItem::HighestModSeq(n) => ("HIGHESTMODSEQ", json!(n)),
    };
    (name.to_owned(), value)
}

fn found(numbers: &[std::num::NonZeroU32], modseq: Option<std::num::NonZeroU64>) -> Value {
    let numbers: Vec<u32> = numbers.iter().map(|number| number.get()).collect();
    match modseq {
        Some(modseq) => json!({"numbers": numbers, "modseq": modseq.get()}),
        None => json!({"numbers": numbers}),
    }
}

fn thread(thread: &Thread) -> Value {
    let answered = |answers: &[Thread]| answers.iter().map(self::thread).collect::<Vec<_>>();
    match thread {
        Thread::Members { prefix, answers } => {
            let mut all: Vec<Value> = prefix.as_ref().iter().map(|n| json!(n.get())).collect();
            all.extend(
                answers
                    .iter()
                    .flat_map(|answers| answered(answers.as_ref())),
            );
            json!(all)
        }
        Thread::Nested { answers } => json!(answered(answers.as_ref())),
    }
}

/// By name; of items that come twice, the last one counts.
fn fetched(items: &[imap_codec::imap_types::fetch::MessageDataItem<'_>]) -> Option<Value> {
    let mut all = Map::new();
    for item in items {
        let (name, value) = body::item(item)?;
        // How a section is spelled is not told, so that two are not told apart.
        if all.insert(name.clone(), value).is_some() && name.ends_with('[') {
            return None;
        }
    }
    Some(json!({"items": all}))
}

fn metadata(name: Value, items: &MetadataResponse<'_>) -> Option<Value> {
    Some(match items {
        MetadataResponse::WithoutValues(entries) => {
            let changed: Vec<Value> = entries
                .as_ref()
                .iter()
                .map(|entry| astring(entry.inner()))
                .collect();
            json!({"mailbox": name, "changed": changed})
        }
        MetadataResponse::WithValues(values) => {
            let mut entries = Map::new();
            for given in values.as_ref() {
                let key = astring(given.entry.inner()).as_str()?.to_owned();
                let value = match &given.value {
                    NString8::NString(value) => nstring(value),
                    NString8::Literal8(value) => text(&value.data),
                };
                let twice = entries
                    .keys()
                    .any(|other: &String| other.eq_ignore_ascii_case(&key));
                if twice {
                    return None;
                }
                entries.insert(key, value);
            }
            json!({"mailbox": name, "entries": entries})
        }
    })
}

fn namespaces(all: &[Namespace<'_>]) -> Option<Value> {
    if all.is_empty() {
        return Some(Value::Null);
    }
    all.iter()
        .map(|namespace| {
            let delimiter = namespace
                .delimiter
                .map(|delimiter| delimiter.inner().to_string());
            let mut object = json!({"prefix": text(&namespace.prefix), "delimiter": delimiter});
            let mut extensions = Map::new();
            for extension in &namespace.extensions {
                let key = String::from_utf8_lossy(extension.key.as_ref()).to_ascii_uppercase();
                if extensions.contains_key(&key) {
                    return None;
                }
                extensions.insert(key, texts(extension.values.as_ref()));
            }
            if !extensions.is_empty() {
                object["extensions"] = json!(extensions);
            }
            Some(object)
        })
        .collect()
}
