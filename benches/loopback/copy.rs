//! What mailscope is compared with: octets of one leg written to the other, with the same TLS.

use std::sync::Arc;

use mailscope::net::{Authority, Ours, ServerAddress, TlsToClient, TlsToServer, accept, dial};
use tokio::net::{TcpListener, TcpStream};

/// Everything that a copy takes.
pub struct Copy {
    server: ServerAddress,
    to_server: TlsToServer,
    to_client: TlsToClient,
}

impl Copy {
    /// A copy between apps and this server. The one authority is everybody's.
    pub fn new(server: ServerAddress, authority: &Arc<Authority>) -> Self {
        Self {
            server,
            to_server: super::trusting(authority),
            to_client: TlsToClient::new(Arc::clone(authority)).expect("TLS"),
        }
    }

    /// Serves whoever connects.
    pub async fn run(self, listener: TcpListener) {
        let copy = Arc::new(self);
        loop {
            let (app, _) = accept(&listener).await.expect("a connection");
            let copy = Arc::clone(&copy);
            // An end without close_notify is an end.
            tokio::spawn(async move { copy.serve(app).await.map(|_| ()) });
        }
    }

    /// In the relay's order, so that the set-up takes the same steps.
    async fn serve(&self, app: TcpStream) -> std::io::Result<(u64, u64)> {
        let started = self.to_client.hello(app).await.expect("a hello");
        let tcp = dial(&self.server, &Ours::default())
            .await
            .expect("a connection");
        let connected = self.to_server.connect(tcp, &self.server, Vec::new()).await;
        let (mut server, _) = connected.expect("a handshake");
        let (mut app, _) = started.finish(None).await.expect("a handshake");
        tokio::io::copy_bidirectional(&mut app, &mut server).await
    }
}
