//! What `stats` tells of recordings of a real client, beside a count of the transcript's JSON that
//! shares no code with it.

use std::collections::{BTreeMap, BTreeSet};

use libtest_mimic::Trial;
use serde_json::Value;

use super::super::support::dovecot::Dovecot;
use super::super::support::mailscope::run;
use super::super::support::programs::{DOVECOT, MBSYNC, needing};
use super::super::support::transcript::Transcript;
use super::super::support::trials;
use super::{Security, THROUGH, mbsync, recording, through};

pub fn trials() -> Vec<Trial> {
    let trials = trials!("real::measured"; mbsyncs_figures_are_those_of_a_plain_count);
    needing(&[DOVECOT, MBSYNC], trials)
}

fn mbsyncs_figures_are_those_of_a_plain_count() {
    let dovecot = Dovecot::start();
    let mailboxes = [("INBOX", mbsync::inbox()), ("Archive", mbsync::archive())];
    let mailboxes: Vec<_> = mailboxes
        .iter()
        .map(|(name, mails)| (*name, &mails[..]))
        .collect();
    dovecot.user(THROUGH, &mailboxes);
    // In the clear, so that no octet is mailscope's own.
    let mut mailscope = recording(&dovecot, Security::Cleartext).start();
    let near = mbsync::Near::new(&through(&mailscope, Security::Cleartext));
    near.sync();
    near.sync();
    mailscope.closed(2);
    let transcript = mailscope.stop();
    let out = mailscope.out().to_str().unwrap();
    let told = run(&["stats", out, "--output", "json"]);
    assert!(told.status.success(), "{told:?}");
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();

    let mut commands = 0;
    for connection in told["connections"].as_array().unwrap() {
        let conn = connection["conn"].as_u64().unwrap();
        for from in ["client", "server"] {
            let octets = transcript.wire(conn, from, b"********").len();
            assert_eq!(connection[format!("bytes_{from}")], octets, "{from} {conn}");
        }
        assert_eq!(connection["round_trips"], round_trips(&transcript, conn));
        commands += connection["commands"].as_u64().unwrap();
        let time = |name: &str| connection[name].as_f64().unwrap();
        let parts = time("setup") + time("waiting") + time("idle");
        assert!((parts - time("duration")).abs() < 1e-5, "{connection}");
    }
    assert_eq!(transcript.kind("command").len() as u64, commands);
    let rows = told["commands"].as_object().unwrap();
    let counted = counted(&transcript);
    assert_eq!(
        rows.keys().collect::<Vec<_>>(),
        counted.keys().collect::<Vec<_>>()
    );
    for (name, (count, elapsed)) in counted {
        let row = &rows[&name];
        assert_eq!(row["count"], count, "{name}");
        for (percentile, percent) in [("p50", 50), ("p90", 90), ("p99", 99), ("max", 100)] {
            let rank = (elapsed.len() * percent).div_ceil(100);
            assert_eq!(row[percentile], elapsed[rank - 1], "{name} {percentile}");
        }
    }
    plausible(&told);
}

/// The first sync fetched every mail; the second one knew them, but asked for all flags again.
fn plausible(told: &Value) {
    let first = &told["connections"][0]["time_to_first_message"];
    assert!(first.as_f64().is_some_and(|time| time > 0.0), "{first}");
    let kinds = told["waste"].as_array().unwrap().iter();
    let kinds: BTreeSet<&str> = kinds.map(|item| item["kind"].as_str().unwrap()).collect();
    for none in [
        "fetched-twice",
        "no-pipelining",
        "select-of-selected",
        "polling",
    ] {
        assert!(!kinds.contains(none), "{kinds:?}");
    }
}

/// For each name how many commands there are, and how long they took, in order.
fn counted(transcript: &Transcript) -> BTreeMap<String, (u64, Vec<f64>)> {
    let mut names = BTreeMap::new();
    let mut counted: BTreeMap<String, (u64, Vec<f64>)> = BTreeMap::new();
    for event in transcript.kind("command") {
        let name = event["name"].as_str().unwrap().to_owned();
        counted.entry(name.clone()).or_default().0 += 1;
        names.insert(event["n"].as_u64().unwrap(), name);
    }
    for event in transcript.kind("tagged") {
        let name = &names[&event["answers"].as_u64().unwrap()];
        let elapsed = event["elapsed"].as_f64().unwrap();
        counted.get_mut(name).unwrap().1.push(elapsed);
    }
    for (_, elapsed) in counted.values_mut() {
        elapsed.sort_by(f64::total_cmp);
    }
    counted
}

/// How often nothing was in flight, and then something that was answered; and every `+`.
fn round_trips(transcript: &Transcript, conn: u64) -> u64 {
    let mut in_flight = BTreeSet::new();
    let mut round_trips = 0;
    for event in transcript
        .events()
        .iter()
        .filter(|event| event["conn"] == conn)
    {
        match event["kind"].as_str().unwrap() {
            "command" => {
                round_trips += u64::from(in_flight.is_empty());
                in_flight.insert(event["n"].as_u64().unwrap());
            }
            "tagged" => {
                in_flight.remove(&event["answers"].as_u64().unwrap());
            }
            "continuation_request" => round_trips += 1,
            _ => {}
        }
    }
    assert!(in_flight.is_empty());
    round_trips
}
