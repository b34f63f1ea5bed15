//! In what two recordings differ.

/// Something of both recordings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sides<T> {
    /// Of the first one.
    pub a: T,
    /// Of the second one.
    pub b: T,
}

/// The differences of two recordings, connection by connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// In the order of A, those only in B behind.
    pub connections: Vec<Pair>,
}

/// Two connections that belong together, or one that is in one recording alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Their numbers.
    pub conn: Sides<Option<u64>>,
    /// How many commands each has.
    pub commands: Sides<usize>,
    /// How the server greets, and what it says where no command was.
    pub greeting: Vec<Difference>,
    /// The exchanges, in order.
    pub exchanges: Vec<Compared>,
}

/// Two exchanges that belong together, or one that is in one recording alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The command in both.
    pub command: Sides<Option<Command>>,
    /// Whether that it is at another place matters.
    pub is_moved: bool,
    /// The arguments that differ.
    pub arguments: Vec<Change>,
    /// What the server says.
    pub responses: Vec<Difference>,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The number of its event in its recording, or of its line.
    pub n: u64,
    /// Without tag and secrets.
    pub text: String,
}

/// A difference in what the server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What kind of response it is about.
    pub kind: Kind,
    /// The responses; `None` where there is none like it.
    pub said: Sides<Option<String>>,
    /// In what they differ, where there are both.
    pub parts: Vec<Change>,
}

/// Which response a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The greeting.
    Greeting,
    /// Data that the command asked for.
    Response,
    /// Data that nobody asked for.
    Unasked,
    /// The tagged response.
    Answer,
}

/// A part that differs: an argument, an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `mailbox`, `FLAGS`.
    pub of: String,
    /// What it is; `None` where there is none.
    pub is: Sides<Option<String>>,
}

/// How many differences there are of which kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections in one recording alone.
    pub connections: Sides<usize>,
    /// Commands in one recording alone, in connections that are in both.
    pub commands: Sides<usize>,
    /// Commands at another place.
    pub moved: usize,
    /// Arguments of commands.
    pub arguments: usize,
    /// Greetings, and data that was asked for.
    pub responses: usize,
    /// Data that nobody asked for.
    pub unasked: usize,
    /// Tagged responses.
    pub answers: usize,
    /// Commands that are the same, and so is what answers them.
    pub same: usize,
    /// Connections that are in both.
    pub paired: usize,
}

impl Copy for Sides<usize> {}

impl Compared {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.command.a.is_some()
            && self.command.b.is_some()
            && !self.is_moved
            && self.arguments.is_empty()
            && self.responses.is_empty()
    }
}

impl Counts {
    /// All differences.
    pub fn differences(&self) -> usize {
        self.connections.a
            + self.connections.b
            + self.commands.a
            + self.commands.b
            + self.moved
            + self.arguments
            + self.responses
            + self.unasked
            + self.answers
    }

    fn response(&mut self, difference: &Difference) {
        match difference.kind {
            Kind::Greeting | Kind::Response => self.responses += 1,
            Kind::Unasked => self.unasked += 1,
            Kind::Answer => self.answers += 1,
        }
    }

    fn exchange(&mut self, compared: &Compared) {
        match (&compared.command.a, &compared.command.b) {
            (Some(_), None) => self.commands.a += 1,
            (None, Some(_)) => self.commands.b += 1,
            _ => {}
        }
        self.same += usize::from(compared.is_same());
        self.moved += usize::from(compared.is_moved);
        self.arguments += compared.arguments.len();
        compared
            .responses
            .iter()
            .for_each(|response| self.response(response));
    }
}

impl Comparison {
    /// How many differences there are.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for pair in &self.connections {
            match (pair.conn.a, pair.conn.b) {
                (Some(_), Some(_)) => counts.paired += 1,
                (Some(_), None) => counts.connections.a += 1,
                _ => counts.connections.b += 1,
            }
            pair.greeting
                .iter()
                .for_each(|greeting| counts.response(greeting));
            pair.exchanges
                .iter()
                .for_each(|compared| counts.exchange(compared));
        }
        counts
    }

    /// Whether both recordings say the same.
    pub fn is_equal(&self) -> bool {
        self.counts().differences() == 0
    }
}
