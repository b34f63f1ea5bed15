//! Several measurements of one thing, told in a table.

/// The one in the middle, the lowest and the highest.
pub struct Spread {
    median: f64,
    lowest: f64,
    highest: f64,
}

impl Spread {
    /// At least one.
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Self {
            median: sorted[sorted.len() / 2],
            lowest: sorted[0],
            highest: sorted[sorted.len() - 1],
        }
    }

    /// `61,000/s (58,000 to 64,000)`
    pub fn told(&self, unit: &str) -> String {
        let [median, lowest, highest] = [self.median, self.lowest, self.highest].map(rounded);
        match unit {
            "%" => format!("{median} % ({lowest} to {highest})"),
            _ => format!("{median}{unit} ({lowest} to {highest})"),
        }
    }
}

/// Three digits that count, in thousands.
fn rounded(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let unit = 10_f64.powf((value.log10().floor() - 2.0).max(0.0));
    let digits = format!("{:.0}", (value / unit).round() * unit);
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
