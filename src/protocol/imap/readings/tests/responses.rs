//! All other untagged responses.

use super::{Peer, data, responses, said};

#[test]
fn mailboxes() {
    responses(&[
        (
            r#"* LIST (\HasNoChildren \Sent) "/" "Gesendete Entw&APw-rfe""#,
            r#"{"attributes":["\\HasNoChildren","\\Sent"],"delimiter":"/","mailbox":"Gesendete Entw&APw-rfe","mailbox_decoded":"Gesendete Entwürfe"}"#,
        ),
        (
            // RFC 5258, section 5
            r#"* LIST (\NonExistent) "/" "Foo" ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" (bar))"#,
            r#"{"attributes":["\\NonExistent"],"delimiter":"/","mailbox":"Foo","extended":{"CHILDINFO":["SUBSCRIBED"],"OLDNAME":["bar"]}}"#,
        ),
        (
            r#"* XLIST (\HasNoChildren \Inbox) "/" "Posteingang""#,
            r#"{"attributes":["\\HasNoChildren","\\Inbox"],"delimiter":"/","mailbox":"Posteingang"}"#,
        ),
        (
            "* LSUB () NIL {3}\r\n007",
            r#"{"attributes":[],"delimiter":null,"mailbox":"007"}"#,
        ),
        (
            "* LIST () \"/\" NIL",
            r#"{"attributes":[],"delimiter":"/","mailbox":"NIL"}"#,
        ),
        ("* LIST x \"/\" y", r#"{"values":["x","/","y"]}"#),
        (
            "* STATUS 2026 (MESSAGES 231 uidnext 44292 MAILBOXID (F2212ea87))",
            r#"{"mailbox":"2026","items":{"MESSAGES":231,"UIDNEXT":44292,"MAILBOXID":"F2212ea87"}}"#,
        ),
        ("* STATUS x", r#"{"values":["x"]}"#),
        (
            r##"* NAMESPACE (("" "/")("#mail/" NIL)) NIL (("Entw&APw-rfe/" "/" "TRANSLATION" ("x/")))"##,
            r##"{"personal":[{"prefix":"","delimiter":"/"},{"prefix":"#mail/","delimiter":null}],"other_users":null,"shared":[{"prefix":"Entw&APw-rfe/","prefix_decoded":"Entwürfe/","delimiter":"/","extensions":{"TRANSLATION":["x/"]}}]}"##,
        ),
        ("* NAMESPACE NIL NIL", r#"{"values":[null,null]}"#),
        (
            "* NAMESPACE ((1)) NIL NIL",
            r#"{"values":[[[1]],null,null]}"#,
        ),
        (
            r"* FLAGS (\Answered $MDNSent)",
            r#"{"flags":["\\Answered","$MDNSent"]}"#,
        ),
        ("* FLAGS x", r#"{"values":["x"]}"#),
    ]);
}

#[test]
fn names_are_utf8_where_that_was_enabled() {
    let list = b"* LIST () \"/\" &AOk-\r\n".as_slice();
    let told = |steps: &[(Peer, &[u8])]| data(said(steps).last().unwrap());
    let decoded = r#"{"attributes":[],"delimiter":"/","mailbox":"&AOk-","mailbox_decoded":"é"}"#;
    let as_it_is = r#"{"attributes":[],"delimiter":"/","mailbox":"&AOk-"}"#;
    let enable = |answer: &'static [u8]| {
        told(&[
            (Peer::Client, b"a ENABLE UTF8=ACCEPT\r\n"),
            (Peer::Server, answer),
            (Peer::Server, list),
        ])
    };
    assert_eq!(enable(b"a NO\r\n"), decoded);
    assert_eq!(enable(b"* ENABLED CONDSTORE\r\na OK\r\n"), decoded);
    assert_eq!(enable(b"* ENABLED utf8=accept\r\na OK\r\n"), as_it_is);
    assert_eq!(enable(b"* ENABLED IMAP4rev2\r\na OK\r\n"), as_it_is);
    let lists =
        |capabilities: &'static [u8]| told(&[(Peer::Server, capabilities), (Peer::Server, list)]);
    assert_eq!(lists(b"* CAPABILITY IMAP4rev1 IMAP4rev2\r\n"), decoded);
    assert_eq!(lists(b"* CAPABILITY IMAP4rev2\r\n"), as_it_is);
    // RFC 8437, section 3
    assert_eq!(
        told(&[
            (Peer::Server, b"* ENABLED UTF8=ACCEPT\r\n"),
            (Peer::Client, b"a UNAUTHENTICATE\r\n"),
            (Peer::Server, b"a OK\r\n"),
            (Peer::Server, list),
        ]),
        decoded
    );
}

#[test]
fn searches() {
    responses(&[
        ("* SEARCH", r#"{"numbers":[]}"#),
        (
            "* SEARCH 2 5 6 (MODSEQ 917162500)",
            r#"{"numbers":[2,5,6],"modseq":917162500}"#,
        ),
        ("* SORT 5 3 4 1", r#"{"numbers":[5,3,4,1]}"#),
        ("* SEARCH 1 x", r#"{"values":[1,"x"]}"#),
        ("* SEARCH 1 (x 2)", r#"{"values":[1,["x",2]]}"#),
        (
            r#"* ESEARCH (TAG "A282") UID MIN 2 COUNT 3 ALL 7"#,
            r#"{"tag":"A282","uid":true,"results":{"MIN":2,"COUNT":3,"ALL":"7"}}"#,
        ),
        ("* ESEARCH", r#"{"results":{}}"#),
        (
            // RFC 7377, section 2.2
            r#"* ESEARCH (TAG "tag1" MAILBOX "folder1" UIDVALIDITY 1) UID ALL 4001,4003"#,
            r#"{"tag":"tag1","mailbox":"folder1","uid_validity":1,"uid":true,"results":{"ALL":"4001,4003"}}"#,
        ),
        (
            // RFC 5267, section 4.3
            r#"* ESEARCH (TAG "B01") UID ADDTO (1 2733) ADDTO (1 2732 2 7:9) PARTIAL (-1:-100 NIL)"#,
            r#"{"tag":"B01","uid":true,"results":{"ADDTO":[{"position":1,"set":"2733"},{"position":1,"set":"2732"},{"position":2,"set":"7:9"}],"PARTIAL":{"range":"-1:-100","set":null}}}"#,
        ),
        (
            r#"* ESEARCH (TAG "a") MIN 1 MIN 2"#,
            r#"{"values":[["TAG","a"],"MIN",1,"MIN",2]}"#,
        ),
        (
            // RFC 5256, section 5
            "* THREAD (2)(3 6 (4 23)(44 7 96))",
            r#"{"threads":[[2],[3,6,[4,23],[44,7,96]]]}"#,
        ),
        ("* THREAD (2 x)", r#"{"values":[[2,"x"]]}"#),
        (
            "* VANISHED (EARLIER) 41,43:116",
            r#"{"earlier":true,"uids":"41,43:116"}"#,
        ),
        ("* VANISHED 405", r#"{"uids":"405"}"#),
        ("* VANISHED (LATER) 405", r#"{"values":[["LATER"],405]}"#),
        (
            r#"* UIDBATCHES (TAG "A143") 215295:99695,99696:1"#,
            r#"{"tag":"A143","ranges":"215295:99695,99696:1"}"#,
        ),
    ]);
}

#[test]
fn quotas_rights_and_annotations() {
    responses(&[
        (
            r#"* QUOTA "" (STORAGE 10 512 MESSAGE 1 2)"#,
            r#"{"root":"","resources":[{"name":"STORAGE","usage":10,"limit":512},{"name":"MESSAGE","usage":1,"limit":2}]}"#,
        ),
        (r#"* QUOTA "" ()"#, r#"{"root":"","resources":[]}"#),
        (
            r#"* QUOTA "" (STORAGE 10)"#,
            r#"{"values":["",["STORAGE",10]]}"#,
        ),
        (
            r#"* QUOTAROOT INBOX "" x"#,
            r#"{"mailbox":"INBOX","roots":["","x"]}"#,
        ),
        (
            "* ACL INBOX Fred rwipslxetad -Fred w",
            r#"{"mailbox":"INBOX","entries":[{"identifier":"Fred","rights":"rwipslxetad"},{"identifier":"-Fred","rights":"w"}]}"#,
        ),
        ("* ACL INBOX Fred", r#"{"values":["INBOX","Fred"]}"#),
        (
            "* LISTRIGHTS ~/Mail/saved smith la r swicdkxte",
            r#"{"mailbox":"~/Mail/saved","identifier":"smith","required":"la","optional":["r","swicdkxte"]}"#,
        ),
        (
            "* MYRIGHTS INBOX rwi",
            r#"{"mailbox":"INBOX","rights":"rwi"}"#,
        ),
        (
            "* METADATA \"INBOX\" (/shared/comment {6}\r\nShared /private/comment NIL)",
            r#"{"mailbox":"INBOX","entries":{"/shared/comment":"Shared","/private/comment":null}}"#,
        ),
        (
            "* METADATA \"\" /shared/comment /private/x",
            r#"{"mailbox":"","changed":["/shared/comment","/private/x"]}"#,
        ),
        (
            r#"* METADATA "" (/a "1" /A "2")"#,
            r#"{"values":["",["/a","1","/A","2"]]}"#,
        ),
        (
            r#"* ANNOTATION "INBOX" "/vendor/size" ("value.shared" "261")"#,
            r#"{"mailbox":"INBOX","entry":"/vendor/size","attributes":{"value.shared":"261"}}"#,
        ),
    ]);
}

#[test]
fn the_server_and_its_urls() {
    responses(&[
        (
            "* ENABLED CONDSTORE X-GOOD-IDEA",
            r#"{"capabilities":["CONDSTORE","X-GOOD-IDEA"]}"#,
        ),
        (
            r#"* ID ("name" "Cyrus" "os" NIL)"#,
            r#"{"parameters":{"name":"Cyrus","os":null}}"#,
        ),
        ("* ID NIL", r#"{"parameters":null}"#),
        (r#"* ID ("name")"#, r#"{"values":[["name"]]}"#),
        (
            "* LANGUAGE (DE EN i-default)",
            r#"{"languages":["DE","EN","i-default"]}"#,
        ),
        (
            r#"* COMPARATOR "i;basic" ("i;basic" "i;octet")"#,
            r#"{"active":"i;basic","matching":["i;basic","i;octet"]}"#,
        ),
        (
            "* 2 CONVERTED (TAG \"a001\") (UID 120 BINARY[3] {3}\r\nabc)",
            r#"{"tag":"a001","items":{"UID":120,"BINARY[3]":{"part":"3","octets":3}}}"#,
        ),
        (
            r#"* CONVERSION "image/gif" "image/jpeg" ("PIX-X")"#,
            r#"{"from":"image/gif","to":"image/jpeg","parameters":["PIX-X"]}"#,
        ),
        (
            "* URLFETCH \"imap://joe@example.com/INBOX/;uid=20\" {3}\r\nabc imap://x NIL",
            r#"{"urls":[{"url":"imap://joe@example.com/INBOX/;uid=20","octets":3},{"url":"imap://x","octets":null}]}"#,
        ),
        (
            // RFC 5524, section 3.2
            "* URLFETCH \"imap://x\" (BODYPARTSTRUCTURE (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 9 1)) (BODY \"quoted\")",
            r#"{"urls":[{"url":"imap://x","items":[{"item":"BODYPARTSTRUCTURE","body":{"type":"TEXT","subtype":"PLAIN","parameters":null,"id":null,"description":null,"encoding":"7BIT","octets":9,"lines":1}},{"item":"BODY","octets":6,"text":"quoted"}]}]}"#,
        ),
        (r#"* JMAPACCESS "https://x""#, r#"{"url":"https://x"}"#),
        ("* XFOO (a 1) NIL", r#"{"values":[["a",1],null]}"#),
    ]);
}

#[test]
fn tokens_in_urls_stay_masked() {
    for line in [
        "* GENURLAUTH \"imap://joe@example.com/INBOX/;uid=20;urlauth=submit+fred:internal:91354a473744909de610943775f92038\"",
        "* URLFETCH \"imap://joe@example.com/INBOX/;uid=20;urlauth=submit+fred:internal:91354a473744909de610943775f92038\" NIL",
    ] {
        let json = super::read(Peer::Server, line);
        assert!(!json.contains("91354a"), "{json}");
        assert!(json.contains("secret"), "{json}");
    }
}

/// Each entry with its attributes, and the forms of the drafts before RFC 5464.
#[test]
fn annotations_of_the_drafts() {
    responses(&[
        (
            r#"* ANNOTATION "INBOX" "/comment" ("value.priv" "x" "size.priv" "1") "/motd" ("value.shared" NIL)"#,
            r#"{"mailbox":"INBOX","entries":{"/comment":{"value.priv":"x","size.priv":"1"},"/motd":{"value.shared":null}}}"#,
        ),
        (
            r#"* ANNOTATION "" "/comment""#,
            r#"{"mailbox":"","changed":["/comment"]}"#,
        ),
        (
            r#"* ANNOTATION "" ("/comment" "/motd")"#,
            r#"{"mailbox":"","changed":["/comment","/motd"]}"#,
        ),
        (r#"* ANNOTATION "INBOX""#, r#"{"values":["INBOX"]}"#),
        (
            r#"* ANNOTATION "INBOX" "/a" ("x" "1") "/A""#,
            r#"{"values":["INBOX","/a",["x","1"],"/A"]}"#,
        ),
    ]);
}

/// What Gmail, Yahoo, Exchange, iCloud and Dovecot say beyond the RFCs. What is in no table, an `X-` code
/// or item, is a tree of values.
#[test]
fn what_providers_add() {
    responses(&[
        (
            r#"* 1 FETCH (X-GM-THRID 1266894439832287888 X-GM-MSGID 12 X-GM-LABELS ("\\Inbox" "&AMk-t&AOk-" x))"#,
            r#"{"items":{"X-GM-THRID":1266894439832287888,"X-GM-MSGID":12,"X-GM-LABELS":["\\Inbox","&AMk-t&AOk-","x"],"X-GM-LABELS_decoded":["\\Inbox","Été","x"]}}"#,
        ),
        (
            // As after a name that comes twice: by way of the tree.
            r#"* 1 FETCH (X-GM-LABELS () x-gm-labels (&AMk-) X-MAILBOX NIL)"#,
            r#"{"items":{"X-GM-LABELS":["&AMk-"],"X-GM-LABELS_decoded":["É"],"X-MAILBOX":null}}"#,
        ),
        (
            "* 1 FETCH (X-MSG-ID (1 2) X-SAVEDATE \"x\" X-SNIPPET (FUZZY NIL))",
            r#"{"items":{"X-MSG-ID":[1,2],"X-SAVEDATE":"x","X-SNIPPET":["FUZZY",null]}}"#,
        ),
        (
            "* STATUS INBOX (MESSAGES 1 XYMHIGHESTMODSEQ 7 X-GUID 9ed3)",
            r#"{"mailbox":"INBOX","items":{"MESSAGES":1,"XYMHIGHESTMODSEQ":7,"X-GUID":"9ed3"}}"#,
        ),
        (
            r#"* ID ("name" "Dovecot" "x-session-id" "7")"#,
            r#"{"parameters":{"name":"Dovecot","x-session-id":"7"}}"#,
        ),
        (
            r#"* XAPPLEPUSHSERVICE aps-version "2" aps-topic NIL"#,
            r#"{"parameters":{"aps-version":"2","aps-topic":null}}"#,
        ),
        (
            r#"* XAPPLEPUSHSERVICE aps-version "2" mailboxes"#,
            r#"{"values":["aps-version","2","mailboxes"]}"#,
        ),
    ]);
    // The text in brackets at its end is no response code.
    let exchange = super::one(
        Peer::Server,
        b"* OK The Microsoft Exchange IMAP4 service is ready. [QwBZADQA]\r\n",
    );
    assert!(exchange.code().is_none());
    for (line, name, values) in [
        ("* NO [X-REMOTE (a 1)] x", "X-REMOTE", r#"[["a",1]]"#),
        ("* OK [XPROXYREUSE] x", "XPROXYREUSE", "[]"),
        ("* BYE [throttled 30] x", "THROTTLED", "[30]"),
    ] {
        let said = super::one(Peer::Server, format!("{line}\r\n").as_bytes());
        let code = said.code().unwrap();
        let mut json = Vec::new();
        crate::event::json::write_array(&mut json, &code.values, |out, value| {
            value.write_json(out);
        });
        assert_eq!(code.name, name);
        assert_eq!(String::from_utf8(json).unwrap(), values, "{line}");
    }
}

#[test]
fn urls_with_a_token_are_told_apart() {
    let token = ";urlauth=submit+fred:internal:91354a473744909de610943775f92038";
    let url = format!("imap://joe@example.com/INBOX/;uid=20{token}");
    responses(&[
        (
            &format!("* GENURLAUTH \"imap://x\" \"{url}\""),
            r#"{"urls":["imap://x",{"secret":"urlauth"}]}"#,
        ),
        (
            &format!("* URLFETCH \"{url}\" {{3}}\r\nabc \"imap://x\" NIL"),
            r#"{"urls":[{"url":{"secret":"urlauth"},"octets":3},{"url":"imap://x","octets":null}]}"#,
        ),
        (
            &format!(
                "* URLFETCH \"{url}\" (BODYPARTSTRUCTURE (\"IMAGE\" \"PNG\" NIL NIL NIL \"BINARY\" 9)) (BINARY ~{{3}}\r\na\u{1}c)"
            ),
            r#"{"urls":[{"url":{"secret":"urlauth"},"items":[{"item":"BODYPARTSTRUCTURE","body":{"type":"IMAGE","subtype":"PNG","parameters":null,"id":null,"description":null,"encoding":"BINARY","octets":9}},{"item":"BINARY","octets":3}]}]}"#,
        ),
    ]);
    super::commands(&[
        (
            &format!("a URLFETCH \"{url}\""),
            r#"{"urls":[{"secret":"urlauth"}]}"#,
        ),
        (
            &format!("a URLFETCH (\"{url}\" BODYPARTSTRUCTURE) \"imap://x\""),
            r#"{"urls":[{"url":{"secret":"urlauth"},"items":["BODYPARTSTRUCTURE"]},"imap://x"]}"#,
        ),
        ("a URLFETCH ()", r#"{"values":[[]]}"#),
    ]);
}
