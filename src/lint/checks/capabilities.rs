//! Lists of capabilities, and the commands that need one (RFC 9051, section 6.1.1).

use std::collections::HashSet;

use crate::event::{Passed, Peer, Reading, Value};
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::session::{Leg, State};

/// Commands of extensions, and the capabilities of which one has to be there; `QUOTA=` is any that
/// begins so.
const COMMANDS: &[(&str, &[&str])] = &[
    ("CANCELUPDATE", &["CONTEXT="]),
    ("COMPARATOR", &["I18NLEVEL="]),
    ("COMPRESS", &["COMPRESS="]),
    ("CONVERSIONS", &["CONVERT"]),
    ("CONVERT", &["CONVERT"]),
    ("DELETEACL", &["ACL", "ACL2="]),
    ("ENABLE", &["ENABLE", "IMAP4REV2"]),
    ("ESEARCH", &["MULTISEARCH"]),
    ("GENURLAUTH", &["URLAUTH"]),
    ("GETACL", &["ACL", "ACL2="]),
    ("GETANNOTATION", &["ANNOTATEMORE"]),
    ("GETJMAPACCESS", &["JMAPACCESS"]),
    ("GETMETADATA", &["METADATA", "METADATA-SERVER"]),
    ("GETQUOTA", &["QUOTA", "QUOTA="]),
    ("GETQUOTAROOT", &["QUOTA", "QUOTA="]),
    ("ID", &["ID"]),
    ("IDLE", &["IDLE", "IMAP4REV2"]),
    ("LANGUAGE", &["LANGUAGE"]),
    ("LISTRIGHTS", &["ACL", "ACL2="]),
    ("MOVE", &["MOVE", "IMAP4REV2"]),
    ("MYRIGHTS", &["ACL", "ACL2="]),
    ("NAMESPACE", &["NAMESPACE", "IMAP4REV2"]),
    ("NOTIFY", &["NOTIFY"]),
    ("REPLACE", &["REPLACE"]),
    ("RESETKEY", &["URLAUTH"]),
    ("RLIST", &["MAILBOX-REFERRALS"]),
    ("RLSUB", &["MAILBOX-REFERRALS"]),
    ("SETACL", &["ACL", "ACL2="]),
    ("SETANNOTATION", &["ANNOTATEMORE"]),
    ("SETMETADATA", &["METADATA", "METADATA-SERVER"]),
    ("SETQUOTA", &["QUOTA", "QUOTASET"]),
    ("SORT", &["SORT", "SORT="]),
    ("THREAD", &["THREAD="]),
    ("UID CONVERT", &["CONVERT"]),
    ("UID EXPUNGE", &["UIDPLUS", "IMAP4REV2"]),
    ("UID MOVE", &["MOVE", "IMAP4REV2"]),
    ("UID REPLACE", &["REPLACE"]),
    ("UID SORT", &["SORT", "SORT="]),
    ("UID THREAD", &["THREAD="]),
    ("UIDBATCHES", &["UIDBATCHES"]),
    ("UNAUTHENTICATE", &["UNAUTHENTICATE"]),
    ("UNSELECT", &["UNSELECT", "IMAP4REV2"]),
    ("URLFETCH", &["URLAUTH"]),
    ("XLIST", &["XLIST"]),
];

pub(super) fn check(look: &mut Look<'_>) {
    match look.said.from {
        Peer::Client => command(look),
        Peer::Server => list(look),
    }
}

/// Which rule is broken by using what needs one of these capabilities; none where the server has it,
/// or has not told.
pub(super) fn lacking(look: &Look<'_>, any_of: &[&str], id: Breach) -> Option<Breach> {
    let listed = look.session.capabilities()?;
    if listed.before_tls {
        return Some(Breach::StaleCapabilitiesTls);
    }
    if any_of.iter().any(|name| listed.has(name)) {
        return None;
    }
    // Before the answer to a login, what will be there then is not known.
    let is_out = look.session.state() == Some(State::NotAuthenticated);
    let logging_in = look.session.in_flight().has_any(&["LOGIN", "AUTHENTICATE"]);
    match listed.before_login || (is_out && logging_in) {
        true => Some(Breach::StaleCapabilitiesLogin),
        false => Some(id),
    }
}

/// Which capabilities would do.
pub(super) fn one_of(any_of: &[&str]) -> String {
    let about = format!("the capability is {}", any_of.join(" or "));
    let about = about.replace("= ", "=... ");
    about.trim_end_matches('=').to_owned()
}

fn command(look: &mut Look<'_>) {
    let Some(command) = &look.command else {
        return;
    };
    let name = command.name.clone();
    let row = COMMANDS.binary_search_by(|(command, _)| (*command).cmp(&name));
    if let Ok(row) = row {
        let any_of = COMMANDS[row].1;
        if let Some(id) = lacking(look, any_of, Breach::ExtensionWithoutCapability) {
            look.add_head(id, one_of(any_of));
        }
    }
    let Some(listed) = look.session.capabilities() else {
        return;
    };
    match &*name {
        "STARTTLS" if !listed.has("STARTTLS") && look.session.leg(Peer::Client) != Leg::Secured => {
            look.add_head(Breach::StarttlsNotOffered, "");
        }
        "LOGIN" if listed.has("LOGINDISABLED") && !listed.before_tls => {
            look.add_head(Breach::LoginDisabled, "");
        }
        "AUTHENTICATE" => authenticate(look),
        _ => {}
    }
}

fn authenticate(look: &mut Look<'_>) {
    let Reading::Command {
        mechanism: Some(mechanism),
        ..
    } = &look.said.reading
    else {
        return;
    };
    let Some(listed) = look.session.capabilities() else {
        return;
    };
    if listed.before_tls {
        return look.add_head(Breach::StaleCapabilitiesTls, "");
    }
    if listed.has("AUTH=") && !listed.has(&format!("AUTH={mechanism}")) {
        look.add_head(Breach::MechanismNotOffered, mechanism.clone());
    }
    let has_response = look.said.arguments().len() > 1;
    if has_response && !listed.has("SASL-IR") && !listed.has("IMAP4REV2") {
        look.add_head(Breach::SaslIrWithoutCapability, "");
    }
}

/// A list that the server sent.
fn list(look: &mut Look<'_>) {
    let said = look.said;
    let is_data = look.data().is_some_and(|(name, _)| name == "CAPABILITY");
    let values = match said.code() {
        Some(code) if code.name == "CAPABILITY" => code.values,
        _ if is_data => said.arguments(),
        _ => return,
    };
    let names = values.iter().filter_map(Value::bytes);
    let names: Vec<&[u8]> = names.take(crate::limits::CAPABILITIES).collect();
    let upper: Vec<Vec<u8>> = names.iter().map(|name| name.to_ascii_uppercase()).collect();
    if !upper.iter().any(|name| name.starts_with(b"IMAP4")) {
        look.add_head(Breach::CapabilityWithoutImap, "");
    }
    let mut seen = HashSet::new();
    if let Some(twice) = upper.iter().position(|name| !seen.insert(name)) {
        let range = look.range_of(names[twice]);
        look.add(Breach::DuplicateCapability, range, "");
    }
    // What mailscope takes out, or puts in, is not the server's doing.
    let starttls = upper.iter().position(|name| name == b"STARTTLS");
    if let Some(at) = starttls
        && look.session.leg(Peer::Server) == Leg::Secured
        && matches!(said.passed, Passed::AsRead)
    {
        let range = look.range_of(names[at]);
        look.add(Breach::StarttlsStillOffered, range, "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_alphabetical_order() {
        assert!(COMMANDS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
