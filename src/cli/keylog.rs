//! `--keylog FILE` and `SSLKEYLOGFILE`: the keys of the TLS sessions, for whoever looks at a capture.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use super::path;
use super::say::{say, warn};
use crate::error::Result;
use crate::net::KeyLogFile;

/// The variable that browsers, curl and others take the file from too.
const VARIABLE: &str = "SSLKEYLOGFILE";

/// Where keys are to go, if anywhere. It is never on unless it is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct KeyLogging {
    /// Append the keys of both legs' TLS sessions to FILE (NSS key log format, for Wireshark), made
    /// with mode 0600. Whoever has it can decrypt a capture [env: SSLKEYLOGFILE].
    #[arg(long, value_name = "FILE", value_parser = path::file())]
    keylog: Option<PathBuf>,
}

impl KeyLogging {
    /// The file and what named it. A variable without a value is one that is not set.
    fn file(&self) -> Option<(PathBuf, &'static str)> {
        match &self.keylog {
            Some(file) => Some((file.clone(), "--keylog")),
            None => std::env::var_os(VARIABLE)
                .filter(|value: &OsString| !value.is_empty())
                .map(|file| (file.into(), VARIABLE)),
        }
    }

    /// Opens the file, if there is to be one, and says on standard error who else may read it.
    /// Keys that cannot be written later are told of there too.
    pub fn open(&self) -> Result<Option<Arc<KeyLogFile>>> {
        let Some((file, _)) = self.file() else {
            return Ok(None);
        };
        let keys = KeyLogFile::open(&file)?.on_trouble(|error| say(&warn(&error.to_string())));
        if let Some(mode) = keys.others_may_read() {
            let file = keys.path().display();
            say(&warn(&format!(
                "other users can read the TLS keys in {file} (mode {mode:04o}); `chmod 600` it"
            )));
        }
        if keys.is_anothers() {
            let file = keys.path().display();
            say(&warn(&format!(
                "{file} belongs to another user, who can read the TLS keys in it; use another file"
            )));
        }
        Ok(Some(Arc::new(keys)))
    }

    /// What its user has to know before the first session.
    pub fn warning(&self) -> Option<String> {
        let (file, by) = self.file()?;
        Some(format!(
            "the keys of all TLS sessions go to {} ({by}): whoever has that file and a capture of \
             the network reads all of it, passwords too; delete it when you are done",
            file.display()
        ))
    }
}
