//! Passwords, TLS and compression (RFC 9051, section 6.2 and 11).

use crate::event::{Peer, Reading, Status};
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::session::{Leg, Pending, Session, State};

/// Mechanisms that tell a password, or a token that is as good (RFC 7628, section 4).
const TELLING: &[&str] = &["LOGIN", "OAUTHBEARER", "PLAIN", "XOAUTH2"];

pub(super) fn check(look: &mut Look<'_>) {
    match look.said.from {
        Peer::Client => command(look),
        Peer::Server => {
            let is_preauth = matches!(
                look.said.reading,
                Reading::Greeting {
                    status: Some(Status::Preauth)
                }
            );
            if is_preauth && is_open(look.session) {
                look.add_head(Breach::PreauthInCleartext, "");
            }
        }
    }
}

/// Whether both legs are in cleartext, and go to another machine. What an app says to mailscope on
/// the same machine, which secures the server's leg, stays there.
fn is_open(session: &Session) -> bool {
    let is_clear = |peer| session.leg(peer) == Leg::Cleartext;
    let server = session.server().unwrap_or_default();
    let is_near = ["localhost", "127.", "[::1]", "::1"]
        .iter()
        .any(|near| server.starts_with(near));
    is_clear(Peer::Client) && is_clear(Peer::Server) && !is_near
}

/// Whether a list of capabilities tells that there is no TLS, where nothing else tells anything.
fn looks_open(session: &Session) -> bool {
    let is_unknown = session.leg(Peer::Client) == Leg::Unknown;
    let listed = session.capabilities();
    let says_so = listed.is_some_and(|listed| {
        !listed.before_tls && (listed.has("STARTTLS") || listed.has("LOGINDISABLED"))
    });
    is_unknown && says_so
}

fn command(look: &mut Look<'_>) {
    let session = look.session;
    let (mechanism, name) = match &look.said.reading {
        Reading::Command {
            mechanism,
            name: Some(name),
            ..
        } => (mechanism.as_deref(), name.clone()),
        _ => return,
    };
    let in_flight = session.in_flight();
    let begins = |command: &Pending| command.name == "STARTTLS" && !command.own;
    if in_flight.has("STARTTLS") && in_flight.iter().any(begins) {
        look.add_head(Breach::StarttlsPipelined, "");
    }
    let compresses = |command: &Pending| command.name == "COMPRESS" && !command.own;
    if in_flight.has("COMPRESS") && in_flight.iter().any(compresses) {
        look.add_head(Breach::CompressPipelined, "");
    }
    let tells_a_password = match (&*name, mechanism) {
        ("LOGIN", _) => true,
        ("AUTHENTICATE", Some(mechanism)) => TELLING.contains(&mechanism),
        _ => false,
    };
    if tells_a_password && (is_open(session) || looks_open(session)) {
        look.add_head(Breach::CleartextLogin, "");
    }
    match &*name {
        "AUTHENTICATE" if mechanism == Some("DIGEST-MD5") => {
            look.add_head(Breach::ObsoleteMechanism, "")
        }
        "COMPRESS" if session.is_compressed() => look.add_head(Breach::CompressTwice, ""),
        "STARTTLS" => starttls(look),
        _ => {}
    }
}

fn starttls(look: &mut Look<'_>) {
    match look.session.state() {
        Some(State::Authenticated | State::Selected) => {
            look.add_head(Breach::StarttlsAfterLogin, "")
        }
        _ if look.session.leg(Peer::Client) == Leg::Secured => {
            look.add_head(Breach::StarttlsTwice, "")
        }
        _ => {}
    }
}
