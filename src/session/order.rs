//! The order of messages of which something was told, with how many others stand before each.
//!
//! ```text
//! numbers   1..999   1000    1001   1002..1999   2000
//! places    (999     0)      (0 1)  (998         2)
//! ```
//!
//! A message that something is told of has a place, which does not move; those of which nothing was told
//! are a count before the next place. So what a server says of message 1,000,000 makes one place, and what
//! takes away a million of others is a subtraction. Places stand in blocks, and the messages of the blocks
//! are added up in [`Ranks`]: each of the functions takes logarithmic time and that of a block.

use super::ranks::Ranks;

/// The index of what is known of a message.
pub(super) type Place = u32;

/// Places of a block: moving so few about takes no longer than the way to the block.
const FULL: usize = 128;

/// Places in the order of their messages.
pub(super) struct Order {
    /// By place.
    spots: Vec<Spot>,
    /// In no order.
    blocks: Vec<Block>,
    /// Blocks in the order of their messages.
    row: Vec<u32>,
    /// The messages of each block in the row.
    ranks: Ranks,
    /// How many places there are.
    taken: usize,
}

#[derive(Clone, Copy, Default)]
struct Spot {
    /// Messages right before it of which nothing was told.
    untold: u32,
    block: u32,
}

#[derive(Default)]
struct Block {
    places: Vec<Place>,
    /// Those of the places, and the untold ones before them.
    messages: u32,
    /// Its index in the row.
    at: u32,
}

/// What stands behind so many messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A message with a place.
    Told(Place),
    /// One of the untold messages before `next`: behind so many of them.
    Untold {
        /// The next message with a place.
        next: Place,
        /// How many of the untold ones before `next` stand before this one.
        behind: u32,
    },
    /// No message with a place stands there or further on.
    None,
}

impl Order {
    /// Places from 0 on in their own order, with nothing between them.
    pub(super) fn of(places: usize) -> Self {
        let order = (0..places).map(|place| (place as Place, 0));
        Self::new(order, places)
    }

    /// These places, each with how many untold messages stand before it; they are all there are up to `places`.
    pub(super) fn new(order: impl Iterator<Item = (Place, u32)>, places: usize) -> Self {
        let mut new = Self {
            spots: Vec::with_capacity(places),
            blocks: Vec::new(),
            row: Vec::new(),
            ranks: Ranks::default(),
            taken: 0,
        };
        order.for_each(|(place, untold)| new.push(place, untold));
        new
    }

    /// How many messages there are up to the last one with a place.
    pub(super) fn count(&self) -> u32 {
        self.ranks.before(self.row.len())
    }

    /// The places in their order, each with how many untold messages stand before it.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, u32)> {
        let blocks = self.row.iter().map(|block| &self.blocks[*block as usize]);
        let places = blocks.flat_map(|block| block.places.iter().copied());
        places.map(|place| (place, self.untold(place)))
    }

    /// Whether the places would fit into far fewer blocks.
    pub(super) fn is_sparse(&self) -> bool {
        const FEW: usize = 4;
        self.row.len() > FEW && self.taken < self.row.len() * FULL / 4
    }

    /// What stands behind so many messages.
    pub(super) fn find(&self, before: u32) -> Found {
        let Some((at, mut left)) = self.ranks.find(before) else {
            return Found::None;
        };
        let block = &self.blocks[self.row[at] as usize];
        if block.is_dense() {
            return Found::Told(block.places[left as usize]);
        }
        for place in &block.places {
            let untold = self.untold(*place);
            if left < untold {
                return Found::Untold {
                    next: *place,
                    behind: left,
                };
            }
            left -= untold;
            if left == 0 {
                return Found::Told(*place);
            }
            left -= 1;
        }
        Found::None
    }

    /// How many messages stand before that of a place.
    pub(super) fn before(&self, place: Place) -> u32 {
        let block = self.block(place);
        let before = self.ranks.before(block.at as usize);
        let index = block.index(place);
        if block.is_dense() {
            return before + index as u32;
        }
        let untold = block.places[..=index].iter().map(|it| self.untold(*it));
        before + index as u32 + untold.sum::<u32>()
    }

    /// How many untold messages stand right before that of a place.
    pub(super) fn untold(&self, place: Place) -> u32 {
        self.spots[place as usize].untold
    }

    fn block(&self, place: Place) -> &Block {
        &self.blocks[self.spots[place as usize].block as usize]
    }

    /// Adds a place behind the last one, behind so many untold messages.
    pub(super) fn push(&mut self, place: Place, untold: u32) {
        let last = self.row.last().copied();
        let last = last.filter(|last| self.blocks[*last as usize].places.len() < FULL);
        let block = last.unwrap_or_else(|| {
            let block = self.blocks.len() as u32;
            let at = self.row.len() as u32;
            self.blocks.push(Block {
                at,
                ..Block::default()
            });
            self.row.push(block);
            self.ranks.push(0);
            block
        });
        self.set(place, Spot { untold, block });
        self.blocks[block as usize].places.push(place);
        self.more(block, untold + 1);
    }

    /// Gives a place to one of the untold messages before `next`, of which `behind` stand before it.
    pub(super) fn insert(&mut self, place: Place, next: Place, behind: u32) {
        let block = self.spots[next as usize].block;
        self.set(
            place,
            Spot {
                untold: behind,
                block,
            },
        );
        self.spots[next as usize].untold -= behind + 1;
        let it = &mut self.blocks[block as usize];
        it.places.insert(it.index(next), place);
        if it.places.len() > FULL {
            self.split(block);
        }
    }

    fn set(&mut self, place: Place, spot: Spot) {
        let place = place as usize;
        if place >= self.spots.len() {
            self.spots.resize(place + 1, Spot::default());
        }
        self.spots[place] = spot;
        self.taken += 1;
    }

    /// The second half of a block becomes one of its own.
    fn split(&mut self, block: u32) {
        let new = self.blocks.len() as u32;
        let it = &mut self.blocks[block as usize];
        let places = it.places.split_off(FULL / 2);
        let mut messages = 0;
        for place in &places {
            let spot = &mut self.spots[*place as usize];
            spot.block = new;
            messages += spot.untold + 1;
        }
        it.messages -= messages;
        self.row.insert(it.at as usize + 1, new);
        self.blocks.push(Block {
            places,
            messages,
            at: 0,
        });
        for (at, block) in self.row.iter().enumerate() {
            self.blocks[*block as usize].at = at as u32;
        }
        let blocks = self.row.iter().map(|block| &self.blocks[*block as usize]);
        self.ranks = blocks.map(|block| block.messages).collect();
    }

    /// Takes away the message of a place; how many untold ones stand behind the last place for it.
    pub(super) fn remove(&mut self, place: Place) -> u32 {
        let Spot { untold, block } = self.spots[place as usize];
        let it = &mut self.blocks[block as usize];
        let index = it.index(place);
        it.places.remove(index);
        self.taken -= 1;
        if let Some(next) = it.places.get(index) {
            self.spots[*next as usize].untold += untold;
            self.less(block, 1);
            return 0;
        }
        let further = it.at as usize + 1;
        self.less(block, untold + 1);
        // Blocks that are empty are passed over.
        let Some((at, _)) = self.ranks.find(self.ranks.before(further)) else {
            return untold;
        };
        let block = self.row[at];
        let next = self.blocks[block as usize].places[0];
        self.spots[next as usize].untold += untold;
        self.more(block, untold);
        0
    }

    /// Takes away so many of the untold messages before a place.
    pub(super) fn take(&mut self, place: Place, untold: u32) {
        let spot = &mut self.spots[place as usize];
        spot.untold -= untold;
        let block = spot.block;
        self.less(block, untold);
    }

    fn more(&mut self, block: u32, messages: u32) {
        let it = &mut self.blocks[block as usize];
        it.messages += messages;
        self.ranks.add(it.at as usize, messages);
    }

    fn less(&mut self, block: u32, messages: u32) {
        let it = &mut self.blocks[block as usize];
        it.messages -= messages;
        self.ranks.take(it.at as usize, messages);
    }
}

impl Block {
    /// Whether all of its messages have places.
    fn is_dense(&self) -> bool {
        self.messages as usize == self.places.len()
    }

    fn index(&self, place: Place) -> usize {
        let index = self.places.iter().position(|it| *it == place);
        index.expect("a place stands in its block")
    }
}
