//! Maildirs on disk: what a server keeps, or what a client made of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// When the first mail of a mailbox arrived; each next one a minute later.
const ARRIVED: u64 = 1_700_000_000;

/// One mail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mail {
    /// Its octets; lines end with LF, as they lie on disk.
    pub content: Vec<u8>,
    /// Maildir's letters: `FS` is flagged and seen.
    pub flags: String,
}

impl Mail {
    /// A mail with these flags.
    pub fn new(flags: &str, content: impl Into<Vec<u8>>) -> Self {
        Self {
            content: content.into(),
            flags: flags.to_owned(),
        }
    }

    /// Whether this is a line of its header.
    pub fn has_field(&self, line: &str) -> bool {
        let lines = self.content.split(|&octet| octet == b'\n');
        let mut fields = lines.take_while(|line| !line.is_empty());
        fields.any(|field| field == line.as_bytes())
    }
}

/// Makes a mailbox whose mails have the same names and times whenever it is made.
pub fn create(folder: &Path, mails: &[Mail]) {
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    for (number, mail) in mails.iter().enumerate() {
        deliver(folder, number, mail);
    }
}

/// Puts a mail there; names sort by `number`.
pub fn deliver(folder: &Path, number: usize, mail: &Mail) {
    let arrived = ARRIVED + 60 * u64::try_from(number).unwrap();
    let name = format!("{arrived}.M{number}.localhost:2,{}", mail.flags);
    let path = folder.join("tmp").join(&name);
    fs::write(&path, &mail.content).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    // A server takes a mail's internal date from there.
    let arrived = UNIX_EPOCH + Duration::from_secs(arrived);
    file.set_modified(arrived).unwrap();
    fs::rename(&path, folder.join("cur").join(&name)).unwrap();
}

/// All mails of a mailbox, sorted by their octets.
pub fn read(folder: &Path) -> Vec<Mail> {
    let mut mails: Vec<Mail> = files(folder)
        .iter()
        .map(|file| Mail::new(flags(file), fs::read(file).unwrap()))
        .collect();
    mails.sort();
    mails
}

/// The file of the mail with this line in its header.
pub fn find(folder: &Path, line: &str) -> PathBuf {
    let files = files(folder);
    let found = files.into_iter().find(|file| {
        let mail = Mail::new("", fs::read(file).unwrap());
        mail.has_field(line)
    });
    found.unwrap_or_else(|| panic!("no mail with {line:?} in {}", folder.display()))
}

/// Gives a mail other flags, as any program may that shares the Maildir.
pub fn set_flags(file: &Path, flags: &str) {
    let name = file.file_name().unwrap().to_str().unwrap();
    let base = name.split_once(":2,").map_or(name, |(base, _)| base);
    let mailbox = file.parent().unwrap().parent().unwrap();
    let renamed = mailbox.join("cur").join(format!("{base}:2,{flags}"));
    fs::rename(file, renamed).unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    ["cur", "new"]
        .iter()
        .flat_map(|part| fs::read_dir(folder.join(part)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect()
}

fn flags(file: &Path) -> &str {
    let name = file.file_name().unwrap().to_str().unwrap();
    name.split_once(":2,").map_or("", |(_, flags)| flags)
}
