//! What a transcript says besides its messages: addresses, certificates, notes, reasons.
//!
//! TLS versions and ciphers, times and validity stay; the loopback addresses of this and every other
//! machine stay too, and ports.

use std::net::{IpAddr, SocketAddr};

use serde_json::Value;

use super::text::{Keep, Words};
use crate::event::{Body, Note, Secured};

/// The types of the parts of a certificate's names.
pub const NAME_TYPES: [&str; 10] = [
    "CN",
    "O",
    "OU",
    "C",
    "L",
    "ST",
    "DC",
    "UID",
    "serialNumber",
    "emailAddress",
];

/// The event with other names in it. Never one that was said.
pub fn facts(words: &mut Words, body: Body) -> Body {
    match body {
        Body::Connected { client, server } => Body::Connected {
            client: address(words, &client),
            server: address(words, &server),
        },
        Body::Secured(secured) => {
            let name = |words: &mut Words, name: &String| host(words, name);
            Body::Secured(Box::new(Secured {
                sni: secured.sni.as_ref().map(|sni| name(words, sni)),
                alpn: secured.alpn.as_deref().map(|alpn| protocol(words, alpn)),
                certificate: certificate(words, &secured.certificate, ""),
                client_certificate: secured
                    .client_certificate
                    .as_ref()
                    .map(|shown| certificate(words, shown, "")),
                ..*secured
            }))
        }
        Body::Note(mut finding) if finding.id == Note::SecretsShown.id() => {
            finding.text = "secrets were not masked (--show-secrets); they are in this copy".into();
            Body::Note(finding)
        }
        Body::Note(mut finding) => {
            finding.text = told(words, &finding.text);
            Body::Note(finding)
        }
        Body::Closed { reason } => Body::Closed {
            reason: reason.map(|reason| told(words, &reason)),
        },
        other => other,
    }
}

/// `host:port`; the words `socks` and `transparent` of a header stay.
pub fn address(words: &mut Words, text: &str) -> String {
    if matches!(text, "socks" | "transparent" | "") {
        return text.to_owned();
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return SocketAddr::new(ip(words, socket.ip()), socket.port()).to_string();
    }
    match text.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => {
            format!("{}:{port}", host(words, name))
        }
        _ => host(words, text),
    }
}

/// A host's name or address. `localhost` is everybody's.
pub fn host(words: &mut Words, name: &str) -> String {
    if name.eq_ignore_ascii_case("localhost") {
        return name.to_owned();
    }
    match name.parse::<IpAddr>() {
        Ok(address) => ip(words, address).to_string(),
        Err(_) => {
            let text: Vec<char> = name.chars().collect();
            words.are_private(&text);
            words.characters(&text, Keep::Nothing).into_iter().collect()
        }
    }
}

/// Another address of the same kind, and as long where it is IPv4: `10.20.30.40`.
fn ip(words: &Words, address: IpAddr) -> IpAddr {
    match address {
        address if address.is_loopback() || address.is_unspecified() => address,
        IpAddr::V4(address) => {
            let random = words.pseudonyms.octets(&address.octets());
            let mut octets = address.octets();
            for (octet, random) in octets.iter_mut().zip(random) {
                *octet = match *octet {
                    0..=9 => 1 + random % 9,
                    10..=99 => 10 + random % 90,
                    _ => 100 + random % 100,
                };
            }
            octets.into()
        }
        IpAddr::V6(address) => {
            let random = words.pseudonyms.octets(&address.octets());
            let mut octets = [0; 16];
            octets.copy_from_slice(&random);
            octets[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]); // for documentation, RFC 3849
            octets.into()
        }
    }
}

/// `imap`, or whatever it is.
fn protocol(words: &mut Words, name: &str) -> String {
    match name {
        "imap" | "http/1.1" | "h2" => name.to_owned(),
        name => text(words, name, Keep::Nothing),
    }
}

/// mailscope's own words, and what they quote.
fn told(words: &mut Words, said: &str) -> String {
    text(words, said, Keep::Human)
}

fn text(words: &mut Words, said: &str, keep: Keep) -> String {
    let said: Vec<char> = said.chars().collect();
    words.characters(&said, keep).into_iter().collect()
}

/// A certificate's names and fingerprints.
fn certificate(words: &mut Words, value: &Value, field: &str) -> Value {
    match value {
        Value::String(text) => Value::String(match field {
            "sha256" => words.pseudonyms.hexadecimal(text),
            "not_before" | "not_after" => text.clone(),
            "subject" | "issuer" | "chain" => distinguished(words, text),
            _ => host(words, text),
        }),
        Value::Array(all) => {
            let all = all.iter().map(|value| certificate(words, value, field));
            Value::Array(all.collect())
        }
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), certificate(words, value, name)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// `CN=imap.example.org, O=Example`: the types of the names stay.
fn distinguished(words: &mut Words, name: &str) -> String {
    let mut instead = String::new();
    for part in name.split_inclusive([',', '+']) {
        match part.split_once('=') {
            Some((kind, rest)) if NAME_TYPES.contains(&kind.trim()) => {
                instead.push_str(&format!("{kind}={}", host(words, rest)));
            }
            _ => instead.push_str(&text(words, part, Keep::Nothing)),
        }
    }
    instead
}
