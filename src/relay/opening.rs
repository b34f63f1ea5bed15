//! How the connection of an app that keeps its server begins: with TLS, with IMAP's greeting, or with
//! something else.
//!
//! ```text
//! port 993                              TLS at once
//! any other port below 1024, but 143    not IMAP
//! else, whoever speaks first:
//!   the app, a TLS handshake            TLS at once
//!   the server, `*`                     IMAP in cleartext, to be secured by STARTTLS
//!   anything else                       not IMAP
//!
//! TLS at once, when both handshakes are done, whoever speaks first:
//!   the server, `*`                     IMAP
//!   the app, on port 993                IMAP
//!   anything else                       not IMAP
//! ```
//!
//! No clock decides, so that a slow peer changes nothing. An app's other protocols come here too when
//! all of its connections go through a SOCKS proxy; what is not IMAP is for others to read, and
//! recording it would show its secrets.

use std::future::{poll_fn, ready};
use std::task::Poll;

use tokio::net::TcpStream;

use super::pump::{End, Legs};
use super::target::Target;
use crate::event::Peer;
use crate::net::{AskedSecurity, Security};
use crate::protocol::imap::AppLeg;

/// How a connection begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// IMAP, with legs of these kinds.
    Imap(AppLeg, Security),
    /// Something else; how that was told.
    Other(String),
    /// Nothing: the app left before anybody spoke.
    Nothing,
}

/// What a connection turns out to be when both of its legs are in TLS.
#[derive(Debug)]
pub enum InTls {
    /// IMAP.
    Imap,
    /// Something else; how that was told.
    Other(String),
    /// Nothing: the app left before anybody spoke.
    Nothing,
    /// Nothing: this peer's leg failed.
    Failed(Peer, End),
}

/// IMAP over TLS (RFC 8314, section 7.2).
const IMAPS: u16 = 993;

/// IMAP (RFC 9051, section 2.1).
const IMAP: u16 = 143;

/// Ports that IANA gives out to one protocol each.
const WELL_KNOWN: std::ops::Range<u16> = 0..1024;

/// The content type of a TLS record with a handshake (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// Finds out how the connection begins; `asked` is what the user said of all servers. Nothing is
/// taken from either connection.
pub async fn opening(
    app: &TcpStream,
    server: &TcpStream,
    target: &Target,
    asked: Option<AskedSecurity>,
) -> Opening {
    match by_port(target.server().port(), asked) {
        Some(opening) => opening,
        None => {
            tokio::select! {
                biased;
                octet = first_octet(app) => match octet {
                    Some(octet) => by_the_app(octet),
                    None => tokio::select! {
                        biased;
                        octet = first_octet(server) => by_the_server(octet),
                        () = ready(()) => Opening::Nothing,
                    },
                },
                octet = first_octet(server) => by_the_server(octet),
            }
        }
    }
}

/// Finds out what begins on legs that are both in TLS. Nothing is taken from either of them.
pub async fn in_tls(legs: &mut Legs, target: &Target) -> InTls {
    let is_imaps = target.server().port() == IMAPS;
    poll_fn(|cx| {
        // An app that did not wait for a greeting which is there has the benefit of the doubt.
        if let Poll::Ready(octet) = legs.server.poll_first_octet(cx) {
            return Poll::Ready(match octet {
                Ok(Some(b'*') | None) => InTls::Imap,
                Ok(Some(_)) => InTls::Other(OTHER_GREETING.into()),
                Err(error) => InTls::Failed(Peer::Server, End::ReadFailed(error)),
            });
        }
        legs.app.poll_first_octet(cx).map(|octet| match octet {
            Ok(_) if is_imaps => InTls::Imap,
            Ok(Some(_)) => InTls::Other(APP_FIRST.into()),
            Ok(None) => InTls::Nothing,
            Err(error) => InTls::Failed(Peer::Client, End::ReadFailed(error)),
        })
    })
    .await
}

/// What is clear before anybody speaks.
fn by_port(port: u16, asked: Option<AskedSecurity>) -> Option<Opening> {
    if WELL_KNOWN.contains(&port) && ![IMAP, IMAPS].contains(&port) {
        return Some(Opening::Other(format!("port {port}")));
    }
    let app = match port {
        IMAPS => AppLeg::Tls,
        _ => AppLeg::Cleartext,
    };
    match asked {
        Some(AskedSecurity::Implicit) => Some(Opening::Imap(AppLeg::Tls, Security::Implicit)),
        Some(AskedSecurity::Starttls) => Some(Opening::Imap(app, Security::Starttls)),
        Some(AskedSecurity::None) => Some(Opening::Imap(app, Security::Cleartext)),
        None if port == IMAPS => Some(Opening::Imap(AppLeg::Tls, Security::Implicit)),
        None => None,
    }
}

const CLEARTEXT: Opening = Opening::Imap(AppLeg::Cleartext, Security::Starttls);

const APP_FIRST: &str = "the app speaks before the server greets it";

const OTHER_GREETING: &str = "the server's greeting is none of IMAP's";

/// The app spoke first.
fn by_the_app(octet: u8) -> Opening {
    match octet {
        TLS_HANDSHAKE => Opening::Imap(AppLeg::Tls, Security::Implicit),
        _ => Opening::Other(APP_FIRST.into()),
    }
}

/// The server spoke first, or has gone.
fn by_the_server(octet: Option<u8>) -> Opening {
    match octet {
        Some(b'*') | None => CLEARTEXT,
        Some(_) => Opening::Other(OTHER_GREETING.into()),
    }
}

/// The first octet, left where it is; none if the peer has gone.
async fn first_octet(tcp: &TcpStream) -> Option<u8> {
    let mut octet = [0];
    match tcp.peek(&mut octet).await {
        Ok(1) => Some(octet[0]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TLS: Opening = Opening::Imap(AppLeg::Tls, Security::Implicit);

    #[test]
    fn a_port_may_tell_before_anybody_speaks() {
        for (port, opening) in [(993, Some(TLS)), (143, None), (1024, None), (10143, None)] {
            assert_eq!(by_port(port, None), opening, "{port}");
        }
        for port in [1, 25, 80, 110, 443, 465, 587, 995, 1023] {
            for asked in [None, Some(AskedSecurity::None)] {
                assert!(
                    matches!(by_port(port, asked), Some(Opening::Other(_))),
                    "{port}"
                );
            }
        }
    }

    #[test]
    fn what_the_user_asked_for_goes_first() {
        use AskedSecurity::{Implicit, None as Cleartext, Starttls};
        for (port, asked, app, server) in [
            (993, Starttls, AppLeg::Tls, Security::Starttls),
            (993, Cleartext, AppLeg::Tls, Security::Cleartext),
            (143, Starttls, AppLeg::Cleartext, Security::Starttls),
            (10143, Cleartext, AppLeg::Cleartext, Security::Cleartext),
            (10143, Implicit, AppLeg::Tls, Security::Implicit),
        ] {
            let opening = by_port(port, Some(asked));
            assert_eq!(
                opening,
                Some(Opening::Imap(app, server)),
                "{port} {asked:?}"
            );
        }
    }

    #[test]
    fn else_the_first_word_tells() {
        assert_eq!(by_the_app(22), TLS);
        assert_eq!(by_the_server(Some(b'*')), CLEARTEXT);
        assert!(matches!(by_the_app(b'G'), Opening::Other(_)));
        assert!(matches!(by_the_server(Some(b'2')), Opening::Other(_)));
        assert!(matches!(by_the_server(Some(b'+')), Opening::Other(_)));
        assert_eq!(by_the_server(None), CLEARTEXT);
    }
}
