//! Users who log in again and again, each time after they had left.

use std::collections::HashMap;

use super::{Kind, Waste, Wasted};
use crate::event::Micros;
use crate::limits;

/// Whoever comes back later would have had to keep an idle connection open for long.
const SOON: Micros = Micros(60_000_000);

/// So many connections that came back are a habit.
const HABIT: u64 = 2;

/// The users of a run, by server and name.
#[derive(Default)]
pub(in super::super) struct Logins {
    users: HashMap<u64, User>,
}

#[derive(Default)]
struct User {
    /// Connections that are logged in.
    live: u64,
    /// When the last one left, if it was the app that ended it.
    left: Option<Micros>,
    again: Option<Waste>,
}

/// A login that was accepted.
pub(in super::super) struct Login {
    pub(in super::super) conn: u64,
    /// The command's number.
    pub(in super::super) n: u64,
    /// When the connection began.
    pub(in super::super) began: Micros,
    pub(in super::super) at: Micros,
    /// Round trips up to it.
    pub(in super::super) round_trips: u64,
    pub(in super::super) wanted: bool,
}

impl Logins {
    /// A user logged in.
    pub(in super::super) fn login(&mut self, user: u64, login: &Login) {
        if self.users.len() >= limits::STATS_CONNECTIONS && !self.users.contains_key(&user) {
            return;
        }
        let user = self.users.entry(user).or_default();
        let is_soon = |left: Micros| login.began >= left && login.began.since(left) <= SOON;
        if user.live == 0 && user.left.is_some_and(is_soon) && login.wanted {
            let mut item = Kind::LoginAgain.at(login.conn, login.n);
            item.time = login.at.since(login.began);
            item.round_trips = login.round_trips;
            match &mut user.again {
                Some(again) => {
                    again.conn = None;
                    again.join(&item);
                }
                None => user.again = Some(item),
            }
        }
        user.live += 1;
    }

    /// A connection of a user ended; `by_app` tells whether the app wanted it to.
    pub(in super::super) fn left(&mut self, user: u64, at: Micros, by_app: bool) {
        if let Some(user) = self.users.get_mut(&user) {
            user.live = user.live.saturating_sub(1);
            user.left = Some(at).filter(|_| by_app);
        }
    }

    pub(in super::super) fn end(self, wasted: &mut Wasted) {
        let again = self.users.into_values().filter_map(|user| user.again);
        let mut again: Vec<Waste> = again.filter(|item| item.count >= HABIT).collect();
        again.sort_by_key(|item| item.commands.first().copied());
        again.into_iter().for_each(|item| wasted.add(item));
    }
}
