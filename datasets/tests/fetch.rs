//! Downloads, against a server in this process.
#![cfg(feature = "fetch")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use scotopic_datasets::Error;
use scotopic_datasets::catalog::{
    Entry, Expected, Item, fetch, fetch_entry, fetch_entry_until, find,
};

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// Answers one request after the other, by path; ends with the process.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        listener
            .incoming()
            .flatten()
            .for_each(|stream| answer(stream).unwrap_or(()))
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    if path == "/silent" {
        // Half of a file, and then nothing for longer than any test runs.
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")?;
        std::thread::sleep(Duration::from_secs(3600));
    }
    let answer = match path.as_str() {
        "/abc" => "200 OK\r\nContent-Length: 3\r\n\r\nabc",
        "/chunked" => "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
        "/truncated" => "200 OK\r\nContent-Length: 5\r\n\r\nabc",
        "/truncated-chunk" => "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
        "/vast" => "200 OK\r\nContent-Length: 99999999999\r\n\r\nabc",
        "/moved" => "302 Found\r\nLocation: /abc\r\nContent-Length: 0\r\n\r\n",
        "/loop" => "302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n",
        "/elsewhere" => "302 Found\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\n\r\n",
        "/nonsense" => "",
        _ => "404 Not Found\r\nContent-Length: 4\r\n\r\ngone",
    };
    write!(
        stream,
        "HTTP/1.1 {}",
        answer.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
    )
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn whole_files_arrive_with_progress() {
    let (base, folder) = (server(), tempfile::tempdir().unwrap());
    for path in ["abc", "chunked", "moved"] {
        let target = folder.path().join(path);
        let mut last = (9, None);
        let expected = Expected {
            sha256: Some(ABC),
            ..Default::default()
        };
        let fetched = fetch(
            &format!("{base}/{path}"),
            &target,
            expected,
            &mut |done, all| last = (done, all),
        )
        .unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"abc");
        assert_eq!(
            (fetched.bytes, fetched.sha256.as_str(), fetched.pinned),
            (3, ABC, true)
        );
        assert_eq!(last.0, 3);
        assert!(path == "chunked" || last.1 == Some(3));
    }
    let unknown = fetch(
        &format!("{base}/abc"),
        &folder.path().join("d"),
        Expected::default(),
        &mut |_, _| (),
    );
    assert!(!unknown.unwrap().pinned);
    assert_eq!(names(folder.path()).len(), 4);
}

#[test]
fn a_failed_download_leaves_nothing() {
    let (base, folder) = (server(), tempfile::tempdir().unwrap());
    let target = folder.path().join("x");
    for path in [
        "truncated",
        "truncated-chunk",
        "missing",
        "loop",
        "vast",
        "nonsense",
        "elsewhere",
    ] {
        let got = fetch(
            &format!("{base}/{path}"),
            &target,
            Expected::default(),
            &mut |_, _| (),
        );
        let error = got.expect_err(path);
        assert!(matches!(error, Error::Fetch { .. }), "{path}: {error}");
        assert!(names(folder.path()).is_empty(), "{path}");
    }
    for url in [
        "ftp://127.0.0.1/abc",
        "file:///etc/hostname",
        "abc",
        "",
        "http://",
    ] {
        assert!(matches!(
            fetch(url, &target, Expected::default(), &mut |_, _| ()),
            Err(Error::Fetch { .. })
        ));
    }
    // A port that nobody listens on.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert!(
        fetch(
            &format!("http://{free}/"),
            &target,
            Expected::default(),
            &mut |_, _| ()
        )
        .is_err()
    );
    let nowhere = folder.path().join("no/folder");
    assert!(matches!(
        fetch(
            &format!("{base}/abc"),
            &nowhere,
            Expected::default(),
            &mut |_, _| ()
        ),
        Err(Error::Io { .. })
    ));
    assert!(names(folder.path()).is_empty());
}

#[test]
fn another_file_is_refused_and_the_old_one_stays() {
    let (base, folder) = (server(), tempfile::tempdir().unwrap());
    let target = folder.path().join("x");
    std::fs::write(&target, "old").unwrap();
    let wrong = "0".repeat(64);
    for expected in [
        Expected {
            sha256: Some(&wrong),
            ..Default::default()
        },
        Expected {
            content_sha256: Some(&wrong),
            ..Default::default()
        },
    ] {
        let error = fetch(&format!("{base}/abc"), &target, expected, &mut |_, _| ()).unwrap_err();
        assert!(matches!(error, Error::Checksum { .. }), "{error}");
        assert!(error.to_string().contains(ABC), "{error}");
    }
    let short = Expected {
        content_sha256: Some(ABC),
        content_bytes: Some(2),
        ..Default::default()
    };
    assert!(fetch(&format!("{base}/abc"), &target, short, &mut |_, _| ()).is_err());
    assert_eq!(std::fs::read(&target).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["x"]);
}

#[test]
fn a_data_set_is_completed() {
    let (base, folder) = (server(), tempfile::tempdir().unwrap());
    let url: &'static str = Box::leak(format!("{base}/abc").into_boxed_str());
    let file = |path, url| Item::File {
        path,
        url,
        sha256: None,
        content_bytes: Some(3),
        content_sha256: Some(ABC),
    };
    let items: &'static [Item] =
        Box::leak(Box::new([file("s/a", Some(url)), file("s/b", Some(url))]));
    let entry = Entry {
        name: "s",
        what: "",
        licence: "",
        by_hand: "ask",
        items,
    };
    std::fs::create_dir(folder.path().join("s")).unwrap();
    std::fs::write(folder.path().join("s/a"), "mine").unwrap();
    let fetched = fetch_entry(&entry, folder.path(), &mut |_, _, _| ()).unwrap();
    assert_eq!(fetched.len(), 1);
    assert_eq!(fetched[0].0, "s/b");
    assert_eq!(std::fs::read(folder.path().join("s/a")).unwrap(), b"mine");
    let items: &'static [Item] = Box::leak(Box::new([file("t", None)]));
    let error =
        fetch_entry(&Entry { items, ..entry }, folder.path(), &mut |_, _, _| ()).unwrap_err();
    assert!(error.to_string().ends_with("ask"), "{error}");
}

#[test]
fn a_request_to_stop_leaves_nothing() {
    let (base, folder) = (server(), tempfile::tempdir().unwrap());
    let url: &'static str = Box::leak(format!("{base}/silent").into_boxed_str());
    let items: &'static [Item] = Box::leak(Box::new([Item::File {
        path: "new/folder/a",
        url: Some(url),
        sha256: Some(ABC),
        content_bytes: None,
        content_sha256: None,
    }]));
    let entry = Entry {
        name: "s",
        what: "",
        licence: "",
        by_hand: "",
        items,
    };
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let run =
            scope.spawn(|| fetch_entry_until(&stop, &entry, folder.path(), &mut |_, _, _| ()));
        let waiting = Instant::now();
        // The temporary file is there while the server is silent.
        let part = folder.path().join("new/folder");
        while !part.is_dir() || names(&part).is_empty() {
            assert!(waiting.elapsed().as_secs() < 30, "nothing was begun");
            std::thread::sleep(Duration::from_millis(5));
        }
        let asked = Instant::now();
        stop.store(true, Ordering::Relaxed);
        let error = run.join().unwrap().unwrap_err();
        assert!(asked.elapsed().as_secs_f64() < 1.0);
        assert!(error.to_string().contains("request to stop"), "{error}");
    });
    assert!(names(folder.path()).is_empty());
}

#[test]
fn what_is_not_the_file_that_was_meant_is_not_kept() {
    let (base, folder) = (server(), tempfile::tempdir().unwrap());
    let url: &'static str = Box::leak(format!("{base}/abc").into_boxed_str());
    for name in ["fashion-mnist", "kmnist", "mnist", "omniglot"] {
        let entry = find(name).unwrap();
        let elsewhere = |item: &Item| match *item {
            Item::File {
                path,
                sha256,
                content_bytes,
                content_sha256,
                ..
            } => Item::File {
                path,
                url: Some(url),
                sha256,
                content_bytes,
                content_sha256,
            },
            other => other,
        };
        let items: Vec<Item> = entry.items.iter().map(elsewhere).collect();
        let items: &'static [Item] = Box::leak(items.into_boxed_slice());
        let page = Entry { items, ..*entry };
        assert!(fetch_entry(&page, folder.path(), &mut |_, _, _| ()).is_err());
        assert!(names(folder.path()).is_empty(), "{name}");
    }
    let items: &'static [Item] = Box::leak(Box::new([Item::File {
        path: "a",
        url: Some(url),
        sha256: None,
        content_bytes: Some(3),
        content_sha256: None,
    }]));
    let open = Entry {
        items,
        ..*find("mnist").unwrap()
    };
    let text = fetch_entry(&open, folder.path(), &mut |_, _, _| ())
        .unwrap_err()
        .to_string();
    assert!(text.contains("no checksum"), "{text}");
}
