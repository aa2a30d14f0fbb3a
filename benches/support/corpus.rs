//! Data to scan: generated logs, source code and prose, and the files that `DRAGNET_LOGS` names.
//!
//! Generated corpora depend on a fixed seed alone, so that builds of two commits scan the same data.

use std::path::{Path, PathBuf};

use dragnet::Batch;

use super::{ALNUM, HEX, LOWER, Rng};

/// The least number of bytes in a batch (1 MiB), except for the last one. It ends with a line.
const BATCH: usize = 1 << 20;

pub(crate) struct Corpus {
    pub(crate) name: String,
    /// Buffers that each end with a line, with the offsets of the lines.
    pub(crate) batches: Vec<(Vec<u8>, Vec<u32>)>,
}

impl Corpus {
    pub(crate) fn new(name: &str, data: &[u8]) -> Corpus {
        let mut batches = Vec::new();
        let mut rest = data;
        while !rest.is_empty() {
            let cut = match memchr::memchr(b'\n', &rest[rest.len().min(BATCH)..]) {
                Some(at) => rest.len().min(BATCH) + at + 1,
                None => rest.len(),
            };
            let mut buffer = rest[..cut].to_vec();
            rest = &rest[cut..];
            // The native engine requires 64 readable bytes after each record. A buffer that has them
            // saves it copying the last record.
            let len = buffer.len();
            buffer.resize(len + 64, b'\n');
            let mut offsets = Vec::new();
            Batch::lines(&buffer[..len], &mut offsets).expect("a batch is small");
            batches.push((buffer, offsets));
        }
        Corpus { name: name.to_owned(), batches }
    }

    /// Generated logs of at least this size.
    pub(crate) fn logs(bytes: usize) -> Corpus {
        Corpus::new("generated logs", &generate(bytes, log_line))
    }

    /// The text files in a folder, or one file.
    pub(crate) fn file(path: &Path) -> Corpus {
        let mut data = Vec::new();
        collect(path, &mut data);
        if data.is_empty() {
            eprintln!("{}: no text files found", path.display());
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Corpus::new(&format!("files {name}"), &data)
    }

    pub(crate) fn batch(&self, index: usize) -> Batch<'_> {
        let (buffer, offsets) = &self.batches[index];
        Batch::from_line_offsets(buffer, offsets).expect("made by Batch::lines")
    }

    pub(crate) fn records(&self) -> usize {
        self.batches.iter().map(|(_, offsets)| offsets.len() - 1).sum()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.batches.iter().map(|(_, offsets)| offsets[offsets.len() - 1] as usize).sum()
    }
}

/// All corpora; the generated ones have at least `bytes` bytes each.
pub(crate) fn all(bytes: usize) -> Vec<Corpus> {
    let mut corpora = vec![
        Corpus::logs(bytes),
        Corpus::new("generated source", &generate(bytes, source_line)),
        Corpus::new("generated text", &generate(bytes, text_line)),
    ];
    let named = std::env::var("DRAGNET_LOGS").unwrap_or_default();
    let paths = named.split(':').filter(|p| !p.is_empty());
    let files = paths.map(|path| Corpus::file(Path::new(path)));
    corpora.extend(files.filter(|corpus| !corpus.batches.is_empty()));
    corpora
}

/// Appends the text files in the folder `path`, or the file itself, in the order of their names. A
/// file with a NUL in its first 8 KiB is not text.
fn collect(path: &Path, data: &mut Vec<u8>) {
    /// Files after this many bytes are left out.
    const LIMIT: usize = 64 << 20;
    if path.is_dir() {
        let mut paths: Vec<PathBuf> = match std::fs::read_dir(path) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
            Err(error) => return eprintln!("{}: {error}", path.display()),
        };
        paths.sort();
        paths.iter().for_each(|path| collect(path, data));
    } else if data.len() < LIMIT {
        match std::fs::read(path) {
            Ok(file) if !file[..file.len().min(8192)].contains(&0) => {
                data.extend_from_slice(&file);
                if data.last() != Some(&b'\n') {
                    data.push(b'\n');
                }
            }
            Ok(_) => {}
            Err(error) => eprintln!("{}: {error}", path.display()),
        }
    }
}

/// Lines that `line` generates, until there are `bytes` bytes.
fn generate(bytes: usize, line: fn(&mut Rng) -> String) -> Vec<u8> {
    let mut random = Rng::new(1);
    let mut data = Vec::with_capacity(bytes + 1024);
    while data.len() < bytes {
        data.extend_from_slice(line(&mut random).as_bytes());
        data.push(b'\n');
    }
    data
}

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "the", "of", "and", "to", "in", "is", "for", "on", "with", "as", "by", "from", "not", "value",
    "request", "response", "session", "user", "account", "token", "password", "secret", "key",
    "client", "server", "connection", "timeout", "error", "warning", "failed", "closed", "opened",
    "received", "sent", "block", "packet", "terminating", "responder", "starting", "stopping",
    "worker", "queue", "cache", "index", "buffer", "stream", "handler", "service", "instance",
    "network", "volume", "image", "compute", "scheduler", "authentication", "invalid", "expired",
    "retry", "attempt", "after", "before", "milliseconds", "bytes", "count", "status", "update",
];

#[rustfmt::skip]
const TOKENS: &[&str] = &[
    "let", "mut", "fn", "pub", "return", "if", "else", "match", "for", "while", "struct", "impl",
    "static", "const", "int", "void", "char", "unsigned", "self.", "->", "=>", "==", "!=", "&&",
    "||", "{", "}", "(", ")", ";", "0x1f", "1024", "\"name\"", "result", "options", "config",
    "apiKey", "secret_key", "token", "len()", "i + 1", "Some(", "None", "Ok(", "Err(", "NULL",
    "sizeof(", "#include", "//", "TODO", "import", "def", "class", "assert", "x", "y", "node",
];

fn log_line(random: &mut Rng) -> String {
    let mut line = format!(
        "2026-0{}-{:02}T{:02}:{:02}:{:02}.{:03}Z node-{} {} {}[{}]: ",
        1 + random.below(9),
        1 + random.below(28),
        random.below(24),
        random.below(60),
        random.below(60),
        random.below(1000),
        random.below(40),
        random.pick(&["INFO", "INFO", "INFO", "WARN", "ERROR", "DEBUG"]),
        random.pick(&["sshd", "kernel", "nova.compute", "hdfs.DataNode", "zookeeper", "nginx"]),
        random.below(40_000),
    );
    for _ in 0..6 + random.below(9) {
        match random.below(12) {
            0 => {
                line += &format!(
                    "{}.{}.{}.{}:{} ",
                    10,
                    random.below(256),
                    random.below(256),
                    random.below(256),
                    random.below(65_536)
                )
            }
            1 => line += &format!("blk_{} ", random.next() >> 1),
            2 => line += &format!("id={} ", random.string(HEX, 32)),
            3 => line += &format!("/var/lib/{}/{} ", random.pick(WORDS), random.pick(WORDS)),
            _ => line += &format!("{} ", random.pick(WORDS)),
        }
    }
    plant(&mut line, random);
    line
}

fn source_line(random: &mut Rng) -> String {
    let mut line = " ".repeat(4 * random.below(5));
    for _ in 0..random.below(9) {
        line += *random.pick(TOKENS);
        line.push(' ');
    }
    plant(&mut line, random);
    line
}

fn text_line(random: &mut Rng) -> String {
    let mut line = String::new();
    for _ in 0..random.below(12) {
        line += *random.pick(WORDS);
        line += *random.pick(&[" ", " ", " ", ", ", ". "]);
    }
    plant(&mut line, random);
    line
}

/// Appends something that looks like a credential to one line in a thousand.
fn plant(line: &mut String, random: &mut Rng) {
    if random.below(1000) != 0 {
        return;
    }
    let keyword = random.string(LOWER, 5);
    *line += &match random.below(4) {
        0 => format!("AKIA{}", random.string(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)),
        1 => format!("ghp_{}", random.string(ALNUM, 36)),
        2 => format!("{keyword}_token = \"{}\"", random.string(HEX, 32)),
        _ => format!("https://{keyword}:{}@db.example.com/", random.string(ALNUM, 12)),
    };
}
