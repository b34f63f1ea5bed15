//! A certificate authority for the test's server, made for the test and unknown to all others.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// An authority and its certificate as a file.
pub struct TestAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: PathBuf,
}

impl TestAuthority {
    /// Makes one, named after `folder`, where its certificate goes.
    pub fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, folder.display().to_string());
        let key = KeyPair::generate().unwrap();
        let pem = folder.join("test-ca.pem");
        std::fs::write(&pem, params.self_signed(&key).unwrap().pem()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// Its certificate.
    pub fn pem(&self) -> &Path {
        &self.pem
    }

    /// A certificate and its key for these names, as PEM.
    pub fn leaf(&self, names: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// A TLS server with a certificate for these names.
    pub fn server(&self, names: &[&str]) -> Arc<ServerConfig> {
        let (certificate, key) = self.leaf(names);
        Self::with(&certificate, &key)
    }

    /// A TLS server that sends the authority's certificate behind its own.
    pub fn server_with_chain(&self, names: &[&str]) -> Arc<ServerConfig> {
        let (certificate, key) = self.leaf(names);
        let authority = std::fs::read_to_string(&self.pem).unwrap();
        Self::with(&(certificate + &authority), &key)
    }

    /// A TLS server with a certificate for localhost that expired on 2021-01-01.
    pub fn expired_server(&self) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self::with(&certificate.pem(), &key.serialize_pem())
    }

    fn with(chain: &str, key: &str) -> Arc<ServerConfig> {
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap);
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain.collect(), key);
        Arc::new(config.unwrap())
    }
}

/// A TLS client that trusts the certificates in this PEM file and no others.
pub fn client(trusted: &Path) -> Arc<ClientConfig> {
    client_of(trusted, rustls::DEFAULT_VERSIONS)
}

/// Such a client that speaks these versions of TLS alone.
pub fn client_of(
    trusted: &Path,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(trusted).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let config =
        ClientConfig::builder_with_protocol_versions(versions).with_root_certificates(roots);
    Arc::new(config.with_no_client_auth())
}
