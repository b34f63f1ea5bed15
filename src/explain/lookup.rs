//! A term as somebody types it or copies it off the wire, looked up in the table.
//!
//! ```text
//! \Seen   Seen   [UIDVALIDITY 7]   AUTH=PLAIN   BODY.PEEK[HEADER]<0.100>   {310}   UID FETCH
//! ```

use super::items::Item;
use super::sentence::Sentence;
use super::sets::{self, By};
use super::table::{Entry, Kind, entries, entry};

/// Suggestions for a term that is not there.
const NEAR: usize = 3;

/// What the term may mean, in the table's order; nothing if it is not in the table.
pub fn find(term: &str) -> Vec<&'static Entry> {
    let words: Vec<&str> = term.split_whitespace().collect();
    let whole = words.join(" ");
    let first = words.first().copied().unwrap_or_default();
    let two = words.get(..2).map(|two| two.join(" "));
    let tries = [
        Some(whole.as_str()),
        two.as_deref(),
        (words.len() > 1).then_some(first),
    ];
    let found = tries.into_iter().flatten().map(spelled);
    let mut found: Vec<&Entry> = found
        .into_iter()
        .find(|found| !found.is_empty())
        .unwrap_or_default();
    found.sort_by_key(|entry| entry.index);
    found.dedup();
    found
}

/// One spelling of a term.
fn spelled(text: &str) -> Vec<&'static Entry> {
    let exact = named(text, |_| true);
    if !exact.is_empty() || text.is_empty() {
        return exact;
    }
    if let Some(code) = text.strip_prefix('[') {
        let code = code.trim_end_matches(']');
        let name = code.split_whitespace().next().unwrap_or_default();
        return named(name, |kind| kind == Kind::ResponseCode);
    }
    if text.starts_with('/') {
        return metadata_entry(text).into_iter().collect();
    }
    if let Some(syntax) = syntax(text) {
        return entry(Kind::Syntax, syntax).into_iter().collect();
    }
    if let Some((item, _)) = text.split_once('[') {
        return named(item, |kind| kind == Kind::FetchItem);
    }
    let bare = text.trim_matches(|c| matches!(c, '(' | ')' | '"' | ',' | ']'));
    if bare != text {
        return spelled(bare);
    }
    match text.split_once('=') {
        Some((name, value)) => valued(text, name, value),
        None => match capability(text) {
            Some(found) => vec![found],
            None => rights(text),
        },
    }
}

/// `lrswi`, `+lrs`: rights that begin, as servers list them, with lookup or read; each letter once.
fn rights(text: &str) -> Vec<&'static Entry> {
    let letters = text.trim_start_matches(['+', '-']);
    let mut found: Vec<&Entry> = Vec::new();
    for letter in letters.chars() {
        match entry(Kind::AclRight, &letter.to_string()) {
            Some(right) if !found.contains(&right) => found.push(right),
            _ => return Vec::new(),
        }
    }
    match letters.starts_with(['l', 'r']) && found.len() > 1 {
        true => found,
        false => Vec::new(),
    }
}

/// Those that are written so: shells eat the `\` or `$` of a flag, and nobody types the `=` of
/// `AUTH=`.
fn named(name: &str, fits: impl Fn(Kind) -> bool) -> Vec<&'static Entry> {
    let is_it = |entry: &&Entry| {
        let bare = entry.term.trim_start_matches(['\\', '$']);
        let bare = bare.strip_suffix('=').unwrap_or(bare);
        let is_long = !bare.is_empty();
        entry.term.eq_ignore_ascii_case(name) || is_long && bare.eq_ignore_ascii_case(name)
    };
    entries()
        .iter()
        .filter(|entry| fits(entry.kind))
        .filter(is_it)
        .collect()
}

/// `AUTH=PLAIN`, `APPENDLIMIT=1000`, `QUOTA=RES-STORAGE`, none of which is in the table as it is.
fn valued(text: &str, name: &str, value: &str) -> Vec<&'static Entry> {
    let mut found: Vec<&Entry> = capability(text).into_iter().collect();
    found.extend(match name.to_ascii_uppercase().as_str() {
        "AUTH" => entry(Kind::Mechanism, value),
        "QUOTA" => {
            let resource = value.get("RES-".len()..).unwrap_or_default();
            entry(Kind::QuotaResource, resource)
        }
        _ => None,
    });
    found
}

/// A capability as a server writes it: the one it is, or the family it belongs to.
pub(super) fn capability(text: &str) -> Option<&'static Entry> {
    let find = |term: &str| entry(Kind::Capability, term);
    let name = text.split_once('=').map(|(name, _)| name);
    let family = |of: &str| text.get(..of.len()).and_then(find);
    find(text)
        .or_else(|| family("QUOTA=RES-"))
        .or_else(|| family("XDOVECOT"))
        .or_else(|| find(&format!("{}=", name?)))
        .or_else(|| find(name?))
}

/// `/shared/vendor/cmu/cyrus-imapd/size`: the entry it is, or the family it belongs to.
pub(super) fn metadata_entry(name: &str) -> Option<&'static Entry> {
    let find = |term: &str| entry(Kind::MetadataEntry, term);
    let ends = name.match_indices('/').map(|(at, _)| at + 1);
    find(name).or_else(|| ends.rev().find_map(|end| find(&name[..end])))
}

/// `{310}`, `{310+}`, `~{310}`, `1:5,7`: the table's way to write it.
pub(super) fn syntax(text: &str) -> Option<&'static str> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(header) = text.strip_suffix('}') {
        let (form, count) = match header.strip_prefix("~{") {
            Some(count) => ("~{n}", count.trim_end_matches('+')),
            None => match header.strip_prefix('{')?.strip_suffix('+') {
                Some(count) => ("{n+}", count),
                None => ("{n}", &header[1..]),
            },
        };
        return is_number(count).then_some(form);
    }
    let is_bound = |text: &str| text == "*" || is_number(text);
    let is_range = |text: &str| text.split(':').count() <= 2 && text.split(':').all(is_bound);
    let is_set = text.split(',').all(is_range) && text.contains([':', ',']);
    is_set.then_some("1:*")
}

/// What the term says as it is written, where that is more than the table can know: a part of a
/// message, a sequence set.
///
/// ```text
/// BODY[1.2]<0.100>   the first 100 octets of part 1.2
/// 5:*                message 5 and all behind it
/// ```
pub fn here(term: &str) -> Option<Sentence> {
    let term = term.trim();
    match syntax(term) {
        Some("1:*") => sets::messages(term.as_bytes(), By::Number),
        Some(_) => None,
        None if term.contains('[') => {
            let item = Item::read(term.as_bytes());
            item.entry().map(|_| item.words())
        }
        None => None,
    }
}

/// Terms that are written much like this one, the nearest first.
pub fn near(term: &str) -> Vec<&'static str> {
    let wanted = bare(term);
    let most = (wanted.chars().count() / 3).min(3);
    let mut near: Vec<(usize, &'static str)> = Vec::new();
    for entry in entries() {
        let known = bare(entry.term);
        let distance = strsim::osa_distance(&wanted, &known);
        let begins = wanted.len() >= 3 && known.starts_with(&wanted);
        let is_new = near.iter().all(|(_, other)| *other != entry.term);
        if is_new && !known.is_empty() && (distance <= most || begins) {
            near.push((distance, entry.term));
        }
    }
    // Of two that are as near, a flag for a flag.
    let sign = |term: &str| term.starts_with(['\\', '$']);
    near.sort_by_key(|(distance, other)| (*distance, sign(other) != sign(term)));
    near.into_iter().map(|(_, term)| term).take(NEAR).collect()
}

fn bare(term: &str) -> String {
    let name = term.trim_matches(|c: char| !c.is_alphanumeric());
    name.split('[').next().unwrap_or(name).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::super::sentence::tests::text;
    use super::*;

    fn found(term: &str) -> Vec<(&'static str, &'static str)> {
        let found = find(term).into_iter();
        found.map(|entry| (entry.kind.name(), entry.term)).collect()
    }

    #[test]
    fn a_term_is_found_as_it_stands_on_the_wire() {
        for (term, kind, written) in [
            ("UID FETCH", "command", "UID FETCH"),
            ("uid  fetch 1:* (FLAGS)", "command", "UID FETCH"),
            ("\\Seen", "flag", "\\Seen"),
            ("$phishing", "flag", "$Phishing"),
            ("Phishing", "flag", "$Phishing"),
            ("[UIDVALIDITY", "response code", "UIDVALIDITY"),
            ("[uidvalidity 7]", "response code", "UIDVALIDITY"),
            ("[ALERT]", "response code", "ALERT"),
            ("BODY.PEEK[HEADER]", "FETCH item", "BODY.PEEK"),
            ("BODY[1.2]<0.100>", "FETCH item", "BODY"),
            ("BODY[HEADER.FIELDS (DATE FROM)]", "FETCH item", "BODY"),
            ("COMPRESS=DEFLATE", "capability", "COMPRESS=DEFLATE"),
            ("appendlimit=1000", "capability", "APPENDLIMIT"),
            ("THREAD=REFERENCES", "capability", "THREAD="),
            ("UTF8=ACCEPT", "capability", "UTF8=ACCEPT"),
            ("LITERAL+", "capability", "LITERAL+"),
            ("starttls-injection", "note", "starttls-injection"),
            ("{310}", "syntax", "{n}"),
            ("{310+}", "syntax", "{n+}"),
            ("~{310}", "syntax", "~{n}"),
            ("1:5,7", "syntax", "1:*"),
            ("(X-GM-RAW", "SEARCH key", "X-GM-RAW"),
            ("SCRAM-SHA-256", "SASL mechanism", "SCRAM-SHA-256"),
        ] {
            assert_eq!(found(term), [(kind, written)], "{term}");
        }
    }

    #[test]
    fn a_term_of_several_meanings_has_them_all() {
        let kinds = |term| found(term).into_iter().map(|(kind, _)| kind).collect();
        let search: Vec<&str> = kinds("search");
        assert_eq!(search, ["command", "response"]);
        let flags: Vec<&str> = kinds("FLAGS");
        assert_eq!(flags, ["response", "FETCH item", "option"]);
        let uid: Vec<&str> = kinds("UID");
        assert_eq!(uid, ["FETCH item", "SEARCH key", "syntax"]);
        let seen: Vec<&str> = kinds("Seen");
        assert_eq!(seen, ["flag", "SEARCH key"]);
        let plain: Vec<&str> = kinds("AUTH=PLAIN");
        assert_eq!(plain, ["capability", "SASL mechanism"]);
        let storage: Vec<&str> = kinds("QUOTA=RES-STORAGE");
        assert_eq!(storage, ["capability", "quota resource"]);
    }

    #[test]
    fn what_a_term_says_as_it_is_written() {
        let here = |term| here(term).as_ref().map(text);
        let part = here("BODY[1.2]<0.100>");
        assert_eq!(part.as_deref(), Some("the first 100 octets of part 1.2"));
        let set = here("5:*");
        assert_eq!(set.as_deref(), Some("message 5 and all behind it"));
        assert_eq!(here("[UIDVALIDITY 7]"), None);
        assert_eq!(here("BODY"), None);
        assert_eq!(here("{310}"), None);
    }

    #[test]
    fn an_unknown_term_has_near_ones() {
        assert!(find("FECTH").is_empty());
        assert_eq!(near("FECTH").first(), Some(&"FETCH"));
        assert_eq!(near("\\Sean").first(), Some(&"\\Seen"));
        assert_eq!(near("UIDVALIDTY").first(), Some(&"UIDVALIDITY"));
        assert!(near("starttls-inj").contains(&"starttls-injection"));
        for unlike in ["qqqqqqqq", "", "%%", "a1"] {
            assert!(near(unlike).is_empty(), "{unlike}");
        }
        for odd in [
            "", " ", "[", "]", "{", "=", "\\", "{}", "~{", "é=é", "QUOTA=é",
        ] {
            let _ = (find(odd), near(odd));
        }
        assert!(find("").is_empty() && find("[").is_empty());
        let terms = |text: &str| {
            find(text)
                .iter()
                .map(|found| found.term)
                .collect::<Vec<_>>()
        };
        assert_eq!(terms("+lrs"), ["l", "r", "s"]);
        assert_eq!(terms("/private/vendor/x/y"), ["/private/vendor/"]);
        for unknown in ["lrr", "lr9", "srl", "/private/x"] {
            assert!(find(unknown).is_empty(), "{unknown}");
        }
    }
}
