//! Captures as other machines make them: other link layers, octet orders and clocks, fragments, and
//! packets cut short.

use std::path::Path;

use libtest_mimic::Trial;
use serde_json::Value;

use super::super::replay::TOUR;
use super::super::support::transcript::Transcript;
use super::super::support::trials;
use super::captures::packets;
use super::{exported, file, imported, meaning};

pub fn trials() -> Vec<Trial> {
    trials!("import::links";
        each_link_layer_has_the_same_session,
        fragments_are_put_together,
        headers_of_ipv6_are_passed_over,
        interfaces_have_clocks_of_their_own,
        packets_that_were_cut_short_are_gaps,
    )
}

/// A packet of IP, and when it was captured, in microseconds.
type Packet = (u64, Vec<u8>);

/// The tour's packets, from mailscope's own capture of it.
fn tour() -> Vec<Packet> {
    let capture = exported(Path::new(TOUR), "pcapng");
    let number = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap());
    let packet = |(at, _): (usize, usize)| {
        let (high, low, length) = (number(at + 12), number(at + 16), number(at + 20) as usize);
        let time = (u64::from(high) << 32) | u64::from(low);
        (time / 1000, capture[at + 28..at + 28 + length].to_vec()) // nanoseconds
    };
    packets(&capture).into_iter().map(packet).collect()
}

/// Makes fragments of a packet with this number.
type Split = dyn Fn(u16, &[u8]) -> Vec<Vec<u8>>;

/// The form of a file of libpcap.
#[derive(Clone, Copy)]
struct Form {
    link: u32,
    is_big: bool,
    is_nano: bool,
    /// Octets of each packet that are kept.
    kept: usize,
}

const PLAIN: Form = Form {
    link: ETHERNET,
    is_big: false,
    is_nano: false,
    kept: 262_144,
};
const NULL: u32 = 0;
const ETHERNET: u32 = 1;
const RAW: [u32; 3] = [12, 14, 101];
const COOKED: u32 = 113;
const IPV4: u32 = 228;
const COOKED_2: u32 = 276;

fn pcap(form: Form, packets: &[Packet]) -> Vec<u8> {
    let order = |number: u32| {
        if form.is_big {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    };
    let magic = if form.is_nano {
        0xa1b2_3c4d
    } else {
        0xa1b2_c3d4
    };
    let version = if form.is_big {
        0x0002_0004
    } else {
        0x0004_0002
    };
    let mut octets = Vec::new();
    for number in [
        magic,
        version,
        0,
        0,
        u32::try_from(form.kept).unwrap(),
        form.link,
    ] {
        octets.extend(order(number));
    }
    for (at, packet) in packets {
        let micros = u32::try_from(at % 1_000_000).unwrap();
        let fraction = if form.is_nano {
            micros * 1000 + 7
        } else {
            micros
        };
        let kept = packet.len().min(form.kept);
        let lengths = [kept, packet.len()].map(|length| u32::try_from(length).unwrap());
        for number in [
            u32::try_from(at / 1_000_000).unwrap(),
            fraction,
            lengths[0],
            lengths[1],
        ] {
            octets.extend(order(number));
        }
        octets.extend(&packet[..kept]);
    }
    octets
}

fn is_ipv6(packet: &[u8]) -> bool {
    packet[0] >> 4 == 6
}

fn ether_type(packet: &[u8]) -> [u8; 2] {
    if is_ipv6(packet) {
        [0x86, 0xdd]
    } else {
        [8, 0]
    }
}

/// The header of a link layer before a packet of IP.
fn linked(link: u32, tags: &[u8], packet: &[u8]) -> Vec<u8> {
    let protocol = ether_type(packet);
    let mut octets = match link {
        ETHERNET => vec![2; 12],
        NULL => vec![if is_ipv6(packet) { 30 } else { 2 }, 0, 0, 0],
        COOKED => [&[0, 0, 3, 4, 0, 6][..], &[0; 8]].concat(),
        COOKED_2 => Vec::new(),
        _ => Vec::new(),
    };
    octets.extend(tags);
    if [ETHERNET, COOKED, COOKED_2].contains(&link) {
        octets.extend(protocol);
    }
    if link == COOKED_2 {
        octets.extend([0, 0, 0, 0, 0, 1, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    octets.extend(packet);
    if link == ETHERNET {
        octets.resize(octets.len().max(60), 0); // Ethernet's shortest frame is filled
    }
    octets
}

fn has_the_tour(capture: Vec<u8>, name: &str) {
    let (_folder, path) = file(name, capture);
    let (transcript, _) = imported(&path, &[]);
    let tour = Transcript::read(Path::new(TOUR));
    assert_eq!(meaning(&transcript), meaning(&tour), "{name}");
    assert_eq!(transcript.kind("gap").len(), 0, "{name}");
    // From the connection on; mailscope's own captures have microseconds.
    let times = |transcript: &Transcript| -> Vec<u64> {
        let events = transcript.events();
        let micros = |event: &Value| (event["at"].as_f64().unwrap() * 1e6).round() as u64;
        let said = events.iter().filter(|event| event.get("wire").is_some());
        said.map(|event| micros(event).saturating_sub(micros(&events[0])))
            .collect()
    };
    for (imported, recorded) in times(&transcript).into_iter().zip(times(&tour)) {
        assert!(
            imported.abs_diff(recorded) < 100_000,
            "{name}: {imported} is not {recorded}"
        );
    }
}

fn each_link_layer_has_the_same_session() {
    let tour = tour();
    let one_tag: &[u8] = &[0x81, 0, 0, 5];
    let two_tags: &[u8] = &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 7];
    let mut forms = vec![
        (ETHERNET, &[][..]),
        (ETHERNET, one_tag),
        (ETHERNET, two_tags),
    ];
    forms.extend([NULL, COOKED, COOKED_2, IPV4].map(|link| (link, &[][..])));
    forms.extend(RAW.map(|link| (link, &[][..])));
    for (link, tags) in forms {
        let wrapped = |(at, packet): &Packet| (*at, linked(link, tags, packet));
        let packets: Vec<Packet> = tour.iter().map(wrapped).collect();
        for (is_big, is_nano) in [(false, false), (true, false), (false, true), (true, true)] {
            let form = Form {
                link,
                is_big,
                is_nano,
                ..PLAIN
            };
            let name = format!("{link}-{}-{is_big}-{is_nano}.pcap", tags.len());
            has_the_tour(pcap(form, &packets), &name);
        }
    }
}

/// The packet with these many octets of what it carries in each fragment, the last one first.
fn fragments(number: u16, packet: &[u8], each: usize) -> Vec<Vec<u8>> {
    const MORE: u16 = 0x2000;
    let (header, carried) = packet.split_at(20);
    let count = carried.len().div_ceil(each);
    let fragment = |(place, octets): (usize, &[u8])| {
        let more = if place + 1 < count { MORE } else { 0 };
        let offset = u16::try_from(place * each / 8).unwrap() | more;
        let mut fragment = header.to_vec();
        fragment[2..4].copy_from_slice(&u16::try_from(20 + octets.len()).unwrap().to_be_bytes());
        fragment[4..6].copy_from_slice(&number.to_be_bytes());
        fragment[6..8].copy_from_slice(&offset.to_be_bytes());
        fragment.extend(octets);
        fragment
    };
    let mut fragments: Vec<Vec<u8>> = carried.chunks(each).enumerate().map(fragment).collect();
    fragments.reverse();
    fragments
}

/// The same of IPv6, with the headers that may stand before.
fn of_ipv6(number: u32, packet: &[u8], each: usize) -> Vec<Vec<u8>> {
    const TCP: u8 = 6;
    const FRAGMENT: u8 = 44;
    const DESTINATION: u8 = 60;
    let carried = &packet[20..];
    let count = carried.len().div_ceil(each);
    let header = |length: usize| {
        let mut header = vec![0x60, 0, 0, 0];
        header.extend(u16::try_from(length).unwrap().to_be_bytes());
        header.extend([0, 64]); // hop-by-hop options come
        for side in [&packet[12..16], &packet[16..20]] {
            header.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0]);
            header.extend(side);
        }
        header
    };
    let next = if count > 1 { FRAGMENT } else { TCP };
    let options = [DESTINATION, 0, 1, 4, 0, 0, 0, 0, next, 0, 1, 4, 0, 0, 0, 0];
    let fragment = |(place, octets): (usize, &[u8])| {
        let mut extensions = options.to_vec();
        if count > 1 {
            let offset = u16::try_from(place * each).unwrap() | u16::from(place + 1 < count);
            extensions.extend([TCP, 0]);
            extensions.extend(offset.to_be_bytes());
            extensions.extend(number.to_be_bytes());
        }
        [
            header(extensions.len() + octets.len()),
            extensions,
            octets.to_vec(),
        ]
        .concat()
    };
    carried.chunks(each).enumerate().map(fragment).collect()
}

fn fragments_are_put_together() {
    let form = Form {
        link: RAW[2],
        ..PLAIN
    };
    let all = |split: &Split| -> Vec<Packet> {
        let split = |(number, (at, packet)): (u16, &Packet)| -> Vec<Packet> {
            split(number, packet)
                .into_iter()
                .map(|fragment| (*at, fragment))
                .collect()
        };
        (1..).zip(&tour()).flat_map(split).collect()
    };
    let four = all(&|number, packet| fragments(number, packet, 24));
    assert!(four.len() > tour().len() * 2);
    has_the_tour(pcap(form, &four), "fragments-4.pcap");
    let six = all(&|number, packet| of_ipv6(number.into(), packet, 40));
    assert!(six.len() > tour().len());
    has_the_tour(pcap(form, &six), "fragments-6.pcap");
    // One of them is missing, and with it the packet.
    let lost = four.len() / 2;
    let without: Vec<Packet> = [&four[..lost], &four[lost + 1..]].concat();
    let (_folder, path) = file("lossy.pcap", pcap(form, &without));
    let (transcript, _) = imported(&path, &[]);
    assert_eq!(transcript.kind("gap").len(), 1);
}

fn headers_of_ipv6_are_passed_over() {
    let whole = |(at, packet): &Packet| (*at, of_ipv6(1, packet, 65_000).remove(0));
    let packets: Vec<Packet> = tour().iter().map(whole).collect();
    for link in [RAW[2], ETHERNET, NULL, COOKED_2] {
        let linked: Vec<Packet> = packets
            .iter()
            .map(|(at, packet)| (*at, linked(link, &[], packet)))
            .collect();
        has_the_tour(
            pcap(Form { link, ..PLAIN }, &linked),
            &format!("{link}-6.pcap"),
        );
    }
}

fn packets_that_were_cut_short_are_gaps() {
    let form = Form {
        link: RAW[2],
        kept: 90,
        ..PLAIN
    };
    let packets = tour();
    let (_folder, path) = file("cut.pcap", pcap(form, &packets));
    let (transcript, _) = imported(&path, &[]);
    let cut: usize = packets
        .iter()
        .map(|(_, packet)| packet.len().saturating_sub(90))
        .sum();
    let gaps: u64 = transcript
        .kind("gap")
        .iter()
        .map(|gap| gap["octets"].as_u64().unwrap())
        .sum();
    assert_eq!(gaps, cut as u64);
    assert!(cut > 500 && transcript.kind("tagged").len() > 5);
}

/// A capture of two interfaces, one with nanoseconds and another link layer.
fn interfaces_have_clocks_of_their_own() {
    let block = |kind: u32, body: &[u8]| {
        let filled = [body, &vec![0; (4 - body.len() % 4) % 4]].concat();
        let length = u32::try_from(12 + filled.len()).unwrap().to_le_bytes();
        [&kind.to_le_bytes()[..], &length, &filled, &length].concat()
    };
    let mut octets = block(
        0x0a0d_0d0a,
        &[[0x4d, 0x3c, 0x2b, 0x1a], [1, 0, 0, 0], [255; 4], [255; 4]].concat(),
    );
    let interface =
        |link: u8, options: &[u8]| block(1, &[&[link, 0, 0, 0, 0, 0, 0, 0][..], options].concat());
    octets.extend(interface(1, &[]));
    octets.extend(interface(113, &[9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]));
    for (number, (at, packet)) in tour().into_iter().enumerate() {
        let interface = u32::try_from(number % 2).unwrap();
        let (link, time) = if interface == 0 {
            (ETHERNET, at)
        } else {
            (COOKED, at * 1000)
        };
        let packet = linked(link, &[], &packet);
        let length = u32::try_from(packet.len()).unwrap();
        let (high, low) = ((time >> 32) as u32, time as u32);
        let numbers = [interface, high, low, length, length]
            .map(u32::to_le_bytes)
            .concat();
        octets.extend(block(6, &[numbers, packet].concat()));
    }
    has_the_tour(octets, "two.pcapng");
}
