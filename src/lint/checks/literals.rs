//! Literals (RFC 9051, section 4.3; RFC 7888; RFC 3516).

use crate::event::{Awaited, LiteralForm, Piece, Reading};
use crate::lint::look::Look;
use crate::lint::table::Breach;

/// Octets of a literal that does not wait, with LITERAL- (RFC 7888, section 5).
const LONGEST_MINUS: u64 = 4096;

pub(super) fn check(look: &mut Look<'_>) {
    awaited(look);
    for piece in look.said.wire.pieces() {
        let (form, header, octets) = match piece {
            Piece::Literal {
                form,
                header,
                content,
            } => (*form, header.clone(), content.len() as u64),
            Piece::Streamed {
                form,
                header,
                octets,
                ..
            } => (*form, header.clone(), *octets),
            Piece::Text(_) | Piece::Secret(..) => continue,
        };
        let wrong = header.start..header.start + trimmed(&look.said.wire.bytes()[header]);
        match (look.is_client(), form.is_sync()) {
            (true, _) => {
                if let Some((id, about)) = client(look, form, octets) {
                    look.add(id, wrong, about);
                }
            }
            (false, false) => look.add(Breach::LiteralPlusFromServer, wrong, ""),
            (false, true) => {}
        }
    }
}

/// In a recording every continuation request is there: a command with more synchronizing literals was
/// not waited with.
fn awaited(look: &mut Look<'_>) {
    match look.said.reading {
        Reading::ContinuationRequest {
            awaited: Some(Awaited::Literal),
            ..
        } => look.memory.go_aheads += 1,
        Reading::Command { refused, .. } => {
            let told = std::mem::take(&mut look.memory.go_aheads);
            let is_sync = |piece: &&Piece| match piece {
                Piece::Literal { form, .. } | Piece::Streamed { form, .. } => form.is_sync(),
                _ => false,
            };
            let pieces = look.said.wire.pieces().iter();
            let waits = pieces.filter(is_sync).count();
            let is_known =
                look.session.is_whole() && look.session.state().is_some() && !look.memory.meddled;
            if is_known && !refused && !look.said.incomplete && waits > told {
                look.add_head(
                    Breach::LiteralNotAwaited,
                    "no continuation request is there",
                );
            }
        }
        _ => {}
    }
}

fn trimmed(header: &[u8]) -> usize {
    header.trim_ascii_end().len()
}

/// What is wrong with a client's literal, as far as the server's capabilities are known.
fn client(look: &Look<'_>, form: LiteralForm, octets: u64) -> Option<(Breach, String)> {
    let listed = look.session.capabilities()?;
    if listed.before_tls || listed.before_login {
        return None; // what there is now was not told
    }
    let has_any = |names: &[&str]| names.iter().any(|name| listed.has(name));
    if !form.is_sync() && !has_any(&["LITERAL+", "LITERAL-", "IMAP4REV2"]) {
        return Some((Breach::LiteralPlusWithoutCapability, String::new()));
    }
    if !form.is_sync() && !listed.has("LITERAL+") && octets > LONGEST_MINUS {
        return Some((
            Breach::LiteralMinusTooLong,
            format!("this one has {octets}"),
        ));
    }
    let is_literal8 = matches!(form, LiteralForm::Literal8 | LiteralForm::Literal8NonSync);
    let takes_literal8 = ["BINARY", "UTF8=", "IMAP4REV2"];
    (is_literal8 && !has_any(&takes_literal8))
        .then_some((Breach::Literal8WithoutCapability, String::new()))
}
