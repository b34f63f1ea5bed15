//! mailscope is the client: which server certificates it believes, and what it says of the others.

use super::*;

/// A server's certificate and key.
struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Identity {
    /// A self-signed one for these names.
    fn new(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Self {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = time::OffsetDateTime::now_utc() + time::Duration::DAY;
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, key }
    }

    fn config(&self, version: &'static SupportedProtocolVersion) -> ServerConfig {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![self.certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key),
            )
            .unwrap()
    }
}

fn is_authority(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

/// `--server-ca` with this content.
fn trust(pem: &str) -> TlsToServer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.pem");
    fs::write(&path, pem).unwrap();
    TlsToServer::new(&ServerTrust::File(path)).unwrap()
}

type Connected = Result<(Transport, Secured), ServerTlsError>;

async fn connect(tls: &TlsToServer, host: &str, config: ServerConfig) -> Connected {
    let (client, server) = pair().await;
    let address = ServerAddress::parse(host, None).unwrap();
    let accepting = TlsAcceptor::from(Arc::new(config)).accept(server);
    let alpn = vec![b"imap".to_vec()];
    let (connected, _served) = tokio::join!(tls.connect(client, &address, alpn), accepting);
    connected
}

fn untrusted(connected: Connected) -> String {
    match connected.unwrap_err() {
        ServerTlsError::Untrusted { why } => why,
        other => panic!("{other:?}"),
    }
}

fn failed(connected: Connected) -> String {
    match connected.unwrap_err() {
        ServerTlsError::Failed { why } => why,
        other => panic!("{other:?}"),
    }
}

/// A configuration with a leaf of this authority.
fn issued(authority: &Authority, sni: Option<&str>) -> ServerConfig {
    let leaf = authority.leaf(sni).unwrap();
    let single = rustls::sign::SingleCertAndKey::from(CertifiedKeyParts::of(&leaf));
    ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(single))
}

/// The library's resolver wants one of its own.
struct CertifiedKeyParts;

impl CertifiedKeyParts {
    fn of(leaf: &rustls::sign::CertifiedKey) -> rustls::sign::CertifiedKey {
        rustls::sign::CertifiedKey::new(leaf.cert.clone(), Arc::clone(&leaf.key))
    }
}

#[tokio::test]
async fn an_authority_in_the_file_is_believed_and_the_handshake_described() {
    let authority = authority();
    let tls = trust(authority.pem());
    let mut config = issued(&authority, None);
    config.alpn_protocols = vec![b"imap".to_vec()];
    let (transport, secured) = connect(&tls, "localhost", config).await.unwrap();
    assert!(matches!(transport, Transport::TlsClient(_)));
    assert_eq!(secured.leg, Peer::Server);
    assert_eq!(secured.version, "TLSv1.3");
    assert_eq!(secured.cipher, "TLS13_AES_256_GCM_SHA384");
    assert_eq!(secured.alpn.as_deref(), Some("imap"));
    assert_eq!(secured.sni.as_deref(), Some("localhost"));
    assert_eq!(secured.certificate["subject"], "CN=localhost");
    assert_eq!(secured.certificate["verified"], true);
    let chain = secured.certificate["chain"].as_array().unwrap();
    assert_eq!(chain.len(), 1);

    let numbered = connect(&tls, "127.0.0.1", issued(&authority, None)).await;
    let (_, secured) = numbered.unwrap();
    assert_eq!(secured.sni, None);
    assert_eq!(secured.alpn, None);
}

#[tokio::test]
async fn a_wrong_name_names_the_right_ones() {
    let authority = authority();
    let tls = trust(authority.pem());
    let connected = connect(&tls, "10.1.2.3", issued(&authority, None)).await;
    assert_eq!(
        untrusted(connected),
        "it is for localhost, 127.0.0.1, ::1, not for 10.1.2.3"
    );
    let many: Vec<_> = (0..7).map(|n| format!("h{n}.example")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let identity = Identity::new(&many, |_| ());
    let tls = trust(&identity.certificate.pem());
    let why = untrusted(connect(&tls, "localhost", identity.config(&TLS12)).await);
    assert!(
        why.contains("h4.example and 2 more, not for localhost"),
        "{why}"
    );
    let identity = Identity::new(&[], |_| ());
    let tls = trust(&identity.certificate.pem());
    let why = untrusted(connect(&tls, "localhost", identity.config(&TLS12)).await);
    assert!(why.contains("no host at all"), "{why}");
}

#[tokio::test]
async fn an_unknown_issuer_is_named() {
    let issuer = authority();
    let tls = trust(authority().pem());
    let why = untrusted(connect(&tls, "localhost", issued(&issuer, None)).await);
    assert!(why.contains("no authority that is trusted here"), "{why}");
    assert!(why.contains(&issuer.name()), "{why}");
    for change in [|_: &mut CertificateParams| (), is_authority] {
        let identity = Identity::new(&["localhost"], change);
        let why = untrusted(connect(&tls, "localhost", identity.config(&TLS13)).await);
        assert!(why.contains("self-signed"), "{why}");
    }
}

#[tokio::test]
async fn a_self_signed_certificate_in_the_file_is_believed() {
    for version in BOTH {
        for change in [|_: &mut CertificateParams| (), is_authority] {
            let identity = Identity::new(&["localhost"], change);
            let tls = trust(&identity.certificate.pem());
            let connected = connect(&tls, "localhost", identity.config(version)).await;
            assert_eq!(connected.unwrap().1.certificate["verified"], true);
            let why = untrusted(connect(&tls, "127.0.0.1", identity.config(version)).await);
            assert_eq!(why, "it is for localhost, not for 127.0.0.1");
        }
    }
}

#[tokio::test]
async fn a_self_signed_certificate_in_the_file_must_be_in_time() {
    let now = time::OffsetDateTime::now_utc();
    let expired = Identity::new(&["localhost"], |params| {
        params.not_after = now - time::Duration::DAY;
    });
    let tls = trust(&expired.certificate.pem());
    let why = untrusted(connect(&tls, "localhost", expired.config(&TLS13)).await);
    assert!(why.starts_with("it expired on 20"), "{why}");
    let early = Identity::new(&["localhost"], |params| {
        params.not_before = now + time::Duration::HOUR;
    });
    let tls = trust(&early.certificate.pem());
    let why = untrusted(connect(&tls, "localhost", early.config(&TLS13)).await);
    assert!(why.contains("clock"), "{why}");
}

#[tokio::test]
async fn a_server_certificate_in_the_file_vouches_for_no_other() {
    let pinned = Identity::new(&["localhost"], |_| ());
    let issuer = rcgen::Issuer::new(CertificateParams::default(), &pinned.key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let forged = Identity { certificate, key };
    let tls = trust(&pinned.certificate.pem());
    let connected = connect(&tls, "localhost", forged.config(&TLS13)).await;
    untrusted(connected);
}

#[tokio::test]
async fn insecure_takes_everything_and_says_so() {
    let tls = TlsToServer::new(&ServerTrust::Nothing).unwrap();
    for version in BOTH {
        let identity = Identity::new(&["elsewhere.example"], is_authority);
        let connected = connect(&tls, "localhost", identity.config(version)).await;
        let (_, secured) = connected.unwrap();
        assert_eq!(secured.certificate["verified"], false);
        assert_eq!(secured.certificate["names"][0], "elsewhere.example");
    }
}

/// A server that says something else than TLS, and goes.
async fn connect_to_octets(octets: &[u8]) -> String {
    let tls = TlsToServer::new(&ServerTrust::Nothing).unwrap();
    let (client, mut server) = pair().await;
    let address = ServerAddress::parse("localhost", None).unwrap();
    let say = async move {
        // Its hello first, so that closing does not reset the connection.
        let _ = server.read(&mut [0; 4096]).await.unwrap();
        server.write_all(octets).await.unwrap();
    };
    let (connected, ()) = tokio::join!(tls.connect(client, &address, Vec::new()), say);
    failed(connected)
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_others() {
    let why = connect_to_octets(b"* OK IMAP4rev1 ready\r\n").await;
    assert!(why.contains("is not TLS"), "{why}");
    assert!(why.contains("--server-tls none"), "{why}");
    assert!(!why.contains("ready"), "{why}");
    let why = connect_to_octets(b"").await;
    assert!(why.contains("closed the connection"), "{why}");
    // The header of a certificate message of 64 KiB.
    let why = connect_to_octets(&[22, 3, 3, 0, 4, 11, 1, 0, 0]).await;
    assert!(why.contains("more than 64 kB"), "{why}");
    // A fatal alert: handshake_failure.
    let why = connect_to_octets(&[21, 3, 3, 0, 2, 2, 40]).await;
    assert!(why.contains("handshake_failure: most likely"), "{why}");
    assert!(!why.contains("--insecure"), "it is on: {why}");
    // A fatal alert: protocol_version.
    let why = connect_to_octets(&[21, 3, 3, 0, 2, 2, 70]).await;
    assert_eq!(why, "it sent the TLS alert protocol_version");
}

/// A server that asks for a client certificate, and takes those of this authority or none.
fn asking(
    authority: &rcgen::CertifiedIssuer<'_, KeyPair>,
    version: &'static SupportedProtocolVersion,
) -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        Arc::new(default_provider()),
    );
    let identity = Identity::new(&["localhost"], |_| ());
    let key = PrivatePkcs8KeyDer::from(identity.key.serialize_der());
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![identity.certificate.der().clone()], key.into())
        .unwrap()
}

fn client_authority(name: &str) -> rcgen::CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    is_authority(&mut params);
    rcgen::CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The client `CN=alice`, as two files would have it.
fn alice(authority: &rcgen::CertifiedIssuer<'_, KeyPair>) -> ClientIdentity {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "alice");
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (chain, secret) = (folder.path().join("cert"), folder.path().join("key"));
    fs::write(&chain, certificate.pem() + &authority.pem()).unwrap();
    fs::write(&secret, key.serialize_pem()).unwrap();
    ClientIdentity::read(&chain, &secret).unwrap()
}

fn anybody() -> TlsToServer {
    TlsToServer::new(&ServerTrust::Nothing).unwrap()
}

#[tokio::test]
async fn a_server_that_asks_is_shown_the_client_certificate() {
    for version in BOTH {
        let authority = client_authority("ours");
        let tls = anybody().identity(Some(alice(&authority)));
        let connected = connect(&tls, "localhost", asking(&authority, version)).await;
        let (_, secured) = connected.unwrap();
        let shown = secured.client_certificate.as_ref().unwrap();
        assert_eq!(shown["subject"], "CN=alice");
        assert_eq!(shown["further"].as_array().unwrap().len(), 1);
        assert!(!secured.lacks_client_certificate());

        let silent = Identity::new(&["localhost"], |_| ()).config(version);
        let (_, secured) = connect(&tls, "localhost", silent).await.unwrap();
        assert_eq!(secured.client_certificate, None);
    }
}

/// The failure, which in TLS 1.3 comes when the handshake is done for us.
async fn refusal(tls: &TlsToServer, config: ServerConfig) -> String {
    match connect(tls, "localhost", config).await {
        Ok((mut transport, secured)) => {
            assert!(secured.client_certificate.is_some());
            let error = transport.read(&mut [0; 8]).await.unwrap_err();
            match ServerTlsError::belated_refusal(&error).unwrap() {
                ServerTlsError::Failed { why } => why,
                other => panic!("{other:?}"),
            }
        }
        connected => failed(connected),
    }
}

#[tokio::test]
async fn a_server_that_asks_in_vain_gets_the_flags_named() {
    for version in BOTH {
        let authority = client_authority("ours");
        let why = refusal(&anybody(), asking(&authority, version)).await;
        assert!(why.starts_with("it sent the TLS alert "), "{why}");
        assert!(
            why.contains("--server-cert FILE and --server-key FILE"),
            "{why}"
        );
    }
}

#[tokio::test]
async fn a_client_certificate_that_is_not_taken_is_told_of() {
    for version in BOTH {
        let stranger = anybody().identity(Some(alice(&client_authority("another"))));
        let why = refusal(&stranger, asking(&client_authority("ours"), version)).await;
        assert!(
            why.contains("does not take the client certificate"),
            "{why}"
        );
    }
}
