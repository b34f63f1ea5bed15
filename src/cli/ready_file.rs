//! `--ready-file FILE`: where all listen, for a script that waits for the file and reads it.

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::{Doing, Error, Result};
use crate::private;

/// What a ready file has, and nothing else has all of.
const KEYS: [&str; 5] = ["tls", "plain", "socks", "transparent", "ca"];

/// Octets of the largest ready file.
const LARGEST: u64 = 64 * 1024;

/// The file that is to say where all listen.
pub struct ReadyFile<'a> {
    path: &'a Path,
}

impl<'a> ReadyFile<'a> {
    /// Takes away what an earlier run said there, so that nobody goes by it.
    ///
    /// # Errors
    ///
    /// What is there is no ready file, or it is one of `others`, which the run writes as well; or it cannot be removed.
    pub fn begin(path: &'a Path, others: &[&Path]) -> Result<Self> {
        let doing = || format!("make the ready file {}", path.display());
        let place = place(path);
        if others.iter().any(|other| self::place(other) == place) {
            return Err(Error::new(doing(), "the session is written there as well")
                .hint("another name with --ready-file"));
        }
        if !folder(path).is_dir() {
            let why = format!("there is no folder {}", folder(path).display());
            return Err(Error::new(doing(), why).hint("make it, or another name with --ready-file"));
        }
        match path.symlink_metadata() {
            Err(_) => return Ok(Self { path }), // nothing, or what writing it will tell
            Ok(found) if found.is_file() && !is_ready_file(path) => {
                return Err(Error::new(doing(), "something else is there already")
                    .hint("another name with --ready-file, or move it away"));
            }
            Ok(found) if found.is_file() || found.is_symlink() => {}
            Ok(_) => {
                return Err(Error::new(doing(), "what is there is no regular file")
                    .hint("another name with --ready-file"));
            }
        }
        std::fs::remove_file(path)
            .doing(|| format!("remove the earlier ready file {}", path.display()))?;
        Ok(Self { path })
    }

    /// Says where all listen, and where the authority's certificate is, in one step.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn write(&self, listeners: &[(&str, Option<SocketAddr>)], ca: Option<&str>) -> Result<()> {
        let mut ready = Map::new();
        for (name, address) in listeners {
            let text = address.map(|address| address.to_string());
            ready.insert((*name).to_owned(), text.into());
        }
        ready.insert("ca".to_owned(), ca.into());
        let ready = Value::Object(ready);
        private::put(self.path, format!("{ready}\n").as_bytes())
            .doing(|| format!("write the ready file {}", self.path.display()))
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A name that is the same for all ways to one place, as far as its folder is there.
fn place(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    let folder = folder(path).canonicalize();
    folder.map_or_else(|_| path.to_owned(), |folder| folder.join(name))
}

/// What an earlier run wrote, or an empty file, which `mktemp` makes.
fn is_ready_file(path: &Path) -> bool {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut text));
    read.is_ok()
        && (text.is_empty()
            || serde_json::from_slice::<Map<String, Value>>(&text)
                .is_ok_and(|ready| ready.keys().all(|key| KEYS.contains(&key.as_str()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_run_said_is_taken_away_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready.json");
        for (there, is_taken) in [
            ("", true),
            ("{}", true),
            (r#"{"tls":"127.0.0.1:1","plain":null,"ca":null}"#, true),
            (r#"{"mailscope":{},"events":[]}"#, false),
            ("a letter", false),
        ] {
            std::fs::write(&path, there).unwrap();
            assert_eq!(ReadyFile::begin(&path, &[]).is_ok(), is_taken, "{there}");
            assert_eq!(path.exists(), !is_taken, "{there}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(ReadyFile::begin(&path, &[]).is_ok());
        assert!(ReadyFile::begin(folder.path(), &[]).is_err());
        assert!(ReadyFile::begin(&path.join("ready.json"), &[]).is_err());
    }

    #[test]
    fn it_is_no_other_file_of_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let [ready, other] =
            ["session.json", "./session.json"].map(|name| folder.path().join(name));
        let error = ReadyFile::begin(&ready, &[&other]).err().unwrap();
        assert!(error.to_string().contains("session.json"), "{error}");
        assert!(ReadyFile::begin(&ready, &[&folder.path().join("a/session.json")]).is_ok());
    }
}
