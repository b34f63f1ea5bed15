//! The mail server: knows a few commands by heart.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::thread;

use mailscope::net::{AskedSecurity, Authority, ServerAddress, TlsToClient, Transport, accept};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::traffic::Exchange;

/// What it says first.
pub const GREETING: &[u8] = b"* OK ready\r\n";

/// Answers by command.
type Answers = HashMap<Vec<u8>, Vec<u8>>;

/// A server on a thread of its own, which ends with the process.
pub struct Server {
    tls: ServerAddress,
    starttls: ServerAddress,
}

/// What all its connections share.
struct Knowledge {
    tls: TlsToClient,
    /// Behind TLS.
    answers: Answers,
    /// Before it.
    begins: Answers,
}

impl Server {
    /// Starts one that knows the answers to these, and to LOGIN and COMPRESS.
    pub fn start<'e>(
        authority: Arc<Authority>,
        exchanges: impl IntoIterator<Item = &'e Exchange>,
    ) -> Self {
        let mut answers: Answers = exchanges.into_iter().map(known).collect();
        answers.extend([Exchange::login(), Exchange::compress()].iter().map(known));
        let knowledge = Arc::new(Knowledge {
            tls: TlsToClient::new(authority).expect("TLS"),
            answers,
            begins: ["a", "mailscope"].map(|tag| known(&starttls(tag))).into(),
        });
        let runtime = super::one_thread();
        let (tls, starttls) = (super::listener(&runtime), super::listener(&runtime));
        let addresses = Self {
            tls: super::named(&tls, AskedSecurity::Implicit),
            starttls: super::named(&starttls, AskedSecurity::Starttls),
        };
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::join!(
                    listen(tls, AskedSecurity::Implicit, &knowledge),
                    listen(starttls, AskedSecurity::Starttls, &knowledge)
                )
            })
        });
        addresses
    }

    /// Where it listens for connections that are secured so.
    pub fn address(&self, security: AskedSecurity) -> &ServerAddress {
        match security {
            AskedSecurity::Implicit => &self.tls,
            AskedSecurity::Starttls => &self.starttls,
            AskedSecurity::None => unreachable!("nobody asks for that"),
        }
    }
}

/// TLS is to begin.
pub fn starttls(tag: &str) -> Exchange {
    Exchange {
        name: "starttls",
        command: format!("{tag} STARTTLS\r\n").into_bytes(),
        response: format!("{tag} OK begin\r\n").into_bytes(),
        inflated: None,
    }
}

fn known(exchange: &Exchange) -> (Vec<u8>, Vec<u8>) {
    (exchange.command.clone(), exchange.response.clone())
}

async fn listen(listener: TcpListener, security: AskedSecurity, knowledge: &Arc<Knowledge>) {
    loop {
        let (tcp, _) = accept(&listener).await.expect("a connection");
        tokio::spawn(serve(tcp, security, Arc::clone(knowledge)));
    }
}

/// Until the app has gone, in whichever way.
async fn serve(
    tcp: TcpStream,
    security: AskedSecurity,
    knowledge: Arc<Knowledge>,
) -> io::Result<()> {
    let mut stream = match security {
        AskedSecurity::Starttls => {
            let mut plain = Transport::Plain(tcp);
            say(&mut plain, GREETING).await?;
            answer(&mut plain, &knowledge.begins).await?;
            let Transport::Plain(tcp) = plain else {
                unreachable!("it is plain");
            };
            secured(tcp, &knowledge.tls).await
        }
        _ => {
            let mut stream = secured(tcp, &knowledge.tls).await;
            say(&mut stream, GREETING).await?;
            stream
        }
    };
    while answer(&mut stream, &knowledge.answers).await? {}
    Ok(())
}

async fn secured(tcp: TcpStream, tls: &TlsToClient) -> Transport {
    let started = tls.hello(tcp).await.expect("a hello");
    started.finish(None).await.expect("a handshake").0
}

/// Answers the next command; `false` if there is none. Commands are told from each other and from
/// their beginnings by what is known, so that it does not matter whether they are deflated.
async fn answer(stream: &mut Transport, answers: &Answers) -> io::Result<bool> {
    const LONGEST: usize = 4096;
    let mut command = Vec::with_capacity(256);
    loop {
        if stream.read_buf(&mut command).await? == 0 {
            return Ok(false);
        }
        if let Some(answer) = answers.get(&command) {
            say(stream, answer).await?;
            return Ok(true);
        }
        assert!(command.len() < LONGEST, "a command that is known");
    }
}

async fn say(stream: &mut Transport, octets: &[u8]) -> io::Result<()> {
    stream.write_all(octets).await?;
    stream.flush().await
}
