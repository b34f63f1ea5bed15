//! Handshakes over loopback, with rustls at the other end as the app or the server.

use std::fs;
use std::io::Cursor;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, SupportedProtocolVersion,
};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::net::{Authority, KeyLogFile, ServerAddress, Transport};

mod identities;
mod with_the_app;
mod with_the_server;

const BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// Two ends of a loopback connection.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (one, other) = tokio::join!(TcpStream::connect(address), listener.accept());
    (one.unwrap(), other.unwrap().0)
}

fn authority() -> Arc<Authority> {
    Arc::new(Authority::ephemeral().unwrap())
}

/// An app that trusts one authority.
fn app(
    trusted: &Authority,
    version: &'static SupportedProtocolVersion,
    alpn: &[&str],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|one| one.as_bytes().to_vec()).collect();
    Arc::new(config)
}

fn name(text: &str) -> ServerName<'static> {
    ServerName::try_from(text.to_owned()).unwrap()
}

#[test]
fn a_hello_of_tls_1_1_is_named_as_old() {
    // What rustls says to one without the extensions of TLS 1.2.
    let old = PeerIncompatible::SignatureAlgorithmsExtensionRequired;
    assert!(tls_words(&old.into()).contains("TLS 1.2"));
}

#[test]
fn alerts_have_their_names_from_the_rfc() {
    for (alert, name) in [
        (AlertDescription::UnknownCA, "unknown_ca"),
        (AlertDescription::BadCertificate, "bad_certificate"),
        (AlertDescription::CertificateUnknown, "certificate_unknown"),
        (
            AlertDescription::NoApplicationProtocol,
            "no_application_protocol",
        ),
        (AlertDescription::UnknownPSKIdentity, "unknown_psk_identity"),
    ] {
        assert_eq!(alert_name(alert), name);
    }
}

#[tokio::test]
async fn a_plain_transport_passes_octets_through() {
    let (client, server) = pair().await;
    let (mut one, mut other) = (Transport::Plain(client), Transport::Plain(server));
    assert!(one.is_write_vectored());
    one.write_all_buf(&mut Cursor::new(b"a NOOP\r\n"))
        .await
        .unwrap();
    one.shutdown().await.unwrap();
    let mut read = Vec::new();
    other.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, b"a NOOP\r\n");
    assert_eq!(
        one.tcp().local_addr().unwrap(),
        other.tcp().peer_addr().unwrap()
    );
}

/// What a peer of ours notes of its own keys.
#[derive(Debug, Default)]
struct Noted(std::sync::Mutex<Vec<String>>);

impl rustls::KeyLog for Noted {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let (random, secret) = (
            certificate::hex(client_random, ""),
            certificate::hex(secret, ""),
        );
        let line = format!("{label} {random} {secret}");
        self.0.lock().unwrap().push(line);
    }
}

/// Both peers of a session have the same keys, so that what one notes is what is in our file.
#[tokio::test]
async fn the_keys_of_both_legs_go_to_the_file() {
    for version in BOTH {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let keys = Arc::new(KeyLogFile::open(&path).unwrap());
        let authority = authority();
        let ours_to_client = TlsToClient::new(Arc::clone(&authority))
            .unwrap()
            .keylog(Arc::clone(&keys));
        let trust = ServerTrust::Authority(authority.der().clone());
        let ours_to_server = TlsToServer::new(&trust).unwrap().keylog(keys);

        let noted = Arc::new(Noted::default());
        let mut app = ClientConfig::clone(&app(&authority, version, &[]));
        app.key_log = Arc::clone(&noted) as _;
        let (client, server) = pair().await;
        let (connected, served) = tokio::join!(
            TlsConnector::from(Arc::new(app)).connect(name("localhost"), client),
            async { ours_to_client.hello(server).await?.finish(None).await }
        );
        connected.unwrap();
        assert!(served.unwrap().1.keylog);

        let leaf = authority.leaf(None).unwrap();
        let leaf = rustls::sign::CertifiedKey::new(leaf.cert.clone(), Arc::clone(&leaf.key));
        let mut real = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(leaf)));
        real.key_log = Arc::clone(&noted) as _;
        let (client, server) = pair().await;
        let address = ServerAddress::parse("localhost", None).unwrap();
        let (connected, served) = tokio::join!(
            ours_to_server.connect(client, &address, Vec::new()),
            TlsAcceptor::from(Arc::new(real)).accept(server)
        );
        served.unwrap();
        assert!(connected.unwrap().1.keylog);

        let sorted = |mut lines: Vec<String>| {
            lines.sort();
            lines
        };
        let text = fs::read_to_string(&path).unwrap();
        let written = sorted(text.lines().map(str::to_owned).collect());
        assert!(written.len() >= 2, "{written:?}");
        assert_eq!(written, sorted(noted.0.lock().unwrap().clone()));
    }
}
