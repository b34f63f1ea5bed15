//! The platforms whose steps `mailscope ca trust` tells, and the guide made of them.

use clap::ValueEnum;

use super::list::about;
use super::{place, quoted, steps};
use crate::net::{Authority, Scope};

/// Where an authority can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    /// One program alone, such as curl, Python or mbsync: the safest
    Program,
    /// Thunderbird, on every system
    Thunderbird,
    /// Linux, programs that use the system's store
    Linux,
    /// Linux, programs that use the user's NSS database (Chromium, ...)
    Nss,
    /// macOS (Apple Mail and others)
    #[value(name = "macos")]
    MacOs,
    /// Windows (Outlook and others)
    Windows,
    /// Java, one program alone
    Java,
    /// Android, device or emulator
    Android,
    /// iPhone, iPad, and their simulator
    Ios,
}

impl Platform {
    /// How to trust, and how to take that back.
    fn steps(self) -> &'static str {
        match self {
            Self::Program => steps::PROGRAM,
            Self::Thunderbird => steps::THUNDERBIRD,
            Self::Linux => steps::LINUX,
            Self::Nss => steps::NSS,
            Self::MacOs => steps::MAC,
            Self::Windows => steps::WINDOWS,
            Self::Java => steps::JAVA,
            Self::Android => steps::ANDROID,
            Self::Ios => steps::IOS,
        }
    }

    /// What is different there for an authority of this scope.
    fn remark(self, scope: &Scope) -> &'static str {
        match (self, scope) {
            (Self::Java, Scope::Local | Scope::Hosts(_)) => steps::JAVA_LIMIT,
            (Self::Android, Scope::Local) => steps::ANDROID_LOCAL,
            (Self::Ios, Scope::Local) => steps::IOS_LOCAL,
            _ => "",
        }
    }
}

/// The guide for these platforms, for all if there is none; at most 80 columns wide but for the
/// path and for what is long in the authority itself.
pub fn guide(authority: &Authority, platforms: &[Platform]) -> String {
    let platforms = match platforms {
        [] => Platform::value_variants(),
        platforms => platforms,
    };
    let scope = authority.scope();
    let mut text = format!("{}\n{}{}", about(authority), reach(scope), steps::SHELL);
    for platform in platforms {
        text.push('\n');
        text.push_str(platform.steps());
        text.push_str(platform.remark(scope));
    }
    let flags = match scope.flags() {
        flags if flags.is_empty() => flags,
        flags => format!(" {flags}"),
    };
    let path = place(authority);
    text.replace("{quoted}", &quoted(&path))
        .replace("{id}", &id(authority))
        .replace("{name}", &authority.name())
        .replace("{serial}", &authority.serial_number())
        .replace("{flags}", &flags)
        .replace("{path}", &path)
}

fn reach(scope: &Scope) -> &'static str {
    match scope {
        Scope::Local => steps::LOCAL,
        Scope::Hosts(_) => steps::HOSTS,
        Scope::Unconstrained => steps::UNCONSTRAINED,
    }
}

/// Short and unique, for names of files and entries that several authorities must not share.
fn id(authority: &Authority) -> String {
    let digits = authority.fingerprint_sha256().replace(':', "");
    digits.chars().take(8).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPES: [&[&str]; 2] = [&[], &["imap.example.com"]];

    fn scopes() -> Vec<Scope> {
        let hosts = |hosts: &[&str]| Scope::of(hosts.iter().map(|host| host.parse().unwrap()));
        let mut scopes: Vec<_> = SCOPES.into_iter().map(hosts).collect();
        scopes.push(Scope::Unconstrained);
        scopes
    }

    #[test]
    fn the_guide_names_the_authority_and_fits_the_screen() {
        let folder = tempfile::tempdir().unwrap();
        let ca_dir = folder.path().join("it's mine");
        for scope in scopes() {
            let authority = Authority::open_or_create(&ca_dir, &scope).unwrap();
            let guide = guide(&authority, &[]);
            let path = authority.path().unwrap().display().to_string();
            assert!(guide.contains(&path));
            assert!(guide.contains(r"it'\''s mine/"), "{guide}");
            for part in [authority.name(), authority.serial_number(), id(&authority)] {
                assert!(guide.contains(&part), "{part}");
            }
            assert!(!guide.contains(['{', '}']), "a placeholder: {guide}");
            for line in guide.lines().filter(|line| !line.contains("mine")) {
                assert!(line.chars().count() <= 80, "{line}");
                assert_eq!(line.trim_end(), line);
            }
            assert!(guide.contains(format!("-o mailscope.mobileconfig {}", scope.flags()).trim()));
        }
    }

    #[test]
    fn each_platform_says_how_to_take_it_back() {
        for platform in Platform::value_variants() {
            let steps = platform.steps().to_lowercase();
            assert!(steps.contains("take") && steps.contains("back"), "{steps}");
        }
    }

    #[test]
    fn a_guide_can_be_for_one_platform() {
        let guide = guide(&Authority::ephemeral().unwrap(), &[Platform::Java]);
        assert!(guide.contains("CA='ca.pem'"), "{guide}");
        assert!(
            guide.contains("keytool") && !guide.contains("Thunderbird"),
            "{guide}"
        );
    }

    #[test]
    fn what_is_said_about_the_limit_fits_the_scope() {
        let folder = tempfile::tempdir().unwrap();
        let guides: Vec<_> = scopes()
            .iter()
            .map(|scope| {
                guide(
                    &Authority::open_or_create(folder.path(), scope).unwrap(),
                    &[],
                )
            })
            .collect();
        assert!(guides[0].contains("this computer only"));
        assert!(guides[1].contains("Good for  imap.example.com, localhost"));
        assert!(guides[2].contains("ANY server"));
        for (guide, limited) in guides.iter().zip([true, true, false]) {
            assert_eq!(guide.contains("Java does not mind"), limited, "{guide}");
        }
    }
}
