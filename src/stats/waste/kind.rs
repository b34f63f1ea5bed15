//! The kinds of waste, each with its name, the better way and where that is written.

/// A kind of waste.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `fetched-twice`
    FetchedTwice,
    /// `part-of-whole`
    PartOfWhole,
    /// `fetch-per-message`
    FetchPerMessage,
    /// `fetch-in-chunks`
    FetchInChunks,
    /// `store-per-message`
    StorePerMessage,
    /// `status-loop`
    StatusLoop,
    /// `status-of-selected`
    StatusOfSelected,
    /// `select-of-selected`
    SelectOfSelected,
    /// `full-flag-resync`
    FullFlagResync,
    /// `search-in-full`
    SearchInFull,
    /// `no-pipelining`
    NoPipelining,
    /// `asked-again`
    AskedAgain,
    /// `login-again`
    LoginAgain,
    /// `synchronizing-literal`
    SynchronizingLiteral,
    /// `sasl-without-initial-response`
    SaslWithoutInitialResponse,
    /// `copy-and-delete`
    CopyAndDelete,
    /// `polling`
    Polling,
    /// `idle-restarted`
    IdleRestarted,
    /// `unused-capability`
    UnusedCapability,
}

impl Kind {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 19] = [
        Self::FetchedTwice,
        Self::PartOfWhole,
        Self::FetchPerMessage,
        Self::FetchInChunks,
        Self::StorePerMessage,
        Self::StatusLoop,
        Self::StatusOfSelected,
        Self::SelectOfSelected,
        Self::FullFlagResync,
        Self::SearchInFull,
        Self::NoPipelining,
        Self::AskedAgain,
        Self::LoginAgain,
        Self::SynchronizingLiteral,
        Self::SaslWithoutInitialResponse,
        Self::CopyAndDelete,
        Self::Polling,
        Self::IdleRestarted,
        Self::UnusedCapability,
    ];

    /// In kebab case.
    pub fn id(self) -> &'static str {
        match self {
            Self::FetchedTwice => "fetched-twice",
            Self::PartOfWhole => "part-of-whole",
            Self::FetchPerMessage => "fetch-per-message",
            Self::FetchInChunks => "fetch-in-chunks",
            Self::StorePerMessage => "store-per-message",
            Self::StatusLoop => "status-loop",
            Self::StatusOfSelected => "status-of-selected",
            Self::SelectOfSelected => "select-of-selected",
            Self::FullFlagResync => "full-flag-resync",
            Self::SearchInFull => "search-in-full",
            Self::NoPipelining => "no-pipelining",
            Self::AskedAgain => "asked-again",
            Self::LoginAgain => "login-again",
            Self::SynchronizingLiteral => "synchronizing-literal",
            Self::SaslWithoutInitialResponse => "sasl-without-initial-response",
            Self::CopyAndDelete => "copy-and-delete",
            Self::Polling => "polling",
            Self::IdleRestarted => "idle-restarted",
            Self::UnusedCapability => "unused-capability",
        }
    }

    /// What would have been better, in a sentence; a capability says that itself.
    pub(super) fn better(self) -> &'static str {
        match self {
            Self::FetchedTwice => {
                "keep what was fetched, by UIDVALIDITY and UID: of a message it never changes"
            }
            Self::PartOfWhole => {
                "the whole message was here already, and all its parts, headers, ENVELOPE and \
                 BODYSTRUCTURE are in it"
            }
            Self::FetchPerMessage => "one FETCH takes a set of messages, such as 3,5:9",
            Self::FetchInChunks => {
                "ask for the next chunk before the last one has come, or for larger ones"
            }
            Self::StorePerMessage => {
                "one STORE, COPY or MOVE takes a set of messages, such as 3,5:9"
            }
            Self::StatusLoop => "send them all before the first answer",
            Self::StatusOfSelected => {
                "the server tells what is new in the selected mailbox unasked; NOOP lets it"
            }
            Self::SelectOfSelected => "NOOP brings what is new in the mailbox that is selected",
            Self::FullFlagResync => {
                "keep the HIGHESTMODSEQ, and SELECT with QRESYNC or FETCH with CHANGEDSINCE"
            }
            Self::SearchInFull => "SEARCH RETURN (ALL) answers in ranges, such as 1:5000",
            Self::NoPipelining => "send what needs no answer before the answer to the last one",
            Self::AskedAgain => {
                "keep what the server told: capabilities stand in its greeting and in the answer \
                 to the login"
            }
            Self::LoginAgain => "keep the connection, or a few of them, and the logins are saved",
            Self::SynchronizingLiteral => "send {n+}, which waits for nothing",
            Self::SaslWithoutInitialResponse => "send the first response with AUTHENTICATE",
            Self::CopyAndDelete => "MOVE does both, and nothing is in two places between",
            Self::Polling => "IDLE: the server tells at once, and nobody has to ask",
            Self::IdleRestarted => {
                "IDLE may go on for up to 29 minutes; a shorter one serves to keep a connection \
                 open, and some minutes do for that"
            }
            Self::UnusedCapability => "",
        }
    }

    /// Where that is written; of a capability, its own clause.
    pub(super) fn clause(self) -> &'static str {
        match self {
            Self::FetchedTwice => "RFC 9051, 2.3.1.1",
            Self::PartOfWhole => "RFC 9051, 6.4.5",
            Self::FetchPerMessage => "RFC 9051, 6.4.5",
            Self::FetchInChunks => "RFC 9051, 5.5",
            Self::StorePerMessage => "RFC 9051, 6.4.6",
            Self::StatusLoop => "RFC 9051, 5.5",
            Self::StatusOfSelected => "RFC 9051, 6.3.11",
            Self::SelectOfSelected => "RFC 9051, 6.1.2",
            Self::FullFlagResync => "RFC 7162, 3.1.4",
            Self::SearchInFull => "RFC 4731, 3.1",
            Self::NoPipelining => "RFC 9051, 5.5",
            Self::AskedAgain => "RFC 9051, 7.1",
            Self::LoginAgain => "RFC 2683, 3.1.2",
            Self::SynchronizingLiteral => "RFC 7888, 4",
            Self::SaslWithoutInitialResponse => "RFC 4959, 3",
            Self::CopyAndDelete => "RFC 6851, 3.1",
            Self::Polling => "RFC 2177, 3",
            Self::IdleRestarted => "RFC 2177, 3",
            Self::UnusedCapability => "",
        }
    }
}
