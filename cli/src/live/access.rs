//! Who may ask: the checks of Host, Origin and token.
//!
//! A page of another site can make a browser send requests here, and a name of that site can be made to resolve to this
//! machine (DNS rebinding): its requests then carry that name in Host, and a WebSocket the other site in Origin.

use std::hint::black_box;
use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, anyhow};

use super::request::Request;

/// What a request must bring.
#[derive(Debug, Clone)]
pub struct Access {
    address: SocketAddr,
    token: Option<String>,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The Host header names another machine.
    Host,
    /// The Origin header names another page, or is missing.
    Origin,
    /// The address lacks the token.
    Token,
}

impl Refusal {
    /// The status of the answer.
    pub fn status(self) -> &'static str {
        match self {
            Self::Host => "421 Misdirected Request",
            Self::Origin | Self::Token => "403 Forbidden",
        }
    }

    /// What is wrong, and what to do.
    pub fn text(self) -> &'static str {
        match self {
            Self::Host => {
                "scotopic live: the Host header is not the address of this server: open the address that the program printed\n"
            }
            Self::Origin => {
                "scotopic live: a WebSocket is opened only by the page itself: open the address that the program printed\n"
            }
            Self::Token => {
                "scotopic live: the address lacks the token: open the whole address that the program printed\n"
            }
        }
    }
}

/// 128 random bits of the operating system, in hexadecimal.
///
/// # Errors
/// If the system has none.
pub fn new_token() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("the system gave no random numbers for a token: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Access {
    /// For a server that listens at `address`; with a token, only for addresses that begin with it.
    pub fn new(address: SocketAddr, token: Option<String>) -> Self {
        Self { address, token }
    }

    /// The address of the page.
    pub fn url(&self) -> String {
        match &self.token {
            Some(token) => format!("http://{}/{token}/", self.address),
            None => format!("http://{}/", self.address),
        }
    }

    /// The path that a request asks for, without the token.
    ///
    /// # Errors
    /// What it lacks.
    pub fn path<'r>(&self, request: &'r Request) -> Result<&'r str, Refusal> {
        if !request.header("host").is_some_and(|host| self.knows(host)) {
            return Err(Refusal::Host);
        }
        let Some(token) = &self.token else {
            return Ok(&request.path);
        };
        let rest = request.path.strip_prefix('/').unwrap_or_default();
        match rest.split_once('/') {
            Some((given, _)) if is_equal(given, token) => Ok(&rest[given.len()..]),
            _ => Err(Refusal::Token),
        }
    }

    /// Whether a WebSocket may be opened: only from the page that this server gave out.
    ///
    /// # Errors
    /// [`Refusal::Origin`] where it comes from elsewhere.
    pub fn socket(&self, request: &Request) -> Result<(), Refusal> {
        let own = |host: &str| format!("http://{host}");
        let host = request.header("host").map(own);
        match (request.header("origin"), host) {
            (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(&host) => Ok(()),
            _ => Err(Refusal::Origin),
        }
    }

    /// Whether a Host header means this server: `localhost` or an address of a machine, never another name, which might be
    /// one that was made to resolve to it.
    fn knows(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port),
            _ => (host, "80"),
        };
        if port.parse() != Ok(self.address.port()) {
            return false;
        }
        let literal = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
        match literal.unwrap_or(name).parse::<IpAddr>() {
            Ok(ip) => ip.is_loopback() || !self.address.ip().is_loopback(),
            Err(_) => name.eq_ignore_ascii_case("localhost"),
        }
    }
}

/// Compares in a time that depends on the lengths alone.
fn is_equal(given: &str, token: &str) -> bool {
    let pairs = given.bytes().zip(token.bytes());
    let differing = pairs.fold(0, |sum, (a, b)| black_box(sum | (a ^ b)));
    given.len() == token.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, headers: &[(&str, &str)]) -> Request {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Request {
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: headers.iter().map(owned).collect(),
        }
    }

    fn access(address: &str, token: Option<&str>) -> Access {
        Access::new(address.parse().unwrap(), token.map(str::to_owned))
    }

    #[test]
    fn only_this_machine_is_known_on_loopback() {
        let here = access("127.0.0.1:4000", None);
        for host in [
            "127.0.0.1:4000",
            "localhost:4000",
            "LOCALHOST:4000",
            "[::1]:4000",
        ] {
            assert_eq!(
                here.path(&request("/x", &[("host", host)])),
                Ok("/x"),
                "{host}"
            );
        }
        for host in [
            "127.0.0.1:4001",
            "localhost",
            "evil.example:4000",
            "10.0.0.7:4000",
            "",
            "127.0.0.1.evil.example:4000",
        ] {
            let asked = request("/x", &[("host", host)]);
            let refused = here.path(&asked);
            assert_eq!(refused, Err(Refusal::Host), "{host}");
        }
        assert_eq!(here.path(&request("/x", &[])), Err(Refusal::Host));
        assert!(
            access("127.0.0.1:80", None)
                .path(&request("/", &[("host", "localhost")]))
                .is_ok()
        );
    }

    #[test]
    fn elsewhere_the_address_begins_with_the_token() {
        let open = access("0.0.0.0:4000", Some("abcd"));
        let ask = |path| {
            open.path(&request(path, &[("host", "10.0.0.7:4000")]))
                .map(str::to_owned)
        };
        assert_eq!(ask("/abcd/"), Ok("/".to_owned()));
        assert_eq!(ask("/abcd/page.js"), Ok("/page.js".to_owned()));
        for path in ["/", "/abcd", "/abc/", "/abcde/", "/abce/page.js", "//abcd/"] {
            assert_eq!(ask(path), Err(Refusal::Token), "{path}");
        }
        assert_eq!(open.url(), "http://0.0.0.0:4000/abcd/");
        let asked = request("/abcd/", &[("host", "evil.example:4000")]);
        let named = open.path(&asked);
        assert_eq!(named, Err(Refusal::Host));
    }

    #[test]
    fn sockets_are_opened_by_the_page_alone() {
        let here = access("127.0.0.1:4000", None);
        let ask = |origin| {
            here.socket(&request(
                "/socket",
                &[("host", "localhost:4000"), ("origin", origin)],
            ))
        };
        assert_eq!(ask("http://localhost:4000"), Ok(()));
        for origin in [
            "http://127.0.0.1:4000",
            "https://localhost:4000",
            "http://evil.example",
            "null",
            "",
        ] {
            assert_eq!(ask(origin), Err(Refusal::Origin), "{origin}");
        }
        let silent = here.socket(&request("/socket", &[("host", "localhost:4000")]));
        assert_eq!(silent, Err(Refusal::Origin));
    }

    #[test]
    fn tokens_are_random() {
        let (a, b) = (new_token().unwrap(), new_token().unwrap());
        assert!(a.len() == 32 && a.bytes().all(|c| c.is_ascii_hexdigit()));
        assert_ne!(a, b);
        assert!(is_equal(&a, &a) && !is_equal(&a, &b) && !is_equal("", &a));
    }
}
