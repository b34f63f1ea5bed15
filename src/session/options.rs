//! The options of a command, looked up where they stand: the same words elsewhere are names of mailboxes
//! and text to search for.
//!
//! ```text
//! C: a SEARCH RETURN (MIN COUNT) CHARSET UTF-8 SUBJECT SAVE     RETURN MIN COUNT CHARSET
//! C: a SELECT CONDSTORE (QRESYNC (1 2))                         QRESYNC
//! C: a LIST (REMOTE) "" * RETURN (SPECIAL-USE)                  REMOTE RETURN SPECIAL-USE
//! C: a APPEND UTF8 (\Seen) CATENATE (URL "...")                 CATENATE
//! ```

use crate::event::Value;
use crate::limits;

/// The options of the command with this name, upper case, in their order.
pub(super) fn options(name: &str, arguments: &[Value<'_>]) -> Vec<String> {
    let mut options = Vec::new();
    match name.strip_prefix("UID ").unwrap_or(name) {
        "SEARCH" | "SORT" | "THREAD" => of_search(arguments, &mut options),
        // `ESEARCH IN (SUBTREE "tree1") RETURN (MIN) UNSEEN` (RFC 7377, section 2.1)
        "ESEARCH" => {
            let is_in = is_atom(arguments.first(), "IN");
            of_search(
                arguments.get(if is_in { 2 } else { 0 }..).unwrap_or(&[]),
                &mut options,
            );
        }
        "EXAMINE" | "SELECT" => add(members(arguments.get(1)), &mut options),
        "LIST" => {
            add(members(arguments.first()), &mut options);
            let returns = arguments
                .iter()
                .position(|value| is_atom(Some(value), "RETURN"));
            if let Some(returns) = returns.filter(|returns| *returns >= 2) {
                add(&arguments[returns..=returns], &mut options);
                add(members(arguments.get(returns + 1)), &mut options);
            }
        }
        "APPEND" => add(arguments.get(1..).unwrap_or(&[]), &mut options),
        _ => {}
    }
    options
}

/// Options of a search: `RETURN (...)` first, then `CHARSET`.
fn of_search(arguments: &[Value<'_>], options: &mut Vec<String>) {
    let mut behind = 0;
    if is_atom(arguments.first(), "RETURN") {
        add(&arguments[..1], options);
        add(members(arguments.get(1)), options);
        behind = 2;
    }
    if is_atom(arguments.get(behind), "CHARSET") {
        add(&arguments[behind..=behind], options);
    }
}

fn members<'a, 'b>(list: Option<&'a Value<'b>>) -> &'a [Value<'b>] {
    list.map_or(&[], Value::members)
}

fn is_atom(value: Option<&Value<'_>>, word: &str) -> bool {
    matches!(value, Some(value @ Value::Atom(_)) if value.is_word(word))
}

fn add(values: &[Value<'_>], options: &mut Vec<String>) {
    for value in values {
        if let Value::Atom(word) = value
            && options.len() < limits::ITEMS
            && word.len() < limits::TAG
        {
            options.push(String::from_utf8_lossy(word).to_ascii_uppercase());
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::event::{Body, Gate, Micros, Peer, Secrets};
    use crate::protocol::imap::Observer;
    use crate::session::Command;

    /// A command, as it is said behind its tag.
    pub(in crate::session) fn read(said: &str) -> Command {
        let mut observer = Observer::new(Gate::new(Secrets::Shown));
        let mut drafts = Vec::new();
        let command = format!("a {said}\r\n");
        for (from, octets) in [(Peer::Server, "* OK hi\r\n"), (Peer::Client, &command)] {
            observer.hear_again(from, octets.as_bytes(), Micros(0), &mut drafts);
        }
        let mut said = drafts
            .iter_mut()
            .filter_map(|draft| match draft.body_mut() {
                Body::Said(said) => Some(said),
                _ => None,
            });
        let command = said.find(|said| said.from == Peer::Client).unwrap();
        Command::read(1, Micros(0), command).unwrap()
    }

    #[test]
    fn options_are_told_from_names_and_text_that_are_the_same_words() {
        for (said, options) in [
            (
                "SEARCH RETURN (MIN COUNT) CHARSET UTF-8 SUBJECT SAVE",
                "RETURN MIN COUNT CHARSET",
            ),
            ("UID SEARCH return () UNSEEN", "RETURN"),
            ("SEARCH CHARSET UTF-8 TEXT x", "CHARSET"),
            ("SEARCH SUBJECT CHARSET", ""),
            ("SEARCH OR SUBJECT RETURN TEXT COUNT", ""),
            ("SORT RETURN (COUNT) (DATE) UTF-8 ALL", "RETURN COUNT"),
            (
                "ESEARCH IN (mailboxes INBOX) RETURN (MIN) UNSEEN",
                "RETURN MIN",
            ),
            ("SELECT CONDSTORE", ""),
            ("SELECT CONDSTORE (QRESYNC (1 2))", "QRESYNC"),
            ("SELECT (CONDSTORE)", ""),
            (
                "LIST (REMOTE) \"\" * RETURN (SPECIAL-USE)",
                "REMOTE RETURN SPECIAL-USE",
            ),
            ("LIST RETURN CHILDREN", ""),
            ("LIST \"\" RETURN", ""),
            ("APPEND UTF8 (\\Seen) {3+}\r\nabc", ""),
            ("APPEND x (\\Seen) UTF8 (~{3+}\r\nabc)", "UTF8"),
            ("FETCH 1 CONDSTORE", ""),
        ] {
            assert_eq!(read(said).options.join(" "), options, "{said}");
        }
    }
}
