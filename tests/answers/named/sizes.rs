//! Cases for every size around the limits of engines: widths of vectors, lengths of literals, numbers
//! of patterns.

use super::case::Case;
use dragnet_testkit::Rng;

const SIZES: &str = "sizes";

/// The widths of vectors in bytes, and their neighbours.
const AROUND_WIDTHS: [usize; 16] = [0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        one_literal_in_many_patterns(),
        runs_of_a_class(),
        many_words(),
        many_patterns(),
        one_of_each_length(),
    ];
    cases.extend((1..=70).map(literal_of));
    cases
}

/// 300 patterns with one literal, which a search for literals can't tell apart.
fn one_literal_in_many_patterns() -> Case {
    let records = ["key=7", "key=299;", "akey=12 key=3", "key=", "KEY=5", "key=4 key=4"];
    Case::new("300 patterns with one literal", SIZES)
        .patterns("-u", (0..300).map(|number| format!(r"\bkey={number}\b")))
        .records(records)
        .finds([(0, 7, 0..5), (1, 299, 0..7), (2, 3, 8..13), (5, 4, 0..5), (5, 4, 6..11)])
}

/// Runs of 40 or 80 characters of a class, in records with exactly that number, one less or one more, at
/// all alignments.
fn runs_of_a_class() -> Case {
    let records = [39, 40, 41, 79, 80, 81].into_iter().flat_map(|len| {
        (0..=64).flat_map(move |at| {
            let run: Vec<u8> = (0..len).map(|i| b"0a9f"[i % 4]).collect();
            let head = vec![b'-'; at];
            // Once with the run at the end of the record, once with a byte after it.
            [[&head[..], &run].concat(), [&head[..], &run, b"g"].concat()]
        })
    });
    Case::new("runs of 39 to 81 at all alignments", SIZES)
        .patterns("-u", ["[a-f0-9]{40}", r"\b[a-f0-9]{40}\b", "[a-f0-9]{40,}$", "[a-f0-9]{40}g"])
        .patterns("", ["[a-f0-9]{40}"])
        .patterns("i-u", ["[a-f0-9]{80}"])
        .records(records)
}

/// An alternation of 2000 words, alternations of 200 of them, and each tenth word by itself.
fn many_words() -> Case {
    let mut rng = Rng::new(1);
    let words: Vec<String> = (0..2000)
        .map(|_| {
            let len = 3 + rng.below(8);
            (0..len).map(|_| char::from(b'a' + rng.below(6) as u8)).collect()
        })
        .collect();
    let records: Vec<String> = (0..40)
        .map(|_| {
            let some: Vec<&str> = (0..3).map(|_| rng.pick(&words).as_str()).collect();
            some.join(*rng.pick::<&str>(&["", " ", "xx"]))
        })
        .collect();
    Case::new("2000 words", SIZES)
        .patterns("-u", [words.join("|"), format!(r"\b(?:{})\b", words[..200].join("|"))])
        .patterns("i-u", [words[200..400].join("|")])
        .patterns("-u", words.iter().step_by(10).map(String::as_str))
        .records(records)
}

/// 600 patterns of four kinds: more than libhs puts into one automaton of 512 states.
fn many_patterns() -> Case {
    let patterns = (0..150).flat_map(|number| {
        [
            format!("user{number}[a-z]+"),
            format!("[a-f]{{3,9}}secret{number}\\d"),
            format!("^{number}\\b"),
            format!("(?i)Token-{number}$"),
        ]
    });
    let records = (0..150).step_by(7).flat_map(|number| {
        [
            format!("user{number}x {number}"),
            format!("{number} abcdefsecret{number}{number}"),
            format!("xx tOKEN-{number}"),
        ]
    });
    Case::new("600 patterns of four kinds", SIZES).patterns("-u", patterns).records(records)
}

/// A literal, whole or cut off at the end, at each position of records around a vector's width.
fn one_of_each_length() -> Case {
    let records = AROUND_WIDTHS.into_iter().flat_map(|len| {
        (0..=len).map(move |at| {
            let mut record = vec![b'.'; len];
            for (place, byte) in record[at..].iter_mut().zip(b"needle") {
                *place = *byte;
            }
            record
        })
    });
    Case::new("a literal at each place of each length", SIZES)
        .patterns("-u", ["needle", "ne+dle?$", r"\.n", "e$", "^n", "[^.]{6}"])
        .patterns("i", ["NEEDLE"])
        .records(records)
}

/// A literal of `len` bytes, whole, cut off and changed, at positions around a vector's width.
fn literal_of(len: usize) -> Case {
    let literal: String = ('a'..='z').cycle().skip(len % 7).take(len).collect();
    let records = AROUND_WIDTHS.into_iter().flat_map(|at| {
        let head = "#".repeat(at);
        let (first, last) = (&literal[..1], &literal[len - 1..]);
        [
            format!("{head}{literal}"),
            format!("{head}{literal}{literal}#"),
            format!("{head}{}", &literal[..len - 1]),
            format!("{head}{}", &literal[1..]),
            format!("{head}{}#", &literal[..len - 1]),
            format!("{head}{}{last}", literal.to_uppercase()),
            format!("{head}{first}{literal}"),
        ]
    });
    Case::new(format!("a literal of {len} bytes"), SIZES)
        .on_this_thread()
        .patterns("-u", [literal.clone(), format!("^#*{literal}$"), format!("{literal}+")])
        .patterns("i", [literal.as_str()])
        .patterns("i-u", [literal.as_str()])
        .records(records)
}
