//! Every bound, each with the reason for its number. Nothing that a peer can make grow is held
//! without one of these.

use std::time::Duration;

/// Octets read from a socket at once. A TLS record carries at most 16 KiB (RFC 8446, section 5.1);
/// four of them keep the number of events and system calls low without delaying anything, since a
/// read returns whatever is there.
pub const READ: usize = 64 * 1024;

/// Octets of compressed data read from a socket at once. Deflate data stands for up to 1,032 times as
/// many octets, all of which become events before the next read: 16 MiB at most, and not at once
/// ([`INFLATED_EVENTS`]).
pub const COMPRESSED_READ: usize = 16 * 1024;

/// Octets inflated at once; the reader's own copy, so it costs no delay. Each two of them may be a
/// line, and a line an event and a note.
pub const INFLATED: usize = 8 * 1024;

/// Events made of inflated octets before the sinks are given them. Many thousand lines may stand in
/// a few compressed octets (`* 1 EXPUNGE` over and over), and an event weighs far more than its line.
pub const INFLATED_EVENTS: usize = 4 * 1024;

/// Compressed octets of an app that a replay takes in before it answers what was said in them. They may be
/// 33 KiB of commands, 16 thousand at the very worst and some thousand usually.
pub const COMPRESSED_HEARD: usize = 32;

/// Octets that a replay says, and messages that it hears, before the app is given what there is and the run
/// may end: with one recorded response beyond it, however long that is. An app that asks a thousand times
/// for a large mail without reading any is answered at its own pace.
pub const ANSWERED: usize = 256 * 1024;

/// What a message of either side counts among [`ANSWERED`] besides the octets that are said: an event, and
/// that is more than the few octets of a `NOOP`.
pub const ANSWER_EVENT: usize = 256;

/// Octets of one inflated line that are kept. No line of mail is nearly as long; one that goes on is
/// deflate data made to fill a disk, and is not inflated any further.
pub const INFLATED_LINE: usize = 16 * 1024 * 1024;

/// Octets of one literal held in memory; a longer one goes out as `literal_part` events while it
/// streams. Large enough for the headers and small bodies that people look at.
pub const LITERAL_HELD: u64 = 64 * 1024;

/// Octets of one message held in memory: its text and its held literals together. A SEARCH
/// response with 100,000 message numbers is about 700 KiB. What goes beyond it is `opaque`.
pub const MESSAGE_HELD: usize = 1024 * 1024;

/// Octets held of what a client sent behind a synchronizing literal's header before the server
/// decided about it (RFC 9051, section 4.3). A client that waits, as it must, needs none.
pub const UNDECIDED_HELD: usize = 256 * 1024;

/// Octets of one direction that wait for a decision: whether a line is to be edited, or what answers
/// STARTTLS. A sender that goes on all the same is not read. As much as [`UNDECIDED_HELD`], which
/// waits in the same way.
pub const WAITING: usize = 256 * 1024;

/// Octets that wait for faults to let them go to the app, on one connection. Enough for a latency of a
/// second at some MB/s; beyond it, the server is not read.
pub const SHAPED: usize = 4 * 1024 * 1024;

/// Commands of one connection whose tagged response has not come. RFC 9051 names no limit; mail
/// apps keep fewer than 100 in flight. Beyond it the oldest is forgotten, with a note.
pub const IN_FLIGHT: usize = 16 * 1024;

/// Octets that are kept of all commands of one connection in flight, to know their responses by: sets, items,
/// names. Apps' commands take some hundred; a few thousand with long sets are as many as this. Beyond it, too, the
/// oldest is forgotten.
pub const IN_FLIGHT_HELD: usize = 8 * 1024 * 1024;

/// Commands in flight that a response is said to answer where several may have asked for it: the oldest, since
/// servers tend to answer in order. More tell a reader nothing, and with thousands in flight that ask for the
/// same, each response would name them all.
pub const AMBIGUOUS: usize = 32;

/// Octets of a tag, a name or an item that are kept of a command in flight, to know its responses
/// by. Apps' tags have about five, the longest item of an extension some dozens.
pub const TAG: usize = 256;

/// Items of one FETCH that are told from each other; one that asks for more is taken to ask for
/// all. RFC 9051 and its extensions define about thirty.
pub const ITEMS: usize = 128;

/// Messages of one mailbox whose UID and flags are followed, by their number. Only what was told makes a
/// place: some twenty-four octets, and some twenty for a UID; however many messages stand between two places
/// are one count. The largest mailboxes of people have some 100,000 messages. Of higher numbers nothing is known.
pub const MAILBOX_MESSAGES: u64 = 1_000_000;

/// Sets of flags of one mailbox's messages that are told from each other. A mailbox has some dozens;
/// of a message with yet another one the flags are not known.
pub const FLAG_SETS: usize = 4096;

/// Messages whose flags a STORE that is not answered with them changes one by one; of more, the flags
/// are forgotten. An app that marks all as read names a range, and it need not take time again for each.
pub const STORED: usize = 4096;

/// Octets of a mailbox's name that are kept. Names have some dozens; servers take 255 or 1,000.
pub const NAME: usize = 4 * 1024;

/// Capabilities of a server that are kept. The registry has about 100.
pub const CAPABILITIES: usize = 1024;

/// Tags of one connection that lint remembers, to know one that comes again. Sessions of a day have
/// some 10,000 commands.
pub const TAGS: usize = 64 * 1024;

/// UIDs of one account's mailboxes that lint remembers, to know them again once a UIDVALIDITY is another.
/// As many as a large mailbox has.
pub const UIDS: usize = 100_000;

/// Mailboxes of one account of which lint remembers UIDVALIDITY, UIDNEXT and HIGHESTMODSEQ.
pub const MAILBOXES: usize = 4096;

/// Accounts of one run whose mailboxes lint remembers from one connection to the next.
/// An app has a few.
pub const ACCOUNTS: usize = 64;

/// Octets of a line that a finding of lint quotes, around what is wrong. Three rows of a wide terminal.
pub const QUOTED: usize = 480;

/// Nested lists that a value tree follows; RFC 9051's own responses need about ten, a deep MIME
/// message's BODYSTRUCTURE some more. A deeper list is kept as one piece of text.
pub const NESTING: usize = 64;

/// Mismatches that a replay's report tells. Nobody reads more, and an app that tries again for ever
/// makes them without end.
pub const MISMATCHES: usize = 1000;

/// Secrets remembered so that they are masked when they come again. An app has one or two.
pub const SECRETS: usize = 64;

/// Octets of a secret that are remembered. OAuth tokens reach about 4 KiB; of a longer secret the
/// beginning is remembered, and everything from there to the argument's end is masked.
pub const SECRET_LENGTH: usize = 4 * 1024;

/// Octets of a secret below which it is not searched for again: shorter ones occur by chance
/// everywhere (contract, "Masks").
pub const SECRET_SHORTEST: usize = 4;

/// Octets of all forms of the secrets that are searched for with a table, of about 1 KiB an octet: a
/// dozen passwords and a token of OAuth. More of them are searched for in a slower way that takes a
/// hundredth of it.
pub const SECRETS_TABLE: usize = 4 * 1024;

/// Weight in octets of the events that wait for the transcript file. Large enough to ride out a
/// disk's hiccup of some tens of milliseconds, small enough to stay well under the promised peak.
pub const RECORDING_QUEUE: usize = 8 * 1024 * 1024;

/// Weight in octets of the events that wait for a viewer (terminal); a slower viewer is told how
/// many octets it was not given.
pub const VIEWING_QUEUE: usize = 8 * 1024 * 1024;

/// How long a sink waits for company before it takes what is in its queue. Far below the 250 ms
/// that the contract allows, and long enough that a busy relay wakes the sink's thread rarely.
pub const SINK_LINGER: Duration = Duration::from_millis(20);

/// How long the relay waits for a sink that must not lose anything and takes nothing: a disk that does not
/// answer. Longer than one takes to spin up; shorter than the patience of a mail app (30 to 60 s).
pub const SINK_STALLED: Duration = Duration::from_secs(15);

/// How long the end of a run may take from the signal on: connections end, then the sinks write
/// what is left. The contract allows two seconds; the rest is for the last words and a busy machine.
pub const END: Duration = Duration::from_millis(1700);

/// How long connections may take of that. They are told at once and wait for nothing.
pub const END_CONNECTIONS: Duration = Duration::from_millis(700);

/// How long a viewer may take of that; one that is not being read takes nothing more.
pub const FINISH_VIEW: Duration = Duration::from_millis(500);

/// How long the last words may take on a standard error that nobody reads.
pub const LAST_WORDS: Duration = Duration::from_millis(200);

/// Files that mailscope asks the system to let it have open: two for each of 32,000 connections, which is more
/// than one computer's apps make.
pub const FILES: u64 = 64 * 1024;

/// Open files that connections leave to everything else (a transcript's spare file, name look-ups, attempts at a
/// server's further addresses); an eighth of all, where those are few.
pub const FILES_KEPT: u64 = 256;

/// Apps that wait to be accepted. Where they are more, the system drops their packets, and each tries
/// again after one second, three, seven... Linux takes 4096 at most, others fewer.
pub const BACKLOG: u32 = 4096;

/// Name look-ups at one time. Each takes a thread and some files, for some milliseconds; thousands of
/// apps that come at once ask for the same name.
pub const LOOKUPS: usize = 32;

/// How long a connection attempt to the server may take. Longer than the worst working mobile
/// link, shorter than the patience of a mail app (30 to 60 s).
pub const DIAL: Duration = Duration::from_secs(20);

/// How long the real server may take to answer what a replay asks it on its own behalf before it
/// passes a command on: a login, a SELECT. Half of the patience of a mail app.
pub const OWN_ANSWER: Duration = Duration::from_secs(30);

/// Continuations of an app (a SASL turn, `DONE`) that wait for the real server to take them. Each is
/// an answer to a `+`, so that there is one at a time.
pub const CONTINUATIONS: usize = 16;

/// How long either TLS handshake may take.
pub const HANDSHAKE: Duration = Duration::from_secs(20);

/// How long one direction may stay silent after the other one has ended, or take nothing of what that
/// one had said. A half-closed IMAP connection has nothing left to say but the answers to what was
/// sent.
pub const HALF_CLOSED: Duration = Duration::from_secs(60);

/// How long a peer is silent before it is asked whether it is there (TCP keep-alive, RFC 9293, section
/// 3.8.4). Less than what routers forget a connection after, and rare enough for a phone's battery.
pub const PROBED_AFTER: Duration = Duration::from_secs(120);

/// How long an answer to that may take before it is asked again.
pub const PROBED_EVERY: Duration = Duration::from_secs(15);

/// Questions without an answer after which a peer is gone: 3 minutes after its last word with the two
/// above. A walk through a tunnel is shorter.
pub const PROBES: u32 = 4;

/// Minted leaf certificates kept in memory, one a server name.
pub const LEAVES: usize = 256;

/// How long the server's next address waits for the one before it: the delay that RFC 8305,
/// section 5, recommends.
pub const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Octets of the literals of a transcript that are held while it is scrubbed, since a mail is replaced as a
/// whole. Servers take mails of 25 to 150 MB; several copies of one are needed.
pub const SCRUB_LITERAL: usize = 256 * 1024 * 1024;

/// Different words and short texts of a transcript that are held while it is scrubbed. A mailbox of 10,000
/// mails has some 200,000; each weighs some hundred octets.
pub const SCRUB_WORDS: usize = 4 * 1024 * 1024;

/// Octets of one part of a literal that are searched together with the next, so that a word on both is
/// found. No word is nearly as long.
pub const SCRUB_OVERLAP: usize = 4 * 1024;

/// Octets of a transcript written in one call, closing included. Large enough that a busy relay
/// calls the system rarely, small enough that they are still in the processor's cache when they are written a
/// second time, to the spare file.
pub const TRANSCRIPT_WRITE: usize = 256 * 1024;

/// Octets for which a file that grows has room on the disk ahead, once it is as long; each of a transcript's
/// two. Enough for the search of that room to cost nothing beside what is written into it, and little enough to
/// be left on a disk by a program that is killed.
pub const WRITTEN_AHEAD: u64 = 8 * 1024 * 1024;

/// Octets of one literal that a page shows; the rest is in the transcript. Nobody reads more of a mail, and
/// a browser has to hold all of them.
pub const PAGE_LITERAL: u64 = 256 * 1024;

/// Octets of a literal that are filled where an import lacks them. The size that a lost packet leaves
/// unseen is far smaller; a log that has no literals at all may lack a large mail.
pub const FILLED: u64 = 16 * 1024 * 1024;

/// Octets of all files of an import, which are held while they are read: the two directions of a
/// rawlog and the packets of a capture have to be put in order. A day of one busy app is a tenth of it.
pub const IMPORT: u64 = 1024 * 1024 * 1024;

/// Counts of literals in one file that are put right. What somebody pasted has a few; a file with more is
/// wrong in another way.
pub const MENDED: usize = 10_000;

/// Lines behind a literal's header in which its end is looked for, where the count does not fit. A mail
/// of some megabytes.
pub const MENDED_LINES: usize = 100_000;

/// Fragments of IP in a capture behind which one whose packet is not whole is given up, 64 KiB of it at
/// most. The rest of a packet follows within some dozens.
pub const FRAGMENTS: u64 = 1024;

/// Octets of one event's JSON that a reader of transcripts holds. What mailscope writes stays far
/// below ([`MESSAGE_HELD`], escaped); an edited or imported one may hold a large attachment whole.
pub const TRANSCRIPT_EVENT: usize = 256 * 1024 * 1024;

/// Octets of a mailbox's name that are kept to compare it. RFC 9051 names no limit; servers allow
/// some hundreds.
pub const MAILBOX_NAME: usize = 1024;

/// Command names that statistics tell apart; what comes beyond them is one row. RFC 9051 and the
/// registered extensions define about eighty.
pub const STATS_NAMES: usize = 256;

/// Latencies of one command name that statistics keep exactly. Beyond it, they are counted in buckets
/// that are 1/64 wide at most. A sync of a large mailbox has some hundred.
pub const STATS_LATENCIES: usize = 4096;

/// Connections that statistics list. Those beyond it are in the sums.
pub const STATS_CONNECTIONS: usize = 1000;

/// Items of messages that statistics remember, to know them when they are fetched again: 16 octets
/// each, and enough for some items of each of 100,000 messages.
pub const STATS_FETCHED: usize = 512 * 1024;

/// Mailboxes whose full fetches of flags statistics remember. Large accounts have some thousand.
pub const STATS_MAILBOXES: usize = 4096;

/// Commands that one item of waste names; the count goes on. Nobody looks at more.
pub const STATS_PLACES: usize = 8;

/// Capabilities of one server that statistics remember. Servers have some dozens.
pub const STATS_CAPABILITIES: usize = 256;

/// Octets of each direction of a connection that statistics deflate, to tell what COMPRESS=DEFLATE would
/// have saved. Enough for the kinds of mail in a mailbox to be there, and deflated in some ten
/// milliseconds, which a live session does not notice.
pub const STATS_DEFLATED: u64 = 1024 * 1024;

/// Connections at one time whose octets statistics deflate: each holds some 0.6 MiB for it.
pub const STATS_DEFLATING: usize = 16;

/// Octets of a filter. Nobody types more; a script that lists thousand mailboxes does.
pub const FILTER: usize = 64 * 1024;

/// Parentheses of a filter within each other; each is a call within a call.
pub const FILTER_NESTING: usize = 64;

/// Octets of a capture that wait for a command whose literal the server has let come: a go-ahead, and what
/// the server says until the literal is there. A server seldom says anything meanwhile.
pub const CAPTURE_WAITING: usize = 1024 * 1024;
