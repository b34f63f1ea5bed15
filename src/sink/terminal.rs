//! The live view: one event, a few rows.
//!
//! ```text
//!    0.041  1 C: a1 LOGIN alice ‹password›                                     #4
//!    0.121  1 S: a1 ✓ OK done                                               80 ms
//!    0.300  1 S: * 55 EXPUNGE
//!             -- unsolicited: message 55 is gone (UID 4390), higher numbers move down by one
//! ```
//!
//! Seconds since the run began, the connection, who speaks (`--` is mailscope itself), what was
//! said; at the right edge a command's event number, how long an answer took, or which command a
//! response belongs to (`→ a3`). Octets that may not be shown, and what was too much to show, are
//! never left out silently.
//!
//! Not a log: nothing is kept from one event to the next but, if it is to
//! [explain](Terminal::explaining), what was explained. Promises:
//! what is written is a function of the events until then and the style, so `show` repeats `record`
//! octet for octet; it holds no control characters but LF and, with colours, the palette's; no row is
//! wider than the style's width (of 40 or more).

mod explained;
mod lifecycle;
mod line;
mod literal;
mod meaning;
mod readable;
mod remark;
mod said;
mod sheet;
mod style;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

pub use self::lifecycle::is_warning;
use self::sheet::{Buffers, Sheet, Speaker};
pub use self::style::{Color, ColorChoice, Stream, Style, Surroundings, style_for};
use crate::event::{Body, Event};
use crate::explain::Narrator;
use crate::sink::palette::Meaning;

/// The view's writer; keeps its buffers and what it explained from one event
/// to the next, and nothing else.
pub struct Terminal {
    style: Style,
    buffers: Buffers,
    narrator: Option<Narrator>,
}

impl Terminal {
    /// A view that looks like this.
    pub fn new(style: Style) -> Self {
        Self {
            style,
            buffers: Buffers::new(),
            narrator: None,
        }
    }

    /// Says below each event what it does, as to somebody who sees IMAP for the first time.
    pub fn explaining(mut self) -> Self {
        self.narrator = Some(Narrator::default());
        self
    }

    /// Writes the event's rows to `out`, in one call.
    pub fn write_event(&mut self, out: &mut impl Write, event: &Event) -> io::Result<()> {
        self.write_with(out, event, &[])
    }

    /// As [`write_event`](Self::write_event), with what somebody else has to say about the event
    /// below it.
    pub fn write_with(
        &mut self,
        out: &mut impl Write,
        event: &Event,
        remarks: &[(Meaning, String)],
    ) -> io::Result<()> {
        self.buffers.out.clear();
        let below = Below {
            remarks,
            narrator: self.narrator.as_mut(),
        };
        render(&mut self.buffers, self.style, event, below);
        out.write_all(&self.buffers.out)
    }
}

/// Writes the event's rows to `out`. For more than one event, a [`Terminal`] is faster.
pub fn write_event(out: &mut impl Write, event: &Event, style: &Style) -> io::Result<()> {
    Terminal::new(*style).write_event(out, event)
}

/// What is said below an event by others than the view itself.
struct Below<'a> {
    remarks: &'a [(Meaning, String)],
    narrator: Option<&'a mut Narrator>,
}

fn render(buffers: &mut Buffers, style: Style, event: &Event, below: Below<'_>) {
    let mut sheet = Sheet::new(buffers, style.palette(), style.width);
    match &event.body {
        Body::Said(said) if said::is_silent(said) => return,
        Body::Said(said) => {
            sheet.head(event, Speaker::Peer(said.from));
            said::write(&mut sheet, event.n, said);
            remark::write(&mut sheet, said);
        }
        body => {
            sheet.head(event, Speaker::Mailscope);
            lifecycle::write(&mut sheet, body);
        }
    }
    for (meaning, words) in below.remarks {
        remark::remark(&mut sheet, *meaning, words);
    }
    if let Some(narrator) = below.narrator {
        explained::write(&mut sheet, &narrator.explain(event));
    }
    sheet.finish();
}
