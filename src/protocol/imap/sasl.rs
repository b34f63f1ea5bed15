//! SASL exchanges (RFC 9051, section 6.2.2; RFC 4422): who logs in, and what must not be shown.
//!
//! Every line of a client is secret, and so are SCRAM's challenges and those of a mechanism that
//! nobody here knows. The mechanism's name and the identity are kept.
//!
//! ```text
//! C: a AUTHENTICATE PLAIN
//! S: +
//! C: AGFsaWNlAGh1bnRlcjI=      identity alice
//! ```

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use crate::event::Gate;

/// Octets of an identity that are kept; an address has at most 254 (RFC 5321, section 4.5.3.1).
const IDENTITY: usize = 320;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// One AUTHENTICATE command's exchange.
#[derive(Clone, Debug)]
pub struct Exchange {
    mechanism: String,
    turns: usize,
}

impl Exchange {
    /// With this mechanism, in any letter case.
    pub fn new(mechanism: &str) -> Self {
        Self {
            mechanism: mechanism.to_ascii_uppercase(),
            turns: 0,
        }
    }

    /// The mechanism, upper case.
    pub fn mechanism(&self) -> &str {
        &self.mechanism
    }

    /// Whether it binds the login to the TLS connection (RFC 5802, section 6), which a man in the
    /// middle has two of.
    pub fn binds_the_channel(&self) -> bool {
        self.mechanism.ends_with("-PLUS")
    }

    /// Whether the server's challenges are secret too.
    pub fn has_secret_challenges(&self) -> bool {
        const PLAIN_CHALLENGES: [&str; 7] = [
            "ANONYMOUS",
            "CRAM-MD5",
            "EXTERNAL",
            "LOGIN",
            "OAUTHBEARER",
            "PLAIN",
            "XOAUTH2",
        ];
        !PLAIN_CHALLENGES.contains(&self.mechanism.as_str())
    }

    /// Reads a client's turn, the initial response included, without its line end. What is secret
    /// in it is remembered at the gate; the identity is returned where this turn tells it.
    pub fn turn(&mut self, line: &[u8], gate: &Gate) -> Option<String> {
        let turn = self.turns;
        self.turns += 1;
        gate.remember(line);
        let decoded = LENIENT.decode(line).ok()?;
        let identity = match (self.mechanism.as_str(), turn) {
            ("PLAIN", _) => {
                let mut fields = decoded.splitn(3, |octet| *octet == 0).skip(1);
                let identity = fields.next();
                gate.remember(fields.next().unwrap_or_default());
                identity
            }
            ("LOGIN", 0) | ("EXTERNAL", 0) => Some(decoded.as_slice()),
            ("CRAM-MD5", 0) => {
                let space = decoded.iter().rposition(|octet| *octet == b' ');
                space.map(|space| &decoded[..space])
            }
            ("XOAUTH2" | "OAUTHBEARER", 0) => {
                remember_bearer(&decoded, gate);
                let field: &[u8] = match self.mechanism.as_str() {
                    "XOAUTH2" => b"user=",
                    _ => b"a=",
                };
                decoded
                    .split(|octet| matches!(octet, 1 | b','))
                    .find_map(|part| part.strip_prefix(field))
            }
            (scram, 0) if scram.starts_with("SCRAM-") => decoded
                .split(|octet| *octet == b',')
                .skip(2)
                .find_map(|part| part.strip_prefix(b"n=")),
            _ => {
                gate.remember(&decoded);
                None
            }
        }?;
        let identity = std::str::from_utf8(identity).ok()?;
        let identity = match self.mechanism.starts_with("SCRAM-") {
            true => identity.replace("=2C", ",").replace("=3D", "="),
            false => identity.to_owned(),
        };
        shown(identity, gate)
    }
}

/// The identity, unless it is empty, too long, or holds something secret.
pub fn shown(identity: String, gate: &Gate) -> Option<String> {
    let fits = !identity.is_empty() && identity.len() <= IDENTITY;
    (fits && gate.occurrences(identity.as_bytes()).is_empty()).then_some(identity)
}

fn remember_bearer(decoded: &[u8], gate: &Gate) {
    let token = decoded
        .split(|octet| *octet == 1)
        .find_map(|part| part.strip_prefix(b"auth="));
    if let Some(token) = token {
        let token = token.splitn(2, |octet| *octet == b' ').last();
        gate.remember(token.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Secrets;

    fn identity(mechanism: &str, turns: &[&[u8]]) -> (Option<String>, Gate) {
        let gate = Gate::new(Secrets::Masked);
        let mut exchange = Exchange::new(mechanism);
        let identities: Vec<String> = turns
            .iter()
            .filter_map(|turn| exchange.turn(LENIENT.encode(turn).as_bytes(), &gate))
            .collect();
        (identities.first().cloned(), gate)
    }

    #[test]
    fn the_identity_is_read_from_every_mechanism_that_tells_it() {
        for (mechanism, turns) in [
            ("plain", [&b"\0alice\0hunter2"[..], b""]),
            ("LOGIN", [b"alice", b"hunter2"]),
            ("CRAM-MD5", [b"alice 0123456789abcdef", b""]),
            (
                "SCRAM-SHA-256",
                [b"n,,n=alice,r=nonce", b"c=biws,r=n,p=proof"],
            ),
            (
                "XOAUTH2",
                [b"user=alice\x01auth=Bearer hunter2\x01\x01", b""],
            ),
            (
                "OAUTHBEARER",
                [b"n,a=alice,\x01auth=Bearer hunter2\x01\x01", b""],
            ),
            ("EXTERNAL", [b"alice", b""]),
        ] {
            assert_eq!(
                identity(mechanism, &turns).0.as_deref(),
                Some("alice"),
                "{mechanism}"
            );
        }
        assert_eq!(identity("X-UNKNOWN", &[b"alice"]).0, None);
    }

    #[test]
    fn the_password_and_the_line_are_remembered() {
        for (mechanism, turns) in [
            ("PLAIN", [&b"\0alice\0hunter2"[..], b""]),
            ("LOGIN", [b"alice", b"hunter2"]),
            (
                "XOAUTH2",
                [b"user=alice\x01auth=Bearer hunter2\x01\x01", b""],
            ),
            ("X-UNKNOWN", [b"hunter2", b""]),
        ] {
            let (_, gate) = identity(mechanism, &turns);
            assert_eq!(gate.occurrences(b"no hunter2").len(), 1, "{mechanism}");
            let line = LENIENT.encode(turns[0]);
            assert_eq!(gate.occurrences(line.as_bytes()).len(), 1, "{mechanism}");
        }
    }

    #[test]
    fn an_identity_that_is_the_password_is_not_shown() {
        assert_eq!(identity("PLAIN", &[b"\0hunter2\0hunter2"]).0, None);
    }

    #[test]
    fn scram_and_unknown_challenges_are_secret() {
        assert!(Exchange::new("scram-sha-1").has_secret_challenges());
        assert!(Exchange::new("X-UNKNOWN").has_secret_challenges());
        assert!(!Exchange::new("CRAM-MD5").has_secret_challenges());
        assert!(Exchange::new("SCRAM-SHA-256-PLUS").binds_the_channel());
    }
}
