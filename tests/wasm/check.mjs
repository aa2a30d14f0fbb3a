// Compares the matches of dragnet with those of JavaScript's own regular expressions, on random
// patterns and records.
//
//     node tests/wasm/check.mjs dragnet_test_wasm.wasm

import { readFile } from "node:fs/promises";
import { argv } from "node:process";

const module = await WebAssembly.compile(await readFile(argv[2]));
const imports = WebAssembly.Module.imports(module);
if (imports.length > 0) {
    throw new Error(`the module imports ${JSON.stringify(imports)}, which no browser provides`);
}
const { exports: dragnet } = await WebAssembly.instantiate(module);

let state = 0x2545f491;

/** A number from 0 to `bound` - 1 (xorshift32), the same in every run. */
function below(bound) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
}

const pick = (list) => list[below(list.length)];
const repeat = (least, most, make) =>
    Array.from({ length: least + below(most - least + 1) }, make).join("");

const atom = () =>
    pick(["a", "b", "c", "ab", "bca", "[ab]", "[^a]", "(?:a|bc)", "(?:ab|a)", "(?:[a-c]{3})"]);
const quantified = () => atom() + pick(["", "", "", "*", "+", "?", "*?", "{2}", "{1,3}"]);
const anchored = (text) => pick(["", "", "", "^", "\\b"]) + text + pick(["", "", "", "$", "\\b"]);
const shortPattern = () => anchored(repeat(1, 4, quantified));
const literal = () => repeat(3, 9, () => pick([..."abcdefgh"]));
const record = () =>
    repeat(0, 30, () => pick(["a", "b", "c", "ab", "bca", "ccc", " ", "-", "\n", "abcdefgh"])) +
    pick(["", "", repeat(0, 200, () => pick([..."abcdefgh "]))]);

/** Passes a text to the module byte by byte, then calls `finish` to add it as a pattern or record. */
function pass(text, finish) {
    for (const byte of new TextEncoder().encode(text)) {
        dragnet.push_byte(byte);
    }
    if (!finish()) {
        throw new Error(`${JSON.stringify(text)} is refused`);
    }
}

/** All matches in the order that dragnet guarantees: by record, then pattern, then start. */
function expected(patterns, records) {
    return records.flatMap((text, record) =>
        patterns.flatMap((source, pattern) => spans(source, text).map((s) => [record, pattern, ...s])),
    );
}

/**
 * The spans of one pattern. JavaScript also finds an empty match right where the last match ended;
 * the `regex` crate, and so dragnet, continues one byte later instead.
 */
function spans(source, text) {
    const regex = new RegExp(source, "g");
    const found = [];
    let last = -1;
    for (;;) {
        const match = regex.exec(text);
        if (match === null) {
            return found;
        }
        const [start, end] = [match.index, match.index + match[0].length];
        if (start === end && start === last) {
            regex.lastIndex = end + 1;
            continue;
        }
        found.push([start, end]);
        last = end;
        regex.lastIndex = start === end ? end + 1 : end;
    }
}

let matches = 0;
for (let round = 0; round < 600; round += 1) {
    // A few short patterns; two rounds of three also have literals, enough in some rounds for the
    // engine to search for four-byte parts of them.
    const patterns = Array.from({ length: 1 + below(6) }, shortPattern);
    if (round % 3 > 0) {
        patterns.push(...Array.from({ length: 1 + below(round % 3 === 1 ? 12 : 150) }, literal));
    }
    const records = Array.from({ length: below(20) }, record);
    for (const text of patterns) {
        pass(`(?-u)${text}`, dragnet.finish_pattern);
    }
    for (const text of records) {
        pass(text, dragnet.finish_record);
    }
    const count = dragnet.scan();
    const found = Array.from({ length: Math.max(count, 0) }, (_, index) =>
        [0, 1, 2, 3].map((field) => dragnet.match_field(index, field)),
    );
    const wanted = expected(patterns, records);
    if (count < 0 || JSON.stringify(found) !== JSON.stringify(wanted)) {
        console.error({ round, patterns, records, count });
        console.error("found", JSON.stringify(found));
        console.error("wanted", JSON.stringify(wanted));
        throw new Error("the matches differ");
    }
    matches += count;
}
if (matches < 1000) {
    throw new Error(`only ${matches} matches were compared`);
}
const simd = dragnet.simd_levels() > 1 ? "with SIMD" : "without SIMD";
console.log(`${matches} matches in 600 rounds are equal to those of JavaScript, ${simd}`);
