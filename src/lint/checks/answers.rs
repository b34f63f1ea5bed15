//! What has to come before a command's OK, and that one comes at all.

use crate::event::{Body, Event, Peer, Reading, Status, Value};
use crate::lint::finding::Finding;
use crate::lint::look::Look;
use crate::lint::memory::Memory;
use crate::lint::table::Breach;
use crate::session::Session;

pub(super) fn check(look: &mut Look<'_>) {
    enabled(look);
    status(look);
    misplaced(look);
    let Some((command, Status::Ok)) = look.ended() else {
        return;
    };
    let own = look.said.code().map(|code| code.name);
    let lacks = |name: &str| !command.got(name) && own.as_deref() != Some(name);
    let missing: &[(&str, Breach)] = match &*command.name {
        "CAPABILITY" => &[("CAPABILITY", Breach::CapabilityWithoutData)],
        "ENABLE" => &[("ENABLED", Breach::EnableWithoutData)],
        "ID" => &[("ID", Breach::IdWithoutData)],
        "NAMESPACE" => &[("NAMESPACE", Breach::NamespaceWithoutData)],
        "STATUS" => &[("STATUS", Breach::StatusWithoutData)],
        "SELECT" | "EXAMINE" => &[
            ("EXISTS", Breach::SelectWithoutExists),
            ("FLAGS", Breach::SelectWithoutFlags),
            ("LIST", Breach::SelectWithoutList),
            ("UIDNEXT", Breach::SelectWithoutUidnext),
            ("UIDVALIDITY", Breach::SelectWithoutUidvalidity),
        ],
        "LOGOUT" if !look.memory.bye => &[("BYE", Breach::LogoutWithoutBye)],
        // With SAVE alone, what was found is kept and not told (RFC 5182).
        "SEARCH" | "UID SEARCH" if !command.has_option("SAVE") && lacks("ESEARCH") => {
            &[("SEARCH", Breach::SearchWithoutData)]
        }
        "SORT" | "UID SORT" if !command.has_option("SAVE") && lacks("ESEARCH") => {
            &[("SORT", Breach::SearchWithoutData)]
        }
        "THREAD" | "UID THREAD" => &[("THREAD", Breach::SearchWithoutData)],
        _ => return,
    };
    let missing = missing.iter().filter(|(name, _)| lacks(name));
    let is_rev2 = look.is_rev2();
    let missing = missing.filter(|(name, _)| is_rev2 || *name != "LIST");
    let about = format!("it is the answer to {}", command.name);
    for (_, id) in missing.collect::<Vec<_>>() {
        look.add_head(*id, about.clone());
    }
}

/// `S: * STATUS x (MESSAGES 3)` where UNSEEN was asked for, too
fn status(look: &mut Look<'_>) {
    const ITEMS: &[&str] = &["MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN"];
    let Some(("STATUS", _)) = look.data() else {
        return;
    };
    let asking = look.session.in_flight().only();
    let Some(command) = asking.filter(|command| command.name == "STATUS") else {
        return;
    };
    let arguments = look.said.arguments();
    let told = arguments.get(1).map_or(&[][..], Value::members);
    let is_missing = |item: &&&str| {
        // The mailbox may have this name.
        let asked = command.words.iter().filter(|word| word == *item).count();
        let named = command.named.first();
        let is_name = named.is_some_and(|name| name.eq_ignore_ascii_case(item));
        asked > usize::from(is_name) && !told.iter().any(|value| value.is_word(item))
    };
    if let Some(item) = ITEMS.iter().find(is_missing) {
        look.add_head(Breach::StatusItemMissing, format!("{item} is missing"));
    }
}

/// `S: * PREAUTH` behind the greeting
fn misplaced(look: &mut Look<'_>) {
    let is_seen = look.session.state().is_some();
    if let Reading::Untagged {
        status: Some(Status::Preauth),
        ..
    } = look.said.reading
        && is_seen
    {
        look.add_head(Breach::PreauthLate, "");
    }
}

/// `S: * ENABLED CONDSTORE`
fn enabled(look: &mut Look<'_>) {
    let Some(("ENABLED", _)) = look.data() else {
        return;
    };
    let asking = look.session.in_flight().iter().take(crate::limits::ITEMS);
    let asked: Vec<&String> = asking
        .filter(|command| command.name == "ENABLE")
        .flat_map(|command| &command.words)
        .collect();
    // QRESYNC turns CONDSTORE on as well (RFC 7162, section 3.2.3), and UTF8=ONLY stands for ACCEPT.
    let implied = ["CONDSTORE", "UTF8=ACCEPT"];
    let arguments = look.said.arguments();
    let unasked = arguments.iter().filter_map(Value::bytes).find(|name| {
        let name = String::from_utf8_lossy(name).to_ascii_uppercase();
        !implied.contains(&name.as_str()) && !asked.contains(&&name)
    });
    if let Some(name) = unasked.filter(|_| look.session.state().is_some()) {
        let range = look.range_of(name);
        look.add(Breach::EnabledUnasked, range, "");
    }
}

/// Commands that have no answer when the server ends the connection.
pub(super) fn at_the_end(event: &Event, session: &Session, memory: &mut Memory) -> Option<Finding> {
    match event.body {
        Body::HalfClosed { from } => {
            memory.ended.get_or_insert(from);
        }
        Body::Closed { .. } if memory.ended == Some(Peer::Server) => {
            let mut open = session.in_flight().iter();
            // IDLE waits for the client, and BYE answers LOGOUT.
            let open = open.find(|command| !matches!(&*command.name, "IDLE" | "LOGOUT"))?;
            return Some(Finding {
                rule: Breach::UnansweredCommand.rule(),
                n: event.n,
                conn: event.conn,
                at: event.at,
                blame: Peer::Server,
                about: Some(format!("{} {} (#{}) has none", open.tag, open.name, open.n)),
                quote: None,
            });
        }
        _ => {}
    }
    None
}
