//! mailscope is the server: certificates that are liked and others, and no TLS at all.

use super::*;

type Finished = Result<(Transport, Secured), ClientTlsError>;

/// Our half, with the protocol that "the server" chose.
async fn serve(tls: &TlsToClient, tcp: TcpStream, alpn: Option<&str>) -> Finished {
    let started = tls.hello(tcp).await?;
    started.finish(alpn.map(|chosen| chosen.into())).await
}

#[tokio::test]
async fn octets_pass_and_the_handshake_is_described() {
    for (version, named) in [(&TLS12, "TLSv1.2"), (&TLS13, "TLSv1.3")] {
        let authority = authority();
        let tls = TlsToClient::new(Arc::clone(&authority)).unwrap();
        let (client, server) = pair().await;
        let app = app(&authority, version, &["imap", "other"]);
        let (app, served) = tokio::join!(
            TlsConnector::from(app).connect(name("localhost"), client),
            serve(&tls, server, Some("imap"))
        );
        let (mut app, (mut ours, secured)) = (app.unwrap(), served.unwrap());

        assert_eq!(secured.leg, Peer::Client);
        assert_eq!(secured.version, named);
        assert!(secured.cipher.starts_with("TLS"), "{}", secured.cipher);
        assert_eq!(secured.alpn.as_deref(), Some("imap"));
        assert_eq!(app.get_ref().1.alpn_protocol(), Some(&b"imap"[..]));
        assert_eq!(secured.sni.as_deref(), Some("localhost"));
        assert_eq!(secured.certificate["names"][0], "localhost");
        assert_eq!(secured.certificate.get("verified"), None);

        ours.write_all(b"* OK hello\r\n").await.unwrap();
        ours.flush().await.unwrap();
        let mut greeting = [0; 12];
        app.read_exact(&mut greeting).await.unwrap();
        assert_eq!(&greeting, b"* OK hello\r\n");
        app.shutdown().await.unwrap();
        assert_eq!(ours.read(&mut greeting).await.unwrap(), 0);
        ours.shutdown().await.unwrap();
        assert!(matches!(ours, Transport::TlsServer(_)));
    }
}

#[tokio::test]
async fn an_address_has_no_sni_and_the_leaf_is_for_loopback() {
    let authority = authority();
    let tls = TlsToClient::new(Arc::clone(&authority)).unwrap();
    let (client, server) = pair().await;
    let (app, served) = tokio::join!(
        TlsConnector::from(app(&authority, &TLS13, &[])).connect(name("127.0.0.1"), client),
        serve(&tls, server, None)
    );
    let (_, secured) = served.unwrap();
    app.unwrap();
    assert_eq!(secured.sni, None);
    assert_eq!(secured.alpn, None);
    assert_eq!(secured.certificate["names"][1], "127.0.0.1");
}

#[tokio::test]
async fn an_app_that_is_set_to_an_address_is_shown_a_leaf_for_it() {
    let authority = authority();
    let tls = TlsToClient::new(Arc::clone(&authority)).unwrap();
    let (client, server) = pair().await;
    let (app, served) = tokio::join!(
        TlsConnector::from(app(&authority, &TLS13, &[])).connect(name("127.0.0.5"), client),
        async {
            tls.hello(server)
                .await?
                .reached_as("127.0.0.5")
                .finish(None)
                .await
        }
    );
    let (_, secured) = served.unwrap();
    app.unwrap();
    assert_eq!(secured.certificate["names"][3], "127.0.0.5");
}

/// Other systems have no address of 127.0.0.0/8 but 127.0.0.1.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn unless_it_is_said_that_is_the_address_it_connected_to() {
    let authority = authority();
    let tls = TlsToClient::new(Arc::clone(&authority)).unwrap();
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let client = client.await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let (app, served) = tokio::join!(
        TlsConnector::from(app(&authority, &TLS13, &[])).connect(name("127.0.0.2"), client),
        serve(&tls, server, None)
    );
    served.unwrap();
    app.unwrap();
}

#[tokio::test]
async fn what_the_app_offers_is_known_before_an_answer() {
    let authority = authority();
    let tls = TlsToClient::new(Arc::clone(&authority)).unwrap();
    let (client, server) = pair().await;
    let connecting = TlsConnector::from(app(&authority, &TLS13, &["imap", "x"]))
        .connect(name("mail.localhost"), client);
    let app = tokio::spawn(connecting);
    let started = tls.hello(server).await.unwrap();
    assert_eq!(started.sni(), Some("mail.localhost"));
    assert_eq!(started.alpn(), [b"imap".to_vec(), b"x".to_vec()]);
    // The server chose none, so the app is told of none.
    let (_ours, secured) = started.finish(None).await.unwrap();
    assert_eq!(secured.alpn, None);
    assert_eq!(
        app.await.unwrap().unwrap().get_ref().1.alpn_protocol(),
        None
    );
}

/// A hello's octets.
fn hello_octets(version: &'static SupportedProtocolVersion) -> Vec<u8> {
    let config = app(&authority(), version, &[]);
    let mut tls = ClientConnection::new(config, name("localhost")).unwrap();
    let mut octets = Vec::new();
    tls.write_tls(&mut octets).unwrap();
    octets
}

#[tokio::test]
async fn dropped_before_its_end_nothing_is_sent() {
    let tls = TlsToClient::new(authority()).unwrap();
    let (mut client, server) = pair().await;
    client.write_all(&hello_octets(&TLS13)).await.unwrap();
    drop(tls.hello(server).await.unwrap());
    let mut read = Vec::new();
    assert_eq!(client.read_to_end(&mut read).await.unwrap(), 0);
}

#[tokio::test]
async fn distrust_is_told_by_its_alert() {
    for version in BOTH {
        let tls = TlsToClient::new(authority()).unwrap();
        let (client, server) = pair().await;
        let stranger = app(&authority(), version, &[]);
        let (app, served) = tokio::join!(
            TlsConnector::from(stranger).connect(name("localhost"), client),
            serve(&tls, server, None)
        );
        assert!(app.is_err());
        let why = "it sent the TLS alert unknown_ca".to_owned();
        assert_eq!(served.unwrap_err(), ClientTlsError::Distrust { why });
    }
}

#[tokio::test]
async fn a_name_that_is_not_permitted_meets_distrust() {
    for version in BOTH {
        let authority = authority();
        let tls = TlsToClient::new(Arc::clone(&authority)).unwrap();
        let (client, server) = pair().await;
        let (app, served) = tokio::join!(
            TlsConnector::from(app(&authority, version, &[]))
                .connect(name("imap.example.com"), client),
            serve(&tls, server, None)
        );
        assert!(app.is_err());
        let served = served.unwrap_err();
        assert!(
            matches!(served, ClientTlsError::Distrust { .. }),
            "{served:?}"
        );
    }
}

#[tokio::test]
async fn hanging_up_on_the_certificate_is_distrust() {
    for (version, reset) in [
        (&TLS12, false),
        (&TLS12, true),
        (&TLS13, false),
        (&TLS13, true),
    ] {
        let tls = TlsToClient::new(authority()).unwrap();
        let (mut client, server) = pair().await;
        let hang_up = async move {
            client.write_all(&hello_octets(version)).await.unwrap();
            let mut answer = [0; 8];
            client.read_exact(&mut answer).await.unwrap();
            if !reset {
                client.shutdown().await.unwrap();
                client.read_to_end(&mut Vec::new()).await.unwrap();
            }
            // Else part of our answer is left unread, so that the close is a reset.
        };
        let (served, ()) = tokio::join!(serve(&tls, server, None), hang_up);
        let why = "it closed the connection on seeing the certificate".to_owned();
        assert_eq!(served.unwrap_err(), ClientTlsError::Distrust { why });
    }
}

#[tokio::test]
async fn cleartext_is_told_from_tls_without_quoting_it() {
    let tls = TlsToClient::new(authority()).unwrap();
    let (mut client, server) = pair().await;
    client
        .write_all(b"a LOGIN alice hunter2\r\n")
        .await
        .unwrap();
    let error = tls.hello(server).await.unwrap_err();
    assert!(matches!(error, ClientTlsError::NotTls { .. }), "{error:?}");
    assert!(
        error.to_string().contains("port without encryption"),
        "{error}"
    );
    assert!(!error.to_string().contains("hunter2"), "{error}");
    // A close, with nothing before it and no reset.
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_port_probe_is_nothing() {
    let tls = TlsToClient::new(authority()).unwrap();
    let (client, server) = pair().await;
    drop(client);
    assert_eq!(tls.hello(server).await.unwrap_err(), ClientTlsError::Gone);
}

#[tokio::test]
async fn a_hello_cut_short_or_garbled_is_a_failure() {
    let mut garbled = hello_octets(&TLS13);
    garbled.truncate(40);
    garbled[5..].fill(0xff);
    let mut short = hello_octets(&TLS13);
    short.truncate(40);
    for octets in [garbled, short] {
        let tls = TlsToClient::new(authority()).unwrap();
        let (mut client, server) = pair().await;
        client.write_all(&octets).await.unwrap();
        client.shutdown().await.unwrap();
        let error = tls.hello(server).await.unwrap_err();
        assert!(matches!(error, ClientTlsError::Failed { .. }), "{error:?}");
        assert!(error.to_string().contains("hello"), "{error}");
    }
}

#[test]
fn distrust_may_come_late() {
    let error = |alert| io::Error::other(rustls::Error::AlertReceived(alert));
    let unknown = ClientTlsError::belated_distrust(&error(AlertDescription::CertificateUnknown));
    assert_eq!(
        unknown.unwrap().to_string(),
        "it sent the TLS alert certificate_unknown"
    );
    for other in [
        error(AlertDescription::InternalError),
        io::ErrorKind::ConnectionReset.into(),
    ] {
        assert_eq!(ClientTlsError::belated_distrust(&other), None);
    }
}
