//! Conversations in the short text form, and what is told of two of them.

mod random;

use super::*;
use crate::growth::assert_linear;

fn conversation(text: &str) -> Conversation {
    Conversation::read(text.as_bytes().to_vec(), "test", &Ignored::default()).unwrap()
}

/// One line a difference: `response FLAGS () (\Seen)`.
fn told(comparison: &Comparison) -> Vec<String> {
    let mut json = Vec::new();
    write_json(&mut json, comparison);
    let lines = String::from_utf8(json).unwrap();
    let mut lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    lines.iter().for_each(assert_valid);
    let summary = lines.pop().unwrap();
    assert_eq!(summary["equal"], lines.is_empty());
    let word = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let sides =
        |value: &serde_json::Value| format!("{} | {}", word(&value["a"]), word(&value["b"]));
    let told = lines.iter().map(|line| {
        let kind = word(&line["difference"]);
        let parts = line["parts"].as_array().into_iter().flatten();
        let part =
            |part: &serde_json::Value| format!("{}: {}", word(&part["of"]), sides(&part["is"]));
        let parts: Vec<String> = parts.map(part).collect();
        match &*kind {
            "connection" => format!("connection {} {}", line["conn"]["a"], line["conn"]["b"]),
            "command" | "moved" => format!("{kind} {}", sides(&line["command"])),
            "argument" => format!("argument {}: {}", word(&line["of"]), sides(&line["is"])),
            _ if parts.is_empty() => format!("{kind} {}", sides(&line["response"])),
            _ => format!("{kind} {}", parts.join(", ")),
        }
    });
    told.collect()
}

/// A line is as the schema says.
fn assert_valid(line: &serde_json::Value) {
    static LINE: std::sync::LazyLock<jsonschema::Validator> = std::sync::LazyLock::new(|| {
        let schema = serde_json::from_str(SCHEMA).unwrap();
        assert!(jsonschema::meta::is_valid(&schema));
        jsonschema::validator_for(&schema).unwrap()
    });
    let errors: Vec<String> = LINE
        .iter_errors(line)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{line}: {errors:?}");
}

/// The differences of two sessions that begin alike: logged in, INBOX selected.
fn selected(a: &str, b: &str) -> Vec<String> {
    let session = |rest: &str| {
        conversation(&format!(
            "S: * OK hi\nC: l LOGIN alice x\nS: l OK in\nC: s SELECT INBOX\nS: s OK [READ-WRITE]\n{rest}"
        ))
    };
    told(&compare(&session(a), &session(b)))
}

const NOTHING: [&str; 0] = [];

#[test]
fn what_means_the_same_is_no_difference() {
    for (a, b) in [
        // Tags, text, letter case, the order of what has none.
        (
            "C: a FETCH 1:2 (FLAGS UID)\nS: * 1 FETCH (UID 7 FLAGS (\\Seen \\Deleted))\nS: * 2 FETCH (FLAGS () UID 8)\nS: a OK done",
            "C: x fetch 2,1 (uid flags)\nS: * 2 fetch (uid 8 flags ())\nS: * 1 FETCH (FLAGS (\\deleted \\seen) UID 7)\nS: x ok Fertig",
        ),
        // The form of a string.
        (
            "C: a STATUS Sent (MESSAGES)\nS: * STATUS Sent (MESSAGES 2 UIDNEXT 3)\nS: a OK",
            "C: a STATUS {4}\nS: + go\nC: Sent (MESSAGES)\nS: * STATUS \"Sent\" (UIDNEXT 3 MESSAGES 2)\nS: a OK",
        ),
        (
            "C: a FETCH 1 BODY[TEXT]\nS: * 1 FETCH (BODY[TEXT] {2}\nS: ab)\nS: a OK",
            "C: a FETCH 1 BODY[TEXT]\nS: * 1 FETCH (BODY[TEXT] \"ab\")\nS: a OK",
        ),
        // A mailbox's attributes, ID, a text that is nothing else.
        (
            "C: a LIST \"\" *\nS: * LIST (\\A \\B) \"/\" x\nS: * LIST () NIL inbox\nS: * OK Still here\nS: a OK\nC: b ID NIL\nS: * ID (\"name\" \"x\")\nS: b OK",
            "C: a LIST \"\" *\nS: * LIST () NIL INBOX\nS: * LIST (\\b \\a) \"/\" \"x\"\nS: a OK\nC: b ID (\"name\" \"y\")\nS: * ID NIL\nS: b OK",
        ),
        (
            "C: a UID SEARCH RETURN (ALL) SEEN\nS: * ESEARCH (TAG \"a\") UID MIN 2 ALL 2,4:6\nS: a OK",
            "C: bb UID SEARCH RETURN (ALL) SEEN\nS: * ESEARCH (TAG \"bb\") UID ALL 4,5,6,2 MIN 2\nS: bb OK",
        ),
        // One message's items in one response or in two.
        (
            "C: a FETCH 1 (FLAGS UID)\nS: * 1 FETCH (FLAGS () UID 7)\nS: a OK",
            "C: a FETCH 1 (FLAGS UID)\nS: * 1 FETCH (FLAGS ())\nS: * 1 FETCH (UID 7)\nS: a OK",
        ),
        // The same messages are gone, and the same number is left.
        (
            "C: a EXPUNGE\nS: * 3 EXPUNGE\nS: * 3 EXPUNGE\nS: * 5 EXISTS\nS: a OK",
            "C: a EXPUNGE\nS: * 4 EXPUNGE\nS: * 3 EXPUNGE\nS: * 5 EXISTS\nS: a OK",
        ),
        // Whether anybody asked for it or not, and whenever it comes.
        (
            "C: a NOOP\nS: * 4 EXPUNGE\nS: * 3 EXPUNGE\nS: a OK",
            "C: a NOOP\nS: * 3 EXPUNGE\nS: * 3 EXPUNGE\nS: a OK",
        ),
        (
            "C: a NOOP\nS: * 4 EXPUNGE\nS: a OK\nC: b NOOP\nS: * 3 EXPUNGE\nS: * 3 FETCH (FLAGS ())\nS: b OK",
            "C: a NOOP\nS: * 5 FETCH (FLAGS ())\nS: a OK\nC: b NOOP\nS: * 3 EXPUNGE\nS: * 3 EXPUNGE\nS: b OK",
        ),
        // What nobody asked for, with another command.
        (
            "C: a NOOP\nS: * 4 EXISTS\nS: a OK\nC: b CHECK\nS: b OK",
            "C: a NOOP\nS: a OK\nC: b CHECK\nS: * 3 EXISTS\nS: * 4 EXISTS\nS: b OK",
        ),
        (
            "C: a IDLE\nS: + idling\nS: * 4 EXISTS\nC: DONE\nS: a OK",
            "C: a IDLE\nS: + \nC: DONE\nS: * 4 EXISTS\nS: a OK",
        ),
        (
            "C: a NOOP\nS: * 3 EXISTS\nS: a OK\nC: b NOOP\nS: * 4 EXISTS\nS: b OK",
            "C: a NOOP\nS: a OK\nC: b NOOP\nS: * 4 EXISTS\nS: b OK",
        ),
        // What only asks, in another order.
        (
            "C: a STATUS x (MESSAGES)\nS: a OK\nC: b STATUS y (MESSAGES)\nS: b OK\nC: c NOOP\nS: c OK",
            "C: b STATUS y (MESSAGES)\nS: b OK\nC: c NOOP\nS: c OK\nC: a STATUS x (MESSAGES)\nS: a OK",
        ),
        // Pipelined, and who answers what cannot be known.
        (
            "C: a UID FETCH 1:9 FLAGS\nC: b UID FETCH 1:9 FLAGS\nS: * 1 FETCH (UID 1 FLAGS ())\nS: * 1 FETCH (UID 1 FLAGS ())\nS: a OK\nS: b OK",
            "C: a UID FETCH 1:9 FLAGS\nS: * 1 FETCH (UID 1 FLAGS ())\nS: a OK\nC: b UID FETCH 1:9 FLAGS\nS: * 1 FETCH (UID 1 FLAGS ())\nS: b OK",
        ),
    ] {
        assert_eq!(selected(a, b), NOTHING, "\n{a}\n--\n{b}");
        assert_eq!(selected(b, a), NOTHING, "\n{b}\n--\n{a}");
    }
}

#[test]
fn the_very_thing_that_differs_is_told() {
    let cases: [(&str, &str, &[&str]); 28] = [
        ("C: a NOOP\nS: a OK", "", &["command NOOP | -"]),
        (
            "C: a SELECT x\nS: a OK",
            "C: a SELECT y\nS: a OK",
            &["argument mailbox: x | y"],
        ),
        (
            "C: a FETCH 1:3 (FLAGS UID)\nS: a OK",
            "C: a FETCH 1:4 (FLAGS)\nS: a OK",
            &[
                "argument sequence set: 1:3 | 1:4",
                "argument items: (FLAGS UID) | (FLAGS)",
            ],
        ),
        (
            "C: a NOOP\nS: a OK",
            "C: a NOOP\nS: a NO",
            &["answer status: OK | NO"],
        ),
        ("C: a NOOP\nS: a OK", "C: a NOOP", &["answer OK | -"]),
        (
            "C: a SELECT x\nS: a OK [READ-WRITE]",
            "C: a SELECT x\nS: a OK [READ-ONLY]",
            &["answer code: READ-WRITE | READ-ONLY"],
        ),
        (
            "C: a NOOP\nS: a OK [ALERT] one",
            "C: a NOOP\nS: a OK [ALERT] two",
            &["answer ALERT: one | two"],
        ),
        (
            "C: a SELECT x\nS: * 3 EXISTS\nS: * OK [UIDVALIDITY 1]\nS: a OK",
            "C: a SELECT x\nS: * OK [UIDVALIDITY 2]\nS: * 3 EXISTS\nS: a OK",
            &["response UIDVALIDITY: 1 | 2"],
        ),
        (
            "C: a FETCH 1 (FLAGS UID)\nS: * 1 FETCH (FLAGS () UID 7)\nS: a OK",
            "C: a FETCH 1 (FLAGS UID)\nS: * 1 FETCH (UID 7 FLAGS (\\Seen))\nS: a OK",
            &["response FLAGS: () | (\\Seen)"],
        ),
        (
            "C: a UID FETCH 7 FLAGS\nS: * 1 FETCH (FLAGS () UID 7)\nS: a OK",
            "C: a UID FETCH 7 FLAGS\nS: * 2 FETCH (FLAGS () UID 7)\nS: a OK",
            &["response number: 1 | 2"],
        ),
        (
            "C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {2}\nS: ab)\nS: a OK",
            "C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {2}\nS: aB)\nS: a OK",
            &["response BODY[]: ab | aB"],
        ),
        (
            "C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] NIL)\nS: a OK",
            "C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] \"\")\nS: a OK",
            &["response BODY[]: NIL | \"\""],
        ),
        (
            "C: a SEARCH SEEN\nS: * SEARCH 1 2\nS: a OK",
            "C: a SEARCH SEEN\nS: * SEARCH 2 3\nS: a OK",
            &["response numbers: (1 2) | (2 3)"],
        ),
        (
            "C: a SORT (DATE) UTF-8 SEEN\nS: * SORT 1 2\nS: a OK",
            "C: a SORT (DATE) UTF-8 SEEN\nS: * SORT 2 1\nS: a OK",
            &["response data: (1 2) | (2 1)"],
        ),
        (
            "C: a EXPUNGE\nS: * 3 EXPUNGE\nS: * 3 EXPUNGE\nS: a OK",
            "C: a EXPUNGE\nS: * 3 EXPUNGE\nS: * 4 EXPUNGE\nS: a OK",
            &["response * 3 EXPUNGE | -", "response - | * 4 EXPUNGE"],
        ),
        (
            "C: a LIST \"\" *\nS: * LIST () \"/\" x\nS: * LIST () \"/\" y\nS: a OK",
            "C: a LIST \"\" *\nS: * LIST (\\Noselect) \"/\" y\nS: a OK",
            &[
                "response * LIST () \"/\" x | -",
                "response attributes: () | (\\Noselect)",
            ],
        ),
        (
            "C: a NOOP\nS: * 4 EXISTS\nS: a OK",
            "C: a NOOP\nS: * 5 EXISTS\nS: a OK",
            &["unsolicited number: 4 | 5"],
        ),
        (
            "C: a NOOP\nS: * BYE\nS: a OK",
            "C: a NOOP\nS: a OK",
            &["unsolicited * BYE | -"],
        ),
        (
            "C: a APPEND x {3+}\nC: abc\nS: a OK",
            "C: a APPEND x {3+}\nC: abd\nS: a OK",
            &["argument argument 2: abc | abd"],
        ),
        // What was asked for is not found again in what came unasked.
        (
            "C: a SELECT x\nS: * 3 EXISTS\nS: a OK\nC: b NOOP\nS: * 4 EXISTS\nS: b OK",
            "C: a SELECT x\nS: * 4 EXISTS\nS: a OK\nC: b NOOP\nS: * 4 EXISTS\nS: b OK",
            &["response number: 3 | 4"],
        ),
        // The one that was answered alike is the same.
        (
            "C: a CREATE x\nS: a NO\nC: b CREATE x\nS: b OK",
            "C: a CREATE x\nS: a OK",
            &["command CREATE x | -"],
        ),
        // A store at another place.
        (
            "C: a STORE 1 +FLAGS (\\Seen)\nS: a OK\nC: b SEARCH SEEN\nS: b OK\nC: c EXPUNGE\nS: c OK",
            "C: b SEARCH SEEN\nS: b OK\nC: c EXPUNGE\nS: c OK\nC: a STORE 1 +FLAGS (\\Seen)\nS: a OK",
            &["moved STORE 1 +FLAGS (\\Seen) | STORE 1 +FLAGS (\\Seen)"],
        ),
        // Of another message.
        (
            "C: a NOOP\nS: * 1 EXPUNGE\nS: * 2 FETCH (FLAGS ())\nS: a OK",
            "C: a NOOP\nS: * 2 FETCH (FLAGS ())\nS: * 1 EXPUNGE\nS: a OK",
            &[
                "unsolicited - | * 2 FETCH (FLAGS ())",
                "unsolicited * 2 FETCH (FLAGS ()) | -",
            ],
        ),
        (
            "C: a APPEND x {3+}\nC: abc {3+}\nC: def\nS: a OK",
            "C: a APPEND x {3+}\nC: ABC {3+}\nC: def\nS: a OK",
            &["argument argument 2: abc | ABC"],
        ),
        (
            "C: a SETACL x alice lr\nS: a OK",
            "C: a SETACL x Alice lr\nS: a OK",
            &["argument argument 2: alice | Alice"],
        ),
        // It sets \Seen.
        (
            "C: a SEARCH UNSEEN\nS: a OK\nC: b FETCH 1 (RFC822)\nS: b OK",
            "C: b FETCH 1 (RFC822)\nS: b OK\nC: a SEARCH UNSEEN\nS: a OK",
            &["moved SEARCH UNSEEN | SEARCH UNSEEN"],
        ),
        // A question on the other side of what changes its answer.
        (
            "C: a STATUS x (MESSAGES)\nS: a OK\nC: b CREATE x\nS: b OK\nC: c CREATE y\nS: c OK",
            "C: b CREATE x\nS: b OK\nC: c CREATE y\nS: c OK\nC: a STATUS x (MESSAGES)\nS: a OK",
            &["moved STATUS x (MESSAGES) | STATUS x (MESSAGES)"],
        ),
        // The pair that has more in common is the changed one.
        (
            "C: a FETCH 1 FLAGS\nS: a OK\nC: b FETCH 2:5 UID\nS: b OK",
            "C: b FETCH 2:6 UID\nS: b OK",
            &[
                "command FETCH 1 FLAGS | -",
                "argument sequence set: 2:5 | 2:6",
            ],
        ),
    ];
    for (a, b, expected) in cases {
        assert_eq!(selected(a, b), expected, "\n{a}\n--\n{b}");
    }
}

#[test]
fn passwords_and_sasl_turns_are_not_compared() {
    let of = |a: &str, b: &str| told(&compare(&conversation(a), &conversation(b)));
    assert_eq!(
        of(
            "S: * OK\nC: a LOGIN alice <secret:password>\nS: a OK",
            "S: * OK\nC: a LOGIN alice hunter2\nS: a OK"
        ),
        NOTHING
    );
    assert_eq!(
        of(
            "S: * OK\nC: a AUTHENTICATE PLAIN AGE=\nS: a OK",
            "S: * OK\nC: a AUTHENTICATE plain\nS: + \nC: AGI=\nS: a OK"
        ),
        NOTHING
    );
    assert_eq!(
        of(
            "S: * OK\nC: a LOGIN alice hunter2\nS: a OK",
            "S: * OK\nC: a LOGIN bob hunter3\nS: a OK"
        ),
        ["argument user name: alice | bob"]
    );
}

#[test]
fn how_the_app_secured_its_leg_is_not_compared() {
    let tls = "S: * OK [CAPABILITY IMAP4rev1 IDLE] hi\nC: a CAPABILITY\nS: * CAPABILITY IMAP4rev1 IDLE\nS: a OK\nC: b LOGIN a b\nS: b OK [CAPABILITY IDLE]";
    let starttls = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\nC: a CAPABILITY\nS: * CAPABILITY IMAP4rev1 STARTTLS\nS: a OK\nC: b STARTTLS\nS: b OK\nC: c CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN\nS: c OK\nC: d LOGIN a b\nS: d OK [CAPABILITY IDLE]";
    let greeted =
        "S: * OK [CAPABILITY IMAP4rev1 IDLE] hi\nC: b LOGIN a b\nS: b OK [CAPABILITY IDLE]";
    for (a, b) in [
        (tls, starttls),
        (greeted, starttls),
        (tls, tls),
        (starttls, starttls),
    ] {
        let differences = |a, b| told(&compare(&conversation(a), &conversation(b)));
        assert_eq!(differences(a, b), NOTHING);
        assert_eq!(differences(b, a), NOTHING);
    }
    let other = tls.replace("CAPABILITY IMAP4rev1 IDLE", "CAPABILITY IMAP4rev1");
    assert_eq!(
        told(&compare(&conversation(tls), &conversation(&other))),
        [
            "greeting CAPABILITY: (IDLE IMAP4rev1) | (IMAP4rev1)",
            "response capabilities: (IDLE IMAP4rev1) | (IMAP4rev1)"
        ]
    );
}

#[test]
fn connections_belong_together_by_what_is_done_in_them() {
    let of =
        |mailbox: &str| format!("S: * OK\nC: a SELECT {mailbox}\nS: a OK\nC: b NOOP\nS: b OK\n");
    let (one, two, three) = (of("INBOX"), of("Sent"), of("Drafts"));
    let a = format!("# connection 1\n{one}# connection 2\n{two}# connection 3\n{three}");
    let b = format!("# connection 7\n{three}# connection 8\n{one}");
    assert_eq!(
        told(&compare(&conversation(&a), &conversation(&b))),
        ["connection 2 null"]
    );
    let b = format!(
        "# connection 1\n{three}# connection 2\n{}# connection 3\n{one}",
        of("Trash")
    );
    assert_eq!(
        told(&compare(&conversation(&a), &conversation(&b))),
        ["argument mailbox: Sent | Trash"]
    );
}

#[test]
fn a_large_literal_is_compared_to_the_octet_however_it_was_kept() {
    let mail = "x".repeat(150_000);
    let text = |mail: &str| {
        conversation(&format!(
            "S: * PREAUTH\nC: a APPEND x {{{0}+}}\nC: {mail}\nS: a OK\nC: b FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {{{0}}}\nS: {mail})\nS: b OK",
            mail.len()
        ))
    };
    let json = format!(
        r#"{{"mailscope":{{"format":1,"started":"2026-11-23T12:00:00.000Z"}},"events":[
        {{"from":"server","wire":["* PREAUTH\r\n"]}},
        {{"from":"client","wire":["a APPEND x ",{{"literal":"{mail}"}},"\r\n"]}},
        {{"from":"server","wire":["a OK\r\n"]}},
        {{"from":"client","wire":["b FETCH 1 BODY[]\r\n"]}},
        {{"from":"server","wire":["* 1 FETCH (BODY[] ",{{"literal":"{mail}"}},")\r\n"]}},
        {{"from":"server","wire":["b OK\r\n"]}}]}}"#
    );
    let whole = conversation(&json);
    assert_eq!(told(&compare(&text(&mail), &text(&mail))), NOTHING);
    assert_eq!(told(&compare(&text(&mail), &whole)), NOTHING);
    let other = format!("{}y", &mail[1..]);
    for original in [&text(&mail), &whole] {
        let said = told(&compare(original, &text(&other)));
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(
            said[0].starts_with("argument ")
                && said[1].starts_with("response BODY[]: 150000 octets"),
            "{said:?}"
        );
    }
}

#[test]
fn compression_is_a_command_and_nothing_else() {
    let plain = "S: * PREAUTH\nC: b NOOP\nS: * 1 EXISTS\nS: b OK\n";
    let compressed =
        "S: * PREAUTH\nC: a COMPRESS DEFLATE\nS: a OK on\nC: b NOOP\nS: * 1 EXISTS\nS: b OK\n";
    let said = told(&compare(&conversation(plain), &conversation(compressed)));
    assert_eq!(said, ["command - | COMPRESS DEFLATE"]);
}

#[test]
fn what_is_named_is_not_compared() {
    let a = "S: * PREAUTH\nC: a SELECT x\nS: * 3 EXISTS\nS: * OK [UIDVALIDITY 1]\nS: * OK [UNSEEN 1]\nS: a OK [READ-ONLY]\nC: b FETCH 1 (UID FLAGS)\nS: * 1 FETCH (UID 7 FLAGS ())\nS: b OK\nC: c NOOP\nS: * 9 EXISTS\nS: c OK";
    let b = "S: * PREAUTH\nC: a SELECT y\nS: * 3 EXISTS\nS: * OK [UIDVALIDITY 2]\nS: a OK [READ-WRITE]\nC: b FETCH 1 (UID FLAGS)\nS: * 1 FETCH (UID 8 FLAGS (\\Seen))\nS: b OK\nC: d CHECK\nS: d OK";
    let without = |names: &[&str]| {
        let ignored = Ignored::new(names.iter().copied());
        let read =
            |text: &str| Conversation::read(text.as_bytes().to_vec(), "test", &ignored).unwrap();
        told(&compare(&read(a), &read(b)))
    };
    assert_eq!(
        without(&[
            "mailbox",
            "uidvalidity",
            "UNSEEN",
            "code",
            "UID",
            "NOOP",
            "check",
            "exists"
        ]),
        ["response FLAGS: () | (\\Seen)"]
    );
    assert_eq!(
        without(&[
            "mailbox",
            "uidvalidity",
            "UNSEEN",
            "read-only",
            "READ-WRITE",
            "FETCH",
            "NOOP",
            "check"
        ]),
        ["unsolicited * 9 EXISTS | -"]
    );
}

/// A session of so many commands, of which `change` may change some.
fn long_session(commands: usize, change: impl Fn(usize) -> Option<String>) -> String {
    let mut text = "S: * OK\nC: a SELECT INBOX\nS: a OK\n".to_owned();
    for number in 0..commands {
        let command = change(number).unwrap_or_else(|| format!("UID FETCH {number} (FLAGS)"));
        text.push_str(&format!(
            "C: t{number} {command}\nS: * {} FETCH (UID {number} FLAGS (\\Seen))\nS: t{number} OK\n",
            number + 1
        ));
    }
    text
}

#[test]
fn two_long_sessions_are_compared_in_time_that_grows_with_them() {
    let same = |_: usize| None;
    let now_and_then = |n: usize| (n % 100 == 7).then(|| format!("UID FETCH {n} (UID)"));
    let all = |n: usize| Some(format!("UID FETCH {n} (ENVELOPE)"));
    let repeated = |n: usize| Some(["NOOP", "CHECK", "IDLE"][n % 3].to_owned());
    let turned = |n: usize| Some(["CHECK", "NOOP", "NOOP"][n % 3].to_owned());
    let cases: [[&dyn Fn(usize) -> Option<String>; 2]; 5] = [
        [&same, &same],
        [&same, &now_and_then],
        [&same, &all],
        [&repeated, &turned],
        [&same, &repeated],
    ];
    for [a, b] in cases {
        assert_linear(
            250,
            |size| {
                let (a, b) = (long_session(size, a), long_session(size, b));
                (conversation(&a), conversation(&b))
            },
            |(a, b)| assert!(!compare(a, b).connections.is_empty()),
        );
    }
}

#[test]
fn one_long_answer_is_compared_in_time_that_grows_with_it() {
    let answer = |size: usize, flag: &str| {
        let fetched = (1..=size).map(|n| format!("S: * {n} FETCH (FLAGS ({flag}))\n"));
        let fetched: String = fetched.collect();
        let numbers: Vec<String> = (1..=size).map(|n| n.to_string()).collect();
        conversation(&format!(
            "S: * OK\nC: a FETCH 1:* FLAGS\n{fetched}S: a OK\nC: b SEARCH ALL\nS: * SEARCH {}\nS: b OK\n",
            numbers.join(" ")
        ))
    };
    assert_linear(
        500,
        |size| (answer(size, ""), answer(size, "\\Seen")),
        |(a, b)| assert!(!compare(a, b).is_equal()),
    );
}

#[test]
fn octets_are_compared_where_they_are_asked_for() {
    let session = |rest: &str| {
        conversation(&format!(
            "S: * OK hi\nC: l LOGIN alice x\nS: l OK in\nC: s SELECT INBOX\nS: s OK\n{rest}"
        ))
    };
    let exactly = |a: &str, b: &str| {
        let (a, b) = (session(a), session(b));
        assert_eq!(told(&compare(&a, &b)), NOTHING);
        told(&compare_by(Measure::Octets, &a, &b))
    };
    for (a, b, differs) in [
        ("FETCH 1:3 (FLAGS UID)", "FETCH 1:3 (UID FLAGS)", true),
        ("FETCH 1:3 FLAGS", "FETCH 1,2:3 (FLAGS)", true),
        ("STATUS INBOX (UNSEEN)", "status inbox (unseen)", true),
        ("STATUS a (UNSEEN)", "STATUS \"a\" (UNSEEN)", true),
        (
            "STATUS {1}\nC: a (UNSEEN)",
            "STATUS {1+}\nC: a (UNSEEN)",
            true,
        ),
        ("ID NIL", "ID (\"name\" \"x\")", true),
        ("FETCH 1:3 (FLAGS UID)", "FETCH 1:3 (FLAGS UID)", false),
    ] {
        let one = format!("C: a {a}\nS: a OK\n");
        let other = format!("C: tag7 {b}\nS: tag7 OK done\n");
        let told = exactly(&one, &other);
        assert_eq!(told.len(), usize::from(differs), "{a} | {b}: {told:?}");
        assert!(
            told.iter()
                .all(|line| line.starts_with("argument octets: ")),
            "{told:?}"
        );
    }
    let ask = |one: &str, other: &str| {
        format!("C: a STATUS {one} (UNSEEN)\nS: a OK\nC: b STATUS {other} (UNSEEN)\nS: b OK\n")
    };
    let moved = exactly(&ask("x", "y"), &ask("y", "x"));
    assert_eq!(moved.len(), 1, "{moved:?}");
    assert!(moved[0].starts_with("moved STATUS"), "{moved:?}");
}

#[test]
fn a_login_is_never_told_to_the_octet() {
    let session = |password: &str| {
        conversation(&format!(
            "S: * OK hi\nC: l LOGIN alice {password}\nS: l OK in\n"
        ))
    };
    let told = told(&compare_by(
        Measure::Octets,
        &session("hunter2"),
        &session("\"hunter3\""),
    ));
    assert_eq!(told, NOTHING);
}
