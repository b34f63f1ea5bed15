//! `mailscope ca`: what the authority is good for, and how to trust it and to take that back.
//!
//! Text only; nothing is installed here.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::say::{say, warn};
use super::{Common, print, record};
use crate::error::Result;
use crate::net::Authority;

/// The arguments of `ca`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
}

/// What is to be told; without it, everything.
#[derive(Debug, Subcommand)]
enum What {
    /// Print where the certificate is, for scripts: curl --cacert "$(mailscope ca path)".
    Path,
}

/// Makes the authority on first use and tells about it.
pub fn run(arguments: &Arguments, common: &Common) -> Result<ExitCode> {
    let authority = record::open_authority(common)?;
    for warning in authority.warnings() {
        say(&warn(warning));
    }
    match arguments.what {
        Some(What::Path) => print(&format!("{}\n", place(&authority))),
        None => print(&how_to_trust(&authority)),
    }
}

fn place(authority: &Authority) -> String {
    let path = authority.path().unwrap_or(Path::new("ca.pem"));
    path.display().to_string()
}

/// The guide that `mailscope ca` prints, at most 80 columns wide but for the path.
pub fn how_to_trust(authority: &Authority) -> String {
    let path = place(authority);
    let mut text = about(authority, &path);
    for section in [
        SINGLE,
        THUNDERBIRD,
        LINUX,
        MAC,
        WINDOWS,
        JAVA,
        ANDROID,
        APPLE_MOBILE,
    ] {
        text.push('\n');
        text.push_str(section);
    }
    text.replace("{path}", &path)
        .replace("{name}", &authority.name())
        .replace("{serial}", &authority.serial_number())
}

fn about(authority: &Authority, path: &str) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = write!(
        text,
        "\
mailscope's certificate authority

  File      {path}
  Name      {name}
  SHA-256   {first}
            {second}
  Until     {until}

It vouches for TLS servers on this computer only: localhost, names that end in
.localhost, 127.0.0.0/8 and ::1. That limit is written in it, so programs that
mind it (most do, Java does not) take nothing else even from one who has stolen
its key. Set the app's server to localhost, and its port to mailscope's.

Commands for a Unix shell below use:

  CA={quoted}
",
        name = authority.name(),
        first = halves(&authority.fingerprint_sha256()).0,
        second = halves(&authority.fingerprint_sha256()).1,
        until = authority.not_after().date(),
        quoted = shell_quoted(path),
    );
    text
}

/// A fingerprint in two lines, as browsers show it.
fn halves(fingerprint: &str) -> (&str, &str) {
    fingerprint.split_at(fingerprint.len().div_ceil(2))
}

/// One word for a Unix shell.
fn shell_quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', r"'\''"))
}

const SINGLE: &str = r#"One program, with nothing to take back (the safest)

  curl        curl --cacert "$CA" imaps://localhost:1993/
  OpenSSL     openssl s_client -CAfile "$CA" -connect localhost:1993
  Python      SSL_CERT_FILE="$CA" python3 app.py
  Node.js     NODE_EXTRA_CA_CERTS="$CA" node app.js
  mbsync      in the IMAPAccount section of its configuration:
              CertificateFile "{path}"
  OfflineIMAP in the repository's section of its configuration:
              sslcacertfile = {path}

  SSL_CERT_FILE replaces the system's authorities in that one run.
"#;

const THUNDERBIRD: &str = r#"Thunderbird (has its own store, on every system)

  Settings > Privacy & Security > Certificates > Manage Certificates >
  Authorities > Import: choose the file, tick "Trust this CA to identify
  websites".
  Take back: in the same list, the name above > Delete or Distrust.

  By command (Debian: libnss3-tools), with Thunderbird closed; the profile's
  folder is under Help > Troubleshooting Information:

  certutil -A -n mailscope -t C,, -i "$CA" -d sql:PROFILE
  Take back:
  certutil -D -n mailscope -d sql:PROFILE
"#;

// `install -m 644`, not `cp`: the file itself is 0600, and a copy that only root may read would be
// skipped by programs that look it up by name.
const LINUX: &str = r#"Linux, all programs that use the system's store

  Debian, Ubuntu:
  sudo install -m 644 "$CA" /usr/local/share/ca-certificates/mailscope.crt
  sudo update-ca-certificates
  Take back:
  sudo rm /usr/local/share/ca-certificates/mailscope.crt
  sudo update-ca-certificates --fresh

  Fedora, RHEL:
  sudo install -m 644 "$CA" /etc/pki/ca-trust/source/anchors/mailscope.pem
  sudo update-ca-trust
  Take back:
  sudo rm /etc/pki/ca-trust/source/anchors/mailscope.pem
  sudo update-ca-trust
"#;

const MAC: &str = r#"macOS (Apple Mail and others)

  security add-trusted-cert -r trustRoot -p ssl \
    -k ~/Library/Keychains/login.keychain-db "$CA"
  Take back:
  security remove-trusted-cert "$CA"
  security delete-certificate -c \
    '{name}'

  Or in Keychain Access: drag the file into "login", open it, and under Trust
  set Secure Sockets Layer (SSL) to Always Trust. Take back: delete it there.
"#;

const WINDOWS: &str = r#"Windows (Outlook and others), for your user

  certutil -user -addstore Root "{path}"
  Take back:
  certutil -user -delstore Root {serial}

  Or with certmgr.msc: Trusted Root Certification Authorities > Certificates.
"#;

const JAVA: &str = r#"Java (has its own store, and does not mind the limit to this computer; so trust
it in the one program that you look at, not in Java as a whole)

  keytool -importcert -noprompt -alias mailscope -file "$CA" \
    -keystore mailscope.p12 -storetype PKCS12 -storepass mailscope
  java -Djavax.net.ssl.trustStore=mailscope.p12 \
    -Djavax.net.ssl.trustStorePassword=mailscope -jar app.jar
  Take back: delete mailscope.p12.
"#;

const ANDROID: &str = r#"Android (device by USB, or emulator)

  adb reverse tcp:1993 tcp:1993     its localhost:1993 is now mailscope
  adb push "$CA" /sdcard/Download/mailscope.crt
  Then Settings > Security > More security settings > Encryption & credentials
  > Install a certificate > CA certificate. Menus differ among makers.
  Take back: ... > Encryption & credentials > User credentials; and
  adb reverse --remove tcp:1993

  Since Android 7 an app trusts it only if its network security configuration
  has <certificates src="user"/>, in <debug-overrides> at least.
"#;

const APPLE_MOBILE: &str = r#"iOS

  Simulator, whose localhost is this computer:
  xcrun simctl keychain booted add-root-cert "$CA"
  Take back, with all else that was added there:
  xcrun simctl keychain booted reset

  An iPhone or iPad cannot reach this computer as localhost, the only name that
  this authority vouches for, so trusting it there gains nothing. For the
  record: AirDrop the file, named mailscope.crt, to it; Settings > Profile
  Downloaded > Install; then Settings > General > About > Certificate Trust
  Settings, and turn it on. Take back: General > VPN & Device Management.
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_names_the_authority_and_fits_the_screen() {
        let folder = tempfile::tempdir().unwrap();
        let ca_dir = folder.path().join("it's mine");
        let authority = Authority::open_or_create(&ca_dir).unwrap();
        let guide = how_to_trust(&authority);
        let path = authority.path().unwrap().display().to_string();
        assert!(guide.contains(&path));
        assert!(guide.contains(r"it'\''s mine/local/ca.pem'"), "{guide}");
        assert!(guide.contains(&authority.name()));
        let fingerprint = authority.fingerprint_sha256();
        let (first, second) = halves(&fingerprint);
        assert!(guide.contains(first) && guide.contains(second));
        assert!(guide.contains(&authority.serial_number()));
        for placeholder in ["{name}", "{path}", "{serial}"] {
            assert!(!guide.contains(placeholder), "{placeholder}");
        }
        for line in guide.lines().filter(|line| !line.contains("mine")) {
            assert!(line.chars().count() <= 80, "{line}");
            assert_eq!(line.trim_end(), line);
        }
    }

    #[test]
    fn an_authority_in_memory_has_a_guide_too() {
        let guide = how_to_trust(&Authority::ephemeral().unwrap());
        assert!(guide.contains("CA='ca.pem'"), "{guide}");
    }
}
