//! A transcript that can be given away: nobody's data is in it, in whatever it was written, and it
//! still reads, compares and replays.

use std::path::{Path, PathBuf};
use std::process::Output;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::Trial;
use mail_parser::MessageParser;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::replay::Replay;
use super::support::app::App;
use super::support::mailscope::run;
use super::support::transcript::Transcript;
use super::support::{schema, trials};

pub fn trials() -> Vec<Trial> {
    trials!("scrub";
        a_kept_folder_and_a_kept_subject_stay,
        a_killed_one_leaves_nothing_behind,
        a_literal_that_streamed_is_scrubbed_as_a_whole,
        a_text_becomes_a_text,
        another_run_has_other_words,
        every_place_is_scrubbed,
        r008_the_tag_of_a_masked_command_is_the_one_that_it_is_elsewhere,
        secrets_that_were_shown_are_masked,
        standard_input_and_output,
        the_same_word_is_the_same_in_every_place,
        the_structure_of_messages_and_mails_stays,
        the_tour_is_valid_and_replays,
        what_cannot_be_done_is_an_error_and_leaves_no_file,
        what_stands_before_the_damage_is_scrubbed,
    )
}

const TOUR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour.json");

fn scrub(from: &Path, to: &Path, arguments: &[&str]) -> Output {
    let [from, to] = [from, to].map(|path| path.to_str().unwrap());
    run(&[&["scrub", from, "-o", to], arguments].concat())
}

/// A recording of these events, scrubbed.
fn scrubbed(events: &[Value], arguments: &[&str]) -> (TempDir, Transcript) {
    let folder = tempfile::tempdir().unwrap();
    let recorded = folder.path().join("recorded.json");
    let header = json!({"format": 1, "protocol": "imap", "version": "0.1.0",
        "started": "2026-11-23T12:00:00.000Z", "server": "imap.falkenried.example:993", "secrets": "masked"});
    let document = json!({"mailscope": header, "events": events});
    std::fs::write(&recorded, document.to_string()).unwrap();
    let to = folder.path().join("scrubbed.json");
    let output = scrub(&recorded, &to, arguments);
    assert!(output.status.success(), "{output:?}");
    let transcript = Transcript::read(&to);
    assert_eq!(schema::errors(&transcript), [""; 0]);
    assert_eq!(transcript.header()["scrubbed"], true);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
    (folder, transcript)
}

fn server(wire: Value) -> Value {
    json!({"conn": 1, "from": "server", "wire": wire})
}

fn client(wire: Value) -> Value {
    json!({"conn": 1, "from": "client", "wire": wire})
}

fn mail() -> String {
    let pdf = STANDARD.encode("%PDF Falkenried \0 \u{1} Falkenried");
    let text =
        STANDARD.encode("Sehr geehrte Frau Falkenried, anbei die Quittung der Tierärztin.\r\n");
    format!(
        "Received: from mx.falkenried.example ([192.0.2.77]) by mail.falkenried.example\r\n\
         \tfor <ada@falkenried.example>; Mon, 23 Nov 2026 08:15:02 +0100\r\n\
         Date: Mon, 23 Nov 2026 08:15:02 +0100\r\n\
         From: =?utf-8?Q?Ad=C3=A4_Falken?= =?utf-8?Q?ried?= <ada@falkenried.example>\r\n\
         To: =?iso-8859-1?B?R3L8bmRlbA==?= <gruendel@falkenried.example>\r\n\
         Subject: Ihre Quittung\r\n\
         X-Falkenried-Ticket: Marzipan\r\n\
         Message-ID: <Quittung.7@falkenried.example>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"Falkenried_7\"\r\n\r\n\
         Vorspann Marzipan\r\n--Falkenried_7\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{text}\r\n\
         --Falkenried_7\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\nDas Marzi=\r\npan f=FCr Tier=E4rztin Gr=FCndel\r\n\
         --Falkenried_7\r\nContent-Type: message/rfc822\r\n\r\n\
         Subject: Marzipan\r\nFrom: ada@falkenried.example\r\n\r\nQuittung\r\n\
         --Falkenried_7\r\nContent-Type: application/pdf; name=\"Quittung Marzipan.pdf\"\r\n\
         Content-Disposition: attachment; filename*=utf-8''Tier%C3%A4rztin.pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{pdf}\r\n--Falkenried_7--\r\n"
    )
}

/// What was said, with secrets in every place that has room for one.
fn said() -> Vec<Value> {
    let envelope = "(\"Mon, 23 Nov 2026 08:15:02 +0100\" \"Ihre Quittung\" \
        ((\"=?utf-8?Q?Ad=C3=A4_Falkenried?=\" NIL \"ada\" \"falkenried.example\")) NIL NIL NIL NIL NIL NIL \
        \"<Quittung.7@falkenried.example>\")";
    let structure = "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"BASE64\" 92 2)\
        (\"APPLICATION\" \"PDF\" (\"NAME\" \"Quittung Marzipan.pdf\") NIL NIL \"BASE64\" 40) \"MIXED\" \
        (\"BOUNDARY\" \"Falkenried_7\"))";
    vec![
        json!({"conn": 1, "kind": "connected", "client": "192.0.2.77:51324", "server": "imap.falkenried.example:993"}),
        json!({"conn": 1, "kind": "note", "id": "client-distrust", "text": "the file /home/falkenried/ca.pem is not trusted"}),
        server(json!([
            "* OK [CAPABILITY IMAP4rev1 ID METADATA ACL] imap.falkenried.example ready for Marzipan\r\n"
        ])),
        client(json!([
            "a1 ID (\"name\" \"Marzipan\" \"os\" \"Falkenried\")\r\n"
        ])),
        server(json!([
            "* ID (\"name\" \"Marzipan\" \"support-url\" \"https://falkenried.example/\")\r\n"
        ])),
        server(json!(["a1 OK ID completed.\r\n"])),
        client(json!(["a2 LOGIN ada@falkenried.example ", {"secret": "password"}, "\r\n"])),
        server(json!(["a2 OK Falkenried logged in\r\n"])),
        client(json!(["a3 LIST \"\" \"*\"\r\n"])),
        server(json!(["* LIST (\\HasNoChildren) \"/\" INBOX\r\n"])),
        server(json!([
            "* LIST (\\HasNoChildren) \"/\" \"Tier&AOQ-rztin\"\r\n"
        ])),
        server(json!([
            "* LIST (\\HasNoChildren) \"/\" {\"literal\":\"x\"}\r\n"
        ])),
        server(json!(["* LIST (\\HasNoChildren) \"/\" ", {"literal": "Quittung/2026"}, "\r\n"])),
        server(json!(["a3 OK List completed.\r\n"])),
        client(json!(["a4 SELECT Quittung/2026\r\n"])),
        server(json!([
            "* FLAGS (\\Seen $Marzipan-48151623 $Forwarded)\r\n"
        ])),
        server(json!(["* 7 EXISTS\r\n"])),
        server(json!(["* OK [UIDVALIDITY 1617181920] UIDs valid\r\n"])),
        server(json!(["a4 OK [READ-WRITE] Quittung/2026 selected\r\n"])),
        client(json!([
            "a5 SEARCH CHARSET UTF-8 FROM \"Falkenried\" SUBJECT Quittung SINCE 1-Feb-2024\r\n"
        ])),
        server(json!(["* SEARCH 1 7\r\n"])),
        server(json!(["a5 OK found\r\n"])),
        client(json!([
            "a6 FETCH 1 (FLAGS ENVELOPE BODYSTRUCTURE BODY[] BODY[1] BODY.PEEK[HEADER.FIELDS (X-FALKENRIED-TICKET)]<0.4096> X-GM-MSGID X-GM-LABELS)\r\n"
        ])),
        server(json!([
            format!("* 1 FETCH (FLAGS (\\Seen $Marzipan) ENVELOPE {envelope} BODYSTRUCTURE {structure} BODY[] "),
            {"literal": mail()}, " BODY[1] ",
            {"literal": STANDARD.encode("Sehr geehrte Frau Falkenried, anbei die Quittung")},
            " BODY[HEADER.FIELDS (X-FALKENRIED-TICKET)] ",
            {"literal": "X-Falkenried-Ticket: Marzipan\r\n\r\n"},
            " X-GM-MSGID 1278455344230334865 X-GM-LABELS (\"\\\\Inbox\" Marzipan))\r\n"])),
        server(json!(["a6 OK Fetch completed (0.001 + 0.000 secs).\r\n"])),
        client(json!(["a7 GETMETADATA INBOX /private/comment\r\n"])),
        server(json!([
            "* METADATA INBOX (/private/comment \"Falkenried\" /shared/vendor/marzipan \"x\")\r\n"
        ])),
        server(json!(["a7 OK done\r\n"])),
        client(json!(["a8 GETACL INBOX\r\n"])),
        server(json!(["* ACL INBOX falkenried lrswipkxtea\r\n"])),
        server(json!(["a8 OK done\r\n"])),
        client(json!(["a9 XMARZIPAN falkenried (Quittung)\r\n"])),
        server(json!(["* XMARZIPAN falkenried\r\n"])),
        server(json!(["a9 NO [MARZIPAN falkenried] no Quittung here\r\n"])),
        client(
            json!(["a10 APPEND Quittung/2026 (\\Seen) \"23-Nov-2026 08:15:02 +0100\" ", {"literal": mail(), "form": "nonsync"}, "\r\n"]),
        ),
        server(json!([
            "a10 OK [APPENDUID 1617181920 9] Append completed.\r\n"
        ])),
        client(json!(["Marzipan Falkenried, das ist kein Befehl\r\n"])),
        server(json!(["Marzipan BAD Unknown command\r\n"])),
        json!({"conn": 1, "from": "client", "kind": "opaque", "wire": ["Falkenried\u{0}Marzipan"]}),
        json!({"conn": 1, "kind": "closed", "reason": "falkenried.example hung up"}),
    ]
}

/// What may be nowhere; the last ones are a number and a part of another word.
const SECRETS: [&str; 10] = [
    "falkenried",
    "quittung",
    "marzipan",
    "tierärztin",
    "gründel",
    "gruendel",
    "geehrte",
    "vorspann",
    "1278455344230334865",
    "48151623",
];

/// Every text that can be made of a transcript, with a decoder of its own for each encoding.
fn views(transcript: &Transcript) -> Vec<String> {
    let mut views = vec![transcript.text().to_lowercase()];
    for event in transcript.events() {
        for item in event["wire"].as_array().into_iter().flatten() {
            let text = item.as_str().or_else(|| item["literal"].as_str());
            let Some(text) = text else { continue };
            views.extend(runs_of_base64(text));
            views.push(without_shifts(text));
            let quoted = text.replace("=\r\n", "").replace('_', " ");
            let unescaped =
                mail_parser::decoders::quoted_printable::quoted_printable_decode(quoted.as_bytes());
            let unescaped = unescaped.unwrap_or_default();
            views.push(String::from_utf8_lossy(&unescaped).to_lowercase());
            views.push(unescaped.iter().map(|octet| char::from(*octet)).collect());
            let mail = MessageParser::default()
                .parse(text.as_bytes())
                .unwrap_or_default();
            for part in &mail.parts {
                for header in &part.headers {
                    views.push(format!("{:?}", header.value).to_lowercase());
                }
                views.push(String::from_utf8_lossy(part.contents()).to_lowercase());
            }
        }
    }
    views
}

fn runs_of_base64(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "");
    let is_digit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    let runs = text.split(|c| !is_digit(c)).filter(|run| run.len() >= 8);
    let mut decoded = Vec::new();
    for run in runs {
        for start in 0..4 {
            let run = &run[start..];
            let octets = STANDARD.decode(&run[..run.len() / 4 * 4]).unwrap();
            decoded.push(String::from_utf8_lossy(&octets).to_lowercase());
            decoded.push(octets.iter().map(|octet| char::from(*octet)).collect());
        }
    }
    decoded
}

/// `Tier&AOQ-rztin` is `Tierärztin`.
fn without_shifts(text: &str) -> String {
    let mut plain = String::new();
    for (index, part) in text.split('&').enumerate() {
        let (base64, rest) = part.split_once('-').unwrap_or(("", part));
        let base64 = base64.replace(',', "/");
        let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
        match engine.decode(base64) {
            Ok(octets) if index > 0 => {
                let units: Vec<u16> = octets
                    .chunks_exact(2)
                    .map(|unit| u16::from_be_bytes([unit[0], unit[1]]))
                    .collect();
                plain.push_str(&String::from_utf16_lossy(&units));
                plain.push_str(rest);
            }
            _ => plain.push_str(part),
        }
    }
    plain.to_lowercase()
}

fn holds(views: &[String], secret: &str) -> bool {
    views.iter().any(|view| view.contains(secret))
}

fn every_place_is_scrubbed() {
    let (folder, transcript) = scrubbed(&said(), &[]);
    let original = Transcript::read(&folder.path().join("recorded.json"));
    let (before, after) = (views(&original), views(&transcript));
    for secret in SECRETS {
        assert!(holds(&before, secret), "{secret} is not in the original");
        let left = after.iter().find(|view| view.contains(secret));
        assert!(left.is_none(), "{secret}: {left:?}");
    }
}

/// A tag that stood before a known command stayed there, and not before one that was masked: so the
/// answer was another command's, and the SASL response nobody's.
fn r008_the_tag_of_a_masked_command_is_the_one_that_it_is_elsewhere() {
    let (_folder, transcript) = scrubbed(
        &[
            server(json!(["* OK hi\r\n"])),
            client(json!(["twice ", {"secret": "unreadable"}, "\r\n"])),
            client(json!(["twice AUTHENTICATE PLAIN\r\n"])),
            server(json!(["twice NO no\r\n"])),
            client(json!([{"secret": "sasl"}, "\r\n"])),
            server(json!(["twice NO no\r\n"])),
            client(json!(["q FALKENRIED\r\n"])),
            server(json!(["q BAD no\r\n"])),
        ],
        &[],
    );
    let events = transcript.events();
    assert_eq!(
        events[1]["wire"],
        json!(["twice ", {"secret": "unreadable"}, "\r\n"])
    );
    let told = |event: &Value| (event["kind"].clone(), event["answers"].clone());
    let told: Vec<_> = events.iter().map(told).collect();
    let none = Value::Null;
    let expected = [
        (json!("greeting"), none.clone()),
        (json!("command"), none.clone()),
        (json!("command"), none.clone()),
        (json!("tagged"), json!(2)),
        (json!("continuation"), none.clone()),
        (json!("tagged"), json!(3)),
        (json!("command"), none),
        (json!("tagged"), json!(7)),
    ];
    // Notes stand between them.
    let said: Vec<_> = told
        .into_iter()
        .filter(|(kind, _)| kind != "note")
        .collect();
    assert_eq!(said, expected);
}

fn wires(transcript: &Transcript) -> Vec<Value> {
    let events = transcript.events().iter();
    events.map(|event| event["wire"].clone()).collect()
}

fn the_same_word_is_the_same_in_every_place() {
    let (_folder, transcript) = scrubbed(&said(), &[]);
    let views = views(&transcript);
    let text = transcript.text();
    // What it is called now, from the place where nothing but it stands.
    let (_, rest) = text.split_once("* ACL INBOX ").unwrap();
    let falkenried = rest.split(' ').next().unwrap();
    assert_eq!(falkenried.len(), "falkenried".len());
    for expected in [
        format!("imap.{falkenried}."),
        format!("[capability imap4rev1 id metadata acl] imap.{falkenried}."),
    ] {
        let expected = expected.split_once('.').unwrap().1.to_owned();
        assert!(holds(&views, &expected), "{expected}");
    }
    let events = views
        .iter()
        .filter(|view| view.contains(falkenried))
        .count();
    assert!(events > 15, "{events}");
    let structure = text.split_once("\\\"BOUNDARY\\\" \\\"").unwrap().1;
    let boundary = structure.split('\\').next().unwrap();
    assert_eq!(
        text.matches(&format!("--{boundary}\\r\\n")).count(),
        8,
        "{boundary}"
    );
    assert_eq!(
        text.matches(&format!("--{boundary}--")).count(),
        2,
        "{boundary}"
    );
    let selected = text
        .split_once("a4 SELECT ")
        .unwrap()
        .1
        .split('\\')
        .next()
        .unwrap();
    assert!(
        text.contains(&format!("{{\"literal\":\"{selected}\"}}")),
        "{selected}"
    );
    assert!(
        text.contains(&format!("[READ-WRITE] {selected} selected")),
        "{selected}"
    );
    assert!(text.contains(&format!("APPEND {selected} ")), "{selected}");
}

fn the_structure_of_messages_and_mails_stays() {
    let (folder, transcript) = scrubbed(&said(), &[]);
    let original = Transcript::read(&folder.path().join("recorded.json"));
    assert_eq!(original.events().len(), transcript.events().len());
    for (before, after) in wires(&original).iter().zip(wires(&transcript)) {
        assert_eq!(shape(&before.to_string()), shape(&after.to_string()));
        for item in before
            .as_array()
            .into_iter()
            .flatten()
            .zip(after.as_array().into_iter().flatten())
        {
            let (Some(before), Some(after)) =
                (item.0["literal"].as_str(), item.1["literal"].as_str())
            else {
                continue;
            };
            assert_eq!(before.len(), after.len());
            let [before, after] = [before, after]
                .map(|mail| MessageParser::default().parse(mail.as_bytes()).unwrap());
            assert_eq!(before.parts.len(), after.parts.len());
            for (before, after) in before.parts.iter().zip(&after.parts) {
                assert_eq!(before.headers.len(), after.headers.len());
                assert_eq!(before.encoding, after.encoding);
                assert_eq!(before.contents().len(), after.contents().len());
                assert_eq!(
                    [before.offset_body, before.offset_end],
                    [after.offset_body, after.offset_end]
                );
                assert_eq!(
                    std::mem::discriminant(&before.body),
                    std::mem::discriminant(&after.body)
                );
            }
        }
    }
    for stays in [
        "* 7 EXISTS",
        "[UIDVALIDITY 1617181920]",
        "* SEARCH 1 7",
        "SINCE 1-Feb-2024",
        "$Forwarded",
        "Date: Mon, 23 Nov 2026 08:15:02 +0100",
        "[APPENDUID 1617181920 9]",
        "Content-Type: multipart/mixed; boundary=",
        "charset=iso-8859-1",
        "* LIST (\\\\HasNoChildren) \\\"/\\\" INBOX",
        "(\\\"CHARSET\\\" \\\"utf-8\\\") NIL NIL \\\"BASE64\\\" 92 2)",
        "lrswipkxtea",
        "(\\\"\\\\\\\\Inbox\\\" ",
        "filename*=utf-8''",
        "/private/comment",
        "Append completed.",
        "X-GM-LABELS",
        ")]<0.4096>",
    ] {
        assert!(transcript.text().contains(stays), "{stays}");
    }
}

/// What is no letter and no digit.
fn shape(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '+' | '/' | '=');
    text.chars()
        .map(|c| if is_word(c) { 'x' } else { c })
        .collect()
}

fn another_run_has_other_words() {
    let [(_one, one), (_other, other)] = [(); 2].map(|()| scrubbed(&said(), &[]));
    assert_ne!(wires(&one), wires(&other));
}

fn a_kept_folder_and_a_kept_subject_stay() {
    let (_folder, transcript) = scrubbed(&said(), &["--keep", "subjects,folders"]);
    let text = transcript.text();
    for kept in [
        "SELECT Quittung/2026",
        "Tier&AOQ-rztin",
        "Subject: Ihre Quittung",
        "SUBJECT Quittung",
        "\\\"Ihre Quittung\\\"",
    ] {
        assert!(text.contains(kept), "{kept}");
    }
    assert!(!holds(&views(&transcript), "falkenried"));
}

fn a_literal_that_streamed_is_scrubbed_as_a_whole() {
    let mail = mail();
    let whole = server(json!(["* 1 FETCH (BODY[] ", {"literal": &mail}, ")\r\n"]));
    let (_folder, whole) = scrubbed(&[whole], &[]);
    let shape_of_whole = shape(&whole.events()[0]["wire"][1]["literal"].to_string());
    let mut events = Vec::new();
    for (index, part) in mail.as_bytes().chunks(100).enumerate() {
        events.push(json!({"n": index + 1, "conn": 1, "from": "server", "kind": "literal_part",
            "offset": index * 100, "octets": mail.len(), "wire": [{"base64": STANDARD.encode(part)}]}));
    }
    let parts: Vec<usize> = (1..=events.len()).collect();
    events.push(json!({"n": parts.len() + 1, "conn": 1, "from": "server",
        "wire": ["* 1 FETCH (BODY[] ", {"literal": {"parts": parts}}, ")\r\n"]}));
    let (_folder, transcript) = scrubbed(&events, &[]);
    let joined = transcript.wire(1, "server", b"");
    let joined = String::from_utf8(joined).unwrap();
    let literal = joined
        .split_once("}\r\n")
        .unwrap()
        .1
        .strip_suffix(")\r\n")
        .unwrap();
    assert_eq!(shape(&json!(literal).to_string()), shape_of_whole);
    let views = [literal.to_lowercase(), runs_of_base64(literal).concat()];
    for secret in &SECRETS[..3] {
        assert!(!holds(&views, secret), "{secret}");
    }
}

fn the_tour_is_valid_and_replays() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("scrubbed.json");
    let output = scrub(Path::new(TOUR), &to, &[]);
    assert!(output.status.success(), "{output:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let transcript = Transcript::read(&to);
    assert_eq!(schema::errors(&transcript), [""; 0]);
    let path = to.to_str().unwrap();
    for command in [
        &["show", path][..],
        &["diff", path, path],
        &["export", path, "--to", "html"],
    ] {
        let output = run(command);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    let mut replay = Replay::start(&to, &["--require-all", "--quiet"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    for event in transcript.events() {
        if event["from"] != "client" || event.get("wire").is_none() {
            continue;
        }
        let items = event["wire"].as_array().unwrap().iter();
        let line: String = items
            .map(|item| item.as_str().unwrap_or("password"))
            .collect();
        app.say(line.as_bytes());
        match event["name"].as_str() {
            Some("IDLE") => app.hear("+"),
            _ => app.hear(event["tag"].as_str().unwrap()),
        };
    }
    let (code, report) = replay.stop();
    assert_eq!((code, &report["mismatches"]), (0, &json!([])), "{report:#}");
}

fn what_cannot_be_done_is_an_error_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let there = file("there.json", "mine");
    let text = file("notes.txt", "nothing of the kind\n");
    let broken = file(
        "broken.json",
        "{\"mailscope\":{\"format\":1},\"events\":[\n{\"n\":x}\n]}",
    );
    let none = folder.path().join("none.json");
    let tour = PathBuf::from(TOUR);
    let new = folder.path().join("new.json");
    for (from, to, said) in [
        (&tour, &there, "there already"),
        (&none, &new, "none.json"),
        (&text, &new, "not a transcript, nor a text"),
        (&broken, &new, "line 2"),
        (&tour, &folder.path().join("no/folder.json"), "folder.json"),
    ] {
        let output = scrub(from, to, &[]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(said), "{stderr}");
    }
    assert!(!new.exists());
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "mine");
    let output = scrub(&tour, &new, &["--keep", "passwords"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}

const TEXT: &str = "S: * OK hi\nC: a LOGIN ada@falkenried.example Marzipan\nS: a OK Falkenried logged in\n\
    # Falkenried said so\nC: b APPEND \"Tier&AOQ-rztin\" {10}\nS: + go ahead\nC: Falkenried\nS: b OK done\n\
    # connection 2\nS: * BYE Falkenried\n";

fn a_text_becomes_a_text() {
    let folder = tempfile::tempdir().unwrap();
    let [from, to] = ["session.txt", "shared.txt"].map(|name| folder.path().join(name));
    std::fs::write(&from, TEXT).unwrap();
    let output = scrub(&from, &to, &[]);
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(&to).unwrap();
    let text = text.to_lowercase();
    for secret in ["falkenried", "marzipan", "aoq-rztin", "ada"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.contains(" <secret:password>\ns: a ok "), "{text}");
    assert!(text.contains("{10}\ns: + go ahead\nc: "), "{text}");
    assert!(text.contains("# connection 2\ns: * bye "), "{text}");
    assert_eq!(text.lines().count(), TEXT.lines().count() - 1, "{text}");
    let mut replay = Replay::start(&to, &["--quiet"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    let login = text.lines().find(|line| line.contains(" login ")).unwrap();
    app.say(&login.as_bytes()["c: ".len()..]);
    app.say(b"\r\n");
    app.hear("a OK");
    assert_eq!(replay.stop().0, 0);
}

fn standard_input_and_output() {
    let mut scrub = super::support::mailscope::binary()
        .args(["scrub", "-", "-o", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = scrub.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, &std::fs::read(TOUR).unwrap()).unwrap();
    drop(stdin);
    let output = scrub.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["mailscope"]["scrubbed"], true);
    assert!(document["events"].as_array().unwrap().len() > 50);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("alice"));
}

/// Every way in which a secret is said, as `record --show-secrets` leaves it.
fn secrets_that_were_shown_are_masked() {
    let plain = STANDARD.encode("\0falkenried\0hunter2-Marzipan");
    let events = [
        server(json!(["* OK hi\r\n"])),
        client(json!(["a LOGIN falkenried \"wrong-Marzipan\"\r\n"])),
        server(json!(["a NO wrong-Marzipan is wrong\r\n"])),
        client(
            json!(["b LOGIN falkenried ", {"literal": "hunter2-Marzipan", "form": "nonsync"}, "\r\n"]),
        ),
        server(json!(["b NO not so\r\n"])),
        client(json!([format!("c AUTHENTICATE PLAIN {plain}\r\n")])),
        server(json!(["c NO not so\r\n"])),
        client(json!(["d AUTHENTICATE PLAIN\r\n"])),
        server(json!(["+ \r\n"])),
        json!({"conn": 1, "from": "client", "kind": "continuation", "identity": "falkenried",
            "wire": [format!("{plain}\r\n")]}),
        server(json!(["d OK in\r\n"])),
        client(json!(["e SEARCH TEXT hunter2-Marzipan\r\n"])),
        server(json!(["* SEARCH\r\n"])),
        server(json!(["e OK done\r\n"])),
        json!({"conn": 1, "kind": "closed"}),
    ];
    let folder = tempfile::tempdir().unwrap();
    let [from, to] = ["shown.json", "scrubbed.json"].map(|name| folder.path().join(name));
    let header = json!({"format": 1, "started": "2026-11-23T12:00:00.000Z", "server": "x:993", "secrets": "shown"});
    let document = json!({"mailscope": header, "events": events});
    std::fs::write(&from, document.to_string()).unwrap();
    let output = scrub(&from, &to, &[]);
    assert!(output.status.success(), "{output:?}");
    let transcript = Transcript::read(&to);
    assert_eq!(schema::errors(&transcript), [""; 0]);
    assert_eq!(transcript.header()["secrets"], "masked");
    let text = transcript.text();
    for (place, kind) in [
        ("a LOGIN ", "password"),
        ("b LOGIN ", "password"),
        ("c AUTHENTICATE PLAIN ", "sasl"),
        ("e SEARCH TEXT ", "password"),
    ] {
        let event = text.lines().find(|line| line.contains(place)).unwrap();
        assert!(
            event.contains(&format!("{{\"secret\":\"{kind}\"}}")),
            "{event}"
        );
    }
    assert_eq!(text.matches("\"secret\":\"sasl\"").count(), 2, "{text}");
    for secret in ["hunter2", "marzipan", "falkenried", &plain.to_lowercase()] {
        assert!(!holds(&views(&transcript), secret), "{secret}: {text}");
    }
}

fn what_stands_before_the_damage_is_scrubbed() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let tour = std::fs::read_to_string(TOUR).unwrap();
    let mut lines: Vec<&str> = tour.lines().collect();
    lines[20] = "{\"n\":,},";
    let json = file("damaged.json", &lines.join("\n"));
    let text = file(
        "damaged.txt",
        "S: * OK Falkenried\nC: a NOOP\nX: what is that?\nS: a OK\n",
    );
    for (from, line, left) in [
        (&json, "line 21", "its 18 events"),
        (&text, "line 3", "its 2 events"),
    ] {
        let to = PathBuf::from(format!("{}.scrubbed", from.display()));
        let output = scrub(from, &to, &[]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(line) && stderr.contains(left), "{stderr}");
        assert!(stderr.contains(from.to_str().unwrap()), "{stderr}");
        let kept = std::fs::read_to_string(&to).unwrap().to_lowercase();
        assert!(
            !kept.contains("alice") && !kept.contains("falkenried"),
            "{kept}"
        );
        let shown = run(&["show", to.to_str().unwrap()]);
        assert_eq!(shown.status.code(), Some(0), "{shown:?}");
    }
}

/// Until it is over, there is no file that somebody could find.
#[cfg(unix)]
fn a_killed_one_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("long.json");
    let mut events = vec![server(json!(["* PREAUTH hi\r\n"]))];
    for n in 0..6_000 {
        events.push(client(json!([format!("t{n} NOOP\r\n")])));
        events.push(server(json!([format!(
            "t{n} OK Falkenried number {n}\r\n"
        )])));
    }
    let document = json!({"mailscope": {"format": 1}, "events": events});
    std::fs::write(&from, document.to_string()).unwrap();
    let to = folder.path().join("scrubbed.json");
    let mut scrub = super::support::mailscope::binary()
        .args(["scrub", from.to_str().unwrap(), "-o", to.to_str().unwrap()])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // It has written something once a file without a name is open that is not empty.
    let open = PathBuf::from(format!("/proc/{}/fd", scrub.id()));
    let has_written = || {
        let files = std::fs::read_dir(&open).into_iter().flatten().flatten();
        files.into_iter().any(|file| {
            let is_nameless = std::fs::read_link(file.path()).is_ok_and(|path| {
                path.starts_with(folder.path()) && path.to_string_lossy().ends_with("(deleted)")
            });
            is_nameless && std::fs::metadata(file.path()).is_ok_and(|file| file.len() > 4096)
        })
    };
    // It is soon over, so there is no pause between two looks.
    while !has_written() {
        assert!(scrub.try_wait().unwrap().is_none(), "it ended");
    }
    scrub.kill().unwrap();
    scrub.wait().unwrap();
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
