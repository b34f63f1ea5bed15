//! Where events go. A sink gets sealed, numbered events and nothing else: it knows no protocol and
//! recognises what it shows by an event's readings and labels. Each has its own thread behind a
//! bounded queue, so that a slow disk or terminal never holds a lock of the relay.

pub mod batch;
pub mod bus;
pub mod page;
pub mod palette;
pub mod pcapng;
pub mod printable;
pub mod queue;
pub mod recording;
pub mod terminal;
