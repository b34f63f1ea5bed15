//! A leaf: the certificate of one server name, and its key.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::crypto::ring::sign::any_ecdsa_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use time::{Duration, OffsetDateTime};

use super::{Authority, BACKDATED, Host, Scope, serial_number};
use crate::error::{Doing, Result};

/// How long a leaf lives. Days, so that one that leaks is soon worth nothing.
const LIFE: Duration = Duration::days(7);

/// A leaf with less than this left is minted anew, so that no connection outlives its leaf by far.
const RENEWED_BEFORE_END: Duration = Duration::DAY;

/// The longest common name (RFC 5280, appendix A.1, `ub-common-name`).
const COMMON_NAME: usize = 64;

/// The addresses of every leaf for this computer.
const LOOPBACK: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// What a leaf is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LeafName {
    /// `localhost`, 127.0.0.1, `::1`, the hosts that the authority is for, and maybe another one that it
    /// may vouch for.
    ThisComputer { and: Option<Host> },
    /// Another name, in lower case and without a final dot.
    Named(String),
}

impl LeafName {
    pub(super) fn new(sni: Option<&str>) -> Self {
        let Some(sni) = sni else {
            return Self::ThisComputer { and: None };
        };
        let name = sni.strip_suffix('.').unwrap_or(sni).to_ascii_lowercase();
        if name == "localhost" {
            Self::ThisComputer { and: None }
        } else {
            Self::Named(name)
        }
    }

    /// For an app that asks for no name and reached this host.
    pub(super) fn reached_as(host: &str, scope: &Scope) -> Self {
        let host = host.parse::<Host>().ok();
        let is_further = |host: &Host| {
            let is_always_there = match host {
                Host::Name(name) => name == "localhost",
                Host::Address(address) => LOOPBACK.contains(address),
            };
            !is_always_there && !scope.hosts().any(|one| one == host)
        };
        let may_be_in = |host: &Host| is_further(host) && scope.permits(&host.to_string());
        Self::ThisComputer {
            and: host.filter(may_be_in),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::ThisComputer { .. } => "localhost",
            Self::Named(name) => name,
        }
    }

    /// For people only: verifiers look at the alternative names (RFC 9525, section 2). Not an
    /// address, since OpenSSL holds the constraints on DNS names against a common name that looks
    /// like one where there is no DNS name beside it.
    fn common_name(&self) -> &str {
        match self.text() {
            text if text.len() <= COMMON_NAME && text.parse::<IpAddr>().is_err() => text,
            _ => "mailscope",
        }
    }

    fn alternative_names(&self, scope: &Scope) -> Result<Vec<SanType>, rcgen::Error> {
        let name = match self.text().parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(self.text().try_into()?),
        };
        let Self::ThisComputer { and } = self else {
            return Ok(vec![name]);
        };
        let mut names = vec![name];
        names.extend(LOOPBACK.map(SanType::IpAddress));
        for host in scope.hosts().chain(and) {
            names.push(match host {
                Host::Name(name) => SanType::DnsName(name.as_str().try_into()?),
                Host::Address(address) => SanType::IpAddress(*address),
            });
        }
        Ok(names)
    }
}

/// A minted certificate with its key.
pub(super) struct Leaf {
    name: LeafName,
    key: Arc<CertifiedKey>,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
}

impl Leaf {
    /// Mints it. P-256, since every TLS library of the last ten years has it.
    pub(super) fn mint(name: LeafName, authority: &Authority, now: OffsetDateTime) -> Result<Self> {
        let minting = || format!("make a certificate for {:?}", name.text());
        let mut leaf = CertificateParams::default();
        leaf.distinguished_name = DistinguishedName::new();
        leaf.distinguished_name
            .push(DnType::CommonName, name.common_name());
        leaf.subject_alt_names = name.alternative_names(&authority.scope).doing(minting)?;
        leaf.serial_number = Some(serial_number()?);
        leaf.not_before = now - BACKDATED;
        leaf.not_after = (now + LIFE).min(authority.not_after);
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;

        let key = KeyPair::generate().doing(minting)?;
        let certificate = leaf.signed_by(&key, &authority.issuer).doing(minting)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain = vec![certificate.der().clone(), authority.certificate.clone()];
        let key = CertifiedKey::new(chain, any_ecdsa_type(&key).doing(minting)?);
        Ok(Self {
            not_before: leaf.not_before,
            not_after: leaf.not_after,
            key: Arc::new(key),
            name,
        })
    }

    pub(super) fn name(&self) -> &LeafName {
        &self.name
    }

    pub(super) fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }

    /// Whether it is good for another day at least, and good already: the clock may have been set back
    /// since it was minted.
    pub(super) fn is_fresh(&self, now: OffsetDateTime) -> bool {
        self.not_before <= now && now + RENEWED_BEFORE_END < self.not_after
    }
}
