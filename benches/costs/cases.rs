//! What each constant is measured with.

use dragnet::pure::Isa;

use super::points::{LINES, Point, by_bytes, by_events, by_patterns, plain, text};
use super::support::corpus::Corpus;
use super::support::{LOWER, Rng};

type Text = &'static str;

/// A constant, and the scans whose times differ by it.
pub(crate) struct Case {
    /// Its name in `cost.rs`; with a field's name after a dot if it has fields.
    pub(crate) constant: Text,
    /// What an event is, for the table.
    pub(crate) event: Text,
    /// A part of the explanation of each pattern, or of the description of the literal search.
    pub(crate) plan: Text,
    /// Whether automata read a byte or more for each event.
    pub(crate) automata: bool,
    pub(crate) isa: Isa,
    pub(crate) points: Vec<Point>,
}

/// A limit on a number of patterns.
pub(crate) struct Limit {
    pub(crate) constant: Text,
    pub(crate) event: Text,
    pub(crate) automata: bool,
    /// The number of patterns, a part of the explanation of each, and the scan.
    pub(crate) points: Vec<(usize, Text, Point)>,
}

/// The number of patterns that events belong to, so that branches are not predicted better than in a real set.
const MANY: usize = 40;

/// The literal of pattern `number`, with four rare bytes and then a frequent one.
fn literal(number: usize) -> String {
    let letters = b"QZXJKVWY";
    let letter = |of: usize| char::from(letters[of % 8]);
    format!("{}{}{}{}", letter(number / 8 + 3), letter(number), letter(number / 3), number % 10)
}

/// `MANY` patterns, made from the numbers of their literals.
fn many(pattern: impl Fn(usize) -> String) -> Vec<String> {
    (0..MANY).map(pattern).collect()
}

/// Patterns that are each verified in a window around one of their two literals. `gap` may be between the
/// literal and the start of the window. A literal that starts both branches would be an anchor.
fn windowed(gap: &str) -> Vec<String> {
    let branch = |start, n, end| format!("{start}[ -~]{gap}{}{end}", literal(n));
    many(|n| format!("(?:{}|{})", branch("e", n, "[0-9]"), branch("s", n + MANY, "[a-f]")))
}

/// Literals that are followed by neither a digit nor a letter.
fn window_event(random: &mut Rng, _: usize) -> String {
    format!("{}.", literal(random.below(2 * MANY)))
}

/// Classes of upper-case letters and digits, too large to be expanded to literals, none equal.
fn class(number: usize) -> String {
    format!("[ A-T{number}]")
}

/// The sequence of `len` classes, and another pattern without a rare run: if all patterns had one, byte
/// runs would be searched for instead.
fn sequences(len: usize, class: impl Fn(usize) -> String) -> Vec<String> {
    vec![(0..len).map(class).collect(), NO_RARE_RUN.into()]
}

/// A pattern that is searched by a class sequence.
const NO_RARE_RUN: &str = "[0-9]{3}[A-F]";

/// Patterns that are different byte runs, between two assertions.
fn runs(count: usize, [before, after]: [&str; 2]) -> Vec<String> {
    let classes = ["0-9", "0-9a-f", "0-9A-F", "A-Z", "0-9A-Z", "A-Z2-7", "0-7", "0-9a-c"];
    classes[..count].iter().map(|class| format!("{before}[{class}]{{30}}{after}")).collect()
}

/// Assertions that bit streams leave to automata.
const EDGES: [&str; 2] = [r"\b{start}", r"\b{end}"];

/// Patterns that nothing can be searched for, of which no line of [`plain`] has a match.
fn unfiltered(count: usize, middle: &str) -> Vec<String> {
    let letter = |n: usize| char::from(b"aeionrstldhu"[n % 12]);
    let first = |n: usize| String::from_iter([n, n / 12 + n + 3, 2 * n + 5].map(letter));
    (0..count).map(|n| format!("[{}q-z][b-z ]{middle}[!-@]", first(n))).collect()
}

/// Random words of lower-case letters.
fn words(count: usize, len: usize) -> Vec<String> {
    let mut random = Rng::new(2);
    (0..count).map(|_| random.string(LOWER, len)).collect()
}

/// Literals of which the first four bytes are rare.
fn absent(count: usize, len: usize) -> Vec<String> {
    let rest = "e".repeat(len - 4);
    (0..count).map(|n| literal(n) + &rest).collect()
}

/// Points whose events are such literals but for the last byte.
fn near_misses(count: usize, len: usize) -> Vec<Point> {
    let literals = absent(count, len);
    by_events(&literals, false, |random, _| random.pick(&literals)[..len - 1].to_owned() + "a")
}

/// A case for the fastest instruction set, in which no automata run.
fn case(constant: Text, plan: Text, event: Text, points: Vec<Point>) -> Case {
    Case { constant, event, plan, automata: false, isa: Isa::best(), points }
}

/// A case in which automata run.
fn verified(constant: Text, plan: Text, event: Text, points: Vec<Point>) -> Case {
    Case { automata: true, ..case(constant, plan, event, points) }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = verifications();
    cases.extend(filters());
    Isa::available().into_iter().for_each(|isa| cases.extend(literal_passes(isa)));
    cases
}

/// The times to verify candidates.
fn verifications() -> Vec<Case> {
    let anchor = |random: &mut Rng| literal(random.below(MANY));
    let near_window = |gap: usize| Point {
        patterns: windowed(&format!("{{0,{gap}}}")),
        text: text(1, window_event),
        events: (LINES * (gap + 2)) as f64,
        matches: 0,
    };
    vec![
        verified(
            "CANDIDATE_NS",
            "verified from its start",
            "literals after which the automaton fails at the fifth byte",
            by_events(&many(|n| literal(n) + "[a-f]{4}[0-9a-f][ -~]"), false, |random, _| {
                anchor(random) + "abcd-"
            }),
        ),
        verified(
            "SPLIT_CANDIDATE_NS",
            "from 10 bytes before it to",
            "the same, but that for one in ten, the tail matches and the head fails",
            by_events(
                &many(|n| format!("[A-T][g-z]{{1,9}}{}[a-f]{{4}}[0-9a-f][ -~]", literal(n))),
                false,
                |random, _| {
                    let last = if random.below(10) == 0 { "0." } else { "-." };
                    format!("mnopqrs{}abcd{last}", anchor(random))
                },
            ),
        ),
        verified(
            "WINDOW_CANDIDATE_NS",
            "from 5 bytes before it to 1 byte after it",
            "literals with windows of 6 bytes around them",
            by_events(&windowed("{0,4}"), false, window_event),
        ),
        verified(
            "WINDOW_BYTE_NS",
            "to 1 byte after it",
            "bytes of windows of 6 to 106 bytes",
            [4, 24, 104].map(near_window).into(),
        ),
        verified(
            "RECORD_CANDIDATE_NS",
            "from the record's start",
            "literals, of which the first is the 108th byte of a record",
            by_events(&windowed("*"), false, window_event),
        ),
        case(
            "EXACT_MATCH_NS",
            "it matches wherever they are found",
            "matches of class sequences",
            by_events(
                &["A-F", "G-L", "M-R", "S-Z"].map(|c| format!("[0-9]{{3}}[{c}]")),
                true,
                |_, slot| format!("123{}", ["A", "G", "M", "S"][slot]),
            ),
        ),
        verified(
            "RUN_CANDIDATE_NS",
            "run of 30 bytes",
            "runs that are two bytes longer than a match",
            by_events(&runs(2, EDGES)[1..], false, |_, _| "0123456789abcdef".repeat(2)),
        ),
        case(
            "TEDDY_CHECK_NS",
            "Teddy",
            "positions that pass Teddy, without a literal",
            near_misses(8, 5),
        ),
        case(
            "GRAM_CHECK_NS",
            "q-grams at every fourth",
            "positions that pass q-grams, without a literal",
            near_misses(100, 8),
        ),
    ]
}

/// The times to filter a byte, and those of automata that read every byte.
fn filters() -> Vec<Case> {
    let plain = plain();
    let logs = Corpus::logs(256 << 10).batches.swap_remove(0).0;
    let exact = "it matches wherever they are found";
    let starts: Vec<String> =
        unfiltered(40, "").iter().map(|pattern| format!("^{pattern}")).collect();
    vec![
        case(
            "LITERAL_NS",
            "q-grams",
            "random words of 7 letters, over logs",
            by_patterns(&logs, &[1000, 2000, 4000], |count| words(count, 7)),
        ),
        case(
            "STREAM_CLASS_NS",
            exact,
            "classes of a sequence, with equally many other operations",
            [(2, 17), (6, 13), (10, 10)]
                .map(|(classes, len)| Point {
                    patterns: sequences(len, |n| class(n % classes)),
                    text: plain.clone(),
                    events: (classes * plain.len()) as f64,
                    matches: 0,
                })
                .into(),
        ),
        case(
            "STREAM_STAR_NS",
            exact,
            "repetitions of a class of a sequence",
            by_patterns(&plain, &[0, 4, 8], |stars| {
                let is_repeated = |n| n % 2 == 1 && n / 2 < stars;
                sequences(18, |n| class(n % 2) + if is_repeated(n) { "+" } else { "" })
            }),
        ),
        case(
            "STREAM_STEP_NS",
            exact,
            "parts of a sequence of two classes",
            by_patterns(&plain, &[12, 24, 36], |len| sequences(len, |n| class(n % 2))),
        ),
        case(
            "RUN_PASS_NS",
            "run of 30 bytes",
            "runs that are searched for",
            by_patterns(&plain, &[1, 4, 8], |count| runs(count, EDGES)),
        ),
        verified(
            "EVERY_RECORD_NS",
            "an automaton reads every record",
            "eight patterns without repetitions",
            by_bytes(&plain, 1.0 / 8.0, &unfiltered(8, "")),
        ),
        verified(
            "EVERY_START_NS",
            "an automaton reads every record",
            "bytes of lines whose first bytes decide",
            by_bytes(&plain, 1.0, &starts),
        ),
        verified(
            "GROUP_MEMBER_NS",
            "an automaton reads every record",
            "patterns with long repetitions",
            by_patterns(&plain, &[12, 18, 24], |count| unfiltered(count, "[a-y]+ [a-y]+")),
        ),
    ]
}

/// The times of the passes for literals.
fn literal_passes(isa: Isa) -> [Case; 3] {
    let constants = match isa.name() {
        "scalar" => ["SCALAR.teddy", "SCALAR.qgrams", "SCALAR.long_grams"],
        "AVX2" | "AVX-512" => {
            ["LONG_VECTORS.teddy", "LONG_VECTORS.qgrams", "LONG_VECTORS.long_grams"]
        }
        _ => ["SHORT_VECTORS.teddy", "SHORT_VECTORS.qgrams", "SHORT_VECTORS.long_grams"],
    };
    let plain = plain();
    // Short ones, so that q-grams would take a second pass, and more than 64 in all, so that both halves
    // of the masks are in use.
    let short = ["Q~", "Z~", "X~", "J~", "K~"].map(String::from);
    let teddy = [&absent(60, 4)[..], &short].concat();
    let passes = [
        ("Teddy", "bytes", by_bytes(&plain, 1.0, &teddy)),
        ("q-grams at every fourth", "positions", by_bytes(&plain, 4.0, &absent(100, 7))),
        ("grams of 8 bytes", "positions", by_bytes(&plain, 4.0, &absent(200, 12))),
    ];
    let mut constants = constants.into_iter();
    passes.map(|(plan, event, points)| {
        let constant = constants.next().unwrap_or_default();
        Case { isa, ..case(constant, plan, event, points) }
    })
}

pub(crate) fn limits() -> Vec<Limit> {
    let plain = plain();
    let sharers = |count: usize| {
        let last = |n| char::from(b'g' + n as u8);
        let pattern = |n| format!("QZXJ[a-f]{{4}}[{}-z0-9]{{4}}[ -~]", last(n));
        let point = Point {
            patterns: (0..count).map(pattern).collect(),
            text: text(1, |_, _| "QZXJabcd-".into()),
            events: LINES as f64,
            matches: 0,
        };
        (count, "literal QZXJ", point)
    };
    let exact = |count: usize, are_runs: bool| {
        let mut patterns = runs(count, ["", ""]);
        let plan = if are_runs { "run of" } else { "classes of" };
        patterns.extend((!are_runs).then(|| NO_RARE_RUN.to_owned()));
        let (text, events) = (plain.clone(), plain.len() as f64);
        (count, plan, Point { patterns, text, events, matches: 0 })
    };
    let counts = [1, 2, 4, 8];
    vec![
        Limit {
            constant: "MAX_SHARERS",
            event: "a literal that patterns share, after which all fail at the fifth byte",
            automata: true,
            points: [1, 2, 4, 5, 8].map(sharers).into(),
        },
        Limit {
            constant: "RARE_RUN",
            event: "a byte in which rare runs are searched for, as such or as sequences beside another one",
            automata: false,
            points: (counts.map(|count| exact(count, true)).into_iter())
                .chain(counts.map(|count| exact(count, false)))
                .collect(),
        },
    ]
}
