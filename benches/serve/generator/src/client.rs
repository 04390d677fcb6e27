//! One connection, kept: a request goes out, its answer is read to the end.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write, sink};
use std::net::TcpStream;
use std::time::Duration;

/// After so long a request is lost.
const PATIENCE: Duration = Duration::from_secs(300);

/// Where requests go.
pub struct Place {
    /// HOST:PORT.
    pub address: String,
    /// Begins with a slash.
    pub path: String,
}

impl Place {
    /// Reads `http://HOST:PORT/PATH`.
    pub fn parse(url: &str) -> std::result::Result<Self, String> {
        let rest = url.strip_prefix("http://");
        let rest = rest.ok_or_else(|| format!("{url:?}: must begin with http://"))?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let port = if host.contains(':') { "" } else { ":80" };
        Ok(Self {
            address: format!("{host}{port}"),
            path: format!("/{path}"),
        })
    }

    /// A request as it is sent.
    pub fn request(&self, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            self.path,
            self.address,
            body.len()
        );
        [head.as_bytes(), body].concat()
    }
}

/// One connection at a time to a place.
pub struct Client<'a> {
    place: &'a Place,
    pipe: Option<BufReader<TcpStream>>,
}

impl<'a> Client<'a> {
    /// Connects with the first request.
    pub fn new(place: &'a Place) -> Self {
        Self { place, pipe: None }
    }

    /// Sends a request; its status, 0 where the connection broke or nothing came.
    pub fn ask(&mut self, request: &[u8]) -> u16 {
        self.asked(request).unwrap_or_else(|_| {
            self.pipe = None;
            0
        })
    }

    fn asked(&mut self, request: &[u8]) -> Result<u16> {
        // A service hangs up on who has been silent for long.
        let kept = self.pipe.take().filter(|pipe| alive(pipe.get_ref()));
        let pipe = match kept {
            Some(pipe) => self.pipe.insert(pipe),
            None => {
                let stream = TcpStream::connect(&self.place.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                self.pipe.insert(BufReader::new(stream))
            }
        };
        pipe.get_mut().write_all(request)?;
        let (line, length) = head(pipe)?;
        let read = std::io::copy(&mut pipe.take(length), &mut sink())?;
        let status = line.get(9..12).and_then(|status| status.parse().ok());
        match status {
            Some(status) if read == length => Ok(status),
            _ => Err(Error::from(ErrorKind::UnexpectedEof)),
        }
    }
}

/// Whether the other side has not hung up: nothing can be read yet, nor is it the end.
fn alive(stream: &TcpStream) -> bool {
    let peeked = stream
        .set_nonblocking(true)
        .and_then(|()| stream.peek(&mut [0]));
    let waiting = matches!(&peeked, Err(error) if error.kind() == ErrorKind::WouldBlock);
    stream.set_nonblocking(false).is_ok() && waiting
}

/// Reads a head: its first line, and the length of the body that follows. It is an error where no
/// length is said: what follows would be read as the next head.
pub fn head(pipe: &mut impl BufRead) -> Result<(String, u64)> {
    let (mut first, mut length) = (None, None);
    loop {
        let mut line = String::new();
        if pipe.read_line(&mut line)? == 0 {
            return Err(Error::from(ErrorKind::UnexpectedEof));
        }
        let line = line.trim_end();
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = Some(value.trim().parse().map_err(Error::other)?);
        }
        match (&first, line) {
            (Some(_), "") => {
                let unsaid = || Error::other("an answer without a Content-Length");
                return Ok((first.unwrap_or_default(), length.ok_or_else(unsaid)?));
            }
            (None, _) => first = Some(line.to_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_its_first_line_and_the_length_of_the_body() {
        let mut answer = &b"HTTP/1.1 429 Too Many\r\ncontent-LENGTH: 2\r\nx: y\r\n\r\nab"[..];
        let (line, length) = head(&mut answer).unwrap();
        assert_eq!((line.as_str(), length), ("HTTP/1.1 429 Too Many", 2));
        assert_eq!(answer, b"ab");
        assert!(head(&mut &b"HTTP/1.1 200 OK\r\n"[..]).is_err());
        assert!(head(&mut &b"HTTP/1.1 200 OK\r\n\r\n"[..]).is_err());
    }

    #[test]
    fn a_url_is_a_host_with_a_port_and_a_path() {
        let place = Place::parse("http://127.0.0.1:8000/v1/classify").unwrap();
        assert_eq!(place.address, "127.0.0.1:8000");
        assert_eq!(place.path, "/v1/classify");
        assert_eq!(Place::parse("http://desk").unwrap().address, "desk:80");
        assert!(Place::parse("desk:80").is_err());
    }
}
