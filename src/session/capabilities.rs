//! The server's capabilities, as it listed them last (RFC 9051, section 7.2.2).

use crate::event::{Passed, Reading, Said, Value};
use crate::limits;

/// What the server listed last, as the app was given it.
#[derive(Clone, Debug, Default)]
pub struct Capabilities {
    /// Upper case.
    pub names: Vec<String>,
    /// STARTTLS went through since.
    pub before_tls: bool,
    /// The app logged in since.
    pub before_login: bool,
}

impl Capabilities {
    /// Whether one is listed; give it in upper case. With `=` at the end: one that begins so.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|listed| match name.ends_with('=') {
            true => listed.starts_with(name),
            false => listed == name,
        })
    }
}

/// The capabilities that a response lists, as the app was given them.
pub(super) fn listed(said: &Said) -> Option<Vec<String>> {
    let is_data = matches!(&said.reading, Reading::Untagged { name, .. } if name == "CAPABILITY");
    let is_plain = matches!(&said.reading, Reading::Untagged { status: None, .. });
    let code = match is_data {
        true => None,
        false if is_plain => return None,
        false => Some(said.code().filter(|code| code.name == "CAPABILITY")?),
    };
    let upper = |name: &[u8]| String::from_utf8_lossy(name).to_ascii_uppercase();
    if let Passed::Instead(sent) = &said.passed {
        let text = upper(sent.bytes());
        let names = text.split("CAPABILITY ").nth(1)?;
        let end = names.find([']', '\r']).unwrap_or(names.len());
        let names = names[..end].split_whitespace().take(limits::CAPABILITIES);
        return Some(names.map(str::to_owned).collect());
    }
    let values = match code {
        Some(code) => code.values,
        None => said.arguments(),
    };
    let names = values.iter().filter_map(Value::bytes);
    let names = names.filter(|name| name.len() < limits::TAG).map(upper);
    Some(names.take(limits::CAPABILITIES).collect())
}
