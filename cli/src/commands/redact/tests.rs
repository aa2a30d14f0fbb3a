//! Random streams in random pieces are redacted as the oracle says, and at any moment what has been written is
//! the start of that.

use dragnet::reader::AcrossLines;
use dragnet::{Engine, Report};
use dragnet_testkit::{Case, Division, Oracle, Rng, Spec, Stream, case, patterns, set};

use super::*;

/// A window in which the texts of the cases fit.
const WINDOW: usize = 4000;

/// Patterns as `--multiline` reads them, and a stream.
fn stream_case(rng: &mut Rng) -> (Case, Stream) {
    let mut case = case(rng, patterns, 1);
    for spec in &mut case.specs {
        spec.flags.m = true;
        spec.bounds = Default::default();
    }
    let mut stream = Stream::of(rng, &case.batches[0]);
    stream.division = Division::AcrossLines(WINDOW);
    // More line ends than the records have, because the stream is cut there.
    for at in 0..stream.text.len() {
        if rng.below(12) == 0 {
            stream.text[at] = b'\n';
        }
    }
    (case, stream)
}

/// What is written, and how often the stream was cut.
fn redact(specs: &[Spec], stream: &Stream, reader: impl Read) -> (Vec<u8>, bool, bool) {
    let set = set(specs);
    let across = AcrossLines::new(&set, WINDOW);
    let hirs: Vec<_> = across.patterns().map(|pattern| specs[pattern].hir()).collect();
    let has_across = !hirs.is_empty();
    let mut copy = Copy {
        redactor: Stream::redactor(&set),
        scanner: Engine::new(&set, Report::Spans).scanner().unwrap(),
        lines: ReaderScan::lines().block_bytes(stream.block_bytes),
        across: has_across.then(|| stream.scan(&set)),
        encoding: Encoding::None,
        name: "test".to_owned(),
    };
    let cuts = if has_across { LineCuts::new(&hirs, WINDOW) } else { None };
    let cuts =
        cuts.map(|cuts| cuts.with_dfa_only_bytes([0, 30, usize::MAX][stream.text.len() % 3]));
    let is_cut = cuts.is_some();
    let mut out = Vec::new();
    let is_complete = copy.run(reader, cuts, &mut out).is_ok();
    (out, is_cut, is_complete)
}

#[test]
fn streams_are_redacted_as_the_oracle_says() {
    let mut cut = 0;
    for seed in 0..600 {
        let (case, stream) = stream_case(&mut Rng::new(seed));
        let mut oracle = Oracle::new(&case.specs);
        let expected = stream.redacted(&stream.expected(&mut oracle, &set(&case.specs)));
        let (found, is_cut, _) = redact(&case.specs, &stream, stream.reader());
        cut += usize::from(is_cut);
        assert!(
            found == expected,
            "{seed}: {case:?}\n{stream:?}\nb\"{}\"\nb\"{}\"",
            found.escape_ascii(),
            expected.escape_ascii()
        );
    }
    assert!(cut > 50, "{cut}");
}

/// A reader that fails after some bytes.
struct Failing<R>(R, usize);

impl<R: Read> Read for Failing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.1);
        match self.1 {
            0 => Err(io::Error::other("the end")),
            _ => self.0.read(&mut buffer[..count]).inspect(|count| self.1 -= count),
        }
    }
}

#[test]
fn what_is_written_is_the_start_of_the_right_output() {
    for seed in 1000..1100 {
        let mut rng = Rng::new(seed);
        let (case, stream) = stream_case(&mut rng);
        let mut oracle = Oracle::new(&case.specs);
        let expected = stream.redacted(&stream.expected(&mut oracle, &set(&case.specs)));
        let len = stream.bytes().len();
        let end = rng.below(len + 1);
        let (found, ..) = redact(&case.specs, &stream, Failing(stream.reader(), end));
        assert!(expected.starts_with(&found), "{seed}: {case:?}\n{stream:?}\n{end}");
    }
}
