//! A recording played again, by either side of the conversation.
//!
//! For now in its recorded order and to the octet: that is what the demo needs, whose app and
//! server are both played from one recording.

mod player;
mod script;

pub use player::play;
pub use script::{Script, Turn};
