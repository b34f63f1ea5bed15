//! Numbers for people: counts, octets and durations.

use crate::event::Micros;

/// `1,234`
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 item`, `2 items`
pub(super) fn counted(number: u64, one: &str) -> String {
    let many = if number == 1 { "" } else { "s" };
    format!("{} {one}{many}", count(number))
}

/// `812 B`, `4.1 KiB`, `120 MiB`
pub(super) fn octets(number: u64) -> String {
    if number < 1024 {
        return format!("{number} B");
    }
    let mut rest = number as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if rest < 1023.5 {
            break;
        }
        rest /= 1024.0;
        unit = next;
    }
    match rest < 99.95 {
        true => format!("{rest:.1} {unit}"),
        false => format!("{rest:.0} {unit}"),
    }
}

/// `0.4 ms`, `80 ms`, `1.2 s`, `2 min 5 s`, `1 h 2 min`
pub(super) fn duration(time: Micros) -> String {
    match time.0 {
        micros @ ..9_950 => format!("{:.1} ms", micros as f64 / 1e3),
        micros @ ..999_500 => format!("{:.0} ms", micros as f64 / 1e3),
        micros @ ..59_950_000 => format!("{:.1} s", micros as f64 / 1e6),
        micros => {
            let seconds = micros.saturating_add(500_000) / 1_000_000;
            match seconds {
                ..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
                _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_have_the_unit_one_would_say() {
        for (number, said) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (12_595, "12.3 KiB"),
            (1_048_500, "1.0 MiB"),
            (1 << 30, "1.0 GiB"),
            (125_829_120, "120 MiB"),
        ] {
            assert_eq!(octets(number), said);
        }
    }

    #[test]
    fn durations_have_the_unit_one_would_say() {
        for (micros, said) in [
            (400, "0.4 ms"),
            (80_000, "80 ms"),
            (1_230_000, "1.2 s"),
            (125_000_000, "2 min 5 s"),
            (3_725_000_000, "1 h 2 min"),
        ] {
            assert_eq!(duration(Micros(micros)), said);
        }
        assert_eq!(counted(1234, "item"), "1,234 items");
    }
}
