//! Compares ways to search one string at a time, and to find the groups of matches.
//!
//! ```sh
//! cargo bench --bench one_string
//! ```
//!
//! The first table searches log-like strings of 1, 100 and 10,000 bytes with 1, 10, 100 and 1,000
//! patterns, of which few match. For `is_match`, `matches` and `find_iter` of a `PatternSet` it shows the
//! time per call in nanoseconds, and multiples of it:
//!
//! - `own`: a scanner of one's own, with a batch of one record. Above 1 if it is slower.
//! - `RegexSet`: the same call of a `regex::bytes::RegexSet`. Above 1 if that is slower. It has no
//!   `find_iter`.
//!
//! Each round measures all ways one after the other; the table has medians over the rounds.
//!
//! The second table shows, for patterns with groups and lines of several mean lengths in bytes, the
//! time to find the groups of all matches in the lines that match, per match in nanoseconds: by
//! `CapturesFinder::for_each`, line by line, as after a scan that reported which patterns match in
//! which lines. As multiples of that, it shows the time of `regex::bytes::Regex::captures_iter`, which
//! does the same, and of `captures_read_at`, which allocates nothing. Then, as multiples of the same,
//! the other way to find groups: `CapturesFinder::captures` for the matches of a scan that reported
//! spans, and the scan itself with it.
//!
//! With `DRAGNET_PAIRS`, the file that `versus` reads, a third table shows for each pair of rules and text how many
//! of the rules have groups and match a line, and of their ratios of `captures_iter` to `for_each` the geometric
//! mean, the lowest, and how many are below 0.8. Each is measured on the first 300 lines that the rule matches.
//! `DRAGNET_GROUPS=1` makes all groups of the rules capturing ones, for rule sets without.
//!
//! `DRAGNET_ROUNDS` sets the number of rounds (15), `DRAGNET_PROFILE` runs one way only, for a profiler:
//! `is_match`, `matches`, `find_iter`, `own` or `RegexSet`, with `DRAGNET_PATTERNS` patterns (10) on strings of
//! `DRAGNET_BYTES` bytes (100); or `captures`, where `DRAGNET_PATTERNS` is the number of the pattern, from 0,
//! and `DRAGNET_BYTES` the most words of filler.

#[allow(dead_code, reason = "each benchmark uses a part")]
mod support;

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dragnet::{Batch, CapturesFinder, Engine, Matches, PatternSet, Report, Scan};
use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use support::corpus::Corpus;
use support::rules::RuleSet;
use support::{ALNUM, LOWER, Rng, number, thread_seconds};

/// The time that one way runs in a round, in seconds.
const SLICE: f64 = 0.004;

/// Strings of each length, so that branches are not predicted from the call before.
const STRINGS: usize = 256;

fn main() {
    let rounds = number("DRAGNET_ROUNDS", 15);
    if let Ok(way) = std::env::var("DRAGNET_PROFILE") {
        return profile(&way, number("DRAGNET_PATTERNS", 10), number("DRAGNET_BYTES", 100));
    }
    println!("| patterns | bytes | call | ns | own | RegexSet |");
    println!("| ---: | ---: | --- | ---: | ---: | ---: |");
    for patterns in [1, 10, 100, 1000] {
        let words = words(patterns);
        for bytes in [1, 100, 10_000] {
            one_string(&Input::new(&words, bytes), rounds);
        }
    }
    println!();
    println!(
        "| pattern | bytes | ns | captures_iter | captures_read_at | of spans | scan and of spans |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (pattern, texts) in CAPTURES {
        FILLERS.iter().for_each(|&filler| captures(pattern, texts, filler, rounds));
    }
    if let Some(list) = std::env::var_os("DRAGNET_PAIRS") {
        pairs(&PathBuf::from(list), rounds);
    }
}

fn words(patterns: usize) -> Vec<String> {
    let random = &mut Rng::new(1);
    (0..patterns).map(|_| random.string(LOWER, 8)).collect()
}

/// Rules like those of secret scanners, one for each word.
fn rules(words: &[String]) -> Vec<String> {
    let rule = |(index, word): (usize, &String)| match index % 3 {
        0 => format!(r"\b{word}_[0-9A-Za-z]{{16}}\b"),
        1 => format!("(?i){word}=[0-9a-f]{{8}}"),
        _ => word.clone(),
    };
    words.iter().enumerate().map(rule).collect()
}

struct Input {
    bytes: usize,
    patterns: usize,
    set: PatternSet,
    regex_set: RegexSet,
    strings: Vec<Vec<u8>>,
}

impl Input {
    fn new(words: &[String], bytes: usize) -> Input {
        let rules = rules(words);
        let random = &mut Rng::new(bytes as u64);
        let strings = (0..STRINGS)
            .map(|index| {
                let mut text = format!("2026-01-01T00:00:{:02} INFO request id=", index % 60);
                text += &random.string(ALNUM, 16);
                while text.len() < bytes {
                    let len = 3 + random.below(8);
                    text += " ";
                    text += &random.string(LOWER, len);
                    // A secret, or only the start of one, in every 50th word.
                    if random.below(50) == 0 {
                        text += &format!(" {}_", random.pick(words));
                        let len = *random.pick(&[5, 16]);
                        text += &random.string(ALNUM, len);
                    }
                }
                // The start of a line is always the same: begin somewhere else.
                let from = random.below(20).min(text.len() - bytes);
                text.as_bytes()[from..from + bytes].to_vec()
            })
            .collect();
        Input {
            bytes,
            patterns: words.len(),
            set: PatternSet::new(&rules).expect("the rules are valid"),
            // The default cache is too small for 1,000 patterns, see CONTRIBUTING.md.
            regex_set: RegexSetBuilder::new(&rules)
                .dfa_size_limit(1 << 30)
                .size_limit(1 << 30)
                .build()
                .expect("the rules are valid"),
            strings,
        }
    }
}

/// The nanoseconds per call of `search` on the strings, one after the other.
fn time<S: AsRef<[u8]>>(strings: &[S], mut search: impl FnMut(&[u8]) -> usize) -> f64 {
    let start = thread_seconds();
    let mut calls = 0;
    loop {
        for text in strings {
            black_box(search(black_box(text.as_ref())));
        }
        calls += strings.len();
        let time = thread_seconds() - start;
        if time >= SLICE {
            return time * 1e9 / calls as f64;
        }
    }
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns a search with a scanner of one's own, which returns the number of matches.
fn own_scanner(set: &PatternSet, report: Report) -> impl FnMut(&[u8]) -> usize {
    let mut scanner = Engine::new(set, report).scanner().expect("there is scratch space");
    let mut matches = Matches::new();
    move |text| {
        let offsets = [0, text.len() as u32];
        let batch = Batch::from_offsets(text, &offsets).expect("the text is short");
        scanner.scan(&batch, &mut matches).expect("nobody stops the scan");
        matches.len()
    }
}

fn one_string(input: &Input, rounds: usize) {
    let Input { set, regex_set, strings, .. } = input;
    let mut own_patterns = own_scanner(set, Report::Patterns);
    let mut own_spans = own_scanner(set, Report::Spans);
    let mut ways: Vec<(&str, Vec<[f64; 3]>)> =
        ["is_match", "matches", "find_iter"].map(|name| (name, Vec::new())).into();
    // The first round builds automata and fills caches.
    for round in 0..=rounds {
        let times = [
            [
                time(strings, |text| usize::from(set.is_match(text))),
                time(strings, &mut own_patterns),
                time(strings, |text| usize::from(regex_set.is_match(text))),
            ],
            [
                time(strings, |text| set.matches(text).iter().len()),
                time(strings, &mut own_patterns),
                time(strings, |text| regex_set.matches(text).iter().count()),
            ],
            [
                time(strings, |text| set.find_iter(text).count()),
                time(strings, &mut own_spans),
                f64::NAN,
            ],
        ];
        if round > 0 {
            ways.iter_mut().zip(times).for_each(|((_, list), times)| list.push(times));
        }
    }
    for (name, times) in ways {
        let set = median(times.iter().map(|t| t[0]));
        let [own, regex] = [1, 2].map(|way| median(times.iter().map(|t| t[way] / t[0])));
        let regex = if regex.is_nan() { String::new() } else { format!("{regex:.2}x") };
        println!(
            "| {} | {} | {name} | {set:.0} | {own:.2}x | {regex} |",
            input.patterns, input.bytes
        );
    }
}

/// Patterns with groups, and parts of lines, most of which match.
const CAPTURES: [(&str, &[&str]); 6] = [
    (r"user=(\w+) id=(\d+)", &["user=ada id=17", "user=grace id=123456", "user=", "id=5"]),
    (r"(?<y>\d{4})-(?<m>\d\d)-(?<d>\d\d)", &["2026-01-31", "1999-12-24", "20-1"]),
    (
        r#"^(\S+) \S+ \S+ \[([^\]]+)\] "(\w+) (\S+) [^"]*" (\d{3}) (\d+)"#,
        &[r#"10.0.0.1 - - [01/Jan/2026:00:00:01 +0000] "GET /index.html HTTP/1.1" 200 5120"#],
    ),
    // Not one-pass: the first group can end where the second one starts.
    (r"(\w+)(\d+)@(\w+\.)+com", &["ada12@mail.example.com", "x9@example.com", "nobody@"]),
    (r"(?-u)(?:(a+)|(b+)|(c+))+d", &["aabbccd", "cccd", "abcabcabcd", "ab"]),
    (r"(?-u:\b)(foo|foobar|bar)(baz)?(?-u:\b)", &["foobar", "foobarbaz", "barbaz", "bazz"]),
];

/// The most words of 8 letters after each text of a line.
const FILLERS: [usize; 3] = [4, 16, 64];

fn lines_with(texts: &[&str], filler: usize) -> Vec<Vec<u8>> {
    let random = &mut Rng::new(7);
    (0..STRINGS)
        .map(|_| {
            let mut line = String::new();
            for _ in 0..1 + random.below(3) {
                line += *random.pick::<&str>(texts);
                for _ in 0..1 + random.below(filler) {
                    line += &format!(" {} ", random.string(LOWER, 8));
                }
            }
            line.into_bytes()
        })
        .collect()
}

/// The number of groups in all matches of a pattern in `lines`.
fn groups_by_finder(
    finder: &mut CapturesFinder,
    pattern: usize,
    lines: &[impl AsRef<[u8]>],
) -> usize {
    let mut groups = 0;
    for line in lines {
        let _ = finder.for_each(pattern, line.as_ref(), |captures| {
            groups += captures.iter().flatten().count();
            ControlFlow::Continue(())
        });
    }
    groups
}

fn groups_by_regex(regex: &Regex, lines: &[impl AsRef<[u8]>]) -> usize {
    let groups = |line| regex.captures_iter(line).map(|captures| captures.iter().flatten().count());
    lines.iter().flat_map(|line| groups(line.as_ref())).sum()
}

fn captures(pattern: &str, texts: &[&str], filler: usize, rounds: usize) {
    let regex = Regex::new(pattern).expect("the pattern is valid");
    let set = PatternSet::new([pattern]).expect("the pattern is valid");
    let lines: Vec<Vec<u8>> =
        lines_with(texts, filler).into_iter().filter(|line| regex.is_match(line)).collect();
    let count: usize = lines.iter().map(|line| regex.captures_iter(line).count()).sum();
    let text = lines.concat();
    let mut offsets = vec![0];
    lines.iter().for_each(|line| offsets.push(offsets[offsets.len() - 1] + line.len() as u32));
    let batch = Batch::from_offsets(&text, &offsets).expect("the offsets are sorted");
    let mut scanner = Engine::new(&set, Report::Spans).scanner().expect("there is scratch space");
    let (mut finder, mut matches) = (set.captures_finder(), Matches::new());
    let mut locations = regex.capture_locations();
    let mut times = Vec::new();
    for round in 0..=rounds {
        let mut find_all = |matches: &Matches| -> usize {
            let groups = |m: &dragnet::Match| {
                let record = &text[batch.range(m.record())];
                finder.captures(m, record).expect("it matches").iter().flatten().count()
            };
            matches.iter().map(groups).sum()
        };
        let both = time(&[&text], |_| {
            scanner.scan(&batch, &mut matches).expect("nobody stops the scan");
            find_all(&matches)
        });
        let of_spans = time(&[&text], |_| find_all(&matches));
        let own = time(&[&text], |_| groups_by_finder(&mut finder, 0, &lines));
        let iter = time(&[&text], |_| groups_by_regex(&regex, &lines));
        let read = time(&[&text], |_| {
            let mut groups = 0;
            for line in &lines {
                let mut at = 0;
                // None of the patterns matches the empty string.
                while let Some(m) = regex.captures_read_at(&mut locations, line, at) {
                    groups += (0..locations.len()).filter_map(|i| locations.get(i)).count();
                    at = m.end();
                }
            }
            groups
        });
        if round > 0 {
            times.push([own / count as f64, iter / own, read / own, of_spans / own, both / own]);
        }
    }
    let [own, iter, read, of_spans, both] =
        [0, 1, 2, 3, 4].map(|way| median(times.iter().map(|t| t[way])));
    let bytes = text.len() / lines.len();
    let pattern = pattern.replace('|', "\\|");
    println!(
        "| `{pattern}` | {bytes} | {own:.0} | {iter:.2}x | {read:.2}x | {of_spans:.2}x | {both:.2}x |"
    );
}

/// The most lines of a text that a rule is searched in.
const LINES: usize = 300;

/// Prints the table for the pairs of rule sets and texts in the file `list`.
fn pairs(list: &Path, rounds: usize) {
    println!();
    println!("| rules | text | patterns | captures_iter | lowest | below 0.8 |");
    println!("| --- | --- | ---: | ---: | ---: | ---: |");
    let text = std::fs::read_to_string(list).expect("DRAGNET_PAIRS is a file");
    let folder = list.parent().unwrap_or(Path::new(""));
    for (rules, text) in text.lines().filter_map(|line| line.split_once('\t')) {
        let rules = RuleSet::file(&folder.join(rules));
        let corpus = Corpus::file(&folder.join(text));
        let ratios = captures_of_rules(rules.patterns, &corpus, rounds);
        let geometric = (ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len() as f64).exp();
        let lowest = ratios.iter().copied().fold(f64::NAN, f64::min);
        println!(
            "| {} | {} | {} | {geometric:.2}x | {lowest:.2}x | {} |",
            rules.name.trim_start_matches("files "),
            corpus.name.trim_start_matches("files "),
            ratios.len(),
            ratios.iter().filter(|ratio| **ratio < 0.8).count(),
        );
    }
}

/// For each rule with groups that matches a line: the time of `captures_iter` as a multiple of
/// that of `for_each`.
fn captures_of_rules(mut rules: Vec<String>, corpus: &Corpus, rounds: usize) -> Vec<f64> {
    let compile = |rule: &str| RegexBuilder::new(rule).unicode(false).size_limit(1 << 30).build();
    if number("DRAGNET_GROUPS", 0) != 0 {
        rules.iter_mut().for_each(|rule| *rule = rule.replace("(?:", "("));
    }
    rules.retain(|rule| compile(rule).is_ok_and(|regex| regex.captures_len() > 1));
    let patterns = rules.clone();
    let set = RuleSet::new("rules with groups", patterns).parse();
    let mut scanner =
        Engine::new(&set, Report::Patterns).scanner().expect("there is scratch space");
    let mut lines: Vec<Vec<&[u8]>> = vec![Vec::new(); set.len()];
    let mut matches = Matches::new();
    for index in 0..corpus.batches.len() {
        let batch = corpus.batch(index);
        scanner.scan(&batch, &mut matches).expect("nobody stops the scan");
        for m in matches.iter() {
            let lines = &mut lines[m.pattern()];
            if lines.len() < LINES {
                lines.push(&corpus.batches[index].0[batch.range(m.record())]);
            }
        }
    }
    let mut finder = set.captures_finder();
    let with_lines =
        rules.iter().zip(&lines).enumerate().filter(|(_, (_, lines))| !lines.is_empty());
    with_lines
        .map(|(pattern, (rule, lines))| {
            let regex = compile(rule).expect("it compiled before");
            let mut ratio = || {
                let own = time(&[b""], |_| groups_by_finder(&mut finder, pattern, lines));
                time(&[b""], |_| groups_by_regex(&regex, lines)) / own
            };
            // The first round builds automata and fills caches.
            ratio();
            median((0..rounds).map(|_| ratio()))
        })
        .collect()
}

/// Runs one way for some seconds.
fn profile(way: &str, patterns: usize, bytes: usize) {
    if way == "captures" {
        let (pattern, texts) = CAPTURES[patterns % CAPTURES.len()];
        return captures(pattern, texts, bytes, 100);
    }
    let input = Input::new(&words(patterns), bytes);
    let (set, strings) = (&input.set, &input.strings);
    let mut own = own_scanner(set, Report::Patterns);
    let start = Instant::now();
    let mut times = Vec::new();
    while start.elapsed() < Duration::from_secs(5) {
        times.push(match way {
            "is_match" => time(strings, |text| usize::from(set.is_match(text))),
            "matches" => time(strings, |text| set.matches(text).iter().len()),
            "find_iter" => time(strings, |text| set.find_iter(text).count()),
            "own" => time(strings, &mut own),
            "RegexSet" => time(strings, |text| usize::from(input.regex_set.is_match(text))),
            other => {
                panic!("no way {other:?}: is_match, matches, find_iter, own, RegexSet or captures")
            }
        });
    }
    println!("{:.0} ns per call", median(times));
}
