//! One connection to the real server: its octets, its reading and its recording.
//!
//! What goes over it is said either by the app, and its answers are the app's, or by mailscope on its
//! own behalf: then the transcript says so (`"from":"mailscope"`), and that the app was given nothing
//! of the answers (`"sent":[]`). STARTTLS is the observer's bridging, the same that a relay has.
//!
//! Nothing is recorded before [`Leg::begin_recording`]: what was prepared for a command that was not
//! passed in the end is not worth a connection in the transcript.

mod connecting;
mod reading;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::Sender;

use super::super::raw::{Raw, Step};
use super::super::standing::Standing;
use super::{Reply, Upstream};
use crate::event::{Awaited, Body, Draft, Numbers, Peer, Status};
use crate::limits;
use crate::net::Transport;
use crate::protocol::Protocol;
use crate::protocol::imap::{Observer, State};

/// Who says what goes to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The app, through us.
    App,
    /// We ourselves.
    Mailscope,
}

/// The server is gone.
pub struct Lost {
    /// Why.
    pub why: String,
    /// It has said BYE, or half a message.
    pub is_final: bool,
}

impl Lost {
    pub(super) fn because(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            is_final: false,
        }
    }
}

/// How a command of ours was answered.
pub struct Answer {
    /// `None` where it is none of the statuses.
    pub status: Option<Status>,
    /// The response code's name, upper case.
    pub code: Option<String>,
    /// The human-readable text.
    pub text: String,
}

/// A connection to the server.
pub struct Leg {
    upstream: Arc<Upstream>,
    transport: Option<Transport>,
    buffer: Vec<u8>,
    /// Read already, but not taken in: what came behind an answer belongs to the next exchange.
    early: Vec<u8>,
    observer: Observer,
    /// Octets of the client and of the server that the observer has not let go.
    waiting: [VecDeque<u8>; 2],
    to_server: Vec<u8>,
    to_app: Vec<u8>,
    speaker: Speaker,
    /// What is being said, until its command is read.
    saying: Option<Raw>,
    /// Its tag.
    tag: Vec<u8>,
    /// The command that waits for its answer.
    awaited: Option<u64>,
    answer: Option<Answer>,
    /// What the server's last `+` was for, if it was not seen to.
    go_ahead: Option<Awaited>,
    secures: bool,
    ended: Option<String>,
    is_torn: bool,
    greeted: Option<Status>,
    standing: Standing,
    capabilities: BTreeSet<String>,
    recording: Recording,
    own_commands: u64,
    is_closed: bool,
}

enum Recording {
    /// Not yet; this would be the beginning.
    Held(Vec<Draft>),
    /// Into the transcript, as this connection.
    Begun(Numbers),
}

/// Octets of what was held that are recorded all the same.
const HELD: usize = limits::RECORDING_QUEUE;

impl Leg {
    /// `host:port`
    pub fn name(&self) -> String {
        self.upstream.server.name()
    }

    /// Where the session is.
    pub fn state(&self) -> State {
        self.observer.state()
    }

    /// What the session has brought about.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Whether the server has this capability, as far as it said.
    pub fn has(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// Whether the server has listed its capabilities, and none of these is among them.
    pub fn lists_without(&self, capabilities: &[&str]) -> bool {
        let has = |capability: &&str| self.has(capability);
        !self.capabilities.is_empty() && !capabilities.iter().any(has)
    }

    /// Whether the connection can be used.
    pub fn is_usable(&self) -> bool {
        self.ended.is_none() && self.state() != State::Logout
    }

    /// Who speaks from here on.
    pub fn speak_as(&mut self, speaker: Speaker) {
        self.speaker = speaker;
    }

    /// From here on the transcript has this connection, from its beginning.
    pub fn begin_recording(&mut self) {
        let Recording::Held(drafts) = &mut self.recording else {
            return;
        };
        let recorder = &self.upstream.recorder;
        let mut numbers = recorder.connection();
        recorder.publish(&mut numbers, drafts);
        self.recording = Recording::Begun(numbers);
    }

    /// What the server said to the app and was not delivered.
    pub fn take_for_the_app(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.to_app)
    }

    /// Delivers it.
    pub async fn deliver(&mut self, replies: &Sender<Reply>) {
        let octets = self.take_for_the_app();
        if !octets.is_empty() {
            // An app that is gone ends all this in another way.
            let _ = replies.send(Reply::Octets(octets)).await;
        }
    }

    /// Whether what was said has its tagged answer.
    pub fn is_answered(&self) -> bool {
        self.answer.is_some()
    }

    /// Says a command of mailscope's own, `turns` where it asks for them, and hears its answer.
    pub async fn ask(&mut self, command: &Raw, turns: &[Raw]) -> Result<Answer, String> {
        self.speak_as(Speaker::Mailscope);
        self.own_commands += 1;
        let tag = format!("mailscope{}", self.own_commands);
        let asked = async {
            self.say(tag.as_bytes(), command, None).await?;
            let mut turns = turns.iter();
            loop {
                if let Some(answer) = self.answer.take() {
                    return Ok(answer);
                }
                if self.go_ahead.take() == Some(Awaited::Sasl) {
                    // With none left the exchange is given up (RFC 9051, section 6.2.2).
                    let turn = turns.next().cloned();
                    let turn = turn.unwrap_or_else(|| Raw::line(b"*\r\n"));
                    self.say(b"", &turn, None).await?;
                    continue;
                }
                self.read().await?;
            }
        };
        match tokio::time::timeout(limits::OWN_ANSWER, asked).await {
            Ok(answered) => answered.map_err(|lost: Lost| lost.why),
            Err(_) => Err(self.silent()),
        }
    }

    /// Ends a session in which nothing goes on, as one does.
    pub async fn leave(mut self) {
        let farewell = async {
            if self.is_usable() {
                let _ = self.ask(&Raw::own("LOGOUT"), &[]).await;
            }
            if let Some(transport) = &mut self.transport {
                let _ = transport.shutdown().await;
            }
        };
        let _ = tokio::time::timeout(limits::END_CONNECTIONS, farewell).await;
        self.close(None);
    }

    fn silent(&mut self) -> String {
        let seconds = limits::OWN_ANSWER.as_secs();
        let why = format!("{} was silent for {seconds} s", self.name());
        self.ended = Some(why.clone());
        why
    }

    /// Says a message, a command if it has a tag; waits for the go-ahead of its literals. What the
    /// server says to the app meanwhile goes to `replies`.
    pub async fn say(
        &mut self,
        tag: &[u8],
        raw: &Raw,
        replies: Option<&Sender<Reply>>,
    ) -> Result<(), Lost> {
        // A command's beginning goes out in one piece.
        let mut head = tag.to_vec();
        if !tag.is_empty() {
            self.saying = Some(raw.clone());
            self.tag = tag.to_vec();
            self.answer = None;
            self.awaited = None;
            self.go_ahead = None;
        } else {
            self.standing.continuation(raw);
        }
        for step in raw.steps() {
            match step {
                Step::Octets(octets) => {
                    head.extend_from_slice(octets);
                    self.write(&std::mem::take(&mut head)).await?;
                }
                Step::Spooled(spooled) => {
                    let mut piece = vec![0; limits::READ];
                    let mut from = 0;
                    loop {
                        let length = spooled.read(from, &mut piece).map_err(|error| Lost {
                            why: format!("what the app said cannot be read again: {error}"),
                            is_final: true,
                        })?;
                        if length == 0 {
                            break;
                        }
                        from += length as u64;
                        self.write(&piece[..length]).await?;
                    }
                }
                Step::GoAhead => {
                    while self.go_ahead.take() != Some(Awaited::Literal) {
                        if self.is_answered() {
                            return Ok(()); // it does not want the literal
                        }
                        self.read().await?;
                        if let Some(replies) = replies {
                            self.deliver(replies).await;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn write(&mut self, octets: &[u8]) -> Result<(), Lost> {
        self.upstream.recorder.room().await;
        let at = self.upstream.recorder.now();
        self.waiting[0].extend(octets);
        let mut drafts = Vec::new();
        let verdict = self.observer.observe(Peer::Client, octets, at, &mut drafts);
        self.take_in(drafts);
        self.obey(verdict);
        self.flush().await
    }

    /// Reads what the server says next; what is for the app is to be delivered. Nothing is lost when
    /// this is dropped before it is done.
    pub async fn read(&mut self) -> Result<(), Lost> {
        self.upstream.recorder.room().await;
        let Some(transport) = &mut self.transport else {
            return Err(self.lost(None));
        };
        if !self.early.is_empty() {
            let early = std::mem::take(&mut self.early);
            self.hear_all(&early);
            return self.flush().await;
        }
        let length = match transport.read(&mut self.buffer).await {
            Ok(0) => return Err(self.lost(None)),
            Ok(length) => length,
            Err(error) => return Err(self.lost(Some(&error))),
        };
        let octets = self.buffer[..length].to_vec();
        self.hear_all(&octets);
        self.flush().await
    }

    /// Whether the server is there still, as far as that is known without a word to it; what it has
    /// said meanwhile is read later.
    pub async fn is_there(&mut self) -> bool {
        while let Some(transport) = &mut self.transport
            && self.early.len() < limits::READ
        {
            let read = transport.read(&mut self.buffer);
            match tokio::time::timeout(Duration::ZERO, read).await {
                Err(_) => return true,
                Ok(Ok(length @ 1..)) => self.early.extend_from_slice(&self.buffer[..length]),
                Ok(_) => {
                    self.ended = Some(format!("{} closed the connection", self.name()));
                    return false;
                }
            }
        }
        self.transport.is_some()
    }

    /// Does what the observer asked for besides passing octets on.
    async fn flush(&mut self) -> Result<(), Lost> {
        let octets = std::mem::take(&mut self.to_server);
        if !octets.is_empty()
            && let Some(transport) = &mut self.transport
        {
            let written = async {
                transport.write_all(&octets).await?;
                transport.flush().await
            };
            if let Err(error) = written.await {
                return Err(self.lost(Some(&error)));
            }
        }
        if std::mem::take(&mut self.secures) {
            let Some(Transport::Plain(tcp)) = self.transport.take() else {
                return Err(Lost::because("TLS was to begin where it is in use"));
            };
            self.begin_tls(tcp).await.map_err(Lost::because)?;
            let mut drafts = Vec::new();
            let verdict = self.observer.secured(&mut drafts);
            self.take_in(drafts);
            self.obey(verdict);
        }
        match &self.ended {
            Some(why) => Err(Lost::because(why.clone())),
            None => Ok(()),
        }
    }

    fn lost(&mut self, error: Option<&std::io::Error>) -> Lost {
        let mut drafts = Vec::new();
        let at = self.upstream.recorder.now();
        let _ = self.observer.ended(Peer::Server, at, &mut drafts);
        self.take_in(drafts);
        let why = match error {
            Some(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                format!("the connection to {} broke off ({error})", self.name())
            }
            _ => format!("{} closed the connection", self.name()),
        };
        self.ended = Some(why.clone());
        Lost {
            why,
            is_final: self.is_torn || self.state() == State::Logout,
        }
    }

    /// The connection's last event.
    pub fn close(&mut self, reason: Option<String>) {
        if std::mem::replace(&mut self.is_closed, true) {
            return;
        }
        // Nobody asked for it, and nobody will.
        self.speak_as(Speaker::Mailscope);
        let early = std::mem::take(&mut self.early);
        self.hear(&early);
        let at = self.upstream.recorder.now();
        let mut drafts = Vec::new();
        for peer in [Peer::Client, Peer::Server] {
            let _ = self.observer.ended(peer, at, &mut drafts);
        }
        drafts.push(Draft::new(0, at, Body::Closed { reason }));
        self.take_in(drafts);
        self.transport = None;
    }
}

impl Drop for Leg {
    fn drop(&mut self) {
        let reason = self.ended.clone();
        self.close(Some(
            reason.unwrap_or_else(|| "mailscope was stopped".into()),
        ));
    }
}
