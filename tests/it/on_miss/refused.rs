//! What cannot be asked, and servers that go away.

use std::sync::Arc;

use serde_json::json;

use super::super::support::app::App;
use super::super::support::server::{Server, line};
use super::super::support::wait_for;
use super::imap::{Imap, Oddity, Told};
use super::{Place, begin, recorded, server, well_formed};

/// The answer and the report's reason.
pub fn refused(oddity: Oddity, command: &str) -> (String, Imap, Place) {
    let imap = Imap::start(oddity);
    let place = Place::with(&recorded());
    let before = place.read().events().len();
    let mut replay = place.replay(&imap.flags());
    let mut app = begin(&replay);
    let answer = app.command("d", command);
    assert!(answer.starts_with("d BAD mailscope replay: "), "{answer}");
    assert!(
        app.command("e", "FETCH 1 (FLAGS)").contains("e OK"),
        "it goes on"
    );
    let (code, report) = replay.stop();
    assert_eq!((code, &report["recorded"]), (1, &json!(0)));
    let why = report["mismatches"][0]["why"].as_str().unwrap().to_owned();
    assert!(answer.contains(&why[..20]), "{answer}");
    assert_eq!(place.read().events().len(), before, "nothing is added");
    (why, imap, place)
}

pub fn a_mailbox_that_is_another_is_not_asked() {
    let oddity = Oddity {
        uid_validity: Some(99),
        ..Oddity::default()
    };
    let (why, imap, _) = refused(oddity, "UID FETCH 11 (UID FLAGS)");
    assert!(
        why.contains("UIDVALIDITY 99") && why.contains("7 in"),
        "{why}"
    );
    assert!(
        !imap
            .commands()
            .iter()
            .any(|command| command.contains("FETCH"))
    );
}

pub fn message_numbers_that_mean_others_are_not_asked() {
    let oddity = Oddity {
        exists: Some(4),
        ..Oddity::default()
    };
    let (why, imap, place) = refused(oddity, "FETCH 1 (UID FLAGS)");
    assert!(why.contains("4 messages") && why.contains("3 in"), "{why}");
    // UIDs mean the same.
    let mut replay = place.replay(&imap.flags());
    let mut app = begin(&replay);
    assert!(
        app.command("d", "UID FETCH 11 (UID FLAGS)")
            .contains("d OK")
    );
    assert_eq!(replay.stop().0, 0);
}

pub fn a_login_that_cannot_be_repeated_is_told() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&[
        server("* OK hi"),
        json!({"from": "client", "wire": ["a AUTHENTICATE CRAM-MD5\r\n"]}),
        server("+ PDEyMz4="),
        json!({"from": "client", "kind": "continuation", "wire": [{"secret": "sasl"}, "\r\n"]}),
        server("a OK in"),
    ]);
    let mut replay = place.replay(&imap.flags());
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    app.say(b"a AUTHENTICATE CRAM-MD5\r\n");
    app.hear("+ ");
    app.say(b"YWxpY2UgMTIz\r\n");
    app.hear("a OK");
    let answer = app.command("b", "CREATE x");
    assert!(
        answer.starts_with("b BAD ") && answer.contains("CRAM-MD5"),
        "{answer}"
    );
    let (code, report) = replay.stop();
    assert_eq!(code, 1);
    let why = report["mismatches"][0]["why"].as_str().unwrap();
    assert!(why.contains("cannot be repeated"), "{why}");
}

pub fn a_login_that_is_refused_is_not_tried_again() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let mut replay = place.replay(&imap.flags());
    for _ in 0..2 {
        let mut app = App::plain(replay.address("plain"));
        app.hear("* OK");
        app.command("a", "LOGIN alice mistyped");
        for tag in ["b", "c"] {
            let answer = app.command(tag, "CREATE x");
            assert!(
                answer.contains(" BAD ") && answer.contains("login"),
                "{answer}"
            );
        }
    }
    assert_eq!(replay.stop().0, 1);
    let commands = imap.commands();
    let logins = commands
        .iter()
        .filter(|command| command.starts_with("LOGIN"));
    assert_eq!(logins.count(), 1);
}

pub fn a_server_that_left_meanwhile_is_found_again() {
    let imap = Imap::start(Oddity {
        leaves_after: Some("CREATE"),
        ..Oddity::default()
    });
    let place = Place::with(&recorded());
    let mut replay = place.replay(&imap.flags());
    let mut app = begin(&replay);
    for (tag, name) in [("d", "x"), ("e", "y")] {
        let answer = app.command(tag, &format!("CREATE {name}"));
        assert!(answer.ends_with(" OK done\r\n"), "{answer}");
        wait_for("the server's end", || {
            let told = imap.told();
            told.last().filter(|last| *last == "- left").map(|_| ())
        });
        // It is known here as well after some turns.
        for number in 0..20 {
            app.command(&format!("{tag}{number}"), "FETCH 1 (FLAGS)");
        }
    }
    let (code, report) = replay.stop();
    assert_eq!((code, &report["recorded"]), (0, &json!(2)), "{report}");
    well_formed(&place.read());
}

pub fn a_server_that_says_bye_is_heard() {
    let imap = Imap::start(Oddity {
        says_bye_at: Some("STORE"),
        ..Oddity::default()
    });
    let place = Place::with(&recorded());
    let mut replay = place.replay(&imap.flags());
    let mut app = begin(&replay);
    app.say(b"d STORE 1 +FLAGS (\\Seen)\r\n");
    assert_eq!(app.hear("* BYE"), "* BYE enough\r\n");
    assert_eq!(app.rest().unwrap(), b"");
    assert_eq!(replay.stop().0, 1);
    assert_eq!(
        place.read().closed(2)["reason"]
            .as_str()
            .map(|r| r.contains("closed")),
        Some(true)
    );
}

pub fn a_server_that_goes_away_is_told() {
    let imap = Imap::start(Oddity {
        hangs_up_at: Some("STORE"),
        ..Oddity::default()
    });
    let place = Place::with(&recorded());
    let mut replay = place.replay(&imap.flags());
    let mut app = begin(&replay);
    let answer = app.command("d", "STORE 1 +FLAGS (\\Seen)");
    assert!(
        answer.contains("d BAD ") && answer.contains("closed the connection"),
        "{answer}"
    );
    // The next one finds it again.
    assert!(app.command("e", "FETCH 1 (UID FLAGS)").contains("e OK"));
    let (code, report) = replay.stop();
    assert_eq!((code, &report["recorded"]), (1, &json!(1)));
    well_formed(&place.read());
    // What was never answered is not played, and is asked again.
    let flags = imap.flags();
    drop(imap);
    let mut replay = place.replay(&flags);
    let mut app = begin(&replay);
    let answer = app.command("d", "STORE 1 +FLAGS (\\Seen)");
    assert!(
        answer.starts_with("d BAD ") && answer.contains("refused"),
        "{answer}"
    );
    app.command("e", "FETCH 1 (UID FLAGS)");
    let (code, report) = replay.stop();
    assert_eq!((code, &report["matched"]), (1, &json!(4)));
}

pub fn a_server_that_refuses_starttls_gets_no_password() {
    let told = Told::default();
    let tell = Arc::clone(&told);
    let stubborn = Server::plain(move |stream| {
        stream.write_all(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n")?;
        loop {
            let said = line(stream)?;
            let text = String::from_utf8_lossy(&said).into_owned();
            let Some((tag, _)) = text.split_once(' ') else {
                return Ok(());
            };
            tell.lock().unwrap().push(text.clone());
            stream.write_all(format!("{tag} NO not today\r\n").as_bytes())?;
        }
    });
    let place = Place::with(&recorded());
    let server = format!("imap://{}", stubborn.name());
    let flags = ["--on-miss", "record", "--server", &server].map(str::to_owned);
    let mut replay = place.replay(&flags);
    let mut app = begin(&replay);
    let answer = app.command("d", "CREATE x");
    assert!(
        answer.starts_with("d BAD ") && answer.contains("STARTTLS"),
        "{answer}"
    );
    assert_eq!(replay.stop().0, 1);
    assert_eq!(*told.lock().unwrap(), ["mailscope STARTTLS\r\n"]);
}

pub fn a_literal_that_waits_for_nothing_is_not_said_to_any_server() {
    let (why, imap, _) = refused(Oddity::default(), "CREATE {1+}\r\nx");
    assert!(why.contains("LITERAL+"), "{why}");
    assert!(!imap.told().contains(&"x".to_owned()));
}

/// No BAD could be told from the rest of the literal.
pub fn half_an_answer_ends_the_connection() {
    let imap = Imap::start(Oddity {
        tears_at: Some("STORE"),
        ..Oddity::default()
    });
    let place = Place::with(&recorded());
    let mut replay = place.replay(&imap.flags());
    let mut app = begin(&replay);
    app.say(b"d STORE 1 +FLAGS (\\Seen)\r\n");
    assert_eq!(app.rest().unwrap(), b"* 1 FETCH (BODY[] {10}\r\nhalf");
    let (code, report) = replay.stop();
    assert_eq!(code, 1);
    let why = report["mismatches"][0]["why"].as_str().unwrap();
    assert!(why.contains("closed the connection"), "{why}");
    let transcript = place.read();
    well_formed(&transcript);
    let torn = transcript
        .events()
        .iter()
        .filter(|event| event["incomplete"] == true);
    assert_eq!(torn.count(), 1);
}
