//! `--listen-socks` and `--listen-transparent`: listeners for apps that keep their real servers.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::authority::WhichAuthority;
use super::redirect;
use crate::error::{Error, Result};
use crate::net::{Door, ListenAddress, Reach};
use crate::relay::{Leg, Relay};

/// The listeners, all off unless asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Diversion {
    /// Where to listen for apps that are set to a SOCKS5 proxy and keep their mail servers, such as
    /// 127.0.0.1:1080. SERVER may be left out then. Needs --as or --unconstrained-ca.
    #[arg(long, value_name = "ADDR", value_hint = clap::ValueHint::Other)]
    listen_socks: Option<String>,

    /// Where to listen for apps that a redirect rule of this system brings here, such as
    /// 127.0.0.1:1111 (Linux); which rule to type is told at the start. SERVER may be left out then.
    /// Needs --as or --unconstrained-ca.
    #[arg(long, value_name = "ADDR", value_hint = clap::ValueHint::Other)]
    listen_transparent: Option<String>,
}

impl Diversion {
    /// The listeners that are asked for.
    ///
    /// # Errors
    ///
    /// They are no addresses, or the authority could not sign for any server that an app keeps.
    pub fn asked_for(&self, which: &WhichAuthority) -> Result<Vec<(ListenAddress, Leg)>> {
        let mut listeners = Vec::new();
        for (text, door, leg) in [
            (&self.listen_socks, Door::Socks, Leg::Socks),
            (
                &self.listen_transparent,
                Door::Transparent,
                Leg::Transparent,
            ),
        ] {
            let address = text.as_ref().map(|text| ListenAddress::parse(text, door));
            if let Some(address) = address.transpose()?.flatten() {
                if door == Door::Transparent && !HAS_REDIRECTS {
                    return Err(no_redirects(door));
                }
                if !which.is_given() {
                    return Err(signs_for_nobody(door));
                }
                listeners.push((address, leg));
            }
        }
        Ok(listeners)
    }
}

/// Whether the system tells where a redirected connection was going.
const HAS_REDIRECTS: bool = cfg!(any(target_os = "linux", target_os = "android"));

fn no_redirects(door: Door) -> Error {
    Error::new(
        format!("record with {}", door.flag()),
        "only Linux tells where a redirected connection was going",
    )
    .hint("--listen-socks ADDR, with the app's proxy set to it")
}

fn signs_for_nobody(door: Door) -> Error {
    Error::new(
        format!("record with {}", door.flag()),
        "the app keeps its servers' names, and mailscope's usual authority is good for localhost alone",
    )
    .hint(
        "--as HOST for each server (such as --as imap.example.com), or --unconstrained-ca; and let the \
         app trust that authority (`mailscope ca trust`, with the same flags)",
    )
}

/// Listens.
pub async fn listen(
    asked_for: Vec<(ListenAddress, Leg)>,
    reach: Reach,
) -> Result<Vec<(TcpListener, Leg)>> {
    let mut listeners = Vec::new();
    for (address, leg) in asked_for {
        listeners.push((address.listen(reach).await?, leg));
    }
    Ok(listeners)
}

/// The listeners that diverted apps come to.
pub fn addresses(relay: &Relay) -> Vec<(Leg, SocketAddr)> {
    let legs = [Leg::Socks, Leg::Transparent].into_iter();
    legs.filter_map(|leg| Some((leg, relay.address(leg)?)))
        .collect()
}

/// What to do now, in lines.
pub fn introduction(leg: Leg, address: SocketAddr, which: &WhichAuthority) -> Vec<String> {
    let trust = format!("trust the authority first: {}", which.command());
    match leg {
        Leg::Socks => vec![
            "  for apps that keep their servers, set their proxy to:".to_owned(),
            format!(
                "    SOCKS version 5, host {}, port {}, no user name  ({trust})",
                match address.ip().is_unspecified() {
                    true => "this computer's address".to_owned(),
                    false => address.ip().to_string(),
                },
                address.port()
            ),
        ],
        Leg::Transparent => {
            let mut lines = vec![format!(
                "  for apps that know nothing of it, redirect their connections to {address}  ({trust})"
            )];
            lines.extend(redirect::rules(address, redirect::own_group()));
            lines
        }
        Leg::Tls | Leg::Cleartext => Vec::new(),
    }
}
