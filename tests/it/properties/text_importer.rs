//! Logs of others: any file gives events or an error, and everything that a log says is in its events.

use std::collections::BTreeMap;
use std::path::Path;

use mailscope::event::{Body, Event, Peer, Secrets};
use mailscope::import::{Log, What, transcribe};

use super::shown;
use super::sound::{same_again, sound, wires};

/// The first octet picks the file's name; of a rawlog, an octet that no UTF-8 has parts both directions.
pub fn text_importer(data: &[u8]) {
    let Some((name, content)) = data.split_first() else {
        return;
    };
    let log = match name % 4 {
        0 => Log::of((Path::new("a.txt"), content), None),
        1 => Log::of((Path::new("20231114-221320-1.in"), content), None),
        2 => Log::of((Path::new("20231114-221320-1.out"), content), None),
        _ => {
            let mut parts = content.splitn(2, |octet| *octet == 0xf7);
            let (client, server) = (parts.next().unwrap_or_default(), parts.next());
            let server = server.map(|server| (Path::new("1.out"), server));
            Log::of((Path::new("1.in"), client), server)
        }
    };
    match log {
        Ok(log) => imported(&log),
        Err(error) => assert!(error.to_string().starts_with("read "), "{error}"),
    }
}

/// What holds for every log.
pub fn imported(log: &Log) {
    let filled = |what: &What| matches!(what, What::Said(_, octets) if octets.len() > 1 << 20);
    if log.steps.iter().any(|step| filled(&step.what)) {
        // Literals that the log does not have: only that they can be read.
        transcribe(log, Secrets::Masked, |_| Ok(())).expect("nothing fails");
        return;
    }
    let masked = transcribed(log, Secrets::Masked);
    sound(&masked);
    same_again(&masked);
    let shown_ones = transcribed(log, Secrets::Shown);
    sound(&shown_ones);
    for (conn, said) in said(log) {
        let events: Vec<Event> = shown_ones
            .iter()
            .filter(|event| event.conn == conn)
            .cloned()
            .collect();
        if events
            .iter()
            .any(|event| matches!(event.body, Body::Compressed | Body::Gap { .. }))
        {
            continue;
        }
        for (peer, said) in [Peer::Client, Peer::Server].into_iter().zip(said) {
            let wires = wires(&events, peer);
            // Before it may stand the login that was not kept.
            assert!(
                wires.ends_with(&said),
                "{} is read as {}",
                shown(&said),
                shown(&wires)
            );
        }
    }
}

fn transcribed(log: &Log, secrets: Secrets) -> Vec<Event> {
    let mut events = Vec::new();
    let each = |more: &[Event]| {
        events.extend_from_slice(more);
        Ok(())
    };
    transcribe(log, secrets, each).expect("nothing fails");
    events
}

/// What the log says that each peer of each connection said.
fn said(log: &Log) -> BTreeMap<u64, [Vec<u8>; 2]> {
    let mut all: BTreeMap<u64, [Vec<u8>; 2]> = BTreeMap::new();
    for step in &log.steps {
        if let What::Said(peer, octets) = &step.what {
            let both = all.entry(step.conn).or_default();
            both[usize::from(*peer == Peer::Server)].extend_from_slice(octets);
        }
    }
    all
}
