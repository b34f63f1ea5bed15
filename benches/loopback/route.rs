//! How an app reaches its server.

use mailscope::net::AskedSecurity;
use mailscope::relay::Leg;

/// What stands between the two, and how they speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// What stands between them.
    pub way: Way,
    /// How they speak.
    pub session: Session,
}

/// How octets get from one leg to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Read, written, not looked at: the same TLS, and nothing else.
    Copy,
    /// mailscope without a sink.
    Relay,
    /// mailscope with a transcript.
    Recorded,
}

/// How both legs of a session are secured, and what is said behind the login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// TLS at once on both legs.
    Tls,
    /// The app says STARTTLS, which secures both.
    Starttls,
    /// TLS at once to the app; mailscope says STARTTLS to the server.
    Bridged,
    /// As [`Tls`](Self::Tls), and deflated from the login on.
    Compressed,
}

impl Route {
    /// Those of a session that is not compressed. Each is compared with one that stands before it.
    pub const PLAIN: [Self; 7] = [
        Self::new(Way::Copy, Session::Tls),
        Self::new(Way::Relay, Session::Tls),
        Self::new(Way::Recorded, Session::Tls),
        Self::new(Way::Relay, Session::Starttls),
        Self::new(Way::Recorded, Session::Starttls),
        Self::new(Way::Relay, Session::Bridged),
        Self::new(Way::Recorded, Session::Bridged),
    ];

    /// Those of one that is.
    pub const COMPRESSED: [Self; 3] = [
        Self::new(Way::Copy, Session::Compressed),
        Self::new(Way::Relay, Session::Compressed),
        Self::new(Way::Recorded, Session::Compressed),
    ];

    const fn new(way: Way, session: Session) -> Self {
        Self { way, session }
    }

    /// What it is compared with: the copy of the same octets, or with STARTTLS, which a copy does not
    /// know, the same way with TLS at once.
    pub fn base(self) -> Self {
        match self.session {
            Session::Tls | Session::Compressed => Self::new(Way::Copy, self.session),
            Session::Starttls | Session::Bridged => Self::new(self.way, Session::Tls),
        }
    }

    /// What it is called in a report.
    pub fn name(self) -> String {
        match self.session {
            Session::Tls => self.way.name().to_owned(),
            session => format!("{}, {}", self.way.name(), session.name()),
        }
    }
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Copy, Self::Relay, Self::Recorded];

    /// What it is called in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Relay => "relay",
            Self::Recorded => "relay, recording",
        }
    }
}

impl Session {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tls, Self::Starttls, Self::Bridged, Self::Compressed];

    /// What it is called in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls => "TLS at once",
            Self::Starttls => "STARTTLS",
            Self::Bridged => "STARTTLS to the server",
            Self::Compressed => "COMPRESS",
        }
    }

    /// The leg to the app.
    pub fn app(self) -> Leg {
        match self {
            Self::Starttls => Leg::Cleartext,
            Self::Tls | Self::Bridged | Self::Compressed => Leg::Tls,
        }
    }

    /// The leg to the server.
    pub fn server(self) -> AskedSecurity {
        match self {
            Self::Starttls | Self::Bridged => AskedSecurity::Starttls,
            Self::Tls | Self::Compressed => AskedSecurity::Implicit,
        }
    }
}
