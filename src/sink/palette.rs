//! Colours, named by what they mean.
//!
//! Not a theme: only the 16 colours that every terminal has, without white and black, so that the
//! reader's own theme decides what they look like, on light and dark backgrounds. Secondary things
//! are dimmed and not grey, since some themes draw bright black in the background's colour.
//!
//! Promises: colour never carries anything alone; a mark or a word says the same. The plain palette
//! writes no escape sequences.

use std::sync::LazyLock;

use owo_colors::Style;

/// What a stretch of output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing special.
    Plain,
    /// Secondary: time, connection, gutter, numbers of events.
    Dim,
    /// `C:`
    Client,
    /// `S:`
    Server,
    /// `--`, mailscope's own marker.
    Remark,
    /// A tag; see [`Meaning::of_tag`].
    TagA,
    /// A tag in the second colour.
    TagB,
    /// A tag in the third colour.
    TagC,
    /// A command's or a response's name.
    Name,
    /// Success.
    Ok,
    /// Failure.
    No,
    /// A protocol error.
    Bad,
    /// The end of a connection.
    Bye,
    /// A response code.
    Code,
    /// A response code's name.
    CodeName,
    /// A flag: `\Seen`.
    Flag,
    /// The header of a literal.
    LiteralHeader,
    /// What stands in place of a secret.
    Secret,
    /// What stands in place of something that may not be shown.
    Escape,
    /// Octets that no rule of the grammar fits.
    Malformed,
    /// A message that no command asked for.
    Unsolicited,
    /// An answer that took long.
    Slow,
    /// mailscope noticed something.
    Note,
    /// Something that the reader must not overlook.
    Warning,
    /// A capability that came.
    Added,
    /// A capability that went.
    Removed,
}

impl Meaning {
    /// In the order of their declaration.
    const ALL: [Self; 26] = [
        Self::Plain,
        Self::Dim,
        Self::Client,
        Self::Server,
        Self::Remark,
        Self::TagA,
        Self::TagB,
        Self::TagC,
        Self::Name,
        Self::Ok,
        Self::No,
        Self::Bad,
        Self::Bye,
        Self::Code,
        Self::CodeName,
        Self::Flag,
        Self::LiteralHeader,
        Self::Secret,
        Self::Escape,
        Self::Malformed,
        Self::Unsolicited,
        Self::Slow,
        Self::Note,
        Self::Warning,
        Self::Added,
        Self::Removed,
    ];

    /// The meaning of a tag: the same for a command and its answer, another one for the tags next
    /// to it (`a1`, `a2`, `a3`).
    pub fn of_tag(tag: &[u8]) -> Self {
        // Clients count, in decimal, in hexadecimal or in letters: the last octets tell neighbours
        // apart in all of them.
        let sum: u32 = tag
            .iter()
            .rev()
            .take(8)
            .map(|&octet| u32::from(octet))
            .sum();
        match sum % 3 {
            0 => Self::TagA,
            1 => Self::TagB,
            _ => Self::TagC,
        }
    }

    fn ansi(self) -> Style {
        let style = Style::new();
        match self {
            Self::Plain | Self::Server => style,
            Self::Client | Self::Name | Self::Slow => style.bold(),
            Self::Dim | Self::Remark | Self::LiteralHeader => style.dimmed(),
            // Not green and red, which say how a command ended.
            Self::TagA | Self::Flag => style.cyan(),
            Self::TagB => style.magenta(),
            Self::TagC | Self::Code => style.bright_blue(),
            Self::CodeName => style.bright_blue().bold(),
            Self::Ok => style.green().bold(),
            Self::No | Self::Warning => style.red().bold(),
            Self::Bad => style.red().bold().reversed(),
            // Where mailscope has a hand in it. Not yellow, which light themes draw too light.
            Self::Bye | Self::Unsolicited => style.magenta().bold(),
            Self::Note => style.magenta(),
            Self::Secret => style.magenta().reversed(),
            Self::Escape => style.magenta().underline(),
            Self::Malformed => style.red().underline(),
            Self::Added => style.green(),
            Self::Removed => style.red(),
        }
    }
}

/// Escape sequences for each [`Meaning`]: before and after.
pub struct Palette {
    sequences: Vec<(String, String)>,
}

static PLAIN: LazyLock<Palette> = LazyLock::new(|| Palette::new(|_| Style::new()));
static ANSI: LazyLock<Palette> = LazyLock::new(|| Palette::new(Meaning::ansi));

impl Palette {
    /// Writes no escape sequences at all.
    pub fn plain() -> &'static Self {
        &PLAIN
    }

    /// Writes colours.
    pub fn ansi() -> &'static Self {
        &ANSI
    }

    fn new(style: fn(Meaning) -> Style) -> Self {
        let around = |meaning| {
            let style = style(meaning);
            let before = style.prefix_formatter().to_string();
            (before, style.suffix_formatter().to_string())
        };
        Self {
            sequences: Meaning::ALL.into_iter().map(around).collect(),
        }
    }

    /// Writes `text`, which must be fit to be shown, as something with this meaning.
    pub fn paint(&self, out: &mut Vec<u8>, meaning: Meaning, text: &str) {
        if text.is_empty() {
            return;
        }
        let (before, after) = &self.sequences[meaning as usize];
        out.extend_from_slice(before.as_bytes());
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(after.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(palette: &Palette, meaning: Meaning) -> String {
        let mut out = Vec::new();
        palette.paint(&mut out, meaning, "x");
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn meanings_stand_at_their_place() {
        for (place, meaning) in Meaning::ALL.into_iter().enumerate() {
            assert_eq!(meaning as usize, place);
        }
    }

    #[test]
    fn the_plain_palette_writes_no_escape_sequences() {
        for meaning in Meaning::ALL {
            assert_eq!(painted(Palette::plain(), meaning), "x");
        }
    }

    #[test]
    fn colours_are_the_terminal_s_own_and_neither_black_nor_white() {
        for meaning in Meaning::ALL {
            let text = painted(Palette::ansi(), meaning);
            let Some((before, _)) = text.split_once('x') else {
                panic!("{text}")
            };
            let codes = before.trim_start_matches("\x1b[").trim_end_matches('m');
            for code in codes.split(';').filter(|code| !code.is_empty()) {
                let code: u8 = code.parse().unwrap();
                let effect = matches!(code, 1 | 2 | 4 | 7);
                let hue = matches!(code, 31..=36 | 91..=96);
                assert!(effect || hue, "{meaning:?}: {code}");
            }
        }
    }

    #[test]
    fn tags_next_to_each_other_differ() {
        let hue = |tag: &str| Meaning::of_tag(tag.as_bytes());
        assert_eq!(hue("a1"), hue("a1"));
        assert!(hue("a1") != hue("a2") && hue("a2") != hue("a3") && hue("a1") != hue("a3"));
        assert_ne!(hue("A009"), hue("A00A"));
        assert_ne!(hue("5"), hue("6"));
    }
}
