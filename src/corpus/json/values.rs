//! Values that are only checked and passed over.

use super::{Scan, Scanner};

/// Nesting deeper than this is refused, as serde_json does.
const MAX_DEPTH: u32 = 127;

impl<'a> Scanner<'a> {
    fn number(&mut self) -> Scan<()> {
        let digits = |scanner: &mut Self| {
            let from = scanner.at;
            while scanner.here().is_ascii_digit() {
                scanner.at += 1;
            }
            if scanner.at == from {
                scanner.fault("illegal number")
            } else {
                Ok(())
            }
        };
        if self.here() == b'-' {
            self.at += 1;
        }
        if self.here() == b'0' {
            self.at += 1;
        } else {
            digits(self)?;
        }
        if self.here() == b'.' {
            self.at += 1;
            digits(self)?;
        }
        if matches!(self.here(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.here(), b'+' | b'-') {
                self.at += 1;
            }
            digits(self)?;
        }
        Ok(())
    }

    /// Consumes any value and gives its text.
    ///
    /// # Errors
    /// [`Fault`] at the byte where it stops being JSON.
    pub fn skip(&mut self) -> Scan<&'a str> {
        self.peek();
        let start = self.at;
        // One bit a level: 1 for an object, 0 for an array.
        let mut levels: u128 = 0;
        let mut depth = 0;
        'value: loop {
            match self.peek() {
                b'"' => {
                    self.string()?;
                }
                open @ (b'[' | b'{') => {
                    self.at += 1;
                    let object = open == b'{';
                    if !self.eat(if object { b'}' } else { b']' }) {
                        if depth == MAX_DEPTH {
                            return self.fault("nested too deeply");
                        }
                        levels = levels << 1 | u128::from(object);
                        depth += 1;
                        if object {
                            self.key()?;
                        }
                        continue 'value;
                    }
                }
                b'n' => self.word("null")?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'-' | b'0'..=b'9' => self.number()?,
                _ => return self.fault("expected a JSON value"),
            }
            loop {
                if depth == 0 {
                    return Ok(&self.text[start..self.at]);
                }
                let object = levels & 1 == 1;
                match self.peek() {
                    b',' => {
                        self.at += 1;
                        if object {
                            self.key()?;
                        }
                        continue 'value;
                    }
                    b'}' if object => {}
                    b']' if !object => {}
                    _ => return self.fault("expected ',' or the end of the value"),
                }
                self.at += 1;
                levels >>= 1;
                depth -= 1;
            }
        }
    }
}
