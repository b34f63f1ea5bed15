//! A client that was recorded against Dovecot, recorded once more in front of a replay of that: both
//! transcripts say the same, whatever secured the legs.

use libtest_mimic::Trial;

use super::super::diff::diff;
use super::super::replay::Replay;
use super::super::support::dovecot::{Dovecot, WITH_COMPRESS};
use super::super::support::mailscope::{Mailscope, record};
use super::replayed::{CLIENTS, Client};
use super::{Security, recording, through};
use crate::support::patience::trial;

pub fn trials() -> Vec<Trial> {
    let each = CLIENTS.into_iter().flat_map(|client| {
        let ways = WAYS.iter().filter(|way| way.is_for(&client));
        let trials = ways.map(|way| {
            let name = format!("real::again::{}_with_{}", client.name, way.name);
            trial(name, move || {
                is_the_same_again(&client, way);
                Ok(())
            })
        });
        client.needing(trials.collect())
    });
    each.collect()
}

/// How both of its legs are secured, against Dovecot and then in front of the replay.
struct Way {
    name: &'static str,
    first: Security,
    then: Security,
    compressed: bool,
    /// The clients that go this way, if not all that can.
    clients: Option<&'static [&'static str]>,
}

impl Way {
    fn is_for(&self, client: &Client) -> bool {
        (client.compresses || !self.compressed)
            && self
                .clients
                .is_none_or(|names| names.contains(&client.name))
    }
}

const WAYS: [Way; 5] = [
    Way {
        name: "tls",
        first: Security::Tls,
        then: Security::Tls,
        compressed: false,
        clients: None,
    },
    Way {
        name: "starttls",
        first: Security::Starttls,
        then: Security::Starttls,
        compressed: false,
        clients: None,
    },
    // Most ask for the capabilities with one and not with the other, which was not recorded then.
    Way {
        name: "tls_and_then_with_starttls",
        first: Security::Tls,
        then: Security::Starttls,
        compressed: false,
        clients: Some(&["imaplib"]),
    },
    Way {
        name: "starttls_and_then_with_tls",
        first: Security::Starttls,
        then: Security::Tls,
        compressed: false,
        clients: Some(&["curl", "imaplib"]),
    },
    Way {
        name: "compression",
        first: Security::Tls,
        then: Security::Tls,
        compressed: true,
        clients: None,
    },
];

fn recorded(mut mailscope: Mailscope, security: Security, client: &Client) -> Mailscope {
    (client.obtained)(&through(&mailscope, security));
    mailscope.closed(client.connections);
    mailscope.stop();
    mailscope
}

fn is_the_same_again(client: &Client, way: &Way) {
    let dovecot = Dovecot::start_with(if way.compressed { WITH_COMPRESS } else { "" });
    client.prepare(&dovecot);
    let original = recorded(recording(&dovecot, way.first).start(), way.first, client);
    drop(dovecot);
    let mut replay = Replay::start(original.out(), &["--quiet"]);
    let ca = replay.ca();
    let server = match way.then {
        Security::Tls => format!("imaps://{}", replay.address("tls")),
        Security::Starttls | Security::Cleartext => format!("imap://{}", replay.address("plain")),
    };
    let server = server.replace("127.0.0.1", "localhost");
    let trust = ["--server-ca", ca.to_str().unwrap()];
    let again = recorded(record(&server).with(&trust).start(), way.then, client);
    let (_, report) = replay.stop();
    assert_eq!(report["mismatches"], serde_json::json!([]), "{report:#}");
    let (code, said) = diff(original.out(), again.out());
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("equal: "), "{said}");
}
