//! STARTTLS over real sockets: what is injected, refused or missing. What goes right is `real::legs`.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use libtest_mimic::Trial;
use rustls::{ServerConfig, ServerConnection};

use super::support::app::App;
use super::support::certificates::TestAuthority;
use super::support::mailscope::{Mailscope, record};
use super::support::server::{Server, Stream, line, polite};
use super::support::transcript::Transcript;
use super::support::{PATIENCE, trials};

pub fn trials() -> Vec<Trial> {
    trials!("starttls";
        a_password_does_not_cross_where_starttls_was_taken_out_of_the_list,
        a_refusal_goes_on_in_cleartext,
        an_app_that_does_not_stop_talking_is_let_go,
        an_app_that_does_not_trust_the_authority,
        injected_behind_mailscopes_own_answer,
        injected_behind_the_command,
        injected_behind_the_servers_ok,
        the_server_does_not_offer_it,
        the_servers_certificate_is_not_trusted,
    )
}

const GREETING: &[u8] = b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n";

/// A server that does STARTTLS, whose authority is its own.
struct Far {
    server: Server,
    authority: TestAuthority,
    _folder: tempfile::TempDir,
}

impl Far {
    /// It says `behind` in one write with its OK, and then, behind TLS, answers politely. Every line
    /// that it hears goes to `heard`.
    fn start(behind: &'static [u8], heard: Sender<String>) -> Self {
        let (go, goes) = channel();
        go.send(()).unwrap();
        Self::start_when(goes, behind, heard)
    }

    /// The same; it agrees to STARTTLS when it is told to.
    fn start_when(goes: Receiver<()>, behind: &'static [u8], heard: Sender<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = TestAuthority::new(folder.path());
        let tls = authority.server(&["localhost"]);
        let shared = std::sync::Mutex::new((heard, goes));
        let server = Server::plain(move |stream| {
            let heard = shared.lock().unwrap().0.clone();
            stream.write_all(GREETING)?;
            let tag = loop {
                let said = String::from_utf8(line(stream)?).unwrap();
                let _ = heard.send(said.clone());
                let mut words = said.split_whitespace();
                match (words.next(), words.next()) {
                    (Some(tag), Some("STARTTLS")) => break tag.to_owned(),
                    (Some(tag), _) => stream.write_all(format!("{tag} OK done\r\n").as_bytes())?,
                    (None, _) => return Ok(()),
                }
            };
            let _ = shared.lock().unwrap().1.recv_timeout(PATIENCE);
            stream.write_all(&[format!("{tag} OK go\r\n").as_bytes(), behind].concat())?;
            secured(stream, &tls, &heard)
        });
        Self {
            server,
            authority,
            _folder: folder,
        }
    }

    fn record(&self) -> Mailscope {
        record(&format!("imap://{}", self.server.name()))
            .with(&["--server-ca", self.authority.pem().to_str().unwrap()])
            .start()
    }
}

fn secured(
    stream: &mut dyn Stream,
    tls: &Arc<ServerConfig>,
    heard: &Sender<String>,
) -> io::Result<()> {
    let mut connection = ServerConnection::new(Arc::clone(tls)).unwrap();
    let mut tcp = stream.tcp().try_clone()?;
    let mut stream = rustls::Stream::new(&mut connection, &mut tcp);
    loop {
        let said = String::from_utf8(line(&mut stream)?).unwrap();
        let Some(tag) = said.split_whitespace().next() else {
            return Ok(());
        };
        let _ = heard.send(said.clone());
        stream.write_all(format!("{tag} OK behind TLS\r\n").as_bytes())?;
        stream.flush()?;
    }
}

/// The app goes; what was kept.
fn end(mut app: App, mailscope: &mut Mailscope) -> Transcript {
    app.finish();
    drop(app);
    mailscope.closed(1);
    let transcript = mailscope.stop();
    assert_eq!(mailscope.stdout(), mailscope.show());
    transcript
}

/// One note, told loudly, of octets that were not passed on.
fn an_injection_was_told(transcript: &Transcript, mailscope: &Mailscope, from: &str) {
    assert_eq!(transcript.notes("starttls-injection").len(), 1);
    assert!(mailscope.stderr().contains("CVE-2011-0411"));
    let dropped = transcript.kind("opaque");
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0]["from"], from);
    assert_eq!(dropped[0]["sent"], serde_json::json!([]));
}

fn injected_behind_the_command() {
    for apart in [false, true] {
        let (heard, hears) = channel();
        let (go, goes) = channel();
        let far = Far::start_when(goes, b"", heard);
        let mut mailscope = far.record();
        let mut app = App::plain(mailscope.plain());
        app.hear("* OK");
        let injected = b"b LOGIN mallory hunter2\r\n";
        match apart {
            false => app.say(&[b"a STARTTLS\r\n", &injected[..]].concat()),
            true => {
                app.say(b"a STARTTLS\r\n");
                app.say(injected);
            }
        }
        // What was said is with mailscope now, on one machine.
        go.send(()).unwrap();
        app.hear("a OK");
        app.begin_tls("localhost", &mailscope.ca());
        assert!(app.command("c", "NOOP").contains("c OK behind TLS"));
        let transcript = end(app, &mut mailscope);
        drop(far);
        let heard: Vec<String> = hears.iter().collect();
        assert_eq!(heard, ["a STARTTLS\r\n", "c NOOP\r\n"]);
        an_injection_was_told(&transcript, &mailscope, "client");
        assert!(!transcript.text().contains("mallory"));
    }
}

fn injected_behind_the_servers_ok() {
    let (heard, _hears) = channel();
    let far = Far::start(b"* CAPABILITY INJECTED\r\nb OK injected\r\n", heard);
    let mut mailscope = far.record();
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    assert_eq!(app.command("a", "STARTTLS"), "a OK go\r\n");
    app.begin_tls("localhost", &mailscope.ca());
    assert_eq!(app.command("b", "NOOP"), "b OK behind TLS\r\n");
    let transcript = end(app, &mut mailscope);
    an_injection_was_told(&transcript, &mailscope, "server");
}

/// Where the server's leg is cleartext, mailscope agrees by itself.
fn injected_behind_mailscopes_own_answer() {
    let server = Server::plain(polite);
    let mut mailscope = record(&server.name())
        .with(&["--server-tls", "none"])
        .start();
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    app.say(b"a STARTTLS\r\nb LOGIN mallory hunter2\r\n");
    assert_eq!(app.hear("a OK"), "a OK Begin TLS negotiation now\r\n");
    app.begin_tls("localhost", &mailscope.ca());
    assert_eq!(app.command("c", "NOOP"), "c OK done\r\n");
    let transcript = end(app, &mut mailscope);
    an_injection_was_told(&transcript, &mailscope, "client");
    let own = transcript
        .events()
        .iter()
        .filter(|event| event["from"] == "mailscope");
    assert_eq!(own.count(), 1);
}

fn a_refusal_goes_on_in_cleartext() {
    let server = Server::plain(|stream| {
        stream.write_all(b"* OK ready\r\n")?;
        let said = line(stream)?;
        assert_eq!(said, b"a STARTTLS\r\n");
        stream.write_all(b"a NO not today\r\n")?;
        let said = line(stream)?;
        assert_eq!(said, b"b NOOP\r\n");
        stream.write_all(b"b OK done\r\n")
    });
    let mut mailscope = record(&format!("imap://{}", server.name())).start();
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    app.say(b"a STARTTLS\r\nb NOOP\r\n");
    assert_eq!(app.hear("b OK"), "a NO not today\r\nb OK done\r\n");
    let transcript = end(app, &mut mailscope);
    assert!(transcript.kind("secured").is_empty());
    assert!(transcript.kind("note").is_empty());
}

fn the_server_does_not_offer_it() {
    let (heard, hears) = channel();
    let heard = std::sync::Mutex::new(heard);
    let server = Server::plain(move |stream| {
        stream.write_all(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")?;
        let _ = heard.lock().unwrap().send(line(stream)?);
        Ok(())
    });
    let mut mailscope = record(&format!("imap://{}", server.name())).start();
    let mut app = App::plain(mailscope.plain());
    let _ = app.rest();
    let mut app = App::tls(mailscope.tls(), "localhost", &mailscope.ca());
    let _ = app.rest();
    mailscope.closed(2);
    let transcript = mailscope.stop();
    assert_eq!(transcript.notes("starttls-not-offered").len(), 2);
    for conn in [1, 2] {
        let reason = transcript.closed(conn)["reason"].as_str().unwrap();
        assert_eq!(reason, "the server does not offer STARTTLS");
    }
    assert!(mailscope.stderr().contains("--server-tls none"));
    drop(server);
    assert!(
        hears.iter().all(|line| line.is_empty()),
        "nothing was sent to it"
    );
}

fn a_password_does_not_cross_where_starttls_was_taken_out_of_the_list() {
    let (heard, hears) = channel();
    let heard = std::sync::Mutex::new(heard);
    let server = Server::plain(move |stream| {
        stream.write_all(b"* OK ready\r\n")?;
        line(stream)?;
        stream.write_all(b"* CAPABILITY IMAP4rev1\r\na OK done\r\n")?;
        let _ = heard.lock().unwrap().send(line(stream)?);
        Ok(())
    });
    let mut mailscope = record(&format!("imap://{}", server.name())).start();
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    app.command("a", "CAPABILITY");
    app.say(b"b LOGIN alice hunter2\r\nc NOOP\r\n");
    let _ = app.rest();
    mailscope.closed(1);
    let transcript = mailscope.stop();
    assert_eq!(transcript.notes("starttls-not-offered").len(), 1);
    assert_eq!(mailscope.stdout(), mailscope.show());
    let login = transcript
        .events()
        .iter()
        .find(|event| event["name"] == "LOGIN")
        .unwrap();
    assert_eq!(login["sent"], serde_json::json!([]));
    drop(server);
    assert!(
        hears.iter().all(|line| line.is_empty()),
        "nothing was sent to it"
    );
}

fn an_app_that_does_not_stop_talking_is_let_go() {
    let server = Server::plain(polite);
    let mut mailscope = record(&server.name())
        .with(&["--server-tls", "none", "--quiet"])
        .start();
    let mut app = std::net::TcpStream::connect(mailscope.plain()).unwrap();
    app.write_all(b"a STARTTLS\r\n").unwrap();
    while app.write_all(&[b'x'; 4096]).is_ok() {}
    mailscope.closed(1);
    let transcript = mailscope.stop();
    assert!(!transcript.notes("client-handshake").is_empty());
}

fn the_servers_certificate_is_not_trusted() {
    let (heard, _hears) = channel();
    let far = Far::start(b"", heard);
    let mut mailscope = record(&format!("imap://{}", far.server.name())).start();
    let mut app = App::tls(mailscope.tls(), "localhost", &mailscope.ca());
    assert_eq!(
        app.rest().unwrap(),
        b"",
        "no greeting before the leg is secured"
    );
    mailscope.closed(1);
    let transcript = mailscope.stop();
    assert_eq!(transcript.notes("server-untrusted").len(), 1);
}

fn an_app_that_does_not_trust_the_authority() {
    let server = Server::plain(polite);
    let mut mailscope = record(&server.name())
        .with(&["--server-tls", "none"])
        .start();
    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = TestAuthority::new(elsewhere.path());
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    app.command("a", "STARTTLS");
    assert!(app.try_tls("localhost", stranger.pem()).is_err());
    mailscope.closed(1);
    let transcript = mailscope.stop();
    assert_eq!(transcript.notes("client-distrust").len(), 1);
}
