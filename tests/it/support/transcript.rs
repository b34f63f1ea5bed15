//! A reader of transcripts that shares no code with mailscope's own: what the contract promises to
//! everybody who reads the file with a JSON library.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A transcript as JSON.
pub struct Transcript {
    text: String,
    value: Value,
}

impl Transcript {
    /// Reads the file, which must be a valid document.
    pub fn read(path: &Path) -> Self {
        Self::try_read(path).unwrap_or_else(|error| {
            let octets = std::fs::read(path).unwrap_or_default();
            let tail = &octets[octets.len().saturating_sub(2000)..];
            let tail = String::from_utf8_lossy(tail);
            panic!("{}: {error}; it ends in:\n{tail}", path.display())
        })
    }

    /// Reads the file; while it is written, reading is not one step and may see half a write.
    pub fn try_read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read_to_string(path)?;
        let value = serde_json::from_str(&text)?;
        Ok(Self { text, value })
    }

    /// The file as it is.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The header.
    pub fn header(&self) -> &Value {
        &self.value["mailscope"]
    }

    /// The whole document.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// All events.
    pub fn events(&self) -> &[Value] {
        self.value["events"].as_array().unwrap()
    }

    /// The events of this kind.
    pub fn kind(&self, kind: &str) -> Vec<&Value> {
        let events = self.events().iter();
        events.filter(|event| event["kind"] == kind).collect()
    }

    /// The findings with this id.
    pub fn notes(&self, id: &str) -> Vec<&Value> {
        let notes = self.kind("note").into_iter();
        notes.filter(|note| note["id"] == id).collect()
    }

    /// The reason of the connection's end.
    pub fn closed(&self, conn: u64) -> &Value {
        self.events()
            .iter()
            .find(|event| {
                event["conn"] == conn && event["kind"] == "closed" && event.get("half").is_none()
            })
            .unwrap_or_else(|| panic!("connection {conn} is not closed"))
    }

    /// The octets of one direction of a connection, joined in order, as the contract's "wire is
    /// the truth" tells; `secret` stands for what is masked.
    pub fn wire(&self, conn: u64, from: &str, secret: &[u8]) -> Vec<u8> {
        self.wire_where(conn, from, secret, |_| true)
    }

    /// The same of those events only that are wanted; a literal's parts are wanted with it.
    pub fn wire_where(
        &self,
        conn: u64,
        from: &str,
        secret: &[u8],
        wanted: impl Fn(&Value) -> bool,
    ) -> Vec<u8> {
        let events = self.events().iter();
        let said =
            events.filter(|event| event["conn"] == conn && event["from"] == from && wanted(event));
        let mut joined = Vec::new();
        let mut parts: HashMap<u64, Vec<u8>> = HashMap::new();
        for event in said {
            let Some(wire) = event["wire"].as_array() else {
                continue;
            };
            if event["kind"] == "literal_part" {
                let octets: Vec<u8> = wire.iter().flat_map(|item| text(item, secret)).collect();
                parts.insert(event["n"].as_u64().unwrap(), octets);
                continue;
            }
            for item in wire {
                match item.get("literal") {
                    Some(literal) => joined.extend(with_header(item, literal, &mut parts)),
                    None => joined.extend(text(item, secret)),
                }
            }
        }
        joined
    }
}

/// A literal with the header that was read, or that the rules give.
fn with_header(item: &Value, literal: &Value, parts: &mut HashMap<u64, Vec<u8>>) -> Vec<u8> {
    let content = match literal.get("parts") {
        Some(numbers) => {
            let numbers = numbers.as_array().unwrap().iter();
            let numbers = numbers.map(|number| number.as_u64().unwrap());
            numbers.flat_map(|n| parts.remove(&n).unwrap()).collect()
        }
        None => text(literal, b""),
    };
    let count = content.len();
    let header = match (item["header"].as_str(), item["form"].as_str()) {
        (Some(header), _) => header.to_owned(),
        (None, None | Some("sync")) => format!("{{{count}}}\r\n"),
        (None, Some("nonsync")) => format!("{{{count}+}}\r\n"),
        (None, Some("literal8")) => format!("~{{{count}}}\r\n"),
        (None, Some("literal8-nonsync")) => format!("~{{{count}+}}\r\n"),
        (None, Some(form)) => panic!("no form of a literal: {form}"),
    };
    [header.into_bytes(), content].concat()
}

/// A string, base64 or a mask.
fn text(item: &Value, secret: &[u8]) -> Vec<u8> {
    match (item, item.get("base64"), item.get("secret")) {
        (Value::String(text), ..) => text.clone().into_bytes(),
        (_, Some(base64), _) => STANDARD.decode(base64.as_str().unwrap()).unwrap(),
        (_, _, Some(_)) => secret.to_vec(),
        _ => panic!("no item of a wire: {item}"),
    }
}
