//! The programs that stand between.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mailscope::net::ServerTrust;
use tempfile::TempDir;

use super::{Bare, Case, Keys};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Middle {
    /// Nothing but the TLS library of mailscope.
    Bare,
    /// The same, which writes as much as mailscope records.
    Writing,
    /// `mailscope record`.
    Mailscope,
    /// Two services of one process: TLS to cleartext, cleartext to TLS. It logs nothing.
    Stunnel,
    /// In TCP mode. It logs nothing.
    Haproxy,
    /// With its content log.
    Sslsplit,
}

/// It runs until it is dropped.
pub struct Running {
    children: Child,
    folder: TempDir,
    /// Where it listens.
    pub port: u16,
    /// Whose leaf it shows.
    pub trust: ServerTrust,
}

impl Middle {
    pub const ALL: [Self; 6] = [
        Self::Bare,
        Self::Writing,
        Self::Mailscope,
        Self::Stunnel,
        Self::Haproxy,
        Self::Sslsplit,
    ];

    /// What it is called in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare relay",
            Self::Writing => "writing, nothing read",
            Self::Mailscope => "mailscope, recording",
            Self::Stunnel => "stunnel",
            Self::Haproxy => "HAProxy",
            Self::Sslsplit => "sslsplit -L",
        }
    }

    /// Whether its name begins with this word, in any letter case.
    pub fn is_called(self, word: &str) -> bool {
        let first = self.name().split([' ', ',']).next().unwrap_or_default();
        first.eq_ignore_ascii_case(word)
    }

    /// The line that installs it.
    pub fn install(self) -> &'static str {
        match self {
            Self::Bare | Self::Writing | Self::Mailscope => "cargo build --release",
            Self::Stunnel => "sudo apt-get install stunnel4",
            Self::Haproxy => "sudo apt-get install haproxy",
            Self::Sslsplit => "sudo apt-get install sslsplit",
        }
    }

    fn program(self) -> Option<&'static str> {
        match self {
            Self::Bare | Self::Writing | Self::Mailscope => None,
            Self::Stunnel => Some("stunnel4"),
            Self::Haproxy => Some("haproxy"),
            Self::Sslsplit => Some("sslsplit"),
        }
    }

    /// Whether it can be started.
    pub fn is_here(self) -> bool {
        self.program().is_none_or(|program| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let administrators = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
            let mut folders = std::env::split_paths(&path).chain(administrators);
            folders.any(|folder| folder.join(program).is_file())
        })
    }

    /// Whether it has a part in this case.
    pub fn takes_part(self, case: Case) -> bool {
        self != Self::Writing || case.recorded().is_some()
    }

    /// Starts one for a server on this port.
    pub fn start(self, server: u16, keys: &Keys, case: Case) -> Running {
        let folder = tempfile::tempdir().expect("a folder");
        let ready = folder.path().join("ready.json");
        // Those that cannot take a free port by themselves get one that was free a moment ago.
        let [port, inner] = free_ports();
        let command = match self {
            Self::Bare => Bare::command(server, keys.folder(), &ready, 0.0),
            Self::Writing => {
                let each = case.recorded().unwrap_or_default();
                Bare::command(server, keys.folder(), &ready, each)
            }
            Self::Mailscope => mailscope(server, keys),
            Self::Stunnel => stunnel(server, keys, folder.path(), [port, inner]),
            Self::Haproxy => haproxy(server, keys, folder.path(), port),
            Self::Sslsplit => sslsplit(server, keys, port),
        };
        let children = spawn(command, folder.path());
        let told = self.program().is_none().then_some(&*ready);
        let (port, ca) = awaited(folder.path(), told, port);
        Running {
            children,
            trust: ServerTrust::File(ca.unwrap_or_else(|| keys.ca())),
            port,
            folder,
        }
    }
}

fn mailscope(server: u16, keys: &Keys) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailscope"));
    command
        .arg("record")
        .arg(format!("imaps://localhost:{server}"))
        .args(["--listen-tls", "127.0.0.1:0", "--listen-plain", "none"])
        .args(["--ready-file", "ready.json", "--ca-dir", "ca"])
        .args(["--out", "transcript.json", "--quiet", "--server-ca"])
        .arg(keys.ca());
    command
}

fn stunnel(server: u16, keys: &Keys, folder: &Path, [port, inner]: [u16; 2]) -> Command {
    let (leaf, ca) = (keys.leaf(), keys.ca());
    let configuration = format!(
        "foreground = yes\npid =\ndebug = 0\n\
         [app]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{inner}\ncert = {}\n\
         [server]\nclient = yes\naccept = 127.0.0.1:{inner}\nconnect = 127.0.0.1:{server}\n\
         sni = localhost\nCAfile = {}\nverifyChain = yes\n",
        leaf.display(),
        ca.display()
    );
    std::fs::write(folder.join("stunnel.conf"), configuration).expect("written");
    let mut command = Command::new("stunnel4");
    command.arg("stunnel.conf");
    command
}

fn haproxy(server: u16, keys: &Keys, folder: &Path, port: u16) -> Command {
    let mut configuration = String::from(
        "global\n    maxconn 5000\ndefaults\n    mode tcp\n    timeout connect 20s\n    \
         timeout client 10m\n    timeout server 10m\n",
    );
    let _ = write!(
        configuration,
        "listen imaps\n    bind 127.0.0.1:{port} ssl crt {}\n    \
         server mail 127.0.0.1:{server} ssl verify required ca-file {} sni str(localhost)\n",
        keys.leaf().display(),
        keys.ca().display()
    );
    std::fs::write(folder.join("haproxy.cfg"), configuration).expect("written");
    let mut command = Command::new("haproxy");
    command.args(["-db", "-f", "haproxy.cfg"]);
    command
}

fn sslsplit(server: u16, keys: &Keys, port: u16) -> Command {
    let mut command = Command::new("sslsplit");
    command.args(["-u", "root", "-L", "content.log", "-A"]);
    command.arg(keys.leaf());
    command.args([
        "-k".as_ref(),
        keys.ca().with_file_name("ca-key.pem").as_os_str(),
    ]);
    command.args(["-c".as_ref(), keys.ca().as_os_str()]);
    command.args(["ssl", "127.0.0.1", &port.to_string()]);
    command.args(["127.0.0.1", &server.to_string()]);
    command
}

fn spawn(mut command: Command, folder: &Path) -> Child {
    let path = std::env::var("PATH").unwrap_or_default();
    let said = || {
        std::fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("said"))
    };
    command
        .current_dir(folder)
        .env("PATH", format!("{path}:/usr/sbin:/usr/local/sbin"))
        .stdin(Stdio::null())
        .stdout(said().expect("a file"))
        .stderr(said().expect("a file"));
    command.spawn().expect("a program that starts")
}

/// Two ports that nobody listens on.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

/// When it listens: the port, and the authority, if the ready file names them.
fn awaited(folder: &Path, ready: Option<&Path>, port: u16) -> (u16, Option<PathBuf>) {
    const PATIENCE: Duration = Duration::from_secs(20);
    let begun = Instant::now();
    loop {
        assert!(
            begun.elapsed() < PATIENCE,
            "it does not listen; it said: {}",
            std::fs::read_to_string(folder.join("said")).unwrap_or_default()
        );
        std::thread::sleep(Duration::from_millis(5));
        match ready.map(std::fs::read) {
            Some(Ok(told)) => {
                let told: serde_json::Value = serde_json::from_slice(&told).expect("JSON");
                let address = told["tls"].as_str().expect("an address");
                let (_, port) = address.rsplit_once(':').expect("a port");
                let ca = told["ca"].as_str().map(PathBuf::from);
                return (port.parse().expect("a port"), ca);
            }
            Some(Err(_)) => {}
            None if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() => {
                return (port, None);
            }
            None => {}
        }
    }
}

impl Running {
    /// What it and the processes that it started have in memory.
    pub fn resident_kib(&self) -> f64 {
        self.processes().iter().copied().map(resident_kib).sum()
    }

    /// Processor time that it and the processes that it started took, of all cores.
    pub fn processor(&self) -> Duration {
        self.processes().iter().copied().map(processor).sum()
    }

    /// Octets of its recording, by now.
    pub fn written(&self) -> u64 {
        let length = |name: &str| {
            let path = self.folder.path().join(name);
            path.metadata().map_or(0, |metadata| metadata.len())
        };
        length("transcript.json") + length("content.log")
    }

    fn processes(&self) -> Vec<u32> {
        let mut all = vec![self.children.id()];
        let mut next = 0;
        while let Some(process) = all.get(next) {
            let path = format!("/proc/{process}/task/{process}/children");
            let children = std::fs::read_to_string(path).unwrap_or_default();
            all.extend(
                children
                    .split_whitespace()
                    .filter_map(|id| id.parse::<u32>().ok()),
            );
            next += 1;
        }
        all
    }
}

fn resident_kib(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let words = line.unwrap_or_default().split_whitespace().next();
    words.and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

/// In user and in system mode, in the system's steps of 10 ms.
fn processor(process: u32) -> Duration {
    const STEP: Duration = Duration::from_millis(10);
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name before it may hold spaces.
    let (_, fields) = status.rsplit_once(')').unwrap_or_default();
    let steps = fields.split_whitespace().skip(11).take(2);
    let steps: u32 = steps.filter_map(|steps| steps.parse::<u32>().ok()).sum();
    STEP * steps
}

impl Drop for Running {
    fn drop(&mut self) {
        for process in self.processes().into_iter().rev() {
            let process = i32::try_from(process)
                .ok()
                .and_then(rustix::process::Pid::from_raw);
            if let Some(process) = process {
                let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
            }
        }
        let _ = self.children.wait();
    }
}
