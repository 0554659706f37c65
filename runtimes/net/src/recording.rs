//! Recordings: every input of a process, in a file from which the run is made again.
//!
//! The first line is a heading in JSON; what follows are steps, each after its length and its checksum. A recording whose process was killed
//! ends in the middle of a step; what is before it counts.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use isles_kernel::{ProcessId, Protocol, Time, codec};
use serde::{Deserialize, Serialize};

use crate::input::{Done, Input, Recorded};

const FORMAT: &str = "isles-recording";
/// No heading is longer.
const HEADING_BYTES_MAX: u64 = 1 << 20;

/// What a recording is of.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heading {
    /// `isles-recording`.
    pub format: String,
    /// Of the format: 1.
    pub version: u32,
    /// What the process spoke.
    pub protocol: String,
    /// Which of the members it was.
    pub me: u32,
    /// How many members there were.
    pub members: u32,
    /// Whether it had a log that records wait for.
    pub durable: bool,
    /// What makes the protocol's configuration.
    pub about: serde_json::Value,
}

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The first line is none of a recording.
    #[error("line 1: {0}; is it a recording of a node?")]
    Heading(String),
    /// A step is damaged, and others follow it.
    #[error("step {step}: {what}")]
    Step {
        /// Which, from 1 on.
        step: u64,
        /// What is wrong.
        what: String,
    },
}

/// Writes a recording.
#[derive(Debug)]
pub(crate) struct Recorder {
    out: BufWriter<File>,
    /// The input of the step under way, encoded, and when it came.
    input: Vec<u8>,
    now: Time,
    pub(crate) choices: Vec<u32>,
    pub(crate) done: Done,
    /// The first thing that went wrong; nothing is written after it.
    error: Option<io::Error>,
}

impl Recorder {
    /// # Errors
    /// When the file is there already or cannot be made.
    pub(crate) fn new(path: &Path, heading: &Heading) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 16, File::create_new(path)?);
        serde_json::to_writer(&mut out, heading)?;
        out.write_all(b"\n")?;
        let (input, now, choices, done) = (Vec::new(), Time::ZERO, Vec::new(), Done::default());
        Ok(Self { out, input, now, choices, done, error: None })
    }

    pub(crate) fn heading(protocol: &str, (me, members): (ProcessId, usize), durable: bool) -> Heading {
        let members = members as u32;
        let (format, protocol) = (FORMAT.to_owned(), protocol.to_owned());
        Heading { format, version: 1, protocol, me: me.0, members, durable, about: serde_json::Value::Null }
    }

    /// An input comes.
    pub(crate) fn begin<P: Protocol>(&mut self, now: Time, input: &Input<P>) {
        self.now = now;
        let mut bytes = std::mem::take(&mut self.input);
        bytes.clear();
        self.input =
            postcard::to_extend(input, bytes).expect("derived Serialize into growing memory cannot fail");
        self.choices.clear();
        self.done = Done::default();
    }

    /// The process did all that it does about it.
    pub(crate) fn end(&mut self) {
        if self.error.is_some() {
            return;
        }
        // As `Recorded` is encoded: field after field.
        let mut step = codec::encode(&self.now);
        step.extend_from_slice(&self.input);
        step.extend_from_slice(&codec::encode(&(&self.choices, self.done.digest())));
        let write = |out: &mut BufWriter<File>| {
            out.write_all(&(step.len() as u32).to_le_bytes())?;
            out.write_all(&crc32fast::hash(&step).to_le_bytes())?;
            out.write_all(&step)
        };
        self.error = write(&mut self.out).err();
    }

    /// Writes what has come together.
    ///
    /// # Errors
    /// The first thing that went wrong.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.error.take().map_or_else(|| self.out.flush(), Err)
    }
}

/// Reads a recording step by step.
#[derive(Debug)]
pub struct Steps<P: Protocol> {
    input: BufReader<File>,
    step: u64,
    protocol: std::marker::PhantomData<fn() -> P>,
}

/// The heading of a recording.
///
/// # Errors
/// When the file cannot be read, or is none.
pub fn heading(path: &Path) -> Result<Heading, RecordingError> {
    read_heading(&mut BufReader::new(File::open(path)?))
}

fn read_heading(input: &mut BufReader<File>) -> Result<Heading, RecordingError> {
    let mut line = Vec::new();
    input.take(HEADING_BYTES_MAX).read_until(b'\n', &mut line)?;
    let heading: Heading =
        serde_json::from_slice(&line).map_err(|error| RecordingError::Heading(error.to_string()))?;
    if heading.format != FORMAT || heading.version != 1 {
        let what = format!("{} {} is not {FORMAT} 1", heading.format, heading.version);
        return Err(RecordingError::Heading(what));
    }
    if heading.me >= heading.members || heading.members as usize > crate::book::PROCESSES_MAX {
        let what = format!("process {} of {} members", heading.me, heading.members);
        return Err(RecordingError::Heading(what));
    }
    Ok(heading)
}

impl<P: Protocol> Steps<P> {
    /// Opens a recording of this protocol.
    ///
    /// # Errors
    /// When the file cannot be read, or is none.
    pub fn open(path: &Path) -> Result<(Heading, Self), RecordingError> {
        let mut input = BufReader::new(File::open(path)?);
        let heading = read_heading(&mut input)?;
        Ok((heading, Self { input, step: 0, protocol: std::marker::PhantomData }))
    }

    /// How many bytes are there, up to as many as asked.
    fn fill(&mut self, bytes: &mut Vec<u8>, count: usize) -> io::Result<bool> {
        bytes.clear();
        (&mut self.input).take(count as u64).read_to_end(bytes)?;
        Ok(bytes.len() == count)
    }

    /// The next step; none at the end.
    fn step(&mut self) -> Result<Option<Recorded<P>>, RecordingError> {
        self.step += 1;
        let mut bytes = Vec::new();
        if !self.fill(&mut bytes, 8)? {
            return Ok(None);
        }
        let length = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        let sum = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        // The first step has the whole log in it.
        if !self.fill(&mut bytes, length)? {
            return Ok(None);
        }
        let wrong = |what: String| RecordingError::Step { step: self.step, what };
        if crc32fast::hash(&bytes) != sum {
            return Err(wrong("its checksum is wrong: the file is damaged".to_owned()));
        }
        match postcard::take_from_bytes(&bytes) {
            Ok((step, [])) => Ok(Some(step)),
            Ok(_) | Err(_) => Err(wrong("it is none of this protocol".to_owned())),
        }
    }
}

impl<P: Protocol> Iterator for Steps<P> {
    type Item = Result<Recorded<P>, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
