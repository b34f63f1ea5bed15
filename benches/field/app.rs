//! The mail app: asks, and reads the answer to its end.

use std::fmt::Write as _;

use mailscope::net::{Ours, ServerTrust, TlsToServer, Transport, dial};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a server says first.
pub const GREETING: &[u8] = b"* OK ready\r\n";

/// Octets of a mail that is appended.
pub const APPENDED: usize = 16 * 1024 * 1024;

/// What an app fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetch {
    /// Eight mails of 1 MiB.
    Large,
    /// The headers that a list of 1,000 messages shows.
    Small,
}

impl Fetch {
    pub const ALL: [Self; 2] = [Self::Large, Self::Small];

    /// Responses to one command.
    pub fn responses(self) -> usize {
        match self {
            Self::Large => 8,
            Self::Small => 1_000,
        }
    }

    pub fn command(self) -> &'static str {
        match self {
            Self::Large => "UID FETCH 101:108 BODY.PEEK[]",
            Self::Small => "FETCH 1:1000 (UID FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT)])",
        }
    }

    pub fn untagged(self) -> Vec<u8> {
        let mut text = String::new();
        for n in 1..=self.responses() {
            let uid = 100 + n;
            let _ = match self {
                Self::Large => {
                    let line = "An app downloads mails with attachments, of 1 MiB each.......\r\n";
                    let mail = line.repeat((1 << 20) / line.len());
                    let octets = mail.len();
                    write!(
                        text,
                        "* {n} FETCH (UID {uid} BODY[] {{{octets}}}\r\n{mail})\r\n"
                    )
                }
                Self::Small => {
                    let minute = n % 60;
                    let fields = format!(
                        "Date: Tue, 17 Nov 2026 02:{minute:02}:25 +0000\r\n\
                         From: Terry Gray <gray{n}@example.org>\r\n\
                         Subject: IMAP4rev2 WG mtg summary and minutes {n}\r\n\r\n"
                    );
                    let octets = fields.len();
                    write!(
                        text,
                        "* {n} FETCH (UID {uid} FLAGS (\\Seen) \
                         BODY[HEADER.FIELDS (DATE FROM SUBJECT)] {{{octets}}}\r\n{fields})\r\n"
                    )
                }
            };
        }
        text.into_bytes()
    }
}

/// A connection that is logged in.
pub struct App {
    stream: Transport,
    buffer: Vec<u8>,
}

impl App {
    /// Connects and hears the greeting, with a whole handshake.
    pub async fn connect(port: u16, trust: &ServerTrust) -> Self {
        let tls = TlsToServer::new(trust).expect("TLS");
        Self::connect_with(port, &tls).await
    }

    /// As [`connect`](Self::connect), with what TLS takes made already.
    pub async fn connect_with(port: u16, tls: &TlsToServer) -> Self {
        let address = super::named(port);
        let tcp = dial(&address, &Ours::default())
            .await
            .expect("a connection");
        let connected = tls.connect(tcp, &address, Vec::new()).await;
        let mut app = Self {
            stream: connected.expect("a handshake").0,
            buffer: Vec::new(),
        };
        let mut greeting = [0; GREETING.len()];
        app.stream
            .read_exact(&mut greeting)
            .await
            .expect("a greeting");
        assert_eq!(greeting, GREETING);
        app
    }

    /// Says LOGIN.
    pub async fn log_in(mut self) -> Self {
        self.ask("LOGIN alice a-benchmark-password", 0).await;
        self
    }

    /// Sends a command and reads its answer, which has so many octets before the tagged response.
    pub async fn ask(&mut self, command: &str, untagged: usize) {
        self.say(format!("a {command}\r\n").as_bytes()).await;
        self.hear(untagged, b"a OK done\r\n").await;
    }

    /// Many commands at once.
    pub async fn noops(&mut self, commands: usize) {
        self.say("n NOOP\r\n".repeat(commands).as_bytes()).await;
        let answers = "n OK done\r\n".repeat(commands);
        self.hear(
            answers.len() - 11,
            &answers.as_bytes()[answers.len() - 11..],
        )
        .await;
    }

    /// Uploads a mail.
    pub async fn append(&mut self, mail: &[u8]) {
        let octets = mail.len();
        self.say(format!("a APPEND INBOX {{{octets}}}\r\n").as_bytes())
            .await;
        self.hear(0, b"+ go on\r\n").await;
        self.stream.write_all(mail).await.expect("sent");
        self.say(b"\r\n").await;
        self.hear(0, b"a OK done\r\n").await;
    }

    async fn say(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.expect("sent");
        self.stream.flush().await.expect("sent");
    }

    /// Reads so many octets, and the last ones.
    async fn hear(&mut self, before: usize, last: &[u8]) {
        // A connection that idles needs none.
        self.buffer.resize(64 * 1024, 0);
        let mut missing = before + last.len();
        while missing > 0 {
            let most = missing.min(self.buffer.len());
            let read = self.stream.read(&mut self.buffer[..most]);
            let length = read.await.expect("an answer");
            assert_ne!(length, 0, "closed within an answer");
            missing -= length;
            if missing == 0 {
                let compared = length.min(last.len());
                let heard = &self.buffer[length - compared..length];
                assert_eq!(heard, &last[last.len() - compared..]);
            }
        }
    }

    /// It will say nothing for long.
    pub fn idles(&mut self) {
        self.buffer = Vec::new();
    }
}
