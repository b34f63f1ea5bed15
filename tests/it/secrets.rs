//! No secret reaches any output: every way to log in is played through the running mailscope, and
//! everything that it wrote is searched, raw and in base64.
//!
//! Two passwords of different length and first letter go through the same conversation; what is
//! written about them must be the same but for times and ports.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::Trial;
use serde_json::Value;

use super::support::app::App;
use super::support::mailscope::{Mailscope, binary, record};
use super::support::patience::InTime;
use super::support::server::{Server, Stream, line};
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    trials!("secrets";
        no_way_to_log_in_leaks,
        neither_length_nor_first_letter_is_told,
        show_secrets_shows_them_and_says_so,
        the_search_finds_what_it_should,
    )
}

/// One step of a conversation.
#[derive(Clone)]
enum Turn {
    /// The app says this.
    C(Vec<u8>),
    /// The server says this.
    S(Vec<u8>),
}

use Turn::{C, S};

fn c(text: String) -> Turn {
    C(text.into_bytes())
}

fn s(text: &str) -> Turn {
    S(text.as_bytes().to_vec())
}

fn base64(octets: impl AsRef<[u8]>) -> String {
    STANDARD.encode(octets)
}

/// Every conversation that holds the password `p`, and a name for it.
fn conversations(p: &str) -> Vec<(&'static str, Vec<Turn>)> {
    let ok = |tag: &str| s(&format!("{tag} OK in\r\n"));
    let no = |tag: &str| s(&format!("{tag} NO [AUTHENTICATIONFAILED] no\r\n"));
    let bad = |tag: &str| s(&format!("{tag} BAD what\r\n"));
    let go = || s("+ go\r\n");
    let n = p.len();
    let plain = base64(format!("\0alice\0{p}"));
    let bearer = base64(format!("n,a=alice,\x01auth=Bearer {p}\x01\x01"));
    let xoauth2 = base64(format!("user=alice\x01auth=Bearer {p}\x01\x01"));
    vec![
        ("login atom", vec![c(format!("a LOGIN alice {p}\r\n")), ok("a")]),
        ("login lower case", vec![c(format!("a login alice {p}\r\n")), ok("a")]),
        ("login quoted", vec![c(format!("a LOGIN \"alice\" \"{p}\"\r\n")), ok("a")]),
        ("login synchronizing literals", vec![
            c("a LOGIN {5}\r\n".into()), go(),
            c(format!("alice {{{n}}}\r\n")), go(),
            c(format!("{p}\r\n")), ok("a"),
        ]),
        ("login literals without waiting", vec![
            c(format!("a LOGIN {{5+}}\r\nalice {{{n}+}}\r\n{p}\r\n")), ok("a"),
        ]),
        ("login literal refused, then retried quoted", vec![
            c(format!("a LOGIN alice {{{n}}}\r\n")), bad("a"),
            c(format!("b LOGIN alice \"{p}\"\r\n")), ok("b"),
        ]),
        ("login with a literal that is sent all the same", vec![
            c(format!("a LOGIN alice {{{n}}}\r\n{p}\r\n")), bad("a"),
            c("b NOOP\r\n".into()), ok("b"),
        ]),
        ("login with one octet a read", p.bytes().fold(
            vec![c("a LOGIN alice \"".into()), s("* OK x\r\n")],
            |mut turns, octet| {
                turns.extend([C(vec![octet]), s("* OK x\r\n")]);
                turns
            },
        ).into_iter().chain([c("\"\r\n".into()), ok("a")]).collect()),
        ("retry, with the server's echo of it", vec![
            c(format!("a LOGIN alice {p}\r\n")),
            s(&format!("* NO wrong: {p}\r\n")),
            s(&format!("a NO [AUTHENTICATIONFAILED] {p} is wrong\r\n")),
            c(format!("b LOGIN alice \"{p}\"\r\n")),
            s(&format!("b BAD Unknown command {p}\r\n")),
            c(format!("c AUTHENTICATE PLAIN {plain}\r\n")),
            s(&format!("c NO cannot take {plain}\r\n")),
        ]),
        ("again after login", vec![
            c(format!("a LOGIN alice {p}\r\n")), ok("a"),
            c(format!("b LOGIN alice {p}\r\n")), bad("b"),
            c(format!("c CREATE \"x {p}\"\r\n")), ok("c"),
            c(format!("d XPASS {p}\r\n")), bad("d"),
        ]),
        ("typed without a tag", vec![
            c(format!("LOGIN alice {p}\r\n")), s("LOGIN BAD no\r\n"),
        ]),
        ("a word that is no command", vec![c(format!("a LOGIM alice {p}\r\n")), bad("a")]),
        ("nothing but the password", vec![c(format!("{p}\r\n")), s("* BAD what\r\n")]),
        ("too many arguments", vec![c(format!("a LOGIN alice {p} x\r\n")), bad("a")]),
        ("too few arguments", vec![c(format!("a LOGIN {p}\r\n")), bad("a")]),
        ("an open quote", vec![c(format!("a LOGIN alice \"{p}\r\n")), bad("a")]),
        ("a command with a password where none belongs", vec![
            c(format!("a CAPABILITY {p}\r\n")), bad("a"),
            c(format!("b NOOP {p}\r\n")), bad("b"),
        ]),
        ("cut short", vec![c(format!("a LOGIN alice {p}"))]),
        ("cut short in a literal", vec![
            c(format!("a LOGIN alice {{{}}}\r\n", n + 100)), go(), c(p.to_owned()),
        ]),
        ("authenticate plain, initial response", vec![
            c(format!("a AUTHENTICATE PLAIN {plain}\r\n")), ok("a"),
        ]),
        ("authenticate plain, asked for", vec![
            c("a AUTHENTICATE PLAIN\r\n".into()), s("+ \r\n"), c(format!("{plain}\r\n")), ok("a"),
        ]),
        ("authenticate plain, not waiting", vec![
            c(format!("a AUTHENTICATE PLAIN\r\n{plain}\r\n")), s("+ \r\n"), ok("a"),
        ]),
        ("authenticate plain, refused while it is on its way", vec![
            c("a AUTHENTICATE PLAIN\r\n".into()), no("a"), c(format!("{plain}\r\n")),
            s("* BAD what\r\n"),
        ]),
        ("authenticate login", vec![
            c("a AUTHENTICATE LOGIN\r\n".into()), s("+ VXNlcm5hbWU6\r\n"),
            c(format!("{}\r\n", base64("alice"))), s("+ UGFzc3dvcmQ6\r\n"),
            c(format!("{}\r\n", base64(p))), no("a"),
            c(format!("b LOGIN alice {p}\r\n")), ok("b"),
        ]),
        ("authenticate cram-md5", vec![
            c("a AUTHENTICATE CRAM-MD5\r\n".into()), s("+ PDE4OTYuNjk3QHBvPg==\r\n"),
            c(format!("{}\r\n", base64(format!("alice {p}")))), ok("a"),
        ]),
        ("authenticate scram", vec![
            c(format!("a AUTHENTICATE SCRAM-SHA-256 {}\r\n", base64(format!("n,,n=alice,r={p}")))),
            s(&format!("+ {}\r\n", base64(format!("r={p}x,s=c2FsdA==,i=4096")))),
            c(format!("{}\r\n", base64(format!("c=biws,r={p}x,p={}", base64(p))))),
            s(&format!("+ {}\r\n", base64(format!("v={}", base64(p))))),
            c("\r\n".into()), ok("a"),
        ]),
        ("authenticate xoauth2", vec![
            c(format!("a AUTHENTICATE XOAUTH2 {xoauth2}\r\n")),
            s(&format!("+ {}\r\n", base64("{\"status\":\"400\"}"))),
            c("\r\n".into()), no("a"),
        ]),
        ("authenticate oauthbearer", vec![
            c("a AUTHENTICATE OAUTHBEARER\r\n".into()), s("+ \r\n"),
            c(format!("{bearer}\r\n")), ok("a"),
        ]),
        ("authenticate with what nobody knows", vec![
            c(format!("a AUTHENTICATE X-{n} {}\r\n", base64(p)).replace(&format!("X-{n}"), "X-NEW")),
            s(&format!("+ {}\r\n", base64(format!("challenge {p}")))),
            c(format!("{p}\r\n")), s(&format!("+ {p}\r\n")), c("*\r\n".into()), bad("a"),
        ]),
        ("urlauth", vec![
            c("a LOGIN alice other-word\r\n".into()), ok("a"),
            c("b GENURLAUTH \"imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=submit+fred\" INTERNAL\r\n".into()),
            s(&format!("* GENURLAUTH \"imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=submit+fred:internal:{p}\"\r\n")),
            ok("b"),
            c(format!("c URLFETCH \"imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=submit+fred:internal:{p}\"\r\n")),
            s(&format!("* URLFETCH \"imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=submit+fred:internal:{p}\" \"hi\"\r\n")),
            ok("c"),
            c(format!("d APPEND Drafts CATENATE (URL \"imap://x/;urlauth=anonymous:internal:{p}\")\r\n")),
            s(&format!("d NO [BADURL \"imap://x/;urlauth=anonymous:internal:{p}\"] no\r\n")),
        ]),
    ]
}

/// A password that occurs nowhere by chance.
const PASSWORD: &str = "Zq7kV-hunter2-Xw9";

/// Plays the conversations, a connection each, and ends mailscope.
fn play(conversations: &[(&'static str, Vec<Turn>)], arguments: &[&str]) -> Mailscope {
    let scripts: Vec<Vec<Turn>> = conversations
        .iter()
        .map(|(_, turns)| turns.clone())
        .collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let served = scripts.clone();
    let server = Server::plain(move |stream| {
        let script = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        serve(stream, &served[script])
    });
    let mut mailscope = record(&server.name())
        .with(&["--server-tls", "none"])
        .with(arguments)
        .start();
    for (number, script) in scripts.iter().enumerate() {
        let mut app = App::plain(mailscope.plain());
        app.hear("* OK");
        for turn in script {
            match turn {
                C(octets) => app.say(octets),
                S(octets) => assert_eq!(app.hear_octets(octets.len()), *octets),
            }
        }
        app.finish();
        app.rest().unwrap();
        mailscope.closed(number + 1);
    }
    mailscope.stop();
    mailscope
}

fn serve(stream: &mut dyn Stream, script: &[Turn]) -> std::io::Result<()> {
    stream.write_all(b"* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n")?;
    for turn in script {
        match turn {
            S(octets) => stream.write_all(octets)?,
            C(octets) => stream.read_exact(&mut vec![0; octets.len()])?,
        }
    }
    line(stream)?; // the app's end
    Ok(())
}

/// Everything that mailscope wrote, and prints of it again, with a name each.
fn outputs(mailscope: &Mailscope) -> Vec<(String, Vec<u8>)> {
    let mut outputs: Vec<(String, Vec<u8>)> = files(mailscope.folder());
    for format in ["text", "json"] {
        for color in ["never", "always"] {
            let shown = binary()
                .args(["show", "--output", format, "--color", color])
                .arg(mailscope.out())
                .output_in_time()
                .unwrap();
            assert!(shown.status.success());
            outputs.push((format!("show --output {format}"), shown.stdout));
            outputs.push((format!("show --output {format}, errors"), shown.stderr));
        }
    }
    outputs
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![(path.display().to_string(), std::fs::read(&path).unwrap())],
        })
        .collect()
}

/// The password as it may stand somewhere: as it is, and the inner digits of its base64 at each of
/// the three places in a group of three octets.
fn disguises(password: &str) -> Vec<String> {
    let shifted = |shift: usize| {
        let text = STANDARD.encode([vec![b' '; shift], password.into()].concat());
        // The first and last group depend on what stands around.
        text[4..text.len() - 4].to_owned()
    };
    std::iter::once(password.to_owned())
        .chain((0..3).map(shifted))
        .collect()
}

fn leaks(outputs: &[(String, Vec<u8>)], password: &str) -> Vec<String> {
    let mut leaks = Vec::new();
    for (name, octets) in outputs {
        let text = String::from_utf8_lossy(octets);
        for disguise in disguises(password) {
            for line in text.lines().filter(|line| line.contains(&disguise)) {
                leaks.push(format!("{disguise} in {name}: {line}"));
            }
        }
    }
    leaks
}

fn no_way_to_log_in_leaks() {
    let mailscope = play(&conversations(PASSWORD), &[]);
    let leaks = leaks(&outputs(&mailscope), PASSWORD);
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    // Something was seen all the same.
    let transcript = mailscope.transcript();
    assert_eq!(transcript.header()["secrets"], "masked");
    let commands = transcript.kind("command");
    let with = |member: &str| {
        let having = commands.iter().filter(|event| event.get(member).is_some());
        having.count()
    };
    assert!(with("identity") >= 8, "{}", transcript.text());
    assert_eq!(with("mechanism"), 11, "{}", transcript.text());
}

/// The transcript's events without what differs from run to run.
fn timeless(mailscope: &Mailscope) -> Vec<Value> {
    let transcript = mailscope.transcript();
    let events = transcript.events().iter().cloned();
    events
        .map(|mut event| {
            let members = event.as_object_mut().unwrap();
            for member in ["at", "elapsed", "client", "server"] {
                members.remove(member);
            }
            event
        })
        .collect()
}

fn neither_length_nor_first_letter_is_told() {
    let other = "another-hunter3-of-quite-another-length";
    let conversations = [conversations(PASSWORD), conversations(other)];
    for (name, turns) in &conversations[0] {
        // It says the password octet by octet, so there are more events of a longer one.
        let is_paced = name.contains("one octet a read");
        let twin = conversations[1]
            .iter()
            .find(|(twin, _)| twin == name)
            .unwrap();
        if is_paced {
            continue;
        }
        let (one, two) = (
            timeless(&play(&[(name, turns.clone())], &[])),
            timeless(&play(std::slice::from_ref(twin), &[])),
        );
        assert_eq!(one, two, "{name}");
    }
}

fn show_secrets_shows_them_and_says_so() {
    let conversation = vec![(
        "login",
        vec![c(format!("a LOGIN alice {PASSWORD}\r\n")), s("a OK in\r\n")],
    )];
    let mailscope = play(&conversation, &["--show-secrets"]);
    let transcript = mailscope.transcript();
    assert_eq!(transcript.header()["secrets"], "shown");
    assert_eq!(transcript.notes("secrets-shown").len(), 1);
    assert!(mailscope.stderr().contains("--show-secrets"));
    assert!(mailscope.stdout().contains(PASSWORD));
    let said = format!("a LOGIN alice {PASSWORD}\r\n");
    assert_eq!(transcript.wire(1, "client", b""), said.as_bytes());
}

fn the_search_finds_what_it_should() {
    for shift in 0..3 {
        let padded = format!("{}{PASSWORD}{}", "u".repeat(shift), "x".repeat(7));
        let output = vec![("it".to_owned(), base64(padded).into_bytes())];
        assert!(!leaks(&output, PASSWORD).is_empty(), "shift {shift}");
    }
    let output = vec![("it".to_owned(), PASSWORD.as_bytes().to_vec())];
    assert_eq!(leaks(&output, PASSWORD).len(), 1);
}
