//! Servers whose certificates have keys that mailscope cannot check.

use std::io::Write;

use libtest_mimic::Trial;

use super::super::support::app::App;
use super::super::support::leaf::openssl;
use super::super::support::mailscope::record;
use super::super::support::programs::{OPENSSL, needing};
use super::super::support::trials;
use super::s_server::SServer;
use super::secured;

pub fn trials() -> Vec<Trial> {
    needing(
        &[OPENSSL],
        trials!("tls::server_keys"; keys_that_cannot_be_checked_are_named_and_insecure_takes_them),
    )
}

fn keys_that_cannot_be_checked_are_named_and_insecure_takes_them() {
    let cases: [(&[&str], &str, &str); 4] = [
        (&["rsa:1024"], "-tls1_2", "(RSA, 1024 bits)"),
        (&["rsa:1024"], "-tls1_3", "(RSA, 1024 bits)"),
        (
            &["ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
            "-tls1_3",
            "handshake_failure",
        ),
        (&["ed448"], "-tls1_3", "handshake_failure"),
    ];
    for (key, version, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (certificate, private) = (path("server.pem"), path("key.pem"));
        let named = [
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ];
        let files = ["-out", &certificate, "-keyout", &private];
        let asking = [&["req", "-x509", "-nodes", "-newkey"], key, &named, &files].concat();
        let made = openssl(&asking);
        assert!(made.status.success(), "{made:?}");
        // Else OpenSSL itself finds them too weak.
        let weak = ["-cipher", "DEFAULT:@SECLEVEL=0"];
        let files = ["-cert", &certificate, "-key", &private];
        let mut server = SServer::start(&[&[version][..], &weak, &files].concat());
        let name = format!("localhost:{}", server.port);

        let mut mailscope = record(&name).with(&["--server-ca", &certificate]).start();
        let mut app = App::plain(mailscope.plain());
        assert!(!app.try_hear("* OK").unwrap_or(false));
        mailscope.closed(1);
        let transcript = mailscope.stop();
        let text = transcript.notes("server-handshake")[0]["text"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(text.contains(words), "{key:?} {version}: {text}");
        assert!(
            text.contains("RSA of 2048 to 8192 bits"),
            "{key:?} {version}: {text}"
        );
        assert!(text.contains("--insecure"), "{key:?} {version}: {text}");

        let mut mailscope = record(&name).with(&["--insecure"]).start();
        let mut app = App::plain(mailscope.plain());
        server.stdin.write_all(b"* OK ready\r\n").unwrap();
        app.hear("* OK ready");
        drop(app);
        mailscope.closed(1);
        let transcript = mailscope.stop();
        let certificate = &secured(&transcript, "server")["certificate"];
        assert_eq!(certificate["verified"], false, "{key:?} {version}");
    }
}
