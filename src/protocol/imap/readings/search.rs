//! Results of searches: SEARCH, SORT, ESEARCH, UIDBATCHES; and VANISHED, which names messages in the
//! same way. A set of numbers is a string, as on the wire: `"2,10:11"`.

use std::collections::HashMap;

use super::mailbox_name::{MAILBOX, write_name};
use super::text::{is_string, upper, write_astring};
use super::{generic, typed};
use crate::event::json::{Object, write_array, write_number};
use crate::event::{MailboxNames, Said, Value};

/// `S: * SEARCH 2 5 6 (MODSEQ 917162500)`
///
/// RFC 3501, section 7.2.5; RFC 7162, section 3.1.5; RFC 5256, section 4 (SORT).
pub(in super::super) fn numbers(said: &Said, out: &mut Vec<u8>) {
    let arguments = said.arguments();
    let (numbers, modseq) = match arguments.as_slice() {
        [numbers @ .., Value::List(modseq)] => match modseq.as_slice() {
            [word, Value::Number(modseq)] if word.is_word("MODSEQ") => (numbers, Some(*modseq)),
            _ => return generic(said, out),
        },
        numbers => (numbers, None),
    };
    if !numbers.iter().all(|value| value.number().is_some()) {
        return generic(said, out);
    }
    let numbers = numbers.iter().filter_map(Value::number);
    let mut data = Object::open(out);
    write_array(data.name("numbers"), numbers, write_number);
    if let Some(modseq) = modseq {
        data.number("modseq", modseq);
    }
    data.close();
}

/// `S: * ESEARCH (TAG "A282" MAILBOX folder1 UIDVALIDITY 1) UID MIN 7 COUNT 3 ALL 7,10:11`
///
/// RFC 9051, section 7.3.4; RFC 5267 (ADDTO, REMOVEFROM, PARTIAL); RFC 6203 (RELEVANCY); RFC 7162
/// (MODSEQ); RFC 7377 (MAILBOX); RFC 9394 (PARTIAL).
pub(in super::super) fn esearch(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let mut data = Object::open(out);
        let rest = write_correlator(&mut data, said.details.names, arguments)?;
        let rest = match rest {
            [uid, rest @ ..] if uid.is_word("UID") => {
                data.flag("uid", true);
                rest
            }
            rest => rest,
        };
        write_results(data.name("results"), rest)?;
        data.close();
        Some(())
    });
}

/// `(TAG "A282" MAILBOX folder1 UIDVALIDITY 1)`, if it is there; what follows it.
pub(super) fn write_correlator<'v, 'a>(
    data: &mut Object<'_>,
    names: MailboxNames,
    arguments: &'v [Value<'a>],
) -> Option<&'v [Value<'a>]> {
    let [Value::List(correlator), rest @ ..] = arguments else {
        return Some(arguments);
    };
    for pair in correlator.chunks(2) {
        match pair {
            [name, tag] if name.is_word("TAG") => write_astring(data.name("tag"), tag),
            [name, mailbox] if name.is_word("MAILBOX") => {
                write_name(data, &MAILBOX, names, mailbox);
            }
            [name, Value::Number(validity)] if name.is_word("UIDVALIDITY") => {
                data.number("uid_validity", *validity);
            }
            _ => return None,
        }
    }
    // Each once, or a member would be lost to a reader of the JSON.
    let is = |name: &'static str| {
        correlator
            .iter()
            .step_by(2)
            .filter(move |value| value.is_word(name))
    };
    let once = ["TAG", "MAILBOX", "UIDVALIDITY"].map(|name| is(name).count() <= 1);
    once.iter().all(|once| *once).then_some(rest)
}

/// Names and values in turns. ADDTO and REMOVEFROM may come several times, all others once.
fn write_results(out: &mut Vec<u8>, results: &[Value<'_>]) -> Option<()> {
    let mut order: Vec<String> = Vec::new();
    let mut all: HashMap<String, Vec<&Value<'_>>> = HashMap::new();
    for pair in results.chunks(2) {
        let [name @ Value::Atom(_), value] = pair else {
            return None;
        };
        let name = upper(name)?;
        let values = all.entry(name.clone()).or_default();
        if values.is_empty() {
            order.push(name);
        }
        values.push(value);
    }
    let mut object = Object::open(out);
    for name in order {
        let values = all.remove(&name)?;
        let out = object.key(&name);
        match (&*name, values.as_slice()) {
            ("ADDTO" | "REMOVEFROM", values) => write_changes(out, values)?,
            ("ALL", [set]) if is_string(set) => write_astring(out, set),
            ("PARTIAL", [Value::List(partial)]) => write_partial(out, partial)?,
            (_, [value]) => value.write_json(out),
            _ => return None,
        }
    }
    object.close();
    Some(())
}

/// `PARTIAL (-1:-100 4,7:9)`, RFC 9394, section 3.1.
fn write_partial(out: &mut Vec<u8>, partial: &[Value<'_>]) -> Option<()> {
    let [range, set] = partial else {
        return None;
    };
    (is_string(range) && is_string(set)).then_some(())?;
    let mut object = Object::open(out);
    write_astring(object.name("range"), range);
    match set {
        Value::Nil => object.nullable("set", None),
        set => write_astring(object.name("set"), set),
    }
    object.close();
    Some(())
}

/// `ADDTO (0 32768:32769 2 7)`, RFC 5267, section 4.3.
fn write_changes(out: &mut Vec<u8>, values: &[&Value<'_>]) -> Option<()> {
    let pairs = values.iter().flat_map(|value| value.members().chunks(2));
    let fits = |pair: &[Value<'_>]| matches!(pair, [Value::Number(_), set] if is_string(set));
    let are_lists = values.iter().all(|value| matches!(value, Value::List(_)));
    (are_lists && pairs.clone().all(fits)).then_some(())?;
    write_array(out, pairs, |out, pair| {
        let mut change = Object::open(out);
        pair[0].write_json(change.name("position"));
        write_astring(change.name("set"), &pair[1]);
        change.close();
    });
    Some(())
}

/// `S: * UIDBATCHES (TAG "A143") 215295:99695,99696:20350`, RFC 10022, section 3.1.
pub(in super::super) fn uid_batches(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let mut data = Object::open(out);
        match write_correlator(&mut data, said.details.names, arguments)? {
            [] => {}
            [ranges] if is_string(ranges) => write_astring(data.name("ranges"), ranges),
            _ => return None,
        }
        data.close();
        Some(())
    });
}

/// `S: * VANISHED (EARLIER) 41,43:116`, RFC 7162, section 3.2.10.
pub(in super::super) fn vanished(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let (is_earlier, uids) = match arguments {
            [uids] => (false, uids),
            [Value::List(words), uids] => match words.as_slice() {
                [word] if word.is_word("EARLIER") => (true, uids),
                _ => return None,
            },
            _ => return None,
        };
        is_string(uids).then_some(())?;
        let mut data = Object::open(out);
        data.flag("earlier", is_earlier);
        write_astring(data.name("uids"), uids);
        data.close();
        Some(())
    });
}
