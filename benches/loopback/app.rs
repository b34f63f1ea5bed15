//! The mail app: asks, and reads the answer to its end.

use std::sync::Arc;

use mailscope::net::{Authority, Ours, ServerAddress, Transport, dial};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

use crate::traffic::Exchange;

/// A connection that waits for its answers.
pub struct App {
    runtime: Runtime,
    stream: Transport,
    buffer: Vec<u8>,
}

impl App {
    /// Connects and hears the greeting.
    pub fn connect(to: &ServerAddress, trusted: &Arc<Authority>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let tls = super::trusting(trusted);
        let stream = runtime.block_on(async {
            let tcp = dial(to, &Ours::default()).await.expect("a connection");
            let connected = tls.connect(tcp, to, Vec::new()).await;
            let (mut stream, _) = connected.expect("a handshake");
            let mut greeting = [0; super::server::GREETING.len()];
            stream.read_exact(&mut greeting).await.expect("a greeting");
            stream
        });
        Self {
            runtime,
            stream,
            buffer: vec![0; 64 * 1024],
        }
    }

    /// Sends the command and reads the whole answer.
    pub fn ask(&mut self, exchange: &Exchange) {
        let Self {
            runtime,
            stream,
            buffer,
        } = self;
        runtime.block_on(async {
            stream.write_all(&exchange.command).await.expect("sent");
            stream.flush().await.expect("sent");
            let mut missing = exchange.response.len();
            while missing > 0 {
                let most = missing.min(buffer.len());
                let length = stream.read(&mut buffer[..most]).await.expect("an answer");
                assert_ne!(length, 0, "closed within an answer");
                missing -= length;
                let end = exchange.response.len() - missing;
                let expected = &exchange.response[end - length..end];
                // Enough to see that it is the answer, and not what the time is spent on.
                assert_eq!(buffer[length - 1], expected[length - 1]);
            }
        });
    }
}
