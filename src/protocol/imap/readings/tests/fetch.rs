//! FETCH and its items.

use super::responses;

#[test]
fn numbers_and_flags() {
    responses(&[
        (
            r"* 23 FETCH (FLAGS (\Seen $Forwarded) UID 4827313)",
            r#"{"items":{"FLAGS":["\\Seen","$Forwarded"],"UID":4827313}}"#,
        ),
        (
            r#"* 1 FETCH (MODSEQ (624140003) RFC822.SIZE 44827 INTERNALDATE "17-Jul-1996 02:44:25 -0700")"#,
            r#"{"items":{"MODSEQ":624140003,"RFC822.SIZE":44827,"INTERNALDATE":"17-Jul-1996 02:44:25 -0700"}}"#,
        ),
        ("* 4 UIDFETCH (FLAGS ())", r#"{"items":{"FLAGS":[]}}"#),
    ]);
}

#[test]
fn items_of_extensions_and_of_providers() {
    responses(&[
        (
            "* 1 FETCH (EMAILID (M6d99ac3275bb4e) THREADID (T64b478a75b7ea9) SAVEDATE NIL)",
            r#"{"items":{"EMAILID":"M6d99ac3275bb4e","THREADID":"T64b478a75b7ea9","SAVEDATE":null}}"#,
        ),
        (
            "* 1 FETCH (EMAILID (123) THREADID NIL PREVIEW {5}\r\nHello)",
            r#"{"items":{"EMAILID":"123","THREADID":null,"PREVIEW":"Hello"}}"#,
        ),
        (
            "* 1 FETCH (X-GM-THRID 1278455344230334865 X-GM-MSGID 1278455344230334866 X-GM-LABELS (\\Inbox \"Muy Importante\" 2026))",
            r#"{"items":{"X-GM-THRID":1278455344230334865,"X-GM-MSGID":1278455344230334866,"X-GM-LABELS":["\\Inbox","Muy Importante","2026"]}}"#,
        ),
        (
            "* 1 FETCH (X-GUID 5d41402abc4b2a76 X-MAILBOX INBOX X-REAL-UID 7)",
            r#"{"items":{"X-GUID":"5d41402abc4b2a76","X-MAILBOX":"INBOX","X-REAL-UID":7}}"#,
        ),
        (
            "* 12 FETCH (ANNOTATION (/comment (value.priv \"My comment\" size.priv \"10\")))",
            r#"{"items":{"ANNOTATION":{"/comment":{"value.priv":"My comment","size.priv":"10"}}}}"#,
        ),
        (
            "* 1 FETCH (X-NEW (a (b)) Y 1)",
            r#"{"items":{"X-NEW":["a",["b"]],"Y":1}}"#,
        ),
    ]);
}

#[test]
fn texts_of_messages() {
    responses(&[
        (
            "* 1 FETCH (BODY[] {3}\r\nabc)",
            r#"{"items":{"BODY[]":{"octets":3}}}"#,
        ),
        (
            "* 1 FETCH (BODY[1.2.HEADER.FIELDS (DATE \"FROM\")]<10> \"Date: x\")",
            r#"{"items":{"BODY[1.2.HEADER.FIELDS (DATE \"FROM\")]<10>":{"part":"1.2","section":"HEADER.FIELDS","fields":["DATE","FROM"],"origin":10,"octets":7,"text":"Date: x"}}}"#,
        ),
        (
            "* 1 FETCH (BINARY[1]<0> ~{2}\r\n\0a BINARY.SIZE[1] 7 body[text] NIL RFC822.TEXT NIL)",
            r#"{"items":{"BINARY[1]<0>":{"part":"1","origin":0,"octets":2},"BINARY.SIZE[1]":7,"BODY[TEXT]":{"section":"TEXT","octets":null},"RFC822.TEXT":{"octets":null}}}"#,
        ),
        (
            "* 1 FETCH (BODY[SOUP] \"x\")",
            r#"{"items":{"BODY[SOUP]":{"octets":1,"text":"x"}}}"#,
        ),
    ]);
}

#[test]
fn an_envelope() {
    responses(&[
        (
            // RFC 9051, section 8
            "* 12 FETCH (ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \
             \"IMAP4rev2 WG mtg summary and minutes\" \
             ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
             ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
             ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
             ((NIL NIL \"imap\" \"cac.washington.edu\")) \
             ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) \
             NIL NIL \"<B27397-0100000@cac.washington.edu>\"))",
            concat!(
                r#"{"items":{"ENVELOPE":{"date":"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)","subject":"IMAP4rev2 WG mtg summary and minutes","#,
                r#""from":[{"name":"Terry Gray","mailbox":"gray","host":"cac.washington.edu"}],"#,
                r#""sender":[{"name":"Terry Gray","mailbox":"gray","host":"cac.washington.edu"}],"#,
                r#""reply_to":[{"name":"Terry Gray","mailbox":"gray","host":"cac.washington.edu"}],"#,
                r#""to":[{"name":null,"mailbox":"imap","host":"cac.washington.edu"}],"#,
                r#""cc":[{"name":null,"mailbox":"minutes","host":"CNRI.Reston.VA.US"},{"name":"John Klensin","mailbox":"KLENSIN","host":"MIT.EDU"}],"#,
                r#""bcc":null,"in_reply_to":null,"message_id":"<B27397-0100000@cac.washington.edu>"}}}"#
            ),
        ),
        (
            "* 1 FETCH (ENVELOPE (NIL {31}\r\n=?UTF-8?Q?Gr=C3=BC=C3=9Fe?= \\o/ ((\"=?utf-8?B?w4k=?=\" \"@a,@b\" \"c\" NIL)) NIL NIL NIL NIL NIL \"<a>\" NIL))",
            r#"{"items":{"ENVELOPE":{"date":null,"subject":"=?UTF-8?Q?Gr=C3=BC=C3=9Fe?= \\o/","subject_decoded":"Grüße \\o/","from":[{"name":"=?utf-8?B?w4k=?=","name_decoded":"É","adl":"@a,@b","mailbox":"c","host":null}],"sender":null,"reply_to":null,"to":null,"cc":null,"bcc":null,"in_reply_to":"<a>","message_id":null}}}"#,
        ),
        (
            "* 1 FETCH (ENVELOPE (NIL NIL) UID 3)",
            r#"{"items":{"ENVELOPE":{"values":[null,null]},"UID":3}}"#,
        ),
        (
            "* 1 FETCH (ENVELOPE (NIL NIL ((1 2)) NIL NIL NIL NIL NIL NIL NIL))",
            r#"{"items":{"ENVELOPE":{"date":null,"subject":null,"from":[{"values":[1,2]}],"sender":null,"reply_to":null,"to":null,"cc":null,"bcc":null,"in_reply_to":null,"message_id":null}}}"#,
        ),
    ]);
}

#[test]
fn a_body_structure() {
    responses(&[
        (
            // RFC 9051, section 7.5.2
            "* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 2279 48))",
            r#"{"items":{"BODY":{"type":"TEXT","subtype":"PLAIN","parameters":{"CHARSET":"US-ASCII"},"id":null,"description":null,"encoding":"7BIT","octets":2279,"lines":48}}}"#,
        ),
        (
            "* 1 FETCH (BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1152 23 NIL NIL NIL NIL)\
             (\"IMAGE\" \"PNG\" (\"NAME\" \"a.png\") \"<960723163407.20117h@cac.washington.edu>\" \"=?utf-8?Q?=C3=89t=C3=A9?=\" \"BASE64\" 4554 \
             \"d41d8\" (\"ATTACHMENT\" (\"FILENAME\" \"a.png\")) (\"EN\" \"DE\") \"http://x\" 1 (2 \"y\"))\
             \"MIXED\" (\"BOUNDARY\" \"b\") (\"INLINE\" NIL) \"EN\" NIL))",
            concat!(
                r#"{"items":{"BODYSTRUCTURE":{"type":"multipart","subtype":"MIXED","parts":["#,
                r#"{"type":"TEXT","subtype":"PLAIN","parameters":null,"id":null,"description":null,"encoding":"7BIT","octets":1152,"lines":23,"md5":null,"disposition":null,"language":null,"location":null},"#,
                r#"{"type":"IMAGE","subtype":"PNG","parameters":{"NAME":"a.png"},"id":"<960723163407.20117h@cac.washington.edu>","description":"=?utf-8?Q?=C3=89t=C3=A9?=","description_decoded":"Été","encoding":"BASE64","octets":4554,"#,
                r#""md5":"d41d8","disposition":{"type":"ATTACHMENT","parameters":{"FILENAME":"a.png"}},"language":["EN","DE"],"location":"http://x","extension":[1,[2,"y"]]}],"#,
                r#""parameters":{"BOUNDARY":"b"},"disposition":{"type":"INLINE","parameters":null},"language":["EN"],"location":null}}}"#
            ),
        ),
        (
            "* 1 FETCH (BODYSTRUCTURE (\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 302 \
             (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"TEXT\" \"HTML\" NIL NIL NIL \"8BIT\" 9 1) 10 NIL NIL))",
            concat!(
                r#"{"items":{"BODYSTRUCTURE":{"type":"MESSAGE","subtype":"RFC822","parameters":null,"id":null,"description":null,"encoding":"7BIT","octets":302,"#,
                r#""envelope":{"date":null,"subject":"s","from":null,"sender":null,"reply_to":null,"to":null,"cc":null,"bcc":null,"in_reply_to":null,"message_id":null},"#,
                r#""body":{"type":"TEXT","subtype":"HTML","parameters":null,"id":null,"description":null,"encoding":"8BIT","octets":9,"lines":1},"lines":10,"md5":null,"disposition":null}}}"#
            ),
        ),
    ]);
}

#[test]
fn parts_that_do_not_fit_are_values_and_the_others_are_read() {
    responses(&[
        (
            "* 1 FETCH (BODYSTRUCTURE ((\"TEXT\")(\"A\" \"B\" (\"x\" 1 \"X\" 2) NIL NIL NIL 3)\"MIXED\"))",
            r#"{"items":{"BODYSTRUCTURE":{"type":"multipart","subtype":"MIXED","parts":[{"values":["TEXT"]},{"type":"A","subtype":"B","parameters":["x",1,"X",2],"id":null,"description":null,"encoding":null,"octets":3}]}}}"#,
        ),
        (
            "* 1 FETCH (BODYSTRUCTURE (()))",
            r#"{"items":{"BODYSTRUCTURE":{"values":[[]]}}}"#,
        ),
        (
            "* 1 FETCH (BODYSTRUCTURE x)",
            r#"{"items":{"BODYSTRUCTURE":"x"}}"#,
        ),
        ("* 1 FETCH FLAGS", r#"{"values":["FLAGS"]}"#),
        ("* 1 FETCH (UID 1) x", r#"{"values":[["UID",1],"x"]}"#),
        (
            "* 1 FETCH (UID 1 uid 2 ENVELOPE x)",
            r#"{"items":{"UID":2,"ENVELOPE":"x"}}"#,
        ),
        ("* 1 FETCH (UID", r#"{"items":{"UID":null}}"#),
    ]);
}
