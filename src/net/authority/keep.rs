//! Where authorities are kept: `<ca-dir>/local/{ca.pem,ca-key.pem}`, and beside `local` a folder
//! for each other scope.
//!
//! The pair comes into being in one step: both files are written into a folder of another name,
//! and that folder is renamed. So whoever finds `local` finds a whole pair, whether a
//! crash or another first run came between; whoever comes second takes what is there.
//! Folders are made with mode 0700 and files with 0600, they never have another for a moment.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rcgen::KeyPair;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use time::OffsetDateTime;

use super::{Authority, Scope, certificate, create, now, random};
use crate::error::{Error, Result};
use crate::private;

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";

/// See [`Authority::open_or_create`].
pub(super) fn open_or_create(ca_dir: &Path, scope: &Scope) -> Result<Authority> {
    let ca_dir = absolute(ca_dir)?;
    let folder = ca_dir.join(scope.folder());
    if let Some(authority) = open_for(&folder, scope)? {
        return Ok(authority);
    }
    make(&ca_dir, &folder, scope)?;
    // Ours, or that of another first run.
    open_for(&folder, scope)?.ok_or_else(|| {
        Error::new(
            format!("make a certificate authority in {}", folder.display()),
            "its files are gone again",
        )
        .hint("another folder with --ca-dir DIR")
    })
}

/// An authority in the folder of all.
#[derive(Debug)]
pub struct Kept {
    /// Its own folder.
    pub folder: PathBuf,
    /// The authority, or what is wrong with its files.
    pub authority: Result<Authority>,
}

/// See [`Authority::all`].
pub(super) fn all(ca_dir: &Path) -> Result<Vec<Kept>> {
    let ca_dir = absolute(ca_dir)?;
    let cannot = |error: io::Error| {
        Error::new(format!("read the folder {}", ca_dir.display()), error)
            .hint("let your user read it, or use another folder with --ca-dir DIR")
    };
    let entries = match fs::read_dir(&ca_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(cannot(error)),
    };
    let mut kept = Vec::new();
    for entry in entries {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| Scope::is_folder(name)) else {
            continue;
        };
        let folder = entry.path();
        let authority = open(&folder).and_then(|found| match found {
            Some(authority) if authority.scope.folder() != name => Err(wrong_scope(&authority)),
            found => Ok(found),
        });
        if let Some(authority) = authority.transpose() {
            kept.push(Kept { folder, authority });
        }
    }
    kept.sort_by(|one, other| one.folder.cmp(&other.folder));
    Ok(kept)
}

/// Absolute, since others are told the path.
fn absolute(ca_dir: &Path) -> Result<PathBuf> {
    std::path::absolute(ca_dir).map_err(|error| {
        Error::new(format!("find the folder {ca_dir:?}"), error)
            .hint("another folder with --ca-dir DIR")
    })
}

/// The authority in `folder`, if there is one, which must be of this scope: an app is to trust no
/// more than what was asked for.
fn open_for(folder: &Path, scope: &Scope) -> Result<Option<Authority>> {
    match open(folder)? {
        Some(authority) if authority.scope != *scope => Err(wrong_scope(&authority)),
        found => Ok(found),
    }
}

fn wrong_scope(authority: &Authority) -> Error {
    let path = authority.path().unwrap_or(Path::new(CERTIFICATE));
    let why = format!(
        "it vouches for {}, which is not what its folder is for",
        authority.scope
    );
    broken(path, why, path.parent().unwrap_or(path))
}

/// The authority in `folder`, if either of its files is there.
fn open(folder: &Path) -> Result<Option<Authority>> {
    let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
    let mut found = (read(&certificate)?, read(&key)?);
    if found.0.is_none() && found.1.is_some() {
        // Another first run put the pair in place between the two reads.
        found.0 = read(&certificate)?;
    }
    let (pem, secret) = match found {
        (Some(pem), Some(secret)) => (pem, secret),
        (None, None) => return Ok(None),
        (None, Some(_)) => return Err(missing(&certificate, KEY, folder)),
        (Some(_), None) => return Err(missing(&key, CERTIFICATE, folder)),
    };
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| {
        broken(
            &certificate,
            format!("no certificate: {}", certificate::pem_words(&error)),
            folder,
        )
    })?;
    let pair = read_key(&secret).map_err(|why| broken(&key, why, folder))?;
    let mut authority = Authority::from_parts(der, pem, pair)
        .map_err(|error| broken(&certificate, error.why(), folder))?;
    if authority.not_after <= now() {
        let why = format!(
            "it expired on {}",
            certificate::rfc3339(authority.not_after)
        );
        return Err(broken(&certificate, why, folder));
    }
    authority.warnings = warnings(folder, &key);
    authority.warnings.extend(early(&authority, now()));
    authority.path = Some(certificate);
    Ok(Some(authority))
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::new(format!("read {}", path.display()), error)
            .hint("let your user read it, or use another folder with --ca-dir DIR")),
    }
}

fn read_key(secret: &str) -> Result<KeyPair, String> {
    let key = PrivateKeyDer::from_pem_slice(secret.as_bytes())
        .map_err(|error| format!("no key: {}", certificate::pem_words(&error)))?;
    KeyPair::try_from(&key).map_err(|error| format!("not a key that mailscope made: {error}"))
}

fn missing(path: &Path, beside: &str, folder: &Path) -> Error {
    broken(
        path,
        format!("it is missing, though {beside} is there"),
        folder,
    )
}

fn broken(path: &Path, why: impl std::fmt::Display, folder: &Path) -> Error {
    Error::new(format!("read {}", path.display()), why).hint(format!(
        "put back the file, or move {} away: a new authority is made, which apps must trust anew",
        folder.display()
    ))
}

/// What is to be said of an authority that is of a later time than it is now.
fn early(authority: &Authority, now: OffsetDateTime) -> Option<String> {
    let begins = certificate::read(&authority.certificate)?
        .validity()
        .not_before
        .to_datetime();
    (now < begins).then(|| {
        format!(
            "apps will not trust the authority before {}, and this computer's clock says {}; is the \
             clock right?",
            certificate::rfc3339(begins),
            certificate::rfc3339(now)
        )
    })
}

fn warnings(folder: &Path, key: &Path) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(mode) = mode(key).filter(|mode| mode & 0o077 != 0) {
        warnings.push(format!(
            "{} can be read or changed by other users (mode {mode:04o}); `chmod 600` it",
            key.display()
        ));
    }
    // Who may write to the folder around it can put another one in its place.
    for folder in [Some(folder), folder.parent()].into_iter().flatten() {
        let is_open = |mode: &u32| mode & 0o022 != 0 && mode & STICKY == 0;
        if let Some(mode) = mode(folder).filter(is_open) {
            warnings.push(format!(
                "other users can put another authority into {} (mode {mode:04o}); `chmod go-w` it",
                folder.display()
            ));
        }
    }
    warnings
}

/// In a folder with it, only a file's owner may give it another name or remove it.
const STICKY: u32 = 0o1000;

/// Who may do what with a file or folder.
#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(fs::metadata(path).ok()?.permissions().mode() & (STICKY | 0o777))
}

/// Elsewhere the user's own folders are closed to others by their access lists.
#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

/// Makes the pair, unless another run is faster.
fn make(ca_dir: &Path, folder: &Path, scope: &Scope) -> Result<()> {
    let making = || format!("make a certificate authority in {}", folder.display());
    let cannot = |error: io::Error| {
        Error::new(making(), error).hint("a folder that your user may write to with --ca-dir DIR")
    };
    let (certificate, key) = create(scope, now())?;
    private::folder()
        .recursive(true)
        .create(ca_dir)
        .map_err(cannot)?;
    let unfinished = Unfinished(ca_dir.join(format!(
        ".{}-{}",
        scope.folder(),
        certificate::hex(&random::<8>()?, "")
    )));
    private::folder().create(&unfinished.0).map_err(cannot)?;
    write(&unfinished.0.join(KEY), &key.serialize_pem()).map_err(cannot)?;
    write(&unfinished.0.join(CERTIFICATE), &certificate.pem()).map_err(cannot)?;
    sync(&unfinished.0);
    match put_in_place(&unfinished.0, folder) {
        Ok(()) => {
            sync(ca_dir);
            Ok(())
        }
        // Another run was faster.
        Err(_) if folder.join(CERTIFICATE).exists() => Ok(()),
        Err(error) => Err(Error::new(making(), error).hint(format!(
            "move {} away, or use another folder with --ca-dir DIR",
            folder.display()
        ))),
    }
}

/// Renames, which no folder with something in it gives way to.
fn put_in_place(unfinished: &Path, folder: &Path) -> io::Result<()> {
    // On Windows an empty folder does not give way either; removing one with content fails.
    if cfg!(windows) {
        let _ = fs::remove_dir(folder);
    }
    fs::rename(unfinished, folder)
}

/// A folder under work; what is left of it goes when it was not put in place.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private::create_new(path)?;
    file.write_all(text.as_bytes())?;
    // Else a power cut could leave a whole folder with empty files in it.
    file.sync_all()
}

/// Makes a folder's entries last, where folders can be opened.
fn sync(folder: &Path) {
    if cfg!(unix)
        && let Ok(folder) = File::open(folder)
    {
        // What cannot be synced is synced by time.
        let _ = folder.sync_all();
    }
}
