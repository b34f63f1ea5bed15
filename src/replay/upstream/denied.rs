//! Logins that the real server refused: not tried again for every command, since accounts are locked
//! for less.

use std::sync::{Mutex, PoisonError};

use super::super::standing::Login;
use super::leg::Answer;
use crate::event::Status;

/// The logins, of all connections of a run.
#[derive(Default)]
pub struct Denied(Mutex<Vec<Login>>);

/// An app has one login or two; of more, the newest are remembered.
const REMEMBERED: usize = 16;

impl Denied {
    /// Whether this login was refused.
    pub fn has(&self, login: &Login) -> bool {
        let denied = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        denied.iter().any(|other| other.is(login))
    }

    /// Remembers a login that was refused for good: not for now alone (RFC 5530, section 3).
    pub fn note(&self, login: &Login, answer: &Answer) {
        let code = answer.code.as_deref().unwrap_or_default();
        let is_for_now = matches!(code, "UNAVAILABLE" | "INUSE" | "LIMIT" | "SERVERBUG");
        if answer.status == Some(Status::Ok) || is_for_now {
            return;
        }
        let mut denied = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if denied.len() == REMEMBERED {
            denied.remove(0);
        }
        denied.push(login.clone());
    }
}
