//! The certificate authorities that apps are told to trust, and the leaves they mint.
//!
//! There are three kinds, each with a folder, a key and a name of its own ([`Scope`]): for this
//! computer alone, which does for an app that is set to localhost; for some hosts as well
//! (`--as HOST`); and for any server (`--unconstrained-ca`). Trust in the first two is confined
//! twice, so that a stolen key opens no more than what the authority is for:
//!
//! - Name constraints (RFC 5280, section 4.2.1.10), critical: the DNS name `localhost`, the
//!   addresses 127.0.0.0/8 and `::1`, and the hosts. A DNS name in a leaf, an address in a leaf,
//!   must be one of these; of a DNS name, the names below it are permitted too.
//! - Extended key usage (section 4.2.1.12): TLS servers only. Kinds of names that are not
//!   constrained, such as e-mail addresses, thereby buy nothing: no verifier of mail signatures or
//!   of code accepts the authority. To constrain those names as well would cost more than it
//!   gains: rustls takes no chain at all under constraints on directory names, Go none under kinds
//!   that it does not know, and OpenSSL has no way to say "no e-mail address".
//!
//! The third has the second confinement only: whoever has its key can pose as any server.
//!
//! A verifier may pass over constraints that stand in the trust anchor itself (RFC 5280, section
//! 6.1, takes a name and a key from it). OpenSSL, rustls, NSS and GnuTLS mind them, Java does not.
//!
//! What a scope is, is in `scope.rs`, and one host of it in `host.rs`; where authorities are kept,
//! `keep.rs` and `data_folder.rs`; what a leaf is, `leaf.rs`; the form that Apple's systems install,
//! `mobileconfig.rs`.

mod data_folder;
mod host;
mod keep;
mod leaf;
mod mobileconfig;
mod scope;

pub use host::Host;
pub use keep::Kept;
pub use scope::Scope;

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SerialNumber,
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

/// A certificate authority: a certificate, its key, and the leaves minted so far.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    scope: Scope,
    not_after: OffsetDateTime,
    path: Option<PathBuf>,
    warnings: Vec<String>,
    /// The oldest first.
    leaves: Mutex<VecDeque<Leaf>>,
}

impl Authority {
    /// The authority of this scope that is kept in a folder of its own in `ca_dir`, such as
    /// `<ca_dir>/local/`; made there on first use.
    ///
    /// Several processes may come first at the same time; all get the same authority.
    ///
    /// # Errors
    ///
    /// The files cannot be made or read, are no authority, do not belong together, are not limited
    /// to what `scope` says, or the authority has expired. Existing files are never overwritten.
    pub fn open_or_create(ca_dir: &Path, scope: &Scope) -> Result<Self> {
        keep::open_or_create(ca_dir, scope)
    }

    /// All authorities that are kept in `ca_dir`, by their folders' names; nothing is made.
    ///
    /// # Errors
    ///
    /// The folder is there and cannot be read.
    pub fn all(ca_dir: &Path) -> Result<Vec<Kept>> {
        keep::all(ca_dir)
    }

    /// An authority for this computer that lives in memory and ends with the value.
    ///
    /// # Errors
    ///
    /// The system gives no randomness.
    pub fn ephemeral() -> Result<Self> {
        let (certificate, key) = create(&Scope::Local, now())?;
        Self::from_parts(certificate.der().clone(), certificate.pem(), key)
    }

    /// The folder for authorities under the user's data folder.
    ///
    /// # Errors
    ///
    /// The user has no home folder.
    pub fn default_dir() -> Result<PathBuf> {
        match data_folder::data_folder() {
            Some(folder) => Ok(folder.join("ca")),
            None => Err(
                Error::new("find the user's data folder", "there is no home folder")
                    .hint("--ca-dir DIR, or MAILSCOPE_CA_DIR in the environment"),
            ),
        }
    }

    /// A key and certificate chain for a server that is called `sni` in the TLS hello; without
    /// one, and for `localhost`: `localhost`, 127.0.0.1, `::1` and the hosts of the scope, since
    /// apps that are set to an address or are very old ask for no name.
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

    /// The same for an app that asks for no name and reached this host, a name or an address: the leaf
    /// is for that too, if the authority may vouch for it.
    ///
    /// # Errors
    ///
    /// The system gives no randomness.
    pub fn leaf_reached_as(&self, host: &str) -> Result<Arc<CertifiedKey>> {
        self.leaf_named(LeafName::reached_as(host, &self.scope), now())
    }

    fn leaf_at(&self, sni: Option<&str>, now: OffsetDateTime) -> Result<Arc<CertifiedKey>> {
        self.leaf_named(LeafName::new(sni), now)
    }

    fn leaf_named(&self, name: LeafName, now: OffsetDateTime) -> Result<Arc<CertifiedKey>> {
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

    /// What it may vouch for.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The certificate, for whoever shall trust it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The same as DER.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The certificate as a configuration profile for Apple's systems (`.mobileconfig`).
    pub fn mobileconfig(&self) -> Vec<u8> {
        mobileconfig::profile(self)
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
        let (scope, not_after) = judge(&certificate, &key).doing(|| "use the authority".into())?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)
            .doing(|| "read the authority's certificate".into())?;
        Ok(Self {
            issuer,
            certificate,
            pem,
            scope,
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

/// Whether this is an authority and the key its own; what it is for and when it ends.
fn judge(
    certificate: &CertificateDer<'_>,
    key: &KeyPair,
) -> Result<(Scope, OffsetDateTime), &'static str> {
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
    Ok((Scope::read(&read)?, read.validity().not_after.to_datetime()))
}

/// Makes an authority.
fn create(scope: &Scope, now: OffsetDateTime) -> Result<(rcgen::Certificate, KeyPair)> {
    let making = || "make a certificate authority".to_owned();
    // So that two of them can be told apart in a trust store.
    let unique = certificate::hex(&random::<4>()?, "");
    let mut authority = CertificateParams::default();
    authority.distinguished_name = rcgen::DistinguishedName::new();
    authority
        .distinguished_name
        .push(DnType::CommonName, scope.common_name(&unique));
    authority.serial_number = Some(serial_number()?);
    authority.not_before = now - BACKDATED;
    authority.not_after = now + LIFE;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    authority.name_constraints = scope.constraints();
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
