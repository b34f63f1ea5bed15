//! Commands as apps say them, read aloud.

use super::super::sentence::tests::text;
use super::*;
use crate::event::{Body, Peer, Reading, Secrets};
use crate::protocol::imap::conversations::random::events;

/// The sentence for a line that an app says.
fn spoken(line: &str) -> String {
    let sent = format!("a {line}\r\n");
    let greeting = (*b"* PREAUTH hi\r\n").into();
    let steps = [
        (Peer::Server, greeting),
        (Peer::Client, sent.into_bytes().into()),
    ];
    let events = events(&steps, Secrets::Masked);
    let said = events.iter().find_map(|event| match &event.body {
        Body::Said(said) if said.from == Peer::Client => Some(said),
        _ => None,
    });
    let said = said.unwrap();
    let Reading::Command {
        name,
        identity,
        mechanism,
        ..
    } = &said.reading
    else {
        panic!("{line:?}")
    };
    let command = Command {
        name: name.as_deref().unwrap(),
        arguments: &said.arguments(),
        identity: identity.as_deref(),
        mechanism: mechanism.as_deref(),
        access: Access::ReadWrite,
    };
    let _ = super::super::terms::of_command(&command, said);
    sentence(&command).map_or("?".into(), |sentence| text(&sentence))
}

#[test]
fn commands_are_read_aloud() {
    for (line, words) in [
        (
            "APPEND Sent (\\Seen) {3+}\r\nabc (\\Draft) {4+}\r\nabcd",
            "stores 2 messages, together of 7 octets, in Sent",
        ),
        (
            "STORE 1 +X-GM-LABELS (foo \"&AOk-\")",
            "adds the labels foo and é to message 1",
        ),
        (
            "UID STORE 1 X-GM-LABELS.SILENT (foo)",
            "leaves the message with UID 1 with the label foo, and does not want to be sent the result",
        ),
        (
            "SEARCH RETURN (SAVE) UNSEEN",
            "looks for the messages that are unread, and keeps the result as $",
        ),
        (
            "SEARCH RETURN (COUNT SAVE) UNSEEN",
            "asks for the count of the messages that are unread, and keeps the result as $",
        ),
        (
            "SETACL INBOX fred lrs",
            "gives rights to the mailbox INBOX to fred",
        ),
        (
            "SETACL INBOX fred +w",
            "adds rights to the mailbox INBOX to fred",
        ),
        (
            "SETACL INBOX fred -w",
            "takes rights to the mailbox INBOX from fred",
        ),
        (
            "DELETEACL INBOX fred",
            "takes all rights to the mailbox INBOX from fred",
        ),
        (
            "LISTRIGHTS INBOX fred",
            "asks which rights to the mailbox INBOX may be given to fred",
        ),
        (
            "GETMETADATA (DEPTH 1) INBOX (/shared/comment)",
            "asks for annotations of the mailbox INBOX",
        ),
        (
            "SETMETADATA \"\" (/shared/comment NIL)",
            "sets annotations of the server",
        ),
        ("SETACL INBOX", "?"),
        ("GETMETADATA (DEPTH 1)", "?"),
        (
            "SEARCH FILTER road X-GM-LABELS &AOk-",
            "asks for the numbers of the messages that fit the stored search road and have Gmail's label é",
        ),
        ("LOGIN alice hunter2", "logs in as alice, with a password"),
        ("SELECT \"Sent Mail\"", "opens the mailbox \"Sent Mail\""),
        (
            "EXAMINE Reisen/K&APY-ln (CONDSTORE)",
            "opens the mailbox Reisen/Köln for reading only",
        ),
        (
            "DELETE Old",
            "deletes the mailbox Old with all messages in it",
        ),
        ("RENAME Old New", "renames the mailbox Old to New"),
        (
            "LIST \"\" \"*\"",
            "asks which mailboxes there are, on all levels (*)",
        ),
        (
            "LIST \"\" \"%\" RETURN (SUBSCRIBED)",
            "asks which mailboxes there are, on one level (%)",
        ),
        (
            "LIST (SUBSCRIBED) Work/ \"*\"",
            "asks which mailboxes there are, on all levels (*), below Work/",
        ),
        (
            "LIST \"\" \"\"",
            "asks which character stands between the levels of mailbox names",
        ),
        (
            "LIST \"\" Drafts",
            "asks which mailboxes there are by the name Drafts",
        ),
        (
            "STATUS Drafts (MESSAGES UNSEEN)",
            "asks for MESSAGES and UNSEEN of the mailbox Drafts without opening it",
        ),
        (
            "APPEND Drafts (\\Draft \\Seen) {3+}\r\nabc",
            "stores a message of 3 octets in Drafts, with the flags \\Draft and \\Seen",
        ),
        (
            "APPEND Drafts {3+}\r\nabc",
            "stores a message of 3 octets in Drafts",
        ),
        (
            "FETCH 1:3 (FLAGS UID)",
            "asks for flags and UID of messages 1 to 3",
        ),
        (
            "FETCH 1 BODY[]",
            "asks for the whole source of message 1, which marks it as read",
        ),
        (
            "UID FETCH 5:* BODY.PEEK[1]",
            "asks for part 1 of the messages with UIDs 5 and higher, without marking them as read",
        ),
        (
            "STORE 1:3 +FLAGS (\\Seen)",
            "adds the flag \\Seen to messages 1 to 3",
        ),
        (
            "STORE 2 -FLAGS.SILENT \\Seen \\Deleted",
            "takes the flags \\Seen and \\Deleted off message 2, and does not want to be sent the result",
        ),
        (
            "UID STORE 2 (UNCHANGEDSINCE 7) FLAGS ()",
            "leaves the message with UID 2 with no flags",
        ),
        ("COPY 1 Work", "copies message 1 to the mailbox Work"),
        (
            "UID MOVE 1,2 Work",
            "moves the messages with UIDs 1 and 2 to the mailbox Work",
        ),
        (
            "UID EXPUNGE 7",
            "removes for good, if they are marked with \\Deleted, the message with UID 7",
        ),
        (
            "UID SEARCH UNSEEN",
            "asks for the UIDs of the messages that are unread",
        ),
        (
            "SORT (REVERSE DATE) UTF-8 ALL",
            "asks for the numbers of all messages, sorted by REVERSE DATE",
        ),
        (
            "UID THREAD REFERENCES UTF-8 ALL",
            "asks for the UIDs of all messages, grouped as conversations",
        ),
        ("ENABLE CONDSTORE QRESYNC", "turns on CONDSTORE and QRESYNC"),
        ("NOOP", "?"),
        ("FETCH", "?"),
        ("STORE 1", "?"),
        ("COPY 1", "?"),
        ("SELECT", "?"),
    ] {
        assert_eq!(spoken(line), words, "{line}");
    }
}
