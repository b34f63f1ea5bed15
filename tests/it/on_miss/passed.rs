//! What is asked of the server and added, and obtained again without it.

use serde_json::{Value, json};

use super::super::replay::Replay;
use super::super::support::app::App;
use super::super::support::mailscope::run;
use super::super::support::transcript::Transcript;
use super::super::support::{noise, wait_for};
use super::imap::{Imap, Oddity};
use super::{PASSWORD, Place, begin, client, everything_fits, recorded, server, well_formed};

pub fn what_is_not_recorded_is_asked_and_added() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let more = |app: &mut App| {
        let more = [
            ("d", "FETCH 1 (UID FLAGS)"),
            ("e", "SELECT Archive"),
            ("f", "FETCH 1 (UID FLAGS)"),
            ("g", "CREATE new"),
        ];
        more.map(|(tag, command)| app.command(tag, command))
    };
    let mut replay = place.replay(&imap.flags());
    let mut app = begin(&replay);
    let expected = more(&mut app);
    assert!(expected[0].contains("\\Answered") && expected[1].contains("UIDVALIDITY 8"));
    app.command("z", "LOGOUT");
    let left = || imap.commands().contains(&"LOGOUT".to_owned()).then_some(());
    wait_for("a polite end", left);
    let (code, report) = replay.stop();
    let fits = json!({"matched": 3, "recorded": 4, "mismatches": [], "never_asked": []});
    assert_eq!((code, report), (0, fits));
    for name in ["stdout", "stderr", "report.json"] {
        assert!(!replay.read(name).contains(PASSWORD), "{name}");
    }
    let said = replay.read("stderr");
    assert!(
        said.contains(&format!("go to {}", imap.server.name())),
        "{said}"
    );
    assert!(
        said.contains("are added to") && said.contains("4 recorded"),
        "{said}"
    );
    assert_eq!(
        imap.commands(),
        [
            &format!("LOGIN alice {PASSWORD}"),
            "SELECT INBOX",
            "FETCH 1 (UID FLAGS)",
            "SELECT Archive",
            "FETCH 1 (UID FLAGS)",
            "CREATE new",
            "LOGOUT"
        ]
    );
    let transcript = place.read();
    well_formed(&transcript);
    is_a_session_of_its_own(&transcript);
    let shown = run(&["show", place.transcript.to_str().unwrap()]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("CREATE new") && !shown.contains(PASSWORD),
        "{shown}"
    );
    drop(imap);
    let mut replay = place.alone();
    let mut app = begin(&replay);
    assert_eq!(more(&mut app), expected);
    everything_fits(&mut replay, 7);
}

/// The added connection: whole, later than all before it, and clear about who said what.
pub fn is_a_session_of_its_own(transcript: &Transcript) {
    let events = transcript.events();
    let numbers = events
        .iter()
        .skip(10)
        .map(|event| event["n"].as_u64().unwrap());
    let expected = 11..=events.len() as u64;
    assert!(numbers.eq(expected));
    let added: Vec<&Value> = events.iter().filter(|event| event["conn"] == 2).collect();
    assert_eq!(added[0]["kind"], "connected");
    assert!(added[0]["at"].as_f64().unwrap() > 0.0);
    assert_eq!(added.last().unwrap()["kind"], "closed");
    let commands = added.iter().filter(|event| event["kind"] == "command");
    let commands: Vec<(&str, &str)> = commands
        .map(|event| {
            (
                event["from"].as_str().unwrap(),
                event["name"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        commands,
        [
            ("mailscope", "LOGIN"),
            ("mailscope", "SELECT"),
            ("client", "FETCH"),
            ("client", "SELECT"),
            ("client", "FETCH"),
            ("client", "CREATE"),
            ("mailscope", "LOGOUT"),
        ]
    );
    let own: Vec<&Value> = added
        .iter()
        .filter(|event| event["from"] == "mailscope")
        .map(|event| &event["n"])
        .collect();
    for event in added.iter().filter(|event| event["from"] == "server") {
        let is_ours = event["kind"] == "greeting" || own.contains(&&event["answers"]);
        let is_nothing = event.get("sent") == Some(&json!([]));
        assert_eq!(is_ours, is_nothing, "{event}");
    }
}

pub fn a_large_literal_goes_both_ways() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let mail = noise(2, 700_000);
    let more = |app: &mut App| {
        app.say(format!("d APPEND Archive {{{}}}\r\n", mail.len()).as_bytes());
        app.hear("+ ");
        app.say(&mail);
        app.say(b"\r\n");
        let appended = app.hear("d ");
        (appended, app.command("e", "UID FETCH 11 (BODY[])"))
    };
    let mut replay = place.replay(&imap.flags());
    let mut app = begin(&replay);
    let expected = more(&mut app);
    assert!(expected.0.contains("APPENDUID") && expected.1.len() > 300_000);
    assert_eq!(replay.stop().0, 0);
    let sum: u64 = mail.iter().map(|octet| u64::from(*octet)).sum();
    assert!(imap.told().contains(&format!("- 700000 octets, {sum}")));
    well_formed(&place.read());
    drop(imap);
    let mut replay = place.alone();
    let mut app = begin(&replay);
    assert!(more(&mut app) == expected);
    everything_fits(&mut replay, 5);
}

pub fn what_is_refused_with_a_literal_is_refused_again() {
    let imap = Imap::start(Oddity {
        refuses_append: true,
        ..Oddity::default()
    });
    let place = Place::with(&recorded());
    let mut replay = place.replay(&imap.flags());
    let mut app = begin(&replay);
    app.say(b"d APPEND Archive {3}\r\n");
    app.hear("+ ");
    app.say(b"abc\r\n");
    assert_eq!(app.hear("d "), "d NO [TOOBIG] no\r\n");
    assert!(app.command("e", "CREATE x").starts_with("e OK"));
    assert_eq!(replay.stop().0, 0);
    let mut replay = place.alone();
    let mut app = begin(&replay);
    app.say(b"d APPEND Archive {3}\r\n");
    assert_eq!(app.hear("d "), "d NO [TOOBIG] no\r\n");
    assert!(app.command("e", "CREATE x").starts_with("e OK"));
    everything_fits(&mut replay, 5);
}

pub fn idle_goes_both_ways() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let more = |app: &mut App| {
        app.say(b"d IDLE\r\n");
        let idling = app.hear("* 4 EXISTS");
        app.say(b"DONE\r\n");
        (idling, app.hear("d "))
    };
    let mut replay = place.replay(&imap.flags());
    let mut app = begin(&replay);
    let expected = more(&mut app);
    assert_eq!(expected.0, "+ idling\r\n* 4 EXISTS\r\n");
    // Both sides have been told of the fourth: its number is the same one.
    assert!(app.command("e", "FETCH 4 (UID FLAGS)").contains("e OK"));
    assert_eq!(replay.stop().0, 0);
    assert!(imap.told().contains(&"- DONE".to_owned()));
    drop(imap);
    let mut replay = place.alone();
    let mut app = begin(&replay);
    assert_eq!(more(&mut app), expected);
    app.command("e", "FETCH 4 (UID FLAGS)");
    everything_fits(&mut replay, 5);
}

pub fn pipelined_commands_wait_for_the_one_that_is_passed() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let mut replay = place.replay(&imap.flags());
    let mut app = begin(&replay);
    app.say(b"d CREATE x\r\ne FETCH 1 (UID FLAGS)\r\nf NOOP\r\ng SELECT INBOX\r\n");
    let heard = app.hear("g ");
    let places = ["d OK", "e OK", "f OK", "g OK"].map(|answer| heard.find(answer).unwrap());
    assert!(places.is_sorted(), "{heard}");
    let (code, report) = replay.stop();
    assert_eq!((code, &report["recorded"]), (0, &json!(2)));
}

pub fn a_mailbox_is_left_without_expunging() {
    for without_unselect in [false, true] {
        let imap = Imap::start(Oddity {
            without_unselect,
            ..Oddity::default()
        });
        let mut events = recorded();
        events.extend([client("d CLOSE"), server("d OK closed")]);
        let place = Place::with(&events);
        let mut replay = place.replay(&imap.flags());
        let mut app = begin(&replay);
        app.command("x", "FETCH 1 (UID FLAGS)");
        app.command("d", "CLOSE");
        assert!(app.command("e", "CREATE x").starts_with("e OK"));
        assert_eq!(replay.stop().0, 0);
        let commands = imap.commands();
        assert!(!commands.contains(&"CLOSE".to_owned()), "{commands:?}");
        let logins = commands
            .iter()
            .filter(|command| command.starts_with("LOGIN"));
        let expected = match without_unselect {
            true => 2,
            false => 1,
        };
        assert_eq!(logins.count(), expected);
        assert_eq!(commands.contains(&"UNSELECT".to_owned()), !without_unselect);
        // The place of what was added is the one where it was asked.
        let mut replay = place.alone();
        let mut app = begin(&replay);
        app.command("x", "FETCH 1 (UID FLAGS)");
        app.command("d", "CLOSE");
        app.command("e", "CREATE x");
        everything_fits(&mut replay, 6);
    }
}

pub fn a_text_of_what_was_added_is_replayed() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let more = |app: &mut App| {
        app.command("d", "SELECT Archive") + &app.command("e", "FETCH 1 (UID FLAGS)")
    };
    let mut replay = place.replay(&imap.flags());
    let expected = more(&mut begin(&replay));
    assert_eq!(replay.stop().0, 0);
    let text = place.folder.path().join("app.txt");
    let exported = run(&[
        "export",
        place.transcript.to_str().unwrap(),
        "--to",
        "text",
        "-o",
        text.to_str().unwrap(),
    ]);
    assert!(exported.status.success(), "{exported:?}");
    let mut replay = Replay::start(&text, &[]);
    assert_eq!(more(&mut begin(&replay)), expected);
    let (code, report) = replay.stop();
    assert_eq!((code, &report["matched"]), (0, &json!(5)));
}

pub fn sasl_turns_are_said_again() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&[
        server("* OK hi"),
        client("a AUTHENTICATE LOGIN"),
        server("+ VXNlcm5hbWU6"),
        json!({"from": "client", "kind": "continuation", "wire": [{"secret": "sasl"}, "\r\n"]}),
        server("+ UGFzc3dvcmQ6"),
        json!({"from": "client", "kind": "continuation", "wire": [{"secret": "sasl"}, "\r\n"]}),
        server("a OK in"),
    ]);
    let mut replay = place.replay(&imap.flags());
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    app.say(b"a AUTHENTICATE LOGIN\r\n");
    for turn in ["YWxpY2U=\r\n", "b3Blbi1TZXNhbWUtNDI=\r\n"] {
        app.hear("+ ");
        app.say(turn.as_bytes());
    }
    app.hear("a OK");
    assert!(app.command("b", "CREATE x").starts_with("b OK"));
    assert_eq!(replay.stop().0, 0);
    let told = imap.told();
    assert!(
        told.contains(&"- b3Blbi1TZXNhbWUtNDI=".to_owned()),
        "{told:?}"
    );
    let transcript = place.read();
    assert!(!transcript.text().contains("b3Blbi1T"));
    well_formed(&transcript);
}
