//! Text that a pattern may well match, drawn from its parsed form.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Bytes and characters that neighbours are likely to have in common.
const FAVORITES: [char; 8] = ['a', 'b', '0', '_', '-', ' ', '\n', 'é'];

/// Appends a text for `hir` to `out`. Assertions are taken as true.
pub fn sample(hir: &Hir, rng: &mut Rng, out: &mut Vec<u8>) {
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(class) => member(class, rng, out),
        HirKind::Look(Look::StartLF | Look::EndLF | Look::StartCRLF | Look::EndCRLF) => {
            out.extend_from_slice(rng.pick::<&[u8]>(&[b"", b"\n", b"\r\n"]));
        }
        HirKind::Look(_) => {}
        HirKind::Repetition(repetition) => {
            let most = repetition.min.saturating_add(3).min(repetition.max.unwrap_or(u32::MAX));
            let more = rng.below(u64::from(most - repetition.min) + 1) as u32;
            for _ in 0..repetition.min + more {
                sample(&repetition.sub, rng, out);
            }
        }
        HirKind::Capture(capture) => sample(&capture.sub, rng, out),
        HirKind::Concat(subs) => subs.iter().for_each(|sub| sample(sub, rng, out)),
        HirKind::Alternation(subs) => sample(rng.pick(subs), rng, out),
    }
}

/// Appends one member of a class; nothing if it has none.
fn member(class: &Class, rng: &mut Rng, out: &mut Vec<u8>) {
    let favorite = *rng.pick(&FAVORITES);
    match class {
        Class::Unicode(class) if !class.ranges().is_empty() => {
            let holds = class.iter().any(|r| (r.start()..=r.end()).contains(&favorite));
            let range = rng.pick(class.ranges());
            let (low, high) = (u32::from(range.start()), u32::from(range.end()));
            let any = low + rng.below(u64::from(high - low) + 1) as u32;
            // Some numbers between two characters are none.
            let any = char::from_u32(any).unwrap_or(range.start());
            let c = if holds && rng.below(2) == 0 { favorite } else { any };
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Class::Bytes(class) if !class.ranges().is_empty() => {
            let favorite = favorite as u8;
            let holds = class.iter().any(|r| (r.start()..=r.end()).contains(&favorite));
            let range = rng.pick(class.ranges());
            let any = range.start() + rng.below(range.len() as u64) as u8;
            out.push(if holds && rng.below(2) == 0 { favorite } else { any });
        }
        Class::Unicode(_) | Class::Bytes(_) => {}
    }
}

/// A small generator of numbers (SplitMix64), so that what is drawn depends on its seed alone.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which must not be 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// One of `list`, which must not be empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }
}
