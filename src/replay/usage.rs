//! Which recorded exchanges were used, by all live connections together, and which one a live command
//! is answered with.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::login::{another_user, is_another_way};
use super::report::{Mismatch, NeverAsked, Report};
use super::script::{Exchange, Script, Session};
use super::whereabouts::Place;
use crate::event::{Reading, Said};
use crate::limits;
use crate::protocol::imap::sameness::{Difference, difference};
use crate::recording::told;

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
    /// The exchanges that a command can be answered with at all, by its [`kind`], in order.
    by_kind: HashMap<String, Vec<Index>>,
    matching: Matching,
    inner: Mutex<Inner>,
}

pub(super) struct Inner {
    pub(super) used: Vec<Vec<bool>>,
    /// The live connection that each session is meant for.
    pub(super) begun: Vec<Option<u64>>,
    /// Sessions whose live connection is over.
    over: Vec<bool>,
    /// The live connections.
    pub(super) live: HashMap<u64, Cursor>,
    pub(super) matched: u64,
    mismatches: Vec<Mismatch>,
}

/// How far one live connection has followed a recorded one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    /// The session.
    pub(super) session: usize,
    /// Its next exchange.
    pub(super) next: usize,
    /// It is the one that the session is meant for, has used all before `next`, and nothing else.
    pub(super) is_straight: bool,
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
            begun: vec![None; sessions.len()],
            over: vec![false; sessions.len()],
            live: HashMap::new(),
            matched: 0,
            mismatches: Vec::new(),
        };
        let mut by_kind: HashMap<String, Vec<Index>> = HashMap::new();
        for (session, of) in script.sessions.iter().enumerate() {
            for (exchange, recorded) in of.exchanges.iter().enumerate() {
                let kind = kind(recorded.name()).to_owned();
                by_kind.entry(kind).or_default().push((session, exchange));
            }
        }
        Self {
            by_kind,
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
    pub fn begin(&self, conn: u64) {
        let mut inner = self.inner();
        let free = inner.begun.iter().position(Option::is_none);
        let session = free.unwrap_or_default();
        if free.is_some() {
            inner.begun[session] = Some(conn);
        }
        let cursor = Cursor {
            session,
            next: 0,
            is_straight: free.is_some(),
        };
        inner.live.insert(conn, cursor);
    }

    /// The session that a live connection follows.
    pub fn session(&self, conn: u64) -> &Session {
        &self.script.sessions[self.inner().cursor(conn).session]
    }

    /// The exchange that answers this command, which is used from now on; else how the nearest one
    /// differs, which the report has then. A NOOP or LOGOUT more than were recorded is no mismatch.
    pub fn take(&self, conn: u64, live: &Said, place: &Place) -> Result<Index, Option<Mismatch>> {
        let mut inner = self.inner();
        self.tell_apart(&mut inner, conn, live, place);
        let cursor = inner.cursor(conn);
        match self.find(&inner, conn, live, place) {
            Some(index) => {
                inner.take(conn, index);
                Ok(index)
            }
            None if self.matching == Matching::State && is_ending_or_idle(live) => Err(None),
            None => {
                let mismatch = self.mismatch(&inner, conn, cursor, live, place);
                if inner.mismatches.len() < limits::MISMATCHES {
                    inner.mismatches.push(mismatch.clone());
                }
                Err(Some(mismatch))
            }
        }
    }

    /// The unused exchange in which this command's literal was refused, which is used from now on.
    pub fn take_refusal(&self, conn: u64, live: &Said, place: &Place) -> Option<Index> {
        let mut inner = self.inner();
        let found = self.find(&inner, conn, live, place)?;
        let is_refusal = matches!(
            self.exchange(found).command.reading,
            Reading::Command { refused: true, .. }
        );
        if !is_refusal || inner.used[found.0][found.1] {
            return None;
        }
        inner.take(conn, found);
        Some(found)
    }

    fn find(&self, inner: &Inner, conn: u64, live: &Said, place: &Place) -> Option<Index> {
        let cursor = inner.cursor(conn);
        let fits = |index: &Index| self.exchange(*index).answers(live, place);
        let is_the_same_way =
            |index: &Index| difference(&self.exchange(*index).command, live).is_none();
        // What another connection was told when it asked for news is no news here.
        let is_for_it = |(session, exchange): &Index| {
            let is_own = *session == cursor.session || inner.begun[*session] == Some(conn);
            is_own || self.exchange((*session, *exchange)).name() != "NOOP"
        };
        let is_unused = |(session, exchange): &Index| !inner.used[*session][*exchange];
        let name = name(live);
        if self.matching == Matching::Strict {
            let next = (cursor.session, cursor.next);
            let is_there = next.1 < self.script.sessions[next.0].exchanges.len();
            return Some(next).filter(|next| is_there && fits(next));
        }
        let again = |index: &Index| is_unused(index) || self.exchange(*index).changes_nothing();
        let all = |is_usable: &dyn Fn(&Index) -> bool| {
            let fitting = || {
                self.in_order(cursor, name)
                    .filter(is_usable)
                    .filter(is_for_it)
                    .filter(fits)
            };
            fitting().find(is_the_same_way).or_else(|| fitting().next())
        };
        all(&is_unused).or_else(|| all(&again))
    }

    /// The exchanges of a command's kind: those to come in the session that is being followed, those
    /// before, the others. Nobody looks through all of a long recording for one command.
    fn in_order(&self, cursor: Cursor, name: &str) -> impl Iterator<Item = Index> + '_ {
        let all = self.by_kind.get(kind(name)).map_or(&[][..], Vec::as_slice);
        let (before, rest) = all.split_at(all.partition_point(|index| index.0 < cursor.session));
        let (own, behind) = rest.split_at(rest.partition_point(|index| index.0 == cursor.session));
        let (used, coming) = own.split_at(own.partition_point(|index| index.1 < cursor.next));
        [coming, used, before, behind]
            .into_iter()
            .flatten()
            .copied()
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
            Matching::State => self.in_order(cursor, name(live)).collect::<Vec<_>>(),
        };
        let nearest = candidates
            .into_iter()
            .filter_map(|index| {
                let recorded = self.exchange(index);
                let difference = recorded.difference(live);
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
        }
    }

    /// A command was answered by the player itself: a recorded one with this name, in this session or
    /// another, is used.
    pub fn answered(&self, conn: u64, name: &str) {
        let mut inner = self.inner();
        inner.matched += 1;
        let cursor = inner.cursor(conn);
        let unused = self
            .in_order(cursor, name)
            .find(|index| !inner.used[index.0][index.1] && self.exchange(*index).name() == name);
        if let Some((session, exchange)) = unused {
            inner.used[session][exchange] = true;
        }
    }

    /// A live connection is over, and so is the session that was meant for it.
    pub fn end(&self, conn: u64) {
        let mut inner = self.inner();
        inner.live.remove(&conn);
        if let Some(session) = inner.begun.iter().position(|begun| *begun == Some(conn)) {
            inner.over[session] = true;
        }
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
            mismatches: inner.mismatches.clone(),
            never_asked: never_asked.collect(),
        }
    }
}

impl Exchange {
    /// How a live command differs from this one's; `None` if it means the same, or logs in the same
    /// user in another way.
    fn difference(&self, live: &Said) -> Option<Difference> {
        another_user(self, live).or_else(|| match is_another_way(self, live) {
            true => None,
            false => difference(&self.command, live),
        })
    }

    /// Whether it answers a command at this place.
    pub(super) fn answers(&self, live: &Said, place: &Place) -> bool {
        self.fits(place) && self.difference(live).is_none()
    }

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

fn name(said: &Said) -> &str {
    match &said.reading {
        Reading::Command {
            name: Some(name), ..
        } => name,
        _ => "",
    }
}

/// What a command is looked for as: a login may be answered as another way to log in, all else only
/// as what has its name.
fn kind(name: &str) -> &str {
    match name {
        "AUTHENTICATE" => "LOGIN",
        name => name,
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
