//! Captures (pcap, pcapng): which of the connections in it are IMAP, and what was said on them.
//!
//! ```text
//! packets: the file's packets -> TCP segments, or what Wireshark decrypted and exported
//! flow:    segments -> the octets of both directions, in order, with what was lost
//! here:    flows -> connections: which are IMAP, who is the client, TLS
//! ```
//!
//! A connection is IMAP by what is said on it, whatever its port. The client is who sent the SYN; in a
//! capture that began later, the one whose peer answers as a server does. TLS is not decrypted here:
//! no well-kept library for it is known; the error says how tshark does it, which reads a key log and
//! pcapng's Decryption Secrets Blocks alike.

mod flow;
mod packets;
mod peers;

use std::net::SocketAddr;
use std::path::Path;

use super::layer::{is_upgraded, layer};
use super::{Kind, Layer, Log, Step, What, damaged};
use crate::error::{Error, Result};
use crate::event::Peer;

use flow::{Flow, Happened};
use packets::Packets;
use peers::Speech;

/// Reads one.
///
/// # Errors
///
/// No packet can be read, or none is of an IMAP session in cleartext.
pub(super) fn read(path: &Path, kind: Kind, content: &[u8]) -> Result<Log> {
    let packets = match kind {
        Kind::Pcapng => Packets::of_pcapng(content),
        _ => Packets::of_pcap(content),
    };
    let mut log = Log {
        is_dated: true,
        damage: packets
            .damage
            .map(|damage| damaged(path, &damage.place, damage.why)),
        ..Log::default()
    };
    let mut counts = Counts::default();
    for flow in flow::flows(packets.segments) {
        let steps = flow.assembled();
        match Speech::of(&flow, &steps) {
            Speech::Imap { client } => {
                let conn = counts.imap + 1;
                counts.imap = conn;
                counts.add(&mut log, conn, client, &flow, steps);
            }
            Speech::Tls { port } => counts.tls.push(port),
            Speech::Other => counts.other += 1,
        }
    }
    if counts.imap == 0 {
        return Err(log
            .damage
            .unwrap_or_else(|| counts.nothing(path, packets.has_secrets)));
    }
    log.steps.sort_by_key(|step| step.at);
    if let (Some(_), Some(last)) = (&log.damage, log.steps.last()) {
        let (at, conn) = (last.at, last.conn);
        let what = What::Damaged(packets.left);
        log.steps.push(Step { at, conn, what });
    }
    counts.remark(&mut log, path, packets.has_secrets);
    Ok(log)
}

#[derive(Default)]
struct Counts {
    imap: u64,
    other: u64,
    /// The servers' ports.
    tls: Vec<u16>,
    /// Connections that STARTTLS encrypts, and their servers' ports.
    upgraded: Vec<(u64, u16)>,
}

impl Counts {
    fn add(&mut self, log: &mut Log, conn: u64, client: usize, flow: &Flow, steps: Vec<Happened>) {
        let peer = |direction: usize| match direction == client {
            true => Peer::Client,
            false => Peer::Server,
        };
        let client_is = client;
        let (client, server) = (flow.ends[client], flow.ends[1 - client]);
        let said: Vec<u8> = steps
            .iter()
            .flat_map(|step| step.said_by(client_is))
            .copied()
            .collect();
        let layer = layer(&said);
        if layer == Layer::Wire && is_upgraded(&said) {
            self.upgraded.push((conn, server.port()));
        }
        let (client, server): (String, String) = (address(client), address(server));
        log.server.get_or_insert_with(|| server.clone());
        let at = steps.first().map_or(0, |step| step.at);
        let what = What::Connected {
            client,
            server,
            layer,
        };
        log.steps.push(Step { at, conn, what });
        for Happened {
            at,
            direction,
            what,
        } in steps
        {
            let peer = peer(direction);
            let what = match what {
                flow::What::Said(octets) => What::Said(peer, octets),
                flow::What::Lost(octets) => What::Missed(peer, octets),
                flow::What::Ended => What::Ended(peer),
                flow::What::Closed => What::Closed,
            };
            log.steps.push(Step { at, conn, what });
        }
    }

    fn nothing(&self, path: &Path, has_secrets: bool) -> Error {
        let doing = format!("read {}", path.display());
        match self.tls.first() {
            Some(port) => {
                let why = match self.tls.len() {
                    1 => "its one session that may be IMAP is encrypted".to_owned(),
                    sessions => format!("its {sessions} sessions that may be IMAP are encrypted"),
                };
                Error::new(doing, why).hint(decrypt(path, *port, has_secrets))
            }
            None => {
                let why = format!(
                    "no IMAP in it; TCP connections with other protocols: {}",
                    self.other
                );
                Error::new(doing, why)
            }
        }
    }

    fn remark(&self, log: &mut Log, path: &Path, has_secrets: bool) {
        let mut remark = |what: String, port: u16| {
            let decrypt = decrypt(path, port, has_secrets);
            log.remarks.push(format!("{what}\n  try: {decrypt}"));
        };
        if let Some(port) = self.tls.first() {
            remark(
                format!(
                    "left out, since they are encrypted: {} connections",
                    self.tls.len()
                ),
                *port,
            );
        }
        for (conn, port) in &self.upgraded {
            remark(
                format!(
                    "connection {conn} is encrypted from STARTTLS on; decrypted, it begins there"
                ),
                *port,
            );
        }
    }
}

/// How a capture is decrypted. Its application data is taken for mere `data`: Wireshark's own dissector of
/// IMAP leaves octets out of what it exports where a TLS record holds no line end.
fn decrypt(path: &Path, port: u16, has_secrets: bool) -> String {
    let keys = match has_secrets {
        true => "",
        false => " -o tls.keylog_file:KEYS",
    };
    format!(
        "tshark -r {}{keys} -o tls.desegment_ssl_application_data:FALSE -d tcp.port=={port},tls \
         -d tls.port=={port},data -U 'OSI layer 7' -w decrypted.pcapng, and import decrypted.pcapng",
        path.display()
    )
}

fn address(address: SocketAddr) -> String {
    SocketAddr::new(address.ip().to_canonical(), address.port()).to_string()
}

#[cfg(test)]
mod tests;
