//! What is scrubbed: a transcript or a text of `C:` and `S:` lines, which is read several times.
//!
//! Standard input, which can be read once, is kept in a file without a name.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::Counter;
use crate::error::{Doing, Result};
use crate::event::Recorded;
use crate::limits;
use crate::recording::{Events, Form, Input, is_standard_input, name_of};
use crate::transcript::{Header, Nameless, Reader};

/// What is scrubbed.
pub struct Source {
    name: String,
    place: Place,
    form: Form,
}

enum Place {
    File(PathBuf),
    Kept(Nameless),
}

impl Source {
    /// A file, or standard input for `-`.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let name = name_of(path);
        let place = match is_standard_input(path) {
            true => Place::Kept(standard_input()?),
            false => Place::File(path.into()),
        };
        let mut source = Self {
            name,
            place,
            form: Form::Json,
        };
        source.form = Form::of(&source.name, &mut BufReader::new(source.octets()?))?;
        Ok(source)
    }

    /// In which form it is.
    pub fn form(&self) -> Form {
        self.form
    }

    /// How many octets it has, as far as that can be known.
    pub fn length(&self) -> u64 {
        match &self.place {
            Place::File(path) => path.metadata().map_or(0, |file| file.len()),
            Place::Kept(file) => file.length(),
        }
    }

    /// Its events from the first one on; `counter` is told of the octets that were read.
    ///
    /// # Errors
    ///
    /// It cannot be read, or begins as no recording does.
    pub fn events(&self, counter: Counter) -> Result<SourceEvents> {
        let inner = self.octets()?;
        let octets = BufReader::with_capacity(limits::READ, Counted { inner, counter });
        let name = self.name.clone();
        Ok(match self.form {
            Form::Json => SourceEvents::Json(Box::new(Reader::new(octets, name)?)),
            Form::Text => {
                let octets = Box::new(octets);
                SourceEvents::Text(Box::new(Events::read(Input { name, octets })?))
            }
        })
    }

    fn octets(&self) -> Result<Box<dyn Read + Send>> {
        let doing = || format!("read {}", self.name);
        Ok(match &self.place {
            Place::File(path) => Box::new(File::open(path).doing(doing)?),
            Place::Kept(file) => Box::new(file.read().doing(doing)?),
        })
    }
}

fn standard_input() -> Result<Nameless> {
    let folder = std::env::temp_dir();
    let kept = Nameless::in_folder(&folder).and_then(|mut file| {
        io::copy(&mut io::stdin().lock(), &mut file)?;
        Ok(file)
    });
    kept.doing(|| {
        format!(
            "keep standard input in a file without a name in {}",
            folder.display()
        )
    })
}

/// Its events, as a transcript holds them.
pub enum SourceEvents {
    Json(Box<Reader>),
    Text(Box<Events>),
}

impl SourceEvents {
    /// What it says about itself; of a text, nothing is known.
    pub fn header(&self) -> Header {
        match self {
            Self::Json(reader) => reader.header().clone(),
            Self::Text(_) => Header::unknown(),
        }
    }

    /// What is to be said of one that ends before its end, once all of it is read.
    pub fn torn(&self) -> Option<String> {
        match self {
            Self::Json(reader) => reader.torn(),
            Self::Text(_) => None,
        }
    }
}

impl Iterator for SourceEvents {
    type Item = Result<Recorded>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Json(reader) => reader.next(),
            Self::Text(events) => Some(events.next()?.map(Recorded::of)),
        }
    }
}

/// Octets, counted as they are read.
pub struct Counted<R> {
    /// Where they come from.
    pub inner: R,
    /// Who is told.
    pub counter: Counter,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let octets = self.inner.read(buffer)?;
        (self.counter)(octets as u64);
        Ok(octets)
    }
}
