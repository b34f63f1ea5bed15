//! Which recorded exchanges were used, by all live connections together, and which one a live command
//! is answered with.

mod growing;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::fitting::is_refused;
use super::hearing::Word;
use super::report::{Mismatch, NeverAsked, Report, TIMES};
use super::script::{Exchange, Script, Session};
use super::whereabouts::{Mailbox, Place};
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
    /// Commands that the real server answered, if there is one.
    recorded: Option<u64>,
    mismatches: Vec<Mismatch>,
    /// Those beyond the ones that are kept.
    unlisted: u64,
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
    /// It has asked for something.
    pub(super) has_asked: bool,
}

impl Inner {
    fn add(&mut self, mismatch: Mismatch) {
        match self.mismatches.len() < limits::MISMATCHES {
            true => self.mismatches.push(mismatch),
            false => self.unlisted += 1,
        }
    }
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
            // What was added to others has no live connection of its own.
            over: sessions.iter().map(|s| s.is_addition).collect(),
            live: HashMap::new(),
            matched: 0,
            recorded: None,
            mismatches: Vec::new(),
            unlisted: 0,
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

    /// A live connection begins: the first session that none has begun with. Where all have one, the last
    /// in which the server let the app in, for what was full once is not full for ever. What was added to
    /// others does not begin one.
    pub fn begin(&self, conn: u64) {
        let mut inner = self.inner();
        let sessions = &self.script.sessions;
        let begins = |session: &usize| !sessions[*session].is_addition;
        let mut all = (0..sessions.len()).filter(begins);
        let is_open = |session: &usize| !sessions[*session].is_refused;
        let again = all.clone().rfind(is_open).or_else(|| all.clone().next());
        let free = all.find(|session| inner.begun[*session].is_none());
        let session = free.or(again).unwrap_or_default();
        if free.is_some() {
            inner.begun[session] = Some(conn);
        }
        let cursor = Cursor {
            session,
            next: 0,
            is_straight: free.is_some(),
            has_asked: false,
        };
        inner.live.insert(conn, cursor);
    }

    /// The session that a live connection follows.
    pub fn session(&self, conn: u64) -> &Session {
        &self.script.sessions[self.inner().cursor(conn).session]
    }

    /// The exchange that answers this command, which is used from now on; else how the nearest one
    /// differs, which the report has then. A CAPABILITY, NOOP or LOGOUT more than
    /// were recorded is no mismatch.
    pub fn take(
        &self,
        conn: u64,
        word: &Word,
        place: &Place,
    ) -> Result<Index, Option<Box<Mismatch>>> {
        let live = &word.said;
        let mut inner = self.inner();
        if let Some(cursor) = inner.live.get_mut(&conn) {
            cursor.has_asked = true;
        }
        self.tell_apart(&mut inner, conn, live, place);
        let cursor = inner.cursor(conn);
        match self.find(&inner, conn, live, place) {
            Some(index) => {
                inner.take(conn, index);
                Ok(index)
            }
            None if self.matching == Matching::State && goes_without_saying(live) => Err(None),
            None => {
                let mismatch = self.mismatch(&inner, conn, cursor, word, place);
                inner.add(mismatch.clone());
                Err(Some(Box::new(mismatch)))
            }
        }
    }

    /// A line was no command, and so is none that was recorded. The report has it then.
    pub fn no_command(&self, conn: u64, word: &Word) -> Mismatch {
        let mismatch = Mismatch::of_no_command(conn, word.shown());
        self.add(mismatch.clone());
        mismatch
    }

    /// The unused exchange in which this command's literal was refused, which is used from now on.
    pub fn take_refusal(&self, conn: u64, live: &Said, place: &Place) -> Option<Index> {
        let mut inner = self.inner();
        let found = self.find(&inner, conn, live, place)?;
        let recorded = &self.exchange(found).command;
        let is_it = is_refused(recorded) && difference(recorded, live).is_none();
        if !is_it || inner.used[found.0][found.1] {
            return None;
        }
        inner.take(conn, found);
        Some(found)
    }

    fn find(&self, inner: &Inner, conn: u64, live: &Said, place: &Place) -> Option<Index> {
        let cursor = inner.cursor(conn);
        let fits = |index: &Index| self.exchange(*index).answers(live, place);
        if self.matching == Matching::Strict {
            let next = (cursor.session, cursor.next);
            let is_there = next.1 < self.script.sessions[next.0].exchanges.len();
            return Some(next).filter(|next| is_there && fits(next));
        }
        let is_own = |(session, _): &Index| {
            *session == cursor.session || inner.begun[*session] == Some(conn)
        };
        let best = |usable: &dyn Fn(&Index) -> bool| self.best(inner, cursor, live, usable);
        let own = || best(&|index| is_own(index) && fits(index));
        // What another connection was told when it asked for news is no news here.
        match name(live) {
            "NOOP" => own(),
            "IDLE" | "CHECK" => own().or_else(|| best(&fits)),
            _ => best(&fits),
        }
    }

    /// The best one of those that can be used: unused, and if it logs in, in the same way.
    fn best(
        &self,
        inner: &Inner,
        cursor: Cursor,
        live: &Said,
        is_usable: &dyn Fn(&Index) -> bool,
    ) -> Option<Index> {
        let is_the_same_way =
            |index: &Index| difference(&self.exchange(*index).command, live).is_none();
        let is_unused = |(session, exchange): &Index| !inner.used[*session][*exchange];
        let [coming, before, others @ ..] = self.of_kind(cursor, name(live));
        let in_order = [coming, before].into_iter().chain(others).flatten();
        let unused = in_order.clone().copied().filter(is_unused);
        // As it was last: something may have changed behind what was before.
        let again = before.iter().rev().chain(in_order).copied();
        let again = again.filter(|index| {
            !is_unused(index) && self.exchange(*index).changes_nothing() && is_usable(index)
        });
        let unused = unused.filter(is_usable);
        first_of(unused, is_the_same_way).or_else(|| first_of(again, is_the_same_way))
    }

    /// The exchanges of a command's kind: those to come in the session that is being followed, those
    /// before, the others. Nobody looks through all of a long recording for one command.
    fn in_order(&self, cursor: Cursor, name: &str) -> impl Iterator<Item = Index> + '_ {
        self.of_kind(cursor, name).into_iter().flatten().copied()
    }

    /// As [`in_order`](Self::in_order): to come, before, and twice others.
    fn of_kind(&self, cursor: Cursor, name: &str) -> [&[Index]; 4] {
        let all = self.by_kind.get(kind(name)).map_or(&[][..], Vec::as_slice);
        let (before, rest) = all.split_at(all.partition_point(|index| index.0 < cursor.session));
        let (own, behind) = rest.split_at(rest.partition_point(|index| index.0 == cursor.session));
        let (used, coming) = own.split_at(own.partition_point(|index| index.1 < cursor.next));
        [coming, used, before, behind]
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
        word: &Word,
        place: &Place,
    ) -> Mismatch {
        let candidates = match self.matching {
            Matching::Strict => {
                let next = (cursor.session, cursor.next);
                let exchanges = self.script.sessions[next.0].exchanges.len();
                (next.1 < exchanges).then_some(next).into_iter().collect()
            }
            Matching::State => self.in_order(cursor, name(&word.said)).collect::<Vec<_>>(),
        };
        let nearest = candidates
            .iter()
            .filter_map(|index| {
                let recorded = self.exchange(*index);
                let differences = recorded.differences(&word.said);
                let is_another = differences.first().is_some_and(|d| d.argument == "command");
                let rank = (
                    is_another,
                    differences.len() + usize::from(!recorded.fits(place)),
                    inner.used[index.0][index.1],
                );
                (!is_another || self.matching == Matching::Strict).then_some((rank, *index))
            })
            .min_by_key(|(rank, _)| *rank);
        let same = |index: &&Index| self.exchange(**index).answers(&word.said, place);
        let (nearest, difference) = match nearest {
            Some((_, index)) => {
                let recorded = self.exchange(index);
                let difference = recorded.told_differences(word).into_iter().next();
                let difference = difference.unwrap_or_else(|| match recorded.fits(place) {
                    true => asked_again(candidates.iter().filter(same).count()),
                    false => elsewhere(&recorded.place, place),
                });
                (Some(recorded.n), Some(difference))
            }
            None => (None, None),
        };
        let part = |part: fn(&Difference) -> &String| difference.as_ref().map(part).cloned();
        Mismatch {
            conn,
            command: word.shown(),
            nearest,
            argument: part(|difference| &difference.argument),
            recorded: part(|difference| &difference.recorded),
            live: part(|difference| &difference.live),
            why: None,
        }
    }

    /// The exchange that was taken last was not carried out to its end, so that it can be taken again.
    pub fn give_back(&self, conn: u64, (session, exchange): Index) {
        let mut inner = self.inner();
        inner.used[session][exchange] = false;
        if let Some(cursor) = inner.live.get_mut(&conn)
            && (cursor.session, cursor.next) == (session, exchange + 1)
        {
            cursor.next = exchange;
        }
    }

    /// A command was answered by the player itself: STARTTLS, which no script has.
    pub fn answered(&self) {
        self.inner().matched += 1;
    }

    /// A live connection is over, and so is the session that was meant for it, unless nothing was
    /// asked.
    pub fn end(&self, conn: u64) {
        let mut inner = self.inner();
        let cursor = inner.live.remove(&conn).unwrap_or_default();
        let Some(session) = inner.begun.iter().position(|begun| *begun == Some(conn)) else {
            return;
        };
        let asks_nothing = self.script.sessions[session].exchanges.is_empty();
        match cursor.has_asked || asks_nothing {
            true => inner.over[session] = true,
            false => inner.begun[session] = None,
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
            recorded: inner.recorded,
            mismatches: inner.mismatches.clone(),
            unlisted: inner.unlisted,
            never_asked: never_asked.collect(),
        }
    }
}

/// The first that is best, or the first.
fn first_of<T: Copy>(mut all: impl Iterator<Item = T>, is_best: impl Fn(&T) -> bool) -> Option<T> {
    let first = all.next()?;
    match is_best(&first) {
        true => Some(first),
        false => all.find(is_best).or(Some(first)),
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

/// A command that is answered although it was not recorded, since everybody knows the answer.
fn goes_without_saying(live: &Said) -> bool {
    matches!(&live.reading, Reading::Command { name: Some(name), .. }
        if matches!(&**name, "CAPABILITY" | "NOOP" | "LOGOUT"))
}

/// The same command, asked more often than it was recorded.
fn asked_again(recorded: usize) -> Difference {
    Difference {
        argument: TIMES.into(),
        recorded: recorded.to_string(),
        live: "once more".into(),
    }
}

/// The same command, recorded elsewhere.
fn elsewhere(recorded: &Place, live: &Place) -> Difference {
    let shown = |place: &Place| match (&place.mailbox, place.is_authenticated) {
        (Some(Mailbox::Named(mailbox)), _) => String::from_utf8_lossy(mailbox).into_owned(),
        (Some(Mailbox::Masked | Mailbox::Secret(_)), _) => "<secret>".to_owned(),
        (None, true) => "no mailbox selected".to_owned(),
        (None, false) => "not logged in".to_owned(),
    };
    Difference {
        argument: "selected mailbox".into(),
        recorded: shown(recorded),
        live: shown(live),
    }
}
