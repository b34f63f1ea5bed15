//! Captures: any file gives events or an error; packets in any order, and twice, are the same octets.

use std::path::Path;

use mailscope::event::Peer;
use mailscope::import::{Log, What};

use super::shown;
use super::talk::{CUT, Reads, Talk};
use super::text_importer::imported;

/// A file, or, behind a mark, a conversation whose packets come in disorder.
pub fn capture_reader(data: &[u8]) {
    match data.split_first() {
        Some((&CUT, [disorder, data @ ..])) => packets(*disorder, data),
        _ => {
            let name = Path::new("a.pcapng");
            match Log::of((name, data), None) {
                Ok(log) => imported(&log),
                Err(error) => assert!(error.to_string().starts_with("read "), "{error}"),
            }
        }
    }
}

fn packets(disorder: u8, data: &[u8]) {
    let mut talk = Talk::of(data);
    let greeting = Talk::step(Peer::Server, b"* OK IMAP4rev1 ready\r\n");
    talk.steps.insert(0, greeting);
    if talk.begins_as_tls() {
        return;
    }
    let segments = Segment::all(&talk);
    let mut disordered = Vec::new();
    for (place, segment) in segments.iter().enumerate() {
        let turn = (usize::from(disorder) + place * 7) % 5;
        disordered.push(segment.clone());
        match turn {
            0 if place > 3 => disordered.swap(place, place - 1),
            1 => disordered.push(segment.clone()), // once more
            _ => {}
        }
    }
    let (one, other) = (said(&capture(&segments)), said(&capture(&disordered)));
    for (peer, (one, other)) in ["client", "server"].iter().zip(one.iter().zip(&other)) {
        assert_eq!(shown(other), shown(one), "{peer}");
    }
    let whole = [talk.said_by(Peer::Client), talk.said_by(Peer::Server)];
    assert_eq!(
        one.map(|octets| shown(&octets)),
        whole.map(|octets| shown(&octets))
    );
}

/// What each peer says, by the capture.
fn said(capture: &[u8]) -> [Vec<u8>; 2] {
    let log = match Log::of((Path::new("a.pcap"), capture), None) {
        Ok(log) => log,
        Err(error) => panic!("{error}"),
    };
    let mut said = [Vec::new(), Vec::new()];
    for step in &log.steps {
        match &step.what {
            What::Said(peer, octets) => said[usize::from(*peer == Peer::Server)].extend(octets),
            What::Missed(..) | What::Damaged(_) => panic!("nothing is missing: {:?}", step.what),
            _ => {}
        }
    }
    said
}

#[derive(Clone)]
struct Segment {
    from: Peer,
    sequence: u32,
    acknowledges: u32,
    flags: u8,
    octets: Vec<u8>,
}

const SYN: u8 = 2;
const ACK: u8 = 16;
const FIN: u8 = 1;

impl Segment {
    /// A handshake, the steps as they are cut, and both ends.
    fn all(talk: &Talk) -> Vec<Self> {
        // Near the end of all numbers, so that they begin anew.
        let mut next = [u32::MAX - 20, 1000];
        let mut all = Vec::new();
        let mut add = |from: Peer, flags: u8, octets: &[u8]| {
            let own = usize::from(from == Peer::Server);
            all.push(Self {
                from,
                sequence: next[own],
                acknowledges: next[1 - own],
                flags,
                octets: octets.to_vec(),
            });
            let taken = octets.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
            next[own] = next[own].wrapping_add(taken);
        };
        add(Peer::Client, SYN, b"");
        add(Peer::Server, SYN | ACK, b"");
        add(Peer::Client, ACK, b"");
        for step in &talk.steps {
            for octets in step.reads(Reads::Cut) {
                for octets in octets.chunks(1400) {
                    add(step.from, ACK, octets);
                }
            }
        }
        add(Peer::Client, FIN | ACK, b"");
        add(Peer::Server, FIN | ACK, b"");
        all
    }

    /// IPv4 and TCP, without checksums.
    fn packet(&self) -> Vec<u8> {
        let (app, server) = (([10, 0, 0, 1], 50_000_u16), ([10, 0, 0, 2], 143_u16));
        let (source, target) = match self.from {
            Peer::Client => (app, server),
            Peer::Server => (server, app),
        };
        let length = (40 + self.octets.len()) as u16;
        let mut packet = vec![0x45, 0];
        packet.extend(length.to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        packet.extend(source.0);
        packet.extend(target.0);
        packet.extend(source.1.to_be_bytes());
        packet.extend(target.1.to_be_bytes());
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.acknowledges.to_be_bytes());
        packet.extend([0x50, self.flags, 0xff, 0xff, 0, 0, 0, 0]);
        packet.extend(&self.octets);
        packet
    }
}

/// A pcap file of raw IP packets, a millisecond apart.
fn capture(segments: &[Segment]) -> Vec<u8> {
    let mut file = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend(65_535_u32.to_le_bytes());
    file.extend(101_u32.to_le_bytes());
    for (place, segment) in segments.iter().enumerate() {
        let packet = segment.packet();
        let length = (packet.len() as u32).to_le_bytes();
        let milliseconds = place as u32;
        file.extend((1_700_000_000 + milliseconds / 1000).to_le_bytes());
        file.extend((milliseconds % 1000 * 1000).to_le_bytes());
        file.extend(length);
        file.extend(length);
        file.extend(packet);
    }
    file
}
