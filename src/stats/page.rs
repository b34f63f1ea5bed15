//! What the figures for people are written to: lines of a width, in which each stretch says what it is.
//!
//! Not how that looks; whoever has a terminal knows, and is asked for each stretch.

/// What a stretch of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing special.
    Plain,
    /// The heads of a table's columns.
    Head,
    /// What a part of the page is called.
    Title,
    /// A kind of waste.
    Waste,
    /// Within the budget.
    Within,
    /// Beyond it.
    Beyond,
}

/// Figures as text.
pub struct Page<'p> {
    /// The text.
    pub text: String,
    /// Columns of a line (40 or more).
    pub width: usize,
    paint: &'p dyn Fn(Role, &str) -> String,
}

/// As it is.
fn plain(_: Role, text: &str) -> String {
    text.to_owned()
}

impl Page<'static> {
    /// Without colours.
    pub fn plain(width: usize) -> Self {
        Self::painted(width, &plain)
    }
}

impl<'p> Page<'p> {
    /// With what `paint` makes of each stretch.
    pub fn painted(width: usize, paint: &'p dyn Fn(Role, &str) -> String) -> Self {
        Self {
            text: String::new(),
            width,
            paint,
        }
    }

    /// Adds a stretch.
    pub(super) fn push(&mut self, role: Role, text: &str) {
        match role {
            Role::Plain => self.text.push_str(text),
            role => self.text.push_str(&(self.paint)(role, text)),
        }
    }

    /// Adds a whole line.
    pub(super) fn line(&mut self, role: Role, text: &str) {
        self.push(role, text);
        self.text.push('\n');
    }
}
