//! Between legs of different security nothing crosses but what the events tell: the octets that a peer
//! is given are those that were read from the other one, with each edit that is recorded; and all that
//! was read is told, in order.

use mailscope::event::{Body, Draft, Event, Gate, Micros, Numbers, Passed, Peer, Secrets};
use mailscope::fault::{Fault, Faults};
use mailscope::limits;
use mailscope::protocol::imap::{AppLeg, Hidden, Observer, ServerLeg, Setting};
use mailscope::protocol::{Act, Protocol, Verdict};

use super::shown;
use super::sound::{Parts, line, sound, wires};
use super::talk::{Reads, Talk};

/// The first octet picks the legs and who leaves first, the second one what the user asked for.
pub fn bridge(data: &[u8]) {
    let [legs, asked, data @ ..] = data else {
        return;
    };
    let talk = Talk::of(data);
    for reads in [Reads::Whole, Reads::Cut] {
        let gate = Gate::new(Secrets::Shown);
        let mut relay = Relay::played((*legs, *asked), gate, &talk, reads);
        let events = relay.events();
        relay.check(&events);
    }
}

/// What is told of the conversation between such legs.
pub fn bridged(asked: (u8, u8), gate: Gate, talk: &Talk, reads: Reads) -> Vec<Event> {
    Relay::played(asked, gate, talk, reads).events()
}

fn setting(legs: u8, asked: u8) -> Setting {
    let hidden: &[&str] = match asked % 4 {
        0 => &[],
        1 => &["IDLE"],
        2 => &["STARTTLS", "COMPRESS=*"],
        _ => &["*"],
    };
    let faults: &[&str] = match asked / 4 % 8 {
        0..=2 => &[],
        3 => &["no:NOOP=ALERT", "bye:SELECT"],
        4 => &["uidvalidity"],
        5 => &["lie-literal", "stall:APPEND", "no:LOGIN"],
        6 => &["close-after=SELECT", "stall:NOOP", "reset:FETCH"],
        _ => &["bad@0.5", "uidvalidity=7"],
    };
    let faults: Vec<Fault> = faults
        .iter()
        .map(|fault| fault.parse().expect("it is a fault"))
        .collect();
    Setting {
        app: match legs % 2 {
            0 => AppLeg::Tls,
            _ => AppLeg::Cleartext,
        },
        server: match legs / 2 % 3 {
            0 => ServerLeg::Tls,
            1 => ServerLeg::Starttls,
            _ => ServerLeg::Cleartext,
        },
        server_is_local: legs / 6 % 2 == 1,
        hidden: Hidden::new(hidden.iter().copied()),
        faults: Faults::new(faults, 9051).strikes(1),
    }
}

/// One direction.
#[derive(Default)]
struct Way {
    /// All that was read.
    read: Vec<u8>,
    waiting: Vec<u8>,
    /// What the peer at its end was given of what the other one said, as it was or edited.
    given: Vec<u8>,
    /// What it was told by mailscope itself, which may be before what waits.
    own: Vec<u8>,
}

/// What the relay does with the observer's word.
struct Relay {
    observer: Observer,
    drafts: Vec<Draft>,
    up: Way,
    down: Way,
    is_over: bool,
    /// A line is told as passed on when it begins to wait for the server's TLS, which may not come.
    may_wait: bool,
}

impl Relay {
    fn played((legs, asked): (u8, u8), gate: Gate, talk: &Talk, reads: Reads) -> Self {
        let mut relay = Self::new(setting(legs, asked), gate);
        for (step, at) in talk.steps.iter().zip(0..) {
            for octets in step.reads(reads) {
                relay.read(step.from, octets, Micros(at));
            }
        }
        let leaves = match legs / 12 % 2 {
            0 => [Peer::Client, Peer::Server],
            _ => [Peer::Server, Peer::Client],
        };
        let at = Micros(talk.steps.len() as u64);
        for from in leaves {
            let verdict = relay.observer.ended(from, at, &mut relay.drafts);
            if !relay.is_over {
                relay.obey(verdict);
            }
        }
        relay
    }

    fn new(setting: Setting, gate: Gate) -> Self {
        Self {
            may_wait: setting.server == ServerLeg::Starttls,
            observer: Observer::bridging(gate, setting),
            drafts: Vec::new(),
            up: Way::default(),
            down: Way::default(),
            is_over: false,
        }
    }

    fn way(&mut self, from: Peer) -> &mut Way {
        match from {
            Peer::Client => &mut self.up,
            Peer::Server => &mut self.down,
        }
    }

    fn read(&mut self, from: Peer, octets: &[u8], at: Micros) {
        if self.is_over || self.way(from).waiting.len() >= limits::WAITING {
            return;
        }
        let way = self.way(from);
        way.read.extend_from_slice(octets);
        way.waiting.extend_from_slice(octets);
        let verdict = self.observer.observe(from, octets, at, &mut self.drafts);
        self.obey(verdict);
        while self.observer.read_on(&mut self.drafts) {}
    }

    fn obey(&mut self, verdict: Verdict) {
        let Verdict::Acts(acts) = verdict else {
            for from in [Peer::Client, Peer::Server] {
                let way = self.way(from);
                let waiting = std::mem::take(&mut way.waiting);
                way.given.extend(waiting);
            }
            return;
        };
        let mut secures = false;
        for act in acts {
            assert!(!self.is_over, "{act:?} behind the end");
            match act {
                Act::Pass { from, octets } => {
                    let way = self.way(from);
                    assert!(
                        octets <= way.waiting.len(),
                        "{octets} of {}",
                        way.waiting.len()
                    );
                    way.given.extend(way.waiting.drain(..octets));
                }
                Act::Replace { from, octets, with } => {
                    let way = self.way(from);
                    assert!(
                        octets <= way.waiting.len(),
                        "{octets} of {}",
                        way.waiting.len()
                    );
                    way.waiting.drain(..octets);
                    way.given.extend(with);
                }
                Act::Say { to, octets } => self.way(to.other()).own.extend(octets),
                Act::Secure(_) => secures = true,
                Act::End(_) | Act::Break(..) => self.is_over = true,
            }
        }
        if secures && !self.is_over {
            let verdict = self.observer.secured(&mut self.drafts);
            self.obey(verdict);
        }
    }

    fn events(&mut self) -> Vec<Event> {
        let mut numbers = Numbers::new(1);
        let drafts = std::mem::take(&mut self.drafts).into_iter().zip(1..);
        drafts.map(|(draft, n)| numbers.number(draft, n)).collect()
    }

    fn check(mut self, events: &[Event]) {
        sound(events);
        if events
            .iter()
            .any(|event| matches!(event.body, Body::Compressed))
        {
            return;
        }
        let may_end_before = self.is_over || self.may_wait;
        for from in [Peer::Client, Peer::Server] {
            let (told, own) = told(events, from);
            let way = self.way(from);
            let (read, wires) = (shown(&way.read), shown(&wires(events, from)));
            assert_eq!(wires, read, "what {from:?} said");
            let lines = || events.iter().map(line).collect::<Vec<_>>().join("\n");
            let agree = |told: &[u8], given: &[u8]| {
                // What was told and not given stands at the end: the connection ended before.
                told.starts_with(given) && (may_end_before || told.len() == given.len())
            };
            for (told, given) in [(told, &way.given), (own, &way.own)] {
                assert!(
                    agree(&told, given),
                    "given: {}\n told: {}\n{}",
                    shown(given),
                    shown(&told),
                    lines()
                );
            }
        }
    }
}

/// What the other side of this peer was given, by the events: of what the peer said, and of mailscope's
/// own.
fn told(events: &[Event], from: Peer) -> (Vec<u8>, Vec<u8>) {
    let (mut told, mut own) = (Vec::new(), Vec::new());
    let mut parts = Parts::default();
    for event in events {
        let Body::Said(said) = &event.body else {
            continue;
        };
        match &said.passed {
            _ if said.from != from => {}
            Passed::Instead(sent) => told.extend(parts.put_in_place(event, said, sent)),
            Passed::AsRead => told.extend(parts.put_in_place(event, said, &said.wire)),
            Passed::Own => own.extend_from_slice(said.wire.bytes()),
        }
    }
    (told, own)
}
