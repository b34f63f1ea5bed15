//! Where events go. A sink sees numbered, sealed events and nothing else; it knows no protocol and
//! recognises what it shows by an event's readings and labels.

pub mod palette;
pub mod printable;
pub mod terminal;
