//! Where a recording is read from: a file, or standard input for `-`.
//!
//! Which form it has is found out; what is none of them is told with what to do about it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::error::{Doing, Error, Result};
use crate::limits;
use crate::transcript::is_text;

/// A recording that is not read yet.
pub struct Input {
    /// What errors call it.
    pub name: String,
    /// What is in it.
    pub octets: Box<dyn BufRead + Send>,
}

/// The form of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A transcript.
    Json,
    /// C: and S: lines.
    Text,
}

/// Whether the path stands for standard input.
pub fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// What people call it.
pub fn name_of(path: &Path) -> String {
    match is_standard_input(path) {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

impl Input {
    /// Opens it.
    ///
    /// # Errors
    ///
    /// It cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let name = name_of(path);
        let source: Box<dyn Read + Send> = match is_standard_input(path) {
            true => Box::new(io::stdin()),
            false => Box::new(File::open(path).doing(|| format!("read {name}"))?),
        };
        let octets = BufReader::with_capacity(limits::READ, source);
        Ok(Self {
            name,
            octets: Box::new(octets),
        })
    }
}

impl Form {
    /// What octets that begin so are; nothing is taken away of them but a byte order mark before a text.
    ///
    /// # Errors
    ///
    /// They cannot be read, or are no recording.
    pub fn of(name: &str, octets: &mut impl BufRead) -> Result<Self> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        let doing = || format!("read {name}");
        let beginning = octets.fill_buf().doing(doing)?;
        let text = beginning.strip_prefix(MARK).unwrap_or(beginning);
        if is_text(text) {
            let mark = beginning.len() - text.len();
            octets.consume(mark);
            return Ok(Self::Text);
        }
        let foreign = match beginning {
            [] => Some((
                "it is empty, and not a transcript",
                "a transcript, or a text of C: and S: lines",
            )),
            [0x1f, 0x8b, ..] => Some((
                "it is compressed, and not a transcript",
                "gunzip -c FILE | mailscope ... -",
            )),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some((
                "it is compressed, and not a transcript",
                "zstdcat FILE | mailscope ... -",
            )),
            _ if text.trim_ascii_start().starts_with(b"{") => None,
            _ => Some((
                "this is not a transcript, nor a text of C: and S: lines",
                "mailscope import FILE -o session.json makes a transcript of logs and captures",
            )),
        };
        match foreign {
            None => Ok(Self::Json),
            Some((why, hint)) => Err(Error::new(doing(), why).hint(hint)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(octets: &[u8]) -> std::result::Result<Form, String> {
        Form::of("x", &mut io::Cursor::new(octets)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_form_is_found_out() {
        for text in [
            "S: * OK",
            "\n\n# connection 2",
            "C\\: \\xff",
            "\u{feff}C: a",
        ] {
            assert_eq!(told(text.as_bytes()), Ok(Form::Text), "{text}");
        }
        for json in ["{\"mailscope\":", "  \n{", "\u{feff}{"] {
            assert_eq!(told(json.as_bytes()), Ok(Form::Json), "{json}");
        }
        for (octets, why) in [
            (&b""[..], "it is empty, and not a transcript"),
            (b"\x1f\x8b\x08", "gunzip"),
            (b"\x0a\x0d\x0d\x0a", "mailscope import"),
            (b"[package]", "nor a text of C: and S: lines"),
        ] {
            let told = told(octets).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn a_byte_order_mark_before_a_text_is_no_part_of_it() {
        let mut octets = io::Cursor::new("\u{feff}S: * OK".as_bytes());
        Form::of("x", &mut octets).unwrap();
        assert_eq!(octets.position(), 3);
    }
}
