//! The words of `mailscope ca trust`: per platform how to trust, and how to take that back.
//!
//! Text alone. `{path}`, `{quoted}`, `{name}`, `{id}`, `{serial}` and `{flags}` are put in by
//! `platform.rs`. The README says which of these steps were run and which are their makers'.

pub const LOCAL: &str = "\
It vouches for TLS servers on this computer only: localhost, names that end in
.localhost, 127.0.0.0/8 and ::1. That limit is written in it, so programs that
mind it (most do, Java does not) take nothing else even from one who has stolen
its key. Set the app's server to localhost, and its port to mailscope's.
";

pub const HOSTS: &str = "\
It vouches for the hosts above, the names below them, and this computer. That
limit is written in it, so programs that mind it (most do, Java does not) take
nothing else even from one who has stolen its key. The app may ask for one of
these hosts; it has to come to mailscope, by the address it is set to or by its
device's DNS. (In this computer's own hosts file the name would lead mailscope
to itself.)
";

pub const UNCONSTRAINED: &str = "\
It vouches for ANY server, so whoever steals its key can pose as any to those
who trust it: trust it in one program or on one device, and take that back when
you are done. Where the hosts are known, --as HOST is the safer choice.
";

pub const SHELL: &str = "
Commands for a Unix shell below use:

  CA={quoted}
";

pub const PROGRAM: &str = r#"One program, with nothing to take back (the safest)

  curl        curl --cacert "$CA" imaps://localhost:1993/
  OpenSSL     openssl s_client -CAfile "$CA" -connect localhost:1993
  GnuTLS      gnutls-cli --x509cafile "$CA" --port 1993 localhost
  Python      SSL_CERT_FILE="$CA" python3 app.py
  Node.js     NODE_EXTRA_CA_CERTS="$CA" node app.js
  mbsync      in the IMAPAccount section of its configuration:
              CertificateFile "{path}"
  OfflineIMAP in the repository's section of its configuration:
              sslcacertfile = {path}

  SSL_CERT_FILE replaces the system's authorities in that one run.
"#;

pub const THUNDERBIRD: &str = r#"Thunderbird (has its own store, on every system)

  Settings > Privacy & Security > Certificates > Manage Certificates >
  Authorities > Import: choose the file, tick "Trust this CA to identify
  websites".
  Take back: in the same list, the name above > Delete or Distrust.

  By command (Debian: libnss3-tools), with Thunderbird closed; the profile's
  folder is under Help > Troubleshooting Information:

  certutil -A -n mailscope-{id} -t C,, -i "$CA" -d sql:PROFILE
  Take back:
  certutil -D -n mailscope-{id} -d sql:PROFILE
"#;

// `install -m 644`, not `cp`: the file itself is 0600, and a copy that only root may read would be
// skipped by programs that look it up by name.
pub const LINUX: &str = r#"Linux, all programs that use the system's store

  Debian, Ubuntu:
  sudo install -m 644 "$CA" \
    /usr/local/share/ca-certificates/mailscope-{id}.crt
  sudo update-ca-certificates
  Take back:
  sudo rm /usr/local/share/ca-certificates/mailscope-{id}.crt
  sudo update-ca-certificates --fresh
  Where Debian's ca-certificates-java is installed, Java has it from then on as
  well and keeps it; take it back there, too:
  sudo keytool -delete -alias debian:mailscope-{id}.pem \
    -keystore /etc/ssl/certs/java/cacerts -storepass changeit

  Fedora, RHEL:
  sudo install -m 644 "$CA" \
    /etc/pki/ca-trust/source/anchors/mailscope-{id}.pem
  sudo update-ca-trust
  Take back:
  sudo rm /etc/pki/ca-trust/source/anchors/mailscope-{id}.pem
  sudo update-ca-trust
"#;

pub const NSS: &str = r#"Linux, programs that use the user's NSS database (Chromium and others)

  certutil is in Debian's libnss3-tools, in Fedora's nss-tools. The first two
  lines make the database where there is none.

  mkdir -p -m 700 ~/.pki/nssdb
  [ -e ~/.pki/nssdb/cert9.db ] || certutil -N --empty-password -d ~/.pki/nssdb
  certutil -A -n mailscope-{id} -t C,, -i "$CA" -d ~/.pki/nssdb
  Take back:
  certutil -D -n mailscope-{id} -d ~/.pki/nssdb
"#;

pub const MAC: &str = r#"macOS (Apple Mail and others)

  security add-trusted-cert -r trustRoot -p ssl \
    -k ~/Library/Keychains/login.keychain-db "$CA"
  Take back:
  security remove-trusted-cert "$CA"
  security delete-certificate -c \
    '{name}'

  Or in Keychain Access: drag the file into "login", open it, and under Trust
  set Secure Sockets Layer (SSL) to Always Trust. Take back: delete it there.
"#;

pub const WINDOWS: &str = r#"Windows (Outlook and others), for your user

  certutil -user -addstore Root "{path}"
  Take back:
  certutil -user -delstore Root {serial}

  Or with certmgr.msc: Trusted Root Certification Authorities > Certificates.
"#;

pub const JAVA: &str = r#"Java (has its own store; trust it in the one program that you look at, not in
Java as a whole)

  keytool -importcert -noprompt -alias mailscope-{id} -file "$CA" \
    -keystore mailscope.p12 -storetype PKCS12 -storepass mailscope
  java -Djavax.net.ssl.trustStore=mailscope.p12 \
    -Djavax.net.ssl.trustStorePassword=mailscope -jar app.jar
  Take back: delete mailscope.p12, or of several authorities in it this one:
  keytool -delete -alias mailscope-{id} \
    -keystore mailscope.p12 -storepass mailscope
"#;

pub const JAVA_LIMIT: &str = "
  Java does not mind the limit that is written in the authority.
";

pub const ANDROID: &str = r#"Android (device by USB, or emulator)

  adb push "$CA" /sdcard/Download/mailscope-{id}.crt
  Then Settings > Security > More security settings > Encryption & credentials
  > Install a certificate > CA certificate. Menus differ among makers.
  Take back: ... > Encryption & credentials > User credentials.

  Since Android 7 an app trusts it only if its network security configuration
  has <certificates src="user"/>, in <debug-overrides> at least.
"#;

pub const ANDROID_LOCAL: &str = r#"
  adb reverse tcp:1993 tcp:1993     its localhost:1993 is now mailscope
  Take back:
  adb reverse --remove tcp:1993

  An app that is set to this computer's address (for an emulator 10.0.2.2)
  needs an authority for that: record with --as ADDRESS.
"#;

pub const IOS: &str = r#"iPhone and iPad

  mailscope ca export --format mobileconfig \
    -o mailscope.mobileconfig{flags}
  Send the file to the device by AirDrop or mail and open it there. Then
  Settings > Profile Downloaded > Install; then Settings > General > About >
  Certificate Trust Settings, and turn it on.
  Take back: Settings > General > VPN & Device Management > the profile >
  Remove Profile.

  Simulator, whose localhost is this computer:
  xcrun simctl keychain booted add-root-cert "$CA"
  Take back, with all else that was added there:
  xcrun simctl keychain booted reset
"#;

pub const IOS_LOCAL: &str = r#"
  A device cannot reach this computer as localhost, the only name that this
  authority vouches for. Take one for this computer's address in your network:
  mailscope record SERVER --as ADDRESS --listen-tls 0.0.0.0:1993 --allow-remote,
  with the same --as ADDRESS for the export; set the app's server to ADDRESS.
"#;
