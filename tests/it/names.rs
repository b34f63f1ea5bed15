//! A server's name that is not found: said when mailscope starts and for each connection, with what to
//! do; nothing hangs by it, and once it is found, apps are served. In a network of the test's own, with a
//! name server of its own.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::Signal;

use super::support::app::App;
use super::support::mailscope::{Recording, record};
use super::support::network::{apart, needing_networks};
use super::support::server::{Server, polite};
use super::support::{trials, wait_for};

pub fn trials() -> Vec<Trial> {
    needing_networks(trials!("names";
        a_name_that_is_not_found,
        a_name_server_that_is_silent_holds_nobody_up,
        there_is_no_network,
    ))
}

/// What is looked up.
const NAME: &str = "imap.example.com";

/// How a name server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Answers {
    /// There is no such name.
    NotFound,
    /// It could not find out.
    Failure,
    /// Not at all.
    Nothing,
    /// 127.0.0.1.
    Found,
}

/// A name server at 127.0.0.1.
struct NameServer {
    answers: Arc<AtomicU8>,
    asked: Arc<AtomicBool>,
}

impl NameServer {
    fn start(answers: Answers) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
        let server = Self {
            answers: Arc::new(AtomicU8::new(answers as u8)),
            asked: Arc::default(),
        };
        let (answers, asked) = (Arc::clone(&server.answers), Arc::clone(&server.asked));
        // It ends with the test.
        std::thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                asked.store(true, Ordering::SeqCst);
                if let Some(answer) = answer(&question[..length], answers.load(Ordering::SeqCst)) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        server
    }

    fn answers(&self, answers: Answers) {
        self.answers.store(answers as u8, Ordering::SeqCst);
    }
}

/// An answer to a question of one name (RFC 1035, section 4.1).
fn answer(question: &[u8], answers: u8) -> Option<Vec<u8>> {
    const RESPONSE: u8 = 0x80;
    if answers == Answers::Nothing as u8 {
        return None;
    }
    let code = match answers {
        a if a == Answers::NotFound as u8 => 3,
        a if a == Answers::Failure as u8 => 2,
        _ => 0,
    };
    let name = question[12..].iter().position(|&length| length == 0)?;
    let end = 12 + name + 5;
    let is_ipv4 = question.get(end - 4..end - 2)? == [0, 1];
    let mut answer = question[..end].to_vec();
    (answer[2], answer[3]) = (question[2] | RESPONSE, code);
    // One question, and nothing additional.
    answer[4..12].copy_from_slice(&[0, 1, 0, 0, 0, 0, 0, 0]);
    if code == 0 && is_ipv4 {
        answer[7] = 1;
        // The same name, A, IN, one second, four octets.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}

/// A recording whose name server is at 127.0.0.1, and is asked like this.
fn asking(server: &Server, folder: &tempfile::TempDir, options: &str) -> Recording {
    let path = folder.path().join("resolv.conf");
    std::fs::write(&path, format!("nameserver 127.0.0.1\noptions {options}\n")).unwrap();
    let run = format!(
        "mount --bind '{}' /etc/resolv.conf && exec \"$0\" \"$@\"",
        path.display()
    );
    let name = format!("{NAME}:{}", server.port());
    let recording = record(&name).with(&["--server-tls", "none"]);
    recording.through(&["unshare", "-m", "sh", "-c", &run])
}

fn a_name_that_is_not_found() {
    apart(|| {
        let folder = tempfile::tempdir().unwrap();
        let names = NameServer::start(Answers::NotFound);
        let server = Server::plain(polite);
        let mut mailscope = asking(&server, &folder, "timeout:1 attempts:1").start();
        let hint = "check the spelling of the server's name, and that this computer is online";
        wait_for("the warning at the start", || {
            let stderr = mailscope.stderr();
            let why = format!("the name {NAME} is not found (");
            (stderr.contains(&why) && stderr.contains(hint)).then_some(())
        });
        let mut conn = 0;
        for answers in [Answers::NotFound, Answers::Failure, Answers::Nothing] {
            names.answers(answers);
            let begun = Instant::now();
            let mut app = App::plain(mailscope.plain());
            assert_eq!(app.rest().unwrap(), b"", "{answers:?}");
            assert!(begun.elapsed() < Duration::from_secs(15), "{answers:?}");
            conn += 1;
            mailscope.closed(conn);
        }
        names.answers(Answers::Found);
        let mut app = App::plain(mailscope.plain());
        app.hear("* OK");
        app.command("a", "LOGOUT");
        app.finish();
        mailscope.closed(conn + 1);
        let transcript = mailscope.stop();
        let notes = transcript.notes("server-unreachable");
        assert_eq!(notes.len(), conn);
        for note in notes {
            let text = note["text"].as_str().unwrap();
            assert!(text.contains(NAME) && text.contains(hint), "{text}");
        }
        assert_eq!(mailscope.stdout(), mailscope.show());
    });
}

fn a_name_server_that_is_silent_holds_nobody_up() {
    apart(|| {
        let folder = tempfile::tempdir().unwrap();
        let names = NameServer::start(Answers::Found);
        let server = Server::plain(polite);
        let mut mailscope = asking(&server, &folder, "timeout:30 attempts:5").start();
        let mut app = App::plain(mailscope.plain());
        app.hear("* OK");
        names.answers(Answers::Nothing);
        names.asked.store(false, Ordering::SeqCst);
        let waiting: Vec<App> = (0..20).map(|_| App::plain(mailscope.plain())).collect();
        wait_for("a question", || {
            names.asked.load(Ordering::SeqCst).then_some(())
        });
        for turn in 0..10 {
            let tag = format!("t{turn}");
            assert_eq!(app.command(&tag, "NOOP"), format!("{tag} OK done\r\n"));
        }
        let begun = Instant::now();
        mailscope.signal(Signal::TERM);
        assert_eq!(mailscope.wait().code(), Some(0), "{}", mailscope.stderr());
        assert!(begun.elapsed() < Duration::from_secs(2));
        drop(waiting);
        let closed = mailscope.transcript().kind("closed").len();
        assert_eq!(closed, 21);
    });
}

/// Nobody is asked at all: there is no way to the name server.
fn there_is_no_network() {
    apart(|| {
        let mut mailscope = record(&format!("{NAME}:143")).start();
        let mut app = App::plain(mailscope.plain());
        assert_eq!(app.rest().unwrap(), b"");
        mailscope.closed(1);
        let transcript = mailscope.stop();
        let text = transcript.notes("server-unreachable")[0]["text"].to_string();
        assert!(text.contains("that this computer is online"), "{text}");
    });
}
