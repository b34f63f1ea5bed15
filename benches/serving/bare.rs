//! What a replay is compared with: a server that answers every line with its tag and `OK done`.

use std::sync::Arc;

use mailscope::net::{Authority, TlsToClient, Transport, accept};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::app::GREETING;

/// It serves as long as it is there.
pub struct Bare {
    /// In cleartext, and with TLS.
    pub ports: [u16; 2],
    _runtime: Runtime,
}

impl Bare {
    pub fn start(authority: &Arc<Authority>) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let tls = TlsToClient::new(Arc::clone(authority)).expect("TLS");
        let ports = [None, Some(Arc::new(tls))].map(|tls| {
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
            let listener = listener.expect("a free port");
            let port = listener.local_addr().expect("an address").port();
            runtime.spawn(run(listener, tls));
            port
        });
        Self {
            ports,
            _runtime: runtime,
        }
    }
}

async fn run(listener: TcpListener, tls: Option<Arc<TlsToClient>>) {
    loop {
        let (app, _) = accept(&listener).await.expect("a connection");
        let tls = tls.clone();
        tokio::spawn(async move {
            let app = match tls {
                None => Transport::Plain(app),
                Some(tls) => {
                    let hello = tls.hello(app).await.expect("a hello");
                    hello.finish(None).await.expect("a handshake").0
                }
            };
            serve(app).await // an end without close_notify is an end
        });
    }
}

async fn serve(mut app: Transport) -> std::io::Result<()> {
    app.write_all(GREETING).await?;
    app.flush().await?;
    let mut buffer = vec![0; mailscope::limits::READ];
    let (mut tag, mut is_tag) = (Vec::new(), true);
    let mut answers = Vec::new();
    loop {
        let length = app.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        for octet in &buffer[..length] {
            match octet {
                b'\n' => {
                    answers.extend_from_slice(&tag);
                    answers.extend_from_slice(b" OK done\r\n");
                    tag.clear();
                    is_tag = true;
                }
                b' ' => is_tag = false,
                octet if is_tag => tag.push(*octet),
                _ => {}
            }
        }
        app.write_all(&answers).await?;
        app.flush().await?;
        answers.clear();
    }
}
