//! Texts that a pattern is likely to match, drawn from its parsed form.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::Rng;

/// Characters that are preferred when a class contains them, so that a text drawn for one class is
/// likely to match other classes too.
const FAVORITES: [char; 8] = ['a', 'b', '0', '_', '-', ' ', '\n', 'é'];

/// Appends a text for `hir` to `out`. Word boundaries and anchors of the text are
/// ignored, so the pattern may not match the text.
pub fn sample(hir: &Hir, rng: &mut Rng, out: &mut Vec<u8>) {
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(class) => sample_class(class, rng, out),
        HirKind::Look(Look::StartLF | Look::EndLF | Look::StartCRLF | Look::EndCRLF) => {
            out.extend_from_slice(rng.pick::<&[u8]>(&[b"", b"\n", b"\r\n"]));
        }
        HirKind::Look(_) => {}
        HirKind::Repetition(repetition) => {
            let most = repetition.min.saturating_add(3).min(repetition.max.unwrap_or(u32::MAX));
            let more = rng.below((most - repetition.min) as usize + 1) as u32;
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
fn sample_class(class: &Class, rng: &mut Rng, out: &mut Vec<u8>) {
    let favorite = *rng.pick(&FAVORITES);
    match class {
        Class::Unicode(class) if !class.ranges().is_empty() => {
            let is_member = class.iter().any(|r| (r.start()..=r.end()).contains(&favorite));
            let range = rng.pick(class.ranges());
            let (low, high) = (u32::from(range.start()), u32::from(range.end()));
            let any = low + rng.below((high - low) as usize + 1) as u32;
            // `None` for a surrogate code point, which is not a character.
            let any = char::from_u32(any).unwrap_or(range.start());
            let c = if is_member && rng.below(2) == 0 { favorite } else { any };
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Class::Bytes(class) if !class.ranges().is_empty() => {
            let favorite = favorite as u8;
            let is_member = class.iter().any(|r| (r.start()..=r.end()).contains(&favorite));
            let range = rng.pick(class.ranges());
            let any = range.start() + rng.below(range.len()) as u8;
            out.push(if is_member && rng.below(2) == 0 { favorite } else { any });
        }
        Class::Unicode(_) | Class::Bytes(_) => {}
    }
}
