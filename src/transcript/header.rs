//! What a transcript says about itself before its first event.
//!
//! Not the events, and not the document's frame. It promises that a header of a newer format is
//! told from a broken one.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::event::Secrets;
use crate::event::json::Object;

/// The version of the format that this crate writes, and the newest that it reads.
pub const FORMAT: u64 = 1;

/// A transcript's header: the document's `mailscope` member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The format's version, [`FORMAT`].
    pub format: u64,
    /// `imap`.
    pub protocol: String,
    /// The version of the mailscope that wrote it: `0.1.0`.
    pub version: String,
    /// When the run started: RFC 3339, UTC, milliseconds. Every event's `at` counts from here.
    pub started: String,
    /// Host and port of the server.
    pub server: String,
    /// Whether secrets are masked in it.
    pub secrets: Secrets,
    /// Whether the server's certificate was not verified (`--insecure`).
    pub insecure: bool,
    /// Whether its words are pseudonyms (`mailscope scrub`).
    pub scrubbed: bool,
}

impl Header {
    /// When the run started, if that can be read.
    pub fn start(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(&self.started, &Rfc3339).ok()
    }

    /// The header of a run of this version that starts at `started` and joins apps with `server`
    /// (`host:port`), with masked secrets and a verified server.
    pub fn new(started: OffsetDateTime, server: impl Into<String>) -> Self {
        Self {
            started: rfc3339(started),
            server: server.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            ..Self::unknown()
        }
    }

    /// What is known of a recording that says nothing about itself, or whose header was cut off.
    pub fn unknown() -> Self {
        Self {
            format: FORMAT,
            protocol: "imap".into(),
            version: String::new(),
            started: String::new(),
            server: String::new(),
            secrets: Secrets::Masked,
            insecure: false,
            scrubbed: false,
        }
    }

    /// Adds it to `out` as one compact JSON object.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.number("format", self.format);
        object.string("protocol", &self.protocol);
        object.string("version", &self.version);
        object.string("started", &self.started);
        object.string("server", &self.server);
        object.string("secrets", self.secrets.name());
        object.flag("insecure", self.insecure);
        object.flag("scrubbed", self.scrubbed);
        object.close();
    }

    /// Reads it again. Fields that are not there have the value that a plain run gives them, so
    /// that a header written by hand can be short.
    pub(super) fn parse(json: &[u8]) -> serde_json::Result<Self> {
        use serde::de::Error;
        let Version { format } = serde_json::from_slice(json)?;
        if format > FORMAT {
            // Before anything else: the other fields may have changed their meaning.
            return Err(Error::custom(format_args!(
                "format {format} is newer than this version reads ({FORMAT})"
            )));
        }
        let fields: Fields = serde_json::from_slice(json)?;
        let unknown = Self::unknown();
        Ok(Self {
            format,
            protocol: fields.protocol.unwrap_or(unknown.protocol),
            version: fields.version.unwrap_or_default(),
            started: fields.started.unwrap_or_default(),
            server: fields.server.unwrap_or_default(),
            secrets: match fields.secrets.as_deref() {
                None | Some("masked") => Secrets::Masked,
                Some("shown") => Secrets::Shown,
                Some(other) => {
                    return Err(Error::custom(format_args!(
                        "secrets are masked or shown, not {other:?}"
                    )));
                }
            },
            insecure: fields.insecure.unwrap_or_default(),
            scrubbed: fields.scrubbed.unwrap_or_default(),
        })
    }
}

#[derive(Deserialize)]
struct Version {
    #[serde(default = "oldest")]
    format: u64,
}

fn oldest() -> u64 {
    1
}

#[derive(Deserialize)]
struct Fields {
    protocol: Option<String>,
    version: Option<String>,
    started: Option<String>,
    server: Option<String>,
    secrets: Option<String>,
    insecure: Option<bool>,
    scrubbed: Option<bool>,
}

/// A time as the header holds it: RFC 3339, UTC, milliseconds (`2026-11-23T12:00:00.000Z`).
pub fn rfc3339(time: OffsetDateTime) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    time.to_offset(time::UtcOffset::UTC)
        .format(format)
        .unwrap_or_default() // every part of the format is there
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn written(header: &Header) -> String {
        let mut out = Vec::new();
        header.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn header() -> Header {
        Header {
            version: "0.1.0".into(),
            ..Header::new(datetime!(2026-11-23 13:00:00.0004 +1), "imap.gmail.com:993")
        }
    }

    #[test]
    fn it_is_written_as_the_contract_shows_it() {
        assert_eq!(
            written(&header()),
            r#"{"format":1,"protocol":"imap","version":"0.1.0","started":"2026-11-23T12:00:00.000Z","server":"imap.gmail.com:993","secrets":"masked"}"#
        );
    }

    #[test]
    fn insecure_stands_there_only_when_set() {
        let header = Header {
            secrets: Secrets::Shown,
            insecure: true,
            ..header()
        };
        assert!(written(&header).ends_with(r#""secrets":"shown","insecure":true}"#));
        assert_eq!(Header::parse(written(&header).as_bytes()).unwrap(), header);
    }

    #[test]
    fn a_short_one_is_read_and_unknown_fields_are_passed_over() {
        let header = Header::parse(br#"{"format":1,"weather":"fine"}"#).unwrap();
        assert_eq!(header, Header::unknown());
    }

    #[test]
    fn a_newer_format_is_named_whatever_else_it_holds() {
        let error = Header::parse(br#"{"format":2,"secrets":["other"]}"#).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("format 2 is newer than this version reads (1)")
        );
    }
}
