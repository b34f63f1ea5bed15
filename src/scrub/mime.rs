//! Mails: words of header fields and parts replaced, each part in its own encoding and charset.
//!
//! What stays: the fields' names as far as they are of well-known words, dates, MIME's types,
//! encodings and charsets, and everything that is no word: white space, line ends, punctuation. A
//! boundary is replaced like any other word, in its header field and in the lines that it makes.
//!
//! The structure is found by the crate mail-parser.

use std::ops::Range;

use mail_parser::{Encoding, Message, MessageParser, MimeHeaders, PartType};

use super::encoding::{from_base64, in_base64_again, in_lines};
use super::text::{Keep, Words};
use super::vocabulary::is_date;

/// How a stretch of a mail is read.
enum Stretch {
    /// A header field's name.
    Name,
    /// Its value, and the name in lower case.
    Value(Vec<u8>),
    /// A part's content.
    Content {
        encoding: Encoding,
        charset: Option<String>,
        is: Content,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Text,
    Html,
    Octets,
    Mail,
}

impl Content {
    fn keep(self) -> Keep {
        match self {
            Self::Html => Keep::Html,
            _ => Keep::Nothing,
        }
    }
}

/// Mails of one run.
pub struct Mails {
    /// What of a subject stays.
    pub subjects: Keep,
}

impl Mails {
    /// A mail, or the header of one.
    pub fn mail(&self, words: &mut Words, octets: &[u8]) -> Vec<u8> {
        if !begins_like_a_header(octets) {
            return self.content(words, octets);
        }
        let Some(mail) = MessageParser::default().parse(octets) else {
            return words.header(octets, Keep::Nothing);
        };
        let mut stretches = Vec::new();
        collect(&mail, octets, &mut stretches);
        stretches.sort_by_key(|(range, _)| range.start);
        let mut instead = Vec::with_capacity(octets.len());
        for (range, stretch) in stretches {
            if range.start < instead.len() || range.end > octets.len() || range.is_empty() {
                continue;
            }
            let between = &octets[instead.len()..range.start];
            instead.extend(words.header(between, Keep::Nothing));
            instead.extend(self.stretch(words, &octets[range], &stretch));
        }
        let rest = &octets[instead.len()..];
        instead.extend(words.header(rest, Keep::Nothing));
        instead
    }

    fn stretch(&self, words: &mut Words, octets: &[u8], stretch: &Stretch) -> Vec<u8> {
        match stretch {
            Stretch::Name => words.octets(octets, None, Keep::HeaderNames),
            Stretch::Value(name) => self.field(words, name, octets),
            Stretch::Content {
                encoding,
                charset,
                is,
            } => self.part(words, octets, encoding, charset.as_deref(), *is),
        }
    }

    /// A header field's value.
    pub fn field(&self, words: &mut Words, name: &[u8], value: &[u8]) -> Vec<u8> {
        match name {
            _ if name.ends_with(b"date") && is_date(value) => value.to_vec(),
            b"received" => {
                let date = value.iter().rposition(|octet| *octet == b';');
                let (path, date) = value.split_at(date.unwrap_or(value.len()));
                let mut instead = words.header(path, Keep::Nothing);
                match is_date(date) {
                    true => instead.extend_from_slice(date),
                    false => instead.extend(words.header(date, Keep::Nothing)),
                }
                instead
            }
            b"subject" => words.header(value, self.subjects),
            _ if is_of_addresses(name) => {
                words.are_names(value);
                words.header(value, Keep::Nothing)
            }
            b"content-type"
            | b"content-disposition"
            | b"content-transfer-encoding"
            | b"mime-version" => mime_value(words, value),
            _ => words.header(value, Keep::Nothing),
        }
    }

    fn part(
        &self,
        words: &mut Words,
        octets: &[u8],
        encoding: &Encoding,
        charset: Option<&str>,
        is: Content,
    ) -> Vec<u8> {
        match encoding {
            Encoding::Base64 => match from_base64(octets) {
                Some(decoded) => {
                    let decoded = match is {
                        Content::Text | Content::Html => words.octets(&decoded, charset, is.keep()),
                        Content::Octets => words.pseudonyms.octets(&decoded),
                        Content::Mail => self.mail(words, &decoded),
                    };
                    in_base64_again(octets, &decoded)
                }
                None => words.octets(octets, None, Keep::Nothing),
            },
            Encoding::QuotedPrintable if is == Content::Octets => {
                words.pseudonyms.quoted_printable(octets)
            }
            Encoding::QuotedPrintable => words.escaped(octets, b'=', charset, is.keep()),
            Encoding::None if is == Content::Octets || is_uuencoded(octets) => {
                in_lines(octets, &words.pseudonyms.octets(octets))
            }
            Encoding::None => words.octets(octets, charset, is.keep()),
        }
    }

    /// The content of a part whose header is not there: what it is shows in the octets.
    pub fn content(&self, words: &mut Words, octets: &[u8]) -> Vec<u8> {
        if let Some(boundary) = boundary(octets) {
            let head = [
                b"Content-Type: multipart/mixed; boundary=\"",
                boundary,
                b"\"\r\n\r\n",
            ]
            .concat();
            let mail = self.mail(words, &[&head, octets].concat());
            return mail[head.len()..].to_vec();
        }
        if let Some(decoded) = looks_like_base64(octets) {
            let is = match std::str::from_utf8(&decoded) {
                Ok(text) if !text.chars().any(is_control) => Content::Text,
                _ => Content::Octets,
            };
            return self.part(words, octets, &Encoding::Base64, None, is);
        }
        let is_quoted_printable = looks_quoted_printable(octets);
        match is_quoted_printable {
            true => words.escaped(octets, b'=', None, Keep::Nothing),
            false => words.header(octets, Keep::Nothing),
        }
    }
}

/// The header fields and the contents of all parts.
fn collect(mail: &Message<'_>, octets: &[u8], stretches: &mut Vec<(Range<usize>, Stretch)>) {
    for part in &mail.parts {
        for header in &part.headers {
            let [field, start, end] = [header.offset_field, header.offset_start, header.offset_end]
                .map(|offset| offset as usize);
            let Some(name) = octets.get(field..start) else {
                continue;
            };
            let name = name.trim_ascii_end();
            let name = name.strip_suffix(b":").unwrap_or(name).trim_ascii_end();
            stretches.push((field..start, Stretch::Name));
            stretches.push((start..end, Stretch::Value(name.to_ascii_lowercase())));
        }
        let is = match &part.body {
            PartType::Text(_) => Content::Text,
            PartType::Html(_) => Content::Html,
            PartType::Binary(_) | PartType::InlineBinary(_) => Content::Octets,
            PartType::Message(mail) if part.encoding == Encoding::None => {
                collect(mail, octets, stretches);
                continue;
            }
            PartType::Message(_) => Content::Mail,
            PartType::Multipart(_) => continue,
        };
        let attribute = part
            .content_type()
            .and_then(|kind| kind.attribute("charset"));
        let content = Stretch::Content {
            encoding: part.encoding,
            charset: attribute.map(str::to_owned),
            is,
        };
        stretches.push((part.offset_body as usize..part.offset_end as usize, content));
    }
}

/// Whether a field, its name in lower case, holds addresses (RFC 5322, sections 3.6.2, 3.6.3 and 3.6.6).
fn is_of_addresses(name: &[u8]) -> bool {
    let name = name.strip_prefix(b"resent-").unwrap_or(name);
    matches!(
        name,
        b"from"
            | b"to"
            | b"cc"
            | b"bcc"
            | b"sender"
            | b"reply-to"
            | b"delivered-to"
            | b"return-path"
    )
}

/// Whether a parameter's value is nobody's choice but the user's, whatever it says; its name in lower
/// case, `filename*0*` for one.
pub fn is_free(parameter: &str) -> bool {
    matches!(
        without_star(parameter),
        "boundary" | "name" | "filename" | "start"
    )
}

/// A parameter's name without what says that its value is in a charset, or goes on (RFC 2231, sections 3
/// and 4): `filename` of `filename*0*`.
fn without_star(name: &str) -> &str {
    match name.split_once('*') {
        Some((name, rest))
            if rest
                .bytes()
                .all(|octet| octet.is_ascii_digit() || octet == b'*') =>
        {
            name
        }
        _ => name,
    }
}

/// `text/plain; charset=utf-8; name="report.pdf"`: whole values of MIME stay.
fn mime_value(words: &mut Words, value: &[u8]) -> Vec<u8> {
    let is_between = |octet: &u8| b";=/\" \t\r\n()<>,".contains(octet);
    let mut instead = Vec::with_capacity(value.len());
    let mut before = String::new();
    while instead.len() < value.len() {
        let rest = &value[instead.len()..];
        if is_between(&rest[0]) && !rest.starts_with(b"=?") {
            instead.push(rest[0]);
            continue;
        }
        let quoted = instead.last() == Some(&b'"');
        let end = match (quoted, is_free(&before)) {
            (true, true) => rest.iter().position(|octet| *octet == b'"'),
            _ => rest[1..].iter().position(is_between).map(|at| at + 1),
        };
        let token = &rest[..end.unwrap_or(rest.len())];
        let name = String::from_utf8_lossy(token).to_ascii_lowercase();
        let stays = !is_free(&before) && is_of_mime(words, token);
        instead.extend(match stays {
            true => token.to_vec(),
            false => extended(words, token),
        });
        before = name;
    }
    instead
}

/// Whether a string of BODYSTRUCTURE is one of MIME's own as a whole.
pub fn is_of_mime(words: &mut Words, value: &[u8]) -> bool {
    let value = String::from_utf8_lossy(value).to_ascii_lowercase();
    let value = without_star(value.trim_matches('"'));
    words.pseudonyms.vocabulary().of_mime(value) || is_charset(words, value)
}

/// Whether a charset is called so, whose octets could not be read otherwise.
fn is_charset(words: &mut Words, value: &str) -> bool {
    let is_known = encoding_rs::Encoding::for_label(value.as_bytes()).is_some();
    if is_known {
        words.are_kept(&value.chars().collect::<Vec<_>>());
    }
    is_known
}

/// A parameter's value in BODYSTRUCTURE, as it is in the mail, but for the quotes.
pub fn parameter(words: &mut Words, value: &[u8]) -> Vec<u8> {
    match value {
        [b'"', bare @ .., b'"'] => [b"\"", &extended(words, bare)[..], b"\""].concat(),
        bare => extended(words, bare),
    }
}

/// A parameter's value, which may be `utf-8''Gr%C3%BCn` (RFC 2231, section 4).
fn extended(words: &mut Words, value: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(value);
    let mut parts = text.splitn(3, '\'');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(charset), Some(language), Some(_))
            if encoding_rs::Encoding::for_label(charset.as_bytes()).is_some() =>
        {
            let head = charset.len() + language.len() + 2;
            let rest = words.escaped(&value[head..], b'%', Some(charset), Keep::Nothing);
            [&value[..head], &rest].concat()
        }
        _ if value.contains(&b'%') => words.escaped(value, b'%', None, Keep::Nothing),
        _ => words.header(value, Keep::Nothing),
    }
}

/// Whether a header field stands there first (RFC 5322, section 2.2).
fn begins_like_a_header(octets: &[u8]) -> bool {
    let is_of_a_name = |octet: &&u8| matches!(octet, 33..=57 | 59..=126);
    let name = octets.iter().take_while(is_of_a_name).count();
    name > 0 && octets.get(name) == Some(&b':')
}

/// The boundary in the line that a multipart's content begins with.
fn boundary(octets: &[u8]) -> Option<&[u8]> {
    let rest = octets.trim_ascii_start().strip_prefix(b"--")?;
    let end = rest
        .iter()
        .position(|octet| matches!(octet, b'\r' | b'\n'))?;
    let is_one = |octet: &u8| octet.is_ascii_graphic() && !matches!(octet, b'"' | b'\\');
    let boundary = &rest[..end];
    let known = (1..=70).contains(&end) && boundary.iter().all(is_one);
    let behind = rest[end..].trim_ascii_start();
    (known && begins_like_a_header(behind)).then_some(boundary)
}

/// Nothing but lines of base64, enough of them to be no word.
fn looks_like_base64(octets: &[u8]) -> Option<Vec<u8>> {
    const LEAST: usize = 16;
    let text = octets.trim_ascii();
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=\r\n".contains(octet);
    let is_it = text.len() >= LEAST && text.len().is_multiple_of(2) && text.iter().all(is_digit);
    is_it.then(|| from_base64(octets)).flatten()
}

/// Whether every `=` is followed by two digits or a line end, and there is one.
fn looks_quoted_printable(octets: &[u8]) -> bool {
    let mut places = memchr::memchr_iter(b'=', octets).peekable();
    let is_digit = |octet: &u8| octet.is_ascii_digit() || (b'A'..=b'F').contains(octet);
    places.peek().is_some()
        && places.all(|place| match &octets[place + 1..] {
            [b'\r' | b'\n', ..] | [] | [_] => true,
            [one, two, ..] => is_digit(one) && is_digit(two),
        })
}

fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\r' | '\n' | '\t')
}

/// Whether a file in uuencode stands in it, most of which is no word.
fn is_uuencoded(text: &[u8]) -> bool {
    let mut lines = text.split(|octet| *octet == b'\n');
    lines.any(|line| {
        let mode = line.strip_prefix(b"begin ").and_then(|rest| rest.get(..4));
        mode.is_some_and(|mode| mode.iter().all(|octet| matches!(octet, b'0'..=b'7' | b' ')))
    })
}
