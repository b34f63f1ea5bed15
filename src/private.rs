//! Files and folders for their owner alone: all that mailscope writes holds, or leads to, what somebody
//! said in a mail session, and goes through here. (The one exception is a certificate that is exported
//! for others to read.)
//!
//! On Unix files are made with mode 0600 and folders with 0700, whatever the umask permits, and never
//! have another for a moment. What is there already keeps its mode, which its owner may have meant.
//! Elsewhere they have the access list of the folder that they are made in.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// How a file is opened; if that makes it, it is private.
pub fn file() -> OpenOptions {
    #[allow(unused_mut, reason = "only Unix has modes")]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a file to read and write.
///
/// # Errors
///
/// Those of the system; `AlreadyExists` if anything is at the path, a link that leads nowhere included.
pub fn create_new(path: &Path) -> io::Result<File> {
    file().read(true).write(true).create_new(true).open(path)
}

/// Makes a file that holds what `fill` writes from the moment on when it is at the path, for reading
/// and writing; `fill` may be called again. Where the system cannot give a file that is there another
/// name without replacing what has it, it is filled at the path.
///
/// # Errors
///
/// Those of the system and of `fill`; then nothing is left there. `AlreadyExists` if anything is at
/// the path.
pub fn create_whole(
    path: &Path,
    mut fill: impl FnMut(&mut File) -> io::Result<()>,
) -> io::Result<File> {
    let mut aside = || -> io::Result<File> {
        let mut aside = beside(path)?;
        fill(aside.as_file_mut())?;
        Ok(aside.persist_noclobber(path)?)
    };
    match aside() {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let mut file = create_new(path)?;
    let filled = fill(&mut file);
    if filled.is_err() {
        let _ = std::fs::remove_file(path); // it is ours, and not whole
    }
    filled.map(|()| file)
}

/// A file of another name in the folder of this one, gone unless it is put in its place.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    tempfile::Builder::new()
        .prefix(".mailscope-")
        .make_in(folder, create_new)
}

/// How folders are made.
pub fn folder() -> DirBuilder {
    #[allow(unused_mut, reason = "only Unix has modes")]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Puts a file with this content at the path in one step: whoever looks finds what was there before,
/// or all of it. A link at the path is replaced, not followed.
///
/// # Errors
///
/// Those of the system; then what was at the path is still there.
pub fn put(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut aside = beside(path)?;
    aside.write_all(content)?;
    aside.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        path.symlink_metadata().unwrap().permissions().mode() & 0o777
    }

    #[cfg(unix)]
    #[test]
    fn what_is_put_is_private_and_replaces_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = ["ready.json", "other"].map(|name| folder.path().join(name));
        std::fs::write(&other, "theirs").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        for content in ["one", "two"] {
            put(&path, content.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
            assert_eq!(mode(&path), 0o600);
        }
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "theirs");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_cannot_be_put_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        std::fs::create_dir(&path).unwrap();
        put(&path, b"x").unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        put(&folder.path().join("nowhere/ready.json"), b"x").unwrap_err();
    }

    #[test]
    fn what_is_there_is_whole_and_nothing_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let fill = |content: &'static [u8]| move |file: &mut File| file.write_all(content);
        create_whole(&path, fill(b"whole")).unwrap();
        #[cfg(unix)]
        assert_eq!(mode(&path), 0o600);
        let error = create_whole(&path, fill(b"other")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        let failing = |_: &mut File| Err(io::ErrorKind::StorageFull.into());
        create_whole(&folder.path().join("b"), failing).unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_no_link_that_somebody_has_laid_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::os::unix::fs::symlink(folder.path().join("b"), &path).unwrap();
        let error = create_new(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    }
}
