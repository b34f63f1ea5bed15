//! What is done to a session whose two legs are not secured in the same way, or of which the user
//! asked to have capabilities hidden: which octets wait, which are edited, and where STARTTLS (RFC
//! 9051, section 6.2.1) stands.
//!
//! ```text
//! app        server     what the app is shown                      who answers its STARTTLS
//! TLS        TLS        everything as it is                        the server
//! TLS        STARTTLS   without STARTTLS and LOGINDISABLED         mailscope: BAD
//! TLS        cleartext  without STARTTLS and LOGINDISABLED         mailscope: BAD
//! cleartext  TLS        STARTTLS is offered                        mailscope
//! cleartext  STARTTLS   without LOGINDISABLED                      the server, for both legs
//! cleartext  cleartext  STARTTLS is offered                        mailscope
//! ```
//!
//! All of that ends with the login. The reading is the [`Observer`](super::Observer)'s; here is only
//! what it remembers for the relay's sake, and nothing of it is asked when both legs are TLS.

use std::collections::VecDeque;
use std::sync::Arc;

use super::capability::{Edits, Hidden};
use super::undecided::Undecided;
use crate::event::Peer;
use crate::fault::Strikes;
use crate::protocol::opaque::Fate;
use crate::protocol::passage::{Act, Break, Upgrade};

/// How the leg to the app is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppLeg {
    /// By TLS.
    #[default]
    Tls,
    /// Not, or not yet.
    Cleartext,
}

/// How the leg to the server is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServerLeg {
    /// By TLS.
    #[default]
    Tls,
    /// It is to be, by STARTTLS.
    Starttls,
    /// Not, and that is what the user wants.
    Cleartext,
}

/// What a session begins with.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// The leg to the app.
    pub app: AppLeg,
    /// The leg to the server.
    pub server: ServerLeg,
    /// The server is on this machine, so that what it is told in cleartext is told to nobody else.
    pub server_is_local: bool,
    /// Capabilities that the app is not shown.
    pub hidden: Hidden,
    /// What goes wrong on purpose.
    pub faults: Strikes,
}

/// Where STARTTLS stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing is under way.
    Quiet,
    /// The app's command, with this ordinal, was passed on.
    Asked { command: u64 },
    /// mailscope's own command, with this ordinal, was sent to the server; the app's command with
    /// the tag `held` waits for its answer.
    OwnAsked { command: u64, held: Vec<u8> },
    /// The app's command, with this ordinal, is answered by mailscope when those before it are.
    Answering { command: u64, tag: Vec<u8> },
    /// The relay is at the handshake.
    Securing(Upgrade),
    /// The server refused the app's command: the session goes on in cleartext.
    Refused,
    /// The relay is to end the connection; nothing goes on any more.
    Ended,
}

/// The session as the relay has to treat it.
pub(super) struct Bridge {
    pub(super) setting: Setting,
    pub(super) stage: Stage,
    /// What the client sent behind a STARTTLS whose answer has not come.
    pub(super) behind: Undecided,
    /// It will not say any more; what it said may wait.
    pub(super) client_is_gone: bool,
    /// It will not answer any more.
    pub(super) server_is_gone: bool,
    client: Held,
    server: Held,
    acts: Vec<Act>,
    /// What the app is to be given once TLS has begun.
    delayed: Option<Vec<Act>>,
}

/// Octets of one direction that the relay holds.
#[derive(Default)]
struct Held {
    /// All of them.
    waiting: usize,
    /// Those of the message that is being read, or was read last.
    framed: usize,
    /// What became of octets before they were framed, in order; neighbours differ.
    ahead: VecDeque<(usize, Fate)>,
    /// Octets of the message that is being read which went on.
    gone: usize,
}

impl Bridge {
    pub(super) fn new(setting: Setting) -> Self {
        let delays = (setting.app, setting.server) == (AppLeg::Tls, ServerLeg::Starttls);
        Self {
            setting,
            stage: Stage::Quiet,
            behind: Undecided::default(),
            client_is_gone: false,
            server_is_gone: false,
            client: Held::default(),
            server: Held::default(),
            acts: Vec::new(),
            delayed: delays.then(Vec::new),
        }
    }

    fn held(&mut self, from: Peer) -> &mut Held {
        match from {
            Peer::Client => &mut self.client,
            Peer::Server => &mut self.server,
        }
    }

    /// Whether there may be something to hold or to edit, in a session that is authenticated or not.
    pub(super) fn has_work(&self, is_authenticated: bool) -> bool {
        let is_busy = !matches!(self.stage, Stage::Quiet | Stage::Refused);
        let is_tls = (self.setting.app, self.setting.server) == (AppLeg::Tls, ServerLeg::Tls);
        let is_open = self.is_promised() || !(is_tls || is_authenticated);
        is_busy || is_open || self.strikes_or_hides()
    }

    fn strikes_or_hides(&self) -> bool {
        !self.setting.hidden.is_empty() || !self.setting.faults.is_empty()
    }

    /// Whether the server's leg is to be secured still, and nothing may cross before.
    pub(super) fn is_promised(&self) -> bool {
        let may_be_cleartext = self.stage == Stage::Refused && self.setting.server_is_local;
        self.setting.server == ServerLeg::Starttls && !may_be_cleartext
    }

    /// Whether the client's octets are not to be read for now.
    pub(super) fn holds_client(&self) -> bool {
        !matches!(self.stage, Stage::Quiet | Stage::Refused)
    }

    /// Whether the connection is ended, and what the client sent before its literal was decided about
    /// had gone on: it is read now.
    pub(super) fn went_on_before_the_end(&self) -> bool {
        let went_on = |(_, fate): &(usize, Fate)| *fate == Fate::Passed;
        self.stage == Stage::Ended && self.client.ahead.iter().any(went_on)
    }

    /// Whether the relay is at a handshake on the leg to `leg`.
    pub(super) fn is_securing(&self, leg: Peer) -> bool {
        matches!(self.stage, Stage::Securing(upgrade) if upgrade.includes(leg))
    }

    /// Whether an app with TLS is given nothing of what the server says unasked: it was greeted, and
    /// its leg is not secured yet, so that anybody may have said it.
    pub(super) fn screens_server(&self) -> bool {
        self.setting.app == AppLeg::Tls && matches!(self.stage, Stage::OwnAsked { .. })
    }

    /// What is to be edited in the server's lists of capabilities, of a session that is authenticated
    /// (or about to be) or not.
    pub(super) fn edits(&self, is_authenticated: bool) -> Edits<'_> {
        let mut edits = Edits {
            hidden: &self.setting.hidden,
            removed: &[],
            offers_starttls: false,
        };
        if is_authenticated {
            return edits;
        }
        // What is said while TLS begins is given to the app when it has begun.
        let app = match self.is_securing(Peer::Client) {
            true => AppLeg::Tls,
            false => self.setting.app,
        };
        match (app, self.setting.server) {
            (AppLeg::Tls, ServerLeg::Tls) => {}
            (AppLeg::Tls, _) => edits.removed = &["STARTTLS", "LOGINDISABLED"],
            (AppLeg::Cleartext, ServerLeg::Starttls) => edits.removed = &["LOGINDISABLED"],
            (AppLeg::Cleartext, _) => edits.offers_starttls = true,
        }
        edits
    }

    /// So many octets of `from` were read.
    pub(super) fn arrived(&mut self, from: Peer, octets: usize) {
        self.held(from).waiting += octets;
    }

    /// How many of the octets that are framed next have the same fate; `octets` are there.
    pub(super) fn with_one_fate(&self, from: Peer, octets: usize) -> usize {
        let held = match from {
            Peer::Client => &self.client,
            Peer::Server => &self.server,
        };
        held.ahead.front().map_or(octets, |run| run.0.min(octets))
    }

    /// So many octets [with one fate](Self::with_one_fate) belong to the message that is being read.
    /// What became of them before, if anything.
    pub(super) fn framed(&mut self, from: Peer, octets: usize) -> Option<Fate> {
        let held = self.held(from);
        let Some((length, fate)) = held.ahead.front_mut() else {
            held.framed = (held.framed + octets).min(held.waiting);
            return None;
        };
        let fate = *fate;
        *length = length.saturating_sub(octets);
        if *length == 0 {
            held.ahead.pop_front();
        }
        if fate == Fate::Passed {
            held.gone += octets;
        }
        Some(fate)
    }

    /// Whether all of a message is held that has so many octets.
    pub(super) fn holds(&mut self, from: Peer, octets: usize) -> bool {
        self.held(from).framed == octets
    }

    /// Whether more than so many octets of a message are held.
    pub(super) fn is_framed_beyond(&mut self, from: Peer, octets: usize) -> bool {
        self.held(from).framed > octets
    }

    /// The message that is being read goes on, or `instead` does.
    pub(super) fn release(&mut self, from: Peer, instead: Option<Vec<u8>>) {
        let octets = std::mem::take(&mut self.held(from).framed);
        if instead.is_none() {
            self.count_gone(from, octets);
        }
        self.let_go(from, octets, instead);
    }

    fn count_gone(&mut self, from: Peer, octets: usize) {
        let is_delayed = from == Peer::Server && self.delayed.is_some();
        if self.stage != Stage::Ended && !is_delayed {
            self.held(from).gone += octets;
        }
    }

    /// How many octets of the message that was being read went on; another one is read from here on.
    pub(super) fn take_gone(&mut self, from: Peer) -> usize {
        std::mem::take(&mut self.held(from).gone)
    }

    /// Everything that waits goes on.
    pub(super) fn release_all(&mut self, from: Peer) {
        let octets = self.held(from).waiting;
        let framed = std::mem::take(&mut self.held(from).framed);
        self.count_gone(from, framed);
        self.let_go(from, octets, None);
    }

    /// Everything that waits goes on, the octets included that are framed later.
    pub(super) fn release_ahead(&mut self, from: Peer) {
        self.ahead(from, Fate::Passed);
        self.release_all(from);
    }

    /// The same, and all of it is dropped.
    pub(super) fn drop_ahead(&mut self, from: Peer) {
        self.ahead(from, Fate::Dropped);
        let held = self.held(from);
        held.framed = 0;
        let octets = held.waiting;
        self.let_go(from, octets, Some(Vec::new()));
    }

    fn ahead(&mut self, from: Peer, fate: Fate) {
        let held = self.held(from);
        let octets = held.waiting.saturating_sub(held.framed);
        match held.ahead.back_mut() {
            Some((length, last)) if *last == fate => *length += octets,
            _ if octets > 0 => held.ahead.push_back((octets, fate)),
            _ => {}
        }
    }

    /// So many octets are dropped that were not framed.
    pub(super) fn drop_unframed(&mut self, from: Peer, octets: usize) {
        self.let_go(from, octets, Some(Vec::new()));
    }

    fn let_go(&mut self, from: Peer, octets: usize, instead: Option<Vec<u8>>) {
        let held = self.held(from);
        let octets = octets.min(held.waiting);
        held.waiting -= octets;
        if octets == 0 || self.stage == Stage::Ended {
            return;
        }
        let acts = match (&mut self.delayed, from) {
            (Some(delayed), Peer::Server) => delayed,
            _ => &mut self.acts,
        };
        match (acts.last_mut(), instead) {
            (
                Some(Act::Pass {
                    from: last,
                    octets: before,
                }),
                None,
            ) if *last == from => *before += octets,
            (_, None) => acts.push(Act::Pass { from, octets }),
            (_, Some(with)) => acts.push(Act::Replace { from, octets, with }),
        }
    }

    /// mailscope's own octets go to this peer.
    pub(super) fn say(&mut self, to: Peer, octets: &[u8]) {
        self.acts.push(Act::Say {
            to,
            octets: octets.to_vec(),
        });
    }

    /// The relay is to begin TLS.
    pub(super) fn secure(&mut self, upgrade: Upgrade) {
        self.stage = Stage::Securing(upgrade);
        if upgrade == Upgrade::App {
            // The app takes what comes behind the OK for TLS.
            self.delayed.get_or_insert_default();
        }
        self.acts.push(Act::Secure(upgrade));
    }

    /// The relay is to end the connection.
    pub(super) fn end(&mut self, note: crate::event::Note) {
        if self.stage == Stage::Ended {
            return;
        }
        self.stage = Stage::Ended;
        self.delayed = None;
        self.acts.push(Act::End(Box::new(note)));
    }

    /// The relay is to break the connection off, for this fault.
    pub(super) fn break_off(&mut self, how: Break, fault: Arc<str>) {
        if self.stage != Stage::Ended {
            self.stage = Stage::Ended;
            self.stop_delaying();
            self.acts.push(Act::Break(how, fault));
        }
    }

    /// TLS has begun: the legs are what they are now, and what was delayed goes on.
    pub(super) fn secured(&mut self) {
        let Stage::Securing(upgrade) = self.stage else {
            return;
        };
        self.stage = Stage::Quiet;
        if upgrade.includes(Peer::Client) {
            self.setting.app = AppLeg::Tls;
        }
        if upgrade.includes(Peer::Server) {
            self.setting.server = ServerLeg::Tls;
        }
        self.stop_delaying();
    }

    /// Nothing is hidden from here on; whether something was.
    pub(super) fn stop_hiding(&mut self) -> bool {
        !std::mem::take(&mut self.setting.hidden).is_empty()
    }

    /// Nothing is struck from here on; whether something may have been.
    pub(super) fn stop_striking(&mut self) -> bool {
        !std::mem::take(&mut self.setting.faults).is_empty()
    }

    /// What was delayed goes on.
    pub(super) fn stop_delaying(&mut self) {
        self.acts.extend(self.delayed.take().unwrap_or_default());
    }

    /// TLS will not begin: what was delayed is dropped.
    pub(super) fn drop_delayed(&mut self) {
        for act in self.delayed.take().unwrap_or_default() {
            if let Act::Pass { from, octets } | Act::Replace { from, octets, .. } = act {
                let with = Vec::new();
                self.acts.push(Act::Replace { from, octets, with });
            }
        }
    }

    /// Takes what the relay is to do.
    pub(super) fn take_acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
    }
}

/// Commands that hold no secret, and that a server answers before TLS as well as behind it.
pub(super) fn is_harmless(name: &str) -> bool {
    matches!(name, "CAPABILITY" | "ID" | "LOGOUT" | "NOOP" | "STARTTLS")
}

/// Whether these octets, the beginning of a line, may become a STARTTLS command.
pub(super) fn may_become_starttls(line: &[u8]) -> bool {
    const LONGEST_TAG: usize = 64;
    let tag = line.iter().take_while(|octet| octet.is_ascii_graphic());
    let tag = tag.count();
    if tag > LONGEST_TAG {
        return false;
    }
    let Some(name) = line[tag..].strip_prefix(b" ") else {
        return tag == line.len();
    };
    let name = name.trim_ascii_end();
    let full = b"STARTTLS";
    name.len() <= full.len() && name.eq_ignore_ascii_case(&full[..name.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_become_starttls_is_held_and_nothing_else() {
        for line in [
            "",
            "a",
            "a1",
            "a ",
            "a S",
            "a starttl",
            "a STARTTLS",
            "a STARTTLS\r",
        ] {
            assert!(may_become_starttls(line.as_bytes()), "{line:?}");
        }
        for line in [
            "a L",
            "a STARTTLSX",
            "a  S",
            "a LOGIN u p",
            "\x16\x03",
            "\u{fc} S",
        ] {
            assert!(!may_become_starttls(line.as_bytes()), "{line:?}");
        }
        assert!(!may_become_starttls(&[b'x'; 65]));
    }

    #[test]
    fn octets_that_went_ahead_are_not_let_go_twice() {
        let mut bridge = Bridge::new(Setting::default());
        bridge.arrived(Peer::Client, 10);
        bridge.framed(Peer::Client, 4);
        bridge.release_ahead(Peer::Client);
        bridge.arrived(Peer::Client, 5);
        bridge.drop_ahead(Peer::Client);
        bridge.arrived(Peer::Client, 5);
        for run in [(6, Some(Fate::Passed)), (5, Some(Fate::Dropped)), (9, None)] {
            let octets = bridge.with_one_fate(Peer::Client, 9);
            assert_eq!((octets, bridge.framed(Peer::Client, octets)), run);
        }
        bridge.release(Peer::Client, Some(b"x".to_vec()));
        assert_eq!(
            bridge.take_acts(),
            [
                Act::Pass {
                    from: Peer::Client,
                    octets: 10
                },
                Act::Replace {
                    from: Peer::Client,
                    octets: 5,
                    with: Vec::new()
                },
                Act::Replace {
                    from: Peer::Client,
                    octets: 5,
                    with: b"x".to_vec()
                }
            ]
        );
    }
}
