//! The live window: who gets in, what goes wrong, and that it says what the other commands say.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

use super::support::{command, folder, scotopic, trained};

/// The program with a page, until it is dropped.
struct Live {
    child: Child,
    address: SocketAddr,
    /// What comes before the names of files.
    path: String,
}

impl Live {
    fn start(folder: &Path, args: &[&str]) -> Self {
        Self::with_input(folder, args, Stdio::null())
    }

    fn with_input(folder: &Path, args: &[&str], input: Stdio) -> Self {
        let all = [&["live", "--no-open", "--port", "0"], args].concat();
        let mut child = command(folder, &all)
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut url)
            .unwrap();
        let rest = url
            .trim()
            .strip_prefix("http://")
            .unwrap_or_else(|| panic!("no address: {url:?}"));
        let (address, path) = rest.split_once('/').unwrap();
        let mut address: SocketAddr = address.parse().unwrap();
        if address.ip().is_unspecified() {
            address.set_ip([127, 0, 0, 1].into());
        }
        Self {
            child,
            address,
            path: format!("/{path}"),
        }
    }

    /// The answer to a request with these headers: its status, and everything after it.
    fn ask(&self, first: &str, headers: &[&str]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "{first}\r\n").unwrap();
        for header in headers {
            write!(stream, "{header}\r\n").unwrap();
        }
        write!(stream, "\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        (
            status.unwrap_or_else(|| panic!("no answer: {answer:?}")),
            answer,
        )
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.ask(
            &format!("GET {path} HTTP/1.1"),
            &[&format!("Host: {}", self.address)],
        )
    }

    /// The status of an attempt to open a WebSocket.
    fn knock(&self, host: &str, origin: Option<&str>) -> u16 {
        let mut headers = vec![
            format!("Host: {host}"),
            "Connection: Upgrade".to_owned(),
            "Upgrade: websocket".to_owned(),
            "Sec-WebSocket-Version: 13".to_owned(),
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==".to_owned(),
        ];
        headers.extend(origin.map(|origin| format!("Origin: {origin}")));
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        self.ask(&format!("GET {}socket HTTP/1.1", self.path), &headers)
            .0
    }

    fn open(&self) -> Page {
        let mut request = format!("ws://{}{}socket", self.address, self.path)
            .into_client_request()
            .unwrap();
        let origin = format!("http://{}", self.address);
        request
            .headers_mut()
            .insert("Origin", origin.parse().unwrap());
        let stream = TcpStream::connect(self.address).unwrap();
        Page(tungstenite::client(request, stream).unwrap().0)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client, as a page is one.
struct Page(WebSocket<TcpStream>);

impl Page {
    fn send(&mut self, text: &str) {
        self.0.send(Message::text(text.to_owned())).unwrap();
    }

    /// The next message of a kind for which `is` holds.
    #[track_caller]
    fn wait(&mut self, kind: &str, is: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Message::Text(text) = self.0.read().unwrap() {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["kind"] == kind && is(&message) {
                    return message;
                }
            }
        }
    }

    fn drop_series(&mut self, name: &str, text: &[u8]) {
        let bytes = [&[2, name.len() as u8, 0, 0], name.as_bytes(), text].concat();
        self.0.send(Message::binary(bytes)).unwrap();
    }

    /// The line of the last row of a series, once all of it has been seen.
    fn last_line(&mut self, count: u64) -> Value {
        loop {
            let rows = self.wait("rows", |m| m["so_far"]["observations"] == count);
            if let Some(last) = rows["rows"].as_array().unwrap().last() {
                return last["line"].clone();
            }
        }
    }
}

const WALK: &str = r#"kind = "linear-gaussian"
transition = [[1.0]]
process_noise = [[0.1]]
observation = [[1.0]]
observation_noise = [[1.0]]
initial_mean = [0.0]
initial_covariance = [[1.0]]
"#;

/// A model file, and a series drawn from it.
fn walk(folder: &Path, length: usize) {
    fs::write(folder.join("walk.toml"), WALK).unwrap();
    let length = length.to_string();
    let args = [
        "sample",
        "--model",
        "walk.toml",
        "--length",
        &length,
        "--out",
        "y.csv",
        "--quiet",
    ];
    scotopic(folder, &args).good();
}

#[test]
fn the_page_is_served_whole_and_to_nobody_else() {
    let folder = folder();
    let live = Live::start(folder.path(), &[]);
    let (status, page) = live.get("/");
    assert_eq!(status, 200);
    assert!(
        page.contains("Content-Security-Policy: default-src 'none'") && page.contains("<canvas")
    );
    // Every file that the page names is there.
    let names = page
        .split(['"', '\''])
        .filter(|name| name.ends_with(".js") || name.ends_with(".css"));
    for name in names {
        assert_eq!(live.get(&format!("/{name}")).0, 200, "{name}");
    }
    let host = format!("Host: {}", live.address);
    for (first, headers, expected) in [
        ("GET /nothing HTTP/1.1", &[host.as_str()][..], 404),
        ("GET /../Cargo.toml HTTP/1.1", &[&host], 404),
        ("POST / HTTP/1.1", &[&host], 405),
        ("GET / HTTP/1.0", &[&host], 400),
        ("GET / HTTP/1.1", &[], 421),
        ("GET / HTTP/1.1", &["Host: scotopic.example"], 421),
        ("GET / HTTP/1.1", &[&host, &host], 421),
    ] {
        assert_eq!(live.ask(first, headers).0, expected, "{first} {headers:?}");
    }
    let long = format!("X: {}", "x".repeat(20_000));
    assert_eq!(live.ask("GET / HTTP/1.1", &[&host, &long]).0, 400);
}

#[test]
fn sockets_are_for_the_page_alone() {
    let folder = folder();
    let live = Live::start(folder.path(), &[]);
    let host = live.address.to_string();
    for (host, origin, expected) in [
        (&*host, None, 403),
        (&host, Some("http://scotopic.example"), 403),
        (&host, Some("null"), 403),
        (&host, Some("http://localhost:1"), 403),
        ("scotopic.example", Some("http://scotopic.example"), 421),
    ] {
        assert_eq!(live.knock(host, origin), expected, "{host} {origin:?}");
    }
    let hello = live.open().wait("hello", |_| true);
    assert_eq!(hello["tabs"], serde_json::json!(["network", "filter"]));
    // Sixteen pages, and not one more.
    let mut pages: Vec<Page> = (0..16).map(|_| live.open()).collect();
    pages
        .iter_mut()
        .for_each(|page| drop(page.wait("hello", |_| true)));
    assert_eq!(live.knock(&host, Some(&format!("http://{host}"))), 503);
}

#[test]
fn other_machines_need_the_token() {
    let folder = folder();
    let live = Live::start(folder.path(), &["--host", "0.0.0.0"]);
    assert_eq!(live.path.len(), 34, "{}", live.path);
    assert_eq!(live.get(&live.path).0, 200);
    assert_eq!(live.get(&format!("{}style.css", live.path)).0, 200);
    let mut wrong = live.path.clone();
    let last = if wrong.ends_with("0/") { "1/" } else { "0/" };
    wrong.replace_range(32.., last);
    for path in ["/", "/style.css", "/socket", &wrong] {
        assert_eq!(live.get(path).0, 403, "{path}");
    }
    live.open().wait("hello", |_| true);
}

#[test]
fn messages_that_are_too_large_or_none_are_refused() {
    let folder = folder();
    let live = Live::start(folder.path(), &[]);
    let mut page = live.open();
    page.wait("hello", |_| true);
    page.send("{\"to\":\"network\",\"command\":{\"do\":\"load\",\"id\":\"/etc/passwd\"}}");
    let error = page.wait("error", |_| true);
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("no checkpoint of the list"),
        "{error}"
    );
    page.send("nonsense");
    let error = page.wait("error", |_| true);
    assert!(
        error["message"].as_str().unwrap().contains("not a command"),
        "{error}"
    );
    // It may be told while it is still sending.
    let _ = page.0.send(Message::binary(vec![0; (8 << 20) + 1]));
    let closed = loop {
        match page.0.read() {
            Ok(Message::Close(frame)) => break frame.map(|frame| frame.code),
            Ok(_) => {}
            Err(_) => break None,
        }
    };
    assert!(matches!(closed, None | Some(CloseCode::Size)), "{closed:?}");
    live.open().wait("hello", |_| true);
}

#[test]
fn the_last_belief_is_that_of_filter() {
    let folder = folder();
    let path = folder.path();
    walk(path, 1000);
    let expected = scotopic(
        path,
        &["filter", "--model", "walk.toml", "y.csv", "--quiet"],
    )
    .good();
    let expected: Value = serde_json::from_str(expected.lines().last().unwrap()).unwrap();
    // Given on the command line, and dropped onto the page.
    let live = Live::start(path, &["--filter", "walk.toml", "--csv", "y.csv"]);
    let mut page = live.open();
    page.send(r#"{"to":"filter","command":{"do":"speed","value":null}}"#);
    assert_eq!(page.last_line(1000), expected);
    let live = Live::start(path, &[]);
    let mut page = live.open();
    page.drop_series("y.csv", &fs::read(path.join("y.csv")).unwrap());
    let model = serde_json::json!({"to": "filter", "command": {"do": "model", "name": "walk.toml", "text": WALK}});
    page.send(&model.to_string());
    page.send(r#"{"to":"filter","command":{"do":"speed","value":null}}"#);
    assert_eq!(page.last_line(1000), expected);
    // One who comes late sees the same.
    assert_eq!(live.open().last_line(1000), expected);
}

#[test]
fn standard_input_is_filtered_while_it_learns() {
    let folder = folder();
    let path = folder.path();
    walk(path, 300);
    let expected = scotopic(
        path,
        &[
            "filter",
            "--model",
            "walk.toml",
            "--learn=rmle",
            "y.csv",
            "--quiet",
        ],
    )
    .good();
    let expected: Value = serde_json::from_str(expected.lines().last().unwrap()).unwrap();
    let input = fs::File::open(path.join("y.csv")).unwrap();
    let live = Live::with_input(
        path,
        &["--filter", "walk.toml", "--learn=rmle", "--csv", "-"],
        input.into(),
    );
    let mut page = live.open();
    assert_eq!(page.last_line(300), expected);
    page.send(r#"{"to":"filter","command":{"do":"restart"}}"#);
    let error = page.wait("error", |_| true);
    assert!(
        error["message"].as_str().unwrap().contains("only once"),
        "{error}"
    );
}

#[test]
fn one_who_does_not_read_holds_nobody_up() {
    let folder = folder();
    let path = folder.path();
    walk(path, 20_000);
    let live = Live::start(path, &["--filter", "walk.toml", "--csv", "y.csv"]);
    let _slow: Vec<Page> = (0..3).map(|_| live.open()).collect();
    let mut page = live.open();
    page.send(r#"{"to":"filter","command":{"do":"speed","value":null}}"#);
    for _ in 0..2 {
        // More than what fits into the buffers of a connection, each time.
        page.wait("filter", |m| {
            m["data"]["ended"] == true && m["so_far"]["observations"] == 20_000
        });
        page.send(r#"{"to":"filter","command":{"do":"restart"}}"#);
        page.wait("filter", |m| m["data"]["ended"] == false);
    }
}

#[test]
fn a_network_looks_at_what_is_sent() {
    let folder = folder();
    let path = folder.path();
    fs::create_dir_all(path.join("runs")).unwrap();
    trained(path, "runs/one", &[]);
    trained(path, "runs/two", &["--set", "model.latents=20"]);
    let live = Live::start(path, &[]);
    let mut page = live.open();
    let state = page.wait("network", |m| !m["model"].is_null());
    assert_eq!(
        state["checkpoints"],
        serde_json::json!(["runs/one", "runs/two"])
    );
    assert_eq!(
        (
            state["model"]["height"].as_u64(),
            state["model"]["latents"].as_u64()
        ),
        (Some(8), Some(12))
    );
    let serial = state["serial"].as_u64().unwrap() as u32;
    let pixels: Vec<u8> = (0..64).map(|i| if i % 8 < 4 { 0 } else { 255 }).collect();
    let head = [&[1, 1, 0, 0][..], &serial.to_le_bytes(), &[8, 0, 8, 0]].concat();
    page.0
        .send(Message::binary([head, pixels].concat()))
        .unwrap();
    // Frames follow each other; the input becomes the picture, whose halves differ.
    let seen = |page: &mut Page| loop {
        if let Message::Binary(bytes) = page.0.read().unwrap()
            && bytes[0] == 1
        {
            let word = |at: usize| u32::from_le_bytes(bytes[4 * at..][..4].try_into().unwrap());
            let number = |at: usize| f32::from_bits(word(at));
            let rows = 8 + (word(3) * word(7)) as usize;
            return (word(2), number(rows), number(rows + 4));
        }
    };
    let (mut last, mut frames) = (0, 0);
    loop {
        let (step, left, right) = seen(&mut page);
        assert!(step > last, "{step} after {last}");
        (last, frames) = (step, frames + 1);
        if right - left > 0.1 && frames > 10 {
            break;
        }
    }
    page.send(r#"{"to":"network","command":{"do":"contrast","value":-1}}"#);
    let error = page.wait("error", |_| true);
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("expected 0 to 4"),
        "{error}"
    );
    page.send(r#"{"to":"network","command":{"do":"freeze"}}"#);
    assert_eq!(
        page.wait("network", |m| m["running"] == false)["contrast"],
        1.0
    );
    page.send(r#"{"to":"network","command":{"do":"load","id":"runs/two"}}"#);
    let other = page.wait("network", |m| m["shown"] == "runs/two");
    assert_eq!(other["model"]["latents"], 20);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it() {
    let folder = folder();
    let mut live = Live::start(folder.path(), &[]);
    let mut page = live.open();
    page.wait("hello", |_| true);
    let pid = live.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(live.child.wait().unwrap().code(), Some(130));
    let mut said = String::new();
    live.child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(said, "scotopic: SIGINT\n");
    // The page was told, and not left alone.
    while page.0.read().is_ok() {}
}

#[test]
fn what_cannot_be_served_is_said_at_once() {
    let folder = folder();
    let path = folder.path();
    walk(path, 10);
    fs::write(path.join("bad.toml"), "kind = \"hmm\"\n").unwrap();
    let live = Live::start(path, &[]);
    let port = live.address.port().to_string();
    for (args, words) in [
        (&["--port", port.as_str()][..], &["in use", "--port"][..]),
        (&["--filter", "none.toml"], &["none.toml"]),
        (&["--filter", "bad.toml"], &["bad.toml"]),
        (
            &["--filter", "walk.toml", "--csv", "none.csv"],
            &["none.csv"],
        ),
        (&["--filter", "walk.toml", "--learn=dirichlet"], &["rule"]),
        (&["--learn"], &["--filter"]),
        (&["nowhere"], &["no checkpoint nowhere"]),
        (&["."], &["holds no checkpoint", "scotopic train"]),
        (
            &["--host", "203.0.113.7", "--port", "0"],
            &["no address of this machine"],
        ),
    ] {
        let said = scotopic(path, &[&["live", "--no-open"], args].concat()).bad(2);
        for word in words {
            assert!(said.contains(word), "{args:?}: {said}");
        }
    }
}
