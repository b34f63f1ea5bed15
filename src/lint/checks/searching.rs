//! SEARCH and what answers it (RFC 9051, section 6.4.4 and 7.3.4; RFC 4731).

use super::is_search;
use crate::event::{Label, Peer, Reading, Span, Value};
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::session::{Bound, ranges};

pub(super) fn check(look: &mut Look<'_>) {
    match look.said.from {
        Peer::Client => command(look),
        Peer::Server => response(look),
    }
}

fn command(look: &mut Look<'_>) {
    let Some(command) = look.command.as_ref().filter(|command| is_search(command)) else {
        return;
    };
    let has_charset = command.has_option("CHARSET");
    if has_charset && look.session.has_enabled("UTF8=ACCEPT") {
        let range = look.range_of_word("CHARSET");
        return look.add(Breach::SearchCharset, range, "");
    }
    let said = look.said;
    let strings = said
        .spans
        .iter()
        .filter(|span| span.label == Label::Literal);
    let mut beyond = strings.filter(|span| !said.span_bytes(span).is_ascii());
    if let Some(span) = beyond.next().filter(|_| !has_charset && !look.has_utf8()) {
        look.add(Breach::SearchWithoutCharset, span.range.clone(), "");
    }
}

/// `S: * SORT 3 1 2`
fn sorted(look: &mut Look<'_>) {
    let is_sort = look.data().is_some_and(|(name, _)| name == "SORT");
    let asking = look.session.asking(look.said).filter(|_| is_sort);
    if asking.is_some_and(|command| command.name == "SORT")
        && look.session.in_flight().counted(&["SORT", "UID SORT"]) == 1
    {
        beyond(look, "SORT", &look.said.arguments());
    }
}

fn response(look: &mut Look<'_>) {
    sorted(look);
    let Some((name @ ("SEARCH" | "ESEARCH"), _)) = look.data() else {
        return;
    };
    correlator(look);
    let Some(command) = look
        .session
        .asking(look.said)
        .filter(|command| is_search(command))
    else {
        return;
    };
    // Which of several is answered cannot be told.
    if look.session.in_flight().counted(&["SEARCH", "UID SEARCH"]) > 1 {
        return;
    }
    let returns = command.has_option("RETURN");
    let by_uid = command.is_by_uid();
    let arguments = look.said.arguments();
    let says_uid = arguments.iter().any(|value| value.is_word("UID"));
    let is_rev2 = look.is_rev2();
    match name {
        "SEARCH" if returns => look.add_head(Breach::SearchForEsearch, ""),
        "SEARCH" if is_rev2 => look.add_head(Breach::SearchInRev2, ""),
        "ESEARCH" if !returns && !is_rev2 => look.add_head(Breach::EsearchUnasked, ""),
        "ESEARCH" if by_uid && !says_uid => look.add_head(Breach::EsearchWithoutUid, ""),
        _ => {}
    }
    let has_count = arguments.iter().any(|value| value.is_word("COUNT"));
    let asks_for_count = command.has_option("COUNT") && !command.has_option("PARTIAL");
    if name == "ESEARCH" && asks_for_count && !has_count {
        look.add_head(Breach::EsearchCountMissing, "");
    }
    if !by_uid {
        beyond(look, name, &arguments);
    }
}

/// `S: * ESEARCH (TAG "a") ALL 1:3`
fn correlator(look: &mut Look<'_>) {
    let arguments = look.said.arguments();
    let Some([word, tag]) = arguments.first().map(Value::members) else {
        return;
    };
    let is_seen = look.session.state().is_some();
    let tag = tag.bytes().filter(|_| word.is_word("TAG") && is_seen);
    let Some(tag) = tag.map(String::from_utf8_lossy) else {
        return;
    };
    if look.memory.never_had(&tag) && matches!(look.said.reading, Reading::Untagged { .. }) {
        let about = format!("no command had the tag {tag}");
        let is_it = |span: &&Span| {
            let text = look.said.span_bytes(span);
            let text = text.strip_prefix(b"\"").unwrap_or(text);
            text.strip_suffix(b"\"").unwrap_or(text) == tag.as_bytes()
        };
        let span = look.arguments().iter().find(is_it);
        match span.map(|span| span.range.clone()) {
            Some(range) => look.add(Breach::EsearchTagUnknown, range, about),
            None => look.add_head(Breach::EsearchTagUnknown, about),
        }
    }
}

/// Numbers of messages that there are not.
fn beyond(look: &mut Look<'_>, name: &str, arguments: &[Value<'_>]) {
    let Some(exists) = look.session.mailbox().and_then(|mailbox| mailbox.exists()) else {
        return;
    };
    let most = match name {
        "SEARCH" | "SORT" => arguments.iter().filter_map(Value::number).max(),
        _ => {
            let pairs = arguments.windows(2);
            let told = ["ALL", "COUNT", "MAX", "MIN"];
            let pairs = pairs.filter(|pair| told.iter().any(|name| pair[0].is_word(name)));
            pairs.filter_map(|pair| largest(&pair[1])).max()
        }
    };
    if let Some(most) = most.filter(|most| *most > exists) {
        let about = format!("{most} is told of, and there are {exists} messages");
        let is_it = |span: &&Span| {
            let set = matches!(span.label, Label::Number | Label::Atom);
            set && ranges(look.said.span_bytes(span))
                .flatten()
                .any(|(first, last)| [first, last].contains(&Bound::Number(most)))
        };
        let span = look.arguments().iter().find(is_it);
        match span.map(|span| span.range.clone()) {
            Some(range) => look.add(Breach::SearchBeyondExists, range, about),
            None => look.add_head(Breach::SearchBeyondExists, about),
        }
    }
}

fn largest(set: &Value<'_>) -> Option<u64> {
    if let Some(number) = set.number() {
        return Some(number);
    }
    let bounds = ranges(set.bytes()?)
        .flatten()
        .flat_map(|(first, last)| [first, last]);
    bounds.filter_map(|bound| bound.number()).max()
}
