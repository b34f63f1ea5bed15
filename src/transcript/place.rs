//! Where a recording goes: what `--out` means.
//!
//! Not the writing of it. It promises names that any file system takes, whatever a server is called.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::macros::format_description;

use crate::error::{Doing, Error, Result};
use crate::private;

/// What `--out` names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A folder, and the name in it without `.json`.
    Folder(PathBuf, String),
    /// The file itself.
    File(PathBuf),
}

impl Place {
    /// `out` is a folder if it is one or ends in `/`.
    pub(super) fn of(out: &Path, host: &str, now: OffsetDateTime) -> Self {
        let last = out.as_os_str().as_encoded_bytes().last();
        // Windows has two of them.
        let ends_so = last.is_some_and(|octet| std::path::is_separator(char::from(*octet)));
        if ends_so || out.is_dir() {
            Self::Folder(out.into(), stem(host, now))
        } else {
            Self::File(out.into())
        }
    }

    /// Makes the folder that the file will be in, and those above it, for nobody else to read.
    pub(super) fn make_folder(&self) -> Result<()> {
        let folder = match self {
            Self::Folder(folder, _) => folder,
            Self::File(file) => match file.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => return Ok(()),
            },
        };
        private::folder()
            .recursive(true)
            .create(folder)
            .doing(|| format!("make the folder {}", folder.display()))
            .map_err(|error| error.hint("another place, with --out PATH"))
    }

    /// The paths to try, one after the other, until one is free: one for a file; in a folder
    /// `X.json`, `X-2.json`, `X-3.json`...
    pub(super) fn paths(&self) -> Box<dyn Iterator<Item = PathBuf> + '_> {
        match self {
            Self::File(file) => Box::new(std::iter::once(file.clone())),
            Self::Folder(folder, stem) => Box::new((1_u32..).map(move |i| match i {
                1 => folder.join(format!("{stem}.json")),
                _ => folder.join(format!("{stem}-{i}.json")),
            })),
        }
    }
}

/// The file that `--out PATH` means, which does not exist yet; its folder does when this returns.
///
/// A folder, if it is one or ends in `/`, gets `<UTC time>-<host>.json`, with `-2`, `-3`... behind
/// it if that exists; else `out` is the file.
///
/// # Errors
///
/// The folder cannot be made, or the file exists: a recording is never overwritten.
pub fn place(out: &Path, host: &str, now: OffsetDateTime) -> Result<PathBuf> {
    let place = Place::of(out, host, now);
    place.make_folder()?;
    place
        .paths()
        .find(|path| path.symlink_metadata().is_err())
        .ok_or_else(|| exists(out))
}

pub(super) fn exists(path: &Path) -> Error {
    Error::new(
        format!("create {}", path.display()),
        "it exists, and a recording is never overwritten",
    )
    .hint("another file, or a folder, which gets a new name for each run: --out recordings/")
}

/// `20261124T041530Z-imap.example.org`
fn stem(host: &str, now: OffsetDateTime) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let time = now.to_offset(time::UtcOffset::UTC).format(format);
    format!("{}-{}", time.unwrap_or_default(), file_safe(host))
}

/// At most 100 octets of letters, digits, `.`, `_` and `-`.
fn file_safe(host: &str) -> String {
    const LONGEST: usize = 100;
    host.chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' => c,
            _ => '-',
        })
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-24 05:15:30.9 +1);

    #[test]
    fn a_folder_gets_a_name_made_of_time_and_host() {
        let folder = tempfile::tempdir().unwrap();
        let path = place(folder.path(), "imap.example.org", NOW).unwrap();
        assert_eq!(
            path,
            folder.path().join("20261124T041530Z-imap.example.org.json")
        );
        assert!(!path.exists());
    }

    #[test]
    fn a_path_that_ends_in_a_slash_is_made_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("a/b/");
        let path = place(&out, "h", NOW).unwrap();
        assert_eq!(path.parent().unwrap(), folder.path().join("a/b"));
        assert!(path.parent().unwrap().is_dir());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = folder.path().join("a").metadata().unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["h.json", "h-2.json", "h-3.json"] {
            let path = place(folder.path(), "h", NOW).unwrap();
            assert_eq!(path, folder.path().join(format!("20261124T041530Z-{name}")));
            std::fs::write(path, "").unwrap();
        }
    }

    #[test]
    fn a_file_is_taken_as_given_unless_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("new/my.json");
        assert_eq!(place(&out, "h", NOW).unwrap(), out);
        std::fs::write(&out, "mine").unwrap();
        let error = place(&out, "h", NOW).unwrap_err().to_string();
        assert!(
            error.contains("my.json: it exists") && error.contains("try:"),
            "{error}"
        );
    }

    #[test]
    fn no_host_leads_out_of_the_folder() {
        assert_eq!(file_safe("::1"), "--1");
        assert_eq!(file_safe("../../etc/passwd\0é"), "..-..-etc-passwd--");
        assert_eq!(file_safe(&"x".repeat(300)).len(), 100);
    }
}
