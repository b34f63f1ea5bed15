//! What came in cleartext and was taken for a part of the secured session (RFC 9051, section 6.2.1;
//! CVE-2011-0411).
//!
//! ```text
//! C: a STARTTLS
//! C: b SELECT INBOX      before the OK: in cleartext, whoever said it
//! S: a OK begin
//! S: b OK in             the server took it for the client's
//! ```
//!
//! What the relay dropped when it recorded is told by its note; this is what shows in the octets of any
//! session, one that another tool logged as well.

use crate::event::{Passed, Peer, Reading, Status};
use crate::lint::look::Look;
use crate::lint::memory::Tls;
use crate::lint::table::Breach;

pub(super) fn check(look: &mut Look<'_>) {
    if !matches!(look.said.passed, Passed::AsRead) {
        return;
    }
    match look.said.from {
        Peer::Client => {
            // The leg is secured in a recording before anything is said on it.
            if look.memory.tls == Tls::Agreed {
                look.memory.tls = Tls::On;
            }
        }
        Peer::Server => server(look),
    }
}

fn server(look: &mut Look<'_>) {
    if let Some((command, status)) = look.ended() {
        let (n, is_starttls, own) = (command.n, command.name == "STARTTLS", command.own);
        if is_starttls && !own {
            if status == Status::Ok {
                let behind = look.session.in_flight().iter();
                let behind = behind.filter(|other| other.n > n && !other.own);
                let behind = behind.map(|other| other.n).take(crate::limits::ITEMS);
                look.memory.cleartext = behind.collect();
                look.memory.tls = Tls::Agreed;
            }
            return;
        }
        if look.memory.cleartext.remove(&n) {
            let about = "the command that this answers came before TLS began";
            look.add_head(Breach::StarttlsInjection, about);
            return;
        }
    }
    if look.memory.tls == Tls::Agreed && !matches!(look.said.reading, Reading::Opaque) {
        let about = "it stands behind the OK of STARTTLS, and no command asked for it";
        look.add_head(Breach::StarttlsInjection, about);
    }
}
