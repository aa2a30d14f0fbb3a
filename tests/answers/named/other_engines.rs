//! Bugs of other engines, found by their users or by differential tests, each with its source.

use super::case::{Case, one};

pub(crate) fn cases() -> Vec<Case> {
    [vectorscan(), hyperscan(), clickhouse(), regex()].concat()
}

fn vectorscan() -> Vec<Case> {
    let lost_on_avx512 = "Vectorscan 5.4.9 on AVX-512, by random tests";
    vec![
        one(
            "match at the end of the record, class and byte",
            lost_on_avx512,
            "-u",
            "[ab]b",
            " cac-a- acccac-dbb",
            &[16..18],
        ),
        one(
            "match at the end of the record, `\\B`",
            lost_on_avx512,
            "-u",
            r"b(?:\n\B|[ab])",
            "cbdb--\n  d cddca\nba",
            &[17..19],
        ),
        one(
            "match at the end of the record, repetitions",
            lost_on_avx512,
            "-u",
            r"(?:(?:b){2,}|(?:a\n){1,3}\w)",
            "cb- \nbcb\n d c-a-abcccbcbb",
            &[23..25],
        ),
        one(
            "match at the end of the record, `\\b` before `\\z`",
            "Vectorscan 5.4.13, by random tests",
            "-u",
            r"(?:(?:.|a)(\b)\b\z|[ab]b)",
            "a c-bd\nc -adc\n\nb d",
            &[17..18],
        ),
        one(
            "match at the end of the record, skipped by a byte-pair accelerator",
            "the case above, reduced",
            "-u",
            r"d\z|[ab]b",
            "xxxxxxxxxxxxxxxxd",
            &[16..17],
        ),
        one(
            "class of eight bytes with distinct nibbles",
            "ClickHouse/ClickHouse#117527, reduced; Vectorscan 5.4.9 on AArch64",
            "-u",
            r"[\x01\x12\x23\x34\x45\x56\x67\x78]",
            "aaaaaaaaaaaaaaax",
            &[15..16],
        ),
        Case::new("`.*` before a rare byte", "VectorCamp/vectorscan#382")
            .patterns("s-u", [r"curl.*\|\s*python"])
            .patterns("-u", [r"curl.*\|\s*python"])
            .records([
                "curl http://xxx:8000/ 2>&1 | python",
                "curl http://xxxx:8000/ 2>&1 | python",
                "curl http://vader:8080/ 2>&1 | python",
            ])
            .finds(
                [35, 36, 37]
                    .into_iter()
                    .enumerate()
                    .flat_map(|(record, len)| [(record, 0, 0..len), (record, 1, 0..len)]),
            ),
        Case::new("several patterns with `[\\s\\S]+`", "VectorCamp/vectorscan#358")
            .patterns(
                "-u",
                [
                    r"<%[\s\S]+%>",
                    "<[^<>]+:(include|forward|invoke|doBody|getProperty|setProperty|useBean|\
                     plugin|element|attribute|body|fallback|params|param|output|root)",
                    r"[\$#]\{[\s\S]+\([\s\S]*\)[\s\S]*\}",
                    "<[^<>]+:scriptlet>",
                ],
            )
            .records(["<%out.print();int a%>", "${a()}", "<c:param <x:scriptlet>"])
            .finds([(0, 0, 0..21), (1, 2, 0..6), (2, 1, 0..8), (2, 3, 9..22)]),
        one(
            "alternatives that differ in the first byte",
            "VectorCamp/vectorscan#322",
            "i-u",
            "bat|cat|mat|rat|fat|sat|pat|hat|vat",
            "VAt hat pat sat fat rat mat ca",
            &[0..3, 4..7, 8..11, 12..15, 16..19, 20..23, 24..27],
        ),
        one(
            "Unicode property",
            "VectorCamp/vectorscan#304",
            "",
            r"\p{Sm}",
            "a+b≠∞-",
            &[1..2, 3..6, 6..9],
        ),
        one("a character twice", "VectorCamp/vectorscan#135", "", "星{2}", "星星点灯", &[0..6]),
        one(
            "a character twice, later",
            "VectorCamp/vectorscan#147",
            "",
            "星{2}",
            "点星星灯",
            &[3..9],
        ),
        Case::new("`\\z` in the middle of a pattern", "VectorCamp/vectorscan#100")
            .patterns("ms-u", [r"^x\z*x", r"y\z*TEXT12345"])
            .records(["xxxxxxxxxx?y\nTEXT12345xxxxxxxxxxxx", "yTEXT12345"])
            .finds([(0, 0, 0..2), (1, 1, 0..10)]),
        Case::new("wide digits", "VectorCamp/vectorscan#326")
            .patterns("ims", [r"\x{ff15}\x{ff10}\x{ff17}\x{ff15}\x{ff10}[\x{ff10}-\x{ff19}]{7}"])
            .patterns(
                "",
                [r"NL[0-9\x{ff10}-\x{ff19}]{2}[A-Z\x{ff21}-\x{ff3a}]{4}[0-9\x{ff10}-\x{ff19}]{10}"],
            )
            .records(["５０７５０７８３２４０１", "NL２０INGB０００１２３４567"])
            .finds([(0, 0, 0..36), (1, 1, 0..36)]),
        Case::new("similar patterns, anchored at both ends", "VectorCamp/vectorscan#317")
            .patterns(
                "-u",
                ["deploy", "notify", "archive", "mirror"]
                    .map(|job| format!("^{job}-service/jobs/nightly-(prod|test)-.*/0$")),
            )
            .patterns("-u", ["^ops/jobs/nightly-(prod|test)-.*/[0-9]+$"])
            .records(["ops/jobs/nightly-prod-eu-1/12", "deploy-service/jobs/nightly-test-x/0"])
            .finds([(0, 4, 0..29), (1, 0, 0..36)]),
        Case::new("first byte of a pair at the end of a vector", "VectorCamp/vectorscan#325")
            .patterns("-u", ["ab", "ba", "[ab]c"])
            .records((0..140).map(|len| [vec![b'-'; len], b"a".to_vec()].concat()))
            .finds([]),
        // The bytes after the last whole vector were not searched.
        Case::new("negated class after the last whole vector", "VectorCamp/vectorscan#378")
            .patterns("-u", ["[^a]", "[^a]b", "a+[^a]"])
            .records((1..200).flat_map(|len: usize| {
                (len.saturating_sub(3)..len).map(move |at| {
                    let mut record = vec![b'a'; len];
                    record[at] = b'x';
                    record
                })
            })),
        Case::new("records of less than a vector", "VectorCamp/vectorscan#381")
            .patterns("-u", ["xy", "[xy][12]", "x[^y]", "y$"])
            .records((0..70).map(|len| b"x1y2xyxxyy".repeat(7)[..len].to_vec())),
        Case::new("more than 255 bytes before a literal", "VectorCamp/vectorscan#392")
            .patterns("-u", [".*literal", "^.*literal$", "x.*literal"])
            .patterns("s-u", [".*literal", "a.{250,}literal"])
            .records((250..262).chain([510, 511, 512, 513]).flat_map(|len| {
                let literal = [vec![b'a'; len], b"literal".to_vec()].concat();
                [literal[..len + 6].to_vec(), [b"x\n", &literal[..]].concat(), literal]
            })),
        Case::new("far more than 255 bytes before a literal", "VectorCamp/vectorscan#392")
            .patterns("-u", [".*literal"])
            .records([65_535, 65_536].map(|len| "a".repeat(len) + "literal"))
            .finds([(0, 0, 0..65_542), (1, 0, 0..65_543)]),
    ]
}

fn hyperscan() -> Vec<Case> {
    vec![
        Case::new("caseless literals with `.*` around them", "gliwka/hyperscan-java#231")
            .patterns(
                "i-u",
                [
                    "^.*TAPIOCA.*EX.*$",
                    "^.*BOBA.*GUY.*$",
                    "^.*PAYPAL.*JACQUES.*MARI.*$",
                    "^GUCCI FRANCE.*$",
                    r"^PAYPAL \*YVESSAINTL.*$",
                    "^DD.*FIREHO 855-973-1040$",
                    "^.*XING.*FU.*TAN.*$",
                ],
            )
            .records([
                "TAPIOCA HOUSE TUXTLA GUTIER MEX",
                "paypal *yvessaintl",
                "dd fireho 855-973-1040",
            ])
            .finds([(0, 0, 0..31), (1, 4, 0..18), (2, 5, 0..22)]),
        Case::new("long runs of NULs", "intel/hyperscan#303")
            .patterns(
                "-u",
                [
                    format!(r"\xed\xe2{}some non existing string", r"\x00".repeat(19)),
                    r"\x00".repeat(12),
                    r"\x00".repeat(10),
                    format!(r"\x2a\xed\xe2{}", r"\x00".repeat(39)),
                ],
            )
            .records([[&b"\x2A\xED\xE2"[..], &[0; 40]].concat()])
            .finds([
                (0, 1, 3..15),
                (0, 1, 15..27),
                (0, 1, 27..39),
                (0, 2, 3..13),
                (0, 2, 13..23),
                (0, 2, 23..33),
                (0, 2, 33..43),
                (0, 3, 0..42),
            ]),
        Case::new("a long caseless literal beside a short one", "intel/hyperscan#353")
            .patterns("i-u", ["xt>DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD", "123"])
            .records([
                format!("xT>{}123", "d".repeat(34)),
                format!("xt>{}123", "D".repeat(33)),
                format!("xt<{}12", "D".repeat(40)),
            ])
            .finds([(0, 0, 0..37), (0, 1, 37..40), (1, 1, 36..39)]),
        one(
            "a repeated line end",
            "intel/hyperscan#382",
            "i-u",
            r".*\x0a{3}",
            "ab\n\n\n\n",
            &[0..5],
        ),
        one(
            "words",
            "intel/hyperscan#152",
            "-u",
            "[A-Za-z]+",
            "/*\n * Copyright (c)",
            &[6..15, 17..18],
        ),
        one("quoted characters", "intel/hyperscan#57", "i", "测试", "这是一个测试", &[12..18]),
    ]
}

fn clickhouse() -> Vec<Case> {
    let negated = ["[^Xa]", "[^ac]", "[^A-Za-z]", "[^A-Za-z0-9]", "[A-Za-z]"];
    let delimited = r"(?:^|[\p{Z}\p{P}])excel(?:[\p{Z}\p{P}]|$)";
    vec![
        Case::new("negated classes of two", "ClickHouse/ClickHouse#117522")
            .patterns("", negated)
            .patterns("s", negated)
            .patterns("-u", negated)
            .records(["a", "X", "c", "Z", "5", "b", "abc", "é"]),
        one("not X nor a, on a", "ClickHouse/ClickHouse#117522", "", "[^Xa]", "a", &[]),
        Case::new("a property in 10 to 80 bytes", "ClickHouse/ClickHouse#117527")
            .patterns("", [r"\p{P}", r"[\p{Z}\p{P}]"])
            .patterns("i", [delimited])
            .records((0..=70).map(|more| format!("usar,excel,{}", "x".repeat(more))))
            .records((0..=70).map(|more| "x".repeat(more) + " Excel")),
        one(
            "a comma in 16 bytes",
            "ClickHouse/ClickHouse#117527",
            "",
            r"\p{P}",
            "usar,excel,xxxxx",
            &[4..5, 10..11],
        ),
    ]
}

fn regex() -> Vec<Case> {
    let meta = "regex 1.13.1, meta engine with its full DFA, by random tests";
    let words: Vec<String> = ('a'..='z').map(|c| format!("{c}A")).collect();
    vec![
        one("over the line end", meta, "-u", r"[ab]\n.*[ab]", "a\na", &[0..3]),
        one("the first of two starts", meta, "-u", "a[ab][^a]*c", "aac", &[0..3]),
        one("no end after the class", meta, "-u", "a[ab][^a]*b", "aba", &[]),
        one(
            "an alternative inside another's end",
            "rust-lang/regex#1354",
            "",
            ".abb|b",
            "zabb",
            &[0..4],
        ),
        one("the same, twice", "rust-lang/regex#1355", "", ".abb|b", "zabbb", &[0..4, 4..5]),
        one("the same, shorter", "rust-lang/regex#1364", "", ".bb|b", "zabb", &[1..4]),
        one("the shorter alternative first", "rust-lang/regex#1373", "", "a|.aa", "-#aa", &[1..4]),
        one(
            "classes around an optional group",
            "rust-lang/regex#1345",
            "",
            r"[^()]*(?:\([^()]*\))?[^()]*:",
            "$(:):",
            &[0..5],
        ),
        one(
            "lazy repetitions with a common start",
            "golang/go#13812; regex-syntax 0.8.11",
            "",
            "a.*?c|a.*?b",
            "abc",
            &[0..3],
        ),
        one(
            "greedy repetitions with a common start",
            "regex-syntax 0.8.11, by random tests",
            "",
            "a.*c|a.*b",
            "abcb",
            &[0..3],
        ),
        one(
            "one repetition, and two of the same",
            "rust-lang/regex#1360",
            "",
            ".*ab|.*.*",
            "abc",
            &[0..2, 2..3],
        ),
        one(
            "a secret to the first end, with a common start",
            "regex-syntax 0.8.11, by random tests",
            "-u",
            "token=.*?;|token=.*?,",
            "token=ab,cd-secret;",
            &[0..19],
        ),
        Case::new("a line start before spaces", "rust-lang/regex#1070")
            .patterns("m", ["^ *v [0-9]"])
            .patterns("", ["(?m)^ *v [0-9]", "x"])
            .records(["v 0", "\n  v 1", "av 0"])
            .finds([(0, 0, 0..3), (0, 1, 0..3), (1, 0, 1..6), (1, 1, 1..6)]),
        one(
            "suffixes of several alternatives",
            "rust-lang/regex#1110",
            "",
            r"(\\N\{[^}]+})|([{}])",
            r"hiya \N{snowman} bye",
            &[5..16],
        ),
        one(
            "digits before an inner literal",
            "rust-lang/regex#1060",
            "",
            r"(?:(\d+)[:.])?(\d{1,2})[:.](\d{2})",
            "102:12:39 8:59:59.9 1:07",
            &[0..9, 10..17, 20..24],
        ),
        one(
            "many literals, none of them in the record",
            "rust-lang/regex#999",
            "",
            &words.join("|"),
            "FUBAR",
            &[],
        ),
        one(
            "alternatives in alternatives",
            "rust-lang/regex#289",
            "",
            "((IMG|MVI|MG)|DS)X",
            "MVIX",
            &[0..4],
        ),
        one(
            "an anchor in each alternative",
            "rust-lang/regex#280",
            "",
            r"(^\.)|(~$)",
            "favicon.png",
            &[],
        ),
        one(
            "line ends of three kinds",
            "rust-lang/regex#153",
            "",
            r"^(.*?)(\n|\r\n?|$)",
            "ab\rcd",
            &[0..3],
        ),
        Case::new("an anchored literal in a set", "rust-lang/regex#370")
            .patterns("", ["^foo", "bar$", "baz"])
            .records(["xfoo", "barx", "baz"])
            .finds([(2, 2, 0..3)]),
        one("a dot between, caseless", "BurntSushi/ripgrep#2884", "i", "e.x|ex", "e-x", &[0..3]),
    ]
}
