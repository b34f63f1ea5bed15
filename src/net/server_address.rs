//! Where the real server is, and how its connection is secured: SERVER and `--server-tls`.
//!
//! Parsed once; whoever holds a [`ServerAddress`] holds a name that can be dialled and verified.
//! Nothing is resolved here.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use rustls::pki_types::{DnsName, ServerName};

use crate::error::{Error, Result};

/// How the connection to the server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first octet (RFC 8314, section 3.2).
    Implicit,
    /// TLS from STARTTLS on (RFC 9051, section 6.2.1).
    Starttls,
    /// Not at all.
    Cleartext,
}

/// What `--server-tls` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedSecurity {
    /// `implicit`
    Implicit,
    /// `starttls`
    Starttls,
    /// `none`
    None,
}

/// The real server: host, port and security.
///
/// ```
/// use mailscope::net::{Security, ServerAddress};
///
/// let server = ServerAddress::parse("imaps://imap.example.com", None)?;
/// assert_eq!(server.name(), "imap.example.com:993");
/// assert_eq!(server.security(), Security::Implicit);
/// # Ok::<(), mailscope::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    /// Lower case, IPv6 without brackets.
    host: String,
    /// The host without a final dot, which neither SNI nor certificates have.
    verified_as: ServerName<'static>,
    port: u16,
    security: Security,
}

/// The part of SERVER before the host.
#[derive(Clone, Copy, PartialEq)]
enum Scheme {
    Absent,
    Imap,
    Imaps,
}

impl ServerAddress {
    /// Reads SERVER: `host`, `host:port`, `[::1]:port`, `::1`, `imaps://host[:port]` (TLS at once,
    /// 993) or `imap://host[:port]` (STARTTLS, 143). Without a scheme it is `imaps`, unless `asked` is
    /// another.
    ///
    /// # Errors
    ///
    /// Anything else, and a contradiction between scheme and `asked`. The error never shows a user name or password that stands in `text`.
    pub fn parse(text: &str, asked: Option<AskedSecurity>) -> Result<Self> {
        // Before anything is shown: what stands before an @ may be a password.
        if let Some((_, host)) = text.rsplit_once('@') {
            return Err(refuse(host, "a user name does not belong here").hint(
                "the host alone, such as imaps://imap.example.com; the app logs in, not mailscope",
            ));
        }
        let (scheme, rest) = split_scheme(text)?;
        let (security, default_port) = agree(text, scheme, asked)?;
        // `imap://host/` is the server itself (RFC 5092, section 4).
        let authority = match scheme {
            Scheme::Absent => rest,
            Scheme::Imap | Scheme::Imaps => rest.strip_suffix('/').unwrap_or(rest),
        };
        if authority.contains(['/', '?', '#']) {
            return Err(refuse(text, "a path does not belong here")
                .hint("host and port alone, such as imaps://imap.example.com:993"));
        }
        let (host, port) = split_port(text, authority)?;
        let (host, verified_as) = read_host(text, host)?;
        Ok(Self {
            host,
            verified_as,
            port: port.unwrap_or(default_port),
            security,
        })
    }

    /// The server that an app asked for itself: a name or an IP address, and a port.
    ///
    /// # Errors
    ///
    /// The name is none.
    pub fn at(host: &str, port: u16, security: Security) -> Result<Self> {
        let (host, verified_as) = read_host(host, host)?;
        Ok(Self {
            host,
            verified_as,
            port,
            security,
        })
    }

    /// The same server, its connection secured like this.
    #[must_use = "the changed address is returned, not changed in place"]
    pub fn secured_by(self, security: Security) -> Self {
        Self { security, ..self }
    }

    /// The same server, its certificate to be for this name; what cannot be one changes nothing.
    #[must_use = "the changed address is returned, not changed in place"]
    pub fn known_as(self, name: &str) -> Self {
        match read_host(name, name) {
            Ok((_, verified_as)) => Self {
                verified_as,
                ..self
            },
            Err(_) => self,
        }
    }

    /// The host as it is resolved: lower case, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How the connection is secured.
    pub fn security(&self) -> Security {
        self.security
    }

    /// `imap.example.com:993`, `[::1]:993`.
    pub fn name(&self) -> String {
        self.to_string()
    }

    /// What the server's certificate must be for.
    pub fn server_name(&self) -> ServerName<'static> {
        self.verified_as.clone()
    }

    /// The name sent in the TLS hello; none for an IP address (RFC 6066, section 3).
    pub fn sni(&self) -> Option<&str> {
        match &self.verified_as {
            ServerName::DnsName(name) => Some(name.as_ref()),
            _ => None,
        }
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn refuse(text: &str, why: impl fmt::Display) -> Error {
    Error::new(format!("read the server {text:?}"), why)
}

fn split_scheme(text: &str) -> Result<(Scheme, &str)> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok((Scheme::Absent, text));
    };
    if scheme.eq_ignore_ascii_case("imaps") {
        Ok((Scheme::Imaps, rest))
    } else if scheme.eq_ignore_ascii_case("imap") {
        Ok((Scheme::Imap, rest))
    } else {
        Err(refuse(text, format!("mailscope does not speak {scheme:?}"))
            .hint("imaps://host or imap://host"))
    }
}

/// The security that scheme and flag agree on, and its port (RFC 8314, section 7).
fn agree(text: &str, scheme: Scheme, asked: Option<AskedSecurity>) -> Result<(Security, u16)> {
    match (scheme, asked) {
        (Scheme::Imaps, Some(AskedSecurity::Starttls)) => Err(refuse(
            text,
            "imaps:// is TLS at once and --server-tls starttls is not: they contradict each other",
        )
        .hint("imap://host, or imaps://host without --server-tls")),
        (Scheme::Imap, None) | (_, Some(AskedSecurity::Starttls)) => Ok((Security::Starttls, 143)),
        (Scheme::Imap, Some(AskedSecurity::Implicit)) => Ok((Security::Implicit, 143)),
        (Scheme::Imap | Scheme::Absent, Some(AskedSecurity::None)) => {
            Ok((Security::Cleartext, 143))
        }
        (Scheme::Imaps, Some(AskedSecurity::None)) => Err(refuse(
            text,
            "imaps:// is TLS and --server-tls none is no TLS: they contradict each other",
        )
        .hint("imap://host with --server-tls none, or imaps://host without it")),
        (Scheme::Imaps | Scheme::Absent, None | Some(AskedSecurity::Implicit)) => {
            Ok((Security::Implicit, 993))
        }
    }
}

fn split_port<'a>(text: &str, authority: &'a str) -> Result<(&'a str, Option<u16>)> {
    let (host, port) = if let Some(inside) = authority.strip_prefix('[') {
        let (host, behind) = inside
            .split_once(']')
            .ok_or_else(|| refuse(text, "the bracket is not closed").hint("[2001:db8::1]:993"))?;
        if host.parse::<Ipv6Addr>().is_err() {
            return Err(refuse(text, format!("{host:?} is not an IPv6 address"))
                .hint("brackets are for IPv6 addresses only: [2001:db8::1]:993"));
        }
        match behind.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if behind.is_empty() => (host, None),
            None => {
                return Err(
                    refuse(text, "only :port may follow the bracket").hint("[2001:db8::1]:993")
                );
            }
        }
    } else if authority.parse::<Ipv6Addr>().is_ok() {
        (authority, None)
    } else {
        match authority.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err(refuse(text, "too many colons")
                    .hint("host:993, or with an IPv6 address [2001:db8::1]:993"));
            }
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    Ok((host, port.map(|port| read_port(text, port)).transpose()?))
}

fn read_port(text: &str, port: &str) -> Result<u16> {
    // `parse` takes a plus sign too.
    let digits = port.bytes().all(|octet| octet.is_ascii_digit());
    match port.parse() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err(refuse(text, format!("{port:?} is not a port"))
            .hint("a number from 1 to 65535; IMAP over TLS has 993, cleartext IMAP 143")),
    }
}

fn read_host(text: &str, host: &str) -> Result<(String, ServerName<'static>)> {
    if host.is_empty() {
        return Err(refuse(text, "the host is missing").hint("imap.example.com"));
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok((address.to_string(), ServerName::from(address)));
    }
    let host = host.to_ascii_lowercase();
    let without_dot = host.strip_suffix('.').unwrap_or(&host);
    match DnsName::try_from(without_dot.to_owned()) {
        Ok(name) => Ok((host, ServerName::DnsName(name))),
        Err(_) if host.is_ascii() => Err(refuse(text, format!("{host:?} is not a host's name"))
            .hint("a name such as imap.example.com, or an IP address")),
        Err(_) => Err(refuse(text, "the host's name is not ASCII")
            .hint("the name's ASCII form, which starts with xn-- (RFC 5890)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, asked: Option<AskedSecurity>) -> (String, Security) {
        let server = ServerAddress::parse(text, asked).unwrap();
        (server.name(), server.security())
    }

    fn refused(text: &str, asked: Option<AskedSecurity>) -> String {
        let error = ServerAddress::parse(text, asked).unwrap_err();
        assert!(error.what_to_try().is_some(), "{error}");
        error.to_string()
    }

    #[test]
    fn every_form_of_server() {
        for (text, name) in [
            ("imap.example.com", "imap.example.com:993"),
            ("IMAP.Example.com:1993", "imap.example.com:1993"),
            ("imaps://imap.example.com", "imap.example.com:993"),
            ("IMAPS://imap.example.com:44/", "imap.example.com:44"),
            ("localhost", "localhost:993"),
            ("mail_1.lan.", "mail_1.lan.:993"),
            ("127.0.0.1", "127.0.0.1:993"),
            ("127.0.0.1:1993", "127.0.0.1:1993"),
            ("::1", "[::1]:993"),
            ("[::1]", "[::1]:993"),
            ("[::1]:1993", "[::1]:1993"),
            ("imaps://[2001:DB8:0::1]:1", "[2001:db8::1]:1"),
        ] {
            assert_eq!(parsed(text, None), (name.into(), Security::Implicit));
            let asked = Some(AskedSecurity::Implicit);
            assert_eq!(parsed(text, asked), (name.into(), Security::Implicit));
        }
    }

    #[test]
    fn cleartext_only_where_it_is_asked_for() {
        let none = Some(AskedSecurity::None);
        for (text, name) in [
            ("localhost", "localhost:143"),
            ("localhost:1143", "localhost:1143"),
            ("imap://localhost", "localhost:143"),
            ("imap://[::1]:1143", "[::1]:1143"),
        ] {
            assert_eq!(parsed(text, none), (name.into(), Security::Cleartext));
        }
        assert_eq!(
            parsed("imap://localhost", Some(AskedSecurity::Implicit)),
            ("localhost:143".into(), Security::Implicit)
        );
        assert!(refused("imaps://localhost", none).contains("contradict"));
    }

    #[test]
    fn starttls_has_its_scheme_and_its_flag() {
        for (text, asked, name) in [
            ("imap://localhost", None, "localhost:143"),
            ("imap://localhost:1143", None, "localhost:1143"),
            ("localhost", Some(AskedSecurity::Starttls), "localhost:143"),
            (
                "imap://localhost",
                Some(AskedSecurity::Starttls),
                "localhost:143",
            ),
        ] {
            assert_eq!(parsed(text, asked), (name.to_owned(), Security::Starttls));
        }
        let error = refused("imaps://localhost", Some(AskedSecurity::Starttls));
        assert!(error.contains("contradict"), "{error}");
    }

    #[test]
    fn what_is_no_server_is_refused_with_a_hint() {
        for (text, part) in [
            ("", "missing"),
            (":993", "missing"),
            ("imaps://", "missing"),
            ("imaps://:993", "missing"),
            ("pop3://host", "pop3"),
            ("https://host", "https"),
            ("imaps://host/INBOX", "path"),
            ("host/", "path"),
            ("imaps://host?x", "path"),
            ("host:", "not a port"),
            ("host:0", "not a port"),
            ("host:+1", "not a port"),
            ("host:65536", "not a port"),
            ("host:imaps", "not a port"),
            ("[::1]993", "bracket"),
            ("[::1", "bracket"),
            ("[localhost]:993", "IPv6"),
            ("::1:x", "colons"),
            ("my host", "not a host"),
            ("-", "not a host"),
            ("host..x", "not a host"),
            ("h\u{1b}[31m", "not a host"),
            ("bücher.example", "ASCII"),
        ] {
            let error = refused(text, None);
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains('\u{1b}'), "{error:?}");
        }
    }

    #[test]
    fn a_password_in_the_server_is_not_shown() {
        for text in ["imaps://alice:hunter2@host", "alice:hunter2@host:993"] {
            let error = refused(text, None);
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains("user name"), "{error}");
        }
    }

    #[test]
    fn an_app_s_own_server_may_be_known_by_another_name() {
        let server = ServerAddress::at("127.0.0.1", 1993, Security::Starttls).unwrap();
        assert_eq!(server.name(), "127.0.0.1:1993");
        assert_eq!(server.sni(), None);
        let named = server.clone().known_as("imap.example.com");
        assert_eq!(named.sni(), Some("imap.example.com"));
        assert_eq!(named.host(), "127.0.0.1");
        assert_eq!(server.clone().known_as("no name"), server);
        let secured = server.secured_by(Security::Implicit);
        assert_eq!(secured.security(), Security::Implicit);
        for host in ["", "no name", "b\u{fffd}"] {
            assert!(ServerAddress::at(host, 993, Security::Implicit).is_err());
        }
    }

    #[test]
    fn the_name_asked_for_and_verified() {
        let named = ServerAddress::parse("Mail.lan.", None).unwrap();
        assert_eq!(named.sni(), Some("mail.lan"));
        assert_eq!(named.server_name().to_str(), "mail.lan");
        assert_eq!(named.host(), "mail.lan.");
        for text in ["127.0.0.1", "::1"] {
            let numbered = ServerAddress::parse(text, None).unwrap();
            assert_eq!(numbered.sni(), None);
            assert_eq!(numbered.server_name().to_str(), text);
        }
    }
}
