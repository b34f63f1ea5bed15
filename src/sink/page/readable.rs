//! A literal as people read it: a mail's headers and text parts, decoded.

use mail_parser::{HeaderValue, MessageParser, MimeHeaders};
use serde_json::{Value, json};

/// Characters of a text part that are shown.
const LONGEST: usize = 100_000;

/// The mail in these octets; `None` if they are none, or decoding changes nothing of them.
pub fn readable(octets: &[u8]) -> Option<Value> {
    if !begins_like_headers(octets) {
        return None;
    }
    let mail = MessageParser::default().parse(octets)?;
    let headers: Vec<Value> = mail
        .headers()
        .iter()
        .map(|header| {
            let raw = mail.raw_message.get(
                usize::try_from(header.offset_start).ok()?
                    ..usize::try_from(header.offset_end).ok()?,
            )?;
            let value = match &header.value {
                HeaderValue::Text(text) => text.to_string(),
                _ => decoded(raw),
            };
            Some(json!([
                header.name.as_str(),
                super::entry::shown(value.trim().as_bytes())
            ]))
        })
        .collect::<Option<_>>()?;
    let mut texts = Vec::new();
    for part in mail.text_bodies() {
        let Some(text) = part.text_contents() else {
            continue;
        };
        let kind = part.content_type().map_or("text/plain".into(), |kind| {
            format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("plain"))
        });
        let text: String = text.chars().take(LONGEST).collect();
        texts.push(json!({"type": kind, "text": super::entry::shown_lines(text.as_bytes())}));
    }
    let attachments: Vec<Value> = mail
        .attachments()
        .map(|part| {
            let name = part.attachment_name().unwrap_or("without a name");
            json!({"name": super::entry::shown(name.as_bytes()), "octets": part.contents().len()})
        })
        .collect();
    Some(json!({"headers": headers, "texts": texts, "attachments": attachments}))
}

/// A header field's value with its encoded words decoded (RFC 2047).
fn decoded(raw: &[u8]) -> String {
    let line = [b"Subject:", raw, b"\r\n\r\n"].concat();
    let mail = MessageParser::default().parse(&line);
    let subject = mail.as_ref().and_then(|mail| mail.subject());
    subject.map_or_else(|| String::from_utf8_lossy(raw).into_owned(), str::to_owned)
}

/// Whether a header field stands there first (RFC 5322, section 2.2).
fn begins_like_headers(octets: &[u8]) -> bool {
    let name = octets
        .iter()
        .take_while(|octet| matches!(octet, 33..=57 | 59..=126));
    let name = name.count();
    name > 0 && octets.get(name) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_text_are_decoded() {
        let mail = b"From: =?UTF-8?Q?Ren=C3=A9?= <rene@example.net>\r\nSubject: =?utf-8?q?gr=C3=BCn?=\r\n\
            Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            K=C3=B6ln\r\n";
        let read = readable(mail).unwrap();
        assert_eq!(read["headers"][1], json!(["Subject", "gr\u{fc}n"]));
        assert_eq!(read["headers"][0][1], "Ren\u{e9} <rene@example.net>");
        assert!(
            read["texts"][0]["text"]
                .as_str()
                .unwrap()
                .starts_with("K\u{f6}ln")
        );
        assert_eq!(readable(b"hello, no mail"), None);
    }
}
