//! Which recorded exchanges were used, by all live connections together, and which one a live command
//! is answered with.

mod growing;

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::matcher::{Difference, difference};
use super::report::{Mismatch, NeverAsked, Report};
use super::script::{Exchange, Script};
use super::whereabouts::Place;
use crate::event::{Label, Piece, Reading, Said, Secret, Value};
use crate::limits;

/// How commands are matched: `--match`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// The next recorded command, or none.
    Strict,
    /// The first one that fits in the session's state.
    #[default]
    State,
}

/// What a command is answered that nothing fits: `--on-miss`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnMiss {
    /// BYE, and the end of the connection.
    Fail,
    /// BAD.
    #[default]
    Bad,
}

/// Where an exchange is: session, exchange.
pub type Index = (usize, usize);

/// A script in use.
pub struct Usage {
    script: Script,
    matching: Matching,
    inner: Mutex<Inner>,
}

struct Inner {
    used: Vec<Vec<bool>>,
    /// Sessions that a live connection began with.
    begun: Vec<bool>,
    /// Sessions whose live connection is over.
    over: Vec<bool>,
    matched: u64,
    /// Commands that the real server answered, if there is one.
    recorded: Option<u64>,
    mismatches: Vec<Mismatch>,
}

/// How far one live connection has followed a recorded one.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    /// The session.
    pub session: usize,
    /// Its next exchange.
    pub next: usize,
}

impl Usage {
    /// Nothing was used yet.
    pub fn new(script: Script, matching: Matching) -> Self {
        let sessions = &script.sessions;
        let inner = Inner {
            used: sessions
                .iter()
                .map(|s| vec![false; s.exchanges.len()])
                .collect(),
            begun: vec![false; sessions.len()],
            // What was added to others has no live connection of its own.
            over: sessions.iter().map(|s| s.is_addition).collect(),
            matched: 0,
            recorded: None,
            mismatches: Vec::new(),
        };
        Self {
            script,
            matching,
            inner: Mutex::new(inner),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The script.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// A live connection begins: the first session that none has begun with, or the first of all.
    /// What was added to others does not begin one.
    pub fn begin(&self) -> Cursor {
        let mut inner = self.inner();
        let is_addition = |session: usize| self.script.sessions[session].is_addition;
        let mut sessions = (0..inner.begun.len()).filter(|session| !is_addition(*session));
        let first = sessions.clone().next().unwrap_or_default();
        let session = sessions
            .find(|session| !inner.begun[*session])
            .unwrap_or(first);
        inner.begun[session] = true;
        Cursor { session, next: 0 }
    }

    /// The exchange that answers this command, which is used from now on; else how the nearest one
    /// differs, which the report has then. A NOOP or LOGOUT more than were recorded is no mismatch.
    pub fn take(
        &self,
        conn: u64,
        cursor: &mut Cursor,
        live: &Said,
        place: &Place,
    ) -> Result<Index, Option<Box<Mismatch>>> {
        let mut inner = self.inner();
        match self.find(&inner, *cursor, live, place) {
            Some((session, exchange)) => {
                inner.matched += 1;
                inner.used[session][exchange] = true;
                *cursor = Cursor {
                    session,
                    next: exchange + 1,
                };
                Ok((session, exchange))
            }
            None if self.matching == Matching::State && is_ending_or_idle(live) => Err(None),
            None => {
                let mismatch = self.mismatch(&inner, conn, *cursor, live, place);
                if inner.mismatches.len() < limits::MISMATCHES {
                    inner.mismatches.push(mismatch.clone());
                }
                Err(Some(Box::new(mismatch)))
            }
        }
    }

    /// The unused exchange in which this command's literal was refused, which is used from now on.
    pub fn take_refusal(&self, cursor: &mut Cursor, live: &Said, place: &Place) -> Option<Index> {
        let mut inner = self.inner();
        let found = self.find(&inner, *cursor, live, place)?;
        let is_refusal = matches!(
            self.exchange(found).command.reading,
            Reading::Command { refused: true, .. }
        );
        if !is_refusal || inner.used[found.0][found.1] {
            return None;
        }
        inner.matched += 1;
        inner.used[found.0][found.1] = true;
        *cursor = Cursor {
            session: found.0,
            next: found.1 + 1,
        };
        Some(found)
    }

    fn find(&self, inner: &Inner, cursor: Cursor, live: &Said, place: &Place) -> Option<Index> {
        let fits = |(session, exchange): &Index| {
            let recorded = self.exchange((*session, *exchange));
            recorded.fits(place) && difference(&recorded.command, live).is_none()
        };
        let is_unused = |(session, exchange): &Index| !inner.used[*session][*exchange];
        if self.matching == Matching::Strict {
            let next = (cursor.session, cursor.next);
            let is_there = next.1 < self.script.sessions[next.0].exchanges.len();
            return Some(next).filter(|next| is_there && fits(next));
        }
        let unused = self.in_order(cursor).filter(is_unused).find(fits);
        unused.or_else(|| {
            let again = |index: &Index| self.exchange(*index).changes_nothing() && fits(index);
            self.in_order(cursor).find(again)
        })
    }

    /// All exchanges: those to come in the session that is being followed, those before, the others.
    fn in_order(&self, cursor: Cursor) -> impl Iterator<Item = Index> + '_ {
        let sessions = &self.script.sessions;
        let own = sessions[cursor.session].exchanges.len();
        let following = (cursor.next..own).chain(0..cursor.next.min(own));
        let following = following.map(move |exchange| (cursor.session, exchange));
        let others = (0..sessions.len()).filter(move |session| *session != cursor.session);
        following.chain(others.flat_map(move |session| {
            (0..sessions[session].exchanges.len()).map(move |exchange| (session, exchange))
        }))
    }

    /// An exchange.
    pub fn exchange(&self, (session, exchange): Index) -> &Exchange {
        &self.script.sessions[session].exchanges[exchange]
    }

    fn mismatch(
        &self,
        inner: &Inner,
        conn: u64,
        cursor: Cursor,
        live: &Said,
        place: &Place,
    ) -> Mismatch {
        let candidates = match self.matching {
            Matching::Strict => {
                let next = (cursor.session, cursor.next);
                let exchanges = self.script.sessions[next.0].exchanges.len();
                (next.1 < exchanges).then_some(next).into_iter().collect()
            }
            Matching::State => self.in_order(cursor).collect::<Vec<_>>(),
        };
        let nearest = candidates
            .into_iter()
            .filter_map(|index| {
                let recorded = self.exchange(index);
                let difference = difference(&recorded.command, live);
                let difference = difference.unwrap_or_else(|| elsewhere(&recorded.place, place));
                let rank = (
                    difference.argument == "command",
                    !recorded.fits(place),
                    inner.used[index.0][index.1],
                );
                (!rank.0 || self.matching == Matching::Strict).then_some((rank, index, difference))
            })
            .min_by_key(|(rank, ..)| *rank);
        let (nearest, difference) = match nearest {
            Some((_, index, difference)) => (Some(self.exchange(index).n), Some(difference)),
            None => (None, None),
        };
        let part = |part: fn(&Difference) -> &String| difference.as_ref().map(part).cloned();
        Mismatch {
            conn,
            command: told(live),
            nearest,
            argument: part(|difference| &difference.argument),
            recorded: part(|difference| &difference.recorded),
            live: part(|difference| &difference.live),
            why: None,
        }
    }

    /// A command was answered by the player itself: a recorded one with this name, in this session or
    /// another, is used.
    pub fn answered(&self, cursor: Cursor, name: &str) {
        let mut inner = self.inner();
        inner.matched += 1;
        let unused = self
            .in_order(cursor)
            .find(|index| !inner.used[index.0][index.1] && self.exchange(*index).name() == name);
        if let Some((session, exchange)) = unused {
            inner.used[session][exchange] = true;
        }
    }

    /// The live connection that began with this session is over.
    pub fn end(&self, session: usize) {
        self.inner().over[session] = true;
    }

    /// Whether every recorded session has been served: its live connection is over, or all of it was
    /// used.
    pub fn is_served(&self) -> bool {
        let inner = self.inner();
        let is_used = |session: usize| inner.used[session].iter().all(|used| *used);
        (0..inner.over.len()).all(|session| inner.over[session] || is_used(session))
    }

    /// What came of it so far.
    pub fn report(&self) -> Report {
        let inner = self.inner();
        let sessions = self.script.sessions.iter().zip(&inner.used);
        let never_asked = sessions.flat_map(|(session, used)| {
            let exchanges = session.exchanges.iter().zip(used);
            exchanges
                .filter(|(_, used)| !**used)
                .map(|(exchange, _)| NeverAsked {
                    n: exchange.n,
                    command: told(&exchange.command),
                })
        });
        Report {
            matched: inner.matched,
            recorded: inner.recorded,
            mismatches: inner.mismatches.clone(),
            never_asked: never_asked.collect(),
        }
    }
}

impl Exchange {
    /// Whether a command may be answered with it at this place.
    fn fits(&self, place: &Place) -> bool {
        let is_about_a_mailbox = matches!(
            self.name(),
            "CHECK"
                | "CLOSE"
                | "COPY"
                | "EXPUNGE"
                | "FETCH"
                | "IDLE"
                | "MOVE"
                | "SEARCH"
                | "SORT"
                | "STORE"
                | "THREAD"
                | "UID COPY"
                | "UID EXPUNGE"
                | "UID FETCH"
                | "UID MOVE"
                | "UID SEARCH"
                | "UID SORT"
                | "UID STORE"
                | "UID THREAD"
                | "UNSELECT"
        );
        self.place.is_authenticated == place.is_authenticated
            && (!is_about_a_mailbox || self.place.mailbox == place.mailbox)
    }

    /// Whether it may be used again: nothing is different behind it.
    fn changes_nothing(&self) -> bool {
        let is_peek = |said: &Said| {
            let text = String::from_utf8_lossy(said.wire.bytes()).to_ascii_uppercase();
            !text.contains("BODY[") && !text.contains("RFC822.TEXT") && !text.contains("BINARY[")
        };
        match self.name() {
            "CAPABILITY" | "CHECK" | "ENABLE" | "EXAMINE" | "GETACL" | "GETMETADATA"
            | "GETQUOTA" | "GETQUOTAROOT" | "ID" | "IDLE" | "LIST" | "LOGIN" | "AUTHENTICATE"
            | "LOGOUT" | "LSUB" | "MYRIGHTS" | "NAMESPACE" | "NOOP" | "SEARCH" | "SELECT"
            | "SORT" | "STARTTLS" | "STATUS" | "THREAD" | "UID SEARCH" | "UID SORT"
            | "UID THREAD" | "UNSELECT" | "COMPRESS" => true,
            "FETCH" | "UID FETCH" => is_peek(&self.command),
            _ => false,
        }
    }
}

fn is_ending_or_idle(live: &Said) -> bool {
    matches!(&live.reading, Reading::Command { name: Some(name), .. }
        if matches!(&**name, "NOOP" | "LOGOUT"))
}

/// The same command, recorded elsewhere.
fn elsewhere(recorded: &Place, live: &Place) -> Difference {
    let shown = |place: &Place| match (&place.mailbox, place.is_authenticated) {
        (Some(mailbox), _) => String::from_utf8_lossy(mailbox).into_owned(),
        (None, true) => "no mailbox selected".to_owned(),
        (None, false) => "not logged in".to_owned(),
    };
    Difference {
        argument: "selected mailbox".into(),
        recorded: shown(recorded),
        live: shown(live),
    }
}

/// `LOGIN alice <secret:password>`, `AUTHENTICATE PLAIN <secret:sasl>`; none for other commands.
fn login(said: &Said) -> Option<String> {
    let Reading::Command {
        name: Some(name), ..
    } = &said.reading
    else {
        return None;
    };
    let secret = match &**name {
        "LOGIN" => Secret::Password,
        "AUTHENTICATE" => Secret::Sasl,
        _ => return None,
    };
    let arguments = said.arguments();
    let first = arguments.first().and_then(Value::bytes).unwrap_or_default();
    let mut text = format!("{name} {}", String::from_utf8_lossy(first));
    if arguments.len() > 1 {
        text.push_str(&format!(" <secret:{}>", secret.name()));
    }
    Some(text)
}

/// A command without its tag and line end, for people; masks are `<secret:password>`. What logs in is
/// masked even where the recording is not: reports are passed around.
fn told(said: &Said) -> String {
    const LONGEST: usize = 200;
    if let Some(login) = login(said) {
        return login;
    }
    let tag = said.spans.first().filter(|span| span.label == Label::Tag);
    let start = tag.map_or(0, |tag| tag.range.end);
    let mut text = String::new();
    for piece in said.wire.pieces() {
        let range = piece.range();
        match piece {
            Piece::Secret(secret, _) => text.push_str(&format!("<secret:{}>", secret.name())),
            _ => {
                let octets = &said.wire.bytes()[range.start.max(start).min(range.end)..range.end];
                text.push_str(&String::from_utf8_lossy(octets));
            }
        }
    }
    let text = text.trim();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
