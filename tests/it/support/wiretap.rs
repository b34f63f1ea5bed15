//! A tap on the wire: passes octets on and keeps them, for a capture that others decrypt. Nothing
//! here needs the rights that capturing from an interface takes.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Octets as they went by, and whether the one who connected had sent them.
type Pieces = Arc<Mutex<Vec<(bool, Vec<u8>)>>>;

/// A tap on the next connection to an address.
pub struct Wiretap {
    port: u16,
    pieces: Pieces,
}

impl Wiretap {
    /// Listens on a free port for one connection, and joins it with `address`.
    pub fn before(address: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let pieces = Pieces::default();
        let (address, kept) = (address.to_owned(), Arc::clone(&pieces));
        std::thread::spawn(move || -> io::Result<()> {
            let (near, _) = listener.accept()?;
            let far = TcpStream::connect(address)?;
            let (back, forth) = (far.try_clone()?, near.try_clone()?);
            let keeps = Arc::clone(&kept);
            std::thread::spawn(move || pass(&forth, &far, true, &kept));
            pass(&back, &near, false, &keeps)
        });
        Self { port, pieces }
    }

    /// `localhost:PORT`
    pub fn name(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The lengths of the TLS records with application data that the server sent (RFC 8446, section
    /// 5.1).
    pub fn application_data_of_the_server(&self) -> Vec<usize> {
        const APPLICATION_DATA: u8 = 23;
        let pieces = self.pieces.lock().unwrap();
        let octets = pieces.iter().filter(|(forth, _)| !forth);
        let octets: Vec<u8> = octets.flat_map(|(_, octets)| octets.clone()).collect();
        let mut lengths = Vec::new();
        let mut rest = octets.as_slice();
        while let [kind, _, _, high, low, behind @ ..] = rest {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if *kind == APPLICATION_DATA {
                lengths.push(length);
            }
            rest = &behind[length.min(behind.len())..];
        }
        lengths
    }

    /// Writes what went by as a capture of a connection to `port` of a server.
    pub fn write_capture(&self, path: &Path, port: u16) {
        let mut capture = Capture::new(port);
        for (forth, octets) in self.pieces.lock().unwrap().iter() {
            for segment in octets.chunks(1400) {
                capture.packet(*forth, PSH | ACK, segment);
            }
        }
        std::fs::write(path, capture.octets).unwrap();
    }
}

fn pass(mut from: &TcpStream, mut to: &TcpStream, forth: bool, pieces: &Pieces) -> io::Result<()> {
    let mut octets = [0; 16 * 1024];
    loop {
        let length = from.read(&mut octets)?;
        if length == 0 {
            return to.shutdown(Shutdown::Write);
        }
        // Kept first, so that an answer is behind its question.
        let piece = octets[..length].to_vec();
        pieces.lock().unwrap().push((forth, piece));
        to.write_all(&octets[..length])?;
    }
}

const SYN: u8 = 0x02;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// The form of libpcap (draft-ietf-opsawg-pcap), the packets being IPv4 without checksums.
struct Capture {
    octets: Vec<u8>,
    port: u16,
    packets: u32,
    /// The next sequence numbers of the server and of its client.
    sequence: [u32; 2],
}

impl Capture {
    /// With the handshake of TCP.
    fn new(port: u16) -> Self {
        let mut octets = Vec::new();
        octets.extend(0xa1b2_c3d4_u32.to_le_bytes());
        octets.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        octets.extend(65_535_u32.to_le_bytes());
        octets.extend(101_u32.to_le_bytes()); // LINKTYPE_RAW
        let mut capture = Self {
            octets,
            port,
            packets: 0,
            sequence: [1000; 2],
        };
        capture.packet(true, SYN, b"");
        capture.packet(false, SYN | ACK, b"");
        capture.packet(true, ACK, b"");
        capture
    }

    fn packet(&mut self, forth: bool, flags: u8, segment: &[u8]) {
        const CLIENT_PORT: u16 = 50_000;
        let length = u16::try_from(40 + segment.len()).unwrap();
        self.packets += 1;
        for number in [self.packets, 0, length.into(), length.into()] {
            self.octets.extend(number.to_le_bytes());
        }
        let [from, to] = match forth {
            true => [(1, CLIENT_PORT), (2, self.port)],
            false => [(2, self.port), (1, CLIENT_PORT)],
        };
        self.octets.extend([0x45, 0]);
        self.octets.extend(length.to_be_bytes());
        self.octets.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        self.octets.extend([10, 0, 0, from.0, 10, 0, 0, to.0]);
        for port in [from.1, to.1] {
            self.octets.extend(port.to_be_bytes());
        }
        let (own, other) = (usize::from(forth), usize::from(!forth));
        self.octets.extend(self.sequence[own].to_be_bytes());
        self.octets.extend(self.sequence[other].to_be_bytes());
        self.octets.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        self.octets.extend(segment);
        let syn = u32::from(flags & SYN != 0);
        self.sequence[own] += u32::try_from(segment.len()).unwrap() + syn;
    }
}
