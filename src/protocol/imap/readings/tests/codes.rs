//! Response codes.

use super::{Peer, read, responses};

#[test]
fn codes_with_parts_name_them() {
    responses(&[
        (
            "* OK [APPENDUID 38505 3955] x",
            r#"{"uid_validity":38505,"uids":"3955"}"#,
        ),
        (
            "* OK [COPYUID 38505 304,319:320 3956:3958] x",
            r#"{"uid_validity":38505,"source":"304,319:320","destination":"3956:3958"}"#,
        ),
        ("* OK [copyuid 38505 1] x", r#"{"values":[38505,1]}"#),
        ("* OK [MODIFIED 7,9] x", r#"{"set":"7,9"}"#),
        ("* OK [MODIFIED 7] x", r#"{"set":"7"}"#),
        (
            "* OK [MAILBOXID (F2212ea87-6097)] x",
            r#"{"mailbox_id":"F2212ea87-6097"}"#,
        ),
        (
            "* OK [METADATA LONGENTRIES 2199] x",
            r#"{"long_entries":2199}"#,
        ),
        ("* NO [METADATA MAXSIZE 1024] x", r#"{"max_size":1024}"#),
        ("* NO [METADATA TOOMANY] x", r#"{"too_many":true}"#),
        ("* NO [METADATA NOPRIVATE] x", r#"{"no_private":true}"#),
        ("* NO [METADATA SOUP] x", r#"{"values":["SOUP"]}"#),
        (
            r#"* OK [INPROGRESS ("A001" 454 NIL)] x"#,
            r#"{"tag":"A001","progress":454,"goal":null}"#,
        ),
        ("* OK [INPROGRESS] x", "{}"),
        (
            "* OK [URLMECH INTERNAL XSAMPLE=x] x",
            r#"{"mechanisms":["INTERNAL","XSAMPLE=x"]}"#,
        ),
        (
            "* OK [ANNOTATIONS 20480 NOPRIVATE] x",
            r#"{"size":20480,"words":["NOPRIVATE"]}"#,
        ),
        ("* OK [ANNOTATIONS NONE] x", r#"{"words":["NONE"]}"#),
        (
            "* NO [MESSAGELIMIT 1000 23221] x",
            r#"{"limit":1000,"lowest_uid":23221}"#,
        ),
    ]);
}

#[test]
fn codes_whose_value_says_all_have_no_data() {
    for code in [
        "UIDNEXT 4392",
        "CAPABILITY IMAP4rev1",
        r"PERMANENTFLAGS (\Deleted \*)",
        "BADCHARSET (UTF-8)",
        "UNSEEN 12",
        "ALERT",
        "REFERRAL imap://x",
        "X-FOO (1 2)",
        "HIGHESTMODSEQ 9",
    ] {
        assert_eq!(
            read(Peer::Server, &format!("* OK [{code}] x")),
            "",
            "{code}"
        );
    }
}
