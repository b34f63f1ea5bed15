//! Commands.

use super::{Peer, commands, data, read, said};

#[test]
fn mailboxes() {
    commands(&[
        (
            "a SELECT INBOX (QRESYNC (67890007 20050715194045000 41,43:211,214:541 (1,3 7,9)) CONDSTORE)",
            r#"{"mailbox":"INBOX","parameters":{"QRESYNC":{"uid_validity":67890007,"modseq":20050715194045000,"known_uids":"41,43:211,214:541","known_numbers":"1,3","known_numbers_uids":"7,9"},"CONDSTORE":true}}"#,
        ),
        (
            "a EXAMINE &AOk-",
            r#"{"mailbox":"&AOk-","mailbox_decoded":"é"}"#,
        ),
        (
            r"a CREATE x (USE (\Drafts))",
            r#"{"mailbox":"x","parameters":{"USE":["\\Drafts"]}}"#,
        ),
        ("a DELETE (x)", r#"{"values":[["x"]]}"#),
        (
            "a RENAME a &AOk-",
            r#"{"mailbox":"a","to":"&AOk-","to_decoded":"é"}"#,
        ),
        (r#"a LIST "" *"#, r#"{"reference":"","pattern":"*"}"#),
        (
            r#"a LIST (SUBSCRIBED RECURSIVEMATCH) "x" ("%" 2026) RETURN (CHILDREN STATUS (MESSAGES UNSEEN))"#,
            r#"{"selection":{"SUBSCRIBED":true,"RECURSIVEMATCH":true},"reference":"x","patterns":["%","2026"],"return":{"CHILDREN":true,"STATUS":["MESSAGES","UNSEEN"]}}"#,
        ),
        (r#"a LIST """#, r#"{"values":[""]}"#),
        (
            "a STATUS x (UIDNEXT SIZE)",
            r#"{"mailbox":"x","items":["UIDNEXT","SIZE"]}"#,
        ),
        (
            "a SETACL x John lrs",
            r#"{"mailbox":"x","identifier":"John","rights":"lrs"}"#,
        ),
        (
            "a LISTRIGHTS x John",
            r#"{"mailbox":"x","identifier":"John"}"#,
        ),
        ("a MYRIGHTS x", r#"{"mailbox":"x"}"#),
        (
            "a GETMETADATA \"INBOX\" (MAXSIZE 1024 DEPTH infinity) (/shared/comment /x)",
            r#"{"mailbox":"INBOX","options":{"MAXSIZE":1024,"DEPTH":"infinity"},"entries":["/shared/comment","/x"]}"#,
        ),
        (
            "a GETMETADATA (MAXSIZE 1024) \"INBOX\" /shared/comment",
            r#"{"mailbox":"INBOX","options":{"MAXSIZE":1024},"entries":["/shared/comment"]}"#,
        ),
        (
            "a SETMETADATA \"\" (/shared/x NIL)",
            r#"{"mailbox":"","entries":{"/shared/x":null}}"#,
        ),
        ("a GETQUOTAROOT INBOX", r#"{"mailbox":"INBOX"}"#),
        (
            "a RESETKEY INBOX INTERNAL",
            r#"{"mailbox":"INBOX","mechanisms":["INTERNAL"]}"#,
        ),
    ]);
}

#[test]
fn messages() {
    commands(&[
        ("a FETCH 1:* ALL", r#"{"set":"1:*","items":["ALL"]}"#),
        (
            "a UID FETCH 7 (flags BODY.PEEK[1.HEADER.FIELDS (A B)]<0.9> PREVIEW (LAZY) BINARY.SIZE[2]) (CHANGEDSINCE 5 VANISHED PARTIAL -1:-9)",
            r#"{"set":"7","items":["FLAGS",{"item":"BODY.PEEK","part":"1","section":"HEADER.FIELDS","fields":["A","B"],"origin":0,"length":9},{"item":"PREVIEW","arguments":[["LAZY"]]},{"item":"BINARY.SIZE","part":"2"}],"modifiers":{"CHANGEDSINCE":5,"VANISHED":true,"PARTIAL":"-1:-9"}}"#,
        ),
        (
            "a FETCH 1 PREVIEW (LAZY)",
            r#"{"set":"1","items":[{"item":"PREVIEW","arguments":[["LAZY"]]}]}"#,
        ),
        (
            "a FETCH 1 FLAGS (CHANGEDSINCE 5)",
            r#"{"set":"1","items":["FLAGS"],"modifiers":{"CHANGEDSINCE":5}}"#,
        ),
        ("a FETCH 1", r#"{"values":[1]}"#),
        (
            r"a STORE 2:4 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\Deleted $x)",
            r#"{"set":"2:4","modifiers":{"UNCHANGEDSINCE":12},"item":"FLAGS","action":"add","silent":true,"flags":["\\Deleted","$x"]}"#,
        ),
        (
            r"a UID STORE $ -X-GM-LABELS (2026)",
            r#"{"set":"$","item":"X-GM-LABELS","action":"remove","flags":["2026"]}"#,
        ),
        (
            r"a STORE 1 FLAGS \Seen x",
            r#"{"set":"1","item":"FLAGS","action":"replace","flags":["\\Seen","x"]}"#,
        ),
        (
            "a COPY 2:4 &AOk-",
            r#"{"set":"2:4","to":"&AOk-","to_decoded":"é"}"#,
        ),
        ("a UID MOVE 42:69 foo", r#"{"set":"42:69","to":"foo"}"#),
        ("a UID EXPUNGE 3000:3002", r#"{"set":"3000:3002"}"#),
        (
            "a CONVERT 2 (\"text/plain\" (\"charset\" \"utf-8\")) BINARY[1]",
            r#"{"set":"2","conversion":{"type":"text/plain","parameters":{"charset":"utf-8"}},"items":[{"item":"BINARY","part":"1"}]}"#,
        ),
    ]);
}

#[test]
fn appended_messages() {
    commands(&[
        (
            "a APPEND x (\\Seen) \"1-Jan-2026 00:00:00 +0000\" {3+}\r\nabc",
            r#"{"mailbox":"x","messages":[{"flags":["\\Seen"],"date":"1-Jan-2026 00:00:00 +0000","octets":3}]}"#,
        ),
        (
            "a APPEND x {3+}\r\nabc () ~{2+}\r\nde UTF8 (~{1+}\r\nx)",
            r#"{"mailbox":"x","messages":[{"octets":3},{"flags":[],"octets":2},{"utf8":true,"octets":1}]}"#,
        ),
        (
            "a APPEND x CATENATE (URL \"/x\" TEXT {1+}\r\nx)",
            r#"{"mailbox":"x","messages":[{"parts":[{"url":"/x"},{"octets":1}]}]}"#,
        ),
        (
            "a UID REPLACE 4 x {1+}\r\nx",
            r#"{"set":"4","mailbox":"x","messages":[{"octets":1}]}"#,
        ),
        ("a APPEND x", r#"{"values":["x"]}"#),
        ("a APPEND x y", r#"{"values":["x","y"]}"#),
    ]);
}

#[test]
fn searches() {
    commands(&[
        (
            "a SEARCH RETURN (MIN PARTIAL 1:9) CHARSET UTF-8 UNSEEN OR FROM Smith (SINCE 1-Feb-1994 NOT 1:9) $",
            r#"{"return":{"MIN":true,"PARTIAL":"1:9"},"charset":"UTF-8","keys":[{"key":"UNSEEN"},{"key":"OR","keys":[{"key":"FROM","value":"Smith"},{"keys":[{"key":"SINCE","value":"1-Feb-1994"},{"key":"NOT","keys":[{"set":"1:9"}]}]}]},{"set":"$"}]}"#,
        ),
        (
            "a UID SEARCH UID 1,2 HEADER X 5 SUBJECT 2026 LARGER 10 KEYWORD NIL",
            r#"{"keys":[{"key":"UID","set":"1,2"},{"key":"HEADER","field":"X","value":"5"},{"key":"SUBJECT","value":"2026"},{"key":"LARGER","value":10},{"key":"KEYWORD","value":"NIL"}]}"#,
        ),
        (
            "a SEARCH MODSEQ \"/flags/\\\\draft\" all 620162338 MODSEQ 9 X-GM-RAW \"has:attachment\" FUZZY TEXT x",
            r#"{"keys":[{"key":"MODSEQ","entry":"/flags/\\draft","type":"all","value":620162338},{"key":"MODSEQ","value":9},{"key":"X-GM-RAW","value":"has:attachment"},{"key":"FUZZY","keys":[{"key":"TEXT","value":"x"}]}]}"#,
        ),
        ("a SEARCH WHAT x", r#"{"values":["WHAT","x"]}"#),
        ("a SEARCH OR SEEN", r#"{"values":["OR","SEEN"]}"#),
        (
            "a SORT (REVERSE DATE SUBJECT) UTF-8 ALL",
            r#"{"criteria":[{"key":"DATE","reverse":true},{"key":"SUBJECT"}],"charset":"UTF-8","keys":[{"key":"ALL"}]}"#,
        ),
        (
            "a SORT (REVERSE) UTF-8 ALL",
            r#"{"values":[["REVERSE"],"UTF-8","ALL"]}"#,
        ),
        (
            "a THREAD REFERENCES UTF-8 SINCE 5-MAR-2000",
            r#"{"algorithm":"REFERENCES","charset":"UTF-8","keys":[{"key":"SINCE","value":"5-MAR-2000"}]}"#,
        ),
        (
            "a ESEARCH IN (mailboxes \"f1\" subtree \"f2\") RETURN (ALL) UNSEEN",
            r#"{"in":[{"filter":"MAILBOXES","mailboxes":["f1"]},{"filter":"SUBTREE","mailboxes":["f2"]}],"return":{"ALL":true},"keys":[{"key":"UNSEEN"}]}"#,
        ),
    ]);
}

#[test]
fn the_server() {
    commands(&[
        ("a ENABLE CONDSTORE", r#"{"capabilities":["CONDSTORE"]}"#),
        ("a ID (\"name\" \"x\")", r#"{"parameters":{"name":"x"}}"#),
        ("a COMPRESS DEFLATE", r#"{"mechanism":"DEFLATE"}"#),
        ("a LANGUAGE de en", r#"{"languages":["de","en"]}"#),
        (
            "a SETQUOTA \"\" (STORAGE 512)",
            r#"{"root":"","limits":{"STORAGE":512}}"#,
        ),
        ("a CANCELUPDATE \"B01\"", r#"{"tags":["B01"]}"#),
        (
            "a GENURLAUTH \"imap://x\" INTERNAL",
            r#"{"urls":[{"url":"imap://x","mechanism":"INTERNAL"}]}"#,
        ),
        ("a CONVERSIONS a b", r#"{"from":"a","to":"b"}"#),
        (
            "a UIDBATCHES 2000 10:20",
            r#"{"size":2000,"range":"10:20"}"#,
        ),
        (
            "a NOTIFY SET STATUS (selected (MessageNew (UID FLAGS) MessageExpunge)) (subtree Lists (MessageNew)) (personal NONE)",
            r#"{"set":"SET","status":true,"groups":[{"filter":"SELECTED","events":["MessageNew",["UID","FLAGS"],"MessageExpunge"]},{"filter":"SUBTREE","mailboxes":["Lists"],"events":["MessageNew"]},{"filter":"PERSONAL","events":["NONE"]}]}"#,
        ),
        ("a NOTIFY NONE", r#"{"set":"NONE"}"#),
        ("a XFOO (1 x)", r#"{"values":[[1,"x"]]}"#),
        ("a NOOP", ""),
        ("a IDLE", ""),
    ]);
}

#[test]
fn what_logs_in_is_not_told() {
    let read = |line: &[u8]| {
        let steps: [(Peer, &[u8]); 1] = [(Peer::Client, line)];
        data(&said(&steps)[0])
    };
    assert_eq!(read(b"a LOGIN alice hunter2\r\n"), "");
    assert_eq!(read(b"a AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=\r\n"), "");
}

#[test]
fn a_secret_that_comes_again_is_a_mask_in_the_data() {
    let said = said(&[
        (Peer::Client, b"a LOGIN alice hunter2\r\n"),
        (Peer::Server, b"a OK\r\n"),
        (Peer::Client, b"b SEARCH SUBJECT hunter2\r\n"),
    ]);
    let json = data(&said[2]);
    assert!(!json.contains("hunter2"), "{json}");
    assert!(json.contains("{\"secret\":\"password\"}"), "{json}");
    assert!(!read(Peer::Client, "a SEARCH SUBJECT hunter2").contains("secret"));
}

/// Names in modified UTF-7 wherever a command has several, or one in an unexpected place; as they are
/// where UTF-8 was enabled.
#[test]
fn every_mailbox_name_is_decoded() {
    let cases = [
        (
            r#"LIST "" (a &AOk-)"#,
            r#"{"reference":"","patterns":["a","&AOk-"],"patterns_decoded":["a","é"]}"#,
            r#"{"reference":"","patterns":["a","&AOk-"]}"#,
        ),
        (
            "NOTIFY SET (subtree &AOk- (MessageNew))",
            r#"{"set":"SET","groups":[{"filter":"SUBTREE","mailboxes":["&AOk-"],"mailboxes_decoded":["é"],"events":["MessageNew"]}]}"#,
            r#"{"set":"SET","groups":[{"filter":"SUBTREE","mailboxes":["&AOk-"],"events":["MessageNew"]}]}"#,
        ),
        (
            "STORE 1 +X-GM-LABELS (&AOk- x)",
            r#"{"set":"1","item":"X-GM-LABELS","action":"add","flags":["&AOk-","x"],"flags_decoded":["é","x"]}"#,
            r#"{"set":"1","item":"X-GM-LABELS","action":"add","flags":["&AOk-","x"]}"#,
        ),
        (
            "SEARCH NOT (X-GM-LABELS &AOk-)",
            r#"{"keys":[{"key":"NOT","keys":[{"keys":[{"key":"X-GM-LABELS","value":"&AOk-","value_decoded":"é"}]}]}]}"#,
            r#"{"keys":[{"key":"NOT","keys":[{"keys":[{"key":"X-GM-LABELS","value":"&AOk-"}]}]}]}"#,
        ),
    ];
    for (command, decoded, as_it_is) in cases {
        let line = format!("b {command}\r\n");
        let told = |before: &[(Peer, &[u8])]| {
            let steps = [before, &[(Peer::Client, line.as_bytes())]].concat();
            data(said(&steps).last().unwrap())
        };
        assert_eq!(told(&[]), decoded, "{command}");
        let enabled: &[(Peer, &[u8])] = &[
            (Peer::Client, b"a ENABLE UTF8=ACCEPT\r\n"),
            (Peer::Server, b"* ENABLED UTF8=ACCEPT\r\na OK\r\n"),
        ];
        assert_eq!(told(enabled), as_it_is, "{command}");
    }
}

#[test]
fn annotations_are_set_by_entry() {
    commands(&[
        (
            r#"a SETANNOTATION "INBOX" ("/comment" ("value.priv" "x") "/motd" ("value.shared" NIL))"#,
            r#"{"mailbox":"INBOX","entries":{"/comment":{"value.priv":"x"},"/motd":{"value.shared":null}}}"#,
        ),
        (
            r#"a SETANNOTATION "INBOX" "/comment" x"#,
            r#"{"values":["INBOX","/comment","x"]}"#,
        ),
        (
            // RFC 5257, section 4.5
            r#"a STORE 1 ANNOTATION (/comment (value.priv "My new comment"))"#,
            r#"{"set":"1","item":"ANNOTATION","action":"replace","annotations":{"/comment":{"value.priv":"My new comment"}}}"#,
        ),
        (
            r#"a SORT (REVERSE ANNOTATION /x value DATE) UTF-8 ALL"#,
            r#"{"criteria":[{"key":"ANNOTATION","arguments":["/x","value"],"reverse":true},{"key":"DATE"}],"charset":"UTF-8","keys":[{"key":"ALL"}]}"#,
        ),
        (
            "a SORT (ANNOTATION /x) UTF-8 ALL",
            r#"{"values":[["ANNOTATION","/x"],"UTF-8","ALL"]}"#,
        ),
        ("a RESETKEY", ""),
    ]);
}
