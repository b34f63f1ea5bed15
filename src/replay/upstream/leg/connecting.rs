//! How a connection to the server begins: TCP, TLS as the user asked for, and the greeting. STARTTLS is
//! asked for by the observer, which lets nothing else cross before.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::net::TcpStream;

use super::{Leg, Recording, Speaker};
use crate::event::{Body, Gate, Note, Status};
use crate::fault::Strikes;
use crate::limits;
use crate::net::{Security, ServerTlsError, Transport, dial};
use crate::protocol::imap::{AppLeg, Hidden, Observer, ServerLeg, Setting};
use crate::replay::standing::Standing;
use crate::replay::upstream::Upstream;

impl Leg {
    /// Connects, and hears the server's greeting; the connection is secured then, as the user asked.
    /// The greeting is for the app if the app is the `speaker`.
    pub async fn connect(
        upstream: &Arc<Upstream>,
        gate: &Gate,
        speaker: Speaker,
    ) -> Result<Self, String> {
        let server = &upstream.server;
        let tcp = dial(server, &upstream.ours)
            .await
            .map_err(|no| no.error.in_one_line())?;
        let client = tcp.local_addr().map(|address| address.to_string());
        let setting = Setting {
            app: AppLeg::Tls,
            server: match server.security() {
                Security::Implicit => ServerLeg::Tls,
                Security::Starttls => ServerLeg::Starttls,
                Security::Cleartext => ServerLeg::Cleartext,
            },
            // What is to be secured is to be secured there, too.
            server_is_local: false,
            // The player compresses by itself, or not at all.
            hidden: Hidden::new(["COMPRESS=*"]),
            // Those are for the app's leg.
            faults: Strikes::default(),
        };
        let mut leg = Self {
            upstream: Arc::clone(upstream),
            transport: None,
            buffer: vec![0; limits::READ],
            early: Vec::new(),
            observer: Observer::bridging(gate.clone(), setting),
            waiting: Default::default(),
            to_server: Vec::new(),
            to_app: Vec::new(),
            speaker,
            saying: None,
            tag: Vec::new(),
            awaited: None,
            answer: None,
            go_ahead: None,
            secures: false,
            ended: None,
            is_torn: false,
            greeted: None,
            standing: Standing::default(),
            capabilities: BTreeSet::new(),
            recording: Recording::Held(Vec::new()),
            own_commands: 0,
            is_closed: false,
        };
        leg.tell(Body::Connected {
            client: client.unwrap_or_default(),
            server: server.name(),
        });
        match server.security() {
            Security::Implicit => leg.begin_tls(tcp).await?,
            _ => leg.transport = Some(Transport::Plain(tcp)),
        }
        leg.hear_greeting().await?;
        Ok(leg)
    }

    pub(super) async fn hear_greeting(&mut self) -> Result<(), String> {
        let greeting = async {
            while self.greeted.is_none() || self.is_securing() {
                self.read().await.map_err(|lost| lost.why)?;
            }
            Ok::<(), String>(())
        };
        match tokio::time::timeout(limits::OWN_ANSWER, greeting).await {
            Ok(greeted) => greeted?,
            Err(_) => return Err(self.silent()),
        }
        match self.greeted {
            Some(Status::Bye) => Err(format!("{} does not want us: BYE", self.name())),
            _ => Ok(()),
        }
    }

    /// Whether TLS is to begin on this leg before anything else is said.
    pub(super) fn is_securing(&self) -> bool {
        self.upstream.server.security() == Security::Starttls
            && matches!(self.transport, Some(Transport::Plain(_)))
    }

    pub(super) async fn begin_tls(&mut self, tcp: TcpStream) -> Result<(), String> {
        let upstream = Arc::clone(&self.upstream);
        let Some(tls) = &upstream.tls else {
            return Err("TLS with the server is not set up".into());
        };
        let connected = tls.connect(tcp, &upstream.server, Vec::new()).await;
        let (transport, secured) = connected.map_err(|error| match error {
            ServerTlsError::Untrusted { why } => {
                format!(
                    "the certificate of {} is not trusted: {why}",
                    upstream.server
                )
            }
            ServerTlsError::Failed { why } => {
                format!("the TLS handshake with {} failed: {why}", upstream.server)
            }
        })?;
        let lacks_certificate = secured.lacks_client_certificate();
        self.transport = Some(transport);
        self.tell(Body::Secured(Box::new(secured)));
        if upstream.insecure {
            self.tell(Body::Note(Note::Insecure.finding()));
        }
        if lacks_certificate {
            self.tell(Body::Note(Note::ClientCertificateWanted.finding()));
        }
        Ok(())
    }
}
