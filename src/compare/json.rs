//! The differences for programs: one JSON object a line, a difference each, and a last one for all.
//!
//! ```json
//! {"difference":"argument","conn":{"a":1,"b":1},"n":{"a":12,"b":15},"command":{"a":"UID FETCH 1:3 (FLAGS)","b":"UID FETCH 1:* (FLAGS)"},"of":"sequence set","is":{"a":"1:3","b":"1:*"}}
//! {"difference":"response","conn":{"a":1,"b":1},"n":{"a":27,"b":30},"command":{"a":"NOOP","b":"NOOP"},"response":{"a":"* 3 EXISTS","b":"* 4 EXISTS"},"parts":[{"of":"number","is":{"a":"3","b":"4"}}]}
//! {"equal":false,"differences":2,"only":{"connections":{"a":0,"b":0},"commands":{"a":0,"b":0}},"moved":0,"arguments":1,"responses":1,"unsolicited":0,"answers":0,"same":{"connections":1,"commands":12}}
//! ```
//!
//! | `difference` | further members |
//! |---|---|
//! | `connection` | `commands`: how many are in the one that is in one recording alone |
//! | `command` | none: the command is in one recording alone |
//! | `moved` | none: the command stands at another place |
//! | `argument` | `of`, `is`: which argument, and what it is; by octets, `of` is `octets` where the arguments mean the same |
//! | `greeting`, `response`, `unsolicited`, `answer` | `response`: without its tag, literals as `{310}`; `parts`: in what both differ |
//!
//! `conn` and `n` are the numbers of the connections and of the commands' events (in a short text: of
//! their lines). In every pair, `null` is for what that recording does not have. Strings are for people:
//! octets that are no UTF-8 are `\xff` in them, large sets are shown by what differs.

use serde_json::{Value, json};

use super::difference::{Change, Compared, Comparison, Counts, Difference, Kind, Pair, Sides};
use crate::event::json::write_value;

/// A line as a JSON Schema (draft 2020-12).
pub const SCHEMA: &str = include_str!("schema.json");

/// Adds the comparison's lines.
pub fn write_json(out: &mut Vec<u8>, comparison: &Comparison) {
    for pair in &comparison.connections {
        let conn = sides(&pair.conn);
        let mut line = |mut members: Value| {
            members["conn"] = conn.clone();
            // In the documented order.
            let mut ordered = serde_json::Map::new();
            for name in ["difference", "conn"] {
                ordered.insert(name.into(), members[name].take());
            }
            if let Value::Object(members) = members {
                let rest = members
                    .into_iter()
                    .filter(|(name, _)| !ordered.contains_key(name));
                let rest: Vec<_> = rest.collect();
                ordered.extend(rest);
            }
            write_line(out, &Value::Object(ordered));
        };
        lines(pair, &mut line);
    }
    write_line(out, &summary(&comparison.counts()));
}

fn write_line(out: &mut Vec<u8>, value: &Value) {
    write_value(out, value);
    out.push(b'\n');
}

fn lines(pair: &Pair, line: &mut impl FnMut(Value)) {
    if pair.conn.a.is_none() || pair.conn.b.is_none() {
        let commands = pair.commands.a + pair.commands.b;
        line(json!({"difference": "connection", "commands": commands}));
    }
    for greeting in &pair.greeting {
        line(response(greeting, None));
    }
    for compared in &pair.exchanges {
        exchange(compared, line);
    }
}

fn exchange(compared: &Compared, line: &mut impl FnMut(Value)) {
    let command = &compared.command;
    let of_command = |kind: &str| {
        let n = |side: &Option<super::Command>| side.as_ref().map(|command| command.n);
        let text =
            |side: &Option<super::Command>| side.as_ref().map(|command| command.text.clone());
        json!({
            "difference": kind,
            "n": {"a": n(&command.a), "b": n(&command.b)},
            "command": {"a": text(&command.a), "b": text(&command.b)},
        })
    };
    if command.a.is_none() || command.b.is_none() {
        line(of_command("command"));
    }
    if compared.is_moved {
        line(of_command("moved"));
    }
    for argument in &compared.arguments {
        let mut members = of_command("argument");
        members["of"] = json!(argument.of);
        members["is"] = sides(&argument.is);
        line(members);
    }
    for difference in &compared.responses {
        line(response(difference, Some(of_command(""))));
    }
}

fn response(difference: &Difference, of_command: Option<Value>) -> Value {
    let mut members = of_command.unwrap_or_else(|| json!({}));
    members["difference"] = json!(match difference.kind {
        Kind::Greeting => "greeting",
        Kind::Response => "response",
        Kind::Unasked => "unsolicited",
        Kind::Answer => "answer",
    });
    members["response"] = sides(&difference.said);
    let part = |part: &Change| json!({"of": part.of, "is": sides(&part.is)});
    members["parts"] = difference.parts.iter().map(part).collect();
    members
}

fn sides<T: serde::Serialize>(sides: &Sides<T>) -> Value {
    json!({"a": sides.a, "b": sides.b})
}

fn summary(counts: &Counts) -> Value {
    json!({
        "equal": counts.differences() == 0,
        "differences": counts.differences(),
        "only": {"connections": sides(&counts.connections), "commands": sides(&counts.commands)},
        "moved": counts.moved,
        "arguments": counts.arguments,
        "responses": counts.responses,
        "unsolicited": counts.unasked,
        "answers": counts.answers,
        "same": {"connections": counts.paired, "commands": counts.same},
    })
}
