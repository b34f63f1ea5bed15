//! What a replay that grows asks of what is recorded: an answer, and else nothing; and what it tells
//! the report.

use super::{Index, Matching, Usage};
use crate::event::Said;
use crate::replay::hearing::Word;
use crate::replay::report::Mismatch;
use crate::replay::whereabouts::Place;

impl Usage {
    /// The exchange that answers this command, which is used from now on; no mismatch if there is
    /// none.
    pub fn take_fitting(&self, conn: u64, live: &Said, place: &Place) -> Option<Index> {
        let mut inner = self.inner();
        self.tell_apart(&mut inner, conn, live, place);
        let index = self.find(&inner, conn, live, place)?;
        inner.take(conn, index);
        Some(index)
    }

    /// Whether a command is answered that was not recorded.
    pub fn goes_without_saying(&self, live: &Said) -> bool {
        self.matching == Matching::State && super::goes_without_saying(live)
    }

    /// A command was neither recorded nor answered by the real server.
    pub fn missed(&self, conn: u64, word: &Word, place: &Place, why: &str) -> Mismatch {
        let inner = self.inner();
        let mut mismatch = self.mismatch(&inner, conn, inner.cursor(conn), word, place);
        drop(inner);
        mismatch.why = Some(why.to_owned());
        self.add(mismatch.clone());
        mismatch
    }

    /// Something did not fit.
    pub fn add(&self, mismatch: Mismatch) {
        self.inner().add(mismatch);
    }

    /// The real server has answered a command, and that is recorded.
    pub fn recorded(&self) {
        *self.inner().recorded.get_or_insert_default() += 1;
    }

    /// The report is to say how many commands were recorded, even if it is none.
    pub fn counts_recorded(&self) {
        self.inner().recorded.get_or_insert_default();
    }
}
