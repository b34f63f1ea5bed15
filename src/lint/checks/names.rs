//! Mailboxes' names and attributes (RFC 9051, section 5.1 and 7.3.1).

use crate::event::{Label, MailboxNames, Peer, Span, Value, unquoted};
use crate::lint::look::Look;
use crate::lint::table::Breach;

/// Commands whose first argument is a mailbox's name.
const WITH_NAME: &[&str] = &[
    "APPEND",
    "CREATE",
    "DELETE",
    "DELETEACL",
    "EXAMINE",
    "GETACL",
    "GETQUOTAROOT",
    "LISTRIGHTS",
    "MYRIGHTS",
    "RENAME",
    "SELECT",
    "SETACL",
    "STATUS",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
];

pub(super) fn check(look: &mut Look<'_>) {
    match look.said.from {
        Peer::Client => command(look),
        Peer::Server => response(look),
    }
}

fn command(look: &mut Look<'_>) {
    let Some(command) = &look.command else {
        return;
    };
    let name = command.name.clone();
    let is_inbox = command.named.first().is_some_and(|name| &**name == "INBOX");
    if !WITH_NAME.contains(&&*name) {
        return;
    }
    let Some(span) = look.first_argument() else {
        return;
    };
    encoded(look, span);
    match &*name {
        "CREATE" if is_inbox => look.add(Breach::InboxCreated, span.range.clone(), ""),
        "DELETE" if is_inbox => look.add(Breach::InboxDeleted, span.range.clone(), ""),
        _ => {}
    }
}

/// `S: * LIST (\HasNoChildren) "/" "Reisen/K&APY-ln"`
fn response(look: &mut Look<'_>) {
    let Some(("LIST" | "LSUB" | "XLIST", _)) = look.data() else {
        return;
    };
    let said = look.said;
    let arguments = said.arguments();
    let [Value::List(attributes), delimiter, ..] = arguments.as_slice() else {
        return;
    };
    let has = |name: &str| attributes.iter().any(|attribute| attribute.is_word(name));
    if has("\\HasChildren") && (has("\\HasNoChildren") || has("\\Noinferiors")) {
        let range = look.range_of_word("\\HASCHILDREN");
        look.add(Breach::ConflictingAttributes, range, "");
    }
    let exclusive = ["\\Marked", "\\Unmarked", "\\Noselect"];
    let mut marked = exclusive.iter().filter(|name| has(name));
    if let (Some(one), Some(_)) = (marked.next(), marked.next()) {
        let range = look.range_of_word(&one.to_ascii_uppercase());
        look.add(Breach::ConflictingAttributes, range, "");
    }
    let extended = arguments.get(3).map_or(&[][..], Value::members);
    let has_childinfo = extended.iter().any(|name| name.is_word("CHILDINFO"));
    let is_asked = look
        .session
        .in_flight()
        .iter()
        .any(|command| command.has_option("RECURSIVEMATCH"));
    if has_childinfo && !is_asked && look.session.state().is_some() {
        look.add_head(Breach::ChildinfoUnasked, "");
    }
    let close = said
        .spans
        .iter()
        .position(|span| span.label == Label::ListClose);
    let behind = &said.spans[close.map_or(said.spans.len(), |close| close + 1)..];
    let is_one = match delimiter {
        Value::Nil => true,
        Value::Quoted(delimiter) => delimiter.len() == 1,
        _ => false,
    };
    if let Some(span) = behind.first().filter(|_| !is_one) {
        look.add(Breach::DelimiterMalformed, span.range.clone(), "");
    }
    let name = behind
        .iter()
        .skip(1)
        .find(|span| span.label != Label::LiteralHeader);
    if let Some(name) = name {
        encoded(look, name);
    }
}

/// Modified UTF-7 (RFC 3501, section 5.1.3).
fn encoded(look: &mut Look<'_>, span: &Span) {
    let text = look.said.span_bytes(span);
    let text = match span.label {
        Label::Quoted => unquoted(text),
        Label::Atom | Label::Literal => text.into(),
        _ => return,
    };
    // IMAP4rev2 knows of no other names than UTF-8 once it is on.
    let may_be_utf8 = look.has_utf8() || look.session.in_flight().has("ENABLE");
    // An octet beyond ASCII in a quoted string or an atom has been told of.
    if may_be_utf8 || is_modified_utf7(&text) || (!text.is_ascii() && span.label != Label::Literal)
    {
        return;
    }
    look.add(Breach::MailboxNameEncoding, span.range.clone(), "");
}

fn is_modified_utf7(name: &[u8]) -> bool {
    let is_plain = !name.contains(&b'&');
    name.is_ascii() && (is_plain || MailboxNames::ModifiedUtf7.decoded(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modified_utf7_is_told_from_other_text() {
        for good in ["INBOX", "K&APY-ln", "a&-b", "&U,BTFw-/&ZeVnLIqe-"] {
            assert!(is_modified_utf7(good.as_bytes()), "{good}");
        }
        for bad in ["a&b", "R&D", "&APY", "K\u{f6}ln", "&AA-", "&2AA-"] {
            assert!(!is_modified_utf7(bad.as_bytes()), "{bad}");
        }
    }
}
