//! The rules, in alphabetical order: one table that one can read.
//!
//! A row is a name for the code, the id, how bad it is, who can break it, the clause, and the rule in
//! one sentence. Sections are those of RFC 9051 where it has them; RFC 3501 has the same rules in
//! other places.

use super::rule::{Rule, Severity, Side};

macro_rules! rules {
    ($($name:ident $id:literal $severity:ident $side:ident $clause:literal $sentence:literal)*) => {
        /// A rule of the table, for the code that looks after it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Breach {
            $(#[doc = $sentence] $name,)*
        }

        /// The table.
        pub static RULES: &[Rule] = &[$(Rule {
            id: $id,
            severity: Severity::$severity,
            side: Side::$side,
            clause: $clause,
            sentence: $sentence,
        },)*];
    };
}

rules! {
    AmbiguousPipelining "ambiguous-pipelining" Error Client "RFC 9051, 5.5"
        "A command with message numbers is not sent while a command is in flight during which messages may be expunged."
    AppenduidRange "appenduid-range" Error Server "RFC 9051, 7.1"
        "APPENDUID names the UID of a single message as a number, not as a range."
    ArgumentsMissing "arguments-missing" Error Client "RFC 9051, 9"
        "A command has the arguments that it needs."
    ArgumentsUnexpected "arguments-unexpected" Error Client "RFC 9051, 9"
        "A command has no more arguments than it takes."
    AutologoutEarly "autologout-early" Error Server "RFC 9051, 5.4"
        "A server does not log out for inactivity before 30 minutes are over."
    BadChallenge "bad-challenge" Warning Server "RFC 9051, 6.2.2"
        "What a server sends behind + in a SASL exchange is base64."
    BareCr "bare-cr" Error Either "RFC 9051, 2.2"
        "A carriage return stands before a line feed, and nowhere else outside of literals."
    BareLf "bare-lf" Error Either "RFC 9051, 2.2"
        "A line ends with CRLF, not with a line feed alone."
    CapabilityWithoutData "capability-without-data" Error Server "RFC 9051, 6.1.1"
        "CAPABILITY is answered with an untagged CAPABILITY before its OK."
    CapabilityWithoutImap "capability-without-imap" Error Server "RFC 9051, 7.2.2"
        "A list of capabilities has IMAP4rev1 or IMAP4rev2 in it."
    ChannelBinding "channel-binding" Info Client "RFC 5802, 6"
        "A login that is bound to the TLS channel cannot pass a man in the middle such as mailscope."
    ChildinfoUnasked "childinfo-unasked" Error Server "RFC 9051, 6.3.9.6"
        "LIST has CHILDINFO only where the client asked with RECURSIVEMATCH."
    CleartextLogin "cleartext-login" Warning Client "RFC 9051, 6.2.3"
        "A password or a token is not sent over a connection without TLS."
    ClosedMissing "closed-missing" Error Server "RFC 7162, 3.2.11"
        "Where QRESYNC or IMAP4rev2 is on, selecting another mailbox is answered with the code CLOSED."
    ClosedWithoutBye "closed-without-bye" Warning Server "RFC 9051, 3.4"
        "A server says BYE before it closes the connection."
    ClosedWithoutLogout "closed-without-logout" Info Client "RFC 9051, 3.4"
        "A client that is logged in sends LOGOUT before it closes the connection."
    CommandAfterLogout "command-after-logout" Error Client "RFC 9051, 6.1.3"
        "No command follows LOGOUT."
    CommandBeforeGreeting "command-before-greeting" Warning Client "RFC 9051, 2.2"
        "A client waits for the server's greeting."
    CommandWhileIdle "command-while-idle" Error Client "RFC 9051, 6.3.13"
        "A client ends IDLE with DONE before it sends another command."
    CompressDamaged "compress-damaged" Error Either "RFC 4978, 3"
        "What follows COMPRESS is deflate data."
    CompressEndless "compress-endless" Error Either "RFC 4978, 3"
        "Deflate data does not inflate to a line without an end."
    CompressPipelined "compress-pipelined" Error Client "RFC 4978, 3"
        "No command follows COMPRESS before its answer."
    CompressTwice "compress-twice" Error Client "RFC 4978, 3"
        "COMPRESS is not sent once compression is on."
    ConflictingAttributes "conflicting-attributes" Error Server "RFC 9051, 7.3.1"
        "A mailbox does not have \\HasChildren with \\HasNoChildren or \\Noinferiors, nor two of \\Marked, \\Unmarked and \\Noselect."
    ControlInAtom "control-in-atom" Error Either "RFC 9051, 9"
        "An atom has no control characters and no quotes in it."
    CopyuidLate "copyuid-late" Warning Server "RFC 9051, 6.4.8"
        "MOVE tells COPYUID in an untagged OK, before the messages go."
    CopyuidMismatch "copyuid-mismatch" Error Server "RFC 4315, 3"
        "COPYUID names as many new UIDs as old ones."
    DataUnselected "data-unselected" Error Server "RFC 9051, 7.4"
        "EXISTS, EXPUNGE, VANISHED and FETCH come only while a mailbox is selected."
    DateMalformed "date-malformed" Error Either "RFC 9051, 9"
        "A date is written 17-Jul-1996, and with its time 17-Jul-1996 02:44:25 -0700."
    DelimiterMalformed "delimiter-malformed" Error Server "RFC 9051, 7.3.1"
        "The hierarchy delimiter of LIST is one quoted character or NIL."
    DuplicateCapability "duplicate-capability" Info Server "RFC 9051, 7.2.2"
        "A list of capabilities names each one once."
    DuplicateTag "duplicate-tag" Error Client "RFC 9051, 2.2.1"
        "The tag of a command in flight is not used again."
    EightBitInAtom "eight-bit-in-atom" Error Either "RFC 9051, 9"
        "An atom is ASCII."
    EightBitInQuoted "eight-bit-in-quoted" Error Either "RFC 3501, 4.3"
        "A quoted string is ASCII until IMAP4rev2 or UTF8=ACCEPT is enabled."
    EnableSelected "enable-selected" Error Client "RFC 9051, 6.3.1"
        "ENABLE is not sent once a mailbox is selected."
    EnableWithoutData "enable-without-data" Warning Server "RFC 9051, 6.3.1"
        "ENABLE is answered with an untagged ENABLED before its OK, whatever it enabled."
    EnabledUnasked "enabled-unasked" Error Server "RFC 5161, 3.2"
        "ENABLED names only what ENABLE asked for."
    EnvelopeMalformed "envelope-malformed" Error Server "RFC 9051, 7.5.2"
        "An envelope has ten fields, and each address in it four."
    EsearchCountMissing "esearch-count-missing" Error Server "RFC 9051, 6.4.4"
        "ESEARCH has the COUNT that was asked for, found or not."
    EsearchTagUnknown "esearch-tag-unknown" Error Server "RFC 9051, 7.3.4"
        "The tag in ESEARCH is that of a command."
    EsearchUnasked "esearch-unasked" Warning Server "RFC 4731, 3.1"
        "A search without RETURN is answered with SEARCH until IMAP4rev2 is enabled."
    EsearchWithoutUid "esearch-without-uid" Error Server "RFC 4731, 3.1"
        "The ESEARCH that answers UID SEARCH has the word UID in it."
    ExamineWithoutReadOnly "examine-without-read-only" Error Server "RFC 9051, 6.3.3"
        "The OK of EXAMINE begins with the code READ-ONLY."
    ExistsShrank "exists-shrank" Error Server "RFC 9051, 5.2"
        "The number of messages goes down by EXPUNGE or VANISHED alone."
    ExpungeBeyondExists "expunge-beyond-exists" Error Server "RFC 9051, 7.5.1"
        "EXPUNGE names a message that is there."
    ExpungeDuringFetch "expunge-during-fetch" Error Server "RFC 9051, 7.5.1"
        "No EXPUNGE is sent while FETCH, STORE or SEARCH is in progress."
    ExpungeOnClose "expunge-on-close" Warning Server "RFC 9051, 6.4.1"
        "CLOSE expunges without a word."
    ExpungeWithQresync "expunge-with-qresync" Warning Server "RFC 7162, 3.2.10"
        "With QRESYNC on, VANISHED is sent in place of EXPUNGE."
    ExpungeWithoutCommand "expunge-without-command" Error Server "RFC 9051, 7.5.1"
        "No EXPUNGE is sent while no command is in progress."
    ExtensionWithoutCapability "extension-without-capability" Error Client "RFC 9051, 6.1.1"
        "A command of an extension, or a part of one, is sent only to a server that has its capability."
    FetchBeyondExists "fetch-beyond-exists" Error Server "RFC 9051, 7.5.2"
        "FETCH names a message that is there."
    FetchItemWithoutCapability "fetch-item-without-capability" Error Client "RFC 9051, 6.1.1"
        "A FETCH item of an extension is asked only of a server that has its capability."
    FetchMacroCombined "fetch-macro-combined" Error Client "RFC 9051, 6.4.5"
        "ALL, FAST and FULL stand alone, not in a list of items."
    FetchOriginUnasked "fetch-origin-unasked" Error Server "RFC 9051, 7.5.2"
        "A part of a body is answered only where a part was asked for."
    FetchUnsolicitedWithoutUid "fetch-unsolicited-without-uid" Error Server "RFC 9051, 7.5.2"
        "In a session of IMAP4rev2, a FETCH that nobody asked for has the UID in it."
    FetchWithoutUid "fetch-without-uid" Error Server "RFC 9051, 6.4.9"
        "The answers to UID FETCH have the UID in them."
    FlagNotPermitted "flag-not-permitted" Warning Client "RFC 9051, 7.1"
        "A flag that is not among PERMANENTFLAGS is not stored."
    FlagUnknown "flag-unknown" Error Either "RFC 9051, 2.3.2"
        "Flags with a backslash are those that the RFC defines."
    GreetingMissing "greeting-missing" Error Server "RFC 9051, 7.1"
        "The first thing that a server says is OK, PREAUTH or BYE, untagged."
    HighestmodseqDecreased "highestmodseq-decreased" Error Server "RFC 7162, 3.1.2.1"
        "HIGHESTMODSEQ of a mailbox does not go down while its UIDVALIDITY stays."
    IdFieldTwice "id-field-twice" Error Either "RFC 2971, 3.3"
        "ID names each field once."
    IdTooLong "id-too-long" Error Either "RFC 2971, 3.3"
        "ID has at most 30 fields, with names of 30 and values of 1024 octets."
    IdWithoutData "id-without-data" Error Server "RFC 2971, 3.1"
        "ID is answered with an untagged ID before its OK."
    IdleEndedWithoutDone "idle-ended-without-done" Error Server "RFC 9051, 6.3.13"
        "The server ends IDLE with OK only after DONE."
    IdleTooLong "idle-too-long" Warning Client "RFC 9051, 6.3.13"
        "A client ends IDLE at least every 29 minutes and begins it anew."
    InboxCreated "inbox-created" Error Client "RFC 9051, 6.3.4"
        "INBOX is not created."
    InboxDeleted "inbox-deleted" Error Client "RFC 9051, 6.3.5"
        "INBOX is not deleted."
    InvalidUtf8 "invalid-utf8" Error Either "RFC 6855, 3"
        "A quoted string with octets beyond ASCII is UTF-8."
    ItemsMissing "items-missing" Error Client "RFC 9051, 9"
        "FETCH and STATUS ask for an item at least."
    LineTooLong "line-too-long" Warning Client "RFC 7162, 4"
        "A command line has at most 8192 octets, literals apart."
    ListOptionWithoutCapability "list-option-without-capability" Error Client "RFC 5258, 3"
        "LIST has options, or several patterns, only where the server has LIST-EXTENDED, or the option's capability."
    ListTooManyClosed "list-too-many-closed" Error Either "RFC 9051, 4.4"
        "Every ) has its (."
    ListUnclosed "list-unclosed" Error Either "RFC 9051, 4.4"
        "Every ( has its )."
    LiteralMinusTooLong "literal-minus-too-long" Error Client "RFC 7888, 5"
        "With LITERAL- a literal that does not wait has at most 4096 octets."
    LiteralNotAwaited "literal-not-awaited" Error Client "RFC 9051, 4.3"
        "A client sends a synchronizing literal's octets after the server's + alone."
    LiteralPlusFromServer "literal-plus-from-server" Error Server "RFC 7888, 3"
        "A server's literal header has no + in it."
    LiteralPlusWithoutCapability "literal-plus-without-capability" Error Client "RFC 7888, 3"
        "A literal that does not wait is sent only to a server with LITERAL+ or LITERAL-."
    Literal8WithoutCapability "literal8-without-capability" Error Client "RFC 3516, 4.4"
        "A literal8 is sent only to a server with BINARY, UTF8=ACCEPT or IMAP4rev2."
    LoginDisabled "login-disabled" Error Client "RFC 9051, 6.2.3"
        "LOGIN is not sent to a server that lists LOGINDISABLED."
    LoginTwice "login-twice" Error Client "RFC 9051, 6.2"
        "A client that is logged in does not log in again."
    LogoutUnanswered "logout-unanswered" Error Server "RFC 9051, 3.4"
        "LOGOUT is answered with its tagged OK before the server closes the connection."
    LogoutWithoutBye "logout-without-bye" Error Server "RFC 9051, 6.1.3"
        "LOGOUT is answered with an untagged BYE before its OK."
    MailboxNameEncoding "mailbox-name-encoding" Error Either "RFC 3501, 5.1.3"
        "A mailbox's name is modified UTF-7 until IMAP4rev2 or UTF8=ACCEPT is enabled."
    MalformedCommand "malformed-command" Error Client "RFC 9051, 2.2.1"
        "A command is a tag, a space and a name."
    MalformedResponse "malformed-response" Error Server "RFC 9051, 2.2.2"
        "A response begins with *, + or a tag, and has a name or a status."
    MechanismNotOffered "mechanism-not-offered" Warning Client "RFC 9051, 6.2.2"
        "A client authenticates with a mechanism that the server offers."
    MessageChanged "message-changed" Error Server "RFC 9051, 2.3.1.1"
        "The size and the internal date of a message with the same UID never change."
    MessageCutOff "message-cut-off" Info Either "RFC 9051, 2.2"
        "A connection ends between two messages."
    ModseqMissing "modseq-missing" Error Server "RFC 7162, 3.1"
        "Once CONDSTORE is on, a FETCH that tells of changed flags has MODSEQ in it."
    ModseqWithoutCapability "modseq-without-capability" Error Client "RFC 7162, 3.1"
        "CONDSTORE, CHANGEDSINCE, UNCHANGEDSINCE and MODSEQ need the capability CONDSTORE."
    ModseqZero "modseq-zero" Error Server "RFC 7162, 7"
        "A message's MODSEQ is not zero."
    NamespaceWithoutData "namespace-without-data" Error Server "RFC 9051, 6.3.10"
        "NAMESPACE is answered with an untagged NAMESPACE before its OK."
    NotAuthenticated "not-authenticated" Error Client "RFC 9051, 6.3"
        "A command about mailboxes is sent after logging in."
    NotSelected "not-selected" Error Client "RFC 9051, 6.4"
        "A command about messages is sent while a mailbox is selected."
    NulOctet "nul-octet" Error Either "RFC 9051, 4.3.1"
        "No octet is NUL outside of a literal8."
    NumberBeyondExists "number-beyond-exists" Error Client "RFC 9051, 9"
        "A message number is not larger than the number of messages, nor * where there are none."
    NumberTooLarge "number-too-large" Error Either "RFC 9051, 9"
        "Message numbers and UIDs have 32 bits."
    NumberZero "number-zero" Error Client "RFC 9051, 9"
        "No message number and no UID is 0."
    ObsoleteCommand "obsolete-command" Info Client "RFC 9051, Appendix E"
        "CHECK and LSUB are no commands of IMAP4rev2 any more."
    ObsoleteMechanism "obsolete-mechanism" Info Client "RFC 6331, 1"
        "DIGEST-MD5 is of the past."
    PartialEmpty "partial-empty" Error Client "RFC 9051, 9"
        "A part of a body that is asked for has one octet at least."
    PreauthInCleartext "preauth-in-cleartext" Warning Server "RFC 9051, 7.1.4"
        "A server does not greet with PREAUTH on a connection without TLS, where STARTTLS is no longer possible."
    PreauthLate "preauth-late" Error Server "RFC 9051, 7.1.4"
        "PREAUTH is a greeting, and comes at no other time."
    QresyncWithoutEnable "qresync-without-enable" Error Client "RFC 7162, 3.2.5"
        "QRESYNC and VANISHED are asked for after ENABLE QRESYNC alone."
    QuotedEscape "quoted-escape" Error Either "RFC 9051, 9"
        "In a quoted string, a backslash stands before a quote or a backslash."
    QuotedUnclosed "quoted-unclosed" Error Either "RFC 9051, 4.3"
        "A quoted string ends with a quote on its line."
    RecentStored "recent-stored" Error Client "RFC 3501, 2.3.2"
        "A client does not set or clear \\Recent."
    RecursivematchAlone "recursivematch-alone" Error Client "RFC 9051, 6.3.9.1"
        "RECURSIVEMATCH is not the only selection option of LIST, nor with REMOTE alone."
    RejectedAsBad "rejected-as-bad" Warning Client "RFC 9051, 7.1.3"
        "A client sends what the server can read; BAD says that it did not."
    SaslInitialResponseString "sasl-initial-response-string" Error Client "RFC 9051, 6.2.2"
        "An initial response stands outside of quoted strings and literals."
    SaslIrWithoutCapability "sasl-ir-without-capability" Error Client "RFC 4959, 3"
        "AUTHENTICATE has an initial response only where the server has SASL-IR or IMAP4rev2."
    SaslMalformed "sasl-malformed" Error Client "RFC 9051, 6.2.2"
        "A SASL response is base64; an initial one that is empty is a single =."
    SaslServerFirst "sasl-server-first" Error Client "RFC 9051, 6.2.2"
        "A mechanism in which the server speaks first has no initial response."
    SearchBeyondExists "search-beyond-exists" Error Server "RFC 9051, 7.3.4"
        "SEARCH and SORT find messages that are there."
    SearchCharset "search-charset" Error Client "RFC 6855, 3"
        "SEARCH has no CHARSET once UTF8=ACCEPT is enabled."
    SearchForEsearch "search-for-esearch" Error Server "RFC 4731, 3.1"
        "A search with RETURN is answered with ESEARCH."
    SearchInRev2 "search-in-rev2" Error Server "RFC 9051, Appendix E"
        "In a session of IMAP4rev2, a search is answered with ESEARCH."
    SearchReturnWithoutCapability "search-return-without-capability" Error Client "RFC 4731, 3.1"
        "A search has RETURN only where the server has ESEARCH or IMAP4rev2; SORT, where it has ESORT."
    SearchWithoutCharset "search-without-charset" Error Client "RFC 3501, 6.4.4"
        "A search for octets beyond ASCII says in which CHARSET they are."
    SearchWithoutData "search-without-data" Error Server "RFC 9051, 6.4.4"
        "SEARCH is answered with SEARCH or ESEARCH before its OK, found or not, as SORT and THREAD are with their own."
    SeenNotTold "seen-not-told" Warning Server "RFC 9051, 6.4.5"
        "Where reading a message sets \\Seen, the server tells its flags."
    SelectWithoutAccess "select-without-access" Warning Server "RFC 9051, 6.3.2"
        "The OK of SELECT begins with the code READ-WRITE or READ-ONLY."
    SelectWithoutExists "select-without-exists" Error Server "RFC 9051, 6.3.2"
        "SELECT and EXAMINE are answered with EXISTS before their OK."
    SelectWithoutFlags "select-without-flags" Error Server "RFC 9051, 6.3.2"
        "SELECT and EXAMINE are answered with FLAGS before their OK."
    SelectWithoutHighestmodseq "select-without-highestmodseq" Error Server "RFC 7162, 3.1.2"
        "Once CONDSTORE is on, SELECT and EXAMINE are answered with HIGHESTMODSEQ or NOMODSEQ."
    SelectWithoutList "select-without-list" Error Server "RFC 9051, 6.3.2"
        "In a session of IMAP4rev2, SELECT and EXAMINE are answered with LIST before their OK."
    SelectWithoutPermanentflags "select-without-permanentflags" Warning Server "RFC 9051, 6.3.2"
        "SELECT and EXAMINE are answered with PERMANENTFLAGS before their OK."
    SelectWithoutUidnext "select-without-uidnext" Warning Server "RFC 9051, 6.3.2"
        "SELECT and EXAMINE are answered with UIDNEXT before their OK."
    SelectWithoutUidvalidity "select-without-uidvalidity" Warning Server "RFC 9051, 6.3.2"
        "SELECT and EXAMINE are answered with UIDVALIDITY before their OK."
    SequenceSetMalformed "sequence-set-malformed" Error Client "RFC 9051, 9"
        "Messages are named by numbers, ranges and *, between commas."
    SpacesDoubled "spaces-doubled" Warning Either "RFC 9051, 2.2"
        "Exactly one space stands between two arguments."
    SpacesTrailing "spaces-trailing" Warning Either "RFC 9051, 2.2"
        "No space stands before a line's end."
    StaleCapabilitiesLogin "stale-capabilities-login" Warning Client "RFC 9051, 6.1.1"
        "After logging in, a client uses the capabilities that the server has then."
    StaleCapabilitiesTls "stale-capabilities-tls" Warning Client "RFC 9051, 6.2.1"
        "After STARTTLS, a client asks for the capabilities anew."
    StarttlsAfterLogin "starttls-after-login" Error Client "RFC 9051, 6.2.1"
        "STARTTLS is not sent after logging in."
    StarttlsInjection "starttls-injection" Error Either "RFC 9051, 6.2.1"
        "Nothing follows STARTTLS or its answer in cleartext."
    StarttlsNotOffered "starttls-not-offered" Warning Client "RFC 9051, 6.2.1"
        "STARTTLS is sent to a server that lists it."
    StarttlsPipelined "starttls-pipelined" Error Client "RFC 9051, 6.2.1"
        "No command follows STARTTLS before its answer."
    StarttlsStillOffered "starttls-still-offered" Warning Server "RFC 9051, 6.2.1"
        "A server does not list STARTTLS once TLS is on."
    StarttlsTwice "starttls-twice" Error Client "RFC 9051, 6.2.1"
        "STARTTLS is not sent once TLS is on."
    StatusItemMissing "status-item-missing" Warning Server "RFC 9051, 7.3.3"
        "STATUS is answered with all that was asked."
    StatusItemWithoutCapability "status-item-without-capability" Error Client "RFC 9051, 6.3.11"
        "A STATUS item of an extension is asked only of a server that has its capability."
    StatusSelected "status-selected" Warning Client "RFC 9051, 6.3.11"
        "STATUS is not asked about the selected mailbox."
    StatusWithoutData "status-without-data" Error Server "RFC 9051, 6.3.11"
        "STATUS is answered with an untagged STATUS before its OK."
    TagCharacters "tag-characters" Error Client "RFC 9051, 9"
        "A tag has no character that an atom cannot have, and no +."
    TagReused "tag-reused" Warning Client "RFC 9051, 2.2.1"
        "Each command of a connection has a tag of its own."
    TlsInCleartext "tls-in-cleartext" Error Either "RFC 8314, 3"
        "TLS is spoken where TLS is expected."
    UidChanged "uid-changed" Error Server "RFC 9051, 2.3.1.1"
        "A message keeps its UID."
    UidExpunged "uid-expunged" Info Client "RFC 9051, 6.4.9"
        "The UID of a message that the client was told is gone is not used any more."
    UidNotAscending "uid-not-ascending" Error Server "RFC 9051, 2.3.1.1"
        "Messages with higher numbers have higher UIDs."
    UidNotBelowUidnext "uid-not-below-uidnext" Error Server "RFC 9051, 2.3.1.1"
        "The messages in a mailbox have UIDs below UIDNEXT."
    UidReused "uid-reused" Error Server "RFC 9051, 2.3.1.1"
        "The UID of a message that is gone is given to no other."
    UidfetchWithoutEnable "uidfetch-without-enable" Error Server "RFC 9586, 3"
        "UIDFETCH is sent after ENABLE UIDONLY alone."
    UidnextDecreased "uidnext-decreased" Error Server "RFC 9051, 2.3.1.1"
        "UIDNEXT does not go down while UIDVALIDITY stays."
    UidonlyNumbers "uidonly-numbers" Error Either "RFC 9586, 3"
        "Once UIDONLY is on, messages are named by UIDs alone."
    UidvalidityChanged "uidvalidity-changed" Info Server "RFC 9051, 2.3.1.1"
        "UIDVALIDITY stays as long as the UIDs do."
    UidvalidityDecreased "uidvalidity-decreased" Error Server "RFC 9051, 2.3.1.1"
        "A new UIDVALIDITY is larger than the one before."
    UidvalidityIgnored "uidvalidity-ignored" Error Client "RFC 9051, 2.3.1.1"
        "UIDs from before UIDVALIDITY changed are not used any more."
    UnansweredCommand "unanswered-command" Info Server "RFC 9051, 2.2.2"
        "Every command gets its tagged answer."
    UnexpectedContinuationRequest "unexpected-continuation-request" Error Server "RFC 9051, 7.6"
        "A server sends + only to a command that waits for it."
    UnknownCommand "unknown-command" Warning Client "RFC 9051, 6.5"
        "A command is one that an RFC defines, or begins with X."
    UnknownTag "unknown-tag" Error Server "RFC 9051, 2.2.2"
        "A tagged answer has the tag of a command in flight."
    Utf8AppendWithoutEnable "utf8-append-without-enable" Error Client "RFC 6855, 4"
        "APPEND with UTF8 is sent after ENABLE UTF8=ACCEPT alone."
    VanishedModifier "vanished-modifier" Error Client "RFC 7162, 3.2.6"
        "VANISHED stands in UID FETCH alone, and with CHANGEDSINCE."
    VanishedWithoutEnable "vanished-without-enable" Error Server "RFC 7162, 3.2.10"
        "VANISHED is sent after ENABLE QRESYNC alone."
    WriteReadOnly "write-read-only" Warning Client "RFC 9051, 6.3.3"
        "Nothing is changed in a mailbox that is selected read-only."
    WrongStateAccepted "wrong-state-accepted" Warning Server "RFC 9051, 3"
        "A command that is not valid in the session's state is not answered OK."
    ZeroTold "zero-told" Error Server "RFC 9051, 9"
        "No message number, UID, UIDNEXT or UIDVALIDITY is 0."
}

impl Breach {
    /// Its row.
    pub fn rule(self) -> &'static Rule {
        &RULES[self as usize]
    }
}

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    let at = RULES.binary_search_by(|rule| rule.id.cmp(id)).ok()?;
    Some(&RULES[at])
}

/// Ids that look like this one, which is none.
pub fn near(id: &str) -> Vec<&'static str> {
    let wanted: Vec<&str> = id.split('-').filter(|word| word.len() > 2).collect();
    let shared = |rule: &Rule| {
        let words = rule.id.split('-');
        words.filter(|word| wanted.contains(word)).count()
    };
    let mut near: Vec<(usize, usize, &str)> = RULES
        .iter()
        .map(|rule| (shared(rule), distance(id, rule.id), rule.id))
        .filter(|(shared, distance, _)| *shared > 0 || *distance <= id.len() / 3)
        .collect();
    near.sort_by_key(|(shared, distance, _)| (*distance, std::cmp::Reverse(*shared)));
    near.into_iter().take(3).map(|(_, _, id)| id).collect()
}

/// Letters to put in, take out or change to make one of the other.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().take(64).collect();
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_each_row_is_whole() {
        assert!(RULES.is_sorted_by(|a, b| a.id < b.id));
        assert!(RULES.len() >= 60, "{}", RULES.len());
        for rule in RULES {
            let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(rule.id.chars().all(kebab), "{rule}");
            assert!(rule.clause.starts_with("RFC "), "{rule}");
            assert!(rule.clause.contains(", "), "{rule}");
            assert!(rule.sentence.ends_with('.'), "{rule}");
        }
    }

    #[test]
    fn a_wrong_id_is_told_with_near_ones() {
        assert_eq!(near("bare-lf-"), ["bare-lf", "bare-cr"]);
        assert!(near("pipelining").contains(&"ambiguous-pipelining"));
        assert!(near("qqqqqq").is_empty());
    }
}
