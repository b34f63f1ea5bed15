//! What a session has brought about that another session with a server has to be brought to, so that
//! the same command means the same there: who is logged in, what is enabled, which mailbox is
//! selected, and what was told of it.
//!
//! Kept in the same way for the live app's session, which a recording answers, and for the real
//! server's.

use super::raw::{Raw, Step};
use crate::event::{Reading, Relation, Said, Status, Value};

/// Where a session stands.
#[derive(Clone, Default)]
pub struct Standing {
    /// How the user logged in.
    pub login: Option<Login>,
    /// Every ENABLE that the server agreed to.
    pub enabled: Vec<Raw>,
    /// The selected mailbox.
    pub selected: Option<Selected>,
    under_way: Vec<(u64, UnderWay)>,
}

/// A login that succeeded, or may still.
#[derive(Clone)]
pub struct Login {
    /// LOGIN or AUTHENTICATE.
    pub command: Raw,
    /// The mechanism of AUTHENTICATE, upper case.
    pub mechanism: Option<String>,
    /// What the app said in the SASL exchange.
    pub turns: Vec<Raw>,
}

/// A mailbox that is selected.
#[derive(Clone)]
pub struct Selected {
    /// SELECT or EXAMINE.
    pub command: Raw,
    /// Its UIDVALIDITY, where that was told.
    pub uid_validity: Option<u64>,
    /// How many messages it has, where that was told.
    pub exists: Option<u64>,
}

/// A command without an answer.
#[derive(Clone)]
enum UnderWay {
    Login(Login),
    Enable(Raw),
    Select(Selected),
    /// CLOSE, UNSELECT.
    Leave,
    /// UNAUTHENTICATE (RFC 8437).
    Forget,
}

impl Login {
    /// Whether the same octets log in again: no server's turn depends on a nonce.
    pub fn can_be_repeated(&self) -> bool {
        const REPEATABLE: [&str; 5] = ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", "EXTERNAL"];
        let is_plain = |raw: &Raw| {
            let spooled = |step: &Step| matches!(step, Step::Spooled(_));
            !raw.steps().iter().any(spooled)
        };
        let mechanism = self.mechanism.as_deref();
        mechanism.is_none_or(|mechanism| REPEATABLE.contains(&mechanism)) && is_plain(&self.command)
    }

    /// Whether this is the same user with the same secret.
    pub fn is(&self, other: &Self) -> bool {
        self.command.says_the_same(&other.command)
            && self.turns.len() == other.turns.len()
            && self
                .turns
                .iter()
                .zip(&other.turns)
                .all(|(one, other)| one.says_the_same(other))
    }
}

impl Standing {
    /// The client said this, in these octets; `number` is what its answer refers to.
    pub fn command(&mut self, number: u64, said: &Said, raw: &Raw) {
        let Reading::Command {
            name: Some(name),
            mechanism,
            ..
        } = &said.reading
        else {
            return;
        };
        let raw = raw.clone();
        let under_way = match &**name {
            "LOGIN" | "AUTHENTICATE" => UnderWay::Login(Login {
                command: raw,
                mechanism: mechanism.clone(),
                turns: Vec::new(),
            }),
            "ENABLE" => UnderWay::Enable(raw),
            "SELECT" | "EXAMINE" => UnderWay::Select(Selected {
                command: raw,
                uid_validity: None,
                exists: None,
            }),
            "CLOSE" | "UNSELECT" => UnderWay::Leave,
            "UNAUTHENTICATE" => UnderWay::Forget,
            _ => return,
        };
        self.under_way.push((number, under_way));
    }

    /// The client went on with this: a SASL turn, if a login is under way.
    pub fn continuation(&mut self, raw: &Raw) {
        if let Some((_, UnderWay::Login(login))) = self.under_way.last_mut() {
            login.turns.push(raw.clone());
        }
    }

    /// The server said this.
    pub fn response(&mut self, said: &Said) {
        match (&said.reading, &said.relation) {
            (Reading::Tagged { status, .. }, Relation::Answers(number)) => {
                let place = self.under_way.iter().position(|(n, _)| n == number);
                if let Some(place) = place {
                    let (_, under_way) = self.under_way.remove(place);
                    self.uid_validity(said);
                    self.answered(under_way, *status);
                }
            }
            (Reading::Untagged { name, number, .. }, _) => self.untagged(name, *number, said),
            _ => {}
        }
    }

    fn answered(&mut self, under_way: UnderWay, status: Option<Status>) {
        match (under_way, status) {
            (UnderWay::Login(login), Some(Status::Ok)) => self.login = Some(login),
            (UnderWay::Enable(raw), Some(Status::Ok)) => self.enabled.push(raw),
            (UnderWay::Select(selected), Some(Status::Ok)) => self.selected = Some(selected),
            (UnderWay::Select(_), Some(Status::No)) => self.selected = None,
            (UnderWay::Leave, Some(Status::Ok)) => self.selected = None,
            (UnderWay::Forget, Some(Status::Ok)) => *self = Self::default(),
            _ => {}
        }
    }

    fn untagged(&mut self, name: &str, number: Option<u64>, said: &Said) {
        match (name, number) {
            ("EXISTS", Some(number)) => {
                if let Some(mailbox) = self.mailbox() {
                    mailbox.exists = Some(number);
                }
            }
            ("EXPUNGE", _) => self.fewer(1),
            ("VANISHED", _) => self.fewer(vanished(said)),
            ("OK", _) => self.uid_validity(said),
            _ => {}
        }
    }

    fn uid_validity(&mut self, said: &Said) {
        let Some(code) = said.code().filter(|code| code.name == "UIDVALIDITY") else {
            return;
        };
        if let (Some(mailbox), Some(Value::Number(number))) = (self.mailbox(), code.values.first())
        {
            mailbox.uid_validity = Some(*number);
        }
    }

    fn fewer(&mut self, messages: u64) {
        if let Some(Some(exists)) = self.mailbox().map(|mailbox| &mut mailbox.exists) {
            *exists = exists.saturating_sub(messages);
        }
    }

    /// The mailbox that the server speaks of: that which is being selected, if one is.
    fn mailbox(&mut self) -> Option<&mut Selected> {
        let selecting = self
            .under_way
            .iter_mut()
            .find_map(|(_, under_way)| match under_way {
                UnderWay::Select(selected) => Some(selected),
                _ => None,
            });
        selecting.or(self.selected.as_mut())
    }
}

/// How many messages a `VANISHED 41,43:45` takes away; `(EARLIER)` ones were never counted (RFC
/// 7162, section 3.2.10).
fn vanished(said: &Said) -> u64 {
    let arguments = said.arguments();
    let [set] = arguments.as_slice() else {
        return 0;
    };
    let text = match set {
        Value::Number(_) => return 1,
        _ => set.bytes().and_then(|set| std::str::from_utf8(set).ok()),
    };
    let ranges = text.unwrap_or_default().split(',');
    ranges
        .map(|range| {
            let (first, last) = range.split_once(':').unwrap_or((range, range));
            match (first.parse::<u64>(), last.parse::<u64>()) {
                (Ok(first), Ok(last)) => first.abs_diff(last).saturating_add(1),
                _ => 0,
            }
        })
        .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Gate, Micros, Peer, Secrets};
    use crate::protocol::imap::Setting;
    use crate::replay::hearing::{Hearing, Word};
    use crate::replay::raw::Unmasked;

    /// A conversation: `C: ` and `S: ` lines.
    fn after(conversation: &str) -> Standing {
        let mut hearing = Hearing::new(Gate::new(Secrets::Masked), Setting::default());
        let mut unmasked = Unmasked::default();
        let mut standing = Standing::default();
        for line in conversation.lines() {
            let (from, line) = match line.trim().split_once(": ").unwrap() {
                ("C", line) => (Peer::Client, line),
                (_, line) => (Peer::Server, line),
            };
            let octets = format!("{line}\r\n");
            let also = Some(&mut unmasked);
            let heard = hearing.observe(from, octets.as_bytes(), Micros(0), also, &mut Vec::new());
            for Word { ordinal, said, .. } in heard.words {
                match &said.reading {
                    Reading::Command { tag: Some(tag), .. } => {
                        let raw = unmasked.command(tag.as_bytes()).unwrap();
                        standing.command(ordinal, &said, &raw);
                    }
                    Reading::Continuation { .. } => {
                        let raw = unmasked.continuation().unwrap();
                        standing.continuation(&raw);
                    }
                    _ => standing.response(&said),
                }
            }
        }
        standing
    }

    #[test]
    fn what_the_server_agreed_to_stands() {
        let standing = after(
            "S: * OK hi
             C: a LOGIN alice wrong
             S: a NO no
             C: b LOGIN alice right
             S: b OK in
             C: c ENABLE QRESYNC
             S: c OK enabled
             C: d SELECT INBOX
             S: * 3 EXISTS
             S: * OK [UIDVALIDITY 7] valid
             S: d OK selected
             S: * 4 EXISTS
             S: * 1 EXPUNGE
             S: * VANISHED 5,7:8
             S: * VANISHED (EARLIER) 1:2",
        );
        let login = Raw::own("LOGIN alice right");
        assert!(standing.login.unwrap().command.says_the_same(&login));
        assert_eq!(standing.enabled.len(), 1);
        let selected = standing.selected.unwrap();
        assert_eq!((selected.exists, selected.uid_validity), (Some(0), Some(7)));
    }

    #[test]
    fn a_mailbox_is_left_by_close_and_by_a_select_that_fails() {
        let selected = "S: * PREAUTH hi\nC: a SELECT x\nS: * 1 EXISTS\nS: a OK in\n";
        assert!(after(selected).selected.is_some());
        for left in ["C: b CLOSE\nS: b OK out", "C: b SELECT y\nS: b NO none"] {
            assert!(after(&format!("{selected}{left}")).selected.is_none());
        }
        let kept = after(&format!("{selected}C: b SELECT\nS: b BAD what"));
        assert!(kept.selected.is_some());
    }

    #[test]
    fn a_login_with_a_nonce_cannot_be_repeated() {
        for (mechanism, can) in [
            ("PLAIN", true),
            ("SCRAM-SHA-256", false),
            ("CRAM-MD5", false),
        ] {
            let standing = after(&format!(
                "S: * OK\nC: a AUTHENTICATE {mechanism}\nS: + \nC: YWFhYQ==\nS: a OK in"
            ));
            let login = standing.login.unwrap();
            assert_eq!((login.turns.len(), login.can_be_repeated()), (1, can));
        }
    }
}
