//! The mail server: knows a few commands by heart.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::thread;

use mailscope::net::{Authority, ServerAddress, TlsToClient, Transport, accept};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::traffic::Exchange;

/// What it says first.
pub const GREETING: &[u8] = b"* OK ready\r\n";

/// Answers by command.
type Answers = HashMap<Vec<u8>, Vec<u8>>;

/// A server on a thread of its own, which ends with the process.
pub struct Server {
    /// Where it listens.
    pub address: ServerAddress,
}

impl Server {
    /// Starts one that knows the answers to these, and to LOGIN.
    pub fn start(authority: Arc<Authority>, exchanges: &[Exchange]) -> Self {
        let known = |exchange: &Exchange| (exchange.command.clone(), exchange.response.clone());
        let mut answers: Answers = exchanges.iter().map(known).collect();
        answers.extend([known(&Exchange::login())]);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let bound = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = bound.expect("a free port");
        let address = super::named(listener.local_addr().expect("an address"));
        let tls = TlsToClient::new(authority).expect("TLS");
        thread::spawn(move || runtime.block_on(listen(listener, tls, Arc::new(answers))));
        Self { address }
    }
}

async fn listen(listener: TcpListener, tls: TlsToClient, answers: Arc<Answers>) {
    loop {
        let (tcp, _) = accept(&listener).await.expect("a connection");
        let started = tls.hello(tcp).await.expect("a hello");
        let (stream, _) = started.finish(None).await.expect("a handshake");
        tokio::spawn(serve(stream, Arc::clone(&answers)));
    }
}

/// Until the app has gone, in whichever way.
async fn serve(stream: Transport, answers: Arc<Answers>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(GREETING).await?;
    stream.flush().await?;
    let mut command = Vec::new();
    while stream.read_until(b'\n', &mut command).await? > 0 {
        let answer = answers.get(&command).expect("a command that is known");
        stream.write_all(answer).await?;
        stream.flush().await?;
        command.clear();
    }
    Ok(())
}
