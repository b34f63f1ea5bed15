//! The lines of the short form (`text.rs`), read: whose octets each one is.
//!
//! Not the conversation that they make: a text has no tags, literals or messages here. It promises to name
//! the first line that is not in the form, and to keep those before it.

use std::collections::HashSet;

use super::text::{OPAQUE, REFUSED};
use crate::event::Peer;

/// A line of the short form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextLine {
    /// The line's number.
    pub number: u64,
    /// The connection's number.
    pub conn: u64,
    /// Who said it.
    pub from: Peer,
    /// The octets, with their line end if they have one.
    pub octets: Vec<u8>,
    /// They are of no message, and so is all that comes behind them on this connection.
    pub is_opaque: bool,
    /// Before it, the server refused the literal that the connection's client had announced.
    pub is_behind_refusal: bool,
}

/// Whether a comment, without its `#`, says that a connection's octets are opaque from here on.
pub fn says_opaque(comment: &[u8]) -> bool {
    comment.trim_ascii() == OPAQUE.as_bytes()
}

/// Whether a comment, without its `#`, says that the literal before it was refused.
pub fn says_refused(comment: &[u8]) -> bool {
    comment.trim_ascii() == REFUSED.as_bytes()
}

/// Whether a file that begins so is in the short form, and not JSON.
pub fn is_text(beginning: &[u8]) -> bool {
    let beginning = beginning.trim_ascii_start();
    let prefixes: [&[u8]; 5] = [b"C:", b"S:", b"C\\:", b"S\\:", b"#"];
    prefixes.iter().any(|prefix| beginning.starts_with(prefix))
}

/// Reads the short form.
///
/// # Errors
///
/// The number of the first line that is not in it, and why not.
pub fn read_text(text: &[u8]) -> Result<Vec<TextLine>, (u64, String)> {
    match read_text_so_far(text) {
        (lines, None) => Ok(lines),
        (_, Some(wrong)) => Err(wrong),
    }
}

/// As [`read_text`], with the lines before the one that is wrong.
pub fn read_text_so_far(text: &[u8]) -> (Vec<TextLine>, Option<(u64, String)>) {
    let mut read = Vec::new();
    let wrong = read_lines(text, &mut read).err();
    (read, wrong)
}

fn read_lines(text: &[u8], read: &mut Vec<TextLine>) -> Result<(), (u64, String)> {
    let mut conn = 1;
    let mut opaque = HashSet::new();
    let mut refused = HashSet::new();
    for (number, line) in (1_u64..).zip(text.split(|octet| *octet == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(comment) = line.strip_prefix(b"#") {
            if says_opaque(comment) {
                opaque.insert(conn);
            }
            if says_refused(comment) {
                refused.insert(conn);
            }
            let comment = String::from_utf8_lossy(comment);
            let mut words = comment.split_whitespace();
            if let (Some("connection"), Some(word), None) =
                (words.next(), words.next(), words.next())
            {
                let why = |_| (number, format!("{word:?} is not a connection's number"));
                conn = word.parse().map_err(why)?;
            }
            continue;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let (from, octets) = read_line(line).map_err(|why| (number, why))?;
        read.push(TextLine {
            number,
            conn,
            from,
            octets,
            is_opaque: opaque.contains(&conn),
            is_behind_refusal: refused.remove(&conn),
        });
    }
    Ok(())
}

fn read_line(line: &[u8]) -> Result<(Peer, Vec<u8>), String> {
    let (from, rest) = match line.split_first() {
        Some((b'C', rest)) => (Peer::Client, rest),
        Some((b'S', rest)) => (Peer::Server, rest),
        _ => return Err("a line begins with C: , S: or #".into()),
    };
    let (is_escaped, rest) = match rest.strip_prefix(b"\\") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let Some(rest) = rest.strip_prefix(b":") else {
        return Err("a line begins with C: , S: or #".into());
    };
    let said = rest.strip_prefix(b" ").unwrap_or(rest);
    if !is_escaped {
        return Ok((from, [said, b"\r\n"].concat()));
    }
    // A pair of them is one of the octets.
    let backslashes = said.iter().rev().take_while(|octet| **octet == b'\\');
    Ok((
        from,
        match backslashes.count() % 2 {
            0 => [&unescaped(said)?[..], b"\r\n"].concat(),
            _ => unescaped(&said[..said.len() - 1])?,
        },
    ))
}

fn unescaped(mut line: &[u8]) -> Result<Vec<u8>, String> {
    let mut octets = Vec::with_capacity(line.len());
    while let Some(at) = memchr::memchr(b'\\', line) {
        octets.extend_from_slice(&line[..at]);
        line = match line[at + 1..] {
            [b'\\', ref rest @ ..] => {
                octets.push(b'\\');
                rest
            }
            [b'x', high, low, ref rest @ ..] => {
                let digit = |octet: u8| char::from(octet).to_digit(16);
                let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                    return Err("two hexadecimal digits follow \\x".into());
                };
                octets.push((high * 16 + low) as u8);
                rest
            }
            _ => return Err("a backslash is \\\\ here, and an octet \\xNN".into()),
        };
    }
    octets.extend_from_slice(line);
    Ok(octets)
}
