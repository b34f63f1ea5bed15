//! One connection to the real server: its octets, its reading and its recording.
//!
//! What goes over it is said either by the app, and its answers are the app's, or by mailscope on its
//! own behalf: then the transcript says so (`"from":"mailscope"`), and that the app was given nothing
//! of the answers (`"sent":[]`). STARTTLS is the observer's bridging, the same that a relay has.
//!
//! Nothing is recorded before [`Leg::begin_recording`]: what was prepared for a command that was not
//! passed in the end is not worth a connection in the transcript.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Sender;

use super::super::raw::{Raw, Step};
use super::super::standing::Standing;
use super::{Reply, Upstream};
use crate::event::{
    Awaited, Body, Draft, Gate, Note, Numbers, Passed, Peer, Reading, Relation, Said, Sealed,
    Status, Value,
};
use crate::limits;
use crate::net::{Security, ServerTlsError, Transport, dial};
use crate::protocol::imap::{AppLeg, Hidden, Observer, ServerLeg, Setting, State};
use crate::protocol::{Act, Protocol, Verdict};

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
    /// The human-readable text.
    pub text: String,
}

/// A connection to the server.
pub struct Leg {
    upstream: Arc<Upstream>,
    transport: Option<Transport>,
    buffer: Vec<u8>,
    observer: Observer,
    /// Octets of the client and of the server that the observer has not let go.
    waiting: [VecDeque<u8>; 2],
    to_server: Vec<u8>,
    to_app: Vec<u8>,
    speaker: Speaker,
    /// What is being said, until its command is read.
    saying: Option<Raw>,
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
    /// Connects, and hears the server's greeting; the connection is secured then, as the user asked.
    /// The greeting is for the app if the app is the `speaker`.
    pub async fn connect(
        upstream: &Arc<Upstream>,
        gate: &Gate,
        speaker: Speaker,
    ) -> Result<Self, String> {
        let server = &upstream.server;
        let tcp = dial(server, &upstream.ours)
            .await
            .map_err(|no| no.error.in_one_line())?;
        let ends = (tcp.local_addr(), tcp.peer_addr());
        let setting = Setting {
            app: AppLeg::Tls,
            server: match server.security() {
                Security::Implicit => ServerLeg::Tls,
                Security::Starttls => ServerLeg::Starttls,
                Security::Cleartext => ServerLeg::Cleartext,
            },
            server_is_local: ends.1.is_ok_and(|address| address.ip().is_loopback()),
            // The player compresses by itself, or not at all.
            hidden: Hidden::new(["COMPRESS=*"]),
        };
        let mut leg = Self {
            upstream: Arc::clone(upstream),
            transport: None,
            buffer: vec![0; limits::READ],
            observer: Observer::bridging(gate.clone(), setting),
            waiting: Default::default(),
            to_server: Vec::new(),
            to_app: Vec::new(),
            speaker,
            saying: None,
            awaited: None,
            answer: None,
            go_ahead: None,
            secures: false,
            ended: None,
            is_torn: false,
            greeted: None,
            standing: Standing::default(),
            capabilities: BTreeSet::new(),
            recording: Recording::Held(Vec::new()),
            own_commands: 0,
            is_closed: false,
        };
        leg.tell(Body::Connected {
            client: ends
                .0
                .map(|address| address.to_string())
                .unwrap_or_default(),
            server: server.name(),
        });
        match server.security() {
            Security::Implicit => leg.begin_tls(tcp).await?,
            _ => leg.transport = Some(Transport::Plain(tcp)),
        }
        leg.hear_greeting().await?;
        Ok(leg)
    }

    async fn hear_greeting(&mut self) -> Result<(), String> {
        let greeting = async {
            while self.greeted.is_none() || self.is_securing() {
                self.read().await.map_err(|lost| lost.why)?;
            }
            Ok::<(), String>(())
        };
        match tokio::time::timeout(limits::OWN_ANSWER, greeting).await {
            Ok(greeted) => greeted?,
            Err(_) => return Err(self.silent()),
        }
        match self.greeted {
            Some(Status::Bye) => Err(format!("{} does not want us: BYE", self.name())),
            _ => Ok(()),
        }
    }

    /// Whether TLS is to begin on this leg before anything else is said.
    fn is_securing(&self) -> bool {
        self.upstream.server.security() == Security::Starttls
            && matches!(self.transport, Some(Transport::Plain(_)))
    }

    async fn begin_tls(&mut self, tcp: TcpStream) -> Result<(), String> {
        let upstream = Arc::clone(&self.upstream);
        let Some(tls) = &upstream.tls else {
            return Err("TLS with the server is not set up".into());
        };
        let connected = tls.connect(tcp, &upstream.server, Vec::new()).await;
        let (transport, secured) = connected.map_err(|error| match error {
            ServerTlsError::Untrusted { why } => {
                format!(
                    "the certificate of {} is not trusted: {why}",
                    upstream.server
                )
            }
            ServerTlsError::Failed { why } => {
                format!("the TLS handshake with {} failed: {why}", upstream.server)
            }
        })?;
        let lacks_certificate = secured.lacks_client_certificate();
        self.transport = Some(transport);
        self.tell(Body::Secured(Box::new(secured)));
        if upstream.insecure {
            self.tell(Body::Note(Note::Insecure.finding()));
        }
        if lacks_certificate {
            self.tell(Body::Note(Note::ClientCertificateWanted.finding()));
        }
        Ok(())
    }

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

    /// The end of a session that was ours.
    pub async fn log_out(&mut self) {
        if self.is_usable() {
            let _ = self.ask(&Raw::own("LOGOUT"), &[]).await;
        }
        if let Some(transport) = &mut self.transport {
            let _ = transport.shutdown().await;
        }
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
        if !tag.is_empty() {
            self.saying = Some(raw.clone());
            self.answer = None;
            self.awaited = None;
            self.go_ahead = None;
            self.write(tag).await?;
        } else {
            self.standing.continuation(raw);
        }
        for step in raw.steps() {
            match step {
                Step::Octets(octets) => self.write(octets).await?,
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
        let length = match transport.read(&mut self.buffer).await {
            Ok(0) => return Err(self.lost(None)),
            Ok(length) => length,
            Err(error) => return Err(self.lost(Some(&error))),
        };
        let octets = self.buffer[..length].to_vec();
        // A line at a time where a `+` may be among them that is not for the app.
        let is_go_ahead_due = self.observer.awaits_go_ahead();
        for piece in octets.split_inclusive(|octet| is_go_ahead_due && *octet == b'\n') {
            self.hear(piece);
        }
        self.flush().await
    }

    fn hear(&mut self, octets: &[u8]) {
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

    fn obey(&mut self, verdict: Verdict) {
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
                Act::End(note) => {
                    self.tell(Body::Note(note.finding()));
                    self.ended = Some(note.text());
                }
            }
        }
    }

    fn pass(&mut self, from: Peer, octets: usize) {
        let waiting = &mut self.waiting[usize::from(from == Peer::Server)];
        let octets: Vec<u8> = waiting.drain(..octets.min(waiting.len())).collect();
        self.give(from, &octets);
    }

    fn give(&mut self, from: Peer, octets: &[u8]) {
        match (from, self.speaker) {
            (Peer::Client, _) => self.to_server.extend_from_slice(octets),
            (Peer::Server, Speaker::App) => self.to_app.extend_from_slice(octets),
            (Peer::Server, Speaker::Mailscope) => {}
        }
    }

    /// Notes what was read, completes it by who said it to whom, and records it.
    fn take_in(&mut self, mut drafts: Vec<Draft>) {
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
                if held.iter().map(Draft::weight).sum::<usize>() > HELD {
                    self.begin_recording();
                }
            }
        }
    }

    fn said(&mut self, ordinal: u64, said: &mut Said) {
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
                    text: said.human_text().unwrap_or_default().trim_end().to_owned(),
                });
            }
            _ => {}
        }
        if is_own || is_literals_go_ahead(said) {
            said.passed = Passed::Instead(Sealed::default());
        }
    }

    fn tell(&mut self, body: Body) {
        let draft = Draft::new(0, self.upstream.recorder.now(), body);
        self.take_in(vec![draft]);
    }

    /// The connection's last event.
    pub fn close(&mut self, reason: Option<String>) {
        if std::mem::replace(&mut self.is_closed, true) {
            return;
        }
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
