//! Syntax trees of generated patterns, and how they are written as regular expressions.

use std::fmt::Write;

/// A part of a regular expression. It is valid under any flags of the whole expression: a part that
/// a flag would make invalid is written in a group that sets or clears that flag.
#[derive(Clone, Debug)]
pub enum Node {
    /// The empty pattern.
    Empty,
    /// A literal.
    Text(String),
    /// One byte, which need not be UTF-8.
    Byte(u8),
    /// `.`
    Dot,
    /// A class like `\d`, by its letter, and whether it is ASCII even where Unicode is on.
    Perl(char, bool),
    /// A Unicode class, and one of its characters.
    Property(&'static str, char),
    /// A class in brackets.
    Class {
        /// Whether it has all characters but those in `ranges`.
        negated: bool,
        /// The first and the last character of each range.
        ranges: Vec<(char, char)>,
        /// Whether it is ASCII even where Unicode is on. No effect on ranges beyond ASCII.
        ascii: bool,
    },
    /// An assertion.
    Look(&'static str),
    /// A repetition.
    Repeat {
        /// What is repeated.
        node: Box<Node>,
        /// How often it is repeated at least.
        min: u32,
        /// How often it is repeated at most, if there is a bound.
        max: Option<u32>,
        /// Whether it prefers fewer repetitions.
        lazy: bool,
    },
    /// One after the other.
    Concat(Vec<Node>),
    /// Alternatives.
    Either(Vec<Node>),
    /// A capturing group.
    Group(Box<Node>),
    /// A group with its own flags, such as `i-s`.
    Flagged(&'static str, Box<Node>),
}

impl Node {
    /// The regular expression, for a pattern that is parsed with Unicode off if `ascii`.
    pub fn regex(&self, ascii: bool) -> String {
        let mut out = String::new();
        self.write(&mut out, ascii);
        out
    }

    fn write(&self, out: &mut String, ascii: bool) {
        match self {
            Node::Empty => out.push_str("(?:)"),
            Node::Text(text) => {
                for c in text.chars() {
                    with_unicode(out, c, ascii, |out| write_escaped(out, c));
                }
            }
            Node::Byte(byte) => write!(out, r"(?-u:\x{byte:02X})").unwrap(),
            Node::Dot => out.push('.'),
            Node::Perl(letter, true) => write!(out, r"(?-u:\{letter})").unwrap(),
            Node::Perl(letter, false) => write!(out, r"\{letter}").unwrap(),
            Node::Property(class, _) => write!(out, "(?u:{class})").unwrap(),
            Node::Class { negated, ranges, ascii: own } => {
                let widest = ranges.iter().map(|r| r.1).max().unwrap_or('\0');
                let open = match (own, widest.is_ascii()) {
                    (true, true) => "(?-u:",
                    (_, false) => "(?u:",
                    (false, true) => "(?:",
                };
                out.push_str(open);
                out.push_str(if *negated { "[^" } else { "[" });
                for &(low, high) in ranges {
                    write_escaped(out, low);
                    if low != high {
                        out.push('-');
                        write_escaped(out, high);
                    }
                }
                out.push_str("])");
            }
            Node::Look(look) => out.push_str(look),
            Node::Repeat { node, min, max, lazy } => {
                out.push_str("(?:");
                node.write(out, ascii);
                out.push(')');
                match (min, max) {
                    (0, None) => out.push('*'),
                    (1, None) => out.push('+'),
                    (0, Some(1)) => out.push('?'),
                    (min, None) => write!(out, "{{{min},}}").unwrap(),
                    (min, Some(max)) if min == max => write!(out, "{{{min}}}").unwrap(),
                    (min, Some(max)) => write!(out, "{{{min},{max}}}").unwrap(),
                }
                if *lazy {
                    out.push('?');
                }
            }
            Node::Concat(nodes) => {
                for node in nodes {
                    // Alternation binds weaker than concatenation.
                    let group = matches!(node, Node::Either(_));
                    out.push_str(if group { "(?:" } else { "" });
                    node.write(out, ascii);
                    out.push_str(if group { ")" } else { "" });
                }
            }
            Node::Either(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "|" });
                    node.write(out, ascii);
                }
            }
            Node::Group(node) => {
                out.push('(');
                node.write(out, ascii);
                out.push(')');
            }
            Node::Flagged(flags, node) => {
                write!(out, "(?{flags}:").unwrap();
                let ascii = match flags.split_once('-') {
                    Some((_, off)) if off.contains('u') => true,
                    _ if flags.contains('u') => false,
                    _ => ascii,
                };
                node.write(out, ascii);
                out.push(')');
            }
        }
    }

    /// A rough estimate of the number of NFA states. A Unicode class is counted as 100.
    pub fn weight(&self) -> u64 {
        match self {
            Node::Text(text) => text.len() as u64,
            Node::Perl(_, false) | Node::Property(..) => 100,
            Node::Class { negated: true, .. } | Node::Dot => 10,
            Node::Repeat { node, min, max, .. } => {
                node.weight() * u64::from(max.unwrap_or(min + 1).max(1))
            }
            Node::Concat(nodes) | Node::Either(nodes) => nodes.iter().map(Node::weight).sum(),
            Node::Group(node) | Node::Flagged(_, node) => node.weight(),
            _ => 1,
        }
    }

    /// Appends the bytes of the pattern's literals, and of the ends of its ranges.
    pub fn alphabet(&self, out: &mut Vec<u8>) {
        match self {
            Node::Text(text) => out.extend_from_slice(text.as_bytes()),
            Node::Byte(byte) => out.push(*byte),
            Node::Property(_, member) => append_utf8(out, *member),
            Node::Class { ranges, .. } => {
                for &(low, high) in ranges {
                    append_utf8(out, low);
                    append_utf8(out, high);
                }
            }
            Node::Concat(nodes) | Node::Either(nodes) => {
                nodes.iter().for_each(|node| node.alphabet(out));
            }
            Node::Repeat { node, .. } | Node::Group(node) | Node::Flagged(_, node) => {
                node.alphabet(out);
            }
            Node::Empty | Node::Dot | Node::Perl(..) | Node::Look(_) => {}
        }
    }
}

fn append_utf8(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Writes a character escaped so that it matches itself, also in brackets and under the flag `x`.
fn write_escaped(out: &mut String, c: char) {
    if c.is_ascii() && (c == ' ' || c.is_control()) {
        write!(out, r"\x{:02X}", u32::from(c)).unwrap();
    } else if c.is_whitespace() || c.is_control() {
        write!(out, r"\x{{{:X}}}", u32::from(c)).unwrap();
    } else {
        out.push_str(&regex_syntax::escape(c.encode_utf8(&mut [0; 4])));
    }
}

/// Writes a character with `write`, in a group with Unicode on if it needs one.
fn with_unicode(out: &mut String, c: char, ascii: bool, write: impl FnOnce(&mut String)) {
    let wrap = ascii && !c.is_ascii();
    out.push_str(if wrap { "(?u:" } else { "" });
    write(out);
    out.push_str(if wrap { ")" } else { "" });
}
