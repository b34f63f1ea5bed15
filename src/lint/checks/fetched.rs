//! What a FETCH response has to have in it, and what not (RFC 9051, section 7.5.2; RFC 7162, section
//! 3.1; RFC 9586).

use super::arguments::is_date_time;
use crate::event::{Label, Peer, Relation, Value};
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::session::{Item, items};

pub(super) fn check(look: &mut Look<'_>) {
    let Some((name, Some(number))) = look.data() else {
        return;
    };
    match name {
        "FETCH" => {}
        "UIDFETCH" => {
            let session = look.session;
            let may_be = session.in_flight().has("ENABLE") || session.state().is_none();
            if !session.has_enabled("UIDONLY") && !may_be {
                look.add_head(Breach::UidfetchWithoutEnable, "");
            }
        }
        _ => return,
    }
    if look.said.from == Peer::Server && number > 0 {
        let items: Vec<Item<'_>> = items(look.said).collect();
        if name == "FETCH" {
            unasked(look, &items);
        }
        modseq(look, &items);
        origin(look, &items);
        date(look, &items);
        envelope(look, &items);
    }
}

/// In IMAP4rev2, what nobody asked for has the UID in it.
fn unasked(look: &mut Look<'_>, items: &[Item<'_>]) {
    let has_uid = items.iter().any(|item| item.name.is_word("UID"));
    let is_unasked = look.said.relation == Relation::Unsolicited;
    if is_unasked && look.is_rev2() && !has_uid {
        look.add_head(Breach::FetchUnsolicitedWithoutUid, "");
    }
}

/// Changed flags come with their MODSEQ, whoever changed them; flags that were asked for need not.
fn modseq(look: &mut Look<'_>, items: &[Item<'_>]) {
    let has = |name: &str| items.iter().any(|item| item.name.is_word(name));
    let session = look.session;
    let is_on = session.has_enabled("CONDSTORE") || session.has_enabled("QRESYNC");
    let mailbox = session.mailbox();
    let can_be = mailbox.is_some_and(|m| !m.has_no_modseq && m.highest_modseq.is_some());
    let is_change = match &look.said.relation {
        Relation::Unsolicited => true,
        Relation::Answers(n) => session
            .in_flight()
            .get(*n)
            .is_some_and(|command| matches!(&*command.name, "STORE" | "UID STORE")),
        _ => false,
    };
    // What was said before CONDSTORE was on may still be on its way.
    let is_sure = !session
        .in_flight()
        .has_any(&["ENABLE", "EXAMINE", "SELECT", "STATUS"]);
    if has("FLAGS") && !has("MODSEQ") && is_on && can_be && is_change && is_sure {
        look.add_head(Breach::ModseqMissing, "");
    }
}

/// `S: * 1 FETCH (BODY[]<0> {10}` where `BODY[]` was asked for
fn origin(look: &mut Look<'_>, items: &[Item<'_>]) {
    let is_part = |item: &&Item<'_>| {
        let name = item.name.bytes().unwrap_or_default();
        name.ends_with(b">") && name.contains(&b'<') && name.contains(&b'[')
    };
    let Some(part) = items.iter().find(is_part) else {
        return;
    };
    let in_flight = look.session.in_flight();
    let fetches = ["FETCH", "UID FETCH"];
    let asked = in_flight.iter().filter(|c| fetches.contains(&&*c.name));
    let mut asked = asked.map(|command| command.asks_for_part);
    let is_sure = look.session.state().is_some() && in_flight.has_any(&fetches);
    if is_sure && !asked.any(|has_part| has_part) {
        let range = look.range_of(part.name.bytes().unwrap_or_default());
        look.add(Breach::FetchOriginUnasked, range, "");
    }
}

fn date(look: &mut Look<'_>, items: &[Item<'_>]) {
    let date = items.iter().find(|item| item.name.is_word("INTERNALDATE"));
    let Some(date) = date else {
        return;
    };
    let value = date.values.first().and_then(Value::bytes);
    let is_good = value.is_some_and(|text| {
        let quoted = [b"\"", text, b"\""].concat();
        is_date_time(&quoted)
    });
    if !is_good {
        let range = look.range_of(value.or(date.name.bytes()).unwrap_or_default());
        look.add(Breach::DateMalformed, range, "");
    }
}

/// `(date subject from sender reply-to to cc bcc in-reply-to message-id)`
fn envelope(look: &mut Look<'_>, items: &[Item<'_>]) {
    const FIELDS: usize = 10;
    const ADDRESS: usize = 4;
    let envelope = items.iter().find(|item| item.name.is_word("ENVELOPE"));
    let is_odd = |span: &crate::event::Span| matches!(span.label, Label::Malformed | Label::Text);
    if envelope.is_none() || look.said.spans.iter().any(is_odd) {
        return;
    }
    let arguments = look.said.arguments();
    let pairs = arguments.first().map_or(&[][..], Value::members);
    let mut pairs = pairs.chunks_exact(2);
    let Some([_, envelope]) = pairs.find(|pair| pair[0].is_word("ENVELOPE")) else {
        return;
    };
    let fields = envelope.members();
    let about = match fields {
        _ if *envelope == Value::Nil => return,
        fields if fields.len() != FIELDS => format!("this one has {} fields", fields.len()),
        fields => {
            let people = fields[2..8].iter().flat_map(Value::members);
            let mut odd = people.filter(|address| address.members().len() != ADDRESS);
            match odd.next() {
                Some(_) => "an address has another number of fields".to_owned(),
                None => return,
            }
        }
    };
    let range = look.range_of_word("ENVELOPE");
    look.add(Breach::EnvelopeMalformed, range, about);
}
