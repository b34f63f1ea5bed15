//! The field: one server, one app, and whatever stands between them.

mod app;
mod bare;
mod case;
mod middle;
mod server;
mod table;
mod writer;

pub use bare::Bare;
pub use case::{Case, Effort};
pub use middle::Middle;
pub use table::Table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mailscope::net::{AskedSecurity, Authority, Scope, ServerAddress};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use server::Server;

/// What runs as long as the benchmark does.
pub struct Field {
    effort: Effort,
    server: Server,
    keys: Keys,
    /// The app's.
    runtime: Runtime,
}

/// An authority, and one leaf that all but mailscope show (mailscope mints its own, of the same kind).
pub struct Keys {
    folder: TempDir,
}

impl Field {
    /// Starts the server.
    pub fn start(effort: Effort) -> Self {
        let keys = Keys::new();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        Self {
            effort,
            server: Server::start(&keys.authority()),
            keys,
            runtime: runtime.enable_all().build().expect("a runtime"),
        }
    }

    /// What one turn gives: a value for each of the case's rows.
    pub fn turn(&self, case: Case, middle: Middle) -> Vec<f64> {
        let running = middle.start(self.server.port, &self.keys, case);
        self.runtime.block_on(case.measure(self.effort, &running))
    }
}

impl Keys {
    fn new() -> Self {
        let keys = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        let authority = keys.authority();
        let read = |path: PathBuf| std::fs::read_to_string(path).expect("a file");
        let path = authority.path().expect("a path").to_path_buf();
        let signer = KeyPair::from_pem(&read(path.with_file_name("ca-key.pem"))).expect("a key");
        let issuer = Issuer::from_ca_cert_pem(authority.pem(), signer).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let mut leaf = CertificateParams::new(vec!["localhost".into()]).expect("a name");
        leaf.distinguished_name
            .push(DnType::CommonName, "localhost");
        let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
        let chain = format!("{}{}{}", key.serialize_pem(), leaf.pem(), authority.pem());
        std::fs::write(keys.leaf(), chain).expect("written");
        keys
    }

    /// The authority that everybody trusts.
    pub fn authority(&self) -> Arc<Authority> {
        Arc::new(Bare::authority(self.folder.path()))
    }

    /// Where it is kept.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its certificate.
    pub fn ca(&self) -> PathBuf {
        self.authority().path().expect("a path").to_path_buf()
    }

    /// Key, leaf and authority in one file.
    pub fn leaf(&self) -> PathBuf {
        self.folder.path().join("leaf.pem")
    }
}

/// A port of this machine, under the name that the leaf has.
fn named(port: u16) -> ServerAddress {
    ServerAddress::parse(&format!("localhost:{port}"), Some(AskedSecurity::Implicit))
        .expect("an address")
}

/// Nothing but this machine.
fn scope() -> Scope {
    Scope::of([])
}
