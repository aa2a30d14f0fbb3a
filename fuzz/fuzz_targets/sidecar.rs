//! Fuzzes everything that the two processes of a sidecar read from each other: messages, patterns,
//! the words and records in shared memory, and blocks of matches.
//!
//! The first byte of an input selects one of five targets, and the rest is the input of that
//! target: a message, encoded patterns, a chunk in shared memory, a session of a hostile client
//! with a real server, or the answers of a hostile server to a real client. Both sides run in this
//! process.

#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use dragnet::{Batch, PatternSet, Report};
use dragnet_sidecar::fuzz::{self, Client, Memory, ServerBlock};
use libfuzzer_sys::{Corpus, fuzz_target};

// The kinds of messages, as the protocol numbers them.
const HELLO: u32 = 1;
const WELCOME: u32 = 2;
const REGION: u32 = 4;
const ERROR: u32 = 5;

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((kind, data)) = data.split_first() else { return Corpus::Reject };
    let mut source = Unstructured::new(data);
    let done = match kind % 5 {
        0 => {
            fuzz::message(data);
            fuzz::message(&fuzz::framed(u32::from(kind / 5 % 8), data));
            Ok(())
        }
        1 => {
            fuzz::decode_patterns(data, usize::from(kind / 5));
            Ok(())
        }
        2 => records(&mut source),
        3 => client(&mut source),
        _ => server(&mut source),
    };
    if done.is_ok() { Corpus::Keep } else { Corpus::Reject }
});

/// Returns the right word or, sometimes, a wrong one: any number, one near a boundary value, or one
/// near the right one. At the end of the input, always returns the right one.
fn word(source: &mut Unstructured<'_>, right: u32) -> Result<u32> {
    if source.is_empty() {
        return Ok(right);
    }
    let near = [0, 1, 7, 8, 64, 4096, 1 << 16, 1 << 20, 1 << 31, u32::MAX];
    Ok(match source.arbitrary::<u8>()? {
        0..=9 => source.arbitrary()?,
        10..=29 => {
            let off = source.int_in_range(0..=4)?;
            near[source.choose_index(near.len())?].wrapping_add(off).wrapping_sub(2)
        }
        30..=39 => right.wrapping_add(source.int_in_range(0..=4)?).wrapping_sub(2),
        _ => right,
    })
}

/// The next bytes of the input, at most `max`.
fn bytes<'a>(source: &mut Unstructured<'a>, max: usize) -> Result<&'a [u8]> {
    let len = source.int_in_range(0..=max)?.min(source.len());
    source.bytes(len)
}

/// False with a probability of about one in `times`. At the end of the input, always true.
fn mostly(source: &mut Unstructured<'_>, times: u8) -> Result<bool> {
    Ok(source.is_empty() || !source.ratio(1, times)?)
}

/// A chunk in shared memory, and the words that describe it, some of which may be wrong.
fn chunk(source: &mut Unstructured<'_>) -> Result<([u32; 4], Memory)> {
    let count = source.int_in_range(0..=6)?;
    let records = (0..count).map(|_| bytes(source, 40)).collect::<Result<Vec<_>>>()?;
    let terminator = u32::from(source.arbitrary::<bool>()?);
    let mut memory = Vec::new();
    let mut offsets = vec![0];
    for record in &records {
        memory.extend_from_slice(record);
        if terminator == 1 {
            memory.push(b'\n');
        }
        offsets.push(memory.len() as u32);
    }
    // A record with enough matches for several blocks.
    if source.ratio(1, 16)? {
        memory.resize(memory.len() + 9000, b'q');
        offsets.push(memory.len() as u32);
    }
    let len = memory.len();
    let at = (len + 64).next_multiple_of(4);
    memory.resize(at, 0);
    let words = [
        word(source, len as u32)?,
        word(source, at as u32)?,
        word(source, offsets.len() as u32 - 1)?,
        word(source, terminator)?,
    ];
    for offset in offsets {
        memory.extend(word(source, offset)?.to_le_bytes());
    }
    let seals = [mostly(source, 16)?, source.arbitrary()?, source.arbitrary()?];
    let more = source.int_in_range(0..=3)? * 5000;
    Ok((words, Memory::new(&memory, memory.len() + more, seals)))
}

fn records(source: &mut Unstructured<'_>) -> Result<()> {
    let ([len, at, count, terminator], memory) = chunk(source)?;
    fuzz::records([0, 0, len, at, count, terminator], &memory);
    Ok(())
}

/// A session of a client that may break the protocol.
fn client(source: &mut Unstructured<'_>) -> Result<()> {
    // Everything is drawn from the input before the first thread starts: drawing can fail.
    let text = match source.int_in_range(0..=3)? {
        0 => bytes(source, 100)?.to_vec(),
        _ => {
            let set = PatternSet::new(["a+b", r"\bfoo\b", "q", "x.*y"]).expect("they are valid");
            let mut text = fuzz::encoded(&set);
            if !mostly(source, 4)? {
                let at = source.choose_index(text.len())?;
                text[at] = source.arbitrary()?;
            }
            text
        }
    };
    let mut hello = Vec::new();
    let report = 1 + u32::from(source.arbitrary::<bool>()?);
    for right in [4, report, 2, 0, text.len() as u32, 0] {
        hello.extend(word(source, right)?.to_le_bytes());
    }
    let hello = message(source, HELLO, &hello)?;
    let patterns = match mostly(source, 16)? {
        true => Memory::fixed(&text),
        false => Memory::new(&text, 0, source.arbitrary()?),
    };
    let control = Memory::control();
    let list = match source.int_in_range(0..=19)? {
        19 => vec![&patterns, &control],
        18 => vec![&control, &patterns, &control],
        17 => vec![&control],
        16 => vec![&control; 8],
        _ => vec![&control, &patterns],
    };
    let mut steps = Vec::new();
    for _ in 0..source.int_in_range(0..=6)? {
        Step::draw(source, &mut steps)?;
    }

    let mut client = Client::new(&control);
    client.send(&hello, &list);
    if client.is_welcome() {
        for step in &steps {
            step.take(&mut client);
        }
        client.settle();
    }
    client.end();
    Ok(())
}

/// A message that may be cut short, too long, or changed at one byte.
fn message(source: &mut Unstructured<'_>, kind: u32, body: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = fuzz::framed(kind, body);
    if mostly(source, 8)? {
        return Ok(bytes);
    }
    match source.int_in_range(0..=3)? {
        0 => bytes.truncate(source.choose_index(bytes.len())?),
        1 => bytes.extend_from_slice(self::bytes(source, 64)?),
        2 => bytes.resize(2000 + source.int_in_range(0..=100)?, 0),
        _ => {
            let at = source.choose_index(bytes.len())?;
            bytes[at] = source.arbitrary()?;
        }
    }
    Ok(bytes)
}

/// What a client does after the handshake.
enum Step {
    /// A message that announces shared memory, the memory, and how many copies of its descriptor are sent
    /// with the message.
    Region(Vec<u8>, Memory, usize),
    /// The words of a slot, and the increment of `submitted`.
    Chunk([u32; 6], u32),
    Cancel(u32),
    Settle,
}

impl Step {
    fn draw(source: &mut Unstructured<'_>, steps: &mut Vec<Step>) -> Result<()> {
        match source.int_in_range(0..=7)? {
            0 => steps.push(Step::Cancel(word(source, 0)?)),
            1 => steps.push(Step::Settle),
            // A chunk, usually in memory that is announced first.
            kind => {
                let ([len, at, records, terminator], memory) = chunk(source)?;
                let (number, generation) = (source.int_in_range(0..=2)?, steps.len() as u32 + 1);
                let mut body = Vec::new();
                for right in [number, generation, memory.len() as u32, 0] {
                    body.extend(word(source, right)?.to_le_bytes());
                }
                let copies = if mostly(source, 8)? { 1 } else { source.int_in_range(0..=8)? };
                if kind > 2 {
                    steps.push(Step::Region(message(source, REGION, &body)?, memory, copies));
                }
                let mut words = [number, generation, len, at, records, terminator];
                for right in &mut words[..2] {
                    *right = word(source, *right)?;
                }
                steps.push(Step::Chunk(words, word(source, 1)?));
            }
        }
        Ok(())
    }

    fn take(&self, client: &mut Client) {
        match self {
            Step::Region(bytes, memory, copies) => client.send(bytes, &vec![memory; *copies]),
            Step::Chunk(words, chunks) => client.submit(*words, *chunks),
            Step::Cancel(before) => client.cancel(*before),
            Step::Settle => client.settle(),
        }
    }
}

/// The answers of a server that may break the protocol.
fn server(source: &mut Unstructured<'_>) -> Result<()> {
    let patterns = source.int_in_range(1..=4)?;
    let report = if source.arbitrary()? { Report::Spans } else { Report::Patterns };
    let mut welcome = Vec::new();
    for right in [2, patterns, 1 << 20, 0] {
        welcome.extend(word(source, right)?.to_le_bytes());
    }
    welcome.extend_from_slice(bytes(source, 20)?);
    let first = message(source, WELCOME, &welcome)?;
    let text = bytes(source, 60)?;
    let mut blocks = Vec::new();
    for number in 1..=source.int_in_range(1..=4)? {
        let matches = source.int_in_range(0..=6)?;
        let matches = (0..matches).map(|_| found(source)).collect::<Result<Vec<_>>>()?;
        let status = source.int_in_range(1..=5)?;
        let words = [
            word(source, number)?,
            word(source, status)?,
            word(source, matches.len() as u32)?,
            word(source, 0)?,
        ];
        let error = bytes(source, 40)?;
        let message = if error.is_empty() { Vec::new() } else { message(source, ERROR, error)? };
        blocks.push(ServerBlock { words, matches, message });
    }
    let mut offsets = Vec::new();
    // A client submits no chunk without records.
    let text = if text.is_empty() { b"\n" } else { text };
    let batch = Batch::lines(text, &mut offsets).expect("it is short");
    fuzz::answers(&first, patterns, report, &batch, &blocks);
    Ok(())
}

fn found(source: &mut Unstructured<'_>) -> Result<[u32; 4]> {
    let [record, pattern, start, len] = <[u8; 4]>::arbitrary(source)?.map(|b| u32::from(b % 8));
    let (record, pattern) = (word(source, record % 4)?, word(source, pattern % 4)?);
    Ok([record, pattern, word(source, start)?, word(source, start + len)?])
}
