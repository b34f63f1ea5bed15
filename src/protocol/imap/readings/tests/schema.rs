//! The transcript's schema has a shape for all data. A schema is open, so that members may be added;
//! here it is not, so that none is added without a shape.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::super::super::command::COMMANDS;
use super::super::super::response::READINGS;
use super::{Peer, data};
use crate::event::{Reading, Said};

static CLOSED: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let mut schema = open();
    close(&mut schema["$defs"]["data"]);
    schema["$ref"] = json!("#/$defs/event");
    for keyword in ["type", "required", "properties"] {
        schema.as_object_mut().unwrap().remove(keyword);
    }
    jsonschema::validator_for(&schema).unwrap()
});

fn open() -> Value {
    serde_json::from_str(include_str!("../../../../transcript/schema.json")).unwrap()
}

/// Objects have no members but those that are named.
fn close(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(close),
        Value::Object(keywords) => {
            keywords.values_mut().for_each(close);
            if keywords.get("type") == Some(&json!("object")) {
                let closed = json!(false);
                keywords.entry("additionalProperties").or_insert(closed);
            }
        }
        _ => {}
    }
}

/// The event, as far as its data is concerned.
fn event(said: &Said) -> Value {
    let mut event = json!({"n": 1, "conn": 1, "at": 0, "from": said.from.name(), "wire": []});
    let mut data_is_in = "data";
    match &said.reading {
        Reading::Command { name, .. } => {
            event["kind"] = "command".into();
            event["name"] = json!(name);
        }
        Reading::Untagged { name, .. } => {
            event["kind"] = "untagged".into();
            event["unsolicited"] = true.into();
            event["name"] = json!(name);
        }
        _ => event["kind"] = "opaque".into(),
    }
    if let Some(code) = said.code() {
        event["code"] = json!({"name": code.name});
        data_is_in = "code";
    }
    let data = data(said);
    if let Ok(data) = serde_json::from_str::<Value>(&data) {
        match data_is_in {
            "code" => event["code"]["data"] = data,
            _ => event["data"] = data,
        }
    }
    event
}

pub(super) fn assert_valid(said: &Said) {
    let event = event(said);
    let errors = CLOSED.iter_errors(&event);
    let errors: Vec<String> = errors.map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{event}: {errors:#?}");
}

#[test]
fn a_member_that_has_no_shape_is_noticed() {
    let said = super::one(Peer::Server, b"* STATUS x (MESSAGES 1)\r\n");
    let mut event = event(&said);
    assert!(CLOSED.is_valid(&event));
    event["data"]["soup"] = json!(1);
    assert!(!CLOSED.is_valid(&event), "{event}");
    let open = jsonschema::validator_for(&open()).unwrap();
    let header = json!({"format": 1, "protocol": "imap", "version": "", "server": "",
        "started": "2026-11-23T12:00:00.000Z", "secrets": "masked"});
    assert!(open.is_valid(&json!({"mailscope": header, "events": [event]})));
}

/// The names that have a shape of their own.
fn named(place: &str) -> Vec<String> {
    let schema = open();
    let cases = schema["$defs"][place]["allOf"].as_array().unwrap().clone();
    let names = cases.iter().flat_map(|case| {
        let name = &case["if"]["properties"]["name"];
        match &name["enum"] {
            Value::Array(names) => names.clone(),
            _ => vec![name["const"].clone()],
        }
    });
    names
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_name_with_a_reading_has_a_shape() {
    let responses = named("response_data");
    for (name, reading) in READINGS {
        let has_shape = responses.iter().any(|other| other == name);
        assert_eq!(has_shape, reading.is_some(), "{name}");
    }
    let commands = named("command_data");
    for name in COMMANDS {
        let bare = name.strip_prefix("UID ").unwrap_or(name);
        let has_reading = super::super::commands::has_reading(bare) && *name != "EXPUNGE";
        let has_shape = commands.iter().any(|other| other == name);
        assert_eq!(has_shape, has_reading, "{name}");
    }
}

/// The lines of the table of registered names: every shape there is comes up in one of them.
#[test]
fn every_line_of_the_registries_has_its_shape() {
    const REGISTRY: &str = include_str!("../../../../explain/registry.txt");
    let mut lines = 0;
    for row in REGISTRY.lines().filter(|row| !row.starts_with(';')) {
        let wire = row
            .split(" | ")
            .nth(1)
            .and_then(|wire| wire.split_at_checked(3));
        let (from, line) = match wire {
            Some(("C: ", line)) => (Peer::Client, line),
            Some(("S: ", line)) if line.starts_with("* ") => (Peer::Server, line),
            _ => continue,
        };
        if line.starts_with("* PREAUTH")
            || ["LOGIN", "AUTHENTICATE"].iter().any(|n| line.contains(n))
        {
            continue; // what is said before a login
        }
        let open = line
            .matches('(')
            .count()
            .saturating_sub(line.matches(')').count());
        let behind = if line.ends_with('}') { "\r\nab" } else { "" };
        let whole = format!("{line}{behind}{}\r\n", ")".repeat(open));
        let said = super::said(&[(from, whole.as_bytes())]);
        said.iter().for_each(assert_valid);
        lines += 1;
    }
    assert!(lines > 250, "{lines}");
}
