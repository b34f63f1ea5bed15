//! `mailscope::replay::Server` in somebody's Rust test.

use std::io::Cursor;
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use mailscope::replay::{Builder, Matching, OnMiss, Server};

use super::support::app::App;
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    trials!("library";
        a_difference_is_shown_side_by_side,
        an_error_names_line_and_reason,
        dropped_it_is_gone,
        it_keeps_recorded_pauses_if_asked_to,
        it_starts_from_a_path_from_text_and_from_a_reader,
        it_takes_what_the_program_takes,
        two_at_once_have_ports_and_authorities_of_their_own,
        what_was_never_asked_for_is_asserted,
    )
}

const TEXT: &str = "S: * PREAUTH ready\nC: a SELECT INBOX\nS: * 1 EXISTS\nS: a OK selected\n\
                    C: b FETCH 1 FLAGS\nS: * 1 FETCH (FLAGS ())\nS: b OK fetched\n";

const JSON: &str = r#"{"mailscope":{"format":1,"protocol":"imap","version":"0.1.0",
 "started":"2026-11-23T12:00:00.000Z","server":"x:993","secrets":"masked"},
"events":[
{"n":1,"conn":1,"at":0.0,"from":"server","wire":["* PREAUTH ready\r\n"]},
{"n":2,"conn":1,"at":0.0,"from":"client","wire":["a SELECT INBOX\r\n"]},
{"n":3,"conn":1,"at":0.25,"from":"server","wire":["* 1 EXISTS\r\n"]},
{"n":4,"conn":1,"at":0.5,"from":"server","wire":["a OK selected\r\n"]}
]}"#;

fn app(server: &Server) -> App {
    let mut app = App::plain(&server.plain().to_string());
    app.hear("* ");
    app
}

/// What an assertion says that does not hold.
fn complaint(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("it held");
    panic.downcast_ref::<String>().unwrap().clone()
}

fn it_starts_from_a_path_from_text_and_from_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recorded.json");
    std::fs::write(&path, JSON).unwrap();
    for server in [
        Server::start(&path),
        Server::from_text(JSON),
        Server::from_text(TEXT),
        Server::read(Cursor::new(TEXT), "hand.txt"),
    ] {
        let server = server.unwrap();
        let answer = app(&server).command("x", "SELECT inbox");
        assert!(answer.ends_with("* 1 EXISTS\r\nx OK selected\r\n"));
        server.assert_matched();
    }
}

fn an_error_names_line_and_reason() {
    let error = Server::from_text("S: * OK\nwhat\n").err().unwrap();
    let error = error.to_string();
    assert!(error.contains("line 2: a line begins with"), "{error}");
    let error = Server::start("no/such/file.json").err().unwrap();
    assert!(error.to_string().contains("no/such/file.json"), "{error}");
    for pace in [-1.0, f64::NAN, f64::INFINITY] {
        let error = Server::builder().pace(pace).from_text(TEXT).err().unwrap();
        assert!(error.to_string().contains("no factor"), "{error}");
    }
}

fn a_difference_is_shown_side_by_side() {
    let server = Server::from_text(TEXT).unwrap();
    let mut app = app(&server);
    server.assert_matched();
    app.command("x", "SELECT Drafts");
    let said = complaint(|| server.assert_matched());
    let words = "whose mailbox is\n    recorded: INBOX\n    live:     Drafts";
    assert!(said.contains(words), "{said}");
    assert_eq!(server.report().mismatches.len(), 1);
}

fn what_was_never_asked_for_is_asserted() {
    let server = Server::from_text(TEXT).unwrap();
    let mut app = app(&server);
    app.command("x", "SELECT INBOX");
    server.assert_matched();
    let said = complaint(|| server.assert_all_asked());
    assert!(said.contains("FETCH 1 FLAGS"), "{said}");
    app.command("y", "FETCH 1 FLAGS");
    server.assert_all_asked();
}

fn two_at_once_have_ports_and_authorities_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (
        Server::from_text(TEXT).unwrap(),
        Server::from_text(TEXT).unwrap(),
    );
    let ports = [one.tls(), one.plain(), other.tls(), other.plain()].map(|a| a.port());
    for (place, port) in ports.iter().enumerate() {
        assert!(!ports[..place].contains(port), "{ports:?}");
    }
    assert_ne!(one.ca_pem(), other.ca_pem());
    for server in [&one, &other] {
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, server.ca_pem()).unwrap();
        App::tls(&server.tls().to_string(), "localhost", &ca).hear("* PREAUTH ready");
    }
}

fn dropped_it_is_gone() {
    let server = Server::from_text(TEXT).unwrap();
    let addresses = [server.tls(), server.plain()];
    let mut app = app(&server);
    drop(server);
    for address in addresses {
        assert!(TcpStream::connect(address).is_err(), "{address}");
    }
    // A reset is an end as well.
    assert_eq!(app.rest().unwrap_or_default(), b"");
}

fn it_takes_what_the_program_takes() {
    let strict = Server::builder().matching(Matching::Strict);
    let server = strict.from_text(TEXT).unwrap();
    let mut live = app(&server);
    assert!(live.command("x", "NOOP").starts_with("x BAD "));
    assert!(live.command("y", "SELECT INBOX").contains("y OK"));
    let server = Server::builder().on_miss(OnMiss::Fail);
    let server = server.from_text(TEXT).unwrap();
    let mut live = app(&server);
    live.say(b"x SELECT Drafts\r\n");
    live.hear("* BYE ");
    assert_eq!(live.rest().unwrap(), b"");
}

/// At least as long: how much longer is the machine's affair.
fn it_keeps_recorded_pauses_if_asked_to() {
    let taken = |builder: Builder| {
        let server = builder.from_text(JSON).unwrap();
        let mut app = app(&server);
        let begun = Instant::now();
        app.command("x", "SELECT INBOX");
        begun.elapsed()
    };
    assert!(taken(Server::builder().pace(1.0)) >= Duration::from_millis(500));
    assert!(taken(Server::builder().pace(2.0)) >= Duration::from_millis(1000));
}
