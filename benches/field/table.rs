//! What came out, as rows of a Markdown table.

use super::{Case, Middle};
use crate::figures::Spread;

/// Values of all turns so far.
pub struct Table {
    middles: Vec<Middle>,
    turns: Vec<(Case, Middle, Vec<f64>)>,
}

impl Table {
    /// With a column for each of these.
    pub fn new(middles: &[Middle]) -> Self {
        Self {
            middles: middles.to_vec(),
            turns: Vec::new(),
        }
    }

    /// One more turn.
    pub fn add(&mut self, case: Case, middle: Middle, values: Vec<f64>) {
        self.turns.push((case, middle, values));
    }

    /// The first two lines.
    pub fn head(&self) -> String {
        let names: Vec<&str> = self.middles.iter().map(|middle| middle.name()).collect();
        let line = "---|".repeat(names.len());
        format!("| | {} |\n|---|{line}", names.join(" | "))
    }

    /// The rows of one case.
    pub fn rows(&self, case: Case) -> String {
        let rows = case.rows().into_iter().enumerate();
        let rows = rows.map(|(row, (name, unit))| {
            let cells = self
                .middles
                .iter()
                .map(|&middle| self.cell(case, middle, row, unit));
            let cells: Vec<String> = cells.collect();
            format!("| {name} | {} |", cells.join(" | "))
        });
        rows.collect::<Vec<_>>().join("\n")
    }

    fn cell(&self, case: Case, middle: Middle, row: usize, unit: &str) -> String {
        let values = self.values(case, middle, row);
        let base = self.values(case, Middle::Stunnel, row);
        if values.iter().all(|value| *value == 0.0) {
            return String::new(); // it records nothing, or has no part in this
        }
        let value = Spread::of(&values).told(&format!(" {unit}"));
        let ratios: Vec<f64> = values
            .iter()
            .zip(&base)
            .map(|(this, base)| this / base)
            .collect();
        match middle {
            Middle::Stunnel => value,
            _ if base.iter().all(|base| *base > 0.0) && !base.is_empty() => {
                let mut sorted = ratios;
                sorted.sort_by(f64::total_cmp);
                format!("{value}, **{:.2}**", sorted[sorted.len() / 2])
            }
            _ => value,
        }
    }

    fn values(&self, case: Case, middle: Middle, row: usize) -> Vec<f64> {
        let turns = self.turns.iter();
        let of = turns.filter(|(of, by, _)| *of == case && *by == middle);
        of.map(|(_, _, values)| values[row]).collect()
    }
}
