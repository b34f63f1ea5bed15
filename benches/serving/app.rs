//! The mail app: asks without waiting, and reads every answer.

use mailscope::net::{AskedSecurity, Ours, ServerAddress, TlsToServer, Transport, dial};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Leg;

/// What a server says first.
pub const GREETING: &[u8] = b"* OK ready\r\n";

/// Commands that are written at once, before an answer is waited for.
const BATCH: usize = 500;

/// A connection that is logged in.
pub struct App {
    stream: Transport,
}

impl App {
    /// Connects to one of the ports, for cleartext and for TLS, and selects INBOX.
    pub async fn log_in(leg: Leg, ports: &[u16; 2], tls: &TlsToServer) -> Self {
        let port = match leg {
            Leg::Cleartext => ports[0],
            Leg::Tls => ports[1],
        };
        let address = format!("localhost:{port}");
        let address = ServerAddress::parse(&address, Some(AskedSecurity::Implicit));
        let address = address.expect("an address");
        let tcp = dial(&address, &Ours::default())
            .await
            .expect("a connection");
        let stream = match leg {
            Leg::Cleartext => Transport::Plain(tcp),
            Leg::Tls => {
                let connected = tls.connect(tcp, &address, Vec::new()).await;
                connected.expect("a handshake").0
            }
        };
        let mut app = Self { stream };
        app.hear(GREETING).await;
        app.ask(b"a LOGIN alice secret\r\n", b"a OK done\r\n").await;
        app.ask(b"b SELECT INBOX\r\n", b"b OK done\r\n").await;
        app
    }

    /// So many of them, all of which are there at the same time.
    pub async fn many(count: usize, leg: Leg, ports: &[u16; 2], tls: &TlsToServer) -> Vec<Self> {
        let mut apps = Vec::with_capacity(count);
        for _ in 0..count {
            apps.push(Self::log_in(leg, ports, tls).await);
        }
        apps
    }

    /// Each asks so often, all at the same time.
    pub async fn noops_of_all(apps: Vec<Self>, each: usize) -> Vec<Self> {
        let asking = apps.into_iter().map(|mut app| {
            tokio::spawn(async move {
                app.noops(each).await;
                app
            })
        });
        let asking: Vec<_> = asking.collect();
        let mut apps = Vec::with_capacity(asking.len());
        for asked in asking {
            apps.push(asked.await.expect("an answer"));
        }
        apps
    }

    /// Asks so often, batch by batch.
    pub async fn noops(&mut self, count: usize) {
        self.pipelined(count, |n| format!("n{n} NOOP\r\n"), 'n')
            .await;
    }

    /// Asks for what a long recording has, in its order.
    pub async fn fetches(&mut self, count: usize) {
        self.pipelined(count, |n| format!("x{n} FETCH {n} FLAGS\r\n"), 'x')
            .await;
    }

    async fn pipelined(&mut self, count: usize, command: impl Fn(usize) -> String, tag: char) {
        let numbers: Vec<usize> = (1..=count).collect();
        for batch in numbers.chunks(BATCH) {
            let commands: String = batch.iter().map(|n| command(*n)).collect();
            let answers: String = batch
                .iter()
                .map(|n| format!("{tag}{n} OK done\r\n"))
                .collect();
            self.ask(commands.as_bytes(), answers.as_bytes()).await;
        }
    }

    async fn ask(&mut self, commands: &[u8], answers: &[u8]) {
        self.stream.write_all(commands).await.expect("sent");
        self.stream.flush().await.expect("sent");
        self.hear(answers).await;
    }

    async fn hear(&mut self, expected: &[u8]) {
        let mut heard = vec![0; expected.len()];
        self.stream.read_exact(&mut heard).await.expect("an answer");
        assert!(heard == expected, "{}", String::from_utf8_lossy(&heard));
    }
}
