//! A client that was recorded against Dovecot, started again against the recording alone, from empty
//! state: it ends well, obtains what it obtained, and everything that was recorded was asked for.

use libtest_mimic::Trial;
use serde_json::json;

use super::super::replay::Replay;
use super::super::support::dovecot::{Dovecot, WITH_COMPRESS};
use super::super::support::maildir::Mail;
use super::super::support::mailscope::Mailscope;
use super::super::support::programs::{
    CURL, DOVECOT, MBSYNC, NEOMUTT, PYTHON, Program, SCRIPT, needing,
};
use super::super::support::trials;
use super::{
    Door, Security, THROUGH, curl, healthy, imapflow, imaplib, mbsync, neomutt, recording, through,
};
use crate::support::patience::trial;

pub fn trials() -> Vec<Trial> {
    let mut trials = needing(
        &[DOVECOT, CURL],
        trials!("real::replayed"; curl_at_once, curl_backwards, curl_backwards_strict),
    );
    let each = CLIENTS.into_iter().flat_map(|client| {
        let ways = WAYS.into_iter().filter(|way| client.goes(way));
        let trials = ways.map(|way| {
            let name = format!("real::replayed::{}{}", client.name, way.name);
            trial(name, move || {
                obtains_the_same(&client, &way);
                Ok(())
            })
        });
        client.needing(trials.collect())
    });
    trials.extend(each);
    trials
}

/// A client's session.
#[derive(Clone, Copy)]
pub(super) struct Client {
    pub(super) name: &'static str,
    programs: &'static [Program],
    mailboxes: fn() -> Vec<(&'static str, Vec<Mail>)>,
    pub(super) connections: usize,
    /// Whether it compresses where it can.
    pub(super) compresses: bool,
    /// What it obtains, from empty state.
    pub(super) obtained: fn(&Door) -> Vec<u8>,
}

pub(super) const CLIENTS: [Client; 6] = [
    Client {
        name: "curl",
        programs: &[DOVECOT, CURL],
        mailboxes: || vec![("INBOX", curl::inbox()), ("Archive", Vec::new())],
        connections: curl::QUESTIONS.len(),
        compresses: false,
        obtained: |door| curl::answers(door).concat().into_bytes(),
    },
    Client {
        name: "imapflow",
        programs: &[DOVECOT],
        mailboxes: || vec![("INBOX", imapflow::inbox()), ("Archive", Vec::new())],
        connections: imapflow::CONNECTIONS,
        compresses: true,
        obtained: |door| imapflow::obtained(door).into_bytes(),
    },
    Client {
        name: "imaplib",
        programs: &[DOVECOT, PYTHON],
        mailboxes: || vec![("INBOX", imaplib::inbox()), ("Archive", Vec::new())],
        connections: 2,
        compresses: false,
        obtained: |door| imaplib::obtained(door).into_bytes(),
    },
    Client {
        name: "mbsync",
        programs: &[DOVECOT, MBSYNC],
        mailboxes: || vec![("INBOX", mbsync::inbox()), ("Archive", mbsync::archive())],
        connections: 1,
        compresses: true,
        obtained: mbsync::obtained,
    },
    Client {
        name: "neomutt",
        programs: &[DOVECOT, NEOMUTT, SCRIPT],
        mailboxes: neomutt::mailboxes,
        connections: neomutt::CONNECTIONS,
        compresses: false,
        obtained: neomutt::obtained,
    },
    Client {
        name: "neomutt_with_a_cache",
        programs: &[DOVECOT, NEOMUTT, SCRIPT],
        mailboxes: neomutt::mailboxes,
        connections: neomutt::CONNECTIONS + 1,
        compresses: false,
        obtained: neomutt::obtained_with_a_cache,
    },
];

impl Client {
    /// The trials, as they are if it is there.
    pub(super) fn needing(&self, trials: Vec<Trial>) -> Vec<Trial> {
        let trials = needing(self.programs, trials);
        match self.name {
            "imapflow" => imapflow::needing_imapflow(trials),
            _ => trials,
        }
    }

    /// Gives its user the mails that it finds.
    pub(super) fn prepare(&self, dovecot: &Dovecot) {
        let mailboxes = (self.mailboxes)();
        let mailboxes: Vec<_> = mailboxes
            .iter()
            .map(|(name, mails)| (*name, &mails[..]))
            .collect();
        dovecot.user(THROUGH, &mailboxes);
    }

    /// Whether it can go there in this way.
    fn goes(&self, way: &Way) -> bool {
        self.compresses || !way.compressed
    }
}

/// How the session goes, when it is recorded and when it is replayed.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    /// When it is recorded.
    security: Security,
    /// When it is replayed.
    then: Security,
    compressed: bool,
    /// What replay is told besides.
    arguments: &'static [&'static str],
}

/// The app is given octet by octet.
const SPLIT: &[&str] = &["--fault", "split=1"];

const WAYS: [Way; 8] = [
    Way {
        name: "",
        security: Security::Tls,
        then: Security::Tls,
        compressed: false,
        arguments: &[],
    },
    Way {
        name: "_with_starttls",
        security: Security::Starttls,
        then: Security::Starttls,
        compressed: false,
        arguments: &[],
    },
    Way {
        name: "_compressed",
        security: Security::Tls,
        then: Security::Tls,
        compressed: true,
        arguments: &[],
    },
    Way {
        name: "_compressed_with_starttls",
        security: Security::Starttls,
        then: Security::Starttls,
        compressed: true,
        arguments: &[],
    },
    Way {
        name: "_split",
        security: Security::Tls,
        then: Security::Tls,
        compressed: false,
        arguments: SPLIT,
    },
    Way {
        name: "_strict",
        security: Security::Starttls,
        then: Security::Starttls,
        compressed: false,
        arguments: &["--match", "strict"],
    },
    // A client that asks for capabilities which stood in a greeting then, or the reverse.
    Way {
        name: "_with_tls_and_then_with_starttls",
        security: Security::Tls,
        then: Security::Starttls,
        compressed: false,
        arguments: &[],
    },
    Way {
        name: "_with_starttls_and_then_with_tls",
        security: Security::Starttls,
        then: Security::Tls,
        compressed: false,
        arguments: &[],
    },
];

/// The last connection first: each is the recorded one that asks for the same.
fn curl_backwards() {
    curl_replayed(&[], backwards);
}

fn curl_backwards_strict() {
    curl_replayed(&["--match", "strict"], backwards);
}

fn backwards(door: &Door) -> Vec<String> {
    let questions = curl::QUESTIONS.iter().rev();
    let mut answers: Vec<_> = questions.map(|q| curl::answer(door, q)).collect();
    answers.reverse();
    answers
}

/// All connections together, in whatever order that is.
fn curl_at_once() {
    curl_replayed(&["--match", "strict"], |door| {
        std::thread::scope(|scope| {
            let ask = |question| scope.spawn(move || curl::answer(door, question));
            let asked: Vec<_> = curl::QUESTIONS.iter().map(ask).collect();
            asked
                .into_iter()
                .map(|answer| answer.join().unwrap())
                .collect()
        })
    });
}

/// Records curl's connections in their order, and has them ask a replay in another one.
fn curl_replayed(arguments: &'static [&'static str], ask: fn(&Door) -> Vec<String>) {
    let [way, ..] = WAYS;
    let dovecot = Dovecot::start();
    dovecot.user(THROUGH, &[("INBOX", &curl::inbox()), ("Archive", &[])]);
    let mut mailscope = recording(&dovecot, way.security).start();
    let expected = curl::answers(&through(&mailscope, way.security));
    mailscope.closed(expected.len());
    mailscope.stop();
    drop(dovecot);
    let mut replay = replay(&mailscope, &Way { arguments, ..way });
    let answers = ask(&door(&replay, way.security));
    everything_matched(&mut replay);
    assert_eq!(answers, expected);
}

fn obtains_the_same(client: &Client, way: &Way) {
    let dovecot = Dovecot::start_with(if way.compressed { WITH_COMPRESS } else { "" });
    client.prepare(&dovecot);
    let mut mailscope = recording(&dovecot, way.security).start();
    let expected = (client.obtained)(&through(&mailscope, way.security));
    mailscope.closed(client.connections);
    let transcript = mailscope.stop();
    let compressed = transcript.kind("compressed").len();
    assert_eq!(compressed > 0, way.compressed, "{compressed} connections");
    drop(dovecot);
    let mut replay = replay(&mailscope, way);
    let obtained = (client.obtained)(&door(&replay, way.then));
    match way.then == way.security {
        true => everything_matched(&mut replay),
        false => nothing_was_missing(&mut replay),
    }
    let again = replay.read("stdout");
    let again = again
        .lines()
        .filter(|line| line.contains(r#""kind":"compressed""#));
    assert_eq!(again.count(), compressed);
    healthy::same_octets(&obtained, &expected);
}

fn replay(mailscope: &Mailscope, way: &Way) -> Replay {
    let always = ["--output", "json"];
    let all: &[&str] = match way.then == way.security {
        true => &["--require-all"],
        false => &[],
    };
    Replay::start(mailscope.out(), &[&always[..], all, way.arguments].concat())
}

fn door(replay: &Replay, security: Security) -> Door {
    let address = match security {
        Security::Tls => replay.address("tls"),
        Security::Starttls | Security::Cleartext => replay.address("plain"),
    };
    Door {
        port: address.rsplit_once(':').unwrap().1.parse().unwrap(),
        security,
        ca: replay.ca(),
        user: THROUGH,
        proxy: Vec::new(),
    }
}

fn nothing_was_missing(replay: &mut Replay) {
    let (code, report) = replay.stop();
    assert_eq!(report["mismatches"], json!([]), "{report:#}");
    assert_eq!(code, 0);
}

fn everything_matched(replay: &mut Replay) {
    let (code, report) = replay.stop();
    assert_eq!(report["mismatches"], json!([]), "{report:#}");
    assert_eq!(report["never_asked"], json!([]), "{report:#}");
    assert_eq!(code, 0);
}
