//! Numbers for people: counts, octets and durations, the same wherever they are shown.
//!
//! Not how JSON has them, which are seconds and octets.

use crate::event::Micros;

/// `1,234`
pub fn count(number: u64) -> String {
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
pub fn counted(number: u64, one: &str) -> String {
    let many = if number == 1 { "" } else { "s" };
    format!("{} {one}{many}", count(number))
}

/// `812 B`, `4.1 KiB`, `120 MiB`
pub fn octets(number: u64) -> String {
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
pub fn duration(time: Micros) -> String {
    match time.0 {
        micros @ ..9_950 => format!("{:.1} ms", micros as f64 / 1e3),
        micros @ ..999_500 => format!("{:.0} ms", micros as f64 / 1e3),
        micros @ ..59_950_000 => format!("{:.1} s", micros as f64 / 1e6),
        micros => {
            let seconds = micros.saturating_add(500_000) / 1_000_000;
            match seconds {
                ..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
                _ => format!("{} h {} min", count(seconds / 3600), seconds / 60 % 60),
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
    fn thousands_are_grouped() {
        assert_eq!(count(0), "0");
        assert_eq!(count(123), "123");
        assert_eq!(count(1234567), "1,234,567");
        assert_eq!(counted(1, "octet"), "1 octet");
        assert_eq!(counted(1000, "octet"), "1,000 octets");
    }

    #[test]
    fn durations_have_the_unit_one_would_say() {
        let said = |micros| duration(Micros(micros));
        assert_eq!(said(400), "0.4 ms");
        assert_eq!(said(9_949), "9.9 ms");
        assert_eq!(said(80_000), "80 ms");
        assert_eq!(said(999_499), "999 ms");
        assert_eq!(said(1_230_000), "1.2 s");
        assert_eq!(said(59_940_000), "59.9 s");
        assert_eq!(said(59_960_000), "1 min 0 s");
        assert_eq!(said(125_000_000), "2 min 5 s");
        assert_eq!(said(3_725_000_000), "1 h 2 min");
    }
}
