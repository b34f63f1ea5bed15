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
use memchr::memmem;

use crate::event::{Gate, MASK};

/// Octets of an identity that are kept; an address has at most 254 (RFC 5321, section 4.5.3.1).
const IDENTITY: usize = 320;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Mechanisms of the registry that apps use, which may be written in any letter case. Another name
/// is shown only in upper case: what is not may be an initial response whose mechanism was
/// forgotten.
const MECHANISMS: [&str; 19] = [
    "ANONYMOUS",
    "CRAM-MD5",
    "DIGEST-MD5",
    "EXTERNAL",
    "GS2-KRB5",
    "GSS-SPNEGO",
    "GSSAPI",
    "LOGIN",
    "NTLM",
    "OAUTHBEARER",
    "OTP",
    "PLAIN",
    "SCRAM-SHA-1",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-512",
    "SCRAM-SHA-512-PLUS",
    "XOAUTH2",
];

/// What a prompt speaks of that asks for a secret.
const SECRETS: [&[u8]; 5] = [b"code", b"pass", b"pin", b"secret", b"token"];

/// One AUTHENTICATE command's exchange.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    mechanism: Option<String>,
    turns: usize,
    asked: Asked,
    spoke: Spoke,
}

/// What a client's next line is an answer to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asked {
    /// Nothing that can be understood, or nothing yet.
    #[default]
    Unknown,
    /// The user's name.
    Name,
    /// Something came between: nobody can say which turn a line is.
    Disturbed,
}

/// Who spoke last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Spoke {
    /// The client, a turn.
    Client,
    /// The server, a challenge; or nobody yet.
    #[default]
    Server,
}

impl Exchange {
    /// With the mechanism that is written like this; an [unknown](Self::default) one where this is
    /// no mechanism's name (RFC 4422, section 3.1), or a secret.
    pub fn new(word: &[u8], gate: &Gate) -> Self {
        let upper = String::from_utf8_lossy(word).to_ascii_uppercase();
        let is_name = (1..=20).contains(&word.len())
            && word.iter().all(|octet| {
                octet.is_ascii_uppercase() || octet.is_ascii_digit() || b"-_".contains(octet)
            });
        let shown = (is_name || MECHANISMS.contains(&&*upper))
            && gate.occurrences(word).is_empty()
            && gate.occurrences(upper.as_bytes()).is_empty();
        Self {
            mechanism: shown.then_some(upper),
            turns: 0,
            asked: Asked::Unknown,
            spoke: Spoke::default(),
        }
    }

    /// The mechanism, upper case; `None` where it is not known.
    pub fn mechanism(&self) -> Option<&str> {
        self.mechanism.as_deref()
    }

    /// Whether it binds the login to the TLS connection (RFC 5802, section 6), which a man in the
    /// middle has two of.
    pub fn binds_the_channel(&self) -> bool {
        self.mechanism()
            .is_some_and(|mechanism| mechanism.ends_with("-PLUS"))
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
        !self
            .mechanism()
            .is_some_and(|mechanism| PLAIN_CHALLENGES.contains(&mechanism))
    }

    /// Whether it is the client's turn: it may have one ready, and send it whatever the server says.
    pub fn owes_a_turn(&self) -> bool {
        self.spoke == Spoke::Server
    }

    /// Something came that is no turn: from now on nobody can say which turn a line is, and so
    /// whether it holds a name or a password.
    pub fn disturbed(&mut self) {
        self.asked = Asked::Disturbed;
    }

    /// Reads a server's challenge. LOGIN's are prompts, `Username:` and `Password:` in base64
    /// (draft-murchison-sasl-login). One that speaks of both, `Enter user password`, asks for no name.
    pub fn challenged(&mut self, challenge: &[u8]) {
        self.spoke = Spoke::Server;
        let prompt = LENIENT.decode(challenge.trim_ascii()).unwrap_or_default();
        let prompt = prompt.to_ascii_lowercase();
        let has = |word: &&[u8]| memmem::find(&prompt, word).is_some();
        self.asked = match has(&&b"user"[..]) && !SECRETS.iter().any(has) {
            _ if self.asked == Asked::Disturbed => Asked::Disturbed,
            true => Asked::Name,
            false => Asked::Unknown,
        };
    }

    /// Reads an initial response as a [turn](Self::turn); LOGIN's is the name.
    pub fn initial_response(&mut self, response: &[u8], gate: &Gate) -> Option<String> {
        self.asked = Asked::Name;
        self.turn(response, gate)
    }

    /// Reads a client's turn without its line end. What is secret
    /// in it is remembered at the gate; the identity is returned where this turn tells it.
    ///
    /// A turn that is not in its mechanism's form is secret as a whole: a field that stands where
    /// the identity should may be the password. So is a turn of LOGIN that nobody asked a name in.
    pub fn turn(&mut self, line: &[u8], gate: &Gate) -> Option<String> {
        let turn = self.turns;
        self.turns += 1;
        self.spoke = Spoke::Client;
        gate.remember(line);
        let decoded = decoded(line)?;
        let told = self
            .mechanism()
            .filter(|mechanism| match self.asked {
                Asked::Name => true,
                Asked::Unknown => *mechanism != "LOGIN",
                Asked::Disturbed => false,
            })
            .and_then(|mechanism| identity(mechanism, turn, &decoded))
            .filter(|told| !told.identity.chars().any(char::is_control));
        let Some(told) = told else {
            fields(&decoded).for_each(|field| gate.remember(field));
            return None;
        };
        gate.remember(told.secret);
        shown(told.identity, gate)
    }
}

/// Remembers a response of which nobody knows the mechanism.
pub fn remember(response: &[u8], gate: &Gate) {
    gate.remember(response);
    let decoded = decoded(response).unwrap_or_default();
    fields(&decoded).for_each(|field| gate.remember(field));
}

/// What a response says, as far as it is base64.
pub fn decoded(response: &[u8]) -> Option<Vec<u8>> {
    LENIENT.decode(response).ok()
}

/// Where a secret may stand in what a response says: all of it, and what stands between NULs and
/// other controls.
pub fn fields(decoded: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::once(decoded).chain(decoded.split(u8::is_ascii_control))
}

/// Whether a client's response has the form that it has to have: base64 with its padding at the end
/// and nowhere else (RFC 4648, section 4); an initial one that is empty is a single `=`. What a log or a
/// text has in a secret's place (`********`, `<secret:sasl>`) says nothing against it.
pub fn is_base64(response: &[u8], is_initial: bool) -> bool {
    if response == MASK || response.starts_with(b"<secret:") {
        return true;
    }
    let digits = response.len() - response.iter().rev().take_while(|o| **o == b'=').count();
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/".contains(octet);
    if response == b"=" {
        return is_initial;
    }
    response.len().is_multiple_of(4)
        && response.len() - digits <= 2
        && response[..digits].iter().all(is_digit)
}

/// What a turn tells.
struct Told<'a> {
    identity: String,
    secret: &'a [u8],
}

fn identity<'a>(mechanism: &str, turn: usize, decoded: &'a [u8]) -> Option<Told<'a>> {
    let (identity, secret): (&[u8], &[u8]) = match (mechanism, turn) {
        // [authzid] NUL authcid NUL passwd, of which the last two have an octet at least (RFC 4616,
        // section 2): in `alice NUL hunter2 NUL` the password stands where the identity should.
        ("PLAIN", 0) => {
            let mut fields = decoded.split(|octet| *octet == 0).skip(1);
            let (identity, password) = (fields.next()?, fields.next()?);
            let is_whole = !identity.is_empty() && !password.is_empty() && fields.next().is_none();
            is_whole.then_some((identity, password))?
        }
        ("LOGIN" | "EXTERNAL", 0) => (decoded, b""),
        // name SP digest (RFC 2195)
        ("CRAM-MD5", 0) => {
            let space = decoded.iter().rposition(|octet| *octet == b' ')?;
            let digest = &decoded[space + 1..];
            let is_digest = !digest.is_empty() && digest.iter().all(u8::is_ascii_hexdigit);
            is_digest.then_some((&decoded[..space], digest))?
        }
        // user=alice ^A auth=Bearer token ^A ^A
        ("XOAUTH2", 0) => {
            let user = decoded.strip_prefix(b"user=")?;
            (user.split(|octet| *octet == 1).next()?, token(decoded)?)
        }
        // n,a=alice, ^A auth=Bearer token ^A ^A (RFC 7628)
        ("OAUTHBEARER", 0) => {
            let header = decoded.split(|octet| *octet == 1).next()?;
            (gs2_field(header, b"a=")?, token(decoded)?)
        }
        // n,,n=alice,r=nonce (RFC 5802)
        (scram, 0) if scram.starts_with("SCRAM-") => (gs2_field(decoded, b"n=")?, b""),
        _ => return None,
    };
    let identity = std::str::from_utf8(identity).ok()?;
    let identity = match mechanism {
        "PLAIN" | "LOGIN" | "EXTERNAL" | "CRAM-MD5" | "XOAUTH2" => identity.to_owned(),
        _ => identity.replace("=2C", ",").replace("=3D", "="),
    };
    Some(Told { identity, secret })
}

/// A field behind the channel binding flag, `n`, `y` or `p=` (RFC 5801, section 4).
fn gs2_field<'a>(header: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut fields = header.split(|octet| *octet == b',');
    let flag = fields.next()?;
    let is_flag = matches!(flag, b"n" | b"y") || flag.starts_with(b"p=");
    let skipped = usize::from(name == b"n=");
    is_flag
        .then(|| {
            fields
                .skip(skipped)
                .find_map(|field| field.strip_prefix(name))
        })
        .flatten()
}

/// The identity, unless it is empty, too long, or holds something secret.
pub fn shown(identity: String, gate: &Gate) -> Option<String> {
    let fits = !identity.is_empty() && identity.len() <= IDENTITY;
    (fits && gate.occurrences(identity.as_bytes()).is_empty()).then_some(identity)
}

/// The token in `auth=Bearer token`.
fn token(decoded: &[u8]) -> Option<&[u8]> {
    let field = decoded
        .split(|octet| *octet == 1)
        .find_map(|part| part.strip_prefix(b"auth="))?;
    // Without the spaces around it, so that it is found without them.
    field
        .splitn(2, |octet| *octet == b' ')
        .last()
        .map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Secrets;

    fn identity(mechanism: &str, turns: &[&[u8]]) -> (Option<String>, Gate) {
        let gate = Gate::new(Secrets::Masked);
        let mut exchange = Exchange::new(mechanism.as_bytes(), &gate);
        exchange.challenged(b"VXNlcm5hbWU6"); // Username:
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
            (
                "XOAUTH2",
                [b"user=alice\x01auth=Bearer  hunter2 \x01\x01", b""],
            ),
            (
                "OAUTHBEARER",
                [b"n,a=alice,\x01auth=Bearer hunter2 \x01\x01", b""],
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
    fn base64_is_told_from_what_is_none() {
        for good in ["", "YWxpY2U=", "YQ==", "AGEAYg=="] {
            assert!(is_base64(good.as_bytes(), false), "{good}");
        }
        assert!(is_base64(b"=", true));
        for bad in [
            "=",
            "alice",
            "=AAA",
            "AAA=BBB=",
            "YWxp Y2U=",
            "A===",
            "AGEAYg",
        ] {
            assert!(!is_base64(bad.as_bytes(), false), "{bad}");
        }
    }

    #[test]
    fn an_identity_that_is_the_password_is_not_shown() {
        assert_eq!(identity("PLAIN", &[b"\0hunter2\0hunter2"]).0, None);
    }

    #[test]
    fn scram_and_unknown_challenges_are_secret() {
        let gate = Gate::new(Secrets::Masked);
        let exchange = |mechanism: &str| Exchange::new(mechanism.as_bytes(), &gate);
        assert!(exchange("scram-sha-1").has_secret_challenges());
        assert!(exchange("X-UNKNOWN").has_secret_challenges());
        assert!(Exchange::default().has_secret_challenges());
        assert!(!exchange("CRAM-MD5").has_secret_challenges());
        assert!(exchange("SCRAM-SHA-256-PLUS").binds_the_channel());
    }

    #[test]
    fn a_turn_that_does_not_fit_its_mechanism_tells_no_identity_and_is_secret() {
        for (mechanism, turn) in [
            ("PLAIN", &b"alice\0hunter2"[..]),
            ("PLAIN", b"\0hunter2"),
            ("PLAIN", b"\0alice\0hunter2\0x"),
            ("PLAIN", b"alice\0hunter2\0"),
            ("PLAIN", b"\0hunter2\0"),
            ("PLAIN", b"\0\0hunter2"),
            ("PLAIN", b"hunter2"),
            ("LOGIN", b"\0alice\0hunter2"),
            ("EXTERNAL", b"\0hunter2"),
            ("CRAM-MD5", b"alice hunter2"),
            ("XOAUTH2", b"\0user=\0hunter2"),
            ("XOAUTH2", b"user=hunter2"),
            ("OAUTHBEARER", b"a=alice\x01hunter2"),
            ("SCRAM-SHA-1", b"\0n=alice\0hunter2"),
        ] {
            let (told, gate) = identity(mechanism, &[turn]);
            assert_eq!(told, None, "{mechanism} {turn:?}");
            let echo = match turn.contains(&b' ') {
                true => b"alice hunter2".to_vec(),
                false => turn.to_vec(),
            };
            assert!(!gate.occurrences(&echo).is_empty(), "{mechanism} {turn:?}");
        }
    }

    #[test]
    fn a_name_is_told_only_where_one_was_asked_for() {
        let told = |challenge: Option<&[u8]>, disturbed: bool| {
            let gate = Gate::new(Secrets::Masked);
            let mut exchange = Exchange::new(b"LOGIN", &gate);
            if disturbed {
                exchange.disturbed();
            }
            if let Some(challenge) = challenge {
                exchange.challenged(challenge);
            }
            exchange.turn(b"YWxpY2U=", &gate)
        };
        let alice = Some("alice".to_owned());
        assert_eq!(told(Some(b" VXNlcm5hbWU6\r\n"), false), alice); // Username:
        assert_eq!(told(Some(b"VXNlciBOYW1lAA=="), false), alice); // User Name
        assert_eq!(told(Some(b"UGFzc3dvcmQ6"), false), None); // Password:
        for prompt in ["Enter user password", "User's PIN:", "user secret"] {
            let prompt = LENIENT.encode(prompt);
            assert_eq!(told(Some(prompt.as_bytes()), false), None, "{prompt}");
        }
        assert_eq!(told(None, false), None);
        assert_eq!(told(Some(b"VXNlcm5hbWU6"), true), None);
        let gate = Gate::new(Secrets::Masked);
        let mut exchange = Exchange::new(b"LOGIN", &gate);
        assert_eq!(exchange.initial_response(b"YWxpY2U=", &gate), alice);
    }

    #[test]
    fn what_may_be_an_initial_response_is_no_mechanism() {
        let gate = Gate::new(Secrets::Masked);
        gate.remember(b"HUNTER2");
        for word in [
            "AGFsaWNlAGh1bnRlcjI=",
            "AGJvYgBodW50ZXIy",
            "hunter2",
            "HUNTER2",
            "",
        ] {
            assert_eq!(
                Exchange::new(word.as_bytes(), &gate).mechanism(),
                None,
                "{word}"
            );
        }
        assert_eq!(Exchange::new(b"X-NEW", &gate).mechanism(), Some("X-NEW"));
        assert_eq!(Exchange::new(b"plain", &gate).mechanism(), Some("PLAIN"));
    }
}
