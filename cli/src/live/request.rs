//! A request as far as a page needs it: GET with headers, no body; and answers to it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The most bytes of a request line with its headers.
const MOST: usize = 16 << 10;
/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request line and its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// GET, or another that is refused.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// Names in small letters, and values.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// The value of a header that comes once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(found, _)| found == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// Whether one of the words of a header is `word`.
    pub fn says(&self, name: &str, word: &str) -> bool {
        let words = self.header(name).unwrap_or_default().split(',');
        words
            .map(str::trim)
            .any(|found| found.eq_ignore_ascii_case(word))
    }

    /// Reads a request, and what has come after it.
    ///
    /// # Errors
    /// If it is too long, too slow, or none.
    pub fn read(stream: &mut TcpStream) -> io::Result<(Self, Vec<u8>)> {
        let begun = Instant::now();
        let mut bytes = Vec::new();
        let mut chunk = [0; 2048];
        loop {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            let read = match stream.read(&mut chunk) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            // The end may lie across two chunks.
            let from = bytes.len().saturating_sub(3);
            bytes.extend_from_slice(&chunk[..read]);
            if let Some(at) = bytes[from..].windows(4).position(|w| w == b"\r\n\r\n") {
                let end = from + at;
                let request = Self::parse(&bytes[..end]);
                let rest = bytes.split_off(end + 4);
                return request
                    .map(|request| (request, rest))
                    .ok_or_else(|| io::ErrorKind::InvalidData.into());
            }
            if bytes.len() > MOST {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }

    fn parse(head: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, target, version) = (first.next()?, first.next()?, first.next()?);
        if first.next().is_some() || version != "HTTP/1.1" || !target.starts_with('/') {
            return None;
        }
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
            plain.then(|| (name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Some(Self {
            method: method.to_owned(),
            path: target.split('?').next().unwrap_or(target).to_owned(),
            headers: lines.map(header).collect::<Option<_>>()?,
        })
    }
}

/// What a browser is told of every answer: nothing from elsewhere, in no frame, kept nowhere, and no token to other sites.
const HEADERS: &str = "Connection: close\r\n\
    Cache-Control: no-store\r\n\
    Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src blob:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
    Cross-Origin-Opener-Policy: same-origin\r\n\
    Cross-Origin-Resource-Policy: same-origin\r\n\
    Permissions-Policy: camera=(self), microphone=(), geolocation=()\r\n\
    Referrer-Policy: no-referrer\r\n\
    X-Content-Type-Options: nosniff\r\n";

/// Answers, and that is all.
///
/// # Errors
/// If it cannot be written.
pub fn answer(stream: &mut TcpStream, status: &str, kind: &str, body: &[u8]) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n{HEADERS}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_line_and_headers() {
        let request = Request::parse(
            b"GET /a/b.js?x=1 HTTP/1.1\r\nHost: localhost:1\r\nConnection: keep-alive, Upgrade",
        )
        .unwrap();
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("GET", "/a/b.js")
        );
        assert_eq!(request.header("host"), Some("localhost:1"));
        assert!(request.says("connection", "upgrade") && !request.says("connection", "close"));
        let twice = Request::parse(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b").unwrap();
        assert_eq!(twice.header("host"), None);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for text in [
            "",
            "GET",
            "GET /",
            "GET  / HTTP/1.1",
            "GET http://a/ HTTP/1.1",
            "GET / HTTP/1.0",
            "GET / HTTP/1.1\r\nno colon",
            "GET / HTTP/1.1\r\n: x",
            "GET / HTTP/1.1\r\nA b: x",
        ] {
            assert_eq!(Request::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Request::parse(b"GET /\xff HTTP/1.1"), None);
    }
}
