//! Thousands of connections, with files for them and without.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use libtest_mimic::Trial;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::mailscope::record;
use crate::support::memory::{MIB, peak};
use crate::support::transcript::Transcript;
use crate::support::{PATIENCE, trials, wait_for};

pub fn trials() -> Vec<Trial> {
    trials!("bounds"; five_thousand_connections_at_once, more_connections_than_there_are_files_for)
}

/// Memory of one connection that idles, in octets (issue: "at most 48 KiB per idle connection"), and some of a
/// build without optimizations.
const CONNECTION: usize = 64 * 1024;

/// Lets this process have so many files, for both ends of connections and for all other tests that run at
/// the same time; whether the system does.
fn permits(files: u64) -> bool {
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < files) {
        return false;
    }
    let raised = Rlimit {
        current: limit.current.map(|current| current.max(files)),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    true
}

/// Fails where the system lets so few apps wait to be accepted that the others would try again later and later.
fn many_may_wait() {
    let told = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let places: usize = told.trim().parse().unwrap();
    assert!(places >= 1024, "sysctl net.core.somaxconn=4096");
}

/// A server that greets, and answers every line; how many connections it has.
async fn serve(listener: TcpListener, open: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let open = Arc::clone(&open);
        connections.spawn(async move {
            open.fetch_add(1, Ordering::SeqCst);
            let mut stream = BufReader::new(stream);
            let _ = answer(&mut stream).await; // an app that goes away ends it
            open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn answer(stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    stream.write_all(b"* OK ready\r\n").await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let tag = line.split(' ').next().unwrap_or_default();
        stream
            .write_all(format!("{tag} OK done\r\n").as_bytes())
            .await?;
        line.clear();
    }
    Ok(())
}

/// An app, connected and not greeted yet.
struct App {
    stream: BufReader<TcpStream>,
    number: usize,
}

impl App {
    async fn connect(address: String, number: usize) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let stream = BufReader::new(stream);
        Self { stream, number }
    }

    async fn hears(&mut self, expected: &str) {
        let heard = timeout(PATIENCE, self.hears_at_last(expected)).await;
        assert!(heard.is_ok(), "app {} heard nothing", self.number);
    }

    /// However long it has to wait for it.
    async fn hears_at_last(&mut self, expected: &str) {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.unwrap();
        assert_eq!(line, expected, "app {}", self.number);
    }

    async fn greeted(mut self) -> Self {
        self.hears("* OK ready\r\n").await;
        self
    }

    async fn asks(mut self) -> Self {
        let number = self.number;
        let command = format!("t{number} NOOP\r\n");
        self.stream.write_all(command.as_bytes()).await.unwrap();
        self.hears(&format!("t{number} OK done\r\n")).await;
        self
    }
}

/// All at the same time.
fn all<T: Send + 'static>(
    runtime: &Runtime,
    tasks: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut set = JoinSet::new();
    for task in tasks {
        set.spawn_on(task, runtime.handle());
    }
    runtime.block_on(set.join_all())
}

/// A server on a free port, and what counts its connections.
fn server(runtime: &Runtime) -> (String, Arc<AtomicUsize>) {
    let _inside = runtime.enter();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(4096).unwrap();
    let name = listener.local_addr().unwrap().to_string();
    let open = Arc::default();
    runtime.spawn(serve(listener, Arc::clone(&open)));
    (name, open)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// The soft limit is 1024, as it is where nobody raised it.
fn five_thousand_connections_at_once() {
    const CONNECTIONS: usize = 5_000;
    assert!(permits(2 * CONNECTIONS as u64 + 2_000), "ulimit -Hn 12000");
    many_may_wait();
    let runtime = runtime();
    let (name, open) = server(&runtime);
    let flags = ["--server-tls", "none", "--quiet"];
    let mut mailscope = record(&name).with(&flags).limited("-Sn 1024").start();
    // As many as wait for their turn to be accepted come at once.
    let mut apps = Vec::new();
    for first in (0..CONNECTIONS).step_by(500) {
        let address = mailscope.plain().to_owned();
        let connect = |number| App::connect(address.clone(), number);
        let connected = all(&runtime, (first..first + 500).map(connect));
        apps.extend(all(&runtime, connected.into_iter().map(App::greeted)));
    }
    assert_eq!(open.load(Ordering::SeqCst), CONNECTIONS);
    for _ in 0..2 {
        apps = all(&runtime, apps.into_iter().map(App::asks));
    }
    let taken = peak(mailscope.pid());
    eprintln!("{} MiB", taken / MIB);
    assert!(
        taken < super::PEAK + CONNECTIONS * CONNECTION,
        "{} MiB",
        taken / MIB
    );
    drop(apps);
    mailscope.closed(CONNECTIONS);
    let transcript = mailscope.stop();
    assert_eq!(
        mailscope.stderr().matches("warning").count(),
        0,
        "{}",
        mailscope.stderr()
    );
    has_all(&transcript, CONNECTIONS, 2);
}

/// Each connection, from its first event to its last, with so many commands and their answers.
fn has_all(transcript: &Transcript, connections: usize, commands: usize) {
    for (kind, each) in [
        ("connected", 1),
        ("greeting", 1),
        ("command", commands),
        ("tagged", commands),
    ] {
        assert_eq!(transcript.kind(kind).len(), each * connections, "{kind}");
    }
    let whole = transcript
        .kind("closed")
        .into_iter()
        .filter(|event| event.get("half").is_none());
    assert_eq!(whole.count(), connections);
    assert_eq!(transcript.kind("note").len(), 0);
}

fn more_connections_than_there_are_files_for() {
    const APPS: usize = 1_200;
    assert!(permits(2 * APPS as u64 + 2_000), "ulimit -Hn 4400");
    many_may_wait();
    let runtime = runtime();
    let (name, served) = server(&runtime);
    let flags = ["--server-tls", "none", "--quiet"];
    let mut mailscope = record(&name).with(&flags).limited("-n 1000").start();
    let address = mailscope.plain().to_owned();
    // Each comes here when it is greeted.
    let (greeted, mut inside) = mpsc::unbounded_channel();
    for number in 0..APPS {
        let (greeted, address) = (greeted.clone(), address.clone());
        runtime.spawn(async move {
            let mut app = App::connect(address, number).await;
            app.hears_at_last("* OK ready\r\n").await;
            greeted.send(app)
        });
    }
    let mut next = |count: usize| -> Vec<App> {
        let mut apps = Vec::new();
        let some = inside.recv_many(&mut apps, count);
        let came = runtime.block_on(async { timeout(PATIENCE, some).await });
        assert!(came.is_ok(), "nobody else was greeted");
        apps
    };
    let full = wait_for("the warning", || {
        let stderr = mailscope.stderr();
        let (_, told) = stderr.split_once("accept a connection of an app: ")?;
        assert!(told.contains("the limit of open files (1000)") && told.contains("ulimit -n"));
        told.split(' ').next()?.parse::<usize>().ok()
    });
    assert!((300..500).contains(&full), "{full}");
    // Those that are open go on, and nobody else is let in.
    let mut open = Vec::new();
    while open.len() < full {
        open.extend(next(full - open.len()));
    }
    for _ in 0..3 {
        open = all(&runtime, open.into_iter().map(App::asks));
        assert_eq!(served.load(Ordering::SeqCst), full);
    }
    // As they leave, the others come in, and are served.
    let mut seen = full;
    while seen < APPS {
        open.drain(..50);
        let apps = next(50);
        seen += apps.len();
        open.extend(all(&runtime, apps.into_iter().map(App::asks)));
    }
    drop(open);
    mailscope.closed(APPS);
    let taken = peak(mailscope.pid());
    assert!(
        taken < super::PEAK + full * CONNECTION,
        "{} MiB",
        taken / MIB
    );
    let transcript = mailscope.stop();
    assert_eq!(transcript.kind("greeting").len(), APPS);
    let stderr = mailscope.stderr();
    assert_eq!(stderr.matches("warning").count(), 1, "{stderr}");
}
