//! Logs and captures that real programs make here and now: what they say of a session with Dovecot is
//! what Dovecot heard.

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use libtest_mimic::Trial;
use rustix::process::{Pid, Signal, getuid, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::super::real::imapflow;
use super::super::support::dovecot::{Dovecot, PASSWORD};
use super::super::support::maildir::Mail;
use super::super::support::mailscope::{record, run};
use super::super::support::programs::{
    CURL, DOVECOT, MBSYNC, NEOMUTT, NODE, OPENSSL, PYTHON, SCRIPT, TCPDUMP, TSHARK, ignored,
    needing,
};
use super::super::support::terminal::in_a_terminal;
use super::super::support::transcript::Transcript;
use super::super::support::{trials, wait_for};
use super::samples::played;
use super::{import, imported, stderr};
use crate::support::patience::InTime;

pub fn trials() -> Vec<Trial> {
    let mut all = Vec::new();
    all.extend(needing(&[DOVECOT, CURL], trials!("import::programs"; curl)));
    all.extend(needing(
        &[DOVECOT, MBSYNC],
        trials!("import::programs"; mbsync),
    ));
    all.extend(needing(
        &[DOVECOT, NEOMUTT, SCRIPT],
        trials!("import::programs"; neomutt),
    ));
    all.extend(needing(
        &[DOVECOT, OPENSSL, SCRIPT],
        trials!("import::programs"; s_client),
    ));
    let flow = trials!("import::programs"; imapflow_with_and_without_octets);
    all.extend(imapflow::needing_imapflow(needing(&[DOVECOT], flow)));
    let captures = trials!("import::tcpdump";
        a_capture_of_each_kind,
        an_encrypted_capture_is_the_recorded_session,
    );
    let captures = needing(&[DOVECOT, PYTHON, TCPDUMP, TSHARK], captures);
    all.extend(match getuid().is_root() {
        true => captures,
        false => ignored("capturing takes root", captures),
    });
    all
}

/// A Dovecot with a user who has mail, and a folder for what programs write.
fn server() -> (Dovecot, TempDir) {
    let dovecot = Dovecot::start();
    let mail = |number: u32| {
        let text = format!(
            "From: bob@example.com\nSubject: mail {number}\n\nHello {number},\n\nthis is it.\n"
        );
        Mail::new("S", text)
    };
    dovecot.user("alice", &[("INBOX", &[mail(1), mail(2)])]);
    (dovecot, tempfile::tempdir().unwrap())
}

/// The names of the commands that Dovecot heard on its connections behind the login.
fn heard(dovecot: &Dovecot, connections: usize) -> Vec<String> {
    let logs = dovecot.rawlogs("alice", connections);
    let mut folder = Vec::new();
    for (number, log) in logs.iter().enumerate() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(format!("{number}.in"));
        fs::write(&path, &log.client).unwrap();
        fs::write(path.with_extension("out"), &log.server).unwrap();
        let (transcript, _) = imported(&path, &[]);
        folder.extend(names(&transcript));
    }
    folder
}

/// The same of a transcript.
fn names(transcript: &Transcript) -> Vec<String> {
    const BEFORE: [&str; 5] = ["CAPABILITY", "AUTHENTICATE", "LOGIN", "STARTTLS", "ID"];
    let said = transcript.kind("command");
    let names = said
        .iter()
        .map(|event| event["name"].as_str().unwrap().to_owned());
    names
        .filter(|name| !BEFORE.contains(&name.as_str()))
        .collect()
}

/// The log is imported, has what Dovecot heard, and is replayed.
fn has_what_was_heard(dovecot: &Dovecot, name: &str, log: &[u8], folder: &Path) -> Transcript {
    let path = folder.join(format!("{name}.log"));
    fs::write(&path, log).unwrap();
    let (transcript, out) = imported(&path, &[]);
    let mut heard = heard(dovecot, 1);
    assert!(heard.len() > 1, "{heard:?}");
    let said = names(&transcript);
    if name == "curl" {
        heard.retain(|name| name != "LOGOUT"); // which it does not show
    }
    assert_eq!(said, heard, "{name}: {}", String::from_utf8_lossy(log));
    assert_eq!(transcript.kind("opaque").len(), 0, "{name}");
    assert_eq!(transcript.notes("unknown-tag").len(), 0, "{name}");
    assert!(!transcript.text().contains(PASSWORD), "{name}");
    played(name, &transcript, &out);
    transcript
}

fn literals(transcript: &Transcript) -> Vec<String> {
    let wires = transcript
        .events()
        .iter()
        .filter_map(|event| event["wire"].as_array());
    let texts = wires
        .flatten()
        .filter_map(|piece| piece["literal"].as_str().map(str::to_owned));
    texts.collect()
}

fn curl() {
    let (dovecot, folder) = server();
    let output = Command::new(CURL.path().unwrap())
        .args([
            "--silent",
            "--verbose",
            "--user",
            &format!("alice:{PASSWORD}"),
        ])
        .arg(format!("imap://127.0.0.1:{}/INBOX;UID=1", dovecot.plain()))
        .output_in_time()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let transcript = has_what_was_heard(&dovecot, "curl", &output.stderr, folder.path());
    assert_eq!(transcript.notes("literal-not-kept").len(), 1);
    let server = format!("127.0.0.1:{}", dovecot.plain());
    assert_eq!(transcript.header()["server"], server);
}

fn mbsync() {
    let (dovecot, folder) = server();
    let here = folder.path().display();
    fs::create_dir(folder.path().join("near")).unwrap();
    let settings = format!(
        "IMAPAccount a\nHost 127.0.0.1\nPort {}\nUser alice\nPass {PASSWORD}\nSSLType None\nAuthMechs LOGIN\n\n\
         IMAPStore far\nAccount a\n\nMaildirStore near\nPath {here}/near/\nInbox {here}/near/INBOX\n\n\
         Channel c\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSyncState *\n",
        dovecot.plain()
    );
    let place = folder.path().join("mbsyncrc");
    fs::write(&place, settings).unwrap();
    let output = Command::new(MBSYNC.path().unwrap())
        .args(["-D", "-DN", "-c"])
        .arg(&place)
        .arg("c")
        .env("HOME", folder.path())
        .output_in_time()
        .unwrap();
    let log = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&log));
    let transcript = has_what_was_heard(&dovecot, "mbsync", &log, folder.path());
    let literals = literals(&transcript);
    assert!(
        literals
            .iter()
            .any(|text| text.ends_with("Hello 2,\r\n\r\nthis is it.\r\n")),
        "{literals:?}"
    );
}

fn neomutt() {
    let (dovecot, folder) = server();
    let here = folder.path().display();
    let settings = format!(
        "set folder = \"imap://alice@127.0.0.1:{}/\"\nset spool_file = +INBOX\nset imap_pass = {PASSWORD}\n\
         set imap_authenticators = login\nset ssl_starttls = no\nset ssl_force_tls = no\nset tmpdir = {here}\nset history_file = {here}/history\n\
         set sleep_time = 0\nset imap_poll_timeout = 60\nset wait_key = no\nset quit = yes\nset move = no\n\
         push <display-message><exit><quit>\n",
        dovecot.plain()
    );
    fs::write(folder.path().join("rc"), settings).unwrap();
    let command = format!(
        "{} -n -F {here}/rc -d 5 -l {here}/debug",
        NEOMUTT.path().unwrap().display()
    );
    let output = in_a_terminal(&command)
        .env("HOME", folder.path())
        .output_in_time()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let log = fs::read(folder.path().join("debug0")).unwrap();
    let transcript = has_what_was_heard(&dovecot, "neomutt", &log, folder.path());
    assert!(!literals(&transcript).is_empty());
}

/// With what `script` keeps of the terminal: each typed line where it was typed.
fn s_client() {
    use std::io::{Read, Write};
    for options in ["", "-quiet", "-starttls imap"] {
        let (dovecot, folder) = server();
        let port = if options.contains("starttls") {
            dovecot.plain()
        } else {
            dovecot.tls()
        };
        let command = format!(
            "{} s_client -crlf {options} -connect 127.0.0.1:{port} -CAfile {}",
            OPENSSL.path().unwrap().display(),
            dovecot.ca().display()
        );
        let mut session = in_a_terminal(&command)
            .env("HOME", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut typed, mut shown) = (
            session.stdin.take().unwrap(),
            session.stdout.take().unwrap(),
        );
        let mut kept: Vec<u8> = Vec::new();
        let mut until = |kept: &mut Vec<u8>, words: &str| {
            let from = kept.len();
            let has = |kept: &[u8]| String::from_utf8_lossy(&kept[from..]).contains(words);
            let mut octets = [0; 4096];
            while !has(kept) {
                let length = shown.read(&mut octets).unwrap_or(0);
                assert!(length > 0, "{words}: {}", String::from_utf8_lossy(kept));
                kept.extend(&octets[..length]);
            }
        };
        let ready = if options.contains("starttls") {
            "read R BLOCK"
        } else {
            "ready"
        };
        if options.contains("starttls") {
            until(&mut kept, ready);
        } else {
            until(&mut kept, "* OK");
        }
        for (command, answer) in [
            (format!("a LOGIN alice {PASSWORD}"), "a OK"),
            ("b SELECT INBOX".to_owned(), "b OK"),
            ("c FETCH 1 (FLAGS BODY.PEEK[TEXT])".to_owned(), "c OK"),
            ("d IDLE".to_owned(), "+ idling"),
            ("DONE".to_owned(), "d OK"),
            ("e LOGOUT".to_owned(), "e OK"),
        ] {
            typed.write_all(format!("{command}\n").as_bytes()).unwrap();
            until(&mut kept, answer);
        }
        drop(typed);
        let _ = shown.read_to_end(&mut kept);
        session.wait().unwrap();
        let transcript = has_what_was_heard(&dovecot, "s_client", &kept, folder.path());
        assert_eq!(
            literals(&transcript),
            ["Hello 1,\r\n\r\nthis is it.\r\n"],
            "{options}"
        );
    }
}

fn imapflow_with_and_without_octets() {
    let program = "\
const { ImapFlow } = require('imapflow');
const [port, user, pass, raw] = process.argv.slice(2);
(async () => {
  const client = new ImapFlow({ host: '127.0.0.1', port: Number(port), secure: false, doSTARTTLS: false,
    auth: { user, pass }, logRaw: raw === 'true', disableAutoIdle: true });
  await client.connect();
  const lock = await client.getMailboxLock('INBOX');
  await client.fetchOne('1', { source: true, flags: true });
  lock.release();
  await client.logout();
})();
";
    for raw in ["false", "true"] {
        let (dovecot, folder) = server();
        let place = folder.path().join("session.cjs");
        fs::write(&place, program).unwrap();
        let output = Command::new(NODE.path().unwrap())
            .arg(&place)
            .args([&dovecot.plain().to_string(), "alice", PASSWORD, raw])
            .env("NODE_PATH", imapflow::modules())
            .output_in_time()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let transcript = has_what_was_heard(&dovecot, "imapflow", &output.stdout, folder.path());
        let kept = literals(&transcript)
            .iter()
            .any(|text| text.ends_with("this is it.\r\n"));
        assert_eq!(kept, raw == "true");
        let missing = transcript.notes("literal-not-kept").len();
        assert_eq!(missing, usize::from(raw == "false"));
    }
}

/// A capture that goes on.
struct Tcpdump {
    child: Child,
    capture: PathBuf,
}

impl Tcpdump {
    /// Begins one, of a port; what comes in by UDP is captured too.
    fn start(capture: &Path, arguments: &[&str], port: u16) -> Self {
        let log = capture.with_extension("said");
        let child = Command::new(TCPDUMP.path().unwrap())
            .args(["-U", "--immediate-mode", "-B", "16384", "-Z", "root"])
            .args(arguments)
            .arg("-w")
            .arg(capture)
            .arg(format!("tcp port {port} or udp"))
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let said = || fs::read_to_string(&log).unwrap();
        let tcpdump = Self {
            child,
            capture: capture.to_owned(),
        };
        wait_for("tcpdump", || said().contains("listening on").then_some(()));
        tcpdump
    }

    /// Ends it, once it has all that was said until now: a datagram that is sent now is in it.
    fn end(self) {
        let last = UdpSocket::bind("127.0.0.1:0").unwrap();
        let own = last.local_addr().unwrap();
        last.send_to(b"the end", own).unwrap();
        let has_it = || {
            let listed = Command::new(TCPDUMP.path().unwrap())
                .args(["-n", "-r"])
                .arg(&self.capture)
                .arg(format!("udp and src port {}", own.port()))
                .output_in_time()
                .unwrap();
            (!listed.stdout.is_empty()).then_some(())
        };
        wait_for("the last packet in the capture", has_it);
    }
}

impl Drop for Tcpdump {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        let _ = kill_process(pid, Signal::INT);
        let _ = self.child.wait();
    }
}

const SESSION: &str = "import imaplib, ssl, sys\n\
    port, password, ca = int(sys.argv[1]), sys.argv[2], sys.argv[3]\n\
    m = imaplib.IMAP4_SSL('localhost', port, ssl_context=ssl.create_default_context(cafile=ca)) if ca else imaplib.IMAP4('127.0.0.1', port)\n\
    m.login('alice', password)\nm.select()\nm.fetch('1:2', '(FLAGS BODY[])')\n\
    m.append('INBOX', None, None, b'Subject: new\\r\\n\\r\\n' + b'x' * 50000)\nm.close()\nm.logout()\n";

fn session(port: u16, ca: &str) {
    let output = Command::new(PYTHON.path().unwrap())
        .args(["-c", SESSION, &port.to_string(), PASSWORD, ca])
        .output_in_time()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn a_capture_of_each_kind() {
    /// A busy machine loses packets, which is told by gaps.
    const TRIES: usize = 5;
    for arguments in [
        &["-i", "lo"][..],
        &["-i", "lo", "--time-stamp-precision=nano"],
        &["-i", "any", "-y", "LINUX_SLL"],
        &["-i", "any", "-y", "LINUX_SLL2"],
        &["-i", "lo", "-s", "200"],
    ] {
        let is_cut = arguments.contains(&"-s");
        let is_whole = (0..TRIES).any(|_| is_captured_whole(arguments, is_cut));
        assert!(is_whole, "{arguments:?}");
    }
}

/// Whether a capture has all that was said, or all but what it cut short.
fn is_captured_whole(arguments: &[&str], is_cut: bool) -> bool {
    let (dovecot, folder) = server();
    let capture = folder.path().join("session.pcap");
    let tcpdump = Tcpdump::start(&capture, arguments, dovecot.plain());
    session(dovecot.plain(), "");
    let heard = heard(&dovecot, 1);
    tcpdump.end();
    let (transcript, out) = imported(&capture, &[]);
    let server = format!("127.0.0.1:{}", dovecot.plain());
    let has_gaps = !transcript.kind("gap").is_empty();
    if names(&transcript) != heard || has_gaps != is_cut {
        return false;
    }
    assert_eq!(transcript.header()["server"], server);
    if !is_cut {
        played("tcpdump", &transcript, &out);
    }
    true
}

/// What was recorded through mailscope is captured between it and the server, decrypted as the error says
/// by mailscope's own key log, or by keys put into the capture, and is the same conversation.
fn an_encrypted_capture_is_the_recorded_session() {
    let (dovecot, folder) = server();
    let place = |name: &str| folder.path().join(name);
    let keys = place("keys.log");
    let mut mailscope = record(&format!("imaps://localhost:{}", dovecot.tls()))
        .with(&[
            "--server-ca",
            dovecot.ca().to_str().unwrap(),
            "--keylog",
            keys.to_str().unwrap(),
        ])
        .start();
    let capture = place("session.pcap");
    let tcpdump = Tcpdump::start(&capture, &["-i", "lo"], dovecot.tls());
    let (_, port) = mailscope.tls().rsplit_once(':').unwrap();
    session(port.parse().unwrap(), mailscope.ca().to_str().unwrap());
    mailscope.closed(1);
    heard(&dovecot, 1);
    tcpdump.end();
    mailscope.stop();
    let shell = |command: &str| -> Output {
        let output = Command::new("sh")
            .current_dir(folder.path())
            .args(["-c", command])
            .output_in_time()
            .unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        output
    };
    shell("editcap --inject-secrets tls,keys.log session.pcap with-keys.pcapng");
    for name in ["session.pcap", "with-keys.pcapng"] {
        let (output, _) = import(&place(name), &[]);
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        let (_, command) = said.split_once("  try: ").unwrap();
        let (command, _) = command.split_once(", and import decrypted.pcapng").unwrap();
        shell(&command.replace("KEYS", "keys.log"));
        let (transcript, out) = imported(&place("decrypted.pcapng"), &[]);
        let recorded = mailscope.out().to_str().unwrap().to_owned();
        let compared = run(&["diff", &recorded, out.to_str().unwrap()]);
        assert_eq!(compared.status.code(), Some(0), "{name}: {compared:?}");
        assert_eq!(names(&transcript), heard(&dovecot, 1));
        let is_large = |event: &&Value| event["wire"].to_string().len() > 50_000;
        assert_eq!(
            transcript
                .kind("command")
                .into_iter()
                .filter(is_large)
                .count(),
            1
        );
        played(name, &transcript, &out);
        for made in ["decrypted.pcapng", "decrypted.imported.json"] {
            fs::remove_file(place(made)).unwrap();
        }
    }
}
