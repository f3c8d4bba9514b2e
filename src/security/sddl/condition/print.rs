//! Condition tokens to text.

use super::{
    super::{
        super::{
            bytes::{array_at, counted_at},
            sid::Sid,
        },
        print::{push, push_sid},
    },
    AND, ATTRIBUTES, BASE_DECIMAL, BASE_HEXADECIMAL, BASE_OCTAL, COMPOSITE, EXISTENCES, INT8, INT64, INTEGER_BODY,
    LOCAL_ATTRIBUTE, MAX_COMPOSITE_DEPTH, MEMBERSHIPS, NOT, OCTETS, OR, PADDING, RELATIONS, SID, SIGN_MINUS, SIGN_NONE,
    SIGN_PLUS, SIGNATURE, STRING, by_token, by_word, is_local_name, is_prefixed_name,
    text::push_name_unit,
};

/// The text of the data of a callback ACE, or why there is none.
pub(in super::super) fn print(data: &[u8]) -> Result<String, &'static str> {
    let tokens = data.strip_prefix(&SIGNATURE).ok_or("the data is not a condition")?;
    let nodes = decode(tokens)?;
    let mut out = String::new();
    let Some(root) = nodes.len().checked_sub(1) else { return Err(MALFORMED) };
    let mut steps = vec![Step::Node(root)];
    while let Some(step) = steps.pop() {
        match step {
            Step::Text(text) => out.push_str(text),
            Step::Node(index) => {
                let node = nodes.get(index).ok_or(MALFORMED)?;
                out.push('(');
                steps.push(Step::Text(")"));
                match *node {
                    Node::Binary { operator, left, right } => {
                        steps.extend([Step::Node(right), Step::Text(operator), Step::Node(left)]);
                    }
                    Node::Not(operand) => {
                        out.push('!');
                        steps.push(Step::Node(operand));
                    }
                    Node::Relation { left, operator, right } => {
                        push_attribute(&mut out, left)?;
                        push(&mut out, format_args!(" {operator} "));
                        push_operand(&mut out, right)?;
                    }
                    Node::Prefix { operator, operand } => {
                        push(&mut out, format_args!("{operator} "));
                        push_operand(&mut out, operand)?;
                    }
                    Node::Attribute(attribute) => push_attribute(&mut out, attribute)?,
                }
            }
        }
    }
    Ok(out)
}

/// What is left to print, last first.
enum Step {
    Node(usize),
    Text(&'static str),
}

/// A condition. Its parts are named by their place in the list, where they stand before it.
enum Node<'a> {
    Binary { operator: &'static str, left: usize, right: usize },
    Not(usize),
    Relation { left: Token<'a>, operator: &'static str, right: Token<'a> },
    Prefix { operator: &'static str, operand: Token<'a> },
    Attribute(Token<'a>),
}

/// What the postfix order leaves for the operators to come.
#[derive(Clone, Copy)]
enum Operand<'a> {
    Plain(Token<'a>),
    Condition(usize),
}

#[derive(Clone, Copy)]
struct Token<'a> {
    code: u8,
    body: &'a [u8],
}

/// Turns postfix order into nodes, the whole condition last. No more nodes than bytes.
fn decode(mut bytes: &[u8]) -> Result<Vec<Node<'_>>, &'static str> {
    let mut nodes = Vec::new();
    let mut stack = Vec::new();
    while let Some(&code) = bytes.first() {
        if code == PADDING {
            if bytes.iter().any(|&byte| byte != PADDING) {
                return Err(MALFORMED);
            }
            break;
        }
        let (token, rest) = Token::read(bytes)?;
        bytes = rest;
        let node = if code == AND || code == OR {
            let right = condition(&mut nodes, stack.pop())?;
            let left = condition(&mut nodes, stack.pop())?;
            Node::Binary { operator: if code == AND { " && " } else { " || " }, left, right }
        } else if code == NOT {
            Node::Not(condition(&mut nodes, stack.pop())?)
        } else if let Some(operator) = by_token(RELATIONS, code) {
            let (Some(Operand::Plain(right)), Some(Operand::Plain(left))) = (stack.pop(), stack.pop()) else {
                return Err(MALFORMED);
            };
            if !left.is_attribute() || right.code == LOCAL_ATTRIBUTE {
                return Err(MALFORMED);
            }
            Node::Relation { left, operator, right }
        } else if let Some(operator) = by_token(EXISTENCES, code).or_else(|| by_token(MEMBERSHIPS, code)) {
            let Some(Operand::Plain(operand)) = stack.pop() else { return Err(MALFORMED) };
            let fits = if by_token(EXISTENCES, code).is_some() { operand.is_attribute() } else { operand.is_sids() };
            if !fits {
                return Err(MALFORMED);
            }
            Node::Prefix { operator, operand }
        } else {
            stack.push(Operand::Plain(token));
            continue;
        };
        nodes.push(node);
        stack.push(Operand::Condition(nodes.len() - 1));
    }
    let root = condition(&mut nodes, stack.pop())?;
    if stack.is_empty() && root + 1 == nodes.len() { Ok(nodes) } else { Err(MALFORMED) }
}

/// The condition on top of the stack; an attribute is one, too.
fn condition<'a>(nodes: &mut Vec<Node<'a>>, operand: Option<Operand<'a>>) -> Result<usize, &'static str> {
    match operand {
        Some(Operand::Condition(index)) => Ok(index),
        Some(Operand::Plain(token)) if token.is_attribute() => {
            nodes.push(Node::Attribute(token));
            Ok(nodes.len() - 1)
        }
        _ => Err(MALFORMED),
    }
}

impl<'a> Token<'a> {
    /// Takes a token from the front.
    fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), &'static str> {
        let (&code, rest) = bytes.split_first().ok_or(MALFORMED)?;
        let (start, length) = match code {
            INT8..=INT64 => (0, INTEGER_BODY),
            STRING | OCTETS | COMPOSITE | SID | LOCAL_ATTRIBUTE..=0xFB => {
                (4, counted_at(rest, 0).ok_or(MALFORMED)?.len())
            }
            AND | OR | NOT | 0x80..=0x93 => (0, 0),
            _ => return Err(MALFORMED),
        };
        let body = rest.get(start..).and_then(|body| body.get(..length)).ok_or(MALFORMED)?;
        Ok((Self { code, body }, rest.get(start + length..).unwrap_or_default()))
    }

    fn is_attribute(self) -> bool {
        self.code >= LOCAL_ATTRIBUTE
    }

    /// Whether this is a SID, or a composite of nothing but SIDs.
    fn is_sids(self) -> bool {
        let mut rest = self.body;
        while self.code == COMPOSITE && !rest.is_empty() {
            match Token::read(rest) {
                Ok((Token { code: SID, .. }, behind)) => rest = behind,
                _ => return false,
            }
        }
        matches!(self.code, SID | COMPOSITE)
    }

    fn units(self) -> Result<impl Iterator<Item = u16> + Clone + 'a, &'static str> {
        if self.body.len() % 2 == 1 {
            return Err(MALFORMED);
        }
        Ok(self.body.chunks_exact(2).map(|unit| array_at(unit, 0).map(u16::from_le_bytes).unwrap_or_default()))
    }
}

fn push_operand(out: &mut String, token: Token<'_>) -> Result<(), &'static str> {
    if token.is_attribute() { push_attribute(out, token) } else { push_literal(out, token, 0) }
}

fn push_attribute(out: &mut String, token: Token<'_>) -> Result<(), &'static str> {
    let mut units = token.units()?;
    if token.body.is_empty() {
        return Err("an attribute has no name");
    }
    if let Some(prefix) = by_token(ATTRIBUTES, token.code) {
        out.push_str(prefix);
        units.for_each(|unit| push_name_unit(out, unit, is_prefixed_name));
        return Ok(());
    }
    // A local attribute called like an operator would be read as that operator.
    let name: String = char::decode_utf16(units.clone()).map(|c| c.unwrap_or('\0')).collect();
    if by_word(EXISTENCES, &name).or_else(|| by_word(MEMBERSHIPS, &name)).is_some() {
        units.by_ref().take(1).for_each(|unit| push_name_unit(out, unit, |_| false));
    }
    units.for_each(|unit| push_name_unit(out, unit, is_local_name));
    Ok(())
}

fn push_literal(out: &mut String, token: Token<'_>, depth: usize) -> Result<(), &'static str> {
    match token.code {
        INT8..=INT64 => return push_integer(out, token.body),
        STRING => {
            let text: Result<String, _> = char::decode_utf16(token.units()?).collect();
            let text = text.map_err(|_| "a string is not valid UTF-16")?;
            if text.contains('"') {
                return Err("a string contains a quotation mark");
            }
            push(out, format_args!("\"{text}\""));
        }
        OCTETS => {
            out.push('#');
            for octet in token.body {
                push(out, format_args!("{octet:02x}"));
            }
        }
        SID => {
            let sid = Sid::parse(token.body).map_err(|_| MALFORMED)?;
            if sid.size() != token.body.len() {
                return Err(MALFORMED);
            }
            out.push_str("SID(");
            push_sid(out, &sid);
            out.push(')');
        }
        COMPOSITE if depth < MAX_COMPOSITE_DEPTH => {
            let mut separator = "{";
            let mut rest = token.body;
            while !rest.is_empty() {
                let (element, behind) = Token::read(rest)?;
                out.push_str(separator);
                push_literal(out, element, depth + 1)?;
                separator = ", ";
                rest = behind;
            }
            if token.body.is_empty() {
                return Err("a composite is empty");
            }
            out.push('}');
        }
        _ => return Err(MALFORMED),
    }
    Ok(())
}

fn push_integer(out: &mut String, body: &[u8]) -> Result<(), &'static str> {
    let bits = array_at(body, 0).map(u64::from_le_bytes).ok_or(MALFORMED)?;
    let [sign, base] = array_at(body, 8).ok_or(MALFORMED)?;
    let magnitude = match sign {
        SIGN_PLUS => {
            out.push('+');
            bits
        }
        SIGN_MINUS => {
            out.push('-');
            bits.wrapping_neg()
        }
        SIGN_NONE => bits,
        _ => return Err(MALFORMED),
    };
    if sign == SIGN_MINUS && magnitude > i64::MIN.unsigned_abs() {
        return Err(MALFORMED);
    }
    match base {
        // A zero alone is read as decimal.
        BASE_OCTAL => push(out, format_args!("0{magnitude:o}")),
        BASE_DECIMAL => push(out, format_args!("{magnitude}")),
        BASE_HEXADECIMAL => push(out, format_args!("{magnitude:#x}")),
        _ => return Err(MALFORMED),
    }
    Ok(())
}

const MALFORMED: &str = "the condition is malformed";
