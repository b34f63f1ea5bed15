//! Whether a connection is IMAP, and who is its client.

use super::flow::{Flow, Happened};
use crate::event::Status;
use crate::protocol::imap::is_command;

/// What is spoken on a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Speech {
    /// IMAP; the end with this number is the client.
    Imap {
        client: usize,
    },
    /// TLS, with this server's port.
    Tls {
        port: u16,
    },
    Other,
}

/// Octets that are looked at, of each direction.
const LOOK: usize = 16 * 1024;

impl Speech {
    /// Of a connection with these octets.
    pub fn of(flow: &Flow, steps: &[Happened]) -> Self {
        let heads = [0, 1].map(|direction| {
            let mut head = Vec::new();
            for octets in steps.iter().map(|step| step.said_by(direction)) {
                let room = LOOK - head.len();
                head.extend_from_slice(&octets[..octets.len().min(room)]);
            }
            head
        });
        if heads
            .iter()
            .any(|head| matches!(head[..], [0x14..=0x17, 3, 0..=4, ..]))
        {
            let ports = flow.ends.map(|end| end.port());
            let server = flow.client.map(|client| ports[1 - client]);
            let known = ports.into_iter().find(|port| [143, 993].contains(port));
            let port = server.or(known).unwrap_or(ports[0].min(ports[1]));
            return Self::Tls { port };
        }
        let is_imap = |client: usize| {
            greets(&heads[1 - client]) || converse(&heads[client], &heads[1 - client])
        };
        let clients = match flow.client {
            Some(client) => vec![client],
            None => vec![0, 1],
        };
        match clients.into_iter().find(|client| is_imap(*client)) {
            Some(client) => Self::Imap { client },
            None => Self::Other,
        }
    }
}

/// `* OK ready`
fn greets(server: &[u8]) -> bool {
    let mut words = server.split(|octet| octet.is_ascii_whitespace());
    words.next() == Some(b"*")
        && words
            .next()
            .is_some_and(|word| Status::parse(word).is_some())
}

/// Whether one says a command, or the other answers one.
fn converse(client: &[u8], server: &[u8]) -> bool {
    let words = |line: &[u8]| {
        let mut words = line.split(|octet| octet.is_ascii_whitespace());
        let (tag, name) = (words.next()?.to_vec(), words.next()?.to_vec());
        (!tag.is_empty()).then_some((tag, name))
    };
    let lines = |head: &[u8]| -> Vec<(Vec<u8>, Vec<u8>)> {
        head.split(|octet| *octet == b'\n')
            .filter_map(words)
            .collect()
    };
    let commands = lines(client).into_iter().filter(|(tag, name)| {
        let name = String::from_utf8_lossy(name).to_ascii_uppercase();
        tag.iter().all(u8::is_ascii_alphanumeric) && (name == "UID" || is_command(&name))
    });
    let commands: Vec<Vec<u8>> = commands.map(|(tag, _)| tag).collect();
    lines(server).iter().any(|(tag, status)| {
        Status::parse(status).is_some() && (tag == b"*" || commands.contains(tag))
    }) && !commands.is_empty()
}
