//! Measures the pure engine on adversarial input, and compares it with ordinary input.
//!
//! ```sh
//! cargo bench --bench adversarial             # all cases
//! cargo bench --bench adversarial -- runs     # the cases with this text in their names
//! ```
//!
//! Each row shows one rule set on two corpora: generated logs, and a corpus that is adversarial for
//! the rules. `slower` is the ratio of the two speeds. `growth` is the time for twice the corpus,
//! divided by the time for the corpus: 2 if the time is linear. `steps` is an upper bound on the
//! bytes that automata read for each byte of the corpus; it is the same in every run, whereas times
//! depend on the load of the machine.
//!
//! The last table scans the same logs line by line and as one long record.
//!
//! `DRAGNET_ROUNDS` sets the number of measured rounds (5), whose medians are printed.
//! `DRAGNET_MEBIBYTES` sets the size of the long record (100), and of the logs if it is below 8.

#[allow(dead_code, reason = "each benchmark uses a part")]
mod support;

use std::time::Instant;

use dragnet::pure::{Engine, Scanner};
use dragnet::{Matches, Report, Scan};

use support::corpus::Corpus;
use support::rules::RuleSet;
use support::{LOWER, Rng, rules};

struct Case {
    name: &'static str,
    rules: RuleSet,
    /// The text that is repeated to make the adversarial corpus.
    text: String,
    /// The size of that corpus, in bytes.
    bytes: usize,
}

/// The length of a line in bytes, including its line break: about that of the generated logs.
const LINE_LEN: usize = 139;

/// Pseudo-random words of 5 to 10 letters.
fn words(count: usize) -> Vec<String> {
    let mut random = Rng::new(7);
    let mut word = || {
        let len = 5 + random.below(6);
        random.string(LOWER, len)
    };
    (0..count).map(|_| word()).collect()
}

/// Rules like those of secret scanners: the prefix of a token, or a keyword and the value after it.
fn by_words(words: &[String]) -> RuleSet {
    let rule = |(index, word): (usize, &String)| match index % 2 {
        0 => format!(r"\b{word}_[0-9A-Za-z]{{36}}\b"),
        _ => format!(r"(?i)[\w.-]{{0,30}}{word}_[\w .-]{{0,20}}=[0-9a-f]{{32}}\b"),
    };
    RuleSet::new("words", words.iter().enumerate().map(rule).collect())
}

/// Concatenates the texts that `text` makes of the words.
fn concat_each(words: &[String], text: impl Fn(&String) -> String) -> String {
    words.iter().map(text).collect()
}

fn cases() -> Vec<Case> {
    const MIB: usize = 1 << 20;
    let few = words(20);
    let some = words(200);
    let many = words(5000);
    let key = "0123456789abcdefghijABCDEFGHIJ01234";
    let case = |name, rules, text, bytes| Case { name, rules, text, bytes };
    let rules = |pattern: &dyn Fn(usize) -> String, count: usize| {
        RuleSet::new("many", (0..count).map(pattern).collect())
    };
    vec![
        case(
            "literals, 20 rules",
            by_words(&few),
            concat_each(&few, |w| format!("{w}_ ")),
            4 * MIB,
        ),
        case(
            "literals, 200 rules",
            by_words(&some),
            concat_each(&some, |w| format!("{w}_ ")),
            4 * MIB,
        ),
        case(
            "literals, 5000 rules",
            by_words(&many),
            concat_each(&many, |w| format!("{w}_ ")),
            4 * MIB,
        ),
        case(
            "all but one byte of a literal, 20 rules",
            by_words(&few),
            concat_each(&few, |w| format!("{w}- ")),
            4 * MIB,
        ),
        case(
            "all but one byte of a literal, 200 rules",
            by_words(&some),
            concat_each(&some, |w| format!("{w}- ")),
            4 * MIB,
        ),
        case(
            "all but one byte of a literal, 5000 rules",
            by_words(&many),
            concat_each(&many, |w| format!("{w}- ")),
            4 * MIB,
        ),
        case(
            "all but one byte of a match, 200 rules",
            by_words(&some),
            concat_each(&some, |w| format!("{w}_{key}- ")),
            4 * MIB,
        ),
        case(
            "literals and their required runs, 200 rules",
            by_words(&some),
            // Each line has a key that the rules require somewhere after the literal.
            some.chunks(8)
                .map(|w| format!("{key}5 {}", concat_each(w, |w| format!("{w}_abcd "))))
                .collect(),
            4 * MIB,
        ),
        case(
            "literals, unbounded after, 20 rules",
            rules(&|n| format!("{}_.*[^ -~]", few[n]), few.len()),
            concat_each(&few, |w| format!("{w}_ ")),
            MIB,
        ),
        case(
            "unbounded after, no required run, 20 rules",
            rules(&|n| format!("{}_.*(?:[^ -~]|QQ)", few[n]), few.len()),
            concat_each(&few, |w| format!("{w}_ ")),
            MIB,
        ),
        case(
            "literals, unbounded before, 20 rules",
            rules(&|n| format!("[^ -~].*{}_[0-9]?[^ ]", few[n]), few.len()),
            concat_each(&few, |w| format!("{w}_ ")),
            MIB,
        ),
        case(
            "literals, unbounded after, 200 rules",
            rules(&|n| format!("{}_.*[^ -~]", some[n]), some.len()),
            concat_each(&some, |w| format!("{w}_ ")),
            MIB,
        ),
        case(
            "runs of classes, long",
            RuleSet::new("runs", rules::no_literals()),
            "0123456789abcdef".repeat(9),
            MIB,
        ),
        case(
            "runs of classes, one byte too short",
            RuleSet::new("runs", rules::no_literals()),
            format!("{} {} ", "0123456789abcdef0123456789abcde", "12345678901234"),
            MIB,
        ),
        case(
            "one rule with 1000 literals",
            RuleSet::new("one", vec![format!("[^ -~].*(?:{})[^a-z ]", many[..1000].join("|"))]),
            concat_each(&many[..1000], |w| format!("{w} ")),
            MIB,
        ),
        case(
            "one shared literal, 100 rules",
            rules(&|n| format!("secret_[a-z]{{2,5}}{n};"), 100),
            "secret_abcde;".into(),
            MIB / 4,
        ),
        case(
            "one shared literal, 10000 rules",
            rules(&|n| format!("secret_[a-z]{{2,5}}{n};"), 10_000),
            "secret_abcde;".into(),
            MIB / 32,
        ),
        case(
            "one shared inner literal, 10000 rules",
            rules(&|n| format!("{n}[a-z]{{2,5}}_secret_[a-z]"), 10_000),
            "abcde_secret_.".into(),
            MIB / 32,
        ),
        case(
            "literals with one rare q-gram, 10000 rules",
            rules(&|n| format!("zqxj{n:05}[a-z]{{9}}"), 10_000),
            "zqxj zqxj0000 ".into(),
            MIB / 4,
        ),
    ]
}

/// Repeats `text`, broken into lines of [`LINE_LEN`] bytes, until there are `bytes` bytes.
fn lines(text: &str, bytes: usize) -> Vec<u8> {
    let mut text = text.bytes().cycle();
    let mut data = Vec::with_capacity(bytes + LINE_LEN);
    while data.len() < bytes {
        data.extend(text.by_ref().take(LINE_LEN - 1));
        data.push(b'\n');
    }
    data
}

fn main() {
    let names: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let chosen = |name: &str| names.is_empty() || names.iter().any(|n| name.contains(n.as_str()));
    let rounds = support::number("DRAGNET_ROUNDS", 5).max(1);
    let bytes = support::number("DRAGNET_MEBIBYTES", 100) << 20;

    println!(
        "{:<44} {:>6} {:>9} {:>9} {:>8} {:>7} {:>8}",
        "MB/s", "rules", "logs", "adverse", "slower", "growth", "steps"
    );
    let ordinary = Corpus::logs(bytes.min(8 << 20));
    let mut worst = (0.0, "");
    for case in cases().into_iter().filter(|case| chosen(case.name)) {
        let slower = measure(&case, &ordinary, rounds);
        if slower > worst.0 {
            worst = (slower, case.name);
        }
    }
    if worst.0 > 0.0 {
        println!("at most {:.1} times slower than logs ({})", worst.0, worst.1);
    }
    if chosen(LONG_RECORD) {
        long_record(bytes, rounds);
    }
}

/// Returns the seconds that a scan of each corpus takes. Each round scans every corpus once; the
/// results are the medians over the rounds.
fn seconds<const N: usize>(
    scanner: &mut Scanner,
    corpora: [&Corpus; N],
    rounds: usize,
) -> [f64; N] {
    let mut matches = Matches::new();
    let mut times = [const { Vec::new() }; N];
    for round in 0..=rounds {
        for (corpus, times) in corpora.iter().zip(&mut times) {
            let start = Instant::now();
            for number in 0..corpus.batches.len() {
                scanner.scan(&corpus.batch(number), &mut matches).expect("the scan succeeds");
            }
            // The first round is not measured: it fills caches and lazy automata.
            if round > 0 {
                times.push(start.elapsed().as_secs_f64());
            }
        }
    }
    times.map(|mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

/// The speed in MB/s.
fn speed(corpus: &Corpus, seconds: f64) -> f64 {
    corpus.bytes() as f64 / seconds / 1e6
}

/// Prints the row of a case and returns `slower`.
fn measure(case: &Case, ordinary: &Corpus, rounds: usize) -> f64 {
    let mut scanner = Engine::new(&case.rules.parse(), Report::Patterns).scanner();
    let once = Corpus::new("once", &lines(&case.text, case.bytes));
    let twice = Corpus::new("twice", &lines(&case.text, 2 * case.bytes));
    let [normal, a, b] = seconds(&mut scanner, [ordinary, &once, &twice], rounds);
    let before = scanner.steps();
    for number in 0..once.batches.len() {
        scanner.scan(&once.batch(number), &mut Matches::new()).expect("the scan succeeds");
    }
    let steps = (scanner.steps() - before) as f64;
    let slower = speed(ordinary, normal) / speed(&twice, b);
    println!(
        "{:<44} {:>6} {:>9.1} {:>9.2} {:>8.1} {:>7.2} {:>8.2}",
        case.name,
        case.rules.patterns.len(),
        speed(ordinary, normal),
        speed(&twice, b),
        slower,
        b / a,
        steps / once.bytes() as f64,
    );
    slower
}

/// The name of the last table.
const LONG_RECORD: &str = "one long record";

/// Joins a corpus, with its line breaks, to a single record.
fn as_one_record(corpus: Corpus) -> Corpus {
    let mut data: Vec<u8> = Vec::with_capacity(corpus.bytes());
    for (buffer, offsets) in &corpus.batches {
        data.extend_from_slice(&buffer[..offsets[offsets.len() - 1] as usize]);
    }
    let offsets = vec![0, data.len() as u32];
    Corpus { name: corpus.name, batches: vec![(data, offsets)] }
}

/// Prints the table that compares the same bytes as lines and as one record.
fn long_record(bytes: usize, rounds: usize) {
    println!(
        "\n{:<44} {:>6} {:>9} {:>9} {:>8} {:>7}",
        format!("{LONG_RECORD}, MB/s"),
        "rules",
        "lines",
        "record",
        "slower",
        "growth"
    );
    let lines = Corpus::logs(bytes);
    let [half, whole] = [bytes / 2, bytes].map(|bytes| as_one_record(Corpus::logs(bytes)));
    let sets = [100, 700, 5000].map(|count| (format!("generated {count}"), rules::generate(count)));
    let others = [
        ("no literals".to_owned(), rules::no_literals()),
        ("literals everywhere".to_owned(), rules::common_literals()),
    ];
    for (name, patterns) in sets.into_iter().chain(others) {
        let rules = RuleSet::new(&name, patterns);
        let mut scanner = Engine::new(&rules.parse(), Report::Patterns).scanner();
        let [a, b, c] = seconds(&mut scanner, [&lines, &half, &whole], rounds);
        println!(
            "{:<44} {:>6} {:>9.1} {:>9.1} {:>8.2} {:>7.2}",
            rules.name,
            rules.patterns.len(),
            speed(&lines, a),
            speed(&whole, c),
            speed(&lines, a) / speed(&whole, c),
            c / b,
        );
    }
}
