//! The mail server: knows some mails by heart, takes whatever is appended, and answers the rest with OK.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use mailscope::net::{Authority, TlsToClient, Transport, accept};
use memchr::memchr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::app::{Fetch, GREETING};

/// It serves as long as it is there, on two threads.
pub struct Server {
    /// With TLS at once.
    pub port: u16,
    _runtime: Runtime,
}

struct Knowledge {
    tls: TlsToClient,
    /// The untagged responses to a command, its tag and its end left out.
    answers: HashMap<&'static [u8], Vec<u8>>,
}

impl Server {
    /// With a leaf of this authority.
    pub fn start(authority: &Arc<Authority>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let knowledge = Arc::new(Knowledge {
            tls: TlsToClient::new(Arc::clone(authority)).expect("TLS"),
            answers: Fetch::ALL
                .into_iter()
                .map(|fetch| (fetch.command().as_bytes(), fetch.untagged()))
                .collect(),
        });
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        runtime.spawn(async move {
            loop {
                let (tcp, _) = accept(&listener).await.expect("a connection");
                let knowledge = Arc::clone(&knowledge);
                // Until the app has gone, in whichever way.
                tokio::spawn(async move { serve(tcp, &knowledge).await });
            }
        });
        Self {
            port,
            _runtime: runtime,
        }
    }
}

async fn serve(tcp: TcpStream, knowledge: &Knowledge) -> io::Result<()> {
    let started = knowledge.tls.hello(tcp).await.map_err(io::Error::other)?;
    let (mut stream, _) = started.finish(None).await.map_err(io::Error::other)?;
    stream.write_all(GREETING).await?;
    stream.flush().await?;
    let mut received = Vec::with_capacity(8 * 1024);
    let mut answers = Vec::new();
    loop {
        let mut read = 0;
        while let Some(end) = memchr(b'\n', &received[read..]) {
            let line = &received[read..read + end - 1];
            read += end + 1;
            let tag_end = memchr(b' ', line).unwrap_or(line.len());
            let (tag, command) = line.split_at(tag_end);
            let command = command.get(1..).unwrap_or_default();
            if let Some(untagged) = knowledge.answers.get(command) {
                stream.write_all(&std::mem::take(&mut answers)).await?;
                stream.write_all(untagged).await?;
            } else if let Some(octets) = announced(command) {
                stream.write_all(b"+ go on\r\n").await?;
                stream.flush().await?;
                let tag = tag.to_vec();
                let held = received.len() - read;
                swallow(&mut stream, octets + 2 - held, &mut received).await?;
                read = 0;
                received.clear();
                answers.extend_from_slice(&tag);
                answers.extend_from_slice(b" OK done\r\n");
                continue;
            }
            answers.extend_from_slice(tag);
            answers.extend_from_slice(b" OK done\r\n");
        }
        received.drain(..read);
        if !answers.is_empty() {
            stream.write_all(&answers).await?;
            stream.flush().await?;
            answers.clear();
        }
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    }
}

/// How many octets the literal at the line's end has.
fn announced(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"}")?;
    let open = line.iter().rposition(|octet| *octet == b'{')?;
    std::str::from_utf8(&line[open + 1..]).ok()?.parse().ok()
}

/// Reads so many octets.
async fn swallow(
    stream: &mut Transport,
    mut octets: usize,
    buffer: &mut Vec<u8>,
) -> io::Result<()> {
    buffer.resize(64 * 1024, 0);
    while octets > 0 {
        let most = octets.min(buffer.len());
        match stream.read(&mut buffer[..most]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => octets -= length,
        }
    }
    Ok(())
}
