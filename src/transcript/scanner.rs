//! JSON text as a stream: where one value ends and what stands behind it.
//!
//! Not a parser: which octets make up a value is found by its brackets and quotes alone, and
//! whether it is JSON at all is for serde_json to say. It promises to hold one value at a time, and
//! to know the line it is in.

use std::io::{self, BufRead};

use crate::limits;

/// What is wrong with a document, and where.
#[derive(Debug)]
pub(super) struct Fault {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

impl Fault {
    pub(super) fn new(line: u64, why: impl Into<String>) -> Self {
        Self {
            line,
            why: why.into(),
        }
    }

    /// serde_json's error about a value that begins in `line`.
    pub(super) fn json(line: u64, error: &serde_json::Error) -> Self {
        let why = error.to_string();
        let why = match why.rfind(" at line ") {
            Some(place) => &why[..place],
            None => &why,
        };
        let below = (error.line() as u64).saturating_sub(1);
        Self::new(line + below, why)
    }
}

/// A document's octets, one value after the other.
pub(super) struct Scanner {
    input: Box<dyn BufRead + Send>,
    line: u64,
    /// Octets passed over.
    offset: u64,
    blank_tail: bool,
}

impl Scanner {
    pub(super) fn new(input: Box<dyn BufRead + Send>) -> Self {
        Self {
            input,
            line: 1,
            offset: 0,
            blank_tail: false,
        }
    }

    /// The line of the octet that comes next, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Where in the document the octet that comes next stands.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the document ended in NUL octets, which is how some file systems fill what a power
    /// cut kept from being written.
    pub(super) fn blank_tail(&self) -> bool {
        self.blank_tail
    }

    /// The next octet that is no white space; it stays. `None` at the end, before which NUL octets
    /// are passed over.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Fault> {
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let blank = chunk.iter().take_while(|&&octet| is_space(octet)).count();
            let next = chunk.get(blank).copied();
            self.consume(blank);
            match next {
                Some(0) => return self.blank(),
                Some(octet) => return Ok(Some(octet)),
                None => {}
            }
        }
    }

    /// Passes over the octet that [`peek`](Self::peek) found.
    pub(super) fn take(&mut self) {
        self.consume(1);
    }

    /// Passes over a byte order mark, which some editors put before a text.
    pub(super) fn byte_order_mark(&mut self) -> Result<(), Fault> {
        if self.chunk()?.starts_with("\u{feff}".as_bytes()) {
            self.consume("\u{feff}".len());
        }
        Ok(())
    }

    /// Copies the value that begins here to `value`. False when the document ends within it.
    pub(super) fn value(&mut self, value: &mut Vec<u8>) -> Result<bool, Fault> {
        value.clear();
        let begins = self.line;
        let mut extent = Extent::default();
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Ok(false);
            }
            let found = extent.scan(chunk);
            let length = match found {
                Found::Nothing => chunk.len(),
                Found::End(at) | Found::LineEnd(at) => at,
            };
            value.extend_from_slice(&chunk[..length]);
            self.consume(length);
            match found {
                Found::End(_) => return Ok(true),
                Found::LineEnd(_) => {
                    return Err(Fault::new(self.line, "the line ends within a string"));
                }
                Found::Nothing if value.len() > limits::TRANSCRIPT_EVENT => {
                    return Err(too_long(begins, value));
                }
                Found::Nothing => {}
            }
        }
    }

    fn blank(&mut self) -> Result<Option<u8>, Fault> {
        loop {
            let chunk = self.chunk()?;
            let (length, blank) = (chunk.len(), chunk.iter().all(|&octet| octet == 0));
            if length == 0 {
                self.blank_tail = true;
                return Ok(None);
            }
            if !blank {
                return Err(Fault::new(self.line, "a NUL octet"));
            }
            self.consume(length);
        }
    }

    fn chunk(&mut self) -> Result<&[u8], Fault> {
        loop {
            match self.input.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::new(self.line, error.to_string())),
            }
        }
        // Buffered by now; asked again because a loop cannot return what it borrows.
        self.input
            .fill_buf()
            .map_err(|error| Fault::new(self.line, error.to_string()))
    }

    fn consume(&mut self, length: usize) {
        if let Ok(chunk) = self.input.fill_buf() {
            self.line +=
                memchr::memchr_iter(b'\n', &chunk[..length.min(chunk.len())]).count() as u64;
        }
        self.offset += length as u64;
        self.input.consume(length);
    }
}

fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// A value that goes on and on is most likely one whose closing bracket is missing, so that the
/// rest of the document is taken for its inside; then that is the better thing to say.
fn too_long(line: u64, value: &[u8]) -> Fault {
    match serde_json::from_slice::<serde::de::IgnoredAny>(value) {
        Err(error) if !error.is_eof() => Fault::json(line, &error),
        _ => Fault::new(
            line,
            format!("an event of more than {} octets", limits::TRANSCRIPT_EVENT),
        ),
    }
}

/// How far into a value we are.
#[derive(Default)]
struct Extent {
    depth: usize,
    string: bool,
    escaped: bool,
}

enum Found {
    Nothing,
    /// The value ends before this octet.
    End(usize),
    /// A string has a line end here, which JSON does not allow. To go on would be to take strings
    /// for what stands between them.
    LineEnd(usize),
}

impl Extent {
    fn scan(&mut self, chunk: &[u8]) -> Found {
        let mut at = 0;
        while at < chunk.len() {
            if std::mem::take(&mut self.escaped) {
                at += 1;
                continue;
            }
            if self.string {
                let Some(length) = memchr::memchr3(b'"', b'\\', b'\n', &chunk[at..]) else {
                    return Found::Nothing;
                };
                at += length;
                match chunk[at] {
                    b'\\' => self.escaped = true,
                    b'\n' => return Found::LineEnd(at),
                    _ => self.string = false,
                }
                at += 1;
                if !self.string && self.depth == 0 {
                    return Found::End(at);
                }
                continue;
            }
            match chunk[at] {
                b'"' => self.string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 1 => self.depth -= 1,
                b'}' | b']' if self.depth == 1 => return Found::End(at + 1),
                b'}' | b']' | b',' | b':' if self.depth == 0 => return Found::End(at),
                octet if is_space(octet) && self.depth == 0 => return Found::End(at),
                _ => {}
            }
            at += 1;
        }
        Found::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Cursor};

    /// A document that is read in pieces of so many octets.
    fn scanner(text: &str, piece: usize) -> Scanner {
        let input = Cursor::new(text.as_bytes().to_vec());
        Scanner::new(Box::new(BufReader::with_capacity(piece, input)))
    }

    #[test]
    fn values_end_where_their_brackets_and_quotes_do() {
        let text = r#" {"a":"}\"]\\","b":[{}]} , 12,true] "x\"y":null"#;
        for piece in 1..text.len() {
            let mut scanner = scanner(text, piece);
            let mut values = Vec::new();
            let mut value = Vec::new();
            while let Some(octet) = scanner.peek().unwrap() {
                if b",]:".contains(&octet) {
                    scanner.take();
                } else {
                    assert_eq!(scanner.value(&mut value).unwrap(), value != b"null");
                    values.push(String::from_utf8(value.clone()).unwrap());
                }
            }
            assert_eq!(
                values,
                [
                    r#"{"a":"}\"]\\","b":[{}]}"#,
                    "12",
                    "true",
                    r#""x\"y""#,
                    "null"
                ]
            );
        }
    }

    #[test]
    fn a_line_end_in_a_string_is_a_fault_at_its_line() {
        let mut scanner = scanner("\n\n{\"a\":\n\"b\n\"}", 3);
        scanner.peek().unwrap();
        assert_eq!(scanner.line(), 3);
        let fault = scanner.value(&mut Vec::new()).unwrap_err();
        assert_eq!(
            (fault.line, &*fault.why),
            (4, "the line ends within a string")
        );
    }

    #[test]
    fn nul_octets_are_a_tail_or_a_fault() {
        let mut tail = scanner("  \0\0\0", 2);
        assert_eq!(tail.peek().unwrap(), None);
        assert!(tail.blank_tail());
        assert!(scanner("\0\0x", 2).peek().is_err());
    }
}
