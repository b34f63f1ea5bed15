//! Paths as arguments, and in lines that people paste into a shell.

use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser};

/// A file that is made, where `-` is no standard stream.
pub fn file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path == Path::new("-") {
        true => Err("a file's name, and not -, is wanted; ./- for a file of that name"),
        false => Ok(path),
    })
}

/// As one word for a Unix shell, quoted where that is needed, that no program takes for an option or a standard
/// stream.
pub fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let text = match text.starts_with('-') {
        true => format!("./{text}"),
        false => text,
    };
    let is_plain = |letter: char| letter.is_alphanumeric() || "_@%+=:,./-".contains(letter);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text,
        false => quoted(&text),
    }
}

/// As one word for a Unix shell, in quotes.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_not_take_them_as_they_are() {
        for (path, expected) in [
            (
                "recordings/2026-11-26T10.json",
                "recordings/2026-11-26T10.json",
            ),
            ("a b.json", "'a b.json'"),
            ("it's a; file", r"'it'\''s a; file'"),
            ("-", "./-"),
            ("-o x", "'./-o x'"),
            ("~", "'~'"),
        ] {
            assert_eq!(word(Path::new(path)), expected);
        }
    }
}
