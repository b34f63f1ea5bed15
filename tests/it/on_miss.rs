//! `replay --on-miss record`: what is not recorded is asked of the real server, brought to where the
//! app's session stands, and added; the next replay needs no server for it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::replay::Replay;
use super::support::app::App;
use super::support::mailscope::run;
use super::support::schema;
use super::support::server::{Server, Stream, line};
use super::support::transcript::Transcript;
use super::support::{noise, trials, wait_for};

pub fn trials() -> Vec<Trial> {
    trials!("on_miss";
        a_large_literal_goes_both_ways,
        a_login_that_cannot_be_repeated_is_told,
        a_login_that_is_refused_is_not_tried_again,
        a_mailbox_is_left_without_expunging,
        a_mailbox_that_is_another_is_not_asked,
        a_server_that_goes_away_is_told,
        a_server_that_refuses_starttls_gets_no_password,
        a_server_that_left_meanwhile_is_found_again,
        a_server_that_says_bye_is_heard,
        a_text_of_what_was_added_is_replayed,
        a_torn_transcript_is_gone_on_with,
        all_records_anew_and_keeps_the_former,
        idle_goes_both_ways,
        message_numbers_that_mean_others_are_not_asked,
        none_and_a_second_once_ask_nobody,
        once_records_everything,
        pipelined_commands_wait_for_the_one_that_is_passed,
        sasl_turns_are_said_again,
        the_flags_need_each_other,
        two_runs_do_not_add_to_one_file,
        what_is_not_recorded_is_asked_and_added,
        what_is_refused_with_a_literal_is_refused_again,
    )
}

const PASSWORD: &str = "open-Sesame-42";

/// What the server was told, line by line, with the connection's number.
type Told = Arc<Mutex<Vec<String>>>;

/// How the server differs from one that fits the recording.
#[derive(Clone, Copy, Default)]
struct Oddity {
    uid_validity: Option<u32>,
    exists: Option<u32>,
    without_unselect: bool,
    hangs_up_at: Option<&'static str>,
    says_bye_at: Option<&'static str>,
    leaves_after: Option<&'static str>,
    refuses_append: bool,
}

/// A small IMAP server: INBOX with three mails, Archive with one.
struct Imap {
    server: Server,
    told: Told,
}

impl Imap {
    fn start(oddity: Oddity) -> Self {
        let told = Told::default();
        let tell = Arc::clone(&told);
        let server = Server::plain(move |stream| serve(stream, &tell, oddity));
        Self { server, told }
    }

    /// The flags that make a replay ask it.
    fn flags(&self) -> Vec<String> {
        let flags = ["--on-miss", "record", "--server-tls", "none", "--server"];
        let mut flags: Vec<String> = flags.map(str::to_owned).to_vec();
        flags.push(self.server.name());
        flags
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    /// The commands it was told, without their tags.
    fn commands(&self) -> Vec<String> {
        let told = self.told();
        let words = told
            .iter()
            .map(|line| line.split_once(' ').unwrap_or(("", line)).1);
        words.map(str::to_owned).collect()
    }
}

fn serve(stream: &mut dyn Stream, told: &Told, oddity: Oddity) -> io::Result<()> {
    let unselect = match oddity.without_unselect {
        true => "",
        false => " UNSELECT",
    };
    let capabilities = format!("IMAP4rev1 IDLE COMPRESS=DEFLATE{unselect}");
    stream.write_all(format!("* OK [CAPABILITY {capabilities}] ready\r\n").as_bytes())?;
    loop {
        let said = line(stream)?;
        let text = String::from_utf8_lossy(&said).trim_end().to_owned();
        let Some((tag, words)) = text.split_once(' ') else {
            return Ok(());
        };
        told.lock().unwrap().push(text.clone());
        let name = words.split(' ').next().unwrap().to_ascii_uppercase();
        if oddity.hangs_up_at == Some(&*name) {
            return stream.write_all(b"* 1 FETCH (FLAGS ())\r\n");
        }
        if oddity.says_bye_at == Some(&*name) {
            return stream.write_all(b"* BYE enough\r\n");
        }
        let answer = match &*name {
            "LOGIN" if words.contains(PASSWORD) => "OK in".to_owned(),
            "LOGIN" => "NO wrong".to_owned(),
            "AUTHENTICATE" => authenticate(stream, told)?,
            "CAPABILITY" => {
                stream.write_all(format!("* CAPABILITY {capabilities}\r\n").as_bytes())?;
                "OK these".to_owned()
            }
            "SELECT" | "EXAMINE" => {
                let is_inbox = words.to_ascii_uppercase().contains("INBOX");
                let (validity, count) = if is_inbox { (7, 3) } else { (8, 1) };
                let validity = oddity.uid_validity.unwrap_or(validity);
                let count = oddity.exists.unwrap_or(count);
                let lines = format!("* {count} EXISTS\r\n* OK [UIDVALIDITY {validity}] valid\r\n");
                stream.write_all(lines.as_bytes())?;
                "OK [READ-WRITE] selected".to_owned()
            }
            "FETCH" | "UID" if words.contains("BODY") => {
                let body =
                    String::from_utf8(noise(1, 300_000).iter().map(|o| b'a' + o % 26).collect());
                let body = body.unwrap();
                let head = format!("* 1 FETCH (BODY[] {{{}}}\r\n", body.len());
                stream.write_all(head.as_bytes())?;
                stream.write_all(body.as_bytes())?;
                stream.write_all(b")\r\n")?;
                "OK fetched".to_owned()
            }
            "FETCH" | "UID" => {
                stream.write_all(b"* 1 FETCH (UID 11 FLAGS (\\Answered))\r\n")?;
                "OK fetched".to_owned()
            }
            "APPEND" if oddity.refuses_append => "NO [TOOBIG] no".to_owned(),
            "APPEND" => append(stream, told, words)?,
            "IDLE" => {
                stream.write_all(b"+ idling\r\n* 4 EXISTS\r\n")?;
                let done = String::from_utf8(line(stream)?).unwrap();
                told.lock().unwrap().push(format!("- {}", done.trim_end()));
                "OK idled".to_owned()
            }
            "LOGOUT" => {
                stream.write_all(b"* BYE bye\r\n")?;
                "OK out".to_owned()
            }
            _ => "OK done".to_owned(),
        };
        stream.write_all(format!("{tag} {answer}\r\n").as_bytes())?;
        if oddity.leaves_after == Some(&*name) {
            stream.write_all(b"* BYE nothing happens here\r\n")?;
            stream.finish();
            told.lock().unwrap().push("- left".to_owned());
            return Ok(());
        }
        if name == "LOGOUT" {
            return Ok(());
        }
    }
}

fn authenticate(stream: &mut dyn Stream, told: &Told) -> io::Result<String> {
    for prompt in ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"] {
        stream.write_all(format!("+ {prompt}\r\n").as_bytes())?;
        let turn = String::from_utf8(line(stream)?).unwrap();
        told.lock().unwrap().push(format!("- {}", turn.trim_end()));
    }
    Ok("OK in".to_owned())
}

fn append(stream: &mut dyn Stream, told: &Told, words: &str) -> io::Result<String> {
    let count = words
        .rsplit_once('{')
        .unwrap()
        .1
        .trim_end_matches(['}', '+']);
    if words.ends_with('}') && !words.ends_with("+}") {
        stream.write_all(b"+ go\r\n")?;
    }
    let mut body = vec![0; count.parse().unwrap()];
    stream.read_exact(&mut body)?;
    let sum: u64 = body.iter().map(|octet| u64::from(*octet)).sum();
    told.lock()
        .unwrap()
        .push(format!("- {} octets, {sum}", body.len()));
    line(stream)?;
    Ok("OK [APPENDUID 8 2] appended".to_owned())
}

fn server(line: &str) -> Value {
    json!({"from": "server", "wire": [format!("{line}\r\n")]})
}

fn client(line: &str) -> Value {
    json!({"from": "client", "wire": [format!("{line}\r\n")]})
}

/// Logs in and looks at INBOX.
fn recorded() -> Vec<Value> {
    vec![
        server("* OK [CAPABILITY IMAP4rev1] recorded"),
        json!({"from": "client", "wire": ["a LOGIN alice ", {"secret": "password"}, "\r\n"]}),
        server("a OK in"),
        client("b SELECT INBOX"),
        server("* 3 EXISTS"),
        server("* OK [UIDVALIDITY 7] valid"),
        server("b OK [READ-WRITE] selected"),
        client("c FETCH 1 (FLAGS)"),
        server("* 1 FETCH (FLAGS (\\Seen))"),
        server("c OK fetched"),
    ]
}

/// A folder with the recording.
struct Place {
    folder: TempDir,
    transcript: PathBuf,
}

impl Place {
    fn with(events: &[Value]) -> Self {
        let place = Self::empty();
        let header = json!({"format": 1, "protocol": "imap", "version": "0.1.0",
            "started": "2026-11-23T12:00:00.000Z", "server": "x:993", "secrets": "masked"});
        let document = json!({"mailscope": header, "events": events});
        fs::write(&place.transcript, document.to_string()).unwrap();
        place
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let transcript = folder.path().join("app.json");
        Self { folder, transcript }
    }

    fn replay(&self, flags: &[String]) -> Replay {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Replay::start(&self.transcript, &flags)
    }

    /// A replay without a server, in which everything has to be used.
    fn alone(&self) -> Replay {
        Replay::start(&self.transcript, &["--require-all"])
    }

    /// The transcript, which is to be good and to tell no password.
    fn read(&self) -> Transcript {
        let transcript = Transcript::read(&self.transcript);
        assert!(!transcript.text().contains(PASSWORD));
        transcript
    }
}

/// What was added has the format; what a hand wrote leaves out what it may.
fn well_formed(transcript: &Transcript) {
    let is_added = |error: &String| {
        let place = error
            .strip_prefix("/events/")
            .and_then(|rest| rest.split(['/', ':']).next());
        let place: Option<usize> = place.and_then(|place| place.parse().ok());
        place.is_none_or(|place| transcript.events()[place].get("n").is_some())
    };
    let errors: Vec<String> = schema::errors(transcript)
        .into_iter()
        .filter(is_added)
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let last = transcript.events().last().unwrap();
    assert!(last.get("n").is_some(), "something was added");
}

/// Logs in and looks at INBOX, as recorded.
fn begin(replay: &Replay) -> App {
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    app.command("a", &format!("LOGIN alice {PASSWORD}"));
    assert!(app.command("b", "SELECT INBOX").contains("* 3 EXISTS"));
    assert!(app.command("c", "FETCH 1 (FLAGS)").contains("\\Seen"));
    app
}

fn everything_fits(replay: &mut Replay, matched: u64) {
    let (code, report) = replay.stop();
    let expected = json!({"matched": matched, "mismatches": [], "never_asked": []});
    assert_eq!((code, report), (0, expected));
}

fn what_is_not_recorded_is_asked_and_added() {
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
fn is_a_session_of_its_own(transcript: &Transcript) {
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

fn once_records_everything() {
    let imap = Imap::start(Oddity::default());
    let place = Place::empty();
    let session = |app: &mut App| {
        let greeting = app.hear("* OK");
        let answers = [
            ("a", "CAPABILITY"),
            ("b", &*format!("LOGIN alice {PASSWORD}")),
            ("c", "NOOP"),
            ("d", "SELECT INBOX"),
            ("e", "LOGOUT"),
        ];
        let answers = answers.map(|(tag, command)| app.command(tag, command));
        assert_eq!(app.rest().unwrap(), b"");
        (greeting, answers)
    };
    let mut flags = imap.flags();
    flags.extend(["--record", "once"].map(str::to_owned));
    let mut replay = place.replay(&flags);
    // In TLS, so that nothing of the capabilities is of mailscope.
    let mut app = App::tls(replay.address("tls"), "localhost", &replay.ca());
    let expected = session(&mut app);
    // What is compressed cannot be told from what is not when it is played again.
    assert_eq!(
        expected.0,
        "* OK [CAPABILITY IMAP4rev1 IDLE UNSELECT] ready\r\n"
    );
    let (code, report) = replay.stop();
    assert_eq!((code, &report["recorded"]), (0, &json!(5)), "{report}");
    let transcript = place.read();
    well_formed(&transcript);
    assert_eq!(transcript.header()["server"], imap.server.name());
    assert_eq!(transcript.kind("command").len(), 5);
    drop(imap);
    let mut replay = place.alone();
    let mut app = App::tls(replay.address("tls"), "localhost", &replay.ca());
    assert_eq!(session(&mut app), expected);
    everything_fits(&mut replay, 5);
}

fn none_and_a_second_once_ask_nobody() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let before = fs::read(&place.transcript).unwrap();
    for mode in ["none", "once"] {
        let mut flags = imap.flags();
        flags.extend(["--record", mode].map(str::to_owned));
        let mut replay = place.replay(&flags);
        let mut app = begin(&replay);
        assert!(app.command("d", "CREATE x").starts_with("d BAD "));
        let (code, report) = replay.stop();
        assert_eq!(code, 1);
        assert_eq!(report["mismatches"][0]["command"], "CREATE x");
    }
    assert_eq!(imap.told(), [""; 0]);
    assert_eq!(fs::read(&place.transcript).unwrap(), before);
}

fn all_records_anew_and_keeps_the_former() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let before = fs::read(&place.transcript).unwrap();
    let mut flags = imap.flags();
    flags.extend(["--record", "all"].map(str::to_owned));
    let aside = |end: &str| place.folder.path().join(format!("app.json.old{end}"));
    let mut replay = place.replay(&flags);
    assert_eq!(replay.stop().0, 0);
    assert_eq!(fs::read(&place.transcript).unwrap(), before, "nothing came");
    assert!(!aside("").exists());
    for end in ["", "-2"] {
        let kept = fs::read(&place.transcript).unwrap();
        let mut replay = place.replay(&flags);
        let mut app = App::plain(replay.address("plain"));
        app.hear("* OK [CAPABILITY");
        app.command("a", &format!("LOGIN alice {PASSWORD}"));
        assert!(app.command("b", "SELECT INBOX").contains("* 3 EXISTS"));
        let (code, report) = replay.stop();
        assert_eq!((code, &report["matched"]), (0, &json!(0)));
        assert_eq!(report["recorded"], 2);
        assert_eq!(fs::read(aside(end)).unwrap(), kept);
        assert_eq!(place.read().kind("command").len(), 2);
    }
    assert_eq!(fs::read(aside("")).unwrap(), before);
}

fn a_large_literal_goes_both_ways() {
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

fn what_is_refused_with_a_literal_is_refused_again() {
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

fn idle_goes_both_ways() {
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

fn pipelined_commands_wait_for_the_one_that_is_passed() {
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

fn a_mailbox_is_left_without_expunging() {
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

/// The answer and the report's reason.
fn refused(oddity: Oddity, command: &str) -> (String, Imap, Place) {
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

fn a_mailbox_that_is_another_is_not_asked() {
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

fn message_numbers_that_mean_others_are_not_asked() {
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

fn a_login_that_cannot_be_repeated_is_told() {
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

fn a_login_that_is_refused_is_not_tried_again() {
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

fn a_text_of_what_was_added_is_replayed() {
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

fn a_server_that_left_meanwhile_is_found_again() {
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

fn a_server_that_says_bye_is_heard() {
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

fn sasl_turns_are_said_again() {
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

fn a_server_that_goes_away_is_told() {
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

fn a_server_that_refuses_starttls_gets_no_password() {
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

fn a_torn_transcript_is_gone_on_with() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let mut torn = fs::read(&place.transcript).unwrap();
    torn.truncate(torn.len() - 2);
    torn.extend(b",{\"from\":\"server\",\"wi");
    fs::write(&place.transcript, torn).unwrap();
    let mut replay = place.replay(&imap.flags());
    let mut app = begin(&replay);
    assert!(app.command("d", "CREATE x").starts_with("d OK"));
    assert_eq!(replay.stop().0, 0);
    assert!(replay.read("stderr").contains("ends unfinished"));
    well_formed(&place.read());
    let mut replay = place.alone();
    begin(&replay).command("d", "CREATE x");
    everything_fits(&mut replay, 4);
}

fn two_runs_do_not_add_to_one_file() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let _first = place.replay(&imap.flags());
    refuses(&place.transcript, &imap.flags(), "another mailscope");
}

/// Exit code 2, and these words.
fn refuses(transcript: &Path, flags: &[String], words: &str) {
    let mut arguments = vec!["replay", transcript.to_str().unwrap()];
    arguments.extend(["--listen-tls", "127.0.0.1:0", "--listen-plain", "none"]);
    arguments.extend(flags.iter().map(String::as_str));
    let output = run(&arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert!(
        stderr.contains(words) && stderr.contains("try: "),
        "{stderr}"
    );
}

fn the_flags_need_each_other() {
    let place = Place::with(&recorded());
    let flags = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    for (given, words) in [
        ("--on-miss record", "--server"),
        ("--server localhost", "--on-miss record"),
        ("--record new", "--on-miss record"),
        ("--insecure", "--on-miss record"),
        (
            "--on-miss record --server imaps://x --server-tls none",
            "contradict",
        ),
    ] {
        refuses(&place.transcript, &flags(given), words);
    }
    let other = Place::with(&recorded());
    let two = format!(
        "{} --on-miss record --server localhost",
        other.transcript.display()
    );
    refuses(&place.transcript, &flags(&two), "only one can be added to");
    let text = place.folder.path().join("hand.txt");
    fs::write(&text, "S: * OK\nC: a NOOP\nS: a OK\n").unwrap();
    refuses(
        &text,
        &flags("--on-miss record --server localhost"),
        "C:/S:",
    );
    let missing = place.folder.path().join("missing.json");
    let none = flags("--on-miss record --server localhost --record none");
    refuses(&missing, &none, "--record once");
    assert!(!missing.exists());
}
