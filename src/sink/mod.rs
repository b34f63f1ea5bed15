//! Where events go. A sink gets sealed, numbered events and nothing else; each has its own thread
//! behind a bounded queue, so that a slow disk or terminal never holds a lock of the relay.

pub mod bus;
pub mod queue;
