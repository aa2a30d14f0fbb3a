//! Every arrangement of the passes finds the same literals, and the cheapest one is chosen.

use proptest::prelude::*;

use super::*;
use crate::pure::literal::Cube;

/// By which the choice is tested on every machine: about those of AVX2.
const COSTS: PassCosts = PassCosts { teddy: 0.19, qgrams: 0.62, long_grams: 0.66 };
const ALPHABET: &[u8] = b"abAB_1 \x00\xFFz@`";

fn naive(literals: &[Literal], buffer: &[u8]) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    for at in 0..buffer.len() {
        for (number, literal) in literals.iter().enumerate() {
            if literal.is_at(buffer, at) {
                all.push((at, number));
            }
        }
    }
    all
}

fn literal(max: usize) -> impl Strategy<Value = Literal> {
    let cube = (prop::sample::select(ALPHABET), any::<bool>());
    prop::collection::vec(cube, 1..max).prop_map(|cubes| {
        Literal::from_cubes(cubes.into_iter().map(|(b, fold)| {
            if fold && b.is_ascii_alphabetic() {
                Cube { value: b & 0xDF, mask: 0xDF }
            } else {
                Cube::exact(b)
            }
        }))
    })
}

/// Every way to arrange the literals, with every instruction set of this machine.
fn arrangements(literals: &[Literal]) -> Vec<(String, LiteralSearch)> {
    let ids: Vec<NeedleId> = (0..literals.len()).map(NeedleId::new).collect();
    let (short, long): (Vec<NeedleId>, Vec<NeedleId>) =
        ids.iter().partition(|id| literals[id.index()].len() < qgrams::GRAM);
    let mut all = Vec::new();
    for isa in Isa::available() {
        all.push((format!("{isa}, as planned"), LiteralSearch::new(literals, isa)));
        let costs = PassCosts::of(isa);
        let teddy = |ids: &[NeedleId]| {
            let windows = (!ids.is_empty()).then(|| TeddyWindows::new(ids, literals, costs));
            windows.map(|windows| windows.build(literals))
        };
        let strings = LiteralBytes::new(literals);
        all.push((
            format!("{isa}, Teddy alone"),
            LiteralSearch { teddy: teddy(&ids), qgrams: None, long: None, strings, isa },
        ));
        let (fit, rest): (Vec<NeedleId>, Vec<NeedleId>) =
            ids.iter().partition(|id| literals[id.index()].len() >= long_grams::MIN_WINDOW);
        if !fit.is_empty() {
            let strings = LiteralBytes::new(literals);
            let long = Some(LongGramWindows::new(&fit, literals).build(literals, &strings));
            all.push((
                format!("{isa}, long grams"),
                LiteralSearch { teddy: teddy(&rest), qgrams: None, long, strings, isa },
            ));
        }
        for stride in 1..=qgrams::MAX_STRIDE {
            let (fit, rest): (Vec<NeedleId>, Vec<NeedleId>) =
                long.iter().partition(|id| literals[id.index()].len() > qgrams::GRAM + stride - 2);
            let windows =
                (!fit.is_empty()).then(|| QGramWindows::with_stride(&fit, literals, stride));
            let qgrams = windows.map(|windows| windows.build(literals));
            let strings = LiteralBytes::new(literals);
            let few = [&short[..], &rest].concat();
            all.push((
                format!("{isa}, q-grams of stride {stride}"),
                LiteralSearch { teddy: teddy(&few), qgrams, long: None, strings, isa },
            ));
        }
    }
    all
}

fn check(
    literals: &[Literal],
    arrangements: &[(String, LiteralSearch)],
    buffer: &[u8],
    split: usize,
) {
    let expected = naive(literals, buffer);
    for (name, prefilter) in arrangements {
        let mut out = Vec::new();
        prefilter.find(buffer, 0..split, &mut out);
        prefilter.find(buffer, split..buffer.len(), &mut out);
        assert!(out.is_sorted_by_key(|c| c.window_start), "{name}");
        for c in &out {
            assert!((c.start..c.end).contains(&c.window_start), "{name}");
            assert_eq!((c.end - c.start) as usize, literals[c.needle.index()].len());
        }
        let mut found: Vec<_> = out.iter().map(|c| (c.start as usize, c.needle.index())).collect();
        found.sort();
        assert_eq!(found, expected, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        // Each case builds the tables of every arrangement.
        cases: ProptestConfig::default().cases.div_ceil(4),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_arrangement_equals_a_naive_search(
        literals in (2usize..16).prop_flat_map(|max| prop::collection::vec(literal(max), 1..24)),
        buffer in prop::collection::vec(prop::sample::select(ALPHABET), 0..300),
        split in any::<prop::sample::Index>(),
    ) {
        check(&literals, &arrangements(&literals), &buffer, split.index(buffer.len() + 1));
    }
}

#[test]
fn literals_are_found_around_every_vector_edge() {
    for len in [1, 2, 3, 4, 5, 8, 9, 11, 32] {
        let text: Vec<u8> = (0..len).map(|i| b'k' + (i % 13) as u8).collect();
        let literals = [Literal::exact(&text), Literal::exact(b"~~~~~~~")];
        let arrangements = arrangements(&literals);
        for size in (len..=len + 4).chain(60..=72).chain(124..=136).chain(254..=262) {
            for at in 0..=size - len {
                let mut buffer = vec![b'.'; size];
                buffer[at..at + len].copy_from_slice(&text);
                check(&literals, &arrangements, &buffer, size / 2);
            }
        }
    }
}

#[test]
fn dense_literals_are_all_found() {
    let literals = ["ab", "bab", "abab", "bababab", "abababababab", "abababac", "b", "cab"]
        .map(|text| Literal::exact(text.as_bytes()));
    let mut buffer = b"ab".repeat(3000);
    buffer[4095] = b'c';
    for some in [&literals[..], &literals[2..6], &literals[3..6], &literals[3..4]] {
        check(some, &arrangements(some), &buffer, 2500);
    }
}

/// Many long literals with and without case, some of which share most of their bytes, beside short
/// ones.
#[test]
fn many_long_literals_are_found_by_long_grams() {
    let word = |n: usize| format!("{}ational{}", ["n", "rel", "irr"][n % 3], n / 3 + 100);
    let long = (0..cost::MIN_LONG_GRAM_LITERALS + 300).map(|n| {
        let cubes = word(n).into_bytes().into_iter().map(Cube::exact);
        Literal::from_cubes(cubes.map(|cube| match cube.value {
            letter @ b'a'..=b'z' if n % 2 == 0 => Cube { value: letter & 0xDF, mask: 0xDF },
            _ => cube,
        }))
    });
    let short = (0..40).map(|n| Literal::exact(format!("+{n}").as_bytes()));
    let literals: Vec<Literal> = long.chain(short).collect();
    let text: String = (0..500)
        .map(|n| match n % 4 {
            0 => word(n).to_uppercase(),
            1 => format!("{} +{}", word(n * 7 % 400), n % 60),
            _ => word(n),
        })
        .flat_map(|word| [word, " ".into()])
        .collect();
    for isa in Isa::available() {
        let search = LiteralSearch::new(&literals, isa);
        assert!(search.describe().contains("grams of 8 bytes"), "{}", search.describe());
        let arranged = [(isa.to_string(), search)];
        for start in 0..9 {
            check(&literals, &arranged, &text.as_bytes()[start..], 1001);
        }
    }
}

fn words(numbers: Range<usize>, of: impl Fn(usize) -> String) -> Vec<Literal> {
    numbers.map(|number| Literal::exact(of(number).as_bytes())).collect()
}

/// Sets of short, rare and frequent literals in different numbers.
fn mixed() -> Vec<Vec<Literal>> {
    let short = |n: usize| ["e", "qz", "the", "~~", "tion"][n % 5].to_owned();
    let rare = |n: usize| format!("{}zq{n:03}", &"xjvkw"[..n % 6]);
    let frequent = |n: usize| format!("{}{}", &"station and the "[..n % 9 + 4], n % 7);
    let mut all = Vec::new();
    for few in [0, 1, 5] {
        for (rares, frequents) in [(0, 0), (1, 0), (30, 0), (400, 0), (0, 20), (300, 40)] {
            let literals =
                [words(0..few, short), words(0..rares, rare), words(0..frequents, frequent)];
            all.push(literals.concat());
        }
    }
    all.retain(|literals| !literals.is_empty());
    // Literals as long as a gram.
    all.push(words(0..MAX_TEDDY + 50, |n| format!("{n:03}")));
    all
}

#[test]
fn the_cheapest_division_is_chosen() {
    let (costs, mut kinds) = (&COSTS, std::collections::BTreeSet::new());
    for literals in mixed() {
        let ids: Vec<NeedleId> = (0..literals.len()).map(NeedleId::new).collect();
        let divided = |len: usize| {
            let (few, many): (Vec<NeedleId>, Vec<NeedleId>) =
                ids.iter().partition(|id| literals[id.index()].len() < len);
            let teddy = || TeddyWindows::new(&few, &literals, costs).cost(costs);
            let qgrams = || QGramWindows::new(&many, &literals).cost(costs);
            let cost = if few.is_empty() { 0.0 } else { teddy() }
                + if many.is_empty() { 0.0 } else { qgrams() };
            (cost, few.len(), many.len())
        };
        let least = (qgrams::GRAM..qgrams::GRAM + qgrams::MAX_STRIDE)
            .chain([usize::MAX])
            .map(divided)
            .enumerate()
            .filter(|(index, (_, few, _))| *index == 0 || *few <= MAX_TEDDY)
            .min_by(|(_, a), (_, b)| a.0.total_cmp(&b.0))
            .unwrap();
        let (_, (cost, few, many)) = least;
        let found = arrange_without_long(&ids, &literals, costs);
        let teddy = found.teddy.map_or(0, |windows| windows.build(&literals).literals());
        let qgrams = found.qgrams.map_or(0, |windows| windows.build(&literals).literals());
        assert_eq!((found.cost, teddy, qgrams), (cost, few, many));
        kinds.insert((few > 0, many > 0));
    }
    assert_eq!(kinds.len(), 3, "each kind of division is there");
}

#[test]
fn long_grams_must_be_worth_an_added_pass() {
    let rare = |count: usize| words(0..count, |n| format!("{n:05}ational"));
    let syllables = ["tion", "ther", "ing ", "and ", "ent ", "the "];
    let frequent = |count: usize| {
        words(0..count, |n| [1, 6, 36, 216].map(|power| syllables[n / power % 6]).concat())
    };
    let short = |count: usize| words(0..count, |n| format!("+{n}"));
    let middle = |count: usize| words(0..count, |n| format!("zq{n:03}"));
    let least = cost::MIN_LONG_GRAM_LITERALS;
    // Each set with the numbers of literals that Teddy, q-grams and long grams get, and whether that is estimated to
    // take less time than without long grams.
    let cases = [
        (rare(least - 1), [0, least - 1, 0], false),
        (rare(least), [0, 0, least], false),
        (words(0..least, |n| format!("{n:05}ion")), [0, 0, least], false),
        ([rare(1000), short(5)].concat(), [5, 0, 1000], false),
        ([rare(least), short(1)].concat(), [least + 1, 0, 0], false),
        ([rare(5000), middle(1)].concat(), [0, 5001, 0], false),
        ([frequent(600), middle(1)].concat(), [1, 0, 600], true),
        ([frequent(600), middle(300)].concat(), [0, 300, 600], true),
    ];
    let costs = &COSTS;
    for (literals, expected, is_cheaper) in cases {
        let ids = |range: Range<usize>| range.map(NeedleId::new).collect::<Vec<_>>();
        let all = arrange_without_long(&ids(0..literals.len()), &literals, costs);
        let found = arrange(&literals, costs);
        let passes = expected.iter().filter(|&&literals| literals > 0).count();
        assert_eq!(found.passes(), passes, "{expected:?}");
        assert_eq!(found.cost < all.cost, is_cheaper, "{expected:?}");
        if found.long.is_some() {
            let long = LongGramWindows::new(&ids(0..expected[2]), &literals).cost(costs);
            let rest = ids(expected[2]..literals.len());
            let rest = (!rest.is_empty()).then(|| arrange_without_long(&rest, &literals, costs));
            assert_eq!(found.cost, long + rest.map_or(0.0, |rest| rest.cost), "{expected:?}");
        }
        let strings = LiteralBytes::new(&literals);
        let numbers = [
            found.teddy.map_or(0, |windows| windows.build(&literals).literals()),
            found.qgrams.map_or(0, |windows| windows.build(&literals).literals()),
            found.long.map_or(0, |windows| windows.build(&literals, &strings).literals()),
        ];
        assert_eq!(numbers, expected);
    }
}

#[test]
fn the_passes_are_described() {
    let literals = words(0..9, |n| format!("zq{n:03}"));
    let described = arrangements(&literals).into_iter().map(|(_, search)| search.describe());
    let described: Vec<String> = described.collect();
    for expected in [
        format!("Teddy ({}) for 9 literals", Isa::best()),
        "q-grams at every second position for 9 literals".to_owned(),
    ] {
        assert!(described.contains(&expected), "{expected}: {described:?}");
    }
}
