//! Arguments of extensions in commands that everybody has.

use super::capabilities::lacking;
use crate::event::{Label, Peer, Value};
use crate::lint::look::Look;
use crate::lint::table::Breach;

/// Items of FETCH, by how they begin, and their capabilities.
const FETCH_ITEMS: &[(&str, &[&str])] = &[
    ("ANNOTATION", &["ANNOTATE-EXPERIMENT-1"]),
    ("BINARY", &["BINARY", "IMAP4REV2"]),
    ("EMAILID", &["OBJECTID"]),
    ("PREVIEW", &["PREVIEW", "PREVIEW="]),
    ("SAVEDATE", &["SAVEDATE"]),
    ("THREADID", &["OBJECTID"]),
    ("X-GM-", &["X-GM-EXT-1"]),
];

/// Items of STATUS, and their capabilities.
const STATUS_ITEMS: &[(&str, &[&str])] = &[
    ("APPENDLIMIT", &["APPENDLIMIT", "APPENDLIMIT="]),
    ("DELETED", &["IMAP4REV2", "QUOTA", "QUOTA="]),
    ("DELETED-STORAGE", &["QUOTA="]),
    ("HIGHESTMODSEQ", &["CONDSTORE", "QRESYNC"]),
    ("MAILBOXID", &["OBJECTID"]),
    ("SIZE", &["STATUS=SIZE", "IMAP4REV2"]),
];

/// Words that need CONDSTORE, in the commands where they are more than text to search for.
const MODSEQ_WORDS: &[&str] = &["CHANGEDSINCE", "CONDSTORE", "MODSEQ", "UNCHANGEDSINCE"];

/// What lets LIST have options (RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590).
const LIST_EXTENDED: &[&str] = &[
    "IMAP4REV2",
    "LIST-EXTENDED",
    "LIST-METADATA",
    "LIST-MYRIGHTS",
    "LIST-STATUS",
    "SPECIAL-USE",
];

pub(super) fn check(look: &mut Look<'_>) {
    match look.said.from {
        Peer::Client => command(look),
        Peer::Server => {}
    }
}

fn command(look: &mut Look<'_>) {
    let Some(command) = &look.command else {
        return;
    };
    let name = command.name.clone();
    let words = command.words.clone();
    match name.trim_start_matches("UID ") {
        "FETCH" => {
            items(
                look,
                &words,
                FETCH_ITEMS,
                Breach::FetchItemWithoutCapability,
            );
            modseq(look, &words);
        }
        "STORE" | "SELECT" | "EXAMINE" => modseq(look, &words),
        "STATUS" => status(look, &words),
        "LIST" => {
            list(look, &words);
            recursivematch(look);
        }
        _ => {}
    }
    qresync(look, &name, &words);
    vanished(look, &name, &words);
}

/// `C: a UID FETCH 1:* (FLAGS) (CHANGEDSINCE 7 VANISHED)`
fn vanished(look: &mut Look<'_>, name: &str, words: &[String]) {
    let is_fetch = matches!(name, "FETCH" | "UID FETCH");
    let has = |word: &str| words.iter().any(|has| has == word);
    if is_fetch && has("VANISHED") && (name == "FETCH" || !has("CHANGEDSINCE")) {
        let range = look.range_of_word("VANISHED");
        look.add(Breach::VanishedModifier, range, "");
    }
}

/// `C: a LIST (RECURSIVEMATCH) "" "*"`
fn recursivematch(look: &mut Look<'_>) {
    let arguments = look.said.arguments();
    let Some(Value::List(options)) = arguments.first() else {
        return;
    };
    let is_it = options
        .iter()
        .any(|option| option.is_word("RECURSIVEMATCH"));
    let others = ["RECURSIVEMATCH", "REMOTE"];
    let is_alone = options
        .iter()
        .all(|option| others.iter().any(|name| option.is_word(name)));
    if is_it && is_alone {
        let range = look.range_of_word("RECURSIVEMATCH");
        look.add(Breach::RecursivematchAlone, range, "");
    }
}

fn items(look: &mut Look<'_>, words: &[String], table: &[(&str, &[&str])], id: Breach) {
    for word in words {
        let row = table.iter().find(|(item, _)| word.starts_with(item));
        if let Some((_, any_of)) = row
            && let Some(id) = lacking(look, any_of, id)
        {
            let range = look.range_of_word(word);
            return look.add(id, range, "");
        }
    }
}

fn status(look: &mut Look<'_>, words: &[String]) {
    // The mailbox may have any name; the items stand in the list behind it.
    let list = look
        .said
        .spans
        .iter()
        .position(|span| span.label == Label::ListOpen);
    let Some(list) = list else {
        return;
    };
    let listed: Vec<Vec<u8>> = look.said.spans[list..]
        .iter()
        .map(|span| look.said.span_bytes(span).to_ascii_uppercase())
        .collect();
    for word in words
        .iter()
        .filter(|word| listed.iter().any(|item| item == word.as_bytes()))
    {
        let row = STATUS_ITEMS.iter().find(|(item, _)| item == word);
        if let Some((_, any_of)) = row
            && let Some(id) = lacking(look, any_of, Breach::StatusItemWithoutCapability)
        {
            let range = look.range_of_word(word);
            return look.add(id, range, "");
        }
    }
}

fn modseq(look: &mut Look<'_>, words: &[String]) {
    // The first word of SELECT is a mailbox, and may be one of these.
    let is_option = |word: &&String| MODSEQ_WORDS.contains(&word.as_str());
    let behind = usize::from(!words.is_empty() && is_option(&&words[0]));
    if let Some(word) = words[behind..].iter().find(is_option)
        && let Some(id) = lacking(
            look,
            &["CONDSTORE", "QRESYNC"],
            Breach::ModseqWithoutCapability,
        )
    {
        let range = look.range_of_word(word);
        look.add(id, range, "");
    }
}

fn list(look: &mut Look<'_>, words: &[String]) {
    let first = look.first_argument().map(|span| span.label);
    let has_selection = first == Some(Label::ListOpen);
    let returns = words.iter().any(|word| word == "RETURN");
    let lists = look
        .arguments()
        .iter()
        .any(|span| span.label == Label::ListOpen);
    if (has_selection || (returns && lists))
        && let Some(id) = lacking(look, LIST_EXTENDED, Breach::ListOptionWithoutCapability)
    {
        let range = look.range_of_word("RETURN");
        look.add(id, range, "");
    }
}

/// `C: a SELECT x (QRESYNC (1 2))`, `C: a UID FETCH 1:* FLAGS (CHANGEDSINCE 7 VANISHED)`
fn qresync(look: &mut Look<'_>, name: &str, words: &[String]) {
    let word = match name {
        "SELECT" | "EXAMINE" => "QRESYNC",
        "UID FETCH" => "VANISHED",
        _ => return,
    };
    // The mailbox may have this name.
    let behind = words
        .iter()
        .skip(usize::from(name != "UID FETCH" && !has_list(look)));
    let is_asked = behind.filter(|has| *has == word).count() > 0 && has_list(look);
    let is_on = look.session.has_enabled("QRESYNC") || look.session.in_flight().has("ENABLE");
    let is_seen = look.session.state().is_some();
    if is_asked && !is_on && is_seen {
        let range = look.range_of_word(word);
        look.add(Breach::QresyncWithoutEnable, range, "");
    }
}

fn has_list(look: &Look<'_>) -> bool {
    look.arguments()
        .iter()
        .any(|span| span.label == Label::ListOpen)
}
