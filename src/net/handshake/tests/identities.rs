//! The files of a client certificate: what is taken, and what is said of the others.

use super::*;
use crate::error::Error;

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> std::path::PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

/// A certificate and its key.
fn pair_of_pem() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn error_of(certificate: &[u8], key: &[u8]) -> Error {
    let files = Files::new();
    let (certificate, key) = (
        files.write("cert.pem", certificate),
        files.write("key.pem", key),
    );
    let error = ClientIdentity::read(&certificate, &key).unwrap_err();
    assert!(error.what_to_try().is_some(), "{error}");
    assert!(error.to_string().contains(".pem"), "{error}");
    error
}

#[test]
fn both_may_be_in_one_file_and_debug_shows_no_key() {
    let (certificate, key) = pair_of_pem();
    let file = Files::new();
    let path = file.write("both.pem", key + &certificate + &pair_of_pem().0);
    let identity = ClientIdentity::read(&path, &path).unwrap();
    assert_eq!(identity.chain().len(), 2);
    let shown = format!("{identity:?}");
    assert!(shown.contains("CN=rcgen self signed cert"), "{shown}");
    assert!(shown.len() < 80, "{shown}");
}

#[test]
fn a_file_without_a_certificate_is_named() {
    let (certificate, key) = pair_of_pem();
    for (content, why) in [
        (&b""[..], "there is none in PEM"),
        (b"\x30\x82\x01\x02", "there is none in PEM"),
        (key.as_bytes(), "there is none in PEM"),
        (&certificate.as_bytes()[..100], "cut short"),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "malformed",
        ),
    ] {
        let error = error_of(content, key.as_bytes());
        assert!(error.why().contains(why), "{error}");
        assert!(error.to_string().contains("cert.pem"), "{error}");
    }
}

#[test]
fn a_file_without_a_key_is_named() {
    let (certificate, key) = pair_of_pem();
    for (content, why) in [
        (&b""[..], "there is none in PEM"),
        (certificate.as_bytes(), "there is none in PEM"),
        (&key.as_bytes()[..100], "cut short"),
        (
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "malformed",
        ),
        (
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n",
            "passphrase",
        ),
        (
            b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n",
            "passphrase",
        ),
    ] {
        let error = error_of(certificate.as_bytes(), content);
        assert!(error.why().contains(why), "{error}");
        assert!(error.to_string().contains("key.pem"), "{error}");
    }
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let error = error_of(pair_of_pem().0.as_bytes(), pair_of_pem().1.as_bytes());
    assert!(error.why().contains("does not belong"), "{error}");
    let mine = pair_of_pem();
    let behind_another = pair_of_pem().0 + &mine.0;
    let error = error_of(behind_another.as_bytes(), mine.1.as_bytes());
    assert!(
        error.what_to_try().unwrap().contains("comes before"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_not_there_names_its_flag() {
    let (certificate, _) = pair_of_pem();
    let files = Files::new();
    let there = files.write("cert.pem", certificate);
    let nowhere = files.folder.path().join("nowhere.pem");
    for (error, flag) in [
        (ClientIdentity::read(&nowhere, &there), "--server-cert"),
        (ClientIdentity::read(&there, &nowhere), "--server-key"),
    ] {
        let error = error.unwrap_err();
        assert!(error.to_string().contains("nowhere.pem"), "{error}");
        assert!(error.what_to_try().unwrap().contains(flag), "{error}");
    }
}
