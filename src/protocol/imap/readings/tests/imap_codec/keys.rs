//! Search keys as `imap-codec` has them.

use imap_codec::imap_types::datetime::NaiveDate;
use imap_codec::imap_types::search::SearchKey;
use serde_json::{Value, json};

use super::{astring, set};

pub(super) fn keys(all: &[SearchKey<'_>]) -> Value {
    all.iter().map(key).collect()
}

fn key(given: &SearchKey<'_>) -> Value {
    let date = |date: &NaiveDate| json!(date.as_ref().format("%d-%b-%Y").to_string());
    let with = |name: &str, value: Value| json!({"key": name, "value": value});
    let alone = |name: &str| json!({"key": name});
    match given {
        SearchKey::And(all) => json!({"keys": keys(all.as_ref())}),
        SearchKey::SequenceSet(numbers) => json!({"set": set(numbers)}),
        SearchKey::Not(inner) => json!({"key": "NOT", "keys": [key(inner)]}),
        SearchKey::Or(one, other) => json!({"key": "OR", "keys": [key(one), key(other)]}),
        SearchKey::Uid(uids) => json!({"key": "UID", "set": set(uids)}),
        SearchKey::Header(field, value) => {
            json!({"key": "HEADER", "field": astring(field), "value": astring(value)})
        }
        SearchKey::ModSequence {
            entry: None,
            modseq,
        } => with("MODSEQ", json!(modseq)),
        SearchKey::ModSequence {
            entry: Some((flag, kind)),
            modseq,
        } => json!({
            // As it stands in a quoted string.
            "key": "MODSEQ", "entry": format!("/flags/{flag}").replace("\\\\", "\\"), "type": kind.to_string(), "value": modseq,
        }),
        SearchKey::All => alone("ALL"),
        SearchKey::Answered => alone("ANSWERED"),
        SearchKey::Deleted => alone("DELETED"),
        SearchKey::Draft => alone("DRAFT"),
        SearchKey::Flagged => alone("FLAGGED"),
        SearchKey::New => alone("NEW"),
        SearchKey::Old => alone("OLD"),
        SearchKey::Recent => alone("RECENT"),
        SearchKey::Seen => alone("SEEN"),
        SearchKey::Unanswered => alone("UNANSWERED"),
        SearchKey::Undeleted => alone("UNDELETED"),
        SearchKey::Undraft => alone("UNDRAFT"),
        SearchKey::Unflagged => alone("UNFLAGGED"),
        SearchKey::Unseen => alone("UNSEEN"),
        SearchKey::Bcc(value) => with("BCC", astring(value)),
        SearchKey::Body(value) => with("BODY", astring(value)),
        SearchKey::Cc(value) => with("CC", astring(value)),
        SearchKey::From(value) => with("FROM", astring(value)),
        SearchKey::Subject(value) => with("SUBJECT", astring(value)),
        SearchKey::Text(value) => with("TEXT", astring(value)),
        SearchKey::To(value) => with("TO", astring(value)),
        SearchKey::Keyword(flag) => with("KEYWORD", json!(flag.as_ref())),
        SearchKey::Unkeyword(flag) => with("UNKEYWORD", json!(flag.as_ref())),
        SearchKey::Before(day) => with("BEFORE", date(day)),
        SearchKey::On(day) => with("ON", date(day)),
        SearchKey::Since(day) => with("SINCE", date(day)),
        SearchKey::SentBefore(day) => with("SENTBEFORE", date(day)),
        SearchKey::SentOn(day) => with("SENTON", date(day)),
        SearchKey::SentSince(day) => with("SENTSINCE", date(day)),
        SearchKey::Larger(octets) => with("LARGER", json!(octets)),
        SearchKey::Smaller(octets) => with("SMALLER", json!(octets)),
        SearchKey::Older(seconds) => with("OLDER", json!(seconds.get())),
        SearchKey::Younger(seconds) => with("YOUNGER", json!(seconds.get())),
    }
}
