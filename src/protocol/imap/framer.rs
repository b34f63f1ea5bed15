//! Where messages and literals begin and end (RFC 9051, sections 2.2 and 4.3); nothing of what
//! they mean.
//!
//! The framer hands every octet on, in order, as [`Fragment`]s of its input, and holds none but
//! the last few of a line, so that `{3}` is seen when it comes in two reads. Any split of the same
//! octets gives the same fragments, but for where text and literals are cut.
//!
//! ```text
//! C: a APPEND x {3}    Text, End::Literal   -> awaits the go-ahead
//! S: + go ahead        Text, End::Line         (the owner calls `accept`)
//! C: abc               Literal, last
//! C:                   Text, End::Line
//! ```

use memchr::memchr;

use super::context::Context;
use crate::event::{LiteralForm, Peer, decimal};

/// A literal's announcement: `{3}`, `{3+}`, `~{3}` or `~{3+}` with its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiteralHeader {
    /// How it is announced.
    pub form: LiteralForm,
    /// Octets that it announces.
    pub octets: u64,
    /// Octets of the header itself, line end included.
    pub length: usize,
}

/// How a run of text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With the input; the line goes on in the next read.
    Input,
    /// With a line end that ends the message.
    Line {
        /// LF alone.
        bare: bool,
    },
    /// With a literal's header.
    Literal(LiteralHeader),
}

/// A run of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment<'a> {
    /// Text, line ends and literal headers included.
    Text(&'a [u8], End),
    /// Octets of a literal; `true` with the last ones.
    Literal(&'a [u8], bool),
    /// Octets that are not framed.
    Opaque(&'a [u8]),
}

/// What the lines are that come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Commands or responses.
    Messages,
    /// Lines of their own, in which `{3}` is text: SASL responses, `DONE`.
    Plain,
    /// Nothing that has lines: compressed or encrypted octets.
    Opaque,
}

/// Frames one direction of a connection.
pub struct Framer {
    from: Peer,
    lines: Lines,
    state: State,
    context: Context,
    tail: Tail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Line,
    Literal { left: u64 },
    AwaitingGoAhead { octets: u64 },
}

impl Framer {
    /// Frames what `from` sends.
    pub fn new(from: Peer) -> Self {
        Self {
            from,
            lines: Lines::Messages,
            state: State::Line,
            context: Context::at_start(from, Lines::Messages),
            tail: Tail::default(),
        }
    }

    /// Says what the next lines are. To be called between messages; [`Lines::Opaque`] at any time.
    pub fn expect(&mut self, lines: Lines) {
        if self.lines != lines {
            self.lines = lines;
            self.context = Context::at_start(self.from, lines);
        }
    }

    /// Whether the octets have no lines.
    pub fn is_opaque(&self) -> bool {
        self.lines == Lines::Opaque
    }

    /// Whether the octets of an announced literal have to wait for the other side's word.
    pub fn awaits_go_ahead(&self) -> bool {
        matches!(self.state, State::AwaitingGoAhead { .. }) && self.lines != Lines::Opaque
    }

    /// Whether a literal's octets come next.
    pub fn is_at_literal(&self) -> bool {
        self.state != State::Line
    }

    /// Octets of a literal that come next.
    pub fn literal_left(&self) -> u64 {
        match self.state {
            State::Literal { left } => left,
            State::Line | State::AwaitingGoAhead { .. } => 0,
        }
    }

    /// The literal that a [plain](Lines::Plain) line's end would announce, if the line were a message.
    pub fn announced_by(&self, line: &[u8]) -> Option<LiteralHeader> {
        let header = literal_header(line).filter(|_| self.lines == Lines::Plain)?;
        let mut context = Context::at_start(self.from, Lines::Messages);
        context.read(line);
        context.may_hold_a_literal().then_some(header)
    }

    /// The plain line that has just ended is a message, and goes on with the literal that it announces.
    pub fn go_on(&mut self, header: LiteralHeader) {
        self.expect(Lines::Messages);
        self.begin_literal(header);
    }

    /// The other side asked for the literal's octets.
    pub fn accept(&mut self) {
        if let State::AwaitingGoAhead { octets } = self.state {
            self.state = Self::literal(octets);
        }
    }

    /// The other side refused the literal: the next octets are a new message (RFC 9051, section
    /// 4.3).
    pub fn refuse(&mut self) {
        if self.awaits_go_ahead() {
            self.begin_message();
        }
    }

    /// The next fragment, taken from the front of `input`; `None` when the input is used up, or
    /// when a literal awaits the go-ahead.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Option<Fragment<'a>> {
        if input.is_empty() || self.awaits_go_ahead() {
            return None;
        }
        if self.lines == Lines::Opaque {
            return Some(Fragment::Opaque(std::mem::take(input)));
        }
        Some(match self.state {
            State::Literal { left } => {
                let (octets, rest) = input.split_at(clamp(left).min(input.len()));
                *input = rest;
                let left = left - octets.len() as u64;
                self.state = Self::literal(left);
                Fragment::Literal(octets, left == 0)
            }
            _ => self.text(input),
        })
    }

    fn literal(left: u64) -> State {
        match left {
            0 => State::Line,
            left => State::Literal { left },
        }
    }

    fn text<'a>(&mut self, input: &mut &'a [u8]) -> Fragment<'a> {
        let Some(line_feed) = memchr(b'\n', input) else {
            self.context.read(input);
            self.tail.push(input);
            return Fragment::Text(std::mem::take(input), End::Input);
        };
        let (line, rest) = input.split_at(line_feed + 1);
        *input = rest;
        Fragment::Text(line, self.line_end(line))
    }

    fn line_end(&mut self, text: &[u8]) -> End {
        let line = self.tail.joined_with(text);
        let bare = !line.ends_with(b"\r\n");
        let mut header = literal_header(line);
        self.tail.clear();
        if header.is_some() {
            // Hardly a line looks like that. Only where one does, it has to be known where in the
            // grammar it ends; with any other one a message ends, wherever that is.
            self.context.read(text);
            header = header.filter(|_| self.context.may_hold_a_literal());
        }
        let Some(header) = header else {
            self.begin_message();
            return End::Line { bare };
        };
        self.begin_literal(header);
        End::Literal(header)
    }

    fn begin_literal(&mut self, header: LiteralHeader) {
        self.state = match (self.from, header.form.is_sync()) {
            (Peer::Client, true) => State::AwaitingGoAhead {
                octets: header.octets,
            },
            _ => Self::literal(header.octets),
        };
        self.context.after_literal();
    }

    fn begin_message(&mut self) {
        self.state = State::Line;
        self.context = Context::at_start(self.from, self.lines);
        self.tail.clear();
    }
}

fn clamp(octets: u64) -> usize {
    usize::try_from(octets).unwrap_or(usize::MAX)
}

/// Digits that a literal's number may have: as many as the largest one, and some zeros before it. A
/// bound, so that a header is one whether or not it comes in several reads ([`Tail::LONGEST`]).
const LONGEST_NUMBER: usize = 32;

/// The literal header at the end of a line, if there is one where a string may begin. The longest
/// number is 2^63 - 1 (RFC 9051, section 9, `number64`).
fn literal_header(line: &[u8]) -> Option<LiteralHeader> {
    let end = line.strip_suffix(b"\n")?;
    let end = end.strip_suffix(b"\r").unwrap_or(end);
    let inside = end.strip_suffix(b"}")?;
    let (inside, non_sync) = match inside.strip_suffix(b"+") {
        Some(inside) => (inside, true),
        None => (inside, false),
    };
    let digits = inside
        .iter()
        .rev()
        .take_while(|octet| octet.is_ascii_digit())
        .count();
    let (before, digits) = inside.split_at(inside.len() - digits);
    if digits.len() > LONGEST_NUMBER {
        return None;
    }
    let before = before.strip_suffix(b"{")?;
    let (before, literal8) = match before.strip_suffix(b"~") {
        Some(before) => (before, true),
        None => (before, false),
    };
    if !before.last().is_none_or(|octet| b" ([]>)".contains(octet)) {
        return None;
    }
    let octets = decimal(digits)?;
    let form = match (literal8, non_sync) {
        (false, false) => LiteralForm::Sync,
        (false, true) => LiteralForm::NonSync,
        (true, false) => LiteralForm::Literal8,
        (true, true) => LiteralForm::Literal8NonSync,
    };
    (octets <= i64::MAX as u64).then_some(LiteralHeader {
        form,
        octets,
        length: line.len() - before.len(),
    })
}

/// The last octets of a line that came in several reads: enough for the longest literal header
/// and the octet before it.
#[derive(Default)]
struct Tail {
    octets: Vec<u8>,
}

impl Tail {
    /// A space, `~{`, [`LONGEST_NUMBER`] digits, `+}`, CRLF, and some more.
    const LONGEST: usize = 48;

    fn push(&mut self, text: &[u8]) {
        let text = &text[text.len().saturating_sub(Self::LONGEST)..];
        let excess = (self.octets.len() + text.len()).saturating_sub(Self::LONGEST);
        self.octets.drain(..excess.min(self.octets.len()));
        self.octets.extend_from_slice(text);
    }

    /// The end of the line that `text` ends; `text` itself where it is all of the line.
    fn joined_with<'a>(&'a mut self, text: &'a [u8]) -> &'a [u8] {
        if self.octets.is_empty() {
            return text;
        }
        self.push(text);
        &self.octets
    }

    fn clear(&mut self) {
        self.octets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the fragments say, with text and literals joined again.
    #[derive(Debug, PartialEq, Eq, Clone)]
    enum Seen {
        Text(Vec<u8>, End),
        Literal(Vec<u8>),
    }

    fn frame(from: Peer, lines: Lines, reads: &[&[u8]]) -> Vec<Seen> {
        let mut framer = Framer::new(from);
        framer.expect(lines);
        let mut seen: Vec<Seen> = Vec::new();
        let mut open = false;
        for read in reads {
            let mut input = *read;
            loop {
                framer.accept();
                let Some(fragment) = framer.next(&mut input) else {
                    break;
                };
                match (fragment, seen.last_mut()) {
                    (Fragment::Text(text, end), Some(Seen::Text(last, last_end))) if open => {
                        last.extend_from_slice(text);
                        *last_end = end;
                        open = end == End::Input;
                    }
                    (Fragment::Text(text, end), _) => {
                        seen.push(Seen::Text(text.to_vec(), end));
                        open = end == End::Input;
                    }
                    (Fragment::Literal(octets, last), Some(Seen::Literal(before))) if open => {
                        before.extend_from_slice(octets);
                        open = !last;
                    }
                    (Fragment::Literal(octets, last), _) => {
                        seen.push(Seen::Literal(octets.to_vec()));
                        open = !last;
                    }
                    (Fragment::Opaque(_), _) => panic!("nothing here is opaque"),
                }
            }
        }
        seen
    }

    /// Frames the octets whole, at every split, and one by one; all must agree.
    fn framed(from: Peer, lines: Lines, octets: &[u8]) -> Vec<Seen> {
        let whole = frame(from, lines, &[octets]);
        for split in 1..octets.len() {
            let (a, b) = octets.split_at(split);
            assert_eq!(frame(from, lines, &[a, b]), whole, "split at {split}");
        }
        let single: Vec<&[u8]> = octets.chunks(1).collect();
        assert_eq!(frame(from, lines, &single), whole, "byte by byte");
        whole
    }

    fn ends(seen: &[Seen]) -> Vec<End> {
        seen.iter()
            .filter_map(|seen| match seen {
                Seen::Text(_, end) => Some(*end),
                Seen::Literal(_) => None,
            })
            .collect()
    }

    const LINE: End = End::Line { bare: false };

    fn header(form: LiteralForm, octets: u64, length: usize) -> End {
        End::Literal(LiteralHeader {
            form,
            octets,
            length,
        })
    }

    #[test]
    fn literals_of_every_form_are_framed() {
        for (text, form) in [
            ("{3}\r\n", LiteralForm::Sync),
            ("{3+}\r\n", LiteralForm::NonSync),
            ("~{3}\r\n", LiteralForm::Literal8),
            ("~{3+}\r\n", LiteralForm::Literal8NonSync),
        ] {
            let octets = format!("a APPEND x {text}a\nb\r\nb NOOP\r\n");
            let seen = framed(Peer::Client, Lines::Messages, octets.as_bytes());
            assert_eq!(ends(&seen), [header(form, 3, text.len()), LINE, LINE]);
            assert_eq!(seen[1], Seen::Literal(b"a\nb".to_vec()));
        }
    }

    #[test]
    fn several_literals_stand_in_one_message_and_in_nested_lists() {
        let octets = b"* 1 FETCH (BODY[1] {2}\r\nab BODY[2] ({1}\r\nx {0}\r\n))\r\n";
        let seen = framed(Peer::Server, Lines::Messages, octets);
        assert_eq!(
            ends(&seen),
            [
                header(LiteralForm::Sync, 2, 5),
                header(LiteralForm::Sync, 1, 5),
                header(LiteralForm::Sync, 0, 5),
                LINE
            ]
        );
    }

    #[test]
    fn a_literal_header_in_human_readable_text_is_text() {
        for line in [
            "* OK see ticket {5}\r\n",
            "* BYE {5}\r\n",
            "* PREAUTH [ALERT] {5}\r\n",
            "a1 NO [ALERT] over {5}\r\n",
            "a1 BAD {5}\r\n",
            "+ go {3}\r\n",
            "+ {3}\r\n",
            "* OK [X \"]\"] {5}\r\n",
        ] {
            let seen = framed(Peer::Server, Lines::Messages, line.as_bytes());
            assert_eq!(ends(&seen), [LINE], "{line:?}");
        }
    }

    #[test]
    fn a_literal_in_an_open_response_code_is_one() {
        let octets = b"* NO [BADURL {3}\r\nabc] no {5}\r\n";
        let seen = framed(Peer::Server, Lines::Messages, octets);
        assert_eq!(ends(&seen), [header(LiteralForm::Sync, 3, 5), LINE]);
    }

    #[test]
    fn a_literal_header_in_a_quoted_string_or_an_atom_is_text() {
        for line in [
            "a LOGIN x \"y {5}\r\n",
            "a LOGIN x \"\\\" {5}\r\n",
            "a LOGIN x pa{5}\r\n",
            "a LOGIN x {5-}\r\n",
            "a LOGIN x {}\r\n",
            "a LOGIN x {99999999999999999999}\r\n",
        ] {
            let seen = framed(Peer::Client, Lines::Messages, line.as_bytes());
            assert_eq!(ends(&seen), [LINE], "{line:?}");
        }
        let quoted = b"a X \"y\" {1+}\r\nz\r\n";
        let seen = framed(Peer::Client, Lines::Messages, quoted);
        assert_eq!(ends(&seen), [header(LiteralForm::NonSync, 1, 6), LINE]);
    }

    #[test]
    fn in_sasl_and_idle_lines_nothing_is_a_literal() {
        let seen = framed(Peer::Client, Lines::Plain, b"abc {3}\r\nDONE\r\n");
        assert_eq!(ends(&seen), [LINE, LINE]);
    }

    #[test]
    fn a_bare_line_feed_ends_a_line_and_a_header() {
        let seen = framed(Peer::Client, Lines::Messages, b"a NOOP\nb X {1}\nz\n");
        let bare = End::Line { bare: true };
        assert_eq!(ends(&seen), [bare, header(LiteralForm::Sync, 1, 4), bare]);
    }

    #[test]
    fn without_a_go_ahead_the_input_is_left_alone() {
        let mut framer = Framer::new(Peer::Client);
        let mut input: &[u8] = b"a APPEND x {3}\r\nb NOOP\r\n";
        assert!(framer.next(&mut input).is_some());
        assert!(framer.awaits_go_ahead());
        assert_eq!(framer.next(&mut input), None);
        framer.refuse();
        assert_eq!(
            framer.next(&mut input),
            Some(Fragment::Text(b"b NOOP\r\n", LINE))
        );
    }

    #[test]
    fn a_number_with_very_many_digits_is_no_header_in_one_read_as_in_many() {
        let line = |digits: usize| format!("a APPEND x {{{:0>digits$}}}\r\n", 3);
        let seen = framed(Peer::Client, Lines::Messages, line(32).as_bytes());
        assert_eq!(ends(&seen), [header(LiteralForm::Sync, 3, 36)]);
        for digits in [33, 45, 60, 400] {
            let seen = framed(Peer::Client, Lines::Messages, line(digits).as_bytes());
            assert_eq!(ends(&seen), [LINE], "{digits}");
        }
    }

    #[test]
    fn a_long_line_in_many_reads_keeps_its_header() {
        let mut line = vec![b'x'; 1000];
        line[1] = b' ';
        line.extend_from_slice(b" {12}\r\n");
        let seen = framed(Peer::Client, Lines::Messages, &line);
        assert_eq!(ends(&seen), [header(LiteralForm::Sync, 12, 6)]);
    }
}
