//! Both TLS handshakes: with the server as its client, with the app as its server.
//!
//! TLS 1.2 and 1.3, with ring. Each handshake ends in a [`Transport`](super::Transport) and a
//! [`Secured`] for the transcript, or in an error in words for people that tells whether a
//! certificate was the reason. What a peer sent instead of TLS is never quoted: it may be a
//! password.

mod identity;
mod keys;
mod to_client;
mod to_server;
mod trust;
mod verdict;

use std::io;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::{AlertDescription, CommonState, PeerIncompatible, ProtocolVersion};

use super::certificate;
use crate::event::{Peer, Secured};

pub use identity::ClientIdentity;
pub use to_client::{ClientTlsError, StartedHandshake, TlsToClient};
pub use to_server::{ServerTlsError, TlsToServer};
pub use trust::ServerTrust;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

/// What a transcript says of a handshake that is done.
fn secured(
    leg: Peer,
    tls: &CommonState,
    sni: Option<&str>,
    chain: &[CertificateDer<'_>],
    verified: Option<bool>,
) -> Secured {
    Secured {
        leg,
        version: tls
            .protocol_version()
            .map_or_else(String::new, version_name),
        cipher: tls
            .negotiated_cipher_suite()
            .map_or_else(String::new, |suite| format!("{:?}", suite.suite())),
        alpn: tls
            .alpn_protocol()
            .map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
        sni: sni.map(str::to_owned),
        certificate: certificate::describe(chain, verified),
        group: tls
            .negotiated_key_exchange_group()
            .map(|group| format!("{:?}", group.name())),
        client_certificate: None,
        keylog: false,
    }
}

/// `TLSv1.3`
fn version_name(version: ProtocolVersion) -> String {
    format!("{version:?}").replace('_', ".")
}

/// The TLS library's error inside tokio's, if it is one of TLS and not of the socket.
fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// Whether the peer just went, without a word of TLS.
fn has_gone(error: &io::Error) -> bool {
    tls_error(error).is_none()
        && matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
        )
}

/// An alert's name as RFC 8446, section 6.2, writes it: `unknown_ca`.
fn alert_name(alert: AlertDescription) -> String {
    // The library's spelling differs in the two with abbreviations.
    match alert {
        AlertDescription::UnknownCA => return "unknown_ca".into(),
        AlertDescription::UnknownPSKIdentity => return "unknown_psk_identity".into(),
        _ => {}
    }
    let mut name = String::new();
    for letter in format!("{alert:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// The alerts about certificates (RFC 8446, section 6.2). `access_denied` is not one: it speaks of
/// a certificate that was found valid.
fn is_distrust(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
    )
}

/// What both legs say about errors that are not about certificates.
fn tls_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::AlertReceived(alert) => {
            format!("it sent the TLS alert {}", alert_name(*alert))
        }
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            // TLS 1.2 made the one and TLS 1.3 the other a duty.
            | PeerIncompatible::SignatureAlgorithmsExtensionRequired
            | PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled,
        ) => "it speaks neither TLS 1.2 nor TLS 1.3, and older versions are not safe".into(),
        rustls::Error::PeerIncompatible(
            PeerIncompatible::NoCipherSuitesInCommon
            | PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NoSignatureSchemesInCommon,
        ) => "it offers only ciphers or keys that mailscope does not speak".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
