//! The real server behind a replay, for one live connection: what nothing recorded fits is passed to
//! it, and recorded.
//!
//! ```text
//! player -- Order::Pass ----> Worker   brings the server's session to where the app's stands
//!                                      -> server: the app's own octets
//!        <- Reply::Octets ---          <- server: its answers, as they come
//!        -- Order::Say -----> ...      -> server: DONE, a SASL turn
//!        <- Reply::Done -----          <- server: the tagged answer
//! ```
//!
//! The connection to the server is a session of its own in the transcript, from the first command on
//! that is passed. What is not here: which commands are passed (`player`), and what is recorded of the
//! app's own connection (nothing).

mod bring;
mod denied;
mod leg;

use std::sync::Arc;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::raw::Raw;
use super::recorder::Recorder;
use super::standing::Standing;
use crate::event::Gate;
use crate::limits;
use crate::net::{Ours, ServerAddress, TlsToServer};
pub use denied::Denied;
use leg::{Leg, Lost, Speaker};

/// The real server, and what every connection to it takes.
pub struct Upstream {
    /// Where it is.
    pub server: ServerAddress,
    /// TLS with it; `None` where it is to be spoken to in cleartext.
    pub tls: Option<TlsToServer>,
    /// Its certificate is not verified.
    pub insecure: bool,
    /// Where what it says is recorded.
    pub recorder: Recorder,
    /// Nothing is answered from a recording: the server greets the app itself.
    pub is_all: bool,
    /// Our own listeners, which are not connected to.
    pub ours: Ours,
    /// Logins that it refused.
    pub denied: Denied,
}

/// A command for the server, and where the app's session stands.
pub struct Errand {
    /// The command.
    pub command: Raw,
    /// Its name, upper case.
    pub name: String,
    /// Whether the app has logged in.
    pub is_authenticated: bool,
    /// What else stands.
    pub standing: Standing,
}

/// What a player wants of the server.
pub enum Order {
    /// Its greeting.
    Greet,
    /// An answer to this.
    Pass(Box<Errand>),
    /// It is to be told this, as a part of the exchange that goes on.
    Say(Raw),
}

/// What came of it.
pub enum Reply {
    /// The server says this to the app.
    Octets(Vec<u8>),
    /// That was all of it, and it is recorded.
    Done,
    /// Nothing was passed on.
    Refused(String),
    /// The server went away in the middle.
    Gone {
        /// Why, as far as that is known.
        why: String,
        /// The app has half a message, or a BYE: nothing can be said to it any more.
        is_final: bool,
    },
}

/// A player's end.
pub struct Line {
    ends: Option<(Sender<Order>, Receiver<Reply>)>,
}

impl Line {
    /// Gives an order; whether there was room for it.
    pub fn order(&self, order: Order) -> bool {
        match &self.ends {
            Some((orders, _)) => orders.try_send(order).is_ok(),
            None => false,
        }
    }

    /// What comes next, where something does. Nothing is lost when this is dropped.
    pub async fn reply(&mut self) -> Reply {
        if let Some((_, replies)) = &mut self.ends
            && let Some(reply) = replies.recv().await
        {
            return reply;
        }
        std::future::pending().await
    }
}

/// What carries the orders out.
pub struct Worker {
    upstream: Option<Arc<Upstream>>,
    gate: Gate,
    orders: Receiver<Order>,
    replies: Sender<Reply>,
    leg: Option<Leg>,
    /// Something was passed whose answer has not come.
    is_amid: bool,
}

/// A line to the server for one connection, if there is a server; secrets are masked by `gate`.
pub fn line(upstream: Option<&Arc<Upstream>>, gate: &Gate) -> (Line, Worker) {
    let (orders, ordered) = channel(limits::CONTINUATIONS + 1);
    let (replies, replied) = channel(4);
    let line = Line {
        ends: upstream.map(|_| (orders, replied)),
    };
    let worker = Worker {
        upstream: upstream.map(Arc::clone),
        gate: gate.clone(),
        orders: ordered,
        replies,
        leg: None,
        is_amid: false,
    };
    (line, worker)
}

impl Worker {
    /// Works until the line is dropped, and takes its leave of the server.
    pub async fn run(mut self) {
        let Some(upstream) = self.upstream.clone() else {
            return;
        };
        let replies = self.replies.clone();
        tokio::select! {
            () = self.work(&upstream) => {}
            () = replies.closed() => {}
        }
        let Some(mut leg) = self.leg.take() else {
            return;
        };
        match self.is_amid {
            true => leg.close(Some("the app went away".into())),
            false => leg.leave().await,
        }
    }

    async fn work(&mut self, upstream: &Arc<Upstream>) {
        while let Some(order) = self.orders.recv().await {
            let reply = match order {
                Order::Greet => self.greet(upstream).await,
                Order::Pass(errand) => self.pass(upstream, &errand).await,
                // What it belonged to is over.
                Order::Say(_) => continue,
            };
            if self.replies.send(reply).await.is_err() {
                return;
            }
        }
    }

    async fn greet(&mut self, upstream: &Arc<Upstream>) -> Reply {
        match Leg::connect(upstream, &self.gate, Speaker::App).await {
            Ok(mut leg) => {
                leg.begin_recording();
                let octets = leg.take_for_the_app();
                self.leg = Some(leg);
                let _ = self.replies.send(Reply::Octets(octets)).await;
                Reply::Done
            }
            Err(why) => Reply::Refused(why),
        }
    }

    async fn pass(&mut self, upstream: &Arc<Upstream>, errand: &Errand) -> Reply {
        let leg = match bring::to(self.leg.take(), upstream, &self.gate, errand).await {
            Ok(leg) => self.leg.insert(leg),
            Err(refused) => {
                self.leg = refused.leg;
                return Reply::Refused(refused.why);
            }
        };
        leg.begin_recording();
        self.is_amid = true;
        let outcome = carry(leg, errand, &mut self.orders, &self.replies).await;
        self.is_amid = false;
        match outcome {
            Ok(()) => Reply::Done,
            Err(lost) => {
                leg.close(Some(lost.why.clone()));
                self.leg = None;
                Reply::Gone {
                    why: lost.why,
                    is_final: lost.is_final,
                }
            }
        }
    }
}

/// Passes a command on and its answers back, up to the tagged one.
async fn carry(
    leg: &mut Leg,
    errand: &Errand,
    orders: &mut Receiver<Order>,
    replies: &Sender<Reply>,
) -> Result<(), Lost> {
    leg.speak_as(Speaker::App);
    leg.say(errand.command.tag(), &errand.command, Some(replies))
        .await?;
    loop {
        leg.deliver(replies).await;
        if leg.is_answered() {
            return Ok(());
        }
        tokio::select! {
            read = leg.read() => read?,
            order = orders.recv() => match order {
                Some(Order::Say(raw)) => leg.say(b"", &raw, Some(replies)).await?,
                Some(_) => {}
                None => return Err(Lost::because("the app went away")),
            },
        }
    }
}
