//! Prints src/base/unicode_tables.cc:
//!
//!     cargo run --release --manifest-path scripts/unicode_tables/Cargo.toml > src/base/unicode_tables.cc
//!
//! The Hugging Face `tokenizers` library takes categories from one crate, decompositions from another, grapheme
//! clusters from a third, the classes of its regular expressions from Oniguruma, and lower case and white space from
//! Rust's standard library, each of another Unicode version. Identical tokens need identical data, so it is read from
//! the same places here. tests/oracle/tokenizer_parity.py and tests/oracle/tokenizer_kinds.py compare the result with
//! the library at every code point.

use std::collections::BTreeMap;
use std::fmt::Write;
use unicode_categories::UnicodeCategories;
use unicode_normalization_alignments::char::{
    canonical_combining_class, compose, decompose_canonical, decompose_compatible, is_combining_mark,
};
use unicode_segmentation::UnicodeSegmentation;

const CODE_POINTS: u32 = 0x110000;
const BLOCK: usize = 128;

// The bits of CodePointFlag in src/base/unicode.h.
const WHITESPACE: u16 = 1 << 0;
const OTHER: u16 = 1 << 1;
const PUNCTUATION: u16 = 1 << 2;
const MARK_NONSPACING: u16 = 1 << 3;
const DECOMPOSES: u16 = 1 << 4;
const LOWERCASES: u16 = 1 << 5;
const WORD: u16 = 1 << 6;
const LETTER: u16 = 1 << 7;
const NUMBER: u16 = 1 << 8;
const SPACE: u16 = 1 << 9;
const NUMERIC: u16 = 1 << 10;
const MARK: u16 = 1 << 11;
const COMPATIBILITY: u16 = 1 << 12;

/// One code point of each kind that the rules of grapheme clusters tell apart, in the order of GraphemeBreak in
/// src/base/unicode.h.
const GRAPHEME_KINDS: [char; 17] = [
    'a', '\r', '\n', '\u{1}', '\u{300}', '\u{94D}', '\u{200C}', '\u{200D}', '\u{2764}', '\u{915}', '\u{1100}',
    '\u{1161}', '\u{11A8}', '\u{AC00}', '\u{AC01}', '\u{600}', '\u{1F1E6}',
];
const SPACING_MARK: char = '\u{903}';

fn decomposition(c: char) -> Vec<char> {
    let mut parts = vec![];
    decompose_canonical(c, |part| parts.push(part));
    parts
}

fn compatibility_decomposition(c: char) -> Vec<char> {
    let mut parts = vec![];
    decompose_compatible(c, |part| parts.push(part));
    parts
}

/// Whether the crate breaks `text` before its last code point.
fn breaks_before_last(text: &[char]) -> bool {
    let text: String = text.iter().collect();
    text.graphemes(true).last().unwrap().chars().count() == 1
}

/// How the crate treats a code point beside every kind: its tables are private, so its behaviour is asked for.
fn grapheme_signature(c: char) -> Vec<bool> {
    let mut signature = vec![];
    for kind in GRAPHEME_KINDS.into_iter().chain([SPACING_MARK]) {
        signature.push(breaks_before_last(&[kind, c]));
        signature.push(breaks_before_last(&[c, kind]));
    }
    let (consonant, linker, joiner, emoji) = ('\u{915}', '\u{94D}', '\u{200D}', '\u{2764}');
    signature.push(breaks_before_last(&[consonant, c, consonant]));
    signature.push(breaks_before_last(&[consonant, linker, c, consonant]));
    signature.push(breaks_before_last(&[c, linker, consonant]));
    signature.push(breaks_before_last(&[emoji, c, emoji]));
    signature.push(breaks_before_last(&[emoji, c, joiner, emoji]));
    signature.push(breaks_before_last(&[c, joiner, emoji]));
    signature
}

fn is_hangul_syllable(c: char) -> bool {
    ('\u{AC00}'..='\u{D7A3}').contains(&c)
}

/// Regular expressions for one code point.
struct Patterns {
    word: regex::Regex,
    letter: onig::Regex,
    number: onig::Regex,
    space: onig::Regex,
}

/// The flags, the combining class and the kind in grapheme clusters of one code point.
fn classify(c: char, patterns: &Patterns, graphemes: &BTreeMap<Vec<bool>, u8>) -> (u16, u8, u8) {
    let text = c.to_string();
    let mut flags = 0;
    let mut set = |condition: bool, flag: u16| {
        if condition {
            flags |= flag
        }
    };
    set(c.is_whitespace(), WHITESPACE);
    set(c.is_other(), OTHER);
    set(c.is_ascii_punctuation() || c.is_punctuation(), PUNCTUATION);
    set(c.is_mark_nonspacing(), MARK_NONSPACING);
    set(decomposition(c) != [c], DECOMPOSES);
    set(c.to_lowercase().collect::<Vec<_>>() != [c], LOWERCASES);
    set(patterns.word.is_match(&text), WORD);
    set(patterns.letter.is_match(&text), LETTER);
    set(patterns.number.is_match(&text), NUMBER);
    set(patterns.space.is_match(&text), SPACE);
    set(c.is_numeric(), NUMERIC);
    set(is_combining_mark(c), MARK);
    set(compatibility_decomposition(c) != decomposition(c), COMPATIBILITY);
    (flags, canonical_combining_class(c), graphemes[&grapheme_signature(c)])
}

/// `name` and its elements as a C++ array, wrapped at 120 columns.
fn array(kind: &str, name: &str, elements: &[String]) -> String {
    let mut text = format!("const {kind} {name}[] = {{\n");
    let mut line = String::new();
    for element in elements {
        if 4 + line.len() + element.len() + 2 > 120 {
            writeln!(text, "    {}", line.trim_end()).unwrap();
            line.clear();
        }
        write!(line, "{element}, ").unwrap();
    }
    writeln!(text, "    {}", line.trim_end()).unwrap();
    text + "};\n"
}

fn main() {
    let patterns = Patterns {
        word: regex::Regex::new(r"^\w$").unwrap(),
        letter: onig::Regex::new(r"\A\p{L}\z").unwrap(),
        number: onig::Regex::new(r"\A\p{N}\z").unwrap(),
        space: onig::Regex::new(r"\A\s\z").unwrap(),
    };
    let mut graphemes = BTreeMap::new();
    for (index, kind) in GRAPHEME_KINDS.into_iter().chain([SPACING_MARK]).enumerate() {
        assert!(graphemes.insert(grapheme_signature(kind), index as u8).is_none());
    }

    let mut classes: BTreeMap<(u16, u8, u8), usize> = BTreeMap::new();
    let mut class_list = vec![];
    let mut blocks: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let mut block_list: Vec<Vec<usize>> = vec![];
    let mut block_of = vec![];
    for start in (0..CODE_POINTS).step_by(BLOCK) {
        let block: Vec<usize> = (start..start + BLOCK as u32)
            .map(|code_point| {
                // Surrogates never reach a lookup: UTF-8 cannot spell them.
                let class = char::from_u32(code_point).map_or((0, 0, 0), |c| classify(c, &patterns, &graphemes));
                *classes.entry(class).or_insert_with(|| {
                    class_list.push(class);
                    class_list.len() - 1
                })
            })
            .collect();
        block_of.push(*blocks.entry(block.clone()).or_insert_with(|| {
            block_list.push(block);
            block_list.len() - 1
        }));
    }
    assert!(class_list.len() <= 256 && block_list.len() <= 65536);

    let every = || (0..CODE_POINTS).filter_map(char::from_u32);
    let mut decompositions = vec![];
    let mut compatibility = vec![];
    let mut decomposition_parts = vec![];
    let mut compositions = vec![];
    for c in every().filter(|&c| !is_hangul_syllable(c)) {
        let canonical = decomposition(c);
        let mut add = |list: &mut Vec<String>, parts: &[char]| {
            list.push(format!("{{{:#x}, {}, {}}}", c as u32, decomposition_parts.len(), parts.len()));
            decomposition_parts.extend(parts.iter().map(|&part| format!("{:#x}", part as u32)));
        };
        if canonical != [c] {
            add(&mut decompositions, &canonical);
        }
        let full = compatibility_decomposition(c);
        if full != canonical {
            add(&mut compatibility, &full);
        }
        // A composite is made of what all parts but the last one compose to, and the last one.
        let (last, others) = canonical.split_last().unwrap();
        if let Some(first) = others.iter().copied().map(Some).reduce(|left, right| compose(left?, right?)).flatten() {
            if compose(first, *last) == Some(c) {
                compositions.push((first as u32, *last as u32, c as u32));
            }
        }
    }
    compositions.sort_unstable();
    let lowercases = every().filter_map(|c| {
        let lower: Vec<char> = c.to_lowercase().collect();
        assert!(lower.len() <= 2);
        let second = lower.get(1).map_or(0, |&c| c as u32);
        (lower != [c]).then(|| format!("{{{:#x}, {:#x}, {:#x}}}", c as u32, lower[0] as u32, second))
    });

    println!("// Generated by scripts/unicode_tables from unicode_categories 0.1.1, unicode-normalization-alignments 0.1.12");
    println!("// (Unicode 9.0), unicode-segmentation 1.13.3 (Unicode 17.0), onig 6.5.3, regex 1.13.2 and Rust's standard");
    println!("// library ({}). Do not edit.", rust_unicode_version());
    println!("#include \"base/unicode.h\"\n");
    println!("// clang-format off\nnamespace tandem::unicode_tables {{\n");
    let text = |values: &[usize]| values.iter().map(|value| value.to_string()).collect::<Vec<_>>();
    println!("{}", array("std::uint16_t", "kBlockOf", &text(&block_of)));
    println!("{}", array("std::uint8_t", "kClassOf", &text(&block_list.concat())));
    let class_text: Vec<_> = class_list.iter().map(|(flags, class, kind)| format!("{{{flags}, {class}, {kind}}}")).collect();
    println!("{}", array("CodePointClass", "kClasses", &class_text));
    println!("{}", array("Decomposition", "kDecompositions", &decompositions));
    println!("const std::size_t kDecompositionCount = {};\n", decompositions.len());
    println!("{}", array("Decomposition", "kCompatibilityDecompositions", &compatibility));
    println!("const std::size_t kCompatibilityDecompositionCount = {};\n", compatibility.len());
    println!("{}", array("char32_t", "kDecompositionParts", &decomposition_parts));
    let composition_text: Vec<_> =
        compositions.iter().map(|(first, second, c)| format!("{{{first:#x}, {second:#x}, {c:#x}}}")).collect();
    println!("{}", array("Composition", "kCompositions", &composition_text));
    println!("const std::size_t kCompositionCount = {};\n", compositions.len());
    let lowercases: Vec<_> = lowercases.collect();
    println!("{}", array("LowercaseMapping", "kLowercase", &lowercases));
    println!("const std::size_t kLowercaseCount = {};\n", lowercases.len());
    println!("}}  // namespace tandem::unicode_tables");
}

fn rust_unicode_version() -> String {
    let (major, minor, update) = char::UNICODE_VERSION;
    format!("Unicode {major}.{minor}.{update}")
}
