//! Versions, names, protocols and certificate chains, at once and by STARTTLS.

use std::process::{Command, Stdio};
use std::sync::Arc;

use libtest_mimic::Trial;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ServerConfig, SupportedProtocolVersion};

use super::super::support::app::App;
use super::super::support::certificates::{TestAuthority, client};
use super::super::support::mailscope::{Mailscope, Recording, record};
use super::super::support::programs::{OPENSSL, needing};
use super::super::support::server::{Server, polite};
use super::super::support::{PATIENCE, schema, trials};
use super::{Begins, Seen, secured, server};
use crate::support::patience::InTime;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("tls::sessions";
        a_server_may_have_one_version_alone,
        the_protocol_is_the_servers_choice_among_the_apps,
        the_whole_chain_is_in_the_transcript,
    );
    trials.extend(needing(
        &[OPENSSL],
        trials!("tls::sessions"; openssl_may_have_one_version_alone),
    ));
    trials
}

const VERSIONS: [(&SupportedProtocolVersion, &str); 2] = [(&TLS12, "TLSv1.2"), (&TLS13, "TLSv1.3")];

/// A mailscope before a server whose leg begins TLS like this.
fn recording(server: &Server, begins: Begins, authority: &TestAuthority) -> Recording {
    let name = match begins {
        Begins::AtOnce => format!("imaps://{}", server.name()),
        Begins::Starttls => format!("imap://{}", server.name()),
    };
    record(&name).with(&["--server-ca", authority.pem().to_str().unwrap()])
}

/// An app that has logged out, its leg having begun TLS like this; the protocol it agreed on.
fn session(mailscope: &Mailscope, begins: Begins, config: &Arc<ClientConfig>) -> Option<String> {
    let config = Arc::clone(config);
    let mut app = match begins {
        Begins::AtOnce => {
            let mut app = App::plain(mailscope.tls()).with_tls("localhost", config);
            app.hear("* OK");
            app
        }
        Begins::Starttls => {
            let mut app = App::plain(mailscope.plain());
            app.hear("* OK");
            app.command("s", "STARTTLS");
            app.with_tls("localhost", config)
        }
    };
    app.command("a", "NOOP");
    app.command("b", "LOGOUT");
    app.finish();
    app.rest().unwrap();
    mailscope.closed(1);
    let alpn = app.alpn();
    alpn.map(|name| String::from_utf8_lossy(name).into_owned())
}

/// The same server with one version of TLS.
pub(super) fn limited(
    config: &ServerConfig,
    version: &'static SupportedProtocolVersion,
) -> ServerConfig {
    let mut limited = ServerConfig::builder_with_protocol_versions(&[version])
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&config.cert_resolver));
    limited.alpn_protocols.clone_from(&config.alpn_protocols);
    limited
}

fn a_server_may_have_one_version_alone() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let any = authority.server(&["localhost"]);
    for begins in [Begins::AtOnce, Begins::Starttls] {
        for (version, name) in VERSIONS {
            let (server, _seen) = server(Arc::new(limited(&any, version)), begins);
            let mut mailscope = recording(&server, begins, &authority).start();
            session(&mailscope, begins, &client(&mailscope.ca()));
            let transcript = mailscope.stop();
            let event = secured(&transcript, "server");
            assert_eq!(event["version"], name, "{begins:?}");
            assert_eq!(event["group"], "X25519", "{begins:?} {name}");
            // The other leg has a version of its own.
            assert_eq!(secured(&transcript, "client")["version"], "TLSv1.3");
        }
    }
}

fn openssl_may_have_one_version_alone() {
    let server = Server::plain(polite);
    for (flag, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        for begins in [Begins::AtOnce, Begins::Starttls] {
            let mut mailscope = record(&server.name())
                .with(&["--server-tls", "none"])
                .start();
            let mut command = Command::new(OPENSSL.path().unwrap());
            command.args(["s_client", flag, "-verify_return_error", "-servername"]);
            command.args(["localhost", "-verify_hostname", "localhost"]);
            command.arg("-CAfile").arg(mailscope.ca());
            match begins {
                Begins::AtOnce => command.args(["-connect", mailscope.tls()]),
                Begins::Starttls => {
                    command.args(["-starttls", "imap", "-connect", mailscope.plain()])
                }
            };
            let output = command.stdin(Stdio::null()).output_in_time().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{flag} {begins:?}: {output:?}");
            assert!(said.contains(&format!("New, {name}, Cipher is ")), "{said}");
            mailscope.closed(1);
            let transcript = mailscope.stop();
            let event = secured(&transcript, "client");
            assert_eq!(event["version"], name, "{begins:?}");
            assert!(event["group"].is_string(), "{event}");
        }
    }
}

fn octets(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.as_bytes().to_vec()).collect()
}

fn the_protocol_is_the_servers_choice_among_the_apps() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let imap = Some("imap".to_owned());
    for begins in [Begins::AtOnce, Begins::Starttls] {
        for (offered, known, chosen) in [
            (&["other", "imap"][..], &["imap"][..], &imap),
            (&["imap"], &[], &None),
            (&[], &["imap"], &None),
        ] {
            let mut config = ServerConfig::clone(&authority.server(&["localhost"]));
            config.alpn_protocols = octets(known);
            let (server, seen) = server(Arc::new(config), begins);
            let mut mailscope = recording(&server, begins, &authority).start();
            let mut config = ClientConfig::clone(&client(&mailscope.ca()));
            config.alpn_protocols = octets(offered);
            assert_eq!(session(&mailscope, begins, &Arc::new(config)), *chosen);
            let expected = Seen {
                sni: Some("localhost".to_owned()),
                alpn: chosen.clone(),
            };
            assert_eq!(seen.recv_timeout(PATIENCE).unwrap(), expected, "{begins:?}");
            let transcript = mailscope.stop();
            for leg in ["client", "server"] {
                let event = secured(&transcript, leg);
                assert_eq!(event["alpn"].as_str(), chosen.as_deref(), "{begins:?}");
                assert_eq!(event["sni"], "localhost", "{begins:?}");
            }
        }
    }
}

fn the_whole_chain_is_in_the_transcript() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let (server, _seen) = server(authority.server_with_chain(&["localhost"]), Begins::AtOnce);
    let mut mailscope = recording(&server, Begins::AtOnce, &authority).start();
    session(&mailscope, Begins::AtOnce, &client(&mailscope.ca()));
    let transcript = mailscope.stop();
    assert_eq!(schema::errors(&transcript), Vec::<String>::new());
    for leg in ["server", "client"] {
        let leaf = &secured(&transcript, leg)["certificate"];
        let further = leaf["further"].as_array().unwrap();
        assert_eq!(further.len(), 1, "{leaf}");
        assert_eq!(leaf["issuer"], further[0]["subject"]);
        assert_eq!(leaf["chain"][0], further[0]["subject"]);
        assert_eq!(further[0]["issuer"], further[0]["subject"]);
        for certificate in [leaf, &further[0]] {
            assert_eq!(certificate["sha256"].as_str().unwrap().len(), 64);
            assert!(certificate["not_after"].as_str().unwrap().ends_with('Z'));
        }
        assert_ne!(leaf["sha256"], further[0]["sha256"]);
        assert_eq!(leaf["names"][0], "localhost");
    }
}
