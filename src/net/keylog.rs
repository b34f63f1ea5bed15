//! The keys of TLS sessions, written to a file for whoever looks at a capture with Wireshark.
//!
//! The form is NSS's key log: `LABEL CLIENT-RANDOM SECRET`, hexadecimal, a line each. Whoever has
//! such a file and a capture reads the session, passwords included; so there is none unless the user
//! asked for it, and one that is made here is for its owner alone.
//!
//! It promises that a file that takes no more lines harms no connection: the trouble is told once,
//! until it is over. A line is one small write to a regular file, which is all that a slow disk can
//! hold a handshake up by.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::KeyLog;

use super::certificate::hex;
use crate::error::{Error, Result};
use crate::private;

/// A file that the keys of every TLS session go to, of both legs.
pub struct KeyLogFile {
    path: PathBuf,
    file: File,
    others_may_read: Option<u32>,
    is_anothers: bool,
    /// What lies in the file may end in the middle of a line.
    is_torn: AtomicBool,
    is_failing: AtomicBool,
    on_trouble: OnTrouble,
}

/// Told when keys cannot be written.
type OnTrouble = Box<dyn Fn(&Error) + Send + Sync>;

impl KeyLogFile {
    /// Opens the file, made with mode 0600 if it is not there; what is in it stays.
    ///
    /// # Errors
    ///
    /// It cannot be opened for reading and writing, or is not a regular file: a pipe that nobody
    /// reads would hold up every handshake.
    pub fn open(path: &Path) -> Result<Self> {
        let cannot = |error: io::Error| {
            Error::new(opening(path), error).hint("a file that your user may read and write")
        };
        // Before it is opened, since opening a pipe waits for its reader.
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            return Err(Error::new(opening(path), "it is not a regular file")
                .hint("--keylog FILE with the name of a file, or of one that is to be made"));
        }
        // Made only where nothing is, a link that leads nowhere included.
        let open = |is_new: bool| {
            let mut options = private::file();
            options
                .read(true)
                .append(true)
                .create_new(is_new)
                .open(path)
        };
        let file = match open(true) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(false),
            made => made,
        };
        let file = file.map_err(cannot)?;
        Ok(Self {
            path: path.to_owned(),
            is_anothers: is_anothers(&file),
            others_may_read: mode(&file).filter(|mode| mode & 0o077 != 0),
            is_torn: ends_within_a_line(&file).map_err(cannot)?.into(),
            file,
            is_failing: false.into(),
            on_trouble: Box::new(|_| ()),
        })
    }

    /// Calls this when keys cannot be written, once until some could be again.
    #[must_use = "the file that tells is returned, not changed in place"]
    pub fn on_trouble(mut self, tell: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.on_trouble = Box::new(tell);
        self
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its mode, where others than its owner may read or write it.
    pub fn others_may_read(&self) -> Option<u32> {
        self.others_may_read
    }

    /// Whether it belongs to another user, who may let anybody read it.
    pub fn is_anothers(&self) -> bool {
        self.is_anothers
    }

    /// Appends a line, in one call so that the lines of several connections do not mix.
    fn append(&self, line: &str) {
        let line = match self.is_torn.swap(false, Ordering::Relaxed) {
            true => format!("\n{line}\n"),
            false => format!("{line}\n"),
        };
        match (&self.file).write_all(line.as_bytes()) {
            Ok(()) => self.is_failing.store(false, Ordering::Relaxed),
            Err(error) => {
                self.is_torn.store(true, Ordering::Relaxed);
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    (self.on_trouble)(&self.not_written(&error));
                }
            }
        }
    }

    fn not_written(&self, error: &io::Error) -> Error {
        let doing = format!("write TLS keys to {}", self.path.display());
        Error::new(doing, error).hint(
            "make room for them; connections go on, and those whose keys are not there cannot be \
             decrypted from a capture",
        )
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let (random, secret) = (hex(client_random, ""), hex(secret, ""));
        self.append(&format!("{label} {random} {secret}"));
    }
}

impl fmt::Debug for KeyLogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyLogFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn opening(path: &Path) -> String {
    format!("open the TLS key log {}", path.display())
}

#[cfg(unix)]
fn mode(file: &File) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(file.metadata().ok()?.permissions().mode() & 0o777)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn is_anothers(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let us = rustix::process::geteuid().as_raw();
    file.metadata().is_ok_and(|file| file.uid() != us)
}

/// Elsewhere this is not asked.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn is_anothers(_: &File) -> bool {
    false
}

/// Elsewhere a file has the access list of its folder.
#[cfg(not(unix))]
fn mode(_: &File) -> Option<u32> {
    None
}

/// Whether another program was cut short when it wrote to it.
fn ends_within_a_line(mut file: &File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::sync::{Arc, Mutex};

    use super::*;

    fn lines_in(path: &Path) -> Vec<String> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn lines_are_appended_to_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        for (before, lines) in [
            ("", &["LABEL 00ff 0a"][..]),
            ("# kept\n", &["# kept", "LABEL 00ff 0a"]),
            ("CLIENT_RANDOM 12", &["CLIENT_RANDOM 12", "LABEL 00ff 0a"]),
        ] {
            std::fs::write(&path, before).unwrap();
            KeyLogFile::open(&path)
                .unwrap()
                .log("LABEL", &[0, 255], &[10]);
            assert_eq!(lines_in(&path), lines);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_new_one_is_for_its_owner_alone_and_others_are_told_of() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert_eq!(KeyLogFile::open(&path).unwrap().others_may_read(), None);
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let open = KeyLogFile::open(&path).unwrap();
        assert_eq!(open.others_may_read(), Some(0o644));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [path, elsewhere] = ["keys", "elsewhere"].map(|name| folder.path().join(name));
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(KeyLogFile::open(&path).is_err());
        assert!(!elsewhere.exists());
        std::fs::write(&elsewhere, "").unwrap();
        assert!(!KeyLogFile::open(&path).unwrap().is_anothers());
    }

    #[test]
    fn what_cannot_be_a_key_log_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path(), &folder.path().join("none/keys")] {
            let error = KeyLogFile::open(path).unwrap_err();
            assert!(
                error.to_string().contains(path.to_str().unwrap()),
                "{error}"
            );
            assert!(error.what_to_try().is_some(), "{error}");
        }
    }

    /// `/dev/full` takes nothing.
    #[cfg(target_os = "linux")]
    #[test]
    fn trouble_is_told_once_until_it_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let mut keys = KeyLogFile::open(&folder.path().join("keys"))
            .unwrap()
            .on_trouble(move |error| tell.lock().unwrap().push(error.to_string()));
        let disk = std::mem::replace(
            &mut keys.file,
            OpenOptions::new().write(true).open("/dev/full").unwrap(),
        );
        keys.log("A", b"", b"");
        keys.log("B", b"", b"");
        assert_eq!(told.lock().unwrap().len(), 1);
        assert!(told.lock().unwrap()[0].contains("keys: "));
        keys.file = disk;
        keys.log("C", b"", b"");
        assert_eq!(lines_in(&keys.path), ["", "C  "]);
    }
}
