//! Logs as the programs themselves wrote them: each is told from all others, has what its program said,
//! and is shown, linted and replayed.
//!
//! `samples/` has what was written in sessions with Dovecot 2.3 by Thunderbird 153, curl 7.88, mutt 2.2,
//! neomutt 2022, mbsync 1.4, fetchmail 6.4, Python 3.11's imaplib, OfflineIMAP 8.0 (imaplib2), ImapFlow
//! 1.7, Ruby 3.1's Net::IMAP, Jakarta Mail 1.6 and OpenSSL 3.0's s_client; and MailKit's, by its source.

use std::path::{Path, PathBuf};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::super::replay::Replay;
use super::super::support::app::App;
use super::super::support::transcript::Transcript;
use super::super::support::trials;
use super::imported;

pub fn trials() -> Vec<Trial> {
    trials!("import::samples";
        each_sample_has_what_its_program_said,
        each_sample_is_replayed,
        literals_are_kept_where_the_program_kept_them,
    )
}

/// A program's log, its connections' commands, and its notes.
struct Sample {
    name: &'static str,
    commands: &'static [&'static str],
    notes: &'static [(&'static str, usize)],
}

const fn sample(
    name: &'static str,
    commands: &'static [&'static str],
    notes: &'static [(&'static str, usize)],
) -> Sample {
    Sample {
        name,
        commands,
        notes,
    }
}

const CURL: &[&str] = &["CAPABILITY", "AUTHENTICATE", "SELECT", "UID FETCH"];
const LOGS: [Sample; 21] = [
    sample("curl.log", CURL, &[("literal-not-kept", 1)]),
    sample("curl-tls.log", CURL, &[("literal-not-kept", 1)]),
    sample("curl-terminal.log", CURL, &[]),
    sample(
        "fetchmail.log",
        &[
            "LOGIN", "SELECT", "FETCH", "FETCH", "FETCH", "STORE", "FETCH", "FETCH", "STORE",
            "FETCH", "FETCH", "STORE", "FETCH", "FETCH", "STORE", "FETCH", "FETCH", "STORE",
            "LOGOUT",
        ],
        &[("literal-not-kept", 10)],
    ),
    sample("imapflow.log", IMAPFLOW, &[("literal-not-kept", 2)]),
    sample("imapflow-raw.log", IMAPFLOW, &[]),
    sample(
        "imaplib-4.log",
        &["AUTHENTICATE", "SELECT", "LOGOUT"],
        &[("login-not-kept", 1)],
    ),
    sample(
        "imaplib-5.log",
        &[
            "CAPABILITY",
            "LOGIN",
            "SELECT",
            "FETCH",
            "APPEND",
            "SEARCH",
            "CLOSE",
            "LOGOUT",
        ],
        &[("literal-not-kept", 1)],
    ),
    sample("jakarta-mail.log", JAKARTA, &[("login-not-kept", 1)]),
    sample(
        "jakarta-mail-auth.log",
        &[
            "AUTHENTICATE",
            "SELECT",
            "FETCH",
            "FETCH",
            "FETCH",
            "FETCH",
            "APPEND",
            "UNSELECT",
            "LOGOUT",
        ],
        &[],
    ),
    sample(
        "mailkit.log",
        &["AUTHENTICATE", "SELECT", "UID FETCH", "LOGOUT"],
        &[],
    ),
    sample("mbsync.log", MBSYNC, &[("literal-not-kept", 4)]),
    sample("mbsync-literals.log", MBSYNC, &[]),
    sample("mutt.log", MUTT, &[]),
    sample("neomutt.log", NEOMUTT, &[]),
    sample(
        "net-imap.log",
        &["LOGIN", "SELECT", "FETCH", "APPEND", "SEARCH"],
        &[],
    ),
    sample(
        "offlineimap.log",
        &[
            "CAPABILITY",
            "ID",
            "LOGIN",
            "CAPABILITY",
            "LIST",
            "LIST",
            "SELECT",
            "EXAMINE",
            "FETCH",
            "UID FETCH",
        ],
        &[],
    ),
    sample("s_client.txt", S_CLIENT, &[]),
    sample("s_client-quiet.txt", S_CLIENT, &[]),
    sample("s_client-starttls.txt", S_CLIENT, &[("login-not-kept", 1)]),
    sample(
        "thunderbird.log",
        &[
            "AUTHENTICATE",
            "NAMESPACE",
            "ID",
            "AUTHENTICATE",
            "LIST",
            "LIST",
            "LIST",
            "CREATE",
            "ID",
            "SUBSCRIBE",
            "SELECT",
            "UID FETCH",
            "LIST",
            "UID FETCH",
        ],
        &[("login-not-kept", 2)],
    ),
];
const IMAPFLOW: &[&str] = &[
    "ID",
    "AUTHENTICATE",
    "ID",
    "NAMESPACE",
    "ENABLE",
    "LIST",
    "LSUB",
    "SELECT",
    "FETCH",
    "APPEND",
    "LOGOUT",
];
const JAKARTA: &[&str] = &[
    "LOGIN", "SELECT", "FETCH", "FETCH", "FETCH", "FETCH", "APPEND", "UNSELECT", "LOGOUT",
];
const MBSYNC: &[&str] = &[
    "LOGIN",
    "NAMESPACE",
    "LIST",
    "SELECT",
    "UID FETCH",
    "UID FETCH",
    "UID FETCH",
    "UID FETCH",
    "UID FETCH",
    "LOGOUT",
];
const MUTT: &[&str] = &[
    "AUTHENTICATE",
    "CAPABILITY",
    "ENABLE",
    "LIST",
    "SELECT",
    "FETCH",
    "UID FETCH",
    "CLOSE",
    "LOGOUT",
];
const NEOMUTT: &[&str] = &[
    "AUTHENTICATE",
    "CAPABILITY",
    "ENABLE",
    "LIST",
    "SELECT",
    "FETCH",
    "UID FETCH",
    "UID STORE",
    "CLOSE",
];
const S_CLIENT: &[&str] = &["LOGIN", "SELECT", "FETCH", "IDLE", "LOGOUT"];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/import/samples")
        .join(name)
}

/// A sample's transcript, in a folder that lives as long as it is needed.
fn transcript(name: &str) -> (tempfile::TempDir, Transcript, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(name);
    std::fs::copy(path(name), &copy).unwrap();
    let (transcript, out) = imported(&copy, &[]);
    (folder, transcript, out)
}

fn each_sample_has_what_its_program_said() {
    let folder = std::fs::read_dir(path("")).unwrap();
    assert_eq!(folder.count(), LOGS.len(), "a sample without its line here");
    for Sample {
        name,
        commands,
        notes,
    } in LOGS
    {
        let (_folder, transcript, _) = transcript(name);
        let said = transcript.kind("command");
        let names: Vec<&str> = said
            .iter()
            .map(|event| event["name"].as_str().unwrap_or("?"))
            .collect();
        assert_eq!(names, commands, "{name}");
        let all = transcript.kind("note").len();
        for (id, count) in notes {
            assert_eq!(transcript.notes(id).len(), *count, "{name}: {id}");
        }
        let told: usize = notes.iter().map(|(_, count)| count).sum();
        assert_eq!(all, told, "{name}: {:?}", transcript.kind("note"));
        assert_eq!(transcript.kind("opaque").len(), 0, "{name}");
        let answers = transcript.kind("tagged").len();
        assert!(answers + 2 >= said.len(), "{name}: {answers} answers");
        assert!(!transcript.text().contains("open-Sesame"), "{name}");
        assert!(!transcript.text().contains("AGFsaWNlAG9wZW4"), "{name}");
    }
}

fn literals_are_kept_where_the_program_kept_them() {
    let body = "Hello 1,\r\n\r\nthis is a mail.\r\n";
    for name in [
        "curl-terminal.log",
        "imapflow-raw.log",
        "imaplib-5.log",
        "jakarta-mail.log",
        "mbsync-literals.log",
        "net-imap.log",
        "offlineimap.log",
        "s_client.txt",
        "s_client-quiet.txt",
        "s_client-starttls.txt",
    ] {
        let (_folder, transcript, _) = transcript(name);
        let wire = transcript.wire(1, "server", b"*");
        assert!(String::from_utf8_lossy(&wire).contains(body), "{name}");
    }
    for name in ["mutt.log", "neomutt.log", "thunderbird.log"] {
        let (_folder, transcript, _) = transcript(name);
        let wire = (1..=2).flat_map(|conn| transcript.wire(conn, "server", b"*"));
        let wire: Vec<u8> = wire.collect();
        let header = "Subject: mail 1\r\nDate: Mon, 13 Nov 2023 10:00:01 +0000\r\nMessage-ID: <m1@example.com>\r\n\r\n)\r\n";
        assert!(String::from_utf8_lossy(&wire).contains(header), "{name}");
    }
}

fn each_sample_is_replayed() {
    for Sample { name, .. } in LOGS {
        let (_folder, transcript, out) = transcript(name);
        played(name, &transcript, &out);
    }
}

/// Says to a replay what the client said, and hears what answers it.
pub(super) fn played(name: &str, transcript: &Transcript, out: &Path) {
    let mut replay = Replay::start(out, &[]);
    let conns: Vec<u64> = transcript
        .kind("connected")
        .iter()
        .map(|event| event["conn"].as_u64().unwrap())
        .collect();
    for conn in conns {
        let of_it = |event: &&Value| {
            event["conn"] == conn && event["from"] == "client" && event.get("wire").is_some()
        };
        let said: Vec<&Value> = transcript.events().iter().filter(of_it).collect();
        if said.is_empty() {
            continue;
        }
        let mut app = App::plain(replay.address("plain"));
        app.hear("* ");
        for (place, event) in said.iter().enumerate() {
            let is_answered = transcript
                .kind("tagged")
                .iter()
                .any(|tagged| tagged["conn"] == conn && tagged["tag"] == event["tag"]);
            let goes_on = said
                .get(place + 1)
                .is_some_and(|next| next["kind"] == "continuation");
            say(&mut app, transcript, event);
            match event["kind"].as_str().unwrap() {
                "command" if goes_on => {
                    app.hear("+");
                }
                "command" if is_answered => {
                    app.hear(&format!("{} ", event["tag"].as_str().unwrap()));
                }
                "continuation" => {
                    let command = said[..place]
                        .iter()
                        .rfind(|event| event["kind"] == "command");
                    app.hear(&format!("{} ", command.unwrap()["tag"].as_str().unwrap()));
                }
                _ => {}
            }
        }
    }
    let (code, report) = replay.stop();
    assert_eq!((code, &report["mismatches"]), (0, &json!([])), "{name}");
}

/// Says a recorded message, with something in the place of what is masked, and waits where it has to.
fn say(app: &mut App, transcript: &Transcript, event: &Value) {
    for piece in event["wire"].as_array().unwrap() {
        if let Some(secret) = piece["secret"].as_str() {
            let any = if secret == "sasl" {
                sasl()
            } else {
                "any".to_owned()
            };
            app.say(any.as_bytes());
            continue;
        }
        let Some(literal) = piece.get("literal") else {
            app.say(&octets(transcript, piece));
            continue;
        };
        let content = octets(transcript, literal);
        let waits = piece.get("form").is_none();
        let plus = if waits { "" } else { "+" };
        app.say(format!("{{{}{plus}}}\r\n", content.len()).as_bytes());
        if waits {
            app.hear("+");
        }
        app.say(&content);
    }
}

/// A response of SASL's PLAIN, of the one who has all these mailboxes.
fn sasl() -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode("\0alice\0any")
}

/// The octets of a piece, in whichever form they are.
fn octets(transcript: &Transcript, piece: &Value) -> Vec<u8> {
    if let Some(text) = piece.as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(base64) = piece["base64"].as_str() {
        return decoded(base64);
    }
    let parts = piece["parts"]
        .as_array()
        .unwrap_or_else(|| panic!("{piece}"));
    let part = |number: &Value| {
        let event = transcript
            .events()
            .iter()
            .find(|event| event["n"] == *number);
        event.unwrap()["wire"].as_array().unwrap()[0].clone()
    };
    parts
        .iter()
        .flat_map(|number| octets(transcript, &part(number)))
        .collect()
}

fn decoded(base64: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .decode(base64)
        .unwrap()
}
