//! Reading a message's octets: the items of a `wire`.
//!
//! Not the writing of it, which is in `wire.rs`. It promises that what was written comes back octet
//! for octet, and that an item without a header gets the one that its content calls for, so that a
//! literal may be edited by hand.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::event::{LiteralForm, Message, Secret};

/// An item of a `wire`, or the content of a literal: a string or an object.
pub(super) enum Item<'a> {
    Text(Cow<'a, str>),
    Object(Box<Fields<'a>>),
}

/// All members that an item's object may have; which ones go together is for [`push`] to say.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Fields<'a> {
    base64: Option<String>,
    #[serde(borrow)]
    literal: Option<Item<'a>>,
    parts: Option<Vec<u64>>,
    secret: Option<String>,
    form: Option<String>,
    #[serde(borrow)]
    header: Option<Item<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Item<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Item<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or an object with base64, literal or secret")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Item<'de>, E> {
                Ok(Item::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Item<'de>, E> {
                Ok(Item::Text(Cow::Owned(text.into())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item<'de>, A::Error> {
                Fields::deserialize(MapAccessDeserializer::new(map))
                    .map(|fields| Item::Object(Box::new(fields)))
            }
        }

        json.deserialize_any(Any)
    }
}

/// Adds what the item stands for to `message`. `length` gives the octets of the literal part with
/// this number, `None` if there is none that is not in another message.
pub(super) fn push(
    message: &mut Message,
    item: Item<'_>,
    mut length: impl FnMut(u64) -> Option<u64>,
) -> Result<(), String> {
    let fields = match item {
        Item::Text(text) => {
            message.push_text(text.as_bytes());
            return Ok(());
        }
        Item::Object(fields) => *fields,
    };
    match fields {
        Fields {
            base64: Some(base64),
            literal: None,
            secret: None,
            ..
        } => message.push_text(&decoded(&base64)?),
        Fields {
            base64: None,
            literal: None,
            secret: Some(name),
            ..
        } => message.push_secret(Secret::named(&name)),
        Fields {
            base64: None,
            literal: Some(content),
            secret: None,
            form,
            header,
            ..
        } => {
            let announced = Announced {
                form: literal_form(form.as_deref())?,
                header: header.map(octets).transpose()?,
            };
            push_literal(message, announced, content, &mut length)?;
        }
        _ => return Err("a wire item has one of base64, literal and secret".into()),
    }
    Ok(())
}

struct Announced<'a> {
    form: LiteralForm,
    header: Option<Cow<'a, [u8]>>,
}

impl Announced<'_> {
    fn header(&self, octets: u64) -> Cow<'_, [u8]> {
        match &self.header {
            Some(header) => Cow::Borrowed(header),
            None => Cow::Owned(self.form.header(octets).into_bytes()),
        }
    }
}

fn push_literal(
    message: &mut Message,
    announced: Announced<'_>,
    content: Item<'_>,
    length: &mut impl FnMut(u64) -> Option<u64>,
) -> Result<(), String> {
    match content {
        Item::Object(fields) if fields.parts.is_some() => {
            let parts = fields.parts.unwrap_or_default();
            let mut octets = 0_u64;
            for part in &parts {
                octets = length(*part)
                    .and_then(|length| octets.checked_add(length))
                    .ok_or_else(|| {
                        format!(
                            "event {part} is no literal_part of this connection that stands \
                             before this message and belongs to no other"
                        )
                    })?;
            }
            let header = announced.header(octets);
            message.push_whole_streamed(announced.form, &header, octets, parts);
        }
        content => {
            let content = octets(content)?;
            let header = announced.header(content.len() as u64);
            message.push_whole_literal(announced.form, &header, &content);
        }
    }
    Ok(())
}

/// A string's octets, or those in base64.
fn octets(item: Item<'_>) -> Result<Cow<'_, [u8]>, String> {
    match item {
        Item::Text(Cow::Borrowed(text)) => Ok(Cow::Borrowed(text.as_bytes())),
        Item::Text(Cow::Owned(text)) => Ok(Cow::Owned(text.into_bytes())),
        Item::Object(fields) => match fields.base64 {
            Some(base64) => Ok(Cow::Owned(decoded(&base64)?)),
            None => Err("expected a string or {\"base64\":\"...\"}".into()),
        },
    }
}

fn decoded(base64: &str) -> Result<Vec<u8>, String> {
    STANDARD
        .decode(base64)
        .map_err(|error| format!("base64 that cannot be decoded: {error}"))
}

fn literal_form(name: Option<&str>) -> Result<LiteralForm, String> {
    name.map_or(Some(LiteralForm::Sync), LiteralForm::named)
        .ok_or_else(|| {
            format!(
                "the form of a literal is sync, nonsync, literal8 or literal8-nonsync, not {:?}",
                name.unwrap_or_default()
            )
        })
}

#[cfg(test)]
mod tests {
    use super::super::wire::write_wire;
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Result<Message, String> {
        let items: Vec<Item<'_>> = serde_json::from_str(json).map_err(|e| e.to_string())?;
        let mut message = Message::new();
        for item in items {
            push(&mut message, item, |part| (part < 10).then_some(part))?;
        }
        Ok(message)
    }

    #[test]
    fn strings_and_base64_that_follow_each_other_are_one_text() {
        let message = read(r#"["* OK ","gr",{"base64":"/N8="},"e\r\n"]"#).unwrap();
        assert!(message == Message::text(b"* OK gr\xfc\xdfe\r\n"));
    }

    #[test]
    fn a_literal_gets_the_header_that_its_content_calls_for() {
        for (item, octets) in [
            (r#"{"literal":"edited"}"#, "{6}\r\nedited"),
            (r#"{"literal":"é","form":"sync"}"#, "{2}\r\né"),
            (r#"{"literal":"","form":"nonsync"}"#, "{0+}\r\n"),
            (
                r#"{"literal":{"base64":"YWJj"},"form":"literal8"}"#,
                "~{3}\r\nabc",
            ),
            (r#"{"literal":"abc","header":"{007}\r\n"}"#, "{007}\r\nabc"),
            (r#"{"literal":{"parts":[2,3]}}"#, "{5}\r\n"),
        ] {
            let message = read(&format!("[{item}]")).unwrap();
            assert_eq!(message.bytes(), octets.as_bytes(), "{item}");
        }
    }

    #[test]
    fn what_is_no_item_is_named() {
        for (json, why) in [
            (r#""text""#, "expected a sequence"),
            ("[1]", "expected a string, or an object"),
            (r#"[{"base64":"%"}]"#, "base64 that cannot be decoded"),
            (r#"[{"literal":"a","form":"big"}]"#, "not \"big\""),
            (
                r#"[{"literal":{"secret":"x"}}]"#,
                "expected a string or {\"base64\"",
            ),
            (
                r#"[{"literal":{"parts":[99]}}]"#,
                "event 99 is no literal_part",
            ),
            ("[{}]", "one of base64, literal and secret"),
            (
                r#"[{"base64":"","secret":"x"}]"#,
                "one of base64, literal and secret",
            ),
        ] {
            let error = read(json).err().unwrap();
            assert!(error.contains(why), "{json}: {error}");
        }
    }

    #[test]
    fn members_nobody_knows_are_passed_over() {
        let message = read(r#"[{"secret":"password","length":[3]}]"#).unwrap();
        assert_eq!(message.bytes(), b"********");
    }

    fn form() -> impl Strategy<Value = LiteralForm> {
        prop::sample::select(vec![
            LiteralForm::Sync,
            LiteralForm::NonSync,
            LiteralForm::Literal8,
            LiteralForm::Literal8NonSync,
        ])
    }

    fn octets() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            any::<Vec<u8>>(),
            any::<String>().prop_map(String::into_bytes),
            "[a-z{}\"\\\\ \r\n]{0,40}".prop_map(String::into_bytes),
        ]
    }

    #[derive(Clone, Debug)]
    enum Step {
        Text(Vec<u8>),
        Literal(LiteralForm, Option<Vec<u8>>, Vec<u8>),
        Streamed(LiteralForm, Option<Vec<u8>>, Vec<u64>),
        Secret(Secret),
    }

    fn step() -> impl Strategy<Value = Step> {
        let header = || prop::option::weighted(0.3, octets());
        prop_oneof![
            octets().prop_map(Step::Text),
            (form(), header(), octets()).prop_map(|(f, h, c)| Step::Literal(f, h, c)),
            (form(), header(), prop::collection::vec(0..10_u64, 0..4))
                .prop_map(|(f, h, p)| Step::Streamed(f, h, p)),
            prop::sample::select(Secret::ALL.to_vec()).prop_map(Step::Secret),
        ]
    }

    fn message(steps: Vec<Step>) -> Message {
        let mut message = Message::new();
        for step in steps {
            match step {
                Step::Text(text) => message.push_text(&text),
                Step::Literal(form, header, content) => {
                    let usual = form.header(content.len() as u64).into_bytes();
                    message.push_whole_literal(form, &header.unwrap_or(usual), &content);
                }
                Step::Streamed(form, header, parts) => {
                    let octets = parts.iter().sum();
                    let usual = form.header(octets).into_bytes();
                    message.push_whole_streamed(form, &header.unwrap_or(usual), octets, parts);
                }
                Step::Secret(secret) => message.push_secret(secret),
            }
        }
        message
    }

    proptest! {
        #[test]
        fn every_message_comes_back(steps in prop::collection::vec(step(), 0..8)) {
            let message = message(steps);
            let mut json = Vec::new();
            write_wire(&mut json, &message);
            let json = String::from_utf8(json).unwrap();
            let again = read(&json).unwrap();
            prop_assert_eq!(again.bytes(), message.bytes());
            prop_assert_eq!(again.pieces(), message.pieces());
        }
    }
}
