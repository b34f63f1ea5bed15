//! Client certificates on the server's leg: which files are taken, and what servers make of them.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use super::super::support::app::App;
use super::super::support::certificates::TestAuthority;
use super::super::support::dovecot::{Dovecot, PASSWORD};
use super::super::support::leaf::openssl;
use super::super::support::mailscope::{Mailscope, record, run};
use super::super::support::programs::{DOVECOT, OPENSSL, needing};
use super::super::support::{schema, trials};
use super::s_server::SServer;
use super::secured;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("tls::client_certificate";
        files_that_cannot_be_are_refused_with_exit_code_2,
    );
    trials.extend(needing(
        &[OPENSSL],
        trials!("tls::client_certificate";
            every_kind_of_key_is_taken_by_openssl,
            openssl_tells_of_one_that_is_missing_or_not_taken,
            an_encrypted_key_is_refused_with_the_command_that_helps,
        ),
    ));
    trials.extend(needing(
        &[DOVECOT],
        trials!("tls::client_certificate"; dovecot_lets_in_who_has_one),
    ));
    trials
}

/// Files of a client certificate.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    /// A certificate by this authority.
    fn by(authority: &TestAuthority, folder: &Path) -> Self {
        let (certificate, key) = authority.leaf(&["alice.example"]);
        let files = Self {
            certificate: folder.join("client.pem"),
            key: folder.join("client-key.pem"),
        };
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
        files
    }

    fn flags(&self) -> [&str; 4] {
        [
            "--server-cert",
            self.certificate.to_str().unwrap(),
            "--server-key",
            self.key.to_str().unwrap(),
        ]
    }
}

fn refused(flags: &[&str]) -> String {
    let output = run(&[&["record", "localhost", "--insecure"], flags].concat());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    stderr
}

fn files_that_cannot_be_are_refused_with_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let files = Files::by(&authority, folder.path());
    let [cert_flag, certificate, key_flag, key] = files.flags();
    let ca = authority.pem().to_str().unwrap();
    for (flags, words) in [
        (&[cert_flag, certificate][..], "--server-key <FILE>"),
        (&[key_flag, key], "--server-cert <FILE>"),
        (&[cert_flag, key, key_flag, key], "there is none in PEM"),
        (
            &[cert_flag, certificate, key_flag, ca],
            "there is none in PEM",
        ),
        (&[cert_flag, ca, key_flag, key], "does not belong"),
        (
            &[cert_flag, "/nowhere", key_flag, key],
            "read the client certificate in /nowhere: ",
        ),
        (
            &[cert_flag, certificate, key_flag, "/nowhere"],
            "read the client's key in /nowhere: ",
        ),
    ] {
        let stderr = refused(flags);
        assert!(stderr.contains(words), "{stderr}");
    }
    let output = run(&[
        &["record", "localhost", "--server-tls", "none"][..],
        &files.flags(),
    ]
    .concat());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr.contains("the leg to the server is in cleartext"),
        "{stderr}"
    );
}

/// What makes a key, besides the file it goes to.
const KEYS: [&[&str]; 6] = [
    &[
        "genpkey",
        "-algorithm",
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:2048",
    ],
    &["genrsa", "-traditional"],
    &["ecparam", "-name", "prime256v1", "-genkey", "-noout"],
    &["ecparam", "-name", "secp384r1", "-genkey"],
    &[
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-384",
    ],
    &["genpkey", "-algorithm", "ED25519"],
];

/// A key, and a certificate of version 3 for it that it signs itself.
fn made_by_openssl(folder: &Path, key: &[&str]) -> Files {
    let files = Files {
        certificate: folder.join("client.pem"),
        key: folder.join("client-key.pem"),
    };
    let [_, certificate, _, path] = files.flags();
    let made = openssl(&[key, &["-out", path]].concat());
    assert!(made.status.success(), "{made:?}");
    let asking = [
        "req",
        "-x509",
        "-subj",
        "/CN=alice",
        "-key",
        path,
        "-out",
        certificate,
    ];
    let made = openssl(&asking);
    assert!(made.status.success(), "{made:?}");
    files
}

/// `openssl s_server` that wants a client certificate by this authority.
struct Asking(SServer);

impl Asking {
    fn start(folder: &Path, clients: &Path, version: &str) -> Self {
        let authority = TestAuthority::new(folder);
        let (certificate, key) = authority.leaf(&["localhost"]);
        let own = folder.join("server.pem");
        std::fs::write(&own, certificate + &key).unwrap();
        let wants = [version, "-Verify", "1", "-verify_return_error"].map(OsStr::new);
        let files = [
            "-cert".as_ref(),
            own.as_os_str(),
            "-CAfile".as_ref(),
            clients.as_os_str(),
        ];
        Self(SServer::start(&[wants, files].concat()))
    }

    fn recorded(&self, flags: &[&str]) -> Mailscope {
        record(&format!("localhost:{}", self.0.port))
            .with(&["--insecure"])
            .environment("COLUMNS", "300")
            .with(flags)
            .start()
    }
}

const OPENSSLS_VERSIONS: [&str; 2] = ["-tls1_2", "-tls1_3"];

fn every_kind_of_key_is_taken_by_openssl() {
    for (number, key) in KEYS.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let files = made_by_openssl(folder.path(), key);
        let version = OPENSSLS_VERSIONS[number % 2];
        let mut server = Asking::start(folder.path(), &files.certificate, version);
        let mut mailscope = server.recorded(&files.flags());
        let mut app = App::plain(mailscope.plain());
        server.0.stdin.write_all(b"* OK ready\r\n").unwrap();
        app.hear("* OK ready");
        drop(app);
        mailscope.closed(1);
        let transcript = mailscope.stop();
        assert_eq!(schema::errors(&transcript), Vec::<String>::new());
        let shown = &secured(&transcript, "server")["client_certificate"];
        assert_eq!(shown["subject"], "CN=alice", "{key:?} {version}");
        assert!(mailscope.stdout().contains("client certificate CN=alice"));
    }
}

fn openssl_tells_of_one_that_is_missing_or_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let files = made_by_openssl(folder.path(), KEYS[2]);
    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = made_by_openssl(elsewhere.path(), KEYS[2]);
    for version in OPENSSLS_VERSIONS {
        let server = Asking::start(folder.path(), &files.certificate, version);
        for (flags, words) in [
            (&[][..], "--server-cert FILE and --server-key FILE"),
            (
                &stranger.flags(),
                "does not take the client certificate of --server-cert",
            ),
        ] {
            let mut mailscope = server.recorded(flags);
            let mut app = App::plain(mailscope.plain());
            assert_eq!(app.rest().unwrap(), b"");
            app.finish();
            mailscope.closed(1);
            let transcript = mailscope.stop();
            let notes = transcript.notes("server-handshake");
            assert_eq!(notes.len(), 1, "{version} {flags:?}: {}", transcript.text());
            let text = notes[0]["text"].as_str().unwrap();
            assert!(text.contains("it sent the TLS alert "), "{text}");
            assert!(text.contains(words), "{version}: {text}");
            assert!(mailscope.stderr().contains(text), "{}", mailscope.stderr());
            let reason = transcript.closed(1)["reason"].as_str().unwrap();
            assert!(reason.contains(words), "{reason}");
        }
    }
}

fn an_encrypted_key_is_refused_with_the_command_that_helps() {
    let folder = tempfile::tempdir().unwrap();
    for key in [
        &["genpkey", "-algorithm", "RSA", "-aes256", "-pass", "pass:x"][..],
        &["genrsa", "-traditional", "-aes256", "-passout", "pass:x"],
    ] {
        let path = folder.path().join("encrypted.pem");
        let path = path.to_str().unwrap();
        let made = openssl(&[key, &["-out", path]].concat());
        assert!(made.status.success(), "{made:?}");
        let certificate = made_by_openssl(folder.path(), KEYS[2]).certificate;
        let certificate = certificate.to_str().unwrap();
        let stderr = refused(&["--server-cert", certificate, "--server-key", path]);
        assert!(stderr.contains("encrypted with a passphrase"), "{stderr}");
        assert!(stderr.contains("openssl pkey -in"), "{stderr}");
    }
}

fn dovecot_lets_in_who_has_one() {
    let folder = tempfile::tempdir().unwrap();
    let clients = TestAuthority::new(folder.path());
    let dovecot = Dovecot::start_with(&format!(
        "ssl_ca = <{}\nssl_verify_client_cert = yes\nssl_require_crl = no\n\
         auth_ssl_require_client_cert = yes\n",
        clients.pem().display()
    ));
    dovecot.user("alice", &[("INBOX", &[])]);
    let files = Files::by(&clients, folder.path());
    for (flags, answer) in [(&files.flags()[..], "a OK "), (&[], "a NO ")] {
        let mut mailscope = record(&format!("localhost:{}", dovecot.tls()))
            .with(&["--server-ca", dovecot.ca().to_str().unwrap()])
            .with(flags)
            .start();
        let mut app = App::tls(mailscope.tls(), "localhost", &mailscope.ca());
        app.hear("* OK");
        let answered = app.command("a", &format!("LOGIN alice {PASSWORD}"));
        assert!(answered.contains(answer), "{answered}");
        app.command("b", "LOGOUT");
        app.finish();
        mailscope.closed(1);
        let transcript = mailscope.stop();
        assert_eq!(schema::errors(&transcript), Vec::<String>::new());
        let wanted = transcript.notes("client-certificate-wanted");
        assert_eq!(wanted.len(), usize::from(flags.is_empty()));
        let shown = &secured(&transcript, "server")["client_certificate"];
        assert!(shown.is_object(), "{shown}");
    }
}
