//! The format, said to a machine.
//!
//! Not used to read transcripts: the reader is more forgiving, and faster. It promises that every
//! document the writer makes is valid by it.

/// The transcript's format as a JSON Schema (draft 2020-12).
pub const SCHEMA: &str = include_str!("schema.json");

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::super::sample;
    use super::super::tests::written;
    use super::*;

    fn schema() -> jsonschema::Validator {
        jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap()
    }

    pub(in super::super) fn assert_valid(document: &str) {
        let value = serde_json::from_str(document).unwrap();
        let errors: Vec<String> = schema()
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }

    #[test]
    fn the_schema_knows_all_that_is_written() {
        assert!(jsonschema::meta::is_valid(
            &serde_json::from_str(SCHEMA).unwrap()
        ));
        assert_valid(&written(&sample::session()));
        assert_valid(&written(&[]));
    }

    #[test]
    fn the_schema_knows_what_is_wrong() {
        let schema = schema();
        let good: Value = serde_json::from_str(&written(&sample::session())).unwrap();
        let changes: [(&str, Value); 16] = [
            ("/mailscope/format", json!(2)),
            ("/mailscope/started", json!("today")),
            ("/mailscope/secrets", json!(true)),
            ("/events", json!({})),
            ("/events/0/kind", json!("disconnected")),
            ("/events/0/client", Value::Null),
            ("/events/0/at", json!(-1)),
            ("/events/1/leg", json!("both")),
            ("/events/2/from", json!("client")),
            ("/events/3/wire/1", json!({"hidden": "x"})),
            ("/events/3/wire/1", json!({"secret": "x", "base64": ""})),
            ("/events/4/status", json!("ok")),
            ("/events/5/id", json!("Bare LF")),
            ("/events/14/wire/3/form", json!("large")),
            ("/events/14/wire/3/literal", json!({"base64": "%"})),
            ("/events/19/half", json!(false)),
        ];
        for (place, value) in changes {
            let mut broken = good.clone();
            *broken.pointer_mut(place).expect(place) = value;
            assert!(!schema.is_valid(&broken), "{place}");
        }
        for (event, field) in [
            (0, "n"),
            (0, "server"),
            (1, "sni"),
            (3, "wire"),
            (4, "answers"),
            (4, "tag"),
            (8, "name"),
            (8, "unsolicited"),
            (12, "offset"),
            (18, "octets"),
            (19, "from"),
        ] {
            let mut broken = good.clone();
            let fields = broken["events"][event].as_object_mut().unwrap();
            fields.remove(field).expect(field);
            assert!(!schema.is_valid(&broken), "{event} without {field}");
        }
    }
}
