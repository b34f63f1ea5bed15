//! Every command with the responses that it asks for, and some that it does not.
//!
//! RFC 9051 and RFC 3501: compared with their formal syntax (section 9, `command-any`,
//! `command-auth`, `command-nonauth`, `command-select`, `uid`, `mailbox-data`, `message-data`,
//! `fetch-att`). The extensions: with the examples of their RFCs.

use std::collections::BTreeSet;

use super::super::command::COMMANDS;
use super::super::response::READINGS;
use super::{conversation, logged_in};
use crate::event::Peer;

use Peer::{Client as C, Server as S};

/// Arguments of a command; the responses that it asks for; those that it does not.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// Sent without a login (RFC 9051, sections 6.1 and 6.2).
const BEFORE_LOGIN: &[Case] = &[
    ("CAPABILITY", &["CAPABILITY IMAP4rev2"], &["3 EXISTS"]),
    ("NOOP", &[], &["OK hm", "NO hm", "BAD hm", "BYE hm"]),
    ("LOGOUT", &["BYE see you"], &[]),
    (
        "LOGIN alice hunter2",
        &["CAPABILITY IMAP4rev2", "OK [CAPABILITY IMAP4rev2] in"],
        &["OK [ALERT] hm", "ID NIL"],
    ),
    // RFC 4959
    (
        "AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=",
        &["CAPABILITY IMAP4rev2"],
        &[],
    ),
    // RFC 2971
    (
        "ID (\"name\" \"x\")",
        &["ID (\"name\" \"y\")"],
        &["CAPABILITY IMAP4rev2"],
    ),
    // RFC 5255, sections 3.2 and 3.4
    (
        "LANGUAGE de",
        &["LANGUAGE (DE)", "NAMESPACE ((\"\" \"/\")) NIL NIL"],
        &["COMPARATOR x"],
    ),
];

/// RFC 9051, sections 6.3 and 6.4; RFC 3501.
const BASE: &[Case] = &[
    ("ENABLE CONDSTORE", &["ENABLED CONDSTORE"], &[]),
    (
        "SELECT INBOX",
        &[
            "3 EXISTS",
            "0 RECENT",
            "FLAGS (\\Seen)",
            "LIST () \"/\" INBOX",
            "OK [CLOSED] x",
            "OK [PERMANENTFLAGS (\\*)] x",
            "OK [UIDNEXT 3] x",
            "OK [UIDVALIDITY 3] x",
            "OK [UIDNOTSTICKY] x",
            "OK [UNSEEN 3] x",
            "OK [HIGHESTMODSEQ 3] x", // RFC 7162
            "OK [NOMODSEQ] x",
            "OK [MAILBOXID (F1)] x",    // RFC 8474
            "OK [URLMECH INTERNAL] x",  // RFC 4467
            "OK [ANNOTATIONS 20480] x", // RFC 5257
        ],
        &[
            "3 EXPUNGE",
            "OK [ALERT] x",
            "1 FETCH (FLAGS ())",
            "VANISHED 3",
        ],
    ),
    (
        "EXAMINE INBOX",
        &["3 EXISTS", "0 RECENT", "FLAGS ()", "OK [UIDVALIDITY 3] x"],
        &["SEARCH 1"],
    ),
    ("CREATE x", &["LIST () \"/\" x"], &["LSUB () \"/\" x"]),
    ("DELETE x", &[], &["LIST (\\NonExistent) \"/\" x"]),
    (
        "RENAME x y",
        &["LIST () \"/\" y (\"OLDNAME\" (\"x\"))"],
        &[],
    ),
    ("SUBSCRIBE x", &[], &["LIST (\\Subscribed) \"/\" x"]),
    ("UNSUBSCRIBE x", &[], &["STATUS x (MESSAGES 1)"]),
    (
        "LIST \"\" *",
        &["LIST () \"/\" x"],
        &["STATUS x (MESSAGES 1)", "LSUB () \"/\" x"],
    ),
    ("LSUB \"\" *", &["LSUB () \"/\" x"], &["LIST () \"/\" x"]),
    ("NAMESPACE", &["NAMESPACE ((\"\" \"/\")) NIL NIL"], &[]),
    (
        "STATUS x (MESSAGES SIZE)",
        &["STATUS x (MESSAGES 1 SIZE 2)"],
        &[],
    ),
    ("APPEND x (\\Seen) {3+}\r\nabc", &[], &["3 EXISTS"]),
    ("CHECK", &[], &["3 EXISTS", "1 EXPUNGE"]),
    ("CLOSE", &["1 EXPUNGE"], &["3 EXISTS"]),
    ("UNSELECT", &[], &["1 EXPUNGE"]),
    (
        "EXPUNGE",
        &["1 EXPUNGE", "VANISHED 3"],
        &["VANISHED (EARLIER) 3"],
    ),
    (
        "SEARCH ALL",
        &["SEARCH 1 2", "ESEARCH (TAG \"a\") ALL 1"],
        &["SORT 1"],
    ),
    (
        "FETCH 1:3 (ENVELOPE FLAGS)",
        &["1 FETCH (ENVELOPE NIL)", "3 FETCH (FLAGS ())"],
        &["4 FETCH (FLAGS ())", "1 FETCH (UID 3)", "1 EXPUNGE"],
    ),
    (
        "FETCH 1 ALL",
        &["1 FETCH (ENVELOPE NIL)", "1 FETCH (RFC822.SIZE 3)"],
        &["1 FETCH (UID 3)"],
    ),
    (
        "FETCH 1 FAST",
        &["1 FETCH (INTERNALDATE \"x\")"],
        &["1 FETCH (ENVELOPE NIL)"],
    ),
    (
        "FETCH 1 FULL",
        &["1 FETCH (BODY (\"TEXT\" \"PLAIN\"))"],
        &["1 FETCH (BODYSTRUCTURE ())"],
    ),
    (
        "FETCH 1 BODYSTRUCTURE",
        &["1 FETCH (BODYSTRUCTURE (\"TEXT\"))"],
        &["1 FETCH (BODY ())"],
    ),
    (
        "FETCH 1 (BODY.PEEK[1.MIME] BODY[HEADER.FIELDS.NOT (A B)]<0.9>)",
        &[
            "1 FETCH (BODY[1.MIME] NIL)",
            "1 FETCH (BODY[HEADER.FIELDS.NOT (A B)]<0> \"x\")",
        ],
        &["1 FETCH (BODY[TEXT] NIL)", "1 FETCH (BODY[] NIL)"],
    ),
    // RFC 3516
    (
        "FETCH 1 (BINARY.PEEK[1]<0.9> BINARY.SIZE[2])",
        &[
            "1 FETCH (BINARY[1]<0> ~{1}\r\n\0)",
            "1 FETCH (BINARY.SIZE[2] 3)",
        ],
        &["1 FETCH (BINARY[2] NIL)"],
    ),
    (
        "FETCH 1 (RFC822 RFC822.HEADER RFC822.TEXT)",
        &["1 FETCH (RFC822 NIL)", "1 FETCH (RFC822.TEXT NIL)"],
        &["1 FETCH (RFC822.SIZE 3)"],
    ),
    (
        "STORE 1 +FLAGS (\\Seen)",
        &["1 FETCH (FLAGS (\\Seen))"],
        &["2 FETCH (FLAGS ())"],
    ),
    (
        "STORE 1 -FLAGS.SILENT (\\Seen)",
        &[],
        &["1 FETCH (FLAGS ())"],
    ),
    ("COPY 1 x", &[], &["1 EXPUNGE", "3 EXISTS"]),
    (
        "MOVE 1 x",
        &["OK [COPYUID 1 2 3] x", "1 EXPUNGE", "VANISHED 3"],
        &["3 EXISTS"],
    ),
    ("UID COPY 1 x", &[], &["1 EXPUNGE"]),
    ("UID MOVE 1 x", &["OK [COPYUID 1 2 3] x", "1 EXPUNGE"], &[]),
    ("UID EXPUNGE 1", &["1 EXPUNGE", "VANISHED 1"], &[]),
    (
        "UID FETCH 9 FLAGS",
        &["1 FETCH (UID 9 FLAGS ())"],
        &["1 FETCH (UID 8 FLAGS ())"],
    ),
    (
        "UID SEARCH ALL",
        &["SEARCH 1", "ESEARCH (TAG \"a\") UID"],
        &[],
    ),
    (
        "UID STORE 9 FLAGS ()",
        &["1 FETCH (UID 9 FLAGS ())"],
        &["1 FETCH (FLAGS ())"],
    ),
];

/// The registered extensions.
const EXTENSIONS: &[Case] = &[
    // RFC 9208
    (
        "GETQUOTA \"\"",
        &["QUOTA \"\" (STORAGE 1 2)"],
        &["QUOTAROOT x \"\""],
    ),
    (
        "GETQUOTAROOT x",
        &["QUOTAROOT x \"\"", "QUOTA \"\" ()"],
        &[],
    ),
    (
        "SETQUOTA \"\" (STORAGE 3)",
        &["QUOTA \"\" (STORAGE 1 3)"],
        &[],
    ),
    // RFC 4314
    ("SETACL x alice lr", &[], &["ACL x alice lr"]),
    ("DELETEACL x alice", &[], &["ACL x"]),
    ("GETACL x", &["ACL x alice lr"], &["MYRIGHTS x lr"]),
    ("LISTRIGHTS x alice", &["LISTRIGHTS x alice l r"], &[]),
    ("MYRIGHTS x", &["MYRIGHTS x lr"], &[]),
    // RFC 5256
    ("SORT (DATE) UTF-8 ALL", &["SORT 2 1"], &["SEARCH 1"]),
    (
        "UID SORT RETURN () (DATE) UTF-8 ALL",
        &["ESEARCH (TAG \"a\") UID ALL 1"],
        &[],
    ),
    (
        "THREAD REFERENCES UTF-8 ALL",
        &["THREAD (1)(2 3)"],
        &["SORT 1"],
    ),
    ("UID THREAD REFERENCES UTF-8 ALL", &["THREAD (1)"], &[]),
    // RFC 5464
    (
        "GETMETADATA \"\" /shared/x",
        &["METADATA \"\" (/shared/x NIL)"],
        &[],
    ),
    (
        "SETMETADATA \"\" (/shared/x NIL)",
        &[],
        &["METADATA \"\" /shared/x"],
    ),
    // RFC 5465
    (
        "NOTIFY SET STATUS (selected MessageNew)",
        &["STATUS x (MESSAGES 1)"],
        &["3 EXISTS"],
    ),
    // RFC 7162
    (
        "SELECT INBOX (QRESYNC (1 2))",
        &[
            "VANISHED (EARLIER) 1:3",
            "1 FETCH (UID 3 FLAGS () MODSEQ (9))",
        ],
        &["VANISHED 3"],
    ),
    (
        "UID FETCH 1:9 (FLAGS) (CHANGEDSINCE 5 VANISHED)",
        &["VANISHED (EARLIER) 3", "1 FETCH (UID 3 MODSEQ (9))"],
        &["VANISHED 3"],
    ),
    (
        "STORE 1 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Seen)",
        &["1 FETCH (MODSEQ (9))"],
        &["1 FETCH (FLAGS ())", "2 FETCH (MODSEQ (9))"],
    ),
    (
        "UID STORE 7 (UNCHANGEDSINCE 5) FLAGS ()",
        &["1 FETCH (UID 7 MODSEQ (9))"],
        &[],
    ),
    // RFC 9586
    (
        "UID FETCH 7 FLAGS",
        &["7 UIDFETCH (FLAGS ())"],
        &["8 UIDFETCH (FLAGS ())"],
    ),
    (
        "UID STORE 7 FLAGS ()",
        &["7 UIDFETCH (FLAGS ())"],
        &["7 UIDFETCH (ENVELOPE NIL)"],
    ),
    // RFC 5258, 5819, 6154, 8440, 9590; RFC 6237 and 7377
    (
        "LIST (SUBSCRIBED) \"\" (a b) RETURN (SPECIAL-USE STATUS (MESSAGES) MYRIGHTS METADATA (/x))",
        &[
            "LIST (\\Sent) \"/\" a",
            "STATUS a (MESSAGES 1)",
            "MYRIGHTS a lr",
            "METADATA a (/x NIL)",
        ],
        &["ACL a"],
    ),
    (
        "ESEARCH IN (mailboxes x) ALL",
        &["ESEARCH (TAG \"a\" MAILBOX x) ALL 1"],
        &[],
    ),
    // RFC 4467, 5524
    (
        "GENURLAUTH imap://x INTERNAL",
        &["GENURLAUTH imap://x"],
        &[],
    ),
    ("URLFETCH imap://x", &["URLFETCH imap://x NIL"], &[]),
    ("RESETKEY x INTERNAL", &[], &["GENURLAUTH imap://x"]),
    // RFC 4469
    (
        "APPEND x CATENATE (URL \"/x\" TEXT {1+}\r\nx)",
        &[],
        &["3 EXISTS"],
    ),
    // RFC 5255
    ("COMPARATOR", &["COMPARATOR i;octet"], &[]),
    // RFC 5257 and its drafts
    ("GETANNOTATION x y z", &["ANNOTATION x y ()"], &[]),
    ("SETANNOTATION x y ()", &[], &["ANNOTATION x y ()"]),
    // RFC 5259
    ("CONVERSIONS a b", &["CONVERSION a b"], &[]),
    (
        "CONVERT 1 NIL BINARY[1]",
        &["CONVERTED (TAG \"a\") 1 (BINARY[1] NIL)"],
        &[],
    ),
    (
        "UID CONVERT 1 NIL BINARY[1]",
        &["CONVERTED (TAG \"a\") 1 ()"],
        &[],
    ),
    // RFC 5267
    (
        "CANCELUPDATE \"b\"",
        &[],
        &["ESEARCH (TAG \"b\") ADDTO (0 1)"],
    ),
    // RFC 2193 and Gmail's
    ("RLIST \"\" *", &["LIST () \"/\" x"], &[]),
    ("RLSUB \"\" *", &["LSUB () \"/\" x"], &[]),
    (
        "XAPPLEPUSHSERVICE aps-version 2 mailboxes (INBOX)",
        &["XAPPLEPUSHSERVICE aps-version \"2\" aps-topic \"x\""],
        &[],
    ),
    ("XLIST \"\" *", &["XLIST (\\Inbox) \"/\" x"], &[]),
    // RFC 8474, 8514, 8970
    (
        "FETCH 1 (EMAILID THREADID SAVEDATE PREVIEW (LAZY))",
        &[
            "1 FETCH (EMAILID (M1) THREADID NIL)",
            "1 FETCH (SAVEDATE NIL)",
            "1 FETCH (PREVIEW \"x\")",
        ],
        &["1 FETCH (FLAGS ())"],
    ),
    // RFC 8508
    (
        "REPLACE 1 x {1+}\r\nx",
        &["OK [APPENDUID 1 2] x", "1 EXPUNGE"],
        &["3 EXISTS"],
    ),
    (
        "UID REPLACE 1 x {1+}\r\nx",
        &["OK [APPENDUID 1 2] x", "VANISHED 1"],
        &[],
    ),
    // RFC 9585
    (
        "COPY 1:* x",
        &["OK [INPROGRESS (\"a\" 1 9)] x", "OK [INPROGRESS] x"],
        &["OK [INPROGRESS (\"b\" 1 9)] x"],
    ),
    // RFC 9698
    (
        "GETJMAPACCESS",
        &["JMAPACCESS \"https://example.com\""],
        &[],
    ),
    // RFC 10022
    ("UIDBATCHES 100", &["UIDBATCHES (TAG \"a\") 9:1"], &[]),
    // A command that is in no registry
    ("XFOO", &["XFOO 1"], &["XBAR 1"]),
];

/// The name of the command, or of the response behind its number.
fn name(text: &str) -> String {
    let mut words = text.split([' ', '\r']);
    let first = words.next().unwrap();
    match (first, words.next()) {
        ("UID", Some(second)) => format!("UID {second}"),
        (number, Some(second)) if number.parse::<u64>().is_ok() => second.to_owned(),
        _ => first.to_owned(),
    }
}

/// What is told of a response in `relation` to its command.
fn told_of(response: &str, relation: &str) -> String {
    match response.split_once(' ') {
        Some((number, _)) if number.parse::<u64>().is_ok() => {
            format!("* {number} {} {relation}", name(response))
        }
        _ => format!("* {} {relation}", name(response)),
    }
}

#[test]
fn every_command_asks_for_its_responses_and_for_no_other() {
    for (cases, greeting) in [
        (BEFORE_LOGIN, "OK"),
        (BASE, "PREAUTH"),
        (EXTENSIONS, "PREAUTH"),
    ] {
        let greeted = format!("* {greeting} hi\r\n");
        for (command, asked, other) in cases {
            let line = format!("a {command}\r\n");
            for (response, relation) in [(asked, "answers=2"), (other, "unsolicited")]
                .iter()
                .flat_map(|(responses, relation)| responses.iter().map(move |r| (r, relation)))
            {
                let answer = format!("* {response}\r\na OK\r\n");
                let told = conversation(&[
                    (S, greeted.as_bytes()),
                    (C, line.as_bytes()),
                    (S, answer.as_bytes()),
                ]);
                let expected = format!("command a {}", name(command));
                assert!(told[1].starts_with(&expected), "{command}: {told:?}");
                assert_eq!(told[2], told_of(response, relation), "{command}");
                assert_eq!(told.last().unwrap(), "tagged a OK answers=2", "{command}");
            }
        }
    }
}

#[test]
fn commands_that_change_what_follows_are_known() {
    let asks = |command: &[u8], answer: &[u8]| logged_in(&[(C, command), (S, answer)]);
    assert_eq!(
        asks(b"a IDLE\r\n", b"+ idling\r\n* 3 EXISTS\r\n")[1..],
        ["+ for=idle tag=a answers=2", "* 3 EXISTS unsolicited"]
    );
    assert_eq!(
        asks(b"a COMPRESS DEFLATE\r\n", b"a NO\r\n")[1],
        "tagged a NO answers=2"
    );
    assert_eq!(
        asks(
            b"a UNAUTHENTICATE\r\n",
            b"a OK [CAPABILITY IMAP4rev2] x\r\n"
        )[1],
        "tagged a OK answers=2"
    );
    let told = conversation(&[
        (S, b"* OK hi\r\n"),
        (C, b"a STARTTLS\r\n"),
        (S, b"a NO\r\n"),
    ]);
    assert_eq!(told[1..], ["command a STARTTLS", "tagged a NO answers=2"]);
}

#[test]
fn every_name_in_the_tables_was_gone_through() {
    let cases = [BEFORE_LOGIN, BASE, EXTENSIONS].concat();
    let mut commands: BTreeSet<String> = cases.iter().map(|(command, ..)| name(command)).collect();
    commands.remove("XFOO");
    commands.extend(["COMPRESS", "IDLE", "STARTTLS", "UNAUTHENTICATE"].map(str::to_owned));
    let table: BTreeSet<String> = COMMANDS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(commands, table);

    let mut responses: BTreeSet<String> = cases
        .iter()
        .flat_map(|(_, asked, other)| asked.iter().chain(*other))
        .map(|response| name(response))
        .filter(|name| !name.starts_with('X') || ["XAPPLEPUSHSERVICE", "XLIST"].contains(&&**name))
        .collect();
    responses.insert("PREAUTH".to_owned());
    let table: BTreeSet<String> = READINGS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(responses, table);
}
