//! A real server: Dovecot with a configuration, users and mail of its own, on free ports of
//! 127.0.0.1, until it is dropped.
//!
//! It runs as root (its parts then as Dovecot's users, the mail as `nobody`) and as anybody else
//! (all of it as that user). What is written here is for Dovecot 2.3.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;

use super::certificates::TestAuthority;
use super::maildir::{self, Mail};
use super::patience::InTime;
use super::programs::DOVECOT;
use super::{PATIENCE, server};

/// Every user's password.
pub const PASSWORD: &str = "open-Sesame-42";

/// Every mailbox's UIDVALIDITY that is there from the beginning; the ones made later count up.
pub const UIDVALIDITY: u32 = 1_700_000_000;

/// Settings of one that has COMPRESS=DEFLATE.
pub const WITH_COMPRESS: &str = "protocol imap {\n  mail_plugins = zlib imap_zlib\n}\n";

/// How often a start is tried: the free ports may be taken by another before Dovecot has them.
const TRIES: usize = 5;

/// A Dovecot that runs.
pub struct Dovecot {
    child: Child,
    folder: TempDir,
    authority: TestAuthority,
    plain: u16,
    tls: u16,
    owner: Owner,
}

/// What Dovecot kept of one connection from the login's answer on, in octets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rawlog {
    /// What the client said after it had logged in.
    pub client: Vec<u8>,
    /// What the server said, the login's answer included.
    pub server: Vec<u8>,
}

impl Dovecot {
    /// Starts one and waits until it answers; its certificate is for `localhost`.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// Starts one with more settings.
    pub fn start_with(settings: &str) -> Self {
        Self::start_at(free_ports, settings)
    }

    /// Starts one at the ports of IMAP, which are free in a network of its own.
    pub fn start_at_its_ports() -> Self {
        Self::start_at(|| (143, 993), "")
    }

    fn start_at(ports: impl Fn() -> (u16, u16), settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The mail's user has to get in.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let authority = TestAuthority::new(folder.path());
        let (certificate, key) = authority.leaf(&["localhost"]);
        fs::write(folder.path().join("certificate.pem"), certificate).unwrap();
        fs::write(folder.path().join("key.pem"), key).unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        let owner = Owner::of_the_mail();
        let mut failed = String::new();
        for _ in 0..TRIES {
            let (plain, tls) = ports();
            let config = configuration(folder.path(), &owner, plain, tls) + settings;
            match launch(folder.path(), &config, plain) {
                Ok(child) => {
                    return Self {
                        child,
                        folder,
                        authority,
                        plain,
                        tls,
                        owner,
                    };
                }
                Err(said) => failed = said,
            }
        }
        panic!("dovecot does not start: {failed}");
    }

    /// Its port for cleartext.
    pub fn plain(&self) -> u16 {
        self.plain
    }

    /// Its port for TLS at once.
    pub fn tls(&self) -> u16 {
        self.tls
    }

    /// The authority that signed its certificate.
    pub fn ca(&self) -> &Path {
        self.authority.pem()
    }

    /// Makes a user with these mailboxes, `INBOX` among them. Two users with the same mailboxes
    /// cannot be told apart by what they obtain.
    pub fn user(&self, name: &str, mailboxes: &[(&str, &[Mail])]) {
        let home = self.home(name);
        let maildir = home.join("Maildir");
        fs::create_dir_all(home.join("rawlog")).unwrap();
        for (mailbox, mails) in mailboxes {
            let folder = self.mailbox(name, mailbox);
            maildir::create(&folder, mails);
            let list = format!("3 V{UIDVALIDITY} N1 G{:032x}\n", mailboxes.len());
            fs::write(folder.join("dovecot-uidlist"), list).unwrap();
        }
        let next = format!("{:08x}", UIDVALIDITY + 1);
        let marker = maildir.join(format!("dovecot-uidvalidity.{next}"));
        fs::write(maildir.join("dovecot-uidvalidity"), &next).unwrap();
        fs::write(&marker, "").unwrap();
        fs::set_permissions(&marker, Permissions::from_mode(0o444)).unwrap();
        self.owner.give(&home);
    }

    /// Puts a mail into a user's mailbox, as a program beside Dovecot does.
    pub fn deliver(&self, user: &str, mailbox: &str, number: usize, mail: &Mail) {
        let folder = self.mailbox(user, mailbox);
        maildir::deliver(&folder, number, mail);
        self.owner.give(&folder.join("cur"));
    }

    /// The Maildir of a user's mailbox.
    pub fn mailbox(&self, user: &str, mailbox: &str) -> PathBuf {
        let maildir = self.home(user).join("Maildir");
        match mailbox {
            "INBOX" => maildir,
            other => maildir.join(format!(".{other}")),
        }
    }

    /// Waits until a user's connections are over (so many of them), and returns what was kept of
    /// each.
    pub fn rawlogs(&self, user: &str, connections: usize) -> Vec<Rawlog> {
        let over = format!("imap({user})<");
        super::wait_for("the end of Dovecot's sessions", || {
            let log = self.log();
            let ends = log.lines().filter(|line| {
                line.contains(&over) && line.contains("Info: ") && line.contains(" in=")
            });
            (ends.count() >= connections).then_some(())
        });
        let folder = fs::read_dir(self.home(user).join("rawlog")).unwrap();
        folder
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "in"))
            .map(|path| Rawlog {
                client: without_times(&fs::read(&path).unwrap()),
                server: without_times(&fs::read(path.with_extension("out")).unwrap()),
            })
            .collect()
    }

    /// Copies what was kept of a user's one connection, which is over, to `path` (`X.in`) and its other
    /// direction.
    pub fn copy_rawlog(&self, user: &str, path: &Path) {
        let folder = fs::read_dir(self.home(user).join("rawlog")).unwrap();
        for kept in folder.map(|entry| entry.unwrap().path()) {
            let direction = kept.extension().unwrap();
            fs::copy(&kept, path.with_extension(direction)).unwrap();
        }
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    fn home(&self, user: &str) -> PathBuf {
        self.folder.path().join("home").join(user)
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // SIGTERM lets it end its own children.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The user and group that mail belongs to.
struct Owner {
    name: String,
    group: String,
    is_another: bool,
}

impl Owner {
    /// Dovecot serves no mail as root.
    fn of_the_mail() -> Self {
        let is_another = getuid().is_root();
        let name = match is_another {
            true => "nobody".to_owned(),
            false => id(&["-un"]),
        };
        let group = id(&["-gn", &name]);
        Self {
            name,
            group,
            is_another,
        }
    }

    /// Gives a folder and all that is in it to that user.
    fn give(&self, folder: &Path) {
        if !self.is_another {
            return;
        }
        let uid = id(&["-u", &self.name]).parse().unwrap();
        let gid = id(&["-g", &self.name]).parse().unwrap();
        give(folder, uid, gid);
    }
}

fn give(path: &Path, uid: u32, gid: u32) {
    chown(path, Some(uid), Some(gid)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), uid, gid);
        }
    }
}

fn id(arguments: &[&str]) -> String {
    let output = Command::new("id").args(arguments).output_in_time().unwrap();
    assert!(output.status.success(), "id {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn free_ports() -> (u16, u16) {
    let one = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    (port(&one), port(&other))
}

/// A failing login is answered at once, and never slows the next one down.
fn configuration(folder: &Path, owner: &Owner, plain: u16, tls: u16) -> String {
    let Owner { name, group, .. } = owner;
    let all_as_one_user = match owner.is_another {
        true => String::new(),
        false => format!(
            "default_internal_user = {name}\n\
             default_internal_group = {group}\n\
             default_login_user = {name}\n\
             service anvil {{\n  chroot =\n}}\n\
             service imap-login {{\n  chroot =\n}}\n"
        ),
    };
    let folder = folder.display();
    format!(
        "\
base_dir = {folder}/base
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
login_greeting = {greeting}
first_valid_uid = 1
first_valid_gid = 1
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={name} gid={group} home={folder}/home/%u
}}
mail_location = maildir:~/Maildir
rawlog_dir = %h/rawlog
mail_fsync = never
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
{all_as_one_user}",
        greeting = greeting(plain)
    )
}

/// Tells this Dovecot from whoever else may have taken its port.
fn greeting(plain: u16) -> String {
    format!("mailscope test {} {plain}", std::process::id())
}

/// Starts Dovecot and waits for its greeting; else what it said before it ended.
fn launch(folder: &Path, config: &str, plain: u16) -> Result<Child, String> {
    let file = folder.join("dovecot.conf");
    fs::write(&file, config).unwrap();
    let stderr = folder.join("stderr");
    let mut child = Command::new(DOVECOT.path().expect("dovecot is installed"))
        .args(["-F", "-c"])
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(fs::File::create(&stderr).unwrap())
        .spawn()
        .unwrap();
    let greeting = greeting(plain);
    let started = super::wait_for("Dovecot's greeting", || {
        if child.try_wait().unwrap().is_some() {
            return Some(false);
        }
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, plain)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let line = server::line(&mut stream).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains(&greeting).then_some(true)
    });
    if started {
        return Ok(child);
    }
    let said = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    Err(said(&stderr) + &said(&folder.join("log")))
}

/// The octets of a rawlog: Dovecot puts `1700000000.123456 ` before the first octet of each line,
/// and nothing else. A line ends with LF, inside a literal too.
fn without_times(log: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(log.len());
    for line in log.split_inclusive(|&octet| octet == b'\n') {
        let space = line.iter().position(|&octet| octet == b' ');
        let (time, rest) = line.split_at(space.expect("a time before each line") + 1);
        let is_time = |octet: &u8| octet.is_ascii_digit() || b". ".contains(octet);
        assert!(time.iter().all(is_time), "no time: {line:?}");
        octets.extend_from_slice(rest);
    }
    octets
}
