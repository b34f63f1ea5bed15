//! UIDVALIDITY, UIDNEXT and HIGHESTMODSEQ, from one selecting to the next (RFC 9051, section 2.3.1.1;
//! RFC 7162, section 3.1.2).

use std::sync::Arc;

use crate::event::{Passed, Peer, Value};
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::session::mailbox_of;

pub(super) fn after(look: &mut Look<'_>) {
    if look.said.from == Peer::Client {
        return;
    }
    if let Some(("STATUS", _)) = look.data() {
        return status(look);
    }
    let Some(code) = look.said.code() else {
        return;
    };
    let Some(mailbox) = look.session.mailbox() else {
        return;
    };
    let number = code.values.first().and_then(Value::number);
    let name = mailbox.name.clone();
    match (&*code.name, number, mailbox.uid_validity) {
        // What mailscope put in its place counts for the app.
        ("UIDVALIDITY", Some(_), Some(told)) => uid_validity(look, &name, told),
        ("UIDNEXT", Some(next), Some(_)) => uid_next(look, &name, next),
        ("HIGHESTMODSEQ", Some(modseq), Some(_)) => highest_modseq(look, &name, modseq),
        _ => {}
    }
}

/// `S: * STATUS Drafts (MESSAGES 3 UIDNEXT 5 UIDVALIDITY 7)`
fn status(look: &mut Look<'_>) {
    let arguments = look.said.arguments();
    let [mailbox, Value::List(items)] = arguments.as_slice() else {
        return;
    };
    let Some(name) = mailbox_of(mailbox) else {
        return;
    };
    let item = |name: &str| {
        let mut pairs = items.chunks_exact(2);
        pairs.find(|pair| pair[0].is_word(name))?[1].number()
    };
    // Without it, nobody knows whether the others are to be compared.
    let Some(told) = item("UIDVALIDITY") else {
        return;
    };
    uid_validity(look, &name, told);
    if let Some(next) = item("UIDNEXT") {
        uid_next(look, &name, next);
    }
    if let Some(modseq) = item("HIGHESTMODSEQ") {
        highest_modseq(look, &name, modseq);
    }
}

fn uid_validity(look: &mut Look<'_>, name: &Arc<str>, told: u64) {
    let Some(past) = look.account.mailbox(name) else {
        return;
    };
    let before = past.uid_validity;
    if before == Some(told) {
        return;
    }
    past.begin(told);
    let Some(before) = before.filter(|_| matches!(look.said.passed, Passed::AsRead)) else {
        return;
    };
    let range = look.range_of_word("UIDVALIDITY");
    let about = format!("{told} after {before}");
    match told < before {
        true => look.add(Breach::UidvalidityDecreased, range, about),
        false => look.add(Breach::UidvalidityChanged, range, about),
    }
}

fn uid_next(look: &mut Look<'_>, name: &Arc<str>, told: u64) {
    let conn = look.event.conn;
    let Some(past) = look.account.mailbox(name) else {
        return;
    };
    past.on(conn);
    let before = past.uid_next.replace(told);
    if let Some(before) = before.filter(|before| told < *before) {
        let range = look.range_of_word("UIDNEXT");
        look.add(
            Breach::UidnextDecreased,
            range,
            format!("{told} after {before}"),
        );
    }
}

fn highest_modseq(look: &mut Look<'_>, name: &Arc<str>, told: u64) {
    let conn = look.event.conn;
    let Some(past) = look.account.mailbox(name) else {
        return;
    };
    past.on(conn);
    let before = past.highest_modseq.replace(told);
    if let Some(before) = before.filter(|before| told < *before) {
        let range = look.range_of_word("HIGHESTMODSEQ");
        look.add(
            Breach::HighestmodseqDecreased,
            range,
            format!("{told} after {before}"),
        );
    }
}
