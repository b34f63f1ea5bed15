//! A host that an authority may vouch for: what `--as` takes.
//!
//! Parsed once; whoever holds a [`Host`] holds something that can stand in a certificate.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use rustls::pki_types::DnsName;

use crate::error::{Error, Result};

/// A DNS name or an IP address.
///
/// ```
/// use mailscope::net::Host;
///
/// let host: Host = "IMAP.Example.com.".parse()?;
/// assert_eq!(host.to_string(), "imap.example.com");
/// # Ok::<(), mailscope::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// In lower case and without a final dot. A certificate's constraint on it covers the names
    /// below it as well (RFC 5280, section 4.2.1.10).
    Name(String),
    /// An IPv4-mapped IPv6 address is the IPv4 address.
    Address(IpAddr),
}

impl Host {
    /// Whether a certificate for `name` is within a constraint to this host.
    pub(super) fn covers(&self, name: &str) -> bool {
        match (self, name.parse::<IpAddr>()) {
            (Self::Address(address), Ok(other)) => *address == other,
            (Self::Name(host), Err(_)) => {
                let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
                name.strip_suffix(host.as_str())
                    .is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
            _ => false,
        }
    }

    /// Whether it is this computer, for which every authority of ours vouches.
    pub(super) fn is_this_computer(&self) -> bool {
        match self {
            Self::Name(_) => Self::Name("localhost".to_owned()).covers(&self.to_string()),
            Self::Address(address) => address.is_loopback(),
        }
    }
}

impl FromStr for Host {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(text).parse::<Ipv6Addr>() {
            return Ok(Self::Address(IpAddr::V6(address).to_canonical()));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address));
        }
        if text.starts_with("*.") || text.starts_with('.') {
            return Err(refuse(text, "a name with * or a dot before it is no host")
                .hint("the name alone: the names below it are covered by it"));
        }
        if text.contains([':', '/', '@']) {
            return Err(refuse(text, "only a host's name or address belongs here")
                .hint("the host alone, such as imap.example.com or 192.0.2.7"));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        match DnsName::try_from(name.clone()) {
            Ok(_) => Ok(Self::Name(name)),
            Err(_) if name.is_ascii() => Err(refuse(text, "it is not a host's name")
                .hint("a name such as imap.example.com, or an IP address")),
            Err(_) => Err(refuse(text, "the host's name is not ASCII")
                .hint("the name's ASCII form, which starts with xn-- (RFC 5890)")),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

fn refuse(text: &str, why: &str) -> Error {
    Error::new(format!("read the host {text:?}"), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_host() {
        for (text, host) in [
            ("IMAP.Example.com.", "imap.example.com"),
            ("mail_1.lan", "mail_1.lan"),
            ("192.0.2.7", "192.0.2.7"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
        ] {
            assert_eq!(text.parse::<Host>().unwrap().to_string(), host);
        }
    }

    #[test]
    fn what_is_no_host_is_refused_with_a_hint() {
        for (text, part) in [
            ("", "not a host"),
            (".", "no host"),
            ("*.example.com", "below it"),
            (".example.com", "below it"),
            ("imap.example.com:993", "the host alone"),
            ("imaps://imap.example.com", "the host alone"),
            ("alice@example.com", "the host alone"),
            ("my host", "not a host"),
            ("../../etc", "no host"),
            ("a/b", "the host alone"),
            ("h\u{1b}[31m", "not a host"),
            ("bücher.example", "xn--"),
        ] {
            let error = text.parse::<Host>().unwrap_err();
            assert!(error.what_to_try().is_some(), "{error}");
            assert!(error.to_string().contains(part), "{text}: {error}");
            assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
        }
    }

    #[test]
    fn a_name_covers_what_is_below_it_and_an_address_itself() {
        let host: Host = "example.com".parse().unwrap();
        for name in ["example.com", "imap.EXAMPLE.com.", "a.b.example.com"] {
            assert!(host.covers(name), "{name}");
        }
        for name in ["notexample.com", "example.com.net", "com", "192.0.2.7", ""] {
            assert!(!host.covers(name), "{name}");
        }
        let address: Host = "192.0.2.7".parse().unwrap();
        assert!(address.covers("192.0.2.7") && !address.covers("192.0.2.8"));
        assert!(!address.covers("a.192.0.2.7"));
    }
}
