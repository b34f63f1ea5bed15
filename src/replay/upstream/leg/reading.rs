//! What is read on a connection to the server: who is given it, what it brings about, and what is
//! recorded of it.

use std::collections::BTreeSet;

use super::{Answer, HELD, Leg, Recording, Speaker};
use crate::event::{Awaited, Body, Draft, Passed, Peer, Reading, Relation, Said, Sealed, Value};
use crate::protocol::{Act, Protocol, Verdict};

impl Leg {
    /// Takes in what the server said, up to the answer that is waited for.
    pub(super) fn hear_all(&mut self, octets: &[u8]) {
        // A `+` among them may not be for the app.
        let is_go_ahead_due = self.observer.awaits_go_ahead();
        let (mut start, mut line) = (0, 0);
        while let Some(length) = memchr::memchr(b'\n', &octets[line..]) {
            let end = line + length + 1;
            // Its beginning may have come before, or it is the answer.
            let counts = line == 0 || octets[line..].starts_with(&self.tag);
            line = end;
            if !counts && !is_go_ahead_due {
                continue;
            }
            self.hear(&octets[start..end]);
            start = end;
            if self.is_answered() {
                return self.early.extend_from_slice(&octets[start..]);
            }
        }
        self.hear(&octets[start..]);
    }

    pub(super) fn hear(&mut self, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        let at = self.upstream.recorder.now();
        let before = self.to_app.len();
        self.waiting[1].extend(octets);
        let mut drafts = Vec::new();
        let verdict = self.observer.observe(Peer::Server, octets, at, &mut drafts);
        let is_for_a_literal = drafts.iter().any(|draft| match draft.body() {
            Body::Said(said) => is_literals_go_ahead(said),
            _ => false,
        });
        self.take_in(drafts);
        self.obey(verdict);
        if is_for_a_literal {
            self.to_app.truncate(before);
        }
    }

    pub(super) fn obey(&mut self, verdict: Verdict) {
        let Verdict::Acts(acts) = verdict else {
            let (client, server) = (self.waiting[0].len(), self.waiting[1].len());
            self.pass(Peer::Client, client);
            return self.pass(Peer::Server, server);
        };
        for act in acts {
            match act {
                Act::Pass { from, octets } => self.pass(from, octets),
                Act::Replace { from, octets, with } => {
                    let kept = (self.to_server.len(), self.to_app.len());
                    self.pass(from, octets);
                    self.to_server.truncate(kept.0);
                    self.to_app.truncate(kept.1);
                    self.give(from, &with);
                }
                Act::Say { to, octets } => self.give(to.other(), &octets),
                Act::Secure(_) => self.secures = true,
                // No fault strikes here.
                Act::Break(..) => {}
                Act::End(note) => {
                    self.tell(Body::Note(note.finding()));
                    self.ended = Some(note.text());
                }
            }
        }
    }

    pub(super) fn pass(&mut self, from: Peer, octets: usize) {
        let waiting = &mut self.waiting[usize::from(from == Peer::Server)];
        let octets: Vec<u8> = waiting.drain(..octets.min(waiting.len())).collect();
        self.give(from, &octets);
    }

    pub(super) fn give(&mut self, from: Peer, octets: &[u8]) {
        match (from, self.speaker) {
            (Peer::Client, _) => self.to_server.extend_from_slice(octets),
            (Peer::Server, Speaker::App) => self.to_app.extend_from_slice(octets),
            (Peer::Server, Speaker::Mailscope) => {}
        }
    }

    /// Notes what was read, completes it by who said it to whom, and records it.
    pub(super) fn take_in(&mut self, mut drafts: Vec<Draft>) {
        for draft in &mut drafts {
            let ordinal = draft.ordinal();
            if let Body::Said(said) = draft.body_mut() {
                self.said(ordinal, said);
            }
        }
        match &mut self.recording {
            Recording::Begun(numbers) => self.upstream.recorder.publish(numbers, &mut drafts),
            Recording::Held(held) => {
                held.append(&mut drafts);
                if held
                    .iter()
                    .map(|draft| draft.body().weight())
                    .sum::<usize>()
                    > HELD
                {
                    self.begin_recording();
                }
            }
        }
    }

    pub(super) fn said(&mut self, ordinal: u64, said: &mut Said) {
        let is_own = self.speaker == Speaker::Mailscope;
        self.is_torn |= said.incomplete && said.from == Peer::Server;
        if said.from == Peer::Client {
            let is_command = matches!(said.reading, Reading::Command { .. });
            if let Some(raw) = self.saying.take_if(|_| is_command) {
                self.standing.command(ordinal, said, &raw);
                self.awaited = Some(ordinal);
            }
            if is_own {
                said.passed = Passed::Own;
            }
            return;
        }
        self.standing.response(said);
        if let Some(listed) = capabilities(said) {
            self.capabilities = listed;
        }
        match (&said.reading, &said.relation) {
            (Reading::Greeting { status }, _) => self.greeted = *status,
            (Reading::ContinuationRequest { awaited, .. }, _) => self.go_ahead = *awaited,
            (Reading::Tagged { status, .. }, Relation::Answers(command))
                if Some(*command) == self.awaited =>
            {
                self.answer = Some(Answer {
                    status: *status,
                    code: said.code().map(|code| code.name),
                    text: said.human_text().unwrap_or_default().trim_end().to_owned(),
                });
            }
            _ => {}
        }
        if is_own || is_literals_go_ahead(said) {
            said.passed = Passed::Instead(Sealed::default());
        }
    }

    pub(super) fn tell(&mut self, body: Body) {
        let draft = Draft::new(0, self.upstream.recorder.now(), body);
        self.take_in(vec![draft]);
    }
}

/// The capabilities that a response lists, in upper case.
fn capabilities(said: &Said) -> Option<BTreeSet<String>> {
    let code = said.code().filter(|code| code.name == "CAPABILITY");
    let values = match (&said.reading, code) {
        (Reading::Untagged { name, .. }, _) if name == "CAPABILITY" => said.arguments(),
        (_, code) => code?.values,
    };
    let names = values.iter().filter_map(Value::bytes);
    Some(
        names
            .map(|name| String::from_utf8_lossy(name).to_ascii_uppercase())
            .collect(),
    )
}

/// The app has had its own go-ahead when it sent the literal.
fn is_literals_go_ahead(said: &Said) -> bool {
    matches!(
        said.reading,
        Reading::ContinuationRequest {
            awaited: Some(Awaited::Literal),
            ..
        }
    )
}
