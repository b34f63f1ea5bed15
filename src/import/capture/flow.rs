//! TCP connections put together again (RFC 9293): octets in order, whatever came twice or late, and
//! how many were lost.
//!
//! All packets are there when this begins, so that it is known of a hole whether it is filled later
//! in the capture. Octets that never come are lost as soon as the other end acknowledges them, or what
//! stands behind them has come.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use super::packets::{Segment, Tcp};

/// The packets of one connection.
#[derive(Debug)]
pub struct Flow {
    /// Direction 0 is what the first says, direction 1 the second.
    pub ends: [SocketAddr; 2],
    /// The end that sent the SYN.
    pub client: Option<usize>,
    segments: Vec<Segment>,
    is_over: bool,
}

/// Something that happened in a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Microseconds since 1970.
    pub at: u64,
    pub direction: usize,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Said(Vec<u8>),
    Lost(u64),
    Ended,
    Closed,
}

impl Happened {
    /// What was said in this direction.
    pub fn said_by(&self, direction: usize) -> &[u8] {
        match &self.what {
            What::Said(octets) if self.direction == direction => octets,
            _ => &[],
        }
    }
}

/// The connections, in the order of their first packets.
pub fn flows(segments: Vec<Segment>) -> Vec<Flow> {
    let mut flows: Vec<Flow> = Vec::new();
    let mut open: HashMap<[SocketAddr; 2], usize> = HashMap::new();
    for segment in segments {
        let mut key = [segment.from, segment.to];
        key.sort();
        let opens = segment
            .tcp
            .is_some_and(|tcp| tcp.is_syn && tcp.acknowledges.is_none());
        let known = open.get(&key).copied();
        let place = known.filter(|place| !(opens && flows[*place].is_another(&segment)));
        let place = place.unwrap_or_else(|| {
            flows.push(Flow {
                ends: [segment.from, segment.to],
                client: None,
                segments: Vec::new(),
                is_over: false,
            });
            flows.len() - 1
        });
        open.insert(key, place);
        flows[place].add(segment);
    }
    flows
}

impl Flow {
    fn direction(&self, segment: &Segment) -> usize {
        usize::from(segment.from != self.ends[0])
    }

    /// Whether this SYN begins another connection of the same two ends.
    fn is_another(&self, syn: &Segment) -> bool {
        let sequence =
            |segment: &Segment| segment.tcp.filter(|tcp| tcp.is_syn).map(|tcp| tcp.sequence);
        let mut begun = self
            .segments
            .iter()
            .filter(|segment| segment.from == syn.from);
        let same = begun
            .find_map(sequence)
            .is_some_and(|known| Some(known) == sequence(syn));
        self.is_over || !same
    }

    fn add(&mut self, segment: Segment) {
        if let Some(Tcp {
            is_syn,
            acknowledges,
            is_reset,
            is_fin,
            ..
        }) = segment.tcp
        {
            let direction = self.direction(&segment);
            if is_syn {
                let client = if acknowledges.is_none() {
                    direction
                } else {
                    1 - direction
                };
                self.client = self.client.or(Some(client));
            }
            self.is_over |= is_reset || is_fin;
        }
        self.segments.push(segment);
    }

    /// What happened, in order.
    pub fn assembled(&self) -> Vec<Happened> {
        let mut assembly = Assembly {
            directions: [0, 1].map(|direction| self.positions(direction)),
            happened: Vec::new(),
            at: 0,
            is_closed: false,
        };
        for segment in &self.segments {
            assembly.segment(self.direction(segment), segment);
        }
        assembly.end();
        assembly.happened
    }

    /// Where the octets of a direction stand.
    fn positions(&self, direction: usize) -> Direction {
        let mut positions = Positions::default();
        let mut spans: Vec<(i64, i64)> = Vec::new();
        let own = self
            .segments
            .iter()
            .filter(|segment| self.direction(segment) == direction);
        for segment in own {
            let Some(tcp) = segment.tcp else { continue };
            let start = positions.of(tcp.sequence) + i64::from(tcp.is_syn);
            if !segment.octets.is_empty() {
                spans.push((start, start + segment.octets.len() as i64));
            }
        }
        spans.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::new();
        for (start, end) in spans {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        let syn = self.segments.iter().find(|segment| {
            self.direction(segment) == direction && segment.tcp.is_some_and(|tcp| tcp.is_syn)
        });
        let syn = syn
            .and_then(|segment| segment.tcp)
            .map(|tcp| Positions::default().first(&positions, tcp));
        let next = syn.or_else(|| merged.first().map(|span| span.0));
        Direction {
            positions: Positions {
                last: positions.origin.map(|sequence| (0, sequence)),
                origin: positions.origin,
            },
            spans: merged,
            waiting: BTreeMap::new(),
            next,
            end: None,
            is_ended: false,
        }
    }
}

/// Sequence numbers, which begin anew after 4 GiB, as positions that do not.
#[derive(Clone, Copy, Default)]
struct Positions {
    /// The highest position so far, and its sequence number.
    last: Option<(i64, u32)>,
    /// The sequence number of position 0.
    origin: Option<u32>,
}

impl Positions {
    fn of(&mut self, sequence: u32) -> i64 {
        let (position, known) = *self.last.get_or_insert((0, sequence));
        self.origin.get_or_insert(sequence);
        let place = position + i64::from(sequence.wrapping_sub(known).cast_signed());
        if place > position {
            self.last = Some((place, sequence));
        }
        place
    }

    /// The position of the first octet behind a SYN, as the others count.
    fn first(self, of: &Self, syn: Tcp) -> i64 {
        let origin = of.origin.unwrap_or(syn.sequence);
        i64::from(syn.sequence.wrapping_sub(origin).cast_signed()) + 1
    }
}

struct Direction {
    positions: Positions,
    /// Where there are octets in the capture, early or late.
    spans: Vec<(i64, i64)>,
    /// Those that came and have something missing before them.
    waiting: BTreeMap<i64, Vec<u8>>,
    /// The next octet's position.
    next: Option<i64>,
    /// Where it ends.
    end: Option<i64>,
    is_ended: bool,
}

impl Direction {
    /// Where the octets begin that stand at `position` or behind it.
    fn comes(&self, position: i64) -> Option<i64> {
        let place = self.spans.partition_point(|span| span.1 <= position);
        self.spans.get(place).map(|span| span.0.max(position))
    }
}

struct Assembly {
    directions: [Direction; 2],
    happened: Vec<Happened>,
    at: u64,
    is_closed: bool,
}

impl Assembly {
    fn segment(&mut self, direction: usize, segment: &Segment) {
        self.at = self.at.max(segment.at);
        let Some(tcp) = segment.tcp else {
            return self.happens(direction, What::Said(segment.octets.clone()));
        };
        if let Some(acknowledged) = tcp.acknowledges {
            self.acknowledged(1 - direction, acknowledged);
        }
        let own = &mut self.directions[direction];
        let start = own.positions.of(tcp.sequence) + i64::from(tcp.is_syn);
        if !segment.octets.is_empty() {
            let longer = |known: &Vec<u8>| known.len() >= segment.octets.len();
            if !own.waiting.get(&start).is_some_and(longer) {
                own.waiting.insert(start, segment.octets.clone());
            }
        }
        if tcp.is_fin {
            own.end.get_or_insert(start + segment.octets.len() as i64);
            own.next.get_or_insert(start);
        }
        self.drain(direction);
        if tcp.is_reset && !self.is_closed {
            self.end();
            self.happens(direction, What::Closed);
        }
    }

    fn happens(&mut self, direction: usize, what: What) {
        if self.is_closed {
            return;
        }
        self.is_closed = what == What::Closed;
        let at = self.at;
        self.happened.push(Happened {
            at,
            direction,
            what,
        });
    }

    /// What was acknowledged came; what of it is nowhere in the capture is lost to it.
    fn acknowledged(&mut self, direction: usize, sequence: u32) {
        let own = &mut self.directions[direction];
        let Some(next) = own.next else { return };
        if own.positions.last.is_none() {
            return;
        }
        let until = own.positions.of(sequence);
        let until = own.end.map_or(until, |end| until.min(end));
        let comes = own.comes(next);
        let hole = comes.unwrap_or(until).min(until);
        // A FIN counts as one, and may not have been captured.
        if hole > next && (comes.is_some() || hole > next + 1) {
            self.lost(direction, hole);
            self.drain(direction);
        }
    }

    fn lost(&mut self, direction: usize, until: i64) {
        let own = &mut self.directions[direction];
        let lost = until - own.next.replace(until).unwrap_or(until);
        if let Ok(octets @ 1..) = u64::try_from(lost) {
            self.happens(direction, What::Lost(octets));
        }
    }

    /// Lets go what is in order.
    fn drain(&mut self, direction: usize) {
        loop {
            let own = &mut self.directions[direction];
            let Some(next) = own.next else { return };
            let Some(entry) = own.waiting.first_entry() else {
                break;
            };
            let start = *entry.key();
            if start <= next {
                let octets = entry.remove();
                let known = usize::try_from(next - start).unwrap_or(usize::MAX);
                if let Some(new @ [_, ..]) = octets.get(known..) {
                    own.next = Some(next + new.len() as i64);
                    let new = new.to_vec();
                    self.happens(direction, What::Said(new));
                }
                continue;
            }
            match own.comes(next) {
                Some(comes) if comes > next => self.lost(direction, comes.min(start)),
                _ => return, // it comes later
            }
        }
        let own = &mut self.directions[direction];
        if !own.is_ended && own.end.is_some() && own.end <= own.next {
            own.is_ended = true;
            self.happens(direction, What::Ended);
            if self.directions.iter().all(|direction| direction.is_ended) {
                self.happens(direction, What::Closed);
            }
        }
    }

    /// No more packets.
    fn end(&mut self) {
        for direction in [0, 1] {
            self.drain(direction);
            let own = &self.directions[direction];
            if let (Some(next), Some(end), true) = (own.next, own.end, own.waiting.is_empty())
                && next < end
            {
                self.lost(direction, end);
                self.drain(direction);
            }
        }
    }
}
