//! Which recorded connection a live one is: told by what it does, not by when it came.
//!
//! ```text
//! recorded  1: LOGIN, SELECT INBOX     live  1: LOGIN, SELECT Archive    it is 2 then, and what it
//!           2: LOGIN, SELECT Archive         2: LOGIN, SELECT INBOX      used of 1 is unused again
//! ```

use super::usage::{Cursor, Inner, Usage};
use super::whereabouts::Place;
use crate::event::Said;

impl Inner {
    /// How far a live connection is.
    pub(super) fn cursor(&self, conn: u64) -> Cursor {
        self.live.get(&conn).copied().unwrap_or_default()
    }

    /// A live connection is answered with this exchange.
    pub(super) fn take(&mut self, conn: u64, (session, exchange): (usize, usize)) {
        let before = self.cursor(conn);
        let is_next = (before.session, before.next) == (session, exchange);
        let is_straight = before.is_straight && is_next && !self.used[session][exchange];
        self.matched += 1;
        self.used[session][exchange] = true;
        let cursor = Cursor {
            session,
            next: exchange + 1,
            is_straight,
            has_asked: true,
        };
        self.live.insert(conn, cursor);
    }

    /// Makes the first exchanges of a session used or unused.
    fn mark(&mut self, session: usize, count: usize, used: bool) {
        self.used[session][..count].fill(used);
    }
}

impl Usage {
    /// Where a live connection says what its session has not next, and another session that has it
    /// was the same so far: it is that one. If a live connection follows that other session already,
    /// and could as well be this one, the two are exchanged.
    pub(super) fn tell_apart(&self, inner: &mut Inner, conn: u64, live: &Said, place: &Place) {
        let own = inner.cursor(conn);
        let has_next = |session: usize| {
            let next = self.script().sessions[session].exchanges.get(own.next);
            next.is_some_and(|next| next.answers(live, place))
        };
        if !own.is_straight || has_next(own.session) {
            return;
        }
        let sessions = 0..self.script().sessions.len();
        let found = sessions.into_iter().find_map(|session| {
            let other = inner.begun[session];
            if other.is_some_and(|other| !inner.cursor(other).is_straight) {
                return None;
            }
            let theirs = other.map_or(0, |other| inner.cursor(other).next);
            let is_free = !inner.used[session][theirs..].contains(&true);
            let is_it = session != own.session
                && !self.script().sessions[session].is_addition
                && is_free
                && has_next(session)
                && self.begin_alike(own.session, session, own.next.max(theirs));
            is_it.then_some((session, other, theirs))
        });
        let Some((session, other, theirs)) = found else {
            return;
        };
        inner.mark(own.session, own.next, false);
        inner.mark(session, theirs, false);
        inner.mark(session, own.next, true);
        inner.mark(own.session, theirs, true);
        inner.begun[session] = Some(conn);
        inner.begun[own.session] = other;
        inner.live.insert(conn, Cursor { session, ..own });
        if let Some(other) = other {
            let cursor = Cursor {
                session: own.session,
                ..inner.cursor(other)
            };
            inner.live.insert(other, cursor);
        }
    }

    /// Whether the first exchanges of two sessions cannot be told apart.
    fn begin_alike(&self, one: usize, other: usize, count: usize) -> bool {
        let first = |session: usize| self.script().sessions[session].exchanges.get(..count);
        let (Some(one), Some(other)) = (first(one), first(other)) else {
            return false;
        };
        let mut pairs = one.iter().zip(other);
        pairs.all(|(one, other)| {
            let is_same = one.answers(&other.command, &other.place);
            is_same && other.answers(&one.command, &one.place)
        })
    }
}
