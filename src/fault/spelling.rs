//! `NAME[:COMMAND][=VALUE][@PROBABILITY]`, read.

use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;

use super::{At, Fault, What};
use crate::event::Status;

/// What a fault's spelling begins with.
pub const NAMES: [&str; 12] = [
    "latency",
    "jitter",
    "bandwidth",
    "split",
    "close-after",
    "no",
    "bad",
    "bye",
    "reset",
    "stall",
    "lie-literal",
    "uidvalidity",
];

const EXAMPLES: &str = "latency=50ms, jitter=10ms, bandwidth=64KiB, split=1, close-after=4096, \
     close-after=SELECT, no:SELECT=OVERQUOTA, bad:NOOP, bye, bye:SELECT, reset:FETCH, stall:NOOP, \
     lie-literal, uidvalidity";

/// A `--fault` taken apart.
struct Parts<'a> {
    name: &'a str,
    at: Option<&'a str>,
    value: Option<&'a str>,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(spelled: &str) -> Result<Self, String> {
        let (rest, probability) = match spelled.rsplit_once('@') {
            Some((rest, probability)) => (rest, self::probability(probability)?),
            None => (spelled, 1.0),
        };
        let (head, value) = match rest.split_once('=') {
            Some((head, value)) => (head, Some(value.trim())),
            None => (rest, None),
        };
        let (name, at) = match head.split_once(':') {
            Some((name, at)) => (name, Some(at)),
            None => (head, None),
        };
        Ok(Self {
            what: what(&Parts { name, at, value })?,
            probability,
            spelled: spelled.into(),
        })
    }
}

fn probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(probability) if (0.0..=1.0).contains(&probability) => Ok(probability),
        _ => Err(format!(
            "the probability behind @ is a number from 0 to 1, such as @0.5, not {text:?}"
        )),
    }
}

fn what(parts: &Parts<'_>) -> Result<What, String> {
    Ok(match parts.name {
        "latency" => What::Latency(parts.everywhere()?.duration("latency=50ms")?),
        "jitter" => What::Jitter(parts.everywhere()?.duration("jitter=10ms")?),
        "bandwidth" => What::Bandwidth(parts.everywhere()?.size("bandwidth=64KiB (a second)")?),
        "split" => {
            let octets = parts.everywhere()?.size("split=1 (octets a write)")?;
            What::Split(usize::try_from(octets).unwrap_or(usize::MAX))
        }
        "close-after" => close_after(parts.everywhere()?)?,
        "no" => parts.refuse(Status::No)?,
        "bad" => parts.refuse(Status::Bad)?,
        "bye" => What::Bye {
            at: parts.at()?,
            code: parts.code()?,
        },
        "reset" => What::Reset(parts.without_value()?.at()?),
        "stall" => What::Stall(parts.without_value()?.but_the_greeting()?),
        "lie-literal" => What::LieLiteral {
            at: parts.but_the_greeting()?,
            by: parts.lie()?,
        },
        "uidvalidity" => What::Uidvalidity(parts.everywhere()?.uidvalidity()?),
        name => return Err(format!("there is no fault {name:?}; there are {EXAMPLES}")),
    })
}

/// `close-after=4096`, `close-after=4KiB` or `close-after=SELECT`.
fn close_after(parts: &Parts<'_>) -> Result<What, String> {
    let example = "close-after=4096 (octets) or close-after=SELECT (a command)";
    let value = parts.value.filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| format!("after what? {example}"))?;
    match value.starts_with(|first: char| first.is_ascii_digit()) {
        true => Ok(What::CutAfter(parts.size(example)?)),
        false => Ok(What::CloseAfter(at(Some(value))?)),
    }
}

fn at(command: Option<&str>) -> Result<At, String> {
    let Some(command) = command else {
        return Ok(At::Any);
    };
    let name = command.trim().to_ascii_uppercase();
    let is_name = |word: &str| {
        let is_atom = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
        !word.is_empty() && word.bytes().all(is_atom)
    };
    match name.strip_prefix("UID ").unwrap_or(&name) {
        "GREETING" => Ok(At::Greeting),
        word if is_name(word) => Ok(At::Command(name)),
        _ => Err(format!(
            "behind : stands the name of a command, such as SELECT or \"UID FETCH\" (or GREETING), \
             not {command:?}"
        )),
    }
}

impl Parts<'_> {
    fn at(&self) -> Result<At, String> {
        at(self.at)
    }

    /// This one is not about commands.
    fn everywhere(&self) -> Result<&Self, String> {
        match self.at {
            None => Ok(self),
            Some(at) => Err(format!(
                "{} is for the whole connection, not for one command; leave :{at} out",
                self.name
            )),
        }
    }

    fn without_value(&self) -> Result<&Self, String> {
        match self.value {
            None => Ok(self),
            Some(value) => Err(format!("{} takes no value; leave ={value} out", self.name)),
        }
    }

    fn but_the_greeting(&self) -> Result<At, String> {
        match self.at()? {
            At::Greeting => Err(format!(
                "{} is not for the greeting; bye:GREETING and reset:GREETING are",
                self.name
            )),
            at => Ok(at),
        }
    }

    fn refuse(&self, status: Status) -> Result<What, String> {
        Ok(What::Refuse {
            at: self.but_the_greeting()?,
            status,
            code: self.code()?,
        })
    }

    /// A response code, with or without its brackets (RFC 9051, section 9, `resp-text-code`).
    fn code(&self) -> Result<Option<String>, String> {
        let Some(value) = self.value else {
            return Ok(None);
        };
        let code = value.strip_prefix('[').unwrap_or(value);
        let code = code.strip_suffix(']').unwrap_or(code);
        let is_text = |octet: u8| (octet.is_ascii_graphic() || octet == b' ') && octet != b']';
        let begins = code.starts_with(|first: char| first.is_ascii_alphanumeric());
        match begins && code.bytes().all(is_text) {
            true => Ok(Some(code.to_owned())),
            false => Err(format!(
                "behind = stands a response code, such as OVERQUOTA, not {value:?}"
            )),
        }
    }

    fn duration(&self, example: &str) -> Result<Duration, String> {
        const LONGEST: Duration = Duration::from_secs(3600);
        let duration = self
            .value
            .and_then(|value| humantime::parse_duration(value).ok());
        let duration = duration.filter(|duration| *duration <= LONGEST);
        duration.ok_or_else(|| self.wants("a time of up to one hour with its unit", example))
    }

    fn size(&self, example: &str) -> Result<u64, String> {
        let size = self.value.and_then(|value| value.parse::<ByteSize>().ok());
        let size = size.map(|size| size.as_u64()).filter(|size| *size > 0);
        size.ok_or_else(|| self.wants("a number of octets above 0", example))
    }

    fn lie(&self) -> Result<i64, String> {
        let Some(value) = self.value else {
            return Ok(1);
        };
        let by = value.parse::<i32>().ok().filter(|by| *by != 0);
        let by = by.map(i64::from);
        by.ok_or_else(|| {
            let what = "by how many octets a literal's header is wrong";
            self.wants(what, "lie-literal=+1 or lie-literal=-3")
        })
    }

    fn uidvalidity(&self) -> Result<Option<u32>, String> {
        let Some(value) = self.value else {
            return Ok(None);
        };
        match value.parse() {
            Ok(0) | Err(_) => Err(self.wants("a number from 1 to 4294967295", "uidvalidity=7")),
            Ok(number) => Ok(Some(number)),
        }
    }

    fn wants(&self, what: &str, example: &str) -> String {
        let name = self.name;
        match self.value {
            Some(value) => format!("{name} wants {what}, such as {example}, not {value:?}"),
            None => format!("{name} wants {what}, such as {example}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> What {
        text.parse::<Fault>().expect(text).what
    }

    #[test]
    fn the_names_are_those_that_a_fault_may_begin_with() {
        let is_none = |name: &str| {
            name.parse::<Fault>()
                .is_err_and(|error| error.starts_with("there is no fault"))
        };
        assert!(NAMES.into_iter().all(|name| !is_none(name)) && is_none("lat"));
        for example in EXAMPLES.split(", ") {
            let name = example.split([':', '=']).next().unwrap();
            assert!(NAMES.contains(&name), "{name}");
        }
    }

    #[test]
    fn every_fault_of_the_contract_is_read() {
        let command = |name: &str| At::Command(name.to_owned());
        for (text, what) in [
            ("latency=50ms", What::Latency(Duration::from_millis(50))),
            ("jitter=10ms", What::Jitter(Duration::from_millis(10))),
            ("bandwidth=64KiB", What::Bandwidth(64 * 1024)),
            ("split=1", What::Split(1)),
            ("close-after=4096", What::CutAfter(4096)),
            ("close-after=select", What::CloseAfter(command("SELECT"))),
            (
                "no:SELECT=OVERQUOTA",
                What::Refuse {
                    at: command("SELECT"),
                    status: Status::No,
                    code: Some("OVERQUOTA".into()),
                },
            ),
            (
                "bad:uid fetch=[X 1]",
                What::Refuse {
                    at: command("UID FETCH"),
                    status: Status::Bad,
                    code: Some("X 1".into()),
                },
            ),
            (
                "bye",
                What::Bye {
                    at: At::Any,
                    code: None,
                },
            ),
            (
                "bye:GREETING=UNAVAILABLE",
                What::Bye {
                    at: At::Greeting,
                    code: Some("UNAVAILABLE".into()),
                },
            ),
            ("reset:FETCH", What::Reset(command("FETCH"))),
            ("stall:NOOP", What::Stall(command("NOOP"))),
            ("lie-literal", What::LieLiteral { at: At::Any, by: 1 }),
            (
                "lie-literal=-3",
                What::LieLiteral {
                    at: At::Any,
                    by: -3,
                },
            ),
            ("uidvalidity", What::Uidvalidity(None)),
        ] {
            assert_eq!(read(text), what, "{text}");
        }
        let fault = "no:FETCH@0.5".parse::<Fault>().unwrap();
        assert_eq!((fault.probability, &*fault.spelled), (0.5, "no:FETCH@0.5"));
    }

    #[test]
    fn what_is_no_fault_is_refused_with_what_to_write() {
        for (text, words) in [
            ("latncy=50ms", "there are latency"),
            ("latency", "latency=50ms"),
            ("latency=50", "with its unit"),
            ("latency=2h", "up to one hour"),
            ("latency:FETCH=50ms", "leave :FETCH out"),
            ("split=0", "above 0"),
            ("split=-1", "above 0"),
            ("bandwidth=fast", "64KiB"),
            ("close-after", "after what?"),
            ("no:", "the name of a command"),
            ("no:SEL ECT", "the name of a command"),
            ("no:SELECT=", "response code"),
            ("no:SELECT=a]b", "response code"),
            ("no:GREETING", "not for the greeting"),
            ("reset:FETCH=1", "leave =1 out"),
            ("no:FETCH@2", "from 0 to 1"),
            ("no:FETCH@often", "from 0 to 1"),
            ("no:FETCH@NaN", "from 0 to 1"),
            ("lie-literal=0", "+1"),
            ("uidvalidity=0", "4294967295"),
            ("", "there are latency"),
        ] {
            let error = text.parse::<Fault>().expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
