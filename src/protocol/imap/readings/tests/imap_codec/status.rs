//! Heads of responses as `imap-codec` has them: status, response code, text, and numbers. The matches
//! name every variant, so that a new one has to be gone through.

use imap_codec::imap_types::core::Charset;
use imap_codec::imap_types::extensions::metadata::MetadataCode;
use imap_codec::imap_types::flag::FlagPerm;
use imap_codec::imap_types::response::{
    Code, CommandContinuationRequest, Data, Greeting, GreetingKind, Response, Status, StatusBody,
    StatusKind, Tagged,
};
use serde_json::{Value, json};

use super::set;
use crate::event::{Reading, Said};

/// What stands in a response's head, as far as both have it.
pub(super) fn expected(response: &Response<'_>) -> Option<Value> {
    let kind = |kind: &StatusKind| match kind {
        StatusKind::Ok => "OK",
        StatusKind::No => "NO",
        StatusKind::Bad => "BAD",
    };
    let numbered = |name: &str, number: u32| Some(json!({"name": name, "number": number}));
    match response {
        Response::Data(Data::Exists(number)) => numbered("EXISTS", *number),
        Response::Data(Data::Recent(number)) => numbered("RECENT", *number),
        Response::Data(Data::Expunge(number)) => numbered("EXPUNGE", number.get()),
        Response::Data(Data::Fetch { seq, .. }) => numbered("FETCH", seq.get()),
        Response::Data(_) => None,
        Response::CommandContinuationRequest(request) => Some(continuation(request)),
        Response::Status(Status::Untagged(StatusBody {
            kind: given,
            code,
            text,
        })) => Some(head(None, kind(given), code.as_ref(), text.inner())),
        Response::Status(Status::Tagged(Tagged { tag, body })) => Some(head(
            Some(tag.as_ref()),
            kind(&body.kind),
            body.code.as_ref(),
            body.text.inner(),
        )),
        Response::Status(Status::Bye(bye)) => {
            Some(head(None, "BYE", bye.code.as_ref(), bye.text.inner()))
        }
    }
}

/// What stands in a greeting.
pub(super) fn greeting(greeting: &Greeting<'_>) -> Value {
    let status = match greeting.kind {
        GreetingKind::Ok => "OK",
        GreetingKind::PreAuth => "PREAUTH",
        GreetingKind::Bye => "BYE",
    };
    head(None, status, greeting.code.as_ref(), greeting.text.inner())
}

/// A code and a text, or base64, of which either may tell us the other one.
fn continuation(request: &CommandContinuationRequest<'_>) -> Value {
    match request {
        CommandContinuationRequest::Basic(basic) => {
            let code = basic.code().and_then(expected_code);
            json!({"status": "+", "code": code, "text": basic.text().inner().trim()})
        }
        CommandContinuationRequest::Base64(octets) => {
            use base64::Engine;
            let text = base64::engine::general_purpose::STANDARD.encode(octets);
            json!({"status": "+", "code": null, "text": text})
        }
    }
}

fn head(tag: Option<&str>, status: &str, code: Option<&Code<'_>>, text: &str) -> Value {
    let code = code.and_then(|code| expected_code(code));
    // Spaces at its ends, and line ends, are no part of what is shown.
    json!({"tag": tag, "status": status, "code": code, "text": text.trim()})
}

/// Its name and its values; `None` for one that is of no kind that it knows.
fn expected_code(code: &Code<'_>) -> Option<Value> {
    let of = |name: &str, value: Value| Some(json!([name, value]));
    let alone = |name: &str| Some(json!([name]));
    let flag = |flag: &FlagPerm<'_>| match flag {
        FlagPerm::Flag(flag) => flag.to_string(),
        FlagPerm::Asterisk => "\\*".to_owned(),
    };
    match code {
        Code::Alert => alone("ALERT"),
        Code::Parse => alone("PARSE"),
        Code::ReadOnly => alone("READ-ONLY"),
        Code::ReadWrite => alone("READ-WRITE"),
        Code::TryCreate => alone("TRYCREATE"),
        Code::CompressionActive => alone("COMPRESSIONACTIVE"),
        Code::OverQuota => alone("OVERQUOTA"),
        Code::TooBig => alone("TOOBIG"),
        Code::UnknownCte => alone("UNKNOWN-CTE"),
        Code::UidNotSticky => alone("UIDNOTSTICKY"),
        Code::NoModSeq => alone("NOMODSEQ"),
        Code::Closed => alone("CLOSED"),
        Code::UidNext(number) => of("UIDNEXT", json!(number.get())),
        Code::UidValidity(number) => of("UIDVALIDITY", json!(number.get())),
        Code::Unseen(number) => of("UNSEEN", json!(number.get())),
        Code::HighestModSeq(number) => of("HIGHESTMODSEQ", json!(number.get())),
        Code::PermanentFlags(flags) => of("PERMANENTFLAGS", flags.iter().map(flag).collect()),
        Code::Modified(given) => {
            let numbers = set(given);
            let alone = numbers.as_str().and_then(|text| text.parse::<u64>().ok());
            of("MODIFIED", alone.map_or(numbers, |number| json!(number)))
        }
        Code::Capability(all) => {
            let all = all.as_ref().iter().map(ToString::to_string);
            Some(
                std::iter::once("CAPABILITY".to_owned())
                    .chain(all)
                    .collect(),
            )
        }
        Code::Metadata(MetadataCode::LongEntries(size)) => {
            Some(json!(["METADATA", "LONGENTRIES", size]))
        }
        Code::Metadata(MetadataCode::MaxSize(size)) => Some(json!(["METADATA", "MAXSIZE", size])),
        Code::Metadata(MetadataCode::TooMany) => of("METADATA", json!("TOOMANY")),
        Code::Metadata(MetadataCode::NoPrivate) => of("METADATA", json!("NOPRIVATE")),
        Code::BadCharset { allowed } if allowed.is_empty() => alone("BADCHARSET"),
        Code::BadCharset { allowed } => {
            // Digits without quotes are a number in the tree, and NIL is nothing.
            let charset = |charset: &Charset<'_>| match charset {
                Charset::Atom(atom) => match atom.as_ref() {
                    nil if nil.eq_ignore_ascii_case("NIL") => Value::Null,
                    word if word.starts_with('0') && word.len() > 1 => json!(word),
                    word => word
                        .parse::<u64>()
                        .map_or(json!(word), |number| json!(number)),
                },
                Charset::Quoted(quoted) => json!(quoted.as_ref()),
            };
            of("BADCHARSET", allowed.iter().map(charset).collect())
        }
        // `imap-codec` has it, and takes it for another code when it parses.
        Code::Referral(url) => of("REFERRAL", json!(url)),
        Code::AppendUid { uid_validity, uid } => {
            Some(json!(["APPENDUID", uid_validity.get(), uid.get()]))
        }
        Code::CopyUid {
            uid_validity,
            source,
            destination,
        } => {
            let set = |uids| match super::responses::uids(uids) {
                uids if uids.contains([',', ':']) => json!(uids),
                uid => json!(uid.parse::<u64>().unwrap_or_default()),
            };
            let validity = uid_validity.get();
            Some(json!(["COPYUID", validity, set(source), set(destination)]))
        }
        // Of a code that it does not know it has the octets.
        Code::Other(other) => {
            let octets = String::from_utf8_lossy(other.inner()).to_ascii_uppercase();
            let name = octets.split(' ').next().unwrap_or_default();
            Some(json!({"other": name}))
        }
    }
}

/// The same of what we read; of a code, where `expected` has one.
pub(super) fn ours(said: &Said, expected: &Value) -> Value {
    let (tag, status) = match &said.reading {
        Reading::Untagged {
            number: Some(number),
            name,
            ..
        } => {
            return json!({"name": name, "number": number});
        }
        Reading::Untagged { status, .. } => (None, *status),
        Reading::Tagged { tag, status, .. } => (Some(tag), *status),
        Reading::Greeting { status } => (None, *status),
        Reading::ContinuationRequest { .. } => {
            let code = said.code().map(|code| in_turns(&code, expected));
            let text = said.human_text().unwrap_or_default();
            return json!({"status": "+", "code": code, "text": text.trim()});
        }
        _ => return Value::Null,
    };
    let code = said.code().filter(|_| !expected["code"].is_null());
    let code = code.map(|code| in_turns(&code, expected));
    let text = said.human_text().unwrap_or_default();
    json!({"tag": tag, "status": status.map(|status| status.name()), "code": code, "text": text.trim()})
}

/// Its name and its values; the name alone where `expected` has no more.
fn in_turns(code: &crate::event::Code<'_>, expected: &Value) -> Value {
    if !expected["code"]["other"].is_null() {
        return json!({"other": code.name});
    }
    let values = code.values.iter().map(|value| {
        let mut json = Vec::new();
        value.write_json(&mut json);
        serde_json::from_slice(&json).unwrap()
    });
    std::iter::once(json!(code.name)).chain(values).collect()
}

/// Every code that is generated, to be sure that each came up.
pub(super) const CODES: &[&str] = &[
    "ALERT",
    "APPENDUID",
    "BADCHARSET",
    "CAPABILITY",
    "CLOSED",
    "COMPRESSIONACTIVE",
    "COPYUID",
    "HIGHESTMODSEQ",
    "METADATA",
    "MODIFIED",
    "NOMODSEQ",
    "OVERQUOTA",
    "PARSE",
    "PERMANENTFLAGS",
    "READ-ONLY",
    "READ-WRITE",
    "TOOBIG",
    "TRYCREATE",
    "UIDNEXT",
    "UIDNOTSTICKY",
    "UIDVALIDITY",
    "UNKNOWN-CTE",
    "UNSEEN",
    "other",
];
