//! Patterns as trees: what the generator makes and shrinks.

use std::fmt::Write;

/// A piece of a regular expression. Valid under any flags: what a flag would forbid is written so
/// that it does not depend on it.
#[derive(Clone, Debug)]
pub enum Node {
    Empty,
    Text(String),
    /// One byte, which need not be UTF-8.
    Byte(u8),
    Dot,
    /// A class like `\d`, by its letter. ASCII wherever it stands if so marked.
    Perl(char, bool),
    /// A Unicode class, and a character for which it matters.
    Property(&'static str, char),
    /// A class in brackets. ASCII wherever it stands if so marked.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
        ascii: bool,
    },
    /// An assertion.
    Look(&'static str),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        lazy: bool,
    },
    Concat(Vec<Node>),
    Either(Vec<Node>),
    /// A capturing group.
    Group(Box<Node>),
    /// A group with flags of its own, such as `i-s`.
    Flagged(&'static str, Box<Node>),
}

impl Node {
    /// The pattern, for a place where Unicode is off if `ascii`.
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
                    with_unicode(out, c, ascii, |out| put(out, c));
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
                    put(out, low);
                    if low != high {
                        out.push('-');
                        put(out, high);
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
                    // Alternation binds weaker.
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

    /// About how many states its automaton has; a Unicode class has hundreds.
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

    /// Appends the bytes that the pattern speaks of.
    pub fn alphabet(&self, out: &mut Vec<u8>) {
        match self {
            Node::Text(text) => out.extend_from_slice(text.as_bytes()),
            Node::Byte(byte) => out.push(*byte),
            Node::Property(_, member) => append(out, *member),
            Node::Class { ranges, .. } => {
                for &(low, high) in ranges {
                    append(out, low);
                    append(out, high);
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

fn append(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Writes one character so that it stands for itself, also in brackets and under the flag `x`.
fn put(out: &mut String, c: char) {
    if c.is_ascii() && (c == ' ' || c.is_control()) {
        write!(out, r"\x{:02X}", u32::from(c)).unwrap();
    } else if c.is_whitespace() || c.is_control() {
        write!(out, r"\x{{{:X}}}", u32::from(c)).unwrap();
    } else {
        out.push_str(&regex_syntax::escape(c.encode_utf8(&mut [0; 4])));
    }
}

/// Turns Unicode on around what needs it.
fn with_unicode(out: &mut String, c: char, ascii: bool, write: impl FnOnce(&mut String)) {
    let wrap = ascii && !c.is_ascii();
    out.push_str(if wrap { "(?u:" } else { "" });
    write(out);
    out.push_str(if wrap { ")" } else { "" });
}
