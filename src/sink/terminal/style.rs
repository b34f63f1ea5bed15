//! How the view looks, and how that follows from where it is written.
//!
//! [`style_for`] is a function of its argument alone; asking the environment and the terminal is
//! for the caller.

use crate::sink::palette::Palette;

/// Columns where nothing says how many there are.
const COLUMNS: usize = 80;

/// How the view looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns. Rows are not wider, if this is 40 or more.
    pub width: usize,
    /// Whether there are colours.
    pub color: Color,
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// No escape sequences at all.
    Never,
    /// The terminal's 16 colours.
    Ansi,
}

impl Style {
    /// The colours, or none.
    pub fn palette(self) -> &'static Palette {
        match self.color {
            Color::Never => Palette::plain(),
            Color::Ansi => Palette::ansi(),
        }
    }
}

/// What `--color` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal, unless the environment says no.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// All that the style follows from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// What `--color` says.
    pub choice: ColorChoice,
    /// What is written to.
    pub stream: Stream,
    /// The variable `NO_COLOR` (<https://no-color.org>).
    pub no_color: Option<&'a str>,
    /// The variable `TERM`.
    pub term: Option<&'a str>,
    /// The variable `COLUMNS`.
    pub columns: Option<&'a str>,
}

/// What is written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stream {
    /// A pipe or a file.
    #[default]
    Other,
    /// A terminal.
    Terminal {
        /// Its columns, where it says so.
        columns: Option<usize>,
    },
}

/// The style for these surroundings.
pub fn style_for(surroundings: &Surroundings<'_>) -> Style {
    let refused = surroundings.no_color.is_some_and(|value| !value.is_empty())
        || surroundings.term == Some("dumb");
    let colored = match surroundings.choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => surroundings.stream != Stream::Other && !refused,
    };
    let own = match surroundings.stream {
        Stream::Terminal { columns } => columns,
        Stream::Other => None,
    };
    let told = || surroundings.columns?.trim().parse().ok();
    let width = own
        .or_else(told)
        .filter(|&columns| columns > 0)
        .unwrap_or(COLUMNS);
    Style {
        width,
        color: if colored { Color::Ansi } else { Color::Never },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Stream = Stream::Terminal { columns: Some(132) };

    fn style(surroundings: Surroundings<'_>) -> (usize, Color) {
        let Style { width, color } = style_for(&surroundings);
        (width, color)
    }

    #[test]
    fn a_pipe_is_plain_and_80_columns_wide_or_as_columns_says() {
        let pipe = Surroundings::default();
        assert_eq!(style(pipe), (80, Color::Never));
        let told = |columns| Surroundings {
            columns: Some(columns),
            ..pipe
        };
        assert_eq!(style(told("50")), (50, Color::Never));
        assert_eq!(style(told("0")), (80, Color::Never));
        assert_eq!(style(told("wide")), (80, Color::Never));
        let always = Surroundings {
            choice: ColorChoice::Always,
            no_color: Some("1"),
            ..pipe
        };
        assert_eq!(style(always), (80, Color::Ansi));
    }

    #[test]
    fn a_terminal_has_its_width_and_colours_unless_refused() {
        let terminal = Surroundings {
            stream: TERMINAL,
            columns: Some("50"),
            ..Surroundings::default()
        };
        assert_eq!(style(terminal), (132, Color::Ansi));
        let color = |surroundings| style(surroundings).1;
        let choice = |choice| Surroundings { choice, ..terminal };
        assert_eq!(color(choice(ColorChoice::Never)), Color::Never);
        let no_color = |value| Surroundings {
            no_color: Some(value),
            ..terminal
        };
        assert_eq!(color(no_color("1")), Color::Never);
        assert_eq!(color(no_color("")), Color::Ansi);
        let term = |name| Surroundings {
            term: Some(name),
            ..terminal
        };
        assert_eq!(color(term("dumb")), Color::Never);
        assert_eq!(color(term("xterm")), Color::Ansi);
        let always = Surroundings {
            choice: ColorChoice::Always,
            ..no_color("1")
        };
        assert_eq!(color(always), Color::Ansi);
    }
}
