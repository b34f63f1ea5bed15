//! The certificate authority that the app is told to trust, and the leaves it mints.
//!
//! Trust in it is confined twice, so that a stolen key opens this computer at most:
//!
//! - Name constraints (RFC 5280, section 4.2.1.10), critical: the DNS name `localhost`, the
//!   addresses 127.0.0.0/8 and `::1`. A DNS name in a leaf, an address in a leaf, must be one of
//!   these.
//! - Extended key usage (section 4.2.1.12): TLS servers only. Kinds of names that are not
//!   constrained, such as e-mail addresses, thereby buy nothing: no verifier of mail signatures or
//!   of code accepts the authority. To constrain those names as well would cost more than it
//!   gains: rustls takes no chain at all under constraints on directory names, Go none under kinds
//!   that it does not know, and OpenSSL has no way to say "no e-mail address".
//!
//! A verifier may pass over constraints that stand in the trust anchor itself (RFC 5280, section
//! 6.1, takes a name and a key from it). OpenSSL and rustls mind them, Java does not.
//!
//! Where it is kept is `keep.rs`; what a leaf is, `leaf.rs`.

mod keep;
mod leaf;

use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SerialNumber,
};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use time::{Duration, OffsetDateTime};

use super::certificate;
use crate::error::{Doing, Error, Result};
use crate::limits;
use leaf::{Leaf, LeafName};

/// How far before now a certificate begins to be valid: the clocks of this computer and of a
/// phone that connects to it may disagree.
const BACKDATED: Duration = Duration::DAY;

/// How long the authority lives. To trust an authority is manual work that nobody wants to repeat.
const LIFE: Duration = Duration::days(3650);

/// A certificate authority for this computer only.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    not_after: OffsetDateTime,
    path: Option<PathBuf>,
    warnings: Vec<String>,
    /// The oldest first.
    leaves: Mutex<VecDeque<Leaf>>,
}

impl Authority {
    /// The authority kept in `<ca_dir>/local/`, made there on first use.
    ///
    /// Several processes may come first at the same time; all get the same authority.
    ///
    /// # Errors
    ///
    /// The files cannot be made or read, are no authority, do not belong together, or the
    /// authority has expired. Existing files are never overwritten.
    pub fn open_or_create(ca_dir: &Path) -> Result<Self> {
        keep::open_or_create(ca_dir)
    }

    /// An authority that lives in memory and ends with the value.
    ///
    /// # Errors
    ///
    /// The system gives no randomness.
    pub fn ephemeral() -> Result<Self> {
        let (certificate, key) = create(now())?;
        Self::from_parts(certificate.der().clone(), certificate.pem(), key)
    }

    /// The folder for authorities under the user's data folder.
    ///
    /// # Errors
    ///
    /// The user has no home folder.
    pub fn default_dir() -> Result<PathBuf> {
        match directories::ProjectDirs::from("", "", "mailscope") {
            Some(project) => Ok(project.data_dir().join("ca")),
            None => Err(
                Error::new("find the user's data folder", "there is no home folder")
                    .hint("--ca-dir DIR, or MAILSCOPE_CA_DIR in the environment"),
            ),
        }
    }

    /// A key and certificate chain for a server that is called `sni` in the TLS hello; without
    /// one, and for `localhost`: `localhost`, 127.0.0.1 and `::1`.
    ///
    /// A name that the authority may not sign for is minted all the same; it will not verify.
    /// Leaves live seven days, are kept in memory, and are minted anew on the last day.
    ///
    /// # Errors
    ///
    /// `sni` is no DNS name, or the system gives no randomness.
    pub fn leaf(&self, sni: Option<&str>) -> Result<Arc<CertifiedKey>> {
        self.leaf_at(sni, now())
    }

    fn leaf_at(&self, sni: Option<&str>, now: OffsetDateTime) -> Result<Arc<CertifiedKey>> {
        let name = LeafName::new(sni);
        // A panic while the lock was held leaves at worst one leaf fewer.
        let mut leaves = self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
        leaves.retain(|leaf| leaf.is_fresh(now));
        if let Some(leaf) = leaves.iter().find(|leaf| *leaf.name() == name) {
            return Ok(leaf.key());
        }
        let leaf = Leaf::mint(name, self, now)?;
        let key = leaf.key();
        if leaves.len() == limits::LEAVES {
            leaves.pop_front();
        }
        leaves.push_back(leaf);
        Ok(key)
    }

    /// Whether a certificate for `name` verifies: `localhost`, a name below it, or a loopback
    /// address.
    pub fn permits(&self, name: &str) -> bool {
        match name.parse::<IpAddr>() {
            // 127.0.0.0/8 and ::1; an IPv4-mapped address is neither (RFC 5280, 4.2.1.10).
            Ok(address) => address.is_loopback(),
            Err(_) => {
                let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
                name == "localhost" || name.ends_with(".localhost")
            }
        }
    }

    /// The certificate, for whoever shall trust it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The same as DER.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Where `ca.pem` is, if it is kept.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The SHA-256 fingerprint as trust dialogues show it: `AB:CD:...`.
    pub fn fingerprint_sha256(&self) -> String {
        certificate::hex(&certificate::sha256(&self.certificate), ":").to_ascii_uppercase()
    }

    /// What its trust stores show it as: `mailscope local authority (this computer only) 1a2b3c4d`.
    pub fn name(&self) -> String {
        let subject = certificate::read(&self.certificate)
            .map(|read| certificate::printable(read.subject()))
            .unwrap_or_default();
        subject.trim_start_matches("CN=").to_owned()
    }

    /// Its serial number, hexadecimal, by which Windows' tools find it.
    pub fn serial_number(&self) -> String {
        certificate::read(&self.certificate)
            .map(|read| certificate::hex(read.raw_serial(), ""))
            .unwrap_or_default()
    }

    /// When it ends.
    pub fn not_after(&self) -> OffsetDateTime {
        self.not_after
    }

    /// What is not as it should be though it works, a sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Joins a certificate and its key, which must be a pair.
    fn from_parts(certificate: CertificateDer<'static>, pem: String, key: KeyPair) -> Result<Self> {
        let not_after = judge(&certificate, &key).doing(|| "use the authority".into())?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)
            .doing(|| "read the authority's certificate".into())?;
        Ok(Self {
            issuer,
            certificate,
            pem,
            not_after,
            path: None,
            warnings: Vec::new(),
            leaves: Mutex::default(),
        })
    }
}

impl fmt::Debug for Authority {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("name", &self.name())
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Whether this is an authority and the key its own; when it ends.
fn judge(certificate: &CertificateDer<'_>, key: &KeyPair) -> Result<OffsetDateTime, &'static str> {
    let read = certificate::read(certificate).ok_or("the certificate cannot be read")?;
    if !read.is_ca() {
        return Err("the certificate is not that of an authority");
    }
    // rcgen does not survive an empty part of a name.
    if read
        .subject()
        .iter_rdn()
        .any(|part| part.iter().next().is_none())
    {
        return Err("the certificate's subject cannot be read");
    }
    if read.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
        return Err("the certificate and the key do not belong together");
    }
    Ok(read.validity().not_after.to_datetime())
}

/// Makes an authority.
fn create(now: OffsetDateTime) -> Result<(rcgen::Certificate, KeyPair)> {
    let making = || "make a certificate authority".to_owned();
    // So that two of them can be told apart in a trust store.
    let unique = certificate::hex(&random::<4>()?, "");
    let mut authority = CertificateParams::default();
    authority.distinguished_name = rcgen::DistinguishedName::new();
    authority.distinguished_name.push(
        DnType::CommonName,
        format!("mailscope local authority (this computer only) {unique}"),
    );
    authority.serial_number = Some(serial_number()?);
    authority.not_before = now - BACKDATED;
    authority.not_after = now + LIFE;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    authority.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".into()),
            GeneralSubtree::IpAddress(CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0])),
            GeneralSubtree::IpAddress(CidrSubnet::V6(Ipv6Addr::LOCALHOST.octets(), [255; 16])),
        ],
        excluded_subtrees: Vec::new(),
    });
    let key = KeyPair::generate().doing(making)?;
    let certificate = authority.self_signed(&key).doing(making)?;
    Ok((certificate, key))
}

/// 127 random bits (RFC 5280, section 4.1.2.2: positive, at most 20 octets).
fn serial_number() -> Result<SerialNumber> {
    let mut octets = random::<16>()?;
    octets[0] = octets[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&octets))
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH]> {
    let mut octets = [0; LENGTH];
    default_provider()
        .secure_random
        .fill(&mut octets)
        .map_err(|_| Error::new("make random numbers", "the system gives none"))?;
    Ok(octets)
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from(SystemTime::now())
}

#[cfg(test)]
mod tests;
