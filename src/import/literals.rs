//! The literals of a log: which of its lines are theirs, and what is wrong with their counts.
//!
//! ```text
//! S: * 1 FETCH (BODY[TEXT] {7}     7 octets, then `)` goes on with the message: all is well
//! S: hello
//! S: )
//!
//! < * 1 FETCH (BODY[TEXT] {7}      nothing of it is kept, and `)` goes on: 7 octets are missing
//! < )
//!
//! < * 1 FETCH (BODY[TEXT] {7}      it stands there without a mark
//! hello
//! < )
//!
//! S: * 1 FETCH (BODY[TEXT] {9}     the first line that goes on with the message, and ends it, shows
//! S: hello                         where the literal ends: {7}, with a note
//! S: )
//! S: a1 OK
//! ```
//!
//! A count that fits nowhere, and of which nothing tells what it should be, is damage: from there on,
//! nobody knows what is text and what is a literal. A log that ends within a literal was cut off.

use std::borrow::Cow;
use std::collections::HashMap;

use super::entry::{Entry, Heard, LINE_END};
use super::speech::{Header, answers, client_says, depth, header, is_text, server_says};
use crate::event::Peer;
use crate::limits;

/// Whether counts may be doubted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// They are what the peers sent.
    Trusted,
    /// Somebody may have cut or reflowed what they count. Literals have the marks of those who say them.
    Marked,
    /// The same of a log that leaves literals out, or has them without a mark.
    Unmarked,
}

/// Where the lines cannot be understood any further: an entry, its line, and why.
pub type Misfit = (usize, u64, String);

/// Puts the literals in order.
pub fn settle(entries: &mut Vec<Entry<'_>>, counts: Counts) -> Result<(), Misfit> {
    let mut settling = Settling {
        left: left(entries),
        counts,
        entries,
        open: HashMap::new(),
        insertions: Vec::new(),
        mended: 0,
    };
    let result = settling.all();
    let insertions = settling.insertions;
    // From the end, so that the places before stay what they are.
    let kept = match &result {
        Ok(()) => usize::MAX,
        Err((place, ..)) => *place,
    };
    insert(
        entries,
        insertions
            .into_iter()
            .filter(|(place, _)| *place <= kept)
            .collect(),
    );
    result.map_err(|(place, line, why)| {
        let place = entries
            .iter()
            .position(|entry| entry.line == line)
            .unwrap_or(place);
        (place, line, why)
    })
}

/// The octets of the lines from each on.
fn left(entries: &[Entry<'_>]) -> Vec<u64> {
    let length = |entry: &Entry<'_>| match &entry.what {
        Heard::Said(_, text, end) => text.len() + end.len(),
        Heard::Aside(text) => text.len() + LINE_END.len(),
        _ => 0,
    };
    let mut left = vec![0; entries.len() + 1];
    for (place, entry) in entries.iter().enumerate().rev() {
        left[place] = left[place + 1] + length(entry) as u64;
    }
    left
}

/// Puts entries before those at these places.
fn insert<'a>(entries: &mut Vec<Entry<'a>>, mut insertions: Vec<(usize, Entry<'a>)>) {
    if insertions.is_empty() {
        return;
    }
    insertions.sort_by_key(|(place, _)| *place);
    let mut insertions = insertions.into_iter().peekable();
    let old = std::mem::take(entries);
    for (place, entry) in old.into_iter().enumerate() {
        while let Some((_, new)) = insertions.next_if(|(at, _)| *at <= place) {
            entries.push(new);
        }
        entries.push(entry);
    }
    entries.extend(insertions.map(|(_, new)| new));
}

struct Settling<'e, 'a> {
    entries: &'e mut Vec<Entry<'a>>,
    /// What each peer is in, by connection.
    open: HashMap<(u64, Peer), Open>,
    /// What is to stand before the entry with this number.
    insertions: Vec<(usize, Entry<'a>)>,
    /// Octets of the lines from each on.
    left: Vec<u64>,
    mended: usize,
    counts: Counts,
}

/// A message that goes on.
#[derive(Clone, Copy, Default)]
struct Open {
    /// The entry with the next text, and where that begins in it; those before it are a literal.
    text: (usize, usize),
    /// The lists that are open.
    depth: i64,
    /// The entry in which the message begins.
    begins: usize,
}

/// Where a literal's lines end.
struct Extent {
    /// The entry in which the message goes on, and where.
    text: (usize, usize),
    /// Lines without a mark that are the literal's.
    asides: Vec<usize>,
    /// The literal does not end with the last of them, but before its line end.
    is_open: bool,
}

/// Which lines are looked at.
#[derive(Clone, Copy, PartialEq)]
enum Lines {
    Marked,
    Unmarked,
    Both,
}

impl<'a> Settling<'_, 'a> {
    fn all(&mut self) -> Result<(), Misfit> {
        let mut place = 0;
        while place < self.entries.len() {
            self.line(place)?;
            place += 1;
        }
        Ok(())
    }

    /// Settles the literals that begin in this line.
    fn line(&mut self, place: usize) -> Result<(), Misfit> {
        let entry = &self.entries[place];
        let Some((from, said)) = entry.said() else {
            return Ok(());
        };
        let key = (entry.conn, from);
        let open = match self.open.remove(&key) {
            Some(open) if place < open.text.0 => {
                self.open.insert(key, open); // in the literal
                return Ok(());
            }
            Some(open) => open,
            None if from == Peer::Server && is_text(said) => return Ok(()),
            None => Open {
                text: (place, 0),
                depth: 0,
                begins: place,
            },
        };
        let text = &said[open.text.1.min(said.len())..];
        let Some(found) = header(text) else {
            return Ok(());
        };
        let depth = open.depth + depth(&text[..found.start]);
        if let Some(next) = self.literal(place, key, found, Open { depth, ..open })? {
            self.open.insert(key, next);
        }
        Ok(())
    }

    /// Settles one; what the message goes on with, if it does.
    fn literal(
        &mut self,
        place: usize,
        (conn, from): (u64, Peer),
        found: Header,
        open: Open,
    ) -> Result<Option<Open>, Misfit> {
        let next = |text| Some(Open { text, ..open });
        let mut begins = place + 1;
        if from == Peer::Client {
            let Some(goes_on) = self.go_ahead(place, conn, &open) else {
                return Ok(None); // refused
            };
            begins = goes_on;
            let is_told = self.entries[begins - 1]
                .said_by(Peer::Server)
                .is_some_and(|said| said.starts_with(b"+"));
            let goes_on = self
                .entries
                .get(begins)
                .and_then(|entry| entry.said_by(from));
            if found.waits && !is_told && goes_on.is_some() {
                self.put(begins, conn, Heard::GoesOn);
            }
        }
        if self.counts == Counts::Trusted {
            let extent = self.extent(begins, (conn, from), found.octets, Lines::Marked);
            return Ok(next(extent.map_or((usize::MAX, 0), |extent| extent.text)));
        }
        // What fits in a log that leaves literals out may fit by chance.
        let is_left_out = self.is_left_out(begins, (conn, from), open.depth);
        let mut is_cut_off = false;
        for lines in [Lines::Unmarked, Lines::Marked, Lines::Both] {
            if lines == Lines::Marked && is_left_out && self.counts == Counts::Unmarked {
                break;
            }
            match self.extent(begins, (conn, from), found.octets, lines) {
                Some(extent) if self.goes_on(extent.text, (conn, from), open.depth) => {
                    self.adopt(&extent, from);
                    return Ok(next(extent.text));
                }
                Some(_) => {}
                None => is_cut_off |= lines == Lines::Marked,
            }
        }
        if is_left_out {
            self.leave_out(begins, (conn, from), found.octets);
            let own = self.own(begins, (conn, from)).next();
            return Ok(own
                .filter(|_| from == Peer::Server)
                .and_then(|own| next((own, 0))));
        }
        if self.mended < limits::MENDED
            && let Some((text, octets)) = self.evident(begins, (conn, from), &open)
        {
            self.mended += 1;
            self.mend(place, found, octets);
            return Ok(next(text));
        }
        if is_cut_off {
            return Ok(next((usize::MAX, 0)));
        }
        let why = format!(
            "a literal of {} octets is announced, and what follows does not fit it: behind so many octets (a line \
             end is two) the message does not go on",
            found.octets
        );
        Err((place, self.entries[place].line, why))
    }

    /// The entries from this one on that are this peer's.
    fn own(&self, begins: usize, (conn, from): (u64, Peer)) -> impl Iterator<Item = usize> {
        let entries = self.entries.get(begins..).unwrap_or_default();
        entries
            .iter()
            .enumerate()
            .filter(move |(_, entry)| entry.conn == conn && entry.said_by(from).is_some())
            .map(move |(place, _)| begins + place)
    }

    /// Where a client goes on behind its literal's header; `None` if it was refused.
    fn go_ahead(&self, place: usize, conn: u64, open: &Open) -> Option<usize> {
        let tag = self.tag(open);
        let behind = self.entries.iter().enumerate().skip(place + 1);
        for (place, entry) in behind.filter(|(_, entry)| entry.conn == conn) {
            if entry.what == Heard::Refused {
                return None;
            }
            match entry.said() {
                Some((Peer::Server, said)) if said.starts_with(b"+") => return Some(place + 1),
                Some((Peer::Server, said)) if answers(said, tag) => return None,
                Some((Peer::Client, _)) => return Some(place),
                _ => {}
            }
        }
        Some(place + 1)
    }

    fn tag(&self, open: &Open) -> &[u8] {
        let said = self.entries[open.begins]
            .said()
            .unwrap_or((Peer::Client, &[]))
            .1;
        said.split(|octet| *octet == b' ')
            .next()
            .unwrap_or_default()
    }

    /// The lines that hold so many octets; `None` if there are not as many.
    fn extent(
        &self,
        begins: usize,
        (conn, from): (u64, Peer),
        octets: u64,
        lines: Lines,
    ) -> Option<Extent> {
        if self.left.get(begins).is_none_or(|left| *left < octets) {
            return None;
        }
        let mut left = usize::try_from(octets).ok()?;
        let mut asides = Vec::new();
        let behind = self.entries.iter().enumerate().skip(begins);
        for (place, entry) in behind.filter(|(_, entry)| entry.conn == conn) {
            let (text, end) = match &entry.what {
                Heard::Said(peer, text, end) if *peer == from => {
                    if left == 0 || lines == Lines::Unmarked {
                        // An unmarked literal that ends without a line end.
                        return (left == 0).then_some(Extent {
                            text: (place, 0),
                            asides,
                            is_open: false,
                        });
                    }
                    (text, end.len())
                }
                Heard::Said(Peer::Server, text, _)
                    if lines != Lines::Unmarked || !text.starts_with(b"+") =>
                {
                    // A client says its literal before it is answered.
                    let is_answer = !text.starts_with(b"+");
                    if is_answer && left == 0 {
                        return Some(Extent {
                            text: (usize::MAX, 0),
                            asides,
                            is_open: false,
                        });
                    }
                    continue;
                }
                Heard::Aside(text) if lines != Lines::Marked && left > 0 => {
                    asides.push(place);
                    (text, LINE_END.len())
                }
                _ => continue,
            };
            if left < text.len() + end {
                let is_aside = matches!(entry.what, Heard::Aside(_));
                if is_aside && left == text.len() {
                    let own = self.own(place + 1, (conn, from)).next();
                    let text = (own.unwrap_or(usize::MAX), 0);
                    return Some(Extent {
                        text,
                        asides,
                        is_open: true,
                    });
                }
                return (!is_aside).then_some(Extent {
                    text: (place, left),
                    asides,
                    is_open: false,
                });
            }
            left -= text.len() + end;
        }
        (left == 0).then_some(Extent {
            text: (usize::MAX, 0),
            asides,
            is_open: false,
        })
    }

    /// Whether the message can go on there, and ends with the line or has another literal.
    fn goes_on(&self, (place, at): (usize, usize), key: (u64, Peer), open: i64) -> bool {
        let Some((_, said)) = self.entries.get(place).and_then(Entry::said) else {
            return true; // nothing follows
        };
        let Some(text) = said.get(at..) else {
            return false; // within a line end
        };
        let has_more = header(text).is_some();
        match (key.1, text) {
            (Peer::Client, []) => true,
            (Peer::Client, [b' ' | b')', ..]) => has_more || self.is_said(place, key),
            (Peer::Server, [b' ' | b')', ..]) => has_more || open + depth(text) == 0,
            (Peer::Server, []) => open == 0,
            _ => false,
        }
    }

    /// Whether a client's command ends with this line: it is answered, or says another one.
    fn is_said(&self, place: usize, key: (u64, Peer)) -> bool {
        let next = self.own(place + 1, key).next();
        let until = next.unwrap_or(self.entries.len());
        let mut between = self.entries[place + 1..until].iter();
        next.is_none_or(|next| client_says(self.text(next).0))
            || between.any(|entry| entry.conn == key.0 && entry.said_by(Peer::Server).is_some())
    }

    /// Makes what stands without a mark the peer's.
    fn adopt(&mut self, extent: &Extent, from: Peer) {
        for (number, place) in extent.asides.iter().enumerate() {
            let is_last = number + 1 == extent.asides.len();
            let end = if is_last && extent.is_open {
                &[]
            } else {
                LINE_END
            };
            if let Heard::Aside(text) = &mut self.entries[*place].what {
                let text = std::mem::take(text);
                self.entries[*place].what = Heard::Said(from, text, end);
            }
        }
    }

    /// Whether nothing of the literal is there: the message goes on at once.
    fn is_left_out(&self, begins: usize, key: (u64, Peer), depth: i64) -> bool {
        let own = self.own(begins, key).next();
        let said = own.and_then(|own| self.entries[own].said());
        match (key.1, said) {
            (Peer::Server, Some((_, said))) => {
                matches!(said, [b' ' | b')', ..]) && self.goes_on((own.unwrap_or(0), 0), key, depth)
            }
            (Peer::Server, None) => false,
            // It was answered, and says another command or nothing.
            (Peer::Client, said) => {
                let is_command = said.is_none_or(|(_, said)| client_says(said));
                let until = own.unwrap_or(self.entries.len());
                let between = self.entries.get(begins..until).unwrap_or_default();
                let is_answered = between
                    .iter()
                    .any(|entry| entry.said_by(Peer::Server).is_some());
                is_command && is_answered
            }
        }
    }

    fn leave_out(&mut self, begins: usize, (conn, from): (u64, Peer), octets: u64) {
        self.put(begins, conn, Heard::Missed(from, octets));
        if from == Peer::Client {
            let end = Heard::Said(from, Cow::Borrowed(b""), LINE_END); // its command ends
            self.put(begins, conn, end);
        }
    }

    /// Puts something before the entry with this number.
    fn put(&mut self, place: usize, conn: u64, what: Heard<'a>) {
        let Entry { line, at, .. } = self.entries[place - 1];
        let entry = Entry {
            line,
            at,
            conn,
            what,
        };
        self.insertions.push((place, entry));
    }

    /// Where the literal ends evidently, and how many octets it has.
    fn evident(
        &self,
        begins: usize,
        key: (u64, Peer),
        open: &Open,
    ) -> Option<((usize, usize), u64)> {
        match key.1 {
            Peer::Server => self.evident_response(begins, key, open),
            Peer::Client => self.evident_command(begins, key, open),
        }
    }

    /// A line's text, and its octets with the line end.
    fn text(&self, place: usize) -> (&[u8], u64) {
        let text = self.entries[place].said().map_or(&[][..], |(_, said)| said);
        (text, (text.len() + LINE_END.len()) as u64)
    }

    /// A command's last literal ends where the server answers, or the client says another command.
    fn evident_command(
        &self,
        begins: usize,
        key: (u64, Peer),
        open: &Open,
    ) -> Option<((usize, usize), u64)> {
        let tag = self.tag(open);
        let is_answer = |entry: &Entry<'_>| {
            let said = entry.said_by(Peer::Server).filter(|_| entry.conn == key.0);
            said.is_some_and(|said| answers(said, tag))
        };
        let behind = self.entries.get(begins..)?;
        let until = begins
            + behind
                .iter()
                .take(limits::MENDED_LINES)
                .position(is_answer)?;
        let is_own = |place: &usize| *place < until && !client_says(self.text(*place).0);
        let own: Vec<usize> = self.own(begins, key).take_while(is_own).collect();
        let (last, before) = own.split_last()?;
        let length = |places: &[usize]| places.iter().map(|place| self.text(*place).1).sum();
        Some(match self.text(*last).0 {
            [] if !before.is_empty() => ((*last, 0), length(before)),
            text => ((*last, text.len()), length(before) + text.len() as u64),
        })
    }

    /// A response's literal ends before the first line that goes on with the message, ends it, and has a
    /// response behind it.
    fn evident_response(
        &self,
        begins: usize,
        key: (u64, Peer),
        open: &Open,
    ) -> Option<((usize, usize), u64)> {
        let mut own = self.own(begins, key).take(limits::MENDED_LINES).peekable();
        let mut before = 0;
        while let Some(place) = own.next() {
            let (text, length) = self.text(place);
            let begins_another = |next: &usize| server_says(self.text(*next).0);
            let is_last = own.peek().is_none_or(begins_another);
            let ends =
                matches!(text, [b' ' | b')', ..]) && self.goes_on((place, 0), key, open.depth);
            if before > 0 && ends && (is_last || header(text).is_some()) {
                return Some(((place, 0), before));
            }
            let lists = usize::try_from(open.depth).unwrap_or(0);
            let closed = text
                .iter()
                .rev()
                .take_while(|octet| **octet == b')')
                .count();
            if lists > 0 && closed >= lists && is_last {
                let end = text.len() - lists;
                return Some(((place, end), before + end as u64));
            }
            if server_says(text) && !text.starts_with(b"+") {
                return None; // its answer, with the message still open
            }
            before += length;
        }
        None
    }

    /// Puts the count right.
    fn mend(&mut self, place: usize, found: Header, octets: u64) {
        let entry = &mut self.entries[place];
        let new = Entry {
            what: Heard::Mended(found.octets),
            ..*entry
        };
        if let Heard::Said(_, text, _) = &mut entry.what {
            let start = text
                .iter()
                .rposition(|octet| *octet == b'{')
                .unwrap_or(found.start);
            let plus = if found.waits { "" } else { "+" };
            let count = format!("{{{octets}{plus}}}");
            *text = Cow::Owned([&text[..start], count.as_bytes()].concat());
        }
        self.insertions.push((place, new));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines in `C: `, `S: ` or no mark, settled: the same with `?n` for what is missing.
    fn settled(lines: &str) -> Result<Vec<String>, String> {
        let entry = |(line, text): (u64, &'static str)| {
            let what = match text.split_at_checked(3) {
                Some(("C: ", text)) => Heard::Said(Peer::Client, text.as_bytes().into(), LINE_END),
                Some(("S: ", text)) => Heard::Said(Peer::Server, text.as_bytes().into(), LINE_END),
                _ => Heard::Aside(text.as_bytes().into()),
            };
            Entry {
                line,
                at: 0,
                conn: 1,
                what,
            }
        };
        let lines: &'static str = lines.to_owned().leak();
        let mut entries: Vec<Entry<'_>> = (1..).zip(lines.lines()).map(entry).collect();
        settle(&mut entries, Counts::Marked).map_err(|(_, line, _)| format!("line {line}"))?;
        let shown = |entry: &Entry<'_>| match &entry.what {
            Heard::Said(from, text, end) => {
                let letter = if *from == Peer::Client { 'C' } else { 'S' };
                let end = if end.is_empty() { "_" } else { "" };
                format!("{letter} {}{end}", String::from_utf8_lossy(text))
            }
            Heard::Missed(_, octets) => format!("?{octets}"),
            Heard::Mended(octets) => format!("!{octets}"),
            Heard::Aside(text) => String::from_utf8_lossy(text).into_owned(),
            Heard::GoesOn => "go on".into(),
            Heard::Refused => "refused".into(),
            Heard::Opaque(..) => "opaque".into(),
            Heard::Connected(_) => "connected".into(),
        };
        Ok(entries.iter().map(shown).collect())
    }

    fn is(lines: &str, expected: &[&str]) {
        assert_eq!(settled(lines).unwrap(), expected, "{lines}");
    }

    #[test]
    fn counts_that_fit_are_left_alone() {
        for lines in [
            "S: * 1 FETCH (A {7}\nS: hello\nS: )\nS: a OK",
            "S: * 1 FETCH (A {3}\nS: abc B {2}\nS: de)\nS: a OK",
            "S: * 1 FETCH (A {3}\nS: abc)\nC: b NOOP",
            "C: a APPEND x {7}\nS: + go\nC: hello\nC: \nS: a OK",
            "C: a LOGIN {5+}\nC: alice {3+}\nC: abc\nS: a OK",
            "C: a APPEND x {7}\nS: a NO\nC: b NOOP",
            "S: * OK see {9}\nS: + go {3}\nS: a NO {9}",
            "S: * 1 FETCH (A {700}\nS: cut off here",
            "C: a APPEND x {700}\nS: + go\nC: cut off here",
        ] {
            let marked: Vec<String> = lines
                .lines()
                .map(|line| line.replacen(": ", " ", 1))
                .collect();
            assert_eq!(settled(lines).unwrap(), marked, "{lines}");
        }
    }

    #[test]
    fn what_stands_without_a_mark_is_the_literals() {
        is(
            "S: * 1 FETCH (A {7}\nhello\nS: )\nS: a OK",
            &["S * 1 FETCH (A {7}", "S hello", "S )", "S a OK"],
        );
        is(
            "S: * 1 FETCH (A {5}\nhello\nS: )\nS: a OK",
            &["S * 1 FETCH (A {5}", "S hello_", "S )", "S a OK"],
        );
        // What else stands there is not.
        is(
            "S: * 1 FETCH (A {5}\nreading mail\nS: )",
            &["S * 1 FETCH (A {5}", "?5", "reading mail", "S )"],
        );
    }

    #[test]
    fn what_is_left_out_is_missing() {
        is(
            "S: * 1 FETCH (A {70}\nS: )\nS: a OK",
            &["S * 1 FETCH (A {70}", "?70", "S )", "S a OK"],
        );
        is(
            "S: * 1 FETCH (A {70}\nS:  B {80}\nS: )",
            &["S * 1 FETCH (A {70}", "?70", "S  B {80}", "?80", "S )"],
        );
        is(
            "C: a APPEND x {70}\nS: + go\nS: a OK",
            &["C a APPEND x {70}", "S + go", "?70", "C ", "S a OK"],
        );
    }

    /// `)` and 39 octets of what follows it are 42, and ` INTERNALDATE` might go on with the message.
    #[test]
    fn what_stands_without_a_mark_is_preferred_to_what_fits_by_chance() {
        let lines = "S: * 1 FETCH (A {9}\nhello, \nS: )\nS: * 2 F (A {1})\nS: a OK";
        let all = settled(lines).unwrap();
        assert_eq!(all[1], "S hello, ", "{all:?}");
    }

    #[test]
    fn counts_that_do_not_fit_are_put_right_where_that_is_evident() {
        is(
            "S: * 1 FETCH (A {70}\nS: hello\nS: )\nS: a OK",
            &["!70", "S * 1 FETCH (A {7}", "S hello", "S )", "S a OK"],
        );
        is(
            "S: * 1 FETCH (A {3}\nS: hello)\nS: a OK",
            &["!3", "S * 1 FETCH (A {5}", "S hello)", "S a OK"],
        );
        is(
            "C: a APPEND x {3+}\nC: hello\nC: \nS: a OK",
            &["!3", "C a APPEND x {7+}", "C hello", "C ", "S a OK"],
        );
        is(
            "C: a APPEND x {3}\nC: abc\nS: a NO",
            &["C a APPEND x {3}", "go on", "C abc", "S a NO"],
        );
        assert_eq!(
            settled("S: * 1 FETCH (A {3}\nS: hello\nS: a OK").unwrap_err(),
            "line 1"
        );
    }
}
