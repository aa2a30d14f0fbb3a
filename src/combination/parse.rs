//! Parses the expressions of combinations, by recursive descent.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::CombinationError;
use super::evaluate::{Program, Step};
use crate::PatternSet;

/// How deep parentheses and `not` may nest. The parser recurses once for each level.
const MAX_DEPTH: usize = 100;

/// The most steps of all combinations together. A list with a `*` has a step for each member.
///
/// A step takes 12 bytes, so this is 100 MB.
const MAX_STEPS: usize = 1 << 23;

const TOO_MANY_OPERANDS: &str = "the combinations have too many operands";

/// Words that can't be names without quotes.
const KEYWORDS: [&str; 8] = ["and", "or", "not", "any", "all", "none", "of", "them"];

/// Collects combinations, which may refer to those that were added before.
pub(super) struct Parser {
    patterns: usize,
    /// The items of each name, ordered by name: patterns, then combinations.
    items: BTreeMap<String, Vec<u32>>,
    names: Vec<String>,
    steps: Vec<Step>,
    expressions: Vec<Range<usize>>,
    /// The combinations by name.
    known: HashMap<String, u32>,
}

impl Parser {
    pub(super) fn new(set: &PatternSet) -> Parser {
        let mut items: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (number, pattern) in (0..).zip(set) {
            if let Some(name) = pattern.get_name() {
                items.entry(name.to_owned()).or_default().push(number);
            }
        }
        Parser {
            patterns: set.len(),
            items,
            names: Vec::new(),
            steps: Vec::new(),
            expressions: Vec::new(),
            known: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, name: String, text: &str) -> Result<(), CombinationError> {
        let start = self.steps.len();
        let result = self.parse(&name, text);
        if let Err(Fault { position, reason }) = result {
            return Err(CombinationError { name, position, reason });
        }
        // Patterns number at most 2^31, and a combination takes memory: the sum fits in 32 bits.
        let number = (self.patterns + self.names.len()) as u32;
        self.expressions.push(start..self.steps.len());
        self.items.entry(name.clone()).or_default().push(number);
        self.known.insert(name.clone(), number);
        self.names.push(name);
        Ok(())
    }

    pub(super) fn finish(self) -> (Vec<String>, Program) {
        (self.names, Program::new(self.patterns, self.steps, self.expressions))
    }

    fn parse(&mut self, name: &str, text: &str) -> Result<(), Fault> {
        if self.known.contains_key(name) {
            return Err(Fault::new(0, "there is an earlier combination of this name"));
        }
        let mut expression = Expression { parser: self, text, at: 0, depth: 0 };
        expression.disjunction()?;
        match expression.next()? {
            (_, Token::End) => Ok(()),
            (at, token) => Err(Fault::new(at, format!("{token} is not expected here"))),
        }
    }
}

struct Fault {
    position: usize,
    reason: String,
}

impl Fault {
    fn new(position: usize, reason: impl Into<String>) -> Fault {
        Fault { position, reason: reason.into() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Comma,
    /// A name without quotes. It may be a keyword or a number, and may end with `*`.
    Word(String),
    Quoted(String),
    /// `#` and a number.
    Number(u64),
    End,
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Token::Open => f.write_str("`(`"),
            Token::Close => f.write_str("`)`"),
            Token::Comma => f.write_str("`,`"),
            Token::Word(word) => write!(f, "`{word}`"),
            Token::Quoted(name) => write!(f, "{name:?}"),
            Token::Number(number) => write!(f, "`#{number}`"),
            Token::End => f.write_str("the end"),
        }
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/')
}

/// The expression that is parsed, and how far. Each method appends the steps of what it has read.
struct Expression<'a> {
    parser: &'a mut Parser,
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Expression<'_> {
    fn disjunction(&mut self) -> Result<(), Fault> {
        self.series("or", 1, Self::conjunction)
    }

    fn conjunction(&mut self) -> Result<(), Fault> {
        self.series("and", u32::MAX, Self::factor)
    }

    /// One or more operands, separated by `word`. At least `least` of them must hold, or all.
    fn series(
        &mut self,
        word: &str,
        least: u32,
        operand: fn(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        operand(self)?;
        let mut operands = 1;
        while self.skip_word(word)? {
            operand(self)?;
            operands += 1;
        }
        if operands > 1 {
            self.push(Step::AtLeast { least: least.min(operands), operands })?;
        }
        Ok(())
    }

    fn factor(&mut self) -> Result<(), Fault> {
        let (at, token) = self.next()?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(at, format!("the expression nests deeper than {MAX_DEPTH}")));
        }
        match token {
            Token::Open => {
                self.disjunction()?;
                self.expect(&Token::Close)?;
            }
            Token::Word(word) if word == "not" => {
                self.factor()?;
                self.push(Step::Not)?;
            }
            Token::Word(word) if word == "any" => {
                let least = self.count()?;
                let operands = self.list()?;
                self.push(Step::AtLeast { least, operands })?;
            }
            Token::Word(word) if word == "all" => {
                let operands = self.list()?;
                self.push(Step::AtLeast { least: operands, operands })?;
            }
            Token::Word(word) if word == "none" => {
                let operands = self.list()?;
                self.push(Step::AtLeast { least: 1, operands })?;
                self.push(Step::Not)?;
            }
            token => {
                let items = self.items(at, &token, false)?;
                let operands = items.len() as u32;
                items.into_iter().try_for_each(|item| self.push(Step::Item(item)))?;
                if operands > 1 {
                    self.push(Step::AtLeast { least: 1, operands })?;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// The number after `any`, or 1 if there is none.
    fn count(&mut self) -> Result<u32, Fault> {
        let before = self.at;
        let (at, token) = self.next()?;
        match token {
            Token::Word(word) if word.bytes().all(|byte| byte.is_ascii_digit()) => word
                .parse()
                .map_err(|_| Fault::new(at, format!("the number `{word}` is too large"))),
            _ => {
                self.at = before;
                Ok(1)
            }
        }
    }

    /// `of` and a list. Pushes its members and returns how many there are.
    fn list(&mut self) -> Result<u32, Fault> {
        if !self.skip_word("of")? {
            let (at, token) = self.next()?;
            return Err(Fault::new(at, format!("`of` is expected here, not {token}")));
        }
        let (at, token) = self.next()?;
        let mut items = match token {
            Token::Word(word) if word == "them" => (0..self.parser.patterns as u32).collect(),
            Token::Open => {
                let mut items: Vec<u32> = Vec::new();
                loop {
                    let (at, token) = self.next()?;
                    items.extend(self.items(at, &token, true)?);
                    if items.len() > MAX_STEPS {
                        return Err(Fault::new(at, TOO_MANY_OPERANDS));
                    }
                    match self.next()? {
                        (_, Token::Comma) => {}
                        (_, Token::Close) => break items,
                        (at, token) => {
                            let reason = format!("`,` or `)` is expected here, not {token}");
                            return Err(Fault::new(at, reason));
                        }
                    }
                }
            }
            token => self.items(at, &token, true)?,
        };
        items.sort_unstable();
        items.dedup();
        items.iter().try_for_each(|&item| self.push(Step::Item(item)))?;
        Ok(items.len() as u32)
    }

    /// The items that a name or number stands for; at least one.
    fn items(&self, at: usize, token: &Token, in_list: bool) -> Result<Vec<u32>, Fault> {
        let (name, is_start) = match token {
            Token::Number(number) => {
                return match u32::try_from(*number) {
                    Ok(item) if (item as usize) < self.parser.patterns => Ok(vec![item]),
                    _ => {
                        let reason = format!(
                            "there is no pattern {number}, the set has {}",
                            self.parser.patterns
                        );
                        Err(Fault::new(at, reason))
                    }
                };
            }
            Token::Quoted(name) => (name.as_str(), false),
            Token::Word(word) if KEYWORDS.contains(&word.as_str()) => {
                return Err(Fault::new(at, format!("a name is expected here, not `{word}`")));
            }
            Token::Word(word) => match word.strip_suffix('*') {
                Some(start) => (start, true),
                None => (word.as_str(), false),
            },
            token => return Err(Fault::new(at, format!("a name is expected here, not {token}"))),
        };
        if is_start {
            if !in_list {
                return Err(Fault::new(at, "a name with `*` needs `any of` before it"));
            }
            let from = self.parser.items.range(name.to_owned()..);
            let items: Vec<u32> = from
                .take_while(|(other, _)| other.starts_with(name))
                .flat_map(|(_, items)| items.iter().copied())
                .collect();
            return match items.is_empty() {
                false => Ok(items),
                true => Err(Fault::new(at, format!("no pattern's name starts with {name:?}"))),
            };
        }
        match self.parser.items.get(name) {
            Some(items) => Ok(items.clone()),
            None => {
                Err(Fault::new(at, format!("no pattern or earlier combination is called {name:?}")))
            }
        }
    }

    fn push(&mut self, step: Step) -> Result<(), Fault> {
        if self.parser.steps.len() == MAX_STEPS {
            return Err(Fault::new(self.at, TOO_MANY_OPERANDS));
        }
        self.parser.steps.push(step);
        Ok(())
    }

    fn expect(&mut self, expected: &Token) -> Result<(), Fault> {
        match self.next()? {
            (_, token) if token == *expected => Ok(()),
            (at, token) => Err(Fault::new(at, format!("{expected} is expected here, not {token}"))),
        }
    }

    /// Reads the next token if it is this word.
    fn skip_word(&mut self, word: &str) -> Result<bool, Fault> {
        let before = self.at;
        let is_word = matches!(self.next()?, (_, Token::Word(found)) if found == word);
        if !is_word {
            self.at = before;
        }
        Ok(is_word)
    }

    /// Reads the next token, and returns it with its position.
    fn next(&mut self) -> Result<(usize, Token), Fault> {
        let rest = &self.text[self.at..];
        let start = self.text.len() - rest.trim_start().len();
        let rest = &self.text[start..];
        let Some(first) = rest.chars().next() else {
            self.at = start;
            return Ok((start, Token::End));
        };
        let (len, token) = match first {
            '(' => (1, Token::Open),
            ')' => (1, Token::Close),
            ',' => (1, Token::Comma),
            '"' => quoted(rest).ok_or_else(|| Fault::new(start, "the quote is not closed"))?,
            '#' => {
                let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
                let number = rest[1..1 + digits]
                    .parse()
                    .map_err(|_| Fault::new(start, "`#` needs the number of a pattern after it"))?;
                (1 + digits, Token::Number(number))
            }
            c if is_of_name(c) || c == '*' => {
                let mut len = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
                len += usize::from(rest[len..].starts_with('*'));
                (len, Token::Word(rest[..len].to_owned()))
            }
            other => return Err(Fault::new(start, format!("{other:?} is not expected here"))),
        };
        self.at = start + len;
        Ok((start, token))
    }
}

/// Reads a name in quotes at the start of `text`. Returns its length there, and the name.
fn quoted(text: &str) -> Option<(usize, Token)> {
    let mut name = String::new();
    let mut chars = text.char_indices().skip(1);
    loop {
        match chars.next()? {
            (at, '"') => return Some((at + 1, Token::Quoted(name))),
            (_, '\\') => name.push(chars.next()?.1),
            (_, c) => name.push(c),
        }
    }
}
