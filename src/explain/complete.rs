//! That nothing is missing in the table: what mailscope itself names, and what the registries do.

use super::table::{Kind, entry};

/// What the registries name (IANA: IMAP Capabilities, IMAP Response Codes, IMAP and JMAP Keywords,
/// IMAP Mailbox Name Attributes), kept by hand.
const REGISTERED: &[(Kind, &str)] = &[
    (
        Kind::Capability,
        "ACL ANNOTATE-EXPERIMENT-1 APPENDLIMIT AUTH= BINARY CATENATE CHILDREN COMPRESS=DEFLATE \
         CONDSTORE CONTEXT=SEARCH CONTEXT=SORT CONVERT CREATE-SPECIAL-USE ENABLE ESEARCH ESORT \
         FILTERS I18NLEVEL=1 I18NLEVEL=2 ID IDLE IMAP4rev1 IMAP4rev2 IMAPSIEVE= INPROGRESS \
         JMAPACCESS LANGUAGE LIST-EXTENDED LIST-METADATA LIST-MYRIGHTS LIST-STATUS LITERAL+ \
         LITERAL- LOGIN-REFERRALS LOGINDISABLED MAILBOX-REFERRALS MESSAGELIMIT METADATA \
         METADATA-SERVER MOVE MULTIAPPEND MULTISEARCH NAMESPACE NOTIFY OBJECTID PARTIAL PREVIEW \
         QRESYNC QUOTA QUOTA=RES- QUOTASET REPLACE RIGHTS= SASL-IR SAVEDATE SAVELIMIT \
         SEARCH=FUZZY SEARCHRES SORT SORT=DISPLAY SPECIAL-USE STARTTLS STATUS=SIZE THREAD= \
         UIDBATCHES UIDONLY UIDPLUS UNAUTHENTICATE UNSELECT URL-PARTIAL URLAUTH URLAUTH=BINARY \
         UTF8=ACCEPT UTF8=ALL UTF8=APPEND UTF8=ONLY UTF8=USER WITHIN",
    ),
    (
        Kind::ResponseCode,
        "ADDTO ALERT ALREADYEXISTS ANNOTATE ANNOTATIONS APPENDUID AUTHENTICATIONFAILED \
         AUTHORIZATIONFAILED BADCHARSET BADCOMPARATOR BADEVENT BADURL CANNOT CAPABILITY CLIENTBUG \
         CLOSED COMPRESSIONACTIVE CONTACTADMIN COPYUID CORRUPTION DOWNGRADED EXPIRED \
         EXPUNGEISSUED HASCHILDREN HIGHESTMODSEQ INPROGRESS INUSE LIMIT MAILBOXID \
         MAXCONVERTMESSAGES MAXCONVERTPARTS MESSAGELIMIT METADATA MODIFIED NEWNAME NOMODSEQ \
         NONEXISTENT NOPERM NOTIFICATIONOVERFLOW NOTSAVED NOUPDATE OVERQUOTA PARSE \
         PERMANENTFLAGS PRIVACYREQUIRED READ-ONLY READ-WRITE REFERRAL REMOVEFROM SERVERBUG \
         TEMPFAIL TOOBIG TRYCREATE UIDNEXT UIDNOTSTICKY UIDREQUIRED UIDVALIDITY UNAVAILABLE \
         UNDEFINED-FILTER UNKNOWN-CTE UNSEEN URLMECH USEATTR",
    ),
    (
        Kind::Flag,
        "\\Answered \\Deleted \\Draft \\Flagged \\Recent \\Seen $Forwarded $Important $Junk \
         $MDNSent $NotJunk $Phishing $SubmitPending $Submitted $MailFlagBit0 $MailFlagBit1 \
         $MailFlagBit2 $autosent $canunsubscribe $followed $hasattachment $hasmemo \
         $hasnoattachment $imported $istrusted $maskedemail $memo $muted $new $notify \
         $unsubscribed",
    ),
    (
        Kind::MailboxAttribute,
        "\\All \\Archive \\Drafts \\Flagged \\HasChildren \\HasNoChildren \\Important \\Junk \
         \\Marked \\Memos \\NoInferiors \\NonExistent \\Noselect \\Remote \\Scheduled \\Sent \
         \\Snoozed \\Subscribed \\Trash \\Unmarked",
    ),
    (
        Kind::FetchItem,
        "ALL BINARY BINARY.PEEK BINARY.SIZE BODY BODY.PEEK BODYSTRUCTURE EMAILID ENVELOPE FAST \
         FLAGS FULL INTERNALDATE MODSEQ PREVIEW RFC822 RFC822.HEADER RFC822.SIZE RFC822.TEXT \
         SAVEDATE THREADID UID X-GM-LABELS X-GM-MSGID X-GM-THRID",
    ),
    (
        Kind::StatusItem,
        "APPENDLIMIT DELETED DELETED-STORAGE HIGHESTMODSEQ MAILBOXID MESSAGES RECENT SIZE UIDNEXT \
         UIDVALIDITY UNSEEN",
    ),
    (
        Kind::SearchKey,
        "ALL ANSWERED BCC BEFORE BODY CC DELETED DRAFT EMAILID FILTER FLAGGED FROM FUZZY HEADER \
         KEYWORD LARGER MODSEQ NEW NOT OLD OLDER ON OR RECENT SAVEDBEFORE SAVEDON SAVEDSINCE SEEN \
         SENTBEFORE SENTON SENTSINCE SINCE SMALLER SUBJECT TEXT THREADID TO UID UNANSWERED \
         UIDAFTER UIDBEFORE UNDELETED UNDRAFT UNFLAGGED UNKEYWORD UNSEEN X-GM-RAW YOUNGER",
    ),
];

fn has_all<'a>(kind: Kind, terms: impl Iterator<Item = &'a str>) -> usize {
    let mut count = 0;
    for term in terms {
        assert!(entry(kind, term).is_some(), "{} {term}", kind.name());
        count += 1;
    }
    count
}

#[test]
fn every_registered_term_is_explained() {
    for (kind, terms) in REGISTERED {
        assert!(has_all(*kind, terms.split_whitespace()) > 10);
    }
}

/// The words in quotes of a source file's stretch: what is private there is a promise here.
fn quoted<'a>(source: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    let (_, stretch) = source.split_once(from).unwrap();
    let (stretch, _) = stretch.split_once(to).unwrap();
    stretch.split('"').skip(1).step_by(2).collect()
}

#[test]
fn every_command_response_mechanism_and_note_of_mailscope_is_explained() {
    let commands = include_str!("../protocol/imap/command.rs");
    let commands = quoted(commands, "COMMANDS: &[&str] = &[", "];");
    assert!(has_all(Kind::Command, commands.into_iter()) > 70);

    let responses = include_str!("../protocol/imap/response.rs");
    let responses = quoted(responses, "READINGS: &[", "];");
    assert!(has_all(Kind::Response, responses.into_iter()) > 35);

    let mechanisms = include_str!("../protocol/imap/sasl.rs");
    let mechanisms = quoted(mechanisms, "MECHANISMS: [&str;", "];");
    assert!(has_all(Kind::Mechanism, mechanisms.into_iter()) > 15);

    let notes = include_str!("../event/note.rs");
    let ids = quoted(notes, "pub fn id(&self)", "\n    }\n");
    assert!(has_all(Kind::Note, ids.iter().copied()) > 35);
}

/// A note rests on the same clause in both places.
#[test]
fn notes_have_the_clauses_that_they_are_shown_with() {
    use crate::event::Note;
    for note in [
        Note::BareLf,
        Note::CommandWhileIdle,
        Note::LiteralNotAwaited,
        Note::StartTlsRefused,
        Note::UnexpectedContinuationRequest,
        Note::Insecure,
        Note::CleartextToServer,
    ] {
        let known = entry(Kind::Note, note.id()).unwrap();
        assert_eq!(known.clause(), note.clause(), "{}", note.id());
    }
}
