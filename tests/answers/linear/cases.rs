//! Inputs on which an engine without limits takes quadratic time.

use dragnet::Report;

/// Patterns, and a record that is adversarial for them.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Makes the patterns.
    pub(crate) patterns: fn() -> Vec<String>,
    /// The first bytes of one endless record.
    pub(crate) record: fn(usize) -> Vec<u8>,
    pub(crate) report: Report,
    /// The start of the explanation of the first pattern's strategy. With any other strategy, the
    /// case would test nothing.
    pub(crate) strategy: &'static str,
    /// The smallest size, in bytes.
    pub(crate) size: usize,
}

fn cycle(text: &[u8], len: usize) -> Vec<u8> {
    text.iter().copied().cycle().take(len).collect()
}

fn strings(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|&pattern| pattern.to_owned()).collect()
}

/// Different words of six consonants, with `between` between them.
fn words(count: usize, between: &str) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz";
    let word = |mut number: usize| {
        // A large factor, so that neighbours share no long part.
        number = number * 7919 % 64_000_000;
        let mut word = String::new();
        for _ in 0..6 {
            word.push(LETTERS[number % LETTERS.len()] as char);
            number /= LETTERS.len();
        }
        word
    };
    (0..count).map(word).collect::<Vec<_>>().join(between)
}

const PATTERNS: Report = Report::Patterns;
const SPANS: Report = Report::Spans;

/// Records made of the literals of patterns.
#[rustfmt::skip]
pub(crate) const LITERALS: &[Case] = &[
    Case {
        name: "a record made of a literal, after which a match could reach to the end",
        patterns: || strings(&["key=.*[^\\w=]"]),
        record: |len| cycle(b"key=", len),
        report: PATTERNS, strategy: "literal key=", size: 16 << 10,
    },
    Case {
        name: "the same, with other text between the literals",
        patterns: || strings(&[r"key=[^;]*[^\w= ]"]),
        record: |len| cycle(b"some key=value and ", len),
        report: PATTERNS, strategy: "literal key=", size: 16 << 10,
    },
    Case {
        name: "near misses after a literal",
        patterns: || strings(&["token_[a-z0-9]{5}!"]),
        record: |len| cycle(b"token_01abc ", len),
        report: PATTERNS, strategy: "literal token_", size: 16 << 10,
    },
    Case {
        name: "long windows after a literal, overlapping",
        patterns: || strings(&["qzx(?:[a-z]{500}!|[a-z]{9}[0-9])"]),
        record: |len| cycle(b"qzxabcdefg", len),
        report: PATTERNS, strategy: "literal qzx", size: 16 << 10,
    },
    Case {
        name: "a search far back from each literal",
        patterns: || strings(&["[0-9][a-z]*secret[a-f]"]),
        record: |len| cycle(b"abcdefsecret", len),
        report: PATTERNS, strategy: "literal secret", size: 16 << 10,
    },
    Case {
        name: "a search far back from each literal, many patterns",
        patterns: || (0..40).map(|n| format!("[0-9][a-z]*secret[a-z]{{1,{}}}", n + 1)).collect(),
        record: |len| cycle(b"abcdefsecret", len),
        report: PATTERNS, strategy: "literal secret", size: 16 << 10,
    },
    Case {
        name: "long windows before a literal, overlapping",
        patterns: || strings(&["x[a-z]{1,300}secret[a-f]"]),
        record: |len| cycle(b"abcdefsecret", len),
        report: PATTERNS, strategy: "literal secret", size: 16 << 10,
    },
    Case {
        name: "long windows before a literal, almost touching",
        patterns: || strings(&["x[a-z]{1,30}secret[a-f]"]),
        record: |len| cycle(b"abcdefghij.abcdefghij.abcdefghijsecret", len),
        report: PATTERNS, strategy: "literal secret", size: 16 << 10,
    },
    Case {
        name: "unbounded windows before a literal",
        patterns: || strings(&["x.*secret[ -/]"]),
        record: |len| cycle(b"secret and ", len),
        report: PATTERNS, strategy: "literal secret", size: 16 << 10,
    },
    Case {
        name: "literals of two patterns in turn, with all kinds of windows",
        patterns: || strings(&["x[a-z]{1,60}foozy1", "Q.*barqu2", "foozy.*Q.Q", "barqu.{0,100}Q.Q"]),
        record: |len| cycle(b"foozy barqu foozy1 barqu2 ", len),
        report: PATTERNS, strategy: "literal foozy1", size: 16 << 10,
    },
    Case {
        name: "literals of one pattern in turn, bounded",
        patterns: || strings(&["x[a-z ]{1,60}(?:foozy|barqu)[^a-z]"]),
        record: |len| cycle(b"foozy barqu ", len),
        report: PATTERNS, strategy: "literals barqu, foozy", size: 16 << 10,
    },
    Case {
        name: "literals that begin with one another",
        patterns: || (4..30).map(|len| format!("{}.*[^z]", "z".repeat(len))).collect(),
        record: |len| cycle(b"z", len),
        report: PATTERNS, strategy: "literal zzzz", size: 4 << 10,
    },
];

/// Patterns with a thousand literals, whose windows overlap. The smallest record has each of them more
/// than once.
#[rustfmt::skip]
pub(crate) const MANY_LITERALS: &[Case] = &[
    Case {
        name: "many literals of one pattern in turn, bounded",
        patterns: || vec![format!("![a-z ]{{1,60}}(?:{})[^a-z]", words(1000, "|"))],
        record: |len| cycle(words(1000, " ").as_bytes(), len),
        report: PATTERNS, strategy: "literals b", size: 16 << 10,
    },
    Case {
        name: "many literals of one pattern in turn, with long windows",
        patterns: || vec![format!("![a-z ]{{1,900}}(?:{})[^a-z]", words(1000, "|"))],
        record: |len| cycle(words(1000, " ").as_bytes(), len),
        report: PATTERNS, strategy: "literals b", size: 16 << 10,
    },
    Case {
        name: "many literals of one pattern in turn, unbounded",
        patterns: || vec![format!("!.*(?:{})[^a-z]", words(1000, "|"))],
        record: |len| cycle(words(1000, " ").as_bytes(), len),
        report: PATTERNS, strategy: "literals b", size: 16 << 10,
    },
];

/// A thousand or more patterns with the same literal.
#[rustfmt::skip]
pub(crate) const SAME_LITERAL: &[Case] = &[
    Case {
        name: "ten thousand rules with the same literal",
        patterns: || (0..10_000).map(|n| format!("secret=[a-z]{{2,4}}{n};")).collect(),
        record: |len| cycle(b"secret=abcd;", len),
        report: PATTERNS, strategy: "literal secret=", size: 1 << 10,
    },
    Case {
        name: "a thousand rules with the same literal and no bound",
        patterns: || (0..1000).map(|n| format!("secret=.*[^a-z=;]{{{}}}", 1 + n % 50)).collect(),
        record: |len| cycle(b"secret=abcd;", len),
        report: PATTERNS, strategy: "literal secret=", size: 1 << 10,
    },
    Case {
        name: "a thousand rules with the same literal inside",
        patterns: || (0..1000).map(|n| format!("{n}[a-z]{{1,50}}secret=[a-f]")).collect(),
        record: |len| cycle(b"abcdesecret=", len),
        report: PATTERNS, strategy: "literal secret=", size: 1 << 10,
    },
];

/// Patterns without a literal: searched by a run of a class, or without any filter.
#[rustfmt::skip]
pub(crate) const NO_LITERAL: &[Case] = &[
    Case {
        name: "a long run of a class",
        patterns: || strings(&[r"\b{start-half}[a-f0-9]{40}\b", r"\b{start-half}[a-f0-9]{30,50}!"]),
        record: |len| cycle(b"0123456789abcdef", len),
        report: PATTERNS, strategy: "run of 40 bytes", size: 16 << 10,
    },
    Case {
        name: "runs of a class that are long enough, with the wrong bytes around",
        patterns: || strings(&[r"![a-f0-9]{40}\b{end-half}", r"\b{start-half}[a-f0-9]{40}!"]),
        record: |len| cycle(b"0123456789abcdef0123456789abcdef0123456789abcdef ", len),
        report: PATTERNS, strategy: "run of 41 bytes", size: 16 << 10,
    },
    Case {
        name: "runs with unbounded windows before them",
        patterns: || strings(&[r"x.*[0-9]{20}\b{start-half}[^0-9.]"]),
        record: |len| cycle(b"12345678901234567890.", len),
        report: PATTERNS, strategy: "run of 20 bytes", size: 16 << 10,
    },
    Case {
        name: "a pattern with more states than any cache, by a run",
        patterns: || strings(&[r"[a-r]*[ag][a-r]{60}\b{end-half}[s-z]"]),
        record: |len| {
            let mut state = 1u32;
            let mut letter = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                b'a' + (state >> 24) as u8 % 18
            };
            (0..len).map(|_| letter()).collect()
        },
        report: PATTERNS, strategy: "run of 6", size: 2 << 10,
    },
    Case {
        name: "patterns without a filter, one of them with too many states",
        patterns: || strings(&["(?m)a.*e.*i.*o.*u.*u.*u$", r"\w{12}\d\w{12}\d_", "(?m)[ae][^x]{40}[io]$"]),
        record: |len| cycle(b"abcde1fghij klmno2pqrst ", len),
        report: PATTERNS, strategy: "no filter", size: 4 << 10,
    },
];

/// Spans that take a plain find-iterator quadratic time.
#[rustfmt::skip]
pub(crate) const FIND_ALL: &[Case] = &[
    Case {
        name: "spans that each end only at the end of the record",
        patterns: || strings(&[".*[^A-Z]|[A-Z]"]),
        record: |len| cycle(b"A", len),
        report: SPANS, strategy: "no filter", size: 16 << 10,
    },
    Case {
        name: "the same with a literal",
        patterns: || strings(&["qzx(?:.*!)?"]),
        record: |len| cycle(b"qzx ", len),
        // The first 16 KiB of short records are searched by backtracking, in a quarter of the steps.
        report: SPANS, strategy: "literal qzx", size: 128 << 10,
    },
    Case {
        name: "the same between lines and with assertions",
        patterns: || strings(&[r"(?s)\bqzx\b(?:.*\d\b)?", "(?m)qz(?:[^!]*!$)?"]),
        record: |len| cycle(b"qzx\nqzx ", len),
        report: SPANS, strategy: "literal qzx", size: 16 << 10,
    },
    Case {
        name: "spans at literals, after which a match could reach to the end",
        patterns: || strings(&["qzx(?:.*[^ -~]|[0-9])", "[a-z ]*qzx(?:.*[^ -~]|[0-9])"]),
        record: |len| cycle(b"qzx qzx qzx1 ", len),
        report: SPANS, strategy: "literal qzx", size: 16 << 10,
    },
    Case {
        name: "spans with nested repeats",
        patterns: || strings(&["(?:a+a+)+!|a", "a*b|a"]),
        record: |len| cycle(b"a", len),
        report: SPANS, strategy: "no filter", size: 16 << 10,
    },
    Case {
        name: "empty spans",
        patterns: || strings(&["(?:.*!)??", r"\b|.*!", "a*?"]),
        record: |len| cycle(b"aa ", len),
        report: SPANS, strategy: "matches every record", size: 8 << 10,
    },
    Case {
        name: "spans of a pattern with more states than any cache",
        patterns: || strings(&["[ab]*a[ab]{60}c|[ab]"]),
        record: |len| cycle(b"abbabaab", len),
        // Records of up to 4 KiB are searched by other automata.
        report: SPANS, strategy: "no filter", size: 8 << 10,
    },
];
