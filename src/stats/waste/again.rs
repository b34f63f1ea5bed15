//! What a connection asks although it was told: capabilities that came with the greeting or the login, and
//! the same NAMESPACE, LIST or LSUB again.

use std::collections::HashMap;

use super::Exchange;
use crate::event::{Micros, Status};
use crate::limits;

/// A list that was asked for longer ago may be another one by now: other apps make mailboxes, too.
const LATELY: Micros = Micros(60_000_000);

/// What one connection was told.
#[derive(Default)]
pub(in super::super) struct Told {
    /// The capabilities of the state that the session is in.
    capabilities: Capabilities,
    /// The command that may change them and is in flight.
    changing: Option<u64>,
    /// When the last command of a kind was answered.
    asked: HashMap<u64, Micros>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Capabilities {
    #[default]
    Untold,
    /// By something else than the answer to a command.
    Told,
    /// By what answered this command.
    ToldWith(u64),
}

impl Told {
    /// The server lists its capabilities, in what answers this command, if it does any.
    pub(in super::super) fn capabilities(&mut self, answers: Option<u64>) {
        self.capabilities = answers.map_or(Capabilities::Told, Capabilities::ToldWith);
    }

    /// Whether the command asks for capabilities that the app was told.
    pub(in super::super) fn knows(&mut self, n: u64, name: &str) -> bool {
        match name {
            "AUTHENTICATE" | "LOGIN" | "STARTTLS" | "UNAUTHENTICATE" => {
                self.changing = Some(n);
                false
            }
            "CAPABILITY" => self.changing.is_none() && self.capabilities != Capabilities::Untold,
            _ => false,
        }
    }

    /// The command ended. A server may list what it is capable of from here on in what answers a login;
    /// else it has to be asked (RFC 9051, sections 6.2.1 to 6.2.3).
    pub(in super::super) fn ended(&mut self, n: u64, status: Option<Status>) {
        if self.changing != Some(n) {
            return;
        }
        self.changing = None;
        if status == Some(Status::Ok) && self.capabilities != Capabilities::ToldWith(n) {
            self.capabilities = Capabilities::Untold;
        }
    }

    /// Whether the exchange, which is over at `at`, asked for what another one brought lately.
    pub(super) fn is_again(&mut self, exchange: &Exchange, at: Micros) -> bool {
        match &*exchange.command.name {
            "CREATE" | "DELETE" | "RENAME" | "SUBSCRIBE" | "UNSUBSCRIBE" => {
                self.asked.clear();
                false
            }
            // What a STATUS among its arguments brings is news each time.
            "LIST" | "LSUB" | "NAMESPACE" | "XLIST"
                if exchange.status == Some(Status::Ok) && !exchange.digest.returns_status =>
            {
                let asked = exchange.digest.whole;
                if self.asked.len() >= limits::STATS_MAILBOXES && !self.asked.contains_key(&asked) {
                    return false;
                }
                let before = self.asked.insert(asked, at);
                before.is_some_and(|before| exchange.command.at.since(before) <= LATELY)
            }
            _ => false,
        }
    }
}
