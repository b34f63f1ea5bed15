//! SASL responses that are there to be seen: of a recording with secrets shown, or of another tool's
//! log. Of one that is masked, a note says what was odd about it (RFC 9051, section 6.2.2).

use crate::event::{Label, Reading};
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::protocol::imap::is_base64;

pub(super) fn check(look: &mut Look<'_>) {
    match &look.said.reading {
        Reading::Command {
            mechanism: Some(mechanism),
            ..
        } => initial(look, mechanism),
        Reading::Continuation {
            mechanism: Some(_), ..
        } => turn(look),
        _ => {}
    }
}

/// `C: a AUTHENTICATE EXTERNAL =`
fn initial(look: &mut Look<'_>, mechanism: &str) {
    let mut arguments = look.arguments().iter().skip(1);
    let Some(response) = arguments.next() else {
        return;
    };
    let range = response.range.clone();
    if mechanism == "CRAM-MD5" {
        look.add(Breach::SaslServerFirst, range.clone(), "it is CRAM-MD5");
    }
    match response.label {
        Label::Quoted | Label::LiteralHeader | Label::Literal => {
            look.add(Breach::SaslInitialResponseString, range, "");
        }
        Label::Secret(_) => {}
        _ if !is_base64(look.said.span_bytes(response), true) => {
            look.add(Breach::SaslMalformed, range, "");
        }
        _ => {}
    }
}

fn turn(look: &mut Look<'_>) {
    let line = look.said.wire.bytes().trim_ascii_end();
    if look.said.incomplete || line == b"*" || is_base64(line, false) {
        return;
    }
    look.add(Breach::SaslMalformed, 0..line.len(), "");
}
