//! Whether a recorded exchange answers a live command: what it means, where the session is, and whether
//! it may be used again.

use super::hearing::Word;
use super::login::{another_user, is_another_way};
use super::script::Exchange;
use super::whereabouts::Place;
use crate::event::{Reading, Said};
use crate::protocol::imap::sameness::{
    Difference, difference, difference_before_literal, differences, sets_seen,
};

impl Exchange {
    /// How a live command differs from this one's; `None` if it means the same, or logs in the same
    /// user in another way.
    pub(super) fn difference(&self, live: &Said) -> Option<Difference> {
        self.differences(live).into_iter().next()
    }

    /// Everything in which it differs.
    pub(super) fn differences(&self, live: &Said) -> Vec<Difference> {
        if let Some(difference) = another_user(self, live) {
            return vec![difference];
        }
        // The first will do for most: it decides whether there is any.
        match difference(&self.command, live) {
            _ if is_another_way(self, live) => Vec::new(),
            // It was refused before its literal was sent, which makes no difference then.
            Some(_) if is_refused(&self.command) && !is_refused(live) => {
                difference_before_literal(&self.command, live)
                    .into_iter()
                    .collect()
            }
            None => Vec::new(),
            Some(_) => differences(&self.command, live),
        }
    }

    /// As [`differences`](Self::differences), in words that may be told.
    pub(super) fn told_differences(&self, word: &Word) -> Vec<Difference> {
        let told = word
            .told()
            .map_or_else(Vec::new, |told| self.differences(told));
        let mut differences = self.differences(&word.said);
        for difference in &mut differences {
            let is_it = |told: &&Difference| told.argument == difference.argument;
            difference.live = match told.iter().find(is_it) {
                Some(told) => told.live.clone(),
                // A mask is like everything.
                None => "<secret>".to_owned(),
            };
        }
        differences
    }

    /// Whether it answers a command at this place.
    pub(super) fn answers(&self, live: &Said, place: &Place) -> bool {
        self.fits(place) && self.difference(live).is_none()
    }

    /// Whether a command may be answered with it at this place.
    pub(super) fn fits(&self, place: &Place) -> bool {
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
        match is_about_a_mailbox {
            true => self.place.is_like(place),
            false => self.place.is_authenticated == place.is_authenticated,
        }
    }

    /// Whether it may be used again: nothing is different behind it.
    pub(super) fn changes_nothing(&self) -> bool {
        match self.name() {
            "CAPABILITY" | "CHECK" | "ENABLE" | "EXAMINE" | "GETACL" | "GETMETADATA"
            | "GETQUOTA" | "GETQUOTAROOT" | "ID" | "IDLE" | "LIST" | "LOGIN" | "AUTHENTICATE"
            | "LOGOUT" | "LSUB" | "MYRIGHTS" | "NAMESPACE" | "NOOP" | "SEARCH" | "SELECT"
            | "SORT" | "STARTTLS" | "STATUS" | "THREAD" | "UID SEARCH" | "UID SORT"
            | "UID THREAD" | "UNSELECT" | "COMPRESS" => true,
            "FETCH" | "UID FETCH" => !sets_seen(&self.command),
            _ => false,
        }
    }
}

/// Whether its literal was not accepted.
pub fn is_refused(said: &Said) -> bool {
    matches!(said.reading, Reading::Command { refused: true, .. })
}
