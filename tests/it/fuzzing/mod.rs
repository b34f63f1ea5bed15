//! What the fuzz targets (`fuzz/`) try without end, tried on what they begin with, and on what they have
//! found and kept.
//!
//! What they begin with is made here, of the recordings, and written to `target/tmp/seeds`, where they
//! take it from.

mod seeds;

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

use super::properties::{ALL, Property};
use crate::support::patience::trial;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, property) in ALL {
        let from = format!("fuzzing::{name}_holds_for_the_recordings");
        trials.push(trial(from, move || recordings(name, property)));
        let kept = format!("fuzzing::{name}_holds_for_what_was_kept");
        let kept = trial(kept, move || corpus(name, property));
        trials.push(match fuzz().join("Cargo.toml").exists() {
            true => kept,
            // `cargo package` leaves other packages out.
            false => kept.with_kind("not in the package").with_ignored_flag(true),
        });
    }
    trials
}

fn recordings(name: &str, property: Property) -> Result<(), Failed> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("seeds")
        .join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let seeds = seeds::of(name);
    assert!(!seeds.is_empty());
    for (seed, octets) in seeds {
        let path = folder.join(seed);
        std::fs::write(&path, &octets).unwrap();
        holds(property, &path, &octets)?;
    }
    Ok(())
}

fn corpus(name: &str, property: Property) -> Result<(), Failed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(name);
    let entries =
        std::fs::read_dir(&folder).map_err(|why| format!("read {}: {why}", folder.display()))?;
    let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    assert!(
        !paths.is_empty(),
        "nothing was kept in {}",
        folder.display()
    );
    for path in paths {
        let octets = std::fs::read(&path).unwrap();
        holds(property, &path, &octets)?;
    }
    Ok(())
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn holds(property: Property, path: &Path, octets: &[u8]) -> Result<(), Failed> {
    match catch_unwind(|| property(octets)) {
        Ok(()) => Ok(()),
        Err(_) => Err(format!("it does not hold for {}", path.display()).into()),
    }
}
