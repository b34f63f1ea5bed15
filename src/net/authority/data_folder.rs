//! Where each system keeps the data of a user's programs.
//!
//! | system | folder |
//! |---|---|
//! | Linux and other Unix | `$XDG_DATA_HOME/mailscope`, else `~/.local/share/mailscope` (XDG Base Directory Specification) |
//! | macOS, iOS | `~/Library/Application Support/mailscope` |
//! | Windows | `%APPDATA%\mailscope\data` |

use std::ffi::OsString;
use std::path::PathBuf;

/// mailscope's folder there; none if the user has no home folder.
pub(super) fn data_folder() -> Option<PathBuf> {
    let home = std::env::home_dir();
    match () {
        () if cfg!(windows) => on_windows(std::env::var_os("APPDATA"), home),
        () if cfg!(target_vendor = "apple") => {
            Some(absolute(home)?.join("Library/Application Support/mailscope"))
        }
        () => on_unix(std::env::var_os("XDG_DATA_HOME"), home),
    }
}

/// A folder that is not absolute says nothing: it would be another in each working folder.
fn absolute(folder: Option<impl Into<PathBuf>>) -> Option<PathBuf> {
    let folder: PathBuf = folder?.into();
    folder.is_absolute().then_some(folder)
}

fn on_unix(data: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let data = absolute(data).or_else(|| Some(absolute(home)?.join(".local/share")))?;
    Some(data.join("mailscope"))
}

fn on_windows(data: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let data = absolute(data).or_else(|| Some(absolute(home)?.join("AppData").join("Roaming")))?;
    Some(data.join("mailscope").join("data"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_is_set_comes_before_the_home_folder() {
        let path = |text: &str| Some(PathBuf::from(text));
        for (data, home, found) in [
            (
                None,
                path("/home/a"),
                path("/home/a/.local/share/mailscope"),
            ),
            (Some("/data"), path("/home/a"), path("/data/mailscope")),
            (Some("/data"), None, path("/data/mailscope")),
            (
                Some(""),
                path("/home/a"),
                path("/home/a/.local/share/mailscope"),
            ),
            (Some("data"), path("/h"), path("/h/.local/share/mailscope")),
            (None, path(""), None),
            (None, None, None),
        ] {
            assert_eq!(on_unix(data.map(OsString::from), home), found, "{data:?}");
        }
        let found = on_windows(Some("/Roaming".into()), None);
        assert_eq!(found, path("/Roaming/mailscope/data"));
        let found = on_windows(None, path("/alice"));
        assert_eq!(found, path("/alice/AppData/Roaming/mailscope/data"));
    }
}
